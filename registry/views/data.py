"""What may be taken away: the files, the page that says what is in them, and the dictionary."""

import csv
from collections.abc import Callable
from io import StringIO

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from registry.actions import journal
from registry.columns import COLUMNS
from registry.filters import BadFilter, Selection, select
from registry.models import Download, Edition
from registry.outputs import dictionary, exporting
from registry.outputs.exporting import Busy, Sheet, Sink, Spool
from registry.rules import access
from registry.rules.vocabularies import Holder

from . import errors
from .guards import staff_only

#: A file that is whole within this time is sent with its length, a longer one as it comes.
SECONDS_TO_FINISH = 0.1
#: A client that takes less than 256 KiB within this time is let go, so that nobody keeps a place for ever.
SECONDS_TO_TAKE = 600
#: What a door of files takes beside the filters.
VARIANTS = ("excel", "hxl")
#: What the names of the columns and a row of a file usually take.
HEAD_BYTES, ROW_BYTES = 800, 500


@require_safe
def reports_csv(request: HttpRequest) -> HttpResponseBase:
    """The selected reports."""
    return _file(request, "reports", exporting.reports)


@require_safe
def versions_csv(request: HttpRequest) -> HttpResponseBase:
    """Every version of the selected reports that this audience had, from edition to edition."""
    return _file(request, "versions", exporting.versions)


@staff_only
@require_safe
def entries_csv(request: HttpRequest) -> HttpResponseBase:
    """The timelines of the selected reports, within the person's own areas."""
    return _file(request, "entries", exporting.entries)


def _file(request: HttpRequest, what: str, sheet: Callable[[Selection], Sheet]) -> HttpResponseBase:
    variant = {name: _asked(request, name) for name in VARIANTS}
    selection = select(request.user, request.GET, beside=VARIANTS)
    if what != "reports" and selection.as_of:
        raise BadFilter("as_of", _("This file holds all moments."))
    if what == "entries" and selection.holder != Holder.OFFICE:
        raise BadFilter("view", _("The timeline is the office's alone."))
    headers = {"Content-Disposition": f'attachment; filename="{_name(what, selection)}"'}
    kind = "text/csv; charset=utf-8"
    if request.method == "HEAD":
        return HttpResponse(headers=headers, content_type=kind)
    content = sheet(selection)
    download = Download(
        by=request.user if request.user.is_authenticated else None,
        at=journal.now(),
        holder=selection.holder,
        what=what,
        filter=selection.query,
    )

    def write(sink: Sink) -> int:
        # Written first, so that a download broken off is known too.
        download.save()
        rows = exporting.write(content, sink, **variant)
        Download.objects.filter(pk=download.pk).update(rows=rows)
        return rows

    try:
        spool = Spool(write, alias=selection.using)
    except Busy:
        return errors.unavailable(retry_after=30)
    try:
        # Without chunks an end that came too early would look like the end.
        chunks = request.META.get("SERVER_PROTOCOL") != "HTTP/1.0"
        whole = spool.finished(within=SECONDS_TO_FINISH if chunks else None)
    except BaseException:
        spool.close()
        raise
    if client := request.META.get("gunicorn.socket"):
        client.settimeout(SECONDS_TO_TAKE)
    response = StreamingHttpResponse(spool, headers=headers, content_type=kind)
    if whole:
        response["Content-Length"] = spool.size
    return response


def _asked(request: HttpRequest, name: str) -> bool:
    values = set(request.GET.getlist(name)) - {""}
    if values - {"1"}:
        raise BadFilter(name, _("It is 1 or left away."))
    return bool(values)


def _name(what: str, selection: Selection) -> str:
    """``damage-reports-public-2026-03-10.csv``: what, whose, as of which day."""
    edition = _edition(selection)
    moment = selection.as_of or (edition and edition.at) or timezone.now()
    return f"damage-{what}-{selection.holder}-{moment.date()}.csv"


def _edition(selection: Selection) -> Edition | None:
    """The edition that an audience's rows are of; None for the office, and before the first."""
    editions = Edition.objects.using(selection.using)
    if selection.holder == Holder.OFFICE:
        return None
    return (editions.filter(at__lte=selection.as_of) if selection.as_of else editions).first()


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """*What may I take, and can I trust it?*"""
    selection = select(request.user, request.GET)
    is_office = selection.holder == Holder.OFFICE
    count = selection.count(thorough=True)
    edition = _edition(selection)
    context = {
        "nav": "data",
        "selection": selection,
        "chips": [(words, f"{request.path}?{query}") for words, query in selection.parts],
        "clear_url": request.path,
        "count": count,
        "size": HEAD_BYTES + count.n * ROW_BYTES,
        "is_office": is_office,
        "is_staff": access.is_staff(request.user),
        "office_query": selection.query_without("view"),
        "sights": [] if is_office else dictionary.sights(selection.holder),
        "withheld": edition and edition.withheld.get(selection.holder),
        "small_figure": access.SMALLEST_FIGURE_SHOWN - 1,
        "columns": COLUMNS,
        "filters": dictionary.filters(selection),
        "cited_query": selection.query_without("as_of", "view"),
        "page_address": f"{settings.BASE_URL}{request.path}",
    }
    return render(request, "data/page.html", context)


@require_safe
def dictionary_csv(request: HttpRequest) -> HttpResponse:
    """Every column and every code with its meaning."""
    out = StringIO()
    csv.writer(out, lineterminator="\n").writerows(dictionary.table())
    response = HttpResponse(out.getvalue(), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="damage-dictionary.csv"'
    return response


urlpatterns = [
    path("reports.csv", reports_csv, name="reports-csv"),
    path("versions.csv", versions_csv, name="versions-csv"),
    path("entries.csv", entries_csv, name="entries-csv"),
    path("data", page, name="data"),
    path("data/dictionary.csv", dictionary_csv, name="dictionary-csv"),
]
