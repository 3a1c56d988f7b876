"""The baselines: the same answers with and without PyTorch, and no help from theory."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest

from nettwin.engines.learned.answer import Answer
from nettwin.engines.learned.architecture import architecture
from nettwin.engines.learned.features import HOP_BASE, QUEUE_BASE
from nettwin.engines.learned.inputs import Inputs, inputs_of
from nettwin.engines.theory import Theory
from nettwin.scenario.changes import FailLink
from nettwin.scenario.generate import generate
from nettwin.scenario.scenario import Scenario
from nettwin.scenario.topology import Link, Topology
from nettwin.scenario.traffic import Flow, Traffic

torch = pytest.importorskip("torch", reason="needs the extra train")

from nettwin.engines.learned.training.batch import Batch, batch_of, labels_of  # noqa: E402
from nettwin.engines.learned.training.outputs import errors, total  # noqa: E402

BASELINES = ("mlp", "rnn", "routenet")


@cache
def scenarios() -> dict[str, Scenario]:
    """Networks with several paths a flow, losses, long paths, and flows that do not arrive."""
    mesh = generate("grid", nodes=9, load=0.9, classes="three", scheduler="wfq", capacity_bps=2e6)
    topology = Topology.build("ABC", [Link("A", "B", 1e6, 1e-3), Link("B", "C", 1e5)])
    flows = [Flow("A", "C", 9e4), Flow("A", "B", 5e5), Flow("C", "A", 1e5)]
    return {
        "mesh": mesh,
        "link down": FailLink(link=mesh.topology.link_name[0]).apply(mesh),
        "overload": generate("line", nodes=8, load=1.4, arrival="onoff", capacity_bps=2e6),
        "no path back": Scenario(topology, Traffic.build(topology, flows)),
    }


@cache
def inputs(name: str) -> Inputs:
    return inputs_of(scenarios()[name])


def batch(name: str) -> Batch:
    return batch_of(inputs(name), labels_of(Theory().predict([scenarios()[name]])[0]))


@cache
def network(name: str) -> Any:
    """A network whose weights are all drawn, those that begin at 0 too."""
    torch.manual_seed(5)
    made = architecture(name).network()
    with torch.no_grad():
        for parameter in made.parameters():
            parameter += 0.05 * torch.randn_like(parameter)
    return made.eval()


def weights(name: str) -> dict[str, Any]:
    return {k: v.numpy() for k, v in network(name).state_dict().items()}


def told(answer: Answer) -> list[np.ndarray[Any, Any]]:
    return [answer.mean_s, answer.variance_s2, answer.loss, answer.percentile_s, answer.ln_scale]


@pytest.mark.parametrize("scenario", list(scenarios()))
@pytest.mark.parametrize("name", BASELINES)
def test_it_answers_alike_without_torch(name: str, scenario: str) -> None:
    with torch.no_grad():
        out = network(name)(batch(scenario))
    answer = architecture(name).answer(inputs(scenario), [weights(name)])
    known = np.isfinite(answer.mean_s)
    assert known.any()
    passed = out.ln_passing.numpy()
    assert (passed[~known] < -20).all()
    np.testing.assert_allclose(answer.loss, -np.expm1(passed), rtol=1e-5, atol=1e-6)
    for ours, theirs in (
        (answer.mean_s, out.mean_s),
        (answer.variance_s2, out.variance_s2),
        (answer.percentile_s, out.percentile_s.clamp(min=0.0)),
    ):
        np.testing.assert_allclose(ours[known], theirs.numpy()[known], rtol=1e-5)
    np.testing.assert_allclose(answer.ln_scale[known], out.ln_scale.numpy()[known], atol=1e-5)


@pytest.mark.parametrize("name", BASELINES)
def test_names_and_order_say_nothing(name: str) -> None:
    scenario = scenarios()["mesh"]
    topology, traffic = scenario.topology, scenario.traffic
    random = np.random.default_rng(3)
    links, flows = random.permutation(topology.link_count), random.permutation(traffic.flow_count)
    moved = topology.with_arrays(
        link_name=tuple(topology.link_name[k] for k in links),
        link_srlg=tuple(topology.link_srlg[k] for k in links),
        **{
            column: getattr(topology, column)[links]
            for column in (
                *("link_source", "link_target", "link_capacity_bps", "link_delay_s"),
                *("link_weight", "link_up", "link_scheduler"),
            )
        },
    )
    other = Scenario(moved, traffic.keep(flows), scenario.routing)
    first = architecture(name).answer(inputs("mesh"), [weights(name)])
    second = architecture(name).answer(inputs_of(other), [weights(name)])
    for a, b in zip(told(first), told(second), strict=True):
        np.testing.assert_allclose(a[flows], b, rtol=2e-4)  # float32 sums in another order


def without_theory(given: Inputs) -> Inputs:
    """The same network, of which theory says something else entirely."""
    random = np.random.default_rng(8)

    def other(values: np.ndarray[Any, Any], first: int = 0) -> np.ndarray[Any, Any]:
        found = values.copy()
        found[..., first:] = random.normal(size=found[..., first:].shape)
        return found

    return given._replace(
        queue=other(given.queue, len(QUEUE_BASE)),
        hop=other(given.hop, len(HOP_BASE)),
        waiting_s=3.0 * given.waiting_s,
        waiting_cv2=0.5 * given.waiting_cv2,
        loss_logit=given.loss_logit + 2.0,
        shape=other(given.shape),
    )


@pytest.mark.parametrize("sure", [True, False])
@pytest.mark.parametrize("name", [*BASELINES, "gnn"])
def test_only_the_gnn_hears_what_theory_says(name: str, sure: bool) -> None:
    """Neither in what it looks at, nor where it expects to be far off."""
    given, own = inputs("overload"), weights(name)
    last = "tail.bias" if name == "gnn" else "readout.tail.bias"
    own[last] = own[last] + np.array([0, 0, 0, 0 if sure else 6], np.float32)
    first, second = (
        told(architecture(name).answer(i, [own])) for i in (given, without_theory(given))
    )
    assert np.nanmax(first[-1]) < -1 if sure else np.nanmin(first[-1]) > -0.5
    same = [np.array_equal(a, b, equal_nan=True) for a, b in zip(first, second, strict=True)]
    assert all(same) if name != "gnn" else not any(same)


@pytest.mark.parametrize("name", BASELINES)
def test_only_routenet_hears_what_other_flows_are(name: str) -> None:
    given = inputs("mesh")
    changed = given.flow.copy()
    changed[1:] += 1.0
    first, second = (
        architecture(name).answer(i, [weights(name)]).mean_s[0]
        for i in (given, given._replace(flow=changed))
    )
    assert (first != second) == (name == "routenet")


@pytest.mark.parametrize("name", BASELINES)
def test_networks_of_an_ensemble_meet_in_the_middle(name: str) -> None:
    """Two networks give the geometric mean of their delays, and their distance as spread."""
    one, given = weights(name), inputs("mesh")
    two = {k: v + 0.02 if k == "readout.correct.bias" else v for k, v in one.items()}
    a, b, both = (
        architecture(name).answer(given, members) for members in ([one], [two], [one, two])
    )
    np.testing.assert_allclose(both.mean_s, np.sqrt(a.mean_s * b.mean_s), rtol=1e-12)
    np.testing.assert_allclose(both.spread, np.log(b.mean_s / a.mean_s) / 2, rtol=1e-6)
    assert (both.spread > 0).all() and (a.spread == 0).all()


def test_the_untrained_gnn_is_the_theory() -> None:
    plain = {k: v.numpy() for k, v in architecture("gnn").network().state_dict().items()}
    for name, scenario in scenarios().items():
        answer = architecture("gnn").forwarded(inputs(name), [plain])
        theory = Theory().predict([scenario])[0].flow
        np.testing.assert_allclose(answer.mean_s, theory["owd_mean_s"], rtol=1e-3)
        np.testing.assert_allclose(answer.loss, theory["loss_ratio"], atol=1e-3)


def test_the_bayesian_network_draws_gnns_around_its_means() -> None:
    torch.manual_seed(2)
    made, given = architecture("bayesian").network(members=6), batch("mesh")
    members = [{k: v.detach().numpy() for k, v in m.items()} for m in made.exported()]
    assert len(members) == 6
    answer = architecture("bayesian").forwarded(inputs("mesh"), members)
    assert (answer.spread > 0).all()
    center = {k: v.numpy() for k, v in made.center.state_dict().items()}
    middle = architecture("gnn").forwarded(inputs("mesh"), [center]).mean_s
    assert (np.abs(np.log(answer.mean_s / middle)) < 6 * answer.spread).all()
    with torch.no_grad():
        assert not torch.equal(made(given).mean_s, made(given).mean_s)  # drawn at every step
        made.eval()
        np.testing.assert_allclose(made(given).mean_s.numpy(), middle, rtol=1e-5)


def test_the_bayesian_penalty_is_the_divergence_from_the_prior() -> None:
    made = architecture("bayesian").network(prior=0.3, observations=100.0, unit=0.5)
    made.requires_grad_(False)
    prior, divergence = torch.distributions.Normal(0, 0.3), 0.0
    for name, mean in made.center.named_parameters():
        deviation = torch.exp(made.ln_deviation[name.replace(".", "/")])
        found = torch.distributions.Normal(mean, deviation)
        divergence += float(torch.distributions.kl_divergence(found, prior).sum())
    assert float(made.penalty(1.0)) == pytest.approx(0.005 * divergence, rel=1e-4)
    assert float(made.penalty(0.0)) == 0.0
    assert 0 < float(made.penalty(0.1)) < float(made.penalty(0.2))


@pytest.mark.parametrize("name", [*BASELINES, "bayesian"])
def test_it_learns(name: str) -> None:
    """A few steps on one network bring the error down."""
    torch.manual_seed(1)
    made, given = architecture(name).network(), batch("mesh")
    wrong = given._replace(mean_s=1.3 * given.mean_s, percentile_s=1.3 * given.percentile_s)
    optimizer = torch.optim.Adam(made.parameters(), 5e-3)
    found = []
    for _ in range(30):
        loss = total(errors(made(wrong), wrong))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        found.append(float(loss.detach()))
    assert found[-1] < 0.7 * found[0]
