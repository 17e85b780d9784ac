"""Files that take long, made by the worker while whoever wants them does something else, and kept for some days.

One worker makes one file at a time, in a thread of its own, and looks after it between its other duties. A file holds
what its owner might see when it was made: it is not given out to somebody who may see something else now, and what
an audience is no longer to see takes all files of audiences with it (``taken_back``).
"""

import hashlib
import json
import os
import time
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.db.models import Q
from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import gettext as _

from registry.actions.journal import now
from registry.filters import BadFilter, select
from registry.models import Download, Person, WantedFile
from registry.outputs.formats import FORMATS, Unfit
from registry.outputs.sending import MAKING, Busy, Sink, Spool
from registry.outputs.tables import TABLES, Table

from .replica import reading

State = WantedFile.State
#: A file is kept this long from when it was asked for.
KEPT = timedelta(days=7)
#: So many files may wait for one person, and for all visitors together.
MOST_WAITING = 10
#: A worker that has not been heard of for this long makes its file no more.
_LEASE = timedelta(minutes=2)
#: How long one look at a file in the making takes, in seconds.
_LOOK = 0.5
_COPIED = 1 << 20


class TooMany(Exception):
    """As many files wait as are kept waiting for one person."""


def path_of(wanted: WantedFile) -> Path:
    """Where the file lies once it is made."""
    return settings.DATA_DIR / "files" / f"{wanted.key}.{wanted.format}"


def seen_as(person: Person | None) -> str:
    """What a person may see, as far as files of the office depend on it."""
    if person is None:
        return ""
    scope = person.scope
    areas = {str(level): sorted(codes) for level, codes in scope.areas.items()}
    sectors = None if scope.sectors is None else sorted(scope.sectors)
    return json.dumps([person.role, person.is_active, areas, sectors])


def is_for(wanted: WantedFile, person: Any) -> bool:
    """Whether this person may have the file: whoever wanted it, as long as they see what they saw."""
    if wanted.by_id is None:
        return True
    return getattr(person, "pk", None) == wanted.by_id and seen_as(person) == wanted.seen_as


def want(person: Person | None, table: Table, format: str, query: str) -> WantedFile:
    """Have a file made of what this person selects; the same one that already waits for them. Raises BadFilter, and
    TooMany."""
    selection = select(person, QueryDict(query))
    table.sheet(selection)
    waiting = WantedFile.objects.filter(by=person, state__in=WantedFile.OPEN)
    asked = {"table": table.name, "format": format, "holder": selection.holder, "query": selection.query}
    if person is not None and (same := waiting.filter(**asked, seen_as=seen_as(person)).first()):
        return same
    if waiting.count() >= MOST_WAITING:
        raise TooMany
    return WantedFile.objects.create(by=person, created_at=now(), seen_as=seen_as(person), **asked)


def cancel(wanted: WantedFile) -> None:
    """Nobody wants it any more."""
    WantedFile.objects.filter(pk=wanted.pk).delete()
    path_of(wanted).unlink(missing_ok=True)


def forget() -> None:
    """Delete the files that were kept long enough, and what was left behind by processes that were killed."""
    WantedFile.objects.filter(created_at__lt=now() - KEPT).delete()
    made = {path_of(wanted) for wanted in WantedFile.objects.filter(state=State.DONE)}
    yesterday = time.time() - 24 * 3600
    for path in (settings.DATA_DIR / "files").glob("*"):
        if path not in made and path.stat().st_mtime < yesterday:
            path.unlink(missing_ok=True)
    for path in settings.DATA_DIR.glob(f"{MAKING}*"):
        if path.stat().st_mtime < yesterday:
            for part in path.iterdir() if path.is_dir() else ():
                part.unlink(missing_ok=True)
            path.rmdir() if path.is_dir() else path.unlink(missing_ok=True)


# -- making --------------------------------------------------------------------------------------------


@dataclass
class _Work:
    """A file in the making, by this process."""

    wanted: WantedFile
    lease: UUID
    download: Download
    spool: Spool | None = None
    rows: int | None = None
    done: int = 0

    @property
    def held(self) -> Any:
        """The row, as long as it is wanted and this process makes it."""
        return WantedFile.objects.filter(pk=self.wanted.pk, state=State.BUILDING, lease=self.lease)


_at_work: _Work | None = None


def build() -> bool:
    """Look after the file in the making, or begin the next; whether there is one."""
    global _at_work
    work = _at_work or _taken()
    _at_work = None
    if work is None:
        return False
    try:
        if work.spool is None:
            work.spool = _begun(work)
        if not work.spool.finished(within=_LOOK):
            told = {"done": work.done, "rows": work.rows, "leased_until": timezone.now() + _LEASE}
            if work.held.update(**told):
                _at_work = work
            else:
                work.spool.close()
            return True
        _finish(work)
    except Busy:
        # As many downloads run as may; it waits for its turn again.
        work.held.update(state=State.WAITING, lease=None, leased_until=None)
        return False
    except (BadFilter, Unfit) as refused:
        work.held.update(state=State.FAILED, problem=str(refused))
    except Exception:
        work.held.update(state=State.FAILED, problem=_("Something went wrong. Ask for it once more."))
        raise
    finally:
        if work.spool is not None and work is not _at_work:
            work.spool.close()
    return True


def _taken() -> _Work | None:
    """The file that has waited longest, held by this process from now on."""
    free = Q(state=State.WAITING) | Q(state=State.BUILDING, leased_until__lt=timezone.now())
    wanted = WantedFile.objects.filter(free).select_related("by").first()
    if wanted is None:
        return None
    lease = uuid4()
    held = {"state": State.BUILDING, "lease": lease, "leased_until": timezone.now() + _LEASE, "since": now()}
    if not WantedFile.objects.filter(free, pk=wanted.pk).update(**held, done=0):
        return None
    what = f"{wanted.table}.{wanted.format}"
    download = Download(by=wanted.by, at=now(), holder=wanted.holder, what=what, filter=wanted.query)
    return _Work(wanted, lease, download)


def _begun(work: _Work) -> Spool:
    wanted, form = work.wanted, FORMATS[work.wanted.format]
    if wanted.by is not None and seen_as(wanted.by) != wanted.seen_as:
        raise Unfit(_("You may see something else by now. Ask for it once more."))
    with reading(wanted.by):
        selection = select(wanted.by, QueryDict(wanted.query))
        table = TABLES[wanted.table]
        sheet = replace(table.sheet(selection), seen=lambda rows: _count(work, rows))
        wanted.name = table.file_name(selection, form.name)
        work.download.save()

        def write(sink: Sink) -> int:
            form.check(sheet)
            work.rows = sheet.count()
            return form.write(sheet, sink)

        return Spool(write, alias=selection.using)


def _count(work: _Work, rows: int) -> None:
    work.done += rows


def _finish(work: _Work) -> None:
    """Keep the file, if it is still wanted."""
    assert work.spool is not None
    path, total = path_of(work.wanted), hashlib.sha256()
    path.parent.mkdir(mode=0o750, exist_ok=True)
    part = path.with_suffix(".part")
    with part.open("wb") as file:
        for data in work.spool:
            total.update(data)
            file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.replace(part, path)
    made = {
        "state": State.DONE,
        "sha256": total.hexdigest(),
        "size": work.spool.size,
        "name": work.wanted.name,
    }
    if not work.held.update(**made, done=work.done, rows=work.done, lease=None, leased_until=None):
        path.unlink(missing_ok=True)
    Download.objects.filter(pk=work.download.pk).update(rows=work.done)
