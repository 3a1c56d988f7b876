"""Grouping: alarms that belong together become one incident, with its place and kind.

What is odd during an incident is held against what each cause would do to all that is watched:
loss on a link, a black hole, traffic on another path, a wrong counter, more traffic of a flow or
to a target. The cause whose effect explains most of the squared residuals names place and kind.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from nettwin.apps.anomalies.detector import GAP_S, Alarms
from nettwin.apps.anomalies.scorer import Scores
from nettwin.apps.anomalies.watched import Group, Watched
from nettwin.apps.history.past import LOSS, RATE, SENT

Floats = NDArray[np.float64]
MOST = 30.0  # standard deviations that one residual counts at most
ODD = 3.0
CLEAR = 0.6  # of the oddest time of an incident
ALONE = 2.0  # squared residuals that an effect of one more element must explain


class Odd(NamedTuple):
    """An element that was odd during an incident."""

    kind: str
    quantity: str
    element: str
    z: float


class Trouble(NamedTuple):
    """An incident: when, where, of which kind (load, configuration, device, measurement, attack),
    and what was odd, the oddest first. `detected_s` is when the first alarm was known."""

    begin_s: float
    end_s: float
    detected_s: float
    place: str
    kind: str
    words: str
    nats: float
    odd: tuple[Odd, ...]


class Grouping(Protocol):
    """Makes incidents of alarms."""

    def group(self, watched: Watched, scores: Scores, alarms: Alarms) -> list[Trouble]:
        """The incidents, in their order in time."""


class Effect(NamedTuple):
    """What a cause does: to which flows' loss, links' traffic and flows' offered rate."""

    kind: str
    place: str
    words: str
    gain: float


@dataclass(frozen=True)
class ByEffect:
    """Alarms nearer than `gap_s` are one incident; the largest effect names it."""

    gap_s: float = GAP_S

    def group(self, watched: Watched, scores: Scores, alarms: Alarms) -> list[Trouble]:
        """See `Grouping.group`."""
        at = np.flatnonzero(alarms.times)
        if not len(at):
            return []
        gap = max(round(self.gap_s / watched.interval_s), 1)
        parts = np.split(at, np.flatnonzero(np.diff(at) > gap) + 1)
        return [self._trouble(watched, scores, part) for part in parts]

    def _trouble(self, watched: Watched, scores: Scores, at: NDArray[np.intp]) -> Trouble:
        effects = _Effects(watched, scores, _clearest(scores, at))
        best = max(effects.all(), key=lambda effect: effect.gain, default=None)
        odd = effects.odd()
        if best is None:
            first = odd[0] if odd else Odd("", "", "the network", 0.0)
            best = Effect("unknown", first.element, "something is odd that no cause explains", 0.0)
        step = watched.interval_s
        return Trouble(
            float(watched.times_s[at[0]] - step),
            float(watched.times_s[at[-1]]),
            float(watched.times_s[at[0]]),
            best.place,
            best.kind,
            best.words,
            float(scores.worst[:, at].max()),
            tuple(odd[:10]),
        )


class _Effects:
    """Residuals of an incident, and what causes would do to them."""

    def __init__(self, watched: Watched, scores: Scores, at: NDArray[np.intp]) -> None:
        self.watched, self.network = watched, watched.network
        self.z: dict[tuple[str, str], Floats] = {}
        self.lasting: dict[tuple[str, str], Floats] = {}
        self.sigma: dict[tuple[str, str], Floats] = {}
        for group, z, lasting in zip(watched.groups, scores.z, scores.lasting, strict=True):
            key = group.kind, group.quantity
            self.z[key] = _typical(z[at])
            self.lasting[key] = _typical(lasting[at])
            self.sigma[key] = self._sigma(group, z, at)
        topology = self.network.topology
        links = watched.group("link", SENT)
        index = {} if links is None else {name: k for k, name in enumerate(links.element)}
        self.link_place = [index.get(name, -1) for name in topology.link_name]
        flows = watched.group("flow", LOSS) or watched.group("flow", RATE)
        places = {} if flows is None else {name: f for f, name in enumerate(flows.element)}
        self.flow_place = np.array([places.get(name, -1) for name in self.network.flow_names])
        self.rate = self._rates(at)

    def _sigma(self, group: Group, z: Floats, at: NDArray[np.intp]) -> Floats:
        """A standard deviation in the unit of the quantity (not relative)."""
        off = (group.measured - group.expected)[at]
        with np.errstate(all="ignore"):
            sigma = np.abs(off / z[at])
        sigma[~np.isfinite(sigma)] = np.nan
        found = _typical(sigma)
        usual = float(np.median(found[found > 0])) if (found > 0).any() else 1.0
        return np.where(found > 0, found, usual)

    def _rates(self, at: NDArray[np.intp]) -> Floats:
        group = self.watched.group("flow", RATE)
        if group is None:
            return self.network.traffic.flow_rate_bps
        rate = _typical(group.measured[at])
        index = {name: f for f, name in enumerate(group.element)}
        return np.array([rate[index[n]] if n in index else 0.0 for n in self.network.flow_names])

    def odd(self) -> list[Odd]:
        """The elements that were odd, the oddest first."""
        found = []
        for group in self.watched.groups:
            key = group.kind, group.quantity
            z = np.where(
                np.abs(self.lasting[key]) > 4 * ODD,
                np.fmax(np.abs(self.z[key]), np.abs(self.lasting[key]) / 4)
                * np.sign(self.lasting[key]),
                self.z[key],
            )
            found += [
                Odd(*key, group.element[k], float(z[k]))
                for k in np.flatnonzero(np.abs(z) > ODD).tolist()
            ]
        return sorted(found, key=lambda odd: -abs(odd.z))

    def all(self) -> Iterator[Effect]:
        """What each cause explains."""
        yield from self._loads()
        yield from self._on_paths()
        yield from self._counters()
        yield from self._moved()

    def _loads(self) -> Iterator[Effect]:
        key = ("flow", RATE)
        if key not in self.z:
            return
        group = self.watched.group(*key)
        assert group is not None
        z = np.clip(self.z[key], -MOST, MOST)
        index = {name: f for f, name in enumerate(self.network.flow_names)}
        traffic, names = self.network.traffic, self.network.topology.node_name
        if not len(z):
            return
        k = int(np.argmax(np.abs(z)))
        more = "more" if z[k] > 0 else "less"
        yield Effect(
            "load",
            group.element[k],
            f"flow {group.element[k]} offers {more} than usual",
            float(z[k] ** 2),
        )
        ends = [
            (traffic.flow_source[index[n]], traffic.flow_target[index[n]])
            if n in index
            else (-1, -1)
            for n in group.element
        ]
        whole = self.z.get(("target", RATE))
        for node in range(len(names)):
            mine = np.array([target == node for _, target in ends])
            up = z[mine & (z > 1.0)]
            if len(up) < max(3, 0.3 * mine.sum()) or whole is None or whole[node] <= 0:
                continue
            gain = float((up**2).sum()) - ALONE * len(up)
            if float((up**2).max()) < 0.6 * float((up**2).sum()) or len(up) >= 0.6 * mine.sum():
                yield Effect(
                    "attack",
                    names[node],
                    f"{len(up)} flows to {names[node]} offer more than usual",
                    max(gain, float(np.minimum(whole[node], MOST) ** 2)),
                )

    def _pieces(self) -> tuple[Floats, Floats, Floats, Floats]:
        """Loss of flows and traffic of links: standardized, and their standard deviations; in the
        order of the network."""
        flows, links = self.network.traffic.flow_count, self.network.topology.link_count
        out = []
        for key, count, place in (
            (("flow", LOSS), flows, self.flow_place),
            (("link", SENT), links, np.array(self.link_place, np.intp)),
        ):
            if key not in self.z:
                out += [np.zeros(count), np.full(count, np.inf)]
                continue
            z = np.nan_to_num(self.z[key])
            value = np.where(place >= 0, z[place], 0.0)
            sigma = np.where(place >= 0, self.sigma[key][place], np.inf)
            heavy = np.maximum(np.abs(value) / MOST, 1.0)  # no residual decides alone
            out += [value / heavy, sigma * heavy]
        return out[0], out[1], out[2], out[3]

    def _on_paths(self) -> Iterator[Effect]:
        """Loss on each link, and black holes: what is lost there, and missing on all links after
        it."""
        loss, loss_sigma, sent, sent_sigma = self._pieces()
        if not np.isfinite(loss_sigma).any():
            return
        paths, topology, traffic = (
            self.network.paths,
            self.network.topology,
            self.network.traffic,
        )
        hop_flow, hop_path = paths.hop_flow, paths.hop_path
        share = paths.share[hop_path]
        order = np.arange(len(paths.links))
        for k in np.unique(paths.links).tolist():
            here = np.flatnonzero(paths.links == k)
            gain, size = self._gain(
                here, order, hop_flow, share, loss, loss_sigma, sent, sent_sigma
            )
            if size > 0:
                name = topology.link_name[k]
                words = f"link {name} loses about {size:.1%} of its packets"
                yield Effect("device", name, words, gain)
        lossy = np.flatnonzero(loss > ODD)
        source = topology.link_source[paths.links]
        for t in np.unique(traffic.flow_target[lossy]).tolist():
            for u in np.unique(source[traffic.flow_target[hop_flow] == t]).tolist():
                here = np.flatnonzero((source == u) & (traffic.flow_target[hop_flow] == t))
                gain, size = self._gain(
                    here, order, hop_flow, share, loss, loss_sigma, sent, sent_sigma
                )
                if size > 0.5:
                    names = topology.node_name
                    yield Effect(
                        "configuration",
                        names[u],
                        f"node {names[u]} drops what goes to {names[t]}",
                        gain,
                    )

    def _gain(
        self,
        here: NDArray[np.intp],
        order: NDArray[np.intp],
        hop_flow: NDArray[np.int32],
        share: Floats,
        loss: Floats,
        loss_sigma: Floats,
        sent: Floats,
        sent_sigma: Floats,
    ) -> tuple[float, float]:
        """What losing packets at hops explains, and the part that is lost."""
        paths = self.network.paths
        flows = np.zeros(len(loss))
        np.add.at(flows, hop_flow[here], share[here])
        links = np.zeros(len(sent))
        last = paths.link_offset[paths.hop_path[here] + 1]
        for hop, end in zip(here.tolist(), last.tolist(), strict=True):
            links[paths.links[hop:end]] -= share[hop] * self.rate[hop_flow[hop]]
        a = np.concatenate([np.minimum(flows, 1.0) / loss_sigma, links / sent_sigma])
        y = np.concatenate([loss, sent])
        below = float(a @ a)
        if below <= 0:
            return 0.0, 0.0
        size = float(np.clip((a @ y) / below, 0.0, 1.0))
        return float(y @ y - ((y - size * a) ** 2).sum()), size

    def _counters(self) -> Iterator[Effect]:
        _, _, sent, _ = self._pieces()
        _, lasting = sent, self.lasting.get(("link", SENT))
        for k in np.argsort(-np.abs(sent), kind="stable")[:2].tolist():
            name = self.network.topology.link_name[k]
            shows = "more" if sent[k] > 0 else "less"
            z = float(sent[k])
            if lasting is not None and self.link_place[k] >= 0:
                summed = float(lasting[self.link_place[k]]) / 4
                z = z if abs(z) > abs(summed) else summed
            yield Effect(
                "measurement",
                name,
                f"the counter of {name} alone shows {shows} than flows put on it",
                min(z**2, MOST**2),
            )

    def _moved(self) -> Iterator[Effect]:
        """Traffic to a target that a node sends over another link than it should."""
        _, _, sent, sigma = self._pieces()
        topology, traffic, paths = (
            self.network.topology,
            self.network.traffic,
            self.network.paths,
        )
        if not np.isfinite(sigma).any() or float(np.abs(sent).max(initial=0.0)) < ODD:
            return
        hop_flow, share = paths.hop_flow, paths.share[paths.hop_path]
        source = topology.link_source[paths.links]
        to = traffic.flow_target[hop_flow]
        onward = self._onward()
        missing = set(np.flatnonzero(sent < -ODD / 2).tolist())
        for u in np.unique(topology.link_source[list(missing)]).tolist() if missing else []:
            exits = np.flatnonzero(topology.link_source == u)
            for t in np.unique(to[source == u]).tolist():
                here = np.flatnonzero((source == u) & (to == t))
                links = np.zeros(len(sent))
                moved = 0.0
                for hop in here.tolist():
                    end = int(paths.link_offset[paths.hop_path[hop] + 1])
                    rate = float(share[hop] * self.rate[hop_flow[hop]])
                    links[paths.links[hop:end]] -= rate
                    moved += rate
                for k in exits.tolist():
                    v = int(topology.link_target[k])
                    over = links.copy()
                    over[k] += moved
                    for link, part in onward.get((v, t), ()):
                        over[link] += part * moved
                    a = over / sigma
                    below = float(a @ a)
                    if below <= 0:
                        continue
                    size = float(np.clip((a @ sent) / below, 0.0, 1.0))
                    gain = float(sent @ sent - ((sent - size * a) ** 2).sum())
                    if size > 0.2:
                        names = topology.node_name
                        yield Effect(
                            "configuration",
                            names[u],
                            f"node {names[u]} sends what goes to {names[t]} over"
                            f" {topology.link_name[k]}",
                            gain,
                        )

    def _onward(self) -> dict[tuple[int, int], list[tuple[int, float]]]:
        """The links that one unit of traffic from a node to a target takes, with its parts."""
        paths, traffic = self.network.paths, self.network.traffic
        found: dict[tuple[int, int], list[tuple[int, float]]] = {}
        for f in range(traffic.flow_count):
            key = int(traffic.flow_source[f]), int(traffic.flow_target[f])
            if key not in found:
                found[key] = [(k, part) for part, links in paths.of(f) for k in links]
        return found


def _clearest(scores: Scores, at: NDArray[np.intp]) -> NDArray[np.intp]:
    """The times of an incident at which values are the oddest: sums go on when it is over."""
    now = np.max([n[at].max(axis=1, initial=0.0) for n in scores.now], axis=0)
    clear = at[now >= CLEAR * now.max()]
    # of those the first in a row: that something ends is odd as well, the other way around
    return np.split(clear, np.flatnonzero(np.diff(clear) > 2) + 1)[0]


def _typical(values: Floats) -> Floats:
    """The median over times, NaN as 0."""
    known = np.isfinite(values)
    filled = np.where(known, values, np.nan)
    some = known.any(axis=0)
    out = np.zeros(values.shape[1])
    if some.any():
        out[some] = np.nanmedian(filled[:, some], axis=0)
    return out


def merged(troubles: Sequence[Trouble], gap_s: float) -> list[Trouble]:
    """Incidents of one place and kind that follow one another closely, as one."""
    found: list[Trouble] = []
    for one in troubles:
        last = found[-1] if found else None
        if (
            last is not None
            and (last.place, last.kind) == (one.place, one.kind)
            and one.begin_s - last.end_s <= gap_s
        ):
            found[-1] = last._replace(end_s=one.end_s, nats=max(last.nats, one.nats))
        else:
            found.append(one)
    return found
