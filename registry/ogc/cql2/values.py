"""Values as they stand in a filter, read as a column's type has them."""

import math
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _

from registry.columns import Column
from registry.filters import BadFilter, BoxField
from registry.filters.values import read_moment

from .parsing import bad

Box = tuple[float, float, float, float]


def as_column(column: Column, value: Any) -> Any:
    """The value as this column has it; BadFilter says what it takes."""
    return _READ[column.type](column, value)


def _wrong(column: Column, words: str) -> BadFilter:
    return bad(_("%(column)s is %(what)s.") % {"column": column.name, "what": words})


def _as_text(column: Column, value: Any) -> str:
    if not isinstance(value, str):
        raise _wrong(column, _("a text: put its value between ' and '"))
    return value


def _as_number(column: Column, value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _wrong(column, _("a number"))
    return value


def _as_truth(column: Column, value: Any) -> bool:
    # As numbers, too: SQL as GDAL takes it has no other.
    if value not in (0, 1):
        raise _wrong(column, _("true or false"))
    return bool(value)


def _as_day(column: Column, value: Any) -> date:
    if isinstance(value, str):
        value = day_or_moment(value)
    if not isinstance(value, date) or isinstance(value, datetime):
        raise _wrong(column, _("a day: DATE('2026-03-31')"))
    return value


def _as_moment(column: Column, value: Any) -> datetime:
    if isinstance(value, str):
        value = day_or_moment(value)
    if not isinstance(value, date):
        raise _wrong(column, _("a moment: TIMESTAMP('2026-03-31T10:00:00Z')"))
    return value if isinstance(value, datetime) else datetime.combine(value, time(), UTC)


_READ: dict[str, Callable[[Column, Any], Any]] = {
    "text": _as_text,
    "code": _as_text,
    "integer": _as_number,
    "decimal": _as_number,
    "boolean": _as_truth,
    "date": _as_day,
    "moment": _as_moment,
}


def number(typed: str) -> int | float:
    try:
        found = float(typed)
    except ValueError:
        raise bad(_("“%s” is no number.") % typed) from None
    if not math.isfinite(found):
        raise bad(_("%s is too large.") % typed)
    return int(found) if found.is_integer() and abs(found) < 1 << 53 else found


def day(typed: str) -> date:
    try:
        if found := parse_date(typed):
            return found
    except ValueError:
        pass
    raise bad(_("“%s” is no day (2026-03-31).") % typed)


def moment(typed: str) -> datetime:
    try:
        # As UTC, which the first and the last days there are may lack.
        return read_moment(typed, at=time()).astimezone(UTC)
    except (ValidationError, OverflowError):
        raise bad(_("“%s” is no moment (2026-03-31T10:00:00Z).") % typed) from None


def day_or_moment(typed: str) -> date | datetime:
    # GDAL leaves the T of a moment behind a day.
    bare = typed.removesuffix("T")
    return moment(bare) if "T" in bare or " " in bare else day(bare)


def box(numbers: Sequence[str]) -> Box:
    try:
        found = BoxField().clean(",".join(numbers))
    except ValidationError as error:
        raise bad(error.messages[0]) from None
    assert found is not None  # it is required
    return found
