"""When does the network run out, and what is the cheapest capacity that survives every failure?"""

from pathlib import Path

import nettwin

here = Path(__file__).parent
network = nettwin.read(str(here / "intents" / "towns.yaml")).scenario
case = nettwin.read_capacity_case(here / "capacity" / "growth.yaml", network)

outs = nettwin.run_outs(network, case)
for one in outs.found[:4]:
    when = f"in {one.years:.1f} years, between {one.early:.1f} and {one.late:.1f}"
    print(f"{one.element} runs out {when}, when {one.cause or 'nothing'} fails")

found = nettwin.cheapest_upgrade(network, case)
print(f"the cheapest upgrades cost {found.best.cost:.0f}")
for bought in found.best.bought:
    print(f"  {case.period_name(bought.period)}: {bought.line} + {dict(bought.modules)}")
for rule in found.rules:
    print(f"{rule.method} costs {rule.cost:.0f}")
