"""Quality: how old the data is, what the history takes, and what of it is damaged or cannot be."""

from __future__ import annotations

import time
from typing import Any

from nettwin.apps.loop.checks import contradictions
from nettwin.interfaces.server.desk import Desk
from nettwin.repository.maintenance import describe

TABLE = ("table", "days", "files", "bytes")


def quality_of(desk: Desk) -> dict[str, Any]:
    """The quality of a workspace's data, as plain JSON types."""
    store = desk.workspace.repository.store
    moment = desk.live.moment if desk.live is not None else None
    return {
        "age_s": None if moment is None else time.time() - moment.at_s,
        "tables": [dict(zip(TABLE, row, strict=True)) for row in describe(store)],
        "issues": store.damaged(),
        "contradictions": [] if moment is None else contradictions(moment.seen),
        "trouble": desk.live.trouble if desk.live is not None else "",
    }
