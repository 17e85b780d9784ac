"""CSV: which delimiter a text has, and its records one at a time."""

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

from .encodings import ENCODINGS, MARKS
from .errors import LONGEST_LINE, BadTable

#: What may stand between cells. Where several would do, the first of them.
DELIMITERS = "\t;|,^~\x1f"
_SAMPLE = 50


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
    text = lines(file, encoding)
    reader = csv.reader(_requoted(text) if delimiter == "\t" else text, delimiter=delimiter, strict=True)
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


_QUOTED = re.compile(r'"(?:[^"]|"")*"')


def _requoted(lines: Iterator[str]) -> Iterator[str]:
    """Lines between tabs, in which a cell that only begins with quoted words is quoted as a whole.

    Spreadsheets copy and save a cell that begins with “"” as it is, and quote those that hold a line's end.
    """
    inside = False
    for line in lines:
        if '"' not in line:
            yield line
        elif inside:
            inside = line.count('"') % 2 == 0
            yield line
        else:
            text = line.rstrip("\r\n")
            cells = text.split("\t")
            inside = any(map(_opens, cells))
            yield "\t".join(map(_as_a_whole, cells)) + line[len(text) :]


def _opens(cell: str) -> bool:
    return cell.startswith('"') and cell.count('"') % 2 == 1


def _as_a_whole(cell: str) -> str:
    if not cell.startswith('"') or _opens(cell) or _QUOTED.fullmatch(cell):
        return cell
    return '"' + cell.replace('"', '""') + '"'


def _said(error: csv.Error) -> Any:
    text = str(error)
    if "expected after" in text:
        return _("A cell goes on behind its closing quotation mark. Within a cell each is written twice.")
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
        if file.read(2) not in MARKS:
            file.seek(0)
        try:
            while piece := file.read(1 << 20):
                to.write(decoder.decode(piece).encode())
            to.write(decoder.decode(b"", final=True).encode())
        except UnicodeDecodeError:
            raise BadTable(_("This is not UTF-16. Save it as CSV (UTF-8).")) from None
    to.flush()
