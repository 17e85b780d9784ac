"""Places asked for by the worker: answers written, late and lesser ones dropped, a silent service waited for."""

from datetime import timedelta
from typing import Any

import pytest

from registry.actions import journal, reports
from registry.geocoding.gazetteer import Answer, Candidate
from registry.geocoding.online import Unavailable
from registry.models import Report
from registry.upkeep import locating
from tests import factories

pytestmark = pytest.mark.django_db

STREET = Candidate(50.01, 36.23, "Sobornyi lane", "UA", "UA-63", None, "street", 300, 0.9)


class Service:
    """Answers as it is told, and keeps what it was asked."""

    def __init__(self, answer: Answer | Exception) -> None:
        self.answer, self.asked = answer, []

    def ask(self, query: str, **hints: Any) -> Answer:
        self.asked.append(query)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.fixture
def waiting(settings: Any) -> Report:
    settings.GEOCODER = "nominatim"
    factories.ukraine()
    report = factories.report(
        place_typed="Sobornyi lane 5", geocode_state="waiting", geo_precision="adm1", lat=49.9, lon=36.4
    )
    Report.objects.filter(pk=report.pk).update(geocode_after=journal.now())
    return Report.objects.get(pk=report.pk)


def serve(monkeypatch: pytest.MonkeyPatch, answer: Answer | Exception) -> Service:
    service = Service(answer)
    monkeypatch.setattr(locating, "service", lambda: service)
    monkeypatch.setattr(locating, "embedded", lambda: None)
    return service


def test_an_answer_places_the_report(waiting: Report, monkeypatch: pytest.MonkeyPatch) -> None:
    serve(monkeypatch, Answer("found", (STREET,)))
    locating.locate()
    waiting.refresh_from_db()
    assert (waiting.geo_precision, str(waiting.lat), waiting.geocode_backend) == (
        "street", "50.010000", "nominatim",
    )  # fmt: skip
    assert waiting.geocode_after is None
    assert waiting.entries.last().kind == "located"


def test_a_service_that_is_away_is_asked_again_later_and_later(
    waiting: Report, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = serve(monkeypatch, Unavailable("429"))
    locating.locate()
    waiting.refresh_from_db()
    first = waiting.geocode_after - journal.now()
    assert first > timedelta(seconds=50)
    assert waiting.version == 1
    locating.locate()
    assert len(service.asked) == 1  # not due yet
    Report.objects.update(geocode_after=journal.now())
    locating.locate()
    waiting.refresh_from_db()
    assert waiting.geocode_after - journal.now() > first


def test_an_answer_to_an_older_query_is_dropped(waiting: Report) -> None:
    old = waiting.geocode_query
    Report.objects.filter(pk=waiting.pk).update(geocode_query=old + 1)
    assert not reports.place_answered(waiting.reference, old, {"geocode_state": "found"})
    waiting.refresh_from_db()
    assert waiting.geo_precision == "adm1"


def test_an_answer_that_says_less_changes_nothing(waiting: Report, monkeypatch: pytest.MonkeyPatch) -> None:
    Report.objects.update(geocode_state="found", geo_precision="settlement")
    serve(monkeypatch, Answer("not_found"))
    locating.locate()
    waiting.refresh_from_db()
    assert (waiting.geocode_state, waiting.geocode_after, waiting.version) == ("found", None, 1)
