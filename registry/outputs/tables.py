"""The tables that go out. A *table* has columns (``columns``) and, of a selection, a *sheet*: what is read from
the database, as its holder may see it. Formats write sheets; they know no more of the register than this."""

from collections.abc import Callable
from dataclasses import dataclass
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
from registry.models import Assessment, Edition, OutageStep, PastReport, Wording
from registry.models.rows import ReportQuerySet
from registry.models.sql import Hex
from registry.rules.vocabularies import Holder

from .children import Children, statements


@dataclass(frozen=True)
class Sheet:
    """A table to write: its columns, the rows as querysets of these columns by name, each in the order of
    lines, and that order. ``beside``: columns of the sources that only order them. ``seen`` is told how many rows
    were read, as they are."""

    name: str
    columns: tuple[Column, ...]
    sources: tuple[models.QuerySet, ...]
    order: tuple[str, ...]
    beside: tuple[str, ...] = ()
    seen: Callable[[int], None] = lambda _rows: None

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


def _walked(selection: Selection) -> tuple[ReportQuerySet, ...]:
    """The selected rows as querysets that share none. PostgreSQL finds each in the order of lists by itself;
    SQLite, which counts no rows, is led along the walks that lists take."""
    if connections[selection.using].vendor == "postgresql":
        return selection.tables
    return tuple(walk.whole for walk in selection.walks)


def _place(rows: ReportQuerySet) -> Any:
    """A row's place in the order of lists; rows found by their words have it from the index of words."""
    tables = rows.query.extra_tables
    return RawSQL(f"{tables[0]}.rowid", ()) if tables else F("sort_key")


def reports(selection: Selection) -> Sheet:
    """The selected rows, all outgoing columns."""
    sources = tuple(
        rows.order_by("-sort_key").values_list(*_NAMES, _place(rows)) for rows in _walked(selection)
    )
    return Sheet("reports", COLUMNS, sources, ("sort_key DESC",), beside=("sort_key",))


_NEVER = Value(None, models.DateTimeField())


def versions(selection: Selection) -> Sheet:
    """Every version of the selected rows that their holder had, from edition to edition for audiences: in the
    order of lists as of each version, the earlier first."""
    sources = tuple(
        rows.order_by("-sort_key", "valid_from").values_list(
            *_NAMES,
            "valid_from",
            # SQLite merges sources in one order only if their columns are alike in having a type, or none.
            Coalesce("valid_to", "valid_to") if rows.model is PastReport else _NEVER,
            "sort_key",
        )
        for rows in selection.versions
    )
    order = ("sort_key DESC", "valid_from_utc")
    return Sheet("versions", (*COLUMNS, *SPAN), sources, order, beside=("sort_key",))


def assessments(selection: Selection) -> Sheet:
    """The grades of the selected reports, in the order of lists and of their recording."""
    return _children(selection, "assessments", ASSESSMENTS, Assessment)


def outage_steps(selection: Selection) -> Sheet:
    """The steps of the selected outages, in the order of lists and of their recording."""
    return _children(selection, "outage_steps", OUTAGE_STEPS, OutageStep)


def _children(selection: Selection, name: str, columns: tuple[Column, ...], table: Any) -> Sheet:
    children = Children(table, selection.holder, selection.as_of, selection.using)
    sources = []
    for rows in _walked(selection):
        key = F(f"{children.path(rows)}__pk")
        values = (*children.values(columns, rows), _place(rows), key)
        sources.append(children.of(rows).order_by("-sort_key", key).values_list(*values))
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


def entries(selection: Selection) -> Sheet:
    """The timelines of the selected reports in the order of lists, with the words of their entries: for the
    office alone."""
    words = [Substr(KeyTextTransform(word, "entries__wording__texts"), Wording.SALT + 1) for word in WORDS]
    sources = tuple(
        # Each has an entry, which spares the database a join for those without.
        rows.filter(entries__number__gt=0)
        .order_by("-sort_key", "entries__number")
        .values_list(
            "reference", "entries__number", "entries__kind", "entries__move", "entries__from_status",
            "entries__to_status", "entries__happened_at", "entries__recorded_at", "entries__role",
            "entries__by__name", *words, "entries__body", Hex("entries__digest"), _place(rows),
        )
        for rows in _walked(selection)
    )  # fmt: skip
    return Sheet("entries", ENTRIES, sources, ("sort_key DESC", "number"), beside=("sort_key",))


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
