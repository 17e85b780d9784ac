"""Two registers that differ only in what an audience may not see give that audience the same rows."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from registry.actions import editions, journal
from registry.models import CURRENT, Asset, Cluster, DayFigure, Link, PastReport, Report, Tally
from registry.models.reports import ROW_FIELDS
from registry.rules import access
from registry.rules.vocabularies import EntryKind
from tests.factories import change, report

pytestmark = pytest.mark.django_db

AT = datetime(2026, 2, 10, 12, tzinfo=UTC)
DAY = timedelta(days=1)
#: What neither audience is shown, of any class: names and the values they may have.
OFFICE: dict[str, list[Any]] = {
    "description": ["", "Two rooms burnt"],
    "contact": ["", "A neighbour"],
    "priority": ["", "high"],
    "place_typed": ["", "Mill street"],
    "contractor": ["", "A firm"],
    "customers_served": [None, 5000],
}
NAMES = {"address": ["", "Mill street 5"], "object_name": ["", "School 3"], "sources": ["", "A paper"]}
FINE_AREA = {
    "adm3_code": ["", "7000011"],
    "adm3_name": ["", "Chuhuiv town"],
    "settlement": ["", "Chuhuiv"],
}
TIMES = {"started_utc": [None, AT - timedelta(hours=9), AT - timedelta(hours=7, seconds=5)]}
#: The month before the first edition's: what lies in it looks alike.
DAYS = {
    "occurred_from": [date(2026, 1, day) for day in (1, 4, 10)],
    "occurred_to": [date(2026, 1, day) for day in (10, 11, 31)],
    "date_precision": ["day", "range", "month"],
    "verified_on": [date(2026, 2, day) for day in (1, 11, 28)],
    "made_safe_on": [date(2026, 2, day) for day in (2, 12, 27)],
}
#: Too few people or households, one way or another.
FIGURES = {
    "customers_affected": [1, 4, 10, 500],
    "customers_out": [1],
    "customer_hours": [None, Decimal(3), Decimal(90)],
}


def places(step: int, *precisions: str) -> dict[str, list[Any]]:
    """Places within one square of a grid, none said to be coarser than the square."""
    parts = (0, 1, step // 2, step - 1)
    return {
        "lat": [Decimal(50_000_000 + part) / 1_000_000 for part in parts],
        "lon": [Decimal(36_000_000 + part) / 1_000_000 for part in parts],
        "geo_precision": list(precisions),
        "geo_radius_m": [None, 25, 60],
    }


ANYWHERE = 10_000_000
NETWORK = {"kind": "network", "sector": "gas", "object_type": "pipeline"}
OUTAGE = {
    "kind": "outage",
    "sector": "water",
    "object_type": "",
    "status": "confirmed",
    "damage_level": "",
    "customers_unit": "people",
}
POWER = OUTAGE | {"sector": "electricity", "customers_unit": "households"}
UNCHECKED = {"object_type": "school", "from_resident": True, "status": "needs_info"}
#: An audience, the fields of a class, and what of it may differ unseen.
CASES: list[tuple[str, dict[str, Any], dict[str, list[Any]]]] = [
    (
        "public",
        {"object_type": "house"},
        NAMES | TIMES | places(10_000, "exact", "street", "settlement"),
    ),
    ("public", {"object_type": "school"}, NAMES | places(1_000, "exact", "street")),
    (
        "public",
        {"object_type": "hospital"},
        NAMES | FINE_AREA | TIMES | DAYS | places(ANYWHERE, "exact", "street", "settlement", "adm2"),
    ),
    ("public", NETWORK, NAMES | {"summary": ["", "A pipe"], "repaired_on": [None, date(2026, 2, 11)]}),
    (
        "public",
        POWER,
        NAMES
        | FINE_AREA
        | TIMES
        | FIGURES
        | places(ANYWHERE, "exact", "adm2", "adm1")
        | {"adm2_code": ["", "700001"], "timezone": ["Europe/Kyiv", "UTC"]},
    ),
    ("public", OUTAGE, NAMES | FINE_AREA | FIGURES | places(ANYWHERE, "exact", "street", "adm2")),
    ("public", UNCHECKED, NAMES | FINE_AREA | places(ANYWHERE, "exact")),
    ("researcher", {"object_type": "house"}, NAMES | places(1_000, "exact", "street")),
    (
        "researcher",
        {"object_type": "hospital"},
        NAMES | FINE_AREA | TIMES | places(100_000, "exact", "street", "settlement"),
    ),
    ("researcher", NETWORK, NAMES | FINE_AREA | TIMES | places(100_000, "exact", "adm2")),
    ("researcher", POWER, NAMES | FINE_AREA | FIGURES | places(ANYWHERE, "exact", "street", "adm2")),
    ("researcher", UNCHECKED, NAMES | FINE_AREA | places(ANYWHERE, "exact")),
]


@st.composite
def twins(draw: Any) -> tuple[str, dict[str, Any], list[dict[str, Any]]]:
    """An audience, the fields of a class, and four ways to fill what it may not see."""
    audience, fields, hidden = draw(st.sampled_from(CASES))
    filling = st.fixed_dictionaries({n: st.sampled_from(values) for n, values in (OFFICE | hidden).items()})
    return audience, fields, draw(st.lists(filling, min_size=4, max_size=4))


def told(audience: str) -> list[Any]:
    """All that an audience has, without the keys of the database."""
    rows = editions.rows_of(audience).order_by("reference").values_list(*ROW_FIELDS)
    past = PastReport.objects.filter(holder=audience).order_by("reference", "valid_from")
    tallies = Tally.objects.filter(holder=audience).values_list(
        "area", "kind", "sector", "status", "damage_level", "n", "customers_out"
    )
    clusters = Cluster.objects.filter(holder=audience).values_list(
        "zoom", "cell", "area", "damage_level", "n"
    )
    days = DayFigure.objects.filter(holder=audience).values_list(
        "area", "day", "open_damage", "customers_out", "repairs"
    )
    return [
        list(rows),
        list(past.values_list(*ROW_FIELDS, "valid_to")),
        sorted(tallies),
        sorted(clusters),
        sorted(days),
    ]


def link(one: Report, other: Report) -> None:
    for here, there in ((one, other), (other, one)):
        line = journal.Line(
            journal.lock(here.reference),
            EntryKind.LINKED,
            fields={"related": there.reference},
            rows=[Link(other=there, type="related")],
        )
        journal.record(line, at=AT)


def register(
    audience: str, fields: dict[str, Any], before: dict[str, Any], after: dict[str, Any]
) -> list[Any]:
    """What the audience has of a register of two reports, after two editions."""
    dates = {"occurred_from": date(2026, 2, 9), "occurred_to": date(2026, 2, 9)}
    with transaction.atomic():
        mill = Asset.objects.create(
            reference="0000-0003", kind="building", object_type="school", name=before["contact"]
        )
        seen = report(reference="0000-0001", at=AT, of_asset_id=mill.pk, **dates)
        hidden = report(reference="0000-0002", at=AT, **dates | fields | before)
        link(seen, hidden)
        editions.publish(AT + 20 * DAY)
        editions.publish(AT + 21 * DAY)
        change(hidden, at=AT + 21 * DAY, **after)
        editions.publish(AT + 22 * DAY)
        found = told(audience)
        transaction.set_rollback(True)
    return found


@given(twins())
@settings(
    max_examples=15,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_what_an_audience_may_not_see_leaves_no_trace(case):
    audience, fields, (before, after, before_there, after_there) = case
    here = register(audience, fields, before, after)
    there = register(audience, fields, before_there, after_there)
    assert here == there


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case[0]} {case[1].get('object_type')}")
def test_no_class_leaves_a_trace_where_all_that_can_differ_does(case):
    audience, fields, hidden = case
    least = {name: values[0] for name, values in (OFFICE | hidden).items()}
    most = {name: values[-1] for name, values in (OFFICE | hidden).items()}
    assert register(audience, fields, least, most) == register(audience, fields, most, least)


def test_reports_an_audience_never_sees_leave_no_trace():
    def with_others(n: int) -> list[Any]:
        with transaction.atomic():
            mill = Asset.objects.create(reference="0000-0003", kind="building", object_type="school")
            for number in range(n):
                fields = {"status": "rejected" if number % 2 else "verified", "withdrawn": "error"}
                report(at=AT, of_asset_id=mill.pk, occurred_from=None, occurred_to=date(2026, 1, 2), **fields)
            report(
                reference="0000-0001",
                at=AT,
                of_asset_id=mill.pk,
                occurred_from=date(2026, 2, 9),
                occurred_to=date(2026, 2, 9),
            )
            editions.publish(AT + 5 * DAY)
            found = [told(audience) for audience in access.AUDIENCES]
            assert all(CURRENT[audience]._default_manager.count() == 1 for audience in access.AUDIENCES)
            transaction.set_rollback(True)
        return found

    assert with_others(0) == with_others(3)
