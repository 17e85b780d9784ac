"""``make bench``: what the register promises of its speed, each promise beside its peer in the same run.

    make bench [SIZE=1000000] [DATABASE=sqlite|postgresql] [KEEP=FOLDER] [SECONDS=60] [JUDGE=1]

SIZE reports are made in a scratch register, everything is measured, one table is printed and written to
WRITE (docs/performance-DATABASE.md from a million reports on). It ends with 1 when a bar falls; bars on time
are judged from a million reports on, or with JUDGE. From there on the layer is asked for pages of LAYER bare
rows too (ten times SIZE). KEEP names a folder that holds the register for the next
run; SECONDS is how long each crowd logs, TIMES how often a page is asked for.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from tests.cluster import Server

from .serving import ROOT
from .table import JUDGED_FROM, Table

SIZE = int(os.environ.get("SIZE", "100000"))
DATABASE = os.environ.get("DATABASE", "sqlite")
SECONDS = float(os.environ.get("SECONDS", "60"))
#: The size of the register that lists are held against.
SMALL = 10_000
#: Rows without reports that the layer is read from; 0 for none.
LAYER = int(os.environ.get("LAYER", 10 * SIZE if SIZE >= JUDGED_FROM else 0))
#: What an installation may have set and a scratch register must not take over.
_SETTINGS = {
    "AUDIENCE_POLICY", "BASE_URL", "DATABASE_REPLICA_URL", "DATABASE_URL", "DEBUG", "EMAIL_URL", "GEOCODER",
    "SECOND_FACTOR_REQUIRED", "SECRET_KEY", "TILE_URL", "TRUSTED_PROXIES",
}  # fmt: skip


def main() -> None:
    """Begin again with the environment of a scratch register; for PostgreSQL, of a cluster of its own."""
    if DATABASE not in ("sqlite", "postgresql"):
        sys.exit("DATABASE is sqlite or postgresql.")
    environment = {name: value for name, value in os.environ.items() if name not in _SETTINGS}
    with ExitStack() as stack:
        kept = os.environ.get("KEEP")
        folder = Path(
            kept or stack.enter_context(tempfile.TemporaryDirectory(prefix="register-bench-"))
        ).resolve()
        data = folder / DATABASE
        data.mkdir(parents=True, exist_ok=True)
        environment |= {"DATA_DIR": str(data), "DJANGO_SETTINGS_MODULE": "bench.settings"}
        if DATABASE == "postgresql":
            environment["DATABASE_URL"] = stack.enter_context(_cluster(folder / "cluster" if kept else None))
        code = "from bench.__main__ import run; run()"
        sys.exit(subprocess.run([sys.executable, "-c", code], env=environment, cwd=ROOT).returncode)


@contextmanager
def _cluster(kept: Path | None) -> Iterator[str]:
    """The DATABASE_URL of a server that writes as durably as an installation's, set up as docs/operators.md says."""
    durable = ["fsync=on", "full_page_writes=on", "synchronous_commit=on", "jit=on"]
    server = Server(*durable, "shared_buffers=1GB", "max_wal_size=4GB", "wal_compression=lz4")
    try:
        server.data = kept or server.data
        if not server.data.exists():
            server.data.mkdir(mode=0o700)
            if server.user:
                os.chown(server.data, server.user["user"], server.user["group"])
            server.create()
        server.start()
        try:
            yield server.url
        finally:
            server.stop()
    finally:
        shutil.rmtree(server.folder)


def run() -> None:
    """Everything, in this process and in a server beside it."""
    _ready()
    from registry.models import Person

    from . import exporting, formats, keeping, layers, listing, writing
    from .serving import server

    table = Table(judged=SIZE >= JUDGED_FROM or bool(os.environ.get("JUDGE")))
    _tools()
    _made(table)
    official = Person.objects.get(email="official0@example.org")
    _step(table, keeping.disk, SIZE)
    _step(table, keeping.day, SIZE)
    with server() as serving:
        _step(table, exporting.measure, serving, official)
        _step(table, formats.measure, serving, official)
        # Measured within a minute of what it is held against.
        small = _small() if SIZE > 2 * SMALL else {"pages": {}, "layer": {}, "verify": None}
        _step(table, listing.measure, serving, official, small["pages"])
        _step(table, layers.measure, serving, small["layer"], LAYER)
        _step(table, writing.measure, serving, SECONDS, max(min(6_000, SIZE // 10), 100))
    _step(table, keeping.verify, small["verify"])
    _write(table)
    if table.fallen:
        print("\nFallen:", *table.fallen, sep="\n  ")
        sys.exit(1)


def _step(table: Table, measure: Callable[..., None], *given: Any) -> None:
    """One part of the table; where it breaks, the rest is still measured."""
    # What the part before has left to be written to the disk is not this one's.
    os.sync()
    try:
        measure(table, *given)
    except Exception as error:
        traceback.print_exc()
        table.fail(f"{measure.__module__}.{measure.__name__}", error)


def small() -> None:
    """A register of SMALL reports: what its pages and its ``verify`` take, as JSON."""
    _ready()
    from registry.actions import editions
    from registry.models import Person

    from . import keeping, layers, listing, making
    from .serving import server

    if not Person.objects.exists():
        making.make(SMALL)
        editions.publish()
    official = Person.objects.get(email="official0@example.org")
    with server() as serving:
        pages, layer = listing.pages(serving, official), layers.pages(serving)
    print(json.dumps({"pages": pages, "layer": layer, "verify": keeping.run_verify().most}))


def _ready() -> None:
    """An installation as ``setup`` makes it, with the gazetteer of the checkout if it has one."""
    import django

    django.setup()
    from django.conf import settings
    from django.core.management import call_command

    from registry.geocoding import build

    path, own = settings.DATA_DIR / "gazetteer.sqlite3", settings.BASE_DIR / "var" / "gazetteer.sqlite3"
    if not build.is_current(path):
        if build.is_current(own):
            shutil.copyfile(own, path)
        else:
            build.build_index(path)
    call_command("migrate", verbosity=0)
    call_command("createcachetable", verbosity=0)
    if not (settings.STATIC_ROOT / "staticfiles.json").exists():
        call_command("collectstatic", interactive=False, verbosity=0)


def _tools() -> None:
    """The database's own program, from Debian where it may be installed."""
    if DATABASE == "sqlite" and not shutil.which("sqlite3") and os.getuid() == 0 and shutil.which("apt-get"):
        subprocess.run(["apt-get", "install", "-qqy", "sqlite3"], check=False, stdout=subprocess.DEVNULL)


def _small() -> dict[str, Any]:
    """What ``small`` prints, in a register of its own beside this one."""
    from django.db import connection

    folder = Path(os.environ["DATA_DIR"], "small")
    folder.mkdir(exist_ok=True)
    environment = os.environ | {"DATA_DIR": str(folder)}
    if url := os.environ.get("DATABASE_URL"):
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM pg_database WHERE datname = 'small'")
            if not cursor.fetchone():
                cursor.execute("CREATE DATABASE small")
        environment["DATABASE_URL"] = url.rpartition("/")[0] + "/small"
    code = "from bench.__main__ import small; small()"
    ran = subprocess.run(
        [sys.executable, "-c", code], env=environment, cwd=ROOT, stdout=subprocess.PIPE, check=True
    )
    return json.loads(ran.stdout.splitlines()[-1])


def _made(table: Table) -> None:
    """The register, made now or kept from an earlier run, and what its first edition took."""
    from registry.actions import editions, tallies
    from registry.models import Report

    from . import making

    path = Path(os.environ["DATA_DIR"], "made.json")
    if path.exists():
        times = json.loads(path.read_text())
        if times["size"] != SIZE:
            sys.exit(f"KEEP holds a register of {times['size']:,} reports.")
        table.note(
            f"The register was kept from an earlier run; it holds {Report.objects.count():,} reports now."
        )
    else:
        began = time.perf_counter()
        making.make(SIZE, progress=_progress)
        made = time.perf_counter() - began
        began = time.perf_counter()
        editions.publish()
        times = {"size": SIZE, "made": made, "edition": time.perf_counter() - began}
        path.write_text(json.dumps(times))
    making.analyse()
    # The worker does this every few seconds.
    while tallies.merge():
        pass
    table.add(f"{SIZE:,} reports made, with timeline and past", times["made"] / 60, "min")
    table.add(f"edition: all {SIZE:,} rows anew", times["edition"] / 60, "min", bar="edition of all")


def _progress(done: int) -> None:
    if sys.stderr.isatty():
        print(f"\r{done:,} made", end="\n" if done >= SIZE else "", file=sys.stderr, flush=True)


def _write(table: Table) -> None:
    """The table as a file of docs/, or where WRITE says."""
    engine = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}[DATABASE]
    text = table.markdown(f"{SIZE:,} reports, {engine}")
    where = os.environ.get("WRITE") or (
        ROOT / "docs" / f"performance-{DATABASE}.md" if table.judged else None
    )
    if where:
        Path(where).write_text(text)


if __name__ == "__main__":
    main()
