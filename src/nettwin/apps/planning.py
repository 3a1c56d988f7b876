"""Planning: changes to a network that meet an intent."""

from __future__ import annotations

from nettwin.change_plan import ChangePlan
from nettwin.intent import Intent
from nettwin.model import NetworkModel
from nettwin.optimize.params import SearchParams
from nettwin.optimize.problem import Problem
from nettwin.optimize.search import Tell
from nettwin.optimize.stop import Seconds, Stop
from nettwin.scenario.scenario import Scenario

USUAL = Seconds(5)


def find_plan(
    network: Scenario,
    intent: Intent,
    model: NetworkModel | None = None,
    *,
    method: str = "auto",
    stop: Stop = USUAL,
    seed: int = 0,
    verifier: NetworkModel | None = None,
    tell: Tell | None = None,
    params: SearchParams | None = None,
) -> ChangePlan:
    """The best changes to a network that a method finds until `stop` says so.

    `model` predicts what loads do not tell, such as delays; it is needed where the intent asks for
    them. A `verifier`, usually the packet engine, then looks at the plan, and the search goes on
    where it disagrees. `tell` hears of progress. `params` are the constants of the search. No plan
    is worse than no change; same seed and same steps, same plan. Raises InputError where the intent
    does not fit the network, and UnknownNameError for a method that there is not.
    """
    from nettwin.optimize.optimize import optimize

    problem = Problem(network, intent, model)
    return optimize(problem, method, stop, seed, verifier=verifier, tell=tell, params=params)
