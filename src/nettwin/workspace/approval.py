"""Approval: that one plan may be applied to one network until some time, said by a person who is
not its author, or by a policy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from nettwin.errors import InputError

POLICY = "policy"  # who approves where no person does


@dataclass(frozen=True)
class Approval:
    """What was approved, by whom, and until when. Times are of this machine's clock, in seconds
    since 1970."""

    plan: str  # its digest
    network: str  # the configuration that it may be applied to
    author: str
    by: str
    at_s: float
    expires_s: float

    def issues(self, *, plan: str, network: str, now_s: float) -> list[str]:
        """Why it does not hold for a plan on a network now, one sentence each."""
        found = []
        if self.plan != plan:
            found.append("the plan is not the one that was approved: it was changed since")
        if self.network != network:
            found.append(
                "the network is not the one that the approval was given for: elements failed or"
                " came back, or somebody configured it"
            )
        if now_s >= self.expires_s:
            found.append(f"the approval expired {now_s - self.expires_s:.0f} s ago")
        if now_s < self.at_s:
            found.append("the approval is of the future: this machine's clock went back")
        if self.by == self.author:
            found.append(f"{self.by} approved a plan of their own")
        return found

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON types."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Approval:
        """The inverse. Raises InputError."""
        try:
            return cls(**data)
        except TypeError as error:
            raise InputError(f"the approval is damaged ({error}). Approve the plan anew.") from None
