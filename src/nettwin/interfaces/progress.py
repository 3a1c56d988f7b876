"""Progress: a bar on the terminal for what takes longer than a person likes to wait."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

PATIENCE_S = 2.0

Tell = Callable[[float], None]


@contextmanager
def progress(console: Console, title: str) -> Iterator[Tell]:
    """A function that takes the share done, 0 to 1.

    The bar shows after two seconds, on a terminal only, and is gone when the work is done.
    """
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(30),
        TaskProgressColumn(),
        TimeRemainingColumn(compact=True),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
    task = bar.add_task(title, total=1.0)
    timer = threading.Timer(PATIENCE_S, bar.start)
    timer.daemon = True
    if console.is_terminal:
        timer.start()
    try:
        yield lambda share: bar.update(task, completed=share)
    finally:
        timer.cancel()
        if timer.ident is not None:
            timer.join()  # it may be just about to start the bar
        bar.stop()
