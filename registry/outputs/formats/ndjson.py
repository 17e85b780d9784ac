"""NDJSON: one JSON object a line, with every column in its order.

Text, codes and days are strings, moments ``YYYY-MM-DDTHH:MM:SSZ``, numbers as the database prints them; what is
missing is ``null``. No cell becomes an object of Python: numpy finds the cells and Arrow puts the texts between
them, many rows at a time.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pyarrow as pa

from registry.columns import Column

from ..rows import LINE, grouped, lines
from ..sending import Sink
from ..tables import Sheet

#: Bytes of cells that become objects together.
_GROUP = 1 << 16
#: What JSON writes without quotation marks.
_BARE = {"integer", "decimal", "boolean"}
#: What RFC 8259, section 7, wants escaped beside quotation marks and backslashes.
_CONTROLS = re.compile(rb"[\x00-\x1f]")


@dataclass(frozen=True)
class Slot:
    """Where a column's cell stands in the text of a row: what stands before it, and around it or in its place."""

    column: str
    before: str
    opened: str = ""
    closed: str = ""
    missing: str = "null"


def write(sheet: Sheet, sink: Sink) -> int:
    """Write the sheet and return the number of its rows."""
    count = 0
    for data, rows in written(sheet, members(sheet.columns, "{"), "}\n"):
        sink.write(data)
        count += rows
    return count


def members(columns: Sequence[Column], before: str) -> list[Slot]:
    """The columns as members of one object."""
    slots = []
    for column in columns:
        mark = "" if column.type in _BARE else '"'
        closed = "Z" + mark if column.type == "moment" else mark
        slots.append(Slot(column.name, f'{before}"{column.name}":', mark, closed))
        before = ","
    return slots


def written(sheet: Sheet, slots: Sequence[Slot], tail: str) -> Iterator[tuple[memoryview, int]]:
    """Each row as its slots and a tail; many at a time, and how many they are."""
    form = _Form(sheet.columns, slots, tail)
    with closing(lines(sheet)) as chunks, closing(grouped(chunks, _GROUP)) as groups:
        yield from map(form.fill, groups)


class _Form:
    """The texts between the cells of a row, of which those that fit are chosen."""

    def __init__(self, columns: Sequence[Column], slots: Sequence[Slot], tail: str) -> None:
        names = [column.name for column in columns]
        self._slots, self._tail = [(slot, names.index(slot.column)) for slot in slots], tail
        self._width = len(columns)
        self._moments = [number for number, column in enumerate(columns) if column.type == "moment"]
        self._texts = lru_cache(maxsize=64)(self._made)

    def fill(self, data: bytes) -> tuple[memoryview, int]:
        """Lines of cells, as ``rows.lines`` gives them, as texts of rows; and how many."""
        data = _escaped(data)
        # Marks are the greatest bytes.
        ends = np.flatnonzero(np.frombuffer(data, np.uint8) >= LINE[0]).astype(np.int32)
        starts = np.concatenate((np.zeros(1, np.int32), ends[:-1] + np.int32(1))).reshape(-1, self._width)
        missing = (starts == ends.reshape(-1, self._width)).view(np.uint8)
        texts, ends_of_texts, cells = self._texts(missing.all(axis=0).tobytes())
        # Strings in the pool: texts, then by turns a cell and the mark behind it.
        pool = np.frombuffer(bytearray().join((texts, data)), np.uint8)
        first = len(ends_of_texts)
        bounds = np.empty(first + 2 * len(ends) + 1, np.int32)
        bounds[0], bounds[1 : first + 1] = 0, ends_of_texts
        bounds[first + 1 :: 2] = ends + np.int32(len(texts))
        bounds[first + 2 :: 2] = ends + np.int32(len(texts) + 1)
        for number in self._moments:
            there = starts[missing[:, number] == 0, number]
            pool[there + (len(texts) + len("YYYY-MM-DD"))] = ord("T")
        missing = missing[:, cells]
        # The numbers of the strings that make a row: by turns a text and a cell, and the text at the end.
        chosen = np.empty((len(starts), 2 * len(cells) + 1), np.int32)
        chosen[:, ::2] = np.arange(0, first, 4, dtype=np.int32)
        chosen[:, :-1:2] += missing
        chosen[:, 2::2] += 2 * missing
        chosen[:, 1::2] = (
            np.arange(first, len(bounds) - 1, 2 * self._width, dtype=np.int32)[:, None] + 2 * cells
        )
        strings = pa.StringArray.from_buffers(len(bounds) - 1, pa.py_buffer(bounds), pa.py_buffer(pool))
        return memoryview(strings.take(pa.array(chosen.ravel())).buffers()[2]), len(starts)

    def _made(self, never: bytes) -> tuple[bytes, np.ndarray, np.ndarray]:
        """The texts between cells, where each ends, and the columns of the cells: all that are not ``never`` there.

        Four texts before each cell: behind one that is there or missing, and before one that is there or missing; so
        at the end too, where they are two."""
        texts, cells, before, behind = [], [], "", ("", "")
        for slot, number in self._slots:
            before += slot.before
            if never[number]:
                before += slot.missing
                continue
            texts += [end + before + begin for end in behind for begin in (slot.opened, slot.missing)]
            cells.append(number)
            before, behind = "", (slot.closed, "")
        texts += [end + before + self._tail for end in behind for _same in range(2)]
        encoded = [text.encode() for text in texts]
        return (
            b"".join(encoded),
            np.cumsum(list(map(len, encoded)), dtype=np.int32),
            np.array(cells, np.int32),
        )


def _escaped(data: bytes) -> bytes:
    data = data.replace(b"\\", b"\\\\").replace(b'"', b'\\"')
    # Looked for by numpy, which takes a hundredth of the time of a pattern.
    if (np.frombuffer(data, np.uint8) < 0x20).any():
        data = _CONTROLS.sub(lambda found: b"\\u%04x" % found[0][0], data)
    return data
