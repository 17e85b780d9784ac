"""GeoJSON (RFC 7946): a collection with one feature a line, the columns its properties as NDJSON has them.

A feature's geometry is the point of its row, longitude first, ``null`` where there is none; rows of tables without
places are features without one.
"""

from ..sending import Sink
from ..tables import Sheet
from .ndjson import Slot, members, written

_FEATURE, _PROPERTIES = '{"type":"Feature","geometry":', ',"properties":{'
#: A row has both coordinates or neither.
_POINT = [
    Slot("lon", _FEATURE, '{"type":"Point","coordinates":[', ","),
    Slot("lat", "", "", "]}", missing=""),
]


def write(sheet: Sheet, sink: Sink) -> int:
    """Write the sheet and return the number of its rows. Without its last line it is no JSON."""
    if sheet.is_located:
        slots = _POINT + members(sheet.columns, _PROPERTIES)
    else:
        slots = members(sheet.columns, _FEATURE + "null" + _PROPERTIES)
    sink.write(b'{"type":"FeatureCollection","features":[\n')
    count, between = 0, b""
    for data, rows in written(sheet, slots, "}},\n"):
        # Between features stands a comma, after the last none.
        sink.write(between)
        sink.write(data[:-2])
        between = b",\n"
        count += rows
    sink.write(b"\n]}\n")
    return count
