"""Loads of links from what their ports count."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy.signal import lfilter

from nettwin.errors import InputError
from nettwin.scenario.topology import Link, Node, Topology
from nettwin.telemetry.links import link_loads
from nettwin.telemetry.ports import Names
from nettwin.telemetry.series import Port, Series

STEP_S, COUNT = 30.0, 240
GRID_S = np.arange(COUNT + 1) * STEP_S


def ring(nodes: int = 5, capacity_bps: float = 10e9) -> Topology:
    names = [f"n{i}" for i in range(nodes)]
    ends = [(names[i], names[(i + 1) % nodes]) for i in range(nodes)]
    links = [Link(a, b, capacity_bps) for pair in ends for a, b in (pair, pair[::-1])]
    return Topology.build([Node(name) for name in names], links)


def octets(topology: Topology, seed: int = 1) -> Callable[[int, np.ndarray], np.ndarray]:
    """What each link carried by a time, in octets: rates that wander in steps of 10 s."""
    draw = np.random.default_rng(seed)
    fine = np.arange(-600.0, GRID_S[-1] + 600.0, 10.0)
    noise = draw.normal(0, 0.08, (topology.link_count, len(fine)))
    rate = 1e8 * np.exp(lfilter([1.0], [1.0, -0.95], noise, axis=1))
    total = np.cumsum(rate * 10.0, axis=1) - rate * 10.0
    return lambda link, at: np.floor(np.interp(at, fine, total[link]))


def telemetry(
    topology: Topology,
    counted: Callable[[int, np.ndarray], np.ndarray],
    ahead_s: dict[str, float] | None = None,
) -> list[Series]:
    """Each port read every 30 s at a moment of its own, by its device's clock."""
    back = {
        (s, t): k
        for k, (s, t) in enumerate(
            zip(topology.link_source.tolist(), topology.link_target.tolist(), strict=True)
        )
    }
    found = []
    for k, name in enumerate(topology.link_name):
        source, target = int(topology.link_source[k]), int(topology.link_target[k])
        device = topology.node_name[source]
        true_s = GRID_S + 30 * ((k * 0.37) % 1) - 30
        told_s = true_s + (ahead_s or {}).get(device, 0.0)
        reverse = back[target, source]
        for quantity, link in (("out_octets", k), ("in_octets", reverse)):
            found.append(Series(Port(device, name), quantity, told_s, counted(link, true_s)))
    return found


def test_ports_that_are_read_at_their_own_times_come_onto_one_grid() -> None:
    topology = ring()
    counted = octets(topology)
    loads = link_loads(telemetry(topology, counted), topology, Names(), interval_s=60.0)
    assert not loads.findings.found
    edges = np.append(loads.time_s[0] - 60.0, loads.time_s)
    inside = slice(1, -1)
    for link in range(topology.link_count):
        truth = np.diff(counted(link, edges)) * 8 / 60.0
        error = np.abs(loads.bps[inside, link] / truth[inside] - 1)
        assert np.nanmedian(error) < 0.03


def test_a_clock_that_is_off_is_found_and_its_times_shifted() -> None:
    topology = ring()
    counted = octets(topology)
    honest = link_loads(telemetry(topology, counted), topology, Names(), interval_s=60.0)
    series = telemetry(topology, counted, {"n2": 120.0})
    loads = link_loads(series, topology, Names(), interval_s=60.0)
    (clock,) = (one for one in loads.findings.found if one.kind == "clock")
    assert clock.where == "n2"
    assert float(clock.detail.split()[0]) == pytest.approx(120, abs=10)
    link = topology.link("n2->n3")
    _, a, b = np.intersect1d(loads.time_s, honest.time_s, return_indices=True)
    error = np.abs(loads.bps[a, link] / honest.bps[b, link] - 1)
    assert np.nanmedian(error) < 0.02


def test_no_clock_is_blamed_for_traffic_that_differs() -> None:
    """Ends that count unlike things are said to, and shifted by nothing."""
    topology = ring()
    counted = octets(topology)
    other = octets(topology, seed=2)
    series = telemetry(topology, counted)
    wrong = [
        s for s in telemetry(topology, other) if s.port.device == "n2" and s.quantity[0] == "i"
    ]
    keys = {(s.port, s.quantity) for s in wrong}
    mixed = [s for s in series if (s.port, s.quantity) not in keys] + wrong
    kinds = {one.kind for one in link_loads(mixed, topology, Names()).findings.found}
    assert kinds == {"ends_disagree"}


def test_a_device_that_restarts_loses_one_interval_of_each_counter() -> None:
    topology = ring()
    counted = octets(topology)
    series = []
    for one in telemetry(topology, counted):
        if one.port.device == "n1":
            value = one.value.copy()
            value[100:] -= value[100] - 1e6
            one = Series(one.port, one.quantity, GRID_S, value)
        series.append(one)
    loads = link_loads(series, topology, Names(), interval_s=30.0)
    kinds = {one.kind: one for one in loads.findings.found}
    assert "restart" in kinds and "wrap" not in kinds
    assert np.nanmax(loads.bps) < 10e9


def test_the_far_end_stands_in_for_a_port_that_is_not_read() -> None:
    topology = ring()
    counted = octets(topology)
    series = [s for s in telemetry(topology, counted) if s.port.device != "n0"]
    loads = link_loads(series, topology, Names(), interval_s=60.0)
    assert np.isfinite(loads.bps[2:-2]).all()


def test_speed_0_and_another_speed_are_said() -> None:
    topology = ring()
    series = telemetry(topology, octets(topology))
    first, second = series[0].port, series[2].port
    series += [
        Series(first, "speed_bps", GRID_S[:1], np.zeros(1)),
        Series(second, "speed_bps", GRID_S[:1], np.full(1, 1e9)),
    ]
    loads = link_loads(series, topology, Names())
    kinds = {one.kind: one.where for one in loads.findings.found}
    assert kinds["speed_zero"] == str(first)
    assert kinds["speed_differs"] == str(second)


def test_reshuffled_interfaces_are_unmatched_and_named() -> None:
    """After a reboot a device may number its interfaces anew: what is read by index is no port."""
    topology = ring()
    series = [
        Series(Port(s.port.device, "17"), s.quantity, s.time_s, s.value)
        for s in telemetry(topology, octets(topology))
    ]
    with pytest.raises(
        InputError, match=r"none of 5 ports.*no link of n0 is named so; near: n0->n1"
    ):
        link_loads(series, topology, Names())


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"since_s": 1e12}, "less than one interval"),
        ({"interval_s": 1e-4}, "must be at most"),
    ],
)
def test_times_that_cannot_be_are_told(more: dict[str, float], told: str) -> None:
    topology = ring()
    with pytest.raises(InputError, match=told):
        link_loads(telemetry(topology, octets(topology)), topology, Names(), **more)
