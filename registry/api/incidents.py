"""Incidents and what was said about them; assets and their strikes."""

from datetime import datetime
from typing import Any

from django.http import Http404
from rest_framework.request import Request
from rest_framework.response import Response

from registry import filters
from registry.models import Area, Incident
from registry.models.identity import read_reference
from registry.outputs import reading
from registry.rules import access
from registry.rules.vocabularies import Holder

from . import shapes
from .doors import address, operation
from .reports import AFTER, AS_OF, LIMIT, limit, page_address, shown_as, single
from .shapes import plain, values

MOST = 500


@operation("Incidents, the newest first", gives="Incidents", params=[LIMIT, AFTER, AS_OF])
def list_incidents(request: Request) -> Response:
    """What caused reports: staff see all of it, everybody else what is published."""
    after, size = single(request, "after"), limit(request, MOST)
    as_of = _moment(request)
    rows = reading.incidents(request.user, as_of=as_of)
    if after:
        rows = reading.incidents_after(request.user, "after", after, as_of=as_of)
    found = list(rows.prefetch_related("areas")[: size + 1])
    shown = found[:size]
    more = shown[-1].reference if len(found) > size else ""
    return Response(
        {
            "incidents": [_incident(one, request.user) for one in shown],
            "next": _next(request, more) if more else None,
            "previous": None,
        }
    )


def _next(request: Request, last: str) -> str:
    kept = {name: single(request, name) for name in ("limit", "as_of")}
    return page_address("incidents", **kept, after=last)


def _moment(request: Request) -> datetime | None:
    """The moment as of which is asked, if one is; BadFilter if it is none."""
    return filters.select(request.user, {"as_of": single(request, "as_of")}).as_of


@operation("One incident and what was said about it", gives="IncidentDetail", params=[AS_OF])
def get_incident(request: Request, reference: str) -> Response:
    """Its statements and the incidents linked to it. Its reports: ``/reports?incident=``."""
    as_of = _moment(request)
    seen = reading.incidents(request.user, as_of=as_of)
    found = seen.filter(reference=read_reference(reference) or "").first()
    if found is None:
        raise Http404
    linked = seen.filter(linked=found).prefetch_related("areas")
    said = reading.statements(found, request.user, as_of=as_of)
    return Response(
        {
            "incident": _incident(found, request.user),
            "statements": [_statement(one, request.user) for one in said],
            "linked": [_incident(one, request.user) for one in linked],
        }
    )


def _incident(incident: Incident, person: Any) -> dict[str, Any]:
    return {
        **values(incident, shapes.INCIDENT),
        "areas": [area.code for area in incident.areas.all()],
        "published": incident.published if access.is_staff(person) else None,
        "url": address("incident", incident.reference),
    }


def _statement(statement: Any, person: Any) -> dict[str, Any]:
    area: Area | None = statement.area
    office = access.is_staff(person)
    return {
        **values(statement, shapes.STATEMENT),
        "area": area and area.code,
        "id": statement.pk if office else None,
        "published": statement.published if office else None,
        "voided_at": plain(statement.voided_at) if office else None,
    }


@operation("An asset and every strike on it", gives="Asset", params=[AS_OF])
def get_asset(request: Request, reference: str) -> Response:
    """A building, line or site, by the reports of it that you see."""
    found = reading.asset(request.user, reference, as_of=single(request, "as_of"))
    if found is None:
        raise Http404
    thing, selection, rows = found
    holder = selection.holder
    office = holder == Holder.OFFICE
    return Response(
        {
            "reference": thing.reference,
            "holder": holder,
            "name": plain(thing.name) if office else None,
            "part_of": thing.part_of.reference if office and thing.part_of else None,
            "parts": [part.reference for part in thing.parts.all()] if office else [],
            "reports": [shown_as(holder, row, now=selection.as_of is None) for row in rows],
            "url": address("asset", thing.reference),
        }
    )
