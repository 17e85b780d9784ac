"""Filters are drawn as their form draws them, and what is kept of them never tells of another's choices."""

import re

import pytest
from django.contrib.auth.models import AnonymousUser
from django.http import QueryDict

from registry.filters import EVERY_FILTER, select
from registry.rules.vocabularies import Holder, Role
from registry.templatetags import filtering
from tests import factories
from tests.factories import published, report

pytestmark = pytest.mark.django_db

ANYONE = AnonymousUser()


@pytest.fixture(autouse=True)
def areas():
    return factories.ukraine()


def drawn(person, query: str = "", **params) -> str:
    found = filtering.filter_fields(select(person, QueryDict(query), **params))
    return found["hidden"] + found["shown"] + found["more"]


def names(html: str) -> set[str]:
    return set(re.findall(r'name="(\w+)"', html))


def test_every_filter_of_a_reader_has_its_control(areas):
    report()
    published()
    office = drawn(factories.person(Role.SUPERVISOR, areas["UA"]))
    assert names(office) == EVERY_FILTER.keys()
    assert names(drawn(factories.person(Role.OFFICIAL, areas["UA"]))) == EVERY_FILTER.keys() - {"withdrawn"}
    hidden = {name for name, one in EVERY_FILTER.items() if one.office}
    # Where no row has an outcome, its choices are still those of the vocabulary.
    assert names(drawn(ANYONE)) == EVERY_FILTER.keys() - hidden


def test_what_is_asked_for_is_drawn_with_it_and_the_next_reader_is_not_given_it():
    published()
    asked = drawn(ANYONE, "kind=building&from=2026-03-01&text=%3Croof%3E")
    assert 'value="building" id="id_kind_0" checked' in asked
    assert 'value="2026-03-01"' in asked
    assert "&lt;roof&gt;" in asked
    assert filtering.filter_fields(select(ANYONE, {"from": "2026-03-01"}))["given"]
    after = filtering.filter_fields(select(ANYONE, {}))
    assert not after["given"]
    assert "checked" not in after["shown"]
    assert "2026-03-01" not in after["more"]


def test_choices_are_those_of_the_readers_own_rows_at_this_moment():
    report(object_type="hospital", adm1_code="UA-23")
    published(object_type="school")
    assert 'value="school"' in (before := drawn(ANYONE))
    assert "hospital" not in before
    assert "Zaporizhzhia" not in before
    assert 'value="hospital"' in drawn(None, holder=Holder.OFFICE)
    published(object_type="church", adm1_code="UA-23")
    published(object_type="museum")
    assert "Zaporizhzhia" in drawn(ANYONE)
    assert "hospital" not in drawn(ANYONE)
