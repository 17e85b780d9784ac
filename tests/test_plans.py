"""Every statement that a page makes on a large table is answered by an index, on both databases.

The pages are really opened, by people whom they differ for, and each statement they make is explained: plans,
not times. PAGES lists the indexes that each page uses; a page that reads a large table without an index, or by
one that is not listed for it, fails, and so does one that sorts rows which nothing has bounded.
"""

import json
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from itertools import count
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import connection
from django.http import QueryDict
from django.test import Client

from registry import geo
from registry.filters import select
from registry.models import CURRENT, Asset, Batch, Entry, Incident, PastReport, Report
from registry.models.looks import Since
from registry.models.sql import first_key, go_at_once, insert_new
from registry.outputs import rows as sheets
from registry.outputs.tables import TABLES
from registry.rules.vocabularies import EntryKind, Holder, Role
from tests import factories
from tests.factories import AT

pytestmark = pytest.mark.django_db

ROWS = 2_000
LARGE = {
    f"registry_{name}"
    for name in (
        "report", "publicreport", "researcherreport", "pastreport", "entry", "text", "cluster", "assessment",
        "outagestep", "estimate", "source", "link", "evidence", "sourceref",
    )
}  # fmt: skip
#: What finds one row, or the lines of one report.
ONE = {"key", "entry_once", "text_once", "past_once", "of_report", "cluster_once"}
#: Indexes by which so few rows are found that they may be sorted.
FEW = ONE | {
    "incident",
    "asset",
    "danger",
    "due",
    "assignee",
    "verified_on",
    "logged_utc",
    "updated_utc",
    "cell",
    "words",
}

#: Whose values are the choices of a filter.
FACETS = {"adm1_code", "kind", "object_type", "status"}


def test_every_statement_of_a_page_is_answered_by_its_index(register, settings):
    settings.SECOND_FACTOR_REQUIRED = False
    wrong = _wrong(register, _pages(register))
    assert not wrong, "\n\n".join(wrong)


def test_every_file_is_read_in_the_order_that_an_index_has(register):
    wrong = _wrong_of_files(register)
    assert not wrong, "\n\n".join(wrong)


def test_a_file_that_loses_its_index_is_told(register):
    with connection.cursor() as cursor:
        cursor.execute("DROP INDEX public_order")
        cursor.execute("DROP INDEX public_kind")
    assert len(_wrong_of_files(register)) >= 2


@pytest.mark.skipif(connection.vendor != "postgresql", reason="Django makes them for PostgreSQL")
def test_no_large_table_has_indexes_that_only_like_would_use():
    with connection.cursor() as cursor:
        names = [name for table in LARGE for name in connection.introspection.get_constraints(cursor, table)]
    assert names
    assert not [name for name in names if name.endswith("_like")]


def test_a_page_that_loses_its_index_is_told(register, settings):
    settings.SECOND_FACTOR_REQUIRED = False
    with connection.cursor() as cursor:
        cursor.execute("DROP INDEX public_asset")
        cursor.execute("DROP INDEX public_cell")
    lost = (
        ("visitor", f"/a/{register['asset']}", {"asset"}),
        ("visitor", "/map/tiles/17/78800/44500.json", {"cell"}),
    )
    assert len(_wrong(register, lost)) >= 2


def _wrong(register: dict[str, Any], pages: Iterable[tuple[str, str, set[str]]]) -> list[str]:
    """What is wrong with the plans of these pages."""
    wrong = []
    for who, address, listed in pages:
        client = Client()
        if who != "visitor":
            client.force_login(register["people"][who])
        with _explained() as plans:
            answer = client.get(address)
        assert answer.status_code == 200, address
        wrong += [fault for plan in plans for fault in plan.faults(f"{who} {address}", listed)]
    return wrong


def _wrong_of_files(register: dict[str, Any]) -> list[str]:
    """What is wrong with the plans of files, read whole: see ``outputs/tables``."""
    wrong = []
    go_at_once()
    files = [
        (name, query, listed)
        for name in ("reports", "entries", "assessments", "outage_steps")
        for query, listed in {
            "": {"order"},
            "kind=building": {"kind"},
            "area=UA-63": {"adm1_code"},
            "area=UA-63&status=verified": {"area_status"},
            "kind=building&kind=network": {"kind", "order"},
            "from=2025-01-01&to=2025-06-01": {"order", "long", "ranges"},
            "text=roof": {"words", "order"},
        }.items()
    ]
    files += [
        ("versions", query, listed | {"past_order"})
        for query, listed in {"": {"order"}, "area=UA-63&status=verified": {"area_status"}}.items()
    ]
    for name, query, listed in files:
        shown = {"entries": ("official",), "outage_steps": ("researcher", "official")}
        for who in shown.get(name, ("visitor", "official")):
            # An official's own areas are walked by, where nothing else that is asked for keeps fewer rows.
            own = {"adm1_code", "area_status"} if who == "official" else set()
            sheet = TABLES[name].sheet(select(register["people"].get(who, AnonymousUser()), QueryDict(query)))
            postgresql = connection.vendor == "postgresql"
            plan = Plan(*(sheets.statement(sheet) if postgresql else sheet.sql("*")))
            wrong += plan.faults(f"{who} {name} {query}", listed | own)
            if sheet.rest and not postgresql:
                rest = sheet.rest(Since.now(sheet.using), first_key(date(2026, 1, 1)))
                wrong += Plan(*rest.sql("*")).faults(f"{who} {name} {query}, the rest", listed | own)
    return wrong


def _pages(register: dict[str, Any]) -> Iterator[tuple[str, str, set[str]]]:
    """Who opens what, and the indexes that may answer it (without the prefix of their table)."""
    first, incident = register["first"].reference, register["incident"].reference
    asset = register["asset"]
    everybody = ("visitor", "official", "researcher")
    for query, listed in {
        "": {"order", "adm1_code"},
        "area=UA": {"country", "order"},
        "area=UA-63": {"adm1_code"},
        "area=700001": {"adm2_code"},
        "area=UA-63&status=verified&from=2025-01-01": {"area_status"},
        "area=UA-63&status=verified&to=2026-01-01": {"area_status", "long", "ranges", "order"},
        "kind=building": {"kind"},
        "kind=building&kind=network&status=verified&status=closed": {"status"},
        "sector=gas": {"sector"},
        "type=school": {"object_type"},
        "status=closed": {"status"},
        "level=severe": {"damage_level"},
        "outcome=repaired": {"outcome"},
        "cause=wind": {"cause"},
        "cause_group=weather": {"cause_group"},
        "from=2025-01-01": {"order"},
        "to=2025-06-01": {"order", "country", "long", "ranges"},
        "logged_from=2026-03-01": {"order", "logged_utc"},
        "verified_from=2026-03-01&verified_to=2026-03-02": {"order", "verified_on"},
        "updated_since=2026-03-01": {"order", "updated_utc"},
        "bbox=36,49,36.5,50": {"order", "cell"},
        f"incident={incident}": {"incident"},
        f"asset={asset}": {"asset"},
        "text=roof": {"words", "order"},
        "text=roof+windows&kind=building": {"words", "order", "kind"},
        f"text={first}&kind=building": {"kind", "order"},
    }.items():
        # An official's own areas are walked by, where nothing else that is asked for keeps fewer rows.
        for who in ("visitor", "official"):
            own = {"adm1_code", "area_status"} if who == "official" else set()
            for place in ("", "&after=2025-09-01.4F7K-92MX"):
                yield who, f"/reports?{query}{place}", listed | own
    for query in ("assignee=me", "danger=1"):
        yield "official", f"/reports?{query}", {"assignee", "danger", "adm1_code"}
    for query, listed in {"": set(), "&kind=building": set(), "&text=roof": {"words"}}.items():
        yield "official", f"/reports?batch={register['batch'].pk}{query}", {"batch", "adm1_code"} | listed
    yield "supervisor", "/reports?withdrawn=1", {"withdrawn", "adm1_code"}
    for who in everybody:
        yield who, "/", {"verified_on", "unknown", "area_status"}
        yield who, "/data", {"order", "adm1_code"}
        yield who, "/data?type=school", {"object_type"}
        yield who, "/map", {"cell"}
        yield who, "/map?type=school", {"cell", "object_type", "adm1_code"}
        yield who, "/map/tiles/5/19/10.json", {"cell"}
        yield (
            who,
            "/map/tiles/5/19/10.json?kind=building&status=verified&from=2025-01-01",
            {"cell", "area_status"},
        )
        yield who, "/map/tiles/5/19/10.json?outcome=repaired", {"outcome", "cell"}
        yield who, "/map/tiles/17/78800/44500.json", {"cell"}
        yield who, "/map/list?bbox=36,49,36.5,50", {"cell", "order", "adm1_code"}
        yield who, f"/r/{first}", set()
        yield who, "/incidents", set()
        yield who, f"/i/{incident}", {"incident"}
        yield who, f"/a/{asset}", {"asset"}
    then = f"as_of={AT:%Y-%m-%dT%H:%M:%SZ}"
    # What is withdrawn now is listed first; the office is told since when there is something.
    of_then = {"then", "past_then", "order", "past_order", "ahead", "past_ahead", "adm1_code", "cell"}
    of_then |= {"past_once", "withdrawn", "logged_utc"}
    for who in everybody:
        yield who, f"/reports?{then}", of_then
        yield who, f"/reports?kind=building&{then}", of_then | {"kind"}
        yield (
            who,
            f"/?{then}",
            of_then | FEW | {"past_verified_on", "unknown", "past_unknown", "area_status", "kind"},
        )
        # Two indexes begin with the region, which is all that the office's map asks for.
        yield who, f"/map?{then}", of_then | {"area_status"}
        yield who, f"/map/tiles/5/19/10.json?{then}", of_then
        yield who, f"/map/tiles/17/78800/44500.json?kind=building&{then}", of_then
        yield who, f"/i/{incident}?{then}", of_then | {"incident", "past_incident"}
        yield who, f"/a/{asset}?{then}", of_then | {"asset", "past_asset"}
        yield who, f"/r/{first}?{then}", of_then
    work = {
        "country",
        "sector",
        "danger",
        "due",
        "assignee",
        "geocode_state",
        "status",
        "area_status",
        "answers",
        "adm1_code",
    }
    for who in ("official", "inspector", "operator", "supervisor"):
        yield who, "/my-work", work
    yield "resident", "/my-work", {"logged_by"}


@pytest.fixture
def register() -> dict[str, Any]:
    """Rows that differ enough for a database to have a choice, as many in each table."""
    areas = factories.ukraine()
    people = {
        "official": factories.person(Role.OFFICIAL, areas["UA-63"]),
        "inspector": factories.person(Role.INSPECTOR, areas["UA"]),
        "supervisor": factories.person(Role.SUPERVISOR, areas["UA"]),
        "operator": factories.person(Role.OPERATOR, areas["UA-63"], sectors=["electricity"]),
        "resident": factories.person(Role.RESIDENT),
        "researcher": factories.person(Role.RESEARCHER),
    }
    incident = Incident.objects.create(
        title="A storm", cause_group="weather", began_at=AT, created_at=AT, published=True
    )
    factories.edition()
    thing = Asset.objects.create(kind="building", object_type="school")
    first = factories.report(
        by=people["resident"], of_incident_id=incident.pk, of_asset_id=thing.pk, lat=50, lon=36.2
    )
    batch = Batch.objects.create(name="list.csv", created_at=AT, since=AT)
    rows = [_row(first, number, incident, thing, people) for number in range(ROWS)]
    for row in rows[::4]:
        row.batch = batch
    insert_new(rows)
    for holder in (Holder.PUBLIC, Holder.RESEARCHER):
        _copy(CURRENT[holder], [first, *rows], report_id=None)
    _copy(PastReport, rows, holder=Holder.OFFICE, valid_to=AT + timedelta(days=1))
    insert_new([_entry(row) for row in rows])
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("ANALYZE")
            # A table of this size fits few pages: what is asked is which index would be used.
            cursor.execute("SET LOCAL enable_seqscan = off")
    return {"people": people, "first": first, "incident": incident, "asset": thing.reference, "batch": batch}


def _row(first: Report, number: int, incident: Incident, thing: Any, people: dict[str, Any]) -> Report:
    day = date(2024, 6, 1) + timedelta(days=number % 600)
    outage = number % 7 == 0
    values = {
        field.attname: getattr(first, field.attname)
        for field in Report._meta.concrete_fields
        if not field.generated and field.name not in ("id", "reference")
    }
    lat, lon = 48 + number % 97 / 40, 33 + number % 89 / 20
    values |= {
        "kind": "outage" if outage else "building",
        "sector": ("electricity", "gas")[number % 2] if outage else "",
        "object_type": "" if outage else ("school", "house", "clinic")[number % 3],
        "status": ("confirmed", "closed")[number % 2] if outage else ("reported", "verified", "closed")[number % 3],
        "outcome": "repaired" if number % 10 == 3 else "",
        "adm1_code": ("UA-63", "UA-23")[number % 2],
        "adm2_code": "700001" if number % 30 == 0 else f"{number % 30}",
        "occurred_from": day - timedelta(days=(0, 0, 0, 20, 90)[number % 5]),
        "occurred_to": day,
        "damage_level": ("", "minor", "severe", "moderate")[number % 4],
        "cause_group": ("weather", "hostilities")[number % 2],
        "cause": ("wind", "blast", "fire")[number % 3],
        "summary": ("Roof and windows", "Doors", "Roof")[number % 3],
        "lat": lat, "lon": lon, "cell": geo.cell(lat, lon),
        "incident": incident.reference if number % 40 == 0 else "",
        "asset": thing.reference if number % 500 == 0 else "",
        "of_incident_id": None, "of_asset_id": None,
        "verified_on": None if number % 3 else day + timedelta(days=2),
        "logged_utc": AT - timedelta(hours=number),
        "updated_utc": AT - timedelta(hours=number // 2),
        "danger": "gas" if number % 50 == 0 else "",
        "withdrawn": "privacy" if number % 100 == 1 else "",
        "assignee_id": people["official"].pk if number % 60 == 0 else None,
        "logged_by_id": people["resident"].pk if number % 100 == 0 else people["official"].pk,
        "due_on": day if number % 50 == 2 else None,
        "geocode_state": ("found", "typed", "ambiguous")[number % 3],
        "hands": {}, "geocode_candidates": [],
    }  # fmt: skip
    return Report(**values)


def _copy(table: type, rows: list[Report], **values: Any) -> None:
    names = [field.name for field in PastReport._meta.concrete_fields if not field.generated]
    copied = []
    for row in rows:
        own = {
            name: getattr(row, name) for name in names if name not in ("id", "report", "holder", "valid_to")
        }
        copied.append(table(**own | {name: v for name, v in values.items() if v}, report_id=row.pk))
    insert_new(copied)


def _entry(row: Report) -> Entry:
    return Entry(
        report=row, number=1, kind=EntryKind.MOVED, happened_at=AT, recorded_at=AT, body="{}",
        move="answer" if row.pk % 20 == 0 else "verify",
    )  # fmt: skip


# -- plans ----------------------------------------------------------------------------------------------


_NUMBERS = count()


class Plan:
    """How one statement is answered: ``indexes`` by which large tables are read (None: by none), and
    whether rows of one are sorted for their order."""

    def __init__(self, sql: str, params: Any) -> None:
        self.sql = sql[:200] + " … " + sql[sql.rfind(" FROM ") :][:900]
        self.indexes: set[str | None] = set()
        self.sorts = False
        # Of keys that were counted before, any number may be sorted.
        self.is_bounded = bool(re.search(r'"(sort_key|id)" IN \(', sql))
        self.tables = {name: name for name in LARGE} | {
            alias: table
            for table, alias in re.findall(r'"(registry_\w+)" (?:AS )?"?([A-Z]\w*)"?', sql)
            if table in LARGE
        }
        with connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                # Few rows are quicker read whole and sorted; only words are found no other way.
                words = " @@ " in sql
                cursor.execute(f"SET LOCAL enable_bitmapscan = {'on' if words else 'off'}")
                cursor.execute(f"SET LOCAL enable_sort = {'on' if words else 'off'}")
                cursor.execute("SET LOCAL random_page_cost = 1")
                cursor.execute(f"EXPLAIN (FORMAT JSON) {sql}", params)
                (root,) = cursor.fetchone()[0]
                self.said = json.dumps(root, indent=1)[:3000]
                self._read_node(root["Plan"], "", "")
            else:
                # Numbered, since the driver keeps statements, and does not see that an index has gone.
                cursor.execute(f"EXPLAIN QUERY PLAN {sql} -- {next(_NUMBERS)}", params)
                lines = [line[-1] for line in cursor.fetchall()]
                self.said = "\n".join(lines)
                for line in lines:
                    self._read_line(line)

    def faults(self, where: str, listed: set[str]) -> Iterator[str]:
        """What is wrong with the plan, where the ``listed`` indexes may be used."""
        other = self.indexes - ONE - FACETS - listed
        if None in self.indexes:
            yield f"{where}: no index: {self.sql}\n{self.said}"
        elif self.sorts and not (self.is_bounded or "words" in self.indexes or self.indexes <= FEW):
            yield f"{where}: sorts what {self.indexes} find: {self.sql}\n{self.said}"
        elif other and not self.is_bounded:
            yield f"{where}: {other} is not listed: {self.sql}\n{self.said}"

    def _read_line(self, line: str) -> None:
        found = re.match(
            r"(?:SCAN|SEARCH) (\S+)(?: USING (?:COVERING )?INDEX (\S+)| USING (INTEGER PRIMARY KEY))?", line
        )
        if found:
            name, index, key = found.groups()
            # Searched by nothing that is named: for the least or greatest key.
            key = key or line == f"SEARCH {name}"
            if name.removesuffix("_words") != name or name.removesuffix("_words_terms") != name:
                self.indexes.add("words")
            elif name in self.tables:
                # A range of keys may be the whole table.
                self.indexes.add(index and _plain(index) if not key else None if "(rowid>" in line else "key")
        elif line == "USE TEMP B-TREE FOR ORDER BY" and self.indexes:
            self.sorts = True

    def _read_node(self, node: dict[str, Any], table: str, above: str) -> None:
        kind = node["Node Type"]
        table = node.get("Relation Name", table)
        if table in LARGE and "Index Name" in node:
            self.indexes.add(_plain(node["Index Name"]))
        elif kind == "Seq Scan" and table in LARGE:
            self.indexes.add(None)
        before = len(self.indexes)
        for inner in node.get("Plans", ()):
            self._read_node(inner, table, kind)
        if kind == "Sort" and above != "Aggregate" and len(self.indexes) > before:
            self.sorts = True


def _plain(index: str) -> str:
    """An index without the prefix of its table; ``key`` for those of unique columns."""
    if index.endswith("_words"):
        return "words"
    if re.search(r"_pkey$|_key$|_reference$|_like$|autoindex", index):
        return "key"
    if found := re.fullmatch(r"registry_\w+?_(report|other|entry|recorded_by)_id_\w+", index):
        return "of_report" if found else ""
    return re.sub(r"^(report|public|researcher|entry)_(?!once)", "", index)


@contextmanager
def _explained() -> Iterator[list[Plan]]:
    asked: list[tuple[str, Any]] = []

    def keep(execute, sql, params, many, context):
        if re.match(r"\s*(SELECT|WITH)", sql) and any(
            f'"{name}"' in sql or f" {name} " in sql for name in LARGE
        ):
            asked.append((sql, params))
        return execute(sql, params, many, context)

    plans: list[Plan] = []
    with connection.execute_wrapper(keep):
        yield plans
    seen = {(sql, repr(params)): (sql, params) for sql, params in asked}
    plans += [Plan(sql, params) for sql, params in seen.values()]
