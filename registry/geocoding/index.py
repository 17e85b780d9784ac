"""The index file of the gazetteer: places and areas by the keys of their names, by code, and around a point."""

import sqlite3
import threading
import zlib
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import groupby, starmap
from operator import itemgetter
from pathlib import Path
from string import ascii_lowercase
from typing import Any, NamedTuple

import numpy as np
from rapidfuzz import process
from rapidfuzz.distance import OSA

from registry.geo import covering_ranges, distance_m

from . import areas
from .names import fold, skeleton
from .parsing import core

COUNTRY, REGION, DISTRICT, SETTLEMENT, VILLAGE = range(5)
_MOST = 500  # places of one name; there are 400 of San José
_NEAREST = 200  # misspelt words looked at
TOWN = 10_000  # people
KNOWN = 5_000  # people from which a settlement is rather meant than a village of its name
_CLOSE_KM = 3.0  # nobody is nearer than that
_KM_A_DEGREE = 111.2


class Row(NamedTuple):
    """A place of the index under one of its names."""

    id: int
    code: str | None
    level: int
    main: str
    country: str
    adm1: str | None
    adm2: str | None
    lat: float
    lon: float
    population: int
    radius_m: int
    timezone: str
    stray: int  # 1: its point lies outside the boundaries of its region
    name: str
    loose: bool = False  # named in words, not by its code

    def within(self, area: "Row") -> bool:
        if area.level == COUNTRY:
            return self.country == area.country
        return area.code in (self.adm1, self.adm2)


COLUMNS = (
    "p.id, p.code, p.level, p.name, p.country, p.adm1, p.adm2, "
    "p.lat, p.lon, p.population, p.radius_m, p.timezone, p.stray"
)
_OF_KEY = f"SELECT {COLUMNS}, n.name FROM name n CROSS JOIN place p ON p.id = n.place WHERE n.key = ?"
_BY_PLACE = f"ORDER BY n.place LIMIT {_MOST}"
_NAMED = f"{_OF_KEY} {_BY_PLACE}"
_SETTLED = f"{_OF_KEY} AND p.level >= {SETTLEMENT} {_BY_PLACE}"
_SETTLED_INSIDE = (
    f"{_OF_KEY} AND p.level >= {SETTLEMENT}"
    f" AND (? IN (p.country, p.adm1, p.adm2) OR p.population >= {KNOWN}) {_BY_PLACE}"
)


def _beginnings(key: str) -> set[str]:
    """How a key may begin whose second letter is misspelt, left out or too many, or that is right so far."""
    letters = ascii_lowercase if key.isascii() else ""
    return {key[:2], key[0] + key[2]} | {key[0] + letter + key[n] for letter in letters for n in (1, 2)}


class Index:
    """The index file, read by any number of threads and processes."""

    def __init__(self, path: Path | str) -> None:
        self._path = Path(path)
        self._local = threading.local()
        self.area = lru_cache(maxsize=4096)(self._area)
        self.areas_named = lru_cache(maxsize=4096)(self._areas_named)
        self.vocabulary = lru_cache(maxsize=64)(self._vocabulary)
        self.named = lru_cache(maxsize=8192)(self._named)
        self.settled = lru_cache(maxsize=8192)(self._settled)
        self.cities_of = lru_cache(maxsize=4096)(self._cities_of)
        self.towns = lru_cache(maxsize=256)(self._towns)

    def _run(self, sql: str, *values: Any) -> list[tuple]:
        db = getattr(self._local, "db", None)
        if db is None:
            if not self._path.exists():
                raise FileNotFoundError(f"The gazetteer's index is not built: {self._path.name}")
            db = self._local.db = sqlite3.connect(
                f"{self._path.resolve().as_uri()}?mode=ro&immutable=1", uri=True
            )
            db.execute("PRAGMA mmap_size=1073741824")
        return db.execute(sql, values).fetchall()

    def _named(self, key: str) -> tuple[Row, ...]:
        """The places and areas that have a name of this key."""
        return tuple(starmap(Row, self._run(_NAMED, key)))

    def _settled(self, key: str, inside: str = "") -> tuple[tuple[Row, ...], ...]:
        """The settlements and villages among them, each with all its names of this key.

        `inside` an area (its code): outside it only those of KNOWN people and more.
        """
        rows = self._run(_SETTLED_INSIDE, key, inside) if inside else self._run(_SETTLED, key)
        return tuple(tuple(starmap(Row, names)) for _, names in groupby(rows, itemgetter(0)))

    def _area(self, code: str) -> Row | None:
        rows = self._run(f"SELECT {COLUMNS}, p.name FROM place p WHERE p.code = ?", code)
        return Row(*rows[0]) if rows else None

    def area_of_id(self, geonames_id: int) -> Row | None:
        """The area with this id of GeoNames."""
        sql = f"SELECT {COLUMNS}, p.name FROM place p WHERE p.id = ? AND p.code IS NOT NULL"
        rows = self._run(sql, geonames_id)
        return Row(*rows[0]) if rows else None

    def _cities_of(self, code: str | None) -> frozenset[str]:
        """The cities that are a region of their own beside the region named after them: Kyiv for Kyiv Oblast."""
        area = self.area(code) if code else None
        if area is None or area.level != 1:
            return frozenset()
        name, kind = core(fold(area.main))
        rows = self.named(skeleton(name)) if kind == "adm1" else []
        return frozenset(
            row.code
            for row in rows
            if row.code and row.level == 1 and row.country == area.country and fold(row.main) == name
        )

    def _areas_named(
        self, text: str, levels: tuple[int, ...], country: str | None, parent: str | None, guess: bool = True
    ) -> list[Row]:
        """The areas of these levels that a text names, inside a country and, for districts, a region."""

        def named(key: str) -> list[areas.Named]:
            return [
                areas.Named(row.code, row.level, row.adm1 or row.country, row.country, row.main, row.name)
                for row in self.named(key)
                if row.code
            ]

        def within(area: areas.Named) -> bool:
            return (
                area.level in levels
                and (country is None or area.country == country)
                and (parent is None or area.level < 2 or area.parent == parent)
            )

        def spelled() -> Iterable[str]:
            above = [""] if 0 in levels and country is None else []
            above += [country] if country and 1 in levels else []
            above += [parent] if parent and 2 in levels else []
            return [word for code in above for word in self._words(country if code else None, f"#{code}")]

        codes = areas.match(text, named, within, spelled if guess else tuple)
        return [row._replace(loose=True) for row in map(self.area, codes) if row]

    def _words(self, country: str | None, group: str) -> list[str]:
        if country is None:  # the countries' own names
            blobs = self._run("SELECT spellings FROM vocabulary WHERE adm1 = ?", group)
        else:
            blobs = self._run(
                "SELECT spellings FROM vocabulary WHERE country = ? AND adm1 = ?", country, group
            )
        return [line for (blob,) in blobs for line in zlib.decompress(blob).decode().split("\n")]

    def _vocabulary(self, country: str, adm1: str | None) -> list[str]:
        """The keys of the settlements of a region or a country."""
        condition = "AND adm1 = ?" if adm1 else "AND adm1 NOT LIKE '#%'"
        sql = f"SELECT spellings FROM vocabulary WHERE country = ? {condition}"
        blobs = self._run(sql, country, *filter(None, [adm1]))
        return [key for (blob,) in blobs for key in zlib.decompress(blob).decode().split("\n")]

    def misspelt(self, key: str, scope: list[Row]) -> list[tuple[Row, float]]:
        """Settlements inside the scope whose names are nearly so, the nearest alone, with how much of the key agrees.

        From five letters one edit, from eight two, but not in the first letter. Without a region or country only
        names that begin with the same letter are tried.
        """
        if len(key) < 5:
            return []
        edits = 1 if len(key) < 8 else 2
        area = max((a for a in scope if a.level < DISTRICT), key=lambda a: a.level, default=None)
        if area:
            known = self.vocabulary(area.country, area.adm1)
        else:
            sql = "SELECT DISTINCT key FROM name WHERE key >= ? AND key < ? AND length(key) BETWEEN ? AND ?"
            lengths = len(key) - edits, len(key) + edits
            known = [
                known
                for begins in _beginnings(key)
                for (known,) in self._run(sql, begins, begins + "\U0010ffff", *lengths)
            ]
        near = process.extract(key, known, scorer=OSA.distance, score_cutoff=edits, limit=_NEAREST)
        found: dict[int, tuple[Row, float]] = {}
        least = 0.0
        for word, edit, _ in near:
            if (found and edit > least) or (edit > 1 and word[0] != key[0]):
                continue
            for row in self.named(word):
                if row.level >= SETTLEMENT and row.id not in found and all(row.within(a) for a in scope):
                    found[row.id] = (row, 1 - edit / len(key))
                    least = edit
        return list(found.values())

    def _towns(self, country: str) -> np.ndarray:
        """The latitudes, the longitudes and the people of a country's towns."""
        # As the partial index says it, or SQLite does not use that.
        towns = f"country = ? AND level = {SETTLEMENT} AND population >= {TOWN}"
        rows = self._run(f"SELECT lat, lon, population FROM place WHERE {towns}", country)
        return np.array(rows, float).reshape(-1, 3).T

    def people_around(self, rows: Sequence[Row]) -> list[float]:
        """How many people each of some places has in it and in the towns of the country that all of them lie in, by
        the square of their distance.
        """
        lats, lons, people = self.towns(rows[0].country)
        lat, lon, own = np.array([(row.lat, row.lon, row.population) for row in rows]).T[:, :, np.newaxis]
        north, east = lats - lat, (lons - lon) * np.cos(np.radians(lat))
        square = np.maximum((north * north + east * east) * _KM_A_DEGREE**2, _CLOSE_KM**2)
        return ((people / square).sum(axis=1) + own[:, 0] / _CLOSE_KM**2).tolist()

    def around(self, lat: float, lon: float, radius_m: float) -> list[tuple[float, Row]]:
        """The settlements within a circle, nearest first, with their distance in metres."""
        found = []
        for first, last in covering_ranges(lat, lon, radius_m):
            sql = f"SELECT {COLUMNS}, p.name FROM place p WHERE p.level = 3 AND p.cell >= ? AND p.cell < ?"
            for row in (Row(*values) for values in self._run(sql, first, last)):
                away = distance_m(lat, lon, row.lat, row.lon)
                if away <= radius_m:
                    found.append((away, row))
        return sorted(found)
