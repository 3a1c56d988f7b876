"""Rates: flows limited at their source, where they crowd what matters."""

from __future__ import annotations

from collections.abc import Iterator

from nettwin.optimize.levers.look import Look
from nettwin.optimize.problem import Changes
from nettwin.scenario.changes import RateLimit

LINKS, FLOWS = 3, 3


def rates(look: Look) -> Iterator[Changes]:
    """Flows on hot links limited to a smaller share of what they offer today."""
    lever = look.problem.intent.lever("rates")
    assert lever is not None
    allowed = look.problem.flows("rates")
    offered = look.problem.scenario.traffic.flow_rate_bps
    now = look.scenario.traffic.flow_rate_bps
    for link in look.hot_links(LINKS):
        together = []
        for flow in look.flows_on(link, allowed, FLOWS):
            least = lever.at_least * offered[flow]
            limit = max(0.8 * now[flow], least)
            if limit < now[flow]:
                together.append(RateLimit(look.scenario.flow_names[flow], float(limit)))
                yield (together[-1],)
        if len(together) > 1:
            yield tuple(together)
