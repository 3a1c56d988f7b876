"""What packets meet at hops is written down once for hops that are alike; answers stay the same."""

from __future__ import annotations

import numpy as np
import pytest

from nettwin.engines.learned.inputs import inputs_of
from nettwin.engines.theory.flows import hop_delays
from nettwin.engines.theory.network import solve
from nettwin.scenario.arrivals import CBR, ArrivalProcess, OnOff, Poisson
from nettwin.scenario.generate import generate
from nettwin.scenario.packet_sizes import Fixed
from nettwin.scenario.scenario import Scenario

MIXED = (Poisson(), OnOff(0.01, 0.03), CBR())


def network(load: float, arrivals: tuple[ArrivalProcess, ...], unused: int = 0) -> Scenario:
    """A small network whose flows have packets of two sizes; more sizes that nobody uses."""
    scenario = generate("grid", nodes=9, seed=2, load=load, classes="three", scheduler="wfq")
    traffic = scenario.traffic
    which = np.arange(traffic.flow_count, dtype=np.int32)
    return scenario.with_(
        traffic=traffic.with_arrays(
            arrivals=arrivals,
            flow_arrival=which % len(arrivals),
            sizes=(Fixed(4000.0), Fixed(12_000.0), *(Fixed(8000.0 + k) for k in range(unused))),
            flow_size=which // 3 % 2,
        )
    )


@pytest.mark.parametrize("load", [0.6, 1.4])
@pytest.mark.parametrize("arrivals", [(Poisson(),), MIXED])
def test_hops_that_share_a_kind_meet_what_each_would_alone(
    load: float, arrivals: tuple[ArrivalProcess, ...]
) -> None:
    scenario, apart = network(load, arrivals), network(load, arrivals, unused=500)
    state = solve(scenario)
    together, each = hop_delays(scenario, state), hop_delays(apart, solve(apart))
    assert together.shared > 0
    assert each.shared == 0  # there would be more kinds than hops
    assert len(together.each.loss) < len(each.each.loss) or len(arrivals) > 1
    for found, alone in zip(together.at_hops(), each.at_hops(), strict=True):
        np.testing.assert_array_equal(found, alone)
    for name, values in inputs_of(scenario)._asdict().items():
        expected = getattr(inputs_of(apart), name)
        np.testing.assert_allclose(values, expected, rtol=1e-6, atol=1e-12, err_msg=name)
