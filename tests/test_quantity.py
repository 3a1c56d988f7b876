"""Quantities: ranges, issues and schemas; arrays that cannot be written."""

from __future__ import annotations

import math
import pickle
from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray

from nettwin.quantity import Quantity, ReadOnly, by_name, frozen, misfits


@pytest.mark.parametrize(
    ("quantity", "good", "bad"),
    [
        (Quantity("q", "s", "time", low=0), [0, 1, 1e300], [-1e-9, math.inf, math.nan]),
        (Quantity("q", "s", "time", above=0), [1e-300, 5], [0, -1, math.nan]),
        (Quantity("q", "", "share", low=0, high=1), [0, 1], [1.0001, -0.1, math.nan]),
        (Quantity("q", "s", "time", low=0, optional=True), [0, math.nan], [-1, math.inf]),
        (Quantity("q", "bit", "room", low=0, infinite=True), [0, math.inf], [-1, math.nan]),
    ],
)
def test_range(quantity: Quantity, good: list[float], bad: list[float]) -> None:
    assert quantity.valid(np.array(good)).all()
    assert not quantity.valid(np.array(bad)).any()
    for value in bad:
        (issue,) = quantity.check(value, "x")
        assert issue.element == "q of x"
        assert issue.value == f"{value:g}"
        assert issue.allowed == quantity.allowed


def test_allowed_in_words() -> None:
    assert Quantity("q", "s", "", above=0, high=5).allowed == "must be above 0 and at most 5 s"
    assert Quantity("q", "", "").allowed == "must be finite"
    assert Quantity("q", "", "", infinite=True).allowed == "must be a number"


def test_faults_name_each_element() -> None:
    quantity = Quantity("delay_s", "s", "propagation", low=0)
    issues = quantity.issues(np.array([-1.0, 2.0, math.nan]), lambda i: f"link {i}")
    assert [f.element for f in issues] == ["delay_s of link 0", "delay_s of link 2"]
    assert "propagation" in issues[0].remedy


def test_schema() -> None:
    schema = Quantity("q", "s", "a time", 1.0, low=0, high=9).schema()
    assert schema == {
        "type": "number",
        "description": "a time [s]",
        "minimum": 0,
        "maximum": 9,
        "default": 1.0,
    }
    bare = Quantity("q", "", "a share", math.inf, above=0).schema()
    assert bare == {"type": "number", "description": "a share", "exclusiveMinimum": 0}


def test_by_name_keeps_order() -> None:
    assert list(by_name(Quantity("b", "", ""), Quantity("a", "", ""))) == ["b", "a"]


def test_frozen_is_a_copy() -> None:
    mine = np.arange(3.0)
    kept = frozen(mine, np.float64)
    mine[0] = 9
    assert kept[0] == 0
    with pytest.raises(ValueError, match="read-only"):
        kept[0] = 1


@dataclass(frozen=True)
class Part(ReadOnly):
    value: NDArray[np.float64]
    owner: NDArray[np.int32]


def test_read_only_survives_pickling() -> None:
    part = Part(np.arange(2.0), np.array([0, 1], np.int32))
    for each in (part, pickle.loads(pickle.dumps(part))):
        with pytest.raises(ValueError, match="read-only"):
            each.value[0] = 1


def test_misfits_name_lengths_and_indices() -> None:
    part = Part(np.arange(2.0), np.array([0, 7, -1], np.int32))
    found = misfits(part, {"value": 3, "owner": 3}, {"owner": 2})
    assert [f.element for f in found] == [
        "the array value",
        "owner of element 1",
        "owner of element 2",
    ]
