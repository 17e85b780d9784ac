"""Filters that people keep, and how a selection is cited: by its address."""

from datetime import timedelta
from html import unescape

import pytest

from registry.models import SavedFilter
from registry.rules.vocabularies import Role
from registry.views import presets
from tests import factories
from tests.factories import AT, client, published, report

pytestmark = pytest.mark.django_db


@pytest.fixture
def official(settings):
    settings.SECOND_FACTOR_REQUIRED = False
    return factories.person(Role.OFFICIAL, factories.ukraine()["UA-63"])


def save(who, name, query):
    return who.post("/reports/save-filter", {"name": name, "query": query}, follow=True)


def test_a_filter_is_kept_as_what_it_means_for_its_person_alone(official):
    who = client(official)
    save(who, "  My   schools ", "status=verified&type=school&colour=&kind=building&type=house")
    (kept,) = SavedFilter.objects.all()
    assert (kept.person, kept.name) == (official, "My schools")
    assert kept.query == "kind=building&type=house&type=school&status=verified"
    for address in ("/reports", "/data", "/my-work"):
        page = unescape(who.get(address).content.decode())
        assert f'<a href="/reports?{kept.query}">My schools</a>' in page, address
    other = client(factories.person(Role.RESEARCHER))
    assert "My schools" not in other.get("/data").content.decode()
    assert "My schools" not in client().get("/reports").content.decode()
    save(who, "My schools", "type=school&as_of=2999")  # what is not understood is not kept
    assert SavedFilter.objects.get().query == kept.query
    save(who, "My schools", "type=school")
    assert SavedFilter.objects.get().query == "type=school"


@pytest.mark.parametrize("query", ["colour=red", "kind=ship", "as_of=2999-01-01", "view=all"])
def test_a_filter_that_is_not_understood_is_refused_by_name(official, query):
    answer = save(client(official), "Mine", query)
    assert answer.status_code == 400
    assert query.partition("=")[0] in answer.content.decode()
    assert not SavedFilter.objects.exists()


def test_names_are_asked_for_and_neither_cut_nor_too_many(official, monkeypatch):
    who = client(official)
    assert "Give the filter a name." in save(who, " ", "type=school").content.decode()
    assert "at most 100 characters" in save(who, "x" * 101, "type=school").content.decode()
    monkeypatch.setattr(presets, "MOST", 1)
    save(who, "One", "type=school")
    assert "delete it first" in save(who, "Two", "type=house").content.decode()
    save(who, "One", "type=house")
    assert SavedFilter.objects.get().query == "type=house"


def test_a_filter_is_deleted_by_its_person_alone(official):
    save(client(official), "Mine", "type=school")
    kept = SavedFilter.objects.get()
    address = f"/reports/saved-filters/{kept.pk}/delete"
    assert client(factories.person(Role.RESEARCHER)).post(address).status_code == 404
    assert client().post(address).url.startswith("/sign-in")
    answer = client(official).post(address, {"back": "https://elsewhere.example/"})
    assert answer.url == "/reports"
    assert not SavedFilter.objects.exists()
    save(client(official), "Mine", "type=school")
    address = f"/reports/saved-filters/{SavedFilter.objects.get().pk}/delete"
    assert client(official).post(address, {"back": "/my-work"}).url == "/my-work"


def cited(who, address, settings) -> tuple[str, str]:
    page = unescape(who.get(address).content.decode()).partition('class="inset citation">')[2]
    words, _link, rest = page.partition('<a href="')
    return words.strip(), rest.partition('"')[0].removeprefix(settings.BASE_URL)


def test_what_is_cited_gives_the_same_rows_again(settings):
    factories.ukraine()
    factories.edition(AT)
    school = published(object_type="school", damage_level="minor")
    for door in ("/reports", "/data"):
        words, address = cited(client(), f"{door}?level=minor&area=UA-63&type=school", settings)
        assert words == (
            "Damage register: Damage and losses of supply: School, in Kharkiv, Minor. "
            "Edition of 10 March 2026, 12:00."
        )
        assert address == f"{door}?type=school&area=UA-63&level=minor&as_of=2026-03-10T12:00:00Z"
        # The order and the form in which it was asked do not matter.
        assert cited(client(), address, settings) == (words, address)
    factories.edition(AT + timedelta(hours=1))
    school.delete()
    assert client().get(address).status_code == 200


def test_the_office_cites_a_moment_and_what_no_past_holds_without_one(official, settings):
    report(by=official)
    who = client(official)
    _words, address = cited(who, "/reports?type=school", settings)
    assert address.startswith("/reports?type=school&as_of=20")
    assert who.get(address).status_code == 200
    words, address = cited(who, "/reports?type=school&as_of=2026-03-10", settings)
    assert address == "/reports?type=school&as_of=2026-03-10T23:59:59Z"
    assert "as of 10 March 2026, 23:59" in words
    assert cited(who, "/reports?danger=1", settings)[1] == "/reports?danger=1"


def test_before_the_first_edition_there_is_nothing_to_cite(settings):
    assert "Cite this" not in client().get("/reports").content.decode()
    assert client().get("/data").status_code == 200
