"""Pictures of the desk for these pages: python docs/screenshots.py LINK, a link of an operator that
`nettwin serve --demo` has printed. Needs Playwright and Chromium."""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path
from urllib.parse import urlsplit

HERE = Path(__file__).parent


def main(link: str) -> None:
    """Take them: the map, a session, a flow explained, the search, in the themes they look best."""
    from playwright.sync_api import sync_playwright

    parts = urlsplit(link)
    address = f"{parts.scheme}://{parts.netloc}"
    with sync_playwright() as started:
        path = shutil.which("chromium")
        browser = started.chromium.launch(executable_path=path, args=["--no-sandbox"])
        size = {"width": 1280, "height": 800}
        page = browser.new_context(viewport=size, color_scheme="light").new_page()
        page.goto(link)
        if "/login" in page.url:
            page.click("button[type=submit]")

        def take(name: str, wait_s: float = 1.5) -> None:
            page.wait_for_timeout(1000 * wait_s)
            page.screenshot(path=HERE / f"desk_{name}.png")

        page.goto(f"{address}/?layer=carried")
        page.click("aside .nt-table .link >> nth=0")
        take("map", 2.5)
        page.keyboard.press("f")
        page.wait_for_selector("text=predicted by")
        page.emulate_media(color_scheme="dark")
        take("session", 2.5)
        session = re.search(r"session=(\w+)", page.url)[1]
        page.goto(f"{address}/flows?session={session}")
        page.click(".content .nt-table .link >> nth=0")
        page.wait_for_selector("aside >> text=Where the delay arises")
        page.emulate_media(color_scheme="light")
        take("flow")
        page.goto(f"{address}/sessions?session={session}&tab=optimize")
        page.click("button:has-text('Search')")
        page.wait_for_selector("button:has-text('Put into the session')", timeout=60_000)
        take("optimize")
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1])
