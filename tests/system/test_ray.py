"""The path over Ray gives what processes here give."""

from __future__ import annotations

import pytest

from nettwin.workers import in_order_of_completion

pytestmark = pytest.mark.system


def square(number: int) -> int:
    """A piece of work."""
    return number * number


def test_ray_does_the_same_work() -> None:
    pytest.importorskip("ray")
    here = sorted(in_order_of_completion(square, range(8), jobs=1))
    assert sorted(in_order_of_completion(square, range(8), jobs=2, ray_address="local")) == here
