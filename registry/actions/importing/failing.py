"""The rows that failed, given back as a table to be mended and sent again."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence

from registry.models import Batch, BatchRow

from .judging import MARK


def rows(batch: Batch) -> Iterator[BatchRow]:
    """The failing rows of a batch, in the order of the file."""
    return batch.noted.filter(outcome="error").iterator(chunk_size=1000)


def table(headings: Sequence[str], failing: Iterable[BatchRow]) -> Iterator[str]:
    """Lines of CSV: the columns of the file as they were, then what is wrong."""
    line = io.StringIO()
    writer = csv.writer(line, lineterminator="\n")

    def written(*cells: str) -> str:
        line.seek(0)
        line.truncate()
        writer.writerow(cells)
        return line.getvalue()

    yield written(*headings, MARK)
    for row in failing:
        yield written(*(row.cells.get(heading, "") for heading in headings), in_words(row))


def in_words(row: BatchRow) -> str:
    """What is wrong with a row, on one line."""
    return "; ".join(f"{column}: {words}" if column else words for column, words in row.said)
