"""The work on batches, in committed chunks, by whoever runs: the command, the worker, or a page for a moment.

``advance`` does one chunk of a batch that we hold, ``run_chunk`` one of any batch that nobody is at work on.
A chunk commits only if the batch's next row and lease are as it found them, so that a process may be killed
anywhere, and two may run, and nothing is lost or doubled.
"""

import hashlib
import time
from collections.abc import Callable, Collection
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from registry.actions import duplicates
from registry.forms import mappings
from registry.forms.mappings import BadMapping
from registry.models import Batch, BatchRow, Person
from registry.models.sql import uncollected, undone_in_memory
from registry.tabular import BadTable, Table

from . import batches, undoing
from .batches import State, Taken
from .judging import Judged, Reading, count, count_wrongs, no_counts
from .writing import set_conflicts, write

#: Rows that a preview keeps for a person: what failed, and what meets a person's work.
_NOTED = ("error", "conflict")


def preview(
    path: Path,
    mapping: str,
    *,
    by: Person | None = None,
    without_likely: bool = False,
    progress: Callable[[int, int], None] = lambda done, rows: None,
    failing: Callable[[list[str], list[BatchRow]], None] = lambda headings, rows: None,
) -> tuple[int, dict[str, Any]]:
    """What an import would do, without writing anything: how many rows there are, and the counts."""
    look = batches.look(path, mapping, by=by)
    reading, counts = _reading(path, look.mapping, by=by), no_counts()
    while judged := reading.take():
        set_conflicts([one for one in judged if one.outcome == "changed"])
        likely = _likely(reading, judged)
        if without_likely:
            _leave_out(judged, {row.number for row in likely})
        else:
            counts["likely"] += len(likely)
        count(counts, judged)
        noted = _noted(reading, judged)
        count_wrongs(counts, noted)
        failing(look.headings, noted)
        progress(reading.at, look.rows)
    return reading.at, counts


def _reading(path: Path, mapping: str, *, by: Person | None, batch: Batch | None = None) -> Reading:
    read_by = mappings.load(mapping)
    return Reading(Table(path, read_by.layout).rows(), read_by, by=by, batch=batch)


def _noted(reading: Reading, judged: list[Judged]) -> list[BatchRow]:
    """The rows of a chunk that a person has to look at, not saved."""
    return [
        BatchRow(
            batch=reading.batch,
            number=one.row.number,
            outcome=one.outcome,
            said=reading.said(one),
            cells=one.row.cells,
            ref=one.ref,
            digest=one.digest,
            report_id=one.known.report_id if one.known else None,
        )
        for one in judged
        if one.outcome in _NOTED
    ]


def _likely(reading: Reading, judged: list[Judged]) -> list[BatchRow]:
    """The new rows of a chunk that are likely of the same damage as a report that is here, not saved."""
    new = [one for one in judged if one.outcome == "new" and one.line]
    revised = [one.known.report_id for one in judged if one.known]
    found = duplicates.likely([one.line for one in new if one.line], by=reading.by, but=revised)
    return [
        BatchRow(
            batch=reading.batch,
            number=one.row.number,
            outcome="likely",
            said=[["", reason] for reason in same[1].reasons],
            ref=one.ref,
            report_id=same[0],
        )
        for one, same in zip(new, found, strict=True)
        if same
    ]


def _leave_out(judged: list[Judged], numbers: Collection[int]) -> None:
    """Leave the new rows of these numbers out: they are likely here already."""
    for one in judged:
        if one.outcome == "new" and one.row.number in numbers:
            one.stays_out()


def start(path: Path, mapping: str, *, by: Person | None = None, without_likely: bool = False) -> Batch:
    """Take a file in and import it unseen, held by us, or take up again the batch of the same file and mapping
    that is not done. Raises BadTable, BadMapping, Refused.

    ``without_likely``: it is checked first, and once it is, ``confirm`` it.
    """
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        file.seek(0)
        running = Batch.objects.filter(sha256=sha256, mapping=mapping, by=by, state=State.RUNNING)
        if batch := running.first():
            batches.hold(batch)
            return batch
        upload = batches.upload(iter(partial(file.read, 1 << 20), b""), path.name, by=by, mapping=mapping)
    with transaction.atomic():
        batch = batches.receive(upload, by=by)
        if not without_likely:
            batches.begin(batch, State.RUNNING)
        elif batch.state == State.CHECKING:
            batches.hold(batch)
    return batch


#: The file that this process reads, between one chunk and the next.
_held: dict[int, Reading] = {}


@undone_in_memory()
@uncollected()
def advance(batch: Batch, *, hold: bool = True) -> bool:
    """Do the next chunk of a batch that we hold; False when it is done. ``hold``: keep it for the next chunk.

    A file that cannot be read to its end after all ends its batch, which says why. Raises Taken if somebody else
    has gone on with it; then nothing was written.
    """
    try:
        act = undoing.chunk if batch.state == State.UNDOING else _reader(batch)
    except (BadTable, BadMapping, OSError) as error:
        act = partial(_fail, problem=str(error))
    with transaction.atomic():
        row = batches.mine(batch)
        act(row)
        at_work = row.is_at_work
        row.lease = row.lease if hold and at_work else None
        row.leased_until = timezone.now() + batches.LEASE
        row.save()
    batches.renew(batch, row)
    if not at_work:
        _held.pop(batch.pk, None)
        if batch.state not in Batch.OPEN:
            batches.forget_file(batch)
    return at_work


def _reader(batch: Batch) -> Callable[[Batch], None]:
    """Judge the next chunk of a batch's file; what is to be done with it on the locked row."""
    reading = _held.pop(batch.pk, None)
    if reading is None or reading.at != batch.next_row:
        reading = _reading(batches.spooled(batch), batch.mapping, by=batch.by, batch=batch)
        reading.skip(batch.next_row)
    judged = reading.take()
    likely = _likely(reading, judged) if batch.state == State.CHECKING else []
    if batch.state == State.RUNNING and judged:
        between = (judged[0].row.number, judged[-1].row.number)
        left = batch.noted.filter(outcome="likely", number__range=between).exclude(decided_at=None)
        _leave_out(judged, set(left.values_list("number", flat=True)))
    _held.clear()
    _held[batch.pk] = reading

    def act(row: Batch) -> None:
        if row.state == State.RUNNING:
            write(judged, row, reading.mapping.source)
        else:
            set_conflicts([one for one in judged if one.outcome == "changed"])
        noted = _noted(reading, judged)
        BatchRow.objects.bulk_create([*noted, *likely])
        count(row.counts, judged)
        count_wrongs(row.counts, noted)
        row.counts["likely"] += len(likely)
        row.next_row = reading.at
        if row.next_row >= row.rows:
            row.state = State.DONE if row.state == State.RUNNING else State.CHECKED

    return act


def _fail(row: Batch, *, problem: str) -> None:
    row.state, row.problem = State.FAILED, problem


def run_chunk() -> bool:
    """Do a chunk of a batch that nobody holds; whether there was one. For the worker."""
    free = Q(lease=None) | Q(leased_until__lt=timezone.now())
    with transaction.atomic():
        waiting = Batch.objects.select_for_update(skip_locked=True).filter(free, state__in=Batch.AT_WORK)
        batch = waiting.order_by("pk").first()
        if batch is None:
            return False
        batches.hold(batch)
    with suppress(Taken):
        advance(batch, hold=False)
    return True


def run_for(batch: Batch, seconds: float) -> None:
    """Work on a batch that we hold, for about so many seconds, and leave the rest to the worker."""
    until = time.monotonic() + seconds
    with suppress(Taken):
        while batch.is_at_work and advance(batch, hold=True) and time.monotonic() < until:
            pass
    _held.pop(batch.pk, None)
    Batch.objects.filter(pk=batch.pk, lease=batch.lease).update(lease=None)
