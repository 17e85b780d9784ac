"""Batches: a file is taken in, checked, confirmed and imported, or cancelled; each step is a state of its row.

Whoever works on a batch holds its lease (``hold``, ``lock``): what somebody else has gone on with is Taken.
"""

import hashlib
import os
import re
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from registry.actions import journal
from registry.actions.journal import Refused
from registry.forms import mappings
from registry.forms.mappings import BadMapping
from registry.models import Batch, BatchRow, Person
from registry.rules import access
from registry.rules.access import Verb
from registry.spool import IMPORTS
from registry.tabular import Table

from .judging import MARK, no_counts

State = Batch.State
#: What is being taken back, or was: nothing of it is decided any more.
UNDOING = (State.UNDOING, State.UNDONE)
#: How long others keep off a batch whose holder has gone silent.
LEASE = timedelta(minutes=1)
#: How long a table that waits for somebody is kept, and rows that failed: they may name people.
KEPT = timedelta(days=30)


class Taken(Refused):
    """Somebody else has gone on with this batch, or ended it."""


# -- the file --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Look:
    """What one reading of a whole file shows: its headings, what was taken for granted, how many rows it has, and
    the mapping that is named for it or fits it, if one does."""

    headings: list[str]
    notes: list[str]
    rows: int
    mapping: str


@dataclass(frozen=True)
class Upload:
    """A file that has been written down and looked at."""

    path: Path
    name: str
    sha256: str
    look: Look


def upload(chunks: Iterable[bytes], name: str, *, by: Person | None, mapping: str = "") -> Upload:
    """Write a file down and ``look`` at it, for ``receive``; what is refused leaves nothing behind."""
    _require(by)
    path = IMPORTS.folder / f"part-{uuid4().hex}{_suffix(name)}"
    try:
        digest = _write_down(chunks, path)
        return Upload(path, name[-200:], digest, look(path, mapping, by=by))
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def look(path: Path, mapping: str, *, by: Person | None) -> Look:
    """Read a file to its end; where no mapping is named, the one that fits is. Raises BadTable, BadMapping,
    Refused."""
    _require(by)
    named = mappings.load(mapping) if mapping else None
    table = Table(path, named.layout if named else None)
    headings = [heading for heading in table.headings if heading and heading != MARK]
    if named:
        named.refuse_other(headings)
    rows = sum(1 for _row in table.rows())
    if not rows:
        raise Refused(_("The table has headings, but no rows."), code="empty", field="file")
    return Look(headings, [str(note) for note in table.notes], rows, mapping or fitting(headings))


def _require(by: Person | None) -> None:
    if by is not None and not access.may(by, Verb.IMPORT):
        raise Refused(_("Your role does not import."), code="role")


def fitting(headings: Iterable[str]) -> str:
    """The mapping that reads most of these columns, of those that find all they need; empty if none does."""
    headings, best = list(headings), (0, "")
    for name in mappings.names():
        with suppress(BadMapping):
            mapping = mappings.load(name)
            mapping.refuse_other(headings)
            best = max(best, (len(mapping.needs), name))
    return best[1]


def _write_down(chunks: Iterable[bytes], path: Path) -> str:
    """Its SHA-256."""
    digest, size = hashlib.sha256(), 0
    with path.open("xb") as file:
        for chunk in chunks:
            size += len(chunk)
            if size > settings.MAX_IMPORT_BYTES:
                raise too_large()
            digest.update(chunk)
            file.write(chunk)
        file.flush()
        os.fsync(file.fileno())
    return digest.hexdigest()


def too_large() -> Refused:
    most = settings.MAX_IMPORT_BYTES // (1024 * 1024)
    said = _("This file is larger than %(most)d MB. Cut it into parts and import them one by one.")
    return Refused(said % {"most": most}, code="size", field="file")


def spooled(batch: Batch) -> Path:
    """Where the file of an open batch lies."""
    return IMPORTS.folder / f"{batch.pk}{_suffix(batch.name)}"


def sampled(batch: Batch) -> Path:
    """Where the sample of an open batch's table lies: see ``columns``."""
    return IMPORTS.folder / f"{batch.pk}-columns.json"


def _suffix(name: str) -> str:
    suffix = Path(name).suffix.lower()
    return suffix if re.fullmatch(r"\.[a-z0-9]{1,8}", suffix) else ""


# -- the row ---------------------------------------------------------------------------------------------


def receive(upload: Upload, *, by: Person | None) -> Batch:
    """The batch of an uploaded file, held: it will be checked, or waits for a mapping. If this person has the
    same file with the same mapping open already, that batch."""
    with transaction.atomic():
        look = upload.look
        same = Batch.objects.filter(by=by, sha256=upload.sha256, mapping=look.mapping)
        batch = same.filter(state__in=Batch.OPEN).first()
        if batch is not None:
            upload.path.unlink(missing_ok=True)
            return batch
        at = journal.now()
        batch = Batch.objects.create(
            name=upload.name,
            mapping=look.mapping,
            sha256=upload.sha256,
            headings=look.headings,
            notes=look.notes,
            rows=look.rows,
            by=by,
            state=State.CHECKING if look.mapping else State.MAPPING,
            created_at=at,
            since=at,
            counts=no_counts(),
            lease=uuid4(),
            leased_until=timezone.now() + LEASE,
        )
        upload.path.rename(spooled(batch))
    return batch


def check(batch: Batch, mapping: str, *, by: Person) -> None:
    """Check a batch by this mapping, from its first row; raises BadMapping, Refused."""
    found = look(spooled(batch), mapping, by=by)
    with turned(batch, by, State.MAPPING, State.CHECKING, State.CHECKED) as row:
        row.mapping, row.headings, row.notes, row.rows = mapping, found.headings, found.notes, found.rows
        begin(row, State.CHECKING)


def confirm(
    batch: Batch,
    *,
    by: Person | None,
    without_failing: bool = False,
    without_likely: bool = False,
    leaving: Collection[int] = (),
) -> None:
    """Import what was checked: all rows, or, ``without_failing``, those that passed; hold it.

    Of the rows that are likely here already, all stay out ``without_likely``, or those of the numbers ``leaving``.
    """
    with turned(batch, by, State.CHECKED) as row:
        if row.counts["error"] and not without_failing:
            raise Refused(
                _("Say whether the good rows go in without those that fail."), code="failing", field="without"
            )
        row.checked = row.counts
        begin(row, State.RUNNING)
        likely = row.noted.filter(outcome="likely")
        left = likely if without_likely else likely.filter(number__in=leaving)
        stay_out = left.update(decided_by=by, decided_at=row.since)
        row.counts["likely"] = row.checked["likely"] - stay_out


def cancel(batch: Batch, *, by: Person | None) -> None:
    """Stop a batch. What an import has brought in so far stays, until it is undone."""
    with turned(batch, by, *Batch.OPEN) as row:
        if row.state != State.RUNNING:
            row.noted.all().delete()
        row.state, row.lease = State.CANCELLED, None
    forget_file(batch)


def forget() -> None:
    """Cancel what has waited for somebody too long, and forget the failing rows of what ended long ago, and files
    that a process left behind."""
    long_ago = journal.now() - KEPT
    for batch in Batch.objects.filter(state__in=(State.MAPPING, State.CHECKED), since__lt=long_ago):
        cancel(batch, by=None)
    failing = BatchRow.objects.filter(outcome="error", batch__since__lt=long_ago)
    failing.exclude(batch__state__in=Batch.OPEN).delete()
    files = [(spooled(batch), sampled(batch)) for batch in Batch.objects.filter(state__in=Batch.OPEN)]
    IMPORTS.sweep(needed={file.name for both in files for file in both})


def forget_file(batch: Batch) -> None:
    """A batch that has ended needs its files no more."""
    for file in (spooled(batch), sampled(batch)):
        file.unlink(missing_ok=True)


def begin(row: Batch, state: str) -> None:
    """From the first row on, for whoever holds it now. Which rows may be here already is known from the check."""
    kept = ["likely"] if state == State.RUNNING else []
    row.noted.exclude(outcome__in=kept).delete()
    row.state, row.next_row, row.counts, row.since = state, 0, no_counts(), journal.now()
    hold(row)


@contextmanager
def turned(batch: Batch, by: Person | None, *states: str) -> Iterator[Batch]:
    """The locked row of a batch in one of these states, to be changed; ``batch`` becomes as it is then."""
    with transaction.atomic():
        row = Batch.objects.select_for_update(of=("self",)).select_related("by").get(pk=batch.pk)
        if by is not None and not Batch.objects.seen_by(by).filter(pk=row.pk).exists():
            raise Refused(_("This import is not open to you."), code="area")
        if row.state not in states:
            said = _("This import has gone on: %(state)s.")
            raise Taken(said % {"state": row.get_state_display().lower()}, code="taken")
        yield row
        row.save()
    renew(batch, row)


def renew(batch: Batch, row: Batch) -> None:
    """Make ``batch`` say what its row says now."""
    for field in Batch._meta.concrete_fields:
        setattr(batch, field.attname, getattr(row, field.attname))


def hold(batch: Batch) -> None:
    """Take the lease of a batch: whoever had it is gone, or will find it taken when it commits."""
    batch.lease, batch.leased_until = uuid4(), timezone.now() + LEASE
    batch.save()


def mine(batch: Batch) -> Batch:
    """The locked row of a batch that we hold, still as we know it; else Taken."""
    rows = Batch.objects.select_for_update(of=("self",)).select_related("by", "undone_by")
    row = rows.filter(pk=batch.pk, lease=batch.lease, next_row=batch.next_row, state=batch.state).first()
    if row is None:
        raise Taken(_("Somebody else has gone on with this import."), code="taken")
    return row
