"""Rates: flows limited at their source, where they crowd what matters."""

from __future__ import annotations

from collections.abc import Iterator

from nettwin.optimize.model_guided.levers.move_context import MoveContext
from nettwin.optimize.problem import Changes
from nettwin.scenario.changes import RateLimit

LINKS, FLOWS = 3, 3


def rates(context: MoveContext) -> Iterator[Changes]:
    """Flows on hot links limited to a smaller share of what they offer today."""
    lever = context.problem.intent.lever("rates")
    assert lever is not None
    allowed = context.problem.flows("rates")
    offered = context.problem.scenario.traffic.flow_rate_bps
    now = context.scenario.traffic.flow_rate_bps
    for link in context.hot_links(LINKS):
        together = []
        for flow in context.flows_on(link, allowed, FLOWS):
            least = lever.at_least * offered[flow]
            limit = max(0.8 * now[flow], least)
            if limit < now[flow]:
                together.append(RateLimit(context.scenario.flow_names[flow], float(limit)))
                yield (together[-1],)
        if len(together) > 1:
            yield tuple(together)
