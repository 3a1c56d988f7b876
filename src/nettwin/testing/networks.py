"""What every network that is watched and steered must do."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from nettwin.change_plan import ChangePlan
from nettwin.errors import ApplyError, NetworkError
from nettwin.intent import Judgement
from nettwin.metrics import FLOW_METRICS, LINK_METRICS, QUEUE_METRICS
from nettwin.observation import configuration
from nettwin.physical.applying import SteeredNetwork
from nettwin.physical.network import Event, Network
from nettwin.scenario.changes import Change, FailLink, RestoreLink, apply_all
from nettwin.scenario.changes.undoing import undone
from nettwin.scenario.paths import Status


def plan_of(*changes: Change) -> ChangePlan:
    """A plan of some changes, judged by nobody."""
    nothing = Judgement((), (), ())
    return ChangePlan(changes, nothing, nothing, "by hand", 0, 0.0)


class NetworkContract:
    """Tests of one kind of network. Give the fixtures `network`: one that was opened anew and has
    traffic, and `changes`: two changes or more that it can make, each with an effect. `line` is a
    link of both directions whose failure cuts nobody off."""

    @pytest.fixture
    def network(self) -> Network:
        """The network, opened for each test; close it afterwards."""
        raise NotImplementedError("give the fixture `network`: an open network")

    @pytest.fixture
    def changes(self, network: Network) -> Sequence[Change]:
        """Changes that the network can make."""
        raise NotImplementedError("give the fixture `changes`: two changes that it can make")

    @pytest.fixture
    def line(self, network: Network) -> str:
        """The name of a link, both directions: `A<->B`."""
        raise NotImplementedError("give the fixture `line`: a link that may fail")

    def test_it_is_a_network(self, network: Network) -> None:
        assert isinstance(network, Network)
        assert network.name
        told = network.configured()
        assert not told.issues()
        assert network.topology().node_name == told.topology.node_name
        assert network.topology().link_name == told.topology.link_name

    def test_observations_follow_one_another(self, network: Network) -> None:
        """Each is of the interval after the one before, and has a row of declared quantities for
        every element."""
        one, two = network.observe(), network.observe()
        assert two.time_s - one.time_s >= two.interval_s * (1 - 1e-6) > 0
        for seen in (one, two):
            assert seen.metrics.method == "measured"
            scenario, metrics = seen.scenario, seen.metrics
            for table, declared, count in (
                (metrics.flow, FLOW_METRICS, scenario.traffic.flow_count),
                (metrics.link, LINK_METRICS, scenario.topology.link_count),
                (metrics.queue, QUEUE_METRICS, len(scenario.topology.queues.link)),
            ):
                for name, values in table.columns.items():
                    assert len(values) == count
                    assert declared[name].valid(values).all(), name
            assert {"owd_mean_s", "loss_ratio", "throughput_bps"} <= set(metrics.flow.columns)
            assert {"utilization", "throughput_bps"} <= set(metrics.link.columns)
        assert configuration(one.scenario) == configuration(two.scenario)

    def test_what_flows_offer_is_what_links_carry(self, network: Network) -> None:
        seen = network.observe()
        carried = seen.metrics.link["throughput_bps"].sum()
        offered = seen.scenario.link_load_bps.sum()
        assert carried == pytest.approx(offered, rel=0.2)
        assert np.nanmedian(seen.metrics.flow["owd_mean_s"]) > 0

    def test_a_plan_is_applied_once_and_undone(
        self, network: Network, changes: Sequence[Change]
    ) -> None:
        before = network.configured()
        plan = plan_of(*changes)
        receipt = network.apply(plan, "first")
        after = configuration(network.configured())
        assert after == configuration(apply_all(before, changes)) != configuration(before)
        assert network.apply(plan, "first") == receipt == network.receipt("first")
        assert configuration(network.configured()) == after
        assert network.undo(receipt).state == "undone"
        assert configuration(network.configured()) == configuration(before)
        network.undo(receipt)
        assert configuration(network.configured()) == configuration(before)
        with pytest.raises(ApplyError, match="undone"):
            network.apply(plan, "first")
        with pytest.raises(ApplyError, match="another plan"):
            network.apply(plan_of(changes[0]), "first")
        assert configuration(network.configured()) == configuration(before)

    def test_what_fails_in_the_middle_is_undone(
        self, network: Network, changes: Sequence[Change], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The device of the last change does not answer."""
        if not isinstance(network, SteeredNetwork):
            pytest.skip("has no actuator of nettwin's that could fail")
        before = configuration(network.configured())
        make = network.actuator.make
        fails = [True]

        def failing(change: Change) -> None:
            if change == changes[-1] and fails:
                raise NetworkError("router X does not answer")
            make(change)

        monkeypatch.setattr(network.actuator, "make", failing)
        with pytest.raises(ApplyError, match=r"does not answer.*undone") as error:
            network.apply(plan_of(*changes), "breaks")
        assert error.value.undone
        assert configuration(network.configured()) == before
        found = network.receipt("breaks")
        assert found is not None
        assert found.state == "undone"

    def test_what_a_killed_process_began_is_taken_back(
        self, network: Network, changes: Sequence[Change], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Killed after the first change was made, before the second."""
        if not isinstance(network, SteeredNetwork):
            pytest.skip("has no actuator of nettwin's that could be interrupted")
        before = configuration(network.configured())
        make = network.actuator.make

        def killed(change: Change) -> None:
            if change == changes[1]:
                raise KeyboardInterrupt
            make(change)

        with monkeypatch.context() as patched:
            patched.setattr(network.actuator, "make", killed)
            with pytest.raises(KeyboardInterrupt):
                network.apply(plan_of(*changes), "killed")
        assert configuration(network.configured()) != before
        assert [one.key for one in network.recover()] == ["killed"]
        assert configuration(network.configured()) == before
        assert network.recover() == []

    def test_what_nobody_confirms_is_undone(
        self, network: Network, changes: Sequence[Change]
    ) -> None:
        before = configuration(network.configured())
        interval_s = network.observe().interval_s
        kept = network.apply(plan_of(changes[0]), "kept", confirm_within_s=interval_s / 2)
        network.confirm(kept)
        with_kept = configuration(network.configured())
        forgotten = network.apply(plan_of(changes[1]), "late", confirm_within_s=interval_s / 2)
        network.observe()
        network.observe()
        assert configuration(network.configured()) == with_kept != before
        with pytest.raises(NetworkError, match="nobody had confirmed"):
            network.confirm(forgotten)

    def test_a_failure_shows_and_is_repaired(self, network: Network, line: str) -> None:
        before = network.configured()
        network.inject(Event(FailLink(line)))
        seen = network.observe()
        gone = FailLink(line).apply(before).topology
        assert (seen.scenario.topology.link_live == gone.link_live).all()
        assert seen.metrics.link["utilization"][~gone.link_live].max() < 0.5
        assert (seen.scenario.flow_status == Status.OK).all()
        network.inject(Event(RestoreLink(line)))
        network.observe()
        assert configuration(network.configured()) == configuration(before)

    def test_drift_is_told(self, network: Network, changes: Sequence[Change]) -> None:
        """Somebody sets by hand what a plan had set."""
        if not isinstance(network, SteeredNetwork):
            pytest.skip("has no actuator of nettwin's to change it by")
        before = network.configured()
        network.apply(plan_of(*changes), "drifts")
        assert network.drift() == []
        for change in undone(before, changes)[-1:]:
            network.actuator.make(change)
            network.actuator.settle()
        (words,) = network.drift()
        assert changes[0].describe() in words
        assert "drifts" in words
