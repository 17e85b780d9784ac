"""In which first-level region a point lies, by the simplified boundaries of `registry/data/regions.npz`.

The boundaries are Natural Earth's, simplified to about a kilometre: within a few kilometres of a border the answer may
be the neighbour. A point off the coast belongs to the nearest region within `OFFSHORE_DEGREES`.
"""

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import shapely

_FILE = Path(__file__).resolve().parent.parent / "data" / "regions.npz"
_STEP = 0.001  # degrees; the file holds whole steps
OFFSHORE_DEGREES = 0.2
STRAY_DEGREES = 0.2  # so far outside its region a point is no matter of simplified boundaries


def save(shapes: dict[str, shapely.MultiPolygon], path: Path = _FILE) -> None:
    """Write shapes by area code as whole steps, each point as its difference from the one before."""
    codes = sorted(shapes)
    _, points, (rings, polygons, parts) = shapely.to_ragged_array([_multi(shapes[code]) for code in codes])
    steps = np.rint(points / _STEP).astype(np.int32)
    np.savez_compressed(
        path,
        codes=np.array(codes),
        steps=np.diff(steps, axis=0, prepend=np.zeros((1, 2), np.int32)).T,
        rings=rings.astype(np.int32),
        polygons=polygons.astype(np.int32),
        parts=parts.astype(np.int32),
    )


def _multi(shape: shapely.Geometry) -> shapely.MultiPolygon:
    return shape if shape.geom_type == "MultiPolygon" else shapely.MultiPolygon([shape])


@cache
def shapes() -> dict[str, shapely.MultiPolygon]:
    """The shape of each region by its area code."""
    with np.load(_FILE) as file:
        points = np.cumsum(file["steps"], axis=1).T * _STEP
        geometries = shapely.from_ragged_array(
            shapely.GeometryType.MULTIPOLYGON, points, (file["rings"], file["polygons"], file["parts"])
        )
        codes = file["codes"].tolist()
    shapely.prepare(geometries)
    return dict(zip(codes, geometries, strict=True))


@cache
def _tree() -> tuple[list[str], shapely.STRtree]:
    return list(shapes()), shapely.STRtree(list(shapes().values()))


def region_at(lat: float, lon: float) -> str | None:
    """The code of the region that holds the point, or of the nearest one within `OFFSHORE_DEGREES`; None at sea."""
    codes, tree = _tree()
    nearest = tree.query_nearest(shapely.Point(lon, lat), max_distance=OFFSHORE_DEGREES, all_matches=False)
    return codes[nearest[0]] if len(nearest) else None


def near(lat: float, lon: float, within_degrees: float) -> list[str]:
    """The codes of the regions within so many degrees of the point."""
    codes, tree = _tree()
    return [codes[n] for n in tree.query(shapely.Point(lon, lat), "dwithin", distance=within_degrees)]


def holds(code: str, lat: float, lon: float, within_degrees: float = 0.05) -> bool | None:
    """Whether the region holds the point, give or take the error of the boundaries; None if its shape is not known."""
    shape = shapes().get(code)
    if shape is None:
        return None
    return not _beyond(shape, [lat], [lon], within_degrees)[0]


def strays(code: str | None, lats: Sequence[float], lons: Sequence[float]) -> list[bool]:
    """Which of the points lie more than `STRAY_DEGREES` outside the region; none if its shape is not known."""
    shape = shapes().get(code or "")
    if shape is None:
        return [False] * len(lats)
    return _beyond(shape, lats, lons, STRAY_DEGREES).tolist()


def _beyond(
    shape: shapely.MultiPolygon, lats: Sequence[float], lons: Sequence[float], degrees: float
) -> npt.NDArray[np.bool_]:
    # Most points lie inside, which is quicker told than how far others are away.
    beyond = ~shapely.contains_xy(shape, lons, lats)
    others = beyond.nonzero()[0]
    points = shapely.points(np.asarray(lons)[others], np.asarray(lats)[others])
    beyond[others] = ~shapely.dwithin(shape, points, degrees)
    return beyond
