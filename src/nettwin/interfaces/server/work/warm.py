"""Warm: what a process that does jobs loads and compiles before its first one."""

from __future__ import annotations

from nettwin.interfaces import documents, wiring
from nettwin.scenario.changes import parse_change
from nettwin.scenario.generate import generate

ENGINES = ("theory", "twin")


def warm() -> None:
    """Ask the quick engines about a small network, before and after a failure."""
    small = generate("ring", nodes=4, classes="three", scheduler="wfq")
    failed = parse_change(f"fail_link {small.topology.link_name[0]}").apply(small)
    for name in ENGINES:
        if name in wiring.ENGINES:
            for scenario in (small, failed):
                documents.answer(scenario, wiring.engine(name).predict([scenario])[0])
