"""Fonts: which installed ones can draw what people write, and a warning where none can."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FIRST = "DejaVu Sans"  # comes with matplotlib
# tried in this order for what the first lacks: Noto, then what systems bring along
FALLBACKS = (
    *("Noto Sans CJK SC", "Noto Sans CJK JP", "Noto Sans CJK KR", "Noto Sans CJK TC"),
    *("Noto Sans SC", "Noto Sans JP", "Noto Sans KR", "Source Han Sans SC", "Source Han Sans"),
    *("WenQuanYi Zen Hei", "WenQuanYi Micro Hei", "Droid Sans Fallback", "IPAGothic"),
    *("PingFang SC", "Hiragino Sans", "Apple SD Gothic Neo", "Arial Unicode MS"),
    *("Microsoft YaHei", "Yu Gothic", "Malgun Gothic", "SimHei"),
    *("Noto Sans Devanagari", "Noto Sans Thai", "Noto Sans Bengali", "Noto Sans Tamil"),
)
REMEDY = (
    "Install one that has them, such as fonts-noto-cjk (apt), google-noto-sans-cjk-fonts (dnf) or"
    " font-noto-cjk (apk), or draw an .svg, whose letters the viewer chooses."
)


class FontWarning(UserWarning):
    """Letters of a picture that no installed font has."""


@cache
def families() -> tuple[str, ...]:
    """The fonts to draw with, in the order in which a letter is looked for."""
    from matplotlib.font_manager import fontManager

    installed = {entry.name for entry in fontManager.ttflist}
    return (FIRST, *(name for name in FALLBACKS if name in installed))


def missing(text: str) -> str:
    """The letters of a text that none of the fonts has, each once."""
    return "".join(
        letter
        for letter in dict.fromkeys(text)
        if letter.isprintable() and not any(ord(letter) in _letters(name) for name in families())
    )


def warn_of_missing(drawn: Figure) -> None:
    """Emit a FontWarning where a figure writes what no font can draw."""
    from matplotlib.text import Text

    texts = [text for text in drawn.findobj(Text) if isinstance(text, Text)]
    lacking = missing("".join(text.get_text() for text in texts))
    if lacking:
        shown = ", ".join(
            _words(text.get_text() for text in texts if set(text.get_text()) & set(lacking))
        )
        warnings.warn(
            FontWarning(
                f"no installed font has the letters of {shown}: boxes stand for them. {REMEDY}"
            ),
            stacklevel=3,
        )


def _words(texts: Iterable[str], most: int = 3) -> list[str]:
    found = list(dict.fromkeys(texts))
    return found[:most] + ([f"{len(found) - most} more"] if len(found) > most else [])


@cache
def _letters(family: str) -> frozenset[int]:
    """The code points that a font has in both weights that pictures use."""
    from matplotlib.font_manager import FontProperties, findfont, get_font

    with quiet():
        files = [findfont(FontProperties(family=family, weight=w)) for w in ("normal", "bold")]
    return frozenset.intersection(*(frozenset(get_font(file).get_charmap()) for file in files))


@contextmanager
def quiet() -> Iterator[None]:
    """Without matplotlib's words on fonts: that one has no bold face, or lacks a letter."""
    log = logging.getLogger("matplotlib.font_manager")
    level = log.level
    log.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Glyph .* missing", UserWarning)
            yield
    finally:
        log.setLevel(level)
