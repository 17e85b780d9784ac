"""What is said of a file that is no table, and how much a table may hold."""

from typing import Any

from django.utils.translation import gettext_lazy as _

#: A line may be this long, in bytes; one that is longer is no row of a table.
LONGEST_LINE = 1_000_000
#: A table may have so many rows and columns.
MOST_ROWS = 1_000_000
MOST_COLUMNS = 500
#: A workbook may unpack to so many bytes, and a GeoJSON be so long.
MOST_UNPACKED = 300_000_000
MOST_JSON = 100_000_000


class BadTable(ValueError):
    """The file is no table that can be read. ``row``: where, as a spreadsheet counts; 0: as a whole."""

    def __init__(self, message: Any, *, row: int = 0) -> None:
        super().__init__(message)
        self.message, self.row = message, row

    def __str__(self) -> str:
        return (_("Row %(row)d: %(message)s") % vars(self)) if self.row else str(self.message)
