"""Edges: the format `edges`, one line a link."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from nettwin import FormatError, ImportDefaults, InputError, Node, Reading, Scenario
from nettwin.extend import Format, PartialLink, PartialNetwork, read_text

HEAD = "# edges"


class Edges(Format):
    """A first line `# edges`, then `SOURCE TARGET GBIT_PER_S` for each link and the one back."""

    name = "edges"
    title = "links as lines"
    suffixes = (".edges",)

    def detects(self, path: Path, head: bytes) -> bool:
        """Whether it begins as it must."""
        return head.startswith(HEAD.encode())

    def read(self, path: Path, assume: ImportDefaults) -> Iterator[Reading]:
        """The one network of the file; what lines do not say is assumed."""
        first, *lines = read_text(path).splitlines() or [""]
        if first.strip() != HEAD:
            raise FormatError(path, "line 1", f"is not `{HEAD}`", "Begin the file with it.")
        draft = PartialNetwork(self.name, str(path), name=path.stem)
        for number, line in enumerate(lines, 2):
            words = line.split()
            if words:
                draft.links.append(self._link(path, number, words))
        names = [name for link in draft.links for name in (link.source, link.target)]
        draft.nodes = [Node(name) for name in dict.fromkeys(names)]
        if not names:
            raise FormatError(path, "line 2", "there is no link", "Add one.")
        yield draft.reading(assume)

    def write(self, scenario: Scenario, path: Path) -> None:
        """It only reads."""
        raise InputError(f"format {self.name} can only be read. Name another format.")

    def _link(self, path: Path, number: int, words: list[str]) -> PartialLink:
        if len(words) != 3:
            reason = f"has {len(words)} words"
            raise FormatError(path, f"line {number}", reason, "Give SOURCE TARGET GBIT_PER_S.")
        source, target, rate = words
        try:
            return PartialLink(source, target, capacity_bps=float(rate) * 1e9, duplex=True)
        except ValueError:
            reason = f"{rate} is not a number"
            raise FormatError(path, f"line {number}", reason, "Give Gbit/s.") from None
