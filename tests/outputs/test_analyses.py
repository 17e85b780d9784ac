"""Durations with their open cases, and the reliability of supply: against worked examples of others."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from registry.filters import select
from registry.models import CustomersServed
from registry.outputs import interruptions
from registry.outputs.analyses import Analyses, Asked
from registry.outputs.durations import End, Origin, curve, durations
from registry.rules.vocabularies import Role
from tests import factories
from tests.factories import AT, report

UNTIL = date(2026, 3, 10)

# -- curves


def test_the_curve_of_a_textbook_is_estimated_as_there():
    """Freireich's remissions under 6-MP (Blood 21, 1963), the example of most textbooks; the bands as R's
    survfit(conf.type = "log-log") gives them."""
    counts: Counter[tuple[int, int]] = Counter()
    times = "6 6 6 6+ 7 9+ 10 10+ 11+ 13 16 17+ 19+ 20+ 22 23 25+ 32+ 32+ 34+ 35+"
    for time in times.split():
        counts[int(time.rstrip("+")), int(not time.endswith("+"))] += 1
    found = curve(counts)
    assert (found.n, found.open, found.median, found.band) == (21, 12, 23, (13, None))
    drops = {point.day: round(point.share, 3) for point in found.points if point.ended}
    assert drops == {6: 0.857, 7: 0.807, 10: 0.753, 13: 0.69, 16: 0.627, 22: 0.538, 23: 0.448}
    assert [point.waiting for point in found.points if point.ended] == [21, 17, 15, 12, 11, 7, 6]
    first = found.points[0]
    assert (round(first.lower or 0, 3), round(first.upper or 0, 3)) == (0.620, 0.952)


@pytest.mark.parametrize("ended", [0, 1])
def test_where_all_or_none_have_ended_there_is_a_curve_and_no_band(ended):
    found = curve(Counter({(3, ended): 4}))
    assert (found.n, found.open, found.median) == (4, 0 if ended else 4, 3 if ended else None)
    assert all(point.lower is None for point in found.points)
    assert curve(Counter()).median is None


# -- what waits, and until when


@pytest.fixture
def official(db):
    return factories.person(Role.OFFICIAL, factories.ukraine()["UA"])


def waited(person, origin=Origin.REPORT, end=End.REPAIR, **query):
    found = durations(select(person, query), origin, end, UNTIL)
    return {(point.day, point.ended, point.censored) for point in found.whole.points}, found


def test_what_is_open_has_waited_until_now_and_what_was_closed_unrepaired_until_then(official):
    at = datetime(2026, 3, 1, 12, tzinfo=UTC)
    report(at=at, logged_utc=at, status="repaired", repaired_on=date(2026, 3, 4))
    report(at=at, logged_utc=at, status="verified")
    report(at=at, logged_utc=at, status="closed", outcome="demolished", closed_on=date(2026, 3, 6))
    report(at=at, logged_utc=at, status="closed", outcome="repaired_by_owner", closed_on=date(2026, 3, 8))
    report(at=at, logged_utc=at, status="rejected", outcome="false")
    points, found = waited(official)
    assert points == {(3, 1, 0), (5, 0, 1), (7, 1, 0), (9, 0, 1)}
    assert (found.whole.n, found.whole.open, found.left_out, found.whole.median) == (4, 2, 0, 7)
    assert list(found.areas) == ["UA-63"]


def test_a_day_that_is_not_known_or_not_in_order_is_left_out_and_counted(official):
    at = datetime(2026, 3, 5, 12, tzinfo=UTC)
    report(at=at, logged_utc=at, verified_on=date(2026, 3, 1))
    report(at=at, logged_utc=at, verified_on=date(2026, 3, 6))
    points, found = waited(official, end=End.VERIFICATION)
    assert (points, found.left_out) == ({(1, 1, 0)}, 1)
    factories.edition()
    factories.published(logged_utc=None, verified_on=date(2026, 3, 6))
    assert waited(None, end=End.VERIFICATION)[1].left_out == 1


def test_a_day_is_the_places_own(official):
    """Half past eleven in the evening of 4 March in UTC is 5 March in Kyiv."""
    at = datetime(2026, 3, 4, 23, 30, tzinfo=UTC)
    report(at=at, logged_utc=at, verified_on=date(2026, 3, 6), timezone="Europe/Kyiv")
    report(at=at, logged_utc=at, verified_on=date(2026, 3, 6), timezone="")
    assert waited(official, end=End.VERIFICATION)[0] == {(1, 1, 0), (2, 1, 0)}


def test_rows_that_say_only_the_month_are_in_no_duration(db):
    factories.ukraine()
    factories.edition()
    month = {"occurred_from": date(2026, 2, 1), "occurred_to": date(2026, 2, 28), "withheld": "days"}
    factories.published(repaired_on=date(2026, 3, 31), status="repaired", **month)
    factories.published(repaired_on=date(2026, 3, 12), status="repaired", occurred_to=date(2026, 3, 9))
    _points, found = waited(None, origin=Origin.DAMAGE)
    assert found.left_out == 1
    # Repaired later than the day asked about, it still waits.
    assert (found.whole.n, found.whole.open) == (1, 1)


# -- reliability


OUTAGE = {
    "kind": "outage", "sector": "electricity", "object_type": "system", "damage_level": "",
    "status": "restored", "customers_unit": "accounts",
}  # fmt: skip


def outage(**fields):
    began = datetime(2026, 3, 9, 10, tzinfo=UTC)
    return report(**OUTAGE | {"started_utc": began, "restored_utc": began + timedelta(hours=6)} | fields)


def test_the_check_of_the_standard_is_reproduced(official):
    """1,000 out at 10:00; 600 back at 10:40, 300 at 12:00, 100 at 16:00: 96,000 customer-minutes, CAIDI 96."""
    area = factories.ukraine()["UA-63"]
    CustomersServed.objects.create(
        area=area, operator="North", sector="electricity", since=date(2025, 1, 1), customers=9_000
    )
    CustomersServed.objects.create(
        area=area, operator="North", sector="electricity", since=date(2026, 1, 1), customers=6_000
    )
    CustomersServed.objects.create(
        area=area, operator="South", sector="electricity", since=date(2025, 6, 1), customers=2_000
    )
    CustomersServed.objects.create(
        area=area, operator="South", sector="electricity", since=date(2026, 3, 2), customers=1
    )
    outage(customers_affected=1_000, customers_out=0, customer_hours=Decimal(96_000) / 60)
    (month,) = interruptions.months(select(official, {}))
    assert (month.area, month.month, month.interrupted, month.served) == (
        "UA-63",
        date(2026, 3, 1),
        1_000,
        8_000,
    )
    found = month.indices
    assert (found.saifi, found.saidi, found.caidi) == (0.125, 12.0, 96.0)


def test_what_is_not_known_is_counted_and_is_not_zero(official):
    outage(customers_affected=500, customers_out=0, customer_hours=Decimal("100.50"), started_utc=None)
    outage(customers_affected=None, customers_out=0, customer_hours=None)
    outage(customers_affected=70, customers_unit="people", customer_hours=Decimal(5))
    outage(customers_affected=9_000, customer_hours=Decimal(300),
           restored_utc=datetime(2026, 3, 9, 10, 4, tzinfo=UTC))  # fmt: skip
    outage(customers_affected=9_000, customer_hours=Decimal(300), status="rejected", outcome="false")
    outage(sector="transport", object_type="road", restriction="closed", customers_unit="")
    (month,) = interruptions.months(select(official, {}))
    assert (month.outages, month.unknown, month.momentary) == (4, 2, 1)
    assert (month.interrupted, month.hours) == (500, Decimal("100.50"))
    assert (month.indices.saifi, month.indices.saidi, round(month.indices.caidi, 2)) == (None, None, 12.06)


def test_every_table_has_its_rows_in_its_columns(official):
    outage(customers_affected=500, customers_out=0, customer_hours=Decimal("100.50"))
    report(logged_utc=AT - timedelta(days=3), status="repaired", repaired_on=date(2026, 3, 9))
    report(damage_level="", adm1_code="", country="", occurred_to=date(2026, 2, 3), occurred_from=None)
    found = Analyses(select(official, {}), Asked(), UNTIL)
    tables = {
        name: found.table(name) for name in ("status", "area", "month", "waiting", "curve", "reliability")
    }
    for table in tables.values():
        assert table.rows
        assert {len(row) for row in table.rows} == {len(table.columns)}
    assert [row[0] for row in tables["month"].rows] == ["2026-03"]
    national = Analyses(select(official, {"status": "restored"}), Asked(), UNTIL).table("status")
    assert [(row[0], row[2], row[-1]) for row in national.rows] == [("outage", "restored", 1)]
