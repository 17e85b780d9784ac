"""Debian's GDAL opens the layer as anybody would: by pasting its address."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from django.db.models.functions import Right

from registry.actions import tokens
from registry.models import PublicReport
from tests import factories

pytestmark = [pytest.mark.gdal, pytest.mark.django_db(transaction=True)]


def gdal(*command: str, **configuration: str) -> str:
    """What a program of GDAL prints, with what it says of its work."""
    environment = os.environ | configuration
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, env=environment)
    assert done.returncode == 0, (command, done.stderr)
    # What GDAL only warns of would be lost silently.
    assert "ERROR" not in done.stderr, done.stderr
    return done.stdout + done.stderr


def found(layer: str, *options: str, **configuration: str) -> list[str]:
    """References of the features that ogrinfo lists."""
    return listed(gdal("ogrinfo", "-ro", "-q", layer, "reports", *options, **configuration))


def listed(told: str) -> list[str]:
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


CONDITIONS = [
    ("kind = 'outage'", [2]),
    ("kind = 'outage' OR kind = 'building' AND dwellings_total > 11", [1, 2]),
    ("object_type LIKE 'h%' AND NOT (damage_level IS NULL)", [1]),
    ("settlement ILIKE 'chuh%'", [0, 1]),
    ("settlement NOT ILIKE '%UIV' OR object_type ILIKE 'HOU_E'", [1]),
    ("lat < 49.6 AND settlement = 'it''s'", []),
    ("dwellings_total BETWEEN 12 AND 13", [1]),
    ("updated_utc >= '2026/03/12 12:00:00' AND occurred_to < '2026/03/10'", [1, 2]),
]


def test_conditions_are_pushed_down(layer: str, reports: list[str]) -> None:
    """The register answers them: GDAL looks through no row that does not fit."""
    for where, rows in CONDITIONS:
        told = gdal("ogrinfo", "-ro", "-q", layer, "reports", "-where", where, CPL_DEBUG="OAPIF")
        assert "client side" not in told
        assert listed(told) == [reports[row] for row in rows], where


@pytest.fixture
def agreed(reports: list[str]) -> list[str]:
    """The reports: sources agree on the first, not on the second, and nobody knows of the third."""
    for reference, agree in zip(reports, (True, False, None), strict=True):
        PublicReport.objects.filter(reference=reference).update(sources_agree=agree)
    return reports


TRUTHS = [
    ("sources_agree = 1", [0]),
    ("sources_agree = 0", [1]),
    ("sources_agree <> 1", [1]),
    ("NOT sources_agree = 1 AND dwellings_total > 3", [1]),
    # Its own work.
    ("sources_agree IN (1)", [0]),
    ("sources_agree IN (0, 1)", [0, 1]),
]


def test_true_and_false_are_one_and_zero(layer: str, agreed: list[str], tmp_path: Path) -> None:
    """SQL as GDAL takes it has no other words for them."""
    for n, (where, rows) in enumerate(TRUTHS):
        expected = [agreed[row] for row in rows]
        assert found(layer, "-where", where) == expected, where
        asked = ["-sql", f"SELECT * FROM reports WHERE {where}"]
        assert listed(gdal("ogrinfo", "-ro", "-q", layer, *asked)) == expected, where
        file = tmp_path / f"{n}.csv"
        gdal("ogr2ogr", str(file), layer, "reports", "-select", "reference", "-where", where)
        assert file.read_text().split()[1:] == expected, where


def test_a_token_opens_its_persons_layer(layer: str, reports: list[str], settings: Any) -> None:
    settings.SECOND_FACTOR_REQUIRED = False
    _token, secret = tokens.make(factories.person("researcher"), name="QGIS", scope="read", days=1)
    show = {"GDAL_HTTP_HEADERS": f"Authorization: Bearer {secret}"}
    # Exact places, and an address where the place is exact, are for researchers.
    near = ("-spat", "36.2503", "50.0003", "36.25045", "50.00045")
    assert found(layer, *near, **show) == reports[:1]
    assert found(layer, *near) == []
    wrong = {"GDAL_HTTP_HEADERS": "Authorization: Bearer damage_none"}
    done = subprocess.run(["ogrinfo", layer], capture_output=True, text=True, env=os.environ | wrong)
    assert done.returncode == 1
    assert "401" in done.stdout + done.stderr


def test_25_000_reports_are_read_page_by_page(live_server: Any, tmp_path: Path) -> None:
    """None is missing, none comes twice; nor of a condition that no index knows."""
    factories.edition()
    one = factories.published(lat=50, lon=36, summary="every tenth")
    factories.copies(one, 24_999)
    PublicReport.objects.annotate(digit=Right("reference", 1)).exclude(digit__in="048CGMRW").update(
        summary=""
    )
    layer = f"OAPIF:{live_server.url}/ogc"
    for where, count in (
        ("", 25_000),
        ("summary LIKE 'every%'", PublicReport.objects.exclude(summary="").count()),
    ):
        file = tmp_path / f"{count}.csv"
        options = ["-select", "reference", *(["-where", where] if where else [])]
        gdal("ogr2ogr", str(file), layer, "reports", *options, "-oo", "PAGE_SIZE=10000")
        references = file.read_text().split()[1:]
        assert (len(references), len({*references})) == (count, count)
