"""Networks: files that were uploaded, each read once and kept as nettwin's own file.

WORKSPACE/networks/ID/given/NAME     what was uploaded, until it was read
WORKSPACE/networks/ID/network.yaml   the network
WORKSPACE/networks/ID/about.json     its name, format, what was assumed and ignored
"""

from __future__ import annotations

import json
import re
import secrets
import shutil
from pathlib import Path
from typing import Any

from nettwin.errors import BusyError, FormatError, UnknownNameError
from nettwin.formats.files import read_text, write_bytes
from nettwin.interfaces.server.limits import Limits

ID = re.compile(r"n[0-9a-f]{12}")
_NAME = re.compile(r"[^A-Za-z0-9._-]+")


class Networks:
    """The uploaded networks of a workspace."""

    def __init__(self, folder: Path, limits: Limits) -> None:
        self.folder, self.limits = folder, limits

    def add(self, name: str, content: bytes) -> str:
        """Keep a file that is to be read; its id. Raises BusyError where there are too many."""
        if sum(1 for _ in self.folder.glob("n*")) >= self.limits.networks:
            raise BusyError(
                f"{self.limits.networks} networks are kept, and no more may. Remove some."
            )
        id = "n" + secrets.token_hex(6)
        write_bytes(self.folder / id / "given" / safe_name(name), content)
        return id

    def given(self, id: str) -> Path:
        """The file as it was uploaded. Raises UnknownNameError."""
        found = next((self._place(id) / "given").glob("*"), None)
        if found is None:
            raise UnknownNameError("upload", id, ())
        return found

    def file(self, id: str) -> Path:
        """The network file. Raises UnknownNameError where there is none."""
        path = self._place(id) / "network.yaml"
        if not path.exists():
            raise UnknownNameError("network", id, self.ids())
        return path

    def about(self, id: str) -> dict[str, Any]:
        """What is known of a network. Raises UnknownNameError, FormatError."""
        self.file(id)
        path = self._place(id) / "about.json"
        try:
            found: dict[str, Any] = json.loads(read_text(path))
        except ValueError:
            raise FormatError(path, "", "is no description", "Upload the network anew.") from None
        return {"id": id, **found}

    def ids(self) -> list[str]:
        """The ids of all that were read, the oldest first."""
        found = [p.parent for p in self.folder.glob("n*/about.json") if ID.fullmatch(p.parent.name)]
        return [p.name for p in sorted(found, key=lambda p: (p.stat().st_mtime, p.name))]

    def remove(self, id: str) -> None:
        """Remove one. Raises UnknownNameError where there is none."""
        place = self._place(id)
        if not place.exists():
            raise UnknownNameError("network", id, self.ids())
        shutil.rmtree(place)

    def _place(self, id: str) -> Path:
        if not ID.fullmatch(id):  # so that an id never leads out of the folder
            raise UnknownNameError("network", id, self.ids())
        return self.folder / id


def safe_name(name: str) -> str:
    """The last part of a name that somebody gave to a file, of plain characters."""
    last = name.replace("\\", "/").rpartition("/")[2]
    return _NAME.sub("_", last).strip("._")[:100] or "network"
