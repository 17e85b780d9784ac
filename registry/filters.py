"""Which reports: every filter once, for list, map, figures, API and exports alike.

``select`` is the one way from a person and a query string to rows. A parameter that is unknown or says
nothing sensible raises ``BadFilter`` and never means "all rows"; empty values are no filter. Outsiders
filter on released values alone: they are given other tables, and the office's columns have no filter there.
"""

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from heapq import merge
from itertools import islice
from typing import Any
from urllib.parse import urlencode

import django_filters
from django import forms
from django.core.exceptions import ValidationError
from django.db import connections, models
from django.db.models import F, Func, Q, Value
from django.db.models.functions import Concat
from django.http import QueryDict
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from . import geo
from .models import CURRENT, Area, Edition, PastReport, Report, ReportRow
from .models import words
from .models.identity import read_reference
from .models.rows import ReportQuerySet
from .rules import access
from .rules.vocabularies import Holder, Kind, Role

#: Columns searched by ``text``: those an audience is given, and what only the office has beside them.
TEXT_COLUMNS = ("summary", "settlement", "object_name", "address")
OFFICE_TEXT_COLUMNS = (*TEXT_COLUMNS, "description", "place_typed")

Rows = ReportQuerySet


class BadFilter(Exception):
    """A parameter that is unknown or not understood: ``param`` names it, ``message`` says why."""

    def __init__(self, param: str, message: Any) -> None:
        super().__init__(f"{param}: {message}")
        self.param, self.message = param, message


# -- what a value may be ---------------------------------------------------------------------------------


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


def read_moment(typed: str, *, at: time) -> datetime:
    """The moment typed, or ``at`` on the day typed; ValidationError if it is neither."""
    try:
        day, moment = parse_date(typed), parse_datetime(typed)
    except ValueError:
        day = moment = None
    if day:
        return datetime.combine(day, at, UTC)
    if moment is None:
        raise ValidationError(_("Not a day (2026-03-31) or moment (2026-03-31T10:00:00Z)."))
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


# -- filters ---------------------------------------------------------------------------------------------


class Filter(django_filters.Filter):
    """A filter that can say its value in words: ``say`` is a phrase with one place, or makes the words."""

    def __init__(
        self,
        *args: Any,
        field: type[forms.Field] = forms.CharField,
        say: Any = "%s",
        office: bool = False,
        **kwargs: Any,
    ) -> None:
        self.field_class, self.say, self.office = field, say, office
        super().__init__(*args, **kwargs)

    def words(self, value: Any) -> str:
        if callable(self.say):
            return str(self.say(value))
        return str(self.say) % (date_format(value) if isinstance(value, date) else value)


class Codes(Filter):
    """Any of some codes of a column."""

    def __init__(self, column: str, *, folded: bool = False, **kwargs: Any) -> None:
        field: Any = Report._meta.get_field(column)
        kwargs.setdefault("label", field.verbose_name)
        kwargs.setdefault("choices", field.choices)
        kwargs.setdefault("widget", forms.SelectMultiple if folded else forms.CheckboxSelectMultiple)
        super().__init__(column, field=forms.MultipleChoiceField, **kwargs)

    def filter(self, rows: Rows, value: list[str]) -> Rows:
        return rows.filter(**{f"{self.field_name}__in": value}) if value else rows

    def words(self, value: list[str]) -> str:
        labels = dict(self.extra["choices"])
        return _(" or ").join(str(labels[code]) for code in value)


class Flag(Filter):
    """Something asked for or not: its only value is 1."""

    def __init__(self, label: Any, method: Callable, **kwargs: Any) -> None:
        super().__init__(
            field=forms.MultipleChoiceField,
            label=label,
            method=method,
            choices=[("1", label)],
            widget=forms.CheckboxSelectMultiple,
            say=lambda _value: label,
            **kwargs,
        )


class Day(Filter):
    """A day. ``condition`` makes the condition on rows of it."""

    def __init__(self, label: Any, say: Any, condition: Callable[[date], Q]) -> None:
        super().__init__(
            field=forms.DateField,
            label=label,
            say=say,
            method=lambda rows, _name, day: rows.filter(condition(day)),
            input_formats=["%Y-%m-%d"],
            widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        )


def _in_area(rows: Rows, _name: str, area: Area) -> Rows:
    return rows.in_area(area.level, area.code)


def _containing(rows: Rows, _name: str, typed: str) -> Rows:
    """The row of the reference typed, else rows that hold every word typed in some column of text."""
    reference = read_reference(typed)
    if reference and rows.filter(reference=reference).exists():
        return rows.filter(reference=reference)
    return words.holding(rows, typed, walked=False)


#: Boxes up to this radius are found by ranges of cells, larger ones by walking the rows in order.
_SMALL_BOX_M = 300_000


def _within_box(rows: Rows, _name: str, box: tuple[float, float, float, float]) -> Rows:
    west, south, east, north = box
    inside = Q(lat__gte=south, lat__lte=north)
    if west > east:
        return rows.filter(inside, Q(lon__gte=west) | Q(lon__lte=east))
    inside &= Q(lon__gte=west, lon__lte=east)
    lat, lon = (south + north) / 2, (west + east) / 2
    radius = max(geo.distance_m(lat, lon, corner, west) for corner in (south, north))
    if radius <= _SMALL_BOX_M:
        near = Q()
        for first, last in geo.covering_ranges(lat, lon, radius):
            near |= Q(cell__gte=first, cell__lt=last)
        inside &= near
    return rows.filter(inside)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _say_box(box: tuple[float, float, float, float]) -> str:
    return _("in the box %s") % ", ".join(f"{degrees:g}" for degrees in box)


class ReportFilter(django_filters.FilterSet):
    """Every filter of reports, in the order in which they are shown and said: one entry for one filter."""

    kind = Codes("kind")
    type = Codes("object_type", folded=True)
    sector = Codes("sector", folded=True)
    area = Filter(
        field=forms.ModelChoiceField,
        label=gettext_lazy("area and below"),
        queryset=Area.objects.using("reader"),
        to_field_name="code",
        method=_in_area,
        say=gettext_lazy("in %s"),
    )
    bbox = Filter(
        field=BoxField,
        label=gettext_lazy("part of the map"),
        method=_within_box,
        say=_say_box,
        widget=forms.HiddenInput,
    )
    status = Codes("status")
    level = Codes("damage_level")
    outcome = Codes("outcome", folded=True)
    cause_group = Codes("cause_group", folded=True)
    cause = Codes("cause", folded=True)
    # The damage may have happened on these days: a row "before" a day has no first one.
    vars()["from"] = Day(
        gettext_lazy("damaged since"), gettext_lazy("since %s"), lambda day: Q(occurred_to__gte=day)
    )
    to = Day(
        gettext_lazy("damaged until"),
        gettext_lazy("until %s"),
        lambda day: Q(occurred_from__lte=day) | Q(occurred_from=None),
    )
    logged_from = Day(
        gettext_lazy("logged since"),
        gettext_lazy("logged since %s"),
        lambda day: Q(logged_utc__gte=_midnight(day)),
    )
    logged_to = Day(
        gettext_lazy("logged until"),
        gettext_lazy("logged until %s"),
        lambda day: Q(logged_utc__lt=_midnight(day + timedelta(days=1))),
    )
    verified_from = Day(
        gettext_lazy("verified since"),
        gettext_lazy("verified since %s"),
        lambda day: Q(verified_on__gte=day),
    )
    verified_to = Day(
        gettext_lazy("verified until"),
        gettext_lazy("verified until %s"),
        lambda day: Q(verified_on__lte=day),
    )
    updated_since = Filter(
        "updated_utc",
        field=MomentField,
        lookup_expr="gte",
        label=gettext_lazy("changed since"),
        say=gettext_lazy("changed since %s"),
    )
    incident = Filter(
        "incident", field=ReferenceField, label=gettext_lazy("incident"), say=gettext_lazy("of incident %s")
    )
    asset = Filter(
        "asset", field=ReferenceField, label=gettext_lazy("asset"), say=gettext_lazy("of asset %s")
    )
    text = Filter(
        label=gettext_lazy("reference or words"),
        method=_containing,
        max_length=200,
        say=gettext_lazy("with “%s”"),
    )
    assignee = Filter(
        label=gettext_lazy("assigned to"),
        office=True,
        field=forms.RegexField,
        regex=r"^(me|\d{1,18})$",
        method="of_assignee",
        widget=forms.HiddenInput,
        say=lambda value: _("assigned to me") if value == "me" else _("assigned to person %s") % value,
    )
    danger = Flag(
        gettext_lazy("danger now"), lambda rows, _name, _value: rows.exclude(danger=""), office=True
    )
    withdrawn = Flag(
        gettext_lazy("withdrawn"), lambda rows, _name, _value: rows.exclude(withdrawn=""), office=True
    )
    set_aside = Flag(gettext_lazy("rejected and duplicate ones too"), lambda rows, _name, _value: rows)

    def __init__(self, data: QueryDict, rows: Rows, *, person: Any, holder: str) -> None:
        super().__init__(data, rows)
        self.person = person
        if holder != Holder.OFFICE:
            for name in [name for name, one in self.filters.items() if one.office]:
                del self.filters[name]
        elif person is not None and person.role != Role.SUPERVISOR:
            del self.filters["withdrawn"]

    def of_assignee(self, rows: Rows, _name: str, value: str) -> Rows:
        return rows.filter(assignee_id=self.person.pk if value == "me" else int(value))


# -- selecting -------------------------------------------------------------------------------------------


class RowCompare(Func):
    """``(a, b) < (x, y)``: a row value, which both databases answer from one place of an index."""

    output_field = models.BooleanField()
    conditional = True

    def as_sql(self, compiler, connection, *, operator: str = "<", **_ignored):  # type: ignore[override]
        parts = [compiler.compile(expression) for expression in self.source_expressions]
        left, right = ", ".join(sql for sql, _p in parts[:2]), ", ".join(sql for sql, _p in parts[2:])
        return f"({left}) {self.extra.get('operator', operator)} ({right})", [
            p for _s, ps in parts for p in ps
        ]


@dataclass(frozen=True)
class Page:
    """Some rows in order, and the tokens of the pages after and before them (None where there is none)."""

    rows: list[ReportRow]
    after: str | None
    before: str | None


@dataclass(frozen=True)
class Selection:
    """The rows a person asked for, as one holder has them; see ``select``.

    ``params`` are the filters asked for (name → values), ``values`` what they mean.
    """

    holder: str
    person: Any
    filterset: ReportFilter
    params: dict[str, list[str]]
    as_of: datetime | None
    using: str

    # rows

    @cached_property
    def tables(self) -> tuple[Rows, ...]:
        """The rows as unordered querysets that share no row: the current ones and, as of a moment in the
        past, beside those that have stood since then, the past ones that held at it."""
        current = self._filtered(CURRENT[self.holder]._default_manager)
        if self.as_of is None:
            return (current,)
        past = self._filtered(PastReport._default_manager)
        return (
            current.filter(valid_from__lte=self.as_of),
            past.filter(valid_from__lte=self.as_of, valid_to__gt=self.as_of),
        )

    @property
    def rows(self) -> Rows:
        """The current rows in the order of lists. As of a moment there are two tables: use ``page``."""
        (current,) = self.tables
        return current.in_order()

    @property
    def versions(self) -> tuple[Rows, Rows]:
        """Every version that fits the filter: the current rows and all past ones of this holder."""
        return (
            self._filtered(CURRENT[self.holder]._default_manager),
            self._filtered(PastReport._default_manager),
        )

    def _filtered(self, manager: Any) -> Rows:
        rows = manager.using(self.using)
        past = rows.model is PastReport
        if past:
            rows = rows.filter(holder=self.holder)
        if self.holder == Holder.OFFICE:
            if self.person is not None:
                rows = rows.within(self.person.scope)
            if "withdrawn" not in self.params:
                rows = rows.filter(**{"report__withdrawn" if past else "withdrawn": ""})
            if not {"set_aside", "status"} & self.params.keys():
                rows = rows.live()
        return self.filterset.filter_queryset(rows)

    def page(self, *, after: str | None = None, before: str | None = None, size: int = 50) -> Page:
        """``size`` rows in the order of lists: the first ones, or those after or before a page's token."""
        name, token = ("before", before) if before else ("after", after)
        back = name == "before"
        tables = [table.reverse() if back else table for table in (t.in_order() for t in self.tables)]
        if token:
            day, reference = _read_token(name, token)
            place = [F("occurred_to"), F("reference"), Value(day, models.DateField()), Value(reference)]
            tables = [t.filter(RowCompare(*place, operator=">" if back else "<")) for t in tables]
        slices = [table[: size + 1] for table in tables]
        found = list(islice(merge(*slices, key=_place, reverse=not back), size + 1))
        more, found = len(found) > size, found[:size]
        if back:
            found.reverse()
        return Page(
            found,
            after=_token(found[-1]) if found and (more or back) else None,
            before=_token(found[0]) if found and (token and (more or not back)) else None,
        )

    def count_up_to(self, limit: int) -> int:
        """How many rows there are, counting to ``limit`` + 1 at most: more than ``limit`` says "more"."""
        return min(limit + 1, sum(table.order_by()[: limit + 1].count() for table in self.tables))

    # words

    @property
    def values(self) -> dict[str, Any]:
        """What each filter asked for means: codes, dates, an ``Area`` …"""
        return {
            name: self.filterset.form.cleaned_data[name]
            for name in self.filterset.filters
            if name in self.params
        }

    @property
    def parts(self) -> list[tuple[str, str]]:
        """Each filter in words, with the query string of the selection without it."""
        said = [
            (self.filterset.filters[name].words(value), self.query_without(name))
            for name, value in self.values.items()
        ]
        if self.as_of:
            moment = date_format(timezone.localtime(self.as_of), "DATETIME_FORMAT")
            said.append((_("as of %s") % moment, self.query_without("as_of")))
        return said

    @property
    def lead(self) -> str:
        """What the selection holds, in words: the beginning of its sentence."""
        kinds = self.params.get("kind", [])
        leads: dict[str, str] = {
            Kind.BUILDING: _("Damage to buildings"),
            Kind.NETWORK: _("Damage to networks"),
            Kind.OUTAGE: _("Losses of supply and closures"),
        }
        return leads.get(kinds[0] if len(kinds) == 1 else "", _("Damage and losses of supply"))

    @property
    def sentence(self) -> str:
        """The whole filter in words: "Damage to buildings: School, in Kharkiv, Verified, since 1 March"."""
        words = [word for word, _query in self.parts]
        if len(self.params.get("kind", [])) == 1:
            words.remove(self.filterset.filters["kind"].words(self.values["kind"]))
        return f"{self.lead}: {', '.join(words)}" if words else self.lead

    @property
    def leaves_out(self) -> bool:
        """Whether rejected and duplicate reports are left out, which pages and files say."""
        return self.holder == Holder.OFFICE and not {"set_aside", "status"} & self.params.keys()

    @property
    def query(self) -> str:
        """The selection as a query string: the same selection always gives the same one."""
        return self.query_without()

    def query_without(self, *names: str) -> str:
        return urlencode(
            [(name, value) for name, values in self.params.items() if name not in names for value in values]
        )

    @cached_property
    def form(self) -> forms.Form:
        """The bound form of the filters, offering what this holder's rows hold and what was asked for."""
        form = self.filterset.form
        if self.holder != Holder.OFFICE:
            for name in ("kind", "type", "status"):
                there = _present(CURRENT[self.holder], self.filterset.filters[name].field_name, self.using)
                there.update(self.params.get(name, ()))
                widget = form.fields[name].widget
                widget.choices = [choice for choice in widget.choices if choice[0] in there]
        form.fields["area"].widget.choices = [("", _("everywhere")), *self._area_choices()]
        return form

    def _area_choices(self) -> list[tuple[str, str]]:
        """Regions that hold rows and, for the office, lie within the person's areas, and these areas."""
        codes = _present(CURRENT[self.holder], "adm1_code", self.using)
        condition = Q(code__in=codes)
        if self.holder == Holder.OFFICE and self.person is not None:
            own = {code for codes in self.person.scope.areas.values() for code in codes}
            condition = Q(code__in=own) | condition & Q(parent__code__in=own)
        condition |= Q(code__in=self.params.get("area", ()))
        areas = Area.objects.using(self.using).filter(condition)[:500]
        return sorted(((area.code, str(area)) for area in areas), key=lambda choice: choice[1])


def select(
    person: Any,
    params: Mapping[str, Any] | QueryDict,
    *,
    holder: str | None = None,
    as_of: str | None = None,
    using: str = "reader",
    beside: Collection[str] = (),
) -> Selection:
    """The rows that a person (None: a command of the installation) asks for.

    Staff are given the office's rows of their own areas or, with ``view=published``, the researchers';
    researchers theirs, everybody else the public's; ``holder`` is for commands. ``as_of`` (also a parameter)
    is a moment or day for the office, and names an edition for outsiders. ``beside`` names parameters that
    are the door's own. Raises BadFilter for any parameter that is unknown or not understood.
    """
    given = _given(params)
    for name in beside:
        given.pop(name, None)
    if as_of:
        given["as_of"] = [as_of]
    view, moment = _single(given, "view"), _single(given, "as_of")
    if view and (view != "published" or not access.is_staff(person)):
        raise BadFilter("view", _("Staff may choose “published”."))
    holder = holder or holder_for(person, view)
    data = QueryDict(mutable=True)
    for name, values in given.items():
        if name not in ("view", "as_of"):
            data.setlist(name, values)
    filterset = ReportFilter(data, CURRENT[holder]._default_manager.none(), person=person, holder=holder)
    _check(filterset, data)
    at = _as_of(moment, holder, using) if moment else None
    if at and (office := [name for name in data if filterset.filters[name].office]):
        raise BadFilter(office[0], _("The past does not hold this: it cannot stand beside “as_of”."))
    order = [*filterset.filters, "view", "as_of"]
    ordered = {name: given[name] for name in order if name in given}
    return Selection(holder, person, filterset, ordered, at, using)


def holder_for(person: Any, view: str = "") -> str:
    """Whose rows somebody is given."""
    if access.is_staff(person):
        return Holder.RESEARCHER if view == "published" else Holder.OFFICE
    return Holder.RESEARCHER if Role.RESEARCHER in access.acts_as(person) else Holder.PUBLIC


def _given(params: Mapping[str, Any] | QueryDict) -> dict[str, list[str]]:
    """The parameters that say something: name → its different values, sorted."""
    lists = params.lists() if isinstance(params, QueryDict) else ((n, [v]) for n, v in params.items())
    given = {name: sorted({str(value).strip() for value in values} - {""}) for name, values in lists}
    return {name: values for name, values in given.items() if values}


def _single(given: Mapping[str, list[str]], name: str) -> str:
    values = given.get(name, [""])
    if len(values) > 1:
        raise BadFilter(name, _("Given twice with different values."))
    return values[0]


def _check(filterset: ReportFilter, data: QueryDict) -> None:
    """Raise BadFilter for the first parameter that is unknown, repeated or not understood."""
    for name in data:
        if name not in filterset.filters:
            raise BadFilter(name, _("There is no such filter."))
        if any("\x00" in value for value in data.getlist(name)):
            raise BadFilter(name, _("Null characters are not allowed."))
        if not isinstance(filterset.filters[name].field, forms.MultipleChoiceField):
            _single({name: data.getlist(name)}, name)
    for name, errors in filterset.form.errors.items():
        raise BadFilter(name, errors[0])
    if data.get("assignee") == "me" and filterset.person is None:
        raise BadFilter("assignee", _("Nobody is signed in."))


def _as_of(typed: str, holder: str, using: str) -> datetime:
    """The moment meant; for outsiders that of the edition named by its moment, or the last one of a day."""
    try:
        moment = read_moment(typed.replace(" ", "+"), at=time(23, 59, 59))
    except ValidationError as error:
        raise BadFilter("as_of", error.message) from None
    if holder == Holder.OFFICE:
        return moment
    editions = Edition.objects.using(using)
    if parse_date(typed):
        found = editions.filter(at__gte=moment - timedelta(days=1), at__lte=moment).first()
    else:
        found = editions.filter(at=moment).first()
    if found:
        return found.at
    newest, oldest = editions.first(), editions.last()
    if not newest or not oldest:
        raise BadFilter("as_of", _("There is no edition yet."))
    near = editions.filter(at__lte=moment).first() or oldest
    raise BadFilter(
        "as_of",
        _("There is no such edition: the first is %(first)s, the last %(last)s, the nearest %(near)s.")
        % {"first": oldest.at.date(), "last": newest.at.date(), "near": near.at.date()},
    )


def _place(row: ReportRow) -> tuple[date, str]:
    return row.occurred_to, row.reference


def _token(row: ReportRow) -> str:
    return f"{row.occurred_to:%Y-%m-%d}.{row.reference}"


def _read_token(name: str, token: str) -> tuple[date, str]:
    day, _dot, typed = token.partition(".")
    reference = read_reference(typed)
    try:
        if reference:
            return date.fromisoformat(day), reference
    except ValueError:
        pass
    raise BadFilter(name, _("This is no page of the list."))


def _present(table: type[ReportRow], column: str, using: str) -> set[str]:
    """The codes that occur in an indexed column: one look into the index a code, not a scan."""
    connection = connections[using]
    name, source = (connection.ops.quote_name(n) for n in (column, table._meta.db_table))
    with connection.cursor() as cursor:
        cursor.execute(
            f"WITH RECURSIVE present(code) AS (SELECT min({name}) FROM {source} UNION ALL"
            f" SELECT (SELECT min({name}) FROM {source} WHERE {name} > present.code)"
            " FROM present WHERE present.code IS NOT NULL)"
            " SELECT code FROM present WHERE code IS NOT NULL LIMIT 1000"
        )
        return {code for (code,) in cursor.fetchall() if code}
