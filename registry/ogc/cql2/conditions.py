"""A filter as what rows must meet: a tree of ``grammar.lark`` from its leaves up."""

from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext as _
from lark import Token, Transformer, v_args
from lark.exceptions import VisitError

from registry.columns import COLUMNS, Column
from registry.filters import Also, BadFilter, inside, near
from registry.models.rows import WALKED
from registry.models.sql import Matches

from . import values
from .comparing import ALL, NONE, Part, all_of, any_of, bound, compared, is_text, of_two
from .parsing import MOST_WILDCARDS, bad, meant, parse
from .values import Box

_BY_NAME = {column.name: column for column in COLUMNS}
GEOMETRY = "geometry"
_FLIPPED = {"=": "=", "<>": "<>", "<": ">", ">": "<", "<=": ">=", ">=": "<="}


@dataclass(frozen=True)
class Name:
    column: Column | None  # None is the place


@dataclass(frozen=True)
class Interval:
    """Moments or days from ``first`` to ``last``; None is open."""

    first: date | datetime | None
    last: date | datetime | None


def also(text: str) -> Also:
    """What a filter in CQL2 asks for; BadFilter says what of it is not understood or not offered."""
    tree = parse(text)
    try:
        part = _Parts().transform(tree)
    except VisitError as error:
        if isinstance(error.orig_exc, BadFilter):
            raise error.orig_exc from None
        raise
    return replace(part.lead, condition=part.true)


def equals(column: Column, typed: str) -> Also:
    """The rows that have this value in a column, as a parameter of its name asks for them."""
    try:
        value: Any = typed
        if column.type in ("integer", "decimal"):
            value = values.number(typed)
        elif column.type == "boolean":
            if typed not in ("true", "false"):
                raise bad(_("It is true or false."))
            value = typed == "true"
        if isinstance(value, str) and "\x00" in value:
            raise bad(_("Null characters are not allowed."))
        part = compared(column, "=", value)
    except BadFilter as error:
        raise BadFilter(column.name, error.message) from None
    return replace(part.lead, condition=part.true)


# -- the parts of a tree -----------------------------------------------------------------------------------


@v_args(inline=True)
class _Parts(Transformer):
    """A tree of ``grammar.lark`` from its leaves up."""

    def either(self, *parts: Part) -> Part:
        return any_of(*parts)

    def both(self, *parts: Part) -> Part:
        return all_of(*parts)

    def negation(self, _not: Token, part: Part) -> Part:
        return ~part

    def constant(self, typed: Token) -> Part:
        return Part(ALL, NONE) if typed.upper() == "TRUE" else Part(NONE, ALL)

    def comparison(self, left: Any, typed: Token, right: Any) -> Part:
        sign = str(typed)
        if not isinstance(left, Name):
            left, right, sign = right, left, _FLIPPED[sign]
        column = _column(left)
        if isinstance(right, Name):
            return of_two(column, sign, _column(right))
        return compared(column, sign, right)

    def like(self, name: Any, negated: Token | None, how: Token, typed: Token) -> Part:
        column, text = _column(name), meant(typed)
        if not is_text(column):
            raise bad(_("%s is no text.") % column.name)
        if sum(text.count(sign) for sign in "%_") > MOST_WILDCARDS:
            raise bad(_("A pattern has more than %d wildcards.") % MOST_WILDCARDS)
        matches, filled = Matches(column.name, text, folded=how.upper() == "ILIKE"), ~Q(**{column.name: ""})
        return _perhaps_not(negated, Part(filled & Q(matches), filled & ~Q(matches)))

    def between(self, name: Any, negated: Token | None, low: Any, high: Any) -> Part:
        column = _column(name)
        return _perhaps_not(negated, all_of(compared(column, ">=", low), compared(column, "<=", high)))

    def member(self, name: Any, negated: Token | None, *given: Any) -> Part:
        column = _column(name)
        part = any_of(*(compared(column, "=", value) for value in given))
        if is_text(column):
            filled, among = ~Q(**{column.name: ""}), Q(**{f"{column.name}__in": given})
            lead = Also(Q(), {column.name: [value for value in given if value]})
            part = Part(filled & among, filled & ~among, lead if column.name in WALKED else Also(Q()))
        return _perhaps_not(negated, part)

    def null(self, name: Name, negated: Token | None) -> Part:
        if name.column is None:
            part = Part(Q(lat=None), Q(lat__isnull=False))
        elif is_text(name.column):
            part = Part(Q(**{name.column.name: ""}), ~Q(**{name.column.name: ""}))
        else:
            asked = f"{name.column.name}__isnull"
            part = Part(Q(**{asked: True}), Q(**{asked: False}))
        return _perhaps_not(negated, part)

    def spatial(self, how: Token, one: Any, other: Any) -> Part:
        name, box = (one, other) if isinstance(one, Name) else (other, one)
        if how.upper() != "S_INTERSECTS":
            raise bad(_("%s is not offered, only S_INTERSECTS.") % how.upper())
        if not isinstance(name, Name) or name.column is not None or isinstance(box, Name):
            raise bad(_("S_INTERSECTS takes “geometry” and a POINT or BBOX."))
        within, ranges = inside(box), near(box)
        west, south, east, north = box
        across = Q(lon__gt=east, lon__lt=west) if west > east else Q(lon__lt=west) | Q(lon__gt=east)
        outside = Q(lat__lt=south) | Q(lat__gt=north) | across
        return Part(within, outside, Also(Q(), few={"cell": ranges} if ranges else {}))

    def temporal(self, how: Token, name: Any, other: Any) -> Part:
        column = _column(name)
        if isinstance(other, Name):
            raise bad(_("%s compares a column with a value.") % how.upper())
        span = other if isinstance(other, Interval) else Interval(other, other)
        match how.upper():
            case "T_AFTER":
                return bound(column, ">", span.last, open=False)
            case "T_BEFORE":
                return bound(column, "<", span.first, open=False)
            case "T_DURING":
                return all_of(bound(column, ">", span.first), bound(column, "<", span.last))
            case "T_INTERSECTS":
                return all_of(bound(column, ">=", span.first), bound(column, "<=", span.last))
            case "T_DISJOINT":
                return ~all_of(bound(column, ">=", span.first), bound(column, "<=", span.last))
            case "T_EQUALS" if span.first == span.last and span.first is not None:
                return compared(column, "=", span.first)
        raise bad(
            _("%s is not offered here: T_AFTER, T_BEFORE, T_DURING, T_INTERSECTS and T_DISJOINT are.")
            % how.upper()
        )

    # -- names and values --

    def name(self, typed: Token) -> Name:
        name = str(typed).strip('"')
        if name == GEOMETRY:
            return Name(None)
        if name not in _BY_NAME:
            raise bad(_("There is no column %s.") % name)
        return Name(_BY_NAME[name])

    def text(self, typed: Token) -> str:
        return meant(typed)

    def number(self, typed: Token) -> int | float:
        return values.number(typed)

    def boolean(self, typed: Token) -> bool:
        return typed.upper() == "TRUE"

    def date(self, typed: Token) -> date:
        return values.day(meant(typed))

    def timestamp(self, typed: Token) -> datetime:
        return values.moment(meant(typed))

    def interval(self, first: Token, last: Token) -> Interval:
        return Interval(
            *(None if (text := meant(end)) == ".." else values.day_or_moment(text) for end in (first, last))
        )

    def point(self, lon: Token, lat: Token, _height: Token | None) -> Box:
        return values.box([lon, lat, lon, lat])

    def box(self, *numbers: Token) -> Box:
        if len(numbers) == 6:
            numbers = (*numbers[:2], *numbers[3:5])
        return values.box(numbers)


def _perhaps_not(negated: Token | None, part: Part) -> Part:
    return ~part if negated else part


def _column(operand: Any) -> Column:
    if not isinstance(operand, Name):
        raise bad(_("One side of every comparison is a column."))
    if operand.column is None:
        raise bad(_("“geometry” is compared by S_INTERSECTS."))
    return operand.column
