"""Kept: what was made of the objects that were asked for last, while they live."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Generic, TypeVar
from weakref import ReferenceType, ref

T = TypeVar("T")
MAX_KEPT = 8  # by default; threads that work on a scenario each need one


class Kept(Generic[T]):
    """One thing for each of the last objects; objects are told apart by identity."""

    def __init__(self, most: int = MAX_KEPT) -> None:
        self._most = most
        self._made: dict[int, tuple[ReferenceType[Any], T]] = {}

    def of(self, one: Any, make: Callable[[], T]) -> T:
        """What was made of an object, or what `make` makes of it now."""
        key = id(one)
        warm_start = self._made.get(key)
        if warm_start is not None and warm_start[0]() is one:
            return warm_start[1]
        made = make()
        self._made[key] = ref(one, partial(self._forget, key)), made
        for old in list(self._made)[: -self._most]:
            self._made.pop(old, None)
        return made

    def _forget(self, key: int, gone: ReferenceType[Any]) -> None:
        warm_start = self._made.get(key)
        if warm_start is not None and warm_start[0] is gone:
            self._made.pop(key, None)
