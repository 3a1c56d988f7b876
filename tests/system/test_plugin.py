"""The example package: nettwin finds what it adds once it is installed, and it passes its tests."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.system.conftest import ROOT, Clean

pytestmark = pytest.mark.system

ADDED = {"engine": "mm1", "format": "edges", "change": "drain_link", "optimizer": "spread"}


@pytest.fixture(scope="module")
def plugin(clean: Clean, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the example package, installed beside the wheel."""
    folder = tmp_path_factory.mktemp("plugin") / "plugin"
    shutil.copytree(ROOT / "examples" / "plugin", folder)
    clean.install(f"nettwin[testing] @ {clean.wheel.as_uri()}", str(folder))
    return folder


def test_it_passes_its_tests(clean: Clean, plugin: Path) -> None:
    said = clean.run("python", "-m", "pytest", "-q", "-rA", cwd=plugin)
    for contract in ("TestEngine", "TestFormat", "TestChange", "TestOptimizer"):
        assert f"PASSED tests/test_contracts.py::{contract}::" in said
    assert " skipped" not in said


def test_the_command_line_knows_what_it_adds(clean: Clean, plugin: Path) -> None:
    square = "tests/good/square.edges"
    assert ADDED["format"] in clean.run("nettwin", "convert", "--list", cwd=plugin)
    assert ADDED["change"] in clean.run("nettwin", "whatif", "--list", cwd=plugin)
    assert ADDED["optimizer"] in clean.run("nettwin", "optimize", "--list", cwd=plugin)
    line = ("whatif", square, f"{ADDED['change']} A<->B", "--engine", ADDED["engine"], "--json")
    answer = json.loads(clean.run("nettwin", *line, cwd=plugin))
    assert ADDED["engine"] in json.dumps(answer)
    line = ("optimize", square, "--method", ADDED["optimizer"], "--seconds", "1", "--json")
    clean.run("nettwin", *line, cwd=plugin)


def test_a_broken_package_is_one_line(clean: Clean, plugin: Path) -> None:
    """Last: the package is broken after this."""
    code = "import nettwin_example.engine as e; print(e.__file__)"
    module = Path(clean.run("python", "-c", code, cwd=plugin).strip())
    module.write_text("import nothing_such\n", encoding="utf-8")
    code = (
        "import warnings; warnings.simplefilter('error')\n"
        "import nettwin\n"
        "try: nettwin.engine('mm1')\n"
        "except Warning as warning: print(warning)\n"
    )
    said = clean.run("python", "-c", code, cwd=plugin)
    assert "the engine mm1 of the package nettwin-example 1.0 cannot be used" in said
    assert "No module named 'nothing_such'" in said
