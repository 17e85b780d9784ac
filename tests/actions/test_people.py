"""Invitations, rights and access: what an administrator can do to others, and nobody to themselves."""

from datetime import timedelta

import pytest
from allauth.mfa.models import Authenticator
from django.utils import timezone

from registry.actions import people
from registry.actions.journal import Refused
from registry.models import Area, Invitation, Person, PersonChange
from registry.rules.vocabularies import Role, Sector

pytestmark = pytest.mark.django_db


@pytest.fixture
def region() -> Area:
    country = Area.objects.create(code="RU", level=0, country="RU", name="Russia")
    return Area.objects.create(code="RU-BEL", level=1, country="RU", parent=country, name="Belgorod region")


def make(email: str, role: str = Role.OFFICIAL, **fields) -> Person:
    return Person.objects.create_user(
        email, "a long pass phrase", name=email.split("@")[0], role=role, **fields
    )


@pytest.fixture
def admin() -> Person:
    return make("admin@example.org", Role.SUPERVISOR, is_administrator=True)


def invite(by: Person, **asked):
    asked = {"email": "new@example.org", "name": "New", "role": Role.OFFICIAL} | asked
    return people.invite(**asked, by=by)


def refused(code: str, act, *arguments, **keywords) -> None:
    with pytest.raises(Refused) as refusal:
        act(*arguments, **keywords)
    assert refusal.value.code == code


def test_an_invited_person_has_what_the_invitation_gives(admin, region):
    _invitation, token = invite(
        admin,
        email="New@Example.org",
        role=Role.OPERATOR,
        areas=[region],
        sectors=[Sector.GAS, Sector.ELECTRICITY],
    )
    person = people.accept(token, name="Nina", password="a long pass phrase")
    assert (person.email, person.name, person.role) == ("new@example.org", "Nina", Role.OPERATOR)
    assert person.sectors == ["electricity", "gas"]
    assert list(person.areas.all()) == [region]
    assert person.check_password("a long pass phrase")
    change = PersonChange.objects.get(person=person)
    assert change.by == admin
    assert change.changes["areas"] == [None, ["RU-BEL"]]


def test_only_operators_have_sectors(admin, region):
    invitation, _token = invite(admin, role=Role.OFFICIAL, areas=[region], sectors=[Sector.GAS])
    assert invitation.sectors == []


def test_an_invitation_serves_once(admin):
    _invitation, token = invite(admin)
    people.accept(token, name="New", password="a long pass phrase")
    refused("invitation", people.accept, token, name="Other", password="a long pass phrase")
    assert Person.objects.filter(email="new@example.org").count() == 1


def test_an_invitation_serves_72_hours(admin):
    invitation, token = invite(admin)
    assert invitation.expires_at - invitation.invited_at == timedelta(hours=72)
    Invitation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    refused("invitation", people.accept, token, name="New", password="a long pass phrase")


def test_the_token_is_not_kept(admin):
    invitation, token = invite(admin)
    assert not [v for v in Invitation.objects.filter(pk=invitation.pk).values_list()[0] if token in str(v)]


def test_a_newer_invitation_ends_the_older(admin):
    _invitation, older = invite(admin)
    _invitation, newer = invite(admin)
    assert people.invitation_for(older) is None
    assert people.invitation_for(newer)


def test_a_withdrawn_invitation_and_one_of_a_disabled_administrator_no_longer_serve(admin):
    other = make("second@example.org", is_administrator=True)
    invitation, token = invite(admin)
    people.withdraw_invitation(invitation, by=other)
    assert people.invitation_for(token) is None
    _invitation, token = invite(admin)
    people.disable(admin, by=other)
    refused("invitation", people.accept, token, name="New", password="a long pass phrase")


def test_an_address_that_has_an_account_is_not_invited(admin):
    make("new@example.org")
    with pytest.raises(Refused) as refusal:
        invite(admin, email="NEW@example.org")
    assert refusal.value.field == "email"


def test_every_act_asks_for_an_administrator(admin, region):
    official = make("official@example.org")
    other = make("other@example.org")
    refused("role", invite, official)
    refused(
        "role",
        people.change_rights,
        other,
        role=Role.SUPERVISOR,
        areas=[],
        is_administrator=True,
        by=official,
    )
    for act in (people.disable, people.enable, people.reset_second_factor, people.send_password_link):
        refused("role", act, other, by=official)
    admin.is_active = False
    admin.save()
    refused("role", people.disable, other, by=admin)


def test_nobody_changes_their_own_rights_or_access(admin, region):
    rights = {"role": Role.INSPECTOR, "areas": [region], "is_administrator": True}
    refused("self", people.change_rights, admin, **rights, by=admin)
    for act in (people.disable, people.enable, people.reset_second_factor, people.send_password_link):
        refused("self", act, admin, by=admin)
    admin.refresh_from_db()
    assert (admin.role, admin.is_active, admin.areas.count()) == (Role.SUPERVISOR, True, 0)


def test_the_last_administrator_stays(admin):
    """Of two, one can remove the other; who is left can be removed by nobody."""
    second = make("second@example.org", is_administrator=True)
    people.disable(second, by=admin)
    # Both pages were open: what the second one saw of its own rights no longer counts.
    refused("role", people.disable, admin, by=second)
    assert Person.objects.filter(is_administrator=True, is_active=True).get() == admin


def test_a_change_is_written_down_with_what_was_before(admin, region):
    person = make("official@example.org")
    people.change_rights(person, role=Role.SUPERVISOR, areas=[region], is_administrator=False, by=admin)
    change = PersonChange.objects.get(person=person)
    assert change.by == admin
    assert change.changes == {"role": ["official", "supervisor"], "areas": [[], ["RU-BEL"]]}
    people.change_rights(person, role=Role.SUPERVISOR, areas=[region], is_administrator=False, by=admin)
    assert PersonChange.objects.filter(person=person).count() == 1


def test_disabling_and_a_reset_second_factor_end_sessions(admin):
    person = make("official@example.org")
    Authenticator.objects.create(user=person, type=Authenticator.Type.TOTP, data={"secret": "x"})
    hashes = {person.get_session_auth_hash()}
    hashes.add(people.reset_second_factor(person, by=admin).get_session_auth_hash())
    assert not Authenticator.objects.exists()
    hashes.add(people.disable(person, by=admin).get_session_auth_hash())
    hashes.add(people.enable(person, by=admin).get_session_auth_hash())
    assert len(hashes) == 4
    kinds = [set(change.changes) for change in PersonChange.objects.filter(person=person)]
    assert kinds == [{"is_active"}, {"is_active"}, {"second_factor"}]


def test_a_disabled_person_gets_no_link(admin):
    person = people.disable(make("official@example.org"), by=admin)
    refused("disabled", people.send_password_link, person, by=admin)


def test_people_change_their_own_name_and_language():
    person = make("official@example.org")
    people.set_own(person, name="Olena", language="en")
    person.refresh_from_db()
    assert (person.name, person.language) == ("Olena", "en")
    assert PersonChange.objects.get(person=person).changes["name"] == ["official", "Olena"]
