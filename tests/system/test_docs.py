"""The documentation site builds without a warning, and has what it must."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import nettwin
from tests.system.conftest import ROOT

pytestmark = pytest.mark.system


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, as `make docs` builds it."""
    folder = tmp_path_factory.mktemp("site")
    options = ["-q", "-W", "--keep-going", "-E", "-d", str(folder / "kept")]
    command = [sys.executable, "-m", "sphinx", *options, str(ROOT / "docs"), str(folder / "html")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder / "html"


def test_every_page_and_every_public_name_is_there(site: Path) -> None:
    for page in (ROOT / "docs").glob("*.md"):
        assert (site / f"{page.stem}.html").is_file()
    for name in nettwin.__all__:
        if not name.startswith("_"):
            assert (site / "api" / "nettwin" / f"nettwin.{name}.html").is_file(), name
    assert (site / "api" / "testing" / "nettwin.testing.EngineContract.html").is_file()
    assert (site / "api" / "root" / "CONTRIBUTING.html").is_file()


def test_docstrings_are_read(site: Path) -> None:
    page = (site / "api" / "nettwin" / "nettwin.FailLink.html").read_text(encoding="utf-8")
    assert (nettwin.FailLink.__doc__ or "").partition(";")[0].split(".")[0][:20] in page
    assert "describe" in page


def test_every_page_is_found_from_the_first(site: Path) -> None:
    first = (site / "index.html").read_text(encoding="utf-8")
    for page in ("formats", "intent", "optimize", "theory", "benchmarks", "extend", "decisions"):
        assert f'href="{page}.html' in first
