"""The map: its page, its tiles, and the list of what is in view."""

import hashlib
import json
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.utils.cache import get_conditional_response
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from registry.filters import BadFilter, Selection, select
from registry.outputs import mapping, statistics
from registry.rules import access
from registry.rules.vocabularies import Holder

from .then import then


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """*Where is it?* The map of a selection; without script the regions with their counts."""
    selection = select(request.user, request.GET)
    box = mapping.bounds(selection)
    if box is None and selection.values:
        box = mapping.bounds(
            select(request.user, {name: request.GET[name] for name in ("view",) if name in request.GET})
        )
    address = reverse("map")
    context = {
        "nav": "map",
        "selection": selection,
        "chips": [(words, f"{address}?{query}") for words, query in selection.parts],
        "clear_url": address,
        "is_staff": access.is_staff(request.user),
        "is_office": selection.holder == Holder.OFFICE,
        "office_query": selection.query_without("view"),
        "bounds": ",".join(map(str, box)) if box else "",
        "tile_url": settings.TILE_URL,
        "regions": _regions(selection),
        "without_place": mapping.without_place(selection),
        "then": then(request, selection),
    }
    return render(request, "map/page.html", context)


def _regions(selection: Selection) -> list[tuple[str, int, str]] | None:
    """The regions of a selection: name, reports, and the query of their list; None if it holds too many."""
    counts = statistics.by_region(selection)
    if counts is None:
        return None
    names = statistics.area_names(counts, using=selection.using)
    rest = selection.query_without("area")
    return [
        (
            names.get(code, "") or _("Region not known"),
            n,
            "&".join(filter(None, [f"area={code}" if code in names else "", rest])),
        )
        for code, n in counts.most_common()
    ]


@require_safe
def tile(request: HttpRequest, z: str, x: str, y: str) -> HttpResponse:
    """One tile of the map as JSON; see ``mapping.tile``."""
    numbers = {}
    for name, typed in (("z", z), ("x", x), ("y", y)):
        if not (typed.isascii() and typed.isdigit() and len(typed) < 10):
            raise BadFilter(name, _("There is no such tile."))
        numbers[name] = int(typed)
    found = mapping.tile(select(request.user, request.GET), numbers["z"], numbers["x"], numbers["y"])
    body = json.dumps(found, ensure_ascii=False, separators=(",", ":")).encode()
    etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    response = HttpResponse(body, content_type="application/json", headers={"ETag": etag})
    return get_conditional_response(request, etag=etag, response=response) or response


@require_safe
def in_view(request: HttpRequest) -> HttpResponse:
    """The reports in a box (``bbox``), 50 at a time, as a piece of the page."""
    selection = select(request.user, request.GET, beside=("after",))
    if "bbox" not in selection.params:
        raise BadFilter("bbox", _("Say which part of the map: west,south,east,north."))
    found = selection.page(after=request.GET.get("after"))
    context: dict[str, Any] = {
        "rows": [(mapping.title(row), row) for row in found.rows],
        "more_url": f"{reverse('map-list')}?{selection.query}&after={found.after}" if found.after else "",
        "then_query": selection.query_of("as_of"),
        "list_url": f"{reverse('reports')}?{selection.query}",
    }
    return render(request, "map/_in_view.html", context)


urlpatterns = [
    path("map", page, name="map"),
    path("map/list", in_view, name="map-list"),
    path("map/tiles/<str:z>/<str:x>/<str:y>.json", tile, name="map-tile"),
]
