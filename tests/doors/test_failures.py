"""What goes wrong outside the register, tried on the register as it is deployed: clients that read slowly or
leave, too many of them, and a full disk. Others are served meanwhile, and no broken file looks whole."""

import http.client
import os
import selectors
import socket
import struct
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import urlopen

import pytest
from django.db import connection

from registry.models import Download, PastReport
from tests import factories
from tests.server import Register, serve, until

#: Sockets take a few MB off a server, read or not, and its memory a few more: a file that keeps it waiting is larger.
ROWS = 16_000
FILE = "/versions.csv"
AT_ONCE = 2


pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(scope="module")
def register(django_db_setup) -> Iterator[Register]:
    """The register over the tests' own database."""
    with serve(DATABASE_URL=_url(), DOWNLOADS_AT_ONCE=str(AT_ONCE), WEB_THREADS="4") as register:
        yield register


@pytest.fixture(autouse=True)
def _versions(transactional_db) -> None:
    """A file of 14 MB to give: versions of one report, each a second older than the one before."""
    first = factories.past(since=factories.AT, until=factories.AT, summary="s" * 500, object_name="n" * 150)
    older = {
        "sqlite": "datetime(valid_from, '-' || i || ' seconds')",
        "postgresql": "valid_from - i * interval '1 second'",
    }[connection.vendor]
    table = PastReport._meta.db_table
    fields = [f.column for f in PastReport._meta.concrete_fields if not f.generated and not f.primary_key]
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} ({', '.join(fields)})"
            f" WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {ROWS - 1})"
            f" SELECT {', '.join(older if field == 'valid_from' else field for field in fields)}"
            f" FROM {table}, n WHERE id = {first.pk}"
        )
        if connection.vendor == "sqlite":
            # So that a limit on files meets the spool file and not the database, once nobody reads any more.
            until(lambda: cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0)


def _url() -> str:
    name = connection.settings_dict["NAME"]
    if connection.vendor == "sqlite":
        return f"sqlite:///{name}"
    return urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}").geturl()


def _whole(register: Register) -> bool:
    """Whether the file comes, and all of it."""
    status, body, _headers = register.ask(FILE)
    return status == 200 and body.count("\n") == ROWS + 1


def _spooled(register: Register) -> int:
    """How many spool files the server holds, written or still being written."""
    files = 0
    for pid in register.workers:
        for link in Path(f"/proc/{pid}/fd").iterdir():
            with suppress(FileNotFoundError):
                name = os.readlink(link)
                files += name.startswith(str(register.log.parent)) and name.endswith("(deleted)")
    return files


def _snapshots() -> int:
    """How many readers keep the database from forgetting what it has replaced."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            Download.objects.create(at=factories.AT, holder="public", what="reports")
            cursor.execute("PRAGMA wal_checkpoint(RESTART)")
        else:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE backend_xmin IS NOT NULL"
                " AND datname = current_database() AND pid <> pg_backend_pid()"
            )
        return cursor.fetchone()[0]


# Files of GeoParquet and XLSX are packed so small that sockets take them whole.
@pytest.mark.parametrize("form", ["csv", "ndjson", "geojson", "gpkg"])
def test_a_client_that_reads_slowly_holds_up_nobody(register: Register, form: str) -> None:
    file = f"/versions.{form}"
    with urlopen(f"http://127.0.0.1:{register.port}{file}", timeout=60) as answer:
        whole = answer.read()
    until(lambda: _spooled(register) == 0)
    done = Download.objects.filter(rows=ROWS).count()
    with register.begin(file) as slow:
        assert slow.recv(1, socket.MSG_PEEK) == b"H"
        until(lambda: Download.objects.filter(rows=ROWS).count() == done + 1)
        until(lambda: (_snapshots(), _spooled(register)) == (0, 1))
        assert _whole(register)
        until(lambda: _spooled(register) == 1)
        assert register.ask("/reports")[0] == 200
        # It gets its file in the end.
        answer = http.client.HTTPResponse(slow)
        answer.begin()
        assert answer.read() == whole
    until(lambda: _spooled(register) == 0)


def test_a_client_that_leaves_gives_its_place_back(register: Register) -> None:
    for _client in range(AT_ONCE):
        leaving = register.begin(FILE)
        assert leaving.recv(1) == b"H"
        leaving.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        leaving.close()
    until(lambda: _spooled(register) == 0)
    assert _whole(register)


def test_two_hundred_at_once_are_a_few_and_the_rest_later(register: Register) -> None:
    clients = [register.begin(FILE) for _client in range(200)]
    try:
        answers = Counter(_heads(clients))
        assert answers == {(200, False): AT_ONCE, (503, True): 200 - AT_ONCE}
        assert register.ask("/reports")[0] == 200
    finally:
        for client in clients:
            client.close()
    until(lambda: _spooled(register) == 0)
    assert _whole(register)


def _heads(clients: list[socket.socket]) -> Iterator[tuple[int, bool]]:
    """Of each client's answer the status, and whether it says when to come back; nothing else is read."""
    with selectors.DefaultSelector() as waiting:
        for client in clients:
            waiting.register(client, selectors.EVENT_READ)
        while waiting.get_map():
            ready = waiting.select(30)
            assert ready, "Somebody is not answered."
            for key, _events in ready:
                head = key.fileobj.recv(2048)
                yield int(head.split()[1]), b"\r\nRetry-After: " in head
                waiting.unregister(key.fileobj)


def test_a_full_disk_breaks_the_file_of_whoever_reads_slowly_and_nothing_else(register: Register) -> None:
    register.limit_files(2_000_000)
    try:
        with register.begin(FILE) as slow:
            assert slow.recv(1, socket.MSG_PEEK) == b"H"
            # The writer has ended, before the answer began or after.
            until(lambda: _spooled(register) < 2)
            answer = http.client.HTTPResponse(slow)
            answer.begin()
            if answer.status != 500:
                with pytest.raises((http.client.IncompleteRead, ConnectionError)):
                    answer.read()
        until(lambda: _spooled(register) == 0)
        assert register.ask("/reports")[0] == 200
    finally:
        register.limit_files(-1)
    assert _whole(register)
