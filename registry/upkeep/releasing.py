"""Releases made, verified and held against each other; the worker makes what was asked for."""

import csv
import fcntl
import json
import logging
import os
import shutil
import sqlite3
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _

from registry.actions import releases
from registry.models import Release, Seal
from registry.outputs import bundling

from . import sealing

log = logging.getLogger(__name__)


# -- making ------------------------------------------------------------------------------------------------


def make_next() -> bool:
    """Make the release that has waited longest, and say whether there was one; none while a command makes one."""
    release = Release.objects.filter(state=Release.State.WAITING).order_by("number").first()
    if release is None:
        return False
    try:
        make(release, wait=False)
    except BlockingIOError:
        return False
    except Exception as error:
        log.exception(_("Release %(number)d could not be made"), {"number": release.number})
        releases.fail(release, f"{type(error).__name__}: {error}")
    return True


def make(release: Release, *, wait: bool = True) -> None:
    """Write the files of a release that was asked for. Killed at any point, it is made anew from its beginning.

    One process makes releases at a time: others wait, or get a BlockingIOError, and leave what was made meanwhile.
    """
    parent = releases.folder(release).parent
    parent.mkdir(parents=True, exist_ok=True)
    turn = os.open(parent, os.O_RDONLY)
    try:
        fcntl.flock(turn, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        release.refresh_from_db()
        if release.state == Release.State.WAITING:
            _make(release)
    finally:
        os.close(turn)


def _make(release: Release) -> None:
    def progress(percent: int) -> None:
        Release.objects.filter(pk=release.pk).update(percent=percent)

    seal = first_seal(release)
    there = releases.folder(release)
    part = there.with_name(f"{there.name}.part")
    while True:
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir()
        made, checksum = _write(release, part, seal, progress)
        releases.write_rows(part / releases.ROWS, bundling.references(part / "reports.csv"))
        if releases.finish(release, part, made=made, checksum=checksum, seal=seal):
            break
    shutil.rmtree(part, ignore_errors=True)


def _write(
    release: Release, folder: Path, seal: Seal, progress: Callable[[int], None] = lambda percent: None
) -> tuple[dict[str, Any], str]:
    selection = releases.selected(
        release.audience, release.edition, release.query, since=release.since, using="reader"
    )
    left = len(_references(release.since) - _references(release)) if release.since else None
    return bundling.write(release, selection, folder, seal=seal, left=left, progress=progress)


def _references(release: Release) -> set[int]:
    """Which reports stand in the whole selection of a release, as numbers."""
    selection = releases.selected(release.audience, release.edition, release.query, using="reader")
    found: set[int] = set()
    for rows in selection.tables:
        found.update(rows.order_by().values_list("report_id", flat=True).iterator())
    return found


def first_seal(release: Release) -> Seal:
    """The first seal after a release's edition; made now if there is none yet."""
    while True:
        found = Seal.objects.filter(sealed_at__gte=release.edition.made_at).order_by("number").first()
        if found:
            return found
        sealing.seal()


# -- verifying ---------------------------------------------------------------------------------------------


def verify(folder: Path) -> list[str]:
    """What is wrong with a bundle, wherever it lies: its files against its own SHA256SUMS; nothing if all is
    well."""
    sums = folder / bundling.SUMS
    if not sums.is_file():
        return [_("%(file)s is missing") % {"file": bundling.SUMS}]
    wrong, listed = [], {bundling.SUMS, releases.ROWS}
    for line in sums.read_text().splitlines():
        digest, _space, name = line.partition("  ")
        listed.add(name)
        file = folder / name
        if Path(name).name != name or not file.is_file():
            wrong.append(_("%(file)s is missing") % {"file": name})
        elif bundling.digest(file) != digest:
            wrong.append(_("%(file)s is not what was released") % {"file": name})
    others = sorted({file.name for file in folder.iterdir()} - listed)
    wrong += [_("%(file)s is not part of it") % {"file": name} for name in others]
    return wrong


def checksum(release: Release) -> str:
    """SHA-256 of the SHA256SUMS that lie there now."""
    return bundling.digest(releases.folder(release) / bundling.SUMS)


def rebuild(release: Release) -> list[str]:
    """The names of files that would be other ones if the release were made now, from the register as it is: none,
    unless something in it was withdrawn or made coarser since, or the software is another."""
    with tempfile.TemporaryDirectory(prefix="release-", dir=releases.folder(release).parent) as folder:
        assert release.seal
        _write(release, Path(folder), release.seal)
        there = releases.folder(release)
        names = [*(file["name"] for file in release.files), bundling.SUMS]
        return [
            name for name in names if bundling.digest(there / name) != bundling.digest(Path(folder, name))
        ]


# -- comparing ---------------------------------------------------------------------------------------------


@dataclass
class Difference:
    """What the rows of one bundle have that another's had not: ``added`` and ``revised`` name reports, the
    latter with the columns that changed; what ``vanished`` is a number alone."""

    added: list[str] = field(default_factory=list)
    revised: dict[str, list[str]] = field(default_factory=dict)
    vanished: int = 0

    @property
    def columns(self) -> Counter[str]:
        """How many reports each column changed in."""
        return Counter(name for names in self.revised.values() for name in names)


def compare(earlier: Path, later: Path) -> Difference:
    """What changed from one bundle's reports to another's, in flat memory."""
    found = Difference()
    with tempfile.NamedTemporaryFile(suffix=".sqlite3") as file, sqlite3.connect(file.name) as kept:
        kept.execute("PRAGMA journal_mode=OFF")
        kept.execute("CREATE TABLE rows (reference TEXT PRIMARY KEY, cells TEXT) WITHOUT ROWID")
        heads = {}
        with (earlier / "reports.csv").open(newline="") as rows:
            reader = csv.reader(rows)
            heads["earlier"] = next(reader)
            kept.executemany("INSERT INTO rows VALUES (?, ?)", ((row[0], json.dumps(row)) for row in reader))
        met = 0
        for head, row in _rows(later / "reports.csv"):
            before = kept.execute("SELECT cells FROM rows WHERE reference = ?", (row[0],)).fetchone()
            if before is None:
                found.added.append(row[0])
                continue
            met += 1
            was = dict(zip(heads["earlier"], json.loads(before[0]), strict=True))
            changed = [name for name, cell in zip(head, row, strict=True) if was.get(name, "") != cell]
            # Of itself alone, the moment of a change says nothing.
            if set(changed) - {"updated_utc"}:
                found.revised[row[0]] = changed
        (total,) = kept.execute("SELECT COUNT(*) FROM rows").fetchone()
        found.vanished = total - met
    return found


def _rows(file: Path) -> Iterator[tuple[list[str], list[str]]]:
    with file.open(newline="") as rows:
        reader = csv.reader(rows)
        head = next(reader)
        for row in reader:
            yield head, row
