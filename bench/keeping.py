"""What keeps the register: editions, verify, and the disk that it takes."""

import re
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from django.db import connection

from registry.actions import editions, journal, tallies
from registry.actions.journal import Line
from registry.models import Report

from .serving import ROOT, Peak
from .table import Table

CHANGES = 5_000


def day(table: Table, size: int) -> None:
    """The edition after a day in which so many reports changed."""
    count = min(CHANGES, max(size // 20, 1))
    step = max(size // count, 1)
    keys = list(Report.objects.order_by("pk").values_list("pk", flat=True)[: count * step : step])
    at = journal.now()
    for start in range(0, len(keys), 250):
        rows = Report.objects.in_bulk(keys[start : start + 250]).values()
        journal.record_many(
            # Another text than in an earlier run, for a register that was kept.
            [Line(row, "edited", fields={"summary": f"Looked at {at}, {row.pk}"}) for row in rows],
            at=at,
        )
    began = time.perf_counter()
    editions.publish(at=at + timedelta(seconds=1))
    spent = time.perf_counter() - began
    # The worker does this every few seconds.
    while tallies.merge():
        pass
    table.add(
        f"edition of a day with {len(keys):,} changes",
        spent,
        "s",
        bar="edition of a day",
    )


@dataclass
class Verified:
    """What ``manage.py verify`` took, as an operator runs it: minutes, MiB, and what it found."""

    minutes: float
    most: float
    findings: list[str]


def run_verify() -> Verified:
    began = time.perf_counter()
    command = [sys.executable, ROOT / "manage.py", "verify"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    with Peak(process.pid, every=0.2) as memory:
        told = process.communicate()[0].splitlines()
    findings = [] if process.returncode == 0 else told or ["It failed."]
    return Verified((time.perf_counter() - began) / 60, memory.most, findings)


def verify(table: Table, small: float | None) -> None:
    """The whole register; ``small``: the memory that one of 10,000 took."""
    ran = run_verify()
    table.add("verify of the whole register", ran.minutes, "min", bar="verify")
    table.add(
        "verify: memory of its processes", ran.most, "MiB", beside="at 10,000" if small else "", peer=small,
        bar="verify flat" if small else "",
    )  # fmt: skip
    table.add("verify: findings", len(ran.findings), bar="verify findings")
    for line in ran.findings[:3]:
        table.note(line)


def disk(table: Table, size: int) -> None:
    """What a report takes, and what takes it."""
    found = _relations()
    total = sum(found.values())
    parts: dict[str, int] = {}
    for name, taken in found.items():
        part = _part(name)
        parts[part] = parts.get(part, 0) + taken
    table.add("disk per report with its timeline and past", total / size / 1000, "kB", bar="disk")
    most = sorted(parts.items(), key=lambda pair: -pair[1])[:12]
    said = ", ".join(f"{name} {taken / size / 1000:.2f} kB" for name, taken in most)
    table.note(f"Disk per report: {said}.")


def _relations() -> dict[str, int]:
    """Bytes of each table and index."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                "SELECT CASE WHEN indrelid IS NULL THEN relname ELSE indrelid::regclass || '_index' END,"
                " sum(pg_relation_size(c.oid) + CASE WHEN relkind = 'r' THEN"
                " coalesce(pg_total_relation_size(nullif(reltoastrelid, 0)), 0) ELSE 0 END)::bigint"
                " FROM pg_class c LEFT JOIN pg_index ON indexrelid = c.oid"
                " WHERE relkind IN ('r', 'i') AND relnamespace = 'public'::regnamespace GROUP BY 1"
            )
            return dict(cursor.fetchall())
        try:
            # It counts bytes to 2 GiB only, but pages beyond.
            cursor.execute(
                "SELECT CASE WHEN m.type = 'index' THEN m.tbl_name || '_index' ELSE d.name END,"
                " sum(d.pageno) * (SELECT page_size FROM pragma_page_size)"
                " FROM dbstat d LEFT JOIN sqlite_master m ON m.name = d.name WHERE d.aggregate = TRUE GROUP BY 1"
            )
            return dict(cursor.fetchall())
        except connection.Database.OperationalError:  # a SQLite without dbstat
            return {"all": Path(connection.settings_dict["NAME"]).stat().st_size}


def _part(name: str) -> str:
    """A relation in words: its table, and whether it is the rows or their indexes."""
    table = re.sub(r"_words.*", "_words", name.removeprefix("registry_").removesuffix("_index"))
    if table.endswith("_words"):
        return "words"
    return f"{table} {'indexes' if name.endswith('_index') else 'rows'}"


__all__ = ["day", "disk", "run_verify", "verify"]
