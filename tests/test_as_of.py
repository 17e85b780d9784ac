"""The register as it stood: which rows, how far lists look for them, what is gone since, what moments there are."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.contrib.auth.models import AnonymousUser
from django.http import QueryDict
from django.utils import timezone

from registry.actions import editions, reports
from registry.filters import BadFilter, select
from registry.models import Incident
from registry.rules.vocabularies import Holder, Role
from tests import factories
from tests.factories import AT, published, report

pytestmark = pytest.mark.django_db

ANYONE = AnonymousUser()
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture(autouse=True)
def areas():
    return factories.ukraine()


@pytest.fixture
def supervisor(areas):
    return factories.person(Role.SUPERVISOR, areas["UA"])


def then(person, moment=AT + HOUR, query=""):
    moment = moment if isinstance(moment, str) else f"{moment:%Y-%m-%dT%H:%M:%SZ}"
    return select(person, QueryDict(f"{query}&as_of={moment}"))


# -- lists


def test_a_list_of_then_is_not_lost_behind_what_was_damaged_since(supervisor, monkeypatch):
    old = [report(occurred_from=date(2026, 3, 1), occurred_to=date(2026, 3, 1 + n)) for n in range(3)]
    factories.change(old[1], at=AT + 2 * DAY, summary="Later")
    planned = report(
        kind="outage", sector="heat", object_type="", damage_level="", status="confirmed",
        cause_group="planned", occurred_from=date(2026, 5, 1), occurred_to=date(2026, 5, 2),
    )  # fmt: skip
    for number in range(8):
        report(at=AT + 30 * DAY, occurred_from=None, occurred_to=date(2026, 3, 12) + number * DAY)
    monkeypatch.setattr("registry.filters.selection.LOOKED", 3)
    monkeypatch.setattr("registry.filters.selection.LOOKED_FOR_ANY", 3)
    page = then(supervisor).page(size=10)
    assert [row.reference for row in page.rows] == [
        row.reference for row in (planned, old[2], old[1], old[0])
    ]
    assert not page.partial
    assert then(supervisor).count(page).n == 4
    for query, expected in {
        "kind=outage": [planned],
        "kind=building": [old[2], old[1], old[0]],
        "from=2026-04-01": [planned],
        "from=2026-03-02&to=2026-03-02": [old[1], old[2]],
        "to=2026-03-01": [old[0], old[1], old[2]],
        "level=moderate&cause_group=planned": [],
    }.items():
        rows = then(supervisor, query=query).page(size=10).rows
        assert sorted(row.reference for row in rows) == sorted(row.reference for row in expected), query


def test_pages_of_then_miss_none_and_repeat_none(supervisor, monkeypatch):
    night = Incident.objects.create(title="Night", cause_group="weather", began_at=AT, created_at=AT)
    made = [
        report(
            occurred_from=date(2026, 3, 1), occurred_to=date(2026, 3, 1) + (n % 6 + 30 * (n % 5 == 0)) * DAY,
            of_incident_id=night.pk if n % 2 else None, summary="Roof",
        )
        for n in range(14)
    ]  # fmt: skip
    for old in made[::3]:
        factories.change(old, at=AT + DAY, summary="Door", of_incident_id=None)
    monkeypatch.setattr("registry.filters.selection.LOOKED", 2)
    for query, part in (("", made), (f"incident={night.reference}", made[1::2]), ("text=roof", made)):
        selection = then(supervisor, query=query)
        expected = [row.reference for row in sorted(part, key=lambda row: row.sort_key, reverse=True)]
        read, page = [], selection.page(size=3)
        for _page in range(50):
            read += [row.reference for row in page.rows]
            if not page.after:
                break
            page = selection.page(size=3, after=page.after)
        assert read == expected, query


# -- what is gone since


def test_what_was_withdrawn_since_is_counted_where_it_stood(supervisor):
    school, house, early = report(), report(object_type="house"), report()
    reports.withdraw(early.reference, by=supervisor, because="privacy", note="")
    assert then(supervisor).gone == 1
    assert then(supervisor, f"{timezone.now():%Y-%m-%dT%H:%M:%S.%fZ}").gone == 0  # it was withdrawn then
    factories.change(school, at=AT + DAY, summary="Later")
    reports.withdraw(school.reference, by=supervisor, because="safety", note="")
    assert {row.reference for rows in then(supervisor).tables for row in rows} == {house.reference}
    assert then(supervisor).gone == 2
    assert then(supervisor, query="type=house").gone == 0
    assert then(supervisor, query="type=school&area=UA-63").gone == 2
    assert select(supervisor, {}).gone == 0
    reports.reinstate(school.reference, by=supervisor, note="")
    assert then(supervisor).gone == 1


def test_an_audience_is_told_how_many_stood_in_an_edition_and_nothing_else():
    first, second, third = (AT + days * DAY for days in (2, 3, 4))
    school, other = report(), report()
    editions.publish(first)
    factories.change(school, at=first + HOUR, damage_level="severe")
    editions.publish(second)
    house = report(at=second, object_type="house")
    report(at=second, status="reported", from_resident=True, withdrawn="safety")  # never shown
    editions.publish(third)
    assert then(ANYONE, first).gone == then(ANYONE, third).gone == 0
    editions.retract(factories.change(school, at=third + HOUR, withdrawn="safety"))
    for moment in (first, second, third):
        shown = {row.reference for rows in then(ANYONE, moment).tables for row in rows}
        assert shown == {other.reference, *([house.reference] if moment == third else [])}
        assert then(ANYONE, moment).gone == 1
    # What is of another class now was shown too precisely before.
    factories.change(other, at=third + 2 * HOUR, object_type="hospital")
    editions.publish(third + DAY)
    assert then(ANYONE, first).gone == 2
    assert then(ANYONE, third + DAY).gone == 0
    assert then(factories.person(Role.RESEARCHER), second, "type=house").gone == 2


# -- which moments there are


def test_the_office_is_told_from_when_to_when_there_is_something(supervisor):
    with pytest.raises(BadFilter, match="no report yet"):
        then(supervisor)
    report()
    for moment in (
        AT - timedelta(seconds=1),
        timezone.now() + HOUR,
        "2026-03-09",
        "2999-12-31",
        "1099-01-01",
    ):
        with pytest.raises(BadFilter) as caught:
            then(supervisor, moment)
        assert "2026-03-10T12:00:00Z" in str(caught.value), moment
        assert caught.value.param == "as_of"
    assert then(supervisor, "2026-03-10").as_of == datetime(2026, 3, 10, 23, 59, 59, tzinfo=UTC)


def test_the_present_day_means_now(supervisor):
    report()
    today = timezone.localdate(timezone=timezone.get_default_timezone())
    before = timezone.now()
    assert before <= then(supervisor, f"{today}").as_of <= timezone.now()
    with pytest.raises(BadFilter):
        then(supervisor, f"{today + DAY}")


def test_days_are_those_of_the_registers_zone(supervisor, settings):
    settings.TIME_ZONE = "Europe/Kyiv"
    late = AT.replace(hour=22, minute=30)  # half an hour past midnight in Kyiv
    factories.edition(AT)
    factories.edition(late)
    assert then(ANYONE, "2026-03-11").as_of == late
    assert then(ANYONE, "2026-03-10").as_of == AT
    report()
    assert then(supervisor, "2026-03-10").as_of == AT.replace(hour=21, minute=59, second=59)


def test_an_edition_that_is_none_is_refused_with_those_there_are():
    with pytest.raises(BadFilter, match="no edition yet"):
        then(ANYONE, AT)
    factories.edition(AT)
    factories.edition(AT + 3 * DAY)
    published()
    for moment in (
        AT + DAY,
        AT - DAY,
        timezone.now() + DAY,
        "2026-03-12",
        "2026-02-31",
        "1099-01-01",
        "9999-12-31T23:00:00-10:00",
        "x",
    ):
        with pytest.raises(BadFilter) as caught:
            then(ANYONE, moment)
        assert caught.value.param == "as_of"
    assert select(ANYONE, {"as_of": "2026-03-13"}, holder=Holder.PUBLIC).as_of == AT + 3 * DAY
