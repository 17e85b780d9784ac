"""The register as a layer: a page of its items costs the same at any depth, and of however many reports."""

import json
import os
import subprocess
import sys
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any
from urllib.parse import quote

from django.core.management import call_command
from django.db import connection
from django.test import Client as InProcess

from registry.filters import select
from registry.filters.values import write_token
from registry.models import PublicReport

from .serving import HOST, ROOT, TIMES, Server
from .table import Table

ITEMS = "/ogc/collections/reports/items"
#: Features of a page.
LIMIT = 100
#: As many rows are copied at once.
_AT_ONCE = 250_000


def queries() -> dict[str, str]:
    """What programs ask the layer for, by name."""
    regions = PublicReport.objects.order_by("-sort_key").values_list("adm1_code", flat=True)[:1]
    return {
        "everything": "",
        "a box": "bbox=30,49,32,51",
        "CQL2, a region and a level": f"filter={quote(f'''adm1_code = '{regions[0]}' AND lat > 45''')}",
        "CQL2, by no index": f"filter={quote('''dwellings_total > 3''')}",
    }


def pages(server: Server) -> dict[str, float]:
    """Milliseconds of a page of each, the slower of first and deep."""
    client = server.client()
    deep = f"&after={_middle()}"
    return {
        name: max(client.seconds(f"{ITEMS}?limit={LIMIT}&{query}{at}") for at in ("", deep)) * 1e3
        for name, query in queries().items()
    }


def _middle() -> str:
    """The token of the middle of the public's days."""
    selection = select(None, {})
    newest, oldest = selection.page().rows[0], selection.page(before="0001-01-01.0000-0000").rows[-1]
    return write_token((newest.sort_key + oldest.sort_key) // 2) or ""


def measure(table: Table, server: Server, small: dict[str, float], rows: int) -> None:
    """``small``: what ``pages`` gave at 10,000 reports. ``rows``: how many bare rows are made too, 0 for none."""
    for name, page in pages(server).items():
        table.add(
            f"layer, {name}: a page of {LIMIT}, first and deep",
            page,
            "ms",
            beside="at 10,000",
            peer=small.get(name),
            bar="layer flat" if small else "",
        )
    if rows:
        few, many = _in_a_register_of_its_own(rows)
        table.add(
            f"layer of {rows:,} rows: a page of {LIMIT}, anywhere",
            many,
            "ms",
            beside="at 10,000",
            peer=few,
            bar="layer flat",
        )


def _in_a_register_of_its_own(rows: int) -> tuple[float, float]:
    """Milliseconds of the slowest page of 10,000 rows and of so many."""
    folder = Path(os.environ["DATA_DIR"], "layer")
    folder.mkdir(exist_ok=True)
    environment = os.environ | {"DATA_DIR": str(folder), "ROWS": str(rows)}
    if url := os.environ.get("DATABASE_URL"):
        with connection.cursor() as cursor:
            cursor.execute("DROP DATABASE IF EXISTS layer")
            cursor.execute("CREATE DATABASE layer")
        environment["DATABASE_URL"] = url.rpartition("/")[0] + "/layer"
    code = "import django; django.setup(); from bench.layers import bare; bare()"
    ran = subprocess.run(
        [sys.executable, "-c", code], env=environment, cwd=ROOT, stdout=subprocess.PIPE, check=True
    )
    if url:
        with connection.cursor() as cursor:
            cursor.execute("DROP DATABASE layer")
    for file in folder.glob("register.sqlite3*"):
        file.unlink()
    few, many = json.loads(ran.stdout.splitlines()[-1])
    return few, many


def bare() -> None:
    """Rows of the public alone, 10,000 and then ROWS: no reports, no timelines, and no index but that of the
    order of lists. Prints what the slowest page takes of both, as JSON."""
    from tests import factories

    call_command("migrate", verbosity=0)
    call_command("createcachetable", verbosity=0)
    factories.edition()
    row = factories.published(lat=50, lon=36, settlement="Chuhuiv", summary="A roof")
    with connection.schema_editor() as editor:
        for index in PublicReport._meta.indexes:
            if index.name != "public_order":
                editor.remove_index(PublicReport, index)
    found, rows = [], int(os.environ["ROWS"])
    for upto in (10_000, rows):
        first = PublicReport.objects.count()
        while first < upto:
            count = min(_AT_ONCE, upto - first)
            factories.copies(row, count, first=first)
            first += count
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("VACUUM ANALYZE registry_publicreport")
        found.append(max(_page(at) for at in ("", _middle(), write_token(_last_but(LIMIT)))))
    print(json.dumps(found))


def _last_but(count: int) -> int:
    """The sort key after which so many rows are left."""
    return PublicReport.objects.order_by("sort_key").values_list("sort_key", flat=True)[count : count + 1][0]


def _page(after: Any) -> float:
    client, spent = InProcess(SERVER_NAME=HOST), []
    for _time in range(TIMES):
        began = perf_counter()
        answer = client.get(ITEMS, {"limit": LIMIT, "after": after} if after else {"limit": LIMIT})
        spent.append(perf_counter() - began)
        if answer.status_code != 200 or answer.json()["numberReturned"] != LIMIT:
            raise RuntimeError(f"{ITEMS} after {after}: {answer.status_code}")
    return median(spent) * 1e3
