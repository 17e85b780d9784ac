"""How lists find their rows: along one index, in the order of lists, and never far.

A *walk* is a condition that one index answers in the order of lists (a value of a column, a word), with all
other conditions tried on its rows one by one. A selection is one walk, or a few that share no row, merged.
Nothing here trusts the database to choose: what fits none of the indexes ends after LOOKED rows of the
walk, and whoever asked is told where.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from itertools import islice, product
from typing import Any, cast

from django.db.models import F, Max, Min, Q

from registry.models import PastReport, Report, words
from registry.models.rows import LONG, RANGES, SPARSE, WALKED
from registry.models.rows import ReportQuerySet as Rows
from registry.models.sql import KEY_BITS, LONG_DAYS, first_key, kept_off

#: Rows of an index that a page looks at, and tries other conditions on.
LOOKED = 2_000
#: As many are looked at where those hold none.
LOOKED_FOR_ANY = 10_000
#: So many a page for programs looks at, and further only where those hold none.
MOST_LOOKED = 100_000
#: As many rows of an index are looked at to count, and where counting goes further.
ROWS_COUNTED, MOST_COUNTED = 1_000, 30_000
#: A condition that keeps at most so many rows is the one to begin with.
FEW = 1_000
#: As many rows are sorted where a walk would end too early.
MOST_SORTED = 30_000
#: Days of which words are gathered at once, and rows of a walk that one of them counts for.
_DAYS_AT_ONCE, _ROWS_A_DAY = 64, 8
#: More values than this are not walked one by one.
_MOST_WALKS = 24

#: Columns to walk by, what keeps fewest rows first. Of the first ones so few rows are expected that words
#: are looked for in each.
_RARE = ("reference", "asset", "incident", "assignee_id", "danger", "withdrawn")
_RANK = (*_RARE, "batch_id", *(name for name in WALKED if name not in _RARE))
_COARSE = (None, "damage_level", "status", "kind", "cause_group", "country")
_KEPT_OFF = frozenset(_RANK) - {"reference"} | {"sort_key", "verified_on", "logged_utc", "updated_utc"}
#: Stands for the columns that hold words.
WORDS = "words"

#: Column → the values that a row may have there.
Values = Mapping[str, Sequence[Any]]


@dataclass(frozen=True)
class Walk:
    """Some rows of one table: ``rows`` has all conditions, ``index`` those that its index answers, None
    where all rows were counted before and are few.

    ``gathered``: the rows are found by an index of another order and sorted; no index of theirs is walked.
    ``low``, ``high``: the keys between which the walk lies.
    """

    rows: Rows
    index: Rows | None
    gathered: bool = False
    low: int | None = None
    high: int | None = None

    @property
    def whole(self) -> Rows:
        """All of the rows, unordered: for files."""
        return self._between(self.rows, None, None, back=False)

    def below(self, key: int) -> "Walk":
        """The walk as far as it lies below a key; its rows have no others."""
        return replace(self, high=key if self.high is None else min(key, self.high))

    def starting(self, most: int, size: int, *, after: int | None, back: bool) -> "Walk":
        """The walk on which a page finds ``size`` rows beyond ``after``, if it looks at no more than ``most``."""
        return self

    def edge(self, most: int, *, after: int | None = None, back: bool = False) -> int | None:
        """The sort key at which the walk has looked at ``most`` rows; None if it ends before."""
        if self.index is None:
            return None
        index = _ordered(self._between(self.index, after, None, back=back), back=back)
        return next(iter(index.values_list("sort_key", flat=True)[most : most + 1]), None)

    def number(self, most: int, to: int) -> tuple[int, bool]:
        """How many of its rows are among its first ``most``, counted ``to`` a number, and whether it goes on."""
        edge = self.edge(most)
        # PostgreSQL reads the index alone for what the index holds.
        keys = self.part(after=None, until=edge, back=False).values("sort_key")
        return keys[:to].count(), edge is not None

    def part(self, *, after: int | None, until: int | None, back: bool, most: int | None = None) -> Rows:
        """The rows beyond ``after``, to ``until`` but without it, in order; ``most`` of them are needed."""
        rows = self._between(self.rows, after, until, back=back)
        return _ordered(rows, back=back, gathered=self.gathered)

    def _between(self, rows: Rows, after: int | None, until: int | None, *, back: bool) -> Rows:
        # One bound on either side: of several, SQLite begins at any.
        low, high = (after, until) if back else (until, after)
        return rows.beyond(highest(low, self.low), back=True).beyond(lowest(high, self.high))


@dataclass(frozen=True)
class Found(Walk):
    """A walk along indexes that no column's value leads to. Their keys are read first, once for each place to
    begin at."""

    sources: Sequence[Rows] = ()
    read: dict[tuple[int | None, bool], list[int]] = field(default_factory=dict)

    @property
    def whole(self) -> Rows:
        # The bare query: it runs wherever the rows are read.
        keys: Any = self._keys(None, back=False).order_by().query
        return self.rows.filter(sort_key__in=keys)

    def edge(self, most: int, *, after: int | None = None, back: bool = False) -> int | None:
        ended = after is not None and self.low is not None and after <= self.low + 1 and not back
        keys = [] if ended else list(self._keys(after, back=back)[: most + 1])
        self.read[after, back] = keys[:most]
        return keys[most] if len(keys) > most else None

    def part(self, *, after: int | None, until: int | None, back: bool, most: int | None = None) -> Rows:
        """The rows beyond ``after`` whose keys ``edge`` has read."""
        if not (keys := self.read[after, back]):
            return self.rows.none()
        rows = self.rows.filter(sort_key__in=keys).beyond(until, back=not back)
        return _ordered(rows, back=back, gathered=True)

    def _keys(self, after: int | None, *, back: bool) -> Any:
        first, *others = (
            self._between(some, after, None, back=back).values_list("sort_key", flat=True)
            for some in self.sources
        )
        return first.union(*others, all=True).order_by("sort_key" if back else "-sort_key")


@dataclass(frozen=True)
class Known(Walk):
    """A walk of so few rows that all their ``keys`` were read, or all before its ``end``."""

    keys: Sequence[int] = ()
    end: int | None = None

    def edge(self, most: int, *, after: int | None = None, back: bool = False) -> int | None:
        return self.end

    @property
    def whole(self) -> Rows:
        return self._between(self.rows.filter(sort_key__in=self.keys), None, None, back=False)

    def number(self, most: int, to: int) -> tuple[int, bool]:
        return min(len(self.keys), to), False

    def part(self, *, after: int | None, until: int | None, back: bool, most: int | None = None) -> Rows:
        low, high = (after, until) if back else (until, after)
        keys = sorted(
            (key for key in self.keys if (low is None or key > low) and (high is None or key < high)),
            reverse=not back,
        )
        return _ordered(self.rows.filter(sort_key__in=keys[:most]), back=back, gathered=True)


@dataclass(frozen=True)
class Daily(Walk):
    """A walk of the rows that hold words which many rows hold, ``expected`` ones. A page gathers those of some
    days, by an index that knows words by their day, and those of more days where they are too few.

    ``others``: the rows that fit all but the words of ``text``.
    """

    others: Rows | None = None
    text: str = ""
    expected: float = 0

    def starting(self, most: int, size: int, *, after: int | None, back: bool) -> Walk:
        assert self.index is not None and self.others is not None  # noqa: PT018
        oldest, newest = self.index.aggregate(Min("sort_key"), Max("sort_key")).values()
        if newest is None:
            return Known(self.others, None)
        low, high = (after, None) if back else (None, after)
        first, last = (
            cast(int, key) >> KEY_BITS
            for key in (highest(oldest, self.low, low), lowest(newest, self.high, high))
        )
        days = range(first, last + 1) if back else range(last, first - 1, -1)
        # Some more than are needed: one day has more, another fewer, and of the first the page has only a part.
        share = 3 * size / max(self.expected, 1) * ((newest - oldest) >> KEY_BITS)
        at_once = round(min(share + 1, _DAYS_AT_ONCE))
        keys: list[int] = []
        done = 0
        while len(keys) < size and done < min(len(days), max(most // _ROWS_A_DAY, 1)):
            found = words.on_days(self.others, self.text, days[done : done + at_once])
            rows = self._between(found, after, None, back=back)
            ordered = _ordered(rows, back=back, gathered=True)
            keys += ordered.values_list("sort_key", flat=True)[: size - len(keys)]
            done, at_once = done + at_once, min(4 * at_once, _DAYS_AT_ONCE)
        end = None
        if len(keys) < size and done < len(days):
            end = days[done] << KEY_BITS if back else (days[done - 1] << KEY_BITS) - 1
        return Known(tried(self.others), None, keys=keys, end=end)


def _ordered(rows: Rows, *, back: bool, gathered: bool = False) -> Rows:
    # An index of keys knows nothing of a sum.
    rows = rows.order_by(-(F("sort_key") + 0)) if gathered else rows.in_order()
    return rows.reverse() if back else rows


@dataclass(frozen=True)
class Asked:
    """What a selection asks for, as walks see it: columns with the values they may have; conditions that
    an index answers in another order, by column (or WORDS); the sort keys between which its rows lie; the last
    day on which damage began; words; and, where words are gathered before they are sorted, how many rows are
    expected to hold them."""

    values: Values
    few: Mapping[str, Q]
    low: int | None
    high: int | None
    last: date | None
    text: str
    expected: float = 0

    @property
    def column(self) -> str | None:
        """The column to walk by: the one of those asked for that keeps fewest rows."""
        return next((name for name in _RANK if name in self.values), None)

    def is_narrow(self, bare: Rows) -> bool:
        """Whether a column's values leave so few rows that words are looked for in each of them."""
        if self.column in _RARE or self.column in _COARSE:
            return self.column in _RARE
        walks = self._by_value(bare, bare)
        return all(walk.edge(LOOKED) is None for walk in walks)

    def found(self, bare: Rows, most: int) -> Q | None:
        """The first of the conditions ``few`` that keeps at most so many rows."""
        for column, condition in self.few.items():
            if column == WORDS and self.expected > most:
                continue
            name = "pk" if column == WORDS else column
            if len(bare.filter(condition).values_list(name)[: most + 1]) <= most:
                return condition
        return None

    def walks(self, rows: Rows, bare: Rows) -> list[Walk]:
        """The walks that give ``rows``, which has all conditions but those of the last day and of words;
        ``bare`` is its table with none."""
        return [
            replace(walk, low=highest(walk.low, self.low), high=lowest(walk.high, self.high))
            for walk in self._walks(rows, bare)
        ]

    def _walks(self, rows: Rows, bare: Rows) -> list[Walk]:
        if rows.model is PastReport:
            if "reference" in self.values:
                reports = Report.objects.using(rows.db).filter(reference__in=self.values["reference"])
                known = list(reports.values_list("pk", flat=True))
                return [Walk(self.begun(rows).filter(report__in=known), None)]
            name = next((name for name in ("asset", "incident") if name in self.values), None)
            if name is None:
                return [Walk(self.fitting(rows), bare)]
            each = ({name: value} for value in self.values[name])
            return [Walk(_having(self.fitting(rows), one), _having(bare, one)) for one in each]
        rows = tried(rows)
        if self.column not in _RARE and (few := self.found(bare, FEW)) is not None:
            keys = self._led(rows, few).filter(few).values_list("sort_key", flat=True)
            return [Known(rows, None, keys=list(keys))]
        if not self.text or self.is_narrow(bare):
            return list(self._until(self._by_value(self._worded(rows), bare), self._worded(rows), bare))
        if WORDS in self.few:
            # More than a few rows hold them, even where the database knows of none.
            expected = max(self.expected, FEW)
            return [
                Daily(self.fitting(rows), bare, others=self.begun(rows), text=self.text, expected=expected)
            ]
        found = words.indexed(bare.db, bare.model, self.text)
        return [Walk(found(self.begun(rows)), found(bare))]

    def sorted(self, rows: Rows, bare: Rows) -> list[Walk]:
        """The same rows by an index of another order, where one keeps no more than can be sorted at once:
        for walks that end before they have found a page."""
        if rows.model is PastReport:
            return self.walks(rows, bare)
        condition = self.found(bare, MOST_SORTED)
        if condition is None:
            return []
        return [Walk(tried(self._led(rows, condition)).filter(condition), None, gathered=True)]

    def begun(self, rows: Rows) -> Rows:
        """Those of the rows whose damage may have happened by the last day asked for."""
        return rows if self.last is None else rows.filter(begun_by(self.last))

    def _worded(self, rows: Rows) -> Rows:
        """Those of the rows that hold the words asked for, which are looked for in each."""
        return words.holding(rows, self.text, walked=True)

    def fitting(self, rows: Rows) -> Rows:
        """The rows that fit what walks see to as well: the last day and the words."""
        return self._worded(self.begun(rows))

    def _led(self, rows: Rows, condition: Q) -> Rows:
        """The rows that a condition of ``few`` leads to: words that do are not looked for in them again."""
        return self.begun(rows) if condition is self.few.get(WORDS) else self.fitting(rows)

    def _by_value(self, rows: Rows, bare: Rows) -> Iterator[Walk]:
        """A walk for each value of the column, or for each of region and status."""
        columns = [self.column] if self.column else []
        if self.column == "adm1_code" and "status" in self.values:
            columns.append("status")
        together = list(islice(product(*(self.values[name] for name in columns)), _MOST_WALKS + 1))
        if not columns or len(together) > _MOST_WALKS:
            yield Walk(rows, bare)
            return
        for some in together:
            value = dict(zip(columns, some, strict=True))
            index = None if self.column == "reference" else _having(bare, value)
            yield Walk(_having(rows, value), index)

    def _until(self, found: Iterable[Walk], rows: Rows, bare: Rows) -> Iterator[Walk]:
        """The same walks, of damage no later than the last day asked for; beside them what may have happened
        by then: ranges of days that reach beyond it, from some days after it on the long ones alone."""
        if self.last is None:
            yield from found
            return
        end, far = (first_key(self.last + timedelta(days=days)) for days in (1, LONG_DAYS + 2))
        for walk in found:
            if walk.index is None:
                yield replace(walk, rows=self.begun(walk.rows))
                return
            # All that ended by the last day has begun by it.
            yield replace(walk, high=end)
        soon, late = (
            self.begun(bare.filter(RANGES)).beyond(far),
            self.begun(bare.filter(LONG, sort_key__gte=far)),
        )
        yield Found(rows, None, low=end - 1, sources=(soon, late))


def highest(*keys: int | None) -> int | None:
    return max((key for key in keys if key is not None), default=None)


def lowest(*keys: int | None) -> int | None:
    return min((key for key in keys if key is not None), default=None)


def begun_by(last: date) -> Q:
    """Damage that may have happened by this day: a row "before" a day has no first one."""
    return Q(occurred_from__lte=last) | Q(occurred_from=None)


def tried(rows: Rows) -> Rows:
    """The same rows: the conditions so far are tried on each, an index answers what is asked of them next."""
    return kept_off(rows, _KEPT_OFF)


def _having(rows: Rows, values: Mapping[str, Any]) -> Rows:
    for column, value in values.items():
        if column in SPARSE or value is None:
            rows = rows.filled(column)
        if value is not None:
            rows = rows.filter(**{column: value})
    return rows
