"""Runs: which networks of Linux run on this machine, so that what one left behind can be removed.

    /run/nettwin/PID.json    one run: its process and the one that opened it, with their start times

The kernel ends everything of a run when its first process ends, which ends with whoever opened it.
`clean` is for what should be impossible: a first process that outlived its owner. Only a process
whose id and start time are those of the record is ended.
"""

from __future__ import annotations

import json
import os
import signal
import time
from contextlib import suppress
from pathlib import Path

from nettwin.formats.files import write_text

FOLDER = Path("/run/nettwin")


def start_time(pid: int) -> int:
    """When a process started, in ticks since the machine did; 0 where there is none."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0
    return 0 if fields[0] in "ZX" else int(fields[19])


def boot() -> str:
    """What tells one start of this machine from another."""
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def write(pid: int, folder: Path = FOLDER) -> Path:
    """Record a run of this process; gives its file."""
    path = folder / f"{pid}.json"
    record = {
        "boot": boot(),
        "host": [pid, start_time(pid)],
        "owner": [os.getpid(), start_time(os.getpid())],
    }
    folder.mkdir(parents=True, exist_ok=True)
    write_text(path, json.dumps(record) + "\n")
    return path


def remove(path: Path) -> None:
    """Forget a run that has ended."""
    path.unlink(missing_ok=True)


def clean(folder: Path = FOLDER, seconds: float = 5.0) -> list[str]:
    """Remove what runs left behind whose owners have died; one sentence for each."""
    said = []
    for path in sorted(folder.glob("*.json")) if folder.is_dir() else []:
        try:
            record = json.loads(path.read_text())
            (host, host_began), (owner, owner_began) = record["host"], record["owner"]
            same_boot = record["boot"] == boot()
        except (ValueError, KeyError, TypeError, OSError):
            said.append(f"{path} is not a record of a run; it was left alone")
            continue
        if same_boot and owner_began and start_time(owner) == owner_began:
            said.append(f"the network of process {owner} is in use; it was left alone")
            continue
        if same_boot and host_began and start_time(host) == host_began:
            with suppress(ProcessLookupError):
                os.kill(host, signal.SIGKILL)
            limit = time.monotonic() + seconds
            while start_time(host) == host_began and time.monotonic() < limit:
                time.sleep(0.02)
            said.append(f"the routers of process {owner}, which has died, were ended")
        else:
            said.append(f"the routers of process {owner} had ended; their record was removed")
        remove(path)
    return said
