"""One column beside a value, or beside another column: when that is true, and when it is false.

As in SQL a comparison with what is missing is neither; the empty text, which stands for what is missing, is
never compared either.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import reduce
from operator import and_, or_
from typing import Any

from django.db.models import F, Q, Value, lookups
from django.utils.translation import gettext as _

from registry.columns import Column
from registry.filters import Also
from registry.models.rows import WALKED
from registry.models.sql import Bytewise, first_key

from .parsing import bad
from .values import as_column

#: Columns of days and moments by which an index finds rows.
_FOUND_BY = frozenset({"verified_on", "logged_utc", "updated_utc"})
_INVERSE = {"=": "<>", "<>": "=", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}
_LOOKUPS: dict[str, Any] = {
    "=": lookups.Exact,
    "<": lookups.LessThan,
    "<=": lookups.LessThanOrEqual,
    ">": lookups.GreaterThan,
    ">=": lookups.GreaterThanOrEqual,
}
ALL, NONE = ~Q(pk__in=[]), Q(pk__in=[])


@dataclass(frozen=True)
class Part:
    """When a part of a filter is true and when it is false; and by what lists find the rows of which it is true,
    where it stands for itself or between ANDs."""

    true: Q
    false: Q
    lead: Also = field(default_factory=lambda: Also(Q()))

    def __invert__(self) -> "Part":
        return Part(self.false, self.true)


def all_of(*parts: Part) -> Part:
    lead = reduce(and_, (part.lead for part in parts))
    return Part(
        reduce(and_, (part.true for part in parts)), reduce(or_, (part.false for part in parts)), lead
    )


def any_of(*parts: Part) -> Part:
    return Part(reduce(or_, (part.true for part in parts)), reduce(and_, (part.false for part in parts)))


def is_text(column: Column) -> bool:
    return column.type in ("text", "code")


def compared(column: Column, sign: str, value: Any) -> Part:
    """A column beside a value of its type."""
    make = _CONDITIONS[column.type]
    value = as_column(column, value)
    return Part(
        make(column.name, sign, value), make(column.name, _INVERSE[sign], value), _lead(column, sign, value)
    )


def bound(column: Column, sign: str, value: Any, *, open: bool = True) -> Part:
    """A column beside the end of an interval, which may be open: then what has a value fits, or nothing does."""
    if column.type not in ("date", "moment"):
        raise bad(_("%s is no day or moment.") % column.name)
    if value is not None:
        return compared(column, sign, value)
    filled = Q(**{f"{column.name}__isnull": False})
    return Part(filled, NONE) if open else Part(NONE, filled)


def _lead(column: Column, sign: str, value: Any) -> Also:
    """By what lists find the rows of which a comparison is true."""
    name = column.name
    if sign == "=" and name in WALKED and value:
        return Also(Q(), {name: [value]})
    if name in _FOUND_BY and sign != "<>":
        return Also(Q(), few={name: _CONDITIONS[column.type](name, sign, value)})
    if name in ("occurred_from", "occurred_to"):
        # In the order of lists, which is that of the last day.
        begin = value + timedelta(days=sign == ">") if value < date.max else None
        end = value + timedelta(days=sign != "<") if value < date.max else None
        low = first_key(begin) - 1 if begin and sign in ("=", ">", ">=") else None
        high = first_key(end) if end and name == "occurred_to" and sign in ("=", "<", "<=") else None
        return Also(Q(), low=low, high=high)
    return Also(Q())


def _of_texts(name: str, sign: str, text: Any) -> Q:
    filled = ~Q(**{name: ""})
    if sign == "=":
        return filled & Q(**{name: text})
    if sign == "<>":
        return filled & ~Q(**{name: text})
    return filled & Q(_LOOKUPS[sign](Bytewise(F(name)), Value(text)))


def _of_numbers(name: str, sign: str, number: Any) -> Q:
    # Not as the column's own type, which may not hold it.
    if sign == "<>":
        return Q(_LOOKUPS["<"](F(name), Value(number))) | Q(_LOOKUPS[">"](F(name), Value(number)))
    return Q(_LOOKUPS[sign](F(name), Value(number)))


def _of_others(name: str, sign: str, value: Any) -> Q:
    if sign == "<>":
        return Q(**{f"{name}__isnull": False}) & ~Q(**{name: value})
    return Q(**{f"{name}__{_LOOKUPS[sign].lookup_name}": value})


_CONDITIONS: dict[str, Callable[[str, str, Any], Q]] = {
    "text": _of_texts,
    "code": _of_texts,
    "integer": _of_numbers,
    "decimal": _of_numbers,
    "boolean": _of_others,
    "date": _of_others,
    "moment": _of_others,
}


def of_two(column: Column, sign: str, other: Column) -> Part:
    """Two columns of one sort beside each other."""
    sorts = {"code": "text", "integer": "decimal"}
    if sorts.get(column.type, column.type) != sorts.get(other.type, other.type):
        raise bad(_("%(one)s and %(other)s are not of one sort.") % {"one": column.name, "other": other.name})
    known = [
        ~Q(**{one.name: ""}) if is_text(one) else Q(**{f"{one.name}__isnull": False})
        for one in (column, other)
    ]
    sides = [Bytewise(F(one.name)) if is_text(one) else F(one.name) for one in (column, other)]

    def condition(sign: str) -> Q:
        if sign == "<>":
            return reduce(and_, known) & ~Q(_LOOKUPS["="](*sides))
        return reduce(and_, known) & Q(_LOOKUPS[sign](*sides))

    return Part(condition(sign), condition(_INVERSE[sign]))
