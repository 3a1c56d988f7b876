"""Theory where bursts outlast buffers, and where links have spread packets apart already."""

from __future__ import annotations

import numpy as np
import pytest

from nettwin.engines.packet import PacketSimulator
from nettwin.engines.theory import Theory
from nettwin.engines.theory.bursts import compress, fluid
from nettwin.engines.theory.formulas import FIRST, Formulas, formulas_of
from nettwin.engines.theory.guarantees import guarantees
from nettwin.engines.theory.inputs import input_table
from nettwin.engines.theory.network import solve
from nettwin.engines.theory.tables import tables
from nettwin.metrics import Metrics
from nettwin.scenario.arrivals import MMPP, ArrivalProcess, OnOff
from nettwin.scenario.generate import generate
from nettwin.scenario.packet_sizes import Exponential, Fixed, PacketSize, Uniform
from nettwin.scenario.scenario import Scenario
from nettwin.scenario.scheduling import Queue, Scheduler, fifo, strict_priority, wfq
from nettwin.scenario.topology import Link, Topology
from nettwin.scenario.traffic import Flow, Traffic

FAST = 100e6
SIZE = Fixed(8000.0)


def network(links: list[Link], flows: list[Flow]) -> Scenario:
    names = sorted({name for link in links for name in (link.source, link.target)})
    topology = Topology.build(names, links)
    return Scenario(topology, Traffic.build(topology, flows))


def port(flows: list[Flow], scheduler: Scheduler | None = None) -> Scenario:
    return network([Link("A", "B", FAST, scheduler=scheduler or fifo(32))], flows)


def chain(capacities: list[float], load: float, size: PacketSize = SIZE) -> Scenario:
    names = "ABCDEFGHIJ"
    links = [
        Link(names[k], names[k + 1], c, scheduler=fifo(1000)) for k, c in enumerate(capacities)
    ]
    flow = Flow("A", names[len(capacities)], load * FAST, size=size)
    return network(links, [flow])


def predict(scenario: Scenario) -> Metrics:
    return Theory().predict([scenario])[0]


def simulate(scenario: Scenario, packets: int = 1_000_000) -> Metrics:
    return PacketSimulator(jobs=1, precision=0.0, max_packets=packets).predict([scenario])[0]


@pytest.mark.parametrize(
    ("arrival", "load", "loss"),
    [
        (OnOff(1.0, 9.0), 0.3, 0.666),  # the on rate is 3 times the link's: 2/3 is lost
        (OnOff(1e-3, 99e-3), 0.1, 0.676),
        (OnOff(10e-3, 90e-3), 0.5, 0.748),
    ],
)
def test_a_burst_that_outlasts_the_buffer_is_lost(
    arrival: ArrivalProcess, load: float, loss: float
) -> None:
    metrics = predict(port([Flow("A", "B", load * FAST, size=SIZE, arrival=arrival)]))
    assert metrics.flow["loss_ratio"][0] == pytest.approx(loss, abs=0.01)
    assert metrics.link["utilization"][0] == pytest.approx(load * (1 - loss), abs=0.005)


def test_one_source_and_a_finite_buffer_is_exact() -> None:
    """The balance of what comes and goes, and the closed form of Anick, Mitra and Sondhi."""
    over, rise, fall, leaves, buffer = 0.1, 2.0, 1.0, 100.0, 0.005
    comes = leaves * over / (1 - over)
    full, content, square = fluid(over, rise, fall, leaves, buffer)
    decay = leaves / rise - comes / fall
    x = np.linspace(0.0, buffer, 200_001)
    density = np.exp(-decay * x)
    whole = np.trapezoid(density, x) + rise / leaves * density[-1]
    assert full == pytest.approx(rise / leaves * density[-1] / whole, rel=1e-6)
    assert content == pytest.approx(over * np.trapezoid(x * density, x) / whole, rel=1e-6)
    assert square == pytest.approx(over * np.trapezoid(x * x * density, x) / whole, rel=1e-6)
    # what is carried while the queue is not empty is what comes and is not lost
    empty = (1 - over) - rise / fall * over * np.trapezoid(density, x) / whole
    carried = 1 - empty  # of a port of rate 1 to which nothing comes while it falls
    assert carried == pytest.approx(over * (1 + rise) - over * full * rise, rel=1e-6)


@pytest.mark.parametrize("buffer", [32, 500, 2000])
def test_one_source_is_as_simulated(buffer: int) -> None:
    arrival = OnOff(10e-3, 90e-3)
    scenario = port([Flow("A", "B", 0.5 * FAST, size=SIZE, arrival=arrival)], fifo(buffer))
    ours, measured = predict(scenario), simulate(scenario)
    assert ours.flow["owd_mean_s"][0] == pytest.approx(measured.flow["owd_mean_s"][0], rel=0.05)
    assert ours.flow["loss_ratio"][0] == pytest.approx(measured.flow["loss_ratio"][0], abs=0.02)


@pytest.mark.parametrize(
    "scheduler",
    [fifo(32), strict_priority(["a", "b"], 32), wfq({"a": 1.0, "b": 1.0}, 32)],
    ids=["fifo", "sp", "wfq"],
)
def test_whose_bursts_it_is_loses_more(scheduler: Scheduler) -> None:
    """An on-off flow beside a Poisson one: each loses what a simulation says."""
    flows = [
        Flow("A", "B", 0.3 * FAST, "b", SIZE, OnOff(10e-3, 90e-3), name="bursts"),
        Flow("A", "B", 0.4 * FAST, "a", SIZE, name="smooth"),
    ]
    scenario = port(flows, scheduler)
    ours, measured = predict(scenario), simulate(scenario)
    assert ours.flow["loss_ratio"] == pytest.approx(measured.flow["loss_ratio"], abs=0.04)


@pytest.mark.parametrize("sources", [2, 5, 10])
def test_few_sources(sources: int) -> None:
    arrival = OnOff(10e-3, 40e-3)
    rate = 0.6 * FAST / sources
    flows = [Flow("A", "B", rate, size=SIZE, arrival=arrival, name=f"f{k}") for k in range(sources)]
    ours, measured = predict(port(flows)), simulate(port(flows))
    loss = measured.flow["loss_ratio"].mean()
    assert ours.flow["loss_ratio"].mean() == pytest.approx(loss, abs=0.03)
    delay = measured.flow["owd_mean_s"].mean()
    assert ours.flow["owd_mean_s"].mean() == pytest.approx(delay, rel=0.2)


@pytest.mark.parametrize("sources", [3, 5, 10, 20])
def test_bursts_of_several_sources_fill_deep_buffers(sources: int) -> None:
    """Without loss the content of the buffer is as large as the sources together make it."""
    rate, arrival = 0.8 * FAST / sources, OnOff(10e-3, 40e-3)
    flows = [Flow("A", "B", rate, size=SIZE, arrival=arrival, name=f"f{k}") for k in range(sources)]
    scenario = port(flows, fifo(20_000))
    delay = simulate(scenario, 2_000_000).flow["owd_mean_s"].mean()
    assert predict(scenario).flow["owd_mean_s"].mean() == pytest.approx(delay, rel=0.3)


@pytest.mark.parametrize("policy", ["sp", "wfq", "drr", "lsf"])
def test_what_is_left_of_a_burst_is_sent_before_other_classes(policy: str) -> None:
    """On-off flows of three classes: while one empties its buffer, the others find the port used.

    The last class of strict priority lost 0.54 of what it sent while 0.70 was simulated."""
    queues = tuple(Queue(32, weight=w, quantum_bits=12e3 * w) for w in (5.0, 2.0, 1.0))
    scheduler = Scheduler(policy, queues, {name: k for k, name in enumerate("abc")})
    flows = [
        Flow("A", "B", 1.6 * share * FAST, name, Fixed(bits), OnOff(5e-3, 15e-3), name=name)
        for name, share, bits in zip("abc", (0.25, 0.5, 0.25), (8e3, 12e3, 4e3), strict=True)
    ]
    scenario = port(flows, scheduler)
    ours, measured = predict(scenario), simulate(scenario, 2_000_000)
    assert ours.flow["loss_ratio"] == pytest.approx(measured.flow["loss_ratio"], abs=0.1)


def test_two_states_are_as_simulated() -> None:
    flow = Flow("A", "B", 0.5 * FAST, size=SIZE, arrival=MMPP(10.0, 10e-3, 90e-3))
    ours, measured = predict(port([flow])), simulate(port([flow]))
    assert ours.flow["loss_ratio"][0] == pytest.approx(measured.flow["loss_ratio"][0], abs=0.02)
    assert ours.flow["owd_mean_s"][0] == pytest.approx(measured.flow["owd_mean_s"][0], rel=0.05)


def test_putting_atoms_together_keeps_mean_and_variance() -> None:
    random = np.random.default_rng(7)
    x, w = np.sort(random.normal(size=40)), random.dirichlet(np.ones(40))
    mean, variance = (w * x).sum(), (w * x * x).sum() - (w * x).sum() ** 2
    assert compress(x, w, 40, 9) == 9
    assert w[:9].sum() == pytest.approx(1.0)
    assert (w[:9] * x[:9]).sum() == pytest.approx(mean)
    assert (w[:9] * x[:9] ** 2).sum() - mean**2 == pytest.approx(variance)


@pytest.mark.parametrize("load", [0.5, 0.8, 0.95])
def test_equal_links_in_a_row_are_waited_for_once(load: float) -> None:
    """Packets of one size: the waiting of M/D/1 at the first of nine links, none behind it."""
    metrics = predict(chain([FAST] * 9, load))
    service = 8000.0 / FAST
    waiting = load * service / 2 / (1 - load)
    assert metrics.flow["owd_mean_s"][0] == pytest.approx(9 * service + waiting, rel=0.01)


def test_a_faster_link_between_changes_nothing() -> None:
    metrics = predict(chain([FAST, 4 * FAST, FAST], 0.8))
    service = 8000.0 / FAST
    assert metrics.flow["owd_mean_s"][0] == pytest.approx(2.25 * service + 2 * service, rel=0.01)


@pytest.mark.parametrize(("inputs", "speed"), [(2, 1.0), (4, 1.0), (4, 4.0), (10, 0.2), (3, 0.5)])
def test_trees_are_as_simulated(inputs: int, speed: float) -> None:
    links = [Link(f"L{k}", "R", speed * FAST, scheduler=fifo(1000)) for k in range(inputs)]
    links.append(Link("R", "S", FAST, scheduler=fifo(1000)))
    rate = 0.8 * FAST / inputs
    scenario = network(links, [Flow(f"L{k}", "S", rate, size=SIZE) for k in range(inputs)])
    ours, measured = predict(scenario), simulate(scenario)
    root = ours.queue["occupancy_mean_packets"][-1]
    assert root == pytest.approx(measured.queue["occupancy_mean_packets"][-1], rel=0.05)


def test_small_packets_wait_behind_large_ones() -> None:
    scenario = chain([FAST] * 5, 0.8, Exponential(8000.0))
    ours, measured = predict(scenario), simulate(scenario)
    behind = ours.queue["occupancy_mean_packets"][1:]
    assert behind == pytest.approx(measured.queue["occupancy_mean_packets"][1:], rel=0.12)


@pytest.mark.parametrize("policy", ["fifo", "sp", "wfq", "drr", "lsf"])
@pytest.mark.parametrize("load", [0.6, 1.2])
def test_what_is_said_is_possible(policy: str, load: float) -> None:
    """Nothing above capacity; loss, throughput and utilization are those of the flows."""
    classes = "single" if policy == "fifo" else "three"
    scenario = generate(
        "line", nodes=5, load=load, scheduler=policy, arrival="onoff", classes=classes
    )
    metrics = predict(scenario)
    assert metrics.link["utilization"].max() <= 1.0 + 1e-12
    flow, traffic = metrics.flow, scenario.traffic
    last = [scenario.paths.of(k)[0][1][-1] for k in range(traffic.flow_count)]
    through = np.bincount(last, flow["throughput_bps"], scenario.topology.link_count)
    assert (through <= metrics.link["throughput_bps"] * (1 + 1e-9)).all()
    assert flow["throughput_bps"] == pytest.approx(traffic.flow_rate_bps * (1 - flow["loss_ratio"]))


def test_no_delay_is_above_what_the_buffer_holds() -> None:
    """32 packets that wait and one that is sent, and the packet itself."""
    most = 34 * 8000.0 / FAST
    for load in (0.9, 1.0, 1.5, 3.0):
        flow = predict(port([Flow("A", "B", load * FAST, size=SIZE)])).flow
        for column in ("owd_mean_s", "owd_p50_s", "owd_p90_s", "owd_p99_s"):
            assert flow[column][0] <= most * (1 + 1e-9)


def test_what_wfq_guarantees_is_what_parekh_and_gallager_prove() -> None:
    """A full queue, ahead of the fluid reference by a packet of each other queue, and a packet of
    theirs that is being sent."""
    queues = tuple(Queue(16.0, weight=w) for w in (1.0, 3.0, 4.0))
    scheduler = Scheduler("wfq", queues, {name: k for k, name in enumerate("abc")})
    sizes = dict(zip("abc", (4e3, 8e3, 12e3), strict=True))
    flows = [Flow("A", "B", 0.2 * FAST, c, Fixed(size), name=c) for c, size in sizes.items()]
    scenario = port(flows, scheduler)
    found = guarantees(tables(scenario).queues, input_table(scenario)).wait_s
    rate = FAST * np.array([1.0, 3.0, 4.0]) / 8.0
    holds = 17.0 * np.array(list(sizes.values()))
    others = np.array([12e3, 12e3, 8e3])
    assert found == pytest.approx((holds + 2 * 12e3) / rate + others / FAST)


def test_a_model_without_an_entry_asks_with_the_first_formulas() -> None:
    assert formulas_of({}) == FIRST
    assert formulas_of({"formulas": {"smoothing": True}}) == Formulas(True, False, False)
    scenario = chain([FAST] * 3, 0.8)
    first = solve(scenario, formulas=FIRST)
    assert first.waiting_s == pytest.approx(np.full(3, first.waiting_s[0]))
    assert solve(scenario).waiting_s[1] < 0.01 * first.waiting_s[1]


def test_a_queue_that_is_starved_when_nothing_comes_has_a_delay() -> None:
    """Strict priority under bursts that overload it: in some combinations of rates the lowest
    class is offered next to nothing and is served nothing; it neither fills nor drains."""
    bursts = MMPP(6.9443161, 6.711e-4, 1.231851e-3)
    small, large = Uniform(397.0, 1123.0), Uniform(5097.0, 10135.0)
    sources = [
        *((2, 8.154e8, small), (0, 7.408e8, small), (2, 1.4814e9, small), (0, 6.5435e8, large)),
        *((2, 9.793e8, large), (3, 3.857e8, large), (1, 1.15258e9, small), (0, 9.6755e8, large)),
        (0, 1.59666e9, large),
    ]
    queues = tuple(Queue(float(packets)) for packets in (8, 59, 41, 20))
    scheduler = Scheduler("sp", queues, {f"class{k}": k for k in range(4)})
    links = [Link(f"n{k}", f"n{k + 1}", 8.06376784e9, scheduler=scheduler) for k in range(4)]
    flows = [
        Flow("n0", "n4", rate, f"class{k}", size, bursts, name=f"f{i}")
        for i, (k, rate, size) in enumerate(sources)
    ]
    metrics = predict(network(links, flows))
    assert np.isfinite(metrics.flow["owd_mean_s"]).all()
    assert np.isfinite(metrics.flow["loss_ratio"]).all()
    highest = metrics.flow["owd_mean_s"][1]  # the class that waits for 8 packets at most
    assert 0 < highest < 4 * (8 + 2) * 10135.0 / 8.06376784e9
