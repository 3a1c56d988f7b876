"""The wheel and the sdist hold all that is needed, and a plain install stays small."""

from __future__ import annotations

import json
import shutil
import tarfile
import zipfile
from pathlib import Path

import pytest

from tests.system.conftest import ROOT, Clean

pytestmark = pytest.mark.system

LARGEST_INSTALL_BYTES = 700e6


def test_the_wheel_holds_models_agents_and_types(clean: Clean) -> None:
    names = zipfile.ZipFile(clean.wheel).namelist()
    assert "nettwin/py.typed" in names
    for model in ("gnn", "mlp"):
        assert f"nettwin/engines/learned/models/{model}.safetensors" in names
    assert any("reinforcement" in name and name.endswith(".safetensors") for name in names)
    assert any(name.endswith("entry_points.txt") for name in names)
    assert not [name for name in names if name.split("/")[0] in ("tests", "docs", "benchmarks")]


def test_the_sdist_holds_what_a_developer_needs(clean: Clean) -> None:
    with tarfile.open(clean.sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    wanted = ("Makefile", "constraints.txt", "CONTRIBUTING.md", "CITATION.cff", "tests/conftest.py")
    assert set(wanted) <= names
    assert "examples/plugin/pyproject.toml" in names


def test_a_plain_install_is_small_and_needs_no_extra(clean: Clean) -> None:
    assert clean.site_bytes < LARGEST_INSTALL_BYTES, f"{clean.site_bytes / 1e6:.0f} MB"
    listed = json.loads(clean.run("python", "-m", "pip", "list", "--format=json", cwd=clean.folder))
    installed = {row["name"].lower() for row in listed}
    assert "nettwin" in installed
    assert not installed & {"torch", "matplotlib", "pytest", "hypothesis", "ray", "ortools"}


def test_the_installed_program_answers(clean: Clean, tmp_path: Path) -> None:
    clean.run("nettwin", "generate", "ring", "--nodes", "5", "-o", "net.yaml", cwd=tmp_path)
    for engine in ("theory", "gnn"):
        line = ("predict", "net.yaml", "--engine", engine, "--json")
        answer = json.loads(clean.run("nettwin", *line, cwd=tmp_path))
        assert answer["answers"][0]["network"]["flows"] == 20
        assert answer["answers"][0]["engine"] == engine
    code = "import nettwin; print(nettwin.__file__)"
    assert str(clean.folder) in clean.run("python", "-c", code, cwd=tmp_path)


def test_no_pytest_is_needed_but_for_the_contracts(clean: Clean, tmp_path: Path) -> None:
    clean.run("python", "-c", "import nettwin, nettwin.extend", cwd=tmp_path)
    code = "import nettwin.testing"
    listed = clean.run("python", "-m", "pip", "list", cwd=tmp_path)
    clean.run("python", "-c", code, cwd=tmp_path, fails="pytest" not in listed)


def test_a_typed_program_that_uses_the_public_names_is_checked(clean: Clean) -> None:
    """With all of mypy's rules, against the wheel: its types are complete where they are public."""
    clean.install("mypy", "pandas-stubs", "scipy-stubs")
    shutil.copy(Path(__file__).with_name("consumer.py"), clean.folder)
    shutil.copytree(ROOT / "examples" / "plugin" / "src", clean.folder / "src", dirs_exist_ok=True)
    options = ("--strict", "--config-file=", "--no-error-summary")
    clean.run("mypy", *options, "consumer.py", "src/nettwin_example", cwd=clean.folder)
