"""GeoJSON (RFC 7946): a collection with one feature a line, the columns its properties as NDJSON has them.

A feature's geometry is the point of its row, longitude first, ``null`` where there is none; rows of tables without
places are features without one.
"""

from contextlib import closing

from ..sending import Sink
from ..tables import Sheet
from .ndjson import objects

_FEATURE = b'{"type":"Feature","geometry":%b,"properties":{'
_POINT = b'{"type":"Point","coordinates":[%b,%b]}'
_NOWHERE = _FEATURE % b"null"


def write(sheet: Sheet, sink: Sink) -> int:
    """Write the sheet and return the number of its rows. Without its last line it is no JSON."""
    count = 0
    head = _located if sheet.is_located else _NOWHERE
    sink.write(b'{"type":"FeatureCollection","features":[\n')
    with closing(objects(sheet, head, b"}},\n")) as chunks:
        last = b""
        for data, rows in chunks:
            # Between features stands a comma, after the last none.
            sink.write(last + data[:-2])
            last = data[-2:]
            count += rows
    sink.write(b"\n]}\n")
    return count


def _located(columns: dict[str, list[bytes]]) -> list[bytes]:
    points = zip(columns["lon"], columns["lat"], strict=True)
    return [_FEATURE % (_POINT % point) if point[0] else _NOWHERE for point in points]
