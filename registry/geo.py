"""Places on the globe: the integer cell that serves tiles, boxes and clusters alike, grids and distances.

A cell interleaves the bits of x and y of the web Mercator tile at zoom 26 (x in the even bits), so that
all points of a tile of any smaller zoom lie in one range of integers. Web Mercator reaches to latitude
±85.05°; points nearer the poles are put on the edge for the cell alone, their coordinates stay.
"""

import math
from collections.abc import Iterable, Iterator
from decimal import Decimal
from functools import lru_cache

ZOOM = 26
_SIDE = 1 << ZOOM
_MAX_LATITUDE = 85.05112877980659
EARTH_RADIUS_M = 6_371_008.8


def _spread(value: int) -> int:
    """The 26 bits of ``value`` with a zero between each two."""
    value &= 0x3FFFFFF
    value = (value | value << 16) & 0x0000FFFF0000FFFF
    value = (value | value << 8) & 0x00FF00FF00FF00FF
    value = (value | value << 4) & 0x0F0F0F0F0F0F0F0F
    value = (value | value << 2) & 0x3333333333333333
    return (value | value << 1) & 0x5555555555555555


def _gather(value: int) -> int:
    value &= 0x5555555555555555
    value = (value | value >> 1) & 0x3333333333333333
    value = (value | value >> 2) & 0x0F0F0F0F0F0F0F0F
    value = (value | value >> 4) & 0x00FF00FF00FF00FF
    value = (value | value >> 8) & 0x0000FFFF0000FFFF
    return (value | value >> 16) & 0x00000000FFFFFFFF


def _from_north(lat: float) -> float:
    """How far down the Mercator square a latitude lies: 0 at its upper edge, 1 at its lower."""
    phi = math.radians(max(-_MAX_LATITUDE, min(_MAX_LATITUDE, lat)))
    return (1.0 - math.asinh(math.tan(phi)) / math.pi) / 2.0


def cell(lat: float | Decimal, lon: float | Decimal) -> int:
    """The cell at zoom 26 (0 ≤ cell < 2**52) of a point in degrees (WGS 84)."""
    x = (float(lon) + 180.0) / 360.0
    column = min(_SIDE - 1, max(0, int(x * _SIDE)))
    line = min(_SIDE - 1, max(0, int(_from_north(float(lat)) * _SIDE)))
    return _spread(column) | _spread(line) << 1


def tile_range(zoom: int, x: int, y: int) -> tuple[int, int]:
    """The cells of a tile as a half-open range ``first ≤ cell < last``."""
    shift = 2 * (ZOOM - zoom)
    prefix = _spread(x) | _spread(y) << 1
    return prefix << shift, (prefix + 1) << shift


def middle(prefix: int, zoom: int) -> tuple[float, float]:
    """Where in the unit square of web Mercator, from its upper left corner, the centre of the tile lies whose
    cells begin with ``prefix``."""
    side = 1 << zoom
    return (_gather(prefix) + 0.5) / side, (_gather(prefix >> 1) + 0.5) / side


def degrees(x: float, y: float) -> tuple[float, float]:
    """Latitude and longitude of a point of the unit square."""
    return math.degrees(math.atan(math.sinh(math.pi * (1 - 2 * y)))), x * 360.0 - 180.0


def centre(prefix: int, zoom: int) -> tuple[float, float]:
    """Latitude and longitude of the centre of the tile whose cells begin with ``prefix``."""
    return degrees(*middle(prefix, zoom))


def distance_m(lat1: float, lon1: float, lat2: float, lon2: float) -> float:
    """Great-circle distance in metres (haversine, mean earth radius)."""
    phi1, phi2 = math.radians(lat1), math.radians(lat2)
    half = (
        math.sin((phi2 - phi1) / 2) ** 2
        + math.cos(phi1) * math.cos(phi2) * math.sin(math.radians(lon2 - lon1) / 2) ** 2
    )
    return 2 * EARTH_RADIUS_M * math.asin(math.sqrt(min(1.0, half)))


def snap(lat: Decimal, lon: Decimal, step: int) -> tuple[Decimal, Decimal]:
    """The centre of the grid square that holds the point; ``step`` in microdegrees."""
    (square,) = squares(lat, lon, (step,))
    return square[:2]


def squares(lat: Decimal, lon: Decimal, steps: Iterable[int]) -> list[tuple[Decimal, Decimal, int]]:
    """The grid squares that hold the point, one for each step (in microdegrees): latitude, longitude and cell of
    their centres.

    Stable and never random, as GBIF's guide to generalising sensitive places asks for (Chapman 2020).
    """
    # The pole and the 180th meridian belong to the last square: there is none beyond.
    line, column = min(round(lat * 1_000_000), 89_999_999), min(round(lon * 1_000_000), 179_999_999)
    return [_square(line // step, column // step, step) for step in steps]


@lru_cache(1 << 15)  # many reports share one
def _square(line: int, column: int, step: int) -> tuple[Decimal, Decimal, int]:
    lat, lon = (Decimal(place * step + step // 2) / 1_000_000 for place in (line, column))
    return lat, lon, cell(lat, lon)


def grid_radius_m(step: int) -> int:
    """Half the diagonal of a grid square at the equator, in metres: the most a snapped point is off."""
    return math.ceil(step / 1_000_000 * 111_320 * math.sqrt(2) / 2)


def covering_ranges(lat: float, lon: float, radius_m: float) -> Iterator[tuple[int, int]]:
    """Ranges of cells that together cover a circle: at most nine tiles around its centre."""
    reach = radius_m / EARTH_RADIUS_M
    outer = abs(lat) + math.degrees(reach)
    if outer >= 90:  # round a pole lie all longitudes
        yield tile_range(0, 0, 0)
        return
    # How far the circle reaches from its centre, as parts of the square's side; most towards the pole.
    wide = math.asin(math.sin(reach) / math.cos(math.radians(lat))) / math.tau
    high = _from_north(abs(lat)) - _from_north(outer)
    zoom = max(0, min(ZOOM, int(-math.log2(max(wide, high, 1 / _SIDE)))))
    own = cell(lat, lon) >> 2 * (ZOOM - zoom)
    x, y, side = _gather(own), _gather(own >> 1), 1 << zoom
    tiles = {((x + dx) % side, y + dy) for dx in (-1, 0, 1) for dy in (-1, 0, 1) if 0 <= y + dy < side}
    for column, line in sorted(tiles):
        yield tile_range(zoom, column, line)
