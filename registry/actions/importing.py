"""Imports: a file of rows becomes reports, in committed chunks, by whoever runs: the command or the worker.

``start`` takes a file in, ``advance`` does one chunk of it, ``run_chunk`` one of any batch that nobody is at
work on. A chunk commits only if the batch's next row and lease are as it found them, so that a process may
be killed anywhere, and two may run, and nothing is lost or doubled.

A row is known again by its source and its own id there; where a source has no ids, by the digest of its
cells and how many such rows stood before it in the file. A row that says what it said is left alone; another
revises its report, unless a person has worked on that: then it is a conflict, for a person.
"""

import csv
import hashlib
import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from itertools import islice, zip_longest
from pathlib import Path
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from registry.forms import mappings
from registry.forms.rows import DATED_MOVES, RowForm
from registry.models import Assessment, Batch, Entry, OutageStep, Person, Report, Source, SourceRef
from registry.models.sql import blank, insert_new
from registry.models.story import Child
from registry.rules import access, supply
from registry.rules.access import Verb
from registry.rules.vocabularies import EntryKind, GeocodeState, Kind, Status, WithdrawalReason
from registry.tabular import Row, Table

from . import journal, reports
from .journal import Line, Refused
from .outages import supply_columns

#: Rows in one transaction.
CHUNK = 300
#: How long others keep off a batch whose holder has gone silent.
LEASE = timedelta(minutes=1)
#: What may become of a row: their counts sum to the rows of the file.
OUTCOMES = ("new", "unchanged", "changed", "conflict", "left_out", "error")
_MOVED_TO: list[str] = [status for _name, status in DATED_MOVES]


class Taken(Refused):
    """Somebody else has gone on with this batch, or ended it."""


@dataclass
class Judged:
    """What becomes of a row. ``errors``: fields or columns and what is wrong with them; ``reason``: why it is
    left out; ``problem``: why its place stays vague (see ``mappings.problems``)."""

    row: Row
    outcome: str = "error"
    errors: list[tuple[str, Any]] = field(default_factory=list)
    reason: str = ""
    problem: str = ""
    ref: str = ""
    said: mappings.Mapped | None = None
    digest: str = ""
    known: SourceRef | None = None
    #: What logs the row, and the lines that follow it: dated steps and moves.
    line: Line | None = None
    later: list[Line] = field(default_factory=list)

    def fails(self, *errors: tuple[str, Any], outcome: str = "error") -> None:
        self.outcome, self.errors = outcome, list(errors)


# -- judging rows --------------------------------------------------------------------------------------


class _Reading:
    """A file on its way through a mapping; it remembers which references it has met."""

    def __init__(
        self, path: Path, mapping: mappings.Mapping, *, by: Person | None, batch: Batch | None
    ) -> None:
        self.mapping, self.by, self.batch = mapping, by, batch
        # One form for all rows: making one a row is 25 times slower.
        self.form, self.places = RowForm(), mappings.Places()
        self.rows = Table(path).rows()
        self.met: dict[int, int] = {}
        self.at = self.last = 0

    def skip(self, count: int) -> None:
        """Pass over rows that are done."""
        for row in islice(self.rows, count):
            self._reference(row)
            self.at, self.last = self.at + 1, row.number

    def take(self) -> list[Judged]:
        """The next chunk of rows, judged; empty at the end."""
        judged = [self._read(row) for row in islice(self.rows, CHUNK)]
        pending = [one for one in judged if one.digest]
        refs = SourceRef.objects.filter(source=self.mapping.source, ref__in=[one.ref for one in pending])
        known = {ref.ref: ref for ref in refs}
        for one in pending:
            one.known = known.get(one.ref)
            if one.known is not None and one.known.content_digest == one.digest:
                one.outcome = "unchanged"
            else:
                self._check(one)
        self.at += len(judged)
        return judged

    def _reference(self, row: Row) -> tuple[str, int]:
        """The row's reference, and the number of the row that had it before it, 0 if none had."""
        if self.mapping.ref:
            ref = row.cells.get(self.mapping.ref, "")
            first = self.met.setdefault(hash(ref), row.number)
            return ref, first if first != row.number else 0
        content = journal.digest(journal.canonical(row.cells))
        nth = self.met[hash(content)] = self.met.get(hash(content), 0) + 1
        return f"{content[:40]}-{nth}", 0

    def _read(self, row: Row) -> Judged:
        one = Judged(row)
        one.ref, earlier = self._reference(row)
        if row.problem:
            one.fails(("", row.problem))
        elif not 0 < len(one.ref) <= 200:
            one.fails((self.mapping.ref, _("The row needs a reference of at most 200 characters.")))
        elif earlier:
            one.fails((self.mapping.ref, _("Row %(row)d has the same reference.") % {"row": earlier}))
        else:
            try:
                one.said = self.mapping.read(row.cells)
            except mappings.Unmapped as error:
                one.fails((error.column, error.message))
            else:
                if one.said.left_out:
                    one.outcome, one.reason = "left_out", one.said.left_out
                else:
                    one.digest = journal.digest(journal.canonical({**one.said.areas, **one.said.values}))
        return one

    def _check(self, one: Judged) -> None:
        """Put a row through the form, and make the lines it would write."""
        assert one.said is not None
        form, values = self.form, one.said.values
        place = mappings.Place()
        if "area" not in values:
            place = self.places.of(one.said)
            values["area"] = place.code
        if not form.check(values):
            one.fails(*((name, message) for name, messages in form.errors.items() for message in messages))
            return
        if place.problem:
            one.problem = place.problem
            form.place_values = {**form.place_values, **_vaguely(form.place_values, place)}
        one.line = reports.new_line(form, by=self.by, batch=self.batch)
        one.later = _complete(one.line, form)
        one.outcome = "changed" if one.known else "new"
        if self.by is not None and not self._may_log(one.line):
            one.fails(("area", _("This lies outside your areas or sectors.")))

    def _may_log(self, line: Line) -> bool:
        for name, value in line.fields.items():
            setattr(line.report, name, value)
        return access.may(self.by, Verb.LOG, line.report)


def _vaguely(place_values: Any, place: mappings.Place) -> dict[str, Any]:
    """The place columns of a row whose words name no area we know, or several: the words are kept."""
    typed = place_values["place_typed"]
    words = {"place_typed": ", ".join(filter(None, (typed, place.unknown)))[:300]}
    if typed:
        return words
    ambiguous = place.problem.endswith("ambiguous")
    return words | {"geocode_state": GeocodeState.AMBIGUOUS if ambiguous else GeocodeState.NOT_FOUND}


def _complete(line: Line, form: RowForm) -> list[Line]:
    """Add what only a file says to the line that logs a row, and return what follows it: the dated steps
    and moves. Nobody made these here: they have no author, and no check is satisfied by them."""
    cleaned, report = form.cleaned_data, line.report
    if report.kind == Kind.OUTAGE:
        return _restoration(line, cleaned["started_at"], cleaned["restored_at"])
    moves = []
    for name, status in DATED_MOVES:
        if cleaned[name]:
            fields = {name: cleaned[name], "status": status, "independently_checked": False}
            if status == Status.CLOSED:
                fields["outcome"] = cleaned["outcome"]
            noon = datetime.combine(cleaned[name], time(12), ZoneInfo(line.fields["timezone"] or "UTC"))
            at = min(noon.astimezone(UTC), journal.now())
            moves.append(Line(report, EntryKind.MOVED, fields=fields, happened_at=at))
    return moves


def _restoration(line: Line, started: datetime, restored: datetime | None) -> list[Line]:
    if restored is None:
        return []
    steps = [row for row in line.rows if isinstance(row, OutageStep)]
    if not steps:
        steps = [OutageStep(at=started, direction=supply.LOST)]
        line.rows = [*line.rows, *steps]
        line.fields |= supply_columns(steps)
    back = OutageStep(at=restored, direction=supply.BACK, everyone=True)
    fields = supply_columns([*steps, back])
    return [Line(line.report, EntryKind.STEPPED, fields=fields, rows=[back], happened_at=restored)]


# -- writing -------------------------------------------------------------------------------------------


def _write(judged: Sequence[Judged], batch: Batch, source: str) -> None:
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
                report=one.line.report,
                batch=batch,
            )
            for one in new
            if one.line
        ]
    )
    changed = [one for one in judged if one.outcome == "changed" and one.known]
    keys = [one.known.report_id for one in changed if one.known]
    locked = Report.objects.select_for_update(of=("self",), no_key=True).in_bulk(keys)
    _set_conflicts(changed)
    for one in changed:
        if one.outcome == "changed" and one.known:
            _revise(locked[one.known.report_id], one, by=batch.by)
            SourceRef.objects.filter(pk=one.known.pk).update(content_digest=one.digest)


def worked_on(report_ids: Iterable[int]) -> set[int]:
    """Which of these reports a person has done something to, other than importing them."""
    deeds = Entry.objects.filter(report__in=list(report_ids), by__isnull=False)
    imported = (EntryKind.LOGGED, EntryKind.REVISED)
    return set(deeds.exclude(kind__in=imported).values_list("report_id", flat=True))


def _set_conflicts(changed: Sequence[Judged]) -> None:
    """Leave the changed rows on whose reports people have worked to a person."""
    ids = {one.known.report_id for one in changed if one.known}
    busy = worked_on(ids) if ids else set()
    references = Report.objects.filter(pk__in=busy).in_bulk()
    for one in changed:
        if one.known and (report := references.get(one.known.report_id)):
            said = _("The file says otherwise now, and people have worked on report %(reference)s.")
            one.fails(("", said % {"reference": report.reference}), outcome="conflict")


def _revise(report: Report, one: Judged, *, by: Person | None) -> None:
    """Make a report say what its row says now; what no longer holds is struck out, never deleted."""
    assert one.line is not None
    steps = [line for line in one.later if line.kind == EntryKind.STEPPED]
    wanted = dict(one.line.fields)
    for line in steps:
        wanted |= line.fields
    asked_online = report.geocode_backend not in ("", "gazetteer")
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
    had, has = Counter(map(_content, old)), Counter(map(_content, rows))
    voids = [child for child in old if not _taken(has, child)]
    added = [row for row in rows if not _taken(had, row)]
    journal.record(Line(report, EntryKind.REVISED, by=by, fields=fields, rows=added, voids=voids))
    for line in one.later:
        status = line.fields.get("status")
        if status and _rank(status) > _rank(report.status):
            journal.record(Line(report, line.kind, fields=line.fields, happened_at=line.happened_at))


def _rank(status: str) -> int:
    return _MOVED_TO.index(status) if status in _MOVED_TO else -1


def _content(child: Child) -> tuple:
    """What a line that hangs on a report says, whoever wrote it and when."""
    own = {f.attname for f in Child._meta.fields} | {"id", "report_id", "entry_id", "recorded_by_id"}
    said = (getattr(child, f.attname) for f in child._meta.concrete_fields if f.attname not in own)
    return (type(child), *said)


def _taken(counted: Counter, child: Child) -> bool:
    """Take one such line off the count; whether there was one."""
    key = _content(child)
    counted[key] -= 1
    return counted[key] >= 0


def _count(counts: dict[str, Any], judged: Iterable[Judged]) -> None:
    """Add what became of rows to a batch's counts."""

    def add(group: str, key: str) -> None:
        counts[group][key] = counts[group].get(key, 0) + 1

    for one in judged:
        counts[one.outcome] += 1
        if one.reason:
            add("reasons", one.reason)
        if one.outcome in ("new", "changed") and one.line:
            add("places", str(one.line.fields["geo_precision"]))
            if one.problem:
                add("problems", one.problem)


def _no_counts() -> dict[str, Any]:
    return {**dict.fromkeys(OUTCOMES, 0), "reasons": {}, "places": {}, "problems": {}}


# -- the file of errors --------------------------------------------------------------------------------


def errors_file(batch: Batch) -> Path:
    """Where the errors of a batch are, by row and field, with the cells as they were; there is no such file
    without errors."""
    return _folder() / f"{batch.pk}-errors.csv"


def _folder() -> Path:
    return Path(settings.DATA_DIR) / "imports"


def write_errors(path: Path, judged: Iterable[Judged], *, headings: Sequence[str]) -> None:
    """Append the errors of these rows to a CSV file; it gets its headings when it is made."""
    lines = [
        [one.row.number, name, str(message), *(one.row.cells.get(heading, "") for heading in headings)]
        for one in judged
        for name, message in one.errors
    ]
    if not lines:
        return
    is_new = not path.exists()
    with path.open("a", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        if is_new:
            writer.writerow(["row", "field", "message", *headings])
        writer.writerows(lines)


def _forget_errors(path: Path, *, after: int) -> None:
    """Drop the errors of rows after this one: of a chunk that was written down but never committed."""
    if not path.exists():
        return
    with path.open(encoding="utf-8", newline="") as file:
        headings, *lines = csv.reader(file)
    kept = [line for line in lines if line[0].isdigit() and int(line[0]) <= after]
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([headings, *kept] if kept else [])
    if not kept:
        path.unlink()


# -- batches -------------------------------------------------------------------------------------------


def preview(
    path: Path,
    mapping: str,
    *,
    by: Person | None = None,
    progress: Callable[[int], None] = lambda done: None,
    errors: Callable[[list[Judged]], None] = lambda judged: None,
) -> tuple[int, dict[str, Any]]:
    """What an import would do, without writing anything: how many rows there are, and the counts."""
    reading = _Reading(path, _fit(path, mapping, by), by=by, batch=None)
    counts = _no_counts()
    while judged := reading.take():
        _set_conflicts([one for one in judged if one.outcome == "changed"])
        _count(counts, judged)
        errors([one for one in judged if one.errors])
        progress(reading.at)
    return reading.at, counts


def _fit(path: Path, name: str, by: Person | None) -> mappings.Mapping:
    """The mapping, if this person may import this file with it."""
    if by is not None and not access.may(by, Verb.IMPORT):
        raise Refused(_("Your role does not import."), code="role")
    mapping = mappings.load(name)
    mapping.refuse_other(Table(path).headings)
    return mapping


def start(path: Path, mapping: str, *, by: Person | None = None) -> Batch:
    """Take a file in and hold it, or take up again the batch of the same file and mapping that is not done.

    The whole file is read first: one that is no table, or not for this mapping, leaves nothing behind.
    Raises BadTable, BadMapping, Refused.
    """
    _fit(path, mapping, by)
    rows = sum(1 for _row in Table(path).rows())
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    _folder().mkdir(mode=0o700, exist_ok=True)
    spooled = _spooled(sha256)
    if not spooled.exists():
        shutil.copyfile(path, spooled.with_suffix(".part"))
        spooled.with_suffix(".part").rename(spooled)
    with transaction.atomic():
        same = Batch.objects.select_for_update().filter(
            sha256=sha256, mapping=mapping, state=Batch.State.RUNNING
        )
        batch = same.first() or Batch(
            name=path.name[:200],
            mapping=mapping,
            sha256=sha256,
            state=Batch.State.RUNNING,
            by=by,
            created_at=journal.now(),
            rows=rows,
            counts=_no_counts(),
        )
        # Whoever held it is gone, or will find its lease taken when it commits.
        batch.lease, batch.leased_until = uuid4(), timezone.now() + LEASE
        batch.save()
    return batch


def _spooled(sha256: str) -> Path:
    return _folder() / f"{sha256}.csv"


#: The file that this process reads, between one chunk and the next.
_held: dict[int, _Reading] = {}


def advance(batch: Batch, *, hold: bool = True) -> bool:
    """Do the next chunk of a batch that we hold; False when it is done. ``hold``: keep it for the next chunk.

    Raises Taken if somebody else has gone on with it; then nothing was written.
    """
    reading = _held.pop(batch.pk, None)
    if reading is None or reading.at != batch.next_row:
        reading = _resumed(batch)
    judged = reading.take()
    with transaction.atomic():
        mine = Batch.objects.select_for_update(of=("self",)).filter(
            pk=batch.pk, lease=batch.lease, next_row=batch.next_row, state=Batch.State.RUNNING
        )
        row = mine.select_related("by").first()
        if row is None:
            raise Taken(_("Somebody else has gone on with this import."), code="taken")
        _write(judged, row, reading.mapping.source)
        _count(row.counts, judged)
        # Before the commit: an error that was counted is never missing.
        write_errors(
            errors_file(batch), judged, headings=[h for h in Table(_spooled(row.sha256)).headings if h]
        )
        row.next_row = reading.at
        done = row.next_row >= row.rows
        row.state = Batch.State.DONE if done else row.state
        row.lease = row.lease if hold and not done else None
        row.leased_until = timezone.now() + LEASE
        row.save()
    for name in ("next_row", "counts", "state", "lease", "leased_until"):
        setattr(batch, name, getattr(row, name))
    if not done:
        _held.clear()
        _held[batch.pk] = reading
    elif not Batch.objects.filter(sha256=row.sha256, state=Batch.State.RUNNING).exists():
        _spooled(row.sha256).unlink(missing_ok=True)
    return not done


def _resumed(batch: Batch) -> _Reading:
    """The batch's file, read as far as the batch is done."""
    reading = _Reading(_spooled(batch.sha256), mappings.load(batch.mapping), by=batch.by, batch=batch)
    reading.skip(batch.next_row)
    _forget_errors(errors_file(batch), after=reading.last)
    return reading


def run_chunk() -> bool:
    """Do a chunk of a batch that nobody holds; whether there was one. For the worker."""
    free = Q(lease=None) | Q(leased_until__lt=timezone.now())
    with transaction.atomic():
        waiting = Batch.objects.select_for_update(skip_locked=True).filter(free, state=Batch.State.RUNNING)
        batch = waiting.order_by("pk").first()
        if batch is None:
            return False
        batch.lease, batch.leased_until = uuid4(), timezone.now() + LEASE
        batch.save(update_fields=["lease", "leased_until"])
    with suppress(Taken):
        advance(batch, hold=False)
    return True


def undo(batch: Batch, *, by: Person) -> dict[str, int]:
    """Withdraw what a batch brought in, as an error, and free the references of its source.

    Reports on which people have worked stay: returns how many were ``withdrawn`` and ``kept``. Safe to
    repeat.
    """
    if not access.may(by, Verb.WITHDRAW):
        raise Refused(_("Your role does not do this."), code="role")
    mine = batch.reports.filter(withdrawn="")
    if mine.exclude(pk__in=mine.filter(by.scope.q()).values("pk")).exists():
        raise Refused(_("Some of these reports lie outside your areas or sectors."), code="area")
    Batch.objects.filter(pk=batch.pk).update(state=Batch.State.UNDONE, lease=None)
    batch.state = Batch.State.UNDONE
    counts = {"withdrawn": 0, "kept": 0}
    keys = list(mine.order_by("pk").values_list("pk", flat=True))
    for start_at in range(0, len(keys), CHUNK):
        with transaction.atomic():
            locked = Report.objects.select_for_update(of=("self",), no_key=True).filter(
                pk__in=keys[start_at : start_at + CHUNK], withdrawn=""
            )
            rows = list(locked)
            busy = worked_on(row.pk for row in rows)
            for row in rows:
                if row.pk in busy:
                    counts["kept"] += 1
                    continue
                note = str(_("Import %(name)s undone") % {"name": batch.name})
                reports.withdraw(row.reference, by=by, because=WithdrawalReason.ERROR, note=note)
                SourceRef.objects.filter(report=row).delete()
                counts["withdrawn"] += 1
    return counts
