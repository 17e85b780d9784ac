"""What every test gets: both database aliases, and a clean cache; and the gazetteer for those that ask."""

import csv
import fcntl
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.core.cache import cache
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, connection, connections
from django.test import TransactionTestCase

from registry.forms.places import lineage
from registry.geocoding import build
from registry.models import guards
from registry.outputs import telling


def _transactional(item: pytest.Item) -> bool:
    """Whether the test commits what it writes, and the database is flushed after it."""
    mark = item.get_closest_marker("django_db")
    asked = {"transactional_db", "live_server"} & set(item.fixturenames)
    return bool(asked or (mark and mark.kwargs.get("transaction")))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "browser" in item.fixturenames:
            item.add_marker("browser")
        if _transactional(item):
            mark = pytest.mark.django_db(transaction=True, databases=["default", "reader"])
            item.add_marker(mark, append=False)
    # The longest first, so that no process of a parallel run is left alone with one at the end.
    items.sort(key=lambda item: "browser" not in item.fixturenames)


@pytest.fixture(scope="session", autouse=True)
def _flush_lifts_the_guards() -> Iterator[None]:
    """A transactional test ends with a flush, which the triggers over written-once rows would refuse."""
    flush = TransactionTestCase._fixture_teardown

    def lifted_flush(self) -> None:
        with guards.lifted(connection):
            flush(self)

    TransactionTestCase._fixture_teardown = lifted_flush
    yield
    TransactionTestCase._fixture_teardown = flush


@pytest.fixture(autouse=True)
def _cells_end() -> None:
    """frictionless raises the limit of a cell for the whole process as it is imported."""
    csv.field_size_limit(131_072)


@pytest.fixture(autouse=True)
def _reader_sees_the_test(request: pytest.FixtureRequest) -> Iterator[None]:
    """A test inside one transaction reads by `reader` what it wrote by `default`: they are one connection."""
    if request.node.get_closest_marker("django_db") or "db" in request.fixturenames:
        # First the database, so that its end comes after ours.
        request.getfixturevalue("_django_db_helper")
    if _transactional(request.node):
        yield
        # An open connection would keep PostgreSQL from dropping the database at the end.
        connections["reader"].close()
        return
    reader = connections["reader"]
    connections["reader"] = connections["default"]
    yield
    connections["reader"] = reader


@pytest.fixture(autouse=True)
def _clean_cache() -> Iterator[None]:
    """Sign-ins are counted in the cache, areas are remembered by code, pieces of pages; no test inherits another's."""
    yield
    cache.clear()
    lineage.cache_clear()
    telling.forget()


@pytest.fixture
def connections_stay_open() -> Iterator[None]:
    """A server closes the connection after a request; the test's own transaction goes on, as with Django's client."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture(scope="session")
def gazetteer_path() -> Path:
    """The index of the test installation, built by the first run that needs it."""
    path = Path(settings.DATA_DIR) / "gazetteer.sqlite3"
    with path.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # the processes of a parallel run wait for the first
        if not build.is_current(path):
            build.build_index(path)
    return path
