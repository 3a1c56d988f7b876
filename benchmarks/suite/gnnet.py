"""gnnet: an engine against recorded OMNeT++ simulations (any datanet folder)."""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise

import numpy as np
from numpy.typing import NDArray

from benchmarks.benchmark import Figure, Options, Outcome, Skipped, at_most, say
from benchmarks.noise import MEAN_OF_NORMAL, independent_error, recorded_s
from nettwin.formats.format import Reading
from nettwin.interfaces.wiring import ENGINES, engine
from nettwin.metrics import Metrics, Table
from nettwin.model import NetworkModel
from nettwin.scenario.scenario import Scenario

TITLE = "Engines against recorded OMNeT++ simulations"
PROTOCOL = (
    "Every simulation of a datanet folder is read, predicted from its own description and "
    "compared flow by flow. MAPE: mean absolute percentage error of the mean delay over a "
    "simulation's flows; then the mean and the median over simulations. R2 is pooled over all "
    "flows. Flows that lost everything, or nearly (99 %), are starved: no delay is compared, "
    "they are counted. Flows whose recorded 90th percentile is the largest delay that the "
    "recording simulator keeps (20 s) are censored and left out of delays likewise. A flow "
    "counts for a policy when a port of that policy is on its path. Load class: the highest "
    "utilization on its path. Occupancy: mean waiting bits of queues with at least 5 % "
    "utilization, as a share of what is recorded, weighted by it. Noise floor: what a perfect "
    "model would show, because the recorded simulations are finite: for each flow sqrt(2/pi) "
    "times the standard error of the recorded mean. With the packet engine, that is the error of "
    "our own run (batch means) scaled by the square root of the ratio of simulated times; "
    "`expected` adds our own run's error in quadrature. With the others it is a lower bound, from "
    "the recording alone: sqrt(recorded variance / packets that arrived) / mean, as if packets "
    "were independent; those that wait in one queue are alike, so that the floor is higher. "
    "What the recording simulator does in its "
    "own way (gaps of on-off sources, quanta, what a buffer counts, its WFQ) was found on the "
    "public recordings themselves, those of gnnet2022 with 50 nodes and of gnnet2020 above all. "
    "The learned models were never trained on them, but their features, loss and mixture of data "
    "were chosen with errors on parts of them in view (docs/learned.md)."
)
CENSORED_S = 20.0
STARVED = 0.99
LOADS = (0.0, 0.5, 0.7, 0.85, 1.0, np.inf)
POLICIES = ("fifo", "sp", "wfq", "lsf", "drr")  # the recorded WFQ is read as lsf
MIN_UTILIZATION = 0.05
FLOOR = "noise floor, lower bound (packets as if independent)"
T_95 = 2.0  # about Student's t of the batch means' 95 % intervals


def arguments(parser: argparse.ArgumentParser) -> None:
    """Which engine, and how long the packet engine simulates."""
    parser.add_argument("--engine", choices=tuple(ENGINES), default="theory")
    parser.add_argument("--model", help="a model's name or file (learned engines)")
    parser.add_argument("--target", type=float, help="the mean error asked, in percent")
    parser.add_argument("--jobs", type=int, default=2, help="processes (packet engine)")
    parser.add_argument("--packets", type=float, default=8e6, help="packet budget a simulation")
    parser.add_argument("--precision", type=float, default=0.005, help="relative precision asked")


@dataclass(frozen=True)
class Compared:
    """One simulation, recorded and predicted; arrays are [flows]."""

    nodes: int
    recorded: Table
    predicted: Table
    good: NDArray[np.bool_]  # delays can be compared
    starved: int
    censored: int
    arrival: NDArray[np.str_]
    policies: NDArray[np.bool_]  # [flows, policies]
    load: NDArray[np.float64]
    noise: dict[str, NDArray[np.float64]]  # by label: relative error of a perfect model
    occupancy: tuple[float, float]  # sum of |difference|, sum of recorded
    seconds: float

    @property
    def error(self) -> NDArray[np.float64]:
        """Relative error of the mean delay; NaN where it cannot be compared."""
        with np.errstate(invalid="ignore", divide="ignore"):
            ratio = self.predicted["owd_mean_s"] / self.recorded["owd_mean_s"] - 1
        return np.where(self.good, ratio, np.nan)

    @property
    def mape(self) -> float:
        """The mean size of that error, in percent; NaN where nothing can be compared."""
        return _mape(self.error)


def run(options: Options) -> Outcome:
    """Measure; `--limit` is the number of simulations."""
    if options.data is None:
        raise Skipped("give a datanet folder with --data")
    from nettwin.formats import read_all

    model = _engine(options)
    readings = (r for r in read_all(options.data) if r.metrics is not None)
    compared: list[Compared] = []
    size = 2 * int(options.extra.get("jobs", 1)) if options.extra["engine"] == "packet" else 1
    for some in _batches(islice(readings, options.limit), size):
        begin = time.perf_counter()
        answers = model.predict([reading.scenario for reading in some])
        seconds = (time.perf_counter() - begin) / len(some)
        compared += [compare(r, m, seconds) for r, m in zip(some, answers, strict=True)]
        last = compared[-1]
        say(
            f"{len(compared)} simulations, the last of {last.nodes} nodes: "
            f"{last.mape:.2f} % in {seconds:.2f} s"
        )
    if not compared:
        raise Skipped(f"{options.data} holds no recorded simulation")
    figures = figures_of(compared, options.extra.get("target"))
    return Outcome(tuple(figures), _remarks(compared, options))


def _engine(options: Options) -> NetworkModel:
    extra = options.extra
    if extra["engine"] == "packet":
        return engine(
            "packet",
            precision=extra["precision"],
            max_packets=int(extra["packets"]),
            jobs=extra["jobs"],
        )
    return engine(extra["engine"], **({"model": extra["model"]} if extra.get("model") else {}))


def _batches(readings: Iterator[Reading], size: int) -> Iterator[list[Reading]]:
    while some := list(islice(readings, size)):
        yield some


def compare(reading: Reading, predicted: Metrics, seconds: float) -> Compared:
    """Line a prediction up with what was recorded."""
    assert reading.metrics is not None
    scenario, recorded = reading.scenario, reading.metrics.flow
    with np.errstate(invalid="ignore"):
        known = (recorded["owd_mean_s"] > 0) & np.isfinite(predicted.flow["owd_mean_s"])
        starved = recorded["loss_ratio"] >= STARVED
        censored = (
            recorded["owd_p90_s"] >= CENSORED_S * (1 - 1e-9)
            if "owd_p90_s" in recorded
            else np.zeros(len(known), np.bool_)
        )
    topology, paths, traffic = scenario.topology, scenario.paths, scenario.traffic
    policy = np.array([POLICIES.index(s.policy) for s in topology.schedulers])
    hop_policy = policy[topology.link_scheduler][paths.links]
    touched = np.zeros((traffic.flow_count, len(POLICIES)), np.bool_)
    touched[paths.hop_flow, hop_policy] = True
    load = np.zeros(traffic.flow_count)
    np.maximum.at(load, paths.hop_flow, scenario.link_offered_load[paths.links])
    kinds = np.array([arrival.kind for arrival in traffic.arrivals])
    return Compared(
        topology.node_count,
        recorded,
        predicted.flow,
        known & ~starved & ~censored,
        int(starved.sum()),
        int((censored & ~starved).sum()),
        kinds[traffic.flow_arrival],
        touched,
        load,
        _noise(scenario, reading.metrics, predicted),
        _occupancy(reading.metrics, predicted),
        seconds,
    )


def _noise(
    scenario: Scenario, recorded: Metrics, predicted: Metrics
) -> dict[str, NDArray[np.float64]]:
    """Relative error of a perfect model, as the recording is finite, by how it is known. [flows]"""
    flow = predicted.flow
    theirs, ours = recorded_s(recorded), predicted.provenance.get("simulated_s")
    if not theirs or not ours or "owd_mean_s" not in flow.low:
        return {FLOOR: MEAN_OF_NORMAL * independent_error(scenario, recorded)}
    half = (flow.high["owd_mean_s"] - flow.low["owd_mean_s"]) / 2
    error = MEAN_OF_NORMAL * half / T_95 / flow["owd_mean_s"]
    return {
        "noise floor": error * np.sqrt(ours / theirs),
        "expected with our own noise": error * np.sqrt(1 + ours / theirs),
    }


def _occupancy(recorded: Metrics, predicted: Metrics) -> tuple[float, float]:
    name = "occupancy_mean_bits"
    if name not in recorded.queue or name not in predicted.queue:
        return 0.0, 0.0
    theirs, ours = recorded.queue[name], predicted.queue[name]
    used = np.isfinite(theirs) & np.isfinite(ours)
    if "utilization" in recorded.queue:
        used &= recorded.queue["utilization"] >= MIN_UTILIZATION
    return float(np.abs(ours - theirs)[used].sum()), float(theirs[used].sum())


def figures_of(compared: Sequence[Compared], target: float | None = None) -> list[Figure]:
    """The figures of all simulations; the first is held against the target, in percent."""
    each = np.array([c.mape for c in compared])
    error = np.concatenate([c.error for c in compared])
    name, mean = "delay MAPE, mean of simulations", float(np.nanmean(each))
    figures = [
        Figure(name, mean, "%") if target is None else at_most(name, mean, target, "%"),
        Figure("delay MAPE, median of simulations", float(np.nanmedian(each)), "%"),
        Figure("delay MAPE, worst simulation", float(np.nanmax(each)), "%"),
        Figure("delay bias (mean signed error)", float(np.nanmean(error)) * 100, "%"),
        Figure("delay R2, pooled", _r2(compared)),
        Figure("loss, mean absolute difference", _column_difference(compared), "points"),
        Figure(
            "loss recorded, mean of flows",
            float(np.nanmean(_pooled(compared, "recorded", "loss_ratio"))) * 100,
            "%",
        ),
    ]
    for column, label in (("owd_p90_s", "p90 delay MAPE"), ("pdv_s2", "delay variance MAPE")):
        values = [_column_mape(c, column) for c in compared]
        if np.isfinite(values).any():
            figures.append(Figure(f"{label}, mean of simulations", float(np.nanmean(values)), "%"))
    off, whole = (sum(c.occupancy[k] for c in compared) for k in (0, 1))
    if whole:
        figures.append(Figure("queue occupancy, weighted error", off / whole * 100, "%"))
    for label in dict.fromkeys(label for c in compared for label in c.noise):
        noise = [
            _mape(np.where(c.good, c.noise[label], np.nan)) for c in compared if label in c.noise
        ]
        if np.isfinite(noise).any():
            figures.append(Figure(f"{label}, mean of simulations", float(np.nanmean(noise)), "%"))
    figures += _groups(compared, error)
    figures += [
        Figure("flows compared", float(np.isfinite(error).sum())),
        Figure("flows starved (loss over 99 %)", float(sum(c.starved for c in compared))),
        Figure("flows censored (p90 at 20 s)", float(sum(c.censored for c in compared))),
        Figure("wall time a simulation, mean", float(np.mean([c.seconds for c in compared])), "s"),
    ]
    return figures


def _groups(compared: Sequence[Compared], error: NDArray[np.float64]) -> list[Figure]:
    """The error of groups of flows, pooled."""
    policies = np.concatenate([c.policies for c in compared])
    arrival = np.concatenate([c.arrival for c in compared])
    load = np.concatenate([c.load for c in compared])
    nodes = np.concatenate([np.full(len(c.load), c.nodes) for c in compared])
    groups: list[tuple[str, NDArray[np.bool_]]] = []
    for k, policy in enumerate(POLICIES):
        others = np.delete(policies, k, axis=1).any(axis=1)
        groups.append((f"{policy} on the path", policies[:, k]))
        groups.append((f"{policy} alone", policies[:, k] & ~others))
    groups += [(f"arrivals {kind}", arrival == kind) for kind in np.unique(arrival).tolist()]
    groups += [(f"{n} nodes", nodes == n) for n in np.unique(nodes).tolist()]
    for low, high in pairwise(LOADS):
        groups.append((f"load {low:g} to {high:g}", (load >= low) & (load < high)))
    return [
        Figure(f"delay MAPE, {label}", _mape(error[group]), "%")
        for label, group in groups
        if np.isfinite(error[group]).any()
    ]


def _mape(error: NDArray[np.float64]) -> float:
    known = error[np.isfinite(error)]
    return float(np.abs(known).mean()) * 100 if known.size else float("nan")


def _column_mape(case: Compared, column: str) -> float:
    if column not in case.recorded or column not in case.predicted:
        return float("nan")
    with np.errstate(invalid="ignore", divide="ignore"):
        error = case.predicted[column] / case.recorded[column] - 1
        usable = case.good & (case.recorded[column] > 1e-5 * (column == "pdv_s2"))
    return _mape(np.where(usable, error, np.nan))


def _pooled(compared: Sequence[Compared], side: str, column: str) -> NDArray[np.float64]:
    return np.concatenate([getattr(c, side)[column] for c in compared])


def _column_difference(compared: Sequence[Compared]) -> float:
    ours = _pooled(compared, "predicted", "loss_ratio")
    return float(np.nanmean(np.abs(ours - _pooled(compared, "recorded", "loss_ratio")))) * 100


def _r2(compared: Sequence[Compared]) -> float:
    good = np.concatenate([c.good for c in compared])
    theirs = _pooled(compared, "recorded", "owd_mean_s")[good]
    ours = _pooled(compared, "predicted", "owd_mean_s")[good]
    spread = float(((theirs - theirs.mean()) ** 2).sum())
    return 1 - float(((ours - theirs) ** 2).sum()) / spread if spread else float("nan")


def _remarks(compared: Sequence[Compared], options: Options) -> tuple[str, ...]:
    remarks = [f"{len(compared)} simulations, engine {options.extra['engine']}."]
    if options.extra["engine"] == "packet":
        remarks.append(
            f"Each simulated until {options.extra['precision']:.1%} precision or "
            f"{options.extra['packets']:,.0f} packets."
        )
    cores, load = os.cpu_count() or 1, os.getloadavg()[0]
    if load > cores + 1:  # one more than this run itself may make
        remarks.append(
            f"Other work shared the machine (load {load:.1f} on {cores} cores): its times are"
            " longer than alone."
        )
    return tuple(remarks)
