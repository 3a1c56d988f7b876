"""Jobs: the queue of a server, and the workers that empty it.

Each worker has a thread here that gives it jobs and hears of their progress. One worker does quick
jobs alone, so that a long one never keeps them waiting; the others do both, the quick ones first.
"""

from __future__ import annotations

import asyncio
import secrets
import threading
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from nettwin.errors import BusyError, UnknownNameError
from nettwin.interfaces.server.jobs.job import Job, key_of
from nettwin.interfaces.server.jobs.kinds import KINDS
from nettwin.interfaces.server.jobs.store import JobStore
from nettwin.interfaces.server.jobs.worker import Worker
from nettwin.interfaces.server.limits import Limits
from nettwin.interfaces.server.problems import problem

GRACE_S = 3.0  # from cancel to the end of the process
BEST_GRACE_S = 20.0  # for a search: it has its best answer to finish
MOST_ATTEMPTS = 2
WARM = "nettwin.interfaces.server.work.warm:warm"
Listener = Callable[[Job], None]


class Jobs:
    """The jobs of a workspace. `begin` starts the workers, `close` ends them; `warm` is the
    function that each worker calls first."""

    def __init__(
        self, folder: Path, limits: Limits | None = None, workers: int = 2, warm: str = WARM
    ) -> None:
        self.folder, self.limits = folder, limits or Limits()
        self.store = JobStore(folder / "jobs")
        self._warm = warm
        self._condition = threading.Condition()
        self._queue: list[Job] = []
        self._running: dict[str, Job] = {}
        self._cancelled: dict[str, float] = {}
        self._listeners: list[Listener] = []
        self._closing = False
        self._ready = 0
        self._compiled = threading.Event()  # by the first worker; the others find it done
        lanes = [("quick",)] + [("quick", "long")] * max(1, workers - 1)
        self._threads = [
            threading.Thread(target=self._attend, args=(lane,), daemon=True, name=f"jobs {n}")
            for n, lane in enumerate(lanes)
        ]

    # asking

    def submit(self, kind: str, arguments: Mapping[str, Any], person: str) -> Job:
        """The job that answers a question: a new one, or one that has asked the same before. Raises
        UnknownNameError for a kind, BusyError where too many wait."""
        if kind not in KINDS:
            raise UnknownNameError("kind of job", kind, KINDS)
        with self._condition:
            if (known := self.store.answered(key_of(kind, arguments))) is not None:
                return self._running.get(known.id, known)
            if len(self._queue) >= self.limits.queued_jobs:
                raise BusyError(
                    f"{len(self._queue)} jobs are waiting, and no more may. Try again later, or"
                    " cancel some."
                )
            job = Job(secrets.token_hex(8), kind, dict(arguments), person, time.time())
            self.store.keep(job)
            self._queue.append(job)
            self._condition.notify_all()
        self._tell(job)
        return job

    def find(self, id: str) -> Job:
        """The job of an id. Raises UnknownNameError."""
        found = self._running.get(id) or self.store.find(id)
        if found is None:
            raise UnknownNameError("job", id, ())
        return found

    def answer(self, job: Job) -> bytes:
        """The JSON text of the answer of a job that is done. Raises UnknownNameError where it is
        not kept any more."""
        try:
            return self.store.path(job.id).read_bytes()
        except OSError:
            raise UnknownNameError("answer of the job", job.id, ()) from None

    def cancel(self, id: str) -> Job:
        """End a job that waits or runs; where it has a best answer so far, that is its answer."""
        job = self.find(id)
        with self._condition:
            waiting = [one for one in self._queue if one.id == id]
            if waiting:
                self._queue.remove(waiting[0])
                job = waiting[0].with_(state="cancelled", ended_s=time.time())
                self.store.keep(job)
            elif id in self._running:
                self._cancelled.setdefault(id, time.monotonic())
        self._tell(job)
        return job

    def wait(self, id: str, timeout_s: float) -> Job:
        """The job once it has ended, or as it stands after so long."""
        end = time.monotonic() + timeout_s
        with self._condition:
            while not (job := self.find(id)).ended:
                left = end - time.monotonic()
                if left <= 0 or self._closing:
                    break
                self._condition.wait(min(left, 1.0))
        return job

    async def ended(self, id: str, timeout_s: float) -> Job:
        """As `wait`, without keeping a thread."""
        try:
            async with asyncio.timeout(timeout_s):
                async for job in self.follow(id):
                    if job.ended:
                        break
        except TimeoutError:
            pass
        return self.find(id)

    async def follow(self, id: str) -> AsyncIterator[Job]:
        """The job as it stands now and whenever it moves on, until it has ended."""
        loop = asyncio.get_running_loop()
        news: asyncio.Queue[Job] = asyncio.Queue()

        def hear(job: Job) -> None:
            if job.id == id:
                with suppress(RuntimeError):  # the loop has ended
                    loop.call_soon_threadsafe(news.put_nowait, job)

        self._listeners.append(hear)
        try:
            job = self.find(id)
            yield job
            while not job.ended:
                job = await news.get()
                while not news.empty():
                    job = news.get_nowait()
                yield job
        finally:
            self._listeners.remove(hear)

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Have a function called whenever a job moves on, from another thread; what ends that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    @property
    def waiting(self) -> int:
        """How many jobs wait."""
        return len(self._queue)

    @property
    def running(self) -> int:
        """How many jobs run."""
        return len(self._running)

    @property
    def ready(self) -> bool:
        """Whether a worker is warm: the one of quick jobs is the first."""
        return self._ready > 0

    # working

    def begin(self) -> None:
        """Start the workers, and take up what an earlier server has left: what waited waits again,
        what ran runs again or is told to be interrupted."""
        for job in self.store.open():
            kind = KINDS.get(job.kind)
            again = kind is not None and kind.again and job.attempts < MOST_ATTEMPTS
            if job.state == "running" and not again:
                self._end(job, "interrupted", _interrupted())
                continue
            job = job.with_(state="queued", progress=None)
            self.store.keep(job)
            self._queue.append(job)
        self.store.forget(self.limits.kept_jobs)
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """End the workers; what runs is taken up by the next server."""
        with self._condition:
            self._closing = True
            self._compiled.set()
            self._condition.notify_all()
        for thread in self._threads:
            if thread.is_alive():
                thread.join(10.0)
        self.store.close()

    def _attend(self, lanes: tuple[str, ...]) -> None:
        """The life of one worker, and of those that take its place."""
        if threading.current_thread() is not self._threads[0]:
            self._compiled.wait()
        while not self._closing:
            worker = Worker(self.folder, self.limits.job_bytes, self._warm)
            warm = False
            try:
                warm = self._warmed(worker)
                self._ready += warm
                self._compiled.set()
                while (job := self._next(lanes, worker)) is not None:
                    if not self._run(worker, job):
                        break
                else:
                    return
            except (OSError, EOFError):
                time.sleep(0.5)  # it died while it had nothing to do
            finally:
                self._ready -= warm
                worker.kill()

    def _warmed(self, worker: Worker) -> bool:
        """Wait until a worker is warm; False at the end."""
        while not self._closing:
            if worker.receive(0.2) is not None:
                return True
        return False

    def _next(self, lanes: tuple[str, ...], worker: Worker) -> Job | None:
        """The next job of some lanes, the quick ones first; None at the end."""
        with self._condition:
            while not self._closing:
                for lane in lanes:
                    for job in self._queue:
                        if KINDS[job.kind].lane == lane:
                            self._queue.remove(job)
                            self._running[job.id] = job = job.with_(
                                state="running",
                                started_s=time.time(),
                                attempts=job.attempts + 1,
                            )
                            self.store.keep(job)
                            return job
                self._condition.wait(1.0)
                if not worker.process.is_alive():
                    raise EOFError
        return None

    def _run(self, worker: Worker, job: Job) -> bool:
        """Have a worker do a job; whether it is still good for another one."""
        self._tell(job)
        begin = time.monotonic()
        asked = False
        try:
            worker.begin(job.id, job.kind, job.arguments)
            while True:
                found = worker.receive(0.2)
                now = time.monotonic()
                if found is not None and found[0] == "tell":
                    share, told = found[2:]
                    job = job.with_(progress=share, told=told or job.told)
                    self._running[job.id] = job
                    self._tell(job)
                elif found is not None:
                    self._end(job, found[2], found[3], found[4])
                    return True
                if self._closing:  # as after a kill: the next server takes it up
                    self._running.pop(job.id, None)
                    return False
                if job.id in self._cancelled and not asked:
                    worker.cancel()
                    asked = True
                grace = BEST_GRACE_S if KINDS[job.kind].best else GRACE_S
                if asked and now - self._cancelled[job.id] > grace:
                    self._end(job, "cancelled", None)
                    return False
                if now - begin > self.limits.job_s:
                    self._end(job, "failed", _too_long(self.limits.job_s))
                    return False
        except (OSError, EOFError):
            if job.attempts < MOST_ATTEMPTS and KINDS[job.kind].again:
                with self._condition:
                    self._running.pop(job.id, None)
                    job = job.with_(state="queued", progress=None)
                    self.store.keep(job)
                    self._queue.insert(0, job)
            else:
                self._end(job, "interrupted", _died())
            return False

    def _end(
        self, job: Job, state: Any, problem: Mapping[str, Any] | None, size: int | None = None
    ) -> None:
        job = job.with_(
            state=state,
            problem=problem,
            bytes=size,
            ended_s=time.time(),
            progress=1.0 if state == "done" else job.progress,
        )
        self.store.keep(job)
        with self._condition:
            self._running.pop(job.id, None)
            self._cancelled.pop(job.id, None)
            self._condition.notify_all()
        self._tell(job)

    def _tell(self, job: Job) -> None:
        for listener in list(self._listeners):
            listener(job)


def _interrupted() -> dict[str, Any]:
    detail = "the server ended while the job ran"
    return problem(503, "interrupted", detail, "Ask again.")


def _too_long(limit_s: float) -> dict[str, Any]:
    detail = f"the job was ended after {limit_s:.0f} s, the longest that one may take"
    return problem(503, "too-long", detail, "Ask for less: a smaller network, fewer failures.")


def _died() -> dict[str, Any]:
    detail = "the process that did the job died, twice"
    return problem(503, "interrupted", detail, "Ask for less; is there enough memory?")
