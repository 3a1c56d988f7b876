"""Anomalies: alarms, incidents, and ports alone."""

from __future__ import annotations

import shutil
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from nettwin.apps.anomalies import Watched, watch, watched_of
from nettwin.apps.anomalies.detector import threshold_of
from nettwin.apps.anomalies.fabric import find
from nettwin.apps.anomalies.scorer import cusum
from nettwin.apps.history.past import LOSS, RATE, SENT, Measured, Past
from nettwin.engines.theory import Theory
from nettwin.errors import InputError
from nettwin.scenario.generate import generate
from nettwin.telemetry.mdt import Port, PortCounts, Recording, read_recording

STEP_S = 900.0
FORBIDDEN = ("events.csv", "*_after.xml", "wadjet-*", "*wjt-result*", "explainer-log.csv")


@cache
def past(days: float = 3.0) -> Past:
    """A clean time: rates that wander by 5 %, counters with 1 % of noise."""
    random = np.random.default_rng(4)
    network = generate("ladder", nodes=6, load=0.5, seed=2)
    count = round(days * 86400 / STEP_S)
    times = STEP_S * np.arange(1, count + 1)
    planned = network.traffic.flow_rate_bps
    rates = planned * np.exp(0.05 * random.standard_normal((count, len(planned))))
    share = np.zeros((network.topology.link_count, len(planned)))
    paths = network.paths
    np.add.at(share, (paths.links, paths.hop_flow), paths.share[paths.hop_path])
    sent = rates @ share.T * np.exp(0.01 * random.standard_normal((count, len(share))))
    loss = random.binomial(2000, 1e-4, rates.shape) / 2000
    names = {"flow": network.flow_names, "link": network.topology.link_name}
    measured = {
        f"flow/{RATE}": Measured(names["flow"], rates),
        f"link/{SENT}": Measured(names["link"], sent),
        f"flow/{LOSS}": Measured(names["flow"], loss),
    }

    def states():
        for rate in rates:
            yield network.with_(traffic=network.traffic.with_arrays(flow_rate_bps=rate))

    return Past(times, STEP_S, states, names, measured, "measured")


@cache
def watched() -> Watched:
    return watched_of(past(), Theory())


def with_residual(quantity: str, kind: str, element: str, change) -> Watched:
    """The same time, with an element that is measured otherwise from interval 250 to 260."""
    groups = []
    for group in watched().groups:
        if (group.kind, group.quantity) == (kind, quantity):
            value = group.measured.copy()
            k = group.element.index(element)
            value[250:260, k] = change(value[250:260, k])
            group = replace(group, measured=value)
        groups.append(group)
    return replace(watched(), groups=tuple(groups))


def test_a_clean_time_has_few_alarms() -> None:
    found = watch(watched(), 192, false_a_day=1.0)
    assert len(found.troubles) <= 3


def test_a_counter_that_shows_half_is_a_measurement_at_its_link() -> None:
    link = watched().network.topology.link_name[int(np.argmax(watched().network.link_load_bps))]
    found = watch(with_residual(SENT, "link", link, lambda v: v / 2), 192)
    mine = [t for t in found.troubles if t.begin_s < 260 * STEP_S and t.end_s > 250 * STEP_S]
    assert [(t.kind, t.place) for t in mine] == [("measurement", link)]
    assert mine[0].odd[0].element == link


def test_small_deviations_that_last_add_up() -> None:
    random = np.random.default_rng(1)
    z = random.standard_normal((400, 1))
    assert np.abs(cusum(z, 0.5)).max() < 12
    z[200:] += 1.2
    assert cusum(z, 0.5)[220:240].max() > 12


def test_thresholds_are_exceeded_as_often_as_asked() -> None:
    random = np.random.default_rng(2)
    worst = random.exponential(1.0, 96 * 60)
    threshold = threshold_of(worst, 60.0, 1.0, 2)
    later = random.exponential(1.0, 96 * 60)
    assert 30 <= (later > threshold).sum() <= 120


def test_few_samples_and_bad_rates_are_told() -> None:
    few = watched().at(np.arange(20))
    found = watch(few, 12)
    assert "too little to promise" in found.unsure
    for usual, rate, words in ((2, 1.0, "at least 3"), (12, 0.0, "above 0")):
        with pytest.raises(InputError, match=words):
            watch(few, usual, false_a_day=rate)
    short = replace(past(), times_s=past().times_s[:2])
    with pytest.raises(InputError, match="at least 3"):
        watched_of(short, Theory())


def ports(dead_at: float | None = None) -> Recording:
    """Two routers and a third that does not report, 10 s a sample."""
    random = np.random.default_rng(3)
    times = 10.0 * np.arange(40)
    neighbor, counts = {}, {}
    pairs = [
        ("a", "b", 0),
        ("b", "a", 0),
        ("a", "c", 1),
        ("b", "c", 1),
        ("a", "b", 2),
        ("b", "a", 2),
    ]
    for device, other, n in pairs:
        port = Port(device, f"Ethernet{n}")
        name = f"Ethernet{n}" if other != "c" else f"Ethernet{'ab'.index(device)}"
        neighbor[port] = Port(other, name)
        neighbor[neighbor[port]] = port
    for port in [Port(d, f"Ethernet{n}") for d in "ab" for n in range(3)]:
        rate = np.full(40, 1e9) * np.exp(0.002 * random.standard_normal(40))
        if dead_at is not None and port.name == "Ethernet2":
            rate[times > dead_at] = 0.0
        octets = np.cumsum(rate) * 10 / 8
        counts[port] = PortCounts(times, octets, octets.copy(), np.zeros(40))
    return Recording(counts, neighbor, {}, {})


def test_a_port_that_falls_silent_is_named_with_its_other_end() -> None:
    assert find(ports()) == []
    found = find(ports(dead_at=250.0))
    assert found[0].candidates[0].element == "a Ethernet2 - b Ethernet2"
    assert 250 <= found[0].time_s <= 280


def test_the_answer_to_recordings_needs_no_label_nor_another_detector(
    shared_data: Path, tmp_path: Path
) -> None:
    from benchmarks.suite.cisco import unpacked

    with unpacked(shared_data / "cisco_telemetry") as folders:
        assert folders
        folder = min(folders, key=lambda f: sum(p.stat().st_size for p in f.rglob("*")))
        bare = tmp_path / folder.name
        shutil.copytree(folder, bare, ignore=shutil.ignore_patterns(*FORBIDDEN))
        assert not list(bare.rglob("events.csv"))
        assert find(read_recording(bare)) == find(read_recording(folder)) != []


def test_a_recording_without_counters_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no device reports"):
        read_recording(tmp_path)
