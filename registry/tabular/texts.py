"""CSV: which encoding and which delimiter a text has, and its records one at a time."""

import codecs
import csv
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

from django.utils.translation import gettext_lazy as _

from .errors import LONGEST_LINE, BadTable

#: What may stand between cells. Where several would do, the first of them.
DELIMITERS = "\t;|,^~\x1f"
ENCODINGS = {
    "utf-8": "UTF-8",
    "utf-16-le": "UTF-16",
    "utf-16-be": "UTF-16",
    "cp1251": "Windows-1251",
    "cp1252": "Windows-1252",
}
_MARKS = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
_HIGH = re.compile(rb"[\x80-\xff]+")
_SAMPLE = 50


def encoding_of(path: Path) -> str:
    """One of ENCODINGS."""
    with path.open("rb") as file:
        start = file.read(4096)
        if start[:2] in _MARKS:
            return _MARKS[start[:2]]
        # Two bytes a character without a mark: every other byte of what is ASCII is zero.
        zeros = [start[place::2].count(0) for place in (0, 1)]
        if max(zeros) * 4 > len(start) and min(zeros) == 0:
            return "utf-16-be" if zeros[0] else "utf-16-le"
        file.seek(0)
        return _eight_bit(file)


def _eight_bit(file: BinaryIO) -> str:
    fits, others, runs = 0, 0, Counter[bool]()
    for line in iter(lambda: file.readline(LONGEST_LINE), b""):
        if b"\0" in line:
            break  # no text, which whoever reads it says with its row
        if line.isascii():
            continue
        try:
            line.decode("utf-8")
            fits += 1
        except UnicodeDecodeError:
            others += 1
            # Words in Cyrillic are runs of high bytes; of French or Polish ones single letters are.
            runs.update(len(run) > 1 for run in _HIGH.findall(line))
    # A line or two of Windows-1251 may happen to be UTF-8 too. More, and the file mixes both: whoever reads
    # it as UTF-8 says where.
    if fits * 4 >= others:
        return "utf-8"
    return "cp1251" if runs[True] > runs[False] else "cp1252"


def delimiter_of(path: Path, encoding: str) -> str:
    """What stands between the cells: what cuts most rows into the same number of them, from the earliest on.

    Where nothing does, the table has one column: a comma, so that a row of two cells is seen, but not where
    commas are punctuation.
    """
    sample = _sample(path, encoding)
    best, found = (0, 0, 0), "\t" if _is_prose(sample, ",") else ","
    for delimiter in DELIMITERS:
        if not any(delimiter in line for line in sample):
            continue
        try:
            widths = [len(row) for row in csv.reader(sample, delimiter=delimiter) if any(row)][:_SAMPLE]
        except csv.Error:
            continue
        width, times = max(Counter(widths).items(), key=lambda pair: (pair[1], pair[0]), default=(1, 0))
        if width == 1 or (widths[0] == 1 and _is_prose(sample, delimiter)):
            continue
        rank = (min(10, 11 * times // len(widths)), -widths.index(width), width)
        if best == (0, 0, 0) or rank > best:
            best, found = rank, delimiter
    return found


def _sample(path: Path, encoding: str) -> list[str]:
    """The first lines, as far as they can be read."""
    sample: list[str] = []
    with path.open("rb") as file, suppress(BadTable):
        sample.extend(islice(lines(file, encoding), 4 * _SAMPLE))
    return sample


def _is_prose(sample: list[str], delimiter: str) -> bool:
    """Whether this sign is punctuation: a space follows wherever it stands."""
    return all(line.count(delimiter) == line.count(delimiter + " ") for line in sample)


def records(file: BinaryIO, encoding: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """The number of each row, blank ones included, with its cells."""
    reader = csv.reader(lines(file, encoding), delimiter=delimiter, strict=True)
    number = 0
    while True:
        number += 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except BadTable as error:
            raise BadTable(error.message, row=number) from None
        except csv.Error as error:
            raise BadTable(_said(error), row=number) from None
        yield number, cells


def _said(error: csv.Error) -> Any:
    text = str(error)
    if "field larger" in text or "unexpected end" in text:
        return _("A cell does not end. Perhaps a quotation mark is opened here and never closed.")
    return _("This is not well-formed CSV (%(error)s).") % {"error": text}


def lines(file: BinaryIO, encoding: str) -> Iterator[str]:
    """The lines of a file whose encoding writes a line's end as one byte; raises BadTable."""
    while line := file.readline(LONGEST_LINE + 1):
        if len(line) > LONGEST_LINE:
            raise BadTable(
                _("A line is longer than %(most)d bytes: this is no table.") % {"most": LONGEST_LINE}
            )
        if b"\0" in line:
            raise BadTable(_("This is no text. Save the table as CSV (UTF-8)."))
        marked = encoding == "utf-8" and file.tell() == len(line)
        try:
            yield line.decode("utf-8-sig" if marked else encoding)
        except UnicodeDecodeError as error:
            raise BadTable(
                _(
                    "This is not %(encoding)s: byte %(byte)s at place %(place)d of the line. "
                    "Save it as CSV (UTF-8)."
                )
                % {
                    "encoding": ENCODINGS[encoding],
                    "byte": f"0x{line[error.start]:02X}",
                    "place": error.start + 1,
                }
            ) from None


def to_utf8(path: Path, encoding: str, to: BinaryIO) -> None:
    """Write a UTF-16 file as UTF-8, a piece at a time; raises BadTable."""
    decoder = codecs.getincrementaldecoder(encoding)()
    with path.open("rb") as file:
        if file.read(2) not in _MARKS:
            file.seek(0)
        try:
            while piece := file.read(1 << 20):
                to.write(decoder.decode(piece).encode())
            to.write(decoder.decode(b"", final=True).encode())
        except UnicodeDecodeError:
            raise BadTable(_("This is not UTF-16. Save it as CSV (UTF-8).")) from None
    to.flush()
