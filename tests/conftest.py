"""What every test gets: both database aliases, and a clean cache."""

from collections.abc import Iterator

import pytest
from django.core.cache import cache
from django.db import connection, connections
from django.test import TransactionTestCase

from registry.forms.places import lineage
from registry.models import guards


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
    """Sign-ins are counted in the cache, areas are remembered by code; no test inherits another's."""
    yield
    cache.clear()
    lineage.cache_clear()
