"""No page of the sample has anything that axe finds, narrow or wide, light or dark; none fails in the
console or asks a third party (``new_page`` sees to that)."""

from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from playwright.sync_api import Page

from registry.actions import areas
from registry.geocoding import build
from registry.models import Person
from tests.chromium import faults
from tests.pages import pages


@pytest.mark.skipif(
    connection.vendor == "postgresql",
    reason="What a page looks like does not depend on the database; all are opened on both (test_every_address)",
)
def test_axe_finds_nothing_on_any_page(
    new_page: Callable[..., Page], settings: Any, gazetteer_path: Any, tmp_path: Path
) -> None:
    settings.SECOND_FACTOR_REQUIRED = False
    settings.DATA_DIR = tmp_path
    (tmp_path / gazetteer_path.name).symlink_to(gazetteer_path)
    settings.SAMPLE_PASSWORD = "a long pass phrase"
    areas.load(row for row in build.areas() if row["country"] in ("RU", "UA"))
    call_command("load_sample", stdout=StringIO())
    windows: dict[str, Page] = {}
    found = {}

    def look(window: Page, name: str, *, again: bool = False) -> None:
        """``again``: the page as another role sees it has the same colours, and the same parts on a phone."""
        # The dark colours are the same at every width.
        for width, scheme in ((1280, "light"), (1280, "dark"), (360, "light")):
            window.set_viewport_size({"width": width, "height": 800})
            beyond = window.evaluate("document.documentElement.scrollWidth - innerWidth")
            if beyond > 0:
                found[f"{name} {width} wide"] = [f"{beyond} pixels wider than the window"]
            if again and (width, scheme) != (1280, "light"):
                continue
            window.emulate_media(color_scheme=scheme)
            # The other rules do not depend on colours.
            if wrong := faults(window, only="color-contrast" if scheme == "dark" else ""):
                found[f"{name} {width} {scheme}"] = wrong

    names = set()
    for page in pages():
        if page.who not in windows:
            person = Person.objects.filter(email=f"{page.who}@example.org").first()
            windows[page.who] = new_page(person)
        window = windows[page.who]
        window.set_viewport_size({"width": 1280, "height": 800})
        window.goto(page.address)
        look(window, f"{page.name} {page.who}", again=page.name in names)
        names.add(page.name)
    window = windows["official"]
    window.goto("/log")
    window.get_by_role("button", name="Check and save").click()
    look(window, "log with errors")
    window.locator('[name="area"]').fill("RU-VOR")
    window.get_by_role("button", name="Check and save").click()
    look(window, "check answers")
    assert found == {}
