"""From what was typed, an area and coordinates to the place columns of a report.

Nothing is guessed in silence: several equally good places are kept as candidates, a hit outside the named
region is refused, typed coordinates are never moved.
"""

import time
from decimal import Decimal
from functools import lru_cache, reduce
from operator import or_
from pathlib import Path
from typing import Any, NamedTuple

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from registry.geocoding.gazetteer import Answer, Candidate, Gazetteer, UnknownArea, locate
from registry.geocoding.names import fold
from registry.geocoding.parsing import parse
from registry.models import Area, KnownPlace
from registry.rules.vocabularies import GeocodeState, GeoPrecision, Kind


class Lineage(NamedTuple):
    """An area and the areas it lies in: the columns of a report, its zone, its level and its centre."""

    codes: dict[str, str]
    timezone: str
    level: int
    lat: Decimal | None
    lon: Decimal | None
    radius_m: int | None


_NO_CODES = dict.fromkeys(
    (
        "country",
        "adm1_code",
        "adm1_name",
        "adm2_code",
        "adm2_name",
        "adm3_code",
        "adm3_name",
    ),
    "",
)
_PRECISION_OF_LEVEL = (GeoPrecision.COUNTRY, GeoPrecision.ADM1, GeoPrecision.ADM2, GeoPrecision.SETTLEMENT)


@lru_cache(maxsize=20_000)
def lineage(code: str) -> Lineage | None:
    """The lineage of an area, None if there is none of this code. Cached: call ``cache_clear`` after
    loading areas."""
    columns = ("code", "level", "name", "timezone", "lat", "lon", "radius_m", "parent__code")
    area = Area.objects.filter(code=code).values(*columns).first()
    if area is None:
        return None
    level, own = area["level"], area["code"]
    above = lineage(area["parent__code"]) if area["parent__code"] else None
    named = {f"adm{level}_code": own, f"adm{level}_name": area["name"]} if level else {"country": own}
    return Lineage(
        {**(above.codes if above else _NO_CODES), **named},
        area["timezone"] or (above.timezone if above else ""),
        level,
        area["lat"],
        area["lon"],
        area["radius_m"],
    )


def areas_named(text: str, *, within: str = "") -> list[Area]:
    """The areas a person means by a code or by a name in any of its languages; ``within`` a country."""
    by_code = list(Area.objects.filter(code__iexact=text)[:2])
    if by_code:
        return by_code
    names = ("name", "name_local", "name_uk", "name_ru")
    named = Area.objects.filter(reduce(or_, (Q(**{f"{name}__iexact": text}) for name in names)))
    if within:
        named = named.filter(country=within)
    # SQLite compares letters other than Latin as they are: the typed word is tried as names are written too.
    return list(named[:8]) or list(
        Area.objects.filter(reduce(or_, (Q(**{name: text.title()}) for name in names)))[:8]
    )


def one_area(text: str) -> str:
    """The code of the one area a person means; ValidationError where there is none, or several."""
    found = areas_named(text)
    if not found:
        raise ValidationError(_("There is no area “%(text)s”."), params={"text": text})
    highest = [area for area in found if area.level == min(one.level for one in found)]
    if len(highest) > 1:
        several = ", ".join(f"{area.name} ({area.code})" for area in highest)
        raise ValidationError(
            _("“%(text)s” names several areas: give one of the codes. %(several)s"),
            params={"text": text, "several": several},
        )
    return highest[0].code


def deepest(*codes: str | None) -> Lineage | None:
    """The lineage of the first of these codes that is known, from the deepest to the shallowest."""
    return next((found for code in codes if code and (found := lineage(code))), None)


def area_of(report: Any) -> Lineage | None:
    """The area a report is of."""
    return deepest(report.adm3_code, report.adm2_code, report.adm1_code, report.country)


def place_fields(
    typed: str = "",
    *,
    area: Lineage | None = None,
    lat: Decimal | None = None,
    lon: Decimal | None = None,
    kind: str = Kind.BUILDING,
) -> dict[str, Any]:
    """The place columns of a report, from what a person gave.

    ``lat``, ``lon``: typed coordinates, kept as they are. ``area``: the area named. ``typed``: the place in
    words, located in the embedded gazetteer within that area.
    """
    fields: dict[str, Any] = {
        "place_typed": typed,
        "address": "",
        "settlement": "",
        "lat": None,
        "lon": None,
        "geo_precision": GeoPrecision.UNKNOWN,
        "geo_radius_m": None,
        "timezone": "",
        "geocode_backend": "",
        "geocode_matched": "",
        "geocode_candidates": [],
        **_NO_CODES,
    }
    if area is not None:
        fields |= _of_area(area)
    answer = None
    if typed:
        known = _known(typed, area)
        backend = "known" if known else "gazetteer"
        answer = known or _located(typed, area.codes if area else _NO_CODES)
        fields["address"] = answer.remainder
    if lat is not None and lon is not None:
        fields |= _at_point(lat, lon, area, answer)
    elif answer is not None:
        fields |= from_answer(answer, backend=backend)
        if area is not None and answer.outcome == "found" and _says_more(area, fields):
            fields |= area.codes
    elif area is not None:
        fields["geocode_state"] = GeocodeState.FOUND
    else:
        fields["geocode_state"] = GeocodeState.NOT_FOUND
    wants_more = fields["geo_precision"] not in (GeoPrecision.EXACT, GeoPrecision.STREET)
    fields["geocode_after"] = None
    if typed and lat is None and wants_more and _may_ask_online(kind):
        fields["geocode_after"] = timezone.now().replace(microsecond=0)
        if fields["geocode_state"] == GeocodeState.NOT_FOUND:
            fields["geocode_state"] = GeocodeState.WAITING
    return fields


def pinned(area: Lineage | None, lat: Decimal, lon: Decimal) -> dict[str, Any]:
    """The place columns of a point that a person vouches for: its areas are those of the point, as far as known."""
    around = embedded().area_of(float(lat), float(lon))
    found = deepest(around.adm2_code, around.adm1_code, around.country)
    fields: dict[str, Any] = {
        "lat": lat, "lon": lon, "geo_precision": GeoPrecision.EXACT, "geo_radius_m": 25, "geocode_matched": "",
    }  # fmt: skip
    # The deepest areas are an installation's own, and the gazetteer cannot tell them.
    if found is None or (area and _refines(area, found)) or (area and area.codes == found.codes):
        return fields
    return fields | {**found.codes, "timezone": around.timezone or found.timezone, "settlement": ""}


def another_area(area: Lineage | None, lat: Decimal, lon: Decimal) -> str:
    """The country or region in which a point lies if it is another one than the area's; else nothing."""
    around = embedded().area_of(float(lat), float(lon))
    if area is None or not _disagrees(around, area):
        return ""
    found = deepest(around.adm1_code, around.country)
    return (found.codes["adm1_name"] or found.codes["country"]) if found else around.country or ""


def only_area(area: Lineage | None) -> dict[str, Any]:
    """The place columns of which nothing but the area is known."""
    nothing = {
        "lat": None, "lon": None, "geo_precision": GeoPrecision.UNKNOWN, "geo_radius_m": None,
        "settlement": "", "geocode_matched": "",
    }  # fmt: skip
    return nothing | (_of_area(area) if area else {})


# -- places that people confirmed -------------------------------------------------------------------------

KNOWN_RADIUS_M = 2_000  # a name set on the map by a person: so far around it lie its other houses
_FRESH_S = 2  # seconds after which a process looks for names that others confirmed


def name_of(typed: str) -> str:
    """The names of a typed place without the street and the house; nothing for a street alone."""
    return ", ".join(part.text for part in parse(typed).parts)


class _KnownKeys:
    """The keys of all known places: few, so that a look-up asks the database for those alone that it has."""

    def __init__(self) -> None:
        self.keys, self.read = frozenset[str](), float("-inf")

    def __bool__(self) -> bool:
        return bool(self._fresh())

    def __contains__(self, key: str) -> bool:
        return key in self._fresh()

    def _fresh(self) -> frozenset[str]:
        if time.monotonic() - self.read > _FRESH_S:
            self.keys = frozenset(KnownPlace.objects.values_list("key", flat=True))
            self.read = time.monotonic()
        return self.keys

    def forget(self) -> None:
        self.read = float("-inf")


known_keys = _KnownKeys()


def codes_of(area: Lineage) -> list[str]:
    """The codes of an area and those around it, the deepest first."""
    names = ("adm3_code", "adm2_code", "adm1_code", "country")
    return [area.codes[name] for name in names if area.codes[name]]


def _known(typed: str, area: Lineage | None) -> Answer | None:
    """A place that a person confirmed for this name in this area, or in one around it that holds the point."""
    if area is None or not known_keys:
        return None
    key = fold(name_of(typed))
    if not key or key not in known_keys:
        return None
    codes = codes_of(area)
    found = {one.area: one for one in KnownPlace.objects.filter(key=key, area__in=codes).select_related("by")}
    for code in codes:
        if (one := found.get(code)) is None:
            continue
        around = embedded().area_of(float(one.lat), float(one.lon))
        if code == codes[0] or not area.codes["adm2_code"] or around.adm2_code == area.codes["adm2_code"]:
            place = Candidate(
                float(one.lat), float(one.lon), one.name, around.country or area.codes["country"], around.adm1_code,
                around.adm2_code, GeoPrecision.SETTLEMENT, KNOWN_RADIUS_M, 1.0, matched=f"{one.name} ({one.by})"[:300],
                how="known", timezone=around.timezone,
            )  # fmt: skip
            return Answer("found", (place,), parse(typed).remainder)
    return None


# -- look-ups --------------------------------------------------------------------------------------------


def embedded() -> Gazetteer:
    """The embedded gazetteer, built by ``manage.py setup``."""
    return _gazetteer_in(settings.DATA_DIR)


@lru_cache(maxsize=2)
def _gazetteer_in(folder: Path) -> Gazetteer:
    return Gazetteer(Path(folder) / "gazetteer.sqlite3")


def _located(typed: str, hints: dict[str, str]) -> Answer:
    """Where the gazetteer finds a place within the deepest area named that it knows."""
    for deepest_hint in ("adm2_code", "adm1_code", "country"):
        given = {name: hints[name] or None for name in ("country", "adm1_code", "adm2_code")}
        try:
            return locate(typed, gazetteer=embedded(), **given)
        except UnknownArea:
            # An area that this installation loaded itself: its parents are known.
            hints = {**hints, deepest_hint: ""}
    return locate(typed, gazetteer=embedded())


def _may_ask_online(kind: str) -> bool:
    """Online geocoders are sent building places only, unless the host is marked our own."""
    return bool(settings.GEOCODER) and (kind == Kind.BUILDING or settings.GEOCODER_IS_OURS)


def _of_area(area: Lineage) -> dict[str, Any]:
    """An area alone: its own point, as precise as its level."""
    return {
        **area.codes,
        "timezone": area.timezone,
        "lat": area.lat,
        "lon": area.lon,
        "geo_precision": _PRECISION_OF_LEVEL[area.level] if area.lat is not None else GeoPrecision.UNKNOWN,
        "geo_radius_m": area.radius_m if area.lat is not None else None,
    }


def _at_point(lat: Decimal, lon: Decimal, area: Lineage | None, answer: Any) -> dict[str, Any]:
    """Typed coordinates: the area of the point where none was named; a disagreement is said, not mended."""
    around = embedded().area_of(float(lat), float(lon))
    point = {
        "lat": lat,
        "lon": lon,
        "geo_precision": GeoPrecision.EXACT,
        "geo_radius_m": 25,
        "geocode_state": GeocodeState.TYPED,
        "geocode_backend": "",
        "geocode_matched": "",
        "geocode_candidates": [],
        "settlement": "",
    }
    if answer is not None and answer.outcome == "found":
        point["settlement"] = _settlement(answer.candidates[0].told())
    found = deepest(around.adm2_code, around.adm1_code, around.country)
    if area is None:
        if found is not None:
            point |= {**found.codes, "timezone": around.timezone or found.timezone}
    elif _disagrees(around, area):
        point["geocode_state"] = GeocodeState.OUTSIDE
    elif found is not None and _refines(found, area):
        point |= {**found.codes, "timezone": around.timezone or area.timezone}
    return point


def _disagrees(around: Any, area: Lineage) -> bool:
    """Whether a point lies in another country or region than the one named."""
    return any(
        there and area.codes[name] and there != area.codes[name]
        for name, there in (("country", around.country), ("adm1_code", around.adm1_code))
    )


def _settlement(candidate: dict[str, Any]) -> str:
    finer = (GeoPrecision.SETTLEMENT, GeoPrecision.STREET, GeoPrecision.EXACT)
    return candidate["name"] if candidate["geo_precision"] in finer else ""


def _says_more(area: Lineage, fields: dict[str, Any]) -> bool:
    """Whether the area named lies in that of the place found: no source ties many towns to their districts."""
    found = deepest(fields["adm2_code"], fields["adm1_code"], fields["country"])
    return found is not None and _refines(area, found)


def _refines(found: Lineage, area: Lineage) -> bool:
    """Whether ``found`` lies in ``area`` and says more."""
    return found.level > area.level and all(
        found.codes[name] == code for name, code in area.codes.items() if code and name.endswith("code")
    )


def from_answer(answer: Answer, *, backend: str) -> dict[str, Any]:
    """The place columns of a geocoder's answer; an ambiguous or refused one leaves the area's own point."""
    several = answer.candidates[:8] if len(answer.candidates) > 1 or answer.outcome != "found" else ()
    candidates = [candidate.told() for candidate in several]
    if answer.outcome != "found":
        return {
            "geocode_state": GeocodeState(answer.outcome),
            "geocode_backend": backend,
            "geocode_candidates": candidates,
        }
    best = answer.candidates[0]
    fields = {
        **from_candidate(best.told()),
        "geocode_state": GeocodeState.FOUND,
        "geocode_backend": backend,
        "geocode_candidates": candidates,
    }
    return fields


def from_candidate(candidate: dict[str, Any]) -> dict[str, Any]:
    """The place columns of one candidate (as kept in ``geocode_candidates``)."""
    inside = deepest(candidate["adm2_code"], candidate["adm1_code"], candidate["country"])
    return {
        **(inside.codes if inside else _NO_CODES),
        "timezone": candidate.get("timezone") or (inside.timezone if inside else ""),
        "settlement": _settlement(candidate),
        "lat": round(Decimal(str(candidate["lat"])), 6),
        "lon": round(Decimal(str(candidate["lon"])), 6),
        "geo_precision": candidate["geo_precision"],
        "geo_radius_m": candidate["radius_m"],
        "geocode_matched": candidate["matched"],
    }
