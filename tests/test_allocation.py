"""Memory that is kept between predictions: not asked for again, given back in the end."""

from __future__ import annotations

import resource
from pathlib import Path

import numpy as np
import pytest

from nettwin import allocation
from nettwin.allocation import kept_memory

PAGE = resource.getpagesize()
SIZE = 48 * 2**20  # more than the C library keeps of its own accord

pytestmark = pytest.mark.skipif(allocation._gnu() is None, reason="needs the GNU C library")


def asked_again() -> int:
    """How many pages an array takes from the system that was there before."""
    np.ones(SIZE // 8)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    np.ones(SIZE // 8)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before


def held_bytes() -> int:
    """What this process has in memory."""
    return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * PAGE


def test_memory_is_kept_while_it_lasts_and_no_longer() -> None:
    assert asked_again() > 0
    before = held_bytes()
    with kept_memory():
        with kept_memory():
            assert asked_again() == 0
        assert asked_again() == 0  # the inner one was not the last
        assert held_bytes() - before > SIZE / 2
    assert held_bytes() - before < SIZE / 2
    assert asked_again() > 0


def test_other_libraries_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(allocation, "_gnu", lambda: None)
    with kept_memory():
        assert allocation._inside == 0
