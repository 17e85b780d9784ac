"""Workbooks and GeoJSON: read as text with the numbers of their rows, and refused where they would do harm."""

import io
import json
import zipfile
from collections.abc import Callable
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import pytest

from registry.tabular import BadTable, Layout, Table, packed
from tests import sheets

HEADINGS = ["place", "day", "n"]


def table(folder: Path, content: bytes, **layout: Any) -> Table:
    path = folder / "table"
    path.write_bytes(content)
    return Table(path, Layout(**layout))


def read(table: Table) -> list[tuple[int, list[str]]]:
    return [(row.number, list(row.cells.values())) for row in table.rows()]


def notes(table: Table) -> list[str]:
    return [str(note) for note in table.notes]


def changed(workbook: bytes, part: str, old: bytes, new: bytes) -> bytes:
    """A workbook with something else in one of its parts."""
    with zipfile.ZipFile(io.BytesIO(workbook)) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    assert old in files[part]
    return sheets.archive({**files, part: files[part].replace(old, new)})


def test_cells_of_a_workbook_become_what_a_csv_would_say(tmp_path: Path) -> None:
    rows: list[list[Any]] = [
        ["place", "day", "began", "at", "n", "share", "yes"],
        ["Суми", date(2025, 1, 2), datetime(2025, 1, 2, 3, 4, 5), time(21, 30), 7, 0.5, True],
        ["=1+1", 45658, None, None, 1e6, -2, False],
    ]
    assert read(table(tmp_path, sheets.xlsx(rows))) == [
        (2, ["Суми", "2025-01-02", "2025-01-02 03:04:05", "21:30:00", "7", "0.5", "true"]),
        (3, ["=1+1", "45658", "", "", "1000000", "-2", "false"]),
    ]


def test_open_document_sheets_are_read(tmp_path: Path) -> None:
    rows = [HEADINGS, ["Суми", date(2025, 1, 2), 7], [], ["Київ", None, 2.5]]
    assert read(table(tmp_path, sheets.ods(rows))) == [
        (2, ["Суми", "2025-01-02", "7"]),
        (4, ["Київ", "", "2.5"]),
    ]


def test_the_first_sheet_that_holds_something_is_read_and_said(tmp_path: Path) -> None:
    book = sheets.xlsx({"Notes": [], "Damage": [HEADINGS, ["Sumy", "x", 1]], "Old": [["a", "b"], ["c", "d"]]})
    found = table(tmp_path, book)
    assert (found.sheet, found.headings) == ("Damage", HEADINGS)
    assert notes(found) == ["The sheet “Damage” is read. There are also: Notes, Old."]
    assert table(tmp_path, book, sheet="Old").headings == ["a", "b"]
    with pytest.raises(BadTable, match="There are: Notes, Damage, Old"):
        table(tmp_path, book, sheet="New")


@pytest.mark.parametrize("workbook", [sheets.xlsx, sheets.ods])
def test_merged_cells_hold_for_the_rows_they_span_and_titles_are_no_headings(
    tmp_path: Path, workbook: Callable[..., bytes]
) -> None:
    rows = [
        [None, "Damage in 2025"],
        [],
        ["Region", "What", None, "Day"],
        [None, "kind", "grade", None],
        ["Sumy", "school", "II", "2025-01-02"],
        [None, "shop", "I", "2025-01-03"],
    ]
    merged = ["B1:D1", "A3:A4", "B3:C3", "D3:D4", "A5:A6"]
    found = table(tmp_path, workbook(rows, merged=merged))
    assert found.headings == ["Region", "kind", "grade", "Day"]
    assert read(found) == [
        (5, ["Sumy", "school", "II", "2025-01-02"]),
        (6, ["Sumy", "shop", "I", "2025-01-03"]),
    ]
    assert notes(found) == [
        "The value of merged cells holds for every row that they span.",
        "The headings are read from row 4.",
    ]


def test_merged_cells_of_an_open_document_are_those_of_its_own_sheet(tmp_path: Path) -> None:
    rows: list[list[Any]] = [HEADINGS, [], [], ["Суми", "x", 1], [None, "y", 2], [None, "z", 3]]
    book = sheets.ods(rows, merged=["A4:A6"])
    other = '<table:table table:name="Old"><table:table-row><table:table-cell table:number-rows-spanned="9"/>'
    other += "</table:table-row></table:table>"
    book = changed(book, "content.xml", b"<table:table table", f"{other}<table:table table".encode())
    # Two blank rows written as one, as programs do.
    blank = b"<table:table-row></table:table-row>"
    book = changed(book, "content.xml", 2 * blank, b'<table:table-row table:number-rows-repeated="2"/>')
    found = table(tmp_path, book, sheet="Sheet1")
    assert [cells[0] for _number, cells in read(found)] == ["Суми", "Суми", "Суми"]
    assert "The value of merged cells holds for every row that they span." in notes(found)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"<office:document", b'<!DOCTYPE x [<!ENTITY a "aaaa">]><office:document'),
        (b'number-rows-spanned="2"', b'number-rows-spanned="two"'),
    ],
)
def test_an_open_document_that_says_nonsense_is_refused(tmp_path: Path, old: bytes, new: bytes) -> None:
    book = changed(sheets.ods([HEADINGS, ["a", "b", 1]], merged=["A1:A2"]), "content.xml", old, new)
    with pytest.raises(BadTable, match="damaged"):
        table(tmp_path, book)


def geojson(*features: Any, **more: Any) -> bytes:
    return json.dumps({"type": "FeatureCollection", "features": features, **more}).encode()


def feature(properties: dict[str, Any], kind: str = "Point", at: Any = (33.5, 51.2)) -> dict[str, Any]:
    return {"type": "Feature", "properties": properties, "geometry": {"type": kind, "coordinates": at}}


def test_features_are_rows_and_points_their_coordinates(tmp_path: Path) -> None:
    found = table(
        tmp_path,
        geojson(
            feature({"town": "Суми", "n": 3, "tags": ["a"]}),
            feature({"town": "Київ", "ok": True}, "LineString", [[30, 50], [31, 51]]),
            {"type": "Feature", "properties": None, "geometry": None, "id": 9},
        ),
    )
    assert found.headings == ["id", "town", "n", "tags", "ok", "lat", "lon", "geometry"]
    assert read(found) == [
        (2, ["", "Суми", "3", '["a"]', "", "51.2", "33.5", "Point"]),
        (3, ["", "Київ", "", "", "true", "", "", "LineString"]),
        (4, ["9", "", "", "", "", "", "", ""]),
    ]
    assert notes(found) == ["The coordinates of larger shapes are not read: LineString (1)."]


def test_of_a_small_shape_the_middle_is_read_and_said(tmp_path: Path) -> None:
    building = [[33.5, 51.2], [33.502, 51.2], [33.502, 51.201, 90], [33.5, 51.201], [33.5, 51.2]]
    district = [[33.5, 51.2], [33.6, 51.2], [33.6, 51.3], [33.5, 51.2]]
    shapes = [
        ("Polygon", [building]),
        ("MultiPolygon", [[building]]),
        ("Polygon", [district]),
        ("Polygon", "x"),
    ]
    found = table(tmp_path, geojson(*(feature({"a": 1}, *shape) for shape in shapes)))
    assert [cells[1:3] for _number, cells in read(found)] == [["51.2005", "33.501"]] * 2 + [["", ""]] * 2
    assert notes(found) == [
        "Of small shapes the middle is read: Polygon (1), MultiPolygon (1).",
        "The coordinates of larger shapes are not read: Polygon (2).",
    ]


FARTHEST = b'</row><row r="1048576"><c r="XFD1048576"><v>1</v></c></row><'
BOOK = sheets.xlsx([HEADINGS, ["Sumy", "x", 1]])
SHEET = "xl/worksheets/sheet1.xml"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (sheets.xlsx([HEADINGS], parts={"xl/vbaProject.bin": b"x"}), "holds macros"),
        (sheets.archive({"word/document.xml": "<x/>"}), "no workbook that can be read"),
        (sheets.archive({"content.xml": "<x/>", "META-INF/manifest.xml": "<encryption-data/>"}), "password"),
        (b"\xd0\xcf\x11\xe0" + "EncryptedPackage".encode("utf-16-le"), "password"),
        (b"\xd0\xcf\x11\xe0" + "_VBA_PROJECT_CUR".encode("utf-16-le"), "holds macros"),
        (b"\xd0\xcf\x11\xe0" + b"\0" * 600, "no workbook that can be read"),
        (b"\xd0\xcf\x11\xe0" + "Workbook".encode("utf-16-le") * 99, "damaged"),
        (BOOK[:-40], "no whole archive"),
        (changed(BOOK, SHEET, b"<sheetData>", b"<sheet"), "workbook is damaged"),
        # Two cells that ask for sixteen thousand million.
        (changed(BOOK, SHEET, b"</row><", FARTHEST), "too large"),
        (sheets.xlsx([[]]), "empty"),
        (b'{"type": "FeatureCollection"', "not well-formed JSON"),
        (b'{"type": "Topology"}', "no GeoJSON FeatureCollection"),
        (b"[" * 200_000, "does not end"),
        (b'{"features":' + b"[" * 200_000, "large"),
        (geojson(crs={"properties": {"name": "urn:ogc:def:crs:EPSG::3857"}}), "WGS 84"),
        (geojson(feature({"a": "\ud800"})), "no text"),
    ],
    ids=range(17),
)  # fmt: skip
def test_what_would_do_harm_or_is_damaged_is_refused_in_words(
    tmp_path: Path, content: bytes, words: str
) -> None:
    with pytest.raises(BadTable, match=words):
        list(table(tmp_path, content).rows())


def test_a_feature_that_is_none_is_named_by_its_row(tmp_path: Path) -> None:
    with pytest.raises(BadTable, match="no GeoJSON feature") as error:
        table(tmp_path, geojson(feature({"a": 1}), "x"))
    assert error.value.row == 3


def test_a_workbook_that_unpacks_to_too_much_is_refused_before_it_is_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packed, "MOST_UNPACKED", 3_000_000)
    bomb = sheets.xlsx([HEADINGS], parts={"xl/media/a": b"\0" * 3_000_000})
    assert len(bomb) < 10_000
    with pytest.raises(BadTable, match="unpacks to more than 3 MB"):
        table(tmp_path, bomb)


def test_a_geojson_that_is_too_long_is_refused_before_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packed, "MOST_JSON", 10)
    with pytest.raises(BadTable, match="at most"):
        table(tmp_path, geojson(feature({"a": 1})))
