"""Files that are made in the background: asked for on the data page, looked at while they are made, fetched in parts
if need be. They are found by an address that nobody guesses, and, where somebody was signed in, by them alone."""

from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from registry.filters import BadFilter, select
from registry.models import WantedFile
from registry.outputs.formats import FORMATS
from registry.outputs.tables import TABLES
from registry.upkeep import filing

from . import errors
from .guards import staff_only
from .progress import progress
from .ranges import ranged


def _wanted(request: HttpRequest, key: str) -> WantedFile:
    found = WantedFile.objects.filter(key=key).select_related("by").first()
    if found is None or not filing.is_for(found, request.user):
        raise Http404
    return found


@require_POST
def want(request: HttpRequest) -> HttpResponseBase:
    """Have a file made of a selection; what cannot be made is refused as it would be at its own address."""
    table, form = TABLES.get(request.POST.get("table", "")), FORMATS.get(request.POST.get("format", ""))
    if table is None or form is None:
        raise Http404
    return (staff_only(_want) if table.office else _want)(request, table, form)


def _want(request: HttpRequest, table: Any, form: Any) -> HttpResponse:
    person = request.user if request.user.is_authenticated else None
    try:
        wanted = filing.want(person, table, form.name, request.POST.get("query", ""))
    except filing.TooMany:
        return errors.unavailable(_("As many files are being made as can be. Ask again later."))
    return redirect("wanted-file", wanted.key)


@require_safe
def wanted_file(request: HttpRequest, key: str) -> HttpResponse:
    """*Is my file ready?*"""
    wanted = _wanted(request, key)
    context = {
        "nav": "data",
        "wanted": wanted,
        "table": TABLES[wanted.table].label,
        "format": FORMATS[wanted.format].label,
        "progress": _progress(wanted),
        "sentence": _sentence(wanted),
        "kept_until": wanted.created_at + filing.KEPT,
        "address": f"{settings.BASE_URL}{request.path}",
    }
    return render(request, "data/file.html", context)


def _sentence(wanted: WantedFile) -> str:
    """Which rows were asked for, in words; "" where that is not understood any more."""
    try:
        return select(wanted.by, QueryDict(wanted.query)).sentence
    except BadFilter:
        return ""


def _progress(wanted: WantedFile) -> dict[str, Any] | None:
    rows = wanted.rows or 0
    return progress(min(wanted.done, rows), rows, wanted.since) if wanted.is_open else None


@require_safe
def wanted_download(request: HttpRequest, key: str, name: str) -> HttpResponseBase:
    """The file that was made, whole or in parts, under its own name, which also tells that tokens open it."""
    wanted = _wanted(request, key)
    made = filing.path_of(wanted)
    if wanted.state != WantedFile.State.DONE or name != wanted.name or not made.exists():
        raise Http404
    media_type = FORMATS[wanted.format].media_type
    return ranged(request, made, media_type=media_type, etag=wanted.sha256, name=wanted.name)


@require_POST
def cancel_file(request: HttpRequest, key: str) -> HttpResponse:
    """Nobody wants it any more: it is not made, or deleted."""
    filing.cancel(_wanted(request, key))
    return redirect("data")


urlpatterns = [
    path("files", want, name="want-file"),
    path("files/<str:key>", wanted_file, name="wanted-file"),
    path("files/<str:key>/cancel", cancel_file, name="cancel-file"),
    path("files/<str:key>/<str:name>", wanted_download, name="wanted-download"),
]
