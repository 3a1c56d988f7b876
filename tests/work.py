"""Work and time without this machine's clock: calls counted, and a clock that ticks by itself."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

LOOKS = 30  # at a clock, that a search may still take when its time is up


def calls(action: Callable[[], Any]) -> int:
    """How many functions an action calls, of Python and of C: the same wherever it runs."""
    count = 0

    def seen(_frame: object, event: str, _arg: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(seen)
    try:
        action()
    finally:
        sys.setprofile(before)
    return count


class Ticking:
    """A clock that goes on by a step at every look, and may do something at one of them."""

    def __init__(self, step_s: float = 0.01) -> None:
        self.now_s, self.step_s, self.looks = 0.0, step_s, 0
        self.at: dict[int, Callable[[], Any]] = {}  # what to do at which look

    def __call__(self) -> float:
        self.looks += 1
        self.now_s += self.step_s
        self.at.get(self.looks, lambda: None)()
        return self.now_s
