"""Job: a piece of work that was asked for, and where it stands."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

State = Literal["queued", "running", "done", "failed", "cancelled", "interrupted"]
ENDED: tuple[State, ...] = ("done", "failed", "cancelled", "interrupted")


@dataclass(frozen=True)
class Job:
    """A job. Times are this machine's, in seconds since 1970; `progress` is the share done, None
    where it is not known; `told` is what the work said last, such as best and bound of a search.

    `key` is the same for the same question about the same network: the answer of one serves the
    other. `problem` is why it has no answer.
    """

    id: str
    kind: str
    arguments: Mapping[str, Any]
    person: str
    created_s: float
    state: State = "queued"
    started_s: float | None = None
    ended_s: float | None = None
    attempts: int = 0
    progress: float | None = None
    told: Mapping[str, Any] = field(default_factory=dict)
    problem: Mapping[str, Any] | None = None
    bytes: int | None = None  # of the answer

    @property
    def ended(self) -> bool:
        """Whether nothing more happens with it."""
        return self.state in ENDED

    @property
    def key(self) -> str:
        """A digest of the question."""
        return key_of(self.kind, self.arguments)

    def with_(self, **changed: Any) -> Job:
        """A copy with some fields replaced."""
        return replace(self, **changed)

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON types, for whoever asked."""
        return {
            "id": self.id,
            "kind": self.kind,
            "state": self.state,
            "person": self.person,
            "arguments": dict(self.arguments),
            "created_s": self.created_s,
            "started_s": self.started_s,
            "ended_s": self.ended_s,
            "attempts": self.attempts,
            "progress": self.progress,
            "told": dict(self.told),
            "problem": None if self.problem is None else dict(self.problem),
            "bytes": self.bytes,
        }


def key_of(kind: str, arguments: Mapping[str, Any]) -> str:
    """A digest of a question: the same for the same kind and arguments."""
    text = json.dumps([kind, arguments], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
