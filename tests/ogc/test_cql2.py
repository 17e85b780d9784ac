"""Filters in CQL2 text: what they find, and how they are refused."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from tests import factories
from tests.ogc.conftest import ids

pytestmark = pytest.mark.django_db
DAY = factories.AT.date()

#: Rows of the public, newest damage first, by what stands in their column settlement.
ROWS: dict[str, dict[str, Any]] = {
    "Öde": {"dwellings_total": 3, "sources_agree": True, "verified_on": DAY, "lat": 50, "lon": 36},
    "it's": {"dwellings_total": 12, "sources_agree": False, "status": "closed", "lat": 50.5, "lon": 36.5},
    "100%": {"object_type": "house", "repair_cost": "20.50", "repair_currency": "EUR", "lat": -10, "lon": 179.5},
    "": {"object_type": "house", "started_utc": factories.AT, "logged_utc": factories.AT},
    "a*[b]\\c": {"kind": "outage", "object_type": "", "sector": "heat", "status": "confirmed"},
    "öde": {"dwellings_total": 12, "dwellings_damaged": 12, "lat": -10, "lon": -179.5, "adm1_name": "öde"},
}  # fmt: skip


@pytest.fixture
def meets(ask: Callable[..., Any]) -> Callable[..., list[str]]:
    """The settlements of the rows that meet a filter."""
    factories.edition()
    for days, (settlement, fields) in enumerate(ROWS.items()):
        day = DAY - timedelta(days=days)
        factories.published(settlement=settlement, occurred_from=day, occurred_to=day, **fields)

    def asked(filter: str, **more: str) -> list[str]:
        answer = ask(filter=filter, **more)
        return [one["properties"]["settlement"] or "" for one in answer["features"]]

    return asked


ODE, ITS, PERCENT, NAMELESS, STARS, SMALL = ROWS
ALL = list(ROWS)

FOUND: list[tuple[str, list[str]]] = [
    # comparisons, of every type; what is missing is never compared
    ("settlement = 'Öde'", [ODE]),
    ("'Öde' = settlement", [ODE]),
    ("settlement <> 'Öde'", [ITS, PERCENT, STARS, SMALL]),
    ("NOT (settlement = 'Öde')", [ITS, PERCENT, STARS, SMALL]),
    ("settlement > 'b'", [ODE, ITS, SMALL]),
    ("settlement <= 'b'", [PERCENT, STARS]),
    ("settlement = ''", []),
    ("dwellings_total = 12", [ITS, SMALL]),
    ("dwellings_total <> 12", [ODE]),
    ("dwellings_total > 3.5", [ITS, SMALL]),
    ("12 <= dwellings_total", [ITS, SMALL]),
    ("dwellings_total < 99999999999999999999", [ODE, ITS, SMALL]),
    ("dwellings_total > -1E30", [ODE, ITS, SMALL]),
    ("repair_cost = 20.5", [PERCENT]),
    ("lat = 50.5", [ITS]),
    ("sources_agree = true", [ODE]),
    ("sources_agree <> TRUE", [ITS]),
    ("sources_agree < true", [ITS]),
    # as GDAL writes true and false
    ("sources_agree = 1", [ODE]),
    ("sources_agree = 0", [ITS]),
    ("sources_agree <> 1", [ITS]),
    ("NOT (sources_agree = 1)", [ITS]),
    ("sources_agree > 0", [ODE]),
    ("1.0 = sources_agree", [ODE]),
    ("sources_agree IN (1)", [ODE]),
    ("sources_agree IN (0, true)", [ODE, ITS]),
    ("sources_agree NOT IN (1)", [ITS]),
    ("verified_on = DATE('2026-03-10')", [ODE]),
    ("verified_on >= '2026-03-10'", [ODE]),
    ("verified_on > '2026-03-10T'", []),
    ("occurred_to < DATE('2026-03-07')", [STARS, SMALL]),
    ("occurred_to = DATE('2026-03-07')", [NAMELESS]),
    ("occurred_to > DATE('2026-03-08') AND occurred_to <= DATE('2026-03-09')", [ITS]),
    ("occurred_from >= DATE('9999-12-31')", []),
    ("started_utc = TIMESTAMP('2026-03-10T12:00:00Z')", [NAMELESS]),
    ("started_utc = TIMESTAMP('2026-03-10T14:00:00+02:00')", [NAMELESS]),
    ("started_utc > '2026-03-10'", [NAMELESS]),
    ("dwellings_total = dwellings_damaged", [SMALL]),
    ("adm1_name = settlement", [SMALL]),
    ("dwellings_total > lat", [SMALL]),
    # missing or not
    ("settlement IS NULL", [NAMELESS]),
    ("settlement is not null", [ODE, ITS, PERCENT, STARS, SMALL]),
    ("verified_on IS NULL AND dwellings_total IS NOT NULL", [ITS, SMALL]),
    ("geometry IS NULL", [NAMELESS, STARS]),
    ("NOT geometry IS NULL", [ODE, ITS, PERCENT, SMALL]),
    # logic: AND before OR, brackets, NOT, constants; neither true nor false stays so
    ("settlement = 'Öde' OR object_type = 'house' AND repair_cost > 1", [ODE, PERCENT]),
    ("(settlement = 'Öde' OR object_type = 'house') AND repair_cost > 1", [PERCENT]),
    ("not (dwellings_total = 3 or dwellings_total = 12)", []),
    ("not (dwellings_total = 3 and sources_agree = true)", [ITS, SMALL]),
    ("not not dwellings_total = 3", [ODE]),
    ("NOT (settlement = 'Öde' OR settlement = 'x')", [ITS, PERCENT, STARS, SMALL]),
    ("NOT (verified_on = DATE('2026-03-11') OR verified_on IS NULL AND false)", [ODE]),
    ("true", ALL),
    ("false", []),
    ("NOT false AND (false OR kind = 'outage')", [STARS]),
    ("kind = 'outage' OR NOT kind = 'outage'", ALL),
    # BETWEEN, IN, LIKE
    ("dwellings_total BETWEEN 3 AND 11", [ODE]),
    ("dwellings_total NOT BETWEEN 3 AND 11", [ITS, SMALL]),
    ("object_type IN ('house', 'school') AND repair_cost BETWEEN 20 AND 21", [PERCENT]),
    ("object_type NOT IN ('house', 'x')", [ODE, ITS, SMALL]),
    ("dwellings_total in (3, 4.5)", [ODE]),
    ("verified_on IN (DATE('2026-03-10'))", [ODE]),
    ("settlement LIKE '%de'", [ODE, SMALL]),
    ("settlement LIKE 'Ö__'", [ODE]),
    ("settlement NOT LIKE '%de'", [ITS, PERCENT, STARS]),
    (r"settlement LIKE '100\%'", [PERCENT]),
    (r"settlement LIKE '1\_0%'", []),
    ("settlement LIKE 'a*[b]%'", [STARS]),
    (r"settlement LIKE 'a*[b]\\\\c'", [STARS]),
    (r"settlement LIKE 'it''s' OR settlement LIKE 'x\\'", [ITS]),
    ("settlement LIKE '?de'", []),
    # ILIKE, which GDAL has beside the standard's: letters of any script, large or small
    ("settlement ILIKE 'ÖDE'", [ODE, SMALL]),
    ("settlement ilike '%DE'", [ODE, SMALL]),
    ("settlement ILIKE 'ö__'", [ODE, SMALL]),
    ("settlement ILIKE 'ö_'", []),
    ("settlement ILIKE 'DE'", []),
    ("settlement NOT ILIKE '%DE'", [ITS, PERCENT, STARS]),
    ("NOT (settlement ILIKE '%DE')", [ITS, PERCENT, STARS]),
    (r"settlement ILIKE '100\%'", [PERCENT]),
    (r"settlement ILIKE '1\_0%'", []),
    ("settlement ILIKE 'A*[B]%'", [STARS]),
    (r"settlement ILIKE 'A*[B]\\\\C'", [STARS]),
    ("settlement ILIKE 'A%[%\\\\C'", [STARS]),
    ("settlement ILIKE '%T%T%'", []),
    ("settlement ILIKE '%'", [ODE, ITS, PERCENT, STARS, SMALL]),
    (r"settlement ILIKE 'IT''S' OR settlement ILIKE 'x\\'", [ITS]),
    ("settlement ILIKE '.*'", []),
    # quotes and escapes
    ("settlement = 'it''s'", [ITS]),
    (r"settlement = 'it\'s'", [ITS]),
    (r"settlement = 'a*[b]\\c'", [STARS]),
    (r"settlement = 'a\tb'", []),
    ("\"settlement\" = 'Öde'", [ODE]),
    # places
    ("S_INTERSECTS(geometry, BBOX(35, 49, 36.2, 50))", [ODE]),
    ("S_INTERSECTS(geometry,ENVELOPE(35,49,37,51))", [ODE, ITS]),
    ("S_INTERSECTS(BBOX(35, 49, 0, 37, 51, 100), geometry)", [ODE, ITS]),
    ("S_INTERSECTS(geometry, BBOX(179, -11, -179, -9))", [PERCENT, SMALL]),
    ("NOT S_INTERSECTS(geometry, BBOX(179, -11, -179, -9))", [ODE, ITS]),
    ("NOT S_INTERSECTS(geometry, BBOX(35, 49, 36.2, 50))", [ITS, PERCENT, SMALL]),
    ("s_intersects(geometry, point(36.5 50.5))", [ITS]),
    # moments
    ("T_AFTER(started_utc, TIMESTAMP('2026-03-10T11:59:59Z'))", [NAMELESS]),
    ("T_BEFORE(verified_on, DATE('2026-03-11'))", [ODE]),
    ("T_DURING(started_utc, INTERVAL('2026-03-10T11:00:00Z', '2026-03-10T12:00:00Z'))", []),
    ("T_INTERSECTS(started_utc, INTERVAL('..', '2026-03-10T12:00:00Z'))", [NAMELESS]),
    ("T_DISJOINT(occurred_to, INTERVAL('2026-03-07', '..'))", [STARS, SMALL]),
]  # fmt: skip


def test_filters_find_what_the_standard_says(meets: Callable[..., list[str]]) -> None:
    wrong = {filter: (got, rows) for filter, rows in FOUND if (got := meets(filter)) != rows}
    assert wrong == {}


def test_large_and_small_letters_are_one_in_every_script(meets: Callable[..., list[str]]) -> None:
    for settlement, typed in (
        ("Чугуїв", "чУГУЇ_"),
        ("ԵՐԵՎԱՆ", "%երեվան"),
        ("Αθήνας", "ΑΘΉΝΑΣ"),
        ("Straße\nNord", "STRA%ße%NORD"),
    ):
        factories.published(settlement=settlement, object_name="x")
        assert meets(f"settlement ILIKE '{typed}' AND object_name = 'x'") == [settlement]
        assert meets(f"settlement LIKE '{typed}'") == []


def test_a_pattern_of_many_wildcards_ends(meets: Callable[..., list[str]]) -> None:
    """Each part is looked for where it comes first; all the ways to place ten would be tried for years."""
    long = "aB" * 240
    factories.published(settlement="", summary=long)
    factories.published(settlement="long", summary=f"{long}C")
    assert meets(f"summary ILIKE '{'%A' * 9}%c'") == ["long"]
    assert meets(f"summary ILIKE '{'%b' * 9}%d'") == []


def test_the_column_of_a_filter_may_be_a_parameter(
    meets: Callable[..., list[str]], ask: Callable[..., Any]
) -> None:
    def rows(**parameters: str) -> list[str]:
        return [one["properties"]["settlement"] or "" for one in ask(**parameters)["features"]]

    assert rows(dwellings_total="12") == [ITS, SMALL]
    assert rows(settlement="it's") == [ITS]
    assert rows(sources_agree="true", country="UA") == [ODE]
    assert rows(occurred_to="2026-03-07") == [NAMELESS]
    assert rows(kind="outage") == [STARS]


REFUSED = [
    ("settlement =", "character 13, near “its end”"),
    ("settlement = 'Öde' AND", "its end"),
    ("THIS IS NOT A FILTER", "character 13"),
    ("assignee = 'x'", "no column assignee"),
    ("this_is_not_a_queryable IS NULL", "no column this_is_not_a_queryable"),
    ("settlement = 3", "settlement is a text"),
    ("dwellings_total = 'x'", "dwellings_total is a number"),
    ("dwellings_total = 1E999", "too large"),
    ("sources_agree = 2", "sources_agree is true or false"),
    ("sources_agree <> -1", "sources_agree is true or false"),
    ("sources_agree = 0.5", "sources_agree is true or false"),
    ("sources_agree IN (1, 2)", "sources_agree is true or false"),
    ("sources_agree = '1'", "sources_agree is true or false"),
    ("sources_agree = DATE('2026-03-10')", "sources_agree is true or false"),
    ("verified_on = TIMESTAMP('2026-03-10T12:00:00Z')", "verified_on is a day"),
    ("verified_on = DATE('2026-02-30')", "no day"),
    ("started_utc = TIMESTAMP('0001-01-01T00:00:00+14:00')", "no moment"),
    ("settlement = adm1_code AND kind = dwellings_total", "kind and dwellings_total"),
    ("geometry = 'x'", "S_INTERSECTS"),
    ("1 = 1", "side of every comparison is a column"),
    ("S_INTERSECTS(geometry, BBOX(1000000, 1000000, 2000000, 2000000))", "in degrees"),
    ("S_INTERSECTS(settlement, BBOX(1,2,3,4))", "“geometry”"),
    ("S_TOUCHES(geometry, BBOX(1,2,3,4))", "S_TOUCHES is not offered"),
    ("T_MEETS(started_utc, DATE('2026-03-10'))", "T_MEETS is not offered"),
    ("T_AFTER(settlement, INTERVAL('2026-01-01','..'))", "settlement is no day"),
    ("dwellings_total LIKE '1%'", "no text"),
    ("dwellings_total ILIKE '1%'", "no text"),
    ("settlement LIKE '" + "%x" * 11 + "'", "wildcards"),
    ("settlement ILIKE '" + "%x" * 11 + "'", "wildcards"),
    ("settlement = '" + "x" * 8_000 + "'", "8,000"),
    ("NOT " * 100 + "kind = 'x'", "deep"),
    (" OR ".join(["strike_no=1"] * 301), "300"),
    ("settlement = 'a\x00b'", "Null"),
    ("casei(settlement) = 'x'", "character 6"),
    ("dwellings_total + 1 = 2", "character 17"),
]  # fmt: skip


def test_what_is_not_offered_is_refused_in_words(refused: Callable[..., str]) -> None:
    for filter, words in REFUSED:
        said = refused(filter=filter)
        assert said.startswith("filter: ")
        assert words in said, filter


def test_a_filter_as_large_as_it_may_be_is_answered(meets: Callable[..., list[str]]) -> None:
    many = " OR ".join(["(NOT (strike_no > 1))"] * 299)
    assert meets(f"({many}) OR settlement = 'Öde'") == [ODE]
    assert meets("(" * 2_000 + "settlement = 'Öde'" + ")" * 2_000) == [ODE]
    names = ",".join(f"'{n}'" for n in range(1_000))
    assert meets(f"settlement IN ('Öde', {names})") == [ODE]


def test_next_carries_the_filter(meets: Callable[..., list[str]], ask: Callable[..., Any]) -> None:
    first = ask(filter="dwellings_total > 1 AND settlement <> 'x&y=z'", limit="2")
    (after,) = [link["href"] for link in first["links"] if link["rel"] == "next"]
    second = ask(after.partition("testserver")[2])
    assert len(ids(first)) == 2
    assert [one["properties"]["settlement"] for one in second["features"]] == [SMALL]
    assert not [link for link in second["links"] if link["rel"] == "next"]
