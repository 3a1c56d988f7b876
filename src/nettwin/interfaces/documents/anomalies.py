"""Anomalies: incidents of a time, as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nettwin import units
from nettwin.apps.anomalies import Watch
from nettwin.apps.anomalies.fabric import Found


def incidents(found: Watch) -> dict[str, Any]:
    """Incidents in their order, and what the watch knew of the time."""
    watched = found.watched
    return {
        "words": words(found),
        "from": units.moment(float(watched.times_s[0] - watched.interval_s)),
        "watched_from": units.moment(float(watched.times_s[found.usual] - watched.interval_s)),
        "until": units.moment(float(watched.times_s[-1])),
        "interval_s": watched.interval_s,
        "unsure": found.unsure,
        "watched": [
            {"kind": g.kind, "quantity": g.quantity, "elements": len(g.element), "threshold": limit}
            for g, limit in zip(watched.groups, found.alarms.thresholds, strict=True)
        ],
        "incidents": [
            {
                **one._asdict(),
                "begin": units.moment(one.begin_s),
                "end": units.moment(one.end_s),
                "odd": [odd._asdict() for odd in one.odd],
            }
            for one in found.troubles
        ],
    }


def words(found: Watch) -> list[str]:
    """The answer in plain words."""
    watched = found.watched
    span = units.duration(watched.interval_s * (len(watched.times_s) - found.usual))
    said = [f"{len(found.troubles)} incidents in {span}."]
    if found.troubles:
        worst = max(found.troubles, key=lambda one: one.nats)
        said.append(
            f"The clearest, at {units.moment(worst.begin_s)}: {worst.words} ({worst.kind})."
        )
    if found.unsure:
        said.append(found.unsure[0].upper() + found.unsure[1:] + ".")
    return said


def recorded(found: Sequence[Found]) -> dict[str, Any]:
    """What was seen in a recording of ports."""
    return {
        "incidents": [
            {
                "time": units.moment(one.time_s),
                "time_s": one.time_s,
                "kind": one.kind,
                "candidates": [c._asdict() for c in one.candidates],
            }
            for one in found
        ]
    }
