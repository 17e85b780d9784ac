"""The first rows of a table by column: what somebody needs to say what the columns are, read once."""

import json
from collections import Counter
from dataclasses import dataclass
from itertools import islice

from registry.tabular import Layout, Table


@dataclass(frozen=True)
class Sample:
    """``cells``: by heading, the different cells of the first rows and how often each stands, in the order of the
    table; and how it lies in its file, as ``Table`` says it."""

    cells: dict[str, Counter[str]]
    notes: list[str]
    row: int
    sheet: str
    sheets: list[str]
    encoding: str

    @classmethod
    def of(cls, table: Table, rows: int) -> "Sample":
        """Of so many rows; raises BadTable."""
        cells: dict[str, Counter[str]] = {heading: Counter() for heading in table.headings if heading}
        for row in islice(table.rows(), rows):
            for heading, counted in cells.items():
                counted[row.cells.get(heading, "")] += 1
        notes = [str(note) for note in table.notes]
        return cls(cells, notes, table.row, table.sheet, table.sheets, table.encoding)

    def written(self, layout: Layout) -> str:
        """To be kept, with the layout by which it was read."""
        return json.dumps([vars(layout), vars(self)], ensure_ascii=False)

    @classmethod
    def kept(cls, text: str, layout: Layout) -> "Sample | None":
        """What was written, if it was read by this layout."""
        by, said = json.loads(text)
        if by != vars(layout):
            return None
        cells = {heading: Counter(counted) for heading, counted in said.pop("cells").items()}
        return cls(cells, **said)
