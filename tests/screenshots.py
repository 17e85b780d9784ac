"""``make screenshots``: every page of the sample, as each role it differs for, narrow and wide, light and
dark, into ``screenshots/``."""

import os
import sys
from pathlib import Path

import django

FOLDER = Path(__file__).resolve().parent.parent / "screenshots"
WIDTHS = (360, 1280)
SCHEMES = ("light", "dark")


def main(wanted: list[str]) -> None:
    """Take the pages of these names, or all."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    django.setup()
    from django.conf import settings
    from django.core.management import call_command
    from django.db import connections
    from pytest_django.live_server_helper import LiveServer

    from tests.chromium import chromium
    from tests.pages import pages

    settings.SECOND_FACTOR_REQUIRED = False
    settings.ALLOWED_HOSTS += ["localhost"]
    call_command("setup")
    call_command("load_sample")
    FOLDER.mkdir(exist_ok=True)
    server = LiveServer("localhost")
    with chromium() as browser:
        windows = {}
        for page in pages():
            if wanted and page.name not in wanted:
                continue
            if page.who not in windows:
                windows[page.who] = browser.new_context(base_url=server.url)
                sign_in(windows[page.who].new_page(), page.who)
            window = windows[page.who].pages[0]
            for width in WIDTHS:
                for scheme in SCHEMES:
                    window.set_viewport_size({"width": width, "height": 800})
                    window.emulate_media(color_scheme=scheme)
                    window.goto(page.address, wait_until="networkidle")
                    name = f"{page.name}-{page.who}-{width}-{scheme}.png"
                    window.screenshot(path=FOLDER / name, full_page=page.name != "map")
                    print(name, flush=True)
    server.stop()
    connections.close_all()


def sign_in(window, who: str) -> None:
    from registry.actions import sampling

    window.goto("/sign-in")
    if who != "visitor":
        window.fill('[name="login"]', f"{who}@example.org")
        window.fill('[name="password"]', sampling.password())
        window.click("main button[type=submit]")


if __name__ == "__main__":
    main(sys.argv[1:])
