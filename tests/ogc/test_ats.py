"""OGC's abstract tests of every conformance class that ``/ogc/conformance`` names, one by one, by their ids:
``/conf/core/fc-md-op`` is ``test_core_fc_md_op``.

Sources: 17-069r4 annex A, 19-079r2 annex A, 21-065r2 annex A. Where they ask for OGC's own test data, our rows
stand in for it: ``test_cql2`` holds filters against them.
"""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from itertools import combinations
from typing import Any

import jsonschema
import pytest
from django.test import Client
from drf_spectacular.validation import validate_schema

from registry.ogc.describing import CONFORMANCE
from tests import factories
from tests.ogc.conftest import OGC, ids

pytestmark = pytest.mark.django_db

COLLECTION = "/ogc/collections/reports"
QUERYABLES_REL = "http://www.opengis.net/def/rel/ogc/1.0/queryables"
CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
GEOJSON, JSON, SCHEMA = "application/geo+json", "application/json", "application/schema+json"
OPENAPI = "application/vnd.oai.openapi+json;version=3.0"


@pytest.fixture
def rows(db: None) -> list[str]:
    """References of three rows of the public, the last without a place."""
    factories.edition()
    day = factories.AT.date()
    places: list[dict[str, Any]] = [
        {"lat": 50, "lon": 36},
        {"lat": -10, "lon": 120.5},
        {"started_utc": factories.AT},
    ]
    return [
        factories.published(
            occurred_from=day - timedelta(days=n),
            occurred_to=day - timedelta(days=n),
            strike_no=n + 1,
            **place,
        ).reference
        for n, place in enumerate(places)
    ]


def get(address: str, *, accept: str = JSON, expect: int = 200, **query: str) -> Any:
    """The JSON at an address, of the type asked for."""
    answer = Client().get(address, query, headers={"Accept": accept})
    assert answer.status_code == expect, (answer.status_code, answer.content)
    if expect == 200:
        assert answer["Content-Type"] == accept
    return answer.json()


def items(*, expect: int = 200, **query: str) -> Any:
    return get(OGC, accept=GEOJSON, expect=expect, **query)


def meeting(filter: str, **query: str) -> list[str]:
    return ids(items(filter=filter, **{"filter-lang": "cql2-text"}, **query))


def links(body: Any, rel: str) -> list[str]:
    """The types of the links of a relation, each of which leads somewhere."""
    found = [link for link in body["links"] if link["rel"] == rel]
    for link in found:
        assert link["type"]
        if link["href"].startswith("http://testserver/"):
            assert Client().get(link["href"].removeprefix("http://testserver")).status_code == 200
    return [link["type"] for link in found]


def parameter(name: str) -> Any:
    """A parameter of the items as OpenAPI describes it."""
    described = get("/ogc/api", accept=OPENAPI)["paths"]["/collections/reports/items"]["get"]["parameters"]
    (found,) = [one for one in described if one["name"] == name]
    return found


def valid(body: Any, name: str) -> None:
    """The body fits the schema of this name in the OpenAPI description."""
    components = get("/ogc/api", accept=OPENAPI)["components"]
    schema = _nullable({"$ref": f"#/components/schemas/{name}", "components": components})
    jsonschema.validate(body, schema)


def _nullable(schema: Any) -> Any:
    """OpenAPI's schema as JSON Schema, which says otherwise what may be null."""
    if isinstance(schema, list):
        return [_nullable(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    if schema.get("nullable"):
        bare = {key: value for key, value in schema.items() if key != "nullable"}
        return {"anyOf": [_nullable(bare), {"type": "null"}]}
    return {key: _nullable(value) for key, value in schema.items()}


# -- core ---------------------------------------------------------------------------------------------------


def test_core_http(rows: list[str]) -> None:
    """Served by gunicorn as HTTP 1.1, HTTPS by the proxy before it; here that methods answer as they should."""
    for address in ("/ogc", COLLECTION, OGC):
        assert Client().head(address).status_code == 200
        assert Client().delete(address).status_code == 405


def test_core_root_op(rows: list[str]) -> None:
    get("/ogc")
    get("/ogc/")


def test_core_root_success(rows: list[str]) -> None:
    body = get("/ogc")
    assert OPENAPI in links(body, "service-desc")
    assert "text/html" in links(body, "service-doc")
    assert JSON in links(body, "conformance")
    assert JSON in links(body, "data")


def test_core_api_definition_op(rows: list[str]) -> None:
    for link in get("/ogc")["links"]:
        if link["rel"] in ("service-desc", "service-doc"):
            assert Client().get(link["href"].removeprefix("http://testserver")).status_code == 200


def test_core_api_definition_success(rows: list[str]) -> None:
    body = get("/ogc/api", accept=OPENAPI)
    assert body["openapi"].startswith("3.0.")
    assert body["servers"] == [{"url": "http://testserver/ogc"}]


def test_core_conformance_op(rows: list[str]) -> None:
    get("/ogc/conformance")


def test_core_conformance_success(rows: list[str]) -> None:
    assert get("/ogc/conformance")["conformsTo"] == list(CONFORMANCE)


def test_core_crs84(rows: list[str]) -> None:
    """Longitude first, and no other system named."""
    body = items()
    assert [one["geometry"] and one["geometry"]["coordinates"] for one in body["features"]] == [
        [36.0, 50.0],
        [120.5, -10.0],
        None,
    ]
    assert "crs" not in body
    (collection,) = get("/ogc/collections")["collections"]
    assert collection["crs"] == [CRS84]


def test_core_query_param_invalid(rows: list[str]) -> None:
    for query in ({"limit": "x"}, {"bbox": "1,2,3"}, {"datetime": "x"}):
        valid(items(expect=400, **query), "exception")


def test_core_query_param_unknown(rows: list[str]) -> None:
    valid(items(expect=400, unknown="1"), "exception")


def test_core_fc_md_op(rows: list[str]) -> None:
    get("/ogc/collections")


def test_core_fc_md_success(rows: list[str]) -> None:
    body = get("/ogc/collections")
    assert isinstance(body["links"], list)
    assert [one["id"] for one in body["collections"]] == ["reports"]


def test_core_fc_md_links(rows: list[str]) -> None:
    body = get("/ogc/collections")
    assert links(body, "self") == [JSON]
    assert links(body, "alternate") == ["text/html"]


def test_core_fc_md_items(rows: list[str]) -> None:
    (body,) = get("/ogc/collections")["collections"]
    assert body["id"]
    assert body["itemType"] == "feature"


def test_core_fc_md_items_links(rows: list[str]) -> None:
    (body,) = get("/ogc/collections")["collections"]
    assert links(body, "items") == [GEOJSON, "text/html"]


def test_core_fc_md_extent(rows: list[str]) -> None:
    """Every place of the collection lies in its extent, and every day."""
    extent = get(COLLECTION)["extent"]
    ((west, south, east, north),) = extent["spatial"]["bbox"]
    assert -180 <= west <= 36 < 120.5 <= east <= 180
    assert -90 <= south <= -10 < 50 <= north <= 90
    assert extent["temporal"]["interval"] == [[None, None]]


def test_core_fc_md_extent_multi(rows: list[str]) -> None:
    extent = get(COLLECTION)["extent"]
    assert (len(extent["spatial"]["bbox"]), len(extent["temporal"]["interval"])) == (1, 1)


def test_core_sfc_md_op(rows: list[str]) -> None:
    for one in get("/ogc/collections")["collections"]:
        get(f"/ogc/collections/{one['id']}")


def test_core_sfc_md_success(rows: list[str]) -> None:
    (listed,) = get("/ogc/collections")["collections"]
    alone = get(COLLECTION)
    for name in ("id", "title", "description", "extent", "crs", "itemType", "links"):
        assert alone[name] == listed[name]


def test_core_fc_op(rows: list[str]) -> None:
    assert len(items()["features"]) == 3


def test_core_fc_response(rows: list[str]) -> None:
    body = items()
    assert body["type"] == "FeatureCollection"
    valid(body, "features")


def test_core_fc_limit_definition(rows: list[str]) -> None:
    described = parameter("limit")
    assert described | {"description": ""} == {
        "name": "limit",
        "in": "query",
        "required": False,
        "description": "",
        "schema": {"type": "integer", "minimum": 1, "maximum": 10_000, "default": 10},
        "style": "form",
        "explode": False,
    }


def test_core_fc_limit_response(rows: list[str]) -> None:
    for day in range(12):
        factories.published(occurred_to=factories.AT.date() - timedelta(days=20 + day), occurred_from=None)
    assert len(items(limit="1")["features"]) == 1
    assert len(items()["features"]) == 10
    assert len(items(limit="10000")["features"]) == 15
    # More than the most is no error.
    assert len(items(limit="1000000")["features"]) == 15


def test_core_fc_bbox_definition(rows: list[str]) -> None:
    described = parameter("bbox")
    assert (described["in"], described["required"], described["style"], described["explode"]) == (
        "query", False, "form", False,
    )  # fmt: skip
    schema = described["schema"]
    assert (schema["type"], schema["minItems"], schema["maxItems"]) == ("array", 4, 6)
    assert schema["items"] == {"type": "number"}


def test_core_fc_bbox_response(rows: list[str]) -> None:
    """What lies in the box, and what has no place."""
    assert ids(items(bbox="30,40,40,60")) == [rows[0], rows[2]]
    assert ids(items(bbox="30,40,0,40,60,100")) == [rows[0], rows[2]]
    assert ids(items(bbox="120,-90,-120,90")) == rows[1:]


def test_core_fc_time_definition(rows: list[str]) -> None:
    described = parameter("datetime")
    assert (described["in"], described["required"], described["style"], described["explode"]) == (
        "query", False, "form", False,
    )  # fmt: skip
    assert described["schema"] == {"type": "string"}


def test_core_fc_time_response(rows: list[str]) -> None:
    assert ids(items(datetime="2026-03-09T12:31:12Z")) == [rows[1]]
    assert ids(items(datetime="2026-03-09T00:00:00Z/2026-03-10T12:31:12Z")) == rows[:2]
    assert ids(items(datetime="../2026-03-09T12:31:12Z")) == rows[1:]
    assert ids(items(datetime="/2026-03-09T12:31:12Z")) == rows[1:]
    assert ids(items(datetime="2026-03-10T00:00:00Z/..")) == rows[:1]
    assert ids(items(datetime="2026-03-10T00:00:00Z/")) == rows[:1]


def test_core_fc_links(rows: list[str]) -> None:
    body = items(limit="1")
    assert links(body, "self") == [GEOJSON]
    assert links(body, "alternate") == ["text/html"]
    assert links(body, "next") == [GEOJSON]


def test_core_fc_timeStamp(rows: list[str]) -> None:
    assert datetime.fromisoformat(items()["timeStamp"]).tzinfo


def test_core_fc_numberMatched(reports: list[str]) -> None:
    assert items(limit="1")["numberMatched"] == len(reports)
    assert items(type="house")["numberMatched"] == 1
    assert items(filter="object_type = 'house'", limit="1")["numberMatched"] == 1


def test_core_fc_numberReturned(rows: list[str]) -> None:
    for limit in ("1", "2", "3"):
        body = items(limit=limit)
        assert body["numberReturned"] == len(body["features"])


def test_core_f_op(rows: list[str]) -> None:
    for reference in rows:
        get(f"{OGC}/{reference}", accept=GEOJSON)


def test_core_f_success(rows: list[str]) -> None:
    by_id = {one["id"]: one for one in items()["features"]}
    for reference in rows:
        body = get(f"{OGC}/{reference}", accept=GEOJSON)
        valid(body, "feature")
        del body["links"]
        assert body == by_id[reference]


def test_core_f_links(rows: list[str]) -> None:
    body = get(f"{OGC}/{rows[0]}", accept=GEOJSON)
    assert links(body, "self") == [GEOJSON]
    assert links(body, "alternate") == ["text/html"]
    assert links(body, "collection") == [JSON]


# -- GeoJSON, HTML, OpenAPI 3.0 -------------------------------------------------------------------------------


def test_geojson_definition(rows: list[str]) -> None:
    """The responses that OpenAPI describes as GeoJSON are sent as such."""
    items()
    get(f"{OGC}/{rows[0]}", accept=GEOJSON)


def test_geojson_content(rows: list[str]) -> None:
    """RFC 7946: features, points of longitude and latitude, or null."""
    for one in items()["features"]:
        assert one["type"] == "Feature"
        assert one["geometry"] is None or (
            one["geometry"]["type"] == "Point" and len(one["geometry"]["coordinates"]) == 2
        )
        assert isinstance(one["properties"], dict)


def documents(rows: list[str]) -> Iterator[str]:
    yield from (
        "/ogc",
        "/ogc/api",
        "/ogc/conformance",
        "/ogc/collections",
        COLLECTION,
        f"{COLLECTION}/queryables",
    )
    yield from (f"{COLLECTION}/schema", OGC, f"{OGC}/{rows[0]}")


def test_html_definition(rows: list[str]) -> None:
    """Every answer is a page for whoever takes text/html."""
    for address in documents(rows):
        for answer in (
            Client().get(address, headers={"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}),
            Client().get(address, {"f": "html"}),
        ):
            assert (answer.status_code, answer["Content-Type"]) == (200, "text/html; charset=utf-8"), address


def test_html_content(rows: list[str]) -> None:
    """What the page holds: the same as the JSON."""
    page = Client().get(OGC, {"f": "html"}).content.decode()
    assert page.lstrip().startswith("<!doctype html>")
    for reference in rows:
        assert page.count(reference) >= 2
    page = Client().get(f"{OGC}/{rows[1]}", {"f": "html"}).content.decode()
    for value in (rows[1], "120.5, -10.0", "Kharkiv", "2026-03-09", "Europe/Kyiv"):
        assert value in page
    page = Client().get("/ogc/conformance", {"f": "html"}).content.decode()
    assert all(name in page for name in CONFORMANCE)
    page = Client().get(OGC, {"f": "html", "limit": "1"}).content.decode()
    assert 'rel="next"' in page


def test_oas30_oas_definition_1(rows: list[str]) -> None:
    assert OPENAPI in links(get("/ogc"), "service-desc")


def test_oas30_oas_definition_2(rows: list[str]) -> None:
    """The description is valid OpenAPI 3.0."""
    validate_schema(get("/ogc/api", accept=OPENAPI))


def test_oas30_oas_impl(rows: list[str]) -> None:
    """Every path that is described answers."""
    for path in get("/ogc/api", accept=OPENAPI)["paths"]:
        address = f"/ogc{path}".replace("{featureId}", rows[0])
        assert Client().get(address).status_code == 200, address


def test_oas30_completeness(rows: list[str]) -> None:
    for methods in get("/ogc/api", accept=OPENAPI)["paths"].values():
        assert {*methods["get"]["responses"]} == {"200", "400", "401", "403", "404", "405", "503"}


def test_oas30_exception_codes(rows: list[str]) -> None:
    assert items(expect=400, unknown="1")["code"] == "InvalidParameterValue"
    assert get(f"{OGC}/0000-0000", expect=404)["code"] == "NotFound"
    described = get("/ogc/api", accept=OPENAPI)["components"]["responses"]["Refused"]
    assert described["content"][JSON]["schema"] == {"$ref": "#/components/schemas/exception"}


def test_oas30_security(rows: list[str]) -> None:
    body = get("/ogc/api", accept=OPENAPI)
    assert body["components"]["securitySchemes"]["token"] == {"type": "http", "scheme": "bearer"}
    assert {"token": []} in body["security"]


# -- queryables -----------------------------------------------------------------------------------------------


def queryables() -> dict[str, Any]:
    return get(f"{COLLECTION}/queryables", accept=SCHEMA)["properties"]


def scalars() -> dict[str, tuple[str, str]]:
    """The columns that may be asked of: type and format."""
    return {
        name: (one["type"], one.get("format", "")) for name, one in queryables().items() if name != "geometry"
    }


@pytest.mark.parametrize("uri", CONFORMANCE)
def test_get_conformance(uri: str) -> None:
    """Of every class: the API declares it."""
    assert uri in get("/ogc/conformance")["conformsTo"]


def test_queryables_get_queryables(rows: list[str]) -> None:
    body = get(f"{COLLECTION}/queryables", accept=SCHEMA)
    assert body["$schema"] == "https://json-schema.org/draft/2019-09/schema"
    assert body["$id"] == f"http://testserver{COLLECTION}/queryables"
    assert body["type"] == "object"
    assert body["properties"]["geometry"]["$ref"] == "https://geojson.org/schema/Point.json"
    for one in body["properties"].values():
        assert "type" in one or "$ref" in one


def test_queryables_get_collection(rows: list[str]) -> None:
    found = [link["href"] for link in get(COLLECTION)["links"] if link["rel"] == QUERYABLES_REL]
    assert found == [f"http://testserver{COLLECTION}/queryables"]


def test_queryables_query_parameters_parameters(rows: list[str]) -> None:
    """Every column with a simple value is a parameter, and what it is given is found."""
    feature = items()["features"][0]
    described = get("/ogc/api", accept=OPENAPI)["paths"]["/collections/reports/items"]["get"]["parameters"]
    assert {*scalars()} <= {one["name"] for one in described if one["in"] == "query"}
    asked = 0
    for name in scalars():
        if (value := feature["properties"][name]) is not None:
            asked += 1
            found = items(**{name: str(value).lower() if isinstance(value, bool) else str(value)})["features"]
            assert feature["id"] in [one["id"] for one in found]
            assert {one["properties"][name] for one in found} == {value}
    assert asked > 10


# -- filter ----------------------------------------------------------------------------------------------------


def test_filter_filter_param(rows: list[str]) -> None:
    for name in list(scalars())[::6]:
        empty = [one["id"] for one in items()["features"] if one["properties"][name] is None]
        assert meeting(f"{name} IS NULL") == empty, name
    items(expect=400, filter="THIS IS NOT A FILTER", **{"filter-lang": "cql2-text"})


def test_filter_filter_lang_default(rows: list[str]) -> None:
    assert ids(items(filter="started_utc IS NULL")) == rows[:2]
    items(expect=400, filter="THIS IS NOT A FILTER")


def test_filter_expression_construction(rows: list[str]) -> None:
    items(expect=400, filter="this_is_not_a_queryable IS NULL")


def world() -> str:
    ((west, south, east, north),) = get(COLLECTION)["extent"]["spatial"]["bbox"]
    return f"S_INTERSECTS(geometry,BBOX({west},{south},{east},{north}))"


def test_filter_filter_crs_wgs84(rows: list[str]) -> None:
    assert meeting(world()) == rows[:2]
    items(expect=400, filter="S_INTERSECTS(geometry,BBOX(1000000,1000000,2000000,2000000))")


def test_filter_filter_crs_param(rows: list[str]) -> None:
    assert meeting(world(), **{"filter-crs": CRS84}) == rows[:2]
    items(expect=400, filter=world(), **{"filter-crs": "http://www.opengis.net/def/crs/OGC/0/does_not_exist"})


def test_filter_mixing_expression(rows: list[str]) -> None:
    """A filter and a box: both."""
    assert meeting(world(), bbox="-180,-90,180,90") == rows[:2]
    assert meeting(world(), bbox="-20,-20,-10,-10") == []
    assert meeting("strike_no = 1", bbox="30,40,40,60", datetime="2026-03-10") == rows[:1]


def test_features_filter_filter_on_items(rows: list[str]) -> None:
    """The tests of the class Filter were made of the items."""
    assert meeting("strike_no > 1") == rows[1:]


# -- CQL2 --------------------------------------------------------------------------------------------------------

#: A value of every type, as OGC's tests write it.
VALUES = {
    ("string", ""): "'foo'",
    ("boolean", ""): "true",
    ("number", ""): "3.14",
    ("integer", ""): "1",
    ("string", "date-time"): "TIMESTAMP('2022-04-14T14:48:46Z')",
    ("string", "date"): "DATE('2022-04-14')",
}


def some(kinds: list[tuple[str, str]]) -> list[tuple[str, tuple[str, str]]]:
    """Two columns of each type: they are compared in the same way."""
    return [pair for kind in kinds for pair in [one for one in scalars().items() if one[1] == kind][:2]]


def test_basic_cql2_basic_test(rows: list[str]) -> None:
    assert {*scalars().values()} == {*VALUES}


def test_basic_cql2_comparison(rows: list[str]) -> None:
    for name, kind in some(list(VALUES)):
        found = {
            sign: {*meeting(f"{name} {sign} {VALUES[kind]}")} for sign in ("=", "<>", ">", "<", ">=", "<=")
        }
        for one, other in (("=", "<>"), (">", "<="), ("<", ">=")):
            assert not found[one] & found[other], name


def test_basic_cql2_is_null(rows: list[str]) -> None:
    for name, _kind in [*some(list(VALUES)), ("geometry", ("", ""))]:
        empty, filled = meeting(f"{name} IS NULL"), meeting(f"{name} is not null")
        assert sorted(empty + filled) == sorted(rows), name


def test_basic_cql2_boolean(rows: list[str]) -> None:
    assert meeting("true") == rows
    assert meeting("false") == []


def test_basic_cql2_logical(rows: list[str]) -> None:
    """Each combination against the same logic over what its parts find: here each is true or false of a row."""
    predicates = (
        "strike_no = 1",
        "strike_no > 1",
        "started_utc IS NULL",
        "kind <> 'outage'",
        "strike_no <= 2",
    )
    known = {predicate: {*meeting(predicate)} for predicate in predicates}
    everything = {*rows}
    for four in list(combinations(predicates, 4)):
        p1, p2, p3, p4 = four
        one, two, three, last = (known[predicate] for predicate in four)
        expected = ((everything - two) & one) | (three & last) | (everything - (one | last))
        assert {*meeting(f"(NOT ({p2}) AND {p1}) OR ({p3} and {p4}) or not ({p1} OR {p4})")} == expected


def test_advanced_comparison_operators_like(rows: list[str]) -> None:
    for name, _kind in some([("string", "")]):
        found = [meeting(f"{name} {like}") for like in ("LIKE '%'", "like '_%'", "like ''", "like '%%'")]
        assert found[0] == found[3]
        assert not {*found[1]} & {*found[2]}
        meeting(f"{name} like '\\%\\_'")


def test_advanced_comparison_operators_between(rows: list[str]) -> None:
    for name, _kind in some([("number", ""), ("integer", "")]):
        meeting(f"{name} BETWEEN 0 AND 100")
        assert meeting(f"{name} between 100.0 and 1.0") == []


def test_advanced_comparison_operators_in(rows: list[str]) -> None:
    among = {
        ("number", ""): "1, 2, 3",
        ("integer", ""): "1, 2, 3",
        ("string", ""): "'foo', 'bar'",
        ("boolean", ""): "true",
        ("string", "date-time"): "'2022-04-14T14:52:56Z', '2022-04-14T15:52:56Z'",
        ("string", "date"): "'2022-04-14', '2022-04-15'",
    }
    for name, kind in some(list(VALUES)):
        meeting(f"{name} IN ({among[kind]})")
    assert meeting("strike_no IN (1, 2, 9)") == rows[:2]


def test_basic_spatial_functions_s_intersects(rows: list[str]) -> None:
    assert meeting("S_INTERSECTS(geometry,BBOX(-180,-90,180,90))") == rows[:2]
    assert meeting("S_INTERSECTS(geometry,POINT(36 50))") == rows[:1]
    items(expect=400, filter="S_INTERSECTS(geometry,POINT(90 180))")
    west, east = "BBOX(-180,-90,-90,90)", "BBOX(90,-90,180,90)"
    assert meeting(f"S_INTERSECTS(geometry,{west}) AND S_INTERSECTS(geometry,{east})") == []


def test_basic_spatial_functions_logical(rows: list[str]) -> None:
    p1, p2 = "S_INTERSECTS(geometry,BBOX(0,40,40,50))", "strike_no BETWEEN 1 AND 2"
    assert meeting(f"((NOT {p1} AND {p2}) OR ({p2} and NOT {p1}) or not ({p1} AND {p2}))") == rows[1:]


def test_cql2_text_validate(rows: list[str]) -> None:
    """The tests of the classes above were made of CQL2 text."""
    assert "http://www.opengis.net/spec/cql2/1.0/conf/cql2-text" in CONFORMANCE


def test_cql2_text_escaping(rows: list[str], ask: Callable[..., Any]) -> None:
    odd = "it's \a\b\t\n\v\f\r \\ end"
    row = factories.published(settlement=odd, occurred_from=None)
    for quote in ("''", r"\'"):
        written = rf"it{quote}s \a\b\t\n\v\f\r \\ end"
        assert meeting(f"settlement = '{written}'") == [row.reference]
