"""Counts kept beside the rows: figures by area, kind and status, the pyramid of the map, figures of a day.

The office's are kept by deltas, which the worker merges; an audience's are written whole by its edition.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any

from django.db import connection, transaction
from django.db.models import Case, CharField, Count, F, Q, QuerySet, Sum, Value, When
from django.db.models.functions import Coalesce

from registry import geo
from registry.models import CURRENT, Cluster, DayFigure, Tally, TallyDelta
from registry.models.sql import insert
from registry.rules import access
from registry.rules.vocabularies import CustomersUnit, Holder, Kind, Status

TALLY_KEY = ("area", "kind", "sector", "status", "damage_level")
CLUSTER_KEY = ("zoom", "cell", "area", "damage_level")
_AREA = Case(When(adm1_code="", then=F("country")), default=F("adm1_code"), output_field=CharField())
_COUNTED = ~Q(status__in=access.SET_ASIDE) & ~Q(customers_unit=CustomersUnit.SETTLEMENTS)
#: The journal writes one delta for each change; this many are merged by one transaction.
CHUNK = 5_000


def figures(holder: str) -> QuerySet:
    """What ``Tally`` holds for a holder, from its rows: TALLY_KEY, n, customers out."""
    out = Coalesce(Sum("customers_out", filter=_COUNTED), 0)
    return _rows(holder).values_list(*TALLY_KEY).annotate(n=Count("pk"), out=out)


def clusters(holder: str, zoom: int) -> QuerySet:
    """What ``Cluster`` holds for a holder at a zoom level, from its rows: CLUSTER_KEY, n."""
    rows = _rows(holder).filter(cell__isnull=False).exclude(status__in=access.SET_ASIDE)
    prefix = F("cell").bitrightshift(_shift(zoom))
    rows = rows.annotate(prefix=prefix, zoom=Value(zoom))
    return rows.values_list("zoom", "prefix", "area", "damage_level").annotate(n=Count("pk"))


def _rows(holder: str) -> QuerySet[Any]:
    rows: QuerySet[Any] = CURRENT[holder]._default_manager.order_by().annotate(area=_AREA)
    return rows.filter(withdrawn="") if holder == Holder.OFFICE else rows


def sides(holder: str) -> Iterator[tuple[str, list[QuerySet], list[QuerySet]]]:
    """What is kept beside what it should be, to compare: a name, then queries that give a key and two sums.
    The deepest level of the pyramid is held against the rows, each other one against the one below it."""
    office = holder == Holder.OFFICE
    columns = (*TALLY_KEY, "n", "customers_out")
    kept: list[QuerySet] = [Tally.objects.filter(holder=holder).values_list(*columns)]
    if office:
        kept.append(TallyDelta.objects.values_list(*columns))
    yield "figures", kept, [figures(holder)]
    last = ("area", "damage_level", "n", Value(0))
    pyramid = Cluster.objects.filter(holder=holder)
    deepest = Cluster.ZOOMS[-1]
    kept = [pyramid.filter(zoom=deepest).values_list("cell", *last)]
    if office:
        placed = TallyDelta.objects.filter(cell__isnull=False).exclude(status__in=access.SET_ASIDE)
        kept.append(placed.values_list(F("cell").bitrightshift(_shift(deepest)), *last))
    yield f"zoom {deepest}", kept, [clusters(holder, deepest).values_list("prefix", *last)]
    for zoom in Cluster.ZOOMS[:-1]:
        below = pyramid.filter(zoom=zoom + 1).values_list(F("cell").bitrightshift(2), *last)
        yield f"zoom {zoom}", [pyramid.filter(zoom=zoom).values_list("cell", *last)], [below]


def _shift(zoom: int) -> int:
    """How many bits of a cell lie below a zoom level."""
    return 2 * (geo.ZOOM - zoom)


def rewrite(holder: str) -> None:
    """Write a holder's tallies and pyramid anew from its rows, each level from the one below it."""
    owner = Value(str(holder))
    with transaction.atomic():
        Tally.objects.filter(holder=holder).delete()
        Cluster.objects.filter(holder=holder).delete()
        if holder == Holder.OFFICE:
            TallyDelta.objects.all().delete()
        columns = [*TALLY_KEY, "n", "customers_out", "holder"]
        insert(Tally, columns, figures(holder).values_list(*TALLY_KEY, "n", "out", owner))
        columns = [*CLUSTER_KEY, "n", "holder"]
        deepest = clusters(holder, Cluster.ZOOMS[-1])
        names = ("zoom", "prefix", "area", "damage_level", "n")
        insert(Cluster, columns, deepest.values_list(*names, owner))
        table = Cluster._meta.db_table
        with connection.cursor() as cursor:
            for zoom in reversed(Cluster.ZOOMS[1:]):
                cursor.execute(
                    f"INSERT INTO {table} (holder, zoom, cell, area, damage_level, n)"
                    " SELECT holder, zoom - 1, cell >> 2, area, damage_level, SUM(n)"
                    f" FROM {table} WHERE holder = %s AND zoom = %s GROUP BY 1, 2, 3, 4, 5",
                    [holder, zoom],
                )


def add(holder: str, changes: Iterable[tuple[tuple[Any, ...], int, int]]) -> None:
    """Add to a holder's tallies: (key as ``journal.tally_key`` gives it, rows, customers out) each."""
    tally: Counter[tuple] = Counter()
    customers: Counter[tuple] = Counter()
    pyramid: Counter[tuple] = Counter()
    for (area, kind, sector, status, level, cell), n, out in changes:
        key = (holder, area, kind, sector, status, level)
        tally[key] += n
        customers[key] += out
        if cell is not None and status not in access.SET_ASIDE:
            for zoom in Cluster.ZOOMS:
                pyramid[holder, zoom, cell >> _shift(zoom), area, level] += n
    # In one order, so that two writers never wait for each other.
    _upsert(Tally, TALLY_KEY, [(*key, n, customers[key]) for key, n in sorted(tally.items())])
    _upsert(Cluster, CLUSTER_KEY, [(*key, pyramid[key]) for key in sorted(pyramid) if pyramid[key]])


def _upsert(table: type[Tally] | type[Cluster], key: tuple[str, ...], rows: list[tuple]) -> None:
    sums = ("n", "customers_out") if table is Tally else ("n",)
    name, keys = table._meta.db_table, ("holder", *key)
    marks = ", ".join(["%s"] * (len(keys) + len(sums)))
    added = ", ".join(f"{column} = {name}.{column} + excluded.{column}" for column in sums)
    same_key = " AND ".join(f"{column} = %s" for column in keys)
    with connection.cursor() as cursor:
        cursor.executemany(
            f"INSERT INTO {name} ({', '.join((*keys, *sums))}) VALUES ({marks}) "
            f"ON CONFLICT ({', '.join(keys)}) DO UPDATE SET {added}",
            rows,
        )
        cursor.executemany(
            f"DELETE FROM {name} WHERE {same_key} AND n = 0", [row[: len(keys)] for row in rows]
        )


def merge() -> bool:
    """Merge the oldest of the office's deltas into its tallies; whether a full chunk was there."""
    with transaction.atomic():
        deltas = list(TallyDelta.objects.select_for_update(skip_locked=True).order_by("pk")[:CHUNK])
        key = (*TALLY_KEY, "cell")
        add(
            Holder.OFFICE,
            [(tuple(getattr(d, name) for name in key), d.n, d.customers_out) for d in deltas],
        )
        TallyDelta.objects.filter(pk__in=[delta.pk for delta in deltas]).delete()
    return len(deltas) == CHUNK


def write_day(holder: str, day: date) -> None:
    """Keep a holder's figures of a day, by area, from its merged tallies; once more replaces them."""
    live = ~Q(status__in=access.SET_ASIDE)
    damage = live & ~Q(kind=Kind.OUTAGE)
    figures = (
        Tally.objects.filter(holder=holder)
        .values_list("holder", "area")
        .annotate(
            open_damage=Coalesce(Sum("n", filter=damage & ~Q(status=Status.CLOSED)), 0),
            out=Coalesce(Sum("customers_out"), 0),
            repairs=Coalesce(Sum("n", filter=Q(status=Status.REPAIR_IN_PROGRESS)), 0),
        )
    )
    names = ["holder", "area", "open_damage", "customers_out", "repairs", "day"]
    with transaction.atomic():
        DayFigure.objects.filter(holder=holder, day=day).delete()
        rows = figures.values_list("holder", "area", "open_damage", "out", "repairs", Value(day))
        insert(DayFigure, names, rows)


__all__ = ["add", "clusters", "figures", "merge", "rewrite", "sides", "write_day"]
