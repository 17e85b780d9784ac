"""Undoing a batch: what it brought in is withdrawn as an error, what it revised is put back by a new revision, and
the references of its source are free again; until somebody has worked on its reports."""

from typing import Any

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from registry.actions import journal, reports
from registry.actions.journal import Line, Refused
from registry.models import CHILDREN, Batch, BatchRow, Entry, Person, Report, SourceRef, Wording
from registry.models.story import Child
from registry.rules import access
from registry.rules.access import Verb
from registry.rules.vocabularies import EntryKind, WithdrawalReason

from . import batches, judging
from .batches import State
from .writing import worked_on

#: Reports named in a refusal.
_NAMED = 20


class WorkedOn(Refused):
    """People have worked on some of the batch's reports: ``references`` names the first, ``count`` counts."""

    def __init__(self, references: list[str], count: int) -> None:
        said = _("People have worked on %(count)d of these reports: %(references)s.")
        words = ", ".join(references) + (" …" if count > len(references) else "")
        super().__init__(said % {"count": count, "references": words}, code="worked_on")
        self.references, self.count, self.more = references, count, count - len(references)


def undo(batch: Batch, *, by: Person, keeping: bool = False) -> None:
    """Begin to undo a batch, held by us; ``advance`` does the rest.

    Raises WorkedOn if people have worked on some of its reports, or, ``keeping``, leaves these as they are.
    """
    if not access.may(by, Verb.WITHDRAW):
        raise Refused(_("Undoing an import is a supervisor's, as every withdrawal is."), code="role")
    with batches.turned(batch, by, *Batch.ENDED) as row:
        revised = row.noted.filter(outcome="changed").values("report")
        touched = Report.objects.filter(Q(batch=row) | Q(pk__in=revised), withdrawn="")
        if touched.exclude(pk__in=touched.filter(by.scope.q()).values("pk")).exists():
            raise Refused(_("Some of these reports lie outside your areas or sectors."), code="area")
        busy = touched.filter(pk__in=_deeds().filter(report__in=touched.values("pk")).values("report"))
        if not keeping and (count := busy.count()):
            raise WorkedOn(list(busy.order_by("pk").values_list("reference", flat=True)[:_NAMED]), count)
        row.state, row.next_row, row.since, row.undone_by = State.UNDOING, 0, journal.now(), by
        row.counts["undo"] = {"rows": touched.count(), "withdrawn": 0, "restored": 0, "kept": 0}
        batches.hold(row)


def chunk(row: Batch) -> None:
    """Undo some more of a batch: first what it brought in, then what it revised."""
    counts, by = row.counts["undo"], row.undone_by
    assert by
    locked = Report.objects.select_for_update(of=("self",), no_key=True)
    # In the order that the index of a batch's reports has.
    left = locked.filter(batch=row, withdrawn="").in_order().beyond(counts.get("undone_to"))
    brought_in = list(left[: judging.CHUNK])
    busy = worked_on(report.pk for report in brought_in)
    note = str(_("Import %(name)s undone") % {"name": row.name})
    gone = [report for report in brought_in if report.pk not in busy]
    if gone:
        reports.withdraw_all(gone, by=by, because=WithdrawalReason.ERROR, note=note)
        SourceRef.objects.filter(report__in=gone).delete()
    if brought_in:
        counts["undone_to"] = brought_in[-1].sort_key
    counts["withdrawn"] += len(gone)
    counts["kept"] += len(brought_in) - len(gone)
    revised = list(row.noted.filter(outcome="changed")[: judging.CHUNK - len(brought_in)])
    found = locked.in_bulk([noted.report_id for noted in revised])
    for noted in revised:
        counts["restored" if _put_back(found[noted.report_id], noted, by=by, note=note) else "kept"] += 1
        noted.delete()
    row.next_row += len(brought_in) + len(revised)
    if len(brought_in) + len(revised) < judging.CHUNK:
        row.state = State.UNDONE


def _deeds(after: int = 0) -> Any:
    """The entries by which people, not imports, have worked on reports."""
    imported = (EntryKind.LOGGED, EntryKind.REVISED)
    return Entry.objects.filter(by__isnull=False, number__gt=after).exclude(kind__in=imported)


def _put_back(report: Report, noted: BatchRow, *, by: Person, note: str) -> bool:
    """Make a report say again what it said before this batch revised it; False if somebody, or another import,
    has gone on from there."""
    assert noted.entry
    entry = Entry.objects.get(report=report, number=noted.entry)
    later = Entry.objects.filter(report=report, number__gt=entry.number)
    if report.withdrawn or later.filter(Q(by__isnull=False) | Q(kind=EntryKind.REVISED)).exists():
        return False
    moved = later.filter(kind=EntryKind.MOVED).order_by("-number")
    fields: dict[str, Any] = {}
    for told in [journal.read(one.body) for one in (*moved, entry)]:
        fields |= journal.before(told["fields"], report, fields)
        fields |= {name: _words_before(entry, name) for name in told["texts"].keys() & journal.TEXT_FIELDS}
    added = [line for table in CHILDREN for line in _lines(table, entry_id=entry.pk, voided_at=None)]
    struck = [
        _copy(line) for name, pk in journal.read(entry.body)["voids"] for line in _lines(_TABLES[name], pk=pk)
    ]
    journal.record(
        Line(report, EntryKind.REVISED, by=by, fields=fields, rows=struck, voids=added, texts={"note": note})
    )
    SourceRef.objects.filter(report=report, ref=noted.ref).update(content_digest=noted.digest)
    return True


_TABLES: dict[str, type[Child]] = {str(table._meta.model_name): table for table in CHILDREN}


def _lines(table: type[Child], **which: Any) -> list[Child]:
    return list(table._default_manager.filter(**which))


def _copy(line: Child) -> Child:
    """The same line, to be said again."""
    own = {f.attname for f in Child._meta.fields} | {"id", "report_id", "entry_id", "recorded_by_id"}
    names = [f.attname for f in line._meta.concrete_fields if f.attname not in own]
    return type(line)(**{name: getattr(line, name) for name in names})


def _words_before(entry: Entry, name: str) -> str:
    """What a free text was before an entry changed it."""
    earlier = Wording.objects.filter(
        entry__report=entry.report_id, entry__number__lt=entry.number, texts__has_key=name
    )
    last = earlier.order_by("-entry__number").first()
    return last.words()[name] if last else ""
