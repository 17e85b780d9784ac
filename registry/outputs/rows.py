"""The rows of a sheet as the database writes them: no value becomes a Python object on the way.

PostgreSQL writes lines itself (``COPY``), SQLite builds them in SQL. Nothing is sorted before the first line: rows
come in an order that an index has. Both give the same bytes for the same rows: UTF-8, booleans ``true`` and
``false``, moments ``YYYY-MM-DD HH:MM:SS`` in UTC, fixed decimals; what is missing is empty.
"""

from collections.abc import Callable, Generator, Iterator
from dataclasses import replace
from itertools import chain, islice, repeat
from typing import Any

from django.db import connections, transaction
from psycopg.errors import error_from_result
from psycopg.pq import ExecStatus

from registry.columns import Column
from registry.models.looks import Since, empty_log, is_log_long, look
from registry.models.sql import go_at_once, reading_once

from .tables import Sheet

#: Lines, and how many they are.
Lines = Generator[tuple[bytes, int]]
#: How a format wants the cells of text: an expression of SQL that both engines know, made of a column's name.
Text = Callable[[str], str]
#: What lies between cells and what ends a line, of bytes that UTF-8 has no use for.
CELL, LINE = b"\xff", b"\xfe"


def as_it_is(name: str) -> str:
    return name


def lines(sheet: Sheet) -> Lines:
    """The rows as lines of cells with CELL between and LINE after, whatever the cells hold."""
    if connections[sheet.using].vendor == "postgresql":
        return _unescaped(copied(sheet, _DELIMITER))
    return built(sheet)


def grouped(lines: Lines, most: int) -> Generator[bytes]:
    """Lines in groups of about ``most`` bytes, the first smaller so that it comes at once."""
    waiting: list[bytes] = []
    size, enough = 0, most >> 4
    for data, _rows in lines:
        waiting.append(data)
        size += len(data)
        if size >= enough:
            group, waiting, size, enough = b"".join(waiting), [], 0, most
            yield group
            # Not held while the next is read.
            del group
    if waiting:
        yield b"".join(waiting)


def _sizes() -> Iterator[int]:
    """How many rows to hand over at once: the first alone, so that it is seen at once."""
    return chain([1], repeat(500))


# -- PostgreSQL --------------------------------------------------------------------------------------------

#: No limit, but one that is not known before, so that how soon the first rows come counts as well as the last.
_UNKNOWN_LIMIT = " LIMIT (SELECT NULL::bigint)"


def statement(sheet: Sheet, text: Text = as_it_is) -> tuple[str, tuple]:
    """What PostgreSQL copies: the cells of the sheet, as they are to be read."""

    def cell(column: Column) -> str:
        name = f'"{column.name}"'
        match column.type:
            case "text":
                return text(name)
            case "boolean":
                return f"{name}::text"
            case "moment":
                # As UTC, which needs no look at the zones if it is said as a distance.
                return f"{name} AT TIME ZONE INTERVAL '0'"
        return name

    sql, params = sheet.sql(", ".join(map(cell, sheet.columns)), merged=len(sheet.sources) > 1)
    return sql + _UNKNOWN_LIMIT, params


def copied(sheet: Sheet, delimiter: str, text: Text = as_it_is) -> Lines:
    """As PostgreSQL's COPY writes them in its text format, a fifth cheaper than its CSV."""
    sql, params = statement(sheet, text)
    form = f"FORMAT text, DELIMITER '{delimiter}', NULL '', ENCODING 'UTF8'"
    with transaction.atomic(using=sheet.using), connections[sheet.using].cursor() as cursor:
        go_at_once(sheet.using)
        with cursor.copy(f"COPY ({sql}) TO STDOUT ({form})", params) as copy:
            rows = _rows(copy)
            for size in _sizes():
                if not (found := list(islice(rows, size))):
                    break
                sheet.seen(len(found))
                yield b"".join(found), len(found)


def _rows(copy: Any) -> Iterator[bytes]:
    """The rows of a COPY to its end; psycopg is asked to wait only where none has come, which halves its work."""
    pgconn = copy.connection.pgconn
    while row := copy.read():
        # As bytes, which the collector of garbage need not look through.
        yield bytes(row)
        while (come := pgconn.get_copy_data(1))[0] > 0:
            yield bytes(come[1])
        if come[0] < 0:
            for result in list(iter(pgconn.get_result, None)):
                if result.status != ExecStatus.COMMAND_OK:
                    raise error_from_result(result)
            return


#: What lies between the cells that are copied: text rarely holds it, and then with a backslash before.
_DELIMITER = "\x01"
_MARKED = bytes.maketrans(b"\x01\n", CELL + LINE)
_BACKSLASH = b"\xfd"
#: The other escapes of COPY's text format. What it escapes as itself stands after a backslash.
_ESCAPES = {b"\\n": b"\n", b"\\r": b"\r", b"\\t": b"\t", b"\\b": b"\b", b"\\f": b"\f", b"\\v": b"\v"}


def _unescaped(copied: Lines) -> Lines:
    for data, rows in copied:
        data = data.translate(_MARKED)
        if b"\\" in data:
            data = data.replace(b"\\\\", _BACKSLASH).replace(b"\\" + CELL, _DELIMITER.encode())
            for escape, meant in _ESCAPES.items():
                data = data.replace(escape, meant)
            data = data.replace(_BACKSLASH, b"\\")
        yield data, rows


# -- SQLite ------------------------------------------------------------------------------------------------


def built(sheet: Sheet, text: Text = as_it_is) -> Lines:
    """As SQLite builds them, one ``printf`` a row, which only puts marks between the cells."""
    if sheet.rest is None or connections[sheet.using].in_atomic_block:
        # A transaction is one look, however long the log is.
        yield from _look(replace(sheet, rest=None), text)
        return
    with look(sheet.using):
        since = Since.now(sheet.using)
        end = yield from _look(sheet, text)
    while end is not None:
        empty_log(sheet.using)
        with look(sheet.using):
            end = yield from _look(replace(sheet.rest(since, end), seen=sheet.seen), text)


#: A look takes in so many rows at least, however long SQLite's log is.
_LEAST = 2_000


def _look(sheet: Sheet, text: Text) -> Generator[tuple[bytes, int], None, int | None]:
    """The rows of one look, and the sort key below which the next begins; None if they were all."""

    def cell(column: Column) -> str:
        name = f'"{column.name}"'
        match column.type:
            case "text":
                return text(name)
            case "boolean":
                return f"CASE {name} WHEN 1 THEN 'true' WHEN 0 THEN 'false' END"
            case "decimal":
                return f"CASE WHEN {name} IS NOT NULL THEN printf('%%.{column.decimals}f', {name}) END"
        return name

    form = CELL.join(b"%s" for _column in sheet.columns) + LINE
    # Several sources in one order are merged as they come only if that is seen beside the line.
    order = [f", {term.split()[0]}" for term in sheet.order if sheet.rest or len(sheet.sources) > 1]
    cells = ", ".join(map(cell, sheet.columns))
    sql, params = sheet.sql(f"printf(CAST(x'{form.hex()}' AS text), {cells}){''.join(order)}")
    with reading_once(sheet.using), connections[sheet.using].cursor() as cursor:
        raw: Any = connections[sheet.using].connection
        raw.text_factory = bytes
        try:
            cursor.execute(sql, params)
            read = 0
            for size in _sizes():
                if not (chunk := cursor.fetchmany(size)):
                    break
                read += len(chunk)
                end = None
                if read >= _LEAST and sheet.rest and chunk[0][1] > chunk[-1][1] and is_log_long(sheet.using):
                    # Lines of the last key may go on beyond: the next look begins with its first.
                    end = chunk[-1][1] + 1
                    chunk = [row for row in chunk if row[1] >= end]
                sheet.seen(len(chunk))
                yield b"".join([row[0] for row in chunk]), len(chunk)
                if end is not None:
                    return end
        finally:
            raw.text_factory = str
    return None
