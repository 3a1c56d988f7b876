"""Evidence: measurements beside what the twin expects, each residual in standard deviations.

What is compared is how a measurement differs from the same network before: the twin's error of an
element, learned from the time before, is taken off. What is left is noise, learned there too, and
the twin's uncertainty of how much a fault changes: the larger the change, the less sure.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from nettwin.apps.troubleshooting.faults import KINDS, Fault, Faulty
from nettwin.apps.troubleshooting.incident import (
    DELAY,
    DROPS,
    LOSS,
    MEASURES,
    QUEUE_DROPS,
    QUEUED,
    RATE,
    SENT,
    SPEED,
    UP,
    Incident,
    values_of,
)
from nettwin.metrics import Metrics
from nettwin.model import NetworkModel
from nettwin.scenario.scenario import Scenario

Floats = NDArray[np.float64]
RATIOS = (LOSS, DROPS, QUEUE_DROPS)
# In the scale of the measure (below): what a twin is off where nothing was seen before; the least
# noise; and the part of a predicted change that the twin is unsure of
TWIN = {RATE: 0.3, DELAY: 0.15, SENT: 0.05, QUEUED: 0.5, SPEED: 0.01, **dict.fromkeys(RATIOS, 1.5)}
LEAST = {
    RATE: 0.02,
    DELAY: 0.003,
    SENT: 0.01,
    QUEUED: 0.05,
    SPEED: 0.01,
    **dict.fromkeys(RATIOS, 1.2),
}
UNSURE = {
    RATE: 0.05,
    DELAY: 0.2,
    SENT: 0.08,
    QUEUED: 0.5,
    SPEED: 0.02,
    **dict.fromkeys(RATIOS, 0.3),
}
STATE_NOISE = 0.1
LOSSY = 2.5  # of a ratio in its scale: more than two packets or so
SHRUNK = 6.0  # so many intervals is what all elements together say of one's noise worth
RARE, WIDE = 0.002, 8.0  # of outliers: their share, and how far they are


@dataclass(frozen=True)
class Evidence:
    """What was measured of an incident, and what is known of the same network before.

    `start` carries what flows offer now, as far as it is known. `factor` [flows] is what flows
    offer over the usual, for all that nothing is wrong.
    """

    incident: Incident
    network: Scenario
    usual_bps: Floats  # [flows] that flows offer, usually at this time
    now_bps: Floats  # [flows] that flows offer, measured or usual
    known: NDArray[np.bool_]  # [flows] whose rate was measured
    measured: Mapping[str, Floats]
    usual: Mapping[str, Floats]  # what the twin predicts of the time before
    offset: Mapping[str, Floats]  # measured less predicted then, in the scale of the measure
    noise: Mapping[str, Floats]  # standard deviation of that of one interval
    count: Mapping[str, Floats]  # of intervals in which an element was measured
    count_before: Mapping[str, Floats]
    unsure: Mapping[str, Floats]  # by what flows may offer that were not measured always
    packets: Floats  # [flows] counted in an interval
    link_packets: Floats  # [links]

    def start(self, faults: Sequence[Fault] = ()) -> tuple[Faulty, Floats]:
        """The network with faults, and what flows offer over the usual [flows]."""
        load = [f for f in faults if KINDS[f.kind].category in ("load", "attack")]
        rest = [f for f in faults if f not in load]
        ones = self.network.with_(
            traffic=self.network.traffic.with_arrays(flow_rate_bps=np.ones(len(self.usual_bps)))
        )
        factor = Faulty.healthy(ones).with_faults(load).offered_bps
        rate = np.where(self.known, self.now_bps, self.now_bps * factor)
        carrying = self.network.traffic.with_arrays(flow_rate_bps=rate)
        begun = Faulty.healthy(self.network.with_(traffic=carrying))
        return begun.with_faults(rest), np.asarray(factor)

    def predicted(self, faulty: Faulty, factor: Floats, metrics: Metrics) -> dict[str, Floats]:
        """What would be measured of a network with faults, by measure."""
        found = measures_of(faulty, metrics)
        found[RATE] = self.usual_bps * factor
        return found

    def scores(self, predicted: Mapping[str, Floats]) -> dict[str, tuple[Floats, Floats]]:
        """Each measurement's residual in standard deviations, and the standard deviation."""
        return {name: self._score(name, predicted[name]) for name in MEASURES}

    def _score(self, name: str, predicted: Floats) -> tuple[Floats, Floats]:
        value, intervals = self.measured[name], np.maximum(self.count[name], 1)
        if name == UP:
            return (value - predicted) / STATE_NOISE, np.full(len(value), STATE_NOISE)
        seen, thought, was = (self.scaled(name, x) for x in (value, predicted, self.usual[name]))
        change = np.nan_to_num(thought - was)
        before = np.isfinite(self.offset[name])
        count = np.maximum(self.count_before[name], 1)
        variance = self.noise[name] ** 2 / intervals + (UNSURE[name] * change) ** 2
        variance += np.where(before, self.noise[name] ** 2 / count, TWIN[name] ** 2)
        if name in self.unsure:
            variance += self.unsure[name] ** 2
        sigma = np.sqrt(variance)
        z = (seen - thought - np.where(before, self.offset[name], 0.0)) / sigma
        alive = np.isfinite(seen) & np.isnan(thought)  # measured although nothing should arrive
        return np.where(alive, WIDE, z), np.where(alive, self.noise[name], sigma)

    def scaled(self, name: str, value: Floats) -> Floats:
        """A measure in a scale in which its noise is alike: ratios of packets as twice the arcsine
        of their root, times the root of their number (Anscombe 1948), others as logarithms, of
        which small values are all alike."""
        if name in RATIOS:
            count = self._packets(name)
            share = np.clip((value * count + 0.375) / (count + 0.75), 0.0, 1.0)
            return np.asarray(2 * np.sqrt(count) * np.arcsin(np.sqrt(share)))
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(np.log(value + _floor(name, self.network)))

    def _packets(self, name: str) -> Floats:
        """How many packets a ratio of one interval is of."""
        if name == LOSS:
            return self.packets
        if name == DROPS:
            return self.link_packets
        queues = self.network.topology.queues
        return np.maximum(self.link_packets[queues.link] / np.diff(queues.offset)[queues.link], 1)


def measures_of(faulty: Faulty, metrics: Metrics) -> dict[str, Floats]:
    """What would be measured of a network with faults, by measure."""
    scenario, flows = faulty.scenario, faulty.flows
    topology = scenario.topology
    with np.errstate(divide="ignore", invalid="ignore"):
        kept = scenario.traffic.flow_rate_bps[:flows] / faulty.offered_bps
    arrived = kept * (1 - np.nan_to_num(metrics.flow["loss_ratio"][:flows]))
    silent = np.where(faulty.offered_bps > 0, np.clip(1 - arrived, 0.0, 1.0), np.nan)
    if "throughput_bps" in metrics.link:
        sent = metrics.link["throughput_bps"]
    else:
        sent = metrics.link["utilization"] * topology.link_capacity_bps
    queued = (
        metrics.queue["occupancy_mean_bits"]
        if "occupancy_mean_bits" in metrics.queue
        else np.full(len(topology.queues.link), np.nan)
    )
    drops = (
        metrics.queue["loss_ratio"]
        if "loss_ratio" in metrics.queue
        else np.full(len(topology.queues.link), np.nan)
    )
    return {
        RATE: faulty.offered_bps,
        DELAY: metrics.flow["owd_mean_s"][:flows],
        LOSS: silent,  # of what is offered: on the path by the model, and what a fault takes
        SENT: np.where(topology.link_live, np.nan_to_num(sent), 0.0) * faulty.counter,
        DROPS: np.nan_to_num(metrics.link["loss_ratio"]),
        UP: topology.link_live.astype(np.float64),
        SPEED: faulty.told_capacity_bps,
        QUEUED: np.nan_to_num(queued),
        QUEUE_DROPS: np.nan_to_num(drops),
    }


def gather(incident: Incident, model: NetworkModel) -> Evidence:
    """The evidence of an incident. The model predicts each interval before it once."""
    network = incident.network
    before = [values_of(one, network) for one in incident.before]
    during = [values_of(one, network) for one in incident.during]
    now = _mean(during)
    rates = [np.where(np.isfinite(v[RATE]), v[RATE], np.nan) for v in before]
    usual = _mean([{RATE: r} for r in rates])[RATE] if rates else now[RATE]
    planned = network.traffic.flow_rate_bps
    usual = np.where(np.isfinite(usual), usual, planned)
    common = [_common(r, usual) for r in rates]
    at_now = _common(now[RATE], usual) if rates else 1.0
    states = [
        network.with_(
            traffic=network.traffic.with_arrays(
                flow_rate_bps=np.where(np.isfinite(r), r, usual * c)
            )
        )
        for r, c in zip(rates, common, strict=True)
    ] or [network]
    answers = model.predict(states)
    predictions = [
        measures_of(Faulty.healthy(s), m) | ({RATE: usual * c} if rates else {})
        for s, m, c in zip(states, answers, common or [1.0], strict=True)
    ]
    known = np.isfinite(now[RATE])
    usual_now = usual * at_now
    window_s = incident.window_s
    size = network.traffic.flow_mean_size_bits
    sent = _mean([{SENT: p[SENT]} for p in predictions])[SENT]
    made = Evidence(
        incident,
        network,
        usual_now,
        np.where(known, now[RATE], usual_now),
        known,
        now,
        _mean(predictions),
        {},
        {},
        _known(during, now),
        _known(before, now),
        {},
        np.maximum(usual_now / size * window_s, 1.0),
        np.maximum(sent / (size.mean() if len(size) else 8000.0) * window_s, 1.0),
    )
    offset, noise = {}, {}
    for name in MEASURES:
        offset[name], noise[name] = _calibrated(made, name, before, predictions)
    unsure = _unsure(network, made, noise[RATE], predictions) if before else {}
    return replace(made, offset=offset, noise=noise, unsure=unsure)


def _known(values: Sequence[Mapping[str, Floats]], like: Mapping[str, Floats]) -> dict[str, Floats]:
    """In how many intervals each element was measured."""
    none = {name: np.zeros(len(value)) for name, value in like.items()}
    return {
        name: sum((np.isfinite(v[name]).astype(np.float64) for v in values), none[name])
        for name in like
    }


def _unsure(
    network: Scenario, made: Evidence, noise: Floats, predictions: Sequence[Mapping[str, Floats]]
) -> dict[str, Floats]:
    """How unsure the traffic of links and what waits in queues is, as some flows were not measured
    in every interval. In the scale of the measures."""
    paths, topology = network.paths, network.topology
    missing = 1 - made.count[RATE] / len(made.incident.during)
    error = made.now_bps * noise * np.sqrt(missing)
    flow, share = paths.hop_flow, paths.share[paths.hop_path]
    square = np.bincount(paths.links, (share * error[flow]) ** 2, topology.link_count)
    sent = np.maximum(made.usual[SENT], topology.link_capacity_bps * 2e-3)
    relative = np.sqrt(square) / sent
    room = np.maximum(1 - made.usual[SENT] / topology.link_capacity_bps, 0.05)
    return {SENT: relative, QUEUED: (relative / room)[topology.queues.link]}


def _calibrated(
    made: Evidence,
    name: str,
    before: Sequence[Mapping[str, Floats]],
    predictions: Sequence[Mapping[str, Floats]],
) -> tuple[Floats, Floats]:
    """How far the twin was off before, and how much that varied; an element's own as far as it was
    seen often enough, else what all of them say."""
    count = len(made.measured[name])
    if not before or name == UP:
        return np.full(count, np.nan), np.full(count, max(LEAST.get(name, 0.0), 0.02))
    off = np.array(
        [
            made.scaled(name, v[name]) - made.scaled(name, p[name])
            for v, p in zip(before, predictions, strict=True)
        ]
    )
    off[~np.isfinite(off)] = np.nan
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of what was never measured
        mean = np.nanmean(off, axis=0)
        seen = np.isfinite(off).sum(axis=0)
        freedom = np.maximum(seen - 1, 0)
        variance = np.nan_to_num(np.nanvar(off, axis=0)) * seen / np.maximum(freedom, 1)
        pooled = _pooled(made, name, variance, freedom > 0)
    both = (SHRUNK * pooled + freedom * variance) / (SHRUNK + freedom)
    return mean, np.maximum(np.sqrt(both), LEAST[name])


def _pooled(made: Evidence, name: str, variance: Floats, known: NDArray[np.bool_]) -> Floats:
    """What all elements together say of the noise of one; of ratios those that lose packets
    usually are apart from the others: losses come in bursts."""
    pooled = np.full(len(variance), TWIN[name] ** 2)
    lossy = made.scaled(name, made.usual[name]) > LOSSY if name in RATIOS else ~known & known
    for part in (lossy, ~lossy):
        if (part & known).any():
            pooled[part] = np.median(variance[part & known])
    return pooled


def log_likelihood(scores: Mapping[str, tuple[Floats, Floats]], rare: float = RARE) -> float:
    """Of what was measured, under a hypothesis: normal, and now and then an outlier."""
    total = 0.0
    for z, sigma in scores.values():
        fine = np.isfinite(z) & np.isfinite(sigma) & (sigma > 0)
        square = np.minimum(z[fine] ** 2, 1e6)
        inside = np.log1p(-rare) - square / 2
        outside = np.log(rare / WIDE) - square / (2 * WIDE**2)
        total += float((np.logaddexp(inside, outside) - np.log(sigma[fine])).sum())
    return total


def _common(rate: Floats, usual: Floats) -> float:
    """What all flows together offer over the usual: the median flow's."""
    good = np.isfinite(rate) & (usual > 0) & (rate > 0)
    return float(np.exp(np.median(np.log(rate[good] / usual[good])))) if good.any() else 1.0


def _floor(name: str, network: Scenario) -> Floats | float:
    if name == SENT:
        return network.topology.link_capacity_bps * 2e-3
    if name == RATE:
        return float(np.median(network.traffic.flow_rate_bps)) * 0.02 + 1.0
    if name == QUEUED:
        size = network.traffic.flow_mean_size_bits
        return 0.05 * float(size.mean() if len(size) else 8000.0)
    return 0.0


def _mean(values: Sequence[Mapping[str, Floats]]) -> dict[str, Floats]:
    """The mean of each measure over the intervals in which it was known."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of what was never measured
        return {name: np.nanmean([v[name] for v in values], axis=0) for name in values[0]}
