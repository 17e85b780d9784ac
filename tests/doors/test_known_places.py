"""Names that people set on the map: seen, corrected and forgotten by those who place reports in their area."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.http import HttpResponse

from registry.forms.places import known_keys, lineage, place_fields
from registry.models import KnownPlace, Person
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("installed")]


@pytest.fixture
def installed(settings: Any, gazetteer_path: Any) -> Any:
    settings.DATA_DIR = gazetteer_path.parent
    settings.SECOND_FACTOR_REQUIRED = False
    known_keys.forget()
    yield
    known_keys.forget()


@pytest.fixture
def areas() -> Any:
    return factories.ukraine()


@pytest.fixture
def official(areas: Any) -> Person:
    return factories.person("official", areas["UA-63"])


@pytest.fixture
def name(official: Person) -> KnownPlace:
    return KnownPlace.objects.create(
        key="ксізлоград", name="Ксізлоград", area="UA-63", lat="50.27", lon="36.95", by=official,
        at=datetime(2026, 3, 9, 10, tzinfo=UTC),
    )  # fmt: skip


def send(person: Person, name: KnownPlace, **values: Any) -> HttpResponse:
    return factories.client(person).post(f"/places/known/{name.pk}", {"command": uuid4(), **values})


def test_the_names_of_ones_areas_are_listed_with_who_set_them_and_when(
    official: Person, name: KnownPlace, areas: Any
) -> None:
    elsewhere = factories.person("official", areas["UA-23"])
    KnownPlace.objects.create(
        key="далека", name="Далека", area="UA-23", lat="47.8", lon="35.2", by=elsewhere, at=name.at
    )
    client = factories.client(official)
    assert "/places/known" in client.get("/places").content.decode()
    shown = client.get("/places/known").content.decode()
    for words in ("Ксізлоград", "Kharkiv", "50.27", str(official), "2026"):
        assert words in shown
    assert "Далека" not in shown
    assert "Ксізлоград" not in factories.client(elsewhere).get("/places/known").content.decode()


def test_a_corrected_name_places_reports_to_come_at_its_new_point(official: Person, name: KnownPlace) -> None:
    report = factories.report(**place_fields(name.name, area=lineage("UA-63")))
    colleague = factories.person("inspector", *official.areas.all())
    assert send(colleague, name, lat="50.3", lon="36.9").status_code == 302
    name.refresh_from_db()
    assert (name.lat, name.by) == (Decimal("50.3"), colleague)
    assert place_fields(name.name, area=lineage("UA-63"))["lat"] == Decimal("50.3")
    report.refresh_from_db()
    assert report.lat == Decimal("50.27")


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"lat": "50.3"}, "Longitude"),
        ({"lat": "91", "lon": "36"}, "90"),
        ({"lat": "47.8", "lon": "35.2"}, "outside the area"),
    ],
)
def test_a_point_that_cannot_be_is_refused(
    official: Person, name: KnownPlace, values: Any, words: str
) -> None:
    answer = send(official, name, **values)
    assert answer.status_code == 200
    assert words in answer.content.decode()
    name.refresh_from_db()
    assert name.lat == Decimal("50.27")


def test_a_forgotten_name_is_unknown_again(official: Person, name: KnownPlace) -> None:
    assert place_fields(name.name, area=lineage("UA-63"))["geocode_backend"] == "known"
    assert send(official, name, choice="forget").status_code == 302
    assert not KnownPlace.objects.exists()
    assert place_fields(name.name, area=lineage("UA-63"))["geocode_state"] == "not_found"
    assert send(official, name, choice="forget").status_code == 404


def test_who_places_nothing_there_sees_and_changes_nothing(name: KnownPlace, areas: Any) -> None:
    elsewhere = factories.person("supervisor", areas["UA-23"])
    assert factories.client(elsewhere).get(f"/places/known/{name.pk}").status_code == 404
    assert send(elsewhere, name, choice="forget").status_code == 404
    assert send(factories.person("resident"), name, choice="forget").status_code == 403
    assert KnownPlace.objects.exists()
