"""Pages of rows in the order of lists, merged from walks, and counts that know how far they looked."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Semaphore
from typing import Any, NamedTuple

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from registry.models import ReportRow
from registry.models.rows import ReportQuerySet as Rows

from .walking import Walk, tried

#: Beyond this, counts say "more than".
COUNTED_TO = 10_000

#: One long look for rows at a time in a process: others are asked to come again.
_long_look = Semaphore(1)


class Busy(Exception):
    """Rows that no index knows are being looked for already."""


@contextmanager
def alone() -> Iterator[None]:
    """The one long look of this process; raises Busy if there is one already."""
    if not _long_look.acquire(blocking=False):
        raise Busy
    try:
        yield
    finally:
        _long_look.release()


@dataclass(frozen=True)
class Page:
    """Some rows in order, and the tokens of the pages after and before them (None where there is none).

    ``partial``: as many rows as one page looks at were looked at, and these fit; the next page goes on.
    """

    rows: list[ReportRow]
    after: str | None
    before: str | None
    partial: bool = False


class Count(NamedTuple):
    """How many rows were counted, and whether there may be ``more``; then ``n`` is the limit, or what was
    found among as many rows as are looked at."""

    n: int
    more: bool = False

    @classmethod
    def of(cls, n: int, *, more: bool = False) -> "Count":
        """So many, or the limit."""
        return cls(min(n, COUNTED_TO), more=more or n > COUNTED_TO)

    @property
    def is_least(self) -> bool:
        """Whether there may be more for the reason that no more was looked at."""
        return self.more and self.n < COUNTED_TO

    @property
    def reports(self) -> str:
        """The count in words."""
        if not self.more:
            words = ngettext("%(n)s report", "%(n)s reports", self.n)
        elif self.is_least:
            words = _("At least %(n)s reports")
        else:
            words = _("More than %(n)s reports")
        return words % {"n": number_format(self.n, force_grouping=self.more)}


def look(
    walks: list[Walk], looked: int, *, start: int | None, back: bool, size: int, columns: Collection[str]
) -> tuple[list[Any], int | None]:
    """The first rows among as many of each walk as are looked at, and where that ends, if before the end."""
    walks = [walk.starting(looked, size, after=start, back=back) for walk in walks]
    edges = [edge for walk in walks if (edge := walk.edge(looked, after=start, back=back)) is not None]
    # Beyond the nearest edge, rows of that walk would be missing between those of others.
    until = (min if back else max)(edges, default=None)
    return _merged(walks, start, until, back=back, size=size, columns=columns), until


def _merged(
    walks: list[Walk],
    start: int | None,
    until: int | None,
    *,
    back: bool,
    size: int,
    columns: Collection[str],
) -> list[Any]:
    """The first rows of all walks together, beyond ``start`` and before ``until``."""
    each = [(walk, walk.part(after=start, until=until, back=back, most=size)) for walk in walks]
    parts = [(walk, part) for walk, part in each if not part.query.is_empty()]
    if len(parts) == 1:
        return list(_read(parts[0][1], columns)[:size])
    # Keys first, because rows are wide.
    keys = [
        (key, number)
        for number, (_walk, part) in enumerate(parts)
        for key in part.values_list("sort_key", flat=True)[:size]
    ]
    chosen: dict[int, list[int]] = {}
    for key, number in sorted(keys, reverse=not back)[:size]:
        chosen.setdefault(number, []).append(key)
    rows = [
        row
        for number, some in chosen.items()
        for row in _read(tried(parts[number][0].rows).filter(sort_key__in=some).order_by(), columns)
    ]
    return sorted(rows, key=lambda row: row.sort_key, reverse=not back)


def _read(rows: Rows, columns: Collection[str]) -> Any:
    """The rows with these columns and their keys as named tuples, half of whose making models would add to a
    page; with all columns as models."""
    return rows.values_list(*dict.fromkeys(("sort_key", *columns)), named=True) if columns else rows


def counted(walks: list[Walk], most: int) -> Count:
    """The rows among the first ``most`` of each walk, to the first one that is longer."""
    n = 0
    for walk in walks:
        found, more = walk.number(most, COUNTED_TO + 1 - n)
        n += found
        if more or n > COUNTED_TO:
            return Count.of(n, more=more)
    return Count(n)
