"""The embedded gazetteer: a geocoder over the index that `build` writes, and nothing else. It never asks the network.

`locate()` is the door for the register's own code, `Gazetteer` is the same as a geopy geocoder. `parsing` takes the
text apart, `search` finds and weighs the places.

Radius: of a settlement a disc of 2,000 people a square kilometre, 1 to 40 km; of an area the circle that holds it; of
a place between two others half the way between them.
"""

import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from geopy.exc import GeocoderQueryError
from geopy.geocoders.base import DEFAULT_SENTINEL, Geocoder
from geopy.location import Location
from geopy.point import Point

from registry.geo import distance_m

from . import boundaries
from .answers import Answer, Candidate
from .index import COUNTRY, DISTRICT, REGION, Index, Row
from .parsing import parse
from .search import NEAR_M, Search, candidate

__all__ = ("Answer", "Candidate", "Gazetteer", "UnknownArea", "Where", "locate")
_FAR_M = 300_000  # what lies between places farther apart is for a person
_DISTRICT_M = 50_000


class UnknownArea(GeocoderQueryError):
    """A hint that names no area, or several; `parameter` says which."""

    def __init__(self, parameter: str, value: str) -> None:
        super().__init__(f"{parameter}: no such area, or more than one: {value!r}")
        self.parameter = parameter


@dataclass(frozen=True, slots=True)
class Where:
    """The areas of a point: country and region by boundaries, district and zone by the nearest settlement in it."""

    country: str | None
    adm1_code: str | None
    adm2_code: str | None
    timezone: str


@lru_cache(maxsize=8)
def _index(path: str, written: int) -> Index:
    return Index(path)


class Gazetteer(Geocoder):
    """A geopy geocoder over the index at `path`. Needs no network; timeouts are taken and mean nothing."""

    def __init__(self, path: Path | str) -> None:
        super().__init__()
        self._path = str(path)

    @property
    def index(self) -> Index:
        """The index as it is now: a file put in its place is opened by the next question."""
        try:
            written = os.stat(self._path).st_mtime_ns
        except FileNotFoundError:
            written = 0
        return _index(self._path, written)

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
        some = answer.candidates[: 1 if exactly_one else limit]
        found = [_location(candidate, answer.outcome) for candidate in some]
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
                    row.id if row.id > 0 else None, row.main, "nearest", row.population, row.timezone,
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
    return Location(address, Point(candidate.lat, candidate.lon), candidate.told() | {"outcome": outcome})


def _hint(index: Index, parameter: str, value: str, level: int, scope: list[Row]) -> Row:
    """The area a hint names; a country may be a region, and a region a district, for people write them so."""
    row = index.area(value)
    if row and row.level == level:
        return row
    country = next((area.country for area in scope), None)
    parent = next((area.code for area in scope if area.level == REGION), None)
    for finer in (level, level + 1):
        rows = index.areas_named(value, (finer,), country, parent, finer == level)
        if len(rows) == 1:
            return rows[0]
        if rows or finer == DISTRICT:
            break
    raise UnknownArea(parameter, value)


def locate(
    place: str,
    *,
    country: str | None = None,
    adm1_code: str | None = None,
    adm2_code: str | None = None,
    gazetteer: Gazetteer,
) -> Answer:
    """Where `place` is, inside the named areas (codes, or names as people write them). Raises `UnknownArea`.

    Without a place it is the narrowest of the areas itself, never a town that bears its name.
    """
    index = gazetteer.index
    scope: list[Row] = []
    hints = (("country", country, COUNTRY), ("region", adm1_code, REGION), ("district", adm2_code, DISTRICT))
    for parameter, value, level in hints:
        if value:
            scope.append(_hint(index, parameter, value, level, scope))
    if scope and not place.strip():
        area = scope[-1]
        return Answer("not_found") if area.lat is None else Answer("found", (candidate(area),))
    return _located(place, scope, index)


def _located(place: str, scope: list[Row], index: Index, near: bool = False) -> Answer:
    typed = parse(place, near)
    if typed.between:
        return _between(*typed.between, scope, index)
    if not typed.parts:
        return Answer("not_found", remainder=typed.remainder)
    return Search(index, typed, scope).answer()


def _between(one: str, other: str, scope: list[Row], index: Index) -> Answer:
    """The middle between two places; of several of a name those that lie nearest to each other."""
    where = other.partition(",")[2]
    first = _located(f"{one}, {where}" if where and "," not in one else one, scope, index, True)
    if first.outcome not in ("found", "ambiguous"):
        first = _located(one, scope, index, True)
    second = _located(other, scope, index, True)
    for answer in (first, second):
        if answer.outcome not in ("found", "ambiguous"):
            return answer
    pairs = [
        (distance_m(a.lat, a.lon, b.lat, b.lon), a, b) for a in first.candidates for b in second.candidates
    ]
    sure = first.outcome == second.outcome == "found" and pairs[0][0] <= _FAR_M
    away, a, b = pairs[0] if sure else min(pairs, key=lambda pair: pair[0])
    if away > _FAR_M:
        return Answer("ambiguous", (a, b))
    lat, lon = (a.lat + b.lat) / 2, (a.lon + b.lon) / 2
    area = index.area(boundaries.region_at(lat, lon) or "")
    radius = max(round(away / 2), NEAR_M)
    return Answer(
        "found",
        (
            Candidate(
                round(lat, 5), round(lon, 5), f"{a.name} – {b.name}", area.country if area else a.country,
                area.code if area else None, a.adm2_code if a.adm2_code == b.adm2_code else None,
                "adm2" if radius <= _DISTRICT_M else "adm1", radius, min(a.score, b.score),
                matched=f"{a.matched} – {b.matched}", how="between", timezone=a.timezone,
            ),
        ),
    )  # fmt: skip
