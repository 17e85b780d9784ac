"""A register of any size for the bench: realistic skew, timelines with their past, digests that verify.

Each report lives through its story in memory, by the journal's own ``prepare``; only the writing is in bulk.
"""

import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import connection, transaction

from registry.actions import editions, journal, tallies
from registry.actions.journal import Line
from registry.models import Area, PastReport, Person, Report, Text
from registry.models.reports import ROW_FIELDS
from registry.models.sql import insert_new
from registry.rules import scales
from registry.rules.vocabularies import EntryKind, Holder, Kind

_CHUNK = 1000
#: Towns hold reports as a few large and many small ones do: weights fall as 1/rank.
TOWNS = 300
NOW = datetime(2026, 10, 1, 12, tzinfo=UTC)
_USES = (
    "house",
    "house",
    "apartments",
    "apartments",
    "school",
    "commercial",
    "culture",
    "industrial",
    "clinic",
)
_SECTORS = ("electricity", "electricity", "gas", "water", "heat")
#: Entries after logging, as statuses passed through, with how often.
_STORIES = (
    ((), 12),
    (("verified",), 30),
    (("verified", "repair_planned"), 18),
    (("verified", "repair_planned", "repair_in_progress"), 20),
    (("verified", "repair_planned", "repair_in_progress", "repaired", "closed"), 20),
)


def areas() -> list[Area]:
    """A country of ten regions with ten districts each."""
    country = Area.objects.create(code="XX", level=0, country="XX", name="Benchland", timezone="Europe/Kyiv")
    districts = []
    for number in range(10):
        region = Area.objects.create(
            code=f"XX-{number:02}", level=1, country="XX", name=f"Region {number}", parent=country
        )
        districts += [
            Area.objects.create(
                code=f"{number}{below}",
                level=2,
                country="XX",
                name=f"District {number}{below}",
                parent=region,
            )
            for below in range(10)
        ]
    return districts


def _towns(dice: random.Random, districts: list[Area]) -> list[dict[str, Any]]:
    return [
        {
            "name": f"Town {number}",
            "district": districts[number % len(districts)],
            "lat": dice.uniform(45, 52),
            "lon": dice.uniform(23, 40),
        }
        for number in range(TOWNS)
    ]


def _logged(dice: random.Random, town: dict[str, Any], at: datetime) -> dict[str, Any]:
    """The columns of a report as it is logged."""
    kind = dice.choices((Kind.BUILDING, Kind.NETWORK, Kind.OUTAGE), (80, 8, 12))[0]
    district = town["district"]
    columns = {
        "kind": kind,
        "sector": "" if kind == Kind.BUILDING else dice.choice(_SECTORS),
        "object_type": dice.choice(_USES) if kind == Kind.BUILDING else "",
        "status": "reported",
        "country": "XX",
        "adm1_code": district.parent.code,
        "adm1_name": district.parent.name,
        "adm2_code": district.code,
        "adm2_name": district.name,
        "settlement": town["name"],
        "address": f"Long Street {dice.randint(1, 400)}",
        "place_typed": town["name"],
        "lat": round(Decimal(town["lat"] + dice.gauss(0, 0.02)), 6),
        "lon": round(Decimal(town["lon"] + dice.gauss(0, 0.03)), 6),
        "geo_precision": "exact",
        "geo_radius_m": 25,
        "geocode_state": "typed",
        "timezone": "Europe/Kyiv",
        "occurred_from": at.date(),
        "occurred_to": at.date(),
        "date_precision": "day",
        "cause_group": "weather",
        "cause": "wind",
        "damage_level": "" if kind == Kind.OUTAGE else "unknown",
        "summary": "Roof and windows damaged",
        "sources": "Town paper",
        "sources_n": 1,
    }
    if kind == Kind.OUTAGE:
        lost = dice.randint(20, 9000)
        columns |= {"customers_unit": "accounts", "customers_affected": lost, "customers_out": lost}
        columns["started_utc"] = at
    return columns


_AS_OUTAGE = {
    "verified": "confirmed",
    "repair_planned": "confirmed",
    "repair_in_progress": "partially_restored",
    "repaired": "restored",
    "closed": "closed",
}


def _moved(dice: random.Random, report: Report, status: str, at: datetime) -> dict[str, Any]:
    """The columns that a move changes."""
    if report.kind == Kind.OUTAGE:
        back = status in ("repaired", "closed")
        out = 0 if back else (report.customers_out or 0) // 2
        return {"status": _AS_OUTAGE[status], "customers_out": out, "figures_as_of_utc": at}
    if status == "verified":
        grade = dice.choice("1223345")
        return {
            "status": status,
            "verified_on": at.date(),
            "scale": "ems98",
            "scale_grade": grade,
            "method": "field",
            "assessed_on": at.date(),
            **scales.crosswalk("ems98", grade),
        }
    if status == "closed":
        return {"status": status, "closed_on": at.date(), "outcome": "repaired"}
    return {"status": status}


def _stories(size: int, by: Person, dice: random.Random, districts: list[Area]) -> Iterator[tuple[Any, ...]]:
    """Each report in its last state, with its entries, texts and past."""
    towns = _towns(dice, districts)
    weights = [1 / rank for rank in range(1, len(towns) + 1)]
    stories, often = zip(*_STORIES, strict=True)
    for number in range(1, size + 1):
        at = NOW - timedelta(minutes=dice.randint(3 * 24 * 60, 700 * 24 * 60))
        columns = _logged(dice, dice.choices(towns, weights)[0], at) | {
            "logged_by_id": by.pk,
            "hands": {"logged": [by.pk]},
        }
        report = Report()
        written = [journal.prepare(Line(report, EntryKind.LOGGED, by=by, fields=columns), at)]
        report.pk = number
        past = []
        for status in dice.choices(stories, often)[0]:
            before = {name: getattr(report, name) for name in ROW_FIELDS}
            at = min(at + timedelta(hours=dice.randint(20, 400)), NOW - timedelta(seconds=1))
            fields = _moved(dice, report, status, at)
            one = journal.prepare(Line(report, EntryKind.MOVED, by=by, fields=fields), at)
            written.append(one)
            if one.keeps_past:
                past.append(
                    PastReport(**before, report_id=number, holder=Holder.OFFICE, valid_to=report.valid_from)
                )
        for one in written:
            one.entry.report_id = number
        yield report, written, past


def make(size: int, *, progress: Callable[[int], None] = lambda done: None) -> Person:
    """Fill an empty register with ``size`` reports and return the official who logged them."""
    dice = random.Random(7)
    districts = areas()
    by = Person.objects.create_user("bench@example.org", None, name="Bench", role="official")
    by.areas.add(Area.objects.get(code="XX"))
    chunk: list[tuple[Any, ...]] = []
    for number, story in enumerate(_stories(size, by, dice, districts), 1):
        chunk.append(story)
        if len(chunk) == _CHUNK or number == size:
            _write(chunk)
            chunk = []
            progress(number)
    with transaction.atomic():
        tallies.rewrite(Holder.OFFICE)
    editions.publish(at=NOW)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return by


@transaction.atomic
def _write(chunk: list[tuple[Any, ...]]) -> None:
    insert_new([report for report, _written, _past in chunk])
    entries = [one.entry for _report, written, _past in chunk for one in written]
    insert_new(entries)
    insert_new(
        [
            Text(entry=one.entry, field=name, salt=salt, text=text)
            for _report, written, _past in chunk
            for one in written
            for name, (salt, text) in one.texts.items()
        ]
    )
    insert_new([row for _report, _written, past in chunk for row in past])
