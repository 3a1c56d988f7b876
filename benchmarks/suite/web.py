"""web: how fast the desk's pages are in a real browser, and whether they stay what they are."""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.benchmark import Figure, Options, Outcome, at_most
from benchmarks.browsing import Watched, browser, missing, serving
from nettwin.errors import InputError
from nettwin.scenario.generate import generate
from nettwin.workspace.workspace import begin

TITLE = "Web: the desk in a browser"
PROTOCOL = (
    "Chromium without a window, a server and a browser on the same two cores, 1280 x 800 pixels. "
    "`first paint`: from asking for the map of the demo to links that are drawn (the second visit "
    "of a browser; the first one fetches the framework). `map N nodes`: the same on random planar "
    "graphs of N nodes with 4 to 5 N directed links and 4 N flows. `recolor`: from the press of a "
    "button to the last pixel, the server included; `zoom: frame`: the time that a frame takes to "
    "draw, mean of 40 turns of the wheel. `memory slope`: of JavaScript's heap after collecting "
    "garbage, over `--minutes` of the live demo. `outside requests`: to any other address. "
    "`accessibility violations`: rules of axe-core, on every page in both themes."
)
PAGES = (
    *("/", "/sessions", "/flows", "/plans", "/data", "/models", "/incidents"),
    *("/capacity", "/labs", "/jobs", "/audit", "/settings"),
)
MAP = ".nt-map-box"
MB = 2**20


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--minutes", type=float, default=3.0, help="of memory watched")


def run(options: Options) -> Outcome:
    """Measure."""
    if lacks := missing():
        raise InputError(lacks)
    minutes = float(options.extra.get("minutes") or 3.0)
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory() as folder, browser() as chromium:
        place = Path(folder)
        with serving("--demo", folder=place) as (address, links):
            seen = _visit(chromium, address, links[0])
            seen.page.wait_for_selector("aside .nt-table .link", timeout=120_000)
            figures.append(at_most("first paint", _painted_s(seen, "/"), 2.0, "s"))
            violations = _violations(seen)
            slope = _slope(seen, minutes)
            outside = [one for one in seen.wrong if one.startswith("outside")]
        for nodes, most_s in ((300, 0.8), (1000, 1.2)):
            with _served(place, nodes) as (address, token):
                seen = _visit(chromium, address, "", token)
                figures.append(
                    at_most(f"map {nodes} nodes", _painted_s(seen, "/?layer=offered"), most_s, "s")
                )
                if nodes == 1000:
                    figures.append(at_most("recolor 1000 nodes", _recolor_s(seen), 0.1, "s"))
                    figures.append(at_most("zoom 1000 nodes: frame", _frame_s(seen), 0.05, "s"))
                outside += [one for one in seen.wrong if one.startswith("outside")]
        figures.append(at_most("memory slope", slope, 5.0, "MB/h"))
        figures.append(at_most("outside requests", float(len(outside)), 0.0))
        figures.append(at_most("accessibility violations", float(violations), 0.0))
    return Outcome(tuple(figures))


@contextmanager
def _served(folder: Path, nodes: int) -> Iterator[tuple[str, str]]:
    """A random network that is only looked at."""
    twin = folder / f"twin{nodes}"
    whole = generate("gabriel", nodes=nodes, load=0.7, seed=3)
    some = np.random.default_rng(1).permutation(whole.traffic.flow_count)[: 4 * nodes]
    some.sort()
    rates = whole.traffic.flow_rate_bps[some] * whole.traffic.flow_count / len(some)
    traffic = whole.traffic.keep(some).with_arrays(flow_rate_bps=rates)
    place = begin(twin, whole.with_(traffic=traffic, routing=whole.routing.keep(some)))
    token = place.add_person("ada", ("operator",))
    with serving("-w", str(twin), "--no-live", folder=folder) as (address, _):
        yield address, token


def _visit(chromium: Any, address: str, link: str, token: str = "") -> Watched:
    page = chromium.new_context(viewport={"width": 1280, "height": 800}).new_page()
    seen = Watched(page, address)
    page.goto(link or address + "/login")
    if "/login" in page.url:
        if token:
            page.fill("input[name=token]", token)
        page.click("button[type=submit]")
    page.wait_for_selector(MAP)
    return seen


def _painted_s(seen: Watched, path: str, times: int = 3) -> float:
    """From asking for a map to links that are drawn, the best of a few."""
    best = float("inf")
    for _ in range(times):
        begin = time.perf_counter()
        seen.page.goto(seen.address + path, wait_until="commit")
        seen.page.wait_for_function(f"document.querySelector('{MAP}')?.dataset.painted", polling=20)
        best = min(best, time.perf_counter() - begin)
        seen.page.wait_for_timeout(500)
    return best


def _recolor_s(seen: Watched) -> float:
    """From the press of a layer's button to the frame that shows it, by the browser's clock."""
    return float(
        seen.page.evaluate(
            """async (map) => {
              const box = document.querySelector(map);
              const buttons = [...document.querySelectorAll(".choice button")];
              const times = [];
              for (const name of ["Carried load", "Offered load", "Loss", "Offered load"]) {
                const before = box.dataset.painted, begin = performance.now();
                buttons.find((b) => b.textContent === name).click();
                while (box.dataset.painted === before) await new Promise(requestAnimationFrame);
                times.push(performance.now() - begin);
                await new Promise((done) => setTimeout(done, 300));
              }
              return Math.max(...times) / 1000;
            }""",
            MAP,
        )
    )


def _frame_s(seen: Watched) -> float:
    """What a frame takes to draw while the wheel turns."""
    return float(
        seen.page.evaluate(
            """async (map) => {
              const box = document.querySelector(map), top = box.querySelector(".nt-map-top");
              let total = 0;
              for (let k = 0; k < 40; k++) {
                const deltaY = k < 20 ? -60 : 60;
                top.dispatchEvent(new WheelEvent("wheel",
                  {deltaY, bubbles: true, cancelable: true, clientX: 500, clientY: 400}));
                await new Promise(requestAnimationFrame);
                await new Promise(requestAnimationFrame);
                total += Number(box.dataset.ms);
              }
              return total / 40 / 1000;
            }""",
            MAP,
        )
    )


def _slope(seen: Watched, minutes: float) -> float:
    """How fast the heap grows on the live map, in MB an hour."""
    seen.page.goto(seen.address + "/")
    session = seen.page.context.new_cdp_session(seen.page)

    def heap() -> float:
        session.send("HeapProfiler.collectGarbage")
        return float(seen.page.evaluate("performance.memory.usedJSHeapSize")) / MB

    seen.page.wait_for_timeout(20_000)
    before, begin = heap(), time.monotonic()
    seen.page.wait_for_timeout(60_000 * minutes)
    return (heap() - before) / ((time.monotonic() - begin) / 3600)


def _violations(seen: Watched) -> int:
    """Rules of axe-core that are broken on any page in any theme."""
    from axe_playwright_python.sync_playwright import Axe

    axe, found = Axe(), 0
    for theme in ("light", "dark"):
        seen.page.emulate_media(color_scheme=theme)
        for path in PAGES:
            seen.go(path)
            seen.page.wait_for_timeout(800)
            found += len(axe.run(seen.page).response["violations"])
    return found
