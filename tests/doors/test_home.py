"""The front page: staff see their own areas now, everybody else what was published, and when."""

import re
from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from registry.actions import editions, tallies
from registry.models import DayFigure, Incident
from registry.rules.vocabularies import Holder, Role
from registry.views import home, once
from tests import factories
from tests.factories import AT, edition, published, report

pytestmark = pytest.mark.django_db

OUTAGE = {
    "kind": "outage",
    "object_type": "system",
    "sector": "electricity",
    "status": "confirmed",
    "customers_unit": "accounts",
    "damage_level": "",
}


@pytest.fixture(autouse=True)
def areas(settings):
    settings.SECOND_FACTOR_REQUIRED = False
    return factories.ukraine()


def figures(page: str) -> dict[str, tuple[str, str]]:
    """Label → (number, change in words) as a reader finds them."""
    found = re.findall(
        r'<li class="figure">\s*<a href="[^"]+">([^<]+)</a>\s*<p class="figure-n">(.*?)</p>(.*?)</li>',
        page,
        re.S,
    )
    words = lambda html: re.sub(r"<[^>]+>", "", html).strip()  # noqa: E731
    return {label: (words(n), words(moved)) for label, n, moved in found}


def incident(title: str, **fields) -> Incident:
    return Incident.objects.create(title=title, cause_group="weather", began_at=AT, created_at=AT, **fields)


def test_staff_see_their_own_areas_now(client, areas):
    today = timezone.localdate()
    report(verified_on=today, at=timezone.now())
    report(status="repair_in_progress")
    report(**OUTAGE, customers_out=1234)
    report(**OUTAGE, customers_out=None)
    report(adm1_code="UA-23")
    DayFigure.objects.create(
        holder=Holder.OFFICE,
        area="UA-63",
        day=today - timedelta(days=1),
        open_damage=5,
        customers_out=1000,
        repairs=1,
    )
    client.force_login(factories.person(Role.OFFICIAL, areas["UA-63"]))
    page = client.get("/").content.decode()
    assert figures(page) == {
        "Open damage": ("2", "3 fewer than yesterday"),
        "Verified today": ("1", "1 more than yesterday"),
        "Customers without supply": ("1,234", "234 more than yesterday"),
        "Repairs under way": ("1", "as yesterday"),
    }
    assert "1 loss of supply does not say how many" in page
    assert "Kharkiv" in page
    assert "Zaporizhzhia" not in page


def test_each_figure_leads_to_the_list_of_what_it_counts(client, areas):
    today = timezone.localdate()
    report(verified_on=today, at=timezone.now())
    report(status="reported")
    report(status="closed", verified_on=today - timedelta(days=9))
    report(kind="network", object_type="line", sector="gas", status="repair_in_progress")
    report(**OUTAGE, customers_out=5)
    client.force_login(factories.person(Role.OFFICIAL, areas["UA"]))
    page = client.get("/").content.decode()
    links = re.findall(r'<li class="figure">\s*<a href="([^"]+)">', page)
    counts = []
    for link in links:
        answer = client.get(link.replace("&amp;", "&"))
        assert answer.status_code == 200
        counts.append(answer.context["count"].n)
    # Customers are a sum; the list behind it holds the one outage.
    assert counts == [3, 1, 1, 1]
    assert [n for n, _moved in figures(page).values()] == ["3", "1", "5", "1"]


def test_visitors_read_as_of_which_edition(client):
    report()
    published(Holder.PUBLIC, verified_on=AT.date() - timedelta(days=1), lat=49.995, lon=36.235)
    tallies.rewrite(Holder.PUBLIC)
    edition(AT)
    page = client.get("/").content.decode()
    assert "the edition of 10 March 2026, 12:00" in page
    assert figures(page) == {
        "Open damage": ("1", ""),
        "Verified on 9 March 2026": ("1", "1 more than the day before"),
        "Customers without supply": ("0", ""),
        "Repairs under way": ("0", ""),
    }
    assert page.count("<circle") == 1


def test_before_the_first_edition_visitors_are_told_so(client):
    report()
    page = client.get("/").content.decode()
    assert "Nothing has been published yet" in page
    assert figures(page) == {}


def test_somebody_without_areas_is_told_so(client):
    client.force_login(factories.person(Role.OFFICIAL))
    page = client.get("/").content.decode()
    assert "You have no areas yet" in page


def test_many_regions_share_the_last_bar(client, areas):
    for number in range(14):
        factories.area(f"UA-9{number:02}", f"Region {number}", parent=areas["UA"])
        report(adm1_code=f"UA-9{number:02}")
    report(adm1_code="UA-900")
    client.force_login(factories.person(Role.OFFICIAL, areas["UA"]))
    page = client.get("/").content.decode()
    assert "2 other areas" in page
    assert page.index("Region 0") < page.index("Region 1<")
    assert "Region 13" not in page


def test_newest_incidents_first_and_outsiders_see_those_published(client, areas):
    edition(AT)
    incident("Storm", published=True)
    incident("Not yet told", published=False)
    assert "Storm" in (page := client.get("/").content.decode())
    assert "Not yet told" not in page
    client.force_login(factories.person(Role.OFFICIAL, areas["UA"]))
    assert "Not yet told" in client.get("/").content.decode()


def test_what_is_kept_for_outsiders_ends_with_the_edition_and_with_a_retraction(client, areas):
    official = factories.person(Role.OFFICIAL, areas["UA"])
    old = {"by": official, "at": AT - timedelta(days=9)}
    old |= dict.fromkeys(("occurred_from", "occurred_to"), AT.date() - timedelta(days=10))
    made = [report(**old) for _number in range(3)]
    editions.publish(AT)
    researcher = factories.person(Role.RESEARCHER)

    def open_damage() -> list[str]:
        found = []
        for person in (None, researcher, official):
            client.logout()
            if person:
                client.force_login(person)
            found.append(figures(client.get("/").content.decode())["Open damage"][0])
        return found

    assert open_damage() == open_damage() == ["3", "3", "3"]
    with transaction.atomic():
        editions.retract(made[0])
    assert open_damage() == ["2", "2", "3"]
    report(**old)
    factories.change(made[1], at=AT, status="reported")
    assert open_damage() == ["2", "2", "4"]
    editions.publish(AT + timedelta(days=1))
    assert open_damage() == ["2", "3", "4"]


def test_what_staff_see_is_made_once_until_something_is_written(client, areas, monkeypatch):
    made = []
    monkeypatch.setattr(home, "_state", lambda *given: made.append(given) or "")
    monkeypatch.setattr(once, "monotonic", lambda: 0)
    people = [factories.person(Role.OFFICIAL, areas[code]) for code in ("UA-63", "UA-63", "UA")]

    def looks() -> int:
        made.clear()
        for person in people:
            client.force_login(person)
            client.get("/")
        return len(made)

    assert looks() == 2
    assert looks() == 0
    report()
    assert looks() == 2
    monkeypatch.setattr(once, "monotonic", lambda: once._SECONDS)
    assert looks() == 2
