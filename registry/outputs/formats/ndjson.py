"""NDJSON: one JSON object a line, with every column in its order.

Text, codes and days are strings, moments ``YYYY-MM-DDTHH:MM:SSZ``, numbers as the database prints them; what is
missing is ``null``.
"""

import re
from collections.abc import Callable
from contextlib import closing

import numpy as np

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
    width = len(sheet.columns)
    with closing(lines(sheet)) as chunks:
        for data, rows in chunks:
            cells = _escaped(data).replace(LINE, CELL).split(CELL)[:-1]
            heads = head(_columns(sheet, cells)) if callable(head) else [head] * rows
            keys, mark = [], b""
            for i, column in enumerate(sheet.columns):
                # Marks stand beside the keys where all cells want them, which is cheaper than around each cell.
                values, around = _values(column.type, cells[i::width])
                if values is not None:
                    cells[i::width] = values
                keys.append(mark + f'{"," * (i > 0)}"{column.name}":'.encode() + around)
                mark = around
            # Keys and values by turns, of all rows in one list, for one join. A row begins with the end of the last.
            pieces = [b""] * (2 * len(cells))
            pieces[::2] = keys * rows
            pieces[:: 2 * width] = [mark + tail + one + keys[0] for one in heads]
            pieces[0] = heads[0] + keys[0]
            pieces[1::2] = cells
            pieces.append(mark + tail)
            yield b"".join(pieces), rows


def _columns(sheet: Sheet, cells: list[bytes]) -> dict[str, list[bytes]]:
    width = len(sheet.columns)
    return {column.name: cells[i::width] for i, column in enumerate(sheet.columns)}


def _values(type: str, cells: list[bytes]) -> tuple[list[bytes] | None, bytes]:
    """The values of a column, None if its cells are those, and the marks that are still to be set around all."""
    missing = cells.count(b"")
    if missing == len(cells):
        return [b"null"] * missing, b""
    if type in _BARE:
        return _bare(cells) if missing else None, b""
    if type == "moment":
        return _moments(cells), b""
    return (_quoted(cells), b"") if missing else (None, b'"')


def _quoted(cells: list[bytes]) -> list[bytes]:
    return [b'"' + cell + b'"' if cell else b"null" for cell in cells]


def _bare(cells: list[bytes]) -> list[bytes]:
    return [cell or b"null" for cell in cells]


def _moments(cells: list[bytes]) -> list[bytes]:
    return [b'"' + cell.replace(b" ", b"T") + b'Z"' if cell else b"null" for cell in cells]


def _escaped(data: bytes) -> bytes:
    data = data.replace(b"\\", b"\\\\").replace(b'"', b'\\"')
    # Looked for by numpy, which takes a hundredth of the time of a pattern.
    if (np.frombuffer(data, np.uint8) < 0x20).any():
        data = _CONTROLS.sub(lambda found: b"\\u%04x" % found[0][0], data)
    return data
