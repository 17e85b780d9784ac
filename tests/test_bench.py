"""The bench's harness works on this database, and what it makes is a register that verifies."""

import os
import subprocess
import sys

from django.db import connection


def test_a_small_bench_runs_through() -> None:
    environment = {**os.environ, "SIZE": "300", "DATABASE": connection.vendor}
    for name in ("DATABASE_URL", "DATA_DIR", "DJANGO_SETTINGS_MODULE", "WRITE"):
        environment.pop(name, None)
    ran = subprocess.run(
        [sys.executable, "-m", "bench"], env=environment, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr[-2000:]
    assert "0 findings" in ran.stdout
    for figure in ("list, everything", "map tile", "CSV, all public rows", "logging", "edition", "disk"):
        assert figure in ran.stdout
