"""Rules: what people do instead of planning: upgrade every link above 50 %, or what fails first.

Both look at one period at a time, buy the cheapest modules for that period alone, and end with the
same check: no link is offered more than it may be after any single failure.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nettwin.apps.capacity.purchase import Ground, Purchases, purchases
from nettwin.optimize.solvers.linear.modules import cheapest_modules

HALF = 0.5
RULES = ("hand rule", "greedy")


def by_rule(of: Ground, rule: str) -> Purchases:
    """What a rule buys. `hand rule`: in every period each link that is offered more than 50 % with
    nothing failed is upgraded to below; then, as in `greedy`, each that a failure overloads."""
    case = of.case
    lines, size = of.lines, np.array([m.capacity_bps for m in case.modules])
    price = lines.prices(of.scenario.topology, case.modules)
    count = np.zeros((len(lines.name), case.periods, len(size)), np.int64)
    capacity = of.scenario.topology.link_capacity_bps
    for period in range(case.periods):
        if rule == "hand rule":
            lacks = lines.most(of.calm_bps[period] / HALF - capacity)
            count[:, period] += _now(lacks, count, size, price, case.visit)
        count[:, period] += _now(of.need_bps[:, period], count, size, price, case.visit)
    return purchases(rule, of, count)


def _now(
    lacks: NDArray[np.float64],
    count: NDArray[np.int64],
    size: NDArray[np.float64],
    price: NDArray[np.float64],
    visit: float,
) -> NDArray[np.int64]:
    """The cheapest modules for what lines lack today, past what was bought. [lines, modules]"""
    still = lacks - count.sum(axis=1) @ size
    still[still < 1e-9 * size.min()] = 0.0
    one = np.ones(1)
    found = cheapest_modules(
        still[:, None], size, price, visit, one, np.full(1, np.inf), lambda: 1e6
    )
    return np.asarray(found.count[:, 0])
