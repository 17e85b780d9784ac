"""What hangs on reports, as their holder sees it: the one rule for pages and files.

A line stands from when it was recorded until a later one voided it. The office sees what stands now, or stood at
a moment. An audience sees, of its own rows, what stood at its edition; where it is told of months, at the last
edition of a month's end. Only columns of groups that the row itself shows leave (``columns``), days and moments
as precisely as the row's; steps of an outage only where policy shows steps and no figure is too small.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Case, Exists, Expression, F, OuterRef, Q, QuerySet, When

from registry.columns import Column
from registry.models import Edition, OutageStep, Report, Statement
from registry.models.incidents import published
from registry.models.rows import USE_CLASS, ReportQuerySet
from registry.models.sql import at_most
from registry.models.story import Child
from registry.rules import access
from registry.rules.access import Sight, UseClass
from registry.rules.vocabularies import Holder, Withheld


def standing(at: datetime | None, lines: str = "") -> Q:
    """The lines that stand now, or stood at a moment; ``lines`` leads to them."""
    prefix = f"{lines}__" if lines else ""
    if at is None:
        return Q(**{f"{prefix}voided_at": None})
    held = Q(**{f"{prefix}voided_at": None}) | Q(**{f"{prefix}voided_at__gt": at})
    return Q(**{f"{prefix}recorded_at__lte": at}) & held


def of_report(rows: QuerySet, name: str) -> str:
    """What leads from a row of any of the four tables to what hangs on its report."""
    return name if rows.model is Report else f"report__{name}"


@dataclass(frozen=True)
class Children:
    """The lines of one table as a holder sees them beside its rows, as of a moment (None: now; for an audience
    that of an edition, by default its newest)."""

    table: type[Child]
    holder: str
    as_of: datetime | None = None
    using: str = "reader"

    def of(self, rows: ReportQuerySet) -> QuerySet:
        """These rows of the holder, each as often as lines of it are seen, joined by ``path``."""
        lines = self.path(rows)
        # That there is a line is said too, which spares the database a join for rows without.
        joined = Q(**{f"{lines}__pk__gt": 0})
        # SQLite, which counts no rows, would begin with all lines and sort them, were not so few rows to be expected.
        rows = rows.beyond(0, back=True).beyond(2**63 - 1)
        if self.holder == Holder.OFFICE:
            return rows.filter(joined, standing(self.as_of, lines))
        newest, month = self._editions
        monthly = [name for name, sight in self._sights.items() if sight.when == "month"]
        # One expression and not one condition a class, which would have SQLite look for an index for each.
        rows = rows.annotate(use_class=USE_CLASS)
        if newest is None:
            return rows.filter(joined, pk__in=())
        seen = joined & standing(newest, lines) & Q(use_class__in=[*self._sights])
        if monthly:
            seen &= ~Q(use_class__in=monthly) | (standing(month, lines) if month else Q(pk__in=()))
        return rows.filter(seen & self._shown(newest, rows))

    def path(self, rows: QuerySet) -> str:
        """What leads from a row to its lines."""
        return of_report(rows, f"{self.table._meta.model_name}_lines")

    def values(self, columns: Sequence[Column], rows: QuerySet) -> list[Expression | F]:
        """The columns of these lines, and of the row where a column is its."""
        return [self._value(column, self.path(rows)) for column in columns]

    @property
    def _sights(self) -> dict[UseClass, Sight]:
        sights = {name: sight for name, sight in access.policy(self.holder).items() if sight is not None}
        if self.table is OutageStep:
            return {name: sight for name, sight in sights.items() if sight.steps_shown}
        return sights

    @property
    def _editions(self) -> tuple[datetime | None, datetime | None]:
        """The moments of the edition seen, and of the last one of a month's end."""
        editions = Edition.objects.using(self.using)
        if self.as_of:
            editions = editions.filter(at__lte=self.as_of)
        moments = [
            found.values_list("at", flat=True).first()
            for found in (editions, editions.filter(month_end=True))
        ]
        return moments[0], moments[1]

    def _shown(self, at: datetime, rows: QuerySet) -> Q:
        if self.table is not OutageStep:
            return Q()
        small = OutageStep.objects.filter(
            standing(at), report=OuterRef("report"), customers__range=access.SMALL_FIGURES
        )
        few = Q(customers_unit__in=access.SMALL_FIGURE_UNITS) & Q(Exists(small))
        return ~Q(withheld__contains=Withheld.FIGURES) & ~few

    def _value(self, column: Column, path: str) -> Expression | F:
        name = column.field.name
        where = name if column.of is Report else f"{path}__{name}"
        if self.holder == Holder.OFFICE or column.group != "when":
            return F(where)
        values: dict[Any, list[UseClass]] = {}
        for use_class, sight in self._sights.items():
            values.setdefault(at_most(where, column.field, sight.when), []).append(use_class)
        if len(values) < 2:
            return next(iter(values), F(where))
        cases = [When(use_class__in=classes, then=value) for value, classes in values.items()]
        return Case(*cases, output_field=column.field.clone())


def statements(holder: str, as_of: datetime | None = None, *, using: str = "reader") -> QuerySet[Statement]:
    """The statements a holder sees that stand now, or stood at a moment: an audience those published, of
    incidents that are."""
    found = Statement.objects.using(using).order_by().filter(standing(as_of))
    if holder != Holder.OFFICE:
        found = found.filter(published(as_of), published(as_of, "incident"))
    return found
