"""A country's own places are taken into the gazetteer, all or nothing, and stay when it is built again."""

import io
import shutil

import pytest
from django.core.management import CommandError, call_command

from registry.actions import places as actions
from registry.geocoding import build, places
from registry.geocoding.gazetteer import Gazetteer, locate


def line(number, name, others, lat, lon, feature="P", country="UA"):
    cells = [number, name, name, others, lat, lon, feature, "PPL", country, "", "07", "", "", "", 0, "", 120]
    return "\t".join(map(str, [*cells, "Europe/Kyiv", "2024-01-01"])) + "\n"


GEONAMES = (
    line(99000001, "Sulyhivka", "Сулигівка,Suligovka", 49.0287, 37.2314)
    + line(99000002, "Brandnewivka", "", 49.3, 35.9)
    + line(99000003, "Some Hill", "", 49.3, 35.9, "T")
    + line(99000004, "Abroad", "", 50.6, 36.6, country="RU")
)


@pytest.fixture
def index(gazetteer_path, tmp_path, settings):
    settings.DATA_DIR = tmp_path
    return shutil.copyfile(gazetteer_path, tmp_path / "gazetteer.sqlite3")


def load(folder, text, *arguments, name="file"):
    (folder / name).write_text(text, encoding="utf-8")
    out = io.StringIO()
    call_command("load_places", str(folder / name), *arguments, stdout=out)
    return out.getvalue()


def test_a_village_gets_its_point_in_a_process_that_runs(index, tmp_path):
    gazetteer = Gazetteer(index)
    before = locate("Сулигівка", adm1_code="UA-63", gazetteer=gazetteer).candidates[0]
    assert before.geo_precision == "adm2"
    said = load(tmp_path, GEONAMES, "--country", "UA")
    assert "1 left out: other features" in said
    assert "1 left out: places of other countries" in said
    answer = locate("Сулигівка", adm1_code="UA-63", gazetteer=gazetteer)
    after = answer.candidates[0]
    assert (answer.outcome, len(answer.candidates)) == ("found", 1)
    assert (after.lat, after.lon, after.geo_precision) == (49.0287, 37.2314, "settlement")
    assert after.adm2_code == before.adm2_code
    new = locate("Brandnewivka, Kharkiv Oblast", gazetteer=gazetteer).candidates[0]
    assert (new.adm1_code, new.timezone) == ("UA-63", "Europe/Kyiv")
    assert new.adm2_code


def test_a_village_with_a_point_gets_the_loaded_one(index, tmp_path):
    said = load(tmp_path, line(99000005, "Abazivka", "Абазівка", 49.2512, 35.3361), "--country", "UA")
    assert "1  updated" in said
    answer = locate("Абазівка", adm1_code="UA-63", gazetteer=Gazetteer(index))
    assert (answer.outcome, len(answer.candidates)) == ("found", 1)
    best = answer.candidates[0]
    assert (best.geonames_id, best.lat, best.lon) == (99000005, 49.2512, 35.3361)


def test_the_same_file_twice_changes_nothing(index, tmp_path):
    load(tmp_path, GEONAMES)
    before = index.read_bytes()
    assert "loaded already" in load(tmp_path, GEONAMES)
    assert index.read_bytes() == before
    again = load(tmp_path, GEONAMES + "\n")
    assert "3  unchanged" in again
    assert "0  new" in again


def test_csv_by_the_usual_headings(index, tmp_path):
    text = "Village;Latitude;Lng;ADM1_PCODE\nNovomista;49.31;35.91;UA63\nNovomista;49.311;35.911;Kharkiv Oblast\n"
    said = load(tmp_path, text)
    assert "1  new" in said
    assert "1  updated" in said
    found = locate("Novomista", adm1_code="UA-63", gazetteer=Gazetteer(index)).candidates
    assert [(one.lat, one.lon) for one in found] == [(49.311, 35.911)]


WORLD = """name;other_names;lat;lon;area
تل الورد الجديد;Tall al Ward al Jadid|Tel Ward;36,10;37,20;حلب
奥山田村;Okuyamada;36.25;138.10;長野県
Villanueva del Ñandú;;-34,95;-58,10;Provincia de Buenos Aires
Köprübaşı Yeniköyü;;38.75;28.4;Manisa
"""


@pytest.mark.parametrize(
    ("typed", "area", "lat"),
    [
        ("تل الورد الجديد، حلب", "SY-HL", 36.1),
        ("Tall al-Ward al-Jadid, Aleppo", "SY-HL", 36.1),
        ("長野県奥山田村", "JP-20", 36.25),
        ("Okuyamada, Japan", "JP-20", 36.25),
        ("VILLANUEVA DEL NANDU, Buenos Aires", "AR-B", -34.95),
        ("Koprubasi Yenikoyu, Manisa", "TR-45", 38.75),
    ],
)
def test_places_of_any_script(world, typed, area, lat):
    answer = locate(typed, gazetteer=world)
    assert (answer.outcome, answer.candidates[0].adm1_code, answer.candidates[0].lat) == ("found", area, lat)


@pytest.fixture(scope="module")
def world(gazetteer_path, tmp_path_factory):
    folder = tmp_path_factory.mktemp("world")
    shutil.copyfile(gazetteer_path, folder / "gazetteer.sqlite3")
    (folder / "world.csv").write_text(WORLD, encoding="utf-8")
    actions.load(folder / "world.csv", folder / "gazetteer.sqlite3")
    return Gazetteer(folder / "gazetteer.sqlite3")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name,lat,lon\nGood,49.3,35.9\nBad,99,35.9\n", "Row 3, lat"),
        ("name,lat,lon\nGood,49.3,35.9\n,49.3,x\n", "Row 3, lon"),
        ("name,lat,lon,region\nGood,49.3,35.9,Nowhereland\n", "Row 2, region"),
        ("name,lat,lon,region\nGood,49.3,35.9,UA-46\n", "Row 2, region: The point lies outside “UA-46”"),
        ("name,lat,lon\nSwapped,35.9,49.3\n", "outside “UA”"),
        ("title,lat,lon\nGood,49.3,35.9\n", "headings are: title, lat, lon"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_loaded(index, tmp_path, text, said):
    before = index.read_bytes()
    with pytest.raises(CommandError, match=said):
        load(tmp_path, text, "--country", "UA")
    assert index.read_bytes() == before
    assert places.kept(index) == []


def test_places_survive_a_new_build(index, tmp_path, monkeypatch, gazetteer_path):
    load(tmp_path, GEONAMES, "--country", "UA")
    assert build.is_current(index)
    shutil.copyfile(gazetteer_path, index)
    assert not build.is_current(index)  # an index without them is not current: set-up builds it again

    def fill(db, progress):
        db.execute("ATTACH ? AS old", [str(gazetteer_path)])
        for table in ("place", "name", "vocabulary"):
            db.execute(f"INSERT INTO {table} SELECT * FROM old.{table}")

    monkeypatch.setattr(build, "_fill", fill)
    build.build_index(index)
    assert build.is_current(index)
    found = locate("Сулигівка", adm1_code="UA-63", gazetteer=Gazetteer(index)).candidates[0]
    assert found.geo_precision == "settlement"
