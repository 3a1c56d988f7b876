"""Host: the process that holds the routers, and how it is reached from outside.

It is the first process of a PID namespace, with mounts and a network namespace of its own: no
address, no device and no file of it is seen on the machine, and no router has a path to it or
beyond. When it ends the kernel ends every daemon in it; it ends when whoever started it does,
however that happens.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import resource
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import traceback
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from nettwin.errors import NettwinError, NetworkError

CLOSING_S = 5.0


class Host:
    """The routers, from outside: every method of `Routers` can be called by its name."""

    def __init__(self, *arguments: Any) -> None:
        here, there = socket.socketpair()
        owner = os.pidfd_open(os.getpid())
        self._words = tempfile.TemporaryFile()  # noqa: SIM115  closed with the host
        command = ["unshare", "--net", "--mount", "--pid", "--mount-proc", "--fork"]
        command += ["--kill-child", sys.executable, "-m", __name__, str(owner)]
        try:
            self._process = subprocess.Popen(
                command,
                stdin=there.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=self._words,
                env=_environment(),
                pass_fds=(owner,),
                start_new_session=True,  # Ctrl-C is for whoever asked
            )
        finally:
            there.close()
            os.close(owner)
        self._line = Connection(here.detach())
        try:
            self._call(arguments)
        except BaseException:
            self.close()
            raise

    @property
    def pid(self) -> int:
        """The process on this machine that all others end with."""
        return int(self._process.pid)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return lambda *arguments: self._call((name, arguments))

    def close(self) -> None:
        """End the routers and everything in them; a second call does nothing."""
        if self._line.closed:
            return
        self._line.close()
        try:
            self._process.wait(CLOSING_S)
        except subprocess.TimeoutExpired:
            self._process.kill()  # and with it, as the kernel was told, its child
            self._process.wait()
        self._words.close()

    def _call(self, request: Any) -> Any:
        if self._line.closed:
            raise NetworkError("the routers have ended. Open the network again.")
        try:
            self._line.send(request)
            good, answer = self._line.recv()
        except (EOFError, OSError):
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(CLOSING_S)
            self._words.seek(0)
            lines = self._words.read().decode(errors="replace").strip().splitlines()
            self.close()
            reason = f" ({lines[-1]})" if lines else ""
            raise NetworkError(f"the routers have ended{reason}. Open the network again.") from None
        if not good:
            raise answer
        return answer


def _environment() -> dict[str, str]:
    """The host imports nettwin from where this process does."""
    root = str(Path(__file__).parents[3])
    paths = [root, *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "NUMBA_NUM_THREADS": "1"}


def _many_files() -> None:
    """As many open files as the kernel allows: every flow has sockets of its own."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with contextlib.suppress(OSError, ValueError):  # not every root may raise the limit
        most = max(most, int(Path("/proc/sys/fs/nr_open").read_text("ascii")))
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _private_folders() -> None:
    """Folders of the daemons that nobody else sees."""
    for folder in ("/etc/frr", "/var/run/frr"):
        Path(folder).mkdir(parents=True, exist_ok=True)
        subprocess.run(["mount", "-t", "tmpfs", "tmpfs", folder], check=True)
        shutil.chown(folder, "frr", "frr")


def _wait(line: Connection, owner: int) -> bool:
    """Wait for a request; whether one came before the owner ended."""
    ready, _, _ = select.select([line.fileno(), owner], [], [])
    return owner not in ready


def serve(line: Connection, owner: int) -> None:
    """Build routers as the first request says, then do as the others say until nobody asks."""
    from nettwin.physical.linux.routers import Routers

    routers: Routers | None = None
    try:
        while _wait(line, owner):
            request = line.recv()
            try:
                if routers is None:
                    routers, answer = Routers(*request), None
                else:
                    name, arguments = request
                    answer = getattr(routers, name)(*arguments)
                line.send((True, answer))
            except NettwinError as error:
                line.send((False, error))
            except Exception as error:
                traceback.print_exc()
                line.send((False, NetworkError(f"{type(error).__name__}: {error}")))
    except (EOFError, OSError, pickle.UnpicklingError):
        pass
    finally:
        if routers is not None:
            routers.close()


def main() -> None:
    """The process: its standard input is the line, its argument who started it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    line = Connection(os.dup(0))
    _many_files()
    _private_folders()
    serve(line, int(sys.argv[1]))


if __name__ == "__main__":
    main()
