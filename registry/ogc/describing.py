"""What there is and what may be asked of it: the collection, its schema, and the door's OpenAPI description,
all made of the table of columns and of the filters."""

from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from registry.columns import COLUMNS, Column
from registry.filters import EVERY_FILTER, Selection
from registry.outputs import mapping
from registry.rules.vocabularies import Holder

from .answers import CRS84, GEOJSON, HTML, JSON, OPENAPI, QUERYABLES, SCHEMA, address, both, link
from .asking import EQUALS, LANGUAGES, LIMIT, MOST_ITEMS

#: The one collection.
REPORTS = "reports"

_CORE = "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf"
_FILTERING = "http://www.opengis.net/spec/ogcapi-features-3/1.0/conf"
_CQL2 = "http://www.opengis.net/spec/cql2/1.0/conf"
CONFORMANCE = (
    *(f"{_CORE}/{name}" for name in ("core", "oas30", "geojson", "html")),
    *(
        f"{_FILTERING}/{name}"
        for name in ("queryables", "queryables-query-parameters", "filter", "features-filter")
    ),
    *(
        f"{_CQL2}/{name}"
        for name in ("cql2-text", "basic-cql2", "advanced-comparison-operators", "basic-spatial-functions")
    ),
)

_WHOSE: dict[str, Any] = {
    Holder.OFFICE: gettext_lazy("The office's own reports, within your areas: each one feature."),
    Holder.PUBLIC: gettext_lazy("What the public sees of each report: one feature for one."),
    Holder.RESEARCHER: gettext_lazy("What researchers see of each report: one feature for one."),
}
_WORLD = [-180.0, -90.0, 180.0, 90.0]

# -- the collection ----------------------------------------------------------------------------------------


def collection(request: HttpRequest, selection: Selection) -> dict[str, Any]:
    """The reports that this person is given, as a collection."""
    path = reverse("ogc-collection", args=[REPORTS])
    items = reverse("ogc-items", args=[REPORTS])
    box = mapping.bounds(selection)
    south, west, north, east = box or (_WORLD[1], _WORLD[0], _WORLD[3], _WORLD[2])
    return {
        "id": REPORTS,
        "title": _("Reports of damage and losses of supply"),
        "description": str(_WHOSE[selection.holder]),
        "itemType": "feature",
        "crs": [CRS84],
        "extent": {
            "spatial": {"bbox": [[west, south, east, north]], "crs": CRS84},
            "temporal": {"interval": [[None, None]]},
        },
        "links": [
            *both(request, JSON, path),
            link(address(request, items, "f=json"), "items", GEOJSON, _("The reports as GeoJSON")),
            link(address(request, items, "f=html"), "items", HTML, _("The reports as a page")),
            link(address(request, reverse("ogc-queryables", args=[REPORTS])), QUERYABLES, SCHEMA),
            link(
                address(request, reverse("ogc-schema", args=[REPORTS])), "describedBy", SCHEMA
            ),  # GDAL 3.6 reads it letter by letter
            link(address(request, reverse("dictionary-csv")), "describedby", "text/csv"),
        ],
    }


# -- columns as JSON Schema ----------------------------------------------------------------------------------

_TYPES: dict[str, dict[str, str]] = {
    "text": {"type": "string"},
    "code": {"type": "string"},
    "integer": {"type": "integer"},
    "decimal": {"type": "number"},
    "boolean": {"type": "boolean"},
    "date": {"type": "string", "format": "date"},
    "moment": {"type": "string", "format": "date-time"},
}


def property_of(column: Column) -> dict[str, Any]:
    """A column as a property of JSON Schema."""
    found: dict[str, Any] = {"title": str(column.label), **_TYPES[column.type]}
    if column.help:
        found["description"] = str(column.help)
    if column.choices:
        found["enum"] = [code for code, _words in column.choices]
    return found


def queryables(request: HttpRequest) -> dict[str, Any]:
    """What may be asked of a report: its columns and its place."""
    return _head(request) | {
        "properties": {
            **{column.name: property_of(column) for column in COLUMNS},
            "geometry": {
                "title": str(_("place")),
                "$ref": "https://geojson.org/schema/Point.json",
                "format": "geometry-point",
                "x-ogc-role": "primary-geometry",
            },
        },
        "additionalProperties": False,
    }


def schema(request: HttpRequest) -> dict[str, Any]:
    """What a report as a feature has, by which programs know a column's type before they see a value."""
    return _head(request) | {
        "required": ["type", "id", "geometry", "properties"],
        "properties": {
            "type": {"type": "string", "enum": ["Feature"]},
            "id": {"type": "string"},
            "geometry": {"$ref": "https://geojson.org/schema/Point.json"},
            "properties": {
                "type": "object",
                "properties": {column.name: property_of(column) for column in COLUMNS},
            },
        },
    }


def _head(request: HttpRequest) -> dict[str, Any]:
    return {
        "$schema": "https://json-schema.org/draft/2019-09/schema",
        "$id": address(request, request.path),
        "type": "object",
        "title": str(_("Reports of damage and losses of supply")),
    }


# -- OpenAPI -------------------------------------------------------------------------------------------------


def _query(name: str, description: Any, schema: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "name": name,
        "in": "query",
        "required": False,
        "description": str(description),
        "schema": schema,
        **more,
    }


def _numbers(least: int, most: int) -> dict[str, Any]:
    return {
        "type": "array",
        "minItems": least,
        "maxItems": most,
        "oneOf": [{"minItems": least, "maxItems": least}, {"minItems": most, "maxItems": most}],
        "items": {"type": "number"},
    }


def parameters() -> list[dict[str, Any]]:
    """What the items may be asked by: the standard's parameters, the register's filters, the columns."""
    series = {"style": "form", "explode": False}
    own = [
        _query("f", _("json or html."), {"type": "string", "enum": ["json", "html"]}),
        _query(
            "limit",
            _("How many reports at most; “next” goes on after them."),
            {"type": "integer", "minimum": 1, "maximum": MOST_ITEMS, "default": LIMIT},
            **series,
        ),
        _query(
            "bbox",
            _("Only reports in this box, or without a place: west,south,east,north in degrees."),
            _numbers(4, 6),
            **series,
        ),
        _query(
            "datetime",
            _("Only damage that may have happened then: a day or moment, or two with / between; .. is open."),
            {"type": "string"},
            **series,
        ),
        _query("filter", _("What reports must meet, in CQL2 text."), {"type": "string"}),
        _query(
            "filter-lang",
            _("The language of the filter."),
            {"type": "string", "enum": list(LANGUAGES), "default": LANGUAGES[0]},
        ),
        _query("after", _("Where “next” goes on."), {"type": "string"}),
        *(
            _query(
                name,
                _("Places are given in CRS84 alone."),
                {"type": "string", "format": "uri", "enum": [CRS84]},
            )
            for name in ("crs", "bbox-crs", "filter-crs")
        ),
        _query("as_of", _("The reports as they stood then: an edition for outsiders."), {"type": "string"}),
        _query(
            "view",
            _("Staff: what is published, in place of their own areas."),
            {"type": "string", "enum": ["published"]},
        ),
    ]
    filters = [
        _query(name, str(one.label).capitalize(), {"type": "string"})
        for name, one in EVERY_FILTER.items()
        if name != "bbox"
    ]
    columns = [_query(name, column.label, property_of(column)) for name, column in EQUALS.items()]
    return own + filters + columns


def _ok(description: Any, type: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {
        "200": {
            "description": str(description),
            "content": {type: {"schema": schema}, HTML: {"schema": {"type": "string"}}},
        },
        **{status: {"$ref": "#/components/responses/Refused"} for status in ("400", "404", "405", "503")},
        **{status: {"$ref": "#/components/responses/NotLetIn"} for status in ("401", "403")},
    }


def _get(name: str, summary: Any, responses: Any, parameters: Iterable[Any] = ()) -> dict[str, Any]:
    return {
        "get": {
            "operationId": name,
            "summary": str(summary),
            "tags": ["features"],
            "parameters": list(parameters),
            "responses": responses,
        }
    }


def openapi(request: HttpRequest) -> dict[str, Any]:
    """The description of this door in OpenAPI 3.0."""
    form = _query("f", _("json or html."), {"type": "string", "enum": ["json", "html"]})
    whose = [one for one in parameters() if one["name"] in ("as_of", "view")]
    object_, links = {"type": "object"}, {"$ref": "#/components/schemas/links"}
    of_reports = f"/collections/{REPORTS}"
    feature = {"$ref": "#/components/schemas/feature"}
    return {
        "openapi": "3.0.3",
        "info": {
            "title": settings.REGISTER_NAME,
            "version": "1.0",
            "description": str(_("The reports as a layer: OGC API Features.")),
        },
        "servers": [{"url": address(request, reverse("ogc")).rstrip("/")}],
        "tags": [{"name": "features"}],
        # Everybody is given something; a token or a session decides whose rows.
        "security": [{}, {"token": []}, {"session": []}],
        "paths": {
            "/": _get("getLandingPage", _("Where everything is"), _ok(_("Links"), JSON, object_), [form]),
            "/api": _get("getApi", _("This description"), _ok(_("OpenAPI 3.0"), OPENAPI, object_), [form]),
            "/conformance": _get(
                "getConformance", _("What of the standard holds here"), _ok(_("Classes"), JSON, object_), [form]
            ),
            "/collections": _get(
                "getCollections", _("The collections"), _ok(_("Collections"), JSON, object_), [form, *whose]
            ),
            of_reports: _get(
                "describeReports", _("The collection"), _ok(_("Collection"), JSON, object_), [form, *whose]
            ),
            f"{of_reports}/queryables": _get(
                "getQueryables", _("What may be asked of reports"), _ok(_("Schema"), SCHEMA, object_), [form]
            ),
            f"{of_reports}/schema": _get(
                "getSchema", _("What a report has"), _ok(_("Schema"), SCHEMA, object_), [form]
            ),
            f"{of_reports}/items": _get(
                "getReports",
                _("Reports"),
                _ok(_("Reports as features"), GEOJSON, {"$ref": "#/components/schemas/features"}),
                parameters(),
            ),
            f"{of_reports}/items/{{featureId}}": _get(
                "getReport",
                _("One report"),
                _ok(_("A report as a feature"), GEOJSON, feature),
                [
                    {
                        "name": "featureId",
                        "in": "path",
                        "required": True,
                        "description": str(_("The report's reference.")),
                        "schema": {"type": "string"},
                    },
                    form,
                    *whose,
                ],
            ),
        },
        "components": {
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
                "session": {"type": "apiKey", "in": "cookie", "name": settings.SESSION_COOKIE_NAME},
            },
            "schemas": {
                "exception": {
                    "type": "object",
                    "required": ["code"],
                    "properties": {"code": {"type": "string"}, "description": {"type": "string"}},
                },
                "links": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "required": ["href", "rel", "type"],
                        "properties": {name: {"type": "string"} for name in ("href", "rel", "type", "title")},
                    },
                },
                "point": {
                    "type": "object",
                    "nullable": True,
                    "required": ["type", "coordinates"],
                    "properties": {
                        "type": {"type": "string", "enum": ["Point"]},
                        "coordinates": {
                            "type": "array", "minItems": 2, "maxItems": 2, "items": {"type": "number"},
                        },
                    },
                },
                "feature": {
                    "type": "object",
                    "required": ["type", "id", "geometry", "properties"],
                    "properties": {
                        "type": {"type": "string", "enum": ["Feature"]},
                        "id": {"type": "string"},
                        "geometry": {"$ref": "#/components/schemas/point"},
                        "properties": {
                            "type": "object",
                            "properties": {
                                column.name: property_of(column) | {"nullable": True} for column in COLUMNS
                            },
                        },
                        "links": links,
                    },
                },
                "features": {
                    "type": "object",
                    "required": ["type", "features"],
                    "properties": {
                        "type": {"type": "string", "enum": ["FeatureCollection"]},
                        "features": {"type": "array", "items": feature},
                        "links": links,
                        "timeStamp": {"type": "string", "format": "date-time"},
                        "numberMatched": {"type": "integer", "minimum": 0},
                        "numberReturned": {"type": "integer", "minimum": 0},
                    },
                },
            },
            "responses": {
                "Refused": {
                    "description": str(_("What was not understood, or not found, in words.")),
                    "content": {
                        JSON: {"schema": {"$ref": "#/components/schemas/exception"}},
                        HTML: {"schema": {"type": "string"}},
                    },
                },
                "NotLetIn": {
                    "description": str(_("Why a token does not serve.")),
                    "content": {"application/problem+json": {"schema": object_}},
                },
            },
        },
    }  # fmt: skip
