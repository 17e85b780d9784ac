"""What the value of a filter may be, and the refusal of what it may not."""

from datetime import UTC, date, datetime, time, tzinfo
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.translation import gettext as _

from registry.models.identity import read_reference
from registry.models.sql import place_of, sort_key


class BadFilter(Exception):
    """A parameter that is unknown or not understood: ``param`` names it, ``message`` says why."""

    def __init__(self, param: str, message: Any) -> None:
        super().__init__(f"{param}: {message}")
        self.param, self.message = param, message


class ReferenceField(forms.CharField):
    def clean(self, value: Any) -> str:
        typed = super().clean(value)
        reference = read_reference(typed) if typed else ""
        if reference is None:
            raise ValidationError(_("A reference has eight letters and digits, such as 4F7K-92MX."))
        return reference


class BoxField(forms.CharField):
    """``west,south,east,north`` in degrees; west beyond east crosses the date line."""

    def clean(self, value: Any) -> tuple[float, float, float, float] | None:
        typed = super().clean(value)
        if not typed:
            return None
        try:
            west, south, east, north = (float(number) for number in typed.split(","))
        except ValueError:
            raise ValidationError(_("A box is west,south,east,north in degrees.")) from None
        if not (-90 <= south <= north <= 90 and -180 <= west <= 180 and -180 <= east <= 180):
            raise ValidationError(_("A box is west,south,east,north in degrees, south below north."))
        return west, south, east, north


class MomentField(forms.CharField):
    """A moment in ISO 8601, UTC where it names no zone; a day is its first moment."""

    def clean(self, value: Any) -> datetime | None:
        typed = super().clean(value)
        return read_moment(typed, at=time()) if typed else None


#: Beyond these, days and moments cannot be reckoned with in every zone.
YEARS = range(1000, 9000)


def read_moment(typed: str, *, at: time, zone: tzinfo = UTC) -> datetime:
    """The moment typed, of UTC where it names no zone, or ``at`` on the day typed in ``zone``; ValidationError
    if it is neither."""
    try:
        day, moment = parse_date(typed), parse_datetime(typed)
    except ValueError:
        day = moment = None
    year = (day or moment or date.min).year
    if day and year in YEARS:
        return datetime.combine(day, at, zone)
    if moment is None or year not in YEARS:
        raise ValidationError(_("Not a day (2026-03-31) or moment (2026-03-31T10:00:00Z)."))
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def write_moment(moment: datetime) -> str:
    """A moment as it stands in an address: of two editions of one day, it names each."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def read_token(name: str, token: str) -> int:
    """The sort key of a page's token; BadFilter naming the parameter if it is none."""
    day, _dot, typed = token.partition(".")
    reference = read_reference(typed)
    try:
        if reference:
            return sort_key(date.fromisoformat(day), reference)
    except ValueError:
        pass
    raise BadFilter(name, _("This is no page of the list."))


def write_token(key: int | None) -> str | None:
    """A sort key as the token of a page."""
    if key is None:
        return None
    day, reference = place_of(key)
    return f"{day}.{reference}"
