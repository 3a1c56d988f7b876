"""Every registered format keeps the contract. Samples: tests/formats/good/NAME, .../broken/NAME."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

from nettwin.errors import InputError
from nettwin.formats import FORMATS, write
from nettwin.testing import FormatContract, WritingFormatContract
from nettwin.testing.formats import NamedFormatContract, plain

SAMPLES = Path(__file__).resolve().parents[1] / "formats"
OF_FILES = [f.name for f in FORMATS.values() if not f.prefix]
OF_NAMES = [f.name for f in FORMATS.values() if f.prefix]
WRITING = [f.name for f in FORMATS.values() if f.writes]


def samples(kind: str, name: str) -> list[Path]:
    folder = SAMPLES / kind / name
    return sorted(folder.iterdir()) if folder.is_dir() else []


class TestFormats(FormatContract):
    least_broken = 10

    @pytest.fixture(params=OF_FILES)
    def name(self, request: pytest.FixtureRequest) -> str:
        return str(request.param)

    def good(self, name: str) -> Iterable[Path]:
        return samples("good", name)

    def broken(self, name: str) -> Iterable[Path]:
        return samples("broken", name)

    def of_others(self, name: str, folder: Path) -> Iterable[Path]:
        return [path for other in OF_FILES if other != name for path in samples("good", other)]


class TestWritingFormats(WritingFormatContract):
    @pytest.fixture(params=WRITING)
    def name(self, request: pytest.FixtureRequest) -> str:
        return str(request.param)


class TestNamedFormats(NamedFormatContract):
    @pytest.fixture(params=OF_NAMES)
    def name(self, request: pytest.FixtureRequest) -> str:
        return str(request.param)


@pytest.mark.parametrize("name", sorted(set(FORMATS) - set(WRITING)))
def test_reading_only(name: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="can only be read"):
        write(plain(), tmp_path / "x", format=name)
