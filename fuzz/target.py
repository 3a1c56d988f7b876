"""Target: what a reader is put through with each input."""

from __future__ import annotations

import signal
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from types import FrameType

from fuzz.corpus import LARGEST_BUNDLE, unbundle
from nettwin.errors import NettwinError
from nettwin.formats import FORMATS, ImportDefaults, detect, read_all

LONGEST_S = 20.0
MAX_READINGS = 4


class TooSlow(BaseException):
    """An input that takes a reader longer than LONGEST_S."""


def target(name: str) -> Callable[[bytes], None]:
    """The function to search: reads an input, raising what is a finding and nothing else."""
    known = FORMATS[name]

    def one_name(data: bytes) -> None:
        text = data.decode("utf-8", "surrogateescape")[:200]
        _exhaust(known.prefix + text, None)

    def one_bundle(data: bytes) -> None:
        with tempfile.TemporaryDirectory(prefix="nettwin-fuzz-") as folder:
            path = unbundle(data[:LARGEST_BUNDLE], Path(folder))
            _exhaust(path, name)
            try:
                detect(path)
            except NettwinError as error:
                str(error)

    def run(data: bytes) -> None:
        with at_most(LONGEST_S):
            (one_name if known.prefix else one_bundle)(data)

    return run


def _exhaust(source: str | Path, name: str | None) -> None:
    """Read a source, with traffic made up and without; only a NettwinError is an answer."""
    for assume in (ImportDefaults(), ImportDefaults(load=None)):
        try:
            for reading in islice(read_all(source, format=name, assume=assume), MAX_READINGS):
                reading.scenario.fingerprint()
                str((reading.assumptions, reading.ignored, reading.scenario.flow_names))
        except NettwinError as error:
            str(error)
            return


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Raise TooSlow when the block takes longer, where the system can."""
    if not hasattr(signal, "setitimer") or threading.current_thread() != threading.main_thread():
        yield
        return

    def stop(signum: int, frame: FrameType | None) -> None:
        raise TooSlow(f"took longer than {seconds:g} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
