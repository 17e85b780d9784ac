"""How this door answers: as JSON or as a page, with links to the other, and refusals in the standard's shape."""

import json
from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt

from registry.filters import BadFilter, Busy, refuse_blanks

JSON, HTML = "application/json", "text/html"
GEOJSON, SCHEMA = "application/geo+json", "application/schema+json"
OPENAPI = "application/vnd.oai.openapi+json;version=3.0"
CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
#: The relation of a collection to what may be asked of it.
QUERYABLES = "http://www.opengis.net/def/rel/ogc/1.0/queryables"

View = Callable[..., HttpResponse]
Link = dict[str, str]


def wants_page(request: HttpRequest) -> bool:
    """Whether a page is asked for rather than JSON: by ``f``, else by the Accept header."""
    asked = request.GET.get("f", "")
    if asked not in ("", "json", "html"):
        raise BadFilter("f", _("It is json or html."))
    if asked:
        return asked == "html"
    return request.get_preferred_type([JSON, GEOJSON, SCHEMA, OPENAPI, HTML]) == HTML


def address(request: HttpRequest, path: str, query: str = "") -> str:
    """An address of this server in full."""
    return request.build_absolute_uri(f"{path}?{query}" if query else path)


def link(href: str, rel: str, type: str, title: str = "") -> Link:
    return {"href": href, "rel": rel, "type": type} | ({"title": title} if title else {})


def both(request: HttpRequest, type: str, path: str | None = None) -> list[Link]:
    """Links to this answer as it is and as the other representation."""
    data = request.GET.copy()
    page = wants_page(request)
    found = []
    for name, kind in (("json", type), ("html", HTML)):
        data["f"] = name
        is_this = (name == "html") == page
        href = address(request, path or request.path, data.urlencode())
        found.append(link(href, "self" if is_this else "alternate", kind))
    return found


def answer(
    request: HttpRequest,
    body: Any,
    template: str,
    context: dict[str, Any] | None = None,
    *,
    type: str = JSON,
) -> HttpResponse:
    """The body as JSON, or the template's page of ``context`` (and of the body as ``body``)."""
    if wants_page(request):
        frame = {"nav": "data", "body": body, "links": body.get("links") or both(request, type)}
        return render(request, f"ogc/{template}.html", frame | (context or {}))
    return HttpResponse(encoded(body), content_type=type)


def encoded(body: Any) -> bytes:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def only(request: HttpRequest, names: Iterable[str]) -> None:
    """Raise BadFilter for the first parameter that is none of these."""
    known = {"f", *names}
    for name in request.GET:
        if name not in known:
            raise BadFilter(name, _("There is no such parameter."))


def refusal(status: int, code: str, description: str) -> HttpResponse:
    return HttpResponse(encoded({"code": code, "description": description}), content_type=JSON, status=status)


def door(view: View) -> View:
    """Decorator: the view may be read, by parameters that are not empty, and what it refuses is said in the
    standard's shape, or on a page to whoever asked for one."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.method not in ("GET", "HEAD"):
            refused = refusal(405, "MethodNotAllowed", _("This can only be read."))
            refused["Allow"] = "GET, HEAD"
            return refused
        try:
            refuse_blanks(request.GET)
            return view(request, *args, **kwargs)
        except BadFilter as error:
            if _to_a_reader(request):
                raise
            return refusal(400, "InvalidParameterValue", f"{error.param}: {error.message}")
        except Http404:
            if _to_a_reader(request):
                raise
            return refusal(404, "NotFound", _("There is nothing at this address."))
        except Busy:
            words = _("No index knows this filter, and another one is being looked for: come again soon.")
            refused = refusal(503, "Busy", words)
            refused["Retry-After"] = "10"
            return refused

    # A wrong method is told so: there is nothing to forge where nothing is changed.
    return csrf_exempt(guarded)


def _to_a_reader(request: HttpRequest) -> bool:
    try:
        return wants_page(request)
    except BadFilter:
        return False
