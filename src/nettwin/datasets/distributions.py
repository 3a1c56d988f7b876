"""Distributions as a recipe writes them: a number, a range, or a weighted choice.

0.5                              always this
[0.1, 1.5]                       uniform between two numbers
{log = [1e6, 1e9]}               log-uniform
{choice = {fifo = 2, wfq = 1}}   one of some names (or numbers), by weight
{mix = [[3, A], [1, B]]}         one of some distributions, by weight
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from nettwin.errors import InputError


def draw_number(what: str, distribution: Any, random: np.random.Generator) -> float:
    """A number from a distribution; InputError names `what` where it is none."""
    if isinstance(distribution, bool):
        raise _wrong(what, distribution)
    if isinstance(distribution, int | float):
        return float(distribution)
    if isinstance(distribution, list):
        low, high = _bounds(what, distribution)
        return float(random.uniform(low, high))
    if isinstance(distribution, Mapping) and set(distribution) == {"log"}:
        low, high = _bounds(what, distribution["log"])
        if low <= 0:
            raise _wrong(what, distribution)
        return float(math.exp(random.uniform(math.log(low), math.log(high))))
    if isinstance(distribution, Mapping) and set(distribution) == {"mix"}:
        return draw_number(what, _one_of(what, distribution, random), random)
    if isinstance(distribution, Mapping) and set(distribution) == {"choice"}:
        name = draw_name(what, distribution["choice"], random)
        try:
            return float(name)
        except ValueError:
            raise _wrong(what, distribution) from None
    raise _wrong(what, distribution)


def draw_whole(what: str, distribution: Any, random: np.random.Generator) -> int:
    """A whole number: both ends of a range are drawn as often as what lies between."""
    if isinstance(distribution, list):
        low, high = _bounds(what, distribution)
        return int(random.integers(math.ceil(low), math.floor(high) + 1))
    return round(draw_number(what, distribution, random))


def draw_name(what: str, weights: Any, random: np.random.Generator) -> str:
    """A name in proportion to its weight."""
    if isinstance(weights, str):
        return weights
    if not isinstance(weights, Mapping) or not weights:
        raise _wrong(what, weights)
    try:
        chance = np.array([float(w) for w in weights.values()])
    except (TypeError, ValueError):
        raise _wrong(what, weights) from None
    if not np.all(np.isfinite(chance)) or chance.min() < 0 or chance.sum() <= 0:
        raise _wrong(what, weights)
    return str(random.choice(np.array(list(weights), dtype=object), p=chance / chance.sum()))


def _one_of(what: str, distribution: Mapping[str, Any], random: np.random.Generator) -> Any:
    mix = distribution["mix"]
    pairs = isinstance(mix, list) and all(isinstance(x, list) and len(x) == 2 for x in mix)
    if not pairs or not mix:
        raise _wrong(what, distribution)
    weights = {str(k): weight for k, (weight, _) in enumerate(mix)}
    return mix[int(draw_name(what, weights, random))][1]


def _bounds(what: str, pair: Any) -> tuple[float, float]:
    if (
        not isinstance(pair, list)
        or len(pair) != 2
        or not all(isinstance(x, int | float) and math.isfinite(x) for x in pair)
        or pair[0] > pair[1]
    ):
        raise _wrong(what, pair)
    return float(pair[0]), float(pair[1])


def _wrong(what: str, value: Any) -> InputError:
    return InputError(
        f"{what} is {value!r}: must be a number, [least, most], {{log = [least, most]}},"
        " {choice = {name = weight}} or {mix = [[weight, ...]]}. Correct the recipe."
    )
