"""Tables as people have them: CSV of any delimiter, workbooks, GeoJSON, text pasted from a sheet.

A ``Table`` has headings, rows with their numbers as a spreadsheet shows them, and ``notes``: what was taken
for granted, in words. Whatever a file is, it is read as text, a row at a time, so that memory stays flat;
what is no table is said at once, with its row. What a note says can be told otherwise (``Layout``).
"""

import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from django.utils.translation import gettext_lazy as _

from . import packed, texts
from .encodings import ENCODINGS, encoding_of
from .errors import LONGEST_LINE, MOST_COLUMNS, MOST_ROWS, BadTable

__all__ = ["ENCODINGS", "LONGEST_LINE", "MOST_COLUMNS", "MOST_ROWS", "BadTable", "Layout", "Row", "Table"]

#: Headings are looked for among so many rows.
_SAMPLE = 50
_MOST_SAID = 20


@dataclass(frozen=True, slots=True)
class Row:
    """``number`` counts as a spreadsheet does, blank lines too. ``cells`` are by heading, without white space
    around them. ``problem``: why they do not fit the headings, else empty."""

    number: int
    cells: dict[str, str]
    problem: Any = ""


@dataclass(frozen=True)
class Layout:
    """How a table lies in its file, as far as somebody says: the sheet of a workbook, the row of the headings,
    and of a text its encoding and delimiter."""

    sheet: str = ""
    headings: int = 0
    encoding: str = ""
    delimiter: str = ""


class Table:
    """A table with headings; raises BadTable where there is none.

    ``row``: where the headings stand. ``sheet`` and ``sheets``: which was read of which, in a workbook.
    """

    def __init__(self, path: Path, layout: Layout | None = None) -> None:
        layout = layout or Layout()
        self.notes: list[Any] = []
        self.sheet, self.sheets = "", list[str]()
        self.encoding, self.delimiter = "utf-8", ","
        self._spread = set[int]()
        self.path = path
        kind = packed.kind_of(path)
        if kind:
            self._unpack(kind, layout.sheet)
        else:
            self._settle(layout)
        self.row = self._find(layout.headings)
        self._check()
        self.first = self._pass_over()

    # -- what kind of file -----------------------------------------------------------------------------

    def _own(self) -> Any:
        """A file that lasts as long as the table does."""
        self._temporary = tempfile.NamedTemporaryFile(suffix=".csv")  # noqa: SIM115
        self.path = Path(self._temporary.name)
        return self._temporary

    def _unpack(self, kind: str, sheet: str) -> None:
        said = packed.unpack(self.path, kind, self._own(), sheet=sheet)
        self.sheet, self.sheets = said.get("sheet", ""), said.get("sheets", [])
        self._spread = set(said.get("across", ()))
        if len(self.sheets) > 1:
            others = ", ".join(name for name in self.sheets if name != self.sheet)
            self.notes.append(
                _("The sheet “%(sheet)s” is read. There are also: %(others)s.")
                % {"sheet": self.sheet, "others": others}
            )
        if said.get("down"):
            self.notes.append(_("The value of merged cells holds for every row that they span."))
        if middles := said.get("middles"):
            self.notes.append(
                _("Of small shapes the middle is read: %(kinds)s.") % {"kinds": _counted(middles)}
            )
        if larger := said.get("others"):
            self.notes.append(
                _("The coordinates of larger shapes are not read: %(kinds)s.") % {"kinds": _counted(larger)}
            )

    def _settle(self, layout: Layout) -> None:
        encoding = layout.encoding or encoding_of(self.path)
        if encoding != "utf-8":
            self.notes.append(_("The file is read as %(encoding)s.") % {"encoding": ENCODINGS[encoding]})
        if encoding.startswith("utf-16"):
            path = self.path
            texts.to_utf8(path, encoding, self._own())
            encoding = "utf-8"
        self.encoding = encoding
        self.delimiter = layout.delimiter or texts.delimiter_of(self.path, encoding)

    # -- headings --------------------------------------------------------------------------------------

    def _find(self, told: int) -> int:
        """The row of the headings: the first that fills as many columns as rows of the table do."""
        if told:
            return told
        sample = [(number, sum(map(bool, map(str.strip, cells)))) for number, cells in self._sample()]
        if not sample:
            raise BadTable(_("The file is empty."))
        usual = sorted(filled for _number, filled in sample)[len(sample) // 2]
        fitting = [number for number, filled in sample if filled * 2 > usual]
        row = next((number for number in fitting if number not in self._spread), fitting[0])
        if row != sample[0][0]:
            self.notes.append(_("The headings are read from row %(row)d.") % {"row": row})
        return row

    def _sample(self) -> list[tuple[int, list[str]]]:
        """The first rows that hold something."""
        records = (record for record in self._records() if any(map(str.strip, record[1])))
        return list(islice(records, _SAMPLE))

    def _check(self) -> None:
        cells = next((cells for number, cells in self._records() if number == self.row), [])
        self.headings = [" ".join(heading.split()) for heading in cells]
        while self.headings and not self.headings[-1]:
            self.headings.pop()
        named = [heading for heading in self.headings if heading]
        if not any(map(str.isalpha, "".join(named))):
            raise BadTable(_("No row of headings was found: this one holds no words."), row=self.row)
        if len(self.headings) > MOST_COLUMNS:
            raise BadTable(
                _("The table has %(columns)d columns; at most %(most)d are read.")
                % {"columns": len(self.headings), "most": MOST_COLUMNS},
                row=self.row,
            )
        for heading in named:
            places = [place for place, other in enumerate(self.headings, 1) if other == heading]
            if len(places) > 1:
                raise BadTable(
                    _("The heading “%(heading)s” stands twice, in columns %(columns)s: give each its own.")
                    % {"heading": heading, "columns": ", ".join(map(_letters, places))},
                    row=self.row,
                )
        if unnamed := [place for place, heading in enumerate(self.headings, 1) if not heading]:
            self.notes.append(
                _("Columns without a heading are not read: %(columns)s.")
                % {"columns": ", ".join(map(_letters, unnamed))}
            )

    def _pass_over(self) -> int:
        """The row after which rows begin: below the headings forms number their columns, and humanitarian tables
        have the tags of HXL."""
        below = ((number, cells) for number, cells in self._records() if number > self.row and any(cells))
        number, cells = next(below, (0, []))
        said = [cell.strip() for cell in cells]
        if len(said) >= 5 and said == [str(place) for place in range(1, len(self.headings) + 1)]:
            self.notes.append(_("Row %(row)d is not read: it numbers the columns.") % {"row": number})
        elif number and all(re.fullmatch(r"#\w+(\s*\+\w+)*", cell) for cell in filter(None, said)):
            self.notes.append(_("Row %(row)d is not read: it holds tags of HXL.") % {"row": number})
        else:
            return self.row
        return number

    # -- rows ------------------------------------------------------------------------------------------

    def rows(self) -> Iterator[Row]:
        """Every row below the headings but blank ones, in order."""
        width = len(self.headings)
        for number, cells in self._records():
            if number <= self.first or not any(cells):
                continue
            problem = self._misfit(cells) if len(cells) < width or any(cells[width:]) else ""
            named = zip(self.headings, cells, strict=False)
            yield Row(number, {heading: cell.strip() for heading, cell in named if heading}, problem)

    def verbatim(self) -> Iterator[list[str]]:
        """Every row from the headings on, blank ones included, as it is written and as wide as the headings.

        Cells that are missing at the end are empty. Raises BadTable at once, before the first row, if any has more
        than the headings, and names all of these.
        """
        width = len(self.headings)
        self._refuse_wide(width)
        for number, cells in self._records():
            if number >= self.row:
                yield cells[:width] + [""] * (width - len(cells))

    def _refuse_wide(self, width: int) -> None:
        said: list[str] = []
        more = 0
        for number, cells in self._records():
            if number < self.row or not any(cells[width:]):
                continue
            if len(said) < _MOST_SAID:
                said.append(str(BadTable(self._misfit(cells), row=number)))
            else:
                more += 1
        if more:
            said.append(_("… and %(count)d more.") % {"count": more})
        if said:
            raise BadTable("\n".join(said))

    def _misfit(self, cells: list[str]) -> Any:
        width = len(self.headings)
        if len(cells) < width:
            return _("The row has %(cells)d cells, the headings are %(width)d.") % {
                "cells": len(cells),
                "width": width,
            }
        beyond = next(place for place, cell in enumerate(cells, 1) if place > width and cell)
        return _(
            "The row has %(cells)d cells, the headings are %(width)d: column %(column)s has no heading."
        ) % {"cells": len(cells), "width": width, "column": _letters(beyond)}

    def _records(self) -> Iterator[tuple[int, list[str]]]:
        with self.path.open("rb") as file:
            for number, cells in texts.records(file, self.encoding, self.delimiter):
                if number > MOST_ROWS:
                    raise BadTable(
                        _("A table may have %(most)d rows; this one has more.") % {"most": MOST_ROWS},
                        row=number,
                    )
                yield number, cells


def _counted(kinds: dict[str, int]) -> str:
    return ", ".join(f"{kind} ({number})" for kind, number in kinds.items())


def _letters(place: int) -> str:
    """The name of a column in a sheet: A, B … Z, AA."""
    before, last = divmod(place - 1, 26)
    return (_letters(before) if before else "") + chr(65 + last)
