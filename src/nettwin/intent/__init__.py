"""Intent: what an operator wants of a network, and whether it is so (RFC 9315).

measures    what can be asked about: one declaration a measure
selector    which flows, links or queues a line speaks of
intent      objectives, expectations, failures to survive, what to avoid, what may be changed
judgement   the answer to each line: met or not, the value, the margin, the worst element

Before anything is searched, an intent is checked against a network:

check           what each line selects     contradictions   what no configuration can meet
bounds          what the graph allows      survival         what failures make impossible
warnings        what is probably not meant diagnostics      how issues are reported
"""

from __future__ import annotations

from nettwin.intent.intent import (
    LEVER_OF,
    LEVERS,
    SURVIVABLE,
    Avoid,
    Expectation,
    Intent,
    Lever,
    Objective,
    Prices,
    Survive,
)
from nettwin.intent.judgement import Judgement, Line, State, judge
from nettwin.intent.measures import MEASURES, Measure
from nettwin.intent.selector import Selector

__all__ = [
    "LEVERS",
    "LEVER_OF",
    "MEASURES",
    "SURVIVABLE",
    "Avoid",
    "Expectation",
    "Intent",
    "Judgement",
    "Lever",
    "Line",
    "Measure",
    "Objective",
    "Prices",
    "Selector",
    "State",
    "Survive",
    "judge",
]
