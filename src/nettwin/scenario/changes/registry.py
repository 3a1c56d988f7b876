"""The registry of changes: every kind by its name."""

from __future__ import annotations

from dataclasses import is_dataclass
from typing import Any

from nettwin.registry import Registry
from nettwin.scenario.changes import failures
from nettwin.scenario.changes.flows import AddFlow, RateLimit, RemoveFlow, ScaleTraffic, SetPath
from nettwin.scenario.changes.links import SetBuffer, SetCapacity, SetScheduler, SetWeight

OWN = (
    failures.FailLink,
    failures.RestoreLink,
    failures.FailBundle,
    failures.RestoreBundle,
    failures.FailNode,
    failures.RestoreNode,
    failures.FailGroup,
    failures.RestoreGroup,
    SetCapacity,
    SetWeight,
    SetScheduler,
    SetBuffer,
    SetPath,
    ScaleTraffic,
    AddFlow,
    RemoveFlow,
    RateLimit,
)


def _adopted(kind: str, loaded: Any) -> type[Any]:
    """A class of changes that another package adds."""
    if not isinstance(loaded, type) or not is_dataclass(loaded):
        raise TypeError(f"{loaded!r} must be a frozen dataclass")
    if getattr(loaded, "kind", None) != kind:
        raise ValueError(f"its kind is {getattr(loaded, 'kind', None)!r}, must be {kind!r}")
    for method in ("apply", "describe"):
        if not callable(getattr(loaded, method, None)):
            raise TypeError(f"it lacks the method {method}")
    return loaded


CHANGES: Registry[type[Any]] = Registry(
    "change", "nettwin.changes", {cls.kind: cls for cls in OWN}, _adopted
)
