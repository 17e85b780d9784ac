"""Rows of a CSV file, one at a time: memory stays flat however long the file is, and what is no CSV is
said at once, with its row.

Read is UTF-8 with or without a byte-order mark, with commas, semicolons or tabs between the cells.
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from django.utils.translation import gettext_lazy as _

#: A line may be this long, in bytes; one that is longer is no row of a table.
LONGEST_LINE = 1_000_000
_DELIMITERS = ",;\t"
_SIGNATURES = {
    b"PK\x03\x04": _("This is a workbook or an archive. Save the table as CSV (UTF-8)."),
    b"\xd0\xcf\x11\xe0": _("This is a workbook. Save the table as CSV (UTF-8)."),
    b"%PDF": _("This is a PDF. Save the table as CSV (UTF-8)."),
    b"\xff\xfe": _("This file is UTF-16. Save it as CSV (UTF-8)."),
    b"\xfe\xff": _("This file is UTF-16. Save it as CSV (UTF-8)."),
}


class BadTable(ValueError):
    """The file is no table that can be read. ``row``: where, as a spreadsheet counts; 0: as a whole."""

    def __init__(self, message: Any, *, row: int = 0) -> None:
        super().__init__(message)
        self.message, self.row = message, row

    def __str__(self) -> str:
        return (_("Row %(row)d: %(message)s") % vars(self)) if self.row else str(self.message)


@dataclass(frozen=True, slots=True)
class Row:
    """``number`` counts as a spreadsheet does: the headings are row 1, blank lines count. ``cells`` are by
    heading, without white space around them. ``problem``: why they do not fit the headings, else empty."""

    number: int
    cells: dict[str, str]
    problem: Any = ""


class Table:
    """A CSV file whose first row are headings; raises BadTable where it is none."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with path.open("rb") as file:
            start = file.read(4)
            if not start:
                raise BadTable(_("The file is empty."))
            for signature, message in _SIGNATURES.items():
                if start.startswith(signature):
                    raise BadTable(message)
            file.seek(0)
            first = next(_lines(file))
        self.delimiter = max(_DELIMITERS, key=first.count)
        with path.open("rb") as file:
            self.headings = [heading.strip() for heading in next(_records(file, self.delimiter))[1]]
        named = [heading for heading in self.headings if heading]
        if not named:
            raise BadTable(_("The first row holds no headings."), row=1)
        for heading in named:
            if named.count(heading) > 1:
                raise BadTable(_("The heading “%(heading)s” stands twice.") % {"heading": heading}, row=1)

    def rows(self) -> Iterator[Row]:
        """Every row but the headings and blank ones, in order."""
        width = len(self.headings)
        with self.path.open("rb") as file:
            records = _records(file, self.delimiter)
            next(records)
            for number, cells in records:
                if not any(cells):
                    continue
                short = len(cells) < width
                problem = self._misfit(cells) if short or any(cells[width:]) else ""
                named = zip(self.headings, cells, strict=False)
                yield Row(number, {heading: cell.strip() for heading, cell in named if heading}, problem)

    def verbatim(self) -> Iterator[list[str]]:
        """Every row, the headings first, blank ones included, as it is written and as wide as the headings.

        Cells that are missing at the end are empty; a row with more than the headings raises BadTable.
        """
        width = len(self.headings)
        with self.path.open("rb") as file:
            for number, cells in _records(file, self.delimiter):
                if any(cells[width:]):
                    raise BadTable(self._misfit(cells), row=number)
                yield cells[:width] + [""] * (width - len(cells))

    def _misfit(self, cells: list[str]) -> Any:
        return _("The row has %(cells)d cells, the headings are %(width)d.") % {
            "cells": len(cells),
            "width": len(self.headings),
        }


def _records(file: BinaryIO, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """The number of each row, blank ones included, with its cells."""
    reader = csv.reader(_lines(file), delimiter=delimiter, strict=True)
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


def _lines(file: BinaryIO) -> Iterator[str]:
    while line := file.readline(LONGEST_LINE + 1):
        if len(line) > LONGEST_LINE:
            raise BadTable(
                _("A line is longer than %(most)d bytes: this is no table.") % {"most": LONGEST_LINE}
            )
        if b"\0" in line:
            raise BadTable(_("This is no text. Save the table as CSV (UTF-8)."))
        try:
            yield line.decode("utf-8-sig" if file.tell() == len(line) else "utf-8")
        except UnicodeDecodeError as error:
            raise BadTable(
                _("This is not UTF-8: byte %(byte)s at place %(place)d of the line. Save it as CSV (UTF-8).")
                % {"byte": f"0x{line[error.start]:02X}", "place": error.start + 1}
            ) from None
