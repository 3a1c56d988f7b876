from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from nettwin.errors import InputError
from nettwin.repository.repository import Repository
from nettwin.repository.talkers import talkers_of


def flows(count: int = 20_000) -> tuple[list[str], np.ndarray]:
    draw = np.random.default_rng(3)
    octets = (64 * (1 + draw.pareto(1.1, count))).astype(np.int64)
    return [f"10.0.{k % 250}.{k // 250}:443" for k in range(count)], octets


def test_the_largest_are_exact_and_the_small_within_the_stated_error(tmp_path: Path) -> None:
    keys, octets = flows()
    twice = [*keys, keys[0]]  # two records of a flow
    kept = Repository(tmp_path)
    kept.talked(600.0, talkers_of(twice, np.append(octets, 10**9), exact=100))
    found = kept.talkers(600.0)
    assert found.key[0] == keys[0]
    assert found.octets_of([keys[0]])[0] == octets[0] + 10**9
    truth = dict(zip(keys, octets.tolist(), strict=True))
    assert all(found.octets_of([k])[0] == truth[k] for k in found.key[1:])
    small = [k for k in keys if k not in set(found.key)]
    over = found.octets_of(small) - np.array([truth[k] for k in small])
    assert (over >= 0).all()
    assert np.mean(over > found.stated_error * found.rest) < np.exp(-4)
    assert found.rest + found.octets.sum() == octets.sum() + 10**9
    assert found.records == len(twice)


def test_no_flows_and_wrong_ones(tmp_path: Path) -> None:
    nothing = talkers_of([], np.zeros(0, np.int64))
    assert nothing.octets_of(["a"]).tolist() == [0]
    assert nothing.octets_of([]).tolist() == []
    with pytest.raises(InputError, match="below 0"):
        talkers_of(["a"], np.array([-1]))
    with pytest.raises(InputError, match="power of 2"):
        talkers_of(["a"], np.array([1]), width=100)
    with pytest.raises(InputError, match="no flows were kept"):
        Repository(tmp_path).talkers(5.0)
