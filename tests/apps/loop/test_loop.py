"""The closed loop on a small simulated network: good days, and bad ones."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from nettwin.apps.loop.checks import measured
from nettwin.apps.loop.loop import Told
from nettwin.apps.loop.plans import known_plans
from nettwin.apps.loop.state import LoopState
from nettwin.errors import BusyError, InputError, NetworkError
from nettwin.metrics import Table
from nettwin.observation import Observation, configuration
from nettwin.physical.network import Event, Network
from nettwin.scenario.changes import FailLink, RestoreLink, SetCapacity
from nettwin.workspace.policy import Policy, Window
from nettwin.workspace.workspace import Workspace
from tests.live import loop, workspace

FAILS = Event(FailLink("C<->D"))
STEPS = ("optimize", "verify", "approve", "pre-check", "apply", "post-check")


@pytest.fixture
def place(tmp_path: Path) -> Workspace:
    return workspace(tmp_path / "twin")


@pytest.fixture
def net(place: Workspace) -> Iterator[Network]:
    with place.network() as network:
        yield network


def words(told: list[Told]) -> str:
    return "\n".join(f"{one.step}: {one.words}" for one in told)


def test_a_failure_is_answered_by_a_plan_that_is_kept(place: Workspace, net: Network) -> None:
    told: list[Told] = []
    runs = loop(place, net, told)
    runs.cycle()
    assert told == []
    assert runs.state.applied == 0
    net.inject(FAILS)
    seen = runs.cycle()
    state = runs.state
    assert (state.step, state.applied, state.kept, state.rolled_back) == ("observe", 1, 1, 0)
    assert seen.scenario.link_offered_load.max() < 0.7
    steps = [one.step for one in told]
    assert steps == ["observe", "judge", "optimize", "approve", "apply", "keep"]
    (known,) = known_plans(place.repository)
    assert (known.author, known.fate) == ("loop", "kept")
    assert net.receipt(known.id).state == "confirmed"
    assert place.audit.issues() == []
    assert net.drift() == []
    runs.cycle()
    assert runs.state.applied == 1


def test_what_was_seen_is_in_the_repository(place: Workspace, net: Network) -> None:
    runs = loop(place, net)
    first = runs.cycle()
    net.inject(FAILS)
    runs.cycle()
    times = place.repository.times_s()
    assert len(times) == 3  # the last one after the plan
    assert place.repository.as_of(times[0]).fingerprint() == first.scenario.fingerprint()
    assert not place.repository.as_of(times[1] + 1).topology.link_live.all()
    with pytest.raises(InputError, match="nothing was observed"):
        place.repository.as_of(times[0] - 1)


def test_without_a_policy_a_plan_waits_and_is_dropped_when_the_link_is_back(
    place: Workspace, net: Network
) -> None:
    told: list[Told] = []
    runs = loop(place, net, told, policy=Policy())
    runs.cycle()
    net.inject(FAILS)
    runs.cycle()
    assert runs.state.step == "approve"
    assert "waits for a person: the policy lets nothing change" in words(told)
    runs.cycle()
    assert words(told).count("waits for a person") == 1
    net.inject(Event(RestoreLink("C<->D")))
    runs.cycle()
    assert (runs.state.step, runs.state.applied) == ("observe", 0)
    assert known_plans(place.repository)[-1].fate in ("dropped", "refused")


@pytest.mark.parametrize(
    ("policy", "why"),
    [
        (Policy(auto=True, kinds=("set_weight",)), "does not allow set_path"),
        (Policy(auto=True, most_changes=0), "the policy allows 0"),
        (Policy(auto=True, most_per_hour=0), "in the last hour"),
        (
            Policy(auto=True, freeze=(Window.parse("Mon 00:00 - Tue 00:00"),)),
            "in the freeze window Mon 00:00",
        ),
    ],
)
def test_a_policy_bounds_what_changes_by_itself(
    place: Workspace, net: Network, policy: Policy, why: str
) -> None:
    told: list[Told] = []
    runs = loop(place, net, told, policy=policy)
    net.inject(FAILS)
    runs.cycle()
    assert runs.state.step == "approve"
    assert why in words(told)
    assert configuration(net.configured()) == known_plans(place.repository)[-1].network


def test_worse_than_predicted_is_rolled_back_and_marks_the_twin(
    place: Workspace, net: Network
) -> None:
    """The link over which the plan steers flows has a tenth of what its router says."""
    told: list[Told] = []
    runs = loop(place, net, told)
    runs.cycle()
    net.inject(Event(SetCapacity("A->F", 1e6), told=False))
    net.inject(FAILS)
    before = configuration(net.configured())
    runs.cycle()
    state = runs.state
    assert (state.applied, state.kept, state.rolled_back) == (1, 0, 1), words(told)
    assert "to be rolled back: it is worse than predicted" in words(told)
    assert state.calibrate
    assert configuration(net.configured()) == before
    assert known_plans(place.repository)[-1].fate == "rolled back"
    runs.cycle()  # no other plan so soon
    assert runs.state.applied == 1


def test_a_flapping_link_does_not_make_a_flapping_network(place: Workspace, net: Network) -> None:
    told: list[Told] = []
    runs = loop(place, net, told)
    for _ in range(4):
        net.inject(FAILS)
        runs.cycle()
        net.inject(Event(RestoreLink("C<->D")))
        runs.cycle()
    assert "flaps: it counts as down" in words(told)
    assert runs.state.applied == 1
    assert runs.state.kept == 1


def test_too_poor_a_measurement_changes_nothing(place: Workspace, net: Network) -> None:
    """The delay is missed, and may as well be met."""

    def poor(seen: Observation) -> Observation:
        flow = seen.metrics.flow
        columns = {**flow.columns, "owd_mean_s": np.full(len(flow), 0.05)}
        low = {**flow.low, "owd_mean_s": np.full(len(flow), 0.001)}
        high = {**flow.high, "owd_mean_s": np.full(len(flow), 0.2)}
        metrics = replace(seen.metrics, flow=Table(columns, low, high))
        return replace(seen, metrics=metrics)

    told: list[Told] = []
    runs = loop(place, _changed(net, poor), told)
    runs.cycle()
    assert runs.state == LoopState(was_down=(), clock_s=runs.state.clock_s)
    assert "too little was measured to judge; nothing is changed" in words(told)


@pytest.mark.parametrize(("sent", "surely"), [(1, False), (100, True)])
def test_a_flow_is_cut_off_where_more_than_a_packet_or_two_is_lost(
    place: Workspace, net: Network, sent: int, surely: bool
) -> None:
    """All packets of a flow are lost: of one by chance, of a hundred for good."""
    seen = net.observe()
    flow = seen.metrics.flow
    columns = {name: values.copy() for name, values in flow.columns.items()}
    columns["owd_mean_s"][0], columns["loss_ratio"][0] = np.nan, 1.0
    low = {"loss_ratio": np.zeros(len(flow))}
    low["loss_ratio"][0] = 0.025 ** (1 / sent)
    high = {"loss_ratio": np.ones(len(flow))}
    metrics = replace(seen.metrics, flow=Table(columns, low, high))
    lines = measured(place.intent, replace(seen, metrics=metrics), best=True).lines
    (delay,) = (line for line in lines if line.measure == "delay")
    assert delay.met != surely
    assert not measured(place.intent, replace(seen, metrics=metrics)).met


def test_a_measurement_that_contradicts_itself_changes_nothing(
    place: Workspace, net: Network
) -> None:
    def absurd(seen: Observation) -> Observation:
        link = seen.metrics.link
        columns = {**link.columns, "throughput_bps": link["throughput_bps"] * 2}
        return replace(seen, metrics=replace(seen.metrics, link=Table(columns)))

    told: list[Told] = []
    net.inject(FAILS)
    runs = loop(place, _changed(net, absurd), told)
    runs.cycle()
    assert runs.state.applied == 0
    assert "the measurement contradicts itself: link A->B carries" in words(told)


def _changed(net: Network, change: object) -> Network:
    """The network with observations that something changes."""
    observe = net.observe
    net.observe = lambda: change(observe())  # type: ignore[method-assign]
    return net


class Killed(BaseException):
    """What a kill is to Python code."""


@pytest.mark.parametrize("step", STEPS)
def test_killed_before_any_step_it_goes_on(tmp_path: Path, step: str) -> None:
    place = workspace(tmp_path / "twin")

    def kill(now: str) -> None:
        if now == step:
            raise Killed

    with place.network() as net:
        net.inject(FAILS)
        with pytest.raises(Killed):
            loop(place, net, at_step=kill).cycle()
    again = Workspace(place.folder)
    with again.network() as net:
        runs = loop(again, net)
        assert runs.state.step == step
        runs.cycle()
        assert (runs.state.applied, runs.state.kept) == (1, 1)
        assert all(receipt.state == "confirmed" for receipt in net.journal.all())
    assert again.audit.issues() == []


def test_killed_while_it_applies_nothing_stays_half_applied(
    place: Workspace, net: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    net.inject(FAILS)
    before = configuration(net.configured())
    make = net.actuator.make

    def killed(change: object) -> None:
        make(change)
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(net.actuator, "make", killed)
        with pytest.raises(Killed):
            loop(place, net).cycle()
    assert configuration(net.configured()) != before
    told: list[Told] = []
    again = Workspace(place.folder)
    with again.network() as reopened:
        runs = loop(again, reopened, told)
        assert configuration(reopened.configured()) == before
        assert "a process died while this was applied" in words(told)
        runs.cycle()
        assert runs.state.kept == 1


def test_killed_right_after_it_applied_the_plan_is_measured_and_kept(
    place: Workspace, net: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not dropped as one that is no longer needed, to be undone behind the back of later plans."""
    apply = net.apply

    def killed(*plan: object, **options: object) -> None:
        apply(*plan, **options)  # type: ignore[arg-type]
        raise Killed

    net.inject(FAILS)
    with monkeypatch.context() as patched:
        patched.setattr(net, "apply", killed)
        with pytest.raises(Killed):
            loop(place, net).cycle()
    again = Workspace(place.folder)
    with again.network() as reopened:
        runs = loop(again, reopened)
        assert (runs.state.step, runs.state.applied) == ("post-check", 1)
        runs.cycle()
        assert (runs.state.applied, runs.state.kept) == (1, 1)
        assert [receipt.state for receipt in reopened.journal.all()] == ["confirmed"]


def test_a_router_that_does_not_answer_in_mid_apply(
    place: Workspace, net: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    net.inject(FAILS)
    before = configuration(net.configured())

    def deaf(change: object) -> None:
        raise NetworkError("router A does not answer")

    with monkeypatch.context() as patched:
        patched.setattr(net.actuator, "make", deaf)
        told: list[Told] = []
        with pytest.raises(NetworkError):
            net.actuator.make(FAILS.change)
        runs = loop(place, net, told)
        runs.cycle()
        assert "router A does not answer" in words(told)
        assert configuration(net.configured()) == before
        assert runs.state.step == "roll back"
    runs.cycle()
    assert configuration(net.configured()) == before
    assert runs.state.step == "observe"
    assert not any(receipt.unfinished for receipt in net.journal.all())


def test_a_full_disk_changes_nothing_and_loses_nothing(
    place: Workspace, net: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = loop(place, net)
    runs.cycle()
    kept = place.repository.times_s()
    net.inject(FAILS)
    before = configuration(net.configured())
    sync = os.fsync

    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(InputError, match="No space left on device"):
        runs.cycle()
    monkeypatch.setattr(os, "fsync", sync)
    assert configuration(net.configured()) == before
    again = Workspace(place.folder)
    assert list(again.repository.times_s()) == list(kept)
    assert again.repository.store.damaged() == []
    with again.network() as reopened:
        runs = loop(again, reopened)
        runs.cycle()
        assert runs.state.kept == 1


def test_a_plan_for_yesterdays_network_is_not_applied(place: Workspace, net: Network) -> None:
    """Between plan and approval another link fails."""
    told: list[Told] = []
    runs = loop(place, net, told, policy=Policy())
    net.inject(FAILS)
    runs.cycle()
    old = runs.state.plan
    net.inject(Event(FailLink("F<->D")))
    runs.cycle()
    assert "the network is not the one that it was made for" in words(told)
    assert net.receipt(old) is None


def test_an_approval_that_expired_is_not_used(place: Workspace, net: Network) -> None:
    """This machine's clock jumps an hour ahead between approval and apply."""
    clock = [1e9]
    told: list[Told] = []

    def later(step: str) -> None:
        if step == "pre-check":
            clock[0] += 3601.0

    runs = loop(place, net, told, wall=lambda: clock[0], at_step=later)
    net.inject(FAILS)
    runs.cycle()
    assert "the approval expired 1 s ago" in words(told)
    assert runs.state.applied == 0
    runs.parts.at_step = lambda step: None
    runs.cycle()
    assert "this machine's clock jumped by +" in words(told)
    assert runs.state.kept == 1


def test_an_approval_of_the_future_is_not_used(place: Workspace, net: Network) -> None:
    clock = [1e9]
    told: list[Told] = []

    def back(step: str) -> None:
        if step == "pre-check":
            clock[0] -= 3601.0

    runs = loop(place, net, told, wall=lambda: clock[0], at_step=back)
    net.inject(FAILS)
    runs.cycle()
    assert "of the future: this machine's clock went back" in words(told)
    assert runs.state.applied == 0


def test_two_loops_on_one_workspace(place: Workspace) -> None:
    with place.writing("nettwin loop"), pytest.raises(BusyError, match="in use by nettwin loop"):
        code = "\n".join(
            [
                "from pathlib import Path",
                "from nettwin.workspace.workspace import Workspace",
                f"with Workspace(Path({str(place.folder)!r})).writing('other'): pass",
            ]
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        assert done.returncode == 1
        raise BusyError(done.stderr.strip().rpartition("\n")[2])
    with place.writing("nettwin loop"):
        pass


def test_kill_minus_nine_while_it_runs(place: Workspace) -> None:
    """A process of its own is killed in the middle of applying."""
    code = f"""
import os, signal
from pathlib import Path
from nettwin.workspace.workspace import Workspace
from tests.live import loop
from tests.apps.loop.test_loop import FAILS
place = Workspace(Path({str(place.folder)!r}))
with place.writing("loop"), place.network() as net:
    net.inject(FAILS)
    make = net.actuator.make
    def die(change):
        make(change)
        os.kill(os.getpid(), signal.SIGKILL)
    net.actuator.make = die
    loop(place, net).cycle()
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == -signal.SIGKILL, done.stderr
    with place.writing("loop"), place.network() as net:
        (begun,) = net.journal.all()
        assert begun.unfinished
        runs = loop(place, net)
        assert net.journal.find(begun.key).state == "undone"
        runs.cycle()
        assert runs.state.kept == 1
    assert place.audit.issues() == []
