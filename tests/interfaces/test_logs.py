"""Logs: quiet unless asked for; then on standard error, apart from what is answered."""

from __future__ import annotations

import logging
import re
from pathlib import Path

import pytest

RECIPE = """
name = "tiny"
samples = 2
shard = 1
"""


@pytest.fixture(autouse=True)
def quiet_again():
    logger = logging.getLogger("nettwin")
    before = (list(logger.handlers), logger.level, logger.propagate)
    yield
    logger.handlers, logger.level, logger.propagate = before[0], before[1], before[2]


def test_generation_logs_each_shard_when_asked(run, tmp_path: Path) -> None:
    from nettwin.datasets.generation import LOG

    quiet = run("--log-level", "off", "generate", "nsfnet", "-o", str(tmp_path / "a.yaml"))
    assert quiet.code == 0
    assert not logging.getLogger("nettwin").handlers
    loud = run("--log-level", "info", "generate", "nsfnet", "-o", str(tmp_path / "b.yaml"))
    assert loud.code == 0
    (handler,) = logging.getLogger("nettwin").handlers
    record = LOG.makeRecord(LOG.name, logging.INFO, "", 0, "%d of %d samples", (1, 2), None)
    line = handler.format(record)
    assert re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z INFO +nettwin\.datasets", line)
    assert line.endswith("1 of 2 samples")
    assert LOG.isEnabledFor(logging.INFO) and not LOG.isEnabledFor(logging.DEBUG)


def test_an_unknown_level_is_refused_with_the_known_ones(run) -> None:
    answer = run("--log-level", "loud", "models", "list")
    assert answer.code == 2
    assert "loud" in answer.err and "info" in answer.err


@pytest.mark.parametrize(
    ("command", "logger", "words"),
    [
        ("simulate net.yaml --max-packets 1000", "engines.packet.engine", "stopped after"),
        ("failures net.yaml", "apps.resilience.resilience", "failures predicted"),
    ],
)
def test_long_work_is_logged_step_by_step(run, net, caplog, command, logger, words) -> None:
    with caplog.at_level(logging.INFO, logger="nettwin"):
        assert run(command).code == 0
    told = [r.getMessage() for r in caplog.records if r.name == f"nettwin.{logger}"]
    assert any(words in message for message in told)


def test_nothing_is_logged_unless_asked(run, net) -> None:
    done = run("failures net.yaml")
    assert done.code == 0 and "failures predicted" not in done.err
