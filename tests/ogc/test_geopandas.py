"""geopandas opens the layer by the GDAL that comes with it, which is newer than Debian's."""

import json
import subprocess
import sys
from typing import Any

import pytest

from registry.models import PublicReport

pytestmark = pytest.mark.django_db(transaction=True)

#: In a process of its own: GDAL would wait for this one's server and not let it run.
PROGRAM = """
import json, sys
import geopandas

address = sys.argv[1]

def read(**asked):
    return geopandas.read_file(f"OAPIF:{address}", layer="reports", **asked)

frame = read()
items = f"{address}/collections/reports/items?limit=1000&filter=kind='outage'"
print(json.dumps({
    "all": list(frame.reference),
    "crs": str(frame.crs),
    "x": list(frame.geometry.x)[:2],
    "places": frame.geometry.notna().tolist(),
    "dwellings": float(frame.dwellings_total[1]),
    "box": list(read(bbox=(36.2, 49.9, 36.3, 50.1)).reference),
    "where": list(read(where="dwellings_total > 3 AND occurred_to >= '2026/03/01'").reference),
    "true": list(read(where="sources_agree = 1").reference),
    "false": list(read(where="sources_agree = 0").reference),
    "days": list(read(DATETIME="../2026-03-08").reference),
    "address": list(geopandas.read_file(items).reference),
}))
"""


def test_geopandas_reads_the_layer(live_server: Any, reports: list[str]) -> None:
    for reference, agree in zip(reports, (True, False), strict=False):
        PublicReport.objects.filter(reference=reference).update(sources_agree=agree)
    command = [sys.executable, "-c", PROGRAM, f"{live_server.url}/ogc"]
    told = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert told.returncode == 0, told.stderr
    shop, house, loss = reports
    assert json.loads(told.stdout) == {
        "all": reports,
        "crs": "EPSG:4326",
        "x": [36.2505, 36.505],
        "places": [True, True, False],
        "dwellings": 12,
        "box": [shop],
        "where": [house],
        "true": [shop],
        "false": [house],
        "days": [house, loss],
        "address": [loss],
    }
