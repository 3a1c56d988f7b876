"""Formulas: which of theory's formulas are used.

A learned model takes theory's answer for its inputs, and therefore asks with the formulas that it
was trained with; its card names them. Everybody else uses all of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Formulas:
    """What theory reckons with, beside what it always did."""

    smoothing: bool = True  # packets that came over one link have been spread apart
    bursts: bool = True  # few sources: the distribution of their rate, and fluid queues
    bounded: bool = True  # no delay above what buffers allow, nothing carried above capacity


FIRST = Formulas(smoothing=False, bursts=False, bounded=False)


def formulas_of(card: Mapping[str, object]) -> Formulas:
    """The formulas that a model was trained with, by its card; the first ones if it names none."""
    named = card.get("formulas")
    if not isinstance(named, Mapping):
        return FIRST
    return Formulas(**{name: bool(named.get(name, False)) for name in Formulas.__annotations__})
