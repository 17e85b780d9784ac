"""Two versions of a report side by side: any two of the office's, those of editions for everybody else."""

from datetime import UTC, timedelta

import pytest

from registry.actions import editions
from registry.rules.vocabularies import Role
from tests import factories
from tests.factories import AT, change, client, published, report

pytestmark = pytest.mark.django_db

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
FIRST, SECOND = AT + 2 * DAY, AT + 3 * DAY


@pytest.fixture
def official(settings):
    settings.SECOND_FACTOR_REQUIRED = False
    return factories.person(Role.OFFICIAL, factories.ukraine()["UA-63"])


@pytest.fixture
def school(official):
    """A school that the office changed three times, which two editions showed as two versions."""
    made = report(by=official, damage_level="minor", address="Millstreet 3", lat=50, lon=36.2)
    change(made, by=official, at=AT + HOUR, damage_level="moderate", description="Hushword")
    editions.publish(FIRST)
    change(made, by=official, at=FIRST + HOUR, summary="Roof", dwellings_total=4)
    change(made, by=official, at=FIRST + 2 * HOUR, damage_level="severe")
    editions.publish(SECOND)
    return made


def told(who, address):
    answer = who.get(address)
    assert answer.status_code == 200, answer.status_code
    return answer.content.decode()


def test_the_newest_version_stands_beside_the_one_before(school, official):
    page = told(client(official), f"/r/{school.reference}/versions")
    assert "1 column changed" in page
    assert "<del>Moderate</del>" in page
    assert "<ins>Severe</ins>" in page
    assert "Version 3" in page
    assert "Version 4" in page
    assert page.count("<option") == 8
    # What the past does not hold is in neither.
    assert "Hushword" not in page
    assert f'href="/r/{school.reference}/versions"' in told(client(official), f"/r/{school.reference}")


def test_any_two_versions_of_the_office_are_compared(school, official):
    page = told(client(official), f"/r/{school.reference}/versions?from=2026-03-10T12:00:00Z&to=2026-03-12")
    assert "3 columns changed" in page
    assert "<del>Minor</del>" in page
    assert "<ins>Severe</ins>" in page
    assert "<ins>Roof</ins>" in page
    same = told(
        client(official),
        f"/r/{school.reference}/versions?from=2026-03-10T12:30:00Z&to=2026-03-10T12:30:00Z",
    )
    assert "<ins>" not in same
    assert "Minor" in same


def test_moments_are_told_in_utc_as_the_column_says(school, official):
    """The school's clocks are two hours ahead of it."""
    shown = told(client(official), f"/r/{school.reference}/versions")
    label = "Logged, UTC</th>" if "Logged, UTC</th>" in shown else "Logged, UTC</dt>"
    cell = shown.partition(label)[2].partition("</dd>")[0]
    assert school.logged_utc.astimezone(UTC).strftime("%H:%M") in cell
    assert school.timezone == "Europe/Kyiv"


def test_outsiders_compare_what_editions_showed(school):
    page = told(client(), f"/r/{school.reference}/versions")
    assert page.count("<option") == 4
    assert "<del>Moderate</del>" in page
    assert "<ins>Severe</ins>" in page
    assert "Minor" not in page
    assert "Millstreet" not in page
    page = told(client(factories.person(Role.RESEARCHER)), f"/r/{school.reference}/versions")
    assert "Millstreet 3" in page


def test_one_version_is_shown_alone(official):
    made = report(by=official)
    page = told(client(official), f"/r/{made.reference}/versions")
    assert "There is one version so far." in page
    assert "Moderate" in page


def test_what_is_withheld_differs_from_what_is_not_known():
    made = report()
    factories.past(
        report=made, since=AT, until=AT + DAY, customers_unit="people",
        customers_affected=None, withheld="figures",
    )  # fmt: skip
    published(
        report=made,
        at=AT + DAY,
        customers_unit="people",
        customers_affected=40,
        usability="unsafe",
        sources_agree=True,
    )
    page = told(client(), f"/r/{made.reference}/versions")
    assert '<span class="withheld">withheld</span>' in page
    assert "<ins>40</ins>" in page
    assert '<span class="unknown">not known</span>' in page
    assert "<ins>yes</ins>" in page


def test_other_parameters_are_refused(school, official):
    assert client(official).get(f"/r/{school.reference}/versions?as_of=2026-03-12").status_code == 400


def test_what_somebody_may_not_see_has_no_versions(school, official):
    hidden = report(by=official, status="reported")
    for who in (client(), client(factories.person(Role.RESIDENT))):
        assert who.get(f"/r/{hidden.reference}/versions").status_code == 404
    editions.retract(change(school, at=SECOND + HOUR, withdrawn="safety"))
    assert client().get(f"/r/{school.reference}/versions").status_code == 404
    assert client(official).get("/r/0000-0000/versions").status_code == 404
    assert client(official).get("/r/x/versions").status_code == 404


@pytest.mark.parametrize("query", ["from=soon", "to=2026-03-09", "to=2020-01-01T00:00:00Z", "from=a&from=b"])
def test_a_moment_of_no_version_is_refused_by_name(school, official, query):
    answer = client(official).get(f"/r/{school.reference}/versions?{query}")
    assert answer.status_code == 400
    assert query[:2] in answer.content.decode()
