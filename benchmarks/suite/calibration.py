"""calibration: whether intervals hold what they say, how wide they are, and what is flagged."""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.benchmark import Figure, Options, Outcome, Skipped, at_least, at_most, say
from benchmarks.noise import independent_error
from nettwin.datasets.store import read_manifest, read_samples
from nettwin.engines.learned import coverage, intervals
from nettwin.engines.learned.answer import Answer
from nettwin.engines.learned.architecture import architecture
from nettwin.engines.learned.calibration import LARGE, LOADS
from nettwin.engines.learned.inputs import Inputs, inputs_of, solved
from nettwin.engines.learned.intervals import Bounds, Known
from nettwin.engines.learned.model_file import Model, read_model
from nettwin.engines.learned.recorded import recorded
from nettwin.engines.learned.training.examples import parts_on_card, tests
from nettwin.formats import read_all
from nettwin.metrics import Metrics
from nettwin.scenario.scenario import Scenario

TITLE = "Intervals of the learned models: coverage, width, flagged errors"
PROTOCOL = (
    "Intervals of 90 % against what was recorded, on simulations that no model was trained on or "
    "calibrated with: the test samples (as its card says) of a data set of our own (`--own`), and "
    "the simulations of a datanet folder (`--data`). Coverage and width are means over "
    "simulations, each weighing alike, of the means over a simulation's flows. Width of delays: "
    "half the interval, as a percentage of its middle (on the scale of logarithms); of loss: the "
    "whole interval, in points. Load class: the highest effective load of the queues on the path. "
    "Methods: `gnn`, ensemble and conformal intervals; `laplace`, the scale that its networks give "
    "themselves, taken at its word; `spread`, 1.645 standard deviations of its networks; "
    "`bayesian`, 1.645 standard deviations of the networks drawn from a posterior (Bayes by "
    "backprop), alone and with the scale that they give; and the same under conformal intervals. "
    "`gnn, recording noise` widens the interval by the standard error that the recording would "
    "have if its packets were independent, the least it can have: an interval is for a simulation "
    "as long as those of the calibration. Loss is judged where 0.1 % or more is predicted: "
    "elsewhere nearly every flow loses nothing, which every interval holds. A flow is flagged if "
    "its interval is wider than the threshold of the calibration, or if it meets what is out of "
    "the training's range."
)
CONFIDENCE = 0.9
WITHIN = 2.0  # points around the confidence
Z = 1.645  # standard deviations of a normal variable that hold 90 %
JUDGED_LOSS = 1e-3
SIZES = (20, 40, 60)
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Case = tuple[Scenario, Metrics]
Intervals = dict[str, Bounds]
QUANTITIES = {"owd_mean_s": "mean delay", "owd_p90_s": "p90", "loss_ratio": "loss"}


def arguments(parser: argparse.ArgumentParser) -> None:
    """Which models, and our own data set."""
    parser.add_argument("--own", type=Path, metavar="DIR", help="a data set of our own")
    parser.add_argument("--model", default="gnn", help="a calibrated model's name or file")
    parser.add_argument(
        "--bayesian", type=Path, metavar="FILE", help="a model of the architecture bayesian"
    )


@dataclass(frozen=True)
class Method:
    """A way to say how sure a prediction is."""

    name: str
    model: Model
    intervals: Callable[[Model, Known, Answer], Intervals]


class Tally:
    """Shares of simulations, gathered by name."""

    def __init__(self) -> None:
        self.values: dict[str, list[float]] = defaultdict(list)

    def add(self, name: str, values: NDArray[np.generic], mask: Bools) -> None:
        """The mean over some flows of a simulation; nothing where there are none."""
        if mask.any():
            self.values[name].append(float(values[mask].mean()))

    def mean(self, name: str) -> float:
        """The mean over simulations; NaN where there are none."""
        return float(np.mean(self.values[name])) if self.values[name] else float("nan")


def run(options: Options) -> Outcome:
    """Measure; `--limit` is the number of simulations of each kind of data."""
    extra = options.extra
    if extra.get("own") is None and options.data is None:
        raise Skipped("give a data set with --own, a datanet folder with --data, or both")
    model = _model(extra["model"])
    if not model.calibration:
        raise Skipped(f"model {model.name} is not calibrated; train it with nettwin train")
    methods = methods_of(model, extra.get("bayesian"))
    figures: list[Figure] = []
    remarks = [f"Model {model.name}, {len(model.members)} networks."]
    for name, cases in _data(options, model).items():
        tally, flags, count = Tally(), np.zeros(5), 0
        for count, (scenario, metrics) in enumerate(islice(cases, options.limit), start=1):
            flags += _one(methods, scenario, metrics, tally)
            if count % 20 == 0:
                covered = tally.mean(f"{methods[0].name}, mean delay")
                say(f"{name}: {count} simulations, {covered:.1%} of mean delays held")
        if count == 0:
            raise Skipped(f"{name} holds no recorded simulation")
        figures += [*_coverages(name, tally), *_flagged(name, flags)]
        remarks.append(f"{name}: {count} simulations.")
    return Outcome(tuple(figures), tuple(remarks))


def methods_of(model: Model, bayesian: Path | None) -> list[Method]:
    """The calibrated model first, then what it is held against."""
    methods = [
        Method("gnn", model, _conformal),
        Method("laplace", model, _laplace),
        Method("spread", model, _spread),
    ]
    if bayesian is not None:
        drawn = read_model(bayesian)
        methods += [
            Method("bayesian", drawn, _spread),
            Method("bayesian and scale", drawn, _spread_and_scale),
        ]
        if drawn.calibration:
            methods.append(Method("bayesian, conformal", drawn, _conformal))
    return methods


def _model(name: str) -> Model:
    from nettwin.engines.learned import catalog

    return catalog.load(name)


def _data(options: Options, model: Model) -> dict[str, Iterator[Case]]:
    found: dict[str, Iterator[Case]] = {}
    own = options.extra.get("own")
    if own is not None:
        parts = parts_on_card(model.card, str(read_manifest(own).recipe.get("name", own.name)))
        found["own"] = ((s.scenario, s.metrics) for s in read_samples(own) if tests(s, parts))
    if options.data is not None:
        name = "/".join(options.data.resolve().parts[-2:]).removeprefix("data/")
        found[name] = (
            (r.scenario, r.metrics) for r in read_all(options.data) if r.metrics is not None
        )
    return found


def _one(methods: list[Method], scenario: Scenario, metrics: Metrics, tally: Tally) -> Floats:
    """One simulation, into the tally; gives what `_flagged` counts."""
    inputs, truth = (
        inputs_of(scenario, solved(scenario, formulas=methods[0].model.formulas)),
        recorded(metrics),
    )
    answers: dict[int, tuple[Answer, Known]] = {}
    groups = _groups(scenario, inputs)
    counts = np.zeros(5)
    for method in methods:
        if id(method.model) not in answers:
            answer = architecture(method.model.architecture).answer(inputs, method.model.members)
            answers[id(method.model)] = answer, intervals.known(inputs, answer)
        answer, known = answers[id(method.model)]
        found = method.intervals(method.model, known, answer)
        _tally(tally, method.name, found, known, truth, groups)
        if method is methods[0]:
            noisy = _with_noise(found, scenario, metrics)
            _tally(tally, "gnn, recording noise", noisy, known, truth, groups)
            counts = _flags(method.model, inputs, found, known, truth)
    return counts


def _groups(scenario: Scenario, inputs: Inputs) -> dict[str, Bools]:
    """Flows by load class and, all of them, by the size of the network. [flows] each"""
    kind = np.searchsorted(LOADS, intervals.highest_load(inputs), side="right")
    ends = ("0", *(f"{load:g}" for load in LOADS), "inf")
    groups = {
        f", load {ends[k]} to {ends[k + 1]}": np.asarray(kind == k) for k in range(len(LOADS) + 1)
    }
    nodes = scenario.topology.node_count
    size = next((f"up to {n}" for n in SIZES if nodes <= n), f"{nodes}")
    every = np.ones(len(inputs.flow), np.bool_)
    return {"": every, **groups, f", {size} nodes": every}


def _tally(
    tally: Tally,
    method: str,
    found: Intervals,
    known: Known,
    truth: dict[str, Floats],
    groups: dict[str, Bools],
) -> None:
    for quantity, label in QUANTITIES.items():
        if quantity not in found:
            continue
        (low, high), value = found[quantity], truth[quantity]
        good = np.isfinite(value) & np.isfinite(low)
        with np.errstate(invalid="ignore", divide="ignore"):
            held = (value >= low) & (value <= high)
            if quantity == "loss_ratio":
                width = high - low
            else:
                width = np.expm1(np.log(high / low) / 2)
        for group, mask in groups.items():
            name = f"{method}, {label}{group}"
            tally.add(name, held, good & mask)
            tally.add(f"{name}: width", width, good & mask)
        if quantity == "loss_ratio":
            judged = good & (known.predicted[quantity] >= JUDGED_LOSS)
            tally.add(f"{method}, loss where predicted", held, judged)
            tally.add(f"{method}, loss where predicted: width", width, judged)


def _conformal(model: Model, known: Known, answer: Answer) -> Intervals:
    return intervals.bounds(model.calibration, known, CONFIDENCE)


def _laplace(model: Model, known: Known, answer: Answer) -> Intervals:
    return _around(answer, np.exp(answer.ln_scale) * -np.log(1 - CONFIDENCE))


def _spread(model: Model, known: Known, answer: Answer) -> Intervals:
    return _around(answer, Z * answer.spread)


def _spread_and_scale(model: Model, known: Known, answer: Answer) -> Intervals:
    variance = answer.spread**2 + 2 * np.exp(2 * answer.ln_scale)  # Laplace's is twice its scale's
    return _around(answer, Z * np.sqrt(variance))


def _around(answer: Answer, width: Floats) -> Intervals:
    """Only the mean delay: nothing else is said by these."""
    return {"owd_mean_s": Bounds(answer.mean_s * np.exp(-width), answer.mean_s * np.exp(width))}


def _with_noise(found: Intervals, scenario: Scenario, metrics: Metrics) -> Intervals:
    """The interval of the mean delay for a recording of so many independent packets."""
    error = independent_error(scenario, metrics)
    if "archive" not in metrics.provenance or np.isnan(error).all():
        return {}
    with np.errstate(invalid="ignore", divide="ignore"):
        low, high = found["owd_mean_s"]
        middle, half = np.sqrt(low * high), np.log(high / low) / 2
    half = np.hypot(half, Z * np.nan_to_num(error, posinf=0.0))
    return {"owd_mean_s": Bounds(middle * np.exp(-half), middle * np.exp(half))}


def _flags(
    model: Model, inputs: Inputs, found: Intervals, known: Known, truth: dict[str, Floats]
) -> Floats:
    """Flows, flagged, out of range; large errors, flagged."""
    outside = coverage.flows_beyond(model.ranges, inputs) > coverage.JUST_BEYOND
    flagged = outside | intervals.flagged(model.calibration, found)
    with np.errstate(invalid="ignore"):
        error = np.abs(known.predicted["owd_mean_s"] / truth["owd_mean_s"] - 1)
    good, large = np.isfinite(error), error > LARGE
    masks = (good, good & flagged, good & outside, large, large & flagged)
    return np.array([mask.sum() for mask in masks], np.float64)


def _coverages(data: str, tally: Tally) -> list[Figure]:
    judged = {f"gnn, {label}" for label in ("mean delay", "p90", "loss where predicted")}
    figures = []
    for name in sorted(n for n in tally.values if not n.endswith(": width")):
        value = tally.mean(name) * 100
        label = f"{data}: {name}: coverage"
        figures.append(within(label, value) if name in judged else Figure(label, value, "%"))
        unit = "points" if ", loss" in name else "%"
        figures.append(Figure(f"{data}: {name}: width", tally.mean(f"{name}: width") * 100, unit))
    return figures


def within(name: str, value: float) -> Figure:
    """A coverage that should be that of the confidence."""
    target = CONFIDENCE * 100
    met = bool(abs(value - target) <= WITHIN)
    return Figure(name, value, "%", target, met, f"within {WITHIN:g} of")


def _flagged(data: str, counts: Floats) -> list[Figure]:
    flows, flagged, outside, large, caught = counts
    figures = [
        at_most(f"{data}: flows flagged", _percent(flagged, flows), 15.0, "%"),
        Figure(f"{data}: flows out of range", _percent(outside, flows), "%"),
        Figure(f"{data}: errors over 20 %", _percent(large, flows), "%"),
    ]
    name = f"{data}: errors over 20 % that are flagged"
    if not large:
        return [*figures, Figure(name, float("nan"), "%")]
    return [*figures, at_least(name, _percent(caught, large), 95.0, "%")]


def _percent(part: float, whole: float) -> float:
    return float(part / whole * 100) if whole else float("nan")
