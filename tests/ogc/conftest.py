"""A register with some published reports, and what asks the layer for them."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from registry.actions import editions
from tests import factories

OGC = "/ogc/collections/reports/items"


@pytest.fixture
def ask(db: None) -> Callable[..., Any]:
    """The JSON of an address below /ogc, which must answer 200; ``expect`` another status."""

    def asked(address: str = OGC, /, *, expect: int = 200, by: Any = None, **parameters: str) -> Any:
        answer = factories.client(by).get(address, parameters)
        assert answer.status_code == expect, (answer.status_code, answer.content)
        return answer.json()

    return asked


@pytest.fixture
def refused(ask: Callable[..., Any]) -> Callable[..., str]:
    """The words in which the items refuse these parameters."""

    def asked(**parameters: str) -> str:
        answer = ask(expect=400, **parameters)
        assert answer.keys() == {"code", "description"}
        return answer["description"]

    return asked


@pytest.fixture
def reports(db: None) -> list[str]:
    """References of three published reports, newest damage first: a shop, a house, a loss without a place."""
    at, day = factories.AT, factories.AT.date()
    official = factories.person("official", factories.ukraine()["UA-63"])
    by = {"by": official, "at": at, "geo_precision": "exact", "settlement": "Chuhuiv", "adm2_code": "700001"}
    made = [
        factories.report(
            object_type="commercial", lat=50.0004, lon=36.2504, occurred_from=day, occurred_to=day, **by
        ),
        factories.report(
            object_type="house", damage_level="destroyed", lat=49.5, lon=36.5, dwellings_total=12,
            occurred_from=day - timedelta(days=2), occurred_to=day - timedelta(days=1), **by,
        ),
        factories.report(
            kind="outage", object_type="", sector="heat", damage_level="", status="confirmed",
            occurred_from=day - timedelta(days=9), occurred_to=day - timedelta(days=9),
            customers_unit="accounts", customers_affected=900, started_utc=at - timedelta(days=9), **by,
        ),
    ]  # fmt: skip
    editions.publish(at + timedelta(days=2))
    return [report.reference for report in made]


def ids(answer: Any) -> list[str]:
    return [one["id"] for one in answer["features"]]


def page(address: str, **parameters: str) -> str:
    """An address below /ogc as a page."""
    answer = Client().get(address, parameters, headers={"Accept": "text/html"})
    assert answer.status_code == 200, answer.content
    assert answer["Content-Type"].startswith("text/html")
    return answer.content.decode()
