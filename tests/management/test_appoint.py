"""The first administrator comes by a command, and only the first."""

import io

import pytest
from django.core.management import CommandError, call_command

from registry.models import Person, PersonChange
from tests.factories import person, ukraine

pytestmark = pytest.mark.django_db


def appoint(monkeypatch, *, email="nina@example.org", area="UA-63", password="a long pass phrase"):
    monkeypatch.setattr("sys.stdin", io.StringIO(password + "\n"))
    call_command("appoint", email, name="Nina", role="supervisor", area=[area], stdout=io.StringIO())


def test_a_new_register_gets_its_administrator(monkeypatch):
    ukraine()
    appoint(monkeypatch)
    nina = Person.objects.get(email="nina@example.org")
    assert nina.is_administrator
    assert nina.check_password("a long pass phrase")
    assert [area.code for area in nina.areas.all()] == ["UA-63"]
    assert PersonChange.objects.get(person=nina).changes["is_administrator"] == [None, True]


def test_a_second_one_is_for_the_first_to_invite(monkeypatch):
    ukraine()
    person(is_administrator=True)
    with pytest.raises(CommandError, match="an administrator already"):
        appoint(monkeypatch)


def test_administrators_who_cannot_act_are_no_obstacle(monkeypatch):
    ukraine()
    person(is_administrator=True, is_active=False)
    person(is_administrator=True, is_sample=True)
    appoint(monkeypatch)
    assert Person.objects.filter(email="nina@example.org").exists()


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"password": "short"}, "too short"),
        ({"email": "nina"}, "valid email"),
        ({"area": "XX-99"}, "XX-99"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_made(monkeypatch, asked, said):
    ukraine()
    with pytest.raises(CommandError, match=said):
        appoint(monkeypatch, **asked)
    assert not Person.objects.exists()
