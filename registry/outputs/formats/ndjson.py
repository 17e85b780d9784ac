"""NDJSON: one JSON object a line, with every column in its order.

Text, codes and days are strings, moments ``YYYY-MM-DDTHH:MM:SSZ``, numbers as the database prints them; what is
missing is ``null``. Arrow joins keys and cells column by column, beside the thread that reads the rows.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import closing

import numpy as np
import pyarrow as pa
from pyarrow import compute, csv

from ..rows import CELL, LINE, beside, grouped, lines
from ..sending import Sink
from ..tables import Sheet

#: What stands before the members of each row's object: texts, and columns made of the cells.
Head = Callable[[pa.Table], list]
#: Bytes of cells that become objects together.
_GROUP = 1 << 18
#: What JSON writes without quotation marks.
_BARE = {"integer", "decimal", "boolean"}
#: What RFC 8259, section 7, wants escaped beside quotation marks and backslashes.
_CONTROLS = re.compile(rb"[\x00-\x1f]")
_MARKED = bytes.maketrans(CELL + LINE, b"\x01\n")


def write(sheet: Sheet, sink: Sink) -> int:
    """Write the sheet and return the number of its rows."""
    count = 0
    for data, rows in objects(sheet, lambda _cells: ["{"], "}\n"):
        sink.write(data)
        count += rows
    return count


def objects(sheet: Sheet, head: Head, tail: str) -> Iterator[tuple[memoryview, int]]:
    """Each row as an object between its head, which opens it, and a tail; many at a time, and how many they are."""
    with closing(lines(sheet)) as chunks, closing(grouped(chunks, _GROUP)) as groups:
        yield from beside(lambda data: _objects(sheet, data, head, tail), groups)


def _objects(sheet: Sheet, data: bytes, head: Head, tail: str) -> tuple[memoryview, int]:
    cells = _cells(sheet, data)
    pieces, before = head(cells), ""
    for column, values in zip(sheet.columns, cells.columns, strict=True):
        before += f'"{column.name}":'
        if values.null_count == len(values):
            before += "null,"
        elif column.type in _BARE:
            pieces += before, values
            before = ","
        elif values.null_count:
            pieces += before, joined('"', _value(column.type, values), '"')
            before = ","
        else:
            # Marks stand beside the keys where all cells want them, which is cheaper than around each cell.
            pieces += before + '"', _value(column.type, values)
            before = '",'
    (made,) = joined(*pieces, before.removesuffix(",") + tail, missing="null").chunks
    ends = np.frombuffer(made.buffers()[1], np.int32, len(made) + 1, made.offset * 4)
    return memoryview(made.buffers()[2])[ends[0] : ends[-1]], len(made)


def joined(*pieces: str | pa.ChunkedArray, missing: str | None = None) -> pa.ChunkedArray:
    """Texts and columns of texts put together row by row, ``missing`` in the place of what is; without it, a row
    lacks all if it lacks one."""
    each = [pa.scalar(piece) if isinstance(piece, str) else piece for piece in pieces]
    handling = "emit_null" if missing is None else "replace"
    return compute.binary_join_element_wise(*each, "", null_handling=handling, null_replacement=missing or "")


def _value(type: str, values: pa.ChunkedArray) -> pa.ChunkedArray:
    if type == "moment":
        return joined(compute.replace_substring(values, " ", "T"), "Z")
    return values


def _cells(sheet: Sheet, data: bytes) -> pa.Table:
    """The cells of lines as JSON writes them but for quotation marks around: texts, and nulls."""
    data = _escaped(data).translate(_MARKED)
    names = [column.name for column in sheet.columns]
    return csv.read_csv(
        pa.BufferReader(data),
        csv.ReadOptions(column_names=names, block_size=len(data) + 1, use_threads=False),
        csv.ParseOptions(delimiter="\x01", quote_char=False, escape_char=False),
        csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()),
            null_values=[""],
            strings_can_be_null=True,
            check_utf8=False,
        ),
    )


def _escaped(data: bytes) -> bytes:
    data = data.replace(b"\\", b"\\\\").replace(b'"', b'\\"')
    # Looked for by numpy, which takes a hundredth of the time of a pattern.
    if (np.frombuffer(data, np.uint8) < 0x20).any():
        data = _CONTROLS.sub(lambda found: b"\\u%04x" % found[0][0], data)
    return data
