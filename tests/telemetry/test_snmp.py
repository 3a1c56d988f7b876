"""SNMP: agents on the days on which they misbehave, and Debian's snmpd as it is."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from nettwin.errors import InputError, SourceError
from nettwin.scenario.generate import generate
from nettwin.telemetry.snmp.source import Snmp
from nettwin.telemetry.source import Opening
from nettwin.workspace.workspace import begin
from tests.interfaces.conftest import Run, run  # noqa: F401  # a fixture
from tests.telemetry.agent import Table, agent, ports

pytest.importorskip("gufo.snmp", reason="gufo-snmp is not installed")
NAMES = {1: "one", 2: "two"}
OCTETS = {"one": 1000, "two": 2**63 + 4096}
SNMPD = shutil.which("snmpd", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
needs_snmpd = pytest.mark.skipif(SNMPD is None, reason="snmpd is not installed")


@pytest.fixture(autouse=True)
def community(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COMMUNITY", "public")


def source(address: str, told: list[str] | None = None, **settings: Any) -> Snmp:
    given = {"agents": {"r1": address}, "community": "env:COMMUNITY", "timeout_s": 0.3, **settings}
    return Snmp(Opening(given, told=told if told is not None else []))


def values(found: Any, quantity: str = "out_octets") -> dict[str, float]:
    return {port.interface: v for (port, q), (_, v) in found.items() if q == quantity}


def test_counters_speed_and_state_are_read_by_name() -> None:
    with agent(lambda: ports(NAMES, OCTETS)) as address:
        found = source(address).poll()
    assert values(found) == values(found, "in_octets") == {"one": 1000, "two": 2.0**63 + 4096}
    assert set(values(found, "speed_bps").values()) == {1e9}
    assert values(found, "up") == {"one": 1.0, "two": 1.0}
    assert all(abs(at - time.time()) < 5 for at, _ in found.values())


def test_an_agent_of_32_bits_alone_is_read_by_its_older_table() -> None:
    told: list[str] = []
    with agent(lambda: ports(NAMES, OCTETS, wide=False)) as address:
        found = source(address, told).poll()
    assert values(found) == {"one": 1000, "two": 4096}
    assert "it has no ifName: ports are named by ifDescr" in told[0]


@pytest.mark.parametrize(
    ("broken", "said"), [("back", "goes back from 2 to 1"), ("endless", "over 20,000 rows")]
)
def test_walks_that_do_not_end_are_cut(broken: str, said: str) -> None:
    told: list[str] = []
    with agent(lambda: ports(NAMES, OCTETS), broken=broken) as address:
        found = source(address, told).poll()
    assert values(found)["two"] == 2.0**63 + 4096
    assert said in told[0]


@pytest.mark.parametrize("broken", ["garbage", "broken off"])
def test_garbage_is_told(broken: str) -> None:
    with (
        agent(lambda: ports(NAMES, OCTETS), broken=broken) as address,
        pytest.raises(SourceError, match="what is no SNMP"),
    ):
        source(address).poll()


def test_silence_is_told() -> None:
    with pytest.raises(SourceError, match=r"r1 \(127.0.0.1:9\) .*"):
        source("127.0.0.1:9", timeout_s=0.05, retries=0).poll()
    with agent(dict) as address, pytest.raises(SourceError, match="tells no ports"):
        source(address).poll()


def test_one_silent_agent_of_two_is_told_and_the_other_is_read() -> None:
    told: list[str] = []
    with agent(lambda: ports(NAMES, OCTETS)) as address:
        agents = {"r1": address, "r2": "127.0.0.1:9"}
        found = source("", told, agents=agents, timeout_s=0.05, retries=0).poll()
    assert {port.device for port, _ in found} == {"r1"}
    assert told[0].startswith("r2: ")


def test_indexes_may_be_shuffled_between_polls() -> None:
    """A port is its name: what it counts goes on, and the shuffle is said."""
    told: list[str] = []
    now = [ports(NAMES, OCTETS)]
    with agent(lambda: now[0]) as address:
        reader = source(address, told)
        before = values(reader.poll())
        now[0] = ports({1: "two", 7: "one"}, OCTETS, uptime=12)
        assert values(reader.poll()) == before
    assert "r1: the device began anew" in told
    assert any("2 ports have another index" in words for words in told)


def test_a_shuffle_in_the_middle_of_a_poll_spoils_it() -> None:
    calls = 0

    def answer() -> Table:
        nonlocal calls
        calls += 1
        return ports(NAMES if calls < 6 else {1: "two", 2: "one"}, OCTETS)

    with (
        agent(answer) as address,
        pytest.raises(SourceError, match="changed its ports, while it was read"),
    ):
        source(address).poll()


def test_a_renamed_device_and_ports_that_come_and_go_are_said() -> None:
    told: list[str] = []
    now = [ports(NAMES, OCTETS)]
    with agent(lambda: now[0]) as address:
        reader = source(address, told)
        reader.poll()
        now[0] = ports({1: "one", 3: "three"}, {"one": 1, "three": 1}, called="other")
        reader.poll()
    assert any("is now called other (sysName), r1 before" in words for words in told)
    assert "r1: ports that are no longer there: two" in told
    assert "r1: ports that are new: three" in told


def test_two_ports_of_one_name_are_said_and_the_first_is_read() -> None:
    told: list[str] = []
    with agent(lambda: ports({1: "one", 2: "one"}, OCTETS)) as address:
        assert values(source(address, told).poll()) == {"one": 1000}
    assert "both named one" in told[0]


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"agents": {}}, "no agents"),
        ({"community": ""}, "either community"),
        ({"user": "me"}, "either community"),
        ({"community": "", "user": "me", "privacy_password": "env:X"}, "needs auth_password"),
        ({"community": "", "user": "me", "auth": "rot13"}, "auth is 'rot13'"),
        ({"interface": "ifIndex"}, "must be one of ifName"),
        ({"every": "0s"}, "above 0"),
        ({"timeout_s": 0}, "timeout_s is 0"),
        ({"agents": {"r1": "host:port"}}, "must be such as 10.0.0.1"),
        ({"community": "env:NOT_THERE"}, "env:NOT_THERE is not set"),
    ],
)
def test_wrong_settings_are_told(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        source("127.0.0.1:9", **{"retries": 0, **settings}).poll()


def test_polls_become_history_also_over_several_runs(run: Run, tmp_path: Path) -> None:  # noqa: F811
    """Each run polls once; the second run makes an interval of both."""
    twin = begin(tmp_path / "twin", generate("ring", nodes=3, capacity_bps=1e9))
    begin_s = time.time()

    def answer() -> Table:
        sent = {"a": 2**64 - 10**6 + int((time.time() - begin_s) * 1.25e6), "b": 5}
        return ports({1: "a", 2: "b"}, {name: n % 2**64 for name, n in sent.items()})

    file = tmp_path / "snmp.yaml"
    with agent(answer) as address:
        file.write_text(
            f"source: snmp\nagents: {{N1: '{address}'}}\ncommunity: env:COMMUNITY\nevery: 500ms\n"
            "links: {N1: {a: N1->N2, b: N1->N3}}\n"
        )
        first = json.loads(run("data", "collect", file, "-w", twin.folder, "--json").out)
        assert first["rows"] == 0
        time.sleep(1.1)
        second = run("data", "collect", file, "-w", twin.folder, "--json")
        assert json.loads(second.out)["intervals"] >= 1, second.err
        third = run("data", "collect", file, "-w", twin.folder, "--for", "1s", "--json")
    assert json.loads(third.out)["intervals"] >= 1
    _, rates = twin.repository.series("link/N1->N2/throughput_bps")
    assert len(rates) >= 2
    assert rates.mean() == pytest.approx(1e7, rel=0.2)  # over the wrap at 2^64, too
    told = run("data", "collect", file, "-w", twin.folder, "--since", "1h")
    assert told.code == 2 and "nothing of the past" in told.err


@pytest.fixture
def snmpd(tmp_path: Path) -> Iterator[str]:
    """Debian's snmpd on a free port, as whoever runs the tests; its address."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (tmp_path / "snmpd.conf").write_text(
        f"agentaddress udp:127.0.0.1:{port}\nrocommunity public 127.0.0.1\n"
        "rocommunity rotated 127.0.0.1\nsysName r1.example.net\nrouser nettwin priv\n"
        'createUser nettwin SHA-256 "auth-password" AES "priv-password"\n'
    )
    environment = {**os.environ, "SNMP_PERSISTENT_DIR": str(tmp_path / "state"), "MIBS": ""}
    assert SNMPD
    command = [SNMPD, "-f", "-Lf", "/dev/null", "-C", "-c", str(tmp_path / "snmpd.conf")]
    with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) as daemon:
        try:
            reader = source(f"127.0.0.1:{port}", timeout_s=0.2, retries=0)
            for _ in range(50):
                try:
                    reader.test()
                    break
                except SourceError:
                    time.sleep(0.1)
            yield f"127.0.0.1:{port}"
        finally:
            daemon.kill()


@needs_snmpd
def test_snmpd_tells_what_its_host_counts(snmpd: str) -> None:
    """The same numbers as the kernel has, by v2c and by v3."""
    v3 = {
        "community": "",
        "user": "nettwin",
        "auth": "sha256",
        "auth_password": "env:AUTH",
        "privacy_password": "env:PRIVACY",
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AUTH", "auth-password")
        patch.setenv("PRIVACY", "priv-password")
        reader = source(snmpd, **v3)
        sent = Path("/sys/class/net/lo/statistics/tx_bytes")
        found = reader.poll()
        assert values(found)["lo"] <= int(sent.read_text())
        assert values(found).keys() == values(source(snmpd).poll()).keys()
        assert values(found, "up")["lo"] == 1.0
        patch.setenv("PRIVACY", "wrong-password")
        with pytest.raises(SourceError, match=r"user|does not answer") as caught:
            reader.poll()
        assert "wrong-password" not in str(caught.value)


@needs_snmpd
def test_a_rotated_community_needs_no_restart(snmpd: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COMMUNITY", "old")
    reader = source(snmpd, retries=0)
    with pytest.raises(SourceError, match="community"):
        reader.poll()
    monkeypatch.setenv("COMMUNITY", "rotated")
    assert values(reader.poll())
