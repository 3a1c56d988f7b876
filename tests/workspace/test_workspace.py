"""Workspaces: settings with line numbers, people, approvals, policies, secrets."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from nettwin.errors import FormatError, InputError
from nettwin.secrets import secret
from nettwin.workspace.approval import Approval, Approvals
from nettwin.workspace.people import Person, person_of
from nettwin.workspace.policy import Window
from nettwin.workspace.settings import read_settings
from nettwin.workspace.workspace import Workspace, begin
from tests.live import square

MONDAY_S = 4 * 86400.0


@pytest.fixture
def place(tmp_path: Path) -> Workspace:
    return begin(tmp_path / "twin", square(), name="twin")


def test_what_init_writes_reads_back(place: Workspace) -> None:
    settings = place.settings
    assert settings.name == "twin"
    assert settings.kind == "simulated"
    assert not settings.policy.auto
    assert place.plan.fingerprint() == square().fingerprint()
    assert place.intent.expect
    with place.network() as network:
        assert network.configured().topology.node_name == square().topology.node_name
    with pytest.raises(InputError, match="not empty"):
        begin(place.folder, square())


FAULTS = {
    ("nettwin = 1", "nettwin = 2"): "nettwin is 2: must be 1",
    ('kind = "simulated"', 'kind = "token ring"'): "must be one of simulated",
    ("seconds = 1.0", 'seconds = "one"'): "loop.seconds is 'one': must be a number",
    ("seconds = 1.0", "secnods = 1.0"): "loop.secnods is not known here",
    ("auto = false", "auto = 1"): "policy.auto is 1: must be true or false",
    ("freeze = []", 'freeze = ["now"]'): "the window 'now' cannot be read",
    ("seed = 1 ", 'api_token = "abc"\nseed = 1 '): "holds a secret",
    ("[policy]", "[policy"): "is not TOML",
}


@pytest.mark.parametrize("fault", FAULTS)
def test_every_fault_names_its_line(place: Workspace, fault: tuple[str, str]) -> None:
    (old, new), told = fault, FAULTS[fault]
    path = place.folder / "nettwin.toml"
    text = path.read_text()
    assert text.count(old) == 1
    number = text[: text.index(old)].count("\n") + 1
    path.write_text(text.replace(old, new))
    with pytest.raises(FormatError) as error:
        read_settings(place.folder)
    assert f"line {number}" in str(error.value)
    assert told in str(error.value)


def test_people_prove_who_they_are(place: Workspace) -> None:
    token = place.add_person("ada", ("approver", "operator"))
    assert token not in (place.folder / "nettwin.toml").read_text()
    again = Workspace(place.folder)
    ada = person_of(token, again.settings.people)
    assert (ada.name, ada.roles) == ("ada", ("approver", "operator"))
    ada.need("viewer", "look")
    with pytest.raises(InputError, match="nobody's here"):
        person_of(token + "x", again.settings.people)
    with pytest.raises(InputError, match="there is a ada already"):
        again.add_person("ada", ("viewer",))
    with pytest.raises(InputError, match="must have approver to approve"):
        Person("bob", ("operator",)).need("approver", "approve a plan")


APPROVAL = Approval("digest", "network", "bob", "ada", at_s=1000.0, expires_s=2000.0)


@pytest.mark.parametrize(
    ("approval", "now_s", "told"),
    [
        (APPROVAL, 1500.0, ""),
        (APPROVAL, 2000.0, "the approval expired 0 s ago"),
        (APPROVAL, 999.0, "of the future"),
        (replace(APPROVAL, plan="other"), 1500.0, "it was changed since"),
        (replace(APPROVAL, network="other"), 1500.0, "the network is not the one"),
        (replace(APPROVAL, by="bob"), 1500.0, "bob approved a plan of their own"),
    ],
)
def test_an_approval_binds_plan_network_time_and_person(
    approval: Approval, now_s: float, told: str
) -> None:
    found = approval.issues(plan="digest", network="network", now_s=now_s)
    assert bool(found) == bool(told)
    assert told in " ".join(found)


def test_approvals_are_kept_and_damaged_ones_told(tmp_path: Path) -> None:
    kept = Approvals(tmp_path)
    assert kept.of("p") == []
    kept.keep("p", APPROVAL)
    kept.keep("p", replace(APPROVAL, by="eve", at_s=1.0))
    kept.keep("q", APPROVAL)
    assert [one.by for one in kept.of("p")] == ["eve", "ada"]
    (tmp_path / "p.ada.json").write_text("{")
    with pytest.raises(FormatError, match="is not an approval"):
        kept.of("p")


@pytest.mark.parametrize(
    ("text", "inside", "outside"),
    [
        ("Fri 18:00 - Mon 06:00", (4 * 86400 + 18 * 3600, 6 * 86400, 5 * 3600), (7 * 3600,)),
        ("Mon 08:00 - Mon 12:00", (9 * 3600,), (7 * 3600, 12 * 3600)),
    ],
)
def test_windows_of_the_week(text: str, inside: tuple, outside: tuple) -> None:
    window = Window.parse(text)
    for week in (0, 2900):
        assert all(window.holds(MONDAY_S + week * 604800 + at) for at in inside)
        assert not any(window.holds(MONDAY_S + week * 604800 + at) for at in outside)


def test_windows_of_once() -> None:
    window = Window.parse("2026-12-24 - 2026-12-27T06:00")
    assert window.holds(1798070400.0 + 1)
    assert not window.holds(1798070400.0 + 4 * 86400)
    for wrong in (
        "Fri 18:00",
        "Fri 18:00 - 2026-12-24",
        "2026-12-27 - 2026-12-24",
        "Fri 25:00 - Mon 06:00",
    ):
        with pytest.raises(InputError, match="cannot be read"):
            Window.parse(wrong)


def test_secrets_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROUTER_PASSWORD", "x")
    (tmp_path / "p").write_text("y\n")
    assert secret("env:ROUTER_PASSWORD") == "x"
    assert secret(f"file:{tmp_path / 'p'}") == "y"
    for missing in ("env:NOT_SET", "file:/none", "plain"):
        with pytest.raises(InputError):
            secret(missing)
