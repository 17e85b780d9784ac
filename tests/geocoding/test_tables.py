"""Rows of a stranger's table: what their columns mean, and what is left to a person."""

import pytest

from registry.geocoding.gazetteer import Gazetteer
from registry.geocoding.tables import ADDED, BadColumns, geocoded, place


@pytest.mark.parametrize(
    ("cells", "country", "flag", "area", "precision"),
    [
        (("Izium", "Kharkiv Oblast", "Ukraine"), "", "", "UA-63", "settlement"),
        (("Izium", "Kharkiv Oblast"), "UA", "", "UA-63", "settlement"),
        (("Izium", "Kharkiv Oblast"), "", "", "UA-63", "settlement"),
        (("Izium", "Kharkiv Oblast", "Ukraine"), "UA", "", "UA-63", "settlement"),
        (("Voronezh", "Russia"), "UA", "", "RU-VOR", "settlement"),
        (("Atlanta", "Georgia"), "US", "", "US-GA", "settlement"),
        (("ул. Ленина 5", "Шебекино", "Белгородская область", "Россия"), "", "", "RU-BEL", "settlement"),
        (("", "Donetsk", "Ukraine"), "", "", "UA-14", "adm1"),
        (("Springfield", "US"), "", "ambiguous", None, "settlement"),
        (("Шебекино", "Kharkiv Oblast", "Ukraine"), "", "outside", "RU-BEL", "settlement"),
        (("Shebekino", "if other", "Russia"), "", "review", "RU-BEL", "settlement"),
        (("Voronezx", "RU-VOR", "Russia"), "", "review", "RU-VOR", "settlement"),
    ],
)
def test_where_a_row_is(gazetteer: Gazetteer, cells, country, flag, area, precision) -> None:
    placed = place(cells, country=country, gazetteer=gazetteer)
    assert placed.best is not None
    assert (placed.flag, placed.best.geo_precision) == (flag, precision)
    assert area in (None, placed.best.adm1_code)


@pytest.mark.parametrize("cells", [("", "", ""), ("Xyzzyplugh", "Kharkiv Oblast", "Ukraine")])
def test_what_is_not_found_stands_nowhere(gazetteer: Gazetteer, cells) -> None:
    assert place(cells, country="UA", gazetteer=gazetteer) == ("not_found", ())


def test_rows_stay_and_the_likeliest_stands_beside_its_flag(gazetteer: Gazetteer) -> None:
    rows = [["id", " town ", "state"], [" 1 ", "Springfield", ""], ["", "", ""], ["2", "Springfield", "IL"]]
    made = list(geocoded(rows, ["town", "state"], country="US", gazetteer=gazetteer))
    assert [row[:3] for row in made] == rows
    assert made[0][3:] == list(ADDED)
    several, blank, one = (dict(zip(ADDED, row[3:], strict=True)) for row in made[1:])
    assert (several["geo_flag"], several["geo_place"]) == ("ambiguous", "Springfield")
    assert several["geo_lat"]
    assert several["geo_candidates"].count("; ") > 1
    assert "Springfield, US-IL, GeoNames " in several["geo_candidates"]
    assert blank == dict.fromkeys(ADDED, "") | {"geo_flag": "not_found"}
    assert (one["geo_flag"], one["geo_candidates"]) == ("", "")


@pytest.mark.parametrize(
    ("headings", "country", "words"),
    [
        (["id", "place"], "", "“town”.*id, place"),
        (["town", "geo_lat"], "", "already: geo_lat"),
        (["town"], "США", "“США” is not one country"),
        (["town"], "Xyzzy", "“Xyzzy” is not one country"),
    ],
)
def test_columns_that_do_not_fit_are_named(gazetteer: Gazetteer, headings, country, words) -> None:
    with pytest.raises(BadColumns, match=words):
        geocoded([headings], ["town"], country=country, gazetteer=gazetteer)
