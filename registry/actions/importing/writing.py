"""What the judged rows of a chunk write: new reports, and revisions of those whose rows changed."""

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import zip_longest

from django.utils.translation import gettext_lazy as _

from registry.actions import journal, reports
from registry.actions.journal import Line
from registry.forms.rows import DATED_MOVES
from registry.models import Assessment, Batch, BatchRow, Entry, OutageStep, Person, Report, Source, SourceRef
from registry.models.sql import blank, insert_new
from registry.models.story import Child
from registry.rules.vocabularies import EntryKind

from .judging import Judged

_MOVED_TO: list[str] = [status for _name, status in DATED_MOVES]


def write(judged: Sequence[Judged], batch: Batch, source: str) -> None:
    """Write a chunk's new and changed rows; must run in the transaction that moves the batch on."""
    new = [one for one in judged if one.outcome == "new"]
    lines = [one.line for one in new if one.line]
    journal.record_many(lines)
    for wave in zip_longest(*(one.later for one in new)):
        journal.record_many([line for line in wave if line])
    insert_new(
        [
            blank(
                SourceRef,
                source=source,
                ref=one.ref,
                content_digest=one.digest,
                report_id=one.line.report.pk,
                batch_id=batch.pk,
            )
            for one in new
            if one.line
        ]
    )
    changed = [one for one in judged if one.outcome == "changed" and one.known]
    keys = [one.known.report_id for one in changed if one.known]
    locked = Report.objects.select_for_update(of=("self",), no_key=True).in_bulk(keys)
    set_conflicts(changed)
    notes = []
    for one in changed:
        if one.outcome == "changed" and one.known:
            report = locked[one.known.report_id]
            entry = _revise(report, one, by=batch.by)
            notes.append(
                BatchRow(
                    batch=batch,
                    number=one.row.number,
                    outcome="changed",
                    ref=one.ref,
                    digest=one.known.content_digest,
                    report=report,
                    entry=entry.number,
                )
            )
            SourceRef.objects.filter(pk=one.known.pk).update(content_digest=one.digest)
    BatchRow.objects.bulk_create(notes)


def worked_on(report_ids: Iterable[int]) -> set[int]:
    """Which of these reports a person has done something to, other than importing them."""
    deeds = Entry.objects.filter(report__in=list(report_ids), by__isnull=False)
    imported = (EntryKind.LOGGED, EntryKind.REVISED)
    return set(deeds.exclude(kind__in=imported).values_list("report_id", flat=True))


def set_conflicts(changed: Sequence[Judged]) -> None:
    """Leave the changed rows on whose reports people have worked to a person."""
    ids = {one.known.report_id for one in changed if one.known}
    busy = worked_on(ids) if ids else set()
    references = Report.objects.filter(pk__in=busy).in_bulk()
    for one in changed:
        if one.known and (report := references.get(one.known.report_id)):
            said = _("The file says otherwise now, and people have worked on report %(reference)s.")
            one.fails(("", said % {"reference": report.reference}), outcome="conflict")


def _revise(report: Report, one: Judged, *, by: Person | None) -> Entry:
    """Make a report say what its row says now; what no longer holds is struck out, never deleted."""
    assert one.line is not None
    steps = [line for line in one.later if line.kind == EntryKind.STEPPED]
    wanted = dict(one.line.fields)
    for line in steps:
        wanted |= line.fields
    asked_online = report.geocode_backend not in ("", "gazetteer", "known")
    if asked_online and report.place_typed == wanted["place_typed"]:
        wanted = {name: value for name, value in wanted.items() if name not in reports.PLACE_COLUMNS}
    fields = {name: value for name, value in wanted.items() if getattr(report, name) != value}
    if fields.keys() & set(reports.PLACE_COLUMNS):
        fields["geocode_query"] = report.geocode_query + 1
    old = [
        child
        for table in (Source, Assessment, OutageStep)
        for child in table._default_manager.filter(report=report, voided_at=None)
    ]
    rows = [row for line in (one.line, *steps) for row in line.rows]
    had, has = Counter(map(content_of, old)), Counter(map(content_of, rows))
    voids = [child for child in old if not taken(has, child)]
    added = [row for row in rows if not taken(had, row)]
    entry = journal.record(Line(report, EntryKind.REVISED, by=by, fields=fields, rows=added, voids=voids))
    for line in one.later:
        status = line.fields.get("status")
        if status and _rank(status) > _rank(report.status):
            journal.record(Line(report, line.kind, fields=line.fields, happened_at=line.happened_at))
    return entry


def _rank(status: str) -> int:
    return _MOVED_TO.index(status) if status in _MOVED_TO else -1


def content_of(child: Child) -> tuple:
    """What a line that hangs on a report says, whoever wrote it and when."""
    own = {f.attname for f in Child._meta.fields} | {"id", "report_id", "entry_id", "recorded_by_id"}
    said = (getattr(child, f.attname) for f in child._meta.concrete_fields if f.attname not in own)
    return (type(child), *said)


def taken(counted: Counter, child: Child) -> bool:
    """Take one such line off the count; whether there was one."""
    key = content_of(child)
    counted[key] -= 1
    return counted[key] >= 0
