"""XLSX: one header row, text as text and never as a formula, days and moments (UTC) as dates, what is missing empty.

More rows than a sheet holds go on in further sheets; text that no cell holds is refused before anything is written.
"""

import tempfile
from collections.abc import Callable
from contextlib import closing
from datetime import datetime
from typing import Any

import xlsxwriter
from django.conf import settings
from django.db import connections
from django.utils.translation import gettext as _

from ..rows import CELL, LINE, Lines, lines
from ..sending import MAKING, Outlet, Sink
from ..tables import Sheet
from .refusing import Unfit

#: The limits of a worksheet (https://support.microsoft.com/office/1672b34d-7043-467e-8e27-269d656771c3).
ROWS, CHARACTERS = 1_048_576, 32_767
#: Excel reckons in days since this one, but believes in a 29 February 1900.
_DAY_ZERO, _FIRST = 693_594, 61


def check(sheet: Sheet) -> None:
    """Raise Unfit if some text is longer than a cell takes."""
    long = [
        column.name
        for column in sheet.columns
        if column.type == "text" and (column.max_length or CHARACTERS + 1) > CHARACTERS
    ]
    for name in long:
        sql, params = sheet.sql(f'"{name}" AS cell')
        with connections[sheet.using].cursor() as cursor:
            cursor.execute(
                f"SELECT 1 FROM ({sql}) AS cells WHERE length(cell) > {CHARACTERS} LIMIT 1", params
            )
            if cursor.fetchone():
                raise Unfit(
                    _(
                        "A text in the column “%(column)s” is longer than a cell of XLSX takes: %(most)d characters."
                    )
                    % {"column": name, "most": CHARACTERS}
                )


def write(sheet: Sheet, sink: Sink) -> int:
    """Write the sheet and return the number of its rows. The packed file is put together at the end."""
    with tempfile.TemporaryDirectory(dir=settings.DATA_DIR, prefix=MAKING) as folder:
        options = {
            "constant_memory": True,
            "tmpdir": folder,
            "strings_to_formulas": False,
            "strings_to_numbers": False,
            "strings_to_urls": False,
        }
        book = xlsxwriter.Workbook(Outlet(sink), options)
        # Of its rows and not of the clock, so that the same rows are the same bytes.
        book.set_properties({"created": datetime(2000, 1, 1)})
        with closing(lines(sheet)) as chunks:
            count = _fill(book, sheet, chunks, sink)
        book.close()
    return count


def _fill(book: Any, sheet: Sheet, chunks: Lines, sink: Sink) -> int:
    day, moment = (book.add_format({"num_format": form}) for form in ("yyyy-mm-dd", "yyyy-mm-dd hh:mm:ss"))
    page = _page(book, sheet, 1)
    count = 0
    for data, _rows in chunks:
        # Nothing yet, but whoever has left says so here.
        sink.write(b"")
        for cells in data.split(LINE)[:-1]:
            line = count % (ROWS - 1) + 1
            if line == 1:
                page = page if count == 0 else _page(book, sheet, count // (ROWS - 1) + 1)
                writers = [_writer(page, column.type, day, moment) for column in sheet.columns]
            for number, cell in enumerate(cells.split(CELL)):
                if cell:
                    writers[number](line, number, cell.decode())
            count += 1
    return count


def _page(book: Any, sheet: Sheet, number: int) -> Any:
    page = book.add_worksheet(sheet.name if number == 1 else f"{sheet.name} {number}")
    page.freeze_panes(1, 0)
    for i, column in enumerate(sheet.columns):
        page.write_string(0, i, column.name)
    return page


def _writer(page: Any, type: str, day: Any, moment: Any) -> Callable[[int, int, str], Any]:
    """What writes the cells of a type."""

    def dated(line: int, number: int, cell: str) -> None:
        days: float = datetime.fromisoformat(cell[:10]).toordinal() - _DAY_ZERO
        if days < _FIRST:
            page.write_string(line, number, cell)
        elif type == "date":
            page.write_number(line, number, days, day)
        else:
            hours, minutes, seconds = (int(part) for part in cell[11:19].split(":"))
            page.write_number(line, number, days + (hours * 3600 + minutes * 60 + seconds) / 86400, moment)

    match type:
        case "integer" | "decimal":
            return lambda line, number, cell: page.write_number(line, number, float(cell))
        case "boolean":
            return lambda line, number, cell: page.write_boolean(line, number, cell == "true")
        case "date" | "moment":
            return dated
    return page.write_string
