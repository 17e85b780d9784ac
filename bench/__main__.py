"""``python -m bench``: the register's own figures beside the bare database, in one run.

SIZE (100,000) reports are made in a scratch database of DATABASE (sqlite or postgresql); WRITE names a file
that gets the table. Times are medians; what counts is the ratio, since machines differ.
"""

import os
import platform
import statistics as averages
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

SIZE = int(os.environ.get("SIZE", "100000"))
DATABASE = os.environ.get("DATABASE", "sqlite")


def main() -> None:
    """Begin again with the environment of a scratch register; for PostgreSQL, of a throwaway cluster."""
    with tempfile.TemporaryDirectory(prefix="register-bench-") as folder:
        environment = {**os.environ, "DATA_DIR": folder, "DJANGO_SETTINGS_MODULE": "registry.settings"}
        environment.pop("DATABASE_URL", None)
        command = [sys.executable, "-c", "from bench.__main__ import run; run()"]
        if DATABASE == "postgresql":
            command = [sys.executable, "-m", "tests.cluster", "run", "--", *command]
        sys.exit(subprocess.run(command, env=environment, check=False).returncode)


class Table:
    """The figures, printed as they come and written at the end."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str, str, str]] = []

    def add(self, what: str, ours: str, peer: str = "", ratio: float | None = None) -> None:
        line = (what, ours, peer, "" if ratio is None else f"{ratio:.2f}×")
        self.lines.append(line)
        print(f"{line[0]:<58} {line[1]:>14} {line[2]:>26} {line[3]:>8}", flush=True)

    def markdown(self, title: str) -> str:
        rows = "\n".join(f"| {' | '.join(line)} |" for line in self.lines)
        head = f"## {title}\n\n{machine()}\n\n"
        return f"{head}| what | register | beside it | ratio |\n|---|---|---|---|\n{rows}\n"


def machine() -> str:
    cores = len(os.sched_getaffinity(0))
    pages = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return f"{cores} cores, {pages >> 30} GiB, {platform.system()}, Python {platform.python_version()}."


def took(act: Callable[[], Any], times: int = 5) -> float:
    """The median of seconds that ``act`` takes."""
    spent = []
    for _number in range(times):
        start = time.perf_counter()
        act()
        spent.append(time.perf_counter() - start)
    return averages.median(spent)


def run() -> None:
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connection

    from . import making

    call_command("migrate", verbosity=0)
    table = Table()
    start = time.perf_counter()
    by = making.make(SIZE, progress=lambda n: print(f"\r{n:,} made", end="", file=sys.stderr))
    print(file=sys.stderr)
    table.add(
        f"{SIZE:,} reports made, with timeline and first edition", f"{time.perf_counter() - start:,.0f} s"
    )
    for measure in (_lists, _map, _figures, _csv, _writes, _edition, _verify, _disk):
        measure(table, by)
    title = f"{SIZE:,} reports, {'PostgreSQL' if connection.vendor == 'postgresql' else 'SQLite'}"
    if os.environ.get("WRITE"):
        with open(os.environ["WRITE"], "a") as file:
            file.write(f"\n{table.markdown(title)}")


def _bare(sql: str, params: Any) -> Callable[[], Any]:
    from django.db import connections

    def read() -> None:
        with connections["reader"].cursor() as cursor:
            cursor.execute(sql, params)
            cursor.fetchall()

    return read


def _lists(table: Table, by: Any) -> None:
    """A page of 50 rows, beside its statement alone."""
    from registry.filters import select

    for words, params in (
        ("everything", {}),
        ("region, status, dates", {"area": "XX-03", "status": "verified", "from": "2025-06-01"}),
        ("kind and sector", {"kind": "network", "sector": "gas"}),
        ("district", {"area": "31"}),
    ):
        selection = select(by, params)
        first = selection.page()
        middle = selection.tables[0].in_order()[SIZE // 20 : SIZE // 20 + 1]
        row = next(iter(middle), None)
        token = f"{row.occurred_to:%Y-%m-%d}.{row.reference}" if row else first.after
        sql, sql_params = selection.tables[0].in_order()[:51].query.sql_with_params()
        bare = took(_bare(sql, sql_params))
        for name, act in (
            ("first page", lambda s=selection: s.page()),
            ("deep page", lambda s=selection, t=token: s.page(after=t)),
        ):
            ours = took(act)
            table.add(
                f"list, {words}: {name}", f"{ours * 1e3:.1f} ms", f"SQL {bare * 1e3:.1f} ms", ours / bare
            )


def _map(table: Table, by: Any) -> None:
    from registry.filters import select
    from registry.outputs import mapping

    public = select(None, {}, holder="public")
    filtered = select(None, {"kind": "building", "status": "verified"}, holder="public")
    scan = took(_bare("SELECT cell, damage_level FROM registry_publicreport", []), 3)
    for words, selection in (("unfiltered", public), ("kind and status", filtered)):
        for zoom, x, y in ((5, 18, 10), (9, 300, 172)):
            ours = took(lambda s=selection, z=zoom, a=x, b=y: mapping.tile(s, z, a, b))
            table.add(
                f"map tile, zoom {zoom}, {words}",
                f"{ours * 1e3:.1f} ms",
                f"all points {scan * 1e3:.0f} ms",
                ours / scan,
            )


def _figures(table: Table, by: Any) -> None:
    from registry.filters import select
    from registry.outputs import statistics

    from .making import NOW

    scan = took(
        _bare(
            "SELECT kind, status, damage_level, adm1_code, count(*) FROM registry_report GROUP BY 1, 2, 3, 4",
            [],
        ),
        3,
    )
    selection = select(by, {})
    ours = took(lambda: statistics.day(selection, on=NOW.date(), verified_on=NOW.date()))
    table.add("figures of the day", f"{ours * 1e3:.1f} ms", f"GROUP BY {scan * 1e3:.0f} ms", ours / scan)


class _Nowhere:
    def write(self, data: bytes) -> int:
        return len(data)


def _csv(table: Table, by: Any) -> None:
    """Every public column, beside the database's own way of writing the same rows."""
    from django.db import connections

    from registry.columns import COLUMNS
    from registry.filters import select
    from registry.outputs import exporting

    names = ", ".join(column.name for column in COLUMNS)
    query = f"SELECT {names} FROM registry_publicreport ORDER BY occurred_to DESC, reference DESC"
    connection = connections["reader"]
    if connection.vendor == "postgresql":
        words = "COPY of a flat table"

        def peer() -> None:
            with connection.cursor() as cursor, cursor.copy(f"COPY ({query}) TO STDOUT (FORMAT csv)") as copy:
                for _block in copy:
                    pass
    else:
        words = "sqlite3 cursor + csv.writer"

        def peer() -> None:
            import csv
            import io

            with connection.cursor() as cursor:
                cursor.execute(query)
                writer = csv.writer(io.StringIO())
                while rows := cursor.fetchmany(500):
                    writer.writerows(rows)

    bare = took(peer, 3)
    for name, params in (("all public rows", {}), ("one region", {"area": "XX-03"})):
        selection = select(None, params, holder="public")
        ours = took(lambda s=selection: exporting.write(exporting.reports(s), _Nowhere()), 3)
        table.add(f"CSV, {name}", f"{ours:.2f} s", f"{words} {bare:.2f} s", ours / bare)


def _writes(table: Table, by: Any) -> None:
    """One report after the other through form, place and journal, beside a bare save of report and entry."""
    from django.db import transaction

    from registry.actions import journal, reports
    from registry.forms.reports import ReportForm
    from registry.models import Entry, Report
    from registry.models.identity import new_reference

    data = {
        "area": "31",
        "kind": "building",
        "object_type": "school",
        "occurred_to": "2026-09-01",
        "description": "Windows gone",
    }
    count = max(20, min(300, SIZE // 100))

    def log() -> None:
        form = ReportForm()
        for _number in range(count):
            form.check(data)
            reports.log(form, by=by)

    model = Report.objects.order_by("-pk")[0]

    def save() -> None:
        for _number in range(count):
            with transaction.atomic():
                model.pk, model.reference = None, new_reference()
                model._state.adding = True
                model.save()
                moment = journal.now()
                Entry.objects.create(
                    report=model, number=99, kind="noted", happened_at=moment, recorded_at=moment, body="{}"
                )

    ours = took(log, 1)
    bare = took(save, 1)
    table.add(
        "logging, one after the other",
        f"{count / ours:,.0f}/s",
        f"bare save {count / bare:,.0f}/s",
        ours / bare,
    )
    from django.db import connection

    from registry.models import guards

    with guards.lifted(connection):
        Entry.objects.filter(number=99).delete()
    Report.objects.filter(entries=None).delete()


def _edition(table: Table, by: Any) -> None:
    """A day in which one in a hundred changed."""
    from datetime import timedelta

    from registry.actions import editions, journal
    from registry.models import Report

    from .making import NOW

    changed = Report.objects.order_by("pk")[: max(10, SIZE // 100)]
    for report in changed:
        journal.record(
            journal.Line(report, "edited", by=by, fields={"summary": "Looked at again"}),
            at=NOW + timedelta(hours=1),
        )
    spent = took(lambda: editions.publish(at=NOW + timedelta(days=1)), 1)
    table.add(f"edition after {len(changed):,} changes", f"{spent:.1f} s")


def _verify(table: Table, by: Any) -> None:
    from registry.upkeep import verifying

    found: list[Any] = []
    spent = took(lambda: found.extend(verifying.verify()), 1)
    table.add("verify", f"{spent:.0f} s", f"{len(found)} findings")
    for finding in found[:5]:
        print("  ", finding, file=sys.stderr)


def _disk(table: Table, by: Any) -> None:
    from django.db import connection

    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_database_size(current_database())")
            size = cursor.fetchone()[0]
    else:
        size = sum(path.stat().st_size for path in Path(os.environ["DATA_DIR"]).glob("register.sqlite3*"))
    table.add("disk per report, timeline and past included", f"{size / SIZE / 1000:.1f} kB")


if __name__ == "__main__":
    main()
