"""What a program may do is what its person may do on the pages: every move and deed, as everybody."""

from typing import Any

import pytest
from django.db import transaction
from django.test import Client

from registry.actions.deeds import DEEDS
from registry.models import Report
from registry.rules import workflow
from tests import factories
from tests.doors.test_every_address import WHO

pytestmark = pytest.mark.django_db

#: What the API answers where the page does: the way to sign in is 401; where a page shows its form, the API asks
#: for what is missing or does what needs nothing more.
SAME = {302: {401}, 403: {403, 409}, 404: {404}, 200: {200, 201, 422}}


@pytest.fixture
def reports() -> list[Report]:
    supply = {"kind": "outage", "object_type": "", "damage_level": "", "status": "confirmed"}
    return [
        factories.report(status="reported", lat=50, lon=36),
        factories.report(**supply, sector="electricity"),
    ]


def client_of(who: str) -> Client:
    areas = factories.ukraine()
    if who == "anonymous":
        return Client()
    role = "official" if who in ("administrator", "elsewhere") else who
    held = [] if who in ("resident", "researcher") else [areas["UA-23" if who == "elsewhere" else "UA-63"]]
    sectors = ["electricity"] if who == "operator" else []
    return factories.client(
        factories.person(role, *held, sectors=sectors, is_administrator=who == "administrator")
    )


@pytest.mark.parametrize("who", WHO)
def test_the_api_does_what_the_page_does(who: str, reports: list[Report], settings: Any) -> None:
    settings.SECOND_FACTOR_REQUIRED = False
    browser, wrong = client_of(who), {}

    def sent(method: str, address: str) -> int:
        with transaction.atomic():
            status = getattr(browser, method)(
                f"/api/v1{address}", {}, content_type="application/json"
            ).status_code
            transaction.set_rollback(True)
        return status

    asked = [("post", "/log", "/reports")]
    for report in reports:
        at, there = f"/r/{report.reference}", f"/reports/{report.reference}"
        asked.append(("patch", f"{at}/edit", there))
        asked += [("post", f"{at}/do/{name}", f"{there}/deeds/{name}") for name in [*DEEDS, "nothing"]]
        moves = {move.name for move in workflow.MOVES if report.kind in move.kinds}
        asked += [("post", f"{at}/move/{name}", f"{there}/moves/{name}") for name in sorted(moves)]
    for method, page, address in asked:
        shown, done = browser.get(page).status_code, sent(method, address)
        if done not in SAME[shown]:
            wrong[address] = (shown, done)
    assert wrong == {}
