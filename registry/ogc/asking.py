"""A request for features as a selection: the standard's parameters, the register's own filters, and every
column that may be asked of."""

import math
import re
from dataclasses import dataclass
from datetime import date
from functools import reduce
from operator import and_
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Q
from django.http import HttpRequest
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.translation import gettext as _

from registry.columns import COLUMNS
from registry.filters import EVERY_FILTER, Also, BadFilter, BoxField, Selection, inside, near, select
from registry.filters.values import YEARS

from . import cql2
from .answers import CRS84

LIMIT, MOST_ITEMS = 10, 10_000
#: The parameters of this door, in the order of its description.
OWN = ("f", "limit", "after", "bbox", "bbox-crs", "datetime", "crs", "filter", "filter-lang", "filter-crs")
#: What the register's other doors take beside filters.
BESIDE = ("as_of", "view")
#: Parameters that are columns, asked for one value.
EQUALS = {
    column.name: column
    for column in COLUMNS
    if column.name not in EVERY_FILTER and column.name not in (*OWN, *BESIDE)
}
#: The language of filters, and its name in GDAL, which pushes no filter down unless it reads it.
LANGUAGES = ("cql2-text", "cql-text")
#: How QGIS writes the open ends of an interval.
_ENDS = ("0000-01-01", "9999-12-31")


@dataclass(frozen=True)
class Asked:
    """What was asked for: the rows, how many at once, and after which."""

    selection: Selection
    limit: int
    after: str | None


def read(request: HttpRequest) -> Asked:
    """The features asked for; BadFilter names the first parameter that is unknown or not understood."""
    data = request.GET.copy()
    given = {name: _single(data.pop(name, [""]), name) for name in OWN}
    for name in ("crs", "bbox-crs", "filter-crs"):
        if given[name] not in ("", CRS84):
            raise BadFilter(name, _("Places are given in %s alone.") % CRS84)
    if given["datetime"]:
        if {"from", "to"} & data.keys():
            raise BadFilter("datetime", _("Either “datetime” or “from” and “to”."))
        for name, day in zip(("from", "to"), read_days(given["datetime"]), strict=True):
            if day:
                data[name] = day.isoformat()
    also = _also(given, {name: _single(data.pop(name), name) for name in EQUALS if name in data})
    selection = select(request.user, data, also=also)
    return Asked(selection, _limit(given["limit"]), given["after"] or None)


def _single(values: Any, name: str) -> str:
    different = {value.strip() for value in values} - {""}
    if len(different) > 1:
        raise BadFilter(name, _("Given twice with different values."))
    return different.pop() if different else ""


def _limit(typed: str) -> int:
    """So many features, at most MOST_ITEMS: more are asked for in vain, as the standard has it."""
    if not typed:
        return LIMIT
    if not (typed.isascii() and typed.isdigit() and 0 < len(typed) < 19 and int(typed)):
        raise BadFilter("limit", _("It is a number from 1 to %s.") % f"{MOST_ITEMS:,}")
    return min(int(typed), MOST_ITEMS)


def _also(given: dict[str, str], columns: dict[str, str]) -> Also | None:
    if given["filter-lang"] not in ("", *LANGUAGES):
        raise BadFilter("filter-lang", _("Filters are written in %s alone.") % LANGUAGES[0])
    parts = [cql2.equals(EQUALS[name], typed) for name, typed in columns.items() if typed]
    if given["bbox"]:
        parts.append(_in_box(given["bbox"]))
    if given["filter"]:
        parts.append(cql2.also(given["filter"]))
    return reduce(and_, parts) if parts else None


def _in_box(typed: str) -> Also:
    """What lies in the box, and by the standard what has no place, which the register's own box leaves out."""
    numbers = typed.split(",")
    if len(numbers) == 6:
        # Heights, which no report has.
        _check_height(numbers[2])
        _check_height(numbers[5])
        numbers = [*numbers[:2], *numbers[3:5]]
    try:
        box = BoxField().clean(",".join(numbers))
    except ValidationError as error:
        raise BadFilter("bbox", error.messages[0]) from None
    assert box is not None  # it is required
    ranges = near(box)
    few = {} if ranges is None else {"cell": ranges | Q(cell=None)}
    return Also(inside(box) | Q(lat=None), few=few)


def _check_height(typed: str) -> None:
    try:
        if math.isfinite(float(typed)):
            return
    except ValueError:
        pass
    raise BadFilter("bbox", _("A box is four or six numbers."))


def read_days(typed: str) -> tuple[date | None, date | None]:
    """The first and the last day of a moment or an interval (``2026-03-01/..``), as days are written in it:
    damage has days, and no time of day."""
    parts = typed.split("/")
    if len(parts) > 2:
        raise _bad_time()
    first, last = (
        None if part.startswith(end) else _day(part)
        for part, end in zip(parts * (3 - len(parts)), _ENDS, strict=True)
    )
    if first is None and last is None:
        raise _bad_time()
    if first and last and first > last:
        raise BadFilter("datetime", _("The interval ends before it begins."))
    return first, last


def _day(typed: str) -> date | None:
    if typed in ("", ".."):
        return None
    # GDAL before 3.7 leaves the T of a moment behind a day.
    typed = typed.removesuffix("T").replace(" ", "+")
    try:
        found = parse_date(typed)
        if re.search(r"T.*(Z|[+-]\d\d:\d\d)$", typed) and (moment := parse_datetime(typed)):
            found = moment.date()
    except ValueError:
        found = None
    if found is None or found.year not in YEARS:
        raise _bad_time()
    return found


def _bad_time() -> BadFilter:
    return BadFilter(
        "datetime",
        _("A day (2026-03-31), a moment (2026-03-31T10:00:00Z), or two with / between; .. is open."),
    )
