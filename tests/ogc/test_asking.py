"""What the items may be asked: rows, pages, boxes, days, editions, and every parameter wrong."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from registry.actions import editions, tokens
from registry.filters import EVERY_FILTER, paging, selection
from registry.models import PublicReport, Report
from registry.ogc import asking
from tests import factories
from tests.ogc.conftest import OGC, ids

pytestmark = pytest.mark.django_db


def next_of(answer: Any) -> str:
    """The address of the page after, without the server; "" if there is none."""
    return next(
        (link["href"].partition("testserver")[2] for link in answer["links"] if link["rel"] == "next"), ""
    )


def test_a_report_is_a_feature(ask: Callable[..., Any], reports: list[str]) -> None:
    answer = ask()
    assert ids(answer) == reports
    assert (answer["numberReturned"], answer["numberMatched"]) == (3, 3)
    house = answer["features"][1]
    # What the public sees, with coordinates in the order of GeoJSON.
    assert house["geometry"] == {"type": "Point", "coordinates": [36.505, 49.505]}
    assert house["properties"]["occurred_from"] == "2026-03-08"
    assert house["properties"]["dwellings_total"] == 12
    assert house["properties"]["updated_utc"] == "2026-03-12T12:00:00Z"
    assert house["properties"]["address"] is None
    assert answer["features"][2]["geometry"] is None
    assert ask(f"{OGC}/{reports[1]}")["properties"] == house["properties"]
    assert ask(f"{OGC}/{reports[1].lower().replace('-', '')}")["id"] == reports[1]


def test_pages_follow_each_other_to_the_end(ask: Callable[..., Any], reports: list[str]) -> None:
    """Every filter goes with them; the last has no next."""
    answer = ask(limit="1", bbox="0,0,90,90", datetime="2026-03-01/..", country="UA", status="verified")
    found = ids(answer)
    while address := next_of(answer):
        for part in ("bbox=", "datetime=", "country=UA", "status=verified", "limit=1"):
            assert part in address
        answer = ask(address)
        found += ids(answer)
    assert found == reports[:2]


def test_a_box_holds_what_lies_in_it_and_what_has_no_place(
    ask: Callable[..., Any], reports: list[str]
) -> None:
    """As the standard has it; the register's own box leaves out what has no place."""
    shop, house, loss = reports
    assert ids(ask(bbox="36.2,49.9,36.3,50.1")) == [shop, loss]
    assert ids(ask(bbox="36.2,49.9,-100,36.3,50.1,9000")) == [shop, loss]
    # Large, small, and across the date line.
    assert ids(ask(bbox="-180,-90,180,90")) == reports
    assert ids(ask(bbox="36.5,49.5,36.6,49.6")) == [house, loss]
    assert ids(ask(bbox="170,-90,36.3,90")) == [shop, loss]
    assert ids(ask(bbox="170,-90,-170,90")) == [loss]


DAYS = [
    ("2026-03-10", [0]),
    ("2026-03-10T23:00:00Z", [0]),
    ("2026-03-10T23:00:00+02:00", [0]),
    ("2026-03-08/2026-03-08", [1]),
    ("2026-03-09/..", [0, 1]),
    ("2026-03-09/", [0, 1]),
    ("../2026-03-08T00:00:00Z", [1, 2]),
    ("/2026-03-08", [1, 2]),
    ("2026-03-09T/..", [0, 1]),
    ("2027-01-01/..", []),
    # As QGIS writes an open end.
    ("2026-03-09/9999-12-31T00:00:00Z", [0, 1]),
    ("0000-01-01T00:00:00Z/2026-03-08", [1, 2]),
]


def test_days_are_those_on_which_it_may_have_happened(ask: Callable[..., Any], reports: list[str]) -> None:
    found = {asked: ids(ask(datetime=asked)) for asked, _rows in DAYS}
    assert found == {asked: [reports[row] for row in rows] for asked, rows in DAYS}


def test_the_registers_own_filters_hold_here_too(ask: Callable[..., Any], reports: list[str]) -> None:
    shop, house, loss = reports
    assert ids(ask(type="house")) == [house]
    assert ids(ask(area="UA-63", kind="outage")) == [loss]
    assert ids(ask(text=shop)) == [shop]
    assert ids(ask(level="destroyed", datetime="2026-03-08")) == [house]
    assert ids(ask(**{"from": "2026-03-10"})) == [shop]


def test_an_edition_of_the_past_may_be_asked_for(ask: Callable[..., Any], reports: list[str]) -> None:
    house = Report.objects.get(reference=reports[1])
    later = factories.AT + timedelta(days=3)
    factories.change(house, at=later, damage_level="minor")
    editions.publish(later + timedelta(days=1))
    assert ids(ask(level="destroyed")) == []
    assert ids(ask(level="destroyed", as_of="2026-03-12")) == [reports[1]]
    assert ids(ask(filter="damage_level = 'destroyed'", as_of="2026-03-12", bbox="36,49,37,50")) == [
        reports[1]
    ]
    assert ids(ask(as_of="2026-03-12", limit="2")) == reports[:2]
    item = ask(f"{OGC}/{reports[1]}", as_of="2026-03-12")
    assert item["properties"]["damage_level"] == "destroyed"
    assert ask(f"{OGC}/{reports[1]}")["properties"]["damage_level"] == "minor"


def test_everybody_is_given_their_own_rows(
    ask: Callable[..., Any], reports: list[str], settings: Any
) -> None:
    settings.SECOND_FACTOR_REQUIRED = False
    researcher = factories.person("researcher")
    official = factories.person("official", factories.ukraine()["UA-63"])
    elsewhere = factories.person("official", factories.ukraine()["UA-23"])
    shop = f"{OGC}/{reports[0]}"
    assert ask(shop)["geometry"]["coordinates"] == [36.2505, 50.0005]
    assert ask(shop, by=researcher)["geometry"]["coordinates"] == [36.2504, 50.0004]
    assert ask(shop, by=official)["geometry"]["coordinates"] == [36.2504, 50.0004]
    assert ids(ask(by=elsewhere)) == []
    assert ids(ask(by=elsewhere, view="published")) == reports
    ask(shop, by=elsewhere, expect=404)
    # A report that is only known to the office.
    fresh = factories.report(by=official, status="reported", at=datetime.now(UTC))
    assert fresh.reference in ids(ask(by=official))
    ask(f"{OGC}/{fresh.reference}", expect=404)


#: The last parameter of each is wrong.
WRONG: list[dict[str, str]] = [
    {"colour": "red"},
    {"offset": "10"},
    {"limit": "0"},
    {"limit": "-1"},
    {"limit": "ten"},
    {"limit": "1.5"},
    {"bbox": "1,2,3"},
    {"bbox": "1,2,3,4,5"},
    {"bbox": "a,b,c,d"},
    {"bbox": "1,2,nan,3,4,5"},
    {"bbox": "1,nan,3,4"},
    {"bbox": "1,9,3,4"},
    {"bbox": "1,-91,3,4"},
    {"bbox": "-181,1,3,4"},
    {"bbox": ",,,"},
    {"datetime": "yesterday"},
    {"datetime": "2026-02-30"},
    {"datetime": "2026-03-01T10:00:00"},
    {"datetime": "2026-03-01T25:00:00Z"},
    {"datetime": ".."},
    {"datetime": "9999-12-31"},
    {"datetime": "2026-03-01/9999-12-30"},
    {"datetime": "../.."},
    {"datetime": "2026-03-02/2026-03-01"},
    {"datetime": "2026-03-01/2026-03-02/2026-03-03"},
    {"from": "2026-03-01", "datetime": "2026-03-01"},
    {"crs": "http://www.opengis.net/def/crs/EPSG/0/4326"},
    {"bbox": "1,2,3,4", "bbox-crs": "http://www.opengis.net/def/crs/EPSG/0/3857"},
    {"filter": "true", "filter-crs": "http://www.opengis.net/def/crs/OGC/0/no"},
    {"filter": "true", "filter-lang": "cql2-json"},
    {"after": "2026-03-10"},
    {"after": "2026-03-10.0000"},
    {"as_of": "1999-01-01"},
    {"as_of": "soon"},
    {"view": "published"},
    {"kind": "castle"},
    {"dwellings_total": "many"},
    {"sources_agree": "1"},
    {"verified_on": "2026-02-30"},
    {"address": "a\x00b"},
    {"text": "a\x00b"},
    {"assignee": "1"},
    {"f": "xml"},
    {"geometry": "x"},
]


def test_what_is_wrong_is_named(refused: Callable[..., str], reports: list[str]) -> None:
    for parameters in WRONG:
        assert refused(**parameters).startswith(f"{[*parameters][-1]}: "), parameters


def test_an_empty_parameter_is_refused(refused: Callable[..., str], reports: list[str]) -> None:
    """It comes of a variable that was not set, and would mean everything."""
    names = [*asking.OWN, *asking.BESIDE, *EVERY_FILTER, *asking.EQUALS, "colour"]
    assert {"bbox", "datetime", "filter", "limit", "settlement", "as_of", "status", "kind"} <= {*names}
    for name in names:
        for nothing in ("", " "):
            assert refused(**{name: nothing}) == f"{name}: It is empty: leave it away.", name
    # Nor is it left out beside one that is filled.
    assert Client().get(f"{OGC}?status=verified&status=").status_code == 400
    for address in ("/ogc", "/ogc/collections", "/ogc/collections/reports", f"{OGC}/{reports[0]}"):
        answer = Client().get(address, {"as_of": ""})
        assert (answer.status_code, answer.json()["code"]) == (400, "InvalidParameterValue"), address
    page = Client().get(OGC, {"bbox": ""}, headers={"Accept": "text/html"})
    assert page.status_code == 400
    assert "bbox" in page.content.decode()


def test_a_parameter_given_twice_is_refused(reports: list[str]) -> None:
    for twice in (
        "limit=1&limit=2",
        "bbox=1,2,3,4&bbox=1,2,3,5",
        "address=a&address=b",
        "filter=true&filter=false",
    ):
        answer = Client().get(f"{OGC}?{twice}")
        assert answer.status_code == 400
        assert answer.json()["description"].startswith(twice.partition("=")[0])


def test_other_addresses_take_no_parameters_of_items(ask: Callable[..., Any], reports: list[str]) -> None:
    for address in ("/ogc", "/ogc/api", "/ogc/conformance", "/ogc/collections/reports/queryables"):
        assert ask(address, expect=400, as_of="2026-03-12")["description"].startswith("as_of: ")
    for address in ("/ogc/collections", "/ogc/collections/reports", f"{OGC}/{reports[0]}"):
        assert ask(address, expect=400, limit="1")["description"].startswith("limit: ")


def test_what_is_not_there_is_said_in_the_standards_shape(
    ask: Callable[..., Any], reports: list[str]
) -> None:
    for address in (
        "/ogc/collections/buildings",
        "/ogc/collections/buildings/items",
        f"{OGC}/0000-0000",
        f"{OGC}/none",
        "/ogc/tiles",
        "/ogc/collections/reports/map",
    ):
        assert ask(address, expect=404).keys() == {"code", "description"}


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_a_wrong_method_is_told_which_are_right(method: str, reports: list[str], settings: Any) -> None:
    """By a browser too, whose forms need a token against forgery elsewhere, and by a program with a token."""
    settings.SECOND_FACTOR_REQUIRED = False
    _token, secret = tokens.make(factories.person("researcher"), name="R", scope="read", days=1)
    client = Client(enforce_csrf_checks=True)
    for address in (
        "/ogc",
        "/ogc/",
        "/ogc/api",
        "/ogc/collections/reports",
        OGC,
        f"{OGC}/{reports[0]}",
        "/ogc/x",
    ):
        for headers in ({}, {"Accept": "text/html"}, {"Authorization": f"Bearer {secret}"}):
            answer = client.generic(method, address, b"{}", headers=headers)
            assert (answer.status_code, answer["Allow"]) == (405, "GET, HEAD"), address
            assert answer["Content-Type"] == "application/json"
            assert answer.json().keys() == {"code", "description"}


def test_a_reader_is_refused_on_a_page(reports: list[str]) -> None:
    answer = Client().get(OGC, {"colour": "red", "f": "html"})
    assert answer.status_code == 400
    assert "<h1>" in answer.content.decode()
    assert "<h1>" in Client().get("/ogc/tiles", headers={"Accept": "text/html"}).content.decode()


def test_pages_without_rows_never_have_a_next(
    ask: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, reports: list[str]
) -> None:
    """Programs take an empty page for the last, so the register goes on looking for the one row that fits."""
    at = factories.AT
    for days in range(9, 40):
        day = (at - timedelta(days=days)).date()
        factories.published(occurred_from=day, occurred_to=day, summary="far" if days == 39 else "near")
    for name, number in (("LOOKED", 2), ("LOOKED_FOR_ANY", 3), ("MOST_LOOKED", 8)):
        monkeypatch.setattr(selection, name, number)
    answer = ask(filter="summary = 'far'", limit="1")
    assert (len(ids(answer)), next_of(answer)) == (1, "")
    assert ask(filter="summary = 'none'", limit="1")["links"][-1]["rel"] != "next"
    # Some rows were found among as many as are looked at: the next page finds the rest.
    answer = ask(filter="summary LIKE '_ear'", limit="40")
    found = ids(answer)
    while address := next_of(answer):
        assert answer["features"]
        answer = ask(address)
        found += ids(answer)
    assert len(found) == PublicReport.objects.filter(summary="near").count()
    # One at a time: who comes meanwhile is asked to come again.
    with paging.alone():
        answer = Client().get(OGC, {"filter": "summary = 'none'", "limit": "1"})
        assert (answer.status_code, answer["Retry-After"]) == (503, "10")
        assert answer.json()["code"] == "Busy"


def test_a_filter_leads_along_the_indexes_of_lists(ask: Callable[..., Any], reports: list[str]) -> None:
    """What stands between ANDs is walked by as if a filter of the register asked it."""
    from django.http import QueryDict

    from registry.filters import select
    from registry.ogc.cql2 import also

    def asked(filter: str) -> Any:
        selection = select(None, QueryDict(), also=also(filter))
        return selection.filterset.asked(selection.filterset.table(PublicReport, selection.using))

    found = asked(
        "adm1_code = 'UA-63' AND (status IN ('verified', 'closed') AND occurred_to >= DATE('2026-03-01'))"
    )
    assert found.values == {"adm1_code": ["UA-63"], "status": ["verified", "closed"]}
    assert found.low is not None
    assert found.high is None
    found = asked("verified_on > DATE('2026-03-01') AND S_INTERSECTS(geometry, POINT(36 50))")
    assert found.few.keys() == {"verified_on", "cell"}
    for other in ("adm1_code = 'UA-63' OR true", "NOT adm1_code = 'UA-63'", "adm1_code <> 'UA-63'"):
        assert asked(other).values == {}
