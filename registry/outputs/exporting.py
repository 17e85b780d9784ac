"""Tables as CSV, at the speed of the database and in flat memory.

PostgreSQL writes whole lines itself (``COPY``), SQLite builds them in SQL; no value becomes a Python object
on the way. Nothing is sorted before the first line: rows come in an order that an index has. Both give the
same bytes for the same rows: UTF-8, RFC 4180 with quotes only where they are needed, LF, booleans
``true``/``false``, moments ``YYYY-MM-DD HH:MM:SS`` in UTC, fixed decimals; what is missing is empty. The
Excel-safe variant has a BOM, CRLF, and an apostrophe before ``= + - @ TAB CR`` at the head of *text* columns
(a negative longitude stays a number).
"""

import fcntl
import os
import sys
import tempfile
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from itertools import chain, islice, repeat
from threading import Condition, Thread, get_native_id
from typing import Any, Protocol

from django.conf import settings
from django.db import connections, models, transaction
from django.db.models import F, Value
from django.db.models.expressions import RawSQL
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Coalesce, Substr

from registry.columns import COLUMNS
from registry.filters import Selection
from registry.models import PastReport, Wording
from registry.models.rows import ReportQuerySet
from registry.models.sql import Hex, go_at_once, reading_once


def _sizes() -> Iterator[int]:
    """How many rows to hand over at once: the first alone, so that it is seen at once."""
    return chain([1], repeat(500))


#: Lines, and how many they are.
Lines = Generator[tuple[bytes, int]]


class Sink(Protocol):
    def write(self, data: bytes, /) -> Any: ...


@dataclass(frozen=True)
class Sheet:
    """A table to write: its columns (name, type, HXL tag), the rows as querysets of these columns by name,
    each in the order of lines, and that order. ``beside``: columns of the sources that only order them."""

    columns: tuple[tuple[str, str, str], ...]
    sources: tuple[models.QuerySet, ...]
    order: tuple[str, ...]
    beside: tuple[str, ...] = ()

    def sql(self, line: str, *, merged: bool = False) -> tuple[str, tuple]:
        """The statement that gives ``line``, an expression of the columns, for every row in order.

        ``merged``: whether the order of each source is said too, for an engine that does not see that
        sources in order need no sorting.
        """
        names = ", ".join((*(name for name, _type, _hxl in self.columns), *self.beside))
        sources = self.sources if merged else [source.order_by() for source in self.sources]
        # Not elided, a condition that nothing can meet stays a condition.
        parts = [source.query.get_compiler(source.db, elide_empty=False).as_sql() for source in sources]
        rows = " UNION ALL ".join(f"({sql})" if merged else sql for sql, _params in parts)
        statement = (
            f"WITH sheet({names}) AS ({rows}) SELECT {line} FROM sheet ORDER BY {', '.join(self.order)}"
        )
        return statement, tuple(param for _sql, params in parts for param in params)


# -- what may be written -----------------------------------------------------------------------------------

_REPORT = tuple((column.name, column.type, column.hxl) for column in COLUMNS)
_NAMES = tuple(column.name for column in COLUMNS)
_SPAN = (("valid_from_utc", "moment", "#date+valid+start"), ("valid_to_utc", "moment", "#date+valid+end"))
#: The words of an entry that have a column of their own.
_WORDS = ("question", "answer", "reason", "note")
_ENTRY = (
    ("reference", "text", "#meta+id"),
    ("number", "integer", "#meta+entry+num"),
    ("kind", "code", "#event+type"),
    ("move", "code", "#event+move"),
    ("from_status", "code", "#status+from"),
    ("to_status", "code", "#status+to"),
    ("happened_utc", "moment", "#date+occurred"),
    ("recorded_utc", "moment", "#date+recorded"),
    ("role", "code", "#contact+role"),
    ("by", "text", "#contact+name"),
    *((word, "text", f"#description+{word}") for word in _WORDS),
    ("body", "text", "#meta+body"),
    ("digest", "text", "#meta+digest"),
)


def _walked(selection: Selection) -> tuple[ReportQuerySet, ...]:
    """The selected rows as querysets that share none. PostgreSQL finds each in the order of lists by itself;
    SQLite, which counts no rows, is led along the walks that lists take."""
    if connections[selection.using].vendor == "postgresql":
        return selection.tables
    return tuple(walk.whole for walk in selection.walks)


def _place(rows: ReportQuerySet) -> Any:
    """A row's place in the order of lists; rows found by their words have it from the index of words."""
    tables = rows.query.extra_tables
    return RawSQL(f"{tables[0]}.rowid", ()) if tables else F("sort_key")


def reports(selection: Selection) -> Sheet:
    """The selected rows, all outgoing columns."""
    sources = tuple(
        rows.order_by("-sort_key").values_list(*_NAMES, _place(rows)) for rows in _walked(selection)
    )
    return Sheet(_REPORT, sources, ("sort_key DESC",), beside=("sort_key",))


_NEVER = Value(None, models.DateTimeField())


def versions(selection: Selection) -> Sheet:
    """Every version of the selected rows that their holder had, from edition to edition for audiences: in the
    order of lists as of each version, the earlier first."""
    sources = tuple(
        rows.order_by("-sort_key", "valid_from").values_list(
            *_NAMES,
            "valid_from",
            # SQLite merges sources in one order only if their columns are alike in having a type, or none.
            Coalesce("valid_to", "valid_to") if rows.model is PastReport else _NEVER,
            "sort_key",
        )
        for rows in selection.versions
    )
    return Sheet((*_REPORT, *_SPAN), sources, ("sort_key DESC", "valid_from_utc"), beside=("sort_key",))


def entries(selection: Selection) -> Sheet:
    """The timelines of the selected reports in the order of lists, with the words of their entries: for the
    office alone."""
    words = [Substr(KeyTextTransform(word, "entries__wording__texts"), Wording.SALT + 1) for word in _WORDS]
    sources = tuple(
        # Each has an entry, which spares the database a join for those without.
        rows.filter(entries__number__gt=0)
        .order_by("-sort_key", "entries__number")
        .values_list(
            "reference", "entries__number", "entries__kind", "entries__move", "entries__from_status",
            "entries__to_status", "entries__happened_at", "entries__recorded_at", "entries__role",
            "entries__by__name", *words, "entries__body", Hex("entries__digest"), _place(rows),
        )
        for rows in _walked(selection)
    )  # fmt: skip
    return Sheet(_ENTRY, sources, ("sort_key DESC", "number"), beside=("sort_key",))


# -- writing -----------------------------------------------------------------------------------------------


def write(sheet: Sheet, sink: Sink, *, excel: bool = False, hxl: bool = False) -> int:
    """Write the sheet and return the number of its rows, header and HXL row not counted.

    An error leaves the sink half written: whoever holds it must not let it pass for whole.
    """
    end = b"\r\n" if excel else b"\n"
    heads = [[name for name, _type, _hxl in sheet.columns]]
    if hxl:
        heads.append([tag for _name, _type, tag in sheet.columns])
    sink.write(b"\xef\xbb\xbf" * excel + b"".join(",".join(head).encode() + end for head in heads))
    connection = connections[sheet.sources[0].db]
    lines = _copied if connection.vendor == "postgresql" else _built
    count = 0
    with closing(lines(connection, sheet, excel, end)) as chunks:
        for data, rows in chunks:
            sink.write(data)
            count += rows
    return count


def _text(name: str, excel: bool) -> str:
    """A text column as SQL of both engines, made harmless for Excel if asked."""
    if not excel:
        return name
    formula = f"substr({name}, 1, 1) IN ('=', '+', '-', '@', '\t', '\r')"
    return f"CASE WHEN {formula} THEN '''' || {name} ELSE {name} END"


#: No limit, but one that is not known before, so that how soon the first rows come counts as well as the last.
_UNKNOWN_LIMIT = " LIMIT (SELECT NULL::bigint)"


def statement(sheet: Sheet, *, excel: bool = False) -> tuple[str, tuple]:
    """What PostgreSQL copies: the cells of the sheet, as they are to be read."""

    def cell(name: str, type: str) -> str:
        match type:
            case "text":
                return _text(name, excel)
            case "boolean":
                return f"{name}::text"
            case "moment":
                # As UTC, which needs no look at the zones if it is said as a distance.
                return f"{name} AT TIME ZONE INTERVAL '0'"
        return name

    cells = ", ".join(cell(name, type) for name, type, _hxl in sheet.columns)
    sql, params = sheet.sql(cells, merged=len(sheet.sources) > 1)
    return sql + _UNKNOWN_LIMIT, params


def _copied(connection: Any, sheet: Sheet, excel: bool, end: bytes) -> Lines:
    """As PostgreSQL's COPY writes them: its text format, a fifth cheaper than its CSV, made CSV here."""
    sql, params = statement(sheet, excel=excel)
    form = "FORMAT text, DELIMITER ',', NULL '', ENCODING 'UTF8'"
    with transaction.atomic(using=sheet.sources[0].db), connection.cursor() as cursor:
        go_at_once(sheet.sources[0].db)
        with cursor.copy(f"COPY ({sql}) TO STDOUT ({form})", params) as copy:
            rows = iter(copy)
            for size in _sizes():
                # As bytes, which the collector of garbage need not look through: a fifth of the time.
                if not (lines := [bytes(row) for row in islice(rows, size)]):
                    break
                yield _as_csv(b"".join(lines), end), len(lines)


#: How COPY's text format writes what would end a cell, a line or an escape; a mark for it, of bytes that UTF-8
#: has no use for; and what is meant.
_ESCAPES = (
    (rb"\\", b"\xff", b"\\"), (rb"\n", b"\xfe", b"\n"), (rb"\r", b"\xfd", b"\r"), (rb"\t", b"\xfc", b"\t"),
    (rb"\b", b"\xfb", b"\b"), (rb"\f", b"\xfa", b"\f"), (rb"\v", b"\xf9", b"\v"), (rb"\,", b"\xf8", b","),
)  # fmt: skip
_MEANT = bytes.maketrans(*(b"".join(column) for column in tuple(zip(*_ESCAPES, strict=True))[1:]))


def _as_csv(data: bytes, end: bytes) -> bytes:
    """Lines of COPY's text format as CSV: most are it already."""
    has_escapes = b"\\" in data
    if has_escapes:
        for escape, mark, _meant in _ESCAPES:
            data = data.replace(escape, mark)
    data = _quoted(data, b",", b"\n", b'"\xf8\xfd\xfe')
    if end != b"\n":
        data = data.replace(b"\n", end)
    return data.translate(_MEANT) if has_escapes else data


def _quoted(data: bytes, between: bytes, line: bytes, special: bytes) -> bytes:
    """The data with the cells in quotes that hold a ``special`` byte: a comma, a quotation mark, a line's end.
    ``between`` lies between cells, ``line`` ends a line."""
    parts: list[bytes] = []
    done = 0
    found = [data.find(mark) for mark in special]  # each of them next
    while (at := min((place for place in found if place >= 0), default=-1)) >= 0:
        start = max(data.rfind(between, done, at), data.rfind(line, done, at)) + 1 or done
        stop = data.find(line, at)
        cell = data.find(between, at, stop)
        stop = stop if cell < 0 else cell
        parts += data[done:start], b'"', data[start:stop].replace(b'"', b'""'), b'"'
        done = stop
        found = [
            data.find(mark, done) if 0 <= place < done else place
            for mark, place in zip(special, found, strict=True)
        ]
    return b"".join((*parts, data[done:])) if parts else data


#: What lies between cells and what ends a line, of bytes that UTF-8 has no use for.
_CELL, _LINE = b"\xff", b"\xfe"
_COMMA = bytes.maketrans(_CELL, b",")


def _built(connection: Any, sheet: Sheet, excel: bool, end: bytes) -> Lines:
    """As SQLite builds them, one ``printf`` a row: cell by cell it only puts marks between, since few cells
    need quotes, and these are found in many rows at once."""

    def cell(name: str, type: str) -> str:
        match type:
            case "text":
                return _text(name, excel)
            case "boolean":
                return f"CASE {name} WHEN 1 THEN 'true' WHEN 0 THEN 'false' END"
            case "decimal":
                return f"CASE WHEN {name} IS NOT NULL THEN printf('%%.{places[name]}f', {name}) END"
        return name

    places = {column.name: column.decimals for column in COLUMNS}
    form = _CELL.join(b"%s" for _column in sheet.columns) + _LINE
    cells = ", ".join(cell(name, type) for name, type, _hxl in sheet.columns)
    # Several sources in one order are merged as they come only if that is seen beside the line.
    order = [f", {term.split()[0]}" for term in sheet.order if len(sheet.sources) > 1]
    sql, params = sheet.sql(f"printf(CAST(x'{form.hex()}' AS text), {cells}){''.join(order)}")
    with reading_once(connection.alias), connection.cursor() as cursor:
        raw = connection.connection
        raw.text_factory = bytes
        try:
            cursor.execute(sql, params)
            for size in _sizes():
                if not (chunk := cursor.fetchmany(size)):
                    break
                data = _quoted(b"".join([line for line, *_order in chunk]), _CELL, _LINE, b',"\n\r')
                yield data.translate(_COMMA).replace(_LINE, end), len(chunk)
        finally:
            raw.text_factory = str


# -- sending -----------------------------------------------------------------------------------------------


class Busy(Exception):
    """As many downloads run as ``settings.DOWNLOADS_AT_ONCE`` allows, in all processes together."""


class Abandoned(Exception):
    """The client left before its file was written."""


#: How far the writing of files steps back on SQLite; PostgreSQL reads for it in a process of its own.
_NICE = 5


class Spool:
    """A file that a thread writes at the speed of the database and a response follows at the client's.

    It lies unlinked in DATA_DIR and goes, with its place among the downloads, when both ends have closed:
    also when the client leaves early or the process is killed. Iterating gives the bytes as they come and
    raises what the writer raised, so that a broken file is a broken connection.
    """

    def __init__(self, job: Callable[[Sink], int], *, alias: str = "reader") -> None:
        """``job`` writes into the sink it is given and returns its number of rows. Raises Busy."""
        self._changed = Condition()
        self._left = self._done = False
        self._error: BaseException | None = None
        self.size = 0
        # The thread reads where this one does: see upkeep/replica.
        self._job, self._alias, self._connection = job, alias, connections[alias].alias
        self._thread = Thread(target=self._run, daemon=True)
        with ExitStack() as unless_begun:
            self._slot = _take_slot()
            unless_begun.callback(os.close, self._slot)
            self._out = unless_begun.enter_context(tempfile.TemporaryFile(dir=settings.DATA_DIR, buffering=0))
            self._in, self._slot_of_writer = os.dup(self._out.fileno()), os.dup(self._slot)
            unless_begun.callback(os.close, self._in)
            unless_begun.callback(os.close, self._slot_of_writer)
            if connections[alias].in_atomic_block:
                # Only this connection sees what its transaction has written.
                self._run()
            else:
                self._thread.start()
            unless_begun.pop_all()

    def write(self, data: bytes) -> None:
        if self._left:
            raise Abandoned
        # A disk that is nearly full takes a part, and refuses only the next.
        left = memoryview(data)
        while left:
            left = left[self._out.write(left) :]
        with self._changed:
            self.size += len(data)
            self._changed.notify_all()

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
            self._out.close()
            os.close(self._slot_of_writer)
            with self._changed:
                self._error, self._done = error, True
                self._changed.notify_all()

    def finished(self, *, within: float | None) -> bool:
        """Whether the file is whole, waiting so many seconds (None: until it is). Raises what broke it."""
        with self._changed:
            done = self._changed.wait_for(lambda: self._done, within)
        if self._error:
            raise self._error
        return done

    def __iter__(self) -> Iterator[bytes]:
        position = 0
        while True:
            self._wait_beyond(position)
            if data := os.pread(self._in, 1 << 18, position):
                position += len(data)
                yield data
            elif self.finished(within=0):
                return

    def _wait_beyond(self, position: int) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._done or self.size > position)

    def close(self) -> None:
        """The client has everything, or has left."""
        if not self._left:
            self._left = True
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
