"""The bench's harness works on this database, what it makes is a register that verifies, and bars can fall."""

import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from django.db import connection

from bench.table import Table


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that PostgreSQL's own user reaches too."""
    with TemporaryDirectory(prefix="register-bench-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.mark.django_db
def test_a_small_bench_runs_through(folder: Path, gazetteer_path: Path) -> None:
    data = folder / connection.vendor
    data.mkdir()
    (data / "gazetteer.sqlite3").symlink_to(gazetteer_path)
    if connection.vendor == "sqlite":
        # The tables of the tests' own database, so that migrations need not run again.
        with (
            closing(sqlite3.connect(connection.settings_dict["NAME"])) as ours,
            closing(sqlite3.connect(data / "register.sqlite3")) as theirs,
        ):
            ours.backup(theirs)
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in ("DATABASE_URL", "DATA_DIR", "DJANGO_SETTINGS_MODULE", "JUDGE")
    } | {
        "SIZE": "400",
        "DATABASE": connection.vendor,
        "KEEP": str(folder),
        "SECONDS": "0.5",
        "TIMES": "1",
        "WRITE": str(folder / "table.md"),
    }
    ran = subprocess.run(
        [sys.executable, "-m", "bench"], env=environment, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stdout[-2000:] + ran.stderr[-2000:]
    written = (folder / "table.md").read_text()
    lines = {line.split(" | ")[0].removeprefix("| "): line for line in written.splitlines() if " | " in line}
    for figure, holds in (
        ("32 clients logging for 0.5 s: errors", "yes"),
        ("32 clients logging for 0.5 s: lost", "yes"),
        ("verify: findings", "yes"),
        ("map, unfiltered: largest viewport", "yes"),
        ("list, a rare word: its SQL, first and deep", "not judged"),
        ("first data row: versions", "not judged"),
        ("home page with the figures of the day, staff", "not judged"),
        ("edition of a day with 20 changes", "not judged"),
    ):
        assert lines[figure].endswith(f"{holds} |"), lines.get(figure)


def test_a_bar_falls_only_where_it_is_judged(capsys: pytest.CaptureFixture[str]) -> None:
    table = Table(judged=True)
    table.add("holds", 1.2, "s", beside="another", peer=1.0, bar="csv filtered")
    table.add("too slow", 1.4, "s", beside="another", peer=1.0, bar="csv filtered")
    table.add("no peer", 1.4, "s", bar="csv filtered")
    table.add("too few", 599, "/s", bar="import")
    table.add("too far over", 60, "ms", peer=10, bar="list page")
    assert table.fallen == ["too slow", "too few", "too far over"]
    quick = Table(judged=False)
    quick.add("too slow", 1.4, "s", beside="another", peer=1.0, bar="csv filtered")
    quick.add("lost", 1, bar="logging lost")
    assert quick.fallen == ["lost"]
    assert "**no**" in capsys.readouterr().out
