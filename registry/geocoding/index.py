"""The index file of the gazetteer: places and areas by the keys of their names, by code, and around a point."""

import math
import sqlite3
import threading
import zlib
from collections.abc import Iterable
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
    name: str
    loose: bool = False  # named in words, not by its code

    def within(self, area: "Row") -> bool:
        if area.level == COUNTRY:
            return self.country == area.country
        return area.code in (self.adm1, self.adm2)


_COLUMNS = (
    "p.id, p.code, p.level, p.name, p.country, p.adm1, p.adm2, "
    "p.lat, p.lon, p.population, p.radius_m, p.timezone"
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

    def _named(self, key: str, inside: str = "") -> tuple[Row, ...]:
        """The places and areas that have a name of this key, in all the world or inside an area (its code)."""
        sql = f"SELECT {_COLUMNS}, n.name FROM name n CROSS JOIN place p ON p.id = n.place WHERE n.key = ?"
        where = " AND ? IN (p.country, p.adm1, p.adm2)" if inside else ""
        order = f" ORDER BY n.place LIMIT {_MOST}"
        return tuple(starmap(Row, self._run(sql + where + order, key, *filter(None, [inside]))))

    def _settled(self, key: str, inside: str = "") -> tuple[tuple[Row, ...], ...]:
        """The settlements and villages among them, each with all its names of this key."""
        rows = self._named(key, inside) if inside else self.named(key)
        settled = [row for row in rows if row.level >= SETTLEMENT]
        return tuple(tuple(names) for _, names in groupby(settled, itemgetter(0)))

    def _area(self, code: str) -> Row | None:
        rows = self._run(f"SELECT {_COLUMNS}, p.name FROM place p WHERE p.code = ?", code)
        return Row(*rows[0]) if rows else None

    def area_of_id(self, geonames_id: int) -> Row | None:
        """The area with this id of GeoNames."""
        sql = f"SELECT {_COLUMNS}, p.name FROM place p WHERE p.id = ? AND p.code IS NOT NULL"
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

    def people_around(self, row: Row) -> float:
        """How many people a place has in it and in the towns of its country, by the square of their distance."""
        lats, lons, people = self.towns(row.country)
        east = (lons - row.lon) * math.cos(math.radians(row.lat))
        away = np.maximum(np.hypot(lats - row.lat, east) * _KM_A_DEGREE, _CLOSE_KM)
        return row.population / _CLOSE_KM**2 + float((people / away**2).sum())

    def around(self, lat: float, lon: float, radius_m: float) -> list[tuple[float, Row]]:
        """The settlements within a circle, nearest first, with their distance in metres."""
        found = []
        for first, last in covering_ranges(lat, lon, radius_m):
            sql = f"SELECT {_COLUMNS}, p.name FROM place p WHERE p.level = 3 AND p.cell >= ? AND p.cell < ?"
            for row in (Row(*values) for values in self._run(sql, first, last)):
                away = distance_m(lat, lon, row.lat, row.lon)
                if away <= radius_m:
                    found.append((away, row))
        return sorted(found)
