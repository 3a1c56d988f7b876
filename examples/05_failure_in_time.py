"""A link fails while traffic flows: what is lost until the routers have found new paths."""

from nettwin import Event, FailLink, PacketSimulator, apply_all, generate

network = generate("nsfnet", load=0.4, seed=3)
failed = apply_all(network, [FailLink("Champaign<->Pittsburgh")])

run = PacketSimulator(seed=1).run(
    network,
    until_s=3.0,
    interval_s=0.5,
    events=[Event(1.0, failed, convergence_s=0.5)],
)
for interval in run.intervals:
    loss = interval.metrics.totals(network)["loss_ratio"]
    print(f"{interval.start_s:3.1f} to {interval.end_s:3.1f} s: {loss:5.1%} lost")
