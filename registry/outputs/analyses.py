"""The tables of the page of statistics: each with its name, its columns and its rows, as page and CSV give them."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from registry.filters import Selection
from registry.rules.vocabularies import LIGHTEST_FIRST, DamageLevel, Kind, label

from . import durations, interruptions
from .durations import Durations, End, Origin
from .interruptions import Month
from .statistics import Line, area_names, day_of, grouped, lines

#: The tables there are, in the order of the page.
NAMES = ("status", "area", "month", "waiting", "curve", "reliability")
#: Columns whose meaning stands in words in the one beside.
CODES = ("kind", "status", "area_code", "origin", "end")


@dataclass(frozen=True)
class Heading:
    """A column: its name in the CSV, what it says on the page, and how many decimals its numbers have (None:
    they are words)."""

    name: str
    label: str | Promise
    decimals: int | None = None


@dataclass(frozen=True)
class Table:
    """``name`` is part of its address; ``rows`` are as wide as ``columns``, None is not known."""

    name: str
    title: str | Promise
    columns: tuple[Heading, ...]
    rows: list[tuple[Any, ...]]


@dataclass(frozen=True)
class Asked:
    """What durations a page asks for."""

    origin: str = Origin.REPORT
    end: str = End.REPAIR


ORIGINS = {Origin.REPORT: gettext_lazy("from the report"), Origin.DAMAGE: gettext_lazy("from the damage")}
ENDS = {End.VERIFICATION: gettext_lazy("to verification"), End.REPAIR: gettext_lazy("to repair")}

_AREA = (Heading("area_code", gettext_lazy("Code")), Heading("area_name", gettext_lazy("Area")))
_REPORTS = Heading("reports", gettext_lazy("Reports"), 0)


def by_status(some: Iterable[Line]) -> Table:
    """Reports by kind and status."""
    counts: Counter[tuple[str, str]] = Counter()
    for line in some:
        counts[line.kind, line.status] += line.n
    columns = (
        Heading("kind", gettext_lazy("Code of the kind")),
        Heading("kind_label", gettext_lazy("Kind")),
        Heading("status", gettext_lazy("Code of the status")),
        Heading("status_label", gettext_lazy("Status")),
        _REPORTS,
    )
    rows = [
        (kind, str(label("kind", kind)), status, str(label("status", status)), n)
        for (kind, status), n in sorted(counts.items(), key=lambda item: (_ordered(item[0][0]), -item[1]))
    ]
    return Table("status", _("Reports by kind and status"), columns, rows)


def _ordered(kind: str) -> int:
    return Kind.values.index(kind)


def by_area(some: Iterable[Line], using: str) -> Table:
    """Damage by area and level, the most damaged first."""
    counts: dict[str, Counter[str]] = {}
    out: Counter[str] = Counter()
    for line in some:
        levels = counts.setdefault(line.area, Counter())
        out[line.area] += line.customers_out
        if line.kind != Kind.OUTAGE:
            levels[line.damage_level or DamageLevel.UNKNOWN] += line.n
    names = area_names(counts, using=using)
    columns = (
        *_AREA,
        Heading("damage", gettext_lazy("Damage"), 0),
        *(Heading(level, DamageLevel(level).label, 0) for level in LIGHTEST_FIRST),
        Heading("customers_out", gettext_lazy("Customers without supply"), 0),
    )
    rows = [
        (code, names.get(code, ""), levels.total(), *(levels[level] for level in LIGHTEST_FIRST), out[code])
        for code, levels in sorted(counts.items(), key=lambda item: (-item[1].total(), item[0]))
    ]
    return Table("area", _("Damage by area and level"), columns, rows)


def by_month(selection: Selection) -> Table:
    """Reports by the month of the damage (the latest it can have been) and kind."""
    counts: dict[date, Counter[str]] = {}
    for rows in selection.tables:
        for day, kind, n in grouped(rows.order_by(), "occurred_to", "kind"):
            month = day_of(day).replace(day=1)
            counts.setdefault(month, Counter())[kind] += n
    columns = (
        Heading("month", gettext_lazy("Month")),
        _REPORTS,
        *(Heading(kind, Kind(kind).label, 0) for kind in Kind.values),
    )
    found = [
        (f"{month:%Y-%m}", counts[month].total(), *(counts[month][kind] for kind in Kind.values))
        for month in sorted(counts)
    ]
    return Table("month", _("Reports by month of the damage"), columns, found)


def waiting(found: Durations, asked: Asked, using: str) -> Table:
    """How long it took, for all and by area: half of the cases took at most the median."""
    names = area_names(found.areas, using=using)
    columns = (
        *_AREA,
        Heading("origin", gettext_lazy("Since")),
        Heading("end", gettext_lazy("Until")),
        Heading("cases", gettext_lazy("Cases"), 0),
        Heading("open", gettext_lazy("Still waiting"), 0),
        Heading("median_days", gettext_lazy("Median, days"), 0),
        Heading("median_lower", gettext_lazy("At least"), 0),
        Heading("median_upper", gettext_lazy("At most"), 0),
    )
    curves = [("", _("All"), found.whole)] if found.whole.n else []
    curves += [(code, names.get(code) or _("Area not known"), one) for code, one in found.areas.items()]
    rows = [
        (code, name, str(asked.origin), str(asked.end), one.n, one.open, one.median, *one.band)
        for code, name, one in curves
    ]
    title = _("Days %(from)s %(to)s") % {"from": ORIGINS[Origin(asked.origin)], "to": ENDS[End(asked.end)]}
    return Table("waiting", title, columns, rows)


def curve(found: Durations) -> Table:
    """The share that still waits, day by day."""
    columns = (
        Heading("day", gettext_lazy("Day"), 0),
        Heading("waiting", gettext_lazy("Waiting until then"), 0),
        Heading("ended", gettext_lazy("Ended on it"), 0),
        Heading("censored", gettext_lazy("Lost sight of on it"), 0),
        Heading("share", gettext_lazy("Share that waits longer"), 4),
        Heading("lower", gettext_lazy("At least"), 4),
        Heading("upper", gettext_lazy("At most"), 4),
    )
    return Table(
        "curve", _("Share that still waits"), columns, [tuple(point) for point in found.whole.points]
    )


def reliability(months: Iterable[Month], using: str) -> Table:
    """SAIFI, SAIDI and CAIDI by area, sector and month."""
    months = list(months)
    names = area_names({one.area for one in months}, using=using)
    columns = (
        *_AREA,
        Heading("sector", gettext_lazy("Sector")),
        Heading("month", gettext_lazy("Month")),
        Heading("outages", gettext_lazy("Losses of supply"), 0),
        Heading("unknown", gettext_lazy("of unknown size"), 0),
        Heading("momentary", gettext_lazy("momentary"), 0),
        Heading("customers_interrupted", gettext_lazy("Customers interrupted"), 0),
        Heading("customer_hours", gettext_lazy("Customer-hours"), 2),
        Heading("customers_served", gettext_lazy("Customers served"), 0),
        Heading("saifi", "SAIFI", 4),
        Heading("saidi_minutes", gettext_lazy("SAIDI, minutes"), 2),
        Heading("caidi_minutes", gettext_lazy("CAIDI, minutes"), 2),
    )
    rows = [
        (
            one.area, names.get(one.area, ""), one.sector, f"{one.month:%Y-%m}", one.outages, one.unknown,
            one.momentary, one.interrupted, one.hours, one.served, one.indices.saifi, one.indices.saidi,
            one.indices.caidi,
        )
        for one in months
    ]  # fmt: skip
    return Table("reliability", _("Reliability of supply by area and month"), columns, rows)


@dataclass(frozen=True)
class Analyses:
    """Everything that is worked out of a selection as it stood on the day ``until``; each part once, when it
    is asked for."""

    selection: Selection
    asked: Asked
    until: date

    @cached_property
    def lines(self) -> list[Line]:
        return lines(self.selection)

    @cached_property
    def durations(self) -> Durations:
        return durations.durations(self.selection, self.asked.origin, self.asked.end, self.until)

    def table(self, name: str) -> Table:
        """The table of this name; raises KeyError."""
        using = self.selection.using
        makers: dict[str, Callable[[], Table]] = {
            "status": lambda: by_status(self.lines),
            "area": lambda: by_area(self.lines, using),
            "month": lambda: by_month(self.selection),
            "waiting": lambda: waiting(self.durations, self.asked, using),
            "curve": lambda: curve(self.durations),
            "reliability": lambda: reliability(interruptions.months(self.selection), using),
        }
        return makers[name]()
