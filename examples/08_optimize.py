"""Which three flows should move to empty the busiest link? Searched, replayed, simulated."""

import nettwin
from nettwin import Expectation, Intent, Selector, Steps

network = nettwin.generate("nsfnet", load=0.9, seed=7)
few = Intent(name="three moves", most_changes=3)  # minimize the offered load, by SR midpoints

plan = nettwin.find_plan(network, few, stop=Steps(20_000), seed=1)
before, after = plan.before.objectives[0], plan.after.objectives[0]
print(f"busiest link {before:.1%} -> {after:.1%} by")
for change in plan.changes:
    print(" ", change.describe())

answer = nettwin.what_if(network, plan.changes, nettwin.engine("theory"))
print(f"replayed: {answer.scenario_after.link_offered_load.max():.1%}")

quick = Intent(
    name="quick",
    expect=(Expectation("delay_p99", Selector(flow=("Seattle->Princeton",)), at_most=25e-3),),
)
slow = nettwin.Problem(network, quick, nettwin.engine("theory"))
line = slow.judged_by(nettwin.engine("packet", seed=1), plan.changes).lines[0]
print(f"{line.text}: {'met' if line.met else 'missed'}, simulated {1e3 * line.value:.1f} ms")
