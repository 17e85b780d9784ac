"""Two versions of one report side by side: for the office any two, for outsiders those of editions."""

from datetime import UTC, datetime, time
from typing import NamedTuple

from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from registry.filters import BadFilter, single
from registry.filters.values import read_moment
from registry.models.identity import read_reference
from registry.outputs import reading, telling
from registry.rules.vocabularies import Holder

from .guards import takes


class Version(NamedTuple):
    """One version: since and until when it held, and the moment that names it in an address."""

    number: int
    since: datetime
    until: datetime | None
    key: str


@require_safe
@takes("from", "to")
def versions(request: HttpRequest, reference: str) -> HttpResponse:
    """*What changed?* ``from`` and ``to`` are moments: each means the version that held then. Without them the newest
    is set beside the one before it."""
    canonical = read_reference(reference)
    if canonical is None:
        raise Http404
    if canonical != reference:
        return redirect("versions", canonical, permanent=True)
    found = reading.versions(request.user, canonical)
    if found is None:
        raise Http404
    every = [
        Version(number, since, until, _key(since)) for number, (since, until) in enumerate(found.spans, 1)
    ]
    after = _held(every, request, "to") or every[-1]
    before = _held(every, request, "from") or every[max(0, after.number - 2)]
    rows = [found.row(one.since, one.until) for one in (before, after)]
    differing, same = telling.compared(*rows)
    context = {
        "row": rows[1],
        "before": before,
        "after": after,
        "versions": every[::-1],
        "differing": differing,
        "same": same,
        "office": found.holder == Holder.OFFICE,
        "nav": "reports",
    }
    return render(request, "report/versions.html", context)


def _key(since: datetime) -> str:
    return since.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _held(every: list[Version], request: HttpRequest, name: str) -> Version | None:
    """The version that held at the moment a parameter names; None without one."""
    typed = single(request.GET, name)
    if not typed:
        return None
    try:
        moment = read_moment(
            typed.replace(" ", "+"), at=time(23, 59, 59, 999_999), zone=timezone.get_default_timezone()
        )
    except ValidationError as error:
        raise BadFilter(name, error.message) from None
    for one in every:
        if one.since <= moment and (one.until is None or moment < one.until):
            return one
    raise BadFilter(
        name,
        _("No version held then: the first holds since %(first)s, the last since %(last)s.")
        % {"first": every[0].key, "last": every[-1].key},
    )


urlpatterns = [path("r/<str:reference>/versions", versions, name="versions")]
