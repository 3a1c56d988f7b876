"""Policies: candidates against loads, free of units, and the same as in PyTorch."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from nettwin.optimize.problems.segment_routing import NONE
from nettwin.optimize.solvers.reinforcement.agent_file import LAYERS
from nettwin.optimize.solvers.reinforcement.link_graph import FEATURES, Weights
from nettwin.optimize.solvers.reinforcement.midpoint_environment import MidpointEnvironment
from nettwin.optimize.solvers.reinforcement.midpoint_policy import (
    EXTRAS,
    UNMASKED,
    MidpointPolicy,
    MidpointView,
)
from nettwin.optimize.solvers.reinforcement.teachers import Answer, Prices
from nettwin.optimize.solvers.reinforcement.weight_environment import WeightEnvironment
from nettwin.optimize.solvers.reinforcement.weight_policy import WeightPolicy, WeightView
from tests.optimize.solvers.reinforcement.instances import (
    segment_problem,
    weight_problem,
    with_failures,
)

SIZES = {
    "features": len(FEATURES),
    "width": 6,
    "rounds": 2,
    "heard": 18,
    "channels": 3,
    "scored": 3 + EXTRAS,
    "hidden": 5,
}


def random_weights(task: str, seed: int = 1) -> Weights:
    random = np.random.default_rng(seed)
    return {
        name: (0.4 * random.standard_normal([SIZES[d] for d in shape])).astype(np.float32)
        for name, shape in LAYERS[task].items()
    }


def busy(seed: int, decisions: int = 15) -> MidpointEnvironment:
    """An environment in the middle of an episode."""
    environment = MidpointEnvironment(with_failures(seed, 1) if seed % 2 else segment_problem(seed))
    random = np.random.default_rng(seed)
    for _ in range(decisions):
        environment.take(int(random.choice(np.flatnonzero(environment.mask()))))
    return environment


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_candidates_are_what_the_loads_would_be(seed: int) -> None:
    environment = busy(seed)
    problem, mask = environment.segment_problem, environment.mask()
    view = MidpointView(environment)
    found = view.candidates(mask)
    s, t, _ = environment.ends
    rate = float(problem.rate_bps[environment.flow])
    for node in np.flatnonzero(mask):
        changed = environment.midpoints.copy()
        changed[environment.flow, 0] = NONE if node == s else node
        loads = problem.loads(changed)
        own = problem.segments.loads([s, node], [node, t], np.array([rate, rate]))
        here = slice(found.offset[node], found.offset[node + 1])
        assert set(found.link[here].tolist()) == set(np.flatnonzero(own > 0).tolist())
        used = (loads / problem.capacity_bps)[found.link[here]] / environment.utilization
        np.testing.assert_allclose(found.over[here], np.minimum(used - 1, 1), atol=1e-4)
        part = own[found.link[here]] / rate * view.unit_bps / problem.capacity_bps[found.link[here]]
        np.testing.assert_allclose(found.part[here], part, rtol=1e-4)
        assert found.peak[node] == found.over[here].max()
    assert (np.diff(found.offset)[~mask] == 0).all()


def test_a_choice_does_not_depend_on_units() -> None:
    one, weights = segment_problem(5, 12, 12), random_weights("midpoints")
    other = replace(one, rate_bps=one.rate_bps * 1e3, capacity_bps=one.capacity_bps * 10)
    logits = []
    for problem in (one, other):
        environment = MidpointEnvironment(problem)
        policy = MidpointPolicy(weights, MidpointView(environment))
        logits.append(policy.logits(environment.mask()))
    np.testing.assert_allclose(logits[0], logits[1], rtol=1e-3, atol=1e-4)


def test_links_nobody_asks_about_do_not_blur_the_others() -> None:
    one, weights = segment_problem(5, 12, 12), random_weights("midpoints")
    capacity = one.capacity_bps.copy()
    capacity[:2] = 1e30 * capacity[:2]
    environment = MidpointEnvironment(replace(one, capacity_bps=capacity))
    view = MidpointView(environment)
    logits = MidpointPolicy(weights, view).logits(environment.mask())
    assert np.isfinite(logits).all()
    assert view.unit_bps == pytest.approx(capacity[2:].mean())


def test_prices_are_renewed_when_loads_change() -> None:
    environment, weights = busy(2), random_weights("midpoints")
    kept = MidpointPolicy(weights, MidpointView(environment))
    for _ in range(10):
        mask = environment.mask()
        fresh = MidpointPolicy(weights, MidpointView(environment)).logits(mask)
        np.testing.assert_array_equal(kept.logits(mask), fresh)
        environment.take(int(fresh.argmax()))


def test_what_is_masked_is_never_chosen() -> None:
    environment = busy(4)
    mask = environment.mask()
    mask[np.flatnonzero(mask)[::2]] = False
    mask[environment.ends[2]] = True
    logits = MidpointPolicy(random_weights("midpoints"), MidpointView(environment)).logits(mask)
    assert (logits[~mask] == np.float32(UNMASKED)).all()
    assert mask[logits.argmax()]


def test_teachers_wish_for_what_they_say() -> None:
    environment = busy(2)
    view, mask = MidpointView(environment), environment.mask()
    wish = Prices(steep=32.0, sharp=20.0).wish(view, mask)
    assert wish.sum() == pytest.approx(1.0, abs=1e-5)
    assert not wish[~mask].any()
    answer = np.full_like(environment.midpoints, NONE)
    target = int(np.flatnonzero(mask)[-1])
    answer[environment.flow, 0] = target
    assert Answer(answer).wish(view, mask).argmax() == target
    mask[target] = target == environment.ends[2]
    assert mask[Answer(answer).wish(view, mask).argmax()]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_midpoints_in_torch_are_the_same(seed: int) -> None:
    torch = pytest.importorskip("torch")
    from nettwin.optimize.solvers.reinforcement.training.midpoint_task import MidpointTask, Seen
    from nettwin.optimize.solvers.reinforcement.training.networks import MidpointNetwork
    from nettwin.optimize.solvers.reinforcement.training.steps import Step

    weights = random_weights("midpoints", seed)
    network = MidpointNetwork(width=6, rounds=2, channels=3, hidden=5)
    network.load(weights)
    steps, expected = [], []
    for number in (seed, seed + 1, seed + 2):  # networks of different size in one batch
        environment = busy(number)
        view, mask = MidpointView(environment), environment.mask()
        found = view.candidates(mask)
        seen = Seen(view.graph, view.links(), mask, view.extras(mask, found), found)
        steps.append(Step(seen, 0, 0.0))
        expected.append(MidpointPolicy(weights, view).logits(mask))
    with torch.no_grad():
        logits, values = MidpointTask.forward(None, network, steps)  # type: ignore[arg-type]
    assert len(values) == len(steps)
    for row, numbers in zip(logits.numpy(), expected, strict=True):
        np.testing.assert_allclose(row[: len(numbers)], numbers, rtol=1e-5, atol=1e-5)
        assert (row[len(numbers) :] == np.float32(UNMASKED)).all()
    assert network.exported().keys() == weights.keys()


def test_weights_in_torch_are_the_same() -> None:
    torch = pytest.importorskip("torch")
    from nettwin.optimize.solvers.reinforcement.training.networks import WeightNetwork
    from nettwin.optimize.solvers.reinforcement.training.steps import Step
    from nettwin.optimize.solvers.reinforcement.training.weight_task import Seen, WeightTask

    weights = random_weights("weights")
    network = WeightNetwork(width=6, rounds=2, hidden=5)
    network.load(weights)
    steps, expected = [], []
    for seed in (1, 2):
        environment = WeightEnvironment(weight_problem(seed))
        view, mask = WeightView(environment), environment.mask()
        steps.append(Step(Seen(view.graph, view.links(), mask), 0, 0.0))
        expected.append(WeightPolicy(weights, view).logits(mask))
    with torch.no_grad():
        logits, _ = WeightTask.forward(None, network, steps)  # type: ignore[arg-type]
    for row, numbers in zip(logits.numpy(), expected, strict=True):
        np.testing.assert_allclose(row[: len(numbers)], numbers, rtol=1e-5, atol=1e-5)
    assert network.exported().keys() == weights.keys()
