"""The ways a user would otherwise take, from the same rows in the same run; each is left out where it is not
installed (the ``bench`` group of pyproject.toml)."""

import csv
import io
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlencode

from django.db import connection

from registry.columns import COLUMNS
from registry.models import PublicReport

from .serving import HOST, Client, Server
from .table import Table

NAMES = [column.name for column in COLUMNS]
#: Rows that each way is given: enough to tell its speed.
_MOST = {
    "values_list().iterator() and csv": 50_000,
    "DRF with a CSV renderer": 20_000,
    "django-import-export": 10_000,
}


def exports(
    table: Table, server: Server, *, per_row: float, query: str, filtered: float, where: dict[str, str]
) -> None:
    """``per_row``: the register's seconds for a row of the whole CSV; ``filtered`` its seconds for ``query``."""
    ways: dict[str, tuple[str, Callable[[int], int]]] = {
        "values_list().iterator() and csv": ("django", _orm),
        "DRF with a CSV renderer": ("rest_framework_csv", _drf),
        "django-import-export": ("import_export", _import_export),
    }
    for name, (package, way) in ways.items():
        what = "CSV, a row of it"
        if not find_spec(package):
            table.add(what, per_row * 1e6, "µs", beside=f"{name}: not installed")
            continue
        began = time.perf_counter()
        rows = way(_MOST[name])
        spent = (time.perf_counter() - began) / max(rows, 1)
        table.add(what, per_row * 1e6, "µs", beside=f"{name}, {rows:,} rows", peer=spent * 1e6)
    what = f"CSV with {query}"
    if connection.vendor != "sqlite":
        table.add(what, filtered, "s", beside="Datasette reads SQLite alone")
    elif not find_spec("datasette"):
        table.add(what, filtered, "s", beside="Datasette: not installed")
    else:
        _datasette(table, server, what, filtered, where)


def _orm(most: int) -> int:
    writer, rows = csv.writer(io.StringIO()), 0
    for row in PublicReport.objects.in_order().values_list(*NAMES)[:most].iterator():
        writer.writerow(row)
        rows += 1
    return rows


def _drf(most: int) -> int:
    from rest_framework import serializers
    from rest_framework_csv.renderers import CSVRenderer

    meta = type("Meta", (), {"model": PublicReport, "fields": NAMES})
    serializer = type("Row", (serializers.ModelSerializer,), {"Meta": meta})
    return (
        CSVRenderer().render(serializer(PublicReport.objects.in_order()[:most], many=True).data).count(b"\n")
        - 1
    )


def _import_export(most: int) -> int:
    from import_export.resources import modelresource_factory

    meta = {"fields": NAMES, "force_native_type": False}
    resource = modelresource_factory(PublicReport, meta_options=meta)
    return resource().export(PublicReport.objects.in_order()[:most]).csv.count("\n") - 1


def _datasette(table: Table, server: Server, what: str, filtered: float, where: dict[str, str]) -> None:
    """Its streamed CSV of the same filter, and its page of 50 rows of region, status and dates."""
    asked = {"adm1_code": "UA-30", "status": "verified"}
    with _serving_datasette() as port:
        theirs, ours = Client(port, {}), server.client()
        address = "/register/registry_publicreport"
        _first, spent, rows, _size = theirs.download(f"{address}.csv?{urlencode(where | {'_stream': 'on'})}")
        table.add(what, filtered, "s", beside=f"Datasette, streamed {rows:,} rows", peer=spent)
        page = ours.seconds("/reports?area=UA-30&status=verified&from=2020-01-01")
        query = urlencode(asked | {"occurred_to__gte": "2020-01-01", "_size": "50", "_sort_desc": "sort_key"})
        peer = theirs.seconds(f"{address}?{query}", 1 / 3)
        table.add(
            "list of region, status, dates, a visitor's",
            page * 1e3,
            "ms",
            beside="Datasette",
            peer=peer * 1e3,
        )


@contextmanager
def _serving_datasette() -> Iterator[int]:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "datasette", "serve", str(connection.settings_dict["NAME"]), "-h", HOST]
    command += ["-p", str(port), "--setting", "sql_time_limit_ms", "60000", "--setting", "max_csv_mb", "0"]
    log = Path(os.environ["DATA_DIR"], "datasette.log")
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out)
    try:
        for _try in range(300):
            if process.poll() is not None:
                raise RuntimeError(log.read_text()[-1000:])
            try:
                Client(port, {}).get("/-/versions.json")
                break
            except OSError:
                time.sleep(0.1)
        yield port
    finally:
        process.terminate()
        process.wait()


__all__ = ["exports"]
