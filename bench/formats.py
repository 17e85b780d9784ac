"""The other formats of the same rows beside CSV, and beside the programs that make them of the CSV."""

import shutil
import subprocess
import time
from collections.abc import Callable
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db.models import Max

from registry.models import Report

from .exporting import database_process
from .serving import Peak, Server
from .table import Table

#: A table of points, as GDAL is told to find them in a CSV.
_GDAL = ("-oo", "X_POSSIBLE_NAMES=lon", "-oo", "Y_POSSIBLE_NAMES=lat", "-a_srs", "EPSG:4326")


def measure(table: Table, server: Server, official: Any) -> None:
    reader = server.client()
    for ending in ("ndjson", "parquet", "gpkg", "xlsx"):
        reader.download(f"/reports.{ending}?area=UA-30")  # what is loaded once is not counted
    csv = Path(settings.DATA_DIR, "bench.csv")
    _first, plain, _size = _kept(reader, "/reports.csv", csv)
    made = csv.with_suffix(".gpkg")
    try:
        for ending, bar, program, peer in (
            ("ndjson", "ndjson", "CSV", lambda: plain),
            ("geojson", "", "CSV", lambda: plain),
            ("parquet", "geoparquet", "CSV, then DuckDB", lambda: _after(plain, _duckdb(csv, made))),
            ("gpkg", "geopackage", "CSV, then ogr2ogr", lambda: _after(plain, _ogr2ogr(csv, made))),
            ("xlsx", "", "CSV", lambda: plain),
        ):
            _format(table, server, reader, ending, bar=bar, program=program, peer=peer)
    finally:
        csv.unlink(missing_ok=True)
        made.unlink(missing_ok=True)
    packed = _taken(reader, "/reports.csv", {"Accept-Encoding": "zstd"})
    table.add("the CSV packed with zstd", packed[1], "s", beside="CSV", peer=plain)
    packed = _taken(reader, "/reports.csv", {"Accept-Encoding": "gzip"})
    table.add("the CSV packed with gzip", packed[1], "s", beside="CSV", peer=plain)
    _then(table, server.client(official))


def _then(table: Table, staff: Any) -> None:
    """The office's rows as of thirty days before the newest change, beside those of now."""
    newest = Report.objects.aggregate(newest=Max("valid_from"))["newest"]
    then = newest - timedelta(days=30)
    plain = _taken(staff, "/reports.csv")[1]
    spent = _taken(staff, f"/reports.csv?as_of={then:%Y-%m-%dT%H:%M:%SZ}")[1]
    table.add(
        "CSV of the office as of a month ago", spent, "s", beside="as it is now", peer=plain, bar="csv as of"
    )


def _format(
    table: Table,
    server: Server,
    reader: Any,
    ending: str,
    *,
    bar: str,
    program: str,
    peer: Callable[[], float | None],
) -> None:
    with Peak(server.pid, *database_process()) as memory:
        first, spent, size = _taken(reader, f"/reports.{ending}")
    what = f"{ending} of the same rows, {size / 1e6:,.0f} MB"
    table.add(what, spent, "s", beside=program, peer=peer(), bar=bar)
    if ending not in ("gpkg", "xlsx"):
        table.add(f"first byte: {ending}", first, "s", bar="first byte")
    limit = "xlsx memory" if ending == "xlsx" else "format memory"
    table.add(f"peak memory over idle: {ending}", memory.over_idle, "MiB", bar=limit)


def _taken(reader: Any, address: str, headers: dict[str, str] | None = None) -> tuple[float, float, int]:
    """Seconds to the first byte and to the last, and how many there were."""
    began = time.perf_counter()
    response = reader.open(address, headers or {})
    size, first = 0, 0.0
    while data := response.read1(1 << 18):
        first = first or time.perf_counter() - began
        size += len(data)
    response.close()
    return first, time.perf_counter() - began, size


def _kept(reader: Any, address: str, path: Path) -> tuple[float, float, int]:
    began = time.perf_counter()
    response = reader.open(address)
    with path.open("wb") as file:
        while data := response.read1(1 << 18):
            file.write(data)
    response.close()
    return 0.0, time.perf_counter() - began, path.stat().st_size


def _after(before: float, spent: float | None) -> float | None:
    return None if spent is None else before + spent


def _duckdb(csv: Path, made: Path) -> float | None:
    if not find_spec("duckdb"):
        return None
    import duckdb

    began = time.perf_counter()
    # Told of quotation marks, which the rows it guesses from need not hold.
    rows = f"read_csv('{csv}', header = true, quote = '\"')"
    duckdb.execute(f"COPY (SELECT * FROM {rows}) TO '{made}' (FORMAT parquet)")
    return time.perf_counter() - began


def _ogr2ogr(csv: Path, made: Path) -> float | None:
    if not shutil.which("ogr2ogr"):
        return None
    made.unlink(missing_ok=True)
    began = time.perf_counter()
    subprocess.run(
        ["ogr2ogr", "-f", "GPKG", str(made), str(csv), *_GDAL, "-oo", "AUTODETECT_TYPE=YES"], check=True
    )
    return time.perf_counter() - began
