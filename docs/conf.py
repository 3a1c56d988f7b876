"""The documentation site: `make docs` builds it from the pages here and from the docstrings."""

from __future__ import annotations

import inspect
import re
import shutil
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "src"), str(HERE.parent)]

import nettwin  # noqa: E402
import nettwin.extend  # noqa: E402
import nettwin.testing  # noqa: E402

project = "nettwin"
author = copyright = "The nettwin authors"
version = release = nettwin.__version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "sphinx.ext.viewcode",
]
root_doc = "index"
source_suffix = {".md": "markdown", ".rst": "restructuredtext"}
exclude_patterns = ["site", "_templates"]

templates_path = ["_templates"]

html_theme = "pydata_sphinx_theme"
html_title = f"nettwin {version}"
html_theme_options = {"show_toc_level": 2, "navigation_depth": 2, "show_prev_next": False}
html_show_sourcelink = False

myst_heading_anchors = 3
myst_enable_extensions = ["dollarmath"]

autosummary_generate = True
autodoc_typehints = "description"
autodoc_member_order = "bysource"
autodoc_default_options = {"members": True, "inherited-members": False}
autodoc_preserve_defaults = True


def _pages() -> None:
    """Pages that are made: a list of the public names of each module, from which a page each is
    made, and what stands in the repository's root."""
    made = HERE / "api"
    shutil.rmtree(made, ignore_errors=True)
    (made / "root").mkdir(parents=True)
    for module in (nettwin, nettwin.extend, nettwin.testing):
        name = module.__name__
        words = restructured(module.__doc__ or "")
        listed = "\n".join(f"   {one}" for one in module.__all__ if not one.startswith("_"))
        made.joinpath(f"{name}.rst").write_text(
            f"{name}\n{'=' * len(name)}\n\n{words}\n"
            f".. currentmodule:: {name}\n\n"
            f".. autosummary::\n   :toctree: {name.rpartition('.')[2]}\n   :nosignatures:\n\n"
            f"{listed}\n",
            encoding="utf-8",
        )
    for name in ("CONTRIBUTING.md", "CHANGELOG.md"):
        text = (HERE.parent / name).read_text(encoding="utf-8")
        text = text.replace("](docs/", "](../../")
        (made / "root" / name).write_text(text, encoding="utf-8")


def _plain(app: Any, what: str, name: str, thing: Any, options: Any, lines: list[str]) -> None:
    """Docstrings are plain text with `names` in backquotes and indented examples: make them
    reStructuredText that says the same."""
    lines[:] = restructured("\n".join(lines)).splitlines()


def _within(app: Any, name: str, text: list[str]) -> None:
    """Links to what lies outside the pages become plain names; the page of benchmarks has those of
    its long tables below it, and the first page those that it does not name."""
    if name == "index":
        named = set(text[0].split()) | {"index"}
        rest = sorted({page.stem for page in HERE.glob("*.md")} - named)
        if rest:
            text[0] += "\n```{toctree}\n:caption: More\n\n" + "\n".join(rest) + "\n```\n"
    if name == "benchmarks" and any((HERE / name).glob("*.md")):
        text[0] += f"\n```{{toctree}}\n:hidden:\n:glob:\n\n{name}/*\n```\n"
    text[0] = re.sub(r"\[([^\]]+)\]\(\.\./(?!benchmarks\.md|\.\./)[^)]*\)", r"`\1`", text[0])


def restructured(text: str) -> str:
    """A docstring as reStructuredText."""
    paragraphs, out = re.split(r"\n\s*\n", inspect.cleandoc(text)), []
    for paragraph in paragraphs:
        rows = paragraph.splitlines()
        if rows and rows[0].startswith(" "):  # an example
            out.append("::\n\n" + "\n".join(f"    {row}" for row in rows))
        elif any(set(row.strip()) == {"="} or re.match(r"=+ +=+", row) for row in rows):
            out.append("::\n\n" + "\n".join(f"    {row}" for row in rows))  # a table
        elif any("  " in row.strip() for row in rows) or any("──" in row for row in rows):
            out.append("\n".join(f"| {_escaped(row)}" for row in rows))  # columns of words
        else:
            out.append("\n".join(_escaped(row.strip()) for row in rows))
    return "\n\n".join(out) + "\n"


def _escaped(row: str) -> str:
    """A line whose backquoted parts are literals and whose other signs mean themselves."""
    parts = re.split(r"(`[^`]+`)", row)
    return "".join(
        f"``{part[1:-1].strip()}``" if k % 2 else re.sub(r"([*`_|\\])", r"\\\1", part)
        for k, part in enumerate(parts)
    )


def setup(app: Any) -> None:
    """Called by Sphinx."""
    _pages()
    app.connect("source-read", _within)
    app.connect("autodoc-process-docstring", _plain)
