"""Diagnosis: the causes of an incident, ranked by how well each explains what was measured.

Hypotheses are networks with faults, predicted in batches by the same model as the network without
one. A hypothesis has the prior of its kinds and the likelihood of all residuals. Causes that no
measurement could tell apart count as one. *Unknown* is a network of which more measurements are
outliers: it wins where no hypothesis explains what is odd.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from nettwin.apps.troubleshooting.evidence import RARE, Evidence, gather, log_likelihood
from nettwin.apps.troubleshooting.faults import KINDS, Fault, places_of
from nettwin.apps.troubleshooting.incident import DELAY, MEASURES, UP, Incident
from nettwin.apps.troubleshooting.suspects import Clues, resized, suspects
from nettwin.errors import InputError
from nettwin.model import NetworkModel, by_one_engine

Floats = NDArray[np.float64]
HEALTHY, UNKNOWN = "healthy", "unknown"
PRIOR = {HEALTHY: 0.3, UNKNOWN: 0.02}
SHIFTS = 3  # of delay, that something unknown may cause
UNEXPLAINED = 0.1  # the share of measurements that are outliers where the cause is unknown
TEMPER = 0.8  # of log likelihoods: residuals that share a link are not independent
PARAMETER = 1.5  # log of what a size costs that was fitted
ALIKE = 2.0  # standard deviations in all measurements together, below which causes are one
REFINED, PAIRED = 4, 2  # hypotheses whose sizes are refined, and that are joined with others
COMPARED = 8  # causes that are compared with each other, the first
ODD = 4.0  # standard deviations at which a measurement is left unexplained
ODD_ONES = 2  # so many, and pairs are looked for
Residuals = Mapping[str, tuple[Floats, Floats]]


def disturbed(clues: Clues, residuals: Residuals) -> float:
    """The log likelihood of a network in which something unknown is odd: up to SHIFTS times more or
    less delay of all that crosses a link, or leaves or enters at a node, each for what it costs to
    say which; and outliers everywhere."""
    z, sigma = residuals[DELAY]
    seen = clues.evidence.measured[DELAY]
    good = np.isfinite(z) & np.isfinite(seen)
    sides = clues.sides()
    rest, best = z * sigma * seen, log_likelihood(residuals, UNEXPLAINED)
    error = np.where(good, sigma * seen, np.inf)
    rest = np.where(good, rest, 0.0)
    cost = 0.0
    for _ in range(SHIFTS):
        above = sides @ (rest / error**2)
        below = (sides**2) @ (1 / error**2)
        gain = np.divide(above**2, below, out=np.zeros(len(above)), where=below > 0)
        k = int(np.argmax(gain))
        if gain[k] <= 0:
            break
        rest = rest - sides[k] * above[k] / below[k]
        cost += (PARAMETER + math.log(len(sides))) / TEMPER
        left = {**residuals, DELAY: (np.where(good, rest / error, z), sigma)}
        best = max(
            best,
            *(log_likelihood(left, rare) - cost for rare in (RARE, UNEXPLAINED)),
        )
    return best


@dataclass(frozen=True)
class Hypothesis:
    """Faults that may be the cause (none: healthy), and what would be measured then."""

    faults: tuple[Fault, ...]
    predicted: Mapping[str, Floats]
    residuals: Residuals
    likelihood: float  # log
    places: tuple[int, ...] = ()  # where each fault could be as well
    unknown: bool = False

    @property
    def name(self) -> str:
        """What is wrong, in words."""
        if self.unknown:
            return "something that no hypothesis explains"
        return " and ".join(fault.describe() for fault in self.faults) or "nothing is wrong"

    @property
    def kind(self) -> str:
        """The kinds of its faults, or healthy, or unknown."""
        if self.unknown:
            return UNKNOWN
        return " and ".join(fault.kind for fault in self.faults) or HEALTHY

    @property
    def category(self) -> str:
        """Load, configuration, device, measurement or attack; of the first fault."""
        return KINDS[self.faults[0].kind].category if self.faults else ""

    @property
    def score(self) -> float:
        """The log of prior times likelihood, up to a constant."""
        if self.unknown or not self.faults:
            prior = math.log(PRIOR[self.kind])
        else:
            prior = 0.0
            rest = 1 - sum(PRIOR.values())
            for n, fault in enumerate(self.faults):
                prior += math.log(KINDS[fault.kind].prior * (rest if n == 0 else 0.02))
                prior -= PARAMETER * math.isfinite(fault.size) + math.log(self.places[n])
        return prior + TEMPER * self.likelihood


@dataclass(frozen=True)
class Cause:
    """Hypotheses that no measurement could tell apart, the best first, and their probability."""

    hypotheses: tuple[Hypothesis, ...]
    probability: float

    @property
    def best(self) -> Hypothesis:
        """The most probable of them."""
        return self.hypotheses[0]


@dataclass(frozen=True)
class Diagnosis:
    """Causes, the most probable first. `healthy` is what the twin predicts without a fault."""

    evidence: Evidence
    causes: tuple[Cause, ...]
    healthy: Hypothesis
    engine: str
    asked: int  # networks that the model predicted
    seconds: float

    @property
    def best(self) -> Hypothesis:
        """The most probable hypothesis."""
        return self.causes[0].best

    @cached_property
    def coverage(self) -> dict[str, float]:
        """The share of each measure's elements that was measured."""
        return {
            name: float(np.isfinite(self.evidence.measured[name]).mean())
            for name in MEASURES
            if len(self.evidence.measured[name])
        }


def diagnose(incident: Incident, model: NetworkModel) -> Diagnosis:
    """The causes of an incident by one engine. Raises InputError where nothing was measured."""
    return by_one_engine(model, lambda one: _diagnosed(incident, one))


def _diagnosed(incident: Incident, model: NetworkModel) -> Diagnosis:
    start = perf_counter()
    evidence = gather(incident, model)
    told = ("flow/owd_mean_s", "flow/loss_ratio", "link/throughput_bps")
    if not any(np.isfinite(evidence.measured[name]).any() for name in told):
        raise InputError(
            "nothing was measured during the incident: no delay or loss of a flow, and no traffic"
            " of a link. Give at least one of them."
        )
    asking = _Asking(evidence, model)
    healthy = asking.ask([()])[0]
    found = asking.ask([(fault,) for fault in suspects(asking.clues(healthy, 5))])
    ranked = sorted([healthy, *found], key=lambda h: -h.score)
    sizes = [
        (fault,) for h in ranked[:REFINED] if len(h.faults) == 1 for fault in resized(h.faults[0])
    ]
    ranked = sorted([*ranked, *asking.ask(sizes)], key=lambda h: -h.score)
    if _odd(ranked[0].residuals) >= ODD_ONES:
        firsts = [h for h in ranked if len(h.faults) == 1]
        pairs = [
            (*h.faults, fault)
            for h in _distinct(firsts)[:PAIRED]
            for fault in suspects(asking.clues(h, 2))
            if fault[:2] != h.faults[0][:2]
        ]
        ranked = sorted([*ranked, *asking.ask(pairs)], key=lambda h: -h.score)
    unknown = Hypothesis(
        (),
        healthy.predicted,
        healthy.residuals,
        disturbed(asking.clues(healthy, 1), healthy.residuals),
        unknown=True,
    )
    ranked = sorted([*ranked, unknown], key=lambda h: -h.score)
    causes = _causes(evidence, ranked)
    return Diagnosis(evidence, causes, healthy, asking.engine, asking.count, perf_counter() - start)


class _Asking:
    """A model that is asked about hypotheses, each once."""

    def __init__(self, evidence: Evidence, model: NetworkModel) -> None:
        self.evidence, self.model = evidence, model
        self.engine, self.count = model.name, 0
        self._known: dict[tuple[Fault, ...], Hypothesis] = {}

    def ask(self, all_faults: Sequence[tuple[Fault, ...]]) -> list[Hypothesis]:
        """The hypotheses of these faults, predicted in one batch; those that fit."""
        new = []
        for faults in dict.fromkeys(all_faults):
            if faults in self._known:
                continue
            try:
                new.append((faults, *self.evidence.start(faults)))
            except InputError:  # a fault that this network cannot have
                continue
        answers = self.model.predict([faulty.scenario for _, faulty, _ in new]) if new else []
        found = []
        for (faults, faulty, factor), metrics in zip(new, answers, strict=True):
            predicted = self.evidence.predicted(faulty, factor, metrics)
            residuals = self.evidence.scores(predicted)
            places = tuple(places_of(fault, self.evidence.network) for fault in faults)
            made = Hypothesis(faults, predicted, residuals, log_likelihood(residuals), places)
            self._known[faults] = made
            found.append(made)
            self.engine = metrics.label
        self.count += len(new)
        return found

    def clues(self, hypothesis: Hypothesis, few: int) -> Clues:
        """What is left unexplained by a hypothesis."""
        scenario = self.evidence.start(hypothesis.faults)[0].scenario
        return Clues(self.evidence, scenario, hypothesis.predicted, hypothesis.residuals, few)


def apart(evidence: Evidence, a: Hypothesis, b: Hypothesis, *, measured: bool = True) -> float:
    """How many standard deviations two hypotheses are apart, in all measurements together; of
    those that were made, or with all that could be made."""
    total = 0.0
    for name in MEASURES:
        z = between(evidence, name, a, b)
        if measured:
            z = np.where(np.isfinite(evidence.measured[name]), z, 0.0)
        total += float((np.minimum(z, 1e3) ** 2).sum())
    return math.sqrt(total)


def between(evidence: Evidence, name: str, a: Hypothesis, b: Hypothesis) -> Floats:
    """By how many standard deviations two hypotheses differ in each element of a measure."""
    one, other = a.predicted[name], b.predicted[name]
    sigma = np.fmax(evidence._score(name, one)[1], evidence._score(name, other)[1])
    if name == UP:
        difference = one - other
    else:
        difference = evidence.scaled(name, one) - evidence.scaled(name, other)
    lone = np.isnan(one) != np.isnan(other)
    usual = np.nanmedian(sigma) if np.isfinite(sigma).any() else 1.0
    sigma = np.where(np.isfinite(sigma) & (sigma > 0), sigma, usual)
    return np.where(lone, 8.0, np.nan_to_num(np.abs(difference) / sigma))


def _causes(evidence: Evidence, ranked: Sequence[Hypothesis]) -> tuple[Cause, ...]:
    """Hypotheses joined that are one fault in several sizes, or that no measurement tells apart,
    with their probabilities: a fault counts once, by its best size."""
    faults: list[list[Hypothesis]] = []
    for h in ranked:
        mine = next((g for g in faults if not h.unknown and _same(h, g[0])), None)
        if mine is None:
            faults.append([h])
        else:
            mine.append(h)
    weights = [math.exp(max(g[0].score - ranked[0].score, -700.0)) for g in faults]
    joined: list[list[Hypothesis]] = []
    sums: list[float] = []
    for n, (group, weight) in enumerate(zip(faults, weights, strict=True)):
        for k, other in enumerate(joined[:COMPARED] if n < 2 * COMPARED else []):
            if alike(evidence, group[0], other[0]):
                other.append(group[0])
                sums[k] += weight
                break
        else:
            joined.append(list(group))
            sums.append(weight)
    whole = sum(sums)
    made = [Cause(tuple(g), w / whole) for g, w in zip(joined, sums, strict=True)]
    return tuple(sorted(made, key=lambda cause: -cause.probability))


def alike(evidence: Evidence, a: Hypothesis, b: Hypothesis) -> bool:
    """Whether no measurement that could be made tells two hypotheses apart."""
    if a.unknown or b.unknown or not (a.faults and b.faults):
        return False
    return apart(evidence, a, b, measured=False) < ALIKE


def _same(a: Hypothesis, b: Hypothesis) -> bool:
    """Whether two are the same faults, but for their sizes."""
    if a.unknown or b.unknown:
        return a.unknown and b.unknown
    keys = [sorted((f.kind, f.place, f.detail) for f in h.faults) for h in (a, b)]
    return keys[0] == keys[1]


def _distinct(ranked: Sequence[Hypothesis]) -> list[Hypothesis]:
    found: list[Hypothesis] = []
    for h in ranked:
        if not any(_same(h, other) for other in found):
            found.append(h)
    return found


def _odd(residuals: Residuals) -> int:
    return sum(int((np.abs(np.nan_to_num(z)) > ODD).sum()) for z, _ in residuals.values())


def hypothesis_of(evidence: Evidence, faults: Sequence[Fault], model: NetworkModel) -> Hypothesis:
    """Given faults as a hypothesis. Raises InputError where they do not fit the network."""
    evidence.start(faults)
    return _Asking(evidence, model).ask([tuple(faults)])[0]
