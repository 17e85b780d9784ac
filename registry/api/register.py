"""What the register is made of: areas, editions, code lists, scales, columns and filters; and who you are."""

from typing import Any

from django.conf import settings
from django.http import Http404
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from registry import filters
from registry.columns import COLUMNS
from registry.filters import BadFilter
from registry.forms.people import find_areas
from registry.models import Area, Edition
from registry.outputs import dictionary
from registry.rules import access, scales
from registry.rules.vocabularies import BY_NAME, OBJECT_TYPE_CHOICES

from . import problems, shapes
from .doors import Parameter, address, operation
from .reports import AFTER, LIMIT, limit, page_address, single
from .shapes import plain, values

MOST = 500
#: The addresses that the first one leads to.
_LINKS = (
    "reports", "incidents", "areas", "editions", "vocabularies", "scales", "columns", "filters", "me", "problems",
    "openapi",
)  # fmt: skip


@operation("The addresses of this API", gives="Index")
def get_index(request: Request) -> Response:
    """Where everything else is."""
    edition = Edition.objects.using("reader").first()
    return Response(
        {
            "register": settings.REGISTER_NAME,
            "edition": plain(edition and edition.at),
            "links": {name: address(name) for name in _LINKS},
        }
    )


@operation("Who you are", gives="Me", signed_in=True)
def get_me(request: Request) -> Response:
    """Your role, areas and sectors, and what your token may be used for."""
    person, token = request.user, request.auth
    return Response(
        {
            "name": person.name,
            "email": person.email,
            "role": person.role,
            "is_administrator": person.is_administrator,
            "areas": [area.code for area in person.areas_held],
            "sectors": person.sectors,
            "holder": filters.holder_for(person),
            "may": [str(verb) for verb in access.Verb if access.may(person, verb)],
            "token": token and values(token, ("name", "scope", "expires_at")),
        }
    )


@operation("Editions, the newest first", gives="Editions", params=[LIMIT, AFTER])
def list_editions(request: Request) -> Response:
    """Days whose state outsiders may ask for by ``as_of``."""
    rows, after, size = Edition.objects.using("reader"), single(request, "after"), limit(request, MOST)
    if after:
        try:
            moment = parse_datetime(after)
        except ValueError:
            moment = None
        if moment is None or moment.tzinfo is None:
            raise BadFilter("after", _("This is no page of the list."))
        rows = rows.filter(at__lt=moment)
    found = list(rows[: size + 1])
    more = plain(found[size - 1].at) if len(found) > size else None
    shown = [values(one, shapes.EDITION) for one in found[:size]]
    return Response({"editions": shown, "next": _next(request, "editions", more), "previous": None})


def _next(request: Request, name: str, token: str | None, **kept: str) -> str | None:
    return page_address(name, **kept, limit=single(request, "limit"), after=token) if token else None


# -- areas -----------------------------------------------------------------------------------------------


@operation(
    "Areas",
    gives="Areas",
    params=[
        Parameter("parent", meaning="The code of the area they lie in; countries if left away."),
        Parameter("text", meaning="A code, or the beginning of a name in any language: found at any level."),
        LIMIT,
        AFTER,
    ],
)
def list_areas(request: Request) -> Response:
    """Countries, regions, districts: those that lie in one, or those of a name, in the order of their codes."""
    parent, text, size = single(request, "parent"), single(request, "text"), limit(request, MOST)
    if text and parent:
        raise BadFilter("text", _("Give “parent” or “text”, not both."))
    rows = find_areas(text) if text else Area.objects.filter(parent=_area("parent", parent))
    if not text and not parent:
        rows = rows.filter(level=0)
    if after := single(request, "after"):
        rows = rows.filter(code__gt=after)
    found = list(rows.order_by("code").select_related("parent")[: size + 1])
    more = found[size - 1].code if len(found) > size else None
    shown = [_shown(area) for area in found[:size]]
    return Response(
        {"areas": shown, "next": _next(request, "areas", more, parent=parent, text=text), "previous": None}
    )


def _area(name: str, code: str) -> Area | None:
    if not code:
        return None
    found = Area.objects.filter(code=code).first()
    if found is None:
        raise BadFilter(name, _("There is no area of this code."))
    return found


@operation("One area", gives="AreaDetail")
def get_area(request: Request, code: str) -> Response:
    """An area, all it lies in, and its codes in other schemes."""
    area = Area.objects.filter(code=code).select_related("parent__parent__parent").first()
    if area is None:
        raise Http404
    within, above = [], area.parent
    while above is not None:
        within.append(_shown(above))
        above = above.parent
    return Response(
        {
            "area": _shown(area),
            "within": within[::-1],
            "codes": list(area.codes.order_by("scheme", "code").values("scheme", "code")),
        }
    )


def _shown(area: Area) -> dict[str, Any]:
    return {
        **values(area, shapes.AREA),
        "parent": area.parent and area.parent.code,
        "url": address("area", area.code),
    }


# -- words -----------------------------------------------------------------------------------------------


def _named(choices: Any) -> list[dict[str, str]]:
    return [{"code": code, "label": str(words)} for code, words in choices if code]


@operation("Every code list", gives="Vocabularies")
def list_vocabularies(request: Request) -> Response:
    """The codes of every coded column and their words."""
    found = {name: _named(vocabulary.choices) for name, vocabulary in BY_NAME.items()}
    return Response({"vocabularies": found | {"object_type": _named(OBJECT_TYPE_CHOICES)}})


@operation("Damage scales", gives="Scales")
def list_scales(request: Request) -> Response:
    """Every scale, its grades, and the EMS-98 grades each may mean."""
    found = [
        {
            "code": scale.code,
            "label": str(scale.label),
            "grades": [
                {
                    "code": grade.code,
                    "label": str(grade.label),
                    "help": plain(str(grade.help)),
                    "ems98_min": grade.ems98 and grade.ems98[0],
                    "ems98_max": grade.ems98 and grade.ems98[1],
                }
                for grade in scale.grades
            ],
        }
        for scale in scales.SCALES.values()
    ]
    return Response({"crosswalk_version": scales.CROSSWALK_VERSION, "scales": found})


@operation("The columns of a report", gives="Columns")
def list_columns(request: Request) -> Response:
    """Every outgoing column: its type, words, group and codes."""
    return Response(
        {
            "columns": [
                {
                    "name": column.name,
                    "type": column.type,
                    "label": str(column.label),
                    "help": plain(str(column.help)),
                    "group": column.group,
                    "hxl": plain(column.hxl),
                    "codes": _named(column.choices),
                }
                for column in COLUMNS
            ]
        }
    )


@operation("The filters you have", gives="Filters")
def list_filters(request: Request) -> Response:
    """Every filter of ``/reports`` that you have, and what it takes."""
    found = dictionary.filters(filters.select(request.user, {}))
    return Response(
        {
            "filters": [
                {"name": name, "label": str(label), "takes": str(takes)} for name, label, takes in found
            ]
        }
    )


@operation("The kinds of problems", gives="Problems")
def list_problems(request: Request) -> Response:
    """What the ``type`` of a problem ends in, and what it means."""
    return Response(
        {
            "problems": [
                {"kind": kind, "status": status, "title": str(title)}
                for kind, (status, title) in problems.KINDS.items()
            ]
        }
    )


@extend_schema(exclude=True)
def nothing(request: Request, rest: str = "") -> Response:
    """Any other address."""
    raise Http404
