"""Online geocoders: any service that geopy knows, by its name and keyword arguments. Asked by the worker alone.

    service = Online("nominatim", {"user_agent": "register.example.org"}, cache=DATA_DIR / "geocoder.sqlite3")
    answer = service.ask("вулиця Соборна 5, Чугуїв", country="UA", adm1_code="UA-63", gazetteer=gazetteer)

Each question goes out at most once a second for the whole process, is waited for ten seconds at most, and is kept in
the cache. Whatever goes wrong is one exception, `Unavailable`, that says when to try again. A place whose point lies
outside the named region or country is refused.
"""

import json
import re
import sqlite3
import threading
import time
from contextlib import closing
from math import isfinite
from pathlib import Path
from typing import Any

from geopy.adapters import URLLibAdapter
from geopy.exc import GeocoderQueryError, GeocoderRateLimited, GeopyError
from geopy.geocoders import get_geocoder_for_service
from geopy.location import Location

from registry.geo import distance_m

from . import boundaries
from .gazetteer import Answer, Candidate, Gazetteer

TIMEOUT_S = 10.0
_CLEARLY = (
    0.1  # by how much the service must rank its first place above another as precise one that is not the same
)
_FIRST_RETRY_S, _LAST_RETRY_S = 60, 6 * 3600

# What a Nominatim answer is about (its addresstype, or class and type), and the radius in metres we believe.
_TYPES = {
    "house": ("exact", 50), "building": ("exact", 50), "amenity": ("exact", 100), "place_of_worship": ("exact", 100),
    "road": ("street", 500), "highway": ("street", 500), "street": ("street", 500),
    "city": ("settlement", 10_000), "town": ("settlement", 5_000), "village": ("settlement", 2_000),
    "hamlet": ("settlement", 1_000), "suburb": ("settlement", 3_000), "neighbourhood": ("settlement", 1_500),
    "county": ("adm2", 30_000), "district": ("adm2", 30_000), "state_district": ("adm2", 50_000),
    "state": ("adm1", 150_000), "region": ("adm1", 150_000), "province": ("adm1", 150_000),
    "country": ("country", 1_000_000),
}  # fmt: skip

# Abbreviations of town, village and house, and flats: Nominatim finds nothing where one of them is asked for.
_UNASKED = re.compile(
    r",?\s*(?<!\w)(?:кв|квартира|офіс|офис)\b\.?\s*\d+\w*"
    r"|(?<!\w)(?:(?:г|м|с|д|х|гор|пос|дер|буд|смт|пгт)\.|(?:смт|пгт)\s|(?:буд|будинок|дом)\s(?=\d))\s*",
    re.I,
)


class Unavailable(Exception):
    """No usable answer: down, slow, over the limit, or nonsense. `retry_after`: seconds, if the service said so."""

    def __init__(self, reason: str, retry_after: float | None = None) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


def retry_delay(attempt: int, retry_after: float | None = None) -> float:
    """Seconds to wait before the next try, after `attempt` failures (from 1): doubling from a minute to six hours."""
    return max(retry_after or 0, min(_LAST_RETRY_S, _FIRST_RETRY_S * 2 ** min(attempt - 1, 20)))


class Online:
    """One online service. `name` and `options` as geopy's `get_geocoder_for_service` and its class take them."""

    def __init__(
        self, name: str, options: dict[str, Any], *, cache: Path | None = None, interval_s: float = 1.0
    ) -> None:
        self.name = name
        # With requests at hand, geopy would wait inside the call for as long as the service asks, twice.
        ours = {"timeout": TIMEOUT_S, "adapter_factory": URLLibAdapter}
        self._geocoder = get_geocoder_for_service(name)(**ours | options)
        self._service = f"{name} {json.dumps(options, sort_keys=True, default=str)}"
        self._cache = cache
        self._interval_s = interval_s
        self._lock = threading.Lock()
        self._next = 0.0

    def ask(
        self,
        query: str,
        *,
        country: str | None = None,
        adm1_code: str | None = None,
        gazetteer: Gazetteer,
    ) -> Answer:
        """The service's places for a query, those inside the named areas first; raises `Unavailable`."""
        query = _UNASKED.sub("", query)
        kept = self._kept(query)
        if kept is None:
            kept = self._asked(query)
            self._keep(query, kept)
        inside: list[Candidate] = []
        outside: list[Candidate] = []
        for raw in kept:
            where = gazetteer.area_of(raw["lat"], raw["lon"])
            candidate = Candidate(
                **raw, country=where.country or "", adm1_code=where.adm1_code, adm2_code=where.adm2_code,
                timezone=where.timezone, matched=raw["name"], how=self.name,
            )  # fmt: skip
            fits = (not country or where.country == country) and (
                not adm1_code or boundaries.holds(adm1_code, raw["lat"], raw["lon"]) is not False
            )
            (inside if fits else outside).append(candidate)
        if inside:
            best = inside[0]
            rivals = [
                other
                for other in inside[1:]
                if other.geo_precision == best.geo_precision
                and other.score > best.score - _CLEARLY
                and distance_m(best.lat, best.lon, other.lat, other.lon) > best.radius_m
            ]
            return Answer("ambiguous" if rivals else "found", tuple(inside))
        return Answer("outside" if outside else "not_found", tuple(outside))

    def _asked(self, query: str) -> list[dict[str, Any]]:
        with self._lock:  # one question at a time, and not before its turn
            time.sleep(max(0.0, self._next - time.monotonic()))
            try:
                found = self._geocoder.geocode(query, exactly_one=False)
            except GeocoderRateLimited as error:
                raise Unavailable("over the limit", error.retry_after) from error
            except GeocoderQueryError:
                found = None  # the service understood us and refuses this query: no use in asking again
            except GeopyError as error:
                raise Unavailable(f"{type(error).__name__}: {error}") from error
            except (ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
                raise Unavailable(f"not an answer: {type(error).__name__}") from error
            finally:
                self._next = time.monotonic() + self._interval_s
        return [_read(location) for location in found or []]

    def _database(self) -> sqlite3.Connection:
        assert self._cache
        self._cache.parent.mkdir(parents=True, exist_ok=True)
        db = sqlite3.connect(self._cache, timeout=10)
        db.execute(
            "CREATE TABLE IF NOT EXISTS asked (service TEXT, query TEXT, answer TEXT, PRIMARY KEY (service, query))"
        )
        return db

    def _kept(self, query: str) -> list[dict[str, Any]] | None:
        if not self._cache:
            return None
        with closing(self._database()) as db:
            row = db.execute(
                "SELECT answer FROM asked WHERE service = ? AND query = ?", (self._service, query)
            ).fetchone()
        return json.loads(row[0]) if row else None

    def _keep(self, query: str, answer: list[dict[str, Any]]) -> None:
        if self._cache:
            with closing(self._database()) as db, db:
                db.execute(
                    "INSERT OR REPLACE INTO asked VALUES (?, ?, ?)",
                    (self._service, query, json.dumps(answer)),
                )


def _read(location: Location) -> dict[str, Any]:
    """What we keep of one of a service's places. Nonsense raises `Unavailable`: half an answer is none."""
    raw = location.raw if isinstance(location.raw, dict) else {}
    lat, lon = location.latitude, location.longitude
    try:  # geopy turns a longitude of 636° into one on the globe; what the service itself said must be there
        said = float(raw.get("lat", lat)), float(raw.get("lon", lon))
    except (TypeError, ValueError) as error:
        raise Unavailable("not an answer: coordinates that are no numbers") from error
    if not (isfinite(lat) and isfinite(lon) and abs(said[0]) <= 90 and abs(said[1]) <= 180):
        raise Unavailable(f"not on the globe: {said}")
    kinds = (raw.get("addresstype"), raw.get("type"), raw.get("class"))
    precision, radius = next((_TYPES[kind] for kind in kinds if kind in _TYPES), ("unknown", 10_000))
    try:
        score = round(min(1.0, max(0.0, float(raw.get("importance", 0.5)))), 3)
    except (TypeError, ValueError):
        score = 0.5
    return {
        "lat": lat, "lon": lon, "name": str(location.address)[:300], "geo_precision": precision,
        "radius_m": radius, "score": score,
    }  # fmt: skip
