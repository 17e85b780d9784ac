"""The map: what lies in a tile, gathered into groups that carry the worst damage in them.

A tile (512 pixels wide) is cut into 8 × 8 squares. The rows of a square are one group, standing where most
of them are; a row alone in its square is a point that can be opened. Without filters, and in whole regions
or countries, groups come from the pyramid that tallies keep; by what the cell index holds, from ranges of it;
by anything else from the newest rows, and the tile says that it is partial.
"""

import json
import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

from django.db import connections
from django.db.models import F, Q, QuerySet
from django.db.models.expressions import RawSQL
from django.utils.translation import gettext as _

from registry import geo
from registry.filters import BadFilter, Selection, tried
from registry.models import Cluster, PastReport, ReportRow, TallyDelta
from registry.models.sql import kept_off
from registry.outputs.statistics import added, grouped, sectors_of
from registry.outputs.telling import what
from registry.rules import access, scales
from registry.rules.vocabularies import Holder

#: Squares lie this many zoom levels below their tile, the parts that place a group this many below them.
SQUARES, PARTS = 3, 2
#: Markers nearer than this to a group's, as part of a tile's width, belong to it: 40 of 512 pixels.
NEAR = 40 / 512
#: The deepest tile: squares of five metres.
LAST_ZOOM = 19
#: How many rows one tile gathers from the cell index, and how many rows it looks at one by one, before it
#: says that it shows a part.
MOST_ROWS, MOST_LOOKED = 2_000_000, 20_000

#: Damage levels that say something, by how bad they are.
_RANKS = {level: rank for rank, level in enumerate(scales.SEVERITY) if rank}

#: Where in a tile each part of it lies.
_PLACES = [geo.middle(part, SQUARES + PARTS) for part in range(1 << 2 * (SQUARES + PARTS))]

_WORLD = Path(__file__).resolve().parent.parent / "static" / "registry" / "map" / "world.json"


def tile(selection: Selection, zoom: int, x: int, y: int) -> dict[str, Any]:
    """The groups and points of one tile: ``clusters`` (lat, lon, n, level, cell), ``points`` (lat, lon,
    reference, title, level, status, radius_m), and whether that is only a ``partial`` view.

    Degrees are WGS 84; ``level`` is the worst damage level. BadFilter names a number that no tile has.
    """
    for name, number, last in (("z", zoom, LAST_ZOOM), ("x", x, 2**zoom - 1), ("y", y, 2**zoom - 1)):
        if not 0 <= number <= last:
            raise BadFilter(name, _("There is no such tile."))
    parts, partial, keys = _parts(selection, geo.tile_range(zoom, x, y), zoom + SQUARES + PARTS)
    squares: dict[int, Group] = {}
    for part, (n, worst) in sorted(parts.items()):
        square, place = part >> 2 * PARTS, _PLACES[part % len(_PLACES)]
        if square in squares:
            squares[square].absorb(*place, n, worst)
        else:
            squares[square] = Group(square, *place, n, worst)
    groups = _apart(squares.values())
    singles = [group.cell for group in groups if group.n == 1]
    return {
        "partial": partial,
        "clusters": [group.told(zoom, x, y) for group in groups if group.n > 1],
        "points": _points(selection, singles, zoom + SQUARES, keys),
    }


@dataclass
class Group:
    """Reports that share a marker: the square they stand for, their mean place in the tile, how many, the
    place of the worst level in ``SEVERITY``."""

    cell: int
    x: float
    y: float
    n: int
    worst: int

    def absorb(self, x: float, y: float, n: int, worst: int) -> None:
        total = self.n + n
        self.x = (self.x * self.n + x * n) / total
        self.y = (self.y * self.n + y * n) / total
        self.n = total
        if worst > self.worst:
            self.worst = worst

    def told(self, zoom: int, x: int, y: int) -> dict[str, Any]:
        lat, lon = geo.degrees((x + self.x) / 2**zoom, (y + self.y) / 2**zoom)
        level = scales.SEVERITY[self.worst]
        return {"cell": self.cell, "lat": round(lat, 6), "lon": round(lon, 6), "n": self.n, "level": level}


def _apart(groups: Iterable[Group]) -> list[Group]:
    """The groups, the largest first, with what would stand upon a larger one's marker taken into it."""
    kept: list[Group] = []
    # Those of several reports; every group is held against each of them.
    larger: list[Group] = []
    for group in sorted(groups, key=lambda group: (-group.n, group.cell)):
        x, y = group.x, group.y
        for other in larger:
            if (x - other.x) ** 2 + (y - other.y) ** 2 < NEAR**2:
                other.absorb(x, y, group.n, group.worst)
                break
        else:
            kept.append(group)
            if group.n > 1:
                larger.append(group)
    return kept


def bounds(selection: Selection) -> tuple[float, float, float, float] | None:
    """South, west, north, east of what is selected, a degree or so wide of it; None where nothing is."""
    return _bounds(_parts(selection, geo.tile_range(0, 0, 0), _WIDE)[0])


#: The zoom level by which it is told how wide something is.
_WIDE = 8


def _bounds(parts: Iterable[int], zoom: int = _WIDE) -> tuple[float, float, float, float] | None:
    """The same of parts of ``zoom``."""
    if not parts:
        return None
    centres = [geo.centre(part, zoom) for part in parts]
    half = 180 / (1 << zoom)
    lats, lons = [lat for lat, _lon in centres], [lon for _lat, lon in centres]
    return (
        round(max(-85.0, min(lats) - half), 4),
        round(max(-180.0, min(lons) - half), 4),
        round(min(85.0, max(lats) + half), 4),
        round(min(180.0, max(lons) + half), 4),
    )


def without_place(selection: Selection, *, most: int = 10_000) -> int:
    """How many of the selected rows have no place on the map, counted to one more than ``most``."""
    return sum(tried(rows).filter(cell=None)[: most + 1].count() for rows in selection.tables)


# -- groups -----------------------------------------------------------------------------------------------


def _parts(
    selection: Selection, cells: tuple[int, int], zoom: int
) -> tuple[dict[int, tuple[int, int]], bool, dict[int, int] | None]:
    """How many rows lie in these cells, and the place of their worst level in ``SEVERITY``, by cell prefix at
    ``zoom``; whether it was cut; and by prefix the sort key of a row there, None where only numbers are known."""
    areas = selection.regions
    # The pyramid knows areas and damage levels, but no sectors.
    if areas is not None and sectors_of(selection) is None and zoom in Cluster.ZOOMS:
        found = _pyramid(selection, areas, cells, zoom)
        return _gathered((part, n, _RANKS.get(level, 0)) for part, level, n in found if n > 0), False, None
    if selection.is_covered:
        along = _together([_along(rows, selection.holder, cells, zoom) for rows in selection.tables])
        parts = {part: (n, worst) for part, n, worst, _key in along}
        keys = {part: key for part, _n, _worst, key in along if key is not None}
        return parts, sum(n for n, _worst in parts.values()) >= MOST_ROWS, keys
    sources, partial = _sources(selection, cells)
    prefix = F("cell").bitrightshift(2 * (geo.ZOOM - zoom))
    rows = [
        row
        for source in sources
        for row in grouped(
            source.annotate(prefix=prefix), "prefix", "damage_level", total="sort_key", by="MAX"
        )
    ]
    parts = _gathered((part, n, _RANKS.get(level, 0)) for part, level, n, _key in rows)
    return parts, partial, {part: key for part, _level, _n, key in rows}


def _gathered(found: Iterable[tuple[int, int, int]]) -> dict[int, tuple[int, int]]:
    """By part how many there are in all, and the worst."""
    parts: dict[int, tuple[int, int]] = {}
    for part, n, worst in found:
        before, worse = parts.get(part, (0, 0))
        parts[part] = before + n, worst if worst > worse else worse
    return parts


#: A part of a tile: its prefix, how many rows lie there, the place of the worst in ``SEVERITY``, and the sort key
#: of a row alone.
Part = tuple[int, int, int, int | None]


def _together(tables: list[list[Part]]) -> list[Part]:
    """The parts of all tables, those of one prefix added."""
    if len(tables) == 1:
        return tables[0]
    found: dict[int, Part] = {}
    for part, n, worst, key in (one for parts in tables for one in parts if one[1]):
        _part, before, worse, _key = found.get(part, (part, 0, 0, None))
        found[part] = part, before + n, max(worst, worse), None if before else key
    return list(found.values())


def _along(rows: Any, holder: str, cells: tuple[int, int], zoom: int) -> list[Part]:
    """The rows of a table of this holder that its wide index alone can tell, part by part along it. No more
    parts once there are MOST_ROWS.

    Each part is a range of the index, counted as it is read; to group a tile, SQLite would sort all of its
    rows and PostgreSQL hash each.
    """
    shift, table = 2 * (geo.ZOOM - zoom), rows.model._meta.db_table
    own = f"holder = '{holder}' AND " if rows.model is PastReport else ""

    def within(part: str, column: str) -> tuple[str, tuple]:
        first, last = (RawSQL(f"({part} + {more}) << {shift}", ()) for more in (0, 1))
        inside = tried(rows).filter(cell__gte=first, cell__lt=last).order_by()
        told = inside.values(told=F(column)).query
        # Not elided, a condition that nothing can meet stays a condition.
        return told.get_compiler(rows.db, elide_empty=False).as_sql()

    levels, params = within("along.ahead", "damage_level")
    alone, params_alone = within("along.part", "sort_key")
    worst = " ".join(f"WHEN '{level}' THEN {rank}" for level, rank in _RANKS.items())
    seen = "total + COALESCE(found, 0) / 8"
    with connections[rows.db].cursor() as cursor:
        cursor.execute(
            "WITH RECURSIVE along (part, found, total, ahead) AS ("
            f"SELECT {', '.join(f'CAST({value} AS bigint)' for value in ('NULL', 'NULL', 0, cells[0] >> shift))}"
            " UNION ALL SELECT ahead,"
            f" (SELECT COUNT(*) * 8 + MAX(CASE told {worst} ELSE 0 END) FROM ({levels}) AS inside), {seen},"
            f" (SELECT cell >> {shift} FROM {table} WHERE {own}cell >= (ahead + 1) << {shift} AND cell < {cells[1]}"
            f" ORDER BY cell LIMIT 1) FROM along WHERE ahead IS NOT NULL AND {seen} < {MOST_ROWS})"
            f" SELECT part, found / 8, found %% 8, CASE WHEN found / 8 = 1 THEN ({alone} LIMIT 1) END"
            " FROM along WHERE found IS NOT NULL",
            (*params, *params_alone),
        )
        return cursor.fetchall()


def _pyramid(
    selection: Selection, areas: Q, cells: tuple[int, int], zoom: int
) -> Iterable[tuple[int, str, int]]:
    """One statement over the pyramid and, for the office, what is not merged into it yet."""
    shift = 2 * (geo.ZOOM - zoom)
    kept = Cluster.objects.using(selection.using).filter(
        areas, holder=selection.holder, zoom=zoom, cell__gte=cells[0] >> shift, cell__lt=cells[1] >> shift
    )
    found = kept.values_list("cell", "damage_level", "n")
    if selection.holder != Holder.OFFICE:
        return found
    late = TallyDelta.objects.using(selection.using).filter(areas, cell__gte=cells[0], cell__lt=cells[1])
    late = late.exclude(status__in=access.SET_ASIDE).annotate(prefix=F("cell").bitrightshift(shift))
    found = found.union(late.values_list("prefix", "damage_level", "n"), all=True)
    return added(found, "cell", "damage_level", numbers=("n",))


def _sources(selection: Selection, cells: tuple[int, int]) -> tuple[list[Any], bool]:
    """The newest rows in these cells that each walk of the selection meets, and whether these are only some."""
    walks, sources, partial = selection.walks, [], False
    for walk in walks:
        edge = walk.edge(MOST_LOOKED // len(walks))
        partial |= edge is not None
        looked = walk.part(after=None, until=edge, back=False)
        inside = looked.filter(cell__gte=cells[0], cell__lt=cells[1])
        # The slice keeps the order, and the order the index of the walk.
        sources.append(kept_off(inside, {"cell"})[:MOST_ROWS])
    return sources, partial


def _in_cells(rows: QuerySet, ranges: Iterable[tuple[int, int]]) -> QuerySet:
    near = Q(pk__in=())
    for first, last in ranges:
        near |= Q(cell__gte=first, cell__lt=last)
    return rows.filter(near).order_by()


# -- points -----------------------------------------------------------------------------------------------


def _points(
    selection: Selection, squares: list[int], zoom: int, keys: dict[int, int] | None
) -> list[dict[str, Any]]:
    """The rows that stand alone in these squares: by the sort keys known of their parts, else by the squares."""
    if not squares:
        return []
    if keys is not None:
        alone = {part >> 2 * PARTS: key for part, key in keys.items()}
        found = [
            row
            for rows in selection.tables
            for row in tried(rows).filter(sort_key__in=[alone[square] for square in squares]).only(*_SHOWN)
        ]
    else:
        shift = 2 * (geo.ZOOM - zoom)
        ranges = [(square << shift, (square + 1) << shift) for square in squares]
        found = [
            row
            for rows in selection.tables
            for row in _in_cells(tried(rows), ranges).only(*_SHOWN)[: 2 * len(ranges)]
        ]
    return [point(row) for row in sorted(found, key=lambda row: row.reference)]


_SHOWN = (
    "reference", "kind", "sector", "object_type", "object_name", "address", "settlement", "adm3_name",
    "adm2_name", "adm1_name", "country", "lat", "lon", "geo_radius_m", "damage_level", "status",
)  # fmt: skip


def point(row: ReportRow) -> dict[str, Any]:
    """One row as the map shows it."""
    return {
        "lat": float(row.lat),
        "lon": float(row.lon),
        "reference": row.reference,
        "title": title(row),
        "level": row.damage_level or "unknown",
        "status": row.status,
        "radius_m": row.geo_radius_m or 0,
    }


def title(row: ReportRow) -> str:
    """What and where in a few words: "School, Lenina 5, Shebekino"."""
    where = (row.address, row.settlement or row.adm3_name or row.adm2_name or row.adm1_name)
    return ", ".join(str(word) for word in (what(row), *where) if word)


# -- a small drawing ----------------------------------------------------------------------------------------


class Sketch(NamedTuple):
    """A small map as a drawing: land as SVG paths, dots as (x, y, radius, worst level), in pixels."""

    width: int
    height: int
    land: list[str]
    dots: list[tuple[float, float, float, str]]


class Frame(NamedTuple):
    """Which part of the unit square a drawing shows: its middle, and how many pixels the square's side takes."""

    width: int
    height: int
    x: float
    y: float
    scale: float

    def pixel(self, x: float, y: float) -> tuple[float, float]:
        return (
            round((x - self.x) * self.scale + self.width / 2, 1),
            round((y - self.y) * self.scale + self.height / 2, 1),
        )


def sketch(selection: Selection, *, width: int = 480, height: int = 260) -> Sketch | None:
    """The selection at a glance, on the outlines of countries and regions; None where nothing has a place."""
    # As of a moment all rows are gone through: once, as finely as any drawing may want.
    kept = _parts(selection, geo.tile_range(0, 0, 0), _FINE)[0] if selection.as_of else None
    box = bounds(selection) if kept is None else _bounds(_coarser(kept, _FINE - _WIDE))
    if box is None:
        return None
    south, west, north, east = box
    (left, bottom), (right, top) = _mercator(west, south), _mercator(east, north)
    scale = min(width / (right - left), height / (bottom - top))
    frame = Frame(width, height, (left + right) / 2, (top + bottom) / 2, scale)
    zoom = min(Cluster.ZOOMS[-1], max(Cluster.ZOOMS[0], round(math.log2(scale / 16))))
    if kept is None:
        parts, _partial, _keys = _parts(selection, geo.tile_range(0, 0, 0), zoom)
    else:
        zoom = min(zoom, _FINE)
        parts = _coarser(kept, _FINE - zoom)
    dots = []
    for part, (n, worst) in sorted(parts.items(), key=lambda one: (-one[1][0], one[0])):
        dot = frame.pixel(*geo.middle(part, zoom))
        dots.append((*dot, round(4 + 3 * math.log10(n), 1), scales.SEVERITY[worst]))
    return Sketch(width, height, _land(frame), dots)


#: The zoom level of the parts of which drawings as of a moment are made.
_FINE = 12


def _coarser(parts: dict[int, tuple[int, int]], levels: int) -> dict[int, tuple[int, int]]:
    """Parts so many zoom levels above."""
    return _gathered((part >> 2 * levels, n, worst) for part, (n, worst) in parts.items())


@lru_cache(maxsize=32)
def _land(frame: Frame) -> list[str]:
    """The outlines in a frame as SVG paths. Frames are few, as boxes end at a degree or so, and points many."""

    def path(ring: list[tuple[float, float]]) -> str:
        points = (frame.pixel(x, y) for x, y in ring)
        return "M" + "L".join(f"{x:g} {y:g}" for (x, y), _same in groupby(points)) + "Z"

    reach, rise = frame.width / frame.scale / 2, frame.height / frame.scale / 2
    return [
        "".join(map(path, rings))
        for (x0, y0, x1, y1), rings in _outlines()
        if x0 < frame.x + reach and x1 > frame.x - reach and y0 < frame.y + rise and y1 > frame.y - rise
    ]


def _mercator(lon: float, lat: float) -> tuple[float, float]:
    """Where a point lies in the unit square of web Mercator, from its upper left corner."""
    lat = max(-85.0, min(85.0, lat))
    return lon / 360 + 0.5, 0.5 - math.asinh(math.tan(math.radians(lat))) / math.tau


@cache
def _outlines() -> list[tuple[tuple[float, float, float, float], list[list[tuple[float, float]]]]]:
    """Countries and regions of the base map in the unit square: the box and the rings of each."""
    found = []
    for feature in json.loads(_WORLD.read_bytes())["features"]:
        shape = feature["geometry"]
        polygons = shape["coordinates"] if shape["type"] == "MultiPolygon" else [shape["coordinates"]]
        for polygon in polygons:
            rings = [[_mercator(lon, lat) for lon, lat in ring] for ring in polygon]
            xs, ys = zip(*rings[0], strict=True)
            found.append(((min(xs), min(ys), max(xs), max(ys)), rings))
    return found
