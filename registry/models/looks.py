"""How files that are long to read leave SQLite's log of writes room: in several looks.

Whoever reads keeps SQLite from writing its log over from the beginning, and it grows with all that is logged
meanwhile. So once it is long, a file ends its look, has what the log holds put into the database, and goes on in
another look with the rows as they were at its beginning: the past keeps them (``Since``). PostgreSQL needs none of it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from fcntl import LOCK_EX, LOCK_NB, LOCK_SH, flock
from pathlib import Path
from time import monotonic, sleep
from typing import IO, Any

from django.db import connections
from django.db.models import Max, Min, Q, QuerySet

from registry.rules.vocabularies import Holder

from .reports import PastReport, Report
from .rows import ReportQuerySet
from .sql import kept_off
from .story import Edition

#: A log of so many bytes is long: as many as SQLite leaves of it when it begins anew.
LONG = 64 * 2**20
#: So many seconds a file waits for others to end their looks: all do that see a long log.
_PATIENCE = 5.0


@dataclass(frozen=True)
class Since:
    """What the register held at one moment: rows with keys up to these, and for audiences this edition."""

    report: int
    past: int
    edition: datetime | None

    @classmethod
    def now(cls, using: str) -> "Since":
        report, past = (
            table._default_manager.using(using).aggregate(last=Max("pk"))["last"] or 0
            for table in (Report, PastReport)
        )
        return cls(report, past, Edition.objects.using(using).values_list("at", flat=True).first())

    def stood(self, rows: ReportQuerySet, holder: str) -> ReportQuerySet:
        """Those of the holder's current rows that are as they were then."""
        then = Q(pk__lte=self.report) if holder == Holder.OFFICE else Q(valid_from__lte=self.edition)
        stood = rows.filter(then).exclude(pk__in=self._gone(holder).values("report").query)
        return kept_off(stood, {"id", "valid_from"})

    def left(self, rows: ReportQuerySet, holder: str) -> ReportQuerySet:
        """Those of the holder's past rows that were current then."""
        first = self._gone(holder).values("report").annotate(first=Min("pk")).values("first")
        return rows.filter(pk__in=first.query)

    def ended(self, rows: ReportQuerySet) -> ReportQuerySet:
        """Those of the past rows that were past then."""
        return kept_off(rows.filter(pk__lte=self.past), {"id"})

    def _gone(self, holder: str) -> QuerySet[PastReport]:
        """What is past since; taken as bare queries, which run wherever the rows are read."""
        return PastReport.objects.order_by().filter(holder=holder, pk__gt=self.past)


@contextmanager
def look(using: str) -> Iterator[None]:
    """Within the block SQLite shows one state of the register. Not for within a transaction."""
    raw = _raw(using)
    with _gate(using) as gate:
        flock(gate, LOCK_SH)
        raw.execute("BEGIN")
        try:
            yield
        finally:
            raw.execute("ROLLBACK")


def is_log_long(using: str) -> bool:
    try:
        return Path(f"{connections[using].settings_dict['NAME']}-wal").stat().st_size > LONG
    except FileNotFoundError:
        return False


def empty_log(using: str) -> None:
    """Have SQLite put its log into the database and begin it anew, once all looks have ended; not if one of them
    lasts."""
    until = monotonic() + _PATIENCE
    with _gate(using) as gate:
        while not _is_alone(gate):
            if monotonic() > until:
                return
            sleep(0.02)
        # Whoever waited too may have done it.
        if is_log_long(using):
            raw = _raw(using)
            # First what can be put there while others write.
            for how in ("PASSIVE", "TRUNCATE"):
                raw.execute(f"PRAGMA wal_checkpoint({how})")


def _is_alone(gate: IO) -> bool:
    try:
        flock(gate, LOCK_EX | LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _gate(using: str) -> IO:
    """What all looks of all processes hold, and only one that empties the log, for itself alone."""
    return open(f"{connections[using].settings_dict['NAME']}-looks", "w")


def _raw(using: str) -> Any:
    connections[using].ensure_connection()
    return connections[using].connection
