"""Batches: a file of rows becomes reports, in committed chunks, by whoever runs: the command or the worker.

``start`` takes a file in, ``advance`` does one chunk of it, ``run_chunk`` one of any batch that nobody is at
work on. A chunk commits only if the batch's next row and lease are as it found them, so that a process may
be killed anywhere, and two may run, and nothing is lost or doubled.
"""

import csv
import hashlib
import shutil
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from registry.actions import journal, reports
from registry.actions.journal import Refused
from registry.forms import mappings
from registry.models import Batch, Person, Report, SourceRef
from registry.rules import access
from registry.rules.access import Verb
from registry.rules.vocabularies import WithdrawalReason
from registry.tabular import Table

from . import judging
from .judging import Judged, Reading, count, no_counts
from .writing import set_conflicts, worked_on, write

#: How long others keep off a batch whose holder has gone silent.
LEASE = timedelta(minutes=1)


class Taken(Refused):
    """Somebody else has gone on with this batch, or ended it."""


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
    reading = Reading(path, _fit(path, mapping, by), by=by, batch=None)
    counts = no_counts()
    while judged := reading.take():
        set_conflicts([one for one in judged if one.outcome == "changed"])
        count(counts, judged)
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
            counts=no_counts(),
        )
        # Whoever held it is gone, or will find its lease taken when it commits.
        batch.lease, batch.leased_until = uuid4(), timezone.now() + LEASE
        batch.save()
    return batch


def _spooled(sha256: str) -> Path:
    return _folder() / f"{sha256}.csv"


#: The file that this process reads, between one chunk and the next.
_held: dict[int, Reading] = {}


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
        write(judged, row, reading.mapping.source)
        count(row.counts, judged)
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


def _resumed(batch: Batch) -> Reading:
    """The batch's file, read as far as the batch is done."""
    reading = Reading(_spooled(batch.sha256), mappings.load(batch.mapping), by=batch.by, batch=batch)
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
    for start_at in range(0, len(keys), judging.CHUNK):
        with transaction.atomic():
            locked = Report.objects.select_for_update(of=("self",), no_key=True).filter(
                pk__in=keys[start_at : start_at + judging.CHUNK], withdrawn=""
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
