"""Places to confirm: *where is this?*, one report at a time; and the names that were set on the map so."""

from itertools import zip_longest
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from registry import filters, geo
from registry.actions import known, reports
from registry.forms.deeds import PlaceForm, PointForm
from registry.forms.places import lineage
from registry.models import Area, KnownPlace, Person, Report
from registry.models.sql import kept_off
from registry.rules import access
from registry.rules.access import Verb
from registry.rules.vocabularies import GeocodeState, GeoPrecision, Status
from registry.templatetags.components import place

from . import acting
from .deeds import office_report
from .guards import person_of, staff_only

#: Why a place waits, in the order in which they are asked for.
WAITING = {
    GeocodeState.AMBIGUOUS: _("Several places fit"),
    GeocodeState.OUTSIDE: _("Outside the named region"),
    GeocodeState.NOT_FOUND: _("Not found"),
    "region": _("Only the region is known"),
}
_MOST_COUNTED = 1_000
PER_PAGE = 50


def waiting(person: Person, why: str) -> Any:
    """The open reports of this person's areas whose place waits for this reason, oldest damage first."""
    mine = Report.objects.within(person.scope).live().filter(withdrawn="")
    mine = mine.exclude(status__in=(Status.CLOSED, Status.RESTORED))
    if why != "region":
        return filters.tried(mine).filter(geocode_state=why).order_by("sort_key")
    # What is known of its region alone stands at the region's own point: the index of cells finds it there.
    alone = filters.tried(mine).filter(
        geocode_state=GeocodeState.FOUND, geo_precision__in=(GeoPrecision.ADM1, GeoPrecision.COUNTRY)
    )
    return kept_off(alone, {"geocode_state"}).filter(cell__in=_centres(person.scope)).order_by("sort_key")


def _centres(scope: access.Scope) -> list[int]:
    """The cells of the points of the countries and regions that lie in a scope."""
    whole, regions = scope.areas.get(0, ()), scope.areas.get(1, ())
    held = Area.objects.filter(level=0, code__in=whole) | Area.objects.filter(level=1, country__in=whole)
    held |= Area.objects.filter(level=1, code__in=regions)
    return [geo.cell(lat, lon) for lat, lon in held.exclude(lat=None).values_list("lat", "lon")]


def counts(person: Person) -> dict[str, int]:
    """How many wait for each reason, counted to a thousand; reasons for which none waits are left out."""
    found = {why: waiting(person, why)[:_MOST_COUNTED].count() for why in WAITING}
    return {why: count for why, count in found.items() if count}


@staff_only
def places(request: HttpRequest) -> HttpResponse:
    """The next report whose place waits, or the one named (``r``), with what may be meant; POST says which it is."""
    person = person_of(request)
    why, after = request.GET.get("why", ""), request.GET.get("after", "")
    named = request.GET.get("r", "")
    numbers = counts(person)
    if why not in WAITING:
        why = next(iter(numbers), "")
    if named:
        report: Report | None = office_report(request, named)
    else:
        rows = waiting(person, why) if why else Report.objects.none()
        report = rows.beyond(int(after), back=True).first() if after.lstrip("-").isdigit() else rows.first()
    context = {
        "reasons": [
            (code, label, numbers[code], code == why) for code, label in WAITING.items() if code in numbers
        ],
        "most": _MOST_COUNTED,
        "skipped": bool(after),
        "nav": "my-work",
        "tile_url": settings.TILE_URL,
    }
    if report is None:
        return render(request, "report/places.html", context)
    form = PlaceForm(request.POST or None, report=report, person=person, initial=_initial(report))
    onwards = f"{reverse('places')}?{urlencode({'why': why, 'after': report.sort_key})}"
    if request.method == "POST" and form.is_valid():

        def act() -> dict[str, Any]:
            return {"place": str(place(reports.confirm_place(report.reference, by=person, **form.chosen())))}

        if done := acting.once(request, form, act):
            address = reverse("report", args=[report.reference])
            said = format_html('<a href="{}">{}</a>: {}', address, report.reference, done["place"])
            messages.success(request, said)
            return redirect(onwards)
    context |= {
        "report": report,
        "form": form,
        "onwards": onwards,
        "may": access.may(person, Verb.LOCATE, report),
        "choices": list(zip_longest(form["choice"].subwidgets, report.geocode_candidates)),
    }
    return render(request, "report/places.html", context)


def _initial(report: Report) -> dict[str, Any]:
    """A point that was typed stands in the fields; of several candidates the likeliest is chosen."""
    typed = report.geo_precision == GeoPrecision.EXACT
    values = {"lat": report.lat, "lon": report.lon} if typed else {}
    return values | ({"choice": "0"} if report.geocode_candidates else {})


@staff_only
def known_places(request: HttpRequest) -> HttpResponse:
    """*Which names were set on the map?* Those of this person's areas, by area: where, who, when."""
    names = KnownPlace.objects.filter(area__in=known.within(person_of(request))).select_related("by")
    page = Paginator(names.order_by("area", "key"), PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "rows": [(one, lineage(one.area)) for one in page],
        "previous_url": f"?page={page.previous_page_number()}" if page.has_previous() else "",
        "next_url": f"?page={page.next_page_number()}" if page.has_next() else "",
        "nav": "my-work",
    }
    return render(request, "report/known_places.html", context)


@staff_only
def known_place(request: HttpRequest, pk: int) -> HttpResponse:
    """*Does this name stand where it should?* Its point is corrected, or the name forgotten."""
    person = person_of(request)
    one = get_object_or_404(KnownPlace.objects.select_related("by"), pk=pk)
    if not known.may(person, one):
        raise Http404
    forgets = request.POST.get("choice") == "forget"
    form = PointForm(None if forgets else request.POST or None, initial={"lat": one.lat, "lon": one.lon})

    def act() -> dict[str, Any]:
        if forgets:
            known.forget(pk, by=person)
        else:
            known.correct(pk, by=person, **form.cleaned_data)
        return {"known": pk}

    if request.method == "POST" and (forgets or form.is_valid()) and acting.once(request, form, act):
        said = _t("“%(name)s” is forgotten.") if forgets else _t("“%(name)s” stands at its new point.")
        messages.success(request, said % {"name": one.name})
        return redirect("known-places")
    context = {
        "one": one,
        "area": lineage(one.area),
        "form": form,
        "nav": "my-work",
        "tile_url": settings.TILE_URL,
    }
    return render(request, "report/known_place.html", context)


urlpatterns = [
    path("places", places, name="places"),
    path("places/known", known_places, name="known-places"),
    path("places/known/<int:pk>", known_place, name="known-place"),
]
