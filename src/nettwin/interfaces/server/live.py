"""Live: the network of a workspace and its loop, in a process of their own.

That process is the one writer of the workspace. It runs the loop's cycle at a pace, tells what was
measured and predicted, and in between does what people ask: plans are added, verified, approved,
applied and undone, and events are let happen. It ends with the process that began it.
"""

from __future__ import annotations

import itertools
import os
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from nettwin.apps.loop.loop import Told
from nettwin.apps.loop.state import LoopState
from nettwin.errors import ApplyError, BusyError, InputError, NettwinError, NetworkError
from nettwin.intent import Judgement
from nettwin.interfaces.server.turns import turn
from nettwin.metrics import Metrics
from nettwin.observation import Observation
from nettwin.workers import begin_talking

CLOSING_S = 10.0
TOLD_KEPT = 200


@dataclass(frozen=True)
class Moment:
    """What a cycle of the loop has seen.

    `measured` judges the measurement by the intent; None where the workspace has no intent.
    `at_s` is this machine's time in seconds since 1970 at which the measurement was there, that of
    `seen` is the network's.
    """

    at_s: float
    seen: Observation
    predicted: Metrics | None
    measured: Judgement | None
    state: LoopState
    number: int = 0


class Live:
    """The process that watches and steers; made, it begins at once.

    `moment` is what was seen last, None before the first cycle; `trouble` says what goes wrong,
    empty where nothing does; `told` are the loop's last words. `listeners` are called, in a thread
    of this object, after each of them has changed.
    """

    def __init__(self, folder: Path, *, pace_s: float | None = None) -> None:
        self.folder = folder
        self.moment: Moment | None = None
        self.trouble = ""
        self.told: list[Told] = []
        self.listeners: list[Callable[[], None]] = []
        self._asked: dict[int, Future[Any]] = {}
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        self._closed = False
        self._process, self._line = begin_talking(partial(serve, folder, pace_s))
        self._reader = threading.Thread(target=self._read, name="live", daemon=True)
        self._reader.start()

    @property
    def runs(self) -> bool:
        """Whether the process is there."""
        return self._process.is_alive()

    def ask(self, what: str, *arguments: Any) -> Future[Any]:
        """Ask for one of `ASKED`, done between two cycles; its answer, or the error that it
        raises, comes with the future."""
        future: Future[Any] = Future()
        with self._lock:
            if self._closed or not self.runs:
                future.set_exception(NetworkError(self.trouble or "the loop does not run."))
                return future
            number = next(self._numbers)
            self._asked[number] = future
            self._line.send((number, what, arguments))
        return future

    def close(self) -> None:
        """End the process; what is on the disk stays as the last step left it."""
        if self._closed:
            return
        self._closed = True
        line = socket.socket(fileno=os.dup(self._line.fileno()))
        with line, suppress(OSError):  # it ended by itself
            line.shutdown(socket.SHUT_RDWR)  # a close alone does not wake who reads
        self._process.join(CLOSING_S)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()
        self._reader.join()
        self._line.close()

    def _read(self) -> None:
        while True:
            try:
                kind, value = self._line.recv()
            except (EOFError, OSError, TypeError):  # TypeError: closed while it was read
                break
            if kind == "moment":
                self.moment, self.trouble = value, ""
            elif kind == "told":
                self.told = [*self.told[1 - TOLD_KEPT :], value]
            elif kind == "trouble":
                self.trouble = value
            else:
                number, good, answer = value
                future = self._asked.pop(number)
                if good:
                    future.set_result(answer)
                else:
                    future.set_exception(answer)
            self._tell()
        if not self._closed:
            self.trouble = self.trouble or "the process of the loop has ended. Start nettwin anew."
        for future in self._asked.values():
            future.set_exception(NetworkError(self.trouble or "the loop has ended."))
        self._asked.clear()
        self._tell()

    def _tell(self) -> None:
        for listener in tuple(self.listeners):
            listener()


# in the process


def serve(folder: Path, pace_s: float | None, line: Connection) -> None:
    """Run the loop of a workspace, and do what is asked for, until the line ends."""
    from nettwin.workspace.workspace import Workspace

    try:
        place = Workspace(folder)
        with place.writing("nettwin serve"), place.network() as network:
            server = _Server(place, network, line)
            with turn(folder):
                server.begin()
            server.run(pace_s)
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return
    except (NettwinError, OSError) as error:
        tell_if_there(line, ("trouble", str(error)))


def tell_if_there(line: Connection, message: Any) -> None:
    """Send a message to a process that may have ended."""
    try:
        line.send(message)
    except OSError:
        return


class _Server:
    """The loop, and what people ask of it."""

    def __init__(self, place: Any, network: Any, line: Connection) -> None:
        from nettwin.interfaces import operating

        self.place, self.network, self.line = place, network, line
        settings = place.settings.loop
        self.model = operating.model_of(settings)
        self.verifier = operating.verifier_of(settings)
        self.corrected = operating.corrected(place)
        tell = lambda told: line.send(("told", told))  # noqa: E731
        self.loop = operating.loop_of(place, network, tell, warm=False)
        self.number = 0

    def begin(self) -> None:
        """See the network once, and compile what the loop needs: first what is looked at."""
        from nettwin.interfaces import operating

        self._cycle()
        operating.warm_up(self.place)

    def run(self, pace_s: float | None) -> None:
        """Cycle at a pace: of the network's own intervals where none is given."""
        while True:
            begin_s = time.monotonic()
            usual = self.loop.seen.interval_s if self.loop.seen else 1.0
            # a network of routers takes its interval's time to observe, a simulated one does not
            until_s = begin_s + (usual if pace_s is None else pace_s)
            while (left_s := until_s - time.monotonic()) > 0:
                if self.line.poll(left_s):
                    self._answer(*self.line.recv())
            while self.line.poll():
                self._answer(*self.line.recv())
            self._cycle()

    def _cycle(self) -> None:
        try:
            seen = self.loop.cycle()
        except NettwinError as error:
            self.line.send(("trouble", str(error)))
            return
        except OSError as error:
            self.line.send(("trouble", f"the history cannot be written: {error}"))
            return
        self._moment(seen)

    def _moment(self, seen: Observation) -> None:
        from nettwin.apps.loop import checks

        self.number += 1
        predicted = self.loop.predicted
        judged = checks.measured(self.place.intent, seen)
        state = self.loop.state
        moment = Moment(time.time(), seen, predicted, judged, state, self.number)
        self.line.send(("moment", moment))

    def _answer(self, number: int, what: str, arguments: tuple[Any, ...]) -> None:
        try:
            answer = ASKED[what](self, *arguments)
        except (NettwinError, OSError) as error:
            self.line.send(("answer", (number, False, sendable(error))))
        else:
            self.line.send(("answer", (number, True, answer)))


def sendable(error: Exception) -> Exception:
    """An error as it can be sent to another process: of a kind that needs its words alone."""
    if isinstance(error, ApplyError):
        return error
    for kind in (BusyError, NetworkError, InputError):
        if isinstance(error, kind):
            return kind(str(error))
    return NettwinError(str(error))


def _add(server: _Server, plan: Any, author: Any) -> Any:
    from nettwin.apps.loop import by_hand

    known = by_hand.add(server.place, plan, author)
    words = "a plan of their own"
    server.place.audit.add(time.time(), "add", author.name, words=words, plan=known.id)
    return known


def _verify(server: _Server, id: str) -> Any:
    from nettwin.apps.loop import by_hand

    return by_hand.verify(server.place, id, server.model, server.verifier, server.corrected)


def _approve(server: _Server, id: str, person: Any) -> Any:
    from nettwin.apps.loop import by_hand

    approval = by_hand.approve(server.place, id, person, time.time())
    words = f"{person.name} approves"
    server.place.audit.add(time.time(), "approve", person.name, words=words, plan=id)
    return approval


def _apply(server: _Server, id: str, person: Any) -> Any:
    from nettwin.apps.loop import by_hand

    return by_hand.apply(server.place, server.network, id, person, time.time())


def _undo(server: _Server, id: str, person: Any) -> Any:
    from nettwin.apps.loop import by_hand

    return by_hand.undo(server.place, server.network, id, person, time.time())


def _inject(server: _Server, event: Any, person: Any) -> None:
    person.need("operator", "let something happen to the network")
    server.network.inject(event)
    words = event.change.describe()
    server.place.audit.add(time.time(), "inject", person.name, words=words)


def _audit(server: _Server, what: str, who: str, details: dict[str, Any]) -> None:
    server.place.audit.add(time.time(), what, who, **details)


ASKED: dict[str, Callable[..., Any]] = {
    "add": _add,
    "verify": _verify,
    "approve": _approve,
    "apply": _apply,
    "undo": _undo,
    "inject": _inject,
    "audit": _audit,
}


def age_s(moment: Moment, now_s: float | None = None) -> float:
    """How old what was seen is, by this machine's clock."""
    return (time.time() if now_s is None else now_s) - moment.at_s
