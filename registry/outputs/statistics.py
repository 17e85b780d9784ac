"""The figures of the day: from the tallies where a whole register, country or region is asked for, else
from one grouped pass over the rows of a selection. Both count the same."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, NamedTuple

from django.core.exceptions import EmptyResultSet
from django.db import connections
from django.db.models import Case, Count, F, Q, QuerySet, Sum, Value, When
from django.db.models.functions import Coalesce, NullIf

from registry.filters import Selection, tried
from registry.models import Area, DayFigure, Tally, TallyDelta
from registry.rules import access, workflow
from registry.rules.vocabularies import CustomersUnit, DamageLevel, Holder, Kind, Status, Withheld

#: Damage in these statuses is still to be repaired.
OPEN = tuple(
    dict.fromkeys(
        status
        for kind in workflow.DAMAGE
        for status in workflow.STATUSES[kind]
        if status not in (*access.SET_ASIDE, Status.CLOSED)
    )
)
#: Supply in these is not wholly back.
OUT = (Status.REPORTED, Status.CONFIRMED, Status.PARTIALLY_RESTORED)
#: Counted row by row: a region's districts, the regions of a filtered map. Beyond this, only tallies count.
MOST_ROWS = 20_000

#: The code of a row's region, else of its country, "" where neither is known.
AREA = Coalesce(NullIf("adm1_code", Value("")), "country")


class Line(NamedTuple):
    """How many rows are alike, and how many customers they say are without supply.

    ``area`` is the code of the region, else of the country, "" where neither is known.
    """

    area: str
    kind: str
    status: str
    damage_level: str
    n: int
    customers_out: int

    @property
    def is_open_damage(self) -> bool:
        return self.kind in workflow.DAMAGE and self.status in OPEN


@dataclass(frozen=True)
class Figure:
    """A figure and by how much it differs from the day before; None where that is not known."""

    n: int
    change: int | None = None


@dataclass(frozen=True)
class Day:
    """What the front page says: see ``day``."""

    open_damage: Figure
    verified: Figure
    customers_out: Figure
    repairs: Figure
    outages_unknown: int
    supply: list[tuple[date, int | None]]
    areas: list[tuple[str, Counter[str]]]


def lines(selection: Selection) -> list[Line]:
    """The selection's rows, counted: from tallies where they can answer."""
    return counted(selection) if selection.regions is None else tallied(selection, selection.regions)


def tallied(selection: Selection, areas: Q) -> list[Line]:
    """The lines of the tallies, what is not merged yet added by the same statement."""
    kept = Tally.objects.using(selection.using).filter(areas, holder=selection.holder)
    found = _live(kept, selection).values_list(*Line._fields)
    if selection.holder == Holder.OFFICE:
        late = _live(TallyDelta.objects.using(selection.using).filter(areas), selection)
        found = found.union(late.values_list(*Line._fields), all=True)
    lines = map(Line._make, added(found, *Line._fields[:-2], numbers=Line._fields[-2:]))
    # What has cancelled out is none.
    return sorted(line for line in lines if line.n)


def _live(tallies: QuerySet, selection: Selection) -> QuerySet:
    sectors = sectors_of(selection)
    if sectors is not None:
        tallies = tallies.filter(sector__in=sorted(sectors)).exclude(kind=Kind.BUILDING)
    return tallies.exclude(status__in=access.SET_ASIDE)


def counted(selection: Selection) -> list[Line]:
    """The same lines from the rows themselves, at any moment and by any filter."""
    customers = Case(
        When(
            ~Q(status__in=access.SET_ASIDE) & ~Q(customers_unit=CustomersUnit.SETTLEMENTS),
            then=Coalesce(F("customers_out"), 0),
        ),
        default=Value(0),
    )
    numbers: dict[tuple[str, ...], tuple[int, int]] = {}
    for rows in selection.tables:
        # As of a moment one wide index holds all that is asked of each row, but for customers: no other is to
        # be chosen, and these are read of losses of supply alone.
        rows = (tried(rows) if selection.as_of else rows).order_by().annotate(area=AREA)
        parts: list[list[tuple]] = []
        if selection.as_of:
            parts.append([(*line, 0) for line in grouped(rows, *Line._fields[:-2])])
            rows = rows.filter(kind=Kind.OUTAGE)
        counts = grouped(rows.annotate(customers=customers), *Line._fields[:-2], total="customers")
        parts.append([(*key, 0 if selection.as_of else n, out) for *key, n, out in counts])
        for *key, n, out in (line for part in parts for line in part):
            before, out_before = numbers.get(tuple(key), (0, 0))
            numbers[tuple(key)] = (before + n, out_before + int(out))
    return sorted(Line._make((*key, *both)) for key, both in numbers.items())


def grouped(rows: QuerySet, *columns: str, total: str = "", by: str = "SUM") -> list[tuple[Any, ...]]:
    """The rows counted by these columns, as (*columns, how many) and the sum of ``total`` where one is named
    (or its greatest, ``by="MAX"``).

    The rows are a query of their own inside, so a slice of them bounds what is looked at.
    """
    numbers = [total] if total else []
    answers = ["COUNT(*)", *(f"{by}({number})" for number in numbers)]
    return answered(rows.values_list(*columns, *numbers), columns, numbers, answers)


def added(rows: QuerySet, *columns: str, numbers: Sequence[str]) -> list[tuple[Any, ...]]:
    """The sums of ``numbers`` by these columns. What is not merged into the tallies yet may be thousands of
    rows, so the database adds them."""
    # A sum of long integers is a numeric in PostgreSQL.
    return answered(rows, columns, numbers, [f"CAST(SUM({number}) AS bigint)" for number in numbers])


def day_of(value: Any) -> date:
    """A day among what ``answered`` gives: SQLite gives the text of one."""
    return date.fromisoformat(value) if isinstance(value, str) else value


def answered(
    rows: QuerySet, columns: Sequence[str], numbers: Sequence[str], answers: Sequence[str]
) -> list[tuple[Any, ...]]:
    """What the aggregates ``answers`` say of rows that have these columns and numbers, by the columns."""
    try:
        sql, params = rows.query.sql_with_params()
    except EmptyResultSet:
        return []
    names, keys = (", ".join(listed) for listed in ((*columns, *numbers), columns))
    with connections[rows.db].cursor() as cursor:
        cursor.execute(
            f"WITH found ({names}) AS ({sql}) SELECT {keys}, {', '.join(answers)} FROM found GROUP BY {keys}",
            params,
        )
        return cursor.fetchall()


def day(selection: Selection, *, on: date, verified_on: date) -> Day:
    """The figures of the day ``on``, which is the present day for the office, an edition's for others.

    ``verified`` counts the reports verified on ``verified_on`` and compares with the day before it; the
    other changes are those since the figures kept for the day before ``on``. ``supply`` is customers
    without supply on seven days to ``on``; ``areas`` the open damage of regions (districts, if all lies in
    one) by damage level, most first.
    """
    found = lines(selection)
    damage = [line for line in found if line.is_open_damage]
    now = {
        "open_damage": sum(line.n for line in damage),
        "repairs": sum(line.n for line in damage if line.status == Status.REPAIR_IN_PROGRESS),
        "customers_out": sum(line.customers_out for line in found),
    }
    kept = _kept(selection, on - timedelta(days=6), on)
    before = kept.get(on - timedelta(days=1))
    figures = {name: Figure(n, n - before[name] if before else None) for name, n in now.items()}
    earlier = verified_on - timedelta(days=1)
    verified = _verified(selection, [verified_on, earlier])
    days = [on - timedelta(days=back) for back in range(6, 0, -1)]
    return Day(
        **figures,
        verified=Figure(verified[verified_on], verified[verified_on] - verified[earlier]),
        outages_unknown=sum(
            tried(rows).unknown().filter(status__in=OUT[1:]).count() for rows in selection.tables
        ),
        supply=[(d, kept[d]["customers_out"] if d in kept else None) for d in days]
        + [(on, now["customers_out"])],
        areas=_by_area(selection, damage),
    )


def by_region(selection: Selection) -> Counter[str] | None:
    """How many of the selected reports lie in each region (or country), by code; None if tallies cannot
    answer and there are more than MOST_ROWS."""
    counts: Counter[str] = Counter()
    if selection.regions is not None:
        for line in tallied(selection, selection.regions):
            counts[line.area] += line.n
        return counts
    if selection.as_of and selection.is_covered:
        for line in counted(selection):
            counts[line.area] += line.n
        return counts
    for rows in selection.tables:
        for code, n in grouped(rows.order_by().annotate(area=AREA)[: MOST_ROWS + 1], "area"):
            counts[code] += n
    return counts if counts.total() <= MOST_ROWS else None


def area_names(codes: Iterable[str], *, using: str) -> dict[str, str]:
    """The names of areas in the reader's language, by code; without codes that name none."""
    areas = Area.objects.using(using).only(*Area.NAMED).filter(code__in=list(codes))
    return {area.code: str(area) for area in areas}


def sectors_of(selection: Selection) -> frozenset[str] | None:
    """The sectors an operator is limited to."""
    person = selection.person if selection.holder == Holder.OFFICE else None
    return person.scope.sectors if person else None


def _kept(selection: Selection, first: date, last: date) -> dict[date, dict[str, int]]:
    """The figures kept of past days; none where they cannot be told apart so finely."""
    areas = selection.areas
    if areas is None or sectors_of(selection) is not None:
        return {}
    figures = DayFigure.objects.using(selection.using).filter(
        holder=selection.holder, day__gte=first, day__lte=last
    )
    names = ("open_damage", "customers_out", "repairs")
    sums = {f"{name}_sum": Coalesce(Sum(name, filter=areas or None), 0) for name in names}
    rows: Any = figures.values_list("day").annotate(**sums)
    return {row[0]: dict(zip(names, row[1:], strict=True)) for row in rows}


def _verified(selection: Selection, days: list[date]) -> Counter[date]:
    """How many rows were verified on these civil days; rows that say only the month are in no day."""
    counts: Counter[date] = Counter()
    for rows in selection.tables:
        of_days = tried(rows).filter(verified_on__in=days).exclude(withheld__contains=Withheld.DAYS)
        for day, n in of_days.order_by().values_list("verified_on").annotate(n=Count("pk")):
            counts[day] += n
    return counts


def _by_area(selection: Selection, damage: Iterable[Line]) -> list[tuple[str, Counter[str]]]:
    areas: dict[str, Counter[str]] = defaultdict(Counter)
    for line in damage:
        areas[line.area][line.damage_level or DamageLevel.UNKNOWN] += line.n
    if len(areas) == 1 and sum(counts.total() for counts in areas.values()) <= MOST_ROWS:
        areas = _by_district(selection)
    return sorted(areas.items(), key=lambda item: (-item[1].total(), item[0]))


def _by_district(selection: Selection) -> dict[str, Counter[str]]:
    areas: dict[str, Counter[str]] = defaultdict(Counter)
    for rows in selection.tables:
        rows = tried(rows) if selection.as_of else rows
        open_rows = rows.filter(kind__in=workflow.DAMAGE, status__in=OPEN).order_by()
        keyed = open_rows.values_list("adm2_code", "adm1_code", "country", "damage_level")
        for adm2, adm1, country, level in keyed:
            areas[adm2 or adm1 or country][level or DamageLevel.UNKNOWN] += 1
    return areas
