"""Worker: one process that does jobs, one after another, at low priority.

The process is begun afresh and warmed. Over a pipe it is given `(id, kind, arguments)` and `None`
for the end; it sends `("ready",)`, `("tell", id, share, told)` and `("end", id, state, problem,
bytes)`. A cancel comes over the same pipe while it works.
"""

from __future__ import annotations

import logging
import os
import resource
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from nettwin.formats.files import write_text
from nettwin.interfaces.server.jobs.kinds import KINDS, CancelledError, Work
from nettwin.interfaces.server.turns import turn
from nettwin.workers import begin_talking

NICE = 10
TELL_S = 0.1  # at most so often
CANCEL, END = "cancel", None
log = logging.getLogger(__name__)


class Worker:
    """A process and the pipe to it. Raises OSError or EOFError from `receive` once it has died."""

    def __init__(self, folder: Path, most_bytes: int, warm: str) -> None:
        self.process, self.pipe = begin_talking(partial(_serve, folder, most_bytes, warm))

    def begin(self, id: str, kind: str, arguments: Mapping[str, Any]) -> None:
        """Give it a job."""
        self.pipe.send((id, kind, dict(arguments)))

    def cancel(self) -> None:
        """Ask it to end the job that it is at."""
        with suppress(OSError, ValueError):
            self.pipe.send(CANCEL)

    def receive(self, timeout_s: float) -> tuple[Any, ...] | None:
        """What it says next; None where it says nothing in time."""
        if not self.pipe.poll(timeout_s):
            return None
        found: tuple[Any, ...] = self.pipe.recv()
        return found

    def kill(self) -> None:
        """End the process at once."""
        self.process.terminate()
        self.process.join(2.0)
        if self.process.is_alive():
            self.process.kill()
            self.process.join(2.0)
        self.pipe.close()


def _serve(folder: Path, most_bytes: int, warm: str, pipe: Connection) -> None:
    """The loop of the process."""
    os.nice(NICE)
    with suppress(ValueError, OSError):
        most_bytes = most_bytes or os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        resource.setrlimit(resource.RLIMIT_AS, (most_bytes, resource.RLIM_INFINITY))
    _die_with(os.getppid())
    if warm:
        with suppress(Exception), turn(folder):
            _named(warm)()
    pipe.send(("ready",))
    while True:
        try:
            found = pipe.recv()
        except EOFError:
            return
        if found is END:
            return
        if found != CANCEL:  # a cancel that came too late
            _work(pipe, folder, *found)


def _work(pipe: Connection, folder: Path, id: str, kind: str, arguments: Mapping[str, Any]) -> None:
    from nettwin.interfaces import documents
    from nettwin.interfaces.server import problems

    state = {"cancelled": False, "told_s": 0.0}

    def stopped() -> bool:
        if not state["cancelled"] and pipe.poll() and pipe.recv() == CANCEL:
            state["cancelled"] = True
        return bool(state["cancelled"])

    def tell(share: float | None, told: Mapping[str, Any] | None = None) -> None:
        if not KINDS[kind].best and stopped():
            raise CancelledError
        now = time.monotonic()
        if now - state["told_s"] >= TELL_S or (share is not None and share >= 1.0):
            state["told_s"] = now
            pipe.send(("tell", id, share, dict(told or {})))

    try:
        answer = KINDS[kind].load()(Work(folder, arguments, tell, stopped))
        text = documents.dumps(answer)
        write_text(folder / "jobs" / f"{id}.json", text)
        pipe.send(("end", id, "done", None, len(text.encode())))
    except CancelledError:
        pipe.send(("end", id, "cancelled", None, None))
    except BaseException as error:
        problem = problems.of_error(error)
        if problem["status"] == 500:
            log.error("job %s (%s) failed\n%s", id, kind, traceback.format_exc())
        here = f"{folder}/"
        problem = {k: v.replace(here, "") if isinstance(v, str) else v for k, v in problem.items()}
        pipe.send(("end", id, "failed", problem, None))


def _named(place: str) -> Callable[[], object]:
    from importlib import import_module

    module, _, function = place.partition(":")
    found: Callable[[], object] = getattr(import_module(module), function)
    return found


def _die_with(parent: int) -> None:
    """End this process when the server is gone, whatever ended it."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1.0)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
