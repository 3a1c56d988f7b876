"""A network of one's own, with a scheduler, by theory and by simulation side by side."""

import nettwin as nt

port = nt.strict_priority(["voice", "data"], buffer_packets=64)
topology = nt.Topology.build(
    ["Madrid", "Paris", "Berlin"],
    [
        nt.Link("Madrid", "Paris", capacity_bps=20e6, delay_s=6e-3, scheduler=port),
        nt.Link("Paris", "Berlin", capacity_bps=10e6, delay_s=5e-3, scheduler=port),
    ],
    duplex=True,
)
traffic = nt.Traffic.build(
    topology,
    [
        nt.Flow("Madrid", "Berlin", 1e6, "voice", nt.Fixed(200 * 8), nt.CBR()),
        nt.Flow("Madrid", "Berlin", 4e6, "data", nt.Fixed(1500 * 8)),
        nt.Flow("Paris", "Berlin", 4e6, "data", nt.Fixed(1500 * 8)),
    ],
)
network = nt.Scenario(topology, traffic, name="three cities")

comparison = nt.compare(network, [nt.engine("theory"), nt.engine("packet", precision=0.01)])
for engine, metrics in comparison.metrics.items():
    for name, delay in zip(network.flow_names, metrics.flow["owd_mean_s"], strict=True):
        print(f"{engine:7} {name:22} {delay * 1e3:5.1f} ms")
