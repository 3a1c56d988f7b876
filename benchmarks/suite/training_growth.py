"""training_growth: what training costs as data and networks grow."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.benchmark import Figure, Options, Outcome, Skipped, at_most, cpu_seconds, say
from nettwin.datasets.generation import make_sample
from nettwin.datasets.recipe import Recipe, read_recipe, shipped_recipe
from nettwin.datasets.store import Sample
from nettwin.interfaces.wiring import labeler

TITLE = "Growth of what training costs: with the data, and with the networks' size"
PROTOCOL = (
    "After the paper's section V-C. Networks of the recipe `common` (synthetic topologies, all "
    "pairs of nodes), 20,000 packet-hops simulated for each pair, so that flows of all sizes are "
    "about as well known. With the data: 8 to 64 networks of 12 nodes; with the size: 8 networks "
    "each of 6 to 48 nodes. Processor time of one thread to generate (draw and simulate), to "
    "prepare (theory and features), and to train the gnn for one turn through the data with all "
    "flows. Exponent: the slope of a straight line through the logarithms of time and of the "
    "number of networks, or of flow-hops; 1 is linear. A first, small turn compiles."
)
COUNTS = (8, 16, 32, 64)
SIZES = (6, 12, 24, 48)
NODES, NETWORKS, SEED, HOPS_A_PAIR = 12, 8, 977_511, 20_000
NEAR_LINEAR = 1.15
SYNTHETIC = {"gabriel": 3, "geometric": 2, "waxman": 2, "barabasi-albert": 2}
STAGES = ("generate", "prepare", "train")


@dataclass(frozen=True)
class Drawn:
    """Samples as training takes them."""

    samples: tuple[Sample, ...]
    name: str = "growth"

    @property
    def digest(self) -> str:
        """Names the content."""
        return " ".join(sample.scenario.fingerprint() for sample in self.samples)

    def __len__(self) -> int:
        return len(self.samples)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.samples)


@dataclass(frozen=True)
class Cost:
    """Processor time of each stage, and what it was spent on."""

    networks: int
    nodes: int
    flow_hops: int
    seconds: dict[str, float]


def arguments(parser: argparse.ArgumentParser) -> None:
    """No options of its own."""


def run(options: Options) -> Outcome:
    """Measure; `--limit` is the number of steps of each growth."""
    try:
        import torch  # noqa: F401
    except ImportError:
        raise Skipped("needs the extra train: pip install 'nettwin[train]'") from None
    cost(2, SIZES[0])  # compiles
    data = [cost(count, NODES) for count in COUNTS[: options.limit]]
    size = [cost(NETWORKS, nodes) for nodes in SIZES[: options.limit]]
    figures: list[Figure] = []
    growths: tuple[tuple[str, list[Cost], Callable[[Cost], int]], ...] = (
        ("data", data, lambda c: c.networks),
        ("size", size, lambda c: c.flow_hops),
    )
    for name, costs, of in growths:
        amounts = [of(c) for c in costs]
        whole = exponent(amounts, [sum(c.seconds.values()) for c in costs])
        figures.append(at_most(f"{name}: exponent", whole, NEAR_LINEAR))
        for stage in STAGES:
            value = exponent(amounts, [c.seconds[stage] for c in costs])
            figures.append(Figure(f"{name}: exponent, {stage}", value))
        for c, amount in zip(costs, amounts, strict=True):
            label = f"{amount} networks" if name == "data" else f"{c.nodes} nodes"
            for stage in STAGES:
                figures.append(Figure(f"{name}: {label}, {stage}", c.seconds[stage], "s"))
    hops = ", ".join(f"{c.flow_hops} of {c.nodes} nodes" for c in size)
    return Outcome(tuple(figures), (f"Flow-hops of {NETWORKS} networks: {hops}.",))


def exponent(amounts: list[int], seconds: list[float]) -> float:
    """The slope of a line through the logarithms; NaN of one point."""
    if len(amounts) < 2:
        return float("nan")
    return float(np.polyfit(np.log(amounts), np.log(seconds), 1)[0])


def cost(networks: int, nodes: int) -> Cost:
    """What so many networks of so many nodes cost."""
    from nettwin.engines.learned.training.member import Training, train_member
    from nettwin.engines.learned.training.prepared import Prepared, prepare
    from nettwin.engines.learned.training.recipe import TrainingSchedule

    recipe = recipe_of(nodes)
    samples: list[Sample] = []
    items: list[Prepared] = []
    seconds = {
        "generate": cpu_seconds(
            lambda: samples.extend(make_sample(recipe, k, labeler) for k in range(networks))
        )
    }
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        seconds["prepare"] = cpu_seconds(
            lambda: items.extend(prepare(Drawn(tuple(samples)), home / "inputs"))
        )
        schedule = TrainingSchedule(steps=networks, seeds=(1,), flows=1_000_000)
        training = Training("gnn", {}, schedule, tuple(items))
        seconds["train"] = cpu_seconds(lambda: train_member(training, 1, home / "member"))
    hops = sum(
        int(np.diff(s.scenario.paths.link_offset).sum()) for s in samples
    )  # of all paths of all flows
    say(
        f"{networks} networks of {nodes} nodes: " + ", ".join(f"{seconds[s]:.1f} s" for s in STAGES)
    )
    return Cost(networks, nodes, hops, seconds)


def recipe_of(nodes: int) -> Recipe:
    """What networks of a size are drawn from."""
    common = read_recipe(shipped_recipe("common"))
    return replace(
        common,
        name="growth",
        seed=SEED + nodes,
        packet_hops=float(HOPS_A_PAIR * nodes**2),
        precision=0.0,  # all of it is simulated
        second_seeds=0.0,
        topology={"nodes": [nodes, nodes], "kinds": SYNTHETIC},
        impairments={"kinds": {"none": 1}},
    )
