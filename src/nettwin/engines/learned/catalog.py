"""Catalog: the models by name: those that nettwin ships, and those that were installed.

    nettwin/engines/learned/models/    index.json, NAME.safetensors ...   shipped, never written
    ~/.local/share/nettwin/models/     the same, installed by the user

An index holds the SHA-256 of each file. NETTWIN_MODELS names another place for installed models,
otherwise XDG_DATA_HOME is respected.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nettwin.engines.learned import trial
from nettwin.engines.learned.architecture import architecture
from nettwin.engines.learned.model_file import Model, model_from_bytes
from nettwin.errors import FormatError, InputError, NettwinError, UnknownNameError
from nettwin.formats.files import installed_in, read_bytes, read_text, write_bytes, write_text
from nettwin.formats.weight_file import SUFFIX

DEFAULT = "gnn"
PLACE = "NETTWIN_MODELS"  # environment variable
INDEX = "index.json"
SCHEMA = "nettwin-models-1"
LARGEST_MODEL_BYTES = 64 * 2**20
SHIPPED = Path(__file__).parent / "models"
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_AGAIN = "Install it again from a good copy, or train it."


@dataclass(frozen=True)
class Entry:
    """A model of the catalog: its file, the checksum in the index, and whose it is."""

    name: str
    path: Path
    sha256: str
    shipped: bool


@dataclass(frozen=True)
class Check:
    """One thing that was verified of a model; `issue` is empty where it is good."""

    what: str
    issue: str = ""


def installed_folder() -> Path:
    """Where models are installed."""
    return installed_in(PLACE, "models")


def entries() -> dict[str, Entry]:
    """Every model by name; a name that nettwin ships cannot be taken by another."""
    return _entries(installed_folder(), False) | _entries(SHIPPED, True)


def find(name: str) -> Entry:
    """The entry of a model. Raises UnknownNameError."""
    known = entries()
    if name not in known:
        raise UnknownNameError("model", name, known)
    return known[name]


def load(name: str = DEFAULT) -> Model:
    """A model by name, or by the path of its file, fit to answer.

    Raises UnknownNameError, and FormatError where the file is damaged, altered or of another
    version.
    """
    if is_path(name):
        path = Path(name)
        return _usable(model_from_bytes(_content(path), path), path)
    entry = find(name)
    content = _content(entry.path)
    if issue := _checksum_issue(content, entry.sha256):
        raise FormatError(entry.path, "", issue, _AGAIN)
    return _usable(model_from_bytes(content, entry.path), entry.path)


def is_path(name: str) -> bool:
    """Whether a model is named by its file."""
    return name.endswith(SUFFIX) or os.sep in name


def verify(name: str) -> list[Check]:
    """Check a model, by name or path: checksum, file, weights, answer. Stops at the first issue.

    Raises UnknownNameError, and FormatError where the file cannot be read at all.
    """
    entry = None if is_path(name) else find(name)
    path = Path(name) if entry is None else entry.path
    content = _content(path)
    found: list[Any] = []

    def parse() -> None:
        found.append(model_from_bytes(content, path))

    def compare() -> None:
        if entry and (issue := _checksum_issue(content, entry.sha256)):
            raise InputError(issue)

    steps: list[tuple[str, Callable[[], object]]] = [
        ("file, schema and features", parse),
        ("weights, by an answer", lambda: trial.trial(found[0])),
        ("answer, against its card", lambda: trial.against_card(found[0])),
    ]
    if entry is not None:
        steps.insert(0, ("checksum in the index", compare))
    checks: list[Check] = []
    for what, step in steps:
        try:
            step()
        except NettwinError as error:
            reason = error.reason if isinstance(error, FormatError) else str(error)
            return [*checks, Check(what, reason)]
        checks.append(Check(what))
    return checks


def install(path: Path) -> Entry:
    """Copy a model into the catalog, under the name on its card.

    Raises FormatError where it is not fit to answer, InputError where the name is taken.
    """
    content = _content(path)
    model = _usable(model_from_bytes(content, path), path)
    name = model.name
    if not _NAME.fullmatch(name):
        raise InputError(
            f"the model is named {name[:80]!r}: must be small letters, digits, `.`, `_` or `-`, at"
            " most 64. Train it under another name."
        )
    digest = hashlib.sha256(content).hexdigest()
    taken = entries().get(name)
    if taken is not None and taken.sha256 != digest:
        whose = "nettwin ships" if taken.shipped else "is installed already"
        remedy = "Give it another name." if taken.shipped else f"`nettwin models remove {name}`."
        raise InputError(f"a model {name} {whose}: names must differ. {remedy}")
    if taken is not None and taken.shipped:
        return taken
    folder = installed_folder()
    write_bytes(folder / f"{name}{SUFFIX}", content)
    write_index(folder, {**_index(folder), name: digest})
    return Entry(name, folder / f"{name}{SUFFIX}", digest, False)


def remove(name: str) -> Entry:
    """Take an installed model out of the catalog, and delete its file. Raises UnknownNameError."""
    entry = find(name)
    if entry.shipped:
        raise InputError(f"model {name} comes with nettwin: only installed ones can be removed.")
    folder = installed_folder()
    write_index(folder, {k: v for k, v in _index(folder).items() if k != name})
    entry.path.unlink(missing_ok=True)
    return entry


def write_index(folder: Path, sums: Mapping[str, str]) -> None:
    """Write the index of a folder of models: their SHA-256 by name."""
    content = {"schema": SCHEMA, "models": dict(sorted(sums.items()))}
    write_text(folder / INDEX, json.dumps(content, indent=1) + "\n")


def _entries(folder: Path, shipped: bool) -> dict[str, Entry]:
    return {
        name: Entry(name, folder / f"{name}{SUFFIX}", digest, shipped)
        for name, digest in _index(folder).items()
    }


def _index(folder: Path) -> dict[str, str]:
    path = folder / INDEX
    if not path.exists():
        return {}
    try:
        data = json.loads(read_text(path))
        if data["schema"] != SCHEMA:
            raise ValueError(f"schema is {data['schema']!r}: must be {SCHEMA}")
        sums = {str(name): str(digest) for name, digest in data["models"].items()}
        for name in sums:
            if not _NAME.fullmatch(name):
                raise ValueError(f"{name[:80]!r} is not a name of a model")
        return sums
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise FormatError(
            path,
            "",
            f"is not an index of models ({error})",
            "Remove the file, and install the models beside it again.",
        ) from None


def _content(path: Path) -> bytes:
    try:
        size = path.stat().st_size
    except OSError as error:
        raise FormatError(
            path, "", f"cannot be read: {error.strerror}", "Check the path, or install it again."
        ) from None
    if size > LARGEST_MODEL_BYTES:
        most = LARGEST_MODEL_BYTES >> 20
        raise FormatError(path, "", f"is larger than {most} MiB", "Give a model file.")
    return read_bytes(path)


def _checksum_issue(content: bytes, sha256: str) -> str:
    if hashlib.sha256(content).hexdigest() == sha256:
        return ""
    return "has another checksum than the index says: it is truncated or was altered"


def _usable(model: Model, path: Path) -> Model:
    try:
        architecture(model.architecture)
        trial.trial(model)
    except InputError as error:
        raise FormatError(path, "", str(error), _AGAIN) from None
    return model
