"""The worker: what is due is done in small committed chunks; it may be killed at any moment, and several may
run.

Each duty that runs on the clock has one row of ``Progress``. A chunk commits together with that row's next
time, or not at all; who finds the row locked or no longer due goes on. Duties that wait for somebody else's
machine hold a lease instead of the lock.
"""

import logging
import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from uuid import UUID, uuid4

from django.conf import settings
from django.db import close_old_connections, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from registry.actions import editions, importing, tallies
from registry.models import Progress
from registry.rules.vocabularies import Holder
from registry.spool import TABLES

from . import filing, locating, releasing
from .sealing import seal

log = logging.getLogger(__name__)

#: How long the worker rests when nothing is due, in seconds.
REST = 2.0
#: How long a lease keeps others away.
LEASE = timedelta(minutes=5)


# -- duties --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Duty:
    """Something the worker does again and again.

    ``act`` does one chunk and says whether more waits. ``next_time``: when it is due next, once nothing
    waits. ``leased``: it asks other machines, so it runs outside a transaction, under a lease.
    """

    name: str
    act: Callable[[], object]
    next_time: Callable[[datetime], datetime]
    leased: bool = False


def every(**span: float) -> Callable[[datetime], datetime]:
    return lambda at: at + timedelta(**span)


def daily(at: datetime) -> datetime:
    """The next time that ``EDITION_AT`` comes on the clock of the register's zone."""
    zone = timezone.get_default_timezone()
    hour, minute = (int(part) for part in settings.EDITION_AT.split(":"))
    today = at.astimezone(zone).date()
    times = (
        datetime.combine(today + timedelta(days=days), time(hour, minute), zone).astimezone(UTC)
        for days in range(3)
    )
    return next(moment for moment in times if moment > at)


def _seal() -> None:
    made = seal()
    log.info(_("Seal %(number)d: %(digest)s"), {"number": made.number, "digest": made.digest})


def _publish() -> None:
    made = editions.publish()
    log.info(_("Edition of %(at)s published"), {"at": made.at.isoformat()})


def _write_day() -> None:
    while tallies.merge():
        pass
    tallies.write_day(Holder.OFFICE, timezone.localdate(timezone=timezone.get_default_timezone()))


def _forget() -> None:
    """What nobody came back for."""
    importing.forget()
    filing.forget()
    TABLES.sweep()


#: What the worker does, in this order; a new duty is one line.
DUTIES: tuple[Duty, ...] = (
    Duty("merge", tallies.merge, every(seconds=5)),
    Duty("locate", locating.locate, every(seconds=30), leased=True),
    Duty("seal", _seal, lambda at: at + timedelta(minutes=settings.SEAL_MINUTES)),
    Duty("publish", _publish, daily),
    Duty("day", _write_day, daily),
    Duty("forget", _forget, every(hours=1)),
    # In a thread of its own, under a lease of its own.
    Duty("files", filing.build, every(seconds=1), leased=True),
    Duty("release", releasing.make_next, every(seconds=5), leased=True),
    # Under a lease of its own, for it commits chunk by chunk.
    Duty("import", importing.run_chunk, every(seconds=10), leased=True),
)


def do(duty: Duty) -> bool:
    """Do one chunk of a duty if it is due and free; whether it did."""
    if not _due(duty).exists():
        return False
    return _do_leased(duty) if duty.leased else _do_locked(duty)


def _due(duty: Duty):
    return Progress.objects.filter(duty=duty.name, due_at__lte=timezone.now())


def _do_locked(duty: Duty) -> bool:
    with transaction.atomic():
        row = _due(duty).select_for_update(skip_locked=True).first()
        if row is None:
            return False
        if not duty.act():
            row.due_at = duty.next_time(timezone.now())
            row.save(update_fields=["due_at"])
    return True


def _do_leased(duty: Duty) -> bool:
    lease = uuid4()
    free = Q(lease=None) | Q(leased_until__lt=timezone.now())
    if not _due(duty).filter(free).update(lease=lease, leased_until=timezone.now() + LEASE):
        return False
    waits = True
    try:
        waits = bool(duty.act())
    finally:
        _release(duty, lease, waits)
    return True


def _release(duty: Duty, lease: UUID, waits: bool) -> None:
    # Only if the lease is still ours: a worker that was slow must not undo what another has begun.
    mine = Progress.objects.filter(duty=duty.name, lease=lease)
    if waits:
        mine.update(lease=None, leased_until=None)
    else:
        mine.update(lease=None, leased_until=None, due_at=duty.next_time(timezone.now()))


# -- the loop ------------------------------------------------------------------------------------------


def enlist() -> None:
    """Give each duty its row; a duty that has never run is due at its next time, or now if it runs often."""
    at = timezone.now()
    for duty in DUTIES:
        first = duty.next_time(at) if duty.next_time is daily else at
        Progress.objects.get_or_create(duty=duty.name, defaults={"due_at": first})


def work(*, once: bool = False, stop: threading.Event | None = None) -> None:
    """Do what is due until ``stop`` is set, or, with ``once``, until nothing is due.

    A duty that fails is logged and tried again after a rest.
    """
    stop = stop or threading.Event()
    enlist()
    while not stop.is_set():
        busy = False
        for duty in DUTIES:
            if stop.is_set():
                return
            try:
                busy |= do(duty)
            except Exception:
                if once:
                    raise
                log.exception(_("The worker's duty %(duty)s failed"), {"duty": duty.name})
                close_old_connections()
        if not busy:
            if once:
                return
            stop.wait(REST)


def stop_on_signals() -> threading.Event:
    """An event that SIGTERM and SIGINT set: the worker ends after the chunk in hand."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_args: stop.set())
    return stop
