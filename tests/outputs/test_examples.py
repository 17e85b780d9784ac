"""The worked examples, run as they stand in docs/examples, and the values that others read back."""

import os
import subprocess
import sys
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
from django.test import Client

from tests import factories
from tests.factories import published

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "examples"
pytestmark = pytest.mark.django_db(transaction=True)
#: What spreadsheets and parsers spoil.
HARD = {
    "adm2_code": "007",
    "adm2_name": "Чугуїв, «район»",
    "settlement": 'The "old"\ntown; no. 5',
    "summary": "=1+1",
    "lat": Decimal("-33.900100"),
    "lon": Decimal("-70.000005"),
    "started_utc": datetime(2026, 3, 9, 23, 30, 5, tzinfo=UTC),
    "repair_cost": Decimal("1234567.50"),
    "repair_currency": "UAH",
    "sources_agree": False,
    "customers_affected": 2_000_000_000,
}


@pytest.fixture
def register(live_server, settings):
    """Three schools, one of them struck twice, one repaired; and a house."""
    settings.BASE_URL = live_server.url
    factories.ukraine()
    factories.edition()
    first = published(asset="0000-0001", repaired_on=date(2026, 3, 10), status="repaired")
    published(asset="0000-0001", damage_level="severe")
    published(adm1_code="UA-23", adm1_name="Zaporizhzhia")
    published(object_type="house", **HARD)
    return live_server.url, first


def run(register, *command):
    ran = subprocess.run(command, env=os.environ | {"REGISTER": register}, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    return [line.split() for line in ran.stdout.splitlines()]


def test_the_example_in_python(register):
    lines = run(register[0], sys.executable, FOLDER / "schools.py")
    assert lines[0] == ["Edition", "of", "2026-03-10,", "3", "rows"]
    assert ["Kharkiv", "moderate", "1", "1", "1"] in lines
    assert lines[-1] == ["Zaporizhzhia", "moderate", "1", "1", "0"]


@pytest.mark.r
def test_the_example_in_r(register):
    lines = run(register[0], "Rscript", FOLDER / "schools.R")
    assert ["Kharkiv", "severe", "1", "1", "0"] in lines
    assert ["Zaporizhzhia", "moderate", "1", "1", "0"] in lines
    assert lines[-1] == ["0", "of", "3", "have", "a", "point"]


def fetched(address, file):
    answer = Client().get(address)
    file.write_bytes(b"".join(answer.streaming_content) if answer.streaming else answer.content)
    return file


@pytest.fixture
def duck(register, tmp_path):
    """DuckDB with the tables of schema.sql, filled as the example says."""
    database = duckdb.connect()
    database.execute(fetched("/data/schema.sql", tmp_path / "schema.sql").read_text())
    file = fetched("/reports.csv", tmp_path / "reports.csv")
    database.execute(f"COPY reports FROM '{file}' (HEADER, NULLSTR '')")
    return database


def test_the_example_in_sql(duck):
    duck.execute("DELETE FROM reports WHERE object_type != 'school'")
    rows = duck.execute((FOLDER / "schools.sql").read_text()).fetchall()
    assert rows == [
        ("Kharkiv", "moderate", 1, 1, 1),
        ("Kharkiv", "severe", 1, 1, 0),
        ("Zaporizhzhia", "moderate", 1, 1, 0),
    ]


def test_sql_reads_the_same_values_back(duck):
    names = ", ".join(HARD)
    row = duck.execute(f"SELECT {names} FROM reports WHERE object_type = 'house'").fetchone()
    assert row == tuple(
        value.replace(tzinfo=None) if isinstance(value, datetime) else value for value in HARD.values()
    )


@pytest.mark.r
def test_r_reads_the_same_values_back(register, tmp_path):
    file = fetched("/reports.csv?type=house", tmp_path / "reports.csv")
    columns = fetched("/data/columns.R", tmp_path / "columns.R")
    said = "; ".join(f'cat("{name}=", format(row${name}, digits = 12), "\\1", sep = "")' for name in HARD)
    program = f'source("{columns}"); row <- readr::read_csv("{file}", col_types = reports, na = ""); {said}'
    ran = subprocess.run(["Rscript", "-e", program], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    found = dict(cell.split("=", 1) for cell in ran.stdout.split("\1") if cell)
    assert found["adm2_code"] == "007"
    for name in ("adm2_name", "settlement", "summary", "repair_currency"):
        assert found[name] == HARD[name]
    for name in ("lat", "lon", "repair_cost", "customers_affected"):
        assert Decimal(found[name]) == HARD[name]
    assert (found["started_utc"], found["sources_agree"]) == ("2026-03-09 23:30:05", "FALSE")


def test_the_page_shows_each_example_with_this_registers_address(db, settings):
    page = Client().get("/data/examples").content.decode()
    for name in ("schools.py", "schools.R", "schools.sql"):
        assert name in page
    assert "register.example.org" not in page
    assert f"{settings.BASE_URL}/ogc" in page
