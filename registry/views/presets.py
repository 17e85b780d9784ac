"""Filters that people keep under names, and how a selection is cited: both by its address."""

from typing import NamedTuple

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect
from django.urls import path, reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from registry.filters import Selection, select, write_moment
from registry.models import Edition, SavedFilter
from registry.rules.vocabularies import Holder

from .guards import person_of, signed_in

#: So many filters one person keeps.
MOST = 100
_LONGEST_NAME = SavedFilter._meta.get_field("name").max_length


class Citation(NamedTuple):
    """What one cites: the filter in words, the edition (None for the office: the moment), and the address that
    gives the same rows again."""

    title: str
    edition: bool
    at: object
    address: str


def cite(selection: Selection, edition: Edition | None, *, door: str) -> Citation | None:
    """How to cite a selection by its page at ``door``; None before the first edition."""
    office = selection.holder == Holder.OFFICE
    at = (
        selection.as_of
        or (edition and edition.at)
        or (timezone.now().replace(microsecond=0) if office else None)
    )
    if at is None:
        return None
    query = selection.query_without("as_of", "view")
    # What the office alone knows is in no past.
    if not selection.asks_of_office:
        query = "&".join(filter(None, [query, f"as_of={write_moment(at)}"]))
    address = f"{settings.BASE_URL}{reverse(door)}" + (f"?{query}" if query else "")
    return Citation(selection.title, not office, at, address)


def saved_by(request: HttpRequest) -> list[SavedFilter]:
    """The filters that whoever asks has kept."""
    return list(SavedFilter.objects.filter(person=request.user.pk)) if request.user.is_authenticated else []


@signed_in
@require_POST
def save(request: HttpRequest) -> HttpResponse:
    """Keep a filter under a name; the same name again replaces it. What is kept is what it means, in the one
    order that addresses have."""
    query = select(request.user, QueryDict(request.POST.get("query", ""))).query
    name = " ".join(request.POST.get("name", "").split())
    own = SavedFilter.objects.filter(person=person_of(request))
    if not name or "\x00" in name:
        messages.error(request, _("Give the filter a name."))
    elif len(name) > (_LONGEST_NAME or 0):
        messages.error(request, _("A name has at most %(most)d characters.") % {"most": _LONGEST_NAME})
    elif own.exclude(name=name).count() >= MOST:
        words = ngettext(
            "You keep %(n)d filter: delete it first.", "You keep %(n)d filters: delete some first.", MOST
        )
        messages.error(request, words % {"n": MOST})
    else:
        own.update_or_create(name=name, person=person_of(request), defaults={"query": query})
        messages.success(request, _("Filter saved."))
    return redirect(f"{reverse('reports')}?{query}")


@signed_in
@require_POST
def forget(request: HttpRequest, pk: int) -> HttpResponse:
    """Delete one's own saved filter, and go back to where that was done."""
    get_object_or_404(SavedFilter, pk=pk, person=person_of(request)).delete()
    messages.success(request, _("Filter deleted."))
    back = request.POST.get("back", "")
    own = url_has_allowed_host_and_scheme(back, allowed_hosts=None)
    return redirect(back if own else reverse("reports"))


urlpatterns = [
    path("reports/save-filter", save, name="save-filter"),
    path("reports/saved-filters/<int:pk>/delete", forget, name="forget-filter"),
]
