"""The map's page, tiles and list as somebody asks for them."""

import json
import re

import pytest
from django.urls import reverse

from registry.actions import tallies
from registry.rules.vocabularies import Holder, Role
from tests import factories
from tests.factories import published, report

pytestmark = pytest.mark.django_db

KHARKIV = {"lat": 49.99, "lon": 36.23}
BOX = "36,49.5,36.5,50.5"


@pytest.fixture(autouse=True)
def areas():
    return factories.ukraine()


@pytest.fixture
def official(areas, client, settings):
    settings.SECOND_FACTOR_REQUIRED = False
    person = factories.person(Role.OFFICIAL, areas["UA"])
    client.force_login(person)
    return person


def test_a_tile_is_json_that_nobody_keeps_and_is_not_sent_twice(client, official):
    one = report(**KHARKIV)
    answer = client.get("/map/tiles/0/0/0.json")
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert json.loads(answer.content)["points"][0]["reference"] == one.reference
    etag = answer.headers["ETag"]
    again = client.get("/map/tiles/0/0/0.json", headers={"If-None-Match": etag})
    assert (again.status_code, again.content) == (304, b"")
    report(**KHARKIV)
    changed = client.get("/map/tiles/0/0/0.json", headers={"If-None-Match": etag})
    assert changed.status_code == 200
    assert changed.headers["ETag"] != etag


@pytest.mark.parametrize(
    ("address", "param"),
    [
        ("/map/tiles/x/0/0.json", "z"),
        ("/map/tiles/99/0/0.json", "z"),
        ("/map/tiles/3/-1/0.json", "x"),
        ("/map/tiles/3/0/8.json", "y"),
        ("/map/tiles/3/0/%D9%A1.json", "y"),
        ("/map/tiles/3/0/99999999999999999999.json", "y"),
        ("/map/tiles/0/0/0.json?colour=red", "colour"),
        ("/map?kind=castle", "kind"),
        ("/map?after=x", "after"),
        ("/map/list", "bbox"),
        ("/map/list?bbox=1,2,3", "bbox"),
        (f"/map/list?bbox={BOX}&after=nonsense", "after"),
    ],
)
def test_what_is_not_understood_is_named(client, official, address, param):
    answer = client.get(address)
    assert answer.status_code == 400
    assert param in answer.content.decode()


def test_the_page_names_its_regions_and_what_has_no_place(client, official):
    report(**KHARKIV)
    report()
    report(adm1_code="UA-23")
    report(adm1_code="", country="UA")
    page = client.get("/map").content.decode()
    regions = re.findall(
        r'<th scope="row"><a href="([^"]+)">([^<]+)</a></th><td class="number"><span[^>]*>(\d)', page
    )
    assert regions == [
        ("/reports?area=UA-63", "Kharkiv", "2"),
        ("/reports?area=UA", "Ukraine", "1"),
        ("/reports?area=UA-23", "Zaporizhzhia", "1"),
    ]
    assert "3 reports have no place on the map" in page


def test_the_pages_filter_goes_to_its_tiles_and_its_list(client, official):
    report(**KHARKIV)
    page = client.get("/map?status=verified&kind=building").content.decode()
    assert 'data-query="kind=building&amp;status=verified"' in page
    assert f"{reverse('reports')}?kind=building&amp;status=verified" in page
    assert "/reports?area=UA-63&amp;kind=building&amp;status=verified" in page


def test_a_map_without_any_report_still_opens_where_the_persons_reports_are(client, official):
    report(**KHARKIV)
    bounds = re.compile(r'data-bounds="([^"]*)"')
    whole, nothing = (
        bounds.search(client.get(f"/map{query}").content.decode()) for query in ("", "?kind=network")
    )
    assert whole[1] == nothing[1] != ""


def test_the_list_holds_what_is_in_the_box(client, official):
    here, there = report(**KHARKIV, settlement="Kharkiv"), report(lat=47.8, lon=35.1)
    piece = client.get(f"/map/list?bbox={BOX}").content.decode()
    assert here.reference in piece
    assert "School, Kharkiv" in piece
    assert there.reference not in piece
    assert client.get(f"/map/list?bbox={BOX}&kind=network").content.decode().strip() == ""


def test_the_list_goes_on_after_fifty(client, official):
    made = {report(**KHARKIV).reference for _ in range(52)}
    first = client.get(f"/map/list?bbox={BOX}").content.decode()
    more = re.search(r'data-more="([^"]+)"', first)[1].replace("&amp;", "&")
    second = client.get(more).content.decode()
    found = [set(re.findall(r'href="/r/([^"]+)"', piece)) for piece in (first, second)]
    assert [len(piece) for piece in found] == [50, 2]
    assert found[0] | found[1] == made
    assert "data-more" not in second


def test_visitors_see_the_published_map_alone(client):
    hidden = report(**KHARKIV, settlement="Hidden")
    shown = published(Holder.PUBLIC, lat=50.005, lon=36.235, settlement="Shown")
    tallies.rewrite(Holder.PUBLIC)
    for address in ("/map/tiles/0/0/0.json", f"/map/list?bbox={BOX}"):
        text = client.get(address).content.decode()
        assert shown.reference in text
        assert hidden.reference not in text
    assert client.get("/map").status_code == 200
