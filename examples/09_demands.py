"""Which demands explain what the links counted? Estimated from counters, with intervals."""

import numpy as np

import nettwin

network = nettwin.generate("nsfnet", load=0.5, seed=3)
random = np.random.default_rng(7)
base = network.traffic.matrix(network.topology.node_count)
uneven = base * random.lognormal(0.0, 0.8, base.shape)  # so that gravity is not the answer
day = 1 + 0.3 * np.sin(2 * np.pi * np.arange(288) / 288)  # every 5 minutes
truth = uneven * day[:, None, None] * random.lognormal(0.0, 0.1, (288, *base.shape))

times = np.arange(288) * 300.0
links, entering, leaving = [], truth.sum(axis=2), truth.sum(axis=1)
for scenario in (network.with_(traffic=nettwin.Traffic.from_matrix(matrix)) for matrix in truth):
    links.append(scenario.link_load_bps)
counters = nettwin.Counters(times, np.array(links), entering, leaving)

for method in ("gravity", "tomogravity", "bayes"):
    found = nettwin.estimate_demands(network, counters, method_name=method)
    error = np.linalg.norm(found.demand_bps - truth) / np.linalg.norm(truth)
    print(f"{method}: off by {error:.0%}")

held = (found.low_bps <= truth) & (truth <= found.high_bps)
print(f"intervals of {found.confidence:.0%} hold {held[:, base > 0].mean():.0%} of the demands")
print(f"least explained: {np.nanmax(np.abs(found.residual_bps) / found.measured_bps):.1%}")
