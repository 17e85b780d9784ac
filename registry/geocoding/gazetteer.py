"""The embedded gazetteer: a geocoder over the index that `build` writes, and nothing else. It never asks the network.

`locate()` is the door for the register's own code, `Gazetteer` is the same as a geopy geocoder. How an answer is found:

1. `names.parse()` takes the text apart; the parts that name a country, region or district, and the caller's hints,
   give the scope.
2. The settlement's name is looked up by its skeleton. A name matches *exactly* (same letters but for case, accents,
   apostrophes, hyphens), by *transliteration* (same skeleton), or, on a miss only, *fuzzily* (misspelt).
3. Nothing is guessed in silence. Of several places inside the scope one is taken only if it dominates: each other one
   matches worse and has at most `WORSE_RIVAL` times its people, or has at most a `RIVAL`th of them, or lies within
   `SAME_PLACE_M` of it. Else the answer is ambiguous. A place outside the scope is never an answer.

Radius: of a settlement a disc of 2,000 people a square kilometre, 1 to 40 km; of an area the circle that holds it.
"""

import sqlite3
import threading
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from geopy.exc import GeocoderQueryError
from geopy.geocoders.base import DEFAULT_SENTINEL, Geocoder
from geopy.location import Location
from geopy.point import Point
from rapidfuzz import fuzz, process
from rapidfuzz.distance import OSA

from registry.geo import covering_ranges, distance_m

from . import areas, boundaries
from .names import Part, Typed, core, fold, parse, skeleton, spelling

RIVAL = 10
WORSE_RIVAL = 3
SAME_PLACE_M = 5_000
CITY = 100_000  # people from which a settlement may have districts of its own
NEAR_M = 15_000  # at least the radius of "south of X" and "near X"

_PRECISIONS = ("country", "adm1", "adm2", "settlement")
# By how well the name matches; an "other" name is one unlike the place's main one (an old or a foreign name).
_EXACT, _OTHER, _TRANSLIT, _OTHER_TRANSLIT, _FUZZY = range(5)
_HOW = ("exact", "exact", "translit", "translit", "fuzzy")
_SCORES = (1.0, 0.95, 0.9, 0.85, 0.8)
_SETTLEMENT = 3
_MOST = 500  # places of one name; there are 400 of San José


class UnknownArea(GeocoderQueryError):
    """A hint that names no area, or several; `parameter` says which."""

    def __init__(self, parameter: str, value: str) -> None:
        super().__init__(f"{parameter}: no such area, or more than one: {value!r}")
        self.parameter = parameter


@dataclass(frozen=True, slots=True)
class Candidate:
    """A place that may be meant. `geo_precision`: a word of the register's; `score`: how well the name fits, 0 to 1."""

    lat: float
    lon: float
    name: str
    country: str
    adm1_code: str | None
    adm2_code: str | None
    geo_precision: str
    radius_m: int
    score: float
    geonames_id: int | None = None
    matched: str = ""
    how: str = ""
    population: int = 0
    timezone: str = ""

    def told(self) -> dict[str, Any]:
        """Its fields by name."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a query. `found`: the first candidate is it. `ambiguous`: a person must choose among them.
    `outside`: such places exist, but not in the named region. `not_found`: none. `remainder`: what is finer than a
    settlement."""

    outcome: str
    candidates: tuple[Candidate, ...] = ()
    remainder: str = ""


class _Row(NamedTuple):
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

    def within(self, area: "_Row") -> bool:
        if area.level == 0:
            return self.country == area.country
        return area.code in (self.adm1, self.adm2)


@dataclass(frozen=True, slots=True)
class Where:
    """The areas of a point: country and region by boundaries, district and zone by the nearest settlement in it."""

    country: str | None
    adm1_code: str | None
    adm2_code: str | None
    timezone: str


_COLUMNS = (
    "p.id, p.code, p.level, p.name, p.country, p.adm1, p.adm2, "
    "p.lat, p.lon, p.population, p.radius_m, p.timezone"
)


class Index:
    """The index file, read by any number of threads and processes."""

    def __init__(self, path: Path | str) -> None:
        self._path = Path(path)
        self._local = threading.local()
        self.area = lru_cache(maxsize=4096)(self._area)
        self.areas_named = lru_cache(maxsize=4096)(self._areas_named)
        self.vocabulary = lru_cache(maxsize=64)(self._vocabulary)
        self.cities_of = lru_cache(maxsize=4096)(self._cities_of)

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

    def named(self, key: str) -> list[_Row]:
        """The places and areas that have a name of this key."""
        sql = f"SELECT {_COLUMNS}, n.name FROM name n CROSS JOIN place p ON p.id = n.place WHERE n.key = ? LIMIT ?"
        return [_Row(*row) for row in self._run(sql, key, _MOST)]

    def _area(self, code: str) -> _Row | None:
        rows = self._run(f"SELECT {_COLUMNS}, p.name FROM place p WHERE p.code = ?", code)
        return _Row(*rows[0]) if rows else None

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
    ) -> list[_Row]:
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

    def _vocabulary(self, country: str, adm1: str | None) -> dict[str, list[int]]:
        """The settlements of a region or a country by spelling."""
        condition = "AND adm1 = ?" if adm1 else "AND adm1 NOT LIKE '#%'"
        sql = f"SELECT spellings FROM vocabulary WHERE country = ? {condition}"
        found: dict[str, list[int]] = {}
        for (blob,) in self._run(sql, country, *filter(None, [adm1])):
            for line in zlib.decompress(blob).decode().split("\n"):
                word, _, place = line.partition("\t")
                found.setdefault(word, []).append(int(place))
        return found

    def misspelt(self, word: str, scope: list[_Row]) -> list[tuple[_Row, float]]:
        """Settlements inside the scope that are spelled nearly so, the nearest alone, with how much of the word agrees.

        From five letters one edit, from eight two, but not in the first letter. Without a region or country only
        words that begin alike are tried.
        """
        if len(word) < 5:
            return []
        edits = 1 if len(word) < 8 else 2
        area = max((a for a in scope if a.level < 2), key=lambda a: a.level, default=None)
        if area:
            known = self.vocabulary(area.country, area.adm1)
            near = process.extract(word, known.keys(), scorer=OSA.distance, score_cutoff=edits, limit=20)
            found = [
                (place, k, edit) for k, edit, _ in near if edit < 2 or k[0] == word[0] for place in known[k]
            ]
        else:
            begins = skeleton(word)[:2]
            pairs = self._run(
                "SELECT place, name FROM name WHERE key >= ? AND key < ?", begins, begins + "\U0010ffff"
            )
            words = [spelling(fold(name)) for _, name in pairs]
            near = process.extract(word, words, scorer=OSA.distance, score_cutoff=edits, limit=40)
            found = [(pairs[position][0], k, edit) for k, edit, position in near]
        rows: dict[int, tuple[_Row, float]] = {}
        for place, k, edit in found:
            if place not in rows and edit == found[0][2]:
                sql = f"SELECT {_COLUMNS}, n.name FROM name n JOIN place p ON p.id = n.place"
                sql += " WHERE n.key = ? AND p.id = ?"
                row = _Row(*self._run(sql, skeleton(k), place)[0])
                if row.level == _SETTLEMENT and all(row.within(a) for a in scope):
                    rows[place] = (row, 1 - edit / len(word))
        return list(rows.values())

    def around(self, lat: float, lon: float, radius_m: float) -> list[tuple[float, _Row]]:
        """The settlements within a circle, nearest first, with their distance in metres."""
        found = []
        for first, last in covering_ranges(lat, lon, radius_m):
            sql = f"SELECT {_COLUMNS}, p.name FROM place p WHERE p.level = 3 AND p.cell >= ? AND p.cell < ?"
            for row in (_Row(*values) for values in self._run(sql, first, last)):
                away = distance_m(lat, lon, row.lat, row.lon)
                if away <= radius_m:
                    found.append((away, row))
        return sorted(found)


def _tier(rows: list[_Row], typed: str, folded: str, key: str) -> tuple[int, _Row] | None:
    """How well the best of a place's names of this skeleton matches what was typed, and which; None: by chance only."""
    main = fold(rows[0].main)
    like_main = main == folded or fuzz.ratio(skeleton(main), key) >= areas.SAME_NAME
    for row in rows:
        if row.name == typed or fold(row.name) == folded:
            return (_EXACT if like_main else _OTHER), row
    word = spelling(folded)
    alike, row = max((fuzz.ratio(spelling(fold(row.name)), word), row) for row in rows)
    if alike < areas.SAME_NAME:
        return None
    return (_TRANSLIT if like_main else _OTHER_TRANSLIT), row


class _Hit(NamedTuple):
    tier: int
    score: float
    row: _Row


class _Search:
    """One query on its way through the index."""

    def __init__(self, index: Index, typed: Typed, hard: list[_Row]) -> None:
        self.index = index
        self.typed = typed
        self.hard = hard  # the areas that must hold the answer

    def answer(self) -> Answer:
        loose: list[Part] = []
        areas_typed: list[list[_Row]] = []
        for part in self.typed.parts:
            found = self._areas(part) if part.kind in ("adm1", "adm2") else []
            if found:
                areas_typed.append(found)
            else:
                loose.append(part)
        if not loose:
            return self._area_answer(areas_typed)
        scope = self.hard + [rows[0] for rows in areas_typed if len(rows) == 1]
        if len(loose) == 1:
            answer = self._place_answer(loose[0], scope, [])
            return self._in_city(loose[0], scope) or answer if answer.outcome == "outside" else answer
        # Any of the parts may be the settlement; the others then name the areas it lies in, or something finer.
        meanings = [self._areas_loosely(part) for part in loose]
        first: Answer | None = None
        for place, part in enumerate(loose):
            others = [m for number, m in enumerate(meanings) if number != place and m]
            answer = self._place_answer(part, scope, others)
            if answer.outcome in ("found", "ambiguous") and answer.candidates[0].how != "fuzzy":
                return answer
            if (
                first is None
                or (first.outcome == "not_found")
                or (answer.outcome in ("found", "ambiguous") and first.outcome == "outside")
            ):
                first = answer
        if first and first.outcome in ("found", "ambiguous"):
            return first
        named = [m for m in meanings if m]
        if len(named) == len(loose):
            whole = self._area_answer(areas_typed + named)
            if whole.outcome != "outside":
                return whole
        return first or Answer("not_found")

    def _in_city(self, part: Part, scope: list[_Row]) -> Answer | None:
        """The same without a typed district: no source here ties the districts of large cities to them."""
        wider = [area for area in scope if area in self.hard or area.level < 2]
        if len(wider) < len(scope):
            answer = self._place_answer(part, wider, [])
            if answer.outcome == "found" and answer.candidates[0].population >= CITY:
                return answer
        return None

    # Areas

    def _areas(self, part: Part) -> list[_Row]:
        """The regions or districts that a part with such a word means."""
        country = next((a.country for a in self.hard), None)
        parent = next((a.code for a in self.hard if a.level == 1), None)
        levels = ((1,), (2,)) if part.kind == "adm1" else ((2,), (1,))
        for level in levels:
            if found := self.index.areas_named(part.text, level, country, parent):
                return found
        # A caller's region and a text's that differ: the text's is found without the hint, and then refused.
        return self.index.areas_named(part.text, levels[0], None, None) if self.hard else []

    def _areas_loosely(self, part: Part) -> list[_Row]:
        if part.kind == "place":
            return []
        country = next((a.country for a in self.hard), None)
        exact = [row for row in self.index.named(skeleton(part.core)) if row.code]
        exact = [row for row in exact if country is None or row.country == country]
        best: dict[int, _Row] = {}
        for row in exact:
            best.setdefault(row.id, row)
        if best:
            return list(best.values())
        return self.index.areas_named(part.text, (0, 1), country, None, False)

    def _area_answer(self, groups: list[list[_Row]]) -> Answer:
        """The deepest area that lies in all others."""
        every = [row for rows in groups for row in rows]
        fitting = [
            row
            for row in every
            if all(any(row is a or row.within(a) or a.within(row) for a in rows) for rows in groups)
            and all(row.within(a) or row.code == a.code for a in self.hard)
        ]
        if not fitting:
            return (
                self._made("outside", [_Hit(_EXACT, 1.0, row) for row in every])
                if every
                else Answer("not_found")
            )
        deepest = max(row.level for row in fitting)
        return self._decided([_Hit(_EXACT, 1.0, row) for row in fitting if row.level == deepest])

    # Settlements

    def _place_answer(self, part: Part, scope: list[_Row], others: list[list[_Row]]) -> Answer:
        hits, elsewhere = self._hits(part, scope, others)
        if part.kind != "place" and not others and not any(a.level for a in scope):
            hits = self._with_areas(part, hits)
        if hits:
            return self._decided(hits)
        guesses = self._guesses(part, scope, others)
        if guesses and not elsewhere:
            return self._decided(guesses)
        if guesses:  # A name of its own elsewhere, nearly one here: for a person.
            return self._made("ambiguous", guesses + elsewhere)
        return (
            self._made("outside", elsewhere)
            if elsewhere
            else Answer("not_found", remainder=self.typed.remainder)
        )

    def _hits(self, part: Part, scope: list[_Row], others: list[list[_Row]]) -> tuple[list[_Hit], list[_Hit]]:
        """The settlements of that name inside the scope and those outside."""
        outside: list[_Hit] = []
        for folded in dict.fromkeys((part.folded, part.core)):
            key = skeleton(folded)
            inside: dict[int, list[_Row]] = {}
            beyond: dict[int, list[_Row]] = {}
            for row in self.index.named(key):
                if row.level == _SETTLEMENT:
                    fits = all(self._in(row, a) for a in scope) and all(
                        any(self._in(row, a) for a in m) for m in others
                    )
                    (inside if fits else beyond).setdefault(row.id, []).append(row)
            if hits := self._tiered(inside, part.text, folded, key):
                return hits, outside
            outside += self._tiered(beyond, part.text, folded, key)
        return [], outside

    @staticmethod
    def _tiered(places: dict[int, list[_Row]], typed: str, folded: str, key: str) -> list[_Hit]:
        hits = []
        for rows in places.values():
            if found := _tier(rows, typed, folded, key):
                hits.append(_Hit(found[0], _SCORES[found[0]], found[1]))
        return hits

    def _in(self, row: _Row, area: _Row) -> bool:
        return row.within(area) or (area.loose and row.adm1 in self.index.cities_of(area.code))

    def _guesses(self, part: Part, scope: list[_Row], others: list[list[_Row]]) -> list[_Hit]:
        scope = scope + [m[0] for m in others if len(m) == 1]
        found = self.index.misspelt(spelling(part.core), scope)
        return [_Hit(_FUZZY, _SCORES[_FUZZY] * alike, row) for row, alike in found]

    def _with_areas(self, part: Part, hits: list[_Hit]) -> list[_Hit]:
        """A bare name may be a region's or a country's. A settlement that lies in that very area is meant before it."""
        country = next((a.country for a in self.hard), None)
        for area in self.index.areas_named(part.text, (0, 1), country, None, False):
            exact = any(fold(name) == part.folded for name in (area.main, area.name)) or not hits
            if not any(hit.row.within(area) for hit in hits):
                hits = [*hits, _Hit(_EXACT if exact else _OTHER, _SCORES[_EXACT if exact else _OTHER], area)]
        return hits

    # Choosing

    def _decided(self, hits: list[_Hit]) -> Answer:
        hits = sorted(hits, key=lambda hit: (hit.tier, -hit.row.population))
        best = hits[0]
        if best.tier < _TRANSLIT:  # Whoever writes a name as it is does not mean one that merely sounds so.
            hits = [hit for hit in hits if hit.tier < _TRANSLIT]
        rivals = [hit for hit in hits[1:] if not self._dismissed(hit, best)]
        return self._made("ambiguous" if rivals else "found", hits)

    @staticmethod
    def _dismissed(hit: _Hit, best: _Hit) -> bool:
        people, most = hit.row.population, best.row.population
        if people * RIVAL <= most or (hit.tier > best.tier and people <= most * WORSE_RIVAL):
            return True
        return distance_m(hit.row.lat, hit.row.lon, best.row.lat, best.row.lon) <= SAME_PLACE_M

    def _made(self, outcome: str, hits: list[_Hit]) -> Answer:
        near = self.typed.near
        return Answer(
            outcome,
            tuple(
                Candidate(
                    row.lat, row.lon, row.main, row.country, row.adm1, row.adm2, _PRECISIONS[row.level],
                    max(row.radius_m, NEAR_M) if near else row.radius_m, round(score, 3),
                    row.id if row.id > 0 else None, row.name, _HOW[tier], row.population, row.timezone,
                )
                for tier, score, row in hits
                if row.lat is not None
            ),
            self.typed.remainder,
        )  # fmt: skip


@lru_cache(maxsize=8)
def _index(path: str) -> Index:
    return Index(path)


class Gazetteer(Geocoder):
    """A geopy geocoder over the index at `path`. Needs no network; timeouts are taken and mean nothing."""

    def __init__(self, path: Path | str) -> None:
        super().__init__()
        self.index = _index(str(path))

    def geocode(
        self,
        query: str,
        exactly_one: bool = True,
        *,
        region: str | None = None,
        country: str | None = None,
        district: str | None = None,
        limit: int = 10,
        timeout: Any = DEFAULT_SENTINEL,
    ) -> Location | list[Location] | None:
        """As geopy's: a Location or None, or a list of them, best first. Hints are codes or names of areas.

        `raw` is the Candidate with `outcome`; with `ambiguous` the others are as good, so do not take the first alone.
        An unknown hint raises `UnknownArea`.
        """
        answer = locate(query, country=country, adm1_code=region, adm2_code=district, gazetteer=self)
        if answer.outcome not in ("found", "ambiguous") or not answer.candidates:
            return None
        found = [_location(candidate, answer.outcome) for candidate in answer.candidates[:limit]]
        return found[0] if exactly_one else found

    def reverse(
        self, query: Any, exactly_one: bool = True, *, limit: int = 10, timeout: Any = DEFAULT_SENTINEL
    ) -> Location | list[Location] | None:
        """The nearest settlement within 100 km of a point, or the nearest ones."""
        point = Point(query)
        near = self.nearby(point.latitude, point.longitude)[:limit]
        found = [_location(candidate, "found") for _, candidate in near]
        if exactly_one:
            return found[0] if found else None
        return found or None

    def nearby(self, lat: float, lon: float, radius_m: float | None = None) -> list[tuple[float, Candidate]]:
        """Settlements around a point with their distance in metres, nearest first; without a radius only a few."""
        for reach in [radius_m] if radius_m else [5_000, 20_000, 100_000]:
            rows = self.index.around(lat, lon, reach)
            if len(rows) >= 10:
                break
        return [
            (
                away,
                Candidate(
                    row.lat, row.lon, row.main, row.country, row.adm1, row.adm2, "settlement", row.radius_m, 1.0,
                    row.id, row.main, "nearest", row.population, row.timezone,
                ),
            )
            for away, row in rows
        ]  # fmt: skip

    def area_of(self, lat: float, lon: float) -> Where:
        """The areas and the zone of a point. District and zone are those of the nearest settlement: approximate."""
        adm1 = boundaries.region_at(lat, lon)
        area = self.index.area(adm1) if adm1 else None
        near = [place for _, place in self.nearby(lat, lon)]
        same = next((place for place in near if area is None or place.adm1_code == area.adm1), None)
        zone = same.timezone if same else area.timezone if area else ""
        country = area.country if area else same.country if same else None
        return Where(country, area.adm1 if area else None, same.adm2_code if same and area else None, zone)

    def timezone_of(self, lat: float, lon: float) -> str:
        """The IANA name of the zone of the nearest settlement in the same region; "" far from any."""
        return self.area_of(lat, lon).timezone


def _location(candidate: Candidate, outcome: str) -> Location:
    codes = (candidate.adm1_code, candidate.country)
    address = ", ".join([candidate.name, *(code for code in codes if code and code != candidate.name)])
    return Location(address, (candidate.lat, candidate.lon), candidate.told() | {"outcome": outcome})


def _hint(gazetteer: Gazetteer, parameter: str, value: str, level: int, scope: list[_Row]) -> _Row:
    row = gazetteer.index.area(value)
    if row and row.level == level:
        return row
    country = next((area.country for area in scope), None)
    parent = next((area.code for area in scope if area.level == 1), None)
    rows = gazetteer.index.areas_named(value, (level,), country, parent)
    if len(rows) != 1:
        raise UnknownArea(parameter, value)
    return rows[0]


def locate(
    place: str,
    *,
    country: str | None = None,
    adm1_code: str | None = None,
    adm2_code: str | None = None,
    gazetteer: Gazetteer,
) -> Answer:
    """Where `place` is, inside the named areas (codes, or names as people write them). Raises `UnknownArea`."""
    scope: list[_Row] = []
    hints = (("country", country, 0), ("region", adm1_code, 1), ("district", adm2_code, 2))
    for parameter, value, level in hints:
        if value:
            scope.append(_hint(gazetteer, parameter, value, level, scope))
    typed = parse(place)
    if not typed.parts:
        return Answer("not_found", remainder=typed.remainder)
    return _Search(gazetteer.index, typed, scope).answer()
