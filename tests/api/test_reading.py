"""What the API gives to whom to read, and how it says no."""

import json
from csv import DictReader
from datetime import datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.db import transaction
from django.test import Client

from registry.actions import journal
from registry.columns import COLUMNS
from registry.models import Assessment, Asset, Incident, OutageStep, Report, Statement
from registry.rules.vocabularies import Holder
from tests import factories
from tests.factories import AT, client

pytestmark = pytest.mark.django_db
API = "/api/v1"


@pytest.fixture(autouse=True)
def _one_factor(settings: Any) -> None:
    settings.SECOND_FACTOR_REQUIRED = False


def read(address: str, by: Client | None = None, **headers: str) -> Any:
    """The answer as JSON; it must be 200."""
    answer = (by or Client()).get(f"{API}{address}", headers=headers)
    assert answer.status_code == 200, answer.content
    return answer.json()


def problem(answer: Any) -> dict[str, Any]:
    """A refusal, which must be a problem that says its own status."""
    assert answer["Content-Type"] == "application/problem+json", answer.content
    body: dict[str, Any] = answer.json()
    assert body["status"] == answer.status_code
    assert body["type"].startswith("http://testserver/api/v1/problems#")
    return body


def test_a_list_is_what_the_page_lists_page_by_page() -> None:
    shown = [factories.published() for _number in range(5)]
    factories.published(Holder.RESEARCHER)
    first = read("/reports?limit=2&type=school&columns=reference,lat")
    assert [set(row) for row in first["reports"]] == [{"reference", "lat"}] * 2
    assert (first["holder"], first["count"], first["previous"]) == ("public", {"n": 5, "more": False}, None)
    second = Client().get(first["next"]).json()
    third = Client().get(second["next"]).json()
    found = [row["reference"] for page in (first, second, third) for row in page["reports"]]
    assert sorted(found) == sorted(row.reference for row in shown)
    assert third["next"] is None
    assert Client().get(third["previous"]).json() == second


def test_a_row_says_every_column_with_null_for_what_is_missing() -> None:
    row = factories.published(lat=50.5, lon=-36.25, repair_cost="12.50", repair_currency="EUR", in_use="")
    (told,) = read("/reports")["reports"]
    assert list(told) == [column.name for column in COLUMNS]
    assert (told["lat"], told["lon"], told["repair_cost"]) == (50.5, -36.25, 12.5)
    assert (told["in_use"], told["sources_n"], told["occurred_to"]) == (None, None, "2026-03-09")
    assert told["updated_utc"] == "2026-03-10T12:00:00Z"
    one = read(f"/reports/{row.reference.lower()}")
    assert {name: one[name] for name in told} == told
    assert (one["holder"], one["office"]) == ("public", None)


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("colour=red", "colour"),
        ("kind=castle", "kind"),
        ("columns=reference,contact", "columns"),
        ("after=yesterday", "after"),
        ("after=2026-02-09.0000-0001&before=2026-02-09.0000-0001", "before"),
        ("limit=0", "limit"),
        ("limit=501", "limit"),
        ("limit=", "limit"),
        ("area=+", "area"),
        ("limit=²", "limit"),
        ("assignee=me", "assignee"),
        ("as_of=2026-01-01", "as_of"),
        ("count=some", "count"),
        ("bbox=1,2,3", "bbox"),
        ("text=%00", "text"),
        ("logged_to=9999-12-31", "logged_to"),
        ("updated_since=0001-01-01T00:00:00%2B14:00", "updated_since"),
        ("as_of=0001-01-01", "as_of"),
    ],
)
def test_a_parameter_that_is_not_understood_is_named(query: str, parameter: str) -> None:
    answer = Client().get(f"{API}/reports?{query}")
    body = problem(answer)
    assert (answer.status_code, body["errors"][0]["parameter"]) == (400, parameter)


@pytest.mark.parametrize(
    "address", ["/", "/me", "/incidents", "/areas", "/editions", "/scales", "/reports/4F7K-92MX"]
)
def test_every_address_refuses_a_parameter_it_has_not(address: str) -> None:
    reader = client(factories.person())
    assert problem(reader.get(f"{API}{address}?colour=red"))["errors"][0]["parameter"] == "colour"


def test_the_office_reads_its_own_and_elsewhere_what_is_published() -> None:
    areas = factories.ukraine()
    official = client(factories.person("official", areas["UA-63"]))
    own = factories.report(description="Two rooms", danger="gas", lat=50.1234, lon=36)
    elsewhere = factories.report(adm1_code="UA-23")
    factories.published(Holder.RESEARCHER, report=elsewhere, adm1_code="UA-23")
    told = read(f"/reports/{own.reference}", official)
    assert (told["holder"], told["lat"], told["office"]["description"]) == ("office", 50.1234, "Two rooms")
    assert told["office"]["version"] == own.version
    told = read(f"/reports/{elsewhere.reference}", official)
    assert (told["holder"], told["office"]) == ("researcher", None)
    assert [row["reference"] for row in read("/reports", official)["reports"]] == [own.reference]
    (line,) = read(f"/reports/{own.reference}/timeline", official)["timeline"]
    assert (line["number"], line["kind"], line["to_status"]) == (1, "logged", "verified")
    refused = official.get(f"{API}/reports/{elsewhere.reference}/timeline")
    assert (refused.status_code, problem(refused)["detail"]) == (403, "This is the office's alone.")
    assert problem(Client().get(f"{API}/reports/{own.reference}"))["status"] == 404


def test_an_audience_reads_the_grades_of_its_edition() -> None:
    made = factories.report(lat=50.1, lon=36)
    factories.published(Holder.RESEARCHER, report=made)
    grade = {"scale": "ems98", "scale_grade": "3", "method": "field", "assessed_on": AT.date()}
    with transaction.atomic():
        row = Assessment(**grade, act_members="Petrenko")
        journal.record(journal.Line(journal.lock(made.reference), "noted", rows=[row]), at=AT)
    researcher = client(factories.person("researcher"))
    assert read(f"/reports/{made.reference}/assessments", researcher) == {"assessments": []}
    factories.edition(AT + timedelta(days=1))
    (line,) = read(f"/reports/{made.reference}/assessments", researcher)["assessments"]
    assert (line["scale_grade"], line["assessed_on"]) == ("3", str(AT.date()))
    assert (line["act_members"], line["recorded_by"], line["id"]) == (None, None, None)


def test_a_resident_reads_what_they_sent_and_no_more() -> None:
    resident = factories.person("resident")
    own = factories.report(by=resident, status="reported", description="Window gone", priority="high")
    wires = factories.report(by=resident, kind="network", sector="electricity", object_type="line")
    told = read(f"/reports/{own.reference}", client(resident))
    assert (told["holder"], told["status"], told["description"]) == ("own", "reported", "Window gone")
    assert "priority" not in told
    assert read(f"/reports/{wires.reference}", client(resident))["status"] is None


def test_as_of_answers_as_the_register_stood_then() -> None:
    areas = factories.ukraine()
    official = client(factories.person("official", areas["UA-63"]))
    made = factories.report(status="reported")
    factories.change(made, at=AT + timedelta(days=2), status="verified")
    then = (AT + timedelta(days=1)).date()
    assert read(f"/reports/{made.reference}", official)["status"] == "verified"
    assert read(f"/reports/{made.reference}?as_of={then}", official)["status"] == "reported"
    listed = read(f"/reports?as_of={then}", official)
    assert [row["status"] for row in listed["reports"]] == ["reported"]


def hang(made: Report, *rows: Any, at: datetime, voids: Any = ()) -> None:
    with transaction.atomic():
        line = journal.Line(journal.lock(made.reference), "noted", rows=list(rows), voids=list(voids))
        journal.record(line, at=at)


def test_grades_and_steps_of_an_edition_are_those_of_the_files() -> None:
    water = {
        "kind": "outage",
        "sector": "water",
        "object_type": "",
        "damage_level": "",
        "status": "confirmed",
    }
    school, supply = factories.report(), factories.report(**water, customers_unit="accounts")
    for days in (0, 1):
        at = AT + timedelta(days=days)
        step = {"at": at - timedelta(hours=9), "direction": "lost", "customers": 900 + days}
        hang(school, Assessment(scale="ems98", scale_grade=str(days), method="desk", assessed_on=at), at=at)
        hang(supply, OutageStep(**step), at=at)
        factories.edition(at)
    then, now = (AT, AT + timedelta(days=1))
    for made, columns in ((school, {}), (supply, water | {"customers_unit": "accounts"})):
        factories.past(Holder.RESEARCHER, report=made, since=then, until=now, **columns)
        factories.published(Holder.RESEARCHER, report=made, at=now, **columns)
    researcher = client(factories.person("researcher"))
    for query, n in (("", 2), (f"?as_of={then.date()}", 1), (f"?as_of={now.date()}", 2)):
        for file, made, table, column in (
            ("assessments", school, "assessments", "scale_grade"),
            ("outage_steps", supply, "steps", "customers"),
        ):
            content = b"".join(researcher.get(f"/{file}.csv{query}")).decode()
            filed = [row[column] for row in DictReader(StringIO(content))]
            told = read(f"/reports/{made.reference}/{table}{query}", researcher)[table]
            assert ([str(line[column]) for line in told], len(told)) == (sorted(filed), n)
    for table in ("assessments", "steps"):
        address = f"{API}/reports/{school.reference}/{table}?as_of="
        refused = problem(researcher.get(f"{address}2026-03-09"))
        assert (refused["status"], refused["errors"][0]["parameter"]) == (400, "as_of")
        assert researcher.get(f"{API}/reports/9999-9999/{table}?as_of=2026-03-10").status_code == 404


def test_the_office_reads_lines_and_entries_that_stood_then() -> None:
    official = client(factories.person("official", factories.ukraine()["UA-63"]))
    made = factories.report()
    first, second = (
        Assessment(scale="ems98", scale_grade=grade, method="desk", assessed_on=AT.date()) for grade in "12"
    )
    step = OutageStep(at=AT, direction="lost", customers=5)
    hang(made, first, step, at=AT + timedelta(hours=1))
    hang(made, second, at=AT + timedelta(days=2), voids=[first, step])
    factories.change(made, at=AT + timedelta(days=2), summary="Roof gone")
    at, query = f"/reports/{made.reference}", f"?as_of={AT + timedelta(days=1):%Y-%m-%d}"
    for asked, grades, steps, entries in ((query, ["1"], [5], [2, 1]), ("", ["2"], [], [4, 3, 2, 1])):
        told = read(f"{at}/assessments{asked}", official)["assessments"]
        assert [line["scale_grade"] for line in told] == grades
        assert [line["customers"] for line in read(f"{at}/steps{asked}", official)["steps"]] == steps
        told = read(f"{at}/timeline{asked}", official)["timeline"]
        assert [line["number"] for line in told] == entries
    researcher = client(factories.person("researcher"))
    factories.published(Holder.RESEARCHER, report=made)
    factories.edition()
    refused = researcher.get(f"{API}{at}/timeline?as_of={AT:%Y-%m-%d}")
    assert problem(refused)["detail"] == "This is the office's alone."


def test_incidents_and_their_statements() -> None:
    made = {"cause_group": "hostilities", "created_at": AT}
    night = Incident.objects.create(title="Night", began_at=AT, published=True, **made)
    night.areas.add(factories.ukraine()["UA-63"])
    hidden = Incident.objects.create(title="Hidden", began_at=AT + timedelta(1), **made)
    hidden.linked.add(night)
    said = {"incident": night, "type": "damage", "said_by": "Office", "said_at": AT, "recorded_at": AT}
    Statement.objects.create(text="Roofs", certainty="confirmed", published=True, **said)
    Statement.objects.create(text="Rumour", certainty="preliminary", **said)
    official = client(factories.person("official"))
    assert [one["title"] for one in read("/incidents")["incidents"]] == ["Night"]
    assert [one["title"] for one in read("/incidents", official)["incidents"]] == ["Hidden", "Night"]
    first = read("/incidents?limit=1", official)
    assert [one["title"] for one in official.get(first["next"]).json()["incidents"]] == ["Night"]
    told = read(f"/incidents/{night.reference}")
    assert [one["text"] for one in told["statements"]] == ["Roofs"]
    assert (told["linked"], told["incident"]["areas"]) == ([], ["UA-63"])
    told = read(f"/incidents/{night.reference}", official)
    assert [one["text"] for one in told["statements"]] == ["Roofs", "Rumour"]
    assert Client().get(f"{API}/incidents/{hidden.reference}").status_code == 404


def test_incidents_and_assets_of_then() -> None:
    area = factories.ukraine()["UA-63"]
    official = client(factories.person("official", area))
    made = {"cause_group": "weather", "began_at": AT}
    night, later = (
        Incident.objects.create(title=title, created_at=at, **made)
        for title, at in (("Night", AT), ("Later", AT + timedelta(1)))
    )
    night.linked.add(later)
    for text, at in (("Early", AT), ("Late", AT + timedelta(1))):
        Statement.objects.create(
            incident=night, type="damage", text=text, said_by="Office", said_at=AT, recorded_at=at
        )
    mill = Asset.objects.create(kind="building", object_type="school")
    row = factories.report(of_asset_id=mill.pk)
    factories.change(row, at=AT + timedelta(1), damage_level="destroyed")
    then = f"as_of={AT + timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}"
    assert [one["title"] for one in read(f"/incidents?{then}", official)["incidents"]] == ["Night"]
    told = read(f"/incidents/{night.reference}?{then}", official)
    assert ([one["text"] for one in told["statements"]], told["linked"]) == (["Early"], [])
    assert official.get(f"{API}/incidents/{later.reference}?{then}").status_code == 404
    levels = [
        read(f"/assets/{mill.reference}{query}", official)["reports"][0]["damage_level"]
        for query in (f"?{then}", "")
    ]
    assert levels == ["moderate", "destroyed"]
    Incident.objects.create(title="Old", created_at=AT, cause_group="weather", began_at=AT - timedelta(1))
    first = read(f"/incidents?limit=1&{then}", official)
    rest = official.get(first["next"]).json()
    assert ([one["title"] for one in rest["incidents"]], rest["next"]) == (["Old"], None)
    for address in ("incidents", f"incidents/{night.reference}", f"assets/{mill.reference}"):
        refused = problem(official.get(f"{API}/{address}?as_of=2999-01-01"))
        assert refused["errors"][0]["parameter"] == "as_of"


def test_areas_by_parent_and_by_name() -> None:
    factories.ukraine()
    assert [one["code"] for one in read("/areas")["areas"]] == ["UA"]
    first = read("/areas?parent=UA&limit=1")
    assert [one["code"] for one in first["areas"]] == ["UA-23"]
    assert [one["code"] for one in Client().get(first["next"]).json()["areas"]] == ["UA-63"]
    assert [one["code"] for one in read("/areas?text=Chu")["areas"]] == ["700001"]
    told = read("/areas/700001")
    assert [one["code"] for one in told["within"]] == ["UA", "UA-63"]
    assert problem(Client().get(f"{API}/areas?parent=XX"))["errors"][0]["parameter"] == "parent"
    factories.area("XA", "Chu & Co")
    factories.area("XB", "Chu & Co")
    named = read("/areas?text=Chu+%26&limit=1")
    assert [one["code"] for one in Client().get(named["next"]).json()["areas"]] == ["XB"]
    assert problem(Client().get(f"{API}/areas?text=%00"))["errors"][0]["parameter"] == "text"
    assert Client().get(f"{API}/areas/%00").status_code == 404


def test_editions_page_by_page() -> None:
    for days in range(3):
        factories.edition(AT + timedelta(days=days))
    first = read("/editions?limit=2")
    assert [one["at"] for one in first["editions"]] == ["2026-03-12T12:00:00Z", "2026-03-11T12:00:00Z"]
    assert [one["at"] for one in Client().get(first["next"]).json()["editions"]] == ["2026-03-10T12:00:00Z"]
    assert problem(Client().get(f"{API}/editions?after=x"))["errors"][0]["parameter"] == "after"


def test_words_and_columns_and_filters() -> None:
    assert {"code": "school", "label": "School"} in read("/vocabularies")["vocabularies"]["building_use"]
    assert [one["name"] for one in read("/columns")["columns"]] == [column.name for column in COLUMNS]
    names = {one["name"] for one in read("/filters")["filters"]}
    assert "kind" in names
    assert "assignee" not in names
    assert read("/scales")["scales"][0]["code"] == "ems98"


def test_what_was_read_is_tagged_by_its_bytes_and_kept_by_nobody() -> None:
    row = factories.published()
    answer = Client().get(f"{API}/reports/{row.reference}")
    again = Client().get(f"{API}/reports/{row.reference}", headers={"If-None-Match": answer["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert (answer["Cache-Control"], again["Cache-Control"]) == ("private, no-store",) * 2
    type(row).objects.filter(pk=row.pk).update(summary="Roof gone")
    assert Client().get(f"{API}/reports/{row.reference}")["ETag"] != answer["ETag"]


def test_refusals_of_the_protocol_are_problems() -> None:
    visitor = Client()
    for answer, status in (
        (visitor.get(f"{API}/nothing"), 404),
        (visitor.get("/api/v1/reports/"), 404),
        (visitor.get(f"{API}/reports/9999-9999"), 404),
        (visitor.delete(f"{API}/reports"), 405),
        (visitor.post(f"{API}/nothing"), 404),
        (visitor.options(f"{API}/reports"), 405),
        (visitor.get(f"{API}/reports", headers={"Accept": "text/html"}), 406),
        (visitor.get(f"{API}/me"), 401),
    ):
        assert (answer.status_code, problem(answer)["status"]) == (status, status)
    assert "GET" in visitor.delete(f"{API}/reports")["Allow"]


def test_a_database_that_is_away_and_a_fault_are_problems(monkeypatch: pytest.MonkeyPatch) -> None:
    from django.db import OperationalError

    from registry.api import register

    def fail(error: Exception) -> Any:
        def raising(*_args: Any) -> None:
            raise error

        monkeypatch.setattr(register, "address", raising)
        return Client().get(API + "/")

    away = fail(OperationalError("gone"))
    assert (away.status_code, away["Retry-After"], problem(away)["title"][:12]) == (503, "60", "The register")
    broken = fail(ZeroDivisionError("oops"))
    assert (broken.status_code, "oops" in json.dumps(problem(broken))) == (500, False)


def test_who_lacks_a_second_factor_is_told_so(settings: Any) -> None:
    settings.SECOND_FACTOR_REQUIRED = True
    answer = client(factories.person()).get(f"{API}/reports")
    assert (answer.status_code, problem(answer)["type"].rpartition("#")[2]) == (403, "second-factor")
    assert Client().get(f"{API}/reports").status_code == 200
