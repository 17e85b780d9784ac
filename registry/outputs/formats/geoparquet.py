"""GeoParquet 1.1 (https://geoparquet.org/releases/v1.1.0): columns of their own types, the point as WKB in
``geometry``; tables without places are plain Parquet.

Text and codes are strings, days dates, moments in UTC to the millisecond, money and hours decimals, degrees doubles;
what is missing is null. Rows are read as CSV, which Arrow parses fastest.
"""

import json
from contextlib import closing
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import csv, parquet

from registry.columns import Column

from ..rows import grouped
from ..sending import Outlet, Sink
from ..tables import Sheet
from .csv import lines

#: Bytes of CSV that are parsed and written together: enough to be packed well, few enough to be held.
_GROUP = 4 << 20
_POINT = np.dtype([("order", "u1"), ("type", "<u4"), ("x", "<f8"), ("y", "<f8")])
_DEGREES = ("lat", "lon")


def write(sheet: Sheet, sink: Sink) -> int:
    """Write the sheet and return the number of its rows. Without its last bytes it is no Parquet."""
    pool = pa.system_memory_pool()
    pa.set_memory_pool(pool)
    file = pa.PythonFile(Outlet(sink), mode="w")
    box = np.array([np.inf, np.inf, -np.inf, -np.inf])
    count = 0
    with (
        parquet.ParquetWriter(file, _schema(sheet), compression="zstd", compression_level=1) as writer,
        closing(lines(sheet)) as chunks,
    ):
        groups = grouped(chunks, _GROUP)
        while data := next(groups, b""):
            table = _table(sheet, data, box)
            del data
            writer.write_table(table)
            count += table.num_rows
            del table
            # What many small pieces leave behind goes back to the system, which else waits for it in vain.
            pool.release_unused()
        if sheet.is_located:
            writer.add_key_value_metadata({"geo": json.dumps(_geo(box))})
    return count


def _type(column: Column, *, parsed: bool = False) -> pa.DataType:
    """What a column is in the file, and as what its cells are ``parsed``: a zone stands in no cell."""
    match column.type:
        case "integer":
            return pa.int64()
        case "decimal" if column.name not in _DEGREES:
            return pa.decimal128(getattr(column.field, "max_digits", 38), column.decimals)
        case "decimal":
            return pa.float64()
        case "boolean":
            return pa.bool_()
        case "date":
            return pa.date32()
        case "moment":
            return pa.timestamp("ms", None if parsed else "UTC")
    return pa.string()


def _schema(sheet: Sheet) -> pa.Schema:
    fields = [(column.name, _type(column)) for column in sheet.columns]
    return pa.schema([*fields, ("geometry", pa.binary())] if sheet.is_located else fields)


def _table(sheet: Sheet, data: bytes, box: np.ndarray) -> pa.Table:
    """Lines of CSV as a table; ``box`` grows to hold its points."""
    table = csv.read_csv(
        pa.BufferReader(data),
        csv.ReadOptions(column_names=[column.name for column in sheet.columns], block_size=len(data) + 1),
        csv.ParseOptions(newlines_in_values=True),
        csv.ConvertOptions(
            column_types={column.name: _type(column, parsed=True) for column in sheet.columns},
            null_values=[""],
            strings_can_be_null=True,
            true_values=["true"],
            false_values=["false"],
        ),
    )
    if sheet.is_located:
        table = table.append_column("geometry", _points(table, box))
    return table.cast(_schema(sheet))


def _points(table: pa.Table, box: np.ndarray) -> pa.Array:
    """The point of each row as WKB, null where it has none."""
    # By their buffers: Arrow's own ways to and from numpy load pandas where it is installed.
    (lons,), (lats,) = table["lon"].chunks, table["lat"].chunks
    known, lon = lons.buffers()
    bits = np.frombuffer(known, np.uint8) if known else np.full(len(lons) // 8 + 1, 255, np.uint8)
    there = np.unpackbits(bits, count=len(lons), bitorder="little").astype(bool)
    points = np.ones(int(there.sum()), _POINT)  # little-endian, a point
    points["x"] = np.frombuffer(lon, np.float64, len(lons))[there]
    points["y"] = np.frombuffer(lats.buffers()[1], np.float64, len(lons))[there]
    if len(points):
        here = points["x"].min(), points["y"].min(), points["x"].max(), points["y"].max()
        box[:2], box[2:] = np.minimum(box[:2], here[:2]), np.maximum(box[2:], here[2:])
    ends = np.concatenate(([0], np.cumsum(there))).astype(np.int32) * _POINT.itemsize
    wkb = [known, pa.py_buffer(ends), pa.py_buffer(points.tobytes())]
    return pa.Array.from_buffers(pa.binary(), len(lons), wkb)


def _geo(box: np.ndarray) -> dict[str, Any]:
    column: dict[str, Any] = {"encoding": "WKB", "geometry_types": ["Point"]}
    if np.isfinite(box).all():
        column["bbox"] = box.tolist()
    # Without a reference system named it is longitude and latitude in WGS 84.
    return {"version": "1.1.0", "primary_column": "geometry", "columns": {"geometry": column}}
