"""What hangs on reports leaves with them, as precisely as they, and as of the edition."""

import csv
from datetime import date, timedelta
from io import StringIO
from typing import Any

import pytest

from registry.actions import journal
from registry.models import Assessment, Incident, OutageStep, Report, Statement
from registry.rules.vocabularies import Holder, Role
from tests import factories
from tests.factories import AT, published, report

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def told(client, address: str) -> list[dict[str, str]]:
    response = client.get(address)
    assert response.status_code == 200
    return list(csv.DictReader(StringIO(b"".join(response.streaming_content).decode())))


def write(made: Report, *lines: Any, at=AT) -> None:
    journal.record(journal.Line(journal.lock(made.reference), "noted", rows=list(lines)), at=at)


def grade(day: date = date(2026, 3, 9), grade: str = "3") -> Assessment:
    return Assessment(scale="ems98", scale_grade=grade, method="field", assessed_on=day)


@pytest.fixture
def researcher(settings):
    settings.SECOND_FACTOR_REQUIRED = False
    return factories.client(factories.person(Role.RESEARCHER))


def test_grades_are_those_that_stood_at_the_edition(client):
    made = report()
    write(made, grade(grade="3"), at=AT)
    write(made, grade(grade="2"), at=AT - DAY)
    Assessment.objects.filter(scale_grade="2").update(voided_at=AT + DAY)
    write(made, grade(grade="4"), at=AT + 2 * DAY)
    for days in (0, 1):
        factories.edition(AT + days * DAY)
    published(report=made)
    assert {row["scale_grade"] for row in told(client, "/assessments.csv")} == {"3"}
    assert {row["scale_grade"] for row in told(client, "/assessments.csv?as_of=2026-03-10")} == {"2", "3"}


def test_an_audience_without_an_edition_is_given_nothing(client):
    made = report()
    write(made, grade())
    published(report=made)
    assert told(client, "/assessments.csv") == []


@pytest.mark.parametrize(
    ("use", "day", "recorded"),
    [
        ("school", "2026-03-09", "2026-03-10 12:00:00"),
        ("house", "2026-03-09", ""),
        ("hospital", "2026-03-01", ""),
    ],
)
def test_days_and_moments_are_as_precise_as_the_rows(client, use, day, recorded):
    factories.edition(month_end=True)
    made = report(object_type=use)
    write(made, grade())
    published(report=made, object_type=use)
    (row,) = told(client, "/assessments.csv")
    assert (row["reference"], row["assessed_on"], row["recorded_utc"]) == (made.reference, day, recorded)


def test_where_months_are_shown_a_grade_waits_for_the_months_end(client):
    made = report(object_type="hospital")
    factories.edition(AT - DAY, month_end=True)
    factories.edition(AT + DAY)
    write(made, grade())
    published(report=made, object_type="hospital")
    assert told(client, "/assessments.csv") == []
    factories.edition(AT + 2 * DAY, month_end=True)
    assert len(told(client, "/assessments.csv")) == 1


def outage(**fields: Any) -> Report:
    fields = {
        "kind": "outage", "sector": "water", "object_type": "", "status": "confirmed", "damage_level": "",
        "customers_unit": "accounts",
    } | fields  # fmt: skip
    made = report(**fields)
    for holder in (Holder.PUBLIC, Holder.RESEARCHER):
        published(holder, report=made, **fields)
    return made


def step(customers: int | None = 900) -> OutageStep:
    return OutageStep(at=AT - DAY, direction="lost", customers=customers)


def test_steps_are_for_those_who_are_shown_steps(client, researcher):
    factories.edition()
    made = outage()
    write(made, step())
    assert told(client, "/outage_steps.csv") == []
    (row,) = told(researcher, "/outage_steps.csv")
    assert (row["at_utc"], row["customers"], row["customers_unit"]) == (
        "2026-03-09 12:00:00",
        "900",
        "accounts",
    )
    assert len(researcher.get(f"/r/{made.reference}").context["steps"]) == 1


def test_of_few_people_no_step_is_shown(researcher):
    factories.edition()
    told_so, not_yet = (
        outage(customers_unit="people", withheld="figures"),
        outage(customers_unit="households"),
    )
    for made in (told_so, not_yet):
        write(made, step(500), step(4 if made is not_yet else 600))
    assert told(researcher, "/outage_steps.csv") == []
    assert "steps" not in researcher.get(f"/r/{not_yet.reference}").context


def test_no_step_where_only_days_are_shown(researcher, settings):
    settings.AUDIENCE_POLICY = {"researcher": {"outage": {"when": "day"}}}
    factories.edition()
    made = outage()
    write(made, step())
    assert told(researcher, "/outage_steps.csv") == []
    assert "steps" not in researcher.get(f"/r/{made.reference}").context


def test_statements_are_the_published_ones_of_published_incidents(client):
    common = {"cause_group": "weather", "began_at": AT, "created_at": AT}
    shown = Incident.objects.create(title="Storm", published=True, **common)
    hidden = Incident.objects.create(title="Night", **common)
    said = {
        "type": "damage", "said_by": "Office", "said_at": AT, "certainty": "confirmed", "recorded_at": AT,
    }  # fmt: skip
    for incident, text, fields in (
        (shown, "Forty houses", {"published": True, "figure": 40, "figure_unit": "houses"}),
        (shown, "Internal", {}),
        (shown, "Wrong", {"published": True, "voided_at": AT}),
        (hidden, "Hidden", {"published": True}),
    ):
        Statement.objects.create(incident=incident, text=text, **said, **fields)
    (row,) = told(client, "/statements.csv")
    assert (row["incident"], row["text"], row["figure"]) == (shown.reference, "Forty houses", "40")
    assert told(client, "/statements.csv?type=school") == []
    published(incident=shown.reference)
    assert len(told(client, "/statements.csv?type=school")) == 1


def test_the_office_sees_what_stands_in_its_own_areas(client, settings):
    settings.SECOND_FACTOR_REQUIRED = False
    areas = factories.ukraine()
    here, there = report(), report(adm1_code="UA-23")
    for made in (here, there):
        write(made, grade(grade="2"), grade(grade="3"))
    Assessment.objects.filter(scale_grade="2").update(voided_at=AT + DAY)
    client.force_login(factories.person(Role.OFFICIAL, areas["UA-63"]))
    found = told(client, "/assessments.csv")
    assert [(row["reference"], row["scale_grade"]) for row in found] == [(here.reference, "3")]
    assert len(told(client, "/assessments.csv?as_of=2026-03-10")) == 2
