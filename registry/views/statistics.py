"""Counts, durations and the reliability of supply: a page, its tables as CSV and its charts as SVG."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from registry.filters import BadFilter, select, single
from registry.models import Edition
from registry.outputs import analyses, drawing
from registry.outputs.analyses import ENDS, ORIGINS, Analyses, Asked, Heading, Table
from registry.outputs.durations import End, Origin
from registry.rules.vocabularies import LIGHTEST_FIRST, DamageLevel, Holder

from .files import logged, small_csv
from .once import once
from .then import then

#: What this door takes beside the filters.
BESIDE = ("origin", "end")
#: As many areas have a bar of their own in the chart; the table has all.
BARS = 20


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """*How much, how long, how reliable?*"""
    found, edition = _asked(request)
    selection = found.selection
    tables = {name: _once(found, edition, name) for name in analyses.NAMES}
    query = selection.query
    context = {
        "nav": "data",
        "selection": selection,
        "chips": [(words, f"{request.path}?{query}") for words, query in selection.parts],
        "clear_url": request.path,
        "is_office": selection.holder == Holder.OFFICE,
        "until": found.until,
        "tables": {name: _shown(table) for name, table in tables.items()},
        "charts": _CHARTS,
        "left_out": _durations(found, edition).left_out,
        "origins": [(code, words, code == found.asked.origin) for code, words in ORIGINS.items()],
        "ends": [(code, words, code == found.asked.end) for code, words in ENDS.items()],
        "kept": [(name, value) for name, values in selection.params.items() for value in values],
        "asked": found.asked,
        "query": query,
        "then": then(request, selection),
        "full_query": "&".join(filter(None, [query, f"origin={found.asked.origin}&end={found.asked.end}"])),
    }
    return render(request, "statistics/page.html", context)


@require_safe
def table_csv(request: HttpRequest, name: str) -> HttpResponse:
    """One table, raw: codes, decimal points, empty where it is not known."""
    found, edition = _asked(request)
    table = _once(found, edition, _known(name, analyses.NAMES))
    selection = found.selection
    what = f"statistics-{name}"[:20]
    logged(request, holder=selection.holder, what=what, filter=selection.query, rows=len(table.rows)).save()
    heads = [column.name for column in table.columns]
    rows = [
        [_raw(cell, column) for cell, column in zip(row, table.columns, strict=True)] for row in table.rows
    ]
    return small_csv([heads, *rows], f"damage-{name}-{selection.holder}-{found.until}.csv")


@require_safe
def chart_svg(request: HttpRequest, name: str) -> HttpResponse:
    """One chart."""
    found, edition = _asked(request)
    draw = _CHARTS[_known(name, _CHARTS)]
    return HttpResponse(draw(found, edition), content_type="image/svg+xml; charset=utf-8")


def _known(name: str, names: Any) -> str:
    if name not in names:
        raise Http404(_("There is %(names)s.") % {"names": ", ".join(names)})
    return name


def _asked(request: HttpRequest) -> tuple[Analyses, Edition | None]:
    """What the address asks for, and the edition that holds for whoever asks."""
    origin, end = _choice(request, "origin", Origin), _choice(request, "end", End)
    selection = select(request.user, request.GET, beside=BESIDE)
    edition = None
    if selection.holder != Holder.OFFICE:
        edition = Edition.objects.using(selection.using).first()
    moment = selection.as_of or (edition and edition.at)
    asked = Asked(origin or Origin.REPORT, end or End.REPAIR)
    return Analyses(selection, asked, timezone.localdate(moment)), edition


def _choice(request: HttpRequest, name: str, choices: Any) -> str:
    value = single(request.GET, name)
    if value and value not in choices.__members__.values():
        takes = ", ".join(choices)
        raise BadFilter(name, _("“%(value)s” is none of: %(takes)s.") % {"value": value, "takes": takes})
    return value


def _once(found: Analyses, edition: Edition | None, name: str) -> Table:
    key = f"statistics {name} {found.asked.origin} {found.asked.end}"
    return once(key, found.selection, edition, lambda: found.table(name))


def _durations(found: Analyses, edition: Edition | None) -> Any:
    key = f"durations {found.asked.origin} {found.asked.end}"
    return once(key, found.selection, edition, lambda: found.durations)


def _raw(cell: Any, column: Heading) -> Any:
    if isinstance(cell, float | Decimal) and column.decimals is not None:
        return f"{cell:.{column.decimals}f}"
    return cell


def _shown(table: Table) -> dict[str, Any]:
    """The table for the page: codes give way to their words where these stand beside."""
    keep = [place for place, column in enumerate(table.columns) if column.name not in analyses.CODES]
    return {
        "name": table.name,
        "title": table.title,
        "columns": [table.columns[place] for place in keep],
        "rows": [[(row[place], table.columns[place]) for place in keep] for row in table.rows],
    }


def _status_chart(found: Analyses, edition: Edition | None) -> str:
    table = _once(found, edition, "status")
    rows = [
        (f"{kind}: {status}", [(n, drawing.PLAIN, status)]) for _kind, kind, _status, status, n in table.rows
    ]
    return drawing.bars(str(table.title), rows)


def _area_chart(found: Analyses, edition: Edition | None) -> str:
    table = _once(found, edition, "area")
    levels = [(drawing.LEVELS[level], str(DamageLevel(level).label)) for level in LIGHTEST_FIRST]
    rows = [
        (name or _("Area not known"), [(n, *level) for n, level in zip(counts, levels, strict=True)])
        for _code, name, n, *counts, _out in table.rows[:BARS]
        if n
    ]
    used = [place for place in range(len(levels)) if any(parts[place][0] for _label, parts in rows)]
    legend = [levels[place] for place in used]
    return drawing.bars(str(table.title), rows, legend)


def _month_chart(found: Analyses, edition: Edition | None) -> str:
    table = _once(found, edition, "month")
    counts = {row[0]: row[1] for row in table.rows}
    return drawing.columns(
        str(table.title), [(month, counts.get(month, 0)) for month in _every_month(counts)]
    )


def _every_month(months: dict[str, int]) -> list[str]:
    """From the first to the last, those in which nothing happened too."""
    if not months:
        return []
    first, last = (date.fromisoformat(f"{month}-01") for month in (min(months), max(months)))
    numbers = range(first.year * 12 + first.month - 1, last.year * 12 + last.month)
    return [f"{number // 12:04}-{number % 12 + 1:02}" for number in numbers]


def _curve_chart(found: Analyses, edition: Edition | None) -> str:
    title = _once(found, edition, "waiting").title
    return drawing.steps(str(title), _durations(found, edition).whole, _("Days"))


_CHARTS: dict[str, Callable[[Analyses, Edition | None], str]] = {
    "status": _status_chart,
    "area": _area_chart,
    "month": _month_chart,
    "curve": _curve_chart,
}

urlpatterns = [
    path("statistics", page, name="statistics"),
    path("statistics/<slug:name>.csv", table_csv, name="statistics-csv"),
    path("statistics/<slug:name>.svg", chart_svg, name="statistics-svg"),
]
