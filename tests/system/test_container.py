"""The container: its files are of the shape that they should be, and its commands run in a plain
folder; no image is built."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from nettwin.formats.yaml_document import load_yaml
from tests import live

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "container"
INSTRUCTIONS = {"FROM", "WORKDIR", "COPY", "RUN", "ENV", "USER", "VOLUME", "EXPOSE", "CMD"}
INSTRUCTIONS |= {"HEALTHCHECK"}


def instructions() -> list[tuple[str, str]]:
    text = re.sub(r"\\\n\s*", " ", (FOLDER / "Dockerfile").read_text())
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return [(line.split()[0], line.split(maxsplit=1)[1]) for line in lines]


def test_the_image_is_of_nobody_and_pinned() -> None:
    found = instructions()
    assert {name for name, _ in found} <= INSTRUCTIONS
    assert found[0][0] == "FROM"
    for name, rest in found:
        if name == "FROM":
            assert re.match(r"\S+:\d+\.\d+", rest), rest  # never `latest`
        if name == "COPY" and not rest.startswith("--from"):
            for source in rest.split()[:-1]:
                assert (ROOT / source).exists(), source
        if name in ("CMD",):
            assert json.loads(rest)
    last = max(k for k, (name, _) in enumerate(found) if name == "FROM")
    user = next(rest for name, rest in found[last:] if name == "USER")
    assert user.partition(":")[0].isdigit() and user != "0:0"
    assert any(name == "HEALTHCHECK" for name, _ in found[last:])
    assert "-c constraints.txt" in (FOLDER / "Dockerfile").read_text()


def test_the_services_can_do_little() -> None:
    compose: Any = load_yaml(FOLDER / "compose.yaml")
    for name, service in compose["services"].items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"]
        assert "no-new-privileges:true" in service["security_opt"]
        for port in service.get("ports", []):
            assert port.startswith("127.0.0.1:"), port
        if "image" in service:
            assert not service["image"].endswith(":latest") and ":" in service["image"]
        for volume in service["volumes"]:
            source = volume.partition(":")[0]
            assert source in compose["volumes"] or (FOLDER / source).exists(), source
    scraped: Any = load_yaml(FOLDER / "prometheus.yml")
    (target,) = scraped["scrape_configs"][0]["static_configs"][0]["targets"]
    assert target.partition(":")[0] in compose["services"]


@pytest.mark.system
def test_its_commands_run_in_a_plain_folder(tmp_path: Path) -> None:
    """The service's command, with a port of ours, and the check of its health."""
    live.workspace(tmp_path / "twin")
    compose: Any = load_yaml(FOLDER / "compose.yaml")
    words = [str(word) for word in compose["services"]["nettwin"]["command"]]
    port = "18743"
    words = [w.replace("/workspace/twin", str(tmp_path / "twin")) for w in words]
    words = [port if w == "8080" else "127.0.0.1" if w == "0.0.0.0" else w for w in words]
    environment = {**os.environ, "NUMBA_CACHE_DIR": os.environ.get("NUMBA_CACHE_DIR", "")}
    if not environment["NUMBA_CACHE_DIR"]:
        del environment["NUMBA_CACHE_DIR"]
    check = next(rest for name, rest in instructions() if name == "HEALTHCHECK")
    health = json.loads(check.partition("CMD ")[2])
    health = [sys.executable, *[word.replace("8080", port) for word in health[1:]]]
    command = [sys.executable, "-m", *words]
    with subprocess.Popen(command, cwd=tmp_path, env=environment) as process:
        try:
            end = time.monotonic() + 120
            while subprocess.run(health, capture_output=True, check=False).returncode:
                assert process.poll() is None and time.monotonic() < end
                time.sleep(0.5)
            request = urllib.request.Request(f"http://127.0.0.1:{port}/metrics")
            request.add_header("host", "nettwin:8080")  # as Prometheus calls it
            with urllib.request.urlopen(request) as answer:
                assert b"nettwin_requests_total" in answer.read()
        finally:
            process.terminate()
            process.wait(30)
