"""changing_links: predictions interval by interval while links come and go."""

from __future__ import annotations

import argparse

import numpy as np
from numpy.typing import NDArray

from benchmarks.benchmark import Figure, Options, Outcome, say
from benchmarks.judging import COVERED
from nettwin.engines.learned.catalog import load
from nettwin.engines.learned.engine import Learned
from nettwin.engines.packet import Event, PacketSimulator
from nettwin.interfaces.wiring import engine
from nettwin.metrics import Interval
from nettwin.scenario.generate import generate
from nettwin.scenario.scenario import Scenario

TITLE = "Links that come and go every second: each second predicted, against simulation"
PROTOCOL = (
    "After the paper's vehicular example: a mobile network whose links change all the time. "
    "Gabriel graphs of 12 nodes, three classes under WFQ, 50 Mbit/s, the busiest link offered 0.7"
    " of its capacity; each second of a minute one to three other links (never such that the "
    "network falls apart) are down. One simulation runs over the whole minute, packets of the "
    "second before among those of the next; the twin predicts each second from the network as it "
    "is then. Judged are flows of which 100 packets or more arrived in that second, by their mean"
    " delay: relative error, its mean over seconds; the noise is what as many independent packets"
    " would have. Stale: the same error of a prediction of the intact network."
)
SEED, RUNS, SECONDS = 731_223, 3, 60
MIN_PACKETS = 100
CONFIDENCE = 0.9
Floats = NDArray[np.float64]


def arguments(parser: argparse.ArgumentParser) -> None:
    """The model."""
    parser.add_argument("--model", default="gnn", help="a model's name or file (default gnn)")


def run(options: Options) -> Outcome:
    """Measure; `--limit` is the number of minutes."""
    learned, theory = Learned(load(options.extra["model"]), CONFIDENCE), engine("theory")
    errors: dict[str, list[float]] = {"gnn": [], "theory": [], "stale": [], "noise": []}
    held: list[float] = []
    flows = 0
    for number in range(min(RUNS, options.limit or RUNS)):
        say(f"minute {number + 1} ...")
        intact, intervals = minute(number)
        stale = learned.predict([intact])[0].flow["owd_mean_s"]
        networks = [interval.scenario for interval in intervals]
        told, beside = learned.predict(networks), theory.predict(networks)
        for interval, one, other in zip(intervals, told, beside, strict=True):
            mean, good, noise = recorded(interval)
            if not good.any():
                continue
            flows += int(good.sum())
            for name, said in (
                ("gnn", one.flow["owd_mean_s"]),
                ("theory", other.flow["owd_mean_s"]),
                ("stale", stale),
            ):
                errors[name].append(float(np.nanmean(np.abs(said / mean - 1)[good])))
            errors["noise"].append(float(noise[good].mean()))
            if COVERED["mean"] in one.flow.low:
                low, high = (bounds["owd_mean_s"] for bounds in (one.flow.low, one.flow.high))
                held.append(float(((mean >= low) & (mean <= high))[good].mean()))
    figures = [
        Figure(f"{name}: error", float(np.mean(each)) if each else float("nan"))
        for name, each in errors.items()
    ]
    figures.append(Figure("coverage mean", float(np.mean(held)) if held else float("nan")))
    return Outcome(tuple(figures), (f"{len(errors['gnn'])} seconds, {flows} mean delays.",))


def minute(number: int) -> tuple[Scenario, tuple[Interval, ...]]:
    """The network with all its links, and what was simulated of each second."""
    intact = generate(
        "gabriel",
        nodes=12,
        seed=SEED + number,
        load=0.7,
        classes="three",
        scheduler="wfq",
        capacity_bps=5e7,
        buffer_packets=64,
    )
    random = np.random.default_rng([SEED, number])
    events = [Event(float(second), without(intact, random)) for second in range(SECONDS)]
    simulator = PacketSimulator(seed=SEED + number)
    done = simulator.run(intact, until_s=float(SECONDS), events=events, interval_s=1.0)
    return intact, done.intervals


def without(intact: Scenario, random: np.random.Generator) -> Scenario:
    """The network without one to three of its edges, in both directions, still in one piece."""
    topology = intact.topology
    pairs = np.sort(np.stack([topology.link_source, topology.link_target]), axis=0)
    edges = np.unique(pairs, axis=1)
    while True:
        chosen = random.choice(edges.shape[1], int(random.integers(1, 4)), replace=False)
        up = np.ones(topology.link_count, np.bool_)
        for a, b in edges[:, chosen].T:
            up &= ~((pairs[0] == a) & (pairs[1] == b))
        changed = intact.with_(topology=topology.with_arrays(link_up=up))
        if not changed.paths.status.any():
            return changed


def recorded(interval: Interval) -> tuple[Floats, NDArray[np.bool_], Floats]:
    """Mean delays of a second, which of them are judged, and the mean size of the relative error
    that they have if packets are independent. [flows] each"""
    flow, traffic = interval.metrics.flow, interval.scenario.traffic
    mean = flow["owd_mean_s"]
    seconds = interval.end_s - interval.start_s
    packets = traffic.flow_packet_rate_pps * seconds * (1 - np.nan_to_num(flow["loss_ratio"]))
    good = np.isfinite(mean) & (packets >= MIN_PACKETS)
    with np.errstate(invalid="ignore", divide="ignore"):
        noise = np.sqrt(2 / np.pi) * np.sqrt(flow["pdv_s2"] / packets) / mean
    return mean, good, np.nan_to_num(noise)
