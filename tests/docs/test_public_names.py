"""Examples and pages use public names alone."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import nettwin
import nettwin.client
import nettwin.extend
import nettwin.testing
from tests.docs.pages import PAGES, ROOT, blocks

PUBLIC = {
    module.__name__: set(module.__all__)
    for module in (nettwin, nettwin.client, nettwin.extend, nettwin.testing)
}
EXAMPLES = sorted((ROOT / "examples").rglob("*.py"))


def python_in(page: Path) -> Iterator[ast.Module]:
    """The blocks of a page that are Python and speak of nettwin."""
    for code in blocks(page):
        if "nettwin" in code and "import " in code:
            try:
                yield ast.parse(code)
            except SyntaxError:  # a command line, or a table
                continue


def not_public(tree: ast.AST) -> list[str]:
    """What a program takes of nettwin that is not a public name."""
    found, calls = [], {"nettwin": "nettwin"}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.partition(".")[0] == "nettwin":
                    calls[alias.asname or alias.name] = alias.name
                    found += [] if alias.name in PUBLIC else [alias.name]
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "nettwin":
            known = PUBLIC.get(node.module or "", set())
            taken = [alias.name for alias in node.names]
            known = known | ({"client", "extend", "testing"} if node.module == "nettwin" else set())
            found += [f"{node.module}.{name}" for name in taken if name not in known]
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            module = calls.get(node.value.id)
            allowed = PUBLIC.get(module or "", set()) | {"extend", "testing"}
            if module in PUBLIC and node.attr not in allowed:
                found.append(f"{module}.{node.attr}")
    return found


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: str(path.relative_to(ROOT)))
def test_examples_use_public_names(example: Path) -> None:
    assert not_public(ast.parse(example.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_pages_use_public_names(page: Path) -> None:
    assert [name for tree in python_in(page) for name in not_public(tree)] == []


def test_what_is_not_public_is_seen() -> None:
    code = (
        "import nettwin as nt\nimport nettwin.formats\nfrom nettwin import read, draft\n"
        "from nettwin.engines.packet import Event\nnt.generate('ring')\nnt.wiring"
    )
    assert not_public(ast.parse(code)) == [
        "nettwin.formats",
        "nettwin.draft",
        "nettwin.engines.packet.Event",
        "nettwin.wiring",
    ]


def test_pages_have_python() -> None:
    """The readme and the page on intents at least: or what is looked for is not found."""
    found = [page.name for page in PAGES if list(python_in(page))]
    assert {"README.md", "intent.md", "extend.md"} <= set(found)


def test_the_page_declares_what_the_example_package_does() -> None:
    page = (ROOT / "docs" / "extend.md").read_text(encoding="utf-8")
    declared = (ROOT / "examples" / "plugin" / "pyproject.toml").read_text(encoding="utf-8")
    lines = re.findall(r"^ +(\[project\.entry-points.*\]|\w+ = \"nettwin_example.*\")$", page, re.M)
    assert len(lines) == 8
    assert [line for line in declared.splitlines() if line in lines] == lines
