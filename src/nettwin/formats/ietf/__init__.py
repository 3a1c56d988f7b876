"""RFC 8345 networks as JSON (RFC 7951), with L3 unicast (RFC 8346) and TE (RFC 8795) attributes.

What those models have no place for stands in nodes of a module of our own, `nettwin`: schedulers,
traffic, routing, and numbers that the standard leaves would round.

tree        JSON as parts that know their place        reading  networks to drafts
attributes  numbers and states of nodes and links      traffic  flows and their paths
writing     a scenario as a network
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

from nettwin.formats.files import write_text
from nettwin.formats.format import Format, ImportDefaults, Reading
from nettwin.formats.ietf.reading import drafts
from nettwin.formats.ietf.tree import load
from nettwin.formats.ietf.writing import document
from nettwin.scenario.scenario import Scenario

__all__ = ["IetfNetwork"]

_KEY = re.compile(rb'"ietf-network:networks?"\s*:')


class IetfNetwork(Format):
    """JSON of the YANG module ietf-network, as controllers give it."""

    name = "ietf-network"
    title = "RFC 8345 network JSON"
    suffixes = (".ietf.json",)
    writes = True

    def detects(self, path: Path, head: bytes) -> bool:
        begin = head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
        return begin == b"{" and bool(_KEY.search(head))

    def read(self, path: Path, assume: ImportDefaults) -> Iterator[Reading]:
        for partial in drafts(load(path)):
            yield partial.reading(assume)

    def write(self, scenario: Scenario, path: Path) -> None:
        write_text(path, json.dumps(document(scenario), indent=1, ensure_ascii=False) + "\n")
