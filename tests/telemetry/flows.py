"""Networks whose routers export flows, as goflow2 writes them, and the counters of their links."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from nettwin.formats import write
from nettwin.scenario.fractions import routing_fractions
from nettwin.scenario.generate import generate
from nettwin.scenario.scenario import Scenario

BEGIN_S, STEP_S, COUNT = 1_796_036_400, 300, 6
PER_PAIR = 12
Edit = Callable[[dict[str, Any]], "dict[str, Any] | list[dict[str, Any]]"]


class Exported(NamedTuple):
    scenario: Scenario
    demand_bps: np.ndarray  # [times, nodes, nodes]
    link_bps: np.ndarray  # [times, links]
    source: Path
    network: Path
    counters: Path


def exported(
    folder: Path,
    edit: Edit = lambda record: record,
    *,
    nodes: int = 5,
    capacity_bps: float = 10e9,
    exporters: str = "",
    told: str = "",
) -> Exported:
    """Flows of a ring; each record as `edit` changes it. `exporters` alone export (all by default),
    `told` are more lines of the source file."""
    scenario = generate("ring", nodes=nodes, capacity_bps=capacity_bps, load=0.5)
    names = scenario.topology.node_name
    draw = np.random.default_rng(1)
    base = scenario.traffic.matrix(nodes)
    demand = np.zeros((COUNT, nodes, nodes))
    lines = []
    for t, s, d in np.ndindex(demand.shape):
        if s == d:
            continue
        sizes = base[s, d] * STEP_S / 8 / PER_PAIR * draw.lognormal(0, 0.4, PER_PAIR)
        for k, size in enumerate(sizes.astype(int).tolist()):
            begin = BEGIN_S + t * STEP_S + draw.uniform(0, 0.9 * STEP_S)
            end = min(begin + draw.exponential(20), BEGIN_S + (t + 1) * STEP_S - 0.01)
            demand[t, s, d] += size * 8 / STEP_S
            if exporters and names[s] not in exporters.split():
                continue
            record = {
                "type": "IPFIX",
                "sampling_rate": 0,
                "sampler_address": f"10.255.0.{s + 1}",
                "time_received_ns": int((end + 15) * 1e9),
                "time_flow_start_ns": int(begin * 1e9),
                "time_flow_end_ns": int(end * 1e9),
                "bytes": size,
                "packets": max(size // 1000, 1),
                "src_addr": f"10.{s + 1}.0.{k}",
                "dst_addr": f"10.{d + 1}.0.{k % 7}",
                "proto": "TCP",
                "src_port": 1000 + k,
                "dst_port": 443,
                "in_if": 0,
                "out_if": 0,
            }
            made = edit(record)
            lines += [json.dumps(one) for one in (made if isinstance(made, list) else [made])]
    fractions = routing_fractions(scenario)
    link = np.array([fractions.link @ m[fractions.source, fractions.target] for m in demand])
    (folder / "flows.json").write_text("\n".join(lines) + "\n")
    header = ",".join(("time", *scenario.topology.link_name))
    rows = [
        f"{BEGIN_S + (t + 1) * STEP_S}," + ",".join(f"{v:.9g}" for v in link[t])
        for t in range(COUNT)
    ]
    (folder / "counters.csv").write_text("\n".join([header, *rows]) + "\n")
    prefixes = ", ".join(f"10.{k + 1}.0.0/16: {name}" for k, name in enumerate(names))
    devices = ", ".join(f"10.255.0.{k + 1}: {name}" for k, name in enumerate(names))
    (folder / "flows.yaml").write_text(
        f"source: goflow2\npath: flows.json\ninterval: {STEP_S}\nprefixes: {{{prefixes}}}\n"
        f"devices: {{{devices}}}\n{told}"
    )
    write(scenario, folder / "network.yaml")
    return Exported(
        scenario,
        demand,
        link,
        folder / "flows.yaml",
        folder / "network.yaml",
        folder / "counters.csv",
    )
