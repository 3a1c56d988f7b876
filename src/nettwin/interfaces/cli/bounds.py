"""nettwin bounds: delays that no delivered packet exceeds, by network calculus."""

from __future__ import annotations

import numpy as np

from nettwin.calculus import bounds as find_bounds
from nettwin.interfaces import documents
from nettwin.interfaces.cli import options as o
from nettwin.interfaces.cli.groups import grouped
from nettwin.interfaces.cli.output import Output
from nettwin.interfaces.cli.program import command
from nettwin.interfaces.cli.sources import Source
from nettwin.interfaces.tables import bounds as tables


@command("nettwin bounds network.yaml", "nettwin bounds network.yaml --top 20 --json")
@grouped
def bounds(
    network: o.NetworkArg,
    *,
    source: Source,
    top: o.TopOption = 10,
    json: o.JsonOption = False,
    strict: o.StrictOption = False,
) -> None:
    """Show the worst-case delay of each flow and queue, which no delivered packet exceeds, by
    network calculus."""
    output = Output("bounds", json, strict)
    reading = source.read(network)
    notes = output.told(reading)
    scenario = reading.scenario
    found = find_bounds(scenario)
    without = int(np.count_nonzero(np.isinf(found.flow_s)))
    if without:
        words = (
            f"{without:,} of {len(found.flow_s):,} flows have no bound: no path, or overload,"
            " bursts or packets without limit where no buffer limits them (docs/theory.md)"
        )
        output.note("Warning", [words], "yellow")
        output.warnings.append(words)
        notes["warnings"] = [*notes["warnings"], words]
    output.document(
        {
            "network": documents.reading(reading, source.index, scenario),
            **notes,
            "flows": [
                {"flow": name, "delay_bound_s": value}
                for name, value in zip(scenario.flow_names, found.flow_s.tolist(), strict=True)
            ],
            "queues": [
                {"queue": name, "delay_bound_s": value, "rate_bps": rate}
                for name, value, rate in zip(
                    scenario.queue_names,
                    found.queue_s.tolist(),
                    found.queue_rate_bps.tolist(),
                    strict=True,
                )
            ],
        }
    )
    if not json:
        output.show(tables.flows(scenario, found, top), tables.queues(scenario, found, top))
    output.finish()
