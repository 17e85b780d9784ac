"""The figures of the day: tallies and rows count the same, whatever was written and merged in between."""

import random
from datetime import date, timedelta

import pytest

from registry.actions import tallies
from registry.filters import select
from registry.models import DayFigure, Report
from registry.outputs import statistics
from registry.rules.vocabularies import Holder, Role
from tests import factories
from tests.factories import AT, change, published, report

pytestmark = pytest.mark.django_db

DAY = date(2026, 3, 10)
OUTAGE = {"kind": "outage", "object_type": "system", "damage_level": "", "customers_unit": "accounts"}


@pytest.fixture(autouse=True)
def areas():
    return factories.ukraine()


@pytest.fixture
def official(areas):
    return factories.person(Role.OFFICIAL, areas["UA"])


def day(person, query=None, on=DAY):
    return statistics.day(select(person, query or {}), on=on, verified_on=on)


# -- the same figures both ways


def test_tallies_and_rows_count_the_same_after_any_writes_and_merges(areas):
    chance = random.Random(20260310)
    everyone = [
        None,
        factories.person(Role.OFFICIAL, areas["UA"]),
        factories.person(Role.OFFICIAL, areas["UA-63"]),
        factories.person(Role.OFFICIAL, areas["UA-63"], areas["UA-23"]),
        factories.person(Role.OPERATOR, areas["UA"], sectors=["electricity", "gas"]),
    ]
    places = [{"adm1_code": code, "country": "UA"} for code in ("UA-63", "UA-23", "")] + [
        {"adm1_code": "", "country": ""},
        {"adm1_code": "PL-14", "country": "PL"},
    ]
    damage = ["reported", "verified", "repair_in_progress", "closed", "rejected", "duplicate"]
    levels = ["minor", "severe", "destroyed", "unknown", ""]

    def anything(kind):
        out = {"status": chance.choice(["reported", "confirmed", "restored", "rejected"])}
        out |= {"customers_unit": chance.choice(["accounts", "settlements"])}
        out |= {"customers_out": chance.choice([None, 0, 7, 500])}
        fields = out if kind == "outage" else {"status": chance.choice(damage)}
        place = chance.choice([{}, {"lat": 50.0 + chance.random(), "lon": 36.2}])
        withdrawn = chance.choice(["", "", "", "privacy"])
        return (
            fields
            | chance.choice(places)
            | place
            | {
                "damage_level": chance.choice(levels),
                "withdrawn": withdrawn,
            }
        )

    made = []
    for turn in range(120):
        at = AT + timedelta(minutes=turn)
        if made and chance.random() < 0.5:
            one = chance.choice(made)
            change(Report.objects.get(pk=one.pk), at=at, **anything(one.kind))
        else:
            kind = chance.choice(["building", "network", "outage"])
            what = {"building": {}, "network": {"object_type": "line", "sector": "electricity"}}
            what = what.get(kind, OUTAGE | {"sector": chance.choice(["electricity", "gas", "water"])})
            made.append(report(at=at, **what | {"kind": kind} | anything(kind)))
        if chance.random() < 0.1:
            tallies.merge()
    for person in everyone:
        selection = select(person, {}, holder=Holder.OFFICE)
        assert selection.regions is not None
        tallied = statistics.tallied(selection, selection.regions)
        assert tallied == statistics.counted(selection) != []
    assert sum(line.n for line in statistics.counted(select(None, {}, holder=Holder.OFFICE))) == (
        Report.objects.filter(withdrawn="").live().count()
    )


def test_districts_filters_and_the_past_are_counted_from_rows(areas):
    report(adm2_code="700001")
    report()
    for person, query in (
        (factories.person(Role.OFFICIAL, areas["700001"]), {}),
        (factories.person(Role.OFFICIAL, areas["UA"]), {"kind": "building"}),
        (factories.person(Role.OFFICIAL, areas["UA"]), {"as_of": "2026-03-11"}),
        (factories.person(Role.OFFICIAL, areas["UA"]), {"area": "700001"}),
    ):
        assert select(person, query).regions is None
    inside = select(factories.person(Role.OFFICIAL, areas["700001"]), {})
    assert [line.n for line in statistics.lines(inside)] == [1]


def test_a_region_asked_for_is_answered_by_tallies_within_the_persons_areas(areas):
    report()
    report(adm1_code="UA-23")
    own = factories.person(Role.OFFICIAL, areas["UA-63"])
    assert [(line.area, line.n) for line in statistics.lines(select(own, {"area": "UA"}))] == [("UA-63", 1)]
    assert statistics.lines(select(own, {"area": "UA-23"})) == []


def test_somebody_without_areas_has_figures_of_nothing(areas):
    report()
    nobody = factories.person(Role.OFFICIAL)
    for query in ({}, {"kind": "building"}):
        assert statistics.lines(select(nobody, query)) == []


# -- what the figures mean


def test_open_damage_and_repairs_leave_out_outages_and_what_is_over(official):
    for status in ("reported", "verified", "repair_in_progress", "repaired", "closed", "rejected"):
        report(status=status)
    report(kind="network", object_type="line", sector="gas", status="repair_in_progress")
    report(**OUTAGE, sector="gas", status="confirmed")
    figures = day(official)
    assert figures.open_damage.n == 5
    assert figures.repairs.n == 2


def test_customers_out_are_summed_but_not_settlements_and_unknown_figures_are_said(official):
    out = OUTAGE | {"sector": "electricity", "status": "confirmed"}
    report(**out, customers_out=400)
    report(**out, customers_out=30)
    report(**out | {"customers_unit": "settlements"}, customers_out=9)
    report(**out, customers_out=None)
    report(**out | {"object_type": "airport"}, customers_out=None, restriction="closed")
    figures = day(official)
    assert figures.customers_out.n == 430
    assert figures.outages_unknown == 1


def test_verified_on_a_day_and_the_day_before(official):
    report(verified_on=DAY)
    report(verified_on=DAY)
    report(verified_on=DAY - timedelta(days=1))
    report(verified_on=DAY, status="duplicate")
    assert day(official).verified == statistics.Figure(2, 1)


def test_rows_that_say_only_the_month_are_verified_on_no_day():
    published(verified_on=DAY)
    published(verified_on=DAY, withheld="times days")
    assert day(None, {}).verified.n == 1


def test_changes_and_seven_days_come_from_the_figures_kept(official):
    report()
    report(**OUTAGE, sector="gas", status="confirmed", customers_out=50)
    for back, customers in ((1, 80), (3, 10)):
        for area in ("UA-63", "PL-14"):
            DayFigure.objects.create(
                holder=Holder.OFFICE,
                area=area,
                day=DAY - timedelta(days=back),
                open_damage=4,
                customers_out=customers,
                repairs=0,
            )
    figures = day(official)
    assert figures.open_damage == statistics.Figure(1, -3)
    assert figures.customers_out == statistics.Figure(50, -30)
    assert figures.supply == [
        (DAY - timedelta(days=6), None),
        (DAY - timedelta(days=5), None),
        (DAY - timedelta(days=4), None),
        (DAY - timedelta(days=3), 10),
        (DAY - timedelta(days=2), None),
        (DAY - timedelta(days=1), 80),
        (DAY, 50),
    ]
    assert day(official, on=DAY + timedelta(days=7)).open_damage.change is None


def test_no_change_is_claimed_for_a_district(areas):
    DayFigure.objects.create(
        holder="office", area="UA-63", day=DAY - timedelta(1), open_damage=4, customers_out=0, repairs=0
    )
    report(adm2_code="700001")
    figures = day(factories.person(Role.OFFICIAL, areas["700001"]))
    assert figures.open_damage == statistics.Figure(1, None)
    assert [n for _day, n in figures.supply] == [None] * 6 + [0]


def test_damage_by_region_most_first_and_by_district_where_there_is_one_region(areas, official):
    report(damage_level="severe")
    report(adm2_code="700001", damage_level="severe")
    report(adm2_code="700001", damage_level="")
    report(status="closed")
    own = [("700001", {"severe": 1, "unknown": 1}), ("UA-63", {"severe": 1})]
    assert day(official).areas == own
    report(adm1_code="UA-23", damage_level="minor")
    assert day(official).areas == [("UA-63", {"severe": 2, "unknown": 1}), ("UA-23", {"minor": 1})]
    assert day(factories.person(Role.OFFICIAL, areas["UA-63"])).areas == own


def test_outsiders_figures_are_their_own_rows_alone():
    report()
    published(Holder.PUBLIC)
    tallies.rewrite(Holder.PUBLIC)
    assert day(None, {}).open_damage.n == 1


def test_as_of_figures_are_those_of_then(official):
    one = report(at=AT)
    change(one, at=AT + timedelta(days=2), status="closed")
    then = select(official, {"as_of": "2026-03-11"})
    assert [line.status for line in statistics.lines(then)] == ["verified"]
    assert [line.status for line in statistics.lines(select(official, {}))] == ["closed"]
