"""NDJSON: one JSON object a line, with every column in its order.

Text, codes and days are strings, moments ``YYYY-MM-DDTHH:MM:SSZ``, numbers as the database prints them; what is
missing is ``null``.
"""

import re
from collections.abc import Callable
from contextlib import closing

from ..rows import CELL, LINE, Lines, lines
from ..sending import Sink
from ..tables import Sheet

#: How each object of many begins, made of the cells of each column by its name.
Heads = Callable[[dict[str, list[bytes]]], list[bytes]]
#: What JSON writes without quotation marks.
_BARE = {"integer", "decimal", "boolean"}
#: What RFC 8259, section 7, wants escaped beside quotation marks and backslashes.
_CONTROLS = re.compile(rb"[\x00-\x1f]")


def write(sheet: Sheet, sink: Sink) -> int:
    """Write the sheet and return the number of its rows."""
    count = 0
    with closing(objects(sheet, b"{", b"}\n")) as chunks:
        for data, rows in chunks:
            sink.write(data)
            count += rows
    return count


def objects(sheet: Sheet, head: bytes | Heads, tail: bytes) -> Lines:
    """The members of each row's object, between its head and a tail."""
    keys = _keys(sheet)
    width = len(keys)
    with closing(lines(sheet)) as chunks:
        for data, rows in chunks:
            cells = _escaped(data).replace(LINE, CELL).split(CELL)[:-1]
            columns = {column.name: cells[i::width] for i, column in enumerate(sheet.columns)}
            # All pieces of all rows in one list, filled column by column, for one join.
            pieces = [b""] * ((2 * width + 2) * rows)
            pieces[:: 2 * width + 2] = head(columns) if callable(head) else [head] * rows
            for i, column in enumerate(sheet.columns):
                pieces[2 * i + 1 :: 2 * width + 2] = [keys[i]] * rows
                pieces[2 * i + 2 :: 2 * width + 2] = _values(column.type, columns[column.name])
            pieces[2 * width + 1 :: 2 * width + 2] = [_closing(sheet, width) + tail] * rows
            # An empty string is written as two marks after a colon, which no string holds.
            yield b"".join(pieces).replace(b':""', b":null"), rows


def _keys(sheet: Sheet) -> list[bytes]:
    """What stands before each value, with the mark that ends the string before it and its own."""
    return [
        _closing(sheet, i)
        + f'{"," if i else ""}"{column.name}":'.encode()
        + b'"' * (column.type not in _BARE)
        for i, column in enumerate(sheet.columns)
    ]


def _closing(sheet: Sheet, i: int) -> bytes:
    return b'"' if i and sheet.columns[i - 1].type not in _BARE else b""


def _values(type: str, cells: list[bytes]) -> list[bytes]:
    if type in _BARE:
        return [cell or b"null" for cell in cells]
    if type == "moment":
        return [cell and cell.replace(b" ", b"T") + b"Z" for cell in cells]
    return cells


def _escaped(data: bytes) -> bytes:
    data = data.replace(b"\\", b"\\\\").replace(b'"', b'\\"')
    return _CONTROLS.sub(lambda found: b"\\u%04x" % found[0][0], data)
