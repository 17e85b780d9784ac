"""Every format holds the same values; programs that people use read them back."""

import csv
import json
import shutil
import sqlite3
import subprocess
import zipfile
from contextlib import closing
from datetime import date, datetime, timedelta
from decimal import Decimal
from io import BytesIO, StringIO
from itertools import repeat
from pathlib import Path
from typing import Any

import duckdb
import geopandas
import pandas as pd
import polars as pl
import pytest
from pyarrow import parquet
from python_calamine import CalamineWorkbook

from registry.actions import journal
from registry.filters import select
from registry.models import Assessment, Incident, OutageStep, Report, Statement
from registry.outputs import rows
from registry.outputs.formats import FORMATS, Unfit, geopackage, geoparquet, ndjson, xlsx
from registry.outputs.formats import csv as csv_format
from registry.outputs.sending import Abandoned
from registry.outputs.tables import TABLES
from registry.rules.vocabularies import Holder
from tests import factories
from tests.factories import AT, report
from tests.outputs.test_exporting import NASTY

pytestmark = pytest.mark.django_db


def written(format: str, table: str = "reports", **params: Any) -> bytes:
    """A file of the office's rows."""
    sink = BytesIO()
    FORMATS[format].write(TABLES[table].sheet(select(None, params, holder=Holder.OFFICE)), sink)
    return sink.getvalue()


def plain(value: Any, type: str) -> Any:
    """A value of a file as Python has it; None where it is missing."""
    if value is None or value is pd.NaT or value is pd.NA or value == "" or value != value:
        return None
    match type:
        case "decimal":
            return round(Decimal(str(value)), 6).normalize()
        case "integer":
            return int(value)
        case "boolean":
            return value if isinstance(value, bool) else {"true": True, "false": False}[str(value).lower()]
        case "date":
            return date.fromisoformat(str(value)[:10])
        case "moment":
            return pd.Timestamp(value).tz_localize(None).to_pydatetime() if is_naive(value) else moment(value)
    return value


def is_naive(value: Any) -> bool:
    return pd.Timestamp(value).tzinfo is None


def moment(value: Any) -> datetime:
    return pd.Timestamp(value).tz_convert("UTC").tz_localize(None).to_pydatetime()


def as_plain(rows: list[dict[str, Any]], table: str = "reports") -> list[dict[str, Any]]:
    columns = TABLES[table].columns
    return [{column.name: plain(row[column.name], column.type) for column in columns} for row in rows]


def in_csv(table: str = "reports") -> list[dict[str, Any]]:
    return as_plain(list(csv.DictReader(StringIO(written("csv", table).decode(), newline=""))), table)


def test_ndjson_holds_what_csv_holds(nasty):
    lines = written("ndjson").split(b"\n")
    assert lines.pop() == b""
    rows = [json.loads(line) for line in lines]
    assert as_plain(rows) == in_csv()
    assert {row["reference"]: row["summary"] for row in rows} == nasty
    assert [list(row) for row in rows] == [[c.name for c in TABLES["reports"].columns]] * len(NASTY)
    assert all(value != "" for row in rows for value in row.values())
    assert {row["started_utc"] for row in rows if row["started_utc"]} >= {"2026-03-01T00:00:01Z"}


def test_programs_read_ndjson(nasty, tmp_path):
    path = tmp_path / "reports.ndjson"
    path.write_bytes(written("ndjson"))
    asked = "SELECT reference, summary, adm2_code, lon FROM read_ndjson(?, sample_size=-1)"
    expected = {(row["reference"], row["summary"], "007", row["lon"]) for row in in_csv()}
    found = duckdb.execute(asked, [str(path)]).fetchall()
    assert {(ref, text, code, lon and round(Decimal(lon), 6)) for ref, text, code, lon in found} == expected
    frame = pl.read_ndjson(path, infer_schema_length=None)
    assert dict(frame.select("reference", "summary").rows()) == nasty
    frame = pd.read_json(path, lines=True, dtype={"adm2_code": str})
    assert dict(zip(frame.reference, frame.summary, strict=True)) == nasty
    assert set(frame.adm2_code) == {"007"}


def test_geojson_is_a_collection_of_points(nasty, tmp_path):
    data = written("geojson")
    told = json.loads(data)
    assert (told["type"], "crs" in told) == ("FeatureCollection", False)
    assert as_plain([feature["properties"] for feature in told["features"]]) == in_csv()
    for feature in told["features"]:
        row = feature["properties"]
        point = {"type": "Point", "coordinates": [-70.000001, -33.5]} if row["lat"] else None
        assert feature["geometry"] == point
    path = tmp_path / "reports.geojson"
    path.write_bytes(data)
    frame = geopandas.read_file(path)
    assert dict(zip(frame.reference, frame.summary, strict=True)) == nasty
    assert frame.crs.to_epsg() == 4326
    assert {(p.x, p.y) for p in frame.geometry if p is not None} == {(-70.000001, -33.5)}


def in_arrow(data: bytes) -> list[dict[str, Any]]:
    return parquet.read_table(BytesIO(data)).to_pylist()


def test_geoparquet_holds_what_csv_holds_in_types_of_its_own(nasty, tmp_path):
    data = written("parquet")
    assert as_plain(in_arrow(data)) == in_csv()
    path = tmp_path / "reports.parquet"
    path.write_bytes(data)
    types = {field.name: str(field.type) for field in parquet.read_schema(path)}
    assert types["started_utc"] == "timestamp[ms, tz=UTC]"
    assert (types["occurred_to"], types["repair_cost"], types["lat"]) == (
        "date32[day]",
        "decimal128(16, 2)",
        "double",
    )
    geo = json.loads(parquet.ParquetFile(path).metadata.metadata[b"geo"])
    assert geo["columns"]["geometry"]["bbox"] == [-70.000001, -33.5, -70.000001, -33.5]
    frame = geopandas.read_parquet(path)
    assert dict(zip(frame.reference, frame.summary, strict=True)) == nasty
    assert {(p.x, p.y) for p in frame.geometry if p is not None} == {(-70.000001, -33.5)}
    assert frame.crs.to_string() == "OGC:CRS84"
    assert dict(pl.read_parquet(path).select("reference", "summary").rows()) == nasty
    assert (
        dict(duckdb.execute("SELECT reference, summary FROM read_parquet(?)", [str(path)]).fetchall())
        == nasty
    )


def in_sqlite(data: bytes, table: str, folder: Path) -> list[dict[str, Any]]:
    path = folder / f"{table}.gpkg"
    path.write_bytes(data)
    with closing(sqlite3.connect(path)) as package:
        package.row_factory = sqlite3.Row
        rows = [dict(row) for row in package.execute(f"SELECT * FROM {table} ORDER BY fid")]
    for row in rows:
        for column in TABLES[table].columns:
            if column.type == "boolean" and row[column.name] is not None:
                row[column.name] = bool(row[column.name])
    return rows


def test_a_geopackage_holds_what_csv_holds(nasty, tmp_path):
    rows = in_sqlite(written("gpkg"), "reports", tmp_path)
    assert as_plain(rows) == in_csv()
    assert {row["adm2_code"] for row in rows} == {"007"}
    assert {row["started_utc"] for row in rows} >= {None, "2026-03-01T00:00:01.000Z"}
    frame = geopandas.read_file(tmp_path / "reports.gpkg")
    assert dict(zip(frame.reference, frame.summary, strict=True)) == nasty
    assert {(p.x, p.y) for p in frame.geometry if p is not None} == {(-70.000001, -33.5)}
    assert frame.crs.to_epsg() == 4326
    assert str(frame.started_utc.dtype).startswith("datetime64")
    if shutil.which("ogrinfo"):
        told = subprocess.run(
            ["ogrinfo", "-al", "-so", tmp_path / "reports.gpkg"], capture_output=True, text=True
        )
        assert told.returncode == 0
        assert f"Feature Count: {len(nasty)}" in told.stdout
        assert "Warning" not in told.stderr


def in_sheets(data: bytes) -> list[dict[str, Any]]:
    book = CalamineWorkbook.from_filelike(BytesIO(data))
    (name, *more) = book.sheet_names
    head, *rows = book.get_sheet_by_name(name).to_python()
    for other in more:
        rows += book.get_sheet_by_name(other).to_python()[1:]
    return [dict(zip(head, row, strict=False)) for row in rows]


def test_xlsx_holds_what_csv_holds_and_no_formula(nasty):
    data = written("xlsx")
    rows = as_plain(in_sheets(data))
    assert rows == in_csv()
    with zipfile.ZipFile(BytesIO(data)) as parts:
        page = parts.read("xl/worksheets/sheet1.xml")
    assert b"<f>" not in page
    assert b"=1+1" in page


@pytest.mark.usefixtures("nasty")
def test_more_rows_than_a_sheet_holds_go_on_in_the_next(monkeypatch):
    monkeypatch.setattr(xlsx, "ROWS", 8)
    data = written("xlsx")
    names = CalamineWorkbook.from_filelike(BytesIO(data)).sheet_names
    assert names == ["reports", "reports 2", "reports 3"]
    assert as_plain(in_sheets(data)) == in_csv()


def test_a_text_that_no_cell_holds_is_refused_before_anything_is_written():
    made = report()
    journal.record(journal.Line(journal.lock(made.reference), "noted", texts={"note": "x" * 32_768}), at=AT)
    sheet = TABLES["entries"].sheet(select(None, {}, holder=Holder.OFFICE))
    with pytest.raises(Unfit, match="note"):
        FORMATS["xlsx"].check(sheet)
    FORMATS["xlsx"].check(TABLES["reports"].sheet(select(None, {}, holder=Holder.OFFICE)))


def test_days_before_excel_reckons_with_them_are_text():
    report(occurred_from=date(1812, 9, 7), occurred_to=date(1900, 3, 1))
    (row,) = in_sheets(written("xlsx"))
    assert row["occurred_from"] == "1812-09-07"
    assert plain(row["occurred_to"], "date") == date(1900, 3, 1)


@pytest.mark.parametrize("form", FORMATS)
def test_the_same_rows_are_the_same_bytes(nasty, form):
    assert written(form) == written(form)


@pytest.mark.usefixtures("nasty")
@pytest.mark.parametrize("form", ["ndjson", "geojson"])
def test_objects_are_the_same_in_groups_of_any_size(form, monkeypatch):
    whole = written(form)
    monkeypatch.setattr(rows, "_sizes", lambda: repeat(1))
    monkeypatch.setattr(ndjson, "_GROUP", 1)
    assert written(form) == whole


@pytest.mark.parametrize("form", FORMATS)
def test_no_part_of_a_broken_file_stays_behind(nasty, form, monkeypatch, settings, tmp_path):
    def broken(sheet):
        raise RuntimeError("gone")
        yield b"", 0

    settings.DATA_DIR = tmp_path
    for module in (csv_format, ndjson, xlsx, geopackage, geoparquet):
        monkeypatch.setattr(module, "lines", lambda sheet, **options: broken(sheet))
    with pytest.raises(RuntimeError, match="gone"):
        written(form)
    assert not list(tmp_path.iterdir())


@pytest.mark.usefixtures("nasty")
@pytest.mark.parametrize("form", ["xlsx", "gpkg"])
def test_whoever_leaves_before_a_packed_file_stops_it(form, settings, tmp_path):
    class Left:
        def write(self, data: bytes) -> None:
            assert not data, "nothing is sent before the end"
            raise Abandoned

    settings.DATA_DIR = tmp_path
    with pytest.raises(Abandoned):
        FORMATS[form].write(TABLES["reports"].sheet(select(None, {}, holder=Holder.OFFICE)), Left())
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("table", TABLES)
def test_a_table_without_rows_is_a_file(table, tmp_path):
    assert written("ndjson", table) == b""
    assert json.loads(written("geojson", table)) == {"type": "FeatureCollection", "features": []}
    names = [column.name for column in TABLES[table].columns]
    assert parquet.read_table(BytesIO(written("parquet", table))).num_rows == 0
    assert in_sqlite(written("gpkg", table), table, tmp_path) == []
    book = CalamineWorkbook.from_filelike(BytesIO(written("xlsx", table)))
    assert book.get_sheet_by_name(table).to_python() == [names]


@pytest.mark.usefixtures("nasty")
def test_past_and_children_hold_in_every_format_what_csv_holds(tmp_path):
    old = Report.objects.first()
    factories.change(old, at=AT + timedelta(days=1), summary="Later")
    children(old)
    for table in TABLES:
        rows = in_csv(table)
        assert rows
        assert as_plain([json.loads(line) for line in written("ndjson", table).splitlines()], table) == rows
        assert as_plain(in_arrow(written("parquet", table)), table) == rows
        assert as_plain(in_sqlite(written("gpkg", table), table, tmp_path), table) == rows
        assert as_plain(in_sheets(written("xlsx", table)), table) == rows
        features = json.loads(written("geojson", table))["features"]
        assert as_plain([feature["properties"] for feature in features], table) == rows
        if table not in ("reports", "versions"):
            assert {feature["geometry"] for feature in features} <= {None}


def children(report: Report) -> None:
    """What hangs on a report and its incident."""
    storm = Incident.objects.create(title="Storm", cause_group="weather", began_at=AT, created_at=AT)
    Statement.objects.create(
        incident=storm, type="damage", text='Roofs, "many"', said_by="Office", said_at=AT, certainty="confirmed",
        figure=40, figure_unit="houses", recorded_at=AT,
    )  # fmt: skip
    graded = journal.Line(
        journal.lock(report.reference),
        "noted",
        rows=[
            Assessment(
                scale="ems98",
                scale_grade="3",
                method="field",
                assessed_on=date(2026, 3, 9),
                elements="glazing:>60",
            ),
            OutageStep(at=AT, direction="lost", customers=None, everyone=True),
        ],
    )
    journal.record(graded, at=AT + timedelta(days=2))
