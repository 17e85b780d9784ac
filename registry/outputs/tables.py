"""The tables that go out. A *table* has columns (``columns``) and, of a selection, a *sheet*: what is read from
the database, as its holder may see it. Formats write sheets; they know no more of the register than this."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.db import connections, models
from django.db.models import F, Q, Value
from django.db.models.expressions import RawSQL
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Coalesce, Substr
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from registry.columns import ASSESSMENTS, COLUMNS, ENTRIES, OUTAGE_STEPS, SPAN, STATEMENTS, WORDS, Column
from registry.filters import BadFilter, Selection
from registry.models import Assessment, Edition, OutageStep, Wording
from registry.models.looks import Since
from registry.models.rows import ReportQuerySet
from registry.models.sql import Hex
from registry.rules.vocabularies import Holder

from .children import Children, of_report, statements


@dataclass(frozen=True)
class Sheet:
    """A table to write: its columns, the rows as querysets of these columns by name, each in the order of
    lines, and that order. ``beside``: columns of the sources that only order them. ``seen`` is told how many rows
    were read, as they are. ``rest`` gives the same sheet as it was when it was ``since``, below a sort key; None where
    a sheet is read in one look."""

    name: str
    columns: tuple[Column, ...]
    sources: tuple[models.QuerySet, ...]
    order: tuple[str, ...]
    beside: tuple[str, ...] = ()
    seen: Callable[[int], None] = lambda _rows: None
    rest: "Callable[[Since, int], Sheet] | None" = None

    def count(self) -> int:
        """How many rows it has, by looking at each."""
        return sum(source.order_by().count() for source in self.sources)

    @property
    def using(self) -> str:
        """The alias of the database that is read."""
        return self.sources[0].db

    @property
    def is_located(self) -> bool:
        """Whether its rows have a place: a latitude and a longitude."""
        return {"lat", "lon"} <= {column.name for column in self.columns}

    def sql(self, line: str, *, merged: bool = False) -> tuple[str, tuple]:
        """The statement that gives ``line``, an expression of the columns, for every row in order.

        ``merged``: whether the order of each source is said too, for an engine that does not see that
        sources in order need no sorting.
        """
        names = ", ".join(f'"{name}"' for name in (*(column.name for column in self.columns), *self.beside))
        sources = self.sources if merged else [source.order_by() for source in self.sources]
        # Not elided, a condition that nothing can meet stays a condition.
        parts = [source.query.get_compiler(source.db, elide_empty=False).as_sql() for source in sources]
        rows = " UNION ALL ".join(f"({sql})" if merged else sql for sql, _params in parts)
        statement = (
            f"WITH sheet({names}) AS ({rows}) SELECT {line} FROM sheet ORDER BY {', '.join(self.order)}"
        )
        return statement, tuple(param for _sql, params in parts for param in params)


_NAMES = tuple(column.name for column in COLUMNS)
#: Rows of reports as querysets that share none.
Rows = Sequence[ReportQuerySet]


def _of_rows(read: Callable[[Selection, Rows], Sheet]) -> Callable[[Selection], Sheet]:
    """A sheet made of the selection's rows, which may be read in several looks."""

    def whole(selection: Selection) -> Sheet:
        return of(selection, _walked(selection))

    def of(selection: Selection, rows: Rows) -> Sheet:
        def rest(since: Since, key: int) -> Sheet:
            return of(selection, selection.rest(since, key))

        return replace(read(selection, rows), rest=None if selection.asks_of_office else rest)

    return whole


def _walked(selection: Selection) -> Rows:
    """The selected rows as querysets that share none. PostgreSQL finds each in the order of lists by itself;
    SQLite, which counts no rows, is led along the walks that lists take."""
    if connections[selection.using].vendor == "postgresql":
        return selection.tables
    return tuple(walk.whole for walk in selection.walks)


def _place(rows: ReportQuerySet) -> Any:
    """A row's place in the order of lists; rows found by their words have it from the index of words."""
    tables = rows.query.extra_tables
    return RawSQL(f"{tables[0]}.rowid", ()) if tables else F("sort_key")


@_of_rows
def reports(selection: Selection, rows: Rows) -> Sheet:
    """The selected rows, all outgoing columns."""
    sources = tuple(some.order_by("-sort_key").values_list(*_NAMES, _place(some)) for some in rows)
    return Sheet("reports", COLUMNS, sources, ("sort_key DESC",), beside=("sort_key",))


_NEVER = Value(None, models.DateTimeField())


def versions(selection: Selection) -> Sheet:
    """Every version of the selected rows that their holder had, from edition to edition for audiences: in the
    order of lists as of each version, the earlier first."""
    current, past = selection.versions
    return _versions(selection, [current], [past])


def _versions(selection: Selection, standing: Rows, ended: Rows) -> Sheet:
    def rest(since: Since, key: int) -> Sheet:
        current, past = (rows.beyond(key) for rows in selection.versions)
        standing = [since.stood(current, selection.holder), since.left(past, selection.holder)]
        return _versions(selection, standing, [since.ended(past)])

    # SQLite merges sources in one order only if their columns are alike in having a type, or none.
    ends = [
        *((rows, _NEVER) for rows in standing),
        *((rows, Coalesce("valid_to", "valid_to")) for rows in ended),
    ]
    sources = tuple(
        rows.order_by("-sort_key", "valid_from").values_list(*_NAMES, "valid_from", end, "sort_key")
        for rows, end in ends
    )
    order = ("sort_key DESC", "valid_from_utc")
    return Sheet("versions", (*COLUMNS, *SPAN), sources, order, beside=("sort_key",), rest=rest)


@_of_rows
def assessments(selection: Selection, rows: Rows) -> Sheet:
    """The grades of the selected reports, in the order of lists and of their recording."""
    return _children(selection, rows, "assessments", ASSESSMENTS, Assessment)


@_of_rows
def outage_steps(selection: Selection, rows: Rows) -> Sheet:
    """The steps of the selected outages, in the order of lists and of their recording."""
    return _children(selection, rows, "outage_steps", OUTAGE_STEPS, OutageStep)


def _children(selection: Selection, rows: Rows, name: str, columns: tuple[Column, ...], table: Any) -> Sheet:
    children = Children(table, selection.holder, selection.as_of, selection.using)
    sources = []
    for some in rows:
        key = F(f"{children.path(some)}__pk")
        values = (*children.values(columns, some), _place(some), key)
        sources.append(children.of(some).order_by("-sort_key", key).values_list(*values))
    return Sheet(name, columns, tuple(sources), ("sort_key DESC", "line"), beside=("sort_key", "line"))


def said(selection: Selection) -> Sheet:
    """All statements; of a selection that leaves something out, those about incidents of its reports."""
    found = statements(selection.holder, selection.as_of, using=selection.using)
    if selection.params.keys() - {"view", "as_of"}:
        of_these = Q(pk__in=())
        for rows in selection.tables:
            named = rows.order_by().filled("incident").values("incident")
            # By itself: inside another query, what finds words would not know its table.
            sql = named.query.get_compiler(named.db, elide_empty=False).as_sql()
            of_these |= Q(incident__reference__in=RawSQL(*sql))
        found = found.filter(of_these)
    source = found.order_by("-said_at", "pk").values_list(
        "incident__reference", "type", Coalesce("area__code", Value("")), "text", "said_by", "said_at",
        "certainty", "figure", "figure_unit", "url", "pk",
    )  # fmt: skip
    return Sheet("statements", STATEMENTS, (source,), ("said_utc DESC", "line"), beside=("line",))


@_of_rows
def entries(selection: Selection, rows: Rows) -> Sheet:
    """The timelines of the selected reports in the order of lists, with the words of their entries: for the
    office alone."""
    sources = []
    for some in rows:
        path = of_report(some, "entries")
        words = [KeyTextTransform(word, f"{path}__wording__texts") for word in WORDS]
        values: tuple[Any, ...] = (
            f"{path}__number", f"{path}__kind", f"{path}__move", f"{path}__from_status", f"{path}__to_status",
            f"{path}__happened_at", f"{path}__recorded_at", f"{path}__role", f"{path}__by__name",
            *(Substr(text, Wording.SALT + 1) for text in words), f"{path}__body", Hex(f"{path}__digest"),
        )  # fmt: skip
        # Each has an entry, which spares the database a join for those without.
        told = some.filter(**{f"{path}__number__gt": 0}).order_by("-sort_key", f"{path}__number")
        sources.append(told.values_list("reference", *values, _place(some)))
    return Sheet("entries", ENTRIES, tuple(sources), ("sort_key DESC", "number"), beside=("sort_key",))


@dataclass(frozen=True)
class Table:
    """One table that goes out. ``key``: the columns that tell its rows apart, if any do. ``timeless``: it holds
    all moments, so none can be asked for. ``office``: it is for staff alone."""

    name: str
    label: str | Promise
    columns: tuple[Column, ...]
    read: Callable[[Selection], Sheet]
    key: tuple[str, ...] = ()
    timeless: bool = False
    office: bool = False

    def is_for(self, selection: Selection) -> bool:
        """Whether it can answer this selection."""
        return not (self.timeless and selection.as_of) and (
            selection.holder == Holder.OFFICE or not self.office
        )

    def sheet(self, selection: Selection) -> Sheet:
        """What of it a selection gives; raises BadFilter where the table cannot answer it."""
        if self.timeless and selection.as_of:
            raise BadFilter("as_of", _("This file holds all moments."))
        if self.office and selection.holder != Holder.OFFICE:
            raise BadFilter("view", _("The timeline is the office's alone."))
        return self.read(selection)

    def file_name(self, selection: Selection, ending: str) -> str:
        """``damage-reports-public-2026-03-10.csv``: what, whose, as of which day."""
        edition = edition_of(selection)
        moment = selection.as_of or (edition and edition.at) or timezone.now()
        return f"damage-{self.name}-{selection.holder}-{moment.date()}.{ending}"


def edition_of(selection: Selection) -> Edition | None:
    """The edition that an audience's rows are of; None for the office, and before the first."""
    editions = Edition.objects.using(selection.using)
    if selection.holder == Holder.OFFICE:
        return None
    return (editions.filter(at__lte=selection.as_of) if selection.as_of else editions).first()


#: Every table by its name, which is in its address.
TABLES: dict[str, Table] = {
    table.name: table
    for table in (
        Table("reports", gettext_lazy("Reports"), COLUMNS, reports, ("reference",)),
        Table(
            "versions",
            gettext_lazy("Versions of reports"),
            (*COLUMNS, *SPAN),
            versions,
            ("reference", "valid_from_utc"),
            timeless=True,
        ),
        Table("assessments", gettext_lazy("Assessments"), ASSESSMENTS, assessments),
        Table("outage_steps", gettext_lazy("Steps of outages"), OUTAGE_STEPS, outage_steps),
        Table("statements", gettext_lazy("Statements"), STATEMENTS, said),
        Table(
            "entries",
            gettext_lazy("Timelines"),
            ENTRIES,
            entries,
            ("reference", "number"),
            timeless=True,
            office=True,
        ),
    )
}
