"""What the audiences see, from edition to edition."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from registry.actions import editions, journal
from registry.models import (
    CURRENT,
    Asset,
    Cluster,
    DayFigure,
    Edition,
    Incident,
    Link,
    OutageStep,
    PastReport,
    PublicReport,
    Report,
    ResearcherReport,
    Tally,
)
from registry.rules import access
from registry.rules.vocabularies import EntryKind, Holder
from registry.upkeep import verifying
from tests.factories import AT, change, report

pytestmark = pytest.mark.django_db

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
#: Editions of the small hours; AT is the noon before the first.
FIRST, SECOND, THIRD = (datetime(2026, 3, day, 3, tzinfo=UTC) for day in (12, 13, 14))
PLACE = {
    "lat": 50.004567, "lon": 36.231234, "geo_precision": "exact", "geo_radius_m": 25,
    "adm2_code": "700001", "adm2_name": "Chuhuiv", "adm3_code": "7000011", "adm3_name": "Chuhuiv town",
    "settlement": "Chuhuiv", "address": "Mill street 5", "object_name": "School 3", "sources": "A paper",
}  # fmt: skip


def columns(row: Any, *names: str) -> dict[str, Any]:
    return {name: getattr(row, name) for name in names}


def public(of: Report) -> PublicReport | None:
    return PublicReport.objects.filter(report=of).first()


def researcher(of: Report) -> ResearcherReport | None:
    return ResearcherReport.objects.filter(report=of).first()


def link(one: Report, other: Report) -> None:
    for here, there in ((one, other), (other, one)):
        line = journal.Line(
            journal.lock(here.reference), EntryKind.LINKED, fields={"related": there.reference},
            rows=[Link(other=there, type="related")],
        )  # fmt: skip
        journal.record(line, at=AT)


# -- where ---------------------------------------------------------------------------------------------


def test_a_school_stands_exactly_for_researchers_and_in_a_small_cell_for_the_public():
    school = report(**PLACE)
    editions.publish(FIRST)
    names = ("lat", "lon", "geo_precision", "geo_radius_m", "settlement", "address", "object_name", "sources")
    assert columns(researcher(school), *names, "withheld") == columns(school, *names) | {"withheld": ""}
    assert columns(public(school), *names, "withheld") == {
        "lat": Decimal("50.004500"),
        "lon": Decimal("36.231500"),
        "geo_precision": "street",
        "geo_radius_m": 79,
        "settlement": "Chuhuiv",
        "address": "",
        "object_name": "",
        "sources": "",
        "withheld": "place names",
    }


def test_a_dwelling_stands_in_a_wider_cell_and_keeps_a_wider_radius_of_its_own():
    house = report(object_type="house", **PLACE | {"geo_radius_m": 2000, "geo_precision": "settlement"})
    editions.publish(FIRST)
    assert columns(public(house), "lat", "lon", "geo_precision", "geo_radius_m", "withheld") == {
        "lat": Decimal("50.005000"),
        "lon": Decimal("36.235000"),
        "geo_precision": "settlement",
        "geo_radius_m": 2000,
        "withheld": "place names times",
    }
    assert researcher(house).lat == Decimal("50.004500")
    assert researcher(house).geo_precision == "settlement"
    assert researcher(house).address == ""


def test_a_hospital_is_known_to_its_district_and_month():
    hospital = report(
        object_type="hospital",
        at=datetime(2026, 2, 20, 12, tzinfo=UTC),
        **PLACE,
        occurred_from=date(2026, 2, 18),
        occurred_to=date(2026, 2, 18),
        started_utc=datetime(2026, 2, 18, 1, tzinfo=UTC),
        assessed_on=date(2026, 2, 19),
        verified_on=date(2026, 2, 20),
    )
    editions.publish(FIRST)
    row = public(hospital)
    names = ("lat", "lon", "cell", "geo_radius_m", "started_utc", "logged_utc")
    assert columns(row, *names) == dict.fromkeys(names)
    assert columns(row, "adm2_code", "adm3_code", "adm3_name", "settlement") == {
        "adm2_code": "700001",
        "adm3_code": "",
        "adm3_name": "",
        "settlement": "",
    }
    assert row.geo_precision == "adm2"
    assert row.withheld == "area place names times days"
    assert (row.occurred_from, row.occurred_to) == (date(2026, 2, 1), date(2026, 2, 28))
    assert row.date_precision == "month"
    assert (row.assessed_on, row.verified_on) == (date(2026, 2, 1), date(2026, 2, 1))
    seen = researcher(hospital)
    assert (seen.lat, seen.geo_precision) == (Decimal("50.050000"), "adm2")
    assert (seen.occurred_from, seen.started_utc) == (date(2026, 2, 18), None)


@pytest.mark.parametrize(
    ("since", "until", "own", "precision"),
    [
        ((2026, 1, 31), (2026, 2, 1), "range", "range"),
        ((2025, 12, 30), (2025, 12, 31), "range", "month"),
        ((2025, 1, 1), (2025, 12, 31), "year", "year"),
        (None, (2026, 1, 31), "before", "before"),
    ],
)
def test_a_month_is_no_finer_than_the_date_it_hides(since, until, own, precision):
    hospital = report(
        object_type="hospital",
        at=datetime(2026, 2, 20, tzinfo=UTC),
        occurred_from=since and date(*since),
        occurred_to=date(*until),
        date_precision=own,
    )
    editions.publish(FIRST)
    assert public(hospital).date_precision == precision


def test_a_loss_of_electricity_is_known_to_its_region_and_day():
    outage = report(
        kind="outage", sector="electricity", object_type="", status="confirmed", damage_level="", **PLACE,
        started_utc=AT - HOUR, etr_utc=AT + DAY, customers_unit="accounts", customers_affected=1200,
    )  # fmt: skip
    editions.publish(FIRST)
    row = public(outage)
    assert columns(row, "adm1_code", "adm2_code", "settlement", "timezone", "geo_precision", "lat") == {
        "adm1_code": "UA-63",
        "adm2_code": "",
        "settlement": "",
        "timezone": "",
        "geo_precision": "adm1",
        "lat": None,
    }
    assert columns(row, "started_utc", "etr_utc") == {"started_utc": None, "etr_utc": None}
    assert (row.occurred_from, row.customers_affected) == (date(2026, 3, 9), 1200)
    assert researcher(outage) is None
    editions.publish(THIRD)
    assert columns(researcher(outage), "adm2_code", "settlement", "started_utc") == {
        "adm2_code": "700001",
        "settlement": "",
        "started_utc": AT - HOUR,
    }


# -- which and when --------------------------------------------------------------------------------------


def test_a_report_is_released_once_its_delay_has_passed():
    school = report()
    editions.publish(AT + DAY - timedelta(seconds=1))
    assert public(school) is None
    editions.publish(AT + DAY)
    assert columns(public(school), "valid_from", "updated_utc", "logged_utc") == {
        "valid_from": AT + DAY,
        "updated_utc": AT + DAY,
        "logged_utc": AT,
    }


def test_the_delay_counts_from_the_latest_moment_the_damage_can_have_begun():
    school = report(occurred_to=date(2026, 3, 11))
    editions.publish(FIRST)
    assert public(school) is None
    editions.publish(THIRD)
    assert public(school)


def test_the_public_sees_reports_from_verified_on_and_no_network():
    for status in ("reported", "needs_info", "unverifiable", "rejected", "duplicate"):
        report(status=status)
    report(kind="network", sector="gas", object_type="pipeline")
    repaired = report(status="repaired")
    editions.publish(THIRD)
    assert [row.report for row in PublicReport.objects.all()] == [repaired]


def test_researchers_see_what_staff_reported_and_what_a_resident_reported_once_it_is_verified():
    staff, resident = report(status="reported"), report(status="reported", from_resident=True)
    report(status="rejected")
    checked = report(from_resident=True)
    editions.publish(THIRD)
    assert {row.report for row in ResearcherReport.objects.all()} == {staff, checked}
    change(resident, at=THIRD, status="verified")
    editions.publish(THIRD + DAY)
    assert researcher(resident)


def test_only_a_change_of_what_an_audience_sees_makes_a_version():
    school = report()
    editions.publish(FIRST)
    change(school, at=FIRST + HOUR, description="inside", priority="high", address="Mill street 7")
    editions.publish(SECOND)
    assert public(school).valid_from == FIRST
    assert researcher(school).valid_from == SECOND
    assert PastReport.objects.get(holder=Holder.RESEARCHER).valid_to == SECOND
    assert not PastReport.objects.filter(holder=Holder.PUBLIC).exists()
    change(school, at=SECOND + HOUR, damage_level="severe")
    editions.publish(THIRD)
    past = PastReport.objects.get(holder=Holder.PUBLIC)
    assert columns(past, "valid_from", "valid_to", "damage_level") == {
        "valid_from": FIRST,
        "valid_to": THIRD,
        "damage_level": "moderate",
    }
    assert columns(public(school), "valid_from", "damage_level") == {
        "valid_from": THIRD,
        "damage_level": "severe",
    }


def test_a_change_is_found_however_its_clock_stood():
    school = report()
    editions.publish(AT + 30 * DAY)
    change(school, at=AT + HOUR, damage_level="severe")
    Edition.objects.update(made_at=AT + 90 * DAY)
    editions.publish(AT + 31 * DAY)
    assert public(school).damage_level == "severe"


def test_a_row_that_is_not_touched_is_not_looked_at_again():
    report()
    editions.publish(FIRST)
    Edition.objects.update(made_at=FIRST + 90 * DAY)
    PublicReport.objects.update(damage_level="severe")
    editions.publish(SECOND)
    assert PublicReport.objects.get().damage_level == "severe"


def test_a_rejected_report_leaves_with_the_next_edition_and_its_past_stays():
    school = report()
    editions.publish(FIRST)
    change(school, at=FIRST + HOUR, status="rejected", outcome="false")
    assert public(school)
    edition = editions.publish(SECOND)
    assert public(school) is None
    assert PastReport.objects.get(holder=Holder.PUBLIC).valid_to == SECOND
    assert edition.vanished == {"public": 0, "researcher": 0}


def test_a_withdrawn_report_leaves_at_once_with_its_past_and_every_mention():
    school, other = report(), report()
    link(school, other)
    editions.publish(FIRST)
    for row in (school, other):
        change(row, at=FIRST + HOUR, damage_level="severe")
    editions.publish(SECOND)
    assert public(other).related == school.reference
    withdrawn = change(school, at=SECOND + HOUR, withdrawn="safety")
    editions.retract(withdrawn)
    for holder in access.AUDIENCES:
        rows = CURRENT[holder]._default_manager.all()
        past = PastReport.objects.filter(holder=holder)
        assert [row.report for row in [*rows, *past]] == [other, other]
        assert [row.related for row in [*rows, *past]] == ["", ""]
        assert sum(Tally.objects.filter(holder=holder).values_list("n", flat=True)) == 1
        assert Edition.objects.first().vanished[holder] == 2
    editions.publish(THIRD)
    assert public(school) is None
    assert public(other).valid_from == SECOND


def test_a_report_that_turns_out_to_be_of_another_class_loses_its_past():
    school = report(**PLACE)
    editions.publish(FIRST)
    change(school, at=FIRST + HOUR, damage_level="severe")
    editions.publish(SECOND)
    change(school, at=SECOND + HOUR, object_type="hospital")
    edition = editions.publish(THIRD)
    # It counts from this month: the public sees it only when the month is over.
    assert public(school) is None
    assert researcher(school).lat == Decimal("50.050000")
    assert not PastReport.objects.exclude(holder=Holder.OFFICE).exists()
    assert edition.vanished == {"public": 2, "researcher": 2}
    editions.publish(datetime(2026, 4, 1, 3, tzinfo=UTC))
    assert public(school).occurred_from == date(2026, 3, 1)


def test_a_report_that_changes_its_class_after_it_left_loses_its_past_too():
    school = report()
    editions.publish(FIRST)
    change(school, at=FIRST + HOUR, status="rejected")
    editions.publish(SECOND)
    change(school, at=SECOND + HOUR, object_type="hospital")
    editions.publish(THIRD)
    assert not PastReport.objects.exclude(holder=Holder.OFFICE).exists()


def test_months_enter_and_change_with_the_first_edition_after_a_months_end():
    hospital = report(
        object_type="hospital",
        at=datetime(2026, 3, 2, tzinfo=UTC),
        occurred_from=None,
        occurred_to=date(2026, 3, 1),
        date_precision="before",
    )
    assert editions.publish(FIRST).month_end
    assert not editions.publish(SECOND).month_end
    assert public(hospital) is None
    april = datetime(2026, 4, 1, 3, tzinfo=UTC)
    assert editions.publish(april).month_end
    assert public(hospital).valid_from == april
    change(hospital, at=april + HOUR, damage_level="severe")
    assert not editions.publish(april + DAY).month_end
    assert public(hospital).damage_level == "moderate"
    assert researcher(hospital).damage_level == "severe"
    editions.publish(datetime(2026, 5, 3, 3, tzinfo=UTC))
    assert public(hospital).damage_level == "severe"


def test_a_month_ends_at_midnight_in_the_registers_zone(settings):
    settings.TIME_ZONE = "Europe/Kyiv"
    assert editions.month_start(datetime(2026, 3, 31, 21, 30, tzinfo=UTC)) == datetime(
        2026, 3, 31, 21, tzinfo=UTC
    )


def test_what_is_withheld_is_counted_for_closed_months_in_tens():
    pipes = {"kind": "network", "sector": "gas", "object_type": "pipeline"}
    for number in range(14):
        report(**pipes, status="verified" if number else "rejected")
    report(object_type="school", status="verified")
    assert editions.publish(FIRST).withheld == {"public": 0, "researcher": 0}
    april = datetime(2026, 4, 1, 3, tzinfo=UTC)
    first = editions.publish(april)
    assert first.withheld == {"public": 10, "researcher": 0}
    for _number in range(10):
        report(**pipes, status="verified")
    assert editions.publish(april + DAY).withheld == first.withheld


# -- small figures ---------------------------------------------------------------------------------------


def supply(step: int, **fields: Any) -> Report:
    fields = {"customers_affected": 500, "customers_out": 400, "customer_hours": 10} | fields
    outage = report(
        kind="outage", sector="water", object_type="", status="confirmed", damage_level="",
        customers_unit=fields.pop("customers_unit", "people"), **fields,
    )  # fmt: skip
    line = journal.Line(
        journal.lock(outage.reference),
        EntryKind.STEPPED,
        rows=[OutageStep(at=AT, direction="lost", customers=step)],
    )
    journal.record(line, at=AT)
    return outage


@pytest.mark.parametrize(
    ("step", "fields", "shown"),
    [
        (500, {}, True),
        (11, {}, True),
        (10, {}, False),
        (1, {}, False),
        (500, {"customers_out": 10}, False),
        (500, {"customers_out": 0}, True),
        (500, {"customers_affected": 3, "customers_out": None}, False),
        (10, {"customers_unit": "accounts"}, True),
        (10, {"customers_unit": "households"}, False),
    ],
)
def test_figures_of_people_and_households_are_withheld_where_any_is_small(step, fields, shown):
    outage = supply(step, **fields)
    editions.publish(FIRST)
    row = public(outage)
    names = ("customers_affected", "customers_out", "customer_hours")
    assert columns(row, *names) == (columns(outage, *names) if shown else dict.fromkeys(names))
    assert ("figures" in row.withheld.split()) is not shown


# -- links -----------------------------------------------------------------------------------------------


def test_a_reference_leaves_only_if_its_target_is_released():
    school, hidden, late = report(), report(status="reported"), report(at=FIRST)
    link(school, hidden)
    link(school, late)
    editions.publish(FIRST)
    assert public(school).related == ""
    assert researcher(school).related == hidden.reference
    editions.publish(FIRST + DAY)
    assert public(school).related == late.reference
    assert public(late).related == school.reference
    assert researcher(school).related == " ".join(sorted([hidden.reference, late.reference]))
    change(late, at=FIRST + DAY, status="duplicate")
    editions.publish(FIRST + 2 * DAY)
    assert public(school).related == ""


def test_an_incident_is_named_once_it_is_published():
    storm = Incident.objects.create(title="A storm", began_at=AT, created_at=AT)
    school = report(of_incident_id=storm.pk)
    editions.publish(FIRST)
    assert public(school).incident == ""
    Edition.objects.update(made_at=FIRST + 90 * DAY)
    Incident.objects.update(published=True)
    editions.publish(SECOND)
    assert public(school).incident == storm.reference


def test_strikes_are_counted_among_the_rows_an_audience_has():
    mill = Asset.objects.create(kind="building", object_type="industrial")
    days = [date(2026, 3, day) for day in (3, 5, 7)]
    first, second, third = (
        report(of_asset_id=mill.pk, status=status, occurred_from=day, occurred_to=day)
        for day, status in zip(days, ("verified", "reported", "verified"), strict=True)
    )
    plain = report()
    editions.publish(FIRST)
    assert [public(first).strike_no, public(third).strike_no] == [1, 2]
    assert [researcher(row).strike_no for row in (first, second, third)] == [1, 2, 3]
    assert public(first).asset == mill.reference
    assert public(plain).strike_no is None
    change(second, at=FIRST, status="verified")
    editions.publish(SECOND)
    assert [public(row).strike_no for row in (first, second, third)] == [1, 2, 3]
    assert [public(row).valid_from for row in (first, second, third)] == [FIRST, SECOND, SECOND]


# -- the policy changes ----------------------------------------------------------------------------------


def test_a_tightened_policy_takes_the_past_with_it_and_a_loosened_one_does_not(settings):
    school, house = report(**PLACE), report(object_type="house", **PLACE)
    editions.publish(FIRST)
    for row in (school, house):
        change(row, at=FIRST + HOUR, damage_level="severe")
    editions.publish(SECOND)
    settings.AUDIENCE_POLICY = {"public": {"building": {"grid": 10_000}, "dwelling": {"when": "moment"}}}
    edition = editions.publish(THIRD)
    assert public(school).lat == Decimal("50.005000")
    assert public(house).logged_utc == AT
    assert [row.report for row in PastReport.objects.filter(holder=Holder.PUBLIC)] == [house, house]
    assert PastReport.objects.filter(holder=Holder.RESEARCHER).count() == 2
    assert edition.vanished == {"public": 2, "researcher": 0}


def test_a_class_that_is_shown_no_more_vanishes(settings):
    report()
    editions.publish(FIRST)
    settings.AUDIENCE_POLICY = {"public": {"building": None}}
    editions.publish(SECOND)
    assert not PublicReport.objects.exists()
    assert not PastReport.objects.filter(holder=Holder.PUBLIC).exists()
    assert ResearcherReport.objects.count() == 1


def test_names_are_never_shown_beside_a_rounded_place(settings):
    settings.AUDIENCE_POLICY = {"public": {"building": {"named": True}}}
    school = report(**PLACE)
    editions.publish(FIRST)
    assert public(school).address == ""


# -- the edition itself ----------------------------------------------------------------------------------


def test_an_edition_repeated_is_the_same_and_an_earlier_one_is_refused():
    first = editions.publish(FIRST)
    report()
    assert editions.publish(FIRST) == first
    assert not PublicReport.objects.exists()
    with pytest.raises(ValueError, match="later"):
        editions.publish(FIRST - HOUR)
    editions.publish()
    assert editions.publish().at > Edition.objects.order_by("at")[1].at


def test_an_edition_that_fails_leaves_the_one_before_whole(monkeypatch):
    school = report()
    editions.publish(FIRST)
    change(school, at=FIRST, damage_level="severe")

    def fail(*_):
        raise RuntimeError

    monkeypatch.setattr(editions.tallies, "write_day", fail)
    with pytest.raises(RuntimeError):
        editions.publish(SECOND)
    assert Edition.objects.get().at == FIRST
    assert public(school).damage_level == "moderate"


@pytest.mark.parametrize("few", [0, 20_000], ids=["counted anew", "added"])
def test_tallies_and_figures_of_the_day_are_those_of_the_audiences_rows(monkeypatch, few):
    monkeypatch.setattr(editions, "_FEW", few)
    report(**PLACE)
    repaired = report(status="repair_in_progress", **PLACE)
    closed = report(status="closed", outcome="repaired", adm1_code="", lat=None)
    lost = supply(500, customers_unit="accounts")
    editions.publish(FIRST)
    assert dict(Tally.objects.filter(holder="public").values_list("area", "n").order_by("status")) == {
        "UA-63": 1,
        "UA": 1,
    }
    assert sum(Tally.objects.filter(holder="public").values_list("n", flat=True)) == 4
    for zoom in Cluster.ZOOMS:
        level = Cluster.objects.filter(holder="public", zoom=zoom)
        assert level.get().n == 2
        assert level.get().cell == PublicReport.objects.exclude(lat=None)[0].cell >> 2 * (26 - zoom)
    figures = DayFigure.objects.filter(holder="public", day=FIRST.date())
    assert {f.area: (f.open_damage, f.customers_out, f.repairs) for f in figures} == {
        "UA-63": (2, 400, 1),
        "UA": (0, 0, 0),
    }
    # Another place, another class that is not shown, and none of the old counts stay.
    change(repaired, at=FIRST + HOUR, lat="49.1", lon="35.1", adm1_code="UA-23")
    change(lost, at=FIRST + HOUR, status="closed", customers_out=0)
    change(closed, at=FIRST + HOUR, status="rejected", outcome="no_damage")
    editions.publish(SECOND)
    assert [finding for finding in verifying.verify() if finding.kind == "tally"] == []
    shown = Tally.objects.filter(holder="public").values_list("area", "status", "n")
    assert sorted(shown) == [
        ("UA-23", "repair_in_progress", 1), ("UA-63", "closed", 1), ("UA-63", "verified", 1),
    ]  # fmt: skip


def test_what_an_audience_sees_of_a_report_is_stable_under_repetition():
    for kind in ("school", "house", "hospital", "warehouse"):
        report(object_type=kind, at=datetime(2026, 2, 2, tzinfo=UTC), occurred_to=date(2026, 2, 1),
               occurred_from=date(2026, 2, 1), **PLACE)  # fmt: skip
    supply(3)
    for at in (FIRST, SECOND, THIRD):
        editions.publish(at)
    for holder in access.AUDIENCES:
        assert {row.valid_from for row in CURRENT[holder]._default_manager.all()} == {FIRST}
    assert not PastReport.objects.exclude(holder=Holder.OFFICE).exists()
