"""Rows for tests: sensible where nothing is asked, exact where it is."""

from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import count
from typing import Any

from django.db import connection, transaction
from django.test import Client

from registry import geo
from registry.actions import journal
from registry.models import CURRENT, Area, Edition, PastReport, Person, Report, ReportRow
from registry.models.identity import new_reference
from registry.rules.vocabularies import EntryKind, Holder, Kind, Role

AT = datetime(2026, 3, 10, 12, tzinfo=UTC)
_numbers = count(1)


def area(code: str, name: str = "", *, parent: Area | None = None, **fields: Any) -> Area:
    """An area one level below its parent, a country without one; the same code gives the same area."""
    fields = {"name": name or code, "country": code[:2], "level": parent.level + 1 if parent else 0} | fields
    return Area.objects.get_or_create(code=code, defaults=fields | {"parent": parent})[0]


def ukraine() -> dict[str, Area]:
    """A country, two of its regions and one district, by code."""
    country = area("UA", "Ukraine")
    kharkiv = area("UA-63", "Kharkiv", parent=country)
    areas = [country, kharkiv, area("UA-23", "Zaporizhzhia", parent=country)]
    areas.append(area("700001", "Chuhuiv", parent=kharkiv, country="UA"))
    return {one.code: one for one in areas}


def person(role: str = Role.OFFICIAL, *areas: Area, **fields: Any) -> Person:
    """A person of this role who holds these areas."""
    number = next(_numbers)
    fields = {"email": f"{role}{number}@example.org", "name": f"{role.title()} {number}"} | fields
    made = Person.objects.create_user(role=role, **fields)
    made.areas.set(areas)
    return made


def client(person: Person | None = None) -> Client:
    """The browser of somebody who has signed in, or of a visitor."""
    made = Client()
    if person:
        made.force_login(person)
    return made


def row(**fields: Any) -> dict[str, Any]:
    """Columns of a report: a school in Kharkiv, damaged and verified, but for ``fields``."""
    values: dict[str, Any] = {
        "kind": Kind.BUILDING,
        "object_type": "school",
        "status": "verified",
        "country": "UA",
        "adm1_code": "UA-63",
        "adm1_name": "Kharkiv",
        "occurred_from": date(2026, 3, 9),
        "occurred_to": date(2026, 3, 9),
        "date_precision": "day",
        "timezone": "Europe/Kyiv",
        "damage_level": "moderate",
    } | fields
    for name in ("lat", "lon"):
        if values.get(name) is not None:
            values[name] = Decimal(str(values[name]))
    return values


def report(*, by: Person | None = None, at: datetime = AT, **fields: Any) -> Report:
    """A report as the journal logs it."""
    made = Report(reference=fields.pop("reference", None) or new_reference())
    line = journal.Line(made, EntryKind.LOGGED, by=by, fields=row(**fields) | {"logged_by_id": by and by.pk})
    with transaction.atomic():
        journal.record(line, at=at)
    return Report.objects.get(pk=made.pk)


def change(report: Report, *, by: Person | None = None, at: datetime, **fields: Any) -> Report:
    """The report after an edit through the journal."""
    with transaction.atomic():
        journal.record(
            journal.Line(journal.lock(report.reference), EntryKind.EDITED, by=by, fields=fields), at=at
        )
    return Report.objects.get(pk=report.pk)


def _audience_row(fields: dict[str, Any], at: datetime) -> dict[str, Any]:
    origin = fields.pop("report", None) or report()
    values = row(reference=origin.reference, report=origin, updated_utc=at, valid_from=at, **fields)
    if values.get("lat") is not None:
        values["cell"] = geo.cell(values["lat"], values["lon"])
    return values


def published(holder: str = Holder.PUBLIC, *, at: datetime = AT, **fields: Any) -> ReportRow:
    """A row an audience has since the edition of ``at``, written straight into its table."""
    return CURRENT[holder]._default_manager.create(**_audience_row(fields, at))


def past(holder: str = Holder.PUBLIC, *, since: datetime, until: datetime, **fields: Any) -> PastReport:
    """A row a holder had from ``since`` until ``until``."""
    return PastReport.objects.create(holder=holder, valid_to=until, **_audience_row(fields, since))


def edition(at: datetime = AT, **fields: Any) -> Edition:
    return Edition.objects.create(at=at, made_at=at, policy_version="1", **fields)


def copies(row: ReportRow, count: int, *, first: int = 1) -> None:
    """``count`` more rows like this one of an audience, numbered from ``first``, by one statement: references of
    their own, days spread over three years, and no reports behind them."""
    table, names = type(row)._meta.db_table, [field.column for field in type(row)._meta.fields]
    postgresql = connection.vendor == "postgresql"
    digits = " || ".join(
        ("'-' || " if place == 4 else "")
        + f"substr('0123456789ABCDEFGHJKMNPQRSTVWXYZ', CAST((n.i >> {5 * (7 - place)}) & 31 AS int) + 1, 1)"
        for place in range(8)
    )
    day = (
        "DATE '2026-03-09' - CAST(n.i %% 1000 AS int)"
        if postgresql
        else "date('2026-03-09', '-' || (n.i %% 1000) || ' days')"
    )
    own = {"report_id": "-n.i", "reference": digits, "occurred_from": day, "occurred_to": day}
    written = [name for name, field in zip(names, type(row)._meta.fields, strict=True) if not field.generated]
    values = ", ".join(own.get(name, f"one.{name}") for name in written)
    last = first + count - 1
    numbers = f"WITH RECURSIVE n(i) AS (SELECT CAST({first} AS bigint) UNION ALL SELECT i + 1 FROM n WHERE i < {last})"
    off, on = (
        ("SET session_replication_role = replica", "SET session_replication_role = DEFAULT")
        if postgresql
        else ("PRAGMA foreign_keys = OFF", "PRAGMA foreign_keys = ON")
    )
    with connection.cursor() as cursor:
        cursor.execute(off)
        cursor.execute(
            f"{numbers} INSERT INTO {table} ({', '.join(written)})"
            f" SELECT {values} FROM {table} AS one, n WHERE one.report_id = %s",
            [row.pk],
        )
        cursor.execute(on)
