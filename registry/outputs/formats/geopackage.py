"""GeoPackage 1.3 (OGC 12-128r17): one table of features, or of attributes where rows have no places.

Numbers, booleans (1 and 0), days and moments have the types of the specification; what is missing is NULL. The point
is the geometry ``geom``. SQLite makes numbers of digits by the types of its columns, so cells go in as they come.
"""

import sqlite3
import struct
import tempfile
from collections.abc import Callable
from contextlib import closing
from typing import Any

from django.conf import settings

from ..rows import CELL, LINE, lines
from ..sending import MAKING, Sink
from ..tables import Sheet

#: "GP10", and the number of version 1.3, in the header of the file.
_APPLICATION, _VERSION = 0x47504B47, 10300
_WGS84 = 4326
_TYPES = {
    "text": "TEXT",
    "code": "TEXT",
    "integer": "INTEGER",
    "decimal": "REAL",
    "boolean": "BOOLEAN",
    "date": "DATE",
    "moment": "DATETIME",
}
#: A geometry: "GP", version 0, little-endian without envelope, WGS 84; then WKB, little-endian, of a point.
_POINT = struct.Struct("<2sBBiBIdd")
_COPIED = 1 << 18
#: The moments by which a row is known to have changed.
_CHANGED = ("updated_utc", "recorded_utc", "said_utc")
_NEVER = "1970-01-01T00:00:00.000Z"

_TABLES = """
CREATE TABLE gpkg_spatial_ref_sys (
  srs_name TEXT NOT NULL, srs_id INTEGER NOT NULL PRIMARY KEY, organization TEXT NOT NULL,
  organization_coordsys_id INTEGER NOT NULL, definition TEXT NOT NULL, description TEXT);
CREATE TABLE gpkg_contents (
  table_name TEXT NOT NULL PRIMARY KEY, data_type TEXT NOT NULL, identifier TEXT UNIQUE, description TEXT DEFAULT '',
  last_change DATETIME NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')),
  min_x DOUBLE, min_y DOUBLE, max_x DOUBLE, max_y DOUBLE, srs_id INTEGER,
  CONSTRAINT fk_gc_r_srs_id FOREIGN KEY (srs_id) REFERENCES gpkg_spatial_ref_sys(srs_id));
CREATE TABLE gpkg_geometry_columns (
  table_name TEXT NOT NULL, column_name TEXT NOT NULL, geometry_type_name TEXT NOT NULL, srs_id INTEGER NOT NULL,
  z TINYINT NOT NULL, m TINYINT NOT NULL,
  CONSTRAINT pk_geom_cols PRIMARY KEY (table_name, column_name),
  CONSTRAINT uk_gc_table_name UNIQUE (table_name),
  CONSTRAINT fk_gc_tn FOREIGN KEY (table_name) REFERENCES gpkg_contents(table_name),
  CONSTRAINT fk_gc_srs FOREIGN KEY (srs_id) REFERENCES gpkg_spatial_ref_sys (srs_id));
"""
_SYSTEMS = (
    ("Undefined Cartesian", -1, "NONE", -1, "undefined", None),
    ("Undefined geographic", 0, "NONE", 0, "undefined", None),
    (
        "WGS 84",
        _WGS84,
        "EPSG",
        _WGS84,
        'GEOGCS["WGS 84",DATUM["WGS_1984",SPHEROID["WGS 84",6378137,298.257223563,AUTHORITY["EPSG","7030"]],'
        'AUTHORITY["EPSG","6326"]],PRIMEM["Greenwich",0,AUTHORITY["EPSG","8901"]],'
        'UNIT["degree",0.0174532925199433,AUTHORITY["EPSG","9122"]],AXIS["Latitude",NORTH],AXIS["Longitude",EAST],'
        'AUTHORITY["EPSG","4326"]]',
        "longitude and latitude in degrees",
    ),
)


def write(sheet: Sheet, sink: Sink) -> int:
    """Write the sheet and return the number of its rows. A database is whole only at its end, so it is made beside
    and copied."""
    with tempfile.NamedTemporaryFile(dir=settings.DATA_DIR, prefix=MAKING) as file:
        with closing(sqlite3.connect(file.name, isolation_level=None)) as made:
            count = _made(made, sheet, sink)
        with open(file.name, "rb") as whole:
            while data := whole.read(_COPIED):
                sink.write(data)
    return count


def _made(made: sqlite3.Connection, sheet: Sheet, sink: Sink) -> int:
    # Nobody reads it before it is whole, and a broken one is thrown away.
    made.execute("PRAGMA journal_mode = OFF")
    made.execute("PRAGMA synchronous = OFF")
    made.execute("PRAGMA cache_size = -8192")
    made.execute(f"PRAGMA application_id = {_APPLICATION}")
    made.execute(f"PRAGMA user_version = {_VERSION}")
    made.executescript(_TABLES)
    made.executemany("INSERT INTO gpkg_spatial_ref_sys VALUES (?, ?, ?, ?, ?, ?)", _SYSTEMS)
    typed = [f'"{column.name}" {_TYPES[column.type]}' for column in sheet.columns]
    geometry = ["geom POINT"] if sheet.is_located else []
    made.execute(
        f"CREATE TABLE {sheet.name} "
        f"({', '.join(['fid INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL', *geometry, *typed])})"
    )
    kind = "features" if sheet.is_located else "attributes"
    made.execute(
        "INSERT INTO gpkg_contents (table_name, data_type, identifier, srs_id) VALUES (?, ?, ?, ?)",
        (sheet.name, kind, sheet.name, _WGS84 if sheet.is_located else None),
    )
    if sheet.is_located:
        made.execute(
            "INSERT INTO gpkg_geometry_columns VALUES (?, 'geom', 'POINT', ?, 0, 0)", (sheet.name, _WGS84)
        )
    made.execute("BEGIN")
    count = _filled(made, sheet, sink)
    if sheet.is_located:
        made.execute(
            f"UPDATE gpkg_contents SET (min_x, min_y, max_x, max_y) = "
            f"(SELECT min(lon), min(lat), max(lon), max(lat) FROM {sheet.name})"
        )
    # Of its rows and not of the clock, so that the same rows are the same bytes.
    changed = next((column.name for column in sheet.columns if column.name in _CHANGED), None)
    newest = made.execute(f"SELECT max({changed}) FROM {sheet.name}").fetchone()[0] if changed else None
    made.execute("UPDATE gpkg_contents SET last_change = ?", (newest or _NEVER,))
    made.execute("COMMIT")
    return count


def _filled(made: sqlite3.Connection, sheet: Sheet, sink: Sink) -> int:
    width = len(sheet.columns)
    names = [f'"{column.name}"' for column in sheet.columns] + ["geom"] * sheet.is_located
    into = f"INSERT INTO {sheet.name} ({', '.join(names)}) VALUES ({', '.join(['?'] * len(names))})"
    count = 0
    with closing(lines(sheet)) as chunks:
        for data, rows in chunks:
            # Nothing yet, but whoever has left says so here.
            sink.write(b"")
            # What is no UTF-8 lies between cells and lines, and is one character each to Python.
            cells = data.replace(LINE, CELL).decode(errors="surrogateescape").split(_BETWEEN)
            columns = {
                column.name: _VALUES.get(column.type, _texts)(cells[i:-1:width])
                for i, column in enumerate(sheet.columns)
            }
            values = list(columns.values())
            if sheet.is_located:
                values.append(_points(columns["lon"], columns["lat"]))
            made.executemany(into, zip(*values, strict=True))
            count += rows
    return count


_BETWEEN = CELL.decode(errors="surrogateescape")


def _texts(cells: list[str]) -> list[Any]:
    return [cell or None for cell in cells]


def _flags(cells: list[str]) -> list[Any]:
    return [cell == "true" if cell else None for cell in cells]


def _moments(cells: list[str]) -> list[Any]:
    return [cell.replace(" ", "T") + ".000Z" if cell else None for cell in cells]


_VALUES: dict[str, Callable[[list[str]], list[Any]]] = {"boolean": _flags, "moment": _moments}


def _points(lons: list[Any], lats: list[Any]) -> list[bytes | None]:
    pack = _POINT.pack
    return [
        pack(b"GP", 0, 1, _WGS84, 1, 1, float(lon), float(lat)) if lon else None
        for lon, lat in zip(lons, lats, strict=True)
    ]
