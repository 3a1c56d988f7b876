"""The page on changes: every line and the file that it shows can be read."""

from __future__ import annotations

import re
from pathlib import Path

from nettwin.interfaces.cli.changes import read_changes
from nettwin.scenario.changes import CHANGES, parse_change

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
