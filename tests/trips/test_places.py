"""The queue of places in a browser: by one key each, by the map, and without script."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from registry.forms.places import known_keys
from registry.models import Person, Report
from tests import factories
from tests.chromium import faults

PLACES = (
    ("Izium", 49.21, 37.26, 2_600, 1.0),
    ("Vovchansk", 50.28, 36.94, 1_500, 0.95),
    ("Chuhuiv", 49.84, 36.69, 2_100, 0.9),
)
CANDIDATES = [
    {
        "lat": lat, "lon": lon, "name": name, "country": "UA", "adm1_code": "UA-63", "adm2_code": None,
        "geo_precision": "settlement", "radius_m": radius, "score": score, "matched": name, "how": "exact",
    }
    for name, lat, lon, radius, score in PLACES
]  # fmt: skip


@pytest.fixture
def official(settings: Any, gazetteer_path: Any) -> Person:
    settings.SECOND_FACTOR_REQUIRED = False
    settings.DATA_DIR = gazetteer_path.parent
    known_keys.forget()
    return factories.person("official", factories.ukraine()["UA-63"])


def waits(day: int, state: str, **fields: Any) -> Report:
    on = date(2026, 3, day)
    return factories.report(geocode_state=state, occurred_from=on, occurred_to=on, **fields)


@pytest.mark.parametrize("javascript", [True, False], ids=["script", "no script"])
def test_places_are_confirmed_one_after_the_other(
    new_page: Callable[..., Page], official: Person, javascript: bool
) -> None:
    several = [
        waits(day, "ambiguous", place_typed="Some", geocode_candidates=CANDIDATES) for day in (1, 2, 3)
    ]
    lost = waits(4, "not_found", place_typed="Xyzzyplugh")
    page = new_page(official, javascript=javascript)
    page.goto("/my-work")
    page.get_by_role("link", name="See all").click()
    heading = page.get_by_role("heading", level=1)
    expect(heading).to_have_text("Where is this?")
    assert not javascript or faults(page) == []

    def stands(report: Report) -> tuple[str, str]:
        report.refresh_from_db()
        return report.geocode_state, report.settlement

    def expect_next(report: Report) -> None:
        expect(page.locator("main .reference").last).to_have_text(report.reference)

    expect_next(several[0])
    if javascript:
        page.keyboard.press("2")
    else:
        page.get_by_label("Vovchansk").check()
        page.get_by_role("button", name="Confirm the place").click()
    expect_next(several[1])
    assert stands(several[0]) == ("confirmed", "Vovchansk")

    # The likeliest is chosen already; the next is left for later.
    if javascript:
        page.keyboard.press("Enter")
    else:
        page.get_by_role("button", name="Confirm the place").click()
    expect_next(several[2])
    assert stands(several[1]) == ("confirmed", "Izium")
    page.get_by_role("link", name="Leave it for later").click()
    page.get_by_role("link", name="Not found").click()
    expect_next(lost)

    # A name nobody knows: the pin says where, or two numbers do.
    if javascript:
        page.locator('[name="lat"]').fill("50,2712")
        page.locator('[name="lon"]').fill("36.95")
        page.keyboard.press("Tab")
        page.locator(".leaflet-marker-draggable").hover()
        page.mouse.down()
        page.mouse.move(10, 10)
        page.mouse.up()
        expect(page.locator('[name="choice"][value="point"]')).to_be_checked()
        assert page.locator('[name="lat"]').input_value() != "50,2712"
    page.get_by_label("The point given below").check()
    page.locator('[name="lat"]').fill("50.2712")
    page.locator('[name="lon"]').fill("36.95")
    page.get_by_role("button", name="Confirm the place").click()
    expect(page.get_by_text("There are no more of these")).to_be_visible()
    assert stands(lost)[0] == "confirmed"
    assert (str(lost.lat), str(lost.lon)) == ("50.271200", "36.950000")


def test_keys_can_be_switched_off(new_page: Callable[..., Page], official: Person) -> None:
    report = waits(1, "ambiguous", geocode_candidates=CANDIDATES)
    page = new_page(official)
    page.goto("/places")
    page.get_by_label("Keys on").uncheck()
    page.reload()
    page.keyboard.press("2")
    expect(page.locator('[name="choice"][value="0"]')).to_be_checked()
    report.refresh_from_db()
    assert report.geocode_state == "ambiguous"
