"""Conflicts: a row says something new about a report on which people have worked. A person decides part by part
what the report says; the row is not asked about again."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy as _

from registry.actions import inspections, journal, reports
from registry.actions.journal import Refused, require
from registry.actions.outages import supply_columns
from registry.forms import mappings
from registry.models import Assessment, BatchRow, OutageStep, Person, Report, Source, SourceRef
from registry.models.reports import field_of
from registry.models.story import Child
from registry.rules import supply
from registry.rules.access import Verb
from registry.rules.vocabularies import EntryKind, Status
from registry.rules.workflow import UNDER_STEPS
from registry.tabular import Row

from .batches import UNDOING
from .judging import Judged, Reading
from .writing import content_of, taken

_WHAT = ("kind", "sector", "object_type")
_WHEN = ("occurred_from", "occurred_to", "date_precision", "started_utc")


@dataclass
class Part:
    """A part of a report of which a row says something else: what taking it would write."""

    name: str
    label: Any
    fields: dict[str, Any]
    rows: list[Child] = field(default_factory=list)
    voids: list[Child] = field(default_factory=list)

    def shown(self, report: Report) -> Iterator[tuple[Any, str, str]]:
        """What a reader knows by name: label, what the report says, what the row says."""
        for name, theirs in self.fields.items():
            if name not in _UNSHOWN:
                words = field_of(name)
                yield words.verbose_name, _words(name, getattr(report, name)), _words(name, theirs)


#: Codes and the geocoder's own notes: what they mean stands beside them.
_UNSHOWN = {
    "geocode_query", "geocode_after", "geocode_backend", "geocode_candidates", "geocode_matched", "geo_radius_m",
    "timezone", "adm1_code", "adm2_code", "adm3_code", "hands", "ems98_min", "ems98_max",
}  # fmt: skip


def _words(name: str, value: Any) -> str:
    if value in (None, ""):
        return str(_("nothing"))
    if isinstance(value, bool):
        return str(_("yes") if value else _("no"))
    if isinstance(value, datetime):
        return date_format(localtime(value), "DATETIME_FORMAT")
    if isinstance(value, date):
        return date_format(value)
    return str(dict(field_of(name).flatchoices).get(value, value))


def parts(noted: BatchRow, report: Report) -> list[Part]:
    """Where a row says otherwise than its report does now; raises BadMapping, Refused."""
    one = _judged(noted)
    assert one.line
    steps = [line for line in one.later if line.kind == EntryKind.STEPPED]
    wanted = dict(one.line.fields)
    for line in steps:
        wanted |= line.fields
    lines = [row for line in (one.line, *steps) for row in line.rows]
    found = [
        Part("what", _("What"), {name: wanted.pop(name) for name in _WHAT}),
        Part("when", _("When"), {name: wanted.pop(name) for name in _WHEN if name in wanted}),
        Part(
            "place", _("Where"), {name: wanted.pop(name) for name in reports.PLACE_COLUMNS if name in wanted}
        ),
    ]
    for table, label, columns in _HANGS_ON:
        part = _lines_part(report, table, label, [line for line in lines if isinstance(line, table)])
        part.fields = columns(report, part)
        for name in columns(report, None):
            wanted.pop(name, None)
        found.append(part)
    found += [Part(name, field_of(name).verbose_name, {name: value}) for name, value in wanted.items()]
    for part in found:
        part.fields = {name: value for name, value in part.fields.items() if getattr(report, name) != value}
    return [part for part in found if part.rows or part.voids or any(part.shown(report))]


def decide(noted: BatchRow, taking: Iterable[str], *, by: Person) -> Report:
    """Let a report say what the row says in the parts named, and keep the others; an entry says so."""
    with transaction.atomic():
        row = (
            BatchRow.objects.select_for_update(of=("self",))
            .select_related("batch", "report")
            .get(pk=noted.pk)
        )
        if row.batch.state in UNDOING:
            raise Refused(_("This import was undone."), code="undone")
        if row.outcome != "conflict" or row.decided_at or row.report is None:
            raise Refused(_("This conflict is decided."), code="decided")
        report = journal.lock(row.report.reference)
        require(by, Verb.EDIT, report)
        wanted: dict[str, Any] = {}
        rows: list[Child] = []
        voids: list[Child] = []
        for part in parts(row, report):
            if part.name in taking:
                if part.name == "what" and report.status not in (Status.REPORTED, Status.NEEDS_INFO):
                    raise Refused(_("The kind can be changed only before verification."), code="kind")
                wanted |= part.fields
                rows += part.rows
                voids += part.voids
        said = _("Import %(name)s, row %(row)d: %(decided)s.")
        decided = (
            _("the row's words were taken in part or whole")
            if wanted or rows or voids
            else _("kept as it was")
        )
        note = str(said % {"name": row.batch.name, "row": row.number, "decided": decided})
        reports.write_change(report, wanted, by=by, kind=EntryKind.REVISED, note=note, rows=rows, voids=voids)
        SourceRef.objects.filter(report=report, ref=row.ref).update(content_digest=row.digest)
        # What the row said is in the report or was set aside: its cells are needed no more.
        row.decided_by, row.decided_at, row.cells = by, journal.now(), {}
        row.save()
    return report


def _judged(noted: BatchRow) -> Judged:
    batch = noted.batch
    reading = Reading(iter(()), mappings.load(batch.mapping), by=batch.by, batch=batch)
    one = reading.again(Row(noted.number, dict(noted.cells)), noted.ref)
    if one.line is None:
        raise Refused("; ".join(words for _column, words in reading.said(one)), code="row")
    return one


# -- what hangs on a report --------------------------------------------------------------------------------


def _live(report: Report, table: type[Any]) -> list[Any]:
    return list(table._default_manager.filter(report=report, voided_at=None).select_related("entry"))


def _lines_part(report: Report, table: type[Child], label: Any, said: list[Child]) -> Part:
    """Lines that the row adds, and those of imports that it no longer says; people's own lines stay."""
    imported = (EntryKind.LOGGED, EntryKind.REVISED)
    old = [line for line in _live(report, table) if line.entry.kind in imported]
    had, has = Counter(map(content_of, old)), Counter(map(content_of, said))
    voids = [line for line in old if not taken(has, line)]
    return Part(
        str(table._meta.model_name),
        label,
        {},
        rows=[line for line in said if not taken(had, line)],
        voids=voids,
    )


def _after(report: Report, table: type[Child], part: Part | None) -> list[Any]:
    """The lines that would hang on the report."""
    gone = {line.pk for line in part.voids} if part else set()
    return [line for line in _live(report, table) if line.pk not in gone] + (part.rows if part else [])


def _sources(report: Report, part: Part | None) -> dict[str, Any]:
    return inspections.source_columns(_after(report, Source, part))


def _grade(report: Report, part: Part | None) -> dict[str, Any]:
    return inspections.grade_columns(report.kind, inspections.current(_after(report, Assessment, part)))


def _supply(report: Report, part: Part | None) -> dict[str, Any]:
    steps = _after(report, OutageStep, part)
    columns = supply_columns(steps)
    if part and report.status in UNDER_STEPS and steps:
        columns["status"] = supply.standing(steps).status
    return columns


_HANGS_ON: tuple[tuple[type[Any], Any, Callable[[Report, Part | None], dict[str, Any]]], ...] = (
    (Source, _("Sources"), _sources),
    (Assessment, _("Damage"), _grade),
    (OutageStep, _("Supply"), _supply),
)
