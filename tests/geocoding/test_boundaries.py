"""Boundaries come back from their file as they went in."""

import shapely

from registry.geocoding import boundaries


def test_what_is_saved_is_read_back_to_a_thousandth_of_a_degree(tmp_path, monkeypatch):
    lake = shapely.box(30, 50, 31, 51).difference(shapely.box(30.4, 50.4, 30.6, 50.6))
    islands = shapely.MultiPolygon([shapely.box(-170, -10, -169, -9), shapely.box(175, -10, 176.1234, -9)])
    boundaries.save({"B": islands, "A": lake}, tmp_path / "shapes.npz")
    monkeypatch.setattr(boundaries, "_FILE", tmp_path / "shapes.npz")
    shapes = boundaries.shapes.__wrapped__()
    assert list(shapes) == ["A", "B"]
    for code, shape in {"A": lake, "B": islands}.items():
        assert shapes[code].hausdorff_distance(shape) < 0.001
        assert shapes[code].is_valid


def test_a_region_holds_its_points_give_or_take_the_error():
    assert boundaries.holds("UA-63", 49.99, 36.23) is True
    assert boundaries.holds("UA-63", 50.45, 30.52) is False
    assert boundaries.holds("700049", 47.5, 34.4) is None
