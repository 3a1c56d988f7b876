"""Searching: a live line about a search, and Ctrl-C that ends it with the best so far."""

from __future__ import annotations

import math
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import perf_counter
from types import FrameType

from rich.console import Console
from rich.live import Live
from rich.text import Text

from nettwin import units
from nettwin.optimize.search import Progress

LINES_A_SECOND = 10


@dataclass
class Watch:
    """What was told last of a search, and of the simulation after it, as a line of text.

    `shown` writes a value of the first objective.
    """

    seconds: float
    shown: Callable[[float], str]
    told: Progress | None = None
    simulated: float | None = None  # share done
    begin: float = field(default_factory=perf_counter)

    def tell(self, progress: Progress) -> None:
        """Take what a search reports; cheap, however often it comes."""
        self.told, self.simulated = progress, None

    def simulate(self, share: float) -> None:
        """Take the share of a simulation that is done."""
        self.simulated = share

    def line(self) -> Text:
        """What is going on, in one line."""
        spent = perf_counter() - self.begin
        if self.simulated is not None:
            words = f"  {self.simulated:.0%} of the packets that show whether it holds"
            return Text.assemble(("Simulating", "bold cyan"), words)
        if self.told is None:
            return Text("Looking for a bound", "bold cyan")
        line = Text.assemble((self.told.stage or "search", "bold cyan"))
        line.append(f"  {min(spent, self.seconds):.1f} of {self.seconds:g} s", "bright_black")
        self._values(line)
        return line

    def _values(self, line: Text) -> None:
        assert self.told is not None
        standing, of = self.told.standing, self.told.of
        if of:  # a share, as all values of parts are that are not the objective
            if math.isfinite(standing.best):
                line.append(f"  {of}: {units.percent(standing.best)}")
            return
        if not math.isfinite(standing.best):
            line.append("  a limit is still missed", "yellow")
            return
        line.append(f"  best {self.shown(standing.best)}", "bold")
        if math.isfinite(standing.bound):
            line.append(f"  bound {self.shown(standing.bound)}")
            if math.isfinite(standing.gap):
                line.append(f"  gap {units.percent(standing.gap, 2)}")


@contextmanager
def searching(console: Console, watch: Watch) -> Iterator[None]:
    """Show the line of a watch while something searches: on a terminal only, gone at the end."""
    if not console.is_terminal:
        yield
        return
    with Live(
        console=console,
        transient=True,
        refresh_per_second=LINES_A_SECOND,
        get_renderable=watch.line,
        redirect_stdout=False,
    ):
        yield


@contextmanager
def stoppable(stop: Callable[[], None]) -> Iterator[None]:
    """Let the first Ctrl-C call `stop`; the second interrupts as usual.

    Does nothing outside of the main thread, where no signals arrive.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def first(_number: int, _frame: FrameType | None) -> None:
        signal.signal(signal.SIGINT, before)
        stop()

    before = signal.getsignal(signal.SIGINT) or signal.default_int_handler
    signal.signal(signal.SIGINT, first)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
