"""FRR: zebra and ospfd of a router; their files, and commands over their sockets.

Commands go where vtysh sends them: to the socket of the daemon, each ended by a zero byte; the
answer ends with three zero bytes and a status. What is set is read back from the running
configuration, never believed.
"""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from nettwin.errors import NetworkError
from nettwin.physical.linux.namespaces import Namespace

DAEMONS = Path("/usr/lib/frr")
CONFIGURATION, STATE = Path("/etc/frr"), Path("/var/run/frr")
LINK_STATE = "show ip ospf database router json"
SECONDS = 5.0  # in which a daemon answers
MAX_COST = 65535
# The kernel takes what goes over a link that fails out of its groups of next hops; when the link is
# up again zebra 8.4 uses a group that it remembers, and does not tell the kernel anew.
ZEBRA = "no zebra nexthop kernel enable"


def configuration(name: str, address: str, costs: Mapping[str, int], paths: int) -> str:
    """The file of ospfd: point-to-point links with their costs, in area 0. Lost links show by their
    carrier, so that the time after which a silent neighbor is dead may be long."""
    lines = [f"hostname {name}"]
    for device, cost in costs.items():
        lines += [
            f"interface {device}",
            " ip ospf network point-to-point",
            " ip ospf area 0",
            " ip ospf hello-interval 1",
            " ip ospf dead-interval 30",
            " ip ospf retransmit-interval 1",
            f" ip ospf cost {cost}",
        ]
    lines += [
        "interface lo",
        " ip ospf area 0",
        " ip ospf passive",
        "router ospf",
        f" ospf router-id {address}",
        f" maximum-paths {paths}",
        " timers throttle spf 10 50 500",
        " timers throttle lsa all 50",
    ]
    return "\n".join(lines) + "\n"


def start(namespaces: Mapping[str, Namespace], files: Mapping[str, str]) -> None:
    """Start zebra and ospfd of every router, and wait until they have read their files."""
    for name, text in files.items():
        for base in (CONFIGURATION, STATE):
            (base / name).mkdir(parents=True)
            shutil.chown(base / name, "frr", "frr")
        (CONFIGURATION / name / "zebra.conf").write_text(f"hostname {name}\n{ZEBRA}\n")
        (CONFIGURATION / name / "ospfd.conf").write_text(text)
    for daemon in ("zebra", "ospfd"):
        begun = []
        for name, namespace in namespaces.items():
            command = [f"{DAEMONS / daemon}", "-d", "-N", name, "-A", "127.0.0.1"]
            command += ["-f", f"{CONFIGURATION / name / daemon}.conf"]
            with namespace.entered():
                begun.append(
                    subprocess.Popen(
                        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
                    )
                )
        for name, process in zip(namespaces, begun, strict=True):
            _, errors = process.communicate()
            if process.returncode:
                raise NetworkError(f"{daemon} of router {name} did not start: {errors.strip()}")


def command(router: str, lines: Sequence[str], daemon: str = "ospfd") -> str:
    """What a daemon answers to commands, one after the other. Raises NetworkError where it does not
    answer or refuses one."""
    path = STATE / router / f"{daemon}.vty"
    out = []
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
            line.settimeout(SECONDS)
            line.connect(str(path))
            for text in ("enable", *lines):
                line.sendall(text.encode() + b"\0")
                answer, status = _answer(line)
                if status not in (0, 8):  # CMD_SUCCESS, CMD_SUCCESS_DAEMON
                    raise NetworkError(f"router {router} refuses {text!r}: {answer.strip()}")
                out.append(answer)
    except OSError as error:
        raise NetworkError(f"router {router} does not answer: {error}") from None
    return "".join(out)


def _answer(line: socket.socket) -> tuple[str, int]:
    data = b""
    while len(data) < 4 or data[-4:-1] != b"\0\0\0":
        more = line.recv(65536)
        if not more:
            raise OSError("it closed the connection")
        data += more
    return data[:-4].decode(errors="replace"), data[-1]


def set_cost(router: str, device: str, cost: int) -> None:
    """Give a device an OSPF cost."""
    command(router, ["configure terminal", f"interface {device}", f"ip ospf cost {cost}", "end"])


def costs(router: str) -> dict[str, int]:
    """The OSPF cost of each device that has one, from the running configuration."""
    found: dict[str, int] = {}
    device = ""
    for line in command(router, ["show running-config"]).splitlines():
        if match := re.match(r"interface (\S+)", line):
            device = match[1]
        elif match := re.match(r" ip ospf cost (\d+)", line):
            found[device] = int(match[1])
    return found
