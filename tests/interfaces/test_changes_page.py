"""Changes in files, and the page on them: every line and the file that it shows can be read."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from nettwin.errors import FormatError
from nettwin.interfaces.cli.changes import read_changes
from nettwin.scenario.changes import CHANGES, FailLink, ScaleTraffic, parse_change

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "changes.md").read_text(encoding="utf-8")


def test_lines_of_the_page_can_be_read() -> None:
    table = PAGE.split("## On the command line")[1].split("## In a file")[0]
    lines = [code for code in re.findall(r"`([^`]+)`", table) if code.split()[0] in CHANGES]
    assert {parse_change(line).kind for line in lines} > {"set_path", "set_scheduler", "add_flow"}
    assert len(lines) > 15


def test_the_file_of_the_page_can_be_read(tmp_path: Path) -> None:
    file = tmp_path / "changes.yaml"
    (block,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    file.write_text(block, encoding="utf-8")
    assert len(read_changes(file)) == 6


TWICE = "has the key link twice"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("changes:\n  - kind: fail_link\n    link: A<->B\n    link: A<->C\n", f"line 3: {TWICE}"),
        ('{"changes": [{"kind": "fail_link", "link": "A<->B", "link": "A<->C"}]}', TWICE),
        ("- &down fail_link A<->B\n- *down\n", "line 1: has an anchor or alias"),
    ],
)
def test_files_with_changes_are_read_as_strictly_as_networks(
    tmp_path, text: str, told: str
) -> None:
    path = tmp_path / "changes.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(FormatError, match=re.escape(told)):
        read_changes(path)


def test_changes_may_be_a_list_in_yaml(tmp_path) -> None:
    path = tmp_path / "changes.yaml"
    path.write_text("- fail_link A<->B\n- {kind: scale_traffic, factor: 1.3}\n", encoding="utf-8")
    assert read_changes(path) == [FailLink("A<->B"), ScaleTraffic(1.3)]
