"""How lists find their rows: along one index, in the order of lists, and never far.

A *walk* is a condition that one index answers in the order of lists (a value of a column, a word), with all
other conditions tried on its rows one by one. A selection is one walk, or a few that share no row, merged.
Nothing here trusts the database to choose: what fits none of the indexes ends after MOST_LOOKED rows of the
walk, and whoever asked is told where.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import islice, product
from typing import Any

from django.db.models import F, Q

from registry.models import PastReport, words
from registry.models.rows import LONG, RANGES, SPARSE, WALKED
from registry.models.rows import ReportQuerySet as Rows
from registry.models.sql import LONG_DAYS, first_key, kept_off

#: Rows of an index that a page looks at before it is asked for more, and at most.
FIRST_LOOK, MOST_LOOKED = 500, 10_000
#: Rows of an index that are looked at to count.
MOST_COUNTED = 20_000
#: A condition that keeps at most so many rows is the one to begin with.
FEW = 1_000
#: As many rows are sorted where a walk would end too early.
MOST_SORTED = 30_000
#: More values than this are not walked one by one.
_MOST_WALKS = 24

#: Columns to walk by, what keeps fewest rows first. Of the first ones so few rows are expected that words
#: are looked for in each.
_RARE = ("reference", "asset", "incident", "assignee_id", "danger", "withdrawn")
_RANK = (*_RARE, *(name for name in WALKED if name not in _RARE))
_COARSE = (None, "damage_level", "status", "kind", "cause_group", "country")
_KEPT_OFF = frozenset(_RANK) - {"reference"} | {"verified_on", "logged_utc", "updated_utc"}
#: Stands for the columns that hold words.
WORDS = "words"

#: Column → the values that a row may have there.
Values = Mapping[str, Sequence[Any]]


@dataclass(frozen=True)
class Walk:
    """Some rows of one table: ``rows`` has all conditions, ``index`` those that its index answers, None
    where all rows were counted before and are few.

    ``gathered``: the rows are found by an index of another order and sorted; no index of theirs is walked.
    """

    rows: Rows
    index: Rows | None
    gathered: bool = False

    def edge(self, most: int, *, after: int | None = None, back: bool = False) -> int | None:
        """The sort key at which the walk has looked at ``most`` rows; None if it ends before."""
        if self.index is None:
            return None
        index = _ordered(self.index.beyond(after, back=back), back=back)
        return next(iter(index.values_list("sort_key", flat=True)[most : most + 1]), None)

    def part(self, *, after: int | None, until: int | None, back: bool) -> Rows:
        """The rows beyond ``after``, to ``until`` but without it, in order."""
        rows = self.rows.beyond(after, back=back).beyond(until, back=not back)
        return _ordered(rows, back=back, gathered=self.gathered)


@dataclass(frozen=True)
class Found(Walk):
    """A walk along an index that no column's value leads to: its keys are read first."""

    def part(self, *, after: int | None, until: int | None, back: bool) -> Rows:
        assert self.index is not None
        keys = (
            self.index.beyond(after, back=back)
            .beyond(until, back=not back)
            .values_list("sort_key", flat=True)
        )
        return _ordered(self.rows.filter(sort_key__in=list(keys)), back=back, gathered=True)


def _ordered(rows: Rows, *, back: bool, gathered: bool = False) -> Rows:
    # An index of keys knows nothing of a sum.
    rows = rows.order_by(-(F("sort_key") + 0)) if gathered else rows.in_order()
    return rows.reverse() if back else rows


@dataclass(frozen=True)
class Asked:
    """What a selection asks for, as walks see it: columns with the values they may have; conditions that
    an index answers in another order, by column (or WORDS); the first and last day of damage; words."""

    values: Values
    few: Mapping[str, Q]
    first: date | None
    last: date | None
    text: str

    @property
    def column(self) -> str | None:
        """The column to walk by: the one of those asked for that keeps fewest rows."""
        return next((name for name in _RANK if name in self.values), None)

    def is_narrow(self, bare: Rows) -> bool:
        """Whether a column's values leave so few rows that words are looked for in each of them."""
        if self.column in _RARE or self.column in _COARSE:
            return self.column in _RARE
        walks = _by_value(bare, bare, self.column, self.values)
        return all(walk.edge(MOST_LOOKED) is None for walk in walks)

    def found(self, bare: Rows, most: int) -> Q | None:
        """The first of the conditions ``few`` that keeps at most so many rows."""
        for column, condition in self.few.items():
            name = "pk" if column == WORDS else column
            if len(bare.filter(condition).values_list(name)[: most + 1]) <= most:
                return condition
        return None

    def begin(self, rows: Rows, bare: Rows) -> list[Walk]:
        """Other walks to begin with, if any: where words are gathered before they are sorted, those that
        many rows hold are sooner met in any rows."""
        return [Walk(rows, bare)] if self._gathers_words(bare) else []

    def walks(self, rows: Rows, bare: Rows) -> list[Walk]:
        """The walks that give ``rows``, which has all conditions; ``bare`` is its table with none."""
        if rows.model is PastReport:
            return [Walk(rows, None if "reference" in self.values else bare)]
        rows = kept_off(rows, _KEPT_OFF)
        if rows.query.extra_tables:
            start = first_key(self.first) - 1 if self.first else None
            index = words.holding(bare, self.text, walked=False)
            return [Walk(rows.beyond(start, back=True), index.beyond(start, back=True))]
        if self.column not in _RARE:
            condition = self.found(bare, FEW)
            if condition is not None:
                keys = list(bare.filter(condition).values_list("pk", flat=True))
                return [Walk(rows.filter(pk__in=keys), None)]
        if self._gathers_words(bare):
            return [Walk(rows, bare, gathered=True)]
        return list(_until(_by_value(rows, bare, self.column, self.values), rows, bare, self.last))

    def sorted(self, rows: Rows, bare: Rows) -> list[Walk]:
        """The same rows by an index of another order, where one keeps no more than can be sorted at once:
        for walks that end before they have found a page."""
        if rows.model is PastReport:
            return self.walks(rows, bare)
        condition = self.found(bare, MOST_SORTED)
        if condition is None:
            return []
        return [Walk(kept_off(rows, _KEPT_OFF).filter(condition), None, gathered=True)]

    def _gathers_words(self, bare: Rows) -> bool:
        return WORDS in self.few and not self.is_narrow(bare)


def tried(rows: Rows) -> Rows:
    """The same rows: the conditions so far are tried on each, an index answers what is asked of them next."""
    return kept_off(rows, _KEPT_OFF)


def _by_value(rows: Rows, bare: Rows, column: str | None, values: Values) -> Iterator[Walk]:
    """A walk for each value of the column, or for each of region and status."""
    if column is None:
        yield Walk(rows, bare)
        return
    columns = (column, "status") if column == "adm1_code" and "status" in values else (column,)
    together = list(islice(product(*(values[name] for name in columns)), _MOST_WALKS + 1))
    if len(together) > _MOST_WALKS:
        yield Walk(rows, bare)
        return
    for some in together:
        value = dict(zip(columns, some, strict=True))
        yield Walk(_having(rows, value), None if column == "reference" else _having(bare, value))


def _having(rows: Rows, values: Mapping[str, Any]) -> Rows:
    for column, value in values.items():
        if column in SPARSE or value is None:
            rows = rows.filled(column)
        if value is not None:
            rows = rows.filter(**{column: value})
    return rows


def _until(found: Iterable[Walk], rows: Rows, bare: Rows, last: date | None) -> Iterator[Walk]:
    """The same walks, of damage no later than the last day asked for; beside them what may have happened by
    then: ranges of days that reach beyond it, the long ones by an index of their own."""
    if last is None:
        yield from found
        return
    end, far = (first_key(last + timedelta(days=days)) for days in (1, LONG_DAYS + 2))
    begun = Q(occurred_from__lte=last) | Q(occurred_from=None)
    soon = Q(RANGES, ~LONG, sort_key__gte=end, sort_key__lt=far)
    for walk in found:
        if walk.index is None:
            yield walk
            return
        yield Walk(walk.rows.beyond(end), walk.index.beyond(end))
        yield Found(walk.rows, walk.index.filter(soon, begun))
    yield Found(rows, bare.filter(LONG, begun, sort_key__gte=end))
