"""Training labs: a network with a hidden fault, goals, hints, a score, and a debriefing.

lab        what a lab is                     reader        the same as a YAML file
practice   how a lab's network behaves       grading       goals, time, collateral damage
session    one attempt at a lab, on disk     certificate   results that nobody can change
trial      whether a lab is fair             words         story and debriefing in words
catalog/   the labs that nettwin brings
"""

from __future__ import annotations

from nettwin.apps.labs.lab import Lab, Variant, Wrong
from nettwin.apps.labs.reader import CATALOG, find_lab, lab_names, read_lab

__all__ = ["CATALOG", "Lab", "Variant", "Wrong", "find_lab", "lab_names", "read_lab"]
