"""When does the network run out, and what is the cheapest capacity that survives every failure?"""

from pathlib import Path

import nettwin
from nettwin.apps.capacity import read_case, words
from nettwin.apps.capacity.runout import run_outs
from nettwin.apps.capacity.upgrade import upgrade

here = Path(__file__).parent
network = nettwin.read(str(here / "intents" / "towns.yaml")).scenario
case = read_case(here / "capacity" / "growth.yaml", network)

outs = run_outs(network, case)
print(words.of_run_outs(outs))
for one in outs.found[:4]:
    print(f"  {one.element}: {words.when(outs, one.years)}, when {one.cause} fails")

found = upgrade(network, case)
print(words.of_upgrade(found))
for bought in found.best.bought:
    print(f"  {case.period_name(bought.period)}: {bought.line} + {dict(bought.modules)}")
