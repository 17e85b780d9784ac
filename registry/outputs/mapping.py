"""The map: what lies in a tile, gathered into groups that carry the worst damage in them.

A tile (512 pixels wide) is cut into 8 × 8 squares. The rows of a square are one group, standing where most
of them are; a row alone in its square is a point that can be opened. Without filters, and in whole regions
or countries, groups come from the pyramid that tallies keep; by what the cell index holds, from one range of
it; by anything else from the newest rows, and the tile says that it is partial.
"""

import json
import math
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from functools import cache, lru_cache
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

from django.db.models import F, Q, QuerySet
from django.utils.translation import gettext as _

from registry import geo
from registry.filters import BadFilter, Selection, tried
from registry.models import Cluster, ReportRow, TallyDelta
from registry.models.sql import kept_off
from registry.outputs.statistics import added, grouped, sectors_of
from registry.outputs.telling import what
from registry.rules import access, scales
from registry.rules.vocabularies import DamageLevel, Holder

#: Squares lie this many zoom levels below their tile, the parts that place a group this many below them.
SQUARES, PARTS = 3, 2
#: Markers nearer than this to a group's, as part of a tile's width, belong to it: 40 of 512 pixels.
NEAR = 40 / 512
#: The deepest tile: squares of five metres.
LAST_ZOOM = 19
#: How many rows one tile gathers from the cell index, and how many rows it looks at one by one, before it
#: says that it shows a part.
MOST_ROWS, MOST_LOOKED = 2_000_000, 20_000
#: Filters that the cell index answers.
_COVERED = {"kind", "sector", "status", "level", "area", "from", "to", "set_aside", "withdrawn"}

_WORLD = Path(__file__).resolve().parent.parent / "static" / "registry" / "map" / "world.json"


def tile(selection: Selection, zoom: int, x: int, y: int) -> dict[str, Any]:
    """The groups and points of one tile: ``clusters`` (lat, lon, n, level, cell), ``points`` (lat, lon,
    reference, title, level, status, radius_m), and whether that is only a ``partial`` view.

    Degrees are WGS 84; ``level`` is the worst damage level. BadFilter names a number that no tile has.
    """
    for name, number, last in (("z", zoom, LAST_ZOOM), ("x", x, 2**zoom - 1), ("y", y, 2**zoom - 1)):
        if not 0 <= number <= last:
            raise BadFilter(name, _("There is no such tile."))
    counts, partial, keys = _counts(selection, geo.tile_range(zoom, x, y), zoom + SQUARES + PARTS)
    squares: dict[int, Group] = {}
    for (part, level), n in sorted(counts.items()):
        lat, lon = geo.centre(part, zoom + SQUARES + PARTS)
        group = Group(part >> 2 * PARTS, lat, lon, n, level)
        known = squares.setdefault(group.cell, group)
        if known is not group:
            known.absorb(group)
    groups = _apart(squares.values(), NEAR / 2**zoom)
    singles = [group.cell for group in groups if group.n == 1]
    return {
        "partial": partial,
        "clusters": [group.told() for group in groups if group.n > 1],
        "points": _points(selection, singles, zoom + SQUARES, keys),
    }


@dataclass
class Group:
    """Reports that share a marker: their mean place, how many, the worst level, the square they stand for."""

    cell: int
    lat: float
    lon: float
    n: int
    level: str

    def absorb(self, other: "Group") -> None:
        self.lat = (self.lat * self.n + other.lat * other.n) / (self.n + other.n)
        self.lon = (self.lon * self.n + other.lon * other.n) / (self.n + other.n)
        self.n += other.n
        self.level = max(self.level, other.level, key=scales.SEVERITY.index)

    def told(self) -> dict[str, Any]:
        return asdict(self) | {"lat": round(self.lat, 6), "lon": round(self.lon, 6)}


def _apart(groups: Iterable[Group], near: float) -> list[Group]:
    """The groups, the largest first, with what would stand upon a larger one's marker taken into it."""
    kept: list[Group] = []
    # Where those of several reports stand; every group is held against each of them.
    larger: list[tuple[float, float, Group]] = []
    for group in sorted(groups, key=lambda group: (-group.n, group.cell)):
        x, y = _mercator(group.lon, group.lat)
        for number, (other_x, other_y, other) in enumerate(larger):
            if (x - other_x) ** 2 + (y - other_y) ** 2 < near**2:
                other.absorb(group)
                larger[number] = (*_mercator(other.lon, other.lat), other)
                break
        else:
            kept.append(group)
            if group.n > 1:
                larger.append((x, y, group))
    return kept


def bounds(selection: Selection) -> tuple[float, float, float, float] | None:
    """South, west, north, east of what is selected, a degree or so wide of it; None where nothing is."""
    zoom = 8
    counts, _partial, _keys = _counts(selection, geo.tile_range(0, 0, 0), zoom)
    if not counts:
        return None
    centres = [geo.centre(prefix, zoom) for prefix, _level in counts]
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
    return sum(rows.filter(cell=None)[: most + 1].count() for rows in selection.tables)


# -- groups -----------------------------------------------------------------------------------------------


def _counts(
    selection: Selection, cells: tuple[int, int], zoom: int
) -> tuple[Counter[tuple[int, str]], bool, dict[int, int] | None]:
    """How many rows lie in these cells, by cell prefix at ``zoom`` and damage level; whether it was cut; and
    by prefix the sort key of a row there, None where only numbers are known."""
    areas = selection.regions
    counts: Counter[tuple[int, str]] = Counter()
    # The pyramid knows areas and damage levels, but no sectors.
    if areas is not None and sectors_of(selection) is None and zoom in Cluster.ZOOMS:
        for prefix, level, n in _pyramid(selection, areas, cells, zoom):
            counts[prefix, level or DamageLevel.UNKNOWN] += n
        return Counter({key: n for key, n in counts.items() if n > 0}), False, None
    keys: dict[int, int] = {}
    sources, partial = _sources(selection, cells)
    for rows in sources:
        rows = rows.annotate(prefix=F("cell").bitrightshift(2 * (geo.ZOOM - zoom)))
        for prefix, level, n, key in grouped(rows, "prefix", "damage_level", total="sort_key", by="MAX"):
            counts[prefix, level or DamageLevel.UNKNOWN] += n
            keys[prefix] = key
    return counts, partial or counts.total() >= MOST_ROWS, keys


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
    """The rows in these cells, and whether these are only some: one range of the cell index if that holds
    all that is asked for, else the newest rows that each walk of the selection meets."""
    if _is_covered(selection):
        (rows,) = selection.tables
        return [_in_cells(tried(rows), [cells])[:MOST_ROWS]], False
    walks, sources, partial = selection.walks, [], False
    for walk in walks:
        edge = walk.edge(MOST_LOOKED // len(walks))
        partial |= edge is not None
        looked = walk.part(after=None, until=edge, back=False)
        inside = looked.filter(cell__gte=cells[0], cell__lt=cells[1])
        # The slice keeps the order, and the order the index of the walk.
        sources.append(kept_off(inside, {"cell"})[:MOST_ROWS])
    return sources, partial


def _is_covered(selection: Selection) -> bool:
    person = selection.person if selection.holder == Holder.OFFICE else None
    areas = [area.level for name, area in selection.values.items() if name == "area"]
    coarse = all(level <= 1 for level in [*areas, *(person.scope.areas if person else ())])
    return coarse and not selection.as_of and selection.values.keys() <= _COVERED


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
    box = bounds(selection)
    if box is None:
        return None
    south, west, north, east = box
    (left, bottom), (right, top) = _mercator(west, south), _mercator(east, north)
    scale = min(width / (right - left), height / (bottom - top))
    frame = Frame(width, height, (left + right) / 2, (top + bottom) / 2, scale)
    zoom = min(Cluster.ZOOMS[-1], max(Cluster.ZOOMS[0], round(math.log2(scale / 16))))
    counts, _partial, _keys = _counts(selection, geo.tile_range(0, 0, 0), zoom)
    squares: dict[int, list[tuple[int, str]]] = defaultdict(list)
    for (prefix, level), n in counts.items():
        squares[prefix].append((n, level))
    dots = []
    for prefix, found in sorted(squares.items(), key=lambda one: (-sum(n for n, _level in one[1]), one[0])):
        lat, lon = geo.centre(prefix, zoom)
        worst = max((level for _n, level in found), key=scales.SEVERITY.index)
        radius = round(4 + 3 * math.log10(sum(n for n, _l in found)), 1)
        dots.append((*frame.pixel(*_mercator(lon, lat)), radius, worst))
    return Sketch(width, height, _land(frame), dots)


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
