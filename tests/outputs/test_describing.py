"""What we tell programs of our files is true of them, and finds what is wrong in them."""

import csv
import json
from functools import partial
from io import StringIO
from pathlib import Path

import frictionless
import hxl
import pytest
from django.conf import settings

from registry.columns import COLUMNS
from registry.outputs import bundling, describing, dictionary
from registry.outputs.tables import TABLES
from registry.rules.vocabularies import Withheld
from tests import factories

from .test_exporting import office, written
from .test_formats import children

pytestmark = pytest.mark.django_db


@pytest.fixture
def rich():
    """A register with something in every column, and rows with next to nothing."""
    official = factories.person()
    full = {
        "sector": "", "object_name": 'School "No. 4"', "asset": "0000-0001", "site": "0000-0002",
        "strike_no": 2, "incident": "0000-0003", "related": "0000-0004 0000-0005", "outcome": "",
        "adm2_code": "0700001", "adm2_name": "Chuhuiv", "settlement": "Чугуїв", "address": "a, b\nc",
        "lat": -50.000001, "lon": -179.5, "geo_precision": "exact", "geo_radius_m": 25,
        "started_utc": factories.AT, "cause_group": "weather", "cause": "wind", "ems98_min": 2, "ems98_max": 3,
        "scale": "ems98", "scale_grade": "2", "method": "field", "assessed_on": "2026-03-10",
        "usability": "unsafe", "in_use": "none", "elements": "facade:10-30 glazing:>60",
        "dwellings_total": 4, "dwellings_damaged": 0, "dwellings_unusable": 0, "sources": "A; =B", "sources_n": 2,
        "sources_agree": True, "independently_checked": False, "verified_on": "2026-03-10",
        "repair_cost": "10.50", "repair_currency": "UAH", "summary": "-1", "withheld": "",
    }  # fmt: skip
    # Lists begin with the last reference of a day.
    first = factories.report(by=official, reference="ZZZZ-ZZZZ", **full)
    factories.change(first, by=official, at=factories.AT.replace(hour=18), summary="Later")
    factories.report(
        kind="outage", object_type="", sector="heat", status="partially_restored", damage_level="",
        customers_unit="accounts", customers_affected=10, customers_out=5, customer_hours="7.25",
        figures_as_of_utc=factories.AT, etr_utc=factories.AT, restriction="none",
    )  # fmt: skip
    factories.report(lat=None, occurred_from=None, damage_level="")
    children(first)


def file(name, **variant) -> str:
    return written(office(), name, **variant).decode()


def planted(text: str, row: int, **cells: str) -> str:
    """The file with other values in some cells of a data row."""
    lines = list(csv.reader(StringIO(text)))
    for name, value in cells.items():
        lines[row][lines[0].index(name)] = value
    out = StringIO()
    csv.writer(out, lineterminator="\n").writerows(lines)
    return out.getvalue()


# -- frictionless


def checked(folder: Path, name: str, text: str, *, hxl: bool = False) -> list[tuple[str, str, str]]:
    """What frictionless has against a file as we describe it: the field, the error, its cell."""
    schema = describing.table_schema(TABLES[name].columns, key=TABLES[name].key)
    one = describing.resource(name, f"{name}.csv", schema, hxl=hxl)
    (folder / f"{name}.csv").write_text(text)
    (folder / "datapackage.json").write_text(
        json.dumps(describing.package("damage-reports", "Reports", [one]))
    )
    package = frictionless.Package(str(folder / "datapackage.json"))
    told = package.validate().flatten(["fieldName", "type", "cell", "message"])
    return [(field, error, cell or message) for field, error, cell, message in told]


@pytest.mark.usefixtures("rich")
@pytest.mark.parametrize("name", TABLES)
@pytest.mark.parametrize("tagged", [False, True])
def test_frictionless_finds_our_files_as_they_are_described(tmp_path, name, tagged):
    assert checked(tmp_path, name, file(name, hxl=tagged), hxl=tagged) == []


@pytest.mark.usefixtures("rich")
def test_frictionless_finds_what_was_planted(tmp_path):
    wrong = {
        "lat": "154.5", "status": "mended", "occurred_to": "31.03.2026", "logged_utc": "2026-03-10T12:00:00Z",
        "customers_out": "-1", "elements": "facade:all", "sources_agree": "yes", "kind": "", "ems98_max": "6",
    }  # fmt: skip
    found = checked(tmp_path, "reports", planted(file("reports"), 1, **wrong))
    assert {field for field, _error, _cell in found} == wrong.keys()
    text = file("reports")
    twice = planted(text, 1, reference=text.splitlines()[-1][:9])
    assert [error for _field, error, _cell in checked(tmp_path, "reports", twice)] == ["primary-key"]
    assert checked(tmp_path, "reports", file("reports", hxl=True))  # the row of tags is no data


# -- libhxl


def against_schema(text: str, name: str = "reports") -> list[tuple[str, str]]:
    """What libhxl has against a file by our schema."""
    rules = [list(rule) for rule in describing.hxl_schema(TABLES[name].columns, key=TABLES[name].key)]
    return against(partial(hxl.schema, rules), text)


def against(schema, text: str) -> list[tuple[str, str]]:
    """The errors that libhxl finds: the tag, the cell or, where one is missing, what is said of it."""
    found: list = []
    schema(callback=found.append).validate(hxl.data(list(csv.reader(StringIO(text)))))
    errors = [error for error in found if error.rule.severity == "error"]
    return [(str(error.rule.tag_pattern), error.value or error.message) for error in errors]


@pytest.mark.usefixtures("rich")
@pytest.mark.parametrize("name", TABLES)
def test_libhxl_finds_nothing_against_our_files(name):
    assert against_schema(file(name, hxl=True), name) == []


@pytest.mark.usefixtures("rich")
def test_libhxl_finds_what_was_planted():
    text = file("reports", hxl=True)
    wrong = {
        "lat": "154.5", "status": "mended", "occurred_to": "31 March", "logged_utc": "2026-03-10T12:00:00Z",
        "customers_out": "-1", "elements": "facade:all", "sources_agree": "yes", "ems98_max": "6",
    }  # fmt: skip
    assert {value for _tag, value in against_schema(planted(text, 2, **wrong))} == {*wrong.values()}
    # What libhxl knows by itself lets this latitude pass.
    beyond = planted(text, 2, lat="154.5")
    assert against(hxl.schema, beyond) == []
    assert against_schema(beyond) == [("#geo+lat", "154.5")]
    twice = planted(text, 2, reference=text.splitlines()[-1][:9])
    assert [tag for tag, _value in against_schema(twice)] == ["#meta+id"]
    assert [tag for tag, _value in against_schema(planted(text, 2, kind=""))] == ["#impact+type"]


def test_every_column_has_a_tag_of_its_own():
    for table in TABLES.values():
        tags = [frozenset(column.hxl.split("+")) for column in table.columns]
        assert len(set(tags)) == len(tags)


# -- the doors


def test_the_codes_that_withheld_lists_are_explained():
    told = [line for line in bundling.codes() if line[0] == "withheld"]
    assert [code for _column, code, _words in told] == [str(one) for one in Withheld]
    assert "### withheld" in dictionary.markdown()
    days = next(line for line in bundling.codebook("public") if line[1] == "verified_on")
    assert "the first day of the month" in days[-1]


def test_the_package_leads_to_the_selected_files(client):
    factories.edition()
    factories.published()
    told = client.get("/data/datapackage.json?type=school&hxl=1").json()
    assert told["version"] == "2026-03-10"
    assert told["description"].endswith("School")
    first, second, *_children = told["resources"]
    assert (
        first["path"] == f"{settings.BASE_URL}/reports.csv?hxl=1&type=school&as_of=2026-03-10T12%3A00%3A00Z"
    )
    assert second["path"] == f"{settings.BASE_URL}/versions.csv?hxl=1&type=school"
    assert first["dialect"]["commentRows"] == [2]
    assert [field["name"] for field in first["schema"]["fields"]] == [column.name for column in COLUMNS]
    assert second["schema"]["primaryKey"] == ["reference", "valid_from_utc"]
    only, *others = client.get("/data/datapackage.json?as_of=2026-03-10").json()["resources"]
    assert [one["name"] for one in others] == ["assessments", "outage_steps", "statements"]
    assert only["path"].endswith("/reports.csv?as_of=2026-03-10")
    assert "commentRows" not in only["dialect"]
    for query in ("colour=red", "as_of=2026-03-09", "hxl=yes", "excel=1"):
        assert client.get(f"/data/datapackage.json?{query}").status_code == 400


def test_the_office_is_told_of_its_timeline_too(client, settings):
    settings.SECOND_FACTOR_REQUIRED = False
    client.force_login(factories.person("official", factories.ukraine()["UA"]))
    names = [one["name"] for one in client.get("/data/datapackage.json").json()["resources"]]
    assert names == [*TABLES]


def test_the_schema_is_served_and_stands_in_the_documentation(client):
    served = client.get("/data/hxl-schema/reports.csv").content.decode()
    assert client.get("/data/hxl-schema/secrets.csv").status_code == 404
    page = Path(__file__).parents[2] / "docs" / "hxl-schema.csv"
    assert page.read_text() == served, "manage.py dictionary --hxl > docs/hxl-schema.csv"
