"""Stories to copy: a few thousand reports that lived through form, places and journal, as rows with holes.

A report's story is a list of rows, each of some table: the report itself, its entries with their texts, its
past, what hangs on it. What differs from copy to copy (keys, references, the point, and what follows from
them) is a *hole*, named by a word; everything else is written once.
"""

import json
import random
import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import connection, models

from registry.actions import inspections, journal, reports
from registry.actions.journal import Line
from registry.actions.outages import supply_columns
from registry.forms.reports import ReportForm
from registry.models import Asset, Incident, OutageStep, PastReport, Person, Report, Wording
from registry.models.reports import ROW_FIELDS
from registry.rules import supply
from registry.rules.access import GRIDS
from registry.rules.vocabularies import EntryKind, Holder, Kind

_STREETS = (
    "Shevchenka",
    "Lesi Ukrainky",
    "Sadova",
    "Zelena",
    "Myru",
    "Kyivska",
    "Franka",
    "Lisova",
    "Polova",
)
_USES = (
    "house", "house", "house", "apartments", "apartments", "apartments", "school", "kindergarten", "hospital",
    "commercial", "culture", "industrial", "warehouse", "government", "other",
)  # fmt: skip
_NETWORKS = (
    ("electricity", "substation"), ("electricity", "line"), ("electricity", "tower"), ("gas", "pipeline"),
    ("water", "pumping_station"), ("heat", "heat_main"), ("telecom", "mast"), ("transport", "bridge"),
)  # fmt: skip
_SUPPLIES = ("electricity", "electricity", "electricity", "gas", "water", "heat", "telecom")
_CAUSES = (
    ("hostilities", "blast"), ("hostilities", "debris_fall"), ("weather", "wind"), ("weather", "flood"),
    ("technical", "equipment"), ("unknown", "unknown"),
)  # fmt: skip
_PARTS = (
    "roof",
    "windows",
    "facade",
    "stairs",
    "cellar",
    "balcony",
    "chimney",
    "doors",
    "north wall",
    "lift",
)
_SEEN = ("broken", "burnt", "cracked", "missing", "leaning", "flooded", "covered with boards", "open to rain")
_SOURCES = (("own", ""), ("resident", ""), ("media", "Town paper"), ("authority", "City council"))

#: What a report passes through after logging, with how often; "seen" asks for an inspection.
_OF_DAMAGE = (
    ((), 14),
    (("needs_info",), 4),
    (("rejected",), 4),
    (("duplicate",), 5),
    (("unverifiable",), 3),
    (("verified",), 22),
    (("verified", "repair_planned"), 14),
    (("verified", "repair_planned", "repair_in_progress"), 14),
    (("verified", "repair_planned", "repair_in_progress", "repaired"), 8),
    (("verified", "repair_planned", "repair_in_progress", "repaired", "closed"), 12),
)
_OF_OUTAGES = (
    ((), 5),
    (("rejected",), 4),
    (("duplicate",), 4),
    (("confirmed",), 12),
    (("confirmed", "partially_restored"), 10),
    (("confirmed", "partially_restored", "restored"), 30),
    (("confirmed", "partially_restored", "restored", "closed"), 35),
)
_OUTCOMES = {"rejected": "not_found", "closed": "repaired"}

#: Columns that follow from a report's point.
PLACED = ("lat", "lon", "cell", *(f"{name}_{step}" for step in GRIDS for name in ("lat", "lon", "cell")))


@dataclass
class Row:
    """A row of a table: its values as the database takes them, and the places and names of its holes."""

    table: type[models.Model]
    cells: list[Any]
    holes: list[tuple[int, str]]


@dataclass
class Story:
    """A template. ``body``: an entry's body as pieces, every second of which names a hole."""

    report: Row
    point: tuple[int, int] | None
    jitter: int
    entries: list[Row] = field(default_factory=list)
    bodies: list[list[str]] = field(default_factory=list)
    #: Rows that belong to an entry (by its number among the story's) and rows of the report alone.
    below: list[tuple[int, Row]] = field(default_factory=list)
    past: list[Row] = field(default_factory=list)
    #: The story it is a duplicate of, the asset it stands on: numbers within a block.
    merged_into: int | None = None
    asset: int | None = None


@dataclass
class Cast:
    """Who and where: the people, the towns (name, region code, point), the incidents, the assets."""

    officials: list[Person]
    inspectors: list[Person]
    supervisor: Person
    towns: list[tuple[str, str, float, float]]
    incidents: list[Incident]
    assets: list[Asset]


def write(count: int, cast: Cast, *, until: datetime, dice: random.Random) -> list[Story]:
    """``count`` stories, all of them over by ``until``."""
    form = ReportForm()
    written: list[Story] = []
    live: dict[str, list[int]] = {kind: [] for kind in Kind.values}
    weights = [1 / rank for rank in range(1, len(cast.towns) + 1)]
    for number in range(count):
        town = dice.choices(cast.towns, weights)[0]
        life = _Life(number, cast, town, dice, until)
        life.log(form)
        report = life.report
        for status in _chosen(_OF_OUTAGES if report.kind == Kind.OUTAGE else _OF_DAMAGE, dice):
            if status == "duplicate":
                if not live[report.kind]:
                    continue
                life.story.merged_into = dice.choice(live[report.kind])
            life.move(status)
        if not life.moved and dice.random() < 0.02:
            life.withdraw()
        if report.status != "duplicate":
            live[report.kind].append(number)
        written.append(life.told())
    return written


def _chosen(stories: tuple[tuple[tuple[str, ...], int], ...], dice: random.Random) -> tuple[str, ...]:
    steps, often = zip(*stories, strict=True)
    return dice.choices(steps, often)[0]


class _Life:
    """One report on its way from the first word to its last state."""

    def __init__(
        self,
        number: int,
        cast: Cast,
        town: tuple[str, str, float, float],
        dice: random.Random,
        until: datetime,
    ) -> None:
        self.number, self.cast, self.town, self.dice, self.until = number, cast, town, dice, until
        self.at = until - timedelta(minutes=dice.randint(3 * 24 * 60, 700 * 24 * 60))
        self.written: list[journal.Written] = []
        self.past: list[Row] = []
        self.story = Story(Row(Report, [], []), None, 0)
        self.moved = False

    def log(self, form: ReportForm) -> None:
        """Through the form, with the gazetteer, as the web does it."""
        dice, (name, region, lat, lon) = self.dice, self.town
        kind = dice.choices((Kind.BUILDING, Kind.NETWORK, Kind.OUTAGE), (80, 8, 12))[0]
        part, seen = dice.choice(_PARTS), dice.choice(_SEEN)
        source = dice.choice(_SOURCES)
        cause = dice.choice(_CAUSES)
        data: dict[str, Any] = {
            "kind": kind,
            "place": f"{dice.choice(_STREETS)} {dice.randint(1, 240)}, {name}",
            "area": region,
            "occurred_to": self.at.date().isoformat(),
            "cause_group": cause[0],
            "cause": cause[1],
            "source_type": source[0],
            "source_name": source[1],
            "description": f"The {part} is {seen}; {dice.choice(_PARTS)} {dice.choice(_SEEN)} as well. "
            f"Neighbours of number {dice.randint(1, 240)} were told. Code word {_word(self.number)}.",
            "contact": f"+380 44 {dice.randint(1000000, 9999999)}" if dice.random() < 0.5 else "",
        }
        if dice.random() < 0.6:
            data["summary"] = f"The {part} is {seen}"
        if dice.random() < 0.85:
            # A point of its own; the others stand where the gazetteer puts the town.
            data |= {"lat": f"{dice.gauss(lat, 0.015):.6f}", "lon": f"{dice.gauss(lon, 0.022):.6f}"}
            self.story.jitter = 3_000
        if kind == Kind.BUILDING:
            total = dice.randint(1, 80)
            data |= {"object_type": dice.choice(_USES), "dwellings_total": total}
            data["dwellings_damaged"] = dice.randint(0, total)
        elif kind == Kind.NETWORK:
            data["sector"], data["object_type"] = dice.choice(_NETWORKS)
        else:
            data |= {"sector": dice.choice(_SUPPLIES), "customers_unit": "accounts"}
            data["customers_lost"] = dice.randint(20, 9000)
        if not form.check(data):
            raise ValueError(f"no valid report: {data}: {form.errors}")
        by = dice.choice(self.cast.officials)
        incident = dice.choice(self.cast.incidents) if dice.random() < 0.15 else None
        asset = None
        if kind == Kind.BUILDING and self.cast.assets and dice.random() < 0.02:
            self.story.asset = dice.randrange(len(self.cast.assets))
            asset = self.cast.assets[self.story.asset]
        with journal.clock_at(self.at):
            line = reports.new_line(form, by=by, incident=incident)
        self.report = line.report
        if asset is not None:
            self.report.of_asset = asset
            line.fields |= {"site": asset.reference, "strike_no": 1}
        self.steps = [row for row in line.rows if isinstance(row, OutageStep)]
        self._write(line)
        self.report.pk = self.number + 1

    def move(self, status: str) -> None:
        """One step of the workflow, with what it takes; now and then the office arranges or notes before."""
        dice, report = self.dice, self.report
        self.at = min(self.at + timedelta(hours=dice.randint(5, 300)), self.until - timedelta(seconds=1))
        if not self.moved and dice.random() < 0.25:
            person = dice.choice(self.cast.inspectors)
            by = self.cast.supervisor
            self._write(Line(report, EntryKind.EDITED, by=by, fields={"assignee_id": person.pk}))
        if dice.random() < 0.2:
            words = f"Asked the {dice.choice(_PARTS)} crew; {dice.choice(_SEEN)} still."
            self._write(Line(report, EntryKind.NOTED, by=report.logged_by, texts={"note": words}))
        self.moved = True
        inspector = dice.choice(self.cast.inspectors)
        day, fields, rows = self.at.date(), {"status": status}, []
        match status:
            case "verified":
                grade = inspections.new_assessment(
                    scale="ems98", grade=dice.choice("1223345"), method="field", on=day, part_seen="outside",
                    usability=dice.choice(("inspected", "restricted", "unsafe")),
                )  # fmt: skip
                fields |= inspections.grade_columns(report.kind, grade) | {
                    "verified_on": day,
                    "independently_checked": True,
                    "hands": {**report.hands, "graded": [inspector.pk]},
                }
                rows = [grade]
            case "partially_restored" | "restored" if self.steps:
                lost = self.steps[0].customers or 0
                everyone = status == "restored"
                step = OutageStep(
                    at=self.at,
                    direction=supply.BACK,
                    customers=None if everyone else lost // 2,
                    everyone=everyone,
                )
                self.steps.append(step)
                fields |= supply_columns(self.steps)
                rows = [step]
            case "duplicate":
                fields |= {"status_before_merge": report.status, "merged_into_id": _MERGED}
            case "repaired":
                fields["repaired_on"] = day
            case "closed":
                fields["closed_on"] = day
            case "repair_planned":
                fields |= {"plan_scope": f"New {dice.choice(_PARTS)}", "plan_cost": dice.randint(500, 90_000)}
                fields["plan_currency"] = "UAH"
        if status in _OUTCOMES:
            fields["outcome"] = _OUTCOMES[status]
        kind = EntryKind.STEPPED if rows and report.kind == Kind.OUTAGE else EntryKind.MOVED
        self._write(Line(report, kind, by=inspector, fields=fields, rows=rows, move=status[:24]))

    def withdraw(self) -> None:
        by = self.cast.supervisor
        self.at += timedelta(hours=1)
        self._write(Line(self.report, EntryKind.WITHDRAWN, by=by, fields={"withdrawn": "error"}))

    def _write(self, line: Line) -> None:
        report = self.report
        is_new = not self.written
        before = {} if is_new else {name: getattr(report, name) for name in ROW_FIELDS}
        # No two lines of a report in one second, so that each keeps its past.
        self.at += timedelta(seconds=not is_new)
        one = journal.prepare(line, self.at)
        if one.keeps_past:
            version = PastReport(**before, holder=Holder.OFFICE, valid_to=report.valid_from)
            self.past.append(_row(version, report_id="report"))
        self.written.append(one)

    def told(self) -> Story:
        """The life as a story with holes."""
        story, report = self.story, self.report
        holes: dict[str, str] = {}
        if story.merged_into is not None:
            holes["merged_into_id"] = "merged_into"
        if story.asset is not None:
            holes |= {"of_asset_id": "asset_id"}
        story.report = _row(report, **holes)
        story.past = self.past
        if report.lat is not None:
            story.point = int(report.lat * 1_000_000), int(report.lon * 1_000_000)
        told = {json.dumps(report.reference): "reference", str(_MERGED): "merged_into"}
        if story.point:
            told |= {f'"{report.lat:f}"': "lat", f'"{report.lon:f}"': "lon"}
        if report.of_asset is not None:
            told |= {json.dumps(report.of_asset.reference): "asset"}
            told[f'"of_asset_id":[{report.of_asset.pk}]'] = "of_asset_id"
        pattern = re.compile("|".join(map(re.escape, told)))
        for number, one in enumerate(self.written):
            story.entries.append(_row(one.entry, report_id="report", body="body", digest="digest"))
            pieces, end = [], 0
            for found in pattern.finditer(one.entry.body):
                pieces += [one.entry.body[end : found.start()], told[found[0]]]
                end = found.end()
            story.bodies.append([*pieces, one.entry.body[end:]])
            if one.texts:
                story.below.append((number, _row(Wording(texts=one.texts), entry_id="entry")))
            for child in one.line.rows:
                story.below.append((number, _row(child, report_id="report", entry_id="entry")))
        return story


#: Stands for the key of the report that a duplicate was merged into.
_MERGED = 9_111_222_333_444


def _word(number: int) -> str:
    """A word that only copies of one story hold, for searches that find little."""
    letters = "bcdfghklmnprstvz"
    return "".join(letters[number >> shift & 15] + "aeio"[number >> shift & 3] for shift in (8, 4, 0))


def _row(instance: models.Model, **holes: str) -> Row:
    """An unsaved instance as a row; its key is a hole, and so is what follows from reference and point."""
    fields = stored(type(instance))
    names = {"id": "id", "reference": "reference", "asset": "asset", "site": "asset"} | holes
    names |= {name: name for name in PLACED}
    found = []
    for place, column in enumerate(fields):
        if column.attname in names and (
            column.attname == "id" or column.attname in holes or _is_set(instance, column)
        ):
            found.append((place, names[column.attname]))
    cells = [cell(column, getattr(instance, column.attname)) for column in fields]
    return Row(type(instance), cells, found)


def _is_set(instance: models.Model, column: models.Field) -> bool:
    return getattr(instance, column.attname) not in (None, "")


def stored(table: type[models.Model]) -> list[Any]:
    """The columns that are written."""
    return [column for column in table._meta.concrete_fields if not column.generated]


_ESCAPED = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


def cell(column: Any, value: Any) -> Any:
    """A value as the database's bulk way takes it: a parameter for SQLite, text for PostgreSQL's COPY."""
    if connection.vendor != "postgresql":
        return column.get_db_prep_save(value, connection)
    if isinstance(column, models.JSONField):
        value = json.dumps(value, cls=column.encoder)
    if value is None:
        return r"\N"
    if isinstance(value, bool):
        return "t" if value else "f"
    return copied(f"{value:f}" if isinstance(value, Decimal) else str(value))


def copied(text: str) -> str:
    """Text as COPY takes it."""
    return text.translate(_ESCAPED)


__all__ = ["PLACED", "Cast", "Row", "Story", "copied", "stored", "write"]
