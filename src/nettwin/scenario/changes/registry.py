"""The registry of changes: every kind by its name."""

from __future__ import annotations

from typing import Any

from nettwin.scenario.changes.failures import (
    FailGroup,
    FailLink,
    FailNode,
    RestoreGroup,
    RestoreLink,
    RestoreNode,
)
from nettwin.scenario.changes.flows import AddFlow, RateLimit, RemoveFlow, ScaleTraffic, SetPath
from nettwin.scenario.changes.links import SetBuffer, SetCapacity, SetScheduler, SetWeight

CHANGES: dict[str, type[Any]] = {
    cls.kind: cls
    for cls in (
        FailLink,
        RestoreLink,
        FailNode,
        RestoreNode,
        FailGroup,
        RestoreGroup,
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
}
