"""State: where the loop stands, on disk, so that it goes on after it was killed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from nettwin.errors import FormatError
from nettwin.formats.files import read_text, write_text

Step = Literal[
    "observe", "optimize", "verify", "approve", "pre-check", "apply", "post-check", "roll back"
]
SCHEMA = "nettwin-loop-1"


@dataclass(frozen=True)
class LoopState:
    """The step that comes next, and what it needs.

    Times are the network's, in seconds since 1970. `violation` is what the intent was missed by
    when the plan was made. `quiet_until_s`: no plan before. `changed` is when each link went up or
    down lately; `was_down` which links were down when they were last seen.
    """

    step: Step = "observe"
    plan: str = ""  # the id of the plan that is under way
    reason: str = ""
    violation: float = 0.0
    quiet_until_s: float = 0.0
    applied_s: tuple[float, ...] = ()
    kept: int = 0
    rolled_back: int = 0
    calibrate: str = ""  # why the twin should be calibrated
    changed: Mapping[str, list[float]] = field(default_factory=dict)
    was_down: tuple[str, ...] | None = None
    clock_s: float = 0.0  # this machine's time when it was last written

    @property
    def applied(self) -> int:
        """How many plans were applied."""
        return len(self.applied_s)

    def with_(self, **changed: Any) -> LoopState:
        """A copy with some fields replaced."""
        return replace(self, **changed)


def write_state(path: Path, state: LoopState) -> None:
    """Put a state on the disk."""
    write_text(path, json.dumps({"schema": SCHEMA, **asdict(state)}, indent=1) + "\n", durable=True)


def read_state(path: Path) -> LoopState:
    """The state in a file; a new one where there is none. Raises FormatError."""
    if not path.exists():
        return LoopState()
    try:
        data = json.loads(read_text(path))
        if data.pop("schema") != SCHEMA:
            raise ValueError("of another schema")
        data["applied_s"] = tuple(map(float, data["applied_s"]))
        if data["was_down"] is not None:
            data["was_down"] = tuple(data["was_down"])
        return LoopState(**data)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise FormatError(
            path,
            "",
            f"is not a state of a loop ({error})",
            "Remove it: the loop begins anew, and takes back what was half applied.",
        ) from None
