"""Debian's GDAL opens the layer as anybody would: by pasting its address."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.gdal, pytest.mark.django_db(transaction=True)]


def gdal(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, (command, done.stderr)
    # What GDAL only warns of would be lost silently.
    assert "ERROR" not in done.stderr, done.stderr
    return done.stdout


def found(layer: str, *options: str) -> list[str]:
    """References of the features that ogrinfo lists."""
    told = gdal("ogrinfo", "-ro", "-q", layer, "reports", *options)
    return [line.split("= ")[1] for line in told.splitlines() if line.startswith("  reference ")]


@pytest.fixture
def layer(live_server: Any, reports: list[str]) -> str:
    return f"OAPIF:{live_server.url}/ogc"


def test_the_layer_is_listed_and_read(layer: str, reports: list[str]) -> None:
    assert "1: reports" in gdal("ogrinfo", "-ro", layer)
    told = gdal("ogrinfo", "-ro", "-so", layer, "reports")
    assert "Feature Count: 3" in told
    # Types are the columns' own, also where no value says them.
    for line in ("occurred_to: Date", "repair_cost: Real", "restored_utc: DateTime", "site: String"):
        assert f"\n{line}" in told, told
    assert "dwellings_unusable: Integer" in told
    assert "sources_agree: Integer(Boolean)" in told
    assert found(layer) == reports


def test_a_geopackage_holds_the_same_values(layer: str, tmp_path: Path) -> None:
    gdal("ogr2ogr", str(tmp_path / "reports.gpkg"), layer, "reports")
    gdal("ogr2ogr", str(tmp_path / "back.json"), str(tmp_path / "reports.gpkg"), "reports")
    shop, house, loss = json.loads((tmp_path / "back.json").read_text())["features"]
    assert shop["properties"]["occurred_to"] == "2026-03-10"
    assert house["geometry"] == {"type": "Point", "coordinates": [36.505, 49.505]}
    assert (house["properties"]["dwellings_total"], house["properties"]["lat"]) == (12, 49.505)
    assert loss["geometry"] is None
    assert loss["properties"]["started_utc"] == "2026-03-01T12:00:00Z"


def test_a_box_and_days_are_asked_of_the_register(layer: str, reports: list[str]) -> None:
    shop, house, _loss = reports
    assert found(layer, "-spat", "36.2", "49.9", "36.3", "50.1") == [shop]
    assert found(layer, "-where", "occurred_to >= '2026/03/09'") == [shop, house]
    # Not the day of damage: the column's own.
    assert found(layer, "-where", "updated_utc >= '2026/03/12 12:00:00'") == reports
    assert found(layer, "-where", "updated_utc < '2026/03/12 12:00:00'") == []


@pytest.mark.parametrize(
    ("where", "rows"),
    [
        ("kind = 'outage'", [2]),
        ("kind = 'outage' OR kind = 'building' AND dwellings_total > 11", [1, 2]),
        ("object_type LIKE 'h%' AND NOT (damage_level IS NULL)", [1]),
        ("lat < 49.6 AND settlement = 'it''s'", []),
        ("dwellings_total BETWEEN 12 AND 13", [1]),
        ("sector IN ('heat', 'water')", [2]),
    ],
)
def test_a_condition_is_pushed_down(
    layer: str, reports: list[str], where: str, rows: list[int], caplog: Any
) -> None:
    assert found(layer, "-where", where) == [reports[row] for row in rows]
