"""How a file is sent: written at the speed of the database, followed at the client's, in flat memory."""

import fcntl
import os
import sys
import tempfile
import time
import zlib
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from threading import Condition, Thread, get_native_id
from typing import Any, Protocol

import zstandard
from django.conf import settings
from django.db import connections


class Sink(Protocol):
    """What a file is written into, from its first byte to its last."""

    def write(self, data: bytes | memoryview, /) -> Any: ...


#: What the names of parts of files begin with that are put together beside: of a process that was killed they stay.
MAKING = "making-"


class Outlet:
    """A sink as libraries want a file: one that is written from the first byte to the last, and never closed."""

    closed = False

    def __init__(self, sink: Sink) -> None:
        self._sink = sink

    def write(self, data: Any) -> int:
        self._sink.write(bytes(data))
        return len(data)

    def flush(self) -> None:
        pass


class Busy(Exception):
    """As many downloads run as ``settings.DOWNLOADS_AT_ONCE`` allows, in all processes together."""


class Abandoned(Exception):
    """The client left before its file was written."""


#: How far the writing of files steps back on SQLite; PostgreSQL reads for it in a process of its own.
_NICE = 5
#: Bytes that wait in memory for the client, and those that are sent at once.
_HELD, _TAKEN = 4 << 20, 1 << 18
#: The share of its time that a writer waits for a client that nearly keeps up.
_PATIENCE = 0.25


class Spool:
    """A file that a thread writes at the speed of the database and a response follows at the client's.

    A client that keeps up has it from memory. What it leaves waiting lies in an unlinked file in DATA_DIR, which goes,
    with its place among the downloads, when both ends have closed: also when the client leaves early or the process is
    killed. Iterating gives the bytes once, as they come, and raises what the writer raised, so that a broken file is a
    broken connection.
    """

    def __init__(self, job: Callable[[Sink], int], *, alias: str = "reader") -> None:
        """``job`` writes into the sink it is given and returns its number of rows. Raises Busy."""
        self._changed = Condition()
        self._left = self._done = False
        self._error: BaseException | None = None
        self.size = 0
        # What waits: first these bytes in memory, then those of the file between its two ends.
        self._held: deque[bytes | memoryview] = deque()
        self._holds = self._read = self._written = 0
        self._began, self._waited = time.monotonic(), 0.0
        # The thread reads where this one does: see upkeep/replica.
        self._job, self._alias, self._connection = job, alias, connections[alias].alias
        self._thread = Thread(target=self._run, daemon=True)
        with ExitStack() as unless_begun:
            self._slot = _take_slot()
            unless_begun.callback(os.close, self._slot)
            self._file = unless_begun.enter_context(
                tempfile.TemporaryFile(dir=settings.DATA_DIR, buffering=0)
            )
            self._in, self._slot_of_writer = os.dup(self._file.fileno()), os.dup(self._slot)
            unless_begun.callback(os.close, self._in)
            unless_begun.callback(os.close, self._slot_of_writer)
            if connections[alias].in_atomic_block:
                # Only this connection sees what its transaction has written.
                self._run()
            else:
                self._thread.start()
            unless_begun.pop_all()

    # -- the writer's end

    def write(self, data: bytes | memoryview) -> None:
        """Take what follows, which must not change any more; of nothing, whether the client is still there."""
        if self._left:
            raise Abandoned
        if not data:
            return
        with self._changed:
            is_held = self._has_room()
            if is_held:
                self._held.append(data)
                self._holds += len(data)
        if not is_held:
            self._put_aside(memoryview(data))
        with self._changed:
            self.size += len(data)
            self._changed.notify_all()

    def _has_room(self) -> bool:
        """Whether what comes next is held in memory: all before it is, and the client keeps up or nearly so."""
        if self._written > self._read:
            return False
        if self._holds > _HELD and self._thread.ident:
            now = time.monotonic()
            may = (now - self._began) * _PATIENCE - self._waited
            self._changed.wait_for(lambda: self._left or self._holds <= _HELD, max(may, 0))
            self._waited += time.monotonic() - now
        return self._holds <= _HELD

    def _put_aside(self, data: memoryview) -> None:
        with self._changed:
            if self._read == self._written:
                self._read = self._written = 0
        # A disk that is nearly full takes a part, and refuses only the next.
        end = self._written
        while data:
            done = os.pwrite(self._file.fileno(), data, end)
            data, end = data[done:], end + done
        with self._changed:
            self._written = end

    def _run(self) -> None:
        error: BaseException | None = None
        try:
            if self._thread.ident:
                connections[self._alias] = connections[self._connection]
                if sys.platform == "linux" and connections[self._alias].vendor == "sqlite":
                    # Where there is work for more than the cores there are, whoever logs damage goes first.
                    os.setpriority(os.PRIO_PROCESS, get_native_id(), _NICE)
            self._job(self)
        except BaseException as raised:
            error = raised
        finally:
            if self._thread.ident:
                connections.close_all()
            self._file.close()
            os.close(self._slot_of_writer)
            with self._changed:
                self._error, self._done = error, True
                self._changed.notify_all()

    # -- the client's end

    def finished(self, *, within: float | None) -> bool:
        """Whether the file is whole, waiting so many seconds (None: until it is). Raises what broke it."""
        with self._changed:
            done = self._changed.wait_for(lambda: self._done, within)
        if self._error:
            raise self._error
        return done

    def __iter__(self) -> Iterator[bytes]:
        while data := self._next():
            yield data
        self.finished(within=None)

    def _next(self) -> bytes:
        """What has waited longest, nothing after the last."""
        with self._changed:
            self._changed.wait_for(lambda: self._done or self._held or self._written > self._read)
            if self._held:
                return self._take_held()
        data = os.pread(self._in, min(_TAKEN, self._written - self._read), self._read)
        with self._changed:
            self._read += len(data)
        return data

    def _take_held(self) -> bytes:
        taken, size = [], 0
        while self._held and (not size or size + len(self._held[0]) <= _TAKEN):
            taken.append(self._held.popleft())
            size += len(taken[-1])
        self._holds -= size
        self._changed.notify_all()
        return b"".join(taken)

    def close(self) -> None:
        """The client has everything, or has left."""
        if not self._left:
            with self._changed:
                self._left = True
                self._changed.notify_all()
            os.close(self._in)
            os.close(self._slot)


def _take_slot() -> int:
    """One of the places for downloads: a locked file, free again when the last copy of it is closed."""
    folder = settings.DATA_DIR / "downloads"
    folder.mkdir(exist_ok=True)
    for number in range(settings.DOWNLOADS_AT_ONCE):
        slot = os.open(folder / str(number), os.O_CREAT | os.O_RDWR, 0o640)
        try:
            fcntl.flock(slot, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return slot
        except BlockingIOError:
            os.close(slot)
    raise Busy


# -- packing -----------------------------------------------------------------------------------------------

#: How a file may be packed on its way, the better first. Both at their quickest: packing runs beside the writing of
#: what comes next and must keep up with it.
CODINGS: dict[str, Callable[[], Any]] = {
    "zstd": lambda: zstandard.ZstdCompressor(level=1).compressobj(),
    "gzip": lambda: zlib.compressobj(1, zlib.DEFLATED, 16 + zlib.MAX_WBITS),
}
#: What makes a packer give out all it has been given.
_AT_ONCE = {"zstd": zstandard.COMPRESSOBJ_FLUSH_BLOCK, "gzip": zlib.Z_SYNC_FLUSH}


class Packed:
    """The bytes of a spool, packed as they come; broken where it is."""

    def __init__(self, spool: Spool, coding: str) -> None:
        self._spool, self._coding = spool, coding

    def __iter__(self) -> Iterator[bytes]:
        packer = CODINGS[self._coding]()
        is_first = True
        for data in self._spool:
            packed = packer.compress(data)
            if is_first:
                # The first rows are seen at once, as they would be unpacked.
                packed += packer.flush(_AT_ONCE[self._coding])
                is_first = False
            if packed:
                yield packed
        yield packer.flush()

    def close(self) -> None:
        self._spool.close()
