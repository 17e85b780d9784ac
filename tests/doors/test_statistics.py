"""The page of statistics, its tables as files and its charts."""

import csv
import re
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from xml.etree import ElementTree

import pytest
from django.conf import settings as installed

from registry.models import CustomersServed, Download
from registry.outputs import drawing
from registry.rules.vocabularies import Role
from tests import factories
from tests.factories import AT, report

pytestmark = pytest.mark.django_db
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def official(settings):
    """Of a register with a school repaired after four days, one open, and a loss of supply."""
    settings.SECOND_FACTOR_REQUIRED = False
    areas = factories.ukraine()
    logged = AT - timedelta(days=9)
    report(logged_utc=logged, status="repaired", repaired_on=date(2026, 3, 5), damage_level="minor")
    report(
        logged_utc=logged, damage_level="severe", occurred_to=date(2026, 1, 2), occurred_from=date(2026, 1, 2)
    )
    lost = {"customers_affected": 1000, "customers_out": 0, "customer_hours": Decimal(1600)}
    what = {"kind": "outage", "sector": "electricity", "object_type": "system", "damage_level": ""}
    report(**what, status="restored", customers_unit="accounts", **lost)
    CustomersServed.objects.create(
        area=areas["UA-63"], sector="electricity", since=date(2026, 1, 1), customers=8000
    )
    return factories.person(Role.OFFICIAL, areas["UA"])


def lines(answer):
    assert answer.status_code == 200, answer.content
    return list(csv.DictReader(answer.content.decode().splitlines()))


def test_every_table_is_a_file_and_is_logged(official):
    client = factories.client(official)
    (all_cases, kharkiv) = lines(client.get("/statistics/waiting.csv"))
    assert [all_cases[name] for name in ("area_code", "median_days", "cases", "open")] == ["", "4", "2", "1"]
    assert (kharkiv["area_code"], kharkiv["area_name"]) == ("UA-63", "Kharkiv")
    (month,) = lines(client.get("/statistics/reliability.csv"))
    assert (month["saifi"], month["saidi_minutes"], month["caidi_minutes"]) == ("0.1250", "12.00", "96.00")
    (area,) = lines(client.get("/statistics/area.csv?kind=building"))
    assert (area["minor"], area["severe"], area["damage"], area["customers_out"]) == ("1", "1", "2", "0")
    (day4, *_rest) = lines(client.get("/statistics/curve.csv"))
    assert (day4["day"], day4["waiting"], day4["ended"], day4["share"]) == ("4", "2", "1", "0.5000")
    statuses = {row["status"] for row in lines(client.get("/statistics/status.csv"))}
    assert statuses == {"repaired", "verified", "restored"}
    logged = Download.objects.filter(what="statistics-area").get()
    assert (logged.by, logged.filter, logged.rows) == (official, "kind=building", 1)


def test_the_page_shows_what_the_files_hold(official):
    page = factories.client(official).get("/statistics?kind=building&origin=damage").content.decode()
    assert re.search(r'<option value="damage" selected>', page)
    assert "/statistics/area.svg?kind=building&amp;origin=damage&amp;end=repair" in page
    assert "Kharkiv" in page
    assert "1,600.00" in factories.client(official).get("/statistics").content.decode()
    # What the reader asked for stays when the durations are changed.
    assert '<input type="hidden" name="kind" value="building">' in page


def test_months_without_damage_have_a_place_in_the_chart(official):
    chart = ElementTree.fromstring(factories.client(official).get("/statistics/month.svg").content)
    told = [element.text for rect in chart.iter(f"{SVG}rect") for element in rect.iter(f"{SVG}title")]
    assert told == ["2026-01: 1", "2026-02: 0", "2026-03: 2"]


@pytest.mark.parametrize("name", ["status", "area", "month", "curve"])
def test_every_chart_is_a_picture_also_of_nothing(official, name):
    client = factories.client(official)
    for query in ("", "?cause=flood", "?area=UA-23"):
        answer = client.get(f"/statistics/{name}.svg{query}")
        assert answer["Content-Type"].startswith("image/svg+xml")
        assert ElementTree.fromstring(answer.content).tag == f"{SVG}svg"
    assert client.get("/statistics?cause=flood").status_code == 200


@pytest.mark.parametrize(
    ("address", "named"),
    [
        ("/statistics?origin=birth", "origin"),
        ("/statistics?origin=damage&origin=report", "origin"),
        ("/statistics/waiting.csv?end=heaven", "end"),
        ("/statistics/area.svg?colour=red", "colour"),
    ],
)
def test_what_is_not_understood_is_refused_by_its_name(official, address, named):
    answer = factories.client(official).get(address)
    assert answer.status_code == 400
    assert named in answer.content.decode()


@pytest.mark.parametrize("address", ["/statistics/nothing.csv", "/statistics/waiting.svg"])
def test_there_is_no_other_table_or_chart(official, address):
    assert factories.client(official).get(address).status_code == 404


def test_charts_have_the_colours_of_the_pages():
    css = Path(installed.BASE_DIR, "registry/static/registry/register.css").read_text()
    light = dict(re.findall(r"--(\w+): (#\w+);", css.partition("@media")[0]))
    for name in ("minor", "moderate", "severe", "destroyed"):
        assert drawing.LEVELS[name]["fill"] == light[name]
    assert light["link"] == drawing.BAR
