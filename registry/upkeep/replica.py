"""The replica behind ``reader``, and when the primary answers in its place.

What goes through ``filters.select`` (lists, maps, figures, files) reads by ``reader``; everything else, and
all that writes, goes by ``default``. With a replica, ``reader`` is that replica where ``reading`` finds it
fit, and else the same connection as ``default``: it does not answer, it lags, or the person has written
something that it has not replayed yet.

A thread in each process looks at both servers every second, so that no page waits to learn how they are.
"""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Lock, Thread
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.db import Error, close_old_connections, connections
from django.utils.translation import gettext as _

from registry.models import Person

log = logging.getLogger(__name__)

LOOK_EVERY = 1.0
#: What can be wrong: it does not answer; it lags; it follows another database, or none.
AWAY, BEHIND, STRANGER = "away", "behind", "stranger"


class Replica:
    """What this process knows of the replica."""

    def __init__(self) -> None:
        #: One of the words above, or nothing.
        self.fault = ""
        # Everything committed by this moment of the monotonic clock is on the replica.
        self._as_of = time.monotonic()
        # How far it has replayed the primary's log; 0 until it was seen to keep up.
        self._replayed = 0
        # Where the primary's log ended at some moment: a replica under load is always a little behind.
        self._mark: tuple[int, float] | None = None
        self._watcher: Thread | None = None
        self._starting = Lock()

    @property
    def behind(self) -> float:
        """By how many seconds at most the replica is behind."""
        return time.monotonic() - self._as_of

    def has(self, position: int) -> bool:
        """Whether the replica is fit to read from and has replayed the primary's log up to ``position``."""
        fit = not self.fault and self.behind <= settings.REPLICA_MAX_LAG
        return fit and self._replayed > 0 and position <= self._replayed

    def look(self) -> None:
        """See how far both servers are."""
        close_old_connections()
        now = time.monotonic()
        try:
            server, written = _ask("default", "pg_current_wal_lsn()")
        except Error:
            return  # every page says so itself
        try:
            followed, replayed = _ask("reader", "pg_last_wal_replay_lsn()")
        except Error as error:
            return self._found(AWAY, str(error))
        if followed != server or replayed is None:
            return self._found(STRANGER)
        passed = now if replayed >= written else self._passed(replayed)
        if passed:
            self._as_of, self._mark = passed, None
        self._mark = self._mark or (written, now)
        if self.behind > settings.REPLICA_MAX_LAG:
            return self._found(BEHIND)
        if passed or self._replayed:
            self._replayed = replayed
        self._found("")

    def _passed(self, replayed: int) -> float | None:
        return self._mark[1] if self._mark and replayed >= self._mark[0] else None

    def _found(self, fault: str, why: str = "") -> None:
        if fault and fault != self.fault:
            log.warning(
                _("The replica is not read: %(fault)s. %(why)s"), {"fault": fault, "why": why.strip()}
            )
        elif self.fault and not fault:
            log.warning(_("The replica is read again"))
        self.fault = fault

    @property
    def is_watched(self) -> bool:
        return self._watcher is not None and self._watcher.is_alive()

    def watch(self) -> None:
        """Have a thread look from now on; safe to repeat, also after a fork."""
        with self._starting:
            if not self.is_watched:
                self._watcher = Thread(target=self._keep_looking, daemon=True)
                self._watcher.start()

    def _keep_looking(self) -> None:
        while True:
            self.look()
            time.sleep(LOOK_EVERY)


replica = Replica()


def _ask(alias: str, position: str) -> tuple[int, Any]:
    """Which cluster this is, and a position in its log; None for what this server does not have."""
    with connections[alias].cursor() as cursor:
        cursor.execute(f"SELECT system_identifier, ({position} - '0/0')::bigint FROM pg_control_system()")
        return cursor.fetchone()


@contextmanager
def reading(person: Any = None) -> Iterator[None]:
    """Within the block ``reader`` is the replica, if there is one fit for this person, or the primary."""
    if settings.DATABASE_REPLICA_URL and not replica.is_watched:
        replica.look()
    if not settings.DATABASE_REPLICA_URL or (replica.has(0) and replica.has(_written_by(person))):
        yield
    else:
        with reading_primary():
            yield


@contextmanager
def reading_primary() -> Iterator[None]:
    """Within the block ``reader`` is the same connection as ``default``."""
    reader = connections["reader"]
    connections["reader"] = connections["default"]
    try:
        yield
    finally:
        connections["reader"] = reader


# Kept by person, not by browser: the next page may be opened in another tab, on another device or by a
# program without cookies, and be answered by another process.


def _key(person: Person) -> str:
    return f"written-by-{person.pk}"


def note_write(person: Any) -> None:
    """Whatever this person reads next shows what was written up to now."""
    if isinstance(person, Person):
        # What was written stands, whatever comes of the note.
        with suppress(Error):
            position = _ask("default", "pg_current_wal_lsn()")[1]
            # A replica that has not replayed it by then is not read by anybody.
            cache.set(_key(person), position, settings.REPLICA_MAX_LAG + 60)


def _written_by(person: Any) -> int:
    return cache.get(_key(person), 0) if isinstance(person, Person) else 0
