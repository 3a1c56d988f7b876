"""nettwin history: what was seen and done in a workspace; and what the twin says of it.

shown      the group itself: what was seen and done      predict     the past through the twin
"""

from __future__ import annotations

from nettwin.interfaces.cli.history import predict, shown
from nettwin.interfaces.cli.history.shown import group

__all__ = ["group", "predict", "shown"]
