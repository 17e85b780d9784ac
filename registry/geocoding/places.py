"""A country's own places and areas on top of those built in: kept in the folder `places/` beside the index, merged
into it.

What is kept is merged again in its order whenever the index is built anew, so what an operator loaded stays.
"""

import gzip
import json
import math
import sqlite3
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from registry.geo import cell, covering_ranges, distance_m

from . import boundaries
from .areas import keys
from .index import COLUMNS, REGION, VILLAGE, Row
from .names import fold, skeleton, spelling
from .parsing import core

_SAME_M = 2_000  # places of one name in one region no farther apart are one
_VILLAGE_M = 5_000  # the same, of a village whose point is that of a postal code
_COMMUNITY_M = 30_000  # a village is looked for so far from the middle of its community
_NEIGHBOUR_M = 30_000  # a place without a district has that of the nearest one within
#: Before the code of an area: the spellings of those right below it.
GROUP = "#"
#: Metres around the point of an own area, whose extent nobody tells: few districts reach farther.
OWN_RADIUS_M = 30_000
_OF_AREAS = "areas-"  # how the names of kept files of areas begin, behind their number
_FIRST_LOADED = -1_000_000_000  # ids of loaded places without one of GeoNames are below


@dataclass(slots=True)
class Place:
    """A settlement. Codes are area codes; adm1 and adm2 are None where the sources tie none.

    `geonames_id` is 0 only of loaded places that have none.
    """

    geonames_id: int
    name: str
    country: str
    adm1: str | None
    adm2: str | None
    lat: float
    lon: float
    population: int
    timezone: str
    other_names: list[str]


@dataclass(slots=True)
class OwnArea:
    """A region or district as a country's own table has it: one that is built in, by its code, or a new one.

    `parent` is the code of the area it lies in; the first of the names is its own. Without a point lat and lon are
    None.
    """

    code: str
    level: int
    parent: str
    country: str
    names: list[str]
    lat: float | None
    lon: float | None
    timezone: str


@dataclass(slots=True)
class Merged:
    """What became of the places merged; `placed` are villages that had no point of their own."""

    new: int = 0
    placed: int = 0
    updated: int = 0
    unchanged: int = 0


_KNOWN = f"SELECT {COLUMNS}, p.name FROM place p"


def radius_of(population: int) -> int:
    """Metres around a settlement's point that hold it: a disc of 2,000 people a square kilometre, 1 to 40 km."""
    return round(min(40_000, max(1_000, 1_000 * math.sqrt(population / 2_000 / math.pi))))


def kept(index: Path) -> list[Path]:
    """The files of places loaded so far, in their order."""
    return sorted((index.parent / "places").glob("*.jsonl.gz"))


def is_kept(index: Path, name: str) -> bool:
    """Whether rows were loaded under this name."""
    return any(one.name.partition("-")[2] == f"{name}.jsonl.gz" for one in kept(index))


def name_of_areas(country: str, mark: str) -> str:
    """The name under which a country's areas are kept."""
    return f"{_OF_AREAS}{country}-{mark}"


def write(path: Path, places: Iterable[Place | OwnArea]) -> None:
    """Keep rows in a file that `merge_kept` reads."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with gzip.open(path, "wt", encoding="utf-8") as file:
        for place in places:
            file.write(json.dumps(asdict(place), ensure_ascii=False) + "\n")


def merge_kept(db: sqlite3.Connection, path: Path) -> None:
    """Merge what is kept in a file."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        rows = map(json.loads, file)
        if path.name.partition("-")[2].startswith(_OF_AREAS):
            merge_areas(db, (OwnArea(**row) for row in rows))
        else:
            merge(db, (Place(**row) for row in rows))


def merge_areas(db: sqlite3.Connection, areas: Iterable[OwnArea]) -> Merged:
    """Insert areas into an index, parents before their children, and give those that are there their other names."""
    merged = Merged()
    words: dict[tuple[str, str], set[str]] = defaultdict(set)
    for area in areas:
        before = db.total_changes
        known = db.execute("SELECT id FROM place WHERE code = ?", [area.code]).fetchone()
        number = known[0] if known else _next_id(db)
        if not known:
            inside = (area.code, None) if area.level == REGION else (area.parent, area.code)
            row = (
                number, area.code, area.level, area.names[0], area.country, *inside, area.lat, area.lon, None, 0,
                0 if area.lat is None else OWN_RADIUS_M, area.timezone, 0,
            )  # fmt: skip
            db.execute(f"INSERT INTO place VALUES ({','.join('?' * len(row))})", row)
        named = {(key, name) for name in area.names for key in keys(name)}
        db.executemany(
            "INSERT OR IGNORE INTO name VALUES (?, ?, ?)",
            [(key, number, name) for key, name in sorted(named)],
        )
        spelled = {spelling(core(fold(name))[0]) for name in area.names}
        words[area.country, f"{GROUP}{area.parent}"].update(spelled - {""})
        if not known:
            merged.new += 1
        elif db.total_changes > before:
            merged.updated += 1
        else:
            merged.unchanged += 1
    for group, added in words.items():
        _add_words(db, group, added)
    return merged


def merge(
    db: sqlite3.Connection, places: Iterable[Place], progress: Callable[[int], None] = lambda done: None
) -> Merged:
    """Insert or update places of an index. A place is the same by its GeoNames id, or by a name within 2 km in its
    region; else a village of that name in the region that has no point gets this one.
    """
    merged = Merged()
    words: dict[tuple[str, str], set[str]] = defaultdict(set)
    for number, place in enumerate(places, start=1):
        spelled = {fold(name): name for name in (*place.other_names, place.name)}
        names = [(skeleton(folded), name) for folded, name in spelled.items() if folded]
        found = {key for key, _name in names}
        known = _same(db, place, sorted(found))
        changed = _write_place(db, place, known, names)
        words[place.country, (known and known.adm1) or place.adm1 or ""].update(found)
        if known is None:
            merged.new += 1
        elif known.level == VILLAGE:
            merged.placed += 1
        elif changed:
            merged.updated += 1
        else:
            merged.unchanged += 1
        if number % 500 == 0:
            progress(number)
    for group, added in words.items():
        _add_words(db, group, added)
    return merged


def _same(db: sqlite3.Connection, place: Place, keys: list[str]) -> Row | None:
    """The place of the index that this one is; a settlement before a village without a point."""
    by_id = f"{_KNOWN} WHERE p.id = ? AND p.level = 3"
    if place.geonames_id and (row := db.execute(by_id, [place.geonames_id]).fetchone()):
        return Row(*row)
    sql = (
        f"{_KNOWN} JOIN name n ON n.place = p.id WHERE n.key IN ({','.join('?' * len(keys))})"
        " AND p.level IN (3, 4) AND p.country = ? AND p.adm1 IS ?"
    )
    rows = {Row(*row) for row in db.execute(sql, [*keys, place.country, place.adm1])}
    near = [(row.level, distance_m(place.lat, place.lon, row.lat, row.lon), row) for row in rows]
    near = [one for one in near if one[1] <= _reach(one[2])]
    return min(near)[2] if near else None


def _is_village(known: Row) -> bool:
    """Whether it is one of `villages.tsv.gz`, which have a single name and no id of GeoNames."""
    return _FIRST_LOADED < known.id < 0


def _reach(known: Row) -> float:
    """How far from where a place stands another point may be its."""
    return _COMMUNITY_M if known.level == VILLAGE else _VILLAGE_M if _is_village(known) else _SAME_M


def _write_place(
    db: sqlite3.Connection, place: Place, known: Row | None, names: list[tuple[str, str]]
) -> bool:
    """Write a place and its names; whether anything changed. What the place does not tell stays as it is known."""
    before = db.total_changes
    adm2, timezone = (known.adm2, known.timezone) if known else (place.adm2, place.timezone)
    if not (adm2 and timezone):
        beside = _neighbour(db, place)
        adm2, timezone = place.adm2 or adm2 or beside[0], place.timezone or timezone or beside[1]
    village = known if known and _is_village(known) else None
    number = known.id if known and not village else place.geonames_id or _next_id(db)
    if db.execute("SELECT 1 FROM place WHERE id = ? AND level < 3", [number]).fetchone():
        number = _next_id(db)
    if village:
        db.execute("DELETE FROM place WHERE id = ?", [village.id])
        key = skeleton(fold(village.main))
        db.execute("DELETE FROM name WHERE key = ? AND place = ?", [key, village.id])
        names = [*names, (key, village.main)]
    population = place.population or (known.population if known else 0)
    adm1 = (known and known.adm1) or place.adm1
    row = (
        number, None, 3, known.main if known and not village else place.name, place.country, adm1, adm2,
        place.lat, place.lon, cell(place.lat, place.lon), population, radius_of(population), timezone,
        int(boundaries.strays(adm1, [place.lat], [place.lon])[0]),
    )  # fmt: skip
    if db.execute("SELECT * FROM place WHERE id = ?", [number]).fetchone() != row:
        db.execute(f"INSERT OR REPLACE INTO place VALUES ({','.join('?' * len(row))})", row)
    db.executemany(
        "INSERT OR IGNORE INTO name VALUES (?, ?, ?)", [(key, number, name) for key, name in names]
    )
    return db.total_changes > before


def _next_id(db: sqlite3.Connection) -> int:
    return min(_FIRST_LOADED, db.execute("SELECT MIN(id) FROM place").fetchone()[0]) - 1


def _neighbour(db: sqlite3.Connection, place: Place) -> tuple[str | None, str]:
    """District and zone of the nearest settlement in the same region."""
    for reach in (5_000, _NEIGHBOUR_M):
        sql = (
            "SELECT lat, lon, adm2, timezone FROM place"
            " WHERE level = 3 AND cell >= ? AND cell < ? AND country = ? AND adm1 IS ? AND adm2 IS NOT NULL"
        )
        near = [
            (distance_m(place.lat, place.lon, lat, lon), adm2, zone)
            for first, last in covering_ranges(place.lat, place.lon, reach)
            for lat, lon, adm2, zone in db.execute(sql, [first, last, place.country, place.adm1])
        ]
        if near:
            return min(near)[1:]
    return None, ""


def _add_words(db: sqlite3.Connection, group: tuple[str, str], added: set[str]) -> None:
    sql = "SELECT spellings FROM vocabulary WHERE country = ? AND adm1 = ?"
    row = db.execute(sql, group).fetchone()
    lines = dict.fromkeys(zlib.decompress(row[0]).decode().split("\n") if row else [])
    if not added <= lines.keys():
        lines |= dict.fromkeys(sorted(added))
        spellings = zlib.compress("\n".join(lines).encode(), 1)
        db.execute("INSERT OR REPLACE INTO vocabulary VALUES (?, ?, ?)", (*group, spellings))
