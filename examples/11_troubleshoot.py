"""A link loses packets and nobody says so: which one? Found from what was measured."""

import nettwin

network = nettwin.generate("nsfnet", load=0.6, capacity_bps=1e8, seed=3)
simulator = nettwin.engine("packet", max_packets=300_000, precision=0.0, jobs=1)
fault = nettwin.Fault("random_loss", "Houston->Atlanta", 0.03)
incident = nettwin.rehearsed(network, [fault], simulator)

theory = nettwin.engine("theory")
found = nettwin.diagnose(incident, theory)
for cause in found.causes[:2]:
    print(f"{cause.probability:.1%}  {cause.best.name}")

plan = nettwin.repair_plan(found, theory)
print("repair:", *(change.describe() for change in plan.changes))
print("loss below 0.1 % before and after:", plan.before.met, plan.after.met)
