"""What the pages say of files, folders and modules: they are there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.docs.pages import PAGES, ROOT

SOURCE = ROOT / "src" / "nettwin"
PLACE = re.compile(r"`((?:[\w.-]+/)+(?:[\w-]+\.(?:py|toml|md))?|[a-z_]+\.py)`")
MODULE = re.compile(r"`([a-z_]+)`")
MAP = ROOT / "docs" / "map.md"
# folders of a reader's own, and those that a build or a training makes
OTHERS = re.compile(r"^(data|trained|tables|general|wide|recordings)/|site/|tensorboard/|[A-Z]{4}")


def exists(place: str) -> bool:
    """Whether a place is in the package, or in the project, or is a file of some folder of it."""
    if "/" not in place:
        return any(SOURCE.rglob(place)) or any(ROOT.glob(place))
    if any((folder / place).exists() for folder in (SOURCE, ROOT, ROOT / "tests")):
        return True
    return any(SOURCE.rglob(place.rstrip("/")))


@pytest.mark.parametrize("page", PAGES, ids=[page.relative_to(ROOT).as_posix() for page in PAGES])
def test_files_and_folders_are_there(page: Path) -> None:
    named = set(PLACE.findall(page.read_text(encoding="utf-8")))
    missing = sorted(p for p in named if not exists(p) and not OTHERS.search(p))
    assert not missing


def test_a_missing_file_is_seen() -> None:
    assert exists("scenario/routing.py") and not exists("scenario/steering.py")


def test_every_module_of_the_map_is_there() -> None:
    known = {path.stem for path in SOURCE.rglob("*.py")} | {p.name for p in SOURCE.rglob("*/")}
    assert sorted(set(MODULE.findall(MAP.read_text(encoding="utf-8"))) - known) == []


def test_the_map_fits_one_screen() -> None:
    assert len(MAP.read_text(encoding="utf-8").splitlines()) <= 65
