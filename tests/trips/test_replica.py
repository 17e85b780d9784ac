"""A register with a replica, as it is deployed: who reads where, what somebody who has written reads next, and
what happens when the replica lags or goes away, or the database is restarted under what runs."""

import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.test import Client

from tests import factories
from tests.cluster import Server, pair
from tests.server import ROOT, Register, serve, until

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(
        "sqlite" in settings.DATABASES["default"]["ENGINE"],
        reason="SQLite has no replicas, and no server that could be restarted",
    ),
]

FORM = {
    "step": "save",
    "lat": "49.99",
    "lon": "36.23",
    "area": "UA-63",
    "kind": "building",
    "object_type": "school",
    "when": "day",
    "occurred_to": "2026-03-09",
    "source_type": "own",
    "cause": "unknown",
}


@dataclass
class Installation:
    register: Register
    primary: Server
    replica: Server
    urls: dict[str, str]
    gazetteer: Path
    #: Of two officials, the first signed in twice.
    sessions: dict[str, str]

    def replicas_state(self) -> set[str]:
        """What the processes of the server think of the replica, each asked at least once."""
        states: dict[int, str] = {}

        def ask(_number: int) -> None:
            _status, body, headers = self.register.ask("/health")
            states[int(headers["X-Process"])] = json.loads(body)["replica"]

        with ThreadPoolExecutor(8) as clients:
            for _attempt in range(100):
                list(clients.map(ask, range(8)))
                if states.keys() >= set(self.register.workers):
                    return set(states.values())
        raise AssertionError("A process was never asked.")

    def on(self, server: Server, sql: str) -> str:
        asked = [server.bin / "psql", "-qAt", "-c", sql, server.url]
        return subprocess.run(asked, capture_output=True, check=True, text=True).stdout

    def log(self, who: str, command: str) -> str:
        """The address to which logging a report leads, or nothing if it failed."""
        data = FORM | {"command": command}
        try:
            status, _body, headers = self.register.ask("/log", session=self.sessions[who], data=data)
        except (ConnectionError, http.client.HTTPException):
            return ""
        assert status in (302, 503), self.register.log.read_text()
        return headers.get("Location", "")

    def sees(self, who: str, path: str) -> str:
        status, body, _headers = self.register.ask(path, session=self.sessions.get(who, ""))
        assert status == 200
        return body


@pytest.fixture(scope="module")
def installation(django_db_setup, gazetteer_path) -> Iterator[Installation]:
    with pair("synchronous_commit=local") as (primary, replica):
        # The tables of the tests' own database.
        name = connection.settings_dict["NAME"]
        source = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}").geturl()
        schema = subprocess.run([primary.bin / "pg_dump", source], capture_output=True, check=True).stdout
        subprocess.run(
            [primary.bin / "psql", "-q", primary.url], input=schema, capture_output=True, check=True
        )
        urls = {"DATABASE_URL": primary.url, "DATABASE_REPLICA_URL": replica.url}
        with serve(**urls, REPLICA_MAX_LAG="300") as register:
            (Path(register.environment["DATA_DIR"]) / gazetteer_path.name).symlink_to(gazetteer_path)
            fill = "import django; django.setup(); from tests.trips.test_replica import fill; fill()"
            told = subprocess.run(
                [sys.executable, "-c", fill],
                cwd=ROOT,
                env=register.environment,
                capture_output=True,
                check=True,
            )
            yield Installation(register, primary, replica, urls, gazetteer_path, json.loads(told.stdout))


def fill() -> None:
    """In a process of its own: who works in the register, and one report that everybody sees."""
    call_command("createcachetable", verbosity=0)
    region = factories.ukraine()["UA-63"]
    writer, other = factories.person("official", region), factories.person("official", region)
    factories.published(summary="Published")
    factories.edition()
    sessions = {}
    for name, person in (("writer", writer), ("writer elsewhere", writer), ("other", other)):
        client = Client()
        client.force_login(person)
        sessions[name] = client.cookies["sessionid"].value
    print(json.dumps(sessions))


def test_who_wrote_reads_it_and_others_read_the_replica(installation: Installation) -> None:
    i = installation
    until(lambda: i.replicas_state() == {"ok"})
    lists = ("/reports", "/reports.csv", "/map/tiles/0/0/0.json")
    before = {path: i.sees("other", path) for path in lists[1:]}
    i.on(i.replica, "SELECT pg_wal_replay_pause()")
    reference = i.log("writer", str(uuid4())).removeprefix("/log/done?r=")
    # The others read the replica, which does not know yet.
    assert reference not in i.sees("other", "/reports")
    assert before == {path: i.sees("other", path) for path in lists[1:]}
    for who in ("writer", "writer elsewhere"):
        assert reference in i.sees(who, "/reports")
        assert reference in i.sees(who, "/reports.csv")
        assert i.sees(who, "/map/tiles/0/0/0.json") != before["/map/tiles/0/0/0.json"]
    i.on(i.replica, "SELECT pg_wal_replay_resume()")
    until(lambda: reference in i.sees("other", "/reports"))


def test_a_replica_that_lags_is_not_read_and_said(installation: Installation) -> None:
    with serve(**installation.urls, REPLICA_MAX_LAG="3") as register:
        i = replace(installation, register=register)
        (Path(register.environment["DATA_DIR"]) / "gazetteer.sqlite3").symlink_to(i.gazetteer)
        until(lambda: i.replicas_state() == {"ok"})
        i.on(i.replica, "SELECT pg_wal_replay_pause()")
        reference = i.log("writer", str(uuid4())).removeprefix("/log/done?r=")
        until(lambda: i.replicas_state() == {"behind"})
        # One process may notice a little later than the other.
        until(lambda: reference in i.sees("other", "/reports.csv"))
        until(lambda: "lags behind" in i.sees("other", "/reports"))
        assert "lags behind" not in i.sees("visitor", "/reports")
        assert "The replica is not read: behind" in register.log.read_text()
        i.on(i.replica, "SELECT pg_wal_replay_resume()")
        until(lambda: i.replicas_state() == {"ok"})


def test_a_replica_that_goes_away_breaks_files_and_no_page(installation: Installation) -> None:
    i = installation
    until(lambda: i.replicas_state() == {"ok"})
    # A table that is locked holds the file up after its first line.
    lock = "BEGIN; LOCK TABLE registry_publicreport; SELECT pg_sleep(60)"
    locking = subprocess.Popen([i.primary.bin / "psql", "-qc", lock, i.primary.url])

    def is_locked() -> bool:
        # The primary sends a lock no sooner than it has something committed to send.
        i.on(i.primary, "SELECT pg_current_xact_id()")
        return "registry_publicreport" in i.on(i.replica, "SELECT relation::regclass FROM pg_locks")

    until(is_locked)
    with i.register.begin("/reports.csv") as client:
        file = http.client.HTTPResponse(client)
        file.begin()
        assert file.readline().startswith(b"reference,")
        locking.kill()
        i.replica.stop(signal.SIGQUIT)
        with pytest.raises((http.client.IncompleteRead, ConnectionError)):
            file.read()
    i.on(i.primary, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%(60)'")
    for _each in range(8):
        assert "Published" in i.sees("visitor", "/reports.csv")
        assert i.sees("other", "/map")
    until(lambda: i.replicas_state() == {"away"})
    until(lambda: "does not answer" in i.sees("other", "/reports"))
    i.replica.start()
    until(lambda: i.replicas_state() == {"ok"})


def test_a_restart_of_the_database_loses_nothing_and_doubles_nothing(installation: Installation) -> None:
    i = installation
    until(lambda: i.replicas_state() == {"ok"})
    before = i.sees("writer", "/reports.csv").count("\n")

    def log_until_done(_number: int) -> str:
        command = str(uuid4())
        for _attempt in range(200):
            if address := i.log("writer", command):
                return address
            time.sleep(0.05)
        raise AssertionError("Never answered.")

    with ThreadPoolExecutor(4) as clients:
        addresses = clients.map(log_until_done, range(24))
        first = next(addresses)
        i.primary.stop(signal.SIGQUIT)
        i.primary.start()
        references = {address.removeprefix("/log/done?r=") for address in (first, *addresses)}
    assert len(references) == 24
    file = i.sees("writer", "/reports.csv")
    assert file.count("\n") == before + 24
    assert all(reference in file for reference in references)
    # Nor does anybody notice a restart while nothing is asked.
    i.primary.stop(signal.SIGQUIT)
    i.primary.start()
    for _each in range(16):
        assert i.sees("visitor", "/")
