"""nettwin capacity: how traffic grows, when the network runs out, and the cheapest upgrades.

group      the group, and what its commands take     forecast   traffic ahead, and its growth
runout     when links and intents run out            upgrade    what to buy, and when
report     all of it as one document
"""

from __future__ import annotations

from nettwin.interfaces.cli.capacity import forecast, report, runout, upgrade
from nettwin.interfaces.cli.capacity.group import group

__all__ = ["forecast", "group", "report", "runout", "upgrade"]
