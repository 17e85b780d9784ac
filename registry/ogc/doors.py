"""The addresses of OGC API Features, from the landing page to one report."""

from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from registry.columns import COLUMNS
from registry.filters import Selection, select
from registry.models.identity import read_reference
from registry.rules.vocabularies import Holder

from . import describing
from .answers import (
    GEOJSON,
    HTML,
    JSON,
    OPENAPI,
    SCHEMA,
    Link,
    address,
    answer,
    both,
    door,
    encoded,
    link,
    only,
    wants_page,
)
from .asking import BESIDE, read
from .describing import REPORTS
from .items import NAMES, feature


@door
def landing(request: HttpRequest) -> HttpResponse:
    """Where everything is."""
    only(request, ())
    body = {
        "title": settings.REGISTER_NAME,
        "description": _("The register's reports as a layer for maps and programs: OGC API Features."),
        "links": [
            *both(request, JSON),
            link(
                address(request, reverse("ogc-api"), "f=json"),
                "service-desc",
                OPENAPI,
                _("Description in OpenAPI"),
            ),
            link(
                address(request, reverse("ogc-api"), "f=html"),
                "service-doc",
                HTML,
                _("Description as a page"),
            ),
            *_ways(request, "ogc-conformance", "conformance", _("What of the standard holds here")),
            *_ways(request, "ogc-collections", "data", _("The collections")),
        ],
    }
    return answer(request, body, "landing", {"address": address(request, reverse("ogc"))})


def _ways(request: HttpRequest, name: str, rel: str, title: str) -> list[Link]:
    return [
        link(address(request, reverse(name), f"f={form}"), rel, type, title)
        for form, type in (("json", JSON), ("html", HTML))
    ]


@door
def api(request: HttpRequest) -> HttpResponse:
    only(request, ())
    context = {"parameters": describing.parameters()} if wants_page(request) else None
    return answer(request, describing.openapi(request), "api", context, type=OPENAPI)


@door
def conformance(request: HttpRequest) -> HttpResponse:
    only(request, ())
    body = {"conformsTo": list(describing.CONFORMANCE), "links": both(request, JSON)}
    return answer(request, body, "conformance")


@door
def collections(request: HttpRequest) -> HttpResponse:
    found = describing.collection(request, _whose(request))
    return answer(request, {"links": both(request, JSON), "collections": [found]}, "collections")


@door
def collection(request: HttpRequest, name: str) -> HttpResponse:
    _known(name)
    body = describing.collection(request, _whose(request))
    return answer(request, body, "collection")


@door
def queryables(request: HttpRequest, name: str) -> HttpResponse:
    """What may be asked of reports."""
    return _columns(request, name, describing.queryables(request))


@door
def schema(request: HttpRequest, name: str) -> HttpResponse:
    """What a report has."""
    return _columns(request, name, describing.schema(request))


def _columns(request: HttpRequest, name: str, body: dict[str, Any]) -> HttpResponse:
    _known(name)
    only(request, ())
    return answer(request, body, "schema", {"columns": COLUMNS}, type=SCHEMA)


@door
def items(request: HttpRequest, name: str) -> HttpResponse:
    """Reports, so many at once, newest damage first."""
    _known(name)
    asked = read(request)
    selection = asked.selection
    # Rows of the past are of another table.
    columns = () if selection.as_of else NAMES
    page = selection.full_page(after=asked.after, size=asked.limit, columns=columns)
    links = both(request, GEOJSON)
    next_query = ""
    if page.after:
        data = request.GET.copy()
        data["after"] = page.after
        next_query = data.urlencode()
        is_page = wants_page(request)
        links.append(link(address(request, request.path, next_query), "next", HTML if is_page else GEOJSON))
    if wants_page(request):
        context = {
            "selection": selection,
            "page": page,
            "office": selection.holder == Holder.OFFICE,
            "next_url": f"?{next_query}" if next_query else "",
        }
        return answer(request, {"links": links}, "items", context)
    body: dict[str, Any] = {
        "type": "FeatureCollection",
        "links": links,
        "timeStamp": timezone.now().isoformat(timespec="seconds").replace("+00:00", "Z"),
        "numberReturned": len(page.rows),
    }
    is_all = not (asked.after or page.after)
    if (matched := len(page.rows) if is_all else _matched(selection)) is not None:
        body["numberMatched"] = matched
    # Each report is written and let go before the next: ten thousand would take much memory at once.
    page.rows.reverse()
    features = b",".join(encoded(feature(page.rows.pop())) for _row in range(len(page.rows)))
    return HttpResponse(
        b'%b,"features":[%b]}' % (encoded(body).removesuffix(b"}"), features), content_type=GEOJSON
    )


def _matched(selection: Selection) -> int | None:
    """How many reports there are, where that is known or soon counted."""
    if (tallied := selection.tallied) is not None:
        return tallied
    count = selection.count()
    return None if count.more else count.n


@door
def item(request: HttpRequest, name: str, reference: str) -> HttpResponse:
    """One report."""
    _known(name)
    selection = _whose(request)
    canonical = read_reference(reference)
    rows = (
        []
        if canonical is None
        else [row for some in selection.tables for row in some.filter(reference=canonical)]
    )
    if not rows:
        raise Http404
    body = feature(rows[0])
    back = address(request, reverse("ogc-collection", args=[REPORTS]))
    body["links"] = [*both(request, GEOJSON), link(back, "collection", JSON)]
    values = body["properties"]
    context = {
        "properties": [(one.label, values[one.name]) for one in COLUMNS if values[one.name] is not None]
    }
    return answer(request, body, "item", context, type=GEOJSON)


@door
def nothing(request: HttpRequest, rest: str) -> HttpResponse:
    raise Http404


def _known(name: str) -> None:
    if name != REPORTS:
        raise Http404


def _whose(request: HttpRequest) -> Selection:
    """All rows of whoever asks, of the moment asked for."""
    only(request, BESIDE)
    return select(request.user, {name: request.GET[name] for name in BESIDE if name in request.GET})


urlpatterns = [
    path("ogc", landing, name="ogc"),
    path("ogc/", landing, name="ogc-landing"),
    path("ogc/api", api, name="ogc-api"),
    path("ogc/conformance", conformance, name="ogc-conformance"),
    path("ogc/collections", collections, name="ogc-collections"),
    path("ogc/collections/<str:name>", collection, name="ogc-collection"),
    path("ogc/collections/<str:name>/queryables", queryables, name="ogc-queryables"),
    path("ogc/collections/<str:name>/schema", schema, name="ogc-schema"),
    path("ogc/collections/<str:name>/items", items, name="ogc-items"),
    path("ogc/collections/<str:name>/items/<str:reference>", item, name="ogc-item"),
    path("ogc/<path:rest>", nothing, name="ogc-nothing"),
]
