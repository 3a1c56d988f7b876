"""Figure: the look that all plots share, and the way they are saved."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nettwin.errors import InputError, MissingExtraError
from nettwin.interfaces.plots import fonts

if TYPE_CHECKING:
    from matplotlib.figure import Figure

INK, GREY, PALE, PAPER = "#1b2733", "#66727d", "#dfe5ea", "#fbfcfd"
SUFFIXES = (".svg", ".png", ".pdf")
STYLE: dict[Any, Any] = {
    "font.size": 9,
    "svg.fonttype": "none",  # text stays text: small files that can be searched
    "svg.hashsalt": "nettwin",  # the same picture is the same file
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": GREY,
    "xtick.color": GREY,
    "ytick.color": GREY,
    "axes.spines.top": False,
    "axes.spines.right": False,
}


def check_drawable(path: Path) -> None:
    """Raise, before any work is done, what `figure` would raise for a path after it."""
    if path.suffix.lower() not in SUFFIXES:
        raise InputError(
            f"{path} cannot be drawn: its suffix must be one of {', '.join(SUFFIXES)}. Rename it."
        )
    if find_spec("matplotlib") is None:
        raise MissingExtraError("plotting", "plot")


@contextmanager
def figure(path: Path, width_in: float, height_in: float) -> Iterator[Figure]:
    """A figure in the shared look, saved to the path at the end; its suffix says the kind.

    Warns (FontWarning) of letters that no installed font has. Raises InputError for a suffix that
    is none of SUFFIXES or a path that cannot be written, and MissingExtraError without matplotlib.
    """
    check_drawable(path)
    from matplotlib import rc_context
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with rc_context({**STYLE, "font.family": list(fonts.families())}):
        drawn = Figure(figsize=(width_in, height_in), facecolor=PAPER)
        FigureCanvasAgg(drawn)
        with fonts.quiet():
            yield drawn
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            kind = path.suffix.lower().removeprefix(".")
            metadata = {"Date": None} if kind == "svg" else None
            content = BytesIO()
            if kind != "svg":
                fonts.warn_of_missing(drawn)
            with fonts.quiet():
                drawn.savefig(content, format=kind, dpi=160, facecolor=PAPER, metadata=metadata)
            path.write_bytes(content.getvalue())
        except OSError as error:
            raise InputError(
                f"{path} cannot be written: {error.strerror}. Choose another place."
            ) from None
