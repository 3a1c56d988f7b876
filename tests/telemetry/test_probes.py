"""Probes: irtt as it is, and delays between nodes from samples of any source."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nettwin.errors import FormatError, InputError
from nettwin.scenario.generate import generate
from nettwin.scenario.scenario import Scenario
from nettwin.telemetry.irtt import Irtt
from nettwin.telemetry.ports import Names
from nettwin.telemetry.probes import path_delays
from nettwin.telemetry.series import Port, Series
from nettwin.telemetry.source import ALWAYS_S, Opening
from tests.interfaces.conftest import Run, run  # noqa: F401  # a fixture
from tests.telemetry.recorded import SAMPLES

BEGIN_S = 1_767_571_200.0


def network() -> Scenario:
    return generate("ring", nodes=4, capacity_bps=1e9, load=0.5)


def series(source: str, target: str, quantity: str, values: Any, step_s: float = 10.0) -> Series:
    numbers = np.asarray(values, np.float64)
    return Series(
        Port(source, target), quantity, BEGIN_S + step_s * np.arange(len(numbers)), numbers
    )


def test_the_mean_of_an_interval_is_as_sure_as_its_probes() -> None:
    draw = np.random.default_rng(0)
    samples = 0.01 + draw.exponential(0.002, 6000)
    found = path_delays(
        [series("N1", "N2", "owd_mean_s", samples, 0.1)], network(), Names(), interval_s=60.0
    )
    assert found.pair == ((0, 1),)
    assert len(found.time_s) == 10 and found.time_s[0] == BEGIN_S + 60
    half = (found.high_s - found.low_s)[:, 0] / 2
    assert half == pytest.approx(1.96 * 0.002 / np.sqrt(600), rel=0.15)
    inside = np.abs(found.owd_mean_s[:, 0] - 0.012) < half
    assert inside.mean() >= 0.8
    assert np.isnan(found.loss_ratio).all()


def test_a_round_trip_is_parted_by_what_each_direction_takes_at_least() -> None:
    """Of 2 ms there and 6 ms back at least, in 10 ms, 1 ms waits in each."""
    plan = network()
    there, back = plan.topology.link("N1->N2"), plan.topology.link("N2->N1")
    delay = plan.topology.link_delay_s.copy()
    delay[there], delay[back] = 0.002, 0.006
    delay[[k for k in range(8) if k not in (there, back)]] = 1.0  # no other path is as short
    plan = plan.with_(topology=plan.topology.with_arrays(link_delay_s=delay))
    found = path_delays([series("N1", "N2", "rtt_s", [0.010] * 12)], plan, Names())
    assert found.pair == ((0, 1), (1, 0))
    assert np.nanmean(found.owd_mean_s, axis=0) == pytest.approx([0.003, 0.007])
    assert (found.low_s[0] < [0.00201, 0.00601]).all()
    assert (found.high_s[0] > [0.00399, 0.00799]).all()
    faster = path_delays([series("N1", "N2", "rtt_s", [0.004] * 12)], plan, Names())
    assert np.nanmean(faster.owd_mean_s, axis=0) == pytest.approx([0.001, 0.003])


def test_bad_probes_are_left_out_and_said() -> None:
    probes = [
        series("N1", "N2", "owd_mean_s", [0.01, -0.5, np.nan, 0.01]),
        series("N1", "n4.example.net", "loss_ratio", [0, 1, 0, 0]),
        series("N1", "Nowhere", "owd_mean_s", [0.01]),
    ]
    found = path_delays(probes, network(), Names(), interval_s=60.0)
    kinds = {one.kind: one for one in found.findings.found}
    assert set(kinds) == {"probe_negative", "garbage", "probe_unmatched"}
    assert "Nowhere is no node" in kinds["probe_unmatched"].detail
    assert found.pair == ((0, 1), (0, 3))
    assert found.owd_mean_s[0, 0] == pytest.approx(0.01)
    assert found.loss_ratio[0, 1] == 0.25
    with pytest.raises(InputError, match=r"no probe is between two nodes.*Nowhere is no node"):
        path_delays(probes[2:], network(), Names())


def test_irtt_tells_each_direction() -> None:
    source = Irtt(Opening({"path": "irtt.json", "device": "N1"}, SAMPLES))
    assert "8 probes" in source.test()
    found = {(one.port, one.quantity): one for one in source.read(*ALWAYS_S)}
    there, back = Port("N1", "127.0.0.1"), Port("127.0.0.1", "N1")
    sent, received = found[there, "owd_mean_s"].value, found[back, "owd_mean_s"].value
    trips = found[there, "rtt_s"].value
    assert len(trips) == 8 and trips[0] == 4122109e-9
    np.testing.assert_allclose(sent + received, trips, rtol=0.2)  # less what the server took
    assert not found[there, "loss_ratio"].value.any()


def test_lost_probes_count_where_they_were_lost(tmp_path: Path) -> None:
    data = json.loads((SAMPLES / "irtt.json").read_text())
    for trip, lost in zip(data["round_trips"], ("true_up", "true_down", "true"), strict=False):
        trip.update(lost=lost, delay={})
    data["round_trips"].append({"seqno": 9})
    (tmp_path / "a.json").write_text(json.dumps(data))
    told: list[str] = []
    source = Irtt(Opening({"path": "a.json", "device": "N1"}, tmp_path, told))
    found = {(one.port.device, one.quantity): one.value for one in source.read(*ALWAYS_S)}
    assert found["N1", "loss_ratio"].tolist() == [1, 0, 1, 0, 0, 0, 0, 0]
    assert found["127.0.0.1", "loss_ratio"].tolist() == [1, 0, 0, 0, 0, 0]
    assert told == ["a.json: 1 probes whose times cannot be read"]


@pytest.mark.parametrize(
    ("content", "said"), [("<html>", "no JSON"), ("{}", "must have config.local_address")]
)
def test_what_is_not_of_irtt_is_told(tmp_path: Path, content: str, said: str) -> None:
    (tmp_path / "a.json").write_text(content)
    with pytest.raises(FormatError, match=said):
        Irtt(Opening({"path": "a.json"}, tmp_path)).test()


def test_probes_in_a_table_are_kept_as_delays_of_flows(
    run: Run,  # noqa: F811
    tmp_path: Path,
) -> None:
    rows = ["time,from,to,owd,lost"]
    for k in range(600):
        at = BEGIN_S + k
        rows += [f"{at},N1,N2,{12 + k % 3},0", f"{at},N2,N1,{9 + k % 2},{int(k % 10 == 0)}"]
    (tmp_path / "probes.csv").write_text("\n".join(rows))
    (tmp_path / "probes.yaml").write_text(
        "source: csv\npath: probes.csv\ndevice: from\ninterface: to\ninterval: 1min\n"
        'quantities: {owd_mean_s: "owd [ms]", loss_ratio: lost}\n'
    )
    assert run("generate ring --nodes 3 -o net.yaml").code == 0
    assert run("init twin --network net.yaml").code == 0
    checked = json.loads(run("data check probes.yaml -w twin --json").out)
    first = checked["probes"][0]
    assert (first["source"], first["target"]) == ("N1", "N2")
    assert first["owd_mean_s"] == pytest.approx(0.013)
    assert checked["probes"][1]["loss_ratio"] == pytest.approx(0.1)
    assert "Probes" in run("data check probes.yaml -w twin").out
    done = run("data collect probes.yaml -w twin --json")
    assert json.loads(done.out)["intervals"] == 10, done.err
    from nettwin.repository.repository import Repository

    kept = Repository(tmp_path / "twin" / "repository")
    seen = kept.observation(kept.times_s()[-1])
    place = seen.scenario.flow_names.index("N1->N2")
    flow = seen.metrics.flow
    assert flow["owd_mean_s"][place] == pytest.approx(0.013)
    assert flow.low["owd_mean_s"][place] < 0.013 < flow.high["owd_mean_s"][place]


def test_probes_of_a_network_of_classes_name_theirs(
    run: Run,  # noqa: F811
    tmp_path: Path,
) -> None:
    (tmp_path / "probes.csv").write_text("time,from,to,owd\n1767571200,N1,N2,5\n1767571210,N1,N2,6")
    file = (
        "source: csv\npath: probes.csv\ndevice: from\ninterface: to\n"
        'quantities: {owd_mean_s: "owd [ms]"}\n'
    )
    assert run("generate ring --nodes 3 --classes three --scheduler wfq -o net.yaml").code == 0
    assert run("init twin --network net.yaml").code == 0
    (tmp_path / "probes.yaml").write_text(file)
    told = run("data collect probes.yaml -w twin")
    assert told.code == 2 and "class: " in told.err
    name = told.err.partition("class: ")[2].split()[0]
    (tmp_path / "probes.yaml").write_text(f"{file}class: {name}\n")
    assert run("data collect probes.yaml -w twin").code == 0
    (tmp_path / "probes.yaml").write_text(f"{file}class: nothing\n")
    assert "nothing" in run("data collect probes.yaml -w twin").err


def test_calibration_takes_probes_from_the_history(
    run: Run,  # noqa: F811
    tmp_path: Path,
) -> None:
    """A link that takes 3 % longer than planned is found by probes of irtt-like tables, though no
    link was counted."""
    from nettwin.engines.theory import Theory

    assert run("generate ring --nodes 4 --load 30% -o net.yaml").code == 0
    assert run("init twin --network net.yaml").code == 0
    from nettwin.formats import read

    plan = read(tmp_path / "net.yaml").scenario
    delay = plan.topology.link_delay_s.copy()
    late = plan.topology.link("N1->N2")
    delay[late] *= 1.03
    truth = plan.with_(topology=plan.topology.with_arrays(link_delay_s=delay))
    owd = Theory().predict([truth])[0].flow["owd_mean_s"]
    draw = np.random.default_rng(0)
    rows = ["time,from,to,owd,lost"]
    for k in range(6 * 20):
        for name, value in zip(plan.flow_names, owd, strict=True):
            one, other = name.split("->")
            probe = value * (1 + draw.normal(0, 2e-4))
            rows.append(f"{BEGIN_S + 3 * k},{one},{other},{probe:.12g},0")
    (tmp_path / "probes.csv").write_text("\n".join(rows))
    (tmp_path / "probes.yaml").write_text(
        "source: csv\npath: probes.csv\ndevice: from\ninterface: to\ninterval: 1min\n"
        "quantities: {owd_mean_s: owd, loss_ratio: lost}\n"
    )
    assert run("data collect probes.yaml -w twin").code == 0
    done = run("calibrate -w twin --json")
    assert done.code == 0, done.err
    found = json.loads(done.out)
    assert found["delay"]["N1->N2"] == pytest.approx(1.03, abs=0.01)
    assert found["delay"]["N3->N4"] == pytest.approx(1.0, abs=0.01)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("irtt") is None, reason="irtt is not installed")
def test_irtt_itself(tmp_path: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(["irtt", "server", "-b", f"127.0.0.1:{port}"], **quiet) as server:  # type: ignore[call-overload]
        try:
            time.sleep(0.5)
            ask = ["irtt", "client", "-i", "10ms", "-d", "500ms", "-o", str(tmp_path / "a.json")]
            subprocess.run([*ask, f"127.0.0.1:{port}"], check=True, timeout=30, **quiet)  # type: ignore[call-overload]
        finally:
            server.kill()
    plan = generate("ring", nodes=3)
    source = Irtt(Opening({"path": "a.json", "device": "N1"}, tmp_path))
    found = path_delays(source.read(*ALWAYS_S), plan, Names({"127.0.0.1": "N2"}))
    assert found.pair == ((0, 1), (1, 0))
    assert (np.nanmean(found.owd_mean_s, axis=0) < 0.1).all()
