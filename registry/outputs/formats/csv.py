"""CSV: UTF-8, RFC 4180 with quotes only where they are needed, LF, one header row, empty is missing.

The Excel-safe variant has a BOM, CRLF, and an apostrophe before ``= + - @ TAB CR`` at the head of *text* columns
(a negative longitude stays a number).
"""

from contextlib import closing

from django.db import connections

from ..rows import CELL, LINE, Lines, as_it_is, built, copied
from ..sending import Sink
from ..tables import Sheet


def write(sheet: Sheet, sink: Sink, *, excel: bool = False, hxl: bool = False) -> int:
    """Write the sheet and return the number of its rows, header and HXL row not counted.

    An error leaves the sink half written: whoever holds it must not let it pass for whole.
    """
    end = b"\r\n" if excel else b"\n"
    heads = [[column.name for column in sheet.columns]]
    if hxl:
        heads.append([column.hxl for column in sheet.columns])
    sink.write(b"\xef\xbb\xbf" * excel + b"".join(",".join(head).encode() + end for head in heads))
    count = 0
    with closing(lines(sheet, excel=excel, end=end)) as chunks:
        for data, rows in chunks:
            sink.write(data)
            count += rows
    return count


def lines(sheet: Sheet, *, excel: bool = False, end: bytes = b"\n") -> Lines:
    """The rows of the sheet alone, many at a time, and how many they are."""
    by = _copied if connections[sheet.using].vendor == "postgresql" else _built
    return by(sheet, excel, end)


def _harmless(name: str) -> str:
    """A text column as SQL of both engines, made harmless for Excel."""
    formula = f"substr({name}, 1, 1) IN ('=', '+', '-', '@', '\t', '\r')"
    return f"CASE WHEN {formula} THEN '''' || {name} ELSE {name} END"


def _copied(sheet: Sheet, excel: bool, end: bytes) -> Lines:
    with closing(copied(sheet, ",", _harmless if excel else as_it_is)) as chunks:
        for data, rows in chunks:
            yield _as_csv(data, end), rows


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


_COMMA = bytes.maketrans(CELL, b",")


def _built(sheet: Sheet, excel: bool, end: bytes) -> Lines:
    """Few cells need quotes, and these are found in many rows at once."""
    with closing(built(sheet, _harmless if excel else as_it_is)) as chunks:
        for data, rows in chunks:
            yield _quoted(data, CELL, LINE, b',"\n\r').translate(_COMMA).replace(LINE, end), rows
