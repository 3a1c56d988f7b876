"""Records: values of JSON by the names that they have in several tools, told where they stand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from nettwin.errors import FormatError
from nettwin.formats.files import read_text
from nettwin.formats.native.document import Document

Place = tuple[str | int, ...]
# names of a neighbor, and of its port
FAR_DEVICE = (
    "target_device", "remote_device", "remote_system_name", "system_name", "system-name",
    "neighbor", "neighbor_name", "destination_host", "remote_host", "remote_hostname", "hostname",
)  # fmt: skip
FAR_PORT = (
    "target_port", "remote_port", "port_id", "port-id", "neighbor_interface", "neighbor_port_id",
    "remote_interface", "remote_port_id", "port", "destination_port",
)  # fmt: skip


def load(path: Path) -> Document:
    """A JSON file. Raises FormatError where it is none."""
    text = read_text(path)
    if text.lstrip()[:1] not in ("{", "["):
        raise FormatError(path, "line 1", "is not JSON", "Give a JSON file.")
    document = Document(path, text)
    if not isinstance(document.data, dict | list):
        raise FormatError(path, "line 1", "is not JSON", "Give a JSON file.")
    return document


def issue(document: Document, place: Place, reason: str, remedy: str) -> FormatError:
    """The error at a place of a document."""
    where = "/".join(map(str, place)) or "the document"
    line = document.line(place)
    at = f"line {line} ({where})" if line else where
    return FormatError(document.path, at, reason, remedy)


def text_of(record: Mapping[str, Any], names: Sequence[str]) -> str:
    """The first text under one of the names; empty where there is none."""
    for name in names:
        value = record.get(name)
        if isinstance(value, str) and value.strip():
            return value.strip()
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
    return ""


def has(record: Any, names: Sequence[str]) -> bool:
    """Whether a mapping has one of the names."""
    return isinstance(record, Mapping) and any(name in record for name in names)
