"""A form's act is carried out once, also when the form is sent twice at the same time."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from fcntl import LOCK_EX, flock
from uuid import uuid4

import pytest
from django.db import OperationalError, connection, connections

from registry.actions import journal
from registry.models import Command, Draft
from registry.models.sql import in_turn
from tests import factories

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_form_sent_twice_at_once_is_carried_out_once() -> None:
    person, command, both = factories.person(), uuid4(), threading.Barrier(2)

    def send(number: int) -> dict[str, int]:
        def act() -> dict[str, int]:
            Draft.objects.create(person=person, values={})
            time.sleep(0.2)
            return {"number": number}

        try:
            both.wait()
            return journal.once(command, by=person, act=act)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(send, (1, 2)))
    assert results[0] == results[1] == Command.objects.get().result
    assert Draft.objects.count() == 1


def test_what_is_refused_because_it_was_done_meanwhile_is_answered_as_done() -> None:
    person, command = factories.person(), uuid4()

    def refused() -> dict[str, str]:
        raise journal.Refused("It is done.")

    with pytest.raises(journal.Refused):
        journal.once(command, by=person, act=refused)
    journal.once(command, by=person, act=lambda: {"reference": "4F7K-92MX"})
    assert journal.once(command, by=person, act=refused) == {"reference": "4F7K-92MX"}
    with pytest.raises(journal.Refused, match="somebody else"):
        journal.once(command, by=factories.person(), act=refused)


@pytest.mark.skipif("connection.vendor != 'sqlite'", reason="PostgreSQL has rows to lock")
def test_nobody_waits_for_a_turn_longer_than_for_the_database(monkeypatch) -> None:
    monkeypatch.setitem(connection.settings_dict["OPTIONS"], "timeout", 0.1)
    with open(f"{connection.settings_dict['NAME']}-turn", "w") as turn:
        flock(turn, LOCK_EX)
        threading.Timer(0.3, turn.close).start()
        with pytest.raises(OperationalError), in_turn():
            pass
    with in_turn():
        pass


@pytest.mark.skipif("connection.vendor != 'sqlite'", reason="PostgreSQL undoes nothing by copies of pages")
def test_what_would_undo_a_statement_is_kept_in_memory_for_forms_alone() -> None:
    person = factories.person()

    def kept() -> dict[str, int]:
        with connection.cursor() as cursor:
            return {"temp_store": cursor.execute("PRAGMA temp_store").fetchone()[0]}

    def refused() -> dict[str, int]:
        raise journal.Refused("It is done.")

    assert journal.once(uuid4(), by=person, act=kept) == {"temp_store": 2}
    assert kept() == {"temp_store": 0}
    with pytest.raises(journal.Refused):
        journal.once(uuid4(), by=person, act=refused)
    assert kept() == {"temp_store": 0}
