"""Params: the constants of a search, with defaults that suit most networks.

    SearchParams(local_search=LocalSearchParams(patience=100))

or as TOML, where what is left out keeps its default:

    [local_search]
    patience = 100

Shares of time are in `Budget` and nowhere else. What only guards numbers against rounding is no
parameter and stands where it is used.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from nettwin.errors import InputError, UnknownNameError
from nettwin.formats.toml_document import load_toml

SHARE = "_share"  # what ends so goes from 0 to 1


class _Params:
    """Numbers that are checked: counts from 1, shares from 0 to 1, others above 0."""

    def __post_init__(self) -> None:
        for each in fields(self):  # type: ignore[arg-type]
            value = getattr(self, each.name)
            if problem := _problem(each.name, value, each.default):
                raise InputError(f"{type(self).__name__}: {problem}")


@dataclass(frozen=True)
class Budget(_Params):
    """How the time of a search is spent. Shares are of the time that is left at that point."""

    bound_share: float = 0.1  # for the bound, at the beginning
    most_bound_s: float = 0.5
    most_choice_bound_s: float = 3.0  # where it is that of one choice for all failures
    anew_bound_share: float = 0.3  # of that, for routing chosen anew after each failure
    bound_work: int = 400_000_000  # operations for the bound where no rule ends a search by time
    rounds: int = 4  # of searching and verifying
    round_share: float = 0.6  # for each round but the last: the next learns from it
    routing_share: float = 0.3  # for loads, where delays are asked about and loads are a beginning
    fewer_share: float = 0.3  # for each try with fewer changes
    local_search_share: float = 0.5  # for local search where linear programming comes after it
    proof_share: float = 0.2  # between the two, to prove what midpoints can reach
    last_proof_share: float = 0.05  # for the same at the end
    least_proof_s: float = 0.1  # with less for it, nothing is proven at the end
    agent_share: float = 0.3  # for the agent where local search comes after it, at most
    trim_share: float = 0.15  # for leaving out changes that are not needed
    ending_share: float = 0.35  # for making a plan of the answer, at most
    ending_s: float = 0.02  # for the same, and so long for each flow:
    ending_flow_s: float = 5e-6


@dataclass(frozen=True)
class AutoParams(_Params):
    """When linear programming comes after local search."""

    linear_s: float = 1.0  # seconds that linear programming needs to be worth it
    linear_pair_s: float = 7e-7  # the same for each pair of a flow and a node
    patience: int = 2000  # steps of local search without anything better


@dataclass(frozen=True)
class LocalSearchParams(_Params):
    """Local search over SR midpoints. Steepness is that of prices of links by utilization."""

    gentle: float = 20.0  # steepness of a climb at its beginning
    holding: float = 100.0  # up to which kicked flows are held
    steep: float = 5000.0  # at its end
    refining: float = 500.0  # at the beginning, near an answer that was found before
    steeper: float = 1.5  # from one round to the next
    kicking: float = 20.0  # steepness of the prices by which kicked flows go
    few_moves_share: float = 0.2  # of the suggested moves: if fewer are made, prices get steeper
    patience: int = 50  # climbs without a better answer until it starts from the best again
    many: int = 2000  # where more flows pay much, those are looked at that pay
    worth_share: float = 0.95  # so much of all that is paid
    least_flows: int = 500  # that are looked at before prices are made anew
    close: int = 64  # moves of the highest gains that are calculated where changes are few
    batch: int = 2  # of them that are made at the same prices


@dataclass(frozen=True)
class WeightSearchParams(_Params):
    """Local search over IGP weights by late acceptance."""

    squarings: tuple[int, ...] = (4, 5, 6, 7, 8)  # powers of utilization, one after another
    memory: int = 30  # steps that late acceptance looks back
    worse: float = 1.03  # how much busier links may get at first where a search begins anew
    patience: int = 20  # steps a link without progress until the next power
    undone: int = 4  # pieces of steps, in which weights are given back


@dataclass(frozen=True)
class LinearParams(_Params):
    """Column generation, and whole flows from it."""

    turns: int = 5  # between the bound and answers of whole flows
    sweeps: int = 80  # of the bound in a turn, at most
    patience: int = 2  # descents without anything better
    small_midpoints: int = 3000  # paths over one midpoint up to which all is solved exactly
    small_paths: int = 300  # demands up to which all choose at once among explicit paths
    branches: int = 1_000_000  # of an exact program of all flows, and where nothing ends it by time
    untimed_branches: int = 50
    draws: int = 20  # answers drawn in a turn
    free: int = 40  # flows of an exact program of some
    free_branches: int = 30


@dataclass(frozen=True)
class ConstraintParams(_Params):
    """Large neighborhoods by CP-SAT. Units are of its deterministic time, some seconds each."""

    fewest: int = 12  # flows that choose
    first: int = 60
    most: int = 160
    grow: float = 1.3  # their number where a choice is proven the best
    shrink: float = 0.8
    fails: int = 6  # choices in a row that help little end an aim
    units: float = 0.05  # for a choice
    mending_units: float = 0.2  # for flows that break limits
    mended: int = 60  # flows that are mended together
    whole_units: float = 1.5  # for all flows at once
    whole_paths: int = 1500  # of all flows together, up to which they choose at once


@dataclass(frozen=True)
class GuidedParams(_Params):
    """Moves that a model judges."""

    batch: int = 48  # moves that are proposed together
    paired: int = 5  # of the best, whose pairs are tried
    stalls: int = 6  # batches in a row that bring nothing, before a kick
    kicks: int = 30  # in a row that bring nothing, before it ends
    dropped: int = 8  # changes left out, one at a time
    kicked: int = 4  # moves in a kick, at most


@dataclass(frozen=True)
class SearchParams:
    """The constants of all parts of a search."""

    budget: Budget = field(default_factory=Budget)
    auto: AutoParams = field(default_factory=AutoParams)
    local_search: LocalSearchParams = field(default_factory=LocalSearchParams)
    weights: WeightSearchParams = field(default_factory=WeightSearchParams)
    linear: LinearParams = field(default_factory=LinearParams)
    constraint: ConstraintParams = field(default_factory=ConstraintParams)
    guided: GuidedParams = field(default_factory=GuidedParams)


def read_params(path: Path | str) -> SearchParams:
    """The params of a TOML file. Raises InputError where it cannot be read or a value is not
    allowed, and UnknownNameError for a section or key that there is not."""
    return params_of(load_toml(Path(path)))


def params_of(data: Mapping[str, Any]) -> SearchParams:
    """Params of sections with keys; the rest keeps its default. Raises as `read_params` does."""
    sections = {each.name: each for each in fields(SearchParams)}
    made = {}
    for name, values in data.items():
        if name not in sections:
            raise UnknownNameError("section of params", name, sections)
        if not isinstance(values, Mapping):
            raise InputError(f"{name} is {values!r}: must be a section, [{name}].")
        default = getattr(SearchParams(), name)
        keys = {each.name: each.default for each in fields(default)}
        for key, value in values.items():
            if key not in keys:
                raise UnknownNameError(f"key of [{name}]", key, keys)
            value = tuple(value) if isinstance(value, list) else value
            if problem := _problem(f"{name}.{key}", value, keys[key]):
                raise InputError(problem)
        settings = {k: tuple(v) if isinstance(v, list) else v for k, v in values.items()}
        made[name] = type(default)(**settings)
    return SearchParams(**made)


def _problem(key: str, value: Any, default: Any) -> str:
    """What is wrong with a value; empty where nothing is."""
    if isinstance(default, tuple):
        fits = isinstance(value, tuple) and len(value) > 0 and all(_is_count(v) for v in value)
        allowed = "a list of whole numbers from 1"
    elif isinstance(default, int):
        fits, allowed = _is_count(value), "a whole number from 1"
    elif key.endswith(SHARE):
        fits, allowed = _is_number(value) and 0 <= value <= 1, "a number from 0 to 1"
    else:
        fits, allowed = _is_number(value) and value > 0, "a number above 0"
    return "" if fits else f"{key} is {value!r}: must be {allowed}."


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
