"""The map's tiles: the pyramid and the rows gather the same groups, within what the reader may see."""

import json
import random
from datetime import timedelta

import pytest

from registry import geo
from registry.actions import tallies
from registry.filters import BadFilter, select
from registry.models import Report
from registry.outputs import mapping
from registry.rules.vocabularies import Holder, Role
from tests import factories
from tests.factories import AT, change, published, report

pytestmark = pytest.mark.django_db

KHARKIV = {"lat": 49.99, "lon": 36.23}


@pytest.fixture(autouse=True)
def areas():
    return factories.ukraine()


@pytest.fixture
def official(areas):
    return factories.person(Role.OFFICIAL, areas["UA"])


def address(zoom: int, lat: float, lon: float) -> tuple[int, int, int]:
    """The tile of a zoom that holds a point."""
    prefix = geo.cell(lat, lon) >> 2 * (geo.ZOOM - zoom)
    x, y = (sum((prefix >> 2 * bit + odd & 1) << bit for bit in range(zoom)) for odd in (0, 1))
    return zoom, x, y


def tile(person, zoom, query=None, *, at=KHARKIV):
    return mapping.tile(select(person, query or {}), *address(zoom, at["lat"], at["lon"]))


def total(tile) -> int:
    return len(tile["points"]) + sum(cluster["n"] for cluster in tile["clusters"])


def everywhere(selection, zoom) -> list[dict]:
    return [mapping.tile(selection, zoom, x, y) for x in range(1 << zoom) for y in range(1 << zoom)]


# -- groups and points


def test_a_report_alone_is_a_point_that_can_be_opened(official):
    one = report(**KHARKIV, settlement="Kharkiv", address="Lenina 5", geo_radius_m=40, damage_level="severe")
    for zoom in (0, 9, 16):
        assert tile(official, zoom) == {
            "partial": False,
            "clusters": [],
            "points": [
                {
                    "lat": 49.99,
                    "lon": 36.23,
                    "reference": one.reference,
                    "title": "School, Lenina 5, Kharkiv",
                    "level": "severe",
                    "status": "verified",
                    "radius_m": 40,
                }
            ],
        }


def test_reports_near_each_other_are_a_group_of_their_worst_damage_where_most_are(official):
    for level in ("minor", "minor", "destroyed", "unknown", ""):
        report(**KHARKIV, damage_level=level)
    report(lat=50.6, lon=36.4)
    (cluster,) = tile(official, 4)["clusters"]
    assert (cluster["n"], cluster["level"]) == (6, "destroyed")
    assert geo.distance_m(cluster["lat"], cluster["lon"], 50.0, 36.2) < 60_000
    (near,) = tile(official, 12)["clusters"]
    assert near["n"] == 5
    assert geo.distance_m(near["lat"], near["lon"], **{"lat2": 49.99, "lon2": 36.23}) < 200


def test_what_would_stand_upon_a_groups_marker_belongs_to_it(official):
    for _ in range(2):
        report(lat=50.0, lon=36.56)
    beside = report(lat=50.0, lon=36.57, damage_level="destroyed")
    assert geo.cell(50.0, 36.56) >> 2 * (geo.ZOOM - 7) != geo.cell(50.0, 36.57) >> 2 * (geo.ZOOM - 7)
    (cluster,) = tile(official, 4)["clusters"]
    assert (cluster["n"], cluster["level"]) == (3, "destroyed")
    assert [point["reference"] for point in tile(official, 13, at={"lat": 50.0, "lon": 36.57})["points"]] == [
        beside.reference
    ]


def test_the_pyramid_and_the_rows_gather_the_same_groups(areas, official):
    chance = random.Random(7)
    made = []
    for turn in range(80):
        at = AT + timedelta(minutes=turn)
        fields = {
            "lat": chance.choice([49.99, 49.9905, 50.4, 47.8]),
            "lon": chance.choice([36.23, 36.2301, 35.1]),
            "adm1_code": chance.choice(["UA-63", "UA-23"]),
            "status": chance.choice(["verified", "reported", "rejected"]),
            "damage_level": chance.choice(["minor", "severe"]),
            "withdrawn": chance.choice(["", "", "error"]),
        }
        if made and chance.random() < 0.4:
            change(Report.objects.get(pk=chance.choice(made).pk), at=at, **factories.row(**fields))
        else:
            made.append(report(at=at, **fields))
        if chance.random() < 0.1:
            tallies.merge()
    # A filter that all rows meet is answered by the rows.
    by_rows = {"from": "2020-01-01"}
    for person in (official, factories.person(Role.OFFICIAL, areas["UA-63"])):
        for zoom in (0, 3):
            whole, ranged = (everywhere(select(person, query), zoom) for query in ({}, by_rows))
            assert whole == ranged
            assert sum(map(total, whole)) == len(list(select(person, {}).tables[0]))
        for zoom in (10, 11, 14):
            assert tile(person, zoom) == tile(person, zoom, by_rows)


def test_a_tile_holds_its_own_part_of_the_world_alone(official):
    report(**KHARKIV)
    z, x, y = address(9, 49.99, 36.23)
    selection = select(official, {})
    assert total(mapping.tile(selection, z, x, y)) == 1
    for dx, dy in ((1, 0), (0, 1), (-1, 0), (0, -1)):
        assert total(mapping.tile(selection, z, x + dx, y + dy)) == 0


def test_filters_and_the_past_are_those_of_the_list(official):
    one = report(**KHARKIV, at=AT)
    report(**KHARKIV, kind="network", object_type="line", sector="gas", at=AT)
    change(one, at=AT + timedelta(days=3), lat=47.8, lon=35.1)
    assert total(tile(official, 9)) == 1
    assert total(tile(official, 9, {"kind": "building"})) == 0
    assert total(tile(official, 9, {"as_of": "2026-03-11"})) == 2


def test_rejected_and_withdrawn_reports_are_on_no_map(official):
    report(**KHARKIV, status="rejected")
    report(**KHARKIV, withdrawn="safety")
    assert total(tile(official, 6)) == total(tile(official, 6, {"kind": "building"})) == 0
    assert total(tile(official, 6, {"status": "rejected"})) == 1


# -- who sees what


def test_everybody_sees_their_own_areas_and_sectors(areas):
    report(**KHARKIV)
    report(**KHARKIV, adm1_code="UA-23", adm2_code="7")
    report(**KHARKIV, kind="network", object_type="line", sector="gas")
    for person, n in (
        (factories.person(Role.OFFICIAL, areas["UA-63"]), 2),
        (factories.person(Role.OFFICIAL, areas["700001"]), 0),
        (factories.person(Role.OPERATOR, areas["UA"], sectors=["gas"]), 1),
        (factories.person(Role.OFFICIAL), 0),
        (None, 0),
    ):
        for query in ({}, {"from": "2020-01-01"}):
            assert total(tile(person, 8, query)) == n


def test_outsiders_get_their_rows_place_and_no_finer(areas):
    office = report(lat=49.991234, lon=36.231234)
    published(Holder.PUBLIC, report=office, lat=49.995, lon=36.235, geo_radius_m=790)
    tallies.rewrite(Holder.PUBLIC)
    (point,) = tile(None, 3)["points"]
    assert (point["lat"], point["lon"], point["radius_m"]) == (49.995, 36.235, 790)


# -- bounds


def test_a_tile_stays_small_however_much_is_in_it(official, monkeypatch):
    for number in range(300):
        report(lat=49.9 + number % 17 * 0.01, lon=36.1 + number % 23 * 0.01)
    for query in ({}, {"kind": "building"}):
        found = tile(official, 8, query)
        assert len(found["clusters"]) + len(found["points"]) <= 64
        assert len(json.dumps(found)) < 200_000


def test_a_tile_that_looks_at_a_part_of_its_rows_says_so(official, monkeypatch):
    for _ in range(5):
        report(**KHARKIV)
    monkeypatch.setattr(mapping, "MOST_ROWS", 3)
    assert tile(official, 8, {"kind": "building"})["partial"]
    assert not tile(official, 8)["partial"]


@pytest.mark.parametrize(
    ("numbers", "param"), [((20, 0, 0), "z"), ((-1, 0, 0), "z"), ((2, 4, 0), "x"), ((2, 0, -1), "y")]
)
def test_a_number_that_no_tile_has_is_named(official, numbers, param):
    with pytest.raises(BadFilter) as caught:
        mapping.tile(select(official, {}), *numbers)
    assert caught.value.param == param


def test_the_view_holds_all_that_is_selected(official):
    assert mapping.bounds(select(official, {})) is None
    report(**KHARKIV)
    report(lat=47.8, lon=35.1)
    for query in ({}, {"kind": "building"}):
        south, west, north, east = mapping.bounds(select(official, query))
        assert south < 47.8
        assert north > 49.99
        assert west < 35.1
        assert east > 36.23
        assert north - south < 7
        assert east - west < 7


def test_reports_without_a_place_are_counted(official):
    report(**KHARKIV)
    report()
    report(kind="network", object_type="line", sector="gas")
    assert mapping.without_place(select(official, {})) == 2
    assert mapping.without_place(select(official, {"kind": "building"})) == 1
    assert mapping.without_place(select(official, {}), most=1) == 2
