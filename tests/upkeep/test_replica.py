"""When a replica is fit to read from; ``trips/test_replica`` tries it on real ones."""

from dataclasses import dataclass
from types import SimpleNamespace

import pytest
from django.db import OperationalError, connections

from registry.upkeep import replica as module
from registry.upkeep.replica import AWAY, BEHIND, STRANGER, Replica, note_write, reading
from tests import factories


@dataclass
class Servers:
    """Two servers and a clock, as ``_ask`` and ``time`` tell of them."""

    now: float = 1000.0
    written: int = 100
    replayed: int | None = 100
    follows: int = 1
    away: str = ""

    def ask(self, alias: str, _position: str) -> tuple[int, int | None]:
        if alias == self.away:
            raise OperationalError("connection refused")
        return (1, self.written) if alias == "default" else (self.follows, self.replayed)


@pytest.fixture
def servers(monkeypatch, settings) -> Servers:
    servers = Servers()
    settings.DATABASE_REPLICA_URL, settings.REPLICA_MAX_LAG = "postgresql://replica/", 30
    monkeypatch.setattr(module, "_ask", servers.ask)
    monkeypatch.setattr(module, "close_old_connections", lambda: None)
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: servers.now))
    monkeypatch.setattr(module, "replica", Replica())
    return servers


@pytest.fixture
def replica(servers: Servers) -> Replica:
    return module.replica


def test_it_is_not_read_before_it_was_seen_to_keep_up(servers: Servers, replica: Replica) -> None:
    assert not replica.has(0)
    servers.replayed = 50
    replica.look()
    assert (replica.fault, replica.has(0)) == ("", False)
    # Always a little behind, it passes where the primary was at the look before.
    servers.now, servers.written, servers.replayed = 1001, 300, 100
    replica.look()
    assert replica.has(100)
    assert not replica.has(101)
    assert replica.behind == 1


def test_an_idle_primary_does_not_make_a_replica_old(servers: Servers, replica: Replica) -> None:
    for servers.now in (1000, 2000):
        replica.look()
    assert (replica.fault, replica.behind, replica.has(100)) == ("", 0, True)


def test_it_lags_from_the_oldest_moment_that_it_has_not_reached(
    servers: Servers, replica: Replica, caplog: pytest.LogCaptureFixture
) -> None:
    replica.look()
    for servers.now, servers.written in ((1001, 200), (1016, 300), (1030, 400)):
        replica.look()
        assert replica.has(100)
    servers.now = 1032
    assert not replica.has(0)  # even if nobody looks any more
    for _each in range(2):
        replica.look()
        assert (replica.fault, replica.has(0)) == (BEHIND, False)
    servers.replayed = 200
    replica.look()
    assert (replica.fault, replica.has(0)) == (BEHIND, False)
    servers.now, servers.replayed = 1033, 400
    replica.look()
    assert (replica.fault, replica.has(400)) == ("", True)
    told = [line.getMessage() for line in caplog.records if line.name == module.__name__]
    assert [line.partition(":")[0] for line in told] == [
        "The replica is not read",
        "The replica is read again",
    ]


def test_what_does_not_answer_or_follows_another_is_not_read(servers: Servers, replica: Replica) -> None:
    replica.look()
    servers.away = "reader"
    replica.look()
    assert (replica.fault, replica.has(0)) == (AWAY, False)
    servers.away, servers.follows = "", 2
    replica.look()
    assert (replica.fault, replica.has(0)) == (STRANGER, False)
    servers.follows, servers.replayed = 1, None  # a server of its own
    replica.look()
    assert (replica.fault, replica.has(0)) == (STRANGER, False)
    servers.away = "default"
    replica.look()  # says nothing about the replica
    assert replica.fault == STRANGER


@pytest.mark.django_db
def test_who_wrote_reads_the_primary_until_the_replica_has_it(servers: Servers, replica: Replica) -> None:
    writer, other = factories.person(), factories.person()
    replica.look()
    servers.written = 200
    note_write(writer)
    assert (_reads(writer), _reads(other), _reads(None)) == ("primary", "replica", "replica")
    servers.replayed = 200
    replica.look()
    assert _reads(writer) == "replica"


def _reads(person) -> str:
    own = connections["reader"]
    other = connections["reader"] = connections["default"].copy("reader")
    try:
        with reading(person):
            return "replica" if connections["reader"] is other else "primary"
    finally:
        connections["reader"] = own
