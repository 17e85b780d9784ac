"""GeoJSON (RFC 7946): a collection with one feature a line, the columns its properties as NDJSON has them.

A feature's geometry is the point of its row, longitude first, ``null`` where there is none; rows of tables without
places are features without one.
"""

import pyarrow as pa

from ..sending import Sink
from ..tables import Sheet
from .ndjson import joined, objects

_FEATURE, _PROPERTIES = '{"type":"Feature","geometry":', ',"properties":'


def write(sheet: Sheet, sink: Sink) -> int:
    """Write the sheet and return the number of its rows. Without its last line it is no JSON."""
    count = 0
    head = _located if sheet.is_located else _nowhere
    sink.write(b'{"type":"FeatureCollection","features":[\n')
    between = b""
    for data, rows in objects(sheet, head, "}},\n"):
        # Between features stands a comma, after the last none.
        sink.write(between)
        sink.write(data[:-2])
        between = b",\n"
        count += rows
    sink.write(b"\n]}\n")
    return count


def _located(cells: pa.Table) -> list:
    point = joined('{"type":"Point","coordinates":[', cells["lon"], ",", cells["lat"], "]}")
    return [_FEATURE, point, _PROPERTIES + "{"]


def _nowhere(_cells: pa.Table) -> list:
    return [f"{_FEATURE}null{_PROPERTIES}{{"]
