"""Debian's daemons from end to end: snmpd and blackbox_exporter to Prometheus, flows to collectors,
and from there to the history of a twin."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import dpkt
import numpy as np
import pytest

from nettwin.apps.flows import demands_of, read_flows
from nettwin.formats.counters import Counters
from nettwin.physical.linux.needs import missing
from nettwin.physical.network import Opening as NetworkOpening
from nettwin.physical.registry import NETWORKS
from nettwin.scenario.generate import generate
from nettwin.telemetry.flows.records import FlowRecords, FlowSource
from nettwin.telemetry.registry import SOURCES
from nettwin.telemetry.source import ALWAYS_S, Opening
from nettwin.telemetry.source_file import opened, read_source_file
from nettwin.workspace.workspace import begin
from tests.interfaces.conftest import Run, run  # noqa: F401  # a fixture

pytestmark = pytest.mark.system
PATHS = f"{os.environ.get('PATH', '')}:/usr/sbin"
COUNTERS = {  # as snmp_exporter's generator writes its module if_mib
    "ifHCOutOctets": ("31.1.1.1.10", "counter"),
    "ifHCInOctets": ("31.1.1.1.6", "counter"),
    "ifHighSpeed": ("31.1.1.1.15", "gauge"),
    "ifOperStatus": ("2.2.1.8", "gauge"),
    "ifOutDiscards": ("2.2.1.19", "counter"),
    "ifOutErrors": ("2.2.1.20", "counter"),
}


def needs(*names: str) -> pytest.MarkDecorator:
    missing = [name for name in names if shutil.which(name, path=PATHS) is None]
    return pytest.mark.skipif(bool(missing), reason=f"{', '.join(missing)} is not installed")


@contextmanager
def daemon(folder: Path, name: str, *arguments: object) -> Iterator[subprocess.Popen[bytes]]:
    """A daemon that runs as long as the block does."""
    program = shutil.which(name, path=PATHS)
    assert program
    environment = {**os.environ, "SNMP_PERSISTENT_DIR": str(folder / "state"), "MIBS": ""}
    with (folder / f"{name}.log").open("wb") as log:
        started = subprocess.Popen(
            [program, *map(str, arguments)],
            env=environment,
            stdout=log,
            stderr=log,
            cwd=folder,
            start_new_session=True,  # with what it starts itself
        )
    try:
        time.sleep(0.5)
        assert started.poll() is None, (folder / f"{name}.log").read_text()[-2000:]
        yield started
    finally:
        with suppress(ProcessLookupError, subprocess.TimeoutExpired):
            os.killpg(started.pid, signal.SIGTERM)
            started.wait(5)
        with suppress(ProcessLookupError):
            os.killpg(started.pid, signal.SIGKILL)
        started.wait(5)


def free_ports(count: int, kind: socket.SocketKind = socket.SOCK_STREAM) -> list[int]:
    sockets = [socket.socket(socket.AF_INET, kind) for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


@contextmanager
def traffic(bytes_per_s: int) -> Iterator[None]:
    """Packets over the loopback interface."""
    stop = threading.Event()

    def send() -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
            while not stop.wait(0.01):
                one.sendto(bytes(bytes_per_s // 100), ("127.0.0.1", 9))

    thread = threading.Thread(target=send)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


@needs("snmpd", "prometheus-snmp-exporter", "prometheus-blackbox-exporter", "prometheus")
def test_a_prometheus_that_knows_nothing_of_nettwin(run: Run, tmp_path: Path) -> None:  # noqa: F811
    """snmpd's counters by snmp_exporter, round trips by blackbox_exporter, both by Prometheus."""
    (agent,) = free_ports(1, socket.SOCK_DGRAM)
    exporter, blackbox, server = free_ports(3)
    (tmp_path / "snmpd.conf").write_text(
        f"agentaddress udp:127.0.0.1:{agent}\nrocommunity public 127.0.0.1\n"
    )
    lookup = (
        "    indexes: [{labelname: ifIndex, type: gauge}]\n    lookups:\n"
        "    - {labels: [ifIndex], labelname: ifName, oid: 1.3.6.1.2.1.31.1.1.1.1,"
        " type: DisplayString}\n"
    )
    metrics = "".join(
        f"  - name: {name}\n    oid: 1.3.6.1.2.1.{oid}\n    type: {kind}\n{lookup}"
        for name, (oid, kind) in COUNTERS.items()
    )
    (tmp_path / "snmp.yml").write_text(
        f"if_mib:\n  walk: [1.3.6.1.2.1.2, 1.3.6.1.2.1.31.1.1]\n  metrics:\n{metrics}"
        "  version: 2\n  auth: {community: public}\n"
    )
    (tmp_path / "blackbox.yml").write_text("modules: {tcp: {prober: tcp, timeout: 1s}}\n")

    def job(name: str, path: str, module: str, target: str, at: int, more: str = "") -> str:
        return (
            f"- job_name: {name}\n  metrics_path: {path}\n  params: {{module: [{module}]}}\n"
            f"  static_configs: [{{targets: ['{target}']{more}}}]\n  relabel_configs:\n"
            "  - {source_labels: [__address__], target_label: __param_target}\n"
            "  - {source_labels: [__param_target], target_label: instance}\n"
            f"  - {{target_label: __address__, replacement: '127.0.0.1:{at}'}}\n"
        )

    (tmp_path / "prometheus.yml").write_text(
        "global: {scrape_interval: 1s, scrape_timeout: 1s}\nscrape_configs:\n"
        + job("snmp", "/snmp", "if_mib", f"127.0.0.1:{agent}", exporter)
        + job("probe", "/probe", "tcp", f"127.0.0.1:{server}", blackbox, ", labels: {prober: N1}")
    )
    twin = begin(tmp_path / "twin", generate("ring", nodes=3, capacity_bps=1e9))
    sent = Path("/sys/class/net/lo/statistics/tx_bytes")
    with (
        daemon(tmp_path, "snmpd", "-f", "-Lo", "-C", "-c", "snmpd.conf"),
        daemon(tmp_path, "prometheus-snmp-exporter", "--config.file=snmp.yml",
               f"--web.listen-address=127.0.0.1:{exporter}"),
        daemon(tmp_path, "prometheus-blackbox-exporter", "--config.file=blackbox.yml",
               f"--web.listen-address=127.0.0.1:{blackbox}"),
        daemon(tmp_path, "prometheus", "--config.file=prometheus.yml",
               "--storage.tsdb.path=data", f"--web.listen-address=127.0.0.1:{server}"),
        traffic(1_000_000),
    ):  # fmt: skip
        before, begin_s = int(sent.read_text()), time.time()
        time.sleep(40)
        rate = (int(sent.read_text()) - before) * 8 / (time.time() - begin_s)
        url = f"http://127.0.0.1:{server}"
        assert urllib.request.urlopen(f"{url}/-/ready").status == 200
        (tmp_path / "counters.yaml").write_text(
            f"source: prometheus\nurl: {url}\ninterval: 5s\n"
            f"devices: {{'127.0.0.1:{agent}': N1}}\n"
            f"links: {{'127.0.0.1:{agent}': {{lo: N1->N2}}}}\n"
        )
        (tmp_path / "probes.yaml").write_text(
            f"source: prometheus\nurl: {url}\ninterval: 5s\ndevice: prober\ninterface: instance\n"
            "quantities: {rtt_s: 'probe_duration_seconds{job=\"probe\"}'}\n"
            f"devices: {{'127.0.0.1:{server}': N2}}\n"
        )
        for name in ("counters", "probes"):
            done = run("data", "collect", f"{name}.yaml", "-w", twin.folder, "--since", "1m")
            assert done.code == 0, done.err + done.out
    times, rates = twin.repository.series("link/N1->N2/throughput_bps")
    assert len(times) >= 5
    assert np.mean(rates[1:-1]) == pytest.approx(rate, rel=0.15)
    _, delays = twin.repository.series("flow/N1->N2/owd_mean_s")
    assert len(delays) >= 4 and (delays > 0).all() and (delays < 0.5).all()


def packets(path: Path) -> tuple[int, int]:
    """A capture of 30 flows; its packets, and octets of IP."""
    draw = np.random.default_rng(5)
    made = []
    for k in range(30):
        size = int(draw.integers(60, 1400))
        udp = dpkt.udp.UDP(sport=1024 + k, dport=443, data=bytes(size - 28))
        udp.ulen = len(udp)
        source = socket.inet_aton(f"10.{1 + k % 3}.0.{k + 1}")
        target = socket.inet_aton(f"10.{1 + (k + 1) % 3}.9.9")
        ip = dpkt.ip.IP(src=source, dst=target, p=17, ttl=60, data=udp)
        ip.len = len(ip)
        frame = dpkt.ethernet.Ethernet(src=b"\2\0\0\0\0\1", dst=b"\2\0\0\0\0\2", data=ip)
        first = time.time() - 400 + draw.uniform(0, 100)
        made += [(first + 0.3 * i, bytes(frame), size) for i in range(int(draw.integers(1, 90)))]
    made.sort(key=lambda one: one[0])
    with path.open("wb") as file:
        writer = dpkt.pcap.Writer(file)
        for at, frame, _ in made:
            writer.writepkt(frame, ts=at)
    return len(made), sum(size for _, _, size in made)


def read(kind: str, folder: Path, path: str) -> FlowRecords:
    source = SOURCES[kind].open(Opening({"path": path, "exporter": "N1"}, folder))
    return source.flows(*ALWAYS_S)  # type: ignore[attr-defined, no-any-return]


@needs("softflowd", "nfcapd", "nfdump")
@pytest.mark.parametrize("version", ["5", "9"])
def test_softflowd_to_nfdump(tmp_path: Path, version: str) -> None:
    """NetFlow of a capture: as many packets and octets as it holds, at their times."""
    count, octets = packets(tmp_path / "a.pcap")
    (port,) = free_ports(1, socket.SOCK_DGRAM)
    (tmp_path / "flows").mkdir()
    with daemon(tmp_path, "nfcapd", "-w", "flows", "-b", "127.0.0.1", "-p", port, "-t", 300):
        replay(tmp_path, port, version)
    for kind in ("json", "csv"):
        text = subprocess.run(
            ["nfdump", "-R", "flows", "-o", kind], cwd=tmp_path, capture_output=True, check=True,
            env={**os.environ, "TZ": "UTC"},
        ).stdout  # fmt: skip
        (tmp_path / f"a.{kind}").write_bytes(text)
        records = read("nfdump", tmp_path, f"a.{kind}")
        assert len(records) == 30
        assert (records.packets.sum(), records.octets.sum()) == (count, octets)
        assert (np.abs(records.end_s - time.time()) < 600).all()
    own = read("nfdump", tmp_path, "flows/nfcapd.2*")
    assert own.octets.sum() == octets and sorted(own.keys()) == sorted(records.keys())


@needs("softflowd", "nfacctd")
def test_softflowd_to_pmacct(tmp_path: Path) -> None:
    """IPFIX of a capture."""
    count, octets = packets(tmp_path / "a.pcap")
    (port,) = free_ports(1, socket.SOCK_DGRAM)
    (tmp_path / "a.conf").write_text(
        f"daemonize: false\nnfacctd_ip: 127.0.0.1\nnfacctd_port: {port}\nplugins: print\n"
        "aggregate: peer_src_ip, src_host, dst_host, src_port, dst_port, proto, in_iface,"
        " out_iface, timestamp_start, timestamp_end\n"
        "print_output: json\nprint_output_file: a.json\nprint_refresh_time: 3\n"
    )
    with daemon(tmp_path, "nfacctd", "-f", "a.conf"):
        replay(tmp_path, port, "10")
        for _ in range(40):
            time.sleep(0.5)
            if (tmp_path / "a.json").exists() and (tmp_path / "a.json").stat().st_size:
                break
        time.sleep(0.5)
        records = read("pmacct", tmp_path, "a.json")
    assert len(records) == 30
    assert (records.packets.sum(), records.octets.sum()) == (count, octets)
    assert set(records.exporter) == {"127.0.0.1"}


@needs("softflowd", "nfacctd", "nfcapd", "nfdump")
def test_who_multiplies_what_is_sampled(tmp_path: Path) -> None:
    """One packet of ten: nfdump multiplies NetFlow 5 itself and knows no rate of NetFlow 9; pmacct
    tells the rate. What a source tells, multiplied by its sampling, is right but for the last."""
    _, octets = packets(tmp_path / "a.pcap")
    collector, *ports = free_ports(3, socket.SOCK_DGRAM)
    found = {}
    for version, port in zip("59", ports, strict=True):
        folder = tmp_path / f"v{version}"
        folder.mkdir()
        with daemon(tmp_path, "nfcapd", "-w", folder, "-b", "127.0.0.1", "-p", port, "-t", 300):
            replay(tmp_path, port, version, "-s", "10")
        found[f"nfdump {version}"] = read("nfdump", folder, "nfcapd.2*")
    (tmp_path / "a.conf").write_text(
        f"daemonize: false\nnfacctd_ip: 127.0.0.1\nnfacctd_port: {collector}\nplugins: print\n"
        "aggregate: peer_src_ip, src_host, dst_host, src_port, dst_port, proto, sampling_rate,"
        " timestamp_start\nprint_output: json\nprint_output_file: a.json\nprint_refresh_time: 3\n"
    )
    with daemon(tmp_path, "nfacctd", "-f", "a.conf"):
        replay(tmp_path, collector, "9", "-s", "10")
        time.sleep(6)
        found["pmacct"] = read("pmacct", tmp_path, "a.json")
    total = {name: float((r.octets * r.sampling).sum()) / octets for name, r in found.items()}
    assert total["nfdump 5"] == pytest.approx(1, abs=0.3)
    assert total["pmacct"] == pytest.approx(1, abs=0.3)
    assert set(found["pmacct"].sampling) == {10.0}
    assert total["nfdump 9"] == pytest.approx(0.1, abs=0.03)  # to be estimated from counters


@needs("pmacctd")
def test_pmacctd_alone(tmp_path: Path) -> None:
    count, octets = packets(tmp_path / "a.pcap")
    (tmp_path / "a.conf").write_text(
        "daemonize: false\npcap_savefile: a.pcap\nplugins: print\nprint_output: csv\n"
        "aggregate: src_host, dst_host, src_port, dst_port, proto, timestamp_start, timestamp_end\n"
        "print_output_file: a.csv\nprint_refresh_time: 60\n"
    )
    program = shutil.which("pmacctd", path=PATHS)
    assert program
    command = [program, "-f", "a.conf"]
    subprocess.run(command, cwd=tmp_path, capture_output=True, timeout=60, check=False)
    records = read("pmacct", tmp_path, "a.csv")
    assert (records.packets.sum(), records.octets.sum()) == (count, octets)
    assert set(records.exporter) == {"N1"}


def replay(folder: Path, port: int, version: str, *more: str) -> None:
    """Let softflowd export what a capture holds."""
    program = shutil.which("softflowd", path=PATHS)
    assert program
    command = [program, "-r", "a.pcap", "-n", f"127.0.0.1:{port}", "-v", version, "-d", *more]
    subprocess.run(command, cwd=folder, capture_output=True, timeout=60, check=True)
    time.sleep(1)


def zebras() -> dict[str, int]:
    """The process of each router that runs below this one, by the router's name."""
    below, found = {os.getpid()}, {}
    parents = {}
    for place in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            status = (place / "stat").read_text().rpartition(")")[2].split()
            parents[int(place.name)] = int(status[1])
    while more := {pid for pid, parent in parents.items() if parent in below} - below:
        below |= more
    for pid in below:
        with suppress(OSError):
            words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
            if words[0].endswith(b"/zebra"):
                found[words[words.index(b"-N") + 1].decode()] = pid
    return found


def controlled(folder: Path, command: str) -> None:
    """Tell every softflowd to do something."""
    program = str(shutil.which("softflowctl", path=PATHS))
    for control in folder.glob("r*/*.ctl"):
        subprocess.run([program, "-c", control, command], capture_output=True, check=True)


@needs("softflowd", "softflowctl", "nfcapd", "nfdump", "nsenter")
@pytest.mark.skipif(bool(missing()), reason=missing() or "this machine has all it needs")
def test_flows_of_real_routers_fit_what_their_links_count(tmp_path: Path) -> None:
    """softflowd at each port of the emulated routers, nfcapd beside it; every router's records of
    what it sends add up to what the kernel counts at its links."""
    plan = generate("ring", nodes=5, load=0.5, capacity_bps=1e6)  # each pair has one path
    topology = plan.topology
    network = NETWORKS["linux"].open(NetworkOpening(tmp_path, plan, {"interval_s": 3.0}))
    step_s = 3600.0
    try:
        inside = {name: ("-t", pid, "-n") for name, pid in zebras().items()}
        assert len(inside) == 5

        def counted() -> np.ndarray:
            found = []
            for k, source in enumerate(topology.link_source.tolist()):
                words = [str(word) for word in inside[f"r{source}"]]
                told = subprocess.run(
                    ["nsenter", *words, "ip", "-s", "-j", "link", "show", f"e{k}"],
                    capture_output=True,
                    check=True,
                ).stdout
                found.append(json.loads(told)[0]["stats64"]["tx"]["bytes"])
            return np.array(found, float)

        with ExitStack() as daemons:
            for i, name in enumerate(sorted(inside)):
                folder = tmp_path / name
                folder.mkdir()
                at = f"10.255.0.{i + 1}"
                daemons.enter_context(
                    daemon(folder, "nsenter", *inside[name], "nfcapd", "-w", folder, "-b", at,
                           "-p", 9995, "-t", 300)
                )  # fmt: skip
                for k in np.flatnonzero(topology.link_source == i).tolist():
                    daemons.enter_context(
                        daemon(folder, "nsenter", *inside[name], "softflowd", "-i", f"e{k}", "-d",
                               "-n", f"{at}:9995", "-v", 9, "-p", folder / f"{k}.pid",
                               "-c", folder / f"{k}.ctl")
                    )  # fmt: skip
            controlled(tmp_path, "delete-all")  # what was sent while daemons started
            before = counted()
            for _ in range(3):
                network.observe()
            octets = counted() - before
            controlled(tmp_path, "expire-all")
            time.sleep(2)
        assert octets.min() > 10_000
    finally:
        network.close()
    end_s = (time.time() // step_s + 1) * step_s
    nodes = topology.node_name
    file = tmp_path / "flows.yaml"
    file.write_text(
        "source: nfdump\npath: r*/nfcapd.2*\ninterval: 1h\n"
        f"prefixes: {{{', '.join(f'10.255.0.{i + 1}: {n}' for i, n in enumerate(nodes))}}}\n"
        f"devices: {{{', '.join(f'10.255.0.{i + 1}: {n}' for i, n in enumerate(nodes))}}}\n"
    )
    unknown = np.full((1, 5), np.nan)
    counters = Counters(np.array([end_s]), octets[None] * 8 / step_s, unknown, unknown)
    source_file = read_source_file(file)
    with opened(source_file) as source:
        assert isinstance(source, FlowSource)
        span = (end_s - 2 * step_s, end_s)
        reading = read_flows(source, source_file, plan, *span, counters=counters)
    assert len(reading.reconciled.compared) == 10
    assert {one.kind for one in reading.findings.found} <= {"flows_unknown", "flows_again"}
    known = demands_of(reading, plan)
    assert known.listed is not None and known.listed.sum() == 20
