"""nettwin lab: training labs.

group     list, and what the commands take     attempt   start, check, hint, debrief
exam      exams and their signed results       fair      test: whether a lab is fair
"""

from __future__ import annotations

from nettwin.interfaces.cli.lab import attempt, exam, fair
from nettwin.interfaces.cli.lab.group import group

__all__ = ["attempt", "exam", "fair", "group"]
