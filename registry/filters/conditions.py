"""Every filter of reports: one entry of ``ReportFilter`` for one filter."""

from collections.abc import Callable, Collection, Iterable, Mapping
from copy import copy
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property, reduce
from operator import or_
from typing import Any

import django_filters
from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db.models import Q
from django.http import QueryDict
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from registry import geo
from registry.models import Area, PastReport, Report, ReportRow, words
from registry.models.identity import read_reference
from registry.models.rows import ReportQuerySet as Rows
from registry.models.sql import first_key
from registry.rules import access
from registry.rules.vocabularies import Holder, Role

from .values import YEARS, BoxField, MomentField, ReferenceField
from .walking import FEW, WORDS, Asked, Values, begun_by, highest, lowest, tried

Table = type[ReportRow]
Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Also:
    """What a door asks for in a language of its own, beside the filters: a ``condition`` on outgoing columns.

    Of its parts that every row meets: the ``values`` of columns, what keeps ``few`` (see ``Asked``), and the
    sort keys between which the rows lie, so that lists find them as they find those of filters.
    """

    condition: Q
    values: Values = field(default_factory=dict)
    few: Mapping[str, Q] = field(default_factory=dict)
    low: int | None = None
    high: int | None = None

    def __and__(self, other: "Also") -> "Also":
        return Also(
            self.condition & other.condition,
            {**other.values, **self.values},
            {name: self.few.get(name, Q()) & other.few.get(name, Q()) for name in {**self.few, **other.few}},
            highest(self.low, other.low),
            lowest(self.high, other.high),
        )


class Filter(django_filters.Filter):
    """A filter that can say its value in words: ``say`` is a phrase with one place, or makes the words.

    ``few`` makes, of a value, the condition by which the index of ``column`` finds the rows, in another order
    than lists have.
    """

    def __init__(
        self,
        *args: Any,
        field: type[forms.Field] = forms.CharField,
        say: Any = "%s",
        office: bool = False,
        few: Callable[[Any], Q | None] = lambda value: None,
        column: str = "",
        **kwargs: Any,
    ) -> None:
        self.field_class, self.say, self.office = field, say, office
        self.few, self.column = few, column
        super().__init__(*args, **kwargs)

    def __deepcopy__(self, memo: Any) -> "Filter":
        """A filter for one request, with the field of all: forms copy their fields themselves."""
        made = copy(self)
        made._field = self.field
        # A method is looked up in the set that the copy belongs to.
        made.method = self.method
        return made

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
    """A day. ``condition`` makes the condition on rows of it, which the index of ``column`` answers."""

    def __init__(self, label: Any, say: Any, condition: Callable[[date], Q], *, column: str = "") -> None:
        super().__init__(
            field=forms.DateField,
            label=label,
            say=say,
            method=lambda rows, _name, day: rows.filter(condition(day)),
            few=condition if column else lambda day: None,
            column=column,
            input_formats=["%Y-%m-%d"],
            validators=[
                MinValueValidator(date(YEARS.start, 1, 1)),
                MaxValueValidator(date(YEARS.stop, 1, 1)),
            ],
            widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        )


def _in_area(rows: Rows, _name: str, area: Area) -> Rows:
    return rows.in_area(area.level, area.code)


#: Boxes up to this radius are found by ranges of cells, larger ones by walking the rows in order.
_SMALL_BOX_M = 300_000


def inside(box: Box) -> Q:
    """The rows whose place lies in a box, of degrees as ``BoxField`` gives them."""
    west, south, east, north = box
    between = Q(lat__gte=south, lat__lte=north)
    if west > east:
        return between & (Q(lon__gte=west) | Q(lon__lte=east))
    return between & Q(lon__gte=west, lon__lte=east) & (near(box) or Q())


def near(box: Box) -> Q | None:
    """The ranges of cells that hold a small box."""
    west, south, east, north = box
    lat, lon = (south + north) / 2, (west + east) / 2
    radius = max(geo.distance_m(lat, lon, corner, west) for corner in (south, north))
    if west > east or radius > _SMALL_BOX_M:
        return None
    ranges = (Q(cell__gte=first, cell__lt=last) for first, last in geo.covering_ranges(lat, lon, radius))
    return reduce(or_, ranges)


def _reference_of(rows: Rows) -> str:
    """The indexed column of a table's references."""
    return "report__reference" if rows.model is PastReport else "reference"


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _say_box(box: Box) -> str:
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
        # That of other choices, which names the value.
        error_messages=forms.ChoiceField.default_error_messages,
        method=_in_area,
        say=gettext_lazy("in %s"),
    )
    bbox = Filter(
        field=BoxField,
        label=gettext_lazy("part of the map"),
        method=lambda rows, _name, box: rows.filter(inside(box)),
        few=near,
        column="cell",
        say=_say_box,
        widget=forms.HiddenInput,
    )
    status = Codes("status")
    level = Codes("damage_level")
    outcome = Codes("outcome", folded=True)
    cause_group = Codes("cause_group", folded=True)
    cause = Codes("cause", folded=True)
    # The damage may have happened on these days.
    vars()["from"] = Day(
        gettext_lazy("damaged since"), gettext_lazy("since %s"), lambda day: Q(sort_key__gte=first_key(day))
    )
    to = Day(
        gettext_lazy("damaged until"),
        gettext_lazy("until %s"),
        begun_by,
    )
    logged_from = Day(
        gettext_lazy("logged since"),
        gettext_lazy("logged since %s"),
        lambda day: Q(logged_utc__gte=_midnight(day)),
        column="logged_utc",
    )
    logged_to = Day(
        gettext_lazy("logged until"),
        gettext_lazy("logged until %s"),
        lambda day: Q(logged_utc__lt=_midnight(day + timedelta(days=1))),
        column="logged_utc",
    )
    verified_from = Day(
        gettext_lazy("verified since"),
        gettext_lazy("verified since %s"),
        lambda day: Q(verified_on__gte=day),
        column="verified_on",
    )
    verified_to = Day(
        gettext_lazy("verified until"),
        gettext_lazy("verified until %s"),
        lambda day: Q(verified_on__lte=day),
        column="verified_on",
    )
    updated_since = Filter(
        "updated_utc",
        field=MomentField,
        lookup_expr="gte",
        few=lambda moment: Q(updated_utc__gte=moment),
        column="updated_utc",
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
        method="containing",
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
    batch = Filter(
        "batch_id",
        label=gettext_lazy("import"),
        office=True,
        field=forms.IntegerField,
        min_value=1,
        max_value=2**63 - 1,
        widget=forms.HiddenInput,
        say=gettext_lazy("brought in by import %s"),
    )
    danger = Flag(gettext_lazy("danger now"), lambda rows, _name, _value: rows.filled("danger"), office=True)
    withdrawn = Flag(
        gettext_lazy("withdrawn"), lambda rows, _name, _value: rows.filled("withdrawn"), office=True
    )
    set_aside = Flag(gettext_lazy("rejected and duplicate ones too"), lambda rows, _name, _value: rows)

    def __init__(
        self, data: QueryDict, rows: Rows, *, person: Any, holder: str, also: Also | None = None
    ) -> None:
        self.person, self.holder, self.also = person, holder, also
        self._asked: dict[tuple[Table, str], Asked] = {}
        # Of all filters there are, a set makes its own of those that are asked for.
        self.base_filters = {name: one for name, one in self.offered.items() if name in data}
        super().__init__(data, rows)

    @property
    def offered(self) -> dict[str, Filter]:
        """The filters that this person has on this holder's rows."""
        office = self.holder == Holder.OFFICE
        withdrawn = self.person is None or getattr(self.person, "role", None) == Role.SUPERVISOR
        return {
            name: one
            for name, one in EVERY_FILTER.items()
            if (office or not one.office) and (withdrawn or name != "withdrawn")
        }

    @cached_property
    def form(self) -> forms.Form:
        """The bound form of what is asked for."""
        form = forms.Form(self.data)
        form.fields = {name: one.field for name, one in self.filters.items()}
        return form

    def filter_queryset(self, queryset: Rows, *, but: Collection[str] = ()) -> Rows:
        """The rows that fit every filter ``but`` some. Words come last: how they are looked for depends on
        what else there is."""
        if self.also is not None:
            queryset = queryset.filter(self.also.condition)
        asked = self.form.cleaned_data
        for name in sorted(asked.keys() - {*but}, key=lambda name: (name == "text", name)):
            queryset = self.filters[name].filter(queryset, asked[name])
        return queryset

    def containing(self, rows: Rows, _name: str, typed: str) -> Rows:
        """The row of the reference typed, else rows that hold every word typed in some column of text."""
        table = self.table(rows.model, rows.db)
        asked = self.asked(table)
        if "reference" in asked.values:
            return rows.filter(**{_reference_of(rows): asked.values["reference"][0]})
        if WORDS in asked.few:
            return rows.filter(asked.few[WORDS])
        narrow = asked.is_narrow(table) or asked.found(table, FEW) is not None
        return words.holding(tried(rows), typed, walked=narrow)

    def of_office(self, names: Iterable[str]) -> list[str]:
        """Those of these filters that only the office's present rows have."""
        return [name for name in names if name in self.filters and self.filters[name].office]

    def table(self, model: Table, using: str) -> Rows:
        """A table of this holder's rows, without any condition."""
        rows: Any = model._default_manager.using(using)
        return rows.filter(holder=self.holder) if model is PastReport else rows

    def asked(self, table: Rows) -> Asked:
        """What is asked for, as walks along a table see it: the rows they are given fit all but ``to`` and ``text``."""
        key = table.model, table.db
        if key not in self._asked:
            self._asked[key] = self._read(table)
        return self._asked[key]

    def _read(self, table: Rows) -> Asked:
        given = {name: value for name, value in self.form.cleaned_data.items() if value not in (None, "", [])}
        values: dict[str, list[Any]] = {}
        few: dict[str, Q] = {}
        for name, value in given.items():
            one = self.filters[name]
            if isinstance(one, Codes):
                values[one.field_name] = value
            elif name == "area":
                values[access.AREA_FIELDS[value.level]] = [value.code]
            elif name in ("incident", "asset"):
                values[name] = [value]
            elif name == "assignee":
                values["assignee_id"] = [self.person.pk if value == "me" else int(value)]
            elif name == "batch":
                values["batch_id"] = [value]
            elif name in ("danger", "withdrawn"):
                values[name] = [None]
            elif (condition := one.few(value)) is not None:
                few[one.column] = few.get(one.column, Q()) & condition
        scope = self.person.scope.areas if self.holder == Holder.OFFICE and self.person else {}
        area = given.get("area")
        if len(scope) == 1 and (area is None or area.level < min(scope)):
            ((level, codes),) = scope.items()
            if area is not None:
                del values[access.AREA_FIELDS[area.level]]
            values[access.AREA_FIELDS[level]] = sorted(codes)
        reference = read_reference(given.get("text", ""))
        if reference and table.filter(**{_reference_of(table): reference}).exists():
            values["reference"] = [reference]
        if self.also is not None:
            values = {name: list(some) for name, some in self.also.values.items()} | values
            few |= {column: few.get(column, Q()) & condition for column, condition in self.also.few.items()}
        text, expected = "" if "reference" in values else given.get("text", ""), 0.0
        condition = words.gathered(table, text)
        if condition is not None and table.model in words.TABLES:
            few[WORDS], expected = condition, words.expected(table, condition)
        first = given.get("from")
        low, high = (self.also.low, self.also.high) if self.also is not None else (None, None)
        low = highest(low, first_key(first) - 1 if first else None)
        return Asked(values, few, low, high, given.get("to"), text, expected)

    def of_assignee(self, rows: Rows, _name: str, value: str) -> Rows:
        return rows.filter(assignee_id=self.person.pk if value == "me" else int(value))


#: The filters of everybody, by their parameters.
EVERY_FILTER: dict[str, Filter] = dict(ReportFilter.base_filters)  # type: ignore[misc]
