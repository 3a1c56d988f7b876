"""Intent files: what an operator wants of a network, as YAML that people write, or as JSON.

fields   every key, declared once             reader   plain data to an intent
schema   the JSON schema, from the fields     writer   an intent to plain data
"""

from __future__ import annotations

from pathlib import Path

from nettwin.formats.files import read_text, write_text
from nettwin.formats.intent.reader import intent_from
from nettwin.formats.intent.schema import intent_schema
from nettwin.formats.intent.writer import intent_data
from nettwin.formats.native.document import Document
from nettwin.formats.native.text import encodable, json_text, yaml_text
from nettwin.intent import Intent

__all__ = ["intent_data", "intent_document", "intent_from", "intent_schema", "read_intent"]
__all__ += ["write_intent"]

LARGEST_BYTES = 2**20


def intent_document(path: Path) -> Document:
    """The plain data of an intent file, and the line of everything in it. Raises FormatError."""
    return Document(path, read_text(path, LARGEST_BYTES))


def read_intent(path: str | Path) -> Intent:
    """The intent in a file. Raises FormatError with every issue of it."""
    return intent_from(intent_document(Path(path)))


def write_intent(intent: Intent, path: str | Path) -> None:
    """Write an intent as YAML, or as JSON where the name ends so. Raises InputError."""
    target, data = Path(path), intent_data(intent)
    text = json_text(data) if target.name.lower().endswith(".json") else yaml_text(data)
    write_text(target, encodable(text))
