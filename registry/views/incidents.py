"""Pages of incidents: what happened that night, who said what, and what the register shows for it."""

from collections import Counter, defaultdict
from collections.abc import Callable
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _t
from django.views.decorators.http import require_POST, require_safe

from registry import filters
from registry.actions import incidents, journal
from registry.actions.journal import Refused
from registry.forms.incidents import IncidentForm, StatementForm
from registry.models import Incident, Statement
from registry.models.identity import read_reference
from registry.outputs import reading
from registry.outputs.statistics import grouped
from registry.rules import access, scales
from registry.rules.access import AREA_FIELDS, Verb
from registry.rules.vocabularies import Kind, StatementType

from . import acting
from .guards import command_id, may, person_of, takes
from .then import then

#: What a statement's figure is set beside: the reports it may be about.
_LOGGED: dict[str, Callable[["_Group"], bool]] = {
    StatementType.DAMAGE: lambda one: one.kind in (Kind.BUILDING, Kind.NETWORK),
    StatementType.SUPPLY: lambda one: one.kind == Kind.OUTAGE,
    StatementType.RESTRICTION: lambda one: one.kind == Kind.OUTAGE and one.sector == "transport",
}
#: Incidents on a page of the list; statements of one, and its newest reports that are counted.
_MOST, _MOST_STATEMENTS, _MOST_COUNTED = 60, 200, 20_000
#: As many of its reports are on its page.
_MOST_SHOWN = 20


def _incident(request: HttpRequest, reference: str) -> Incident:
    found = reading.incidents(request.user).filter(reference=read_reference(reference) or "").first()
    if found is None:
        raise Http404
    return found


@require_safe
@takes("before", "as_of")
def incident_list(request: HttpRequest) -> HttpResponse:
    """The newest incidents, older ones a page further; as of a moment those recorded by then."""
    selection = filters.select(request.user, {"as_of": filters.single(request.GET, "as_of")})
    before = filters.single(request.GET, "before")
    rows = reading.incidents(request.user, as_of=selection.as_of)
    if before:
        rows = reading.incidents_after(request.user, "before", before, as_of=selection.as_of)
    moment = then(request, selection, gone=False)
    page = list(rows.prefetch_related("areas")[: _MOST + 1])
    more = page[_MOST - 1].reference if len(page) > _MOST else ""
    context = {
        "rows": page[:_MOST],
        "next_url": f"?before={more}{f'&{moment.query}' if moment else ''}" if more else "",
        "then": moment,
        "may_state": access.may(request.user, Verb.STATE),
        "nav": "incidents",
    }
    return render(request, "incident/list.html", context)


@require_safe
def incident(request: HttpRequest, reference: str) -> HttpResponse:
    """*What happened that night?*"""
    found = _incident(request, reference)
    asked = {"incident": found.reference, "as_of": filters.single(request.GET, "as_of")}
    selection = filters.select(request.user, asked)
    office = access.is_staff(request.user)
    statements = reading.statements(found, request.user, as_of=selection.as_of)
    if selection.as_of and found.created_at > selection.as_of:
        raise Http404
    # As of a moment they are along several walks.
    parts = [walk.part(after=None, until=None, back=False) for walk in selection.walks]
    groups = [
        _Group(*values)
        for rows in parts
        for values in grouped(rows[:_MOST_COUNTED], *_Group._fields[:-2], total="customers_affected")
    ]
    shown = (row for some in parts for row in some[:_MOST_SHOWN])
    rows = sorted(shown, key=lambda row: row.sort_key, reverse=True)
    lost = (one for one in groups if one.kind == Kind.OUTAGE and one.customers_unit != "settlements")
    context = {
        "incident": found,
        "office": office,
        "areas": list(found.areas.all()),
        "zone": _zone(found),
        "statements": [(line, _logged(line, groups)) for line in statements[:_MOST_STATEMENTS]],
        "bars": _bars(groups),
        "supply": any(one.kind == Kind.OUTAGE for one in groups),
        "affected": sum(one.affected or 0 for one in lost),
        "counted_to": _MOST_COUNTED if sum(one.n for one in groups) >= _MOST_COUNTED else None,
        "rows": rows[:_MOST_SHOWN],
        "then": then(request, selection),
        "count": selection.count(thorough=True),
        "linked": reading.incidents(request.user, as_of=selection.as_of).filter(linked=found),
        "may_state": access.may(request.user, Verb.STATE),
        "may_publish": access.may(request.user, Verb.WITHDRAW),
        "nav": "incidents",
    }
    return render(request, "incident/detail.html", context)


def _zone(found: Incident) -> str:
    area = found.areas.exclude(timezone="").first()
    return area.timezone if area else "UTC"


class _Group(NamedTuple):
    """How many reports of an incident are alike, and how many customers they say lost supply."""

    kind: str
    sector: str
    country: str
    adm1_code: str
    adm2_code: str
    adm3_code: str
    adm1_name: str
    damage_level: str
    customers_unit: str
    n: int
    affected: int | None


def _logged(line: Statement, groups: list[_Group]) -> int | None:
    """How many reports the register shows for a statement with a figure; None where it counts no reports."""
    fits = _LOGGED.get(line.type)
    if fits is None or line.figure is None:
        return None
    area = line.area
    here = [one for one in groups if area is None or getattr(one, AREA_FIELDS[area.level]) == area.code]
    return sum(one.n for one in here if fits(one))


def _bars(groups: list[_Group]) -> list[dict[str, Any]]:
    """Damage by region and level, for the chart."""
    regions: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for one in groups:
        if one.kind != Kind.OUTAGE:
            regions[one.adm1_name or _t("Not known")][one.damage_level or "unknown"] += one.n
    return [
        {"label": region, "parts": [(level, levels[level]) for level in scales.SEVERITY if level in levels]}
        for region, levels in sorted(regions.items())
    ]


@may(Verb.STATE)
def new(request: HttpRequest) -> HttpResponse:
    own = "\n".join(person_of(request).areas.values_list("code", flat=True)[:5])
    form = IncidentForm(request.POST or None, initial={"areas": own, "cause_group": "unknown"})
    if request.method == "POST" and form.is_valid():
        done = acting.once(
            request,
            form,
            lambda: {"reference": incidents.create(by=person_of(request), **form.cleaned_data).reference},
        )
        if done:
            return redirect("incident", done["reference"])
    return render(request, "incident/form.html", {"form": form, "nav": "incidents"})


@may(Verb.STATE)
def change(request: HttpRequest, reference: str) -> HttpResponse:
    found = _incident(request, reference)
    zone = ZoneInfo(_zone(found))
    initial = {
        "title": found.title,
        "cause_group": found.cause_group,
        "areas": "\n".join(area.code for area in found.areas.all()),
        "began_at": found.began_at.astimezone(zone).replace(tzinfo=None),
        "ended_at": found.ended_at and found.ended_at.astimezone(zone).replace(tzinfo=None),
        "linked": " ".join(found.linked.values_list("reference", flat=True)),
    }
    form = IncidentForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        done = acting.once(
            request,
            form,
            lambda: {
                "reference": incidents.change(
                    found.reference, by=person_of(request), **form.cleaned_data
                ).reference
            },
        )
        if done:
            return redirect("incident", found.reference)
    return render(request, "incident/form.html", {"form": form, "incident": found, "nav": "incidents"})


@may(Verb.STATE)
def state(request: HttpRequest, reference: str) -> HttpResponse:
    found = _incident(request, reference)
    form = StatementForm(request.POST or None, incident=found)
    if request.method == "POST" and form.is_valid():
        done = acting.once(
            request,
            form,
            lambda: {"id": incidents.state(found.reference, form.statement(), by=person_of(request)).pk},
        )
        if done:
            messages.success(request, _t("Statement recorded."))
            return redirect("incident", found.reference)
    return render(request, "incident/state.html", {"form": form, "incident": found, "nav": "incidents"})


@may(Verb.STATE)
@require_POST
def mark(request: HttpRequest, reference: str, what: str) -> HttpResponse:
    """Publish or hide an incident or a statement, or strike a statement out."""
    found = _incident(request, reference)
    line = acting.number(request, "statement") or 0
    acts: dict[str, Callable[[], Any]] = {
        "publish": lambda: incidents.publish(found.reference, by=person_of(request), published=True),
        "hide": lambda: incidents.publish(found.reference, by=person_of(request), published=False),
        "publish-statement": lambda: incidents.publish_statement(
            found.reference, line, by=person_of(request), published=True
        ),
        "hide-statement": lambda: incidents.publish_statement(
            found.reference, line, by=person_of(request), published=False
        ),
        "void-statement": lambda: incidents.void(found.reference, line, by=person_of(request)),
    }
    if what not in acts:
        raise Http404
    try:
        journal.once(command_id(request), by=person_of(request), act=lambda: {"done": bool(acts[what]())})
    except Refused as refused:
        messages.error(request, str(refused.message))
    return redirect("incident", found.reference)


urlpatterns = [
    path("incidents", incident_list, name="incidents"),
    path("incidents/new", new, name="new-incident"),
    path("i/<str:reference>", incident, name="incident"),
    path("i/<str:reference>/change", change, name="change-incident"),
    path("i/<str:reference>/state", state, name="state"),
    path("i/<str:reference>/mark/<slug:what>", mark, name="mark-incident"),
]
