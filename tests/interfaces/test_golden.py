"""What people read: the tables of every command, as recorded in golden/."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

WANTED = """
expect:
  - {measure: offered_load, at_most: 95 %}
  - {measure: delay, class: voice, at_most: 8 ms}
"""
COMMANDS = {
    "predict": "predict net.yaml --top 3",
    "predict_several": "predict net.yaml other.yaml",
    "whatif_fails": "whatif net.yaml fail_link N1<->N2 --top 3",
    "whatif_cut_off": "whatif net.yaml fail_node N3 --top 3",
    "failures": "failures net.yaml --kinds link,node --intent wanted.yaml",
    "fit": "fit net.yaml '5M from N1 to N3, voice' --top 3",
    "bottlenecks": "bottlenecks net.yaml --links 1 --top 3",
    "bounds": "bounds net.yaml --top 3",
    "whatif_list": "whatif --list",
    "compare": "compare net.yaml",
    "inspect": "inspect net.yaml --top 2",
    "generate_list": "generate --list",
}


@pytest.mark.usefixtures("plain", "net")
@pytest.mark.parametrize("name", COMMANDS)
def test_tables(name, run, golden) -> None:
    Path("other.yaml").write_text(Path("net.yaml").read_text())
    Path("wanted.yaml").write_text(WANTED)
    done = run(COMMANDS[name])
    assert done.code == 0, done.err
    golden(name, done.out + (f"--- stderr\n{done.err}" if done.err else ""))


@pytest.mark.usefixtures("plain", "net")
@pytest.mark.parametrize("command", ["predict", "whatif_fails", "compare"])
def test_a_narrow_terminal_cuts_names_and_leaves_columns_out_but_cuts_no_number(
    run, command
) -> None:
    wide = run(COMMANDS[command]).out
    narrow = run(COMMANDS[command], columns=76).out
    assert max(map(len, narrow.splitlines())) <= 76 < max(map(len, wide.splitlines()))
    assert not re.search(r"\d[\d.]*…", narrow)
    assert narrow.count("%") > 10
