"""The crosswalk to EMS-98, line by line as the standard prints it."""

import pytest

from registry.rules import scales
from registry.rules.vocabularies import DamageLevel

CROSSWALK = """
ems98         0                  0 0
ems98         1                  1 1
ems98         2                  2 2
ems98         3                  3 3
ems98         4                  4 4
ems98         5                  5 5
copernicus    no_visible_damage  0 0
copernicus    possibly_damaged   1 2
copernicus    damaged            3 4
copernicus    destroyed          5 5
unosat        6                  0 0
unosat        4                  1 2
unosat        11                 1 2
unosat        3                  3 3
unosat        2                  4 4
unosat        1                  5 5
fema_pda      affected           1 1
fema_pda      minor              2 2
fema_pda      major              3 4
fema_pda      destroyed          5 5
fema_pda      inaccessible       - -
ua_technical  I                  1 2
ua_technical  II                 3 3
ua_technical  III                4 5
acaps         partially_damaged  1 4
acaps         destroyed          5 5
acaps         unknown            - -
"""
LINES = [line.split() for line in CROSSWALK.strip().splitlines()]
# EMS-98's own words for structural damage: none, none or slight, moderate, heavy, destruction.
LEVELS = {
    "0 0": "none",
    "1 1": "minor",
    "1 2": "minor",
    "2 2": "minor",
    "3 3": "moderate",
    "3 4": "severe",
    "4 4": "severe",
    "4 5": "severe",
    "5 5": "destroyed",
    "1 4": "damaged",
    "- -": "unknown",
}


@pytest.mark.parametrize(("scale", "grade", "low", "high"), LINES)
def test_each_line_of_the_crosswalk(scale: str, grade: str, low: str, high: str) -> None:
    number = {"-": None} | {str(n): n for n in range(6)}
    assert scales.crosswalk(scale, grade) == {
        "ems98_min": number[low],
        "ems98_max": number[high],
        "damage_level": LEVELS[f"{low} {high}"],
    }


def test_there_are_no_other_grades() -> None:
    held = {(scale.code, grade.code) for scale in scales.SCALES.values() for grade in scale.grades}
    assert held == {(scale, grade) for scale, grade, *_ in LINES}
    assert [code for code, _ in scales.SCALE_CHOICES] == list(scales.SCALES)


@pytest.mark.parametrize(("scale", "grade"), [("acaps", "5"), ("unosat", "5"), ("richter", "1")])
def test_an_unknown_grade_or_scale_raises(scale: str, grade: str) -> None:
    with pytest.raises(KeyError):
        scales.crosswalk(scale, grade)


def test_a_range_too_wide_for_a_better_word_is_damaged() -> None:
    """8,492 rows of one file say no more than partially damaged: never a made-up grade."""
    for wide in ((1, 4), (1, 3), (2, 4), (1, 5)):
        assert scales.damage_level(wide) == "damaged"


def test_every_damage_level_has_its_place_among_the_others() -> None:
    assert set(scales.SEVERITY) == set(DamageLevel.values)
    known = ["none", "damaged", "minor", "moderate", "severe", "destroyed"]
    assert [level for level in scales.SEVERITY if level != "unknown"] == known


def test_methods_from_the_strongest() -> None:
    assert scales.METHODS_BY_STRENGTH == ("field", "drone", "photo", "satellite", "desk")
