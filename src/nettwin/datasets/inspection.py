"""Inspection: what a data set holds, and the noise of its labels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nettwin.datasets.store import Manifest, Sample, read_manifest, read_samples


@dataclass(frozen=True)
class Contents:
    """The facts of a data set; ranges are (least, most), `noise` see `label_noise`."""

    recipe: str
    samples: int
    of: int | None  # None while a conversion is under way
    nodes: tuple[int, int]
    flows: int
    policies: dict[str, int]
    arrivals: dict[str, int]
    impairments: dict[str, int]
    seconds_twice: int
    noise: float

    def as_dict(self) -> dict[str, Any]:
        """As plain JSON types."""
        return asdict(self)

    def rows(self) -> list[tuple[str, str]]:
        """As lines for people."""

        def listed(counts: dict[str, int]) -> str:
            return ", ".join(f"{name} {n:,}" for name, n in sorted(counts.items()))

        noise = f"{self.noise:.2%}" if np.isfinite(self.noise) else "not known"
        return [
            ("recipe", self.recipe),
            ("samples", f"{self.samples} of {'more' if self.of is None else self.of}"),
            ("nodes", f"{self.nodes[0]} to {self.nodes[1]}"),
            ("flows", f"{self.flows:,}"),
            ("ports, by policy", listed(self.policies)),
            ("flows, by arrivals", listed(self.arrivals)),
            ("what went wrong", listed(self.impairments)),
            ("simulated twice", str(self.seconds_twice)),
            ("noise of mean delays", noise),
        ]


def inspect_dataset(folder: Path, progress: Callable[[float], None] | None = None) -> Contents:
    """Read a data set whole, checksums verified. Raises FormatError where it is damaged."""
    manifest = read_manifest(folder)
    policies: Counter[str] = Counter()
    arrivals: Counter[str] = Counter()
    impairments: Counter[str] = Counter()
    nodes: list[int] = []
    noise: list[float] = []
    flows = twice = 0
    count = len(manifest.samples)
    for done, sample in enumerate(read_samples(folder), 1):
        topology, traffic = sample.scenario.topology, sample.scenario.traffic
        nodes.append(topology.node_count)
        flows += traffic.flow_count
        policies.update(topology.policy_of(k) for k in range(topology.link_count))
        used = np.bincount(traffic.flow_arrival, minlength=len(traffic.arrivals))
        for arrival, n in zip(traffic.arrivals, used.tolist(), strict=True):
            arrivals[arrival.kind] += n
        impairments[sample.scenario.notes.get("impairment", "none")] += 1
        if sample.second is not None:
            twice += 1
            noise.append(label_noise(sample))
        if progress:
            progress(done / count)
    known = [x for x in noise if np.isfinite(x)]
    return Contents(
        str(manifest.recipe.get("name", "")),
        count,
        _wanted(manifest),
        (min(nodes, default=0), max(nodes, default=0)),
        flows,
        dict(policies),
        dict(arrivals),
        dict(impairments),
        twice,
        float(np.mean(known)) if known else float("nan"),
    )


def _wanted(manifest: Manifest) -> int | None:
    """How many samples there shall be; a conversion knows when it is done."""
    wanted = manifest.recipe.get("samples", None if manifest.recorded else len(manifest.samples))
    return None if wanted is None else int(wanted)


def label_noise(sample: Sample) -> float:
    """The mean relative error that a perfect model would show on a sample's mean delays.

    Two runs with different seeds differ by sqrt(2) times the error of one; over flows, the mean
    absolute difference of the two divided by sqrt(2) estimates that of one against the truth.
    """
    assert sample.second is not None
    one, two = sample.metrics.flow["owd_mean_s"], sample.second.flow["owd_mean_s"]
    known = np.isfinite(one) & np.isfinite(two)
    if not known.any():
        return float("nan")
    middle = (one + two)[known] / 2
    return float(np.mean(np.abs(one - two)[known] / middle) / np.sqrt(2))
