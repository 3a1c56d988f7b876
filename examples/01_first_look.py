"""A network in, delay, loss and utilization out: the NSFNET backbone by queueing theory."""

import nettwin

network = nettwin.generate("nsfnet", load=0.75, classes="three", scheduler="wfq", seed=7)
metrics = nettwin.engine("theory").predict([network])[0]

print(network)
links = metrics.links(network).sort_values("utilization", ascending=False)
print("busiest links:")
for name, link in links.head(3).iterrows():
    print(f"  {name:22} {link.utilization:6.1%}")

flows = metrics.flows(network).assign(traffic_class=network.flows["class"])
print("mean delay by class:")
for name, group in flows.groupby("traffic_class", sort=False):
    print(f"  {name:12} {group.owd_mean_s.mean() * 1e3:6.2f} ms")
