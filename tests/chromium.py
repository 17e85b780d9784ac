"""Debian's Chromium, driven by Playwright, and what axe finds on a page."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

AXE = (Path(__file__).parent / "vendor/axe-core/axe.min.js").read_text()
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--no-proxy-server",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@contextmanager
def chromium() -> Iterator[Browser]:
    """A headless browser that asks nobody for anything by itself."""
    # Playwright keeps an event loop in this thread, but Django's database is never used from within it.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=QUIET)
        yield browser
        browser.close()


def faults(page: Page, only: str = "") -> list[str]:
    """What axe has against the page as it stands, a line for each fault and element; by one rule or all."""
    if page.evaluate("typeof axe") == "undefined":
        page.evaluate(AXE)
    rules = {"resultTypes": ["violations"]} | ({"runOnly": [only]} if only else {})
    found = page.evaluate("rules => axe.run(rules)", rules)["violations"]
    return [f"{fault['id']}: {node['html']}" for fault in found for node in fault["nodes"]]
