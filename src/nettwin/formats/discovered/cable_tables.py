"""Cable tables: NetBox's cables as CSV, as a list is exported (`Device A`, `Termination A`, ...)
or as they are imported (`side_a_device`, `side_a_name`, ...)."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nettwin.errors import FormatError
from nettwin.formats.files import read_text

# the columns by the names that NetBox gives them
_NAMES = {
    "device_a": ("side_a_device", "device a"),
    "port_a": ("side_a_name", "termination a"),
    "kind_a": ("side_a_type",),
    "device_b": ("side_b_device", "device b"),
    "port_b": ("side_b_name", "termination b"),
    "kind_b": ("side_b_type",),
    "status": ("status",),
    "length": ("length",),
    "length_unit": ("length_unit", "length unit"),
}


def is_table(head: bytes) -> bool:
    """Whether a file that begins so is a CSV of cables."""
    return bool(_columns(head.decode("utf-8-sig", "replace").partition("\n")[0]))


def _columns(header: str) -> dict[str, int]:
    """Where a CSV has the ends of cables; empty where it is none of cables."""
    names = [name.strip().strip('"').casefold() for name in header.split(",")]
    found = {
        key: names.index(name) for key, known in _NAMES.items() for name in known if name in names
    }
    return found if {"device_a", "port_a", "device_b", "port_b"} <= found.keys() else {}


def cables_of(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Cables with their lines, as the API would tell them. Raises FormatError for a cut line."""
    lines = csv.reader(read_text(path).split("\n"))
    at = _columns(",".join(next(lines)))
    for number, cells in enumerate(lines, start=2):
        if not cells:
            continue
        if len(cells) <= max(at.values()):
            reason = f"has {len(cells)} columns, the header has more"
            raise FormatError(path, f"line {number}", reason, "Export it again.")
        cell = {key: cells[k].strip() for key, k in at.items()}
        cable: dict[str, Any] = {"status": cell.get("status", "").lower()}
        for side in "ab":
            port = {"device": {"name": cell[f"device_{side}"]}, "name": cell[f"port_{side}"]}
            kind = cell.get(f"kind_{side}") or "dcim.interface"
            cable[f"{side}_terminations"] = [{"object_type": kind, "object": port}]
        cable |= _length(cell.get("length", ""), cell.get("length_unit", ""))
        yield number, cable


def _length(text: str, unit: str) -> dict[str, Any]:
    """The length of a cable: `470`, or with its unit `470 km`."""
    number, _, inside = text.partition(" ")
    try:
        return {"length": float(number), "length_unit": (inside or unit or "m").lower()}
    except ValueError:
        return {}
