"""Cells and tiles, grids, distances and the ranges that cover a circle."""

import math
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from registry import geo

LATS = st.floats(-90, 90)
LONS = st.floats(-180, 180)
EDGE = 85.05112877980659
KHARKIV = (49.9935, 36.2304)


def tile_of(lat: float, lon: float, zoom: int) -> tuple[int, int]:
    """The tile of a point by the formula of the OpenStreetMap wiki ("Slippy map tilenames")."""
    side = 2**zoom
    phi = math.radians(max(-EDGE, min(EDGE, lat)))
    x = int((lon + 180) / 360 * side)
    y = int((1 - math.asinh(math.tan(phi)) / math.pi) / 2 * side)
    return min(side - 1, max(0, x)), min(side - 1, max(0, y))


# -- cells and tiles -----------------------------------------------------------------------------------


@given(LATS, LONS)
@example(0.0, 0.0)
@example(90.0, 180.0)
@example(-90.0, -180.0)
@example(EDGE, 179.9999999)
def test_a_cell_lies_in_the_range_of_each_tile_of_its_point(lat: float, lon: float) -> None:
    cell = geo.cell(lat, lon)
    for zoom in range(27):
        first, last = geo.tile_range(zoom, *tile_of(lat, lon, zoom))
        assert first <= cell < last, zoom


def test_known_tiles() -> None:
    """Kharkiv's tile of zoom 10 is 615/347; the quarters of zoom 1 follow x, then y."""
    assert tile_of(*KHARKIV, 10) == (615, 347)
    first, last = geo.tile_range(10, 615, 347)
    assert first <= geo.cell(*KHARKIV) < last
    quarter = 2**50
    ranges = [geo.tile_range(1, x, y) for x, y in ((0, 0), (1, 0), (0, 1), (1, 1))]
    assert ranges == [(n * quarter, (n + 1) * quarter) for n in range(4)]
    assert geo.tile_range(0, 0, 0) == (0, 2**52)


@given(st.integers(0, 25), st.data())
def test_a_tile_is_made_of_its_four_parts_and_ends_where_they_do(zoom: int, data) -> None:
    x, y = (data.draw(st.integers(0, 2**zoom - 1)) for _ in "xy")
    parts = [geo.tile_range(zoom + 1, 2 * x + dx, 2 * y + dy) for dy in (0, 1) for dx in (0, 1)]
    first, last = geo.tile_range(zoom, x, y)
    assert parts[0][0] == first
    assert parts[-1][1] == last
    assert all(one[1] == two[0] for one, two in pairwise(parts))


@given(st.integers(1, 26), LATS, LONS)
def test_a_neighbouring_tile_does_not_hold_the_cell(zoom: int, lat: float, lon: float) -> None:
    x, y = tile_of(lat, lon, zoom)
    cell = geo.cell(lat, lon)
    for dx, dy in ((1, 0), (-1, 0), (0, 1), (0, -1)):
        if 0 <= x + dx < 2**zoom and 0 <= y + dy < 2**zoom:
            first, last = geo.tile_range(zoom, x + dx, y + dy)
            assert not first <= cell < last


@given(LONS)
def test_nearer_the_poles_a_point_lies_on_the_edge(lon: float) -> None:
    for pole, zoom in ((90, 26), (86, 26), (90, 3)):
        for sign, line in ((1, 0), (-1, 2**zoom - 1)):
            first, last = geo.tile_range(zoom, tile_of(0, lon, zoom)[0], line)
            assert first <= geo.cell(sign * pole, lon) < last
    assert geo.cell(90, lon) == geo.cell(85.06, lon)


def test_the_two_sides_of_the_180th_meridian() -> None:
    side = 2**26
    for lon, column in ((180.0, side - 1), (179.999999999, side - 1), (-180.0, 0), (-179.999999999, 0)):
        first, last = geo.tile_range(26, column, tile_of(65, 0, 26)[1])
        assert geo.cell(65, lon) == first
        assert last == first + 1


@given(st.decimals(-90, 90, places=6), st.decimals(-180, 180, places=6))
def test_a_decimal_and_a_float_have_one_cell(lat: Decimal, lon: Decimal) -> None:
    assert geo.cell(lat, lon) == geo.cell(float(lat), float(lon))
    assert 0 <= geo.cell(lat, lon) < 2**52


@given(st.integers(0, 26), LATS, LONS)
def test_the_centre_of_a_tile_lies_in_it(zoom: int, lat: float, lon: float) -> None:
    prefix = geo.cell(lat, lon) >> 2 * (26 - zoom)
    middle = geo.centre(prefix, zoom)
    assert geo.cell(*middle) >> 2 * (26 - zoom) == prefix
    assert abs(middle[1] - lon) <= 180 / 2**zoom + 1e-9


# -- grids ---------------------------------------------------------------------------------------------

STEPS = (1_000, 10_000, 100_000)
SIX_LATS = st.decimals(-90, 90, places=6)
SIX_LONS = st.decimals(-180, 180, places=6)


@pytest.mark.parametrize(
    ("step", "degrees", "middle"),
    [
        (1_000, "49.993512", "49.9935"),
        (10_000, "49.993512", "49.995"),
        (100_000, "49.993512", "49.95"),
        (10_000, "0", "0.005"),
        (10_000, "0.009999", "0.005"),
        (10_000, "0.01", "0.015"),  # an edge belongs to the square above it
        (10_000, "-0.000001", "-0.005"),
        (10_000, "-0.01", "-0.005"),
        (10_000, "-0.010001", "-0.015"),
        (100_000, "-33.45", "-33.45"),
        (1_000, "-33.448890", "-33.4485"),
        (1_000, "-90", "-89.9995"),
        (1_000, "90", "89.9995"),
        (100_000, "90", "89.95"),
    ],
)
def test_a_point_snaps_to_the_centre_of_its_square(step: int, degrees: str, middle: str) -> None:
    lat, lon = geo.snap(Decimal(degrees), Decimal(degrees), step)
    assert lat == Decimal(middle)
    if abs(Decimal(degrees)) < 90:
        assert lon == Decimal(middle)


@pytest.mark.parametrize("step", STEPS)
def test_the_last_meridian_belongs_to_the_last_square(step: int) -> None:
    half = Decimal(step) / 2_000_000
    assert geo.snap(Decimal(0), Decimal(180), step)[1] == 180 - half
    assert geo.snap(Decimal(0), Decimal(-180), step)[1] == -180 + half


@given(SIX_LATS, SIX_LONS, st.sampled_from(STEPS))
def test_snapping_is_stable_near_and_on_the_globe(lat: Decimal, lon: Decimal, step: int) -> None:
    snapped = geo.snap(lat, lon, step)
    assert geo.snap(*snapped, step) == snapped
    half = Decimal(step) / 2_000_000
    assert abs(snapped[0] - lat) <= half
    assert abs(snapped[1] - lon) <= half
    assert abs(snapped[0]) < 90
    assert abs(snapped[1]) < 180
    assert all(value == round(value, 6) for value in snapped)


@given(SIX_LATS, SIX_LONS, st.sampled_from(STEPS), st.integers(0, 99), st.integers(0, 99))
def test_all_points_of_a_square_snap_alike(
    lat: Decimal, lon: Decimal, step: int, up: int, right: int
) -> None:
    def corner(value: Decimal) -> Decimal:
        return geo.snap(value, value, step)[0] - Decimal(step) / 2_000_000

    assume(abs(lat) < 90 and abs(lon) < 90)
    point = corner(lat) + Decimal(step * up) / 100_000_000, corner(lon) + Decimal(step * right) / 100_000_000
    assert geo.snap(*point, step) == geo.snap(lat, lon, step)


@given(SIX_LATS, SIX_LONS, st.sampled_from(STEPS))
def test_a_snapped_point_is_off_by_no_more_than_its_radius(lat: Decimal, lon: Decimal, step: int) -> None:
    snapped = geo.snap(lat, lon, step)
    off = geo.distance_m(float(lat), float(lon), float(snapped[0]), float(snapped[1]))
    assert off <= geo.grid_radius_m(step)


def test_the_radius_of_each_grid() -> None:
    assert [geo.grid_radius_m(step) for step in STEPS] == [79, 788, 7872]


# -- distances -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("a", "b", "metres"),
    [
        ((0, 0), (0, 0), 0),
        ((0, 0), (0, 1), 111_195),
        ((0, 0), (1, 0), 111_195),
        ((60, 0), (60, 1), 55_597),
        ((0, 179.5), (0, -179.5), 111_195),  # across the 180th meridian
        ((90, 0), (90, 123), 0),
        ((90, 0), (-90, 0), 20_015_115),
        ((50.4501, 30.5234), (49.9935, 36.2304), 409_000),  # Kyiv to Kharkiv
    ],
)
def test_distances(a, b, metres: int) -> None:
    assert geo.distance_m(*a, *b) == pytest.approx(metres, rel=0.005, abs=1)
    assert geo.distance_m(*b, *a) == pytest.approx(geo.distance_m(*a, *b))


# -- circles -------------------------------------------------------------------------------------------


def point_at(lat: float, lon: float, bearing: float, metres: float) -> tuple[float, float]:
    """Where one arrives going that far from a point along a great circle."""
    phi, angle = math.radians(lat), metres / geo.EARTH_RADIUS_M
    sine = math.sin(phi) * math.cos(angle) + math.cos(phi) * math.sin(angle) * math.cos(bearing)
    there = math.asin(max(-1.0, min(1.0, sine)))
    turn = math.atan2(
        math.sin(bearing) * math.sin(angle) * math.cos(phi), math.cos(angle) - math.sin(phi) * math.sin(there)
    )
    return math.degrees(there), (lon + math.degrees(turn) + 180) % 360 - 180


@given(LATS, LONS, st.floats(0, 300_000), st.floats(0, math.tau), st.floats(0, 1))
@example(65.0, 179.9999, 5000.0, math.pi / 2, 0.9)
@example(65.0, -179.9999, 5000.0, -math.pi / 2, 0.9)
@example(89.99, 10.0, 5000.0, 0.0, 0.9)
@example(-89.99, 10.0, 5000.0, math.pi, 0.9)
@example(80.0, 10.0, 200_000.0, 1.5, 0.999)
@example(68.65, 10.0, 113_000.0, 0.0, 0.999)  # tiles are lower towards the pole than at the centre
@example(86.0, 10.0, 100_000.0, math.pi / 2, 0.9)  # beyond the square, on its edge
@example(0.0, 0.0, 40_075_017 / 2**9, math.pi / 2, 0.999)
def test_the_ranges_cover_the_circle(
    lat: float, lon: float, radius: float, bearing: float, part: float
) -> None:
    ranges = list(geo.covering_ranges(lat, lon, radius))
    cell = geo.cell(*point_at(lat, lon, bearing, radius * part * 0.999_999))
    assert any(first <= cell < last for first, last in ranges)


@given(st.floats(-85, 85), LONS, st.floats(0, 50_000))
def test_the_ranges_are_few_apart_and_not_far_too_wide(lat: float, lon: float, radius: float) -> None:
    ranges = sorted(geo.covering_ranges(lat, lon, radius))
    assert 1 <= len(ranges) <= 9
    assert all(0 <= first < last <= 2**52 for first, last in ranges)
    assert all(one[1] <= two[0] for one, two in pairwise(ranges))
    tile_m = 40_075_017 * math.cos(math.radians(lat)) / 2**26 * math.sqrt(ranges[0][1] - ranges[0][0])
    assert tile_m <= 3 * radius or tile_m <= 2
