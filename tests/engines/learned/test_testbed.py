"""The network over ports and flows: what enters it, that training helps, and its two forwards."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from nettwin.engines.learned.testbed import inputs as module
from nettwin.engines.learned.testbed.forward import delays
from nettwin.engines.learned.testbed.inputs import FLOW, HOP, PORT, BurstInputs, inputs_of
from nettwin.formats import read_all
from nettwin.scenario.arrivals import CBR, OnOff
from nettwin.scenario.packet_sizes import Fixed
from nettwin.scenario.scenario import Scenario
from nettwin.scenario.topology import Link, Node, Topology
from nettwin.scenario.traffic import Flow, Traffic

LAB = Path(__file__).parents[2] / "formats/good/testbed/lab.npz"
BURSTS = OnOff(0.25, 0.25, regular=True)


def chain(*rates: float, arrival: object = BURSTS) -> Scenario:
    """Flows a -> d over b and c; the first port alone can be overloaded."""
    topology = Topology.build(
        [Node(n) for n in "abcd"],
        [Link("a", "b", 1e9), Link("b", "c", 1e9), Link("c", "d", 10e9)],
    )
    flows = [Flow("a", "d", r, size=Fixed(8000.0), arrival=arrival) for r in rates]  # type: ignore[arg-type]
    return Scenario(topology, Traffic.build(topology, flows))


def feature(inputs: BurstInputs, name: str) -> float:
    return float(inputs.port[0, PORT.index(name)])


def test_only_ports_that_can_be_overloaded_enter() -> None:
    inputs = inputs_of(chain(3e8, 2e8))
    assert (len(inputs.port), len(inputs.hop), len(inputs.flow)) == (1, 2, 2)
    assert inputs.port.shape[1] == len(PORT)
    assert inputs.hop.shape[1] == len(HOP)
    assert inputs.flow.shape[1] == len(FLOW)
    wire = 1 + module.WIRE_BITS / 8000.0
    assert feature(inputs, "load") == pytest.approx(0.5 * wire)
    assert feature(inputs, "peak") == pytest.approx(1.0 * wire)
    assert feature(inputs, "first") == pytest.approx(1.0)
    # two sources that are on half the time: variance is the sum of their rates squared
    assert feature(inputs, "spread") == pytest.approx(np.hypot(0.3, 0.2) * wire, rel=1e-5)
    assert inputs.hop[:, HOP.index("share")] == pytest.approx([0.6, 0.4])


def test_a_constant_rate_has_no_peak() -> None:
    inputs = inputs_of(chain(3e8, 2e8, arrival=CBR()))
    assert feature(inputs, "peak") == pytest.approx(feature(inputs, "load"))
    assert feature(inputs, "burst_load") == 0
    assert inputs.calm.all()
    assert not inputs_of(chain(3e8, 2e8)).calm.any()


def test_two_inputs_can_overload_a_third_port() -> None:
    nodes = [Node(n) for n in "abcd"]
    links = [Link("a", "c", 1e9), Link("b", "c", 1e9), Link("c", "d", 1e9)]
    topology = Topology.build(nodes, links)
    flows = [Flow(s, "d", 3e8, size=Fixed(8000.0), arrival=BURSTS) for s in "ab"]
    inputs = inputs_of(Scenario(topology, Traffic.build(topology, flows)))
    assert len(inputs.port) == 3
    last = inputs.port[2]
    assert last[PORT.index("inputs")] == pytest.approx(2 / 5)
    assert last[PORT.index("concentration")] == pytest.approx(0.5)
    assert inputs.hop_before.tolist() == [0, 0, 2, 2]


def test_latency_counts_ports_of_either_speed() -> None:
    inputs = inputs_of(chain(1e8))
    assert inputs.latency == pytest.approx(np.array([[1, 2, 1, 8e-6, 16e-6]]))


def simulated(count: int) -> tuple[list[BurstInputs], list[np.ndarray]]:
    """Chains whose delay follows a law that the features can tell."""
    rng = np.random.default_rng(3)
    scenarios = [chain(*rng.uniform(5e7, 4e8, 3)) for _ in range(count)]
    inputs = [inputs_of(s) for s in scenarios]
    excess = [max(0.0, feature(i, "peak") - 1) for i in inputs]
    return inputs, [np.full(3, 5e-5 + 4e-3 * x) for x in excess]


def test_training_learns_and_both_forwards_agree() -> None:
    torch = pytest.importorskip("torch", reason="training needs PyTorch")
    from nettwin.engines.learned.training import testbed as training

    inputs, delay = simulated(120)
    settings = training.Settings(width=12, epochs=20, batch=8, rate=1e-2)
    told: list[float] = []
    before = training.train_testbed(inputs[:90], delay[:90], training.Settings(width=12, epochs=0))
    weights = training.train_testbed(
        inputs[:90], delay[:90], settings, lambda _, loss: told.append(loss)
    )

    def error(trained: dict[str, np.ndarray]) -> float:
        pairs = zip(inputs[90:], delay[90:], strict=True)
        return float(np.mean([np.abs(delays(i, trained)[0] / d - 1).mean() for i, d in pairs]))

    assert error(weights) < 0.1 < 0.5 < error(before)
    assert len(told) == 20
    again = training.train_testbed(inputs[:90], delay[:90], settings)
    assert all(np.array_equal(weights[name], again[name]) for name in weights)

    network = training.BurstNetwork(width=12)
    network.load_state_dict(
        {n: torch.from_numpy(weights[n]) for n, _ in network.named_parameters()}
    )
    scales = training.Scales(
        *({k: weights[f"{k}_{w}"] for k in ("port", "hop", "flow")} for w in ("mean", "scale"))
    )
    base = module.latency_s(inputs[7], weights["latency"].astype(np.float64))
    ready = module.with_latency(inputs[7], base)
    batch = training._batch([(ready, base, delay[7])], scales)
    with torch.no_grad():
        theirs = network(batch).numpy()
    assert delays(inputs[7], weights)[0] == pytest.approx(theirs, rel=1e-5)


def test_a_delay_is_the_sum_of_its_parts() -> None:
    pytest.importorskip("torch", reason="training needs PyTorch")
    from nettwin.engines.learned.training.testbed import Settings, train_testbed

    readings = list(read_all(LAB))
    inputs = [inputs_of(r.scenario) for r in readings]
    for one in inputs:
        object.__setattr__(one, "calm", np.ones_like(one.calm))  # too few to tell latency from
    measured = [r.metrics.flow["owd_mean_s"] for r in readings if r.metrics]
    weights = train_testbed(inputs, measured, Settings(width=8, epochs=1))
    mean, waiting = delays(inputs[0], weights)
    assert np.isfinite(mean).all() and (waiting > 0).all()
    parts = np.bincount(inputs[0].hop_flow, waiting, len(mean))
    assert (mean > parts).all()
