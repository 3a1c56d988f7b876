"""Checks: what lines select, what is proven to be impossible, and what is only doubted."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import nettwin
from nettwin.formats.intent import read_intent
from nettwin.intent.check import Checked, check
from nettwin.intent.diagnostics import Diagnostic
from nettwin.intent.intent import Avoid, Expectation, Intent, Lever, Objective, Prices, Survive
from nettwin.intent.judgement import State, judge
from nettwin.intent.selector import Selector
from nettwin.scenario.generate import generate
from nettwin.scenario.routing import Routing
from tests.intent.towns import FOLDER, INTENTS, towns

VOICE = Selector(traffic_class=("voice",))
FARO = Selector(link=("*Faro*",))


def found(intent: Intent, kind: str = "contradiction") -> list[Diagnostic]:
    return [f for f in check(intent, towns()).diagnostics if f.kind == kind]


def only(intent: Intent, kind: str = "contradiction") -> Diagnostic:
    everything = check(intent, towns()).diagnostics
    mine = [f for f in everything if f.kind == kind]
    assert len(mine) == 1, everything
    return mine[0]


def expecting(*lines: Expectation, **more: object) -> Intent:
    return Intent(expect=lines, **more)  # type: ignore[arg-type]


# selections


def test_lines_say_what_they_select_and_what_can_be_had_at_best() -> None:
    intent = expecting(
        Expectation("delay", VOICE, at_most=0.02),
        Expectation("utilization", FARO, at_most=0.6),
        Expectation("throughput", VOICE, at_least=1e5),
        Expectation("changes", at_most=3),
    )
    lines = {line.place: line for line in check(intent, towns()).lines}
    delay = lines["expect", 0]
    assert (delay.kind, delay.selected, delay.names[0]) == ("flow", 3, "Madrid->Oslo/voice")
    # Oslo to Rome over Vienna and Madrid to Oslo over Paris: 11 ms and two times 1600 bits
    assert delay.bound == pytest.approx(11e-3 + 2 * 1600 / 100e6)
    assert lines["expect", 1].bound == pytest.approx(0.55)  # 5.5 of 10 Mbit/s leave Faro
    assert lines["expect", 2].bound == 5e5  # what Faro offers
    assert lines["expect", 3].names == ("the plan",)
    assert lines["minimize", 0].selected == 12
    assert lines["change", "with", 0].kind == "flow"


def test_bounds_follow_the_levers() -> None:
    faro = Lever("capacities", FARO, at_most_bps=20e6)
    half = Lever("rates", Selector(source=("Faro",)), at_least=0.5)
    for levers, bound in (((faro,), 0.275), ((half,), 0.275), ((faro, half), 0.1375)):
        intent = Intent(((Objective("utilization", FARO),),), levers=levers)
        assert check(intent, towns()).lines[0].bound == pytest.approx(bound)


@pytest.mark.parametrize(
    ("intent", "told"),
    [
        (expecting(Expectation("delay", Selector(source=("Madird",)), at_most=1.0)), "Madrid"),
        (expecting(Expectation("delay", Selector(traffic_class=("vioce",)), at_most=1)), "voice"),
        (expecting(Expectation("utilization", Selector(link=("core-9",)), at_most=1)), "core-1"),
        (expecting(Expectation("delay", Selector(flow=("Rome->Faro",)), at_most=1)), "Rome->Oslo"),
        (expecting(Expectation("delay", Selector(source=("Vienna",)), at_most=1)), "no flow"),
        (expecting(Expectation("utilization", VOICE, at_most=1)), "selector of a link"),
        (Intent(avoid=(Avoid(VOICE, Selector(srlg=("alps",))),)), "pyrenees"),
        (Intent(levers=(Lever("weights", Selector(link=("x*",))),)), 'no link "x*"'),
    ],
)
def test_names_that_do_not_fit_are_faults_with_a_remedy(intent: Intent, told: str) -> None:
    issue = only(intent, "issue")
    assert told in issue.reason
    assert issue.remedy
    assert not check(intent, towns()).sound


def test_a_kind_of_failure_that_the_network_has_not() -> None:
    network = generate("ring", nodes=4)
    survive = Survive(("srlg",), (Expectation("utilization", at_most=1.0),))
    (issue,) = check(Intent(survive=survive), network).diagnostics
    assert issue.kind == "issue"
    assert "no srlg" in issue.reason


# contradictions


@pytest.mark.parametrize(
    ("low", "high", "against"),
    [
        # (reduce of the lower limit, its links), (of the upper limit, its links)
        ((None, "core-1"), (None, "core-*"), True),
        ((None, "core-1"), (None, "core-2"), False),
        (("mean", "core-1"), (None, "core-*"), True),
        (("mean", "core-*"), (None, "core-1"), False),
        (("max", "core-*"), (None, "*"), True),
        (("max", "*"), ("max", "core-*"), False),
        (("min", "core-*"), ("mean", "core-1"), True),
        ((None, "core-1"), ("mean", "core-*"), False),
        (("mean", "core-*"), ("mean", "core-*"), True),
        (("total", "core-*"), ("total", "core-*"), True),
        (("total", "core-*"), (None, "core-*"), False),
    ],
)
def test_a_lower_limit_above_an_upper_one(low: tuple, high: tuple, against: bool) -> None:
    a = Expectation("utilization", Selector(link=(low[1],)), at_least=0.9, reduce=low[0])
    b = Expectation("utilization", Selector(link=(high[1],)), at_most=0.8, reduce=high[0])
    mine = [f for f in found(expecting(a, b)) if len(f.places) == 2]
    assert bool(mine) is against
    if against:
        assert mine[0].places == (("expect", 0), ("expect", 1))
        assert "at least 90.0 %" in mine[0].reason and "at most 80.0 %" in mine[0].reason


def test_limits_that_leave_room_do_not_contradict() -> None:
    a = Expectation("utilization", FARO, at_least=0.2)
    b = Expectation("utilization", FARO, at_most=0.6)
    assert check(expecting(a, b), towns()).sound


def test_a_delay_limit_under_the_quickest_path() -> None:
    to_oslo = Selector(target=("Oslo",), traffic_class=("voice",))
    finding = only(expecting(Expectation("delay_p99", to_oslo, at_most=0.011)))
    assert "Madrid->Oslo/voice cannot be under 11.03 ms" in finding.reason
    assert found(expecting(Expectation("delay_p99", to_oslo, at_most=0.01104))) == []


def test_capacities_that_may_grow_take_transmission_away() -> None:
    line = Expectation("delay", Selector(target=("Oslo",), traffic_class=("voice",)), at_most=0.011)
    levers = (Lever("capacities"),)
    assert found(expecting(line)) and not found(expecting(line, levers=levers))


def test_a_mean_of_delays_under_its_floor() -> None:
    # 11 ms twice and 7 ms: the mean by packets is (2 * 11 + 11 + 0.5 * 7) / 3.5 = 10.43 ms
    mean = Expectation("delay", VOICE, at_most=0.0104, reduce="mean")
    assert "mean over" in only(expecting(mean)).reason
    assert not found(expecting(replace(mean, at_most=0.0106)))


def test_rates_that_may_be_limited_move_means_and_silence_flows() -> None:
    mean = Expectation("delay", VOICE, at_most=0.0104, reduce="mean")
    each = replace(mean, reduce=None)
    half, none = Lever("rates"), Lever("rates", at_least=0.0)
    assert not found(expecting(mean, levers=(half,)))  # the flow of 7 ms may weigh most
    assert found(expecting(replace(mean, at_most=0.006), levers=(half,)))
    assert found(expecting(each, levers=(half,)))
    assert not found(expecting(each, levers=(none,)))  # a flow that sends nothing has no delay
    assert not found(expecting(replace(mean, at_most=0.006), levers=(none,)))


def test_a_limit_that_only_what_is_avoided_can_keep() -> None:
    line = Expectation("delay", Selector(target=("Oslo",), traffic_class=("voice",)), at_most=0.015)
    avoid = Avoid(VOICE, Selector(link=("Paris->Oslo",)))
    finding = only(expecting(line, avoid=(avoid,)))
    assert finding.places == (("expect", 0), ("avoid", 0))
    assert "18.05 ms" in finding.reason  # 7 + 3 + 8 ms and three times 1600 bits


def test_more_throughput_than_is_offered() -> None:
    finding = only(expecting(Expectation("throughput", VOICE, at_least=1e6)))
    assert "Faro->Paris/voice cannot be above 500 kbit/s" in finding.reason


def test_rules_that_leave_no_path_alone_or_together() -> None:
    faro = Selector(source=("Faro",))
    own = only(Intent(avoid=(Avoid(faro, Selector(node=("Faro",))),)))
    assert "begin or end" in own.reason and "2 flows" in own.reason
    one = Avoid(Selector(target=("Oslo",)), Selector(link=("Paris->Oslo",)))
    other = Avoid(Selector(source=("Madrid",)), Selector(node=("Vienna",)))
    assert not found(Intent(avoid=(one,))) and not found(Intent(avoid=(other,)))
    both = only(Intent(avoid=(one, other)))
    assert both.places == (("avoid", 0), ("avoid", 1))
    assert "Madrid->Oslo/voice, Madrid->Oslo/bulk" in both.reason


def test_a_node_that_sends_more_than_its_links_may_carry() -> None:
    finding = only(expecting(Expectation("utilization", at_most=0.5)))
    assert "Faro sends 5.5 Mbit/s" in finding.reason
    assert "5 Mbit/s of 10 Mbit/s" in finding.reason
    assert "55.0 %" in finding.remedy
    # what one of two links does not take the other may
    one = Expectation("utilization", Selector(link=("Vienna->Oslo",)), at_most=0.0)
    assert not found(expecting(one, Expectation("utilization", FARO, at_most=0.6)))
    rest = Expectation("utilization", Selector(link=("Paris->Oslo",)), at_most=0.7)
    two = only(expecting(one, rest))  # 72 Mbit/s enter Oslo
    assert two.places == (("expect", 0), ("expect", 1))
    assert "Oslo receives 72 Mbit/s" in two.reason


def test_nothing_may_change_and_something_is_missed() -> None:
    line = Expectation("utilization", Selector(link=("core-1",)), at_most=0.8)
    for frozen, place in (
        ({"most_changes": 0}, ("change", "at_most")),
        ({"levers": ()}, ("change", "with")),
    ):
        finding = only(expecting(line, **frozen))
        assert finding.places == (("expect", 0), place)
        assert "core-1 has 87.5 %" in finding.reason
    assert not found(expecting(replace(line, at_most=0.9), most_changes=0))
    assert not found(expecting(line, most_changes=1))


def test_failures_that_cut_flows_off_are_named() -> None:
    survive = Survive(("link", "srlg"), (Expectation("loss", VOICE, at_most=0.01),))
    finding = only(Intent(survive=survive))
    assert "link Madrid<->Faro, srlg pyrenees" in finding.reason
    assert "Faro->Paris/voice" in finding.reason
    inner = Selector(source=("Madrid",), target=("Oslo",))
    spared = Survive(("link",), (Expectation("loss", inner, at_most=0.01),))
    assert not found(Intent(survive=spared))


@pytest.mark.parametrize(
    ("line", "broken"),
    [
        (Expectation("delay", VOICE, at_most=1.0), True),
        (Expectation("delay", VOICE, at_most=1.0, reduce="mean"), True),
        (Expectation("delay", VOICE, at_most=1.0, reduce="min"), False),
        (Expectation("delay", VOICE, at_least=0.0), False),
        (Expectation("loss", VOICE, at_most=0.5, reduce="max"), True),
        (Expectation("loss", VOICE, at_most=0.5, reduce="mean"), False),
        (Expectation("loss", VOICE, at_most=1.0), False),
        (Expectation("loss", VOICE, at_least=0.1), False),
        (Expectation("throughput", VOICE, at_least=1.0), True),
        (Expectation("throughput", VOICE, at_least=1.0, reduce="total"), False),
        (Expectation("throughput", VOICE, at_least=0.0), False),
        (Expectation("throughput", VOICE, at_most=1.0), False),
        (Expectation("utilization", at_most=1.0), False),
    ],
)
def test_lines_that_a_flow_without_a_path_breaks(line: Expectation, broken: bool) -> None:
    told = [f for f in found(Intent(survive=Survive(("link",), (line,)))) if "no path" in f.reason]
    assert bool(told) is broken


def test_objectives_after_failures_that_cut_flows_off_are_doubted() -> None:
    intent = Intent(survive=Survive(("link",), (), (Objective("delay", VOICE, "max"),)))
    assert "Madrid<->Faro" in only(intent, "warning").reason


def test_what_is_left_after_a_failure_is_too_long_or_too_narrow() -> None:
    voice = Selector(source=("Madrid",), traffic_class=("voice",))
    survive = Survive(("link",), (Expectation("delay", voice, at_most=0.015),))
    finding = only(Intent(survive=survive))
    assert "18.05 ms" in finding.reason and "Madrid<->Paris" in finding.reason
    oslo = Selector(target=("Oslo",))
    survive = Survive(("link",), (Expectation("utilization", oslo, at_most=0.7),))
    finding = only(Intent(survive=survive))
    assert "Oslo receives 72 Mbit/s" in finding.reason and "70 Mbit/s of 100" in finding.reason
    wider = Survive(("link",), (Expectation("utilization", oslo, at_most=0.73),))
    assert not found(Intent(survive=wider))


def test_unroutable_flows() -> None:
    network = towns()
    topology = network.topology
    up = topology.link_up & (topology.link_source != topology.node("Faro"))
    cut = network.with_(topology=topology.with_arrays(link_up=up))
    intent = expecting(Expectation("delay", VOICE, at_most=1.0))
    (finding,) = check(intent, cut).diagnostics
    assert "Faro->Paris/voice: there is no path" in finding.reason


# doubts


@pytest.mark.parametrize(
    ("intent", "told"),
    [
        (
            expecting(Expectation("loss", at_most=0.1), Expectation("loss", at_most=0.1)),
            "say the same",
        ),
        (
            expecting(
                Expectation("loss", at_most=0.1), Expectation("loss", at_most=0.2, reduce="max")
            ),
            "only the tighter of the two lines counts: loss at most 10.0 %",
        ),
        (Intent(((Objective("utilization"),),) * 2), "say the same"),
        (Intent(((Objective("utilization"),), (Objective("cost"),))), "cost is always 0"),
        (Intent(levers=(Lever("schedulers"),)), "moves nothing"),
        (Intent(levers=(Lever("capacities", at_most_bps=1e6),)), "can grow by"),
        (Intent(levers=(Lever("rates", at_least=1.0),)), "limits none"),
        (
            Intent(
                ((Objective("utilization", Selector(link=("core-1",))),),),
                levers=(Lever("capacities", Selector(link=("core-2",))),),
            ),
            "moves nothing",
        ),
        (
            Intent(
                ((Objective("delay", VOICE),),),
                levers=(Lever("segments", Selector(traffic_class=("bulk",))),),
            ),
            "no lever moves any of these flows",
        ),
    ],
)
def test_what_is_hardly_meant_is_warned_of(intent: Intent, told: str) -> None:
    warning = only(intent, "warning")
    assert told in warning.reason
    assert warning.remedy
    assert check(intent, towns()).sound


def test_weights_where_tables_route() -> None:
    network = towns()
    n = network.topology.node_count
    tabled = network.with_(routing=Routing(next_link=np.full((n, n), -1)))
    intent = Intent(levers=(Lever("weights"),))
    warnings = [f.reason for f in check(intent, tabled).diagnostics if f.kind == "warning"]
    assert any("next-hop tables" in reason for reason in warnings)


def test_prices_make_costs_meant() -> None:
    levels = ((Objective("utilization"),), (Objective("cost"),))
    assert not found(Intent(levels, prices=Prices(1, 2)), "warning")


# whole intents


def checked(name: str) -> Checked:
    return check(read_intent(FOLDER / f"{name}.yaml"), towns())


@pytest.mark.parametrize("path", [p for p in INTENTS if p.stem != "contradicts"], ids=str)
def test_the_examples_are_sound(path) -> None:
    assert check(read_intent(path), towns()).diagnostics == ()


def test_each_line_of_the_example_that_contradicts_is_told() -> None:
    answer = checked("contradicts")
    assert not answer.sound
    places = {place for finding in answer.diagnostics for place in finding.places}
    assert places == {
        *(("expect", i) for i in range(5)),
        ("survive", "expect", 0),
        ("avoid", 0),
        ("avoid", 1),
    }


@pytest.mark.parametrize("seed", range(5))
def test_no_routing_is_better_than_what_is_called_the_best(seed: int) -> None:
    network = generate("gabriel", nodes=9, seed=seed, load=0.5)
    intent = Intent(
        ((Objective("utilization"),), (Objective("delay", reduce="max"), Objective("delay_p99")))
    )
    bound = {line.text: line.bound for line in check(intent, network).lines}
    engine, random = nettwin.engine("theory"), np.random.default_rng(seed)
    topology = network.topology
    tried = [network]
    for _ in range(8):
        weights = random.uniform(1, 10, topology.link_count)
        tried.append(network.with_(topology=topology.with_arrays(link_weight=weights)))
    for scenario, metrics in zip(tried, engine.predict(tried), strict=True):
        found = judge(intent, State(scenario, metrics))
        assert found.objectives[0] >= bound["minimize max offered_load"] > 0
        each = metrics.flow
        assert np.nanmax(each["owd_mean_s"]) >= bound["minimize max delay"] > 0
        assert np.nanmax(each["owd_p99_s"]) >= bound["minimize max delay_p99"] > 0


def test_schedulers_of_single_queues_are_no_lever() -> None:
    network = generate("nsfnet", classes="three", scheduler="fifo", load=0.5)
    asked = expecting(Expectation("delay_p99", VOICE, at_most=0.2))
    (warning,) = check(replace(asked, levers=(Lever("schedulers"),)), network).diagnostics
    assert "a single queue" in warning.reason


def test_a_generated_network_with_every_lever() -> None:
    network = generate("nsfnet", classes="three", scheduler="wfq", load=0.5)
    levers = tuple(Lever(k) for k in ("segments", "weights", "schedulers", "capacities", "rates"))
    intent = Intent(
        expect=(Expectation("delay_p99", VOICE, at_most=0.2),),
        survive=Survive(("link", "node"), (Expectation("utilization", at_most=5.0),)),
        levers=levers,
    )
    assert check(intent, network).diagnostics == ()
