"""The pages in a real browser: the tour from end to end, every page in both themes and three
widths, an imported network, an empty workspace, names that carry HTML."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchmarks.browsing import Watched, browser, missing, serving
from nettwin.scenario.generate import generate
from nettwin.workspace.workspace import Workspace, begin

pytestmark = [pytest.mark.system, pytest.mark.skipif(bool(missing()), reason=missing())]

PAGES = (
    *("/", "/sessions", "/flows", "/plans", "/data", "/models", "/incidents"),
    *("/capacity", "/labs", "/jobs", "/audit", "/settings"),
)
WIDTHS = (1280, 1000, 640)  # the second is 1280 at a zoom of some 130 %, the third at 200 %
EVIL = "<img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, list[str]]]:
    with serving("--demo", folder=tmp_path_factory.mktemp("demo")) as found:
        yield found


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    with browser() as made:
        yield made


@pytest.fixture(scope="module")
def people(demo: tuple[str, list[str]], chromium: Any) -> dict[str, Any]:
    """The contexts of the operator and the approver, logged in by their links."""
    links = demo[1]
    found = {}
    for name, link in zip(("operator", "approver"), links, strict=True):
        context = chromium.new_context(viewport={"width": 1280, "height": 800})
        page = context.new_page()
        page.goto(link)
        if "/login" in page.url:
            page.click("button[type=submit]")
        page.wait_for_selector(".frame")
        page.close()
        found[name] = context
    return found


def test_the_tour_from_look_to_undo(demo: tuple[str, list[str]], people: dict[str, Any]) -> None:
    address = demo[0]
    seen = Watched(people["operator"].new_page(), address)
    page = seen.page
    seen.go("/?tour=1")
    page.wait_for_selector("text=1 of 5")
    # look: the first measurement comes, and the busiest link is at the top
    hottest = page.wait_for_selector("aside .nt-table .link", timeout=120_000)
    name = hottest.inner_text()
    hottest.click()
    page.wait_for_selector(f"aside h2:has-text('{name}')")
    # break
    page.keyboard.press("f")
    page.wait_for_url("**session=*")
    page.wait_for_selector(".sessionbar")
    page.wait_for_selector("text=predicted by")
    assert "down" in page.inner_text("aside")
    session = re.search(r"session=(\w+)", page.url)[1]
    # ask
    seen.go(f"/flows?session={session}")
    page.click(".content .nt-table .link >> nth=0")
    page.wait_for_selector("aside >> text=/Flow .* takes/")
    page.wait_for_selector("aside >> text=Where the delay arises")
    # optimize
    seen.go(f"/sessions?session={session}&tab=optimize")
    page.click("button:has-text('Search')")
    page.click("button:has-text('Put into the session')", timeout=60_000)
    page.wait_for_selector("text=2.")
    page.click("button:has-text('Make a plan')")
    page.wait_for_url("**plan=*")
    plan = page.url
    # the author does not approve, and cannot apply what nobody approved
    page.wait_for_selector("text=Not approved yet")
    assert not page.query_selector("button:has-text('Approve')")
    assert not page.query_selector("button:has-text('Apply')")
    other = Watched(people["approver"].new_page(), address)
    other.page.goto(plan)
    other.page.click("button:has-text('Approve')")
    other.page.click(".q-dialog button:has-text('Approve')")
    other.page.wait_for_selector("text=Approved by")
    # apply, and undo
    seen.go(plan.removeprefix(address))
    page.click("button:has-text('Apply')")
    page.click(".q-dialog button:has-text('Apply')")
    page.wait_for_selector(".tag:has-text('applied')")
    page.click("button:has-text('Undo')")
    page.click(".q-dialog button:has-text('Undo')")
    page.wait_for_selector(".tag:has-text('rolled back')")
    assert seen.wrong == [] and other.wrong == []
    page.close()
    other.page.close()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_page_in_both_themes_and_three_widths(
    demo: tuple[str, list[str]], people: dict[str, Any], theme: str
) -> None:
    address = demo[0]
    context = people["operator"]
    seen = Watched(context.new_page(), address)
    seen.page.emulate_media(color_scheme=theme)
    for path in PAGES:
        for width in WIDTHS:
            seen.page.set_viewport_size({"width": width, "height": 800})
            seen.go(path)
            wide = seen.page.evaluate("document.documentElement.scrollWidth")
            assert wide <= max(width, 640) + 1, f"{path} is {wide} wide at {width}"
            dark = seen.page.evaluate("document.body.classList.contains('body--dark')")
            assert dark == (theme == "dark")
    assert seen.wrong == []
    seen.page.close()


def test_no_rule_of_accessibility_is_broken(
    demo: tuple[str, list[str]], people: dict[str, Any]
) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    seen = Watched(people["operator"].new_page(), demo[0])
    broken = []
    for theme in ("light", "dark"):
        seen.page.emulate_media(color_scheme=theme)
        for path in PAGES:
            seen.go(path)
            seen.page.wait_for_timeout(800)
            found = axe.run(seen.page)
            broken += [
                f"{theme} {path}: {one['id']}: {one['nodes'][0]['html'][:160]}"
                for one in found.response["violations"]
            ]
    assert broken == []
    seen.page.close()


def test_keys_lead_to_the_pages_and_back(
    demo: tuple[str, list[str]], people: dict[str, Any]
) -> None:
    seen = Watched(people["operator"].new_page(), demo[0])
    page = seen.page
    seen.go("/")
    for key, path in (("3", "/flows"), ("5", "/data"), ("1", "/")):
        page.keyboard.press(key)
        page.wait_for_url(f"{demo[0]}{path}")
        page.wait_for_timeout(600)
    page.keyboard.press("?")
    page.wait_for_selector("text=search nodes, links and flows")
    page.keyboard.press("Escape")
    page.wait_for_timeout(400)
    page.keyboard.press("/")
    page.keyboard.type("Houston->")
    page.keyboard.press("Enter")
    page.wait_for_url("**link=Houston*")
    page.go_back()
    assert seen.wrong == []
    page.close()


def test_the_map_is_saved_as_a_picture(
    demo: tuple[str, list[str]], people: dict[str, Any], tmp_path: Path
) -> None:
    seen = Watched(people["operator"].new_page(), demo[0])
    page = seen.page
    seen.go("/?layer=offered")
    page.wait_for_timeout(1000)
    for kind, begins in (("PNG", b"\x89PNG"), ("SVG", b"<svg")):
        with page.expect_download() as found:
            page.click(f"button:has-text('{kind}')")
        path = tmp_path / kind
        found.value.save_as(path)
        assert path.read_bytes().startswith(begins)
    text = (tmp_path / "SVG").read_text()
    assert "Houston" in text and text.count("<polygon") == 42
    assert seen.wrong == []
    page.close()


def logged_in(chromium: Any, address: str, token: str) -> Any:
    page = chromium.new_context(viewport={"width": 1280, "height": 800}).new_page()
    page.goto(address + "/login")
    page.fill("input[name=token]", token)
    page.click("button[type=submit]")
    page.wait_for_selector(".frame")
    return page


def test_an_imported_network_with_names_that_carry_html(tmp_path: Path, chromium: Any) -> None:
    made = generate("ring", nodes=5, load=0.6)
    topology = made.topology
    first = topology.node_name[0]
    evil = made.with_(
        topology=replace(
            topology,
            node_name=(EVIL, *topology.node_name[1:]),
            link_name=tuple(name.replace(first, EVIL) for name in topology.link_name),
        )
    )
    place = begin(tmp_path / "twin", evil, name=EVIL)
    token = place.add_person("ada", ("operator", "approver"))
    with serving("-w", str(tmp_path / "twin"), folder=tmp_path) as (address, _):
        page = logged_in(chromium, address, token)
        seen = Watched(page, address)
        alerts: list[str] = []
        page.on("dialog", lambda dialog: (alerts.append(dialog.message), dialog.dismiss()))
        for path in PAGES:
            seen.go(path)
        page.wait_for_timeout(500)
        assert alerts == [] and seen.wrong == []
        assert EVIL in page.inner_text("header")
        page.context.close()


def test_a_workspace_in_which_nothing_was_seen_yet_teaches(tmp_path: Path, chromium: Any) -> None:
    place = begin(tmp_path / "twin", generate("line", nodes=2, load=0.5))
    token = place.add_person("ada", ("viewer",))
    assert Workspace(tmp_path / "twin").settings.people
    with serving("-w", str(tmp_path / "twin"), "--no-live", folder=tmp_path) as (address, _):
        page = logged_in(chromium, address, token)
        seen = Watched(page, address)
        for path in PAGES:
            seen.go(path)
        seen.go("/data")
        page.wait_for_selector("text=No data yet")
        seen.go("/sessions")
        page.wait_for_selector("text=No session yet")
        assert seen.wrong == []
        page.context.close()
