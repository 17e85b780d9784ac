"""`manage.py geocode` prints candidates best first, and says plainly when there is none."""

import json

import pytest
from django.core.management import CommandError, call_command


def geocode(capsys, *arguments):
    call_command("geocode", *arguments)
    return capsys.readouterr()


@pytest.fixture(autouse=True)
def _built(gazetteer_path):
    """The command reads the index of the installation, which for the tests is this one."""


def test_candidates_as_json(capsys):
    best = json.loads(geocode(capsys, "Воронеж", "--region", "RU-VOR", "--json").out)[0]
    assert list(best) == ["lat", "lon", "name", "country", "adm1_code", "geo_precision", "radius_m", "score"]
    assert (best["country"], best["adm1_code"], best["geo_precision"]) == ("RU", "RU-VOR", "settlement")
    assert best["lat"] == pytest.approx(51.67, abs=0.1)


def test_candidates_as_a_table(capsys):
    line = geocode(capsys, "Воронеж", "--country", "Russia").out.splitlines()[0]
    assert line.split("\t")[2:6] == ["Voronezh", "RU", "RU-VOR", "settlement"]


def test_several_equally_good_places_are_said(capsys):
    said = geocode(capsys, "Springfield", "--country", "US")
    assert "equally good" in said.err
    assert len(said.out.splitlines()) > 5


@pytest.mark.parametrize("arguments", [["Xyzzyplugh"], ["Шебекино", "--region", "UA-63"]])
def test_nothing_found_is_an_error(capsys, arguments):
    with pytest.raises(CommandError, match="Nothing found"):
        geocode(capsys, *arguments)


def test_an_unknown_region_is_named(capsys):
    with pytest.raises(CommandError, match=r"--region.*RU-XXX"):
        geocode(capsys, "Воронеж", "--region", "RU-XXX")
