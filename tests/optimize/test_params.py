"""Params: read from TOML, checked, and heard of by searches."""

from __future__ import annotations

from pathlib import Path

import pytest

from nettwin.apps.planning import find_plan
from nettwin.errors import InputError, UnknownNameError
from nettwin.intent import Intent
from nettwin.optimize.params import (
    Budget,
    LocalSearchParams,
    SearchParams,
    WeightSearchParams,
    params_of,
    read_params,
)
from nettwin.optimize.stop import Steps
from nettwin.scenario.generate import generate


def test_what_a_file_leaves_out_keeps_its_default(tmp_path: Path) -> None:
    file = tmp_path / "params.toml"
    file.write_text("[local_search]\npatience = 9\n[weights]\nsquarings = [3, 4]\n")
    assert read_params(file) == SearchParams(
        local_search=LocalSearchParams(patience=9), weights=WeightSearchParams(squarings=(3, 4))
    )


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"local_search": {"patience": 0}}, r"local_search.patience is 0: must be a whole number"),
        (
            {"budget": {"bound_share": 1.5}},
            r"budget.bound_share is 1.5: must be a number from 0",
        ),
        ({"budget": {"ending_s": "long"}}, r"budget.ending_s is 'long': must be a number above 0"),
        ({"weights": {"squarings": []}}, r"weights.squarings is \(\): must be a list of whole"),
        ({"linear": 3}, r"linear is 3: must be a section"),
    ],
)
def test_an_error_names_key_value_and_what_is_allowed(data: dict[str, object], said: str) -> None:
    with pytest.raises(InputError, match=said):
        params_of(data)


@pytest.mark.parametrize("data", [{"local": {}}, {"linear": {"draw": 3}}])
def test_names_that_there_are_not_are_told(data: dict[str, object]) -> None:
    with pytest.raises(UnknownNameError):
        params_of(data)


def test_python_checks_as_the_file_does() -> None:
    with pytest.raises(InputError, match="Budget: rounds is 0: must be a whole number from 1"):
        Budget(rounds=0)


def test_a_broken_file_is_told(tmp_path: Path) -> None:
    file = tmp_path / "params.toml"
    with pytest.raises(InputError, match="cannot be read"):
        read_params(file)
    file.write_text("[linear\n")
    with pytest.raises(InputError, match=r"line 1.*is not TOML"):
        read_params(file)


def test_a_search_works_by_its_params() -> None:
    """Prices that are hardly steeper for busier links choose other paths."""
    network = generate("gabriel", nodes=12, load=1.5, seed=2)
    flat = SearchParams(local_search=LocalSearchParams(gentle=1e-6, steep=1e-6))
    plans = [
        find_plan(network, Intent(), method="local_search", stop=Steps(3), params=params)
        for params in (None, flat)
    ]
    assert plans[0].changes != plans[1].changes
