"""Resilience: every failure of a network, what it breaks, and the worst load of each link."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nettwin.apps.resilience.cases import Cases, Kind, fails
from nettwin.apps.resilience.loads import Loads, PartLoads, dead_links, part_loads, parts
from nettwin.apps.resilience.prediction import (
    ClassOutcome,
    Prediction,
    asked_after_failures,
    broken_lines,
    classes_of,
    lost_share,
    predictions,
)
from nettwin.apps.summary import mean_delay_s
from nettwin.errors import InputError
from nettwin.intent import Intent, State
from nettwin.intent.bounds import joined
from nettwin.metrics import Metrics
from nettwin.model import NetworkModel, by_one_engine
from nettwin.scenario.changes import Change, apply_all
from nettwin.scenario.scenario import Scenario

Progress = Callable[[float], None]  # called with the share done, 0 to 1
PREDICTED_PAIRS = 100  # pairs of links whose delays are predicted, the worst by their loads
CUT = 1e-9  # of the offered traffic, from which on traffic counts as cut off

LOG = logging.getLogger(__name__)


class Failure(NamedTuple):
    """One failure and what it does. What no model predicted is NaN or empty."""

    kind: Kind
    name: str
    changes: tuple[Change, ...]
    offered_load_max: float
    busiest_link: str
    overloaded_links: int
    cut_flows: int  # flows between nodes that are up, which the failure leaves without a path
    cut_bps: float
    own_bps: float  # traffic from or to the nodes that fail, which counts nowhere else
    lost_share: float = np.nan  # of the offered traffic, that which is cut off included
    owd_mean_s: float = np.nan
    classes: tuple[ClassOutcome, ...] = ()
    broken: tuple[str, ...] = ()  # expectations of the intent that it breaks
    flagged_flows: int = 0
    unsupported: str = ""  # why the engine should not be trusted with it

    @property
    def predicted(self) -> bool:
        """Whether a model was asked."""
        return bool(np.isfinite(self.lost_share))


class LinkLoad(NamedTuple):
    """A link, its load now, and its worst load under any failure; `cause` is empty where no failure
    raises it."""

    name: str
    capacity_bps: float
    offered_load: float
    worst_offered_load: float
    cause: str


class Summary(NamedTuple):
    """All failures of a network in a few numbers."""

    failures: int
    overloading: int  # failures that offer a link more than its capacity
    cutting: int  # failures that cut traffic off
    breaking: int  # failures that break the intent
    offered_load_max: float
    cause: str  # of the highest offered load
    overloaded_links: int  # links that some failure overloads
    cut_bps_max: float
    lost_share_max: float
    owd_mean_max_s: float


@dataclass(frozen=True)
class Resilience:
    """What all failures do to a network, the worst first.

    `looked_at` of `failure_count` failures are in it: fewer where it was stopped, and of pairs only
    those that a model was asked about have rows. `links` and `summary` tell of all that were looked
    at.
    """

    scenario: Scenario
    kinds: tuple[Kind, ...]
    metrics: Metrics | None  # of the network with nothing failed
    failures: tuple[Failure, ...]
    links: tuple[LinkLoad, ...]
    summary: Summary
    failure_count: int
    looked_at: int
    broken_before: tuple[str, ...] = ()
    lost_before: float = np.nan
    owd_mean_before_s: float = np.nan
    classes_before: tuple[ClassOutcome, ...] = ()

    @property
    def warnings(self) -> tuple[str, ...]:
        """The issues of the engine with the networks after failures."""
        found = []
        name = self.metrics.label if self.metrics is not None else ""
        if distrusted := [f for f in self.failures if f.unsupported]:
            found.append(
                f"{name} should not be trusted after {len(distrusted)} of {len(self.failures)}"
                f" failures, such as {distrusted[0].name}: {distrusted[0].unsupported}"
            )
        if flagged := [f for f in self.failures if f.flagged_flows]:
            most = max(flagged, key=lambda f: f.flagged_flows)
            found.append(
                f"{name} flags flows after {len(flagged)} of {len(self.failures)} failures, most"
                f" of them after {most.name}: {most.flagged_flows:,} of"
                f" {self.scenario.traffic.flow_count:,}"
            )
        return tuple(found)

    @property
    def complete(self) -> bool:
        """Whether every failure was looked at, and predicted where that was asked."""
        return self.looked_at == self.failure_count


def resilience(
    scenario: Scenario,
    model: NetworkModel | None = None,
    kinds: Sequence[Kind] = ("link",),
    *,
    intent: Intent | None = None,
    most_pairs: int = PREDICTED_PAIRS,
    jobs: int = 1,
    ray_address: str | None = None,
    progress: Progress | None = None,
) -> Resilience:
    """What every single failure of these kinds does (`pair`: every two links at once).

    Offered loads and traffic cut off are exact and need no model. A model adds delay and loss after
    every single failure and after the `most_pairs` pairs that are worst by their loads, all by one
    engine; with an intent, which expectations break. `jobs` processes, or a Ray cluster, share the
    work; the answer is the same. Ctrl-C ends it with what is done by then.

    Raises InputError where the intent needs a model and there is none.
    """
    asked = asked_after_failures(intent)
    if model is None and any(e.about.predicted for e in asked):
        raise InputError(
            "the intent asks for delays or losses and no model predicts them: give an engine."
        )
    run = _Run(
        scenario, Cases(scenario.topology, kinds), intent, most_pairs, jobs, ray_address, progress
    )
    run.load(0.0 if model is None else 0.2)
    if model is not None and not run.stopped:
        run.predict(model)
    return run.answer()


def load_matrix(
    found: Resilience, links: Sequence[str], failures: Sequence[Failure]
) -> NDArray[np.float64]:
    """The offered load of links now and after some of the failures. [links, 1 + failures]"""
    index = [found.scenario.topology.link(name) for name in links]
    after = [apply_all(found.scenario, failure.changes) for failure in failures]
    columns = [one.link_offered_load[index] for one in (found.scenario, *after)]
    return np.stack(columns, axis=1)


@dataclass
class _Run:
    """The state of one analysis."""

    scenario: Scenario
    cases: Cases
    intent: Intent | None
    most_pairs: int
    jobs: int
    ray_address: str | None
    progress: Progress | None
    loads: Loads = field(init=False)
    before: Metrics | None = None
    found: dict[int, Prediction] = field(default_factory=dict)
    stopped: bool = False

    def tell(self, share: float) -> None:
        if self.progress:
            self.progress(share)

    def load(self, share: float) -> None:
        """Loads of all links under all failures; they are `share` of the work."""
        self.loads = Loads.none(self.scenario, len(self.cases))
        work = [
            (self.scenario, self.cases, *part) for part in parts(self.scenario, len(self.cases))
        ]
        from nettwin.workers import in_order_of_completion

        jobs = self.jobs if len(self.cases) > 1000 else 1
        ray = self.ray_address if len(self.cases) > 1000 else None
        try:
            for _, part in in_order_of_completion(_part, work, jobs, ray):
                self.loads.take(part)
                LOG.info("loads of %d of %d failures", self.loads.known, len(self.cases))
                self.tell((share or 1.0) * self.loads.known / len(self.cases))
        except KeyboardInterrupt:
            self.stopped = True

    def predict(self, model: NetworkModel) -> None:
        """Delay and loss, the failures with the highest loads first, by one engine."""
        try:
            by_one_engine(model, self._predict)
        except KeyboardInterrupt:
            self.stopped = True

    def _predict(self, model: NetworkModel) -> None:
        self.found.clear()
        (self.before,) = model.predict([self.scenario])
        order = self.chosen()
        cases = [(k, self.cases[k]) for k in order]
        for part in predictions(
            self.scenario, model, cases, self.intent, jobs=self.jobs, ray_address=self.ray_address
        ):
            self.found |= {one.number: one for one in part}
            LOG.info("%s: %d of %d failures predicted", model.name, len(self.found), len(cases))
            self.tell(0.2 + 0.8 * len(self.found) / len(cases))

    def chosen(self) -> list[int]:
        """The failures to predict, or to tell of: all but pairs, of those the worst."""
        order = np.lexsort((-self.loads.highest, -np.round(self.loads.unroutable_bps)))
        singles = len(self.cases) - self.pairs
        alone = order[order < singles]
        return [*alone.tolist(), *order[order >= singles][: self.most_pairs].tolist()]

    @property
    def pairs(self) -> int:
        return len(self.cases._pairs)

    def answer(self) -> Resilience:
        """What is known by now."""
        scenario, topology = self.scenario, self.scenario.topology
        cut_before = _unroutable(scenario)
        rows = [self.failure(k, cut_before) for k in self.chosen() if self.looked(k)]
        rows.sort(
            key=lambda f: (
                -round(f.lost_share if f.predicted else self._share(f.cut_bps), 5),
                -round(f.offered_load_max, 4),
                -np.nan_to_num(f.owd_mean_s),
            )
        )
        order = np.lexsort((-self.loads.before, -np.round(self.loads.worst, 9)))
        links = tuple(
            LinkLoad(
                topology.link_name[k],
                float(topology.link_capacity_bps[k]),
                float(self.loads.before[k]),
                float(self.loads.worst[k]),
                self.cases[int(self.loads.cause[k])].name if self.loads.cause[k] >= 0 else "",
            )
            for k in order.tolist()
        )
        everything = np.ones(scenario.traffic.flow_count, np.bool_)
        looked = self.loads.known
        if self.stopped and self.before is not None:
            looked = len(self.found)
        known: dict[str, object] = {}
        if self.before is not None:
            known = {
                "lost_before": lost_share(scenario, self.before, everything),
                "owd_mean_before_s": mean_delay_s(scenario, self.before),
                "classes_before": classes_of(scenario, self.before, everything),
            }
        now = State(scenario, self.before)
        return Resilience(
            scenario,
            self.cases.kinds,
            self.before,
            tuple(rows),
            links,
            self.summary(rows, cut_before),
            len(self.cases),
            looked,
            broken_lines(self.intent, now, now),
            **known,  # type: ignore[arg-type]
        )

    def looked(self, number: int) -> bool:
        """Whether a failure has been looked at; where a model is asked, by it too."""
        known = bool(np.isfinite(self.loads.highest[number]))
        return known and (self.before is None or number in self.found)

    def failure(self, number: int, cut_before: NDArray[np.bool_]) -> Failure:
        """One failure as it is told."""
        case, loads, rate = self.cases[number], self.loads, self.scenario.traffic.flow_rate_bps
        own = fails(self.scenario, case)
        cut = np.zeros(len(own), np.bool_)
        if loads.unroutable_bps[number] - rate[own | cut_before].sum() > CUT * rate.sum():
            after = apply_all(self.scenario, case.changes)
            cut = _unroutable(after) & ~own & ~cut_before
        broken: tuple[str, ...] = ()
        told = self.found.get(number)
        if told is None and self.before is None and self.intent is not None:
            after = apply_all(self.scenario, case.changes)
            broken = broken_lines(self.intent, State(self.scenario), State(after, None, case.name))
        return Failure(
            case.kind,
            case.name,
            case.changes,
            float(loads.highest[number]),
            self.scenario.topology.link_name[int(loads.fullest[number])],
            int(loads.overloaded[number]),
            int(cut.sum()),
            float(rate[cut].sum()),
            float(rate[own].sum()),
            *(told[1:] if told else (np.nan, np.nan, (), broken, 0, "")),
        )

    def summary(self, rows: Sequence[Failure], cut_before: NDArray[np.bool_]) -> Summary:
        """Counts over all failures that were looked at, what is predicted over the rows."""
        loads, rate = self.loads, self.scenario.traffic.flow_rate_bps
        lost = loads.unroutable_bps - rate[cut_before].sum()
        cutting = int(np.count_nonzero(lost > CUT * max(rate.sum(), 1e-300)))
        nodes = sum(f.cut_flows == 0 and f.own_bps > 0 for f in rows)  # only their own is lost
        worst = int(np.nanargmax(loads.highest)) if loads.known else -1
        return Summary(
            loads.known,
            int(np.count_nonzero(loads.overloaded)),
            max(cutting - nodes, 0),
            sum(bool(f.broken) for f in rows),
            float(loads.highest[worst]) if loads.known else np.nan,
            self.cases[worst].name if loads.known else "",
            int(np.count_nonzero(loads.worst > 1)),
            max((f.cut_bps for f in rows), default=0.0),
            max((f.lost_share for f in rows if f.predicted), default=np.nan),
            max((f.owd_mean_s for f in rows if np.isfinite(f.owd_mean_s)), default=np.nan),
        )

    def _share(self, bps: float) -> float:
        total = float(self.scenario.traffic.flow_rate_bps.sum())
        return bps / total if total else 0.0


def _part(work: tuple[Scenario, Cases, int, int]) -> PartLoads:
    scenario, cases, first, end = work
    return part_loads(scenario, first, dead_links(cases, first, end))


def _unroutable(scenario: Scenario) -> NDArray[np.bool_]:
    """Flows without a path. [flows]"""
    if scenario.routing.next_link is not None:
        return np.asarray(scenario.paths.status != 0)
    traffic = scenario.traffic
    return ~joined(scenario.topology, traffic.flow_source, traffic.flow_target)
