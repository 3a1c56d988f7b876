"""Prometheus, by answers of a real one (2.42) that scraped the simulated network each second."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nettwin.errors import FormatError, InputError, SourceError
from nettwin.telemetry.prometheus import Prometheus
from nettwin.telemetry.series import Series
from nettwin.telemetry.source import Opening
from nettwin.telemetry.source_file import read_source_file
from tests.telemetry.recorded import PROMETHEUS, prometheus, serving

END_S = PROMETHEUS["end_s"]


def source(url: str, **settings: Any) -> Prometheus:
    return Prometheus(Opening({"url": url, **settings}))


def read(url: str, **settings: Any) -> list[Series]:
    return list(source(url, **settings).read(END_S - 24, END_S))


def test_samples_are_as_they_were_scraped() -> None:
    with serving(prometheus) as url:
        assert "Prometheus 2.42.0+ds" in source(url).test()
        series = {(str(one.port), one.quantity): one for one in read(url)}
    port = "Palo Alto Palo Alto->Seattle"
    octets = series[port, "out_octets"]
    assert len(octets) == 23
    assert octets.value[0] == 144290029 and octets.time_s[0] == 1796027302.733
    assert series[port, "speed_bps"].value[0] == 45e6  # exported in Mbit/s
    assert series[port, "up"].value.tolist() == [1.0] * 23


def test_windows_neither_lose_nor_repeat_samples() -> None:
    with serving(prometheus) as url:
        whole, parts = read(url), read(url, window_s=5)
    for one, other in zip(whole, parts, strict=True):
        np.testing.assert_array_equal(one.time_s, other.time_s)
        np.testing.assert_array_equal(one.value, other.value)


def test_a_match_goes_into_each_selector() -> None:
    asked = []

    def answer(path: str, form: dict[str, str]) -> Any:
        asked.append(form.get("query", ""))
        return prometheus(path, form)

    with serving(answer) as url:
        read(url, match='job="network"', quantities={"out_octets": 'ifHCOutOctets{a="b"}'})
    assert 'ifHCOutOctets{a="b", job="network"}[24000ms]' in asked


def test_secrets_are_looked_up_at_each_request_and_never_shown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with serving(prometheus, token="hunter2") as url:
        reader = source(url, token="env:PROM_TOKEN")
        monkeypatch.setenv("PROM_TOKEN", "wrong-one")
        with pytest.raises(SourceError, match="401") as caught:
            reader.test()
        assert "wrong-one" not in str(caught.value)
        monkeypatch.setenv("PROM_TOKEN", "hunter2")  # rotated: no restart
        assert reader.test()


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (lambda path, form: b"<html>", "not JSON"),
        (lambda path, form: {"hello": 1}, "does not answer as a Prometheus"),
        (lambda path, form: (503, {"error": "starting"}), "503 Service Unavailable: starting"),
        (lambda path, form: (404, b"nope"), "may lack a path"),
        (lambda path, form: {"status": "success", "data": []}, "no metrics of interfaces"),
    ],
)
def test_what_does_not_answer_as_it_should_is_told(answer: Any, told: str) -> None:
    with serving(answer) as url, pytest.raises(SourceError, match=told):
        read(url)


def test_a_server_that_is_down_is_told() -> None:
    with pytest.raises(SourceError, match=r"127.0.0.1:9 does not answer: .*refused"):
        read("http://127.0.0.1:9")


def test_credentials_follow_no_redirect() -> None:
    asked = []

    def elsewhere(path: str, form: dict[str, str]) -> Any:
        asked.append(path)
        return {}

    with serving(elsewhere) as other, serving(lambda path, form: (302, b"")) as url:
        assert other
        with pytest.raises(SourceError, match="302"):
            read(url)
    assert not asked


@pytest.mark.parametrize(
    ("text", "place", "told"),
    [
        ("url: x", "line 1", "source is None: must be one of"),
        ("source: nagios", "line 1", "'nagios'"),
        ("source: prometheus\ntoken: hunter2", "line 2", "must name where it is"),
        ("source: prometheus\nlinks: [a]", "line 2", "DEVICE: {INTERFACE: LINK}"),
        ("source: prometheus\ninterval: soon", "line 2", "invalid time"),
    ],
)
def test_a_wrong_file_is_told_with_its_line(
    tmp_path: Path, text: str, place: str, told: str
) -> None:
    path = tmp_path / "source.yaml"
    path.write_text(text)
    with pytest.raises(FormatError) as caught:
        read_source_file(path)
    assert caught.value.place == place
    assert told in str(caught.value)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"url": "localhost:9090"}, "must be such as http"),
        ({"url": "http://me:hunter2@host"}, "holds a password"),
        ({"quantities": {"out_octets": "ifHCOutOctets [furlong]"}}, "furlong"),
        ({"quantities": {"octets": "x"}}, "octets"),
        ({"window_s": 0}, "above 0"),
    ],
)
def test_wrong_settings_are_told(settings: dict[str, Any], told: str) -> None:
    with serving(prometheus) as url, pytest.raises(InputError, match=told) as caught:
        read(settings.pop("url", url), **settings)
    assert "hunter2" not in str(caught.value)
