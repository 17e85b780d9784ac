"""Releases: their list and pages, which stay for good, their files, and asking for one."""

import logging
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from registry.actions import journal, releases
from registry.filters import BadFilter, select
from registry.forms.releases import ReleaseForm
from registry.models import Edition, Release
from registry.outputs import bundling
from registry.outputs.tables import edition_of
from registry.rules import access
from registry.rules.access import Verb
from registry.rules.vocabularies import Holder

from . import acting, errors
from .files import logged
from .guards import may, person_of, takes
from .ranges import ranged

log = logging.getLogger(__name__)

#: What their files are, by the ends of their names.
_MEDIA = {
    "csv": "text/csv; charset=utf-8",
    "json": "application/json",
    "parquet": "application/vnd.apache.parquet",
}
_TEXT = "text/plain; charset=utf-8"


@require_safe
@takes()
def release_list(request: HttpRequest) -> HttpResponse:
    """*What can be cited?*"""
    found = Release.objects.exclude(state=Release.State.FAILED).select_related("edition", "successor")
    may_release = access.may(request.user, Verb.RELEASE)
    if not may_release:
        found = found.exclude(state=Release.State.WAITING)
    context = {"nav": "data", "releases": found, "may_release": may_release}
    return render(request, "release/list.html", context)


@require_safe
@takes()
def release_page(request: HttpRequest, number: int) -> HttpResponse:
    """*What is this release, and can I trust it?* Its rows and files are told to its audience alone."""
    release = _release(request, number)
    is_open = release.is_open_to(request.user)
    context = {
        "nav": "data",
        "release": release,
        "audience": Holder(release.audience).label,
        "is_open": is_open,
        "said": list(bundling.said(release, release.made, release.seal)) if is_open else [],
        "address": bundling.address(release),
        "files": [*release.files, {"name": bundling.SUMS, "sha256": release.checksum}] if is_open else [],
        "may_release": access.may(request.user, Verb.RELEASE)
        and access.reads(request.user, release.audience),
        "register_name": settings.REGISTER_NAME,
    }
    return render(request, "release/detail.html", context)


def _release(request: HttpRequest, number: int) -> Release:
    related = ("edition", "since", "successor", "seal")
    release = get_object_or_404(Release.objects.select_related(*related), number=number)
    unseen = release.state in (Release.State.WAITING, Release.State.FAILED)
    if unseen and not access.may(request.user, Verb.RELEASE):
        raise Http404
    return release


@require_safe
@takes()
def release_file(request: HttpRequest, number: int, name: str) -> HttpResponseBase:
    """One file, whole or in part, so that a download that broke off goes on."""
    release = _release(request, number)
    if release.state == Release.State.RETRACTED:
        return render(request, "release/gone.html", {"release": release}, status=410)
    digests = {file["name"]: file["sha256"] for file in release.files} | {bundling.SUMS: release.checksum}
    if name not in digests or not release.is_made:
        raise Http404
    if not release.is_open_to(request.user):
        raise PermissionDenied(_("The files of this release are for researchers and staff."))
    content = releases.folder(release) / name
    if not content.exists():
        log.error("Release %d lacks its file %s: restore it from a backup.", number, name)
        return errors.unavailable(
            _("This file is not where it should be; whoever runs the register is told.")
        )
    if "Range" not in request.headers and request.method == "GET":
        rows = release.made["rows"].get(name.partition(".")[0])
        logged(request, holder=release.audience, what=f"release {number}", filter=name, rows=rows).save()
    media = _MEDIA.get(name.rpartition(".")[2], _TEXT)
    return ranged(request, content, media_type=media, etag=digests[name])


@require_http_methods(["GET", "HEAD", "POST"])
@may(Verb.RELEASE)
def new_release(request: HttpRequest) -> HttpResponse:
    """*Freeze these rows, so that they can be cited.*"""
    me = person_of(request)
    holder = Holder.RESEARCHER if access.reads(me, Holder.RESEARCHER) else Holder.PUBLIC
    selection = select(me, request.GET, beside=("view", "as_of"), holder=holder)
    query = selection.query_without("as_of", "view")
    initial = {"edition": _looked_at(request, holder)}
    form = ReleaseForm(request.POST or None, person=me, query=query, initial=initial)
    if request.method == "POST" and form.is_valid():

        def act() -> dict[str, Any]:
            try:
                return {"number": releases.ask(by=me, query=query, **form.cleaned_data).number}
            except BadFilter as error:
                raise journal.Refused(f"{error.param}: {error.message}") from None

        if done := acting.once(request, form, act):
            return redirect("release", done["number"])
    context = {
        "nav": "data",
        "form": form,
        "selection": selection,
        "chips": [(words, f"{request.path}?{rest}") for words, rest in selection.parts],
        "data_url": f"{reverse('data')}?{query}",
    }
    return render(request, "release/new.html", context)


def _looked_at(request: HttpRequest, holder: str) -> Edition | None:
    """The edition whose rows were looked at before; None where the office looked at a moment between two."""
    try:
        return edition_of(select(request.user, request.GET, beside=("view",), holder=holder))
    except BadFilter:
        return None


@require_POST
@may(Verb.RELEASE)
def succeed(request: HttpRequest, number: int) -> HttpResponse:
    """The same rows again, without what had to go."""
    old = _release(request, number)
    if old.state != Release.State.RETRACTED:
        return redirect("release", number)
    made = releases.ask(
        audience=old.audience,
        by=person_of(request),
        query=old.query,
        title=old.title,
        edition=old.edition,
        since=old.since,
    )
    return redirect("release", made.number)


urlpatterns = [
    path("releases", release_list, name="releases"),
    path("releases/new", new_release, name="new-release"),
    path("releases/<int:number>", release_page, name="release"),
    path("releases/<int:number>/succeed", succeed, name="succeed-release"),
    path("releases/<int:number>/<str:name>", release_file, name="release-file"),
]
