"""A country's own regions and districts: known ones get its codes, others become areas that names and codes find."""

import io
import shutil
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from registry.actions import areas
from registry.forms.mappings import _code_of
from registry.forms.places import lineage
from registry.geocoding import build
from registry.geocoding.areas import AreaMatcher, Match
from registry.geocoding.gazetteer import Gazetteer, locate
from registry.models import Area, AreaCode

pytestmark = pytest.mark.django_db

TABLE = """P-code,Name,Parent,Other names,lat,lon
UA,Ukraine,,,,
UA63,Kharkivska,UA,Харківська,,
UA6301,Chuhuivskyi,UA63,Чугуївський,,
UA6399,Zavitne,UA63,"Завітненський район, Zavitnenskyi",49.9,36.2
UA639901,Zavitne town,UA6399,,,
"""


@pytest.fixture
def index(gazetteer_path: Path, tmp_path: Path, settings: Any) -> Path:
    settings.DATA_DIR = tmp_path
    rows = [row for row in build.areas() if row["country"] == "UA"]
    areas.load(rows)
    return Path(shutil.copyfile(gazetteer_path, tmp_path / "gazetteer.sqlite3"))


def load(index: Path, text: str, *arguments: str, name: str = "areas.csv") -> list[str]:
    (index.parent / name).write_text(text, encoding="utf-8")
    out = io.StringIO()
    call_command("load_areas", str(index.parent / name), "--country", "UA", *arguments, stdout=out)
    return [" ".join(line.split()) for line in out.getvalue().splitlines()]


def refused(index: Path, text: str, *arguments: str) -> str:
    before = Area.objects.count(), AreaCode.objects.count(), index.read_bytes()
    with pytest.raises(CommandError) as error:
        load(index, text, *arguments)
    assert (Area.objects.count(), AreaCode.objects.count(), index.read_bytes()) == before
    return str(error.value)


def test_known_areas_get_codes_and_unknown_ones_are_new(index):
    before = Area.objects.count()
    assert load(index, TABLE) == [
        "5 areas of the file", "3 known", "1 new", "4 new codes", "1 smaller than districts, left out",
        "New: Zavitne (UA6399)",
    ]  # fmt: skip
    assert Area.objects.count() == before + 1
    assert _code_of("pcode", "UA63") == "UA-63"
    chuhuiv = Area.objects.get(codes__scheme="pcode", codes__code="UA6301")
    assert (chuhuiv.level, chuhuiv.parent.code, chuhuiv.name) == (2, "UA-63", "Chuhuiv Raion")
    assert _code_of("pcode", "UA6399") == "UA6399"
    new = lineage("UA6399")
    assert (new.codes["adm1_code"], new.codes["adm2_name"], new.timezone) == (
        "UA-63",
        "Zavitne",
        "Europe/Kyiv",
    )


@pytest.mark.parametrize("district", ["Zavitne", "Завітненський район", "Zavitnenskyi Raion", "Zavitnenskij"])
def test_a_new_district_is_known_by_its_names(index, district):
    matcher = AreaMatcher(Gazetteer(index))
    assert matcher.match("Ukraine", "Kharkiv Oblast", district).problem == "district_unknown"
    load(index, TABLE)
    found = AreaMatcher(Gazetteer(index)).match("Ukraine", "Kharkiv Oblast", district)
    assert found == Match("UA", "UA-63", "UA6399")


def test_a_new_district_is_found_as_a_place(index):
    load(index, TABLE)
    best = locate("Zavitnenskyi Raion, Kharkiv Oblast", gazetteer=Gazetteer(index)).candidates[0]
    assert (best.adm2_code, best.geo_precision, best.lat) == ("UA6399", "adm2", 49.9)
    assert best.radius_m == 30_000


def test_the_same_file_again_changes_nothing_and_another_goes_on_from_it(index):
    load(index, TABLE)
    before = index.read_bytes()
    again = load(index, TABLE)
    assert again[1:4] == ["4 known", "0 new", "0 new codes"]
    assert index.read_bytes() == before
    more = load(index, "code,name,parent\nUA6398,Zakutok,UA63\n", name="more.csv")
    assert more[2:4] == ["1 new", "1 new codes"]
    assert len(list((index.parent / "places").iterdir())) == 2


def test_a_new_region_holds_new_districts(index):
    said = load(index, "code,name,parent\nUA9901,Inner,UA99\nUA99,Nowhere Land,\n")
    assert said[1:3] == ["0 known", "2 new"]
    assert lineage("UA9901").codes["adm1_name"] == "Nowhere Land"
    assert AreaMatcher(Gazetteer(index)).match("UA", "Nowhere Land", "Inner") == Match("UA", "UA99", "UA9901")


def test_another_schemes_codes_stand_beside(index):
    load(index, TABLE)
    said = load(index, "code,name,parent\n63,Kharkiv Oblast,\n", "--scheme", "koatuu", name="other.csv")
    assert said[1:4] == ["1 known", "0 new", "1 new codes"]
    assert set(Area.objects.get(code="UA-63").codes.values_list("code", flat=True)) == {"UA63", "63"}


def test_what_was_loaded_stays_when_the_index_is_built_again(index, monkeypatch):
    load(index, TABLE)
    monkeypatch.setattr(build, "sources", lambda: (build.units(), []))
    monkeypatch.setattr(build, "_villages_into", lambda *_given: iter(()))
    build.build_index(index)
    assert AreaMatcher(Gazetteer(index)).match("UA", "UA-63", "Zavitne").adm2 == "UA6399"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("code,name\nUA63,Kharkiv\n", "No column for parent"),
        ("code,name,parent\nUA6301,,UA63\n", "Row 2, name: empty"),
        ("code,name,parent\nX1,A,\nX1,B,\n", "Row 3, code: “X1” is there twice."),
        ("code,name,parent\nX1,A,X2\nX2,B,X1\n", "Row 2, parent: “X2” lies in itself."),
        ("code,name,parent\nX1,A,Elsewhere\n", "Row 2, parent: “Elsewhere” names no area"),
        ("code,name,parent\nX1,Kharkiv Oblast,\nX2,Kharkivska,\n", "Row 3, name: Another row is “Kharkiv Oblast”"),
        ("code,name,parent\nUA-05,Newland,\n", "Row 2, code: “UA-05” is another area’s."),
        ("code,name,parent,lat\nX1,Newland,,9\n", "Row 2, lat: A point needs both"),
        ("code,name,parent,lat\nX1,Newland,,91\n", "Row 2, lat: “91” is no number from -90 to 90."),
        ("code,name,parent\n" + "X" * 21 + ",Newland,\n", "Row 2, code: At most 20 letters."),
        ("code,name,parent\n", "no areas"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_and_nothing_is_loaded(index, text, said):
    assert said in refused(index, text)


def test_a_code_of_another_country_is_not_taken_over(index):
    areas.load(row for row in build.areas() if row["country"] == "MD")
    AreaCode.objects.create(scheme="pcode", code="X1", area=Area.objects.get(code="MD"))
    assert "Row 2, code: “X1” is another area’s." in refused(index, "code,name,parent\nX1,Newland,\n")


def test_an_unknown_country_is_named(index):
    with pytest.raises(CommandError, match="No such country: Atlantis"):
        call_command("load_areas", str(index), "--country", "Atlantis")
