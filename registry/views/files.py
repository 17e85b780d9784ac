"""The files of every table, in every format: sent as they are written."""

import csv
import re
from collections.abc import Iterable
from functools import partial
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.urls import URLPattern, path
from django.utils.cache import patch_vary_headers
from django.utils.text import get_text_list
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from registry.actions import journal
from registry.filters import BadFilter, refuse_blanks, select
from registry.models import Download
from registry.outputs.formats import FORMATS, OPTIONS, Unfit
from registry.outputs.sending import CODINGS, Busy, Packed, Sink, Spool
from registry.outputs.tables import TABLES, Table

from . import errors
from .guards import View, staff_only

#: A file that is whole within this time is sent with its length, a longer one as it comes.
SECONDS_TO_FINISH = 0.1
#: A client that takes less than 256 KiB within this time is let go, so that nobody keeps a place for ever.
SECONDS_TO_TAKE = 600


def logged(request: HttpRequest, **said: Any) -> Download:
    """The line of the log of downloads for this one; to be saved."""
    by = request.user if request.user.is_authenticated else None
    return Download(by=by, at=journal.now(), **said)


def small_csv(rows: Iterable[Iterable[Any]], name: str) -> HttpResponse:
    """A table of a few rows as a download of this name, written as the large ones are."""
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    response = HttpResponse(headers=headers, content_type="text/csv; charset=utf-8")
    csv.writer(response, lineterminator="\n").writerows(rows)
    return response


@require_safe
def file(request: HttpRequest, format: str, *, table: Table) -> HttpResponseBase:
    """The selected rows of a table, as this person may see them."""
    if format not in FORMATS:
        there = get_text_list([f"{table.name}.{name}" for name in FORMATS], _("and"))
        return errors.not_found(request, why=_("There are these files: %(files)s.") % {"files": there})
    form = FORMATS[format]
    refuse_blanks(request.GET)
    options = {name: asked(request, name) for name in form.options}
    for name in OPTIONS:
        if any(request.GET.getlist(name)) and name not in form.options:
            raise BadFilter(name, _("Only %(format)s files have this.") % {"format": _which_have(name)})
    selection = select(request.user, request.GET, beside=form.options)
    content = table.sheet(selection)
    try:
        form.check(content)
    except Unfit as unfit:
        return errors.bad_request(request, why=str(unfit))
    headers = {"Content-Disposition": f'attachment; filename="{table.file_name(selection, form.name)}"'}
    if request.method == "HEAD":
        # Its length is not known, and is not nothing.
        return StreamingHttpResponse((), headers=headers, content_type=form.media_type)
    download = logged(
        request,
        holder=selection.holder,
        what=f"{table.name}.{form.name}",
        filter=selection.query,
    )

    def write(sink: Sink) -> int:
        # Written first, so that a download broken off is known too.
        download.save()
        rows = form.write(content, sink, **options)
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
    coding = "" if form.packed or not chunks else coding_of(request)
    response = StreamingHttpResponse(
        Packed(spool, coding) if coding else spool, headers=headers, content_type=form.media_type
    )
    if coding:
        response["Content-Encoding"] = coding
    elif whole:
        response["Content-Length"] = spool.size
    patch_vary_headers(response, ["Accept-Encoding"])
    return response


def coding_of(request: HttpRequest) -> str:
    """The best way of packing that the client takes (RFC 9110, section 12.5.3), "" if it takes none."""
    weights: dict[str, float] = {}
    for part in request.headers.get("Accept-Encoding", "").lower().split(","):
        name, _semicolon, weight = part.partition(";")
        found = re.fullmatch(r"\s*q=([01](?:\.\d{0,3})?)\s*", weight)
        weights[name.strip()] = float(found[1]) if found else 1.0
    taken = {name: weights.get(name, weights.get("*", 0.0)) for name in CODINGS}
    best = max(taken, key=lambda name: taken[name])
    return best if taken[best] > 0 else ""


def asked(request: HttpRequest, name: str) -> bool:
    """Whether something is asked of a file by 1."""
    values = set(request.GET.getlist(name)) - {""}
    if values - {"1"}:
        raise BadFilter(name, _("It is 1 or left away."))
    return bool(values)


def _which_have(option: str) -> str:
    return get_text_list([str(one.label) for one in FORMATS.values() if option in one.options], _("and"))


def _door(table: Table) -> URLPattern:
    view: View = partial(file, table=table)
    # A wrong method is told as such, and needs no form's token for it.
    opened = csrf_exempt(staff_only(view) if table.office else view)
    return path(f"{table.name}.<slug:format>", opened, name=f"{table.name}-file")


urlpatterns = [_door(table) for table in TABLES.values()]
