"""Hidden truth: how a simulated network differs from what is planned and told of it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from nettwin.scenario.arrivals import ArrivalProcess, Autocorrelated, Poisson
from nettwin.scenario.packet_sizes import scaled
from nettwin.scenario.scenario import Scenario

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Hidden:
    """Factors on what is told: of each link's capacity and base delay, of packet sizes (overhead of
    layer 2, which counters of links see and those of flows do not), of each flow's demand; and how
    much successive gaps of packets resemble each other."""

    capacity: Floats  # [links]
    delay: Floats  # [links]
    demand: Floats  # [flows]
    overhead: float
    correlation: float

    @classmethod
    def drawn(cls, scenario: Scenario, seed: int, error: float) -> Hidden:
        """Errors of up to `error` (0.05: five percent), the same for one seed."""
        random = np.random.default_rng([seed, 1])
        links, flows = scenario.topology.link_count, scenario.traffic.flow_count

        def factors(count: int) -> Floats:
            return np.asarray(1 + random.uniform(-error, error, count))

        return cls(
            factors(links),
            factors(links),
            factors(flows),
            float(1 + random.uniform(error / 2, error)),
            float(random.uniform(error / 2, error)),
        )

    def truth(self, told: Scenario, rate_bps: Floats) -> Scenario:
        """The network as it really is, with flows that offer `rate_bps` by their own count."""
        topology, traffic = told.topology, told.traffic
        return told.with_(
            topology=topology.with_arrays(
                link_capacity_bps=topology.link_capacity_bps * self.capacity,
                link_delay_s=topology.link_delay_s * self.delay,
            ),
            traffic=replace(
                traffic.with_arrays(flow_rate_bps=rate_bps * self.overhead),
                sizes=tuple(scaled(size, self.overhead) for size in traffic.sizes),
                arrivals=tuple(map(self._bursty, traffic.arrivals)),
            ),
        )

    def _bursty(self, arrival: ArrivalProcess) -> ArrivalProcess:
        plain = isinstance(arrival, Poisson) and not arrival.longest_gap
        return Autocorrelated(self.correlation) if plain and self.correlation > 0 else arrival
