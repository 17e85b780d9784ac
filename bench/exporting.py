"""Files: the register's CSV through HTTP beside the database's own programs and what users would else take."""

import os
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.db import connection, connections
from django.db.models import Count

from registry.columns import COLUMNS
from registry.filters import select
from registry.models import PublicReport
from registry.outputs.rows import statement
from registry.outputs.tables import TABLES

from . import peers
from .listing import middle
from .serving import Peak, Server
from .table import Table

NAMES = ", ".join(column.name for column in COLUMNS)
IN_ORDER = f"SELECT {NAMES} FROM registry_publicreport {{where}} ORDER BY sort_key DESC"


def measure(table: Table, server: Server, official: Any) -> None:
    reader, staff = server.client(), server.client(official)
    reader.download("/reports.csv?area=UA-30")  # what is read once is not counted
    with Peak(server.pid, *database_process()) as memory:
        spent, rows = _best(lambda: reader.download("/reports.csv"))
    _whole(table, spent, rows)
    _first_rows(table, reader, staff)
    table.add(
        "peak memory of the serving processes over idle, whole CSV",
        memory.over_idle,
        "MiB",
        bar="export memory",
    )
    query, share = selective()
    filtered, kept = _best(lambda: reader.download(f"/reports.csv?{query}"), times=5)
    where = " AND ".join(f"{name} = '{value}'" for name, value in share.items())
    own = _own_program(IN_ORDER.format(where=f"WHERE {where}"), times=5)
    table.add(
        f"CSV of {kept:,} of {rows:,} rows ({query})",
        filtered,
        "s",
        beside=_program(),
        peer=own,
        bar="csv filtered",
    )
    _of_then(table, staff)
    peers.exports(table, server, per_row=spent / max(rows, 1), query=query, filtered=filtered, where=share)


def _of_then(table: Table, staff: Any) -> None:
    """The office's rows as of a moment, per row beside those of now, which are more."""
    now, rows = _best(lambda: staff.download("/reports.csv"), times=1)
    then, stood = _best(lambda: staff.download(f"/reports.csv?as_of={middle()}"), times=1)
    table.add(
        f"CSV of {stood:,} rows as of a moment, for as many rows as now",
        then / max(stood, 1) * rows,
        "s",
        beside=f"{rows:,} rows of now",
        peer=now,
        bar="export then",
    )


def _best(download: Callable[[], tuple[float, float, int, int]], times: int = 3) -> tuple[float, int]:
    """The median seconds of a download, and its rows."""
    runs = sorted(download()[1:3] for _number in range(times))
    return runs[times // 2]


def _whole(table: Table, spent: float, rows: int) -> None:
    """All public rows, beside the same from the database's own program."""
    if connection.vendor != "postgresql":
        own = _own_program(IN_ORDER.format(where=""), times=3)
        table.add(
            f"CSV of all {rows:,} public rows through HTTP",
            spent,
            "s",
            beside=_program(),
            peer=own,
            bar="csv sqlite",
        )
        return
    own = _own_program(same_query(), times=3)
    table.add(
        f"CSV of all {rows:,} public rows through HTTP", spent, "s", beside="psql \\copy of the same query", peer=own,
        bar="csv same query",
    )  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS bench_flat")
        cursor.execute(f"CREATE TABLE bench_flat AS {IN_ORDER.format(where='')}")
    own = _own_program("SELECT * FROM bench_flat", times=3)
    table.add(
        "the same", spent, "s", beside="psql \\copy of a flat native table", peer=own, bar="csv flat table"
    )
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE bench_flat")


def _first_rows(table: Table, reader: Any, staff: Any) -> None:
    for what, client, address in (
        ("reports", reader, "/reports.csv"),
        ("reports, Excel-safe", reader, "/reports.csv?excel=1"),
        ("the office's reports", staff, "/reports.csv"),
        ("versions", reader, "/versions.csv"),
        ("timelines", staff, "/entries.csv"),
        ("assessments", reader, "/assessments.csv"),
        ("the office's steps of outages", staff, "/outage_steps.csv"),
    ):
        first = _first_row(client, address)
        table.add(f"first data row: {what}", first, "s", bar="first row")


def _first_row(client: Any, address: str) -> float:
    """Seconds to the first data row; the rest is not waited for."""
    began = time.perf_counter()
    response = client.open(address)
    lines = 0
    while lines < 2 and (data := response.read1(1 << 16)):
        lines += data.count(b"\n")
    spent = time.perf_counter() - began
    client.connection.close()
    time.sleep(0.5)  # the writer notices that nobody reads
    return spent


def selective() -> tuple[str, dict[str, str]]:
    """A filter that keeps one or two in a hundred public rows, as a query string and as columns: one district."""
    rows = PublicReport.objects.order_by()
    found = rows.exclude(adm2_code="").values_list("adm2_code").annotate(n=Count("pk"))
    wanted = max(rows.count() / 100, min(10_000, rows.count() / 50))
    # The district with just so many rows, else the one with most.
    code = min(found, key=lambda pair: (pair[1] < wanted, abs(pair[1] - wanted)))[0]
    return f"area={code}", {"adm2_code": code}


def same_query() -> str:
    """The statement of the public CSV, as ``COPY (…)`` takes it."""
    sql, params = statement(TABLES["reports"].sheet(select(None, {}, holder="public")))
    with connections["reader"].cursor() as own:
        return own.mogrify(sql, params) if params else sql.replace("%%", "%")


def _program() -> str:
    return "psql \\copy" if connection.vendor == "postgresql" else "sqlite3 -csv"


def _own_program(sql: str, *, times: int) -> float | None:
    """The median seconds in which the database's own program writes what a statement gives; None without it."""
    if connection.vendor == "postgresql":
        url = connection.settings_dict
        command = ["psql", "-q", "-h", url["HOST"], "-U", url["USER"], "-d", url["NAME"], "-c"]
        command.append(f"\\copy ({' '.join(sql.split())}) TO STDOUT (FORMAT csv)")
    else:
        command = ["sqlite3", "-csv", "-readonly", str(connection.settings_dict["NAME"]), sql]
    if not shutil.which(command[0]):
        return None
    # The register does without compiling statements, which takes longer than it saves; so may its peer.
    environment = os.environ | {"PGOPTIONS": "-c jit=off"}
    spent = []
    for _number in range(times):
        began = time.perf_counter()
        # Through a pipe, as the register's goes through a socket.
        with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) as process:
            assert process.stdout
            while process.stdout.read1(1 << 18):
                pass
        if process.returncode:
            raise RuntimeError(f"{command[0]} failed")
        spent.append(time.perf_counter() - began)
    return sorted(spent)[times // 2]


def database_process() -> list[int]:
    """The first process of the database's server."""
    if connection.vendor != "postgresql":
        return []
    with connection.cursor() as cursor:
        cursor.execute("SHOW data_directory")
        return [int(Path(cursor.fetchone()[0], "postmaster.pid").read_text().split()[0])]


__all__ = ["measure", "selective"]
