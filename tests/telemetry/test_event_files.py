from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from nettwin.errors import FormatError, InputError
from nettwin.telemetry.event_files import EventFiles, GnmicEvents
from nettwin.telemetry.matching import matching
from nettwin.telemetry.series import Port
from nettwin.telemetry.source import ALWAYS_S, Opening


def test_line_protocol_with_its_escapes_and_kinds(tmp_path: Path) -> None:
    text = (
        "# a comment\n"
        r"interface,source=r\ 1,ifName=Gi0\,1 ifHCOutOctets=18446744073709551615u,"
        r'ifAlias="to \"B\", new",ifOperStatus=1i 1767571200000000000'
        "\ninterface,source=r2,ifName=x ifOperStatus=up 1767571201000000000\n"
        "not a point\n"
    )
    (tmp_path / "a.lp").write_text(text)
    told: list[str] = []
    quantities = {"out_octets": "interface.ifHCOutOctets", "up": "ifOperStatus"}
    source = EventFiles(Opening({"path": "*.lp", "quantities": quantities}, tmp_path, told))
    found = {(one.port, one.quantity): one for one in source.read(*ALWAYS_S)}
    port = Port("r 1", "Gi0,1")
    assert found[port, "out_octets"].value.tolist() == [2.0**64]
    assert found[port, "up"].value.tolist() == [1.0]
    assert found[Port("r2", "x"), "up"].value.tolist() == [1.0]
    assert told == ["a.lp: 1 lines that are no points, the first line 4"]


def test_a_file_of_events_that_ends_in_the_middle_keeps_what_it_has(tmp_path: Path) -> None:
    one = '[{"timestamp": 5000000000, "tags": {"source": "r", "p": "x"}, "values": {"a/tx": 7}}]'
    (tmp_path / "a.json").write_text(f"{one}\n{one[:40]}")
    told: list[str] = []
    settings = {"path": "a.json", "interface": "p", "quantities": {"out_octets": "tx"}}
    (series,) = GnmicEvents(Opening(settings, tmp_path, told)).read(*ALWAYS_S)
    np.testing.assert_array_equal(series.value, [7.0])
    assert told == ["a.json: from line 2 on it is no JSON"]


def test_wrong_settings_and_files(tmp_path: Path) -> None:
    for settings, words in (
        ({}, "no path"),
        ({"path": "x"}, "no quantities"),
        ({"path": "x", "quantities": {"up": "a"}, "time_unit": "eons"}, "time_unit"),
    ):
        with pytest.raises(InputError, match=words):
            EventFiles(Opening(settings, tmp_path))
    missing = EventFiles(Opening({"path": "x", "quantities": {"up": "a"}}, tmp_path))
    with pytest.raises(FormatError, match="no such file"):
        missing.test()


def test_a_folder_that_matches_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "points.lp").mkdir()
    with pytest.raises(FormatError, match="no such file"):
        matching(tmp_path, "*.lp")
