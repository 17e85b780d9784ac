"""Reports that may be of the same damage: shown before a report is logged, never decided by the machine."""

from datetime import date, timedelta
from functools import reduce
from operator import or_
from typing import Any

from django.db.models import Q
from rapidfuzz import fuzz

from registry import geo
from registry.models import Person, Report
from registry.rules import access

_NEAR_M = 250
_DAYS = timedelta(days=45)
_MOST_ROWS = 400


def nearby(
    person: Person,
    *,
    lat: float | None,
    lon: float | None,
    kind: str,
    on: date | None = None,
    place: str = "",
    settlement: str = "",
    radius_m: int = _NEAR_M,
    using: str = "default",
) -> list[tuple[Report, int]]:
    """At most eight live reports in the person's scope like the one described, likest first, each with a
    likeness from 0 to 100."""
    if not access.is_staff(person) or lat is None or lon is None:
        return []
    reach = max(_NEAR_M, radius_m)
    ranges = [Q(cell__gte=low, cell__lt=high) for low, high in geo.covering_ranges(lat, lon, reach)]
    rows = (
        Report.objects.using(using)
        .within(person.scope)
        .live()
        .filter(reduce(or_, ranges), kind=kind, withdrawn="")
        .in_order()
    )
    if on is not None:
        rows = rows.filter(occurred_to__gte=on - _DAYS, occurred_to__lte=on + _DAYS)
    scored = [(report, _likeness(report, lat, lon, place, settlement)) for report in rows[:_MOST_ROWS]]
    likely = [pair for pair in scored if pair[1] >= 35]
    return sorted(likely, key=lambda pair: -pair[1])[:8]


def _likeness(report: Any, lat: float, lon: float, place: str, settlement: str) -> int:
    """Nearness counts for places known to the street, likeness of the words for all."""
    away = geo.distance_m(float(report.lat), float(report.lon), lat, lon)
    exact = report.geo_precision in ("exact", "street")
    near = max(0.0, 100 - away / _NEAR_M * 60) if exact else 30.0
    words = report.address or report.place_typed
    if not place or not words:
        return round(near * 0.8)
    return round(0.4 * near + 0.6 * fuzz.token_set_ratio(place.casefold(), words.casefold()))
