"""Likely duplicates: found by ranges of indexes among the rows a person is given, so many at most."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from registry.actions import duplicates
from registry.actions.journal import Line
from registry.models import Report
from registry.models.sql import Probe, probed
from registry.rules.likeness import Verdict
from registry.rules.vocabularies import EntryKind
from tests import factories

pytestmark = pytest.mark.django_db

DAY = date(2026, 3, 9)
PIN = {"lat": 49.9935, "lon": 36.2304, "geo_precision": "exact", "geo_radius_m": 25, "adm2_code": "700001"}
TOWN = {
    "lat": 49.98,
    "lon": 36.25,
    "geo_precision": "settlement",
    "geo_radius_m": 9_000,
    "settlement": "Kharkiv",
}
#: The finest area of a place that is vague.
TOWN |= {"adm2_code": "700001"}


@pytest.fixture
def official() -> Any:
    return factories.person("official", factories.ukraine()["UA-63"])


def asked(**fields: Any) -> Report:
    return Report(**factories.row(**fields))


def references(found: list[duplicates.Found]) -> list[str]:
    return [one.report.reference for one in found]


def test_what_is_likest_comes_first_and_struck_before_comes_last(official: Any) -> None:
    same = factories.report(address="Sobornyi 5", **PIN)
    beside = factories.report(**PIN | {"lat": 49.99352, "address": ""})
    before = factories.report(
        address="Sobornyi 5", occurred_from=date(2024, 1, 2), occurred_to=date(2024, 1, 2), **PIN
    )
    factories.report(address="Sobornyi 7", **PIN)
    factories.report(**PIN | {"lat": 50.01})
    found = duplicates.nearby(asked(address="Соборний, 5", **PIN), person=official)
    assert references(found) == [same.reference, beside.reference, before.reference]
    assert [one.again for one in found] == [False, False, True]
    assert references(duplicates.nearby(same, person=official, but={same.pk, before.pk})) == [
        beside.reference
    ]


def test_an_address_finds_what_only_the_town_is_known_of(official: Any) -> None:
    vague = factories.report(address="вул. Соборна, 5", **TOWN)
    factories.report(address="вул. Соборна, 5", occurred_from=None, occurred_to=DAY - timedelta(9), **TOWN)
    found = duplicates.nearby(asked(address="Soborna 5", **PIN), person=official)
    assert references(found) == [vague.reference]


@pytest.mark.parametrize(
    "aside",
    [
        {"status": "rejected"},
        {"withdrawn": "error"},
        {"kind": "network", "sector": "gas", "object_type": "line"},
    ],
)
def test_what_is_set_aside_withdrawn_or_of_another_kind_is_not_offered(official: Any, aside: Any) -> None:
    factories.report(**PIN | aside)
    assert duplicates.nearby(asked(**PIN), person=official) == []


def test_everybody_is_offered_the_rows_they_are_given(official: Any) -> None:
    known = factories.report(**PIN)
    other = factories.person("official", factories.ukraine()["UA-23"])
    resident = factories.person("resident")
    row = asked(**PIN)
    assert references(duplicates.nearby(row, person=official)) == [known.reference]
    assert duplicates.nearby(row, person=other) == []
    assert duplicates.nearby(row, person=resident) == []
    factories.published(report=known, **PIN | {"geo_radius_m": 79})
    assert references(duplicates.nearby(row, person=resident)) == [known.reference]
    assert duplicates.nearby(row, person=other) == []


def line(**fields: Any) -> Line:
    return Line(Report(), EntryKind.LOGGED, fields=factories.row(**fields))


def test_rows_of_an_import_are_looked_up_together(official: Any) -> None:
    known = factories.report(address="Sobornyi 5", **PIN)
    named = factories.report(object_name="Школа №12", **TOWN)
    later = {"occurred_from": DAY + timedelta(30), "occurred_to": DAY + timedelta(30)}
    lines = [
        line(address="Соборний 5", **PIN),
        line(address="Соборний 5", **PIN | later),
        line(object_name="School No. 12", **TOWN),
        line(**TOWN),
        line(lat=None, lon=None),
    ]
    with CaptureQueriesContext(connection) as few:
        found = duplicates.likely(lines, by=None)
    assert [one and one[0] for one in found] == [known.pk, None, named.pk, None, None]
    assert found[0] is not None
    assert found[0][1].verdict == Verdict.SAME
    with CaptureQueriesContext(connection) as many:
        duplicates.likely(lines * 40, by=None)
    assert len(few) == len(many) <= 3
    assert duplicates.likely(lines, by=None, but={known.pk})[0] is None
    assert duplicates.likely(lines, by=factories.person("official"))[0] is None


def test_no_lines_ask_nothing(official: Any) -> None:
    with CaptureQueriesContext(connection) as queries:
        assert duplicates.likely([], by=None) == []
    assert len(queries) == 0


def test_a_probe_finds_so_many_rows_at_most() -> None:
    keys = {factories.report(**PIN).pk for _one in range(5)}
    probe = Probe(7, "building", 0, 1 << 62, cells=(0, 1 << 52))
    area = Probe(8, "building", 0, 1 << 62, area=("adm2_code", "700001"))
    nothing = Probe(9, "network", 0, 1 << 62, cells=(0, 1 << 52))
    found = list(probed(Report, [probe, area, nothing], most=3, using="default"))
    assert [number for number, _key in found] == [7, 7, 7, 8, 8, 8]
    assert {key for _number, key in found} <= keys
