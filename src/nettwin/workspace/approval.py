"""Approval: that one plan may be applied to one network until some time, said by a person who is
not its author, or by a policy."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from nettwin.errors import FormatError
from nettwin.formats.files import read_text, write_text

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


class Approvals:
    """The approvals of a workspace, one file each. A file is there whole or not at all, so that
    people may approve while the loop runs.

        DIR/PLAN.PERSON.json
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def keep(self, id: str, approval: Approval) -> None:
        """Put an approval of a plan on the disk."""
        text = json.dumps(approval.to_dict()) + "\n"
        write_text(self.folder / f"{id}.{approval.by}.json", text, durable=True)

    def of(self, id: str) -> list[Approval]:
        """The approvals of a plan, oldest first. Raises FormatError for a damaged one."""
        found = []
        for path in sorted(self.folder.glob(f"{id}.*.json")):
            try:
                found.append(Approval(**json.loads(read_text(path))))
            except (ValueError, TypeError) as error:
                reason = f"is not an approval ({error})"
                raise FormatError(path, "", reason, "Approve the plan anew.") from None
        return sorted(found, key=lambda approval: approval.at_s)
