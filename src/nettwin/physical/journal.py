"""Journal: what was applied to a network, on disk, so that a retry changes nothing twice and a
process that dies leaves nothing half applied.

    DIR/KEY.json     one plan that was applied: its steps, how to take them back, and its state

A record is written before the first change, before and after each, and when the state changes;
each write is on the disk before anything else happens.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from nettwin.errors import FormatError, InputError, NettwinError
from nettwin.formats.files import read_text, write_text
from nettwin.scenario.changes import Change, change_from_dict, change_to_dict

SCHEMA = "nettwin-applied-1"
State = Literal["applying", "applied", "confirmed", "undoing", "undone"]
LEGAL = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.")


@dataclass(frozen=True)
class Receipt:
    """A plan that was, or is being, applied to a network.

    `changes` are its steps, of which the first `begun` may have been made; `back[i]` takes step i
    back. Times are in the network's own seconds since 1970.
    """

    key: str
    plan: str  # its digest
    network: str  # the configuration that it was applied to
    changes: tuple[Change, ...]
    back: tuple[tuple[Change, ...], ...]
    state: State = "applying"
    begun: int = 0
    time_s: float = 0.0
    confirm_by_s: float | None = None  # undone then, unless it is confirmed

    @property
    def stands(self) -> bool:
        """Whether the network has its changes."""
        return self.state in ("applied", "confirmed")

    @property
    def unfinished(self) -> bool:
        """Whether whoever applied or undid it did not come to an end."""
        return self.state in ("applying", "undoing")


class Journal:
    """The receipts of a network, oldest first."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._steps: tuple[tuple[Any, Any], str] | None = None  # those written last, as text

    def find(self, key: str) -> Receipt | None:
        """The receipt of a key, None where there is none. Raises FormatError for a damaged one."""
        path = self._path(key)
        return _read(path) if path.exists() else None

    def all(self) -> list[Receipt]:
        """Every receipt, in the order of their times."""
        if not self.folder.is_dir():
            return []
        found = [_read(path) for path in sorted(self.folder.glob("*.json"))]
        return sorted(found, key=lambda receipt: receipt.time_s)

    def write(self, receipt: Receipt) -> Receipt:
        """Put a receipt on the disk, in place of the one of its key."""
        same, whole = self._steps, (receipt.changes, receipt.back)
        if same is None or any(a is not b for a, b in zip(same[0], whole, strict=True)):
            self._steps = same = whole, _steps(receipt)  # they stay while the state moves on
        head = json.dumps(_head(receipt)).removesuffix("}")
        text = f'{head},\n"steps": [\n{same[1]}\n]}}\n'
        write_text(self._path(receipt.key), text, durable=True)
        return receipt

    def become(self, receipt: Receipt, **changed: Any) -> Receipt:
        """The receipt with some fields changed, on the disk."""
        return self.write(replace(receipt, **changed))

    def _path(self, key: str) -> Path:
        if not key or not set(key) <= LEGAL or key[0] == ".":
            raise InputError(
                f"the key {key!r} cannot name a file: must be letters, digits, - _ and dots."
                " Give another."
            )
        return self.folder / f"{key}.json"


def _head(receipt: Receipt) -> dict[str, Any]:
    names = ("key", "plan", "network", "state", "begun", "time_s", "confirm_by_s")
    return {"schema": SCHEMA, **{name: getattr(receipt, name) for name in names}}


def _steps(receipt: Receipt) -> str:
    """The steps of a receipt, one a line."""
    return ",\n".join(
        json.dumps({"change": change_to_dict(change), "back": list(map(change_to_dict, back))})
        for change, back in zip(receipt.changes, receipt.back, strict=True)
    )


def _read(path: Path) -> Receipt:
    try:
        data: Mapping[str, Any] = json.loads(read_text(path))
        if data["schema"] != SCHEMA:
            raise ValueError(f"its schema is {data['schema']}, must be {SCHEMA}")
        steps: Sequence[Mapping[str, Any]] = data["steps"]
        confirm = data["confirm_by_s"]
        return Receipt(
            key=str(data["key"]),
            plan=str(data["plan"]),
            network=str(data["network"]),
            changes=tuple(change_from_dict(step["change"]) for step in steps),
            back=tuple(tuple(map(change_from_dict, step["back"])) for step in steps),
            state=data["state"],
            begun=int(data["begun"]),
            time_s=float(data["time_s"]),
            confirm_by_s=None if confirm is None else float(confirm),
        )
    except (ValueError, KeyError, TypeError, NettwinError) as error:
        reason = f"is not a record of an applied plan ({error})"
        raise FormatError(path, "", reason, "Compare the network with what it should be.") from None
