"""Regions and districts are found by the names that files use for them."""

import pytest

from registry.geocoding import build
from registry.geocoding.areas import Match


@pytest.mark.parametrize(
    ("country", "region", "code"),
    [
        ("Ukraine", "Donetska", "UA-14"),
        ("UKR", "Donetsk Oblast", "UA-14"),
        ("UA", "Донецкая область", "UA-14"),
        ("Украина", "Донестская обл.", "UA-14"),
        ("UA", "Zaporizka", "UA-23"),
        ("UA", "Khmelnytska", "UA-68"),
        ("Argentina", "Provincia de Buenos Aires", "AR-B"),
        ("Argentina", "Ciudad Autónoma de Buenos Aires", "AR-C"),
        ("UA", "Zakarpatska", "UA-21"),
        ("UA", "Ivano-Frankivska", "UA-26"),
        ("UA", "Kyivska", "UA-32"),
        ("UA", "Kyiv Oblast", "UA-32"),
        ("UA", "Kyiv region", "UA-32"),
        ("UA", "Kyiv", "UA-30"),
        ("UA", "Київ", "UA-30"),
        ("UA", "Autonomous Republic of Crimea", "UA-43"),
        ("RU", "Воронежская область", "RU-VOR"),
        ("Russia", "Voronezh", "RU-VOR"),
        ("US", "Illinois", "US-IL"),
        ("USA", "IL", "US-IL"),
        ("JP", "東京都", "JP-13"),
        ("SY", "محافظة حمص", "SY-HI"),
    ],
)
def test_a_region_by_the_names_files_use(matcher, country, region, code):
    assert matcher.match(country, region).adm1 == code


@pytest.mark.parametrize(
    ("region", "district", "geonames_id"),
    [
        ("Dnipropetrovska", "Nikopolskyi", "700049"),
        ("Dnipropetrovska", "Нікопольський район", "700049"),
        ("Kyivska", "Bilotserkivskyi", "9644965"),
        ("Sumska", "Shostkynskyi", "9807848"),
    ],
)
def test_a_district_by_its_stem(matcher, region, district, geonames_id):
    assert matcher.match("UA", region, district) == Match("UA", matcher.match("UA", region).adm1, geonames_id)


def test_what_cannot_be_matched_says_why(matcher):
    assert matcher.match("Atlantis", "Donetska").problem == "country_unknown"
    assert matcher.match("UA", "Mordor").problem == "region_unknown"
    # A real district, but of another region.
    assert matcher.match("UA", "Lvivska", "Nikopolskyi") == Match("UA", "UA-46", None, "district_unknown")


def test_a_region_tells_its_country_if_only_one_has_it(matcher):
    assert matcher.match("", "Харківська область", "Чугуївський") == matcher.match(
        "UA", "Харківська область", "Чугуївський"
    )
    assert matcher.match("", "Mordor") == Match(problem="region_unknown")
    assert matcher.match("", "Amazonas") == Match(problem="region_ambiguous")
    assert matcher.match("") == Match()


def test_a_blank_is_no_problem(matcher):
    assert matcher.match("UA", "") == Match("UA")
    assert matcher.match("UA", "Sumska", " ") == Match("UA", "UA-59")


def test_a_region_that_is_one_city_needs_no_district(matcher):
    assert matcher.match("UA", "Kyiv", "Kyiv") == Match("UA", "UA-30")


def test_the_areas_of_the_world_make_a_tree_with_names_and_zones():
    rows = {}
    for row in build.areas():
        assert row["code"] not in rows
        assert (row["parent"] is None) == (row["level"] == 0)
        assert row["parent"] is None or rows[row["parent"]]["level"] == row["level"] - 1
        rows[row["code"]] = row
    assert len(rows) > 50_000
    kharkiv = rows["UA-63"]
    assert kharkiv["name_en"] == "Kharkiv Oblast"
    assert kharkiv["name_uk"] == kharkiv["name_local"] == "Харківська область"
    assert kharkiv["name_ru"] == "Харьковская область"
    assert kharkiv["timezone"] == "Europe/Kyiv"
    assert (kharkiv["lat"], kharkiv["lon"]) == (pytest.approx(49.6, abs=0.3), pytest.approx(36.5, abs=0.5))
    assert rows["700049"]["parent"] == "UA-12"
    assert rows["UA-30"]["name_uk"] != rows["UA-32"]["name_uk"]
    assert rows["RU-VOR"]["name_local"] == "Воронежская область"
    assert rows["JP-13"]["name_local"] == "東京都"
    assert rows["UA"]["name_ru"] == "Украина"
