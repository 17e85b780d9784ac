"""Tokens: made on one's own page and shown once, and what ends them."""

import re
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import OperationalError
from django.test import Client

from registry.actions import people, tokens
from registry.models import Person, PersonChange, Token
from registry.outputs.tables import TABLES
from registry.rules import access
from registry.rules.vocabularies import TokenScope
from registry.upkeep import filing
from tests import factories
from tests.factories import client

pytestmark = pytest.mark.django_db
PASSWORD = "a long pass phrase"
ASKED = {"name": "R on my laptop", "scope": "read", "days": 30}


@pytest.fixture(autouse=True)
def _one_factor(settings: Any) -> None:
    settings.SECOND_FACTOR_REQUIRED = False


@pytest.fixture
def official() -> Person:
    return factories.person("official", factories.ukraine()["UA-63"], password=PASSWORD)


def signed_in(person: Person) -> Client:
    browser = Client()
    assert browser.post("/sign-in", {"login": person.email, "password": PASSWORD}).status_code == 302
    return browser


def shown_by(page: Any) -> str:
    (secret,) = set(re.findall(r"damage_[\w-]{43}", page.content.decode())) or {""}
    return secret


def ask(secret: str, address: str = "/api/v1/me", **more: Any) -> Any:
    return Client().get(address, headers={"Authorization": f"Bearer {secret}"}, **more)


def test_a_token_is_shown_once_and_kept_as_a_digest(official: Person) -> None:
    browser, command = signed_in(official), uuid4()
    secret = shown_by(browser.post("/account/tokens", ASKED | {"command": command}))
    assert secret not in str(Token.objects.values())
    again = browser.post("/account/tokens", ASKED | {"command": command}, follow=True)
    assert (shown_by(again), Token.objects.count()) == ("", 1)
    page = browser.get("/account/tokens")
    assert (shown_by(page), "R on my laptop" in page.content.decode()) == ("", True)
    assert PersonChange.objects.get(person=official).changes == {"token": [None, "made"]}
    told = ask(secret).json()
    assert (told["email"], told["token"]["scope"]) == (official.email, "read")
    assert Token.objects.get().last_used_at is not None


def test_making_one_asks_for_the_password_where_it_was_given_long_ago(official: Person) -> None:
    answer = client(official).post("/account/tokens", ASKED | {"command": uuid4()})
    assert (answer.status_code, answer.url.partition("?")[0]) == (302, "/account/confirm")
    assert not Token.objects.exists()


def test_a_token_that_was_revoked_says_so(official: Person) -> None:
    token, secret = tokens.make(official, **ASKED)
    assert client(factories.person()).post(f"/account/tokens/{token.pk}/revoke").status_code == 404
    assert ask(secret).status_code == 200
    assert client(official).post(f"/account/tokens/{token.pk}/revoke").status_code == 302
    refused(ask(secret), "revoked on")


def refused(answer: Any, why: str, status: int = 401) -> None:
    body = answer.json()
    assert (answer.status_code, answer["Content-Type"]) == (status, "application/problem+json")
    assert why in body["detail"], body
    assert answer["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize("secret", ["", "nonsense", "damage_" + "x" * 43, "с ключом", "\x00"])
def test_what_is_no_token_is_refused_and_never_the_public(secret: str) -> None:
    factories.published()
    refused(ask(secret, "/api/v1/reports"), "does not know this token")


def test_tokens_end_with_sessions(official: Person) -> None:
    administrator = factories.person("supervisor", is_administrator=True)
    _token, secret = tokens.make(official, **ASKED)
    people.disable(official, by=administrator)
    refused(ask(secret), "disabled")
    people.enable(official, by=administrator)
    refused(ask(secret), "ended with a change")
    official.refresh_from_db()
    _token, secret = tokens.make(official, **ASKED)
    assert ask(secret).status_code == 200
    official.set_password("another long pass phrase")
    official.save()
    refused(ask(secret), "ended with a change")
    assert not tokens.serving(official).exists()


def test_a_token_that_is_too_old_says_so(official: Person) -> None:
    token, secret = tokens.make(official, **ASKED)
    Token.objects.update(expires_at=token.made_at - timedelta(days=1))
    refused(ask(secret), "expired on")


def test_a_token_gives_no_more_than_its_person_has_now(official: Person) -> None:
    own = factories.report()
    _token, secret = tokens.make(official, **ASKED)
    address = f"/api/v1/reports/{own.reference}"
    assert ask(secret, address).json()["holder"] == "office"
    official.areas.clear()
    assert ask(secret, address).status_code == 404


def test_tokens_open_files_too_and_no_pages(official: Person) -> None:
    own = factories.report()
    _token, secret = tokens.make(official, **ASKED)
    assert own.reference in b"".join(ask(secret, "/reports.csv")).decode()
    for address in ("/data/datapackage.json", "/ogc/collections", "/releases"):
        assert ask(secret, address).status_code == 200, address
    for address in ("/account", "/my-work", f"/r/{own.reference}"):
        assert (ask(secret, address).status_code, "Tokens open" in ask(secret, address).json()["detail"]) == (
            403,
            True,
        )
    wanted = filing.want(official, TABLES["reports"], "csv", "")
    filing.build()
    wanted.refresh_from_db()
    assert ask(secret, f"/files/{wanted.key}").status_code == 403
    assert own.reference in b"".join(ask(secret, f"/files/{wanted.key}/{wanted.name}")).decode()
    posted = Client().post("/reports.csv", headers={"Authorization": f"Bearer {secret}"})
    assert posted.status_code == 403


def test_a_token_needs_the_second_factor_that_its_person_needs(official: Person, settings: Any) -> None:
    settings.SECOND_FACTOR_REQUIRED = True
    _token, secret = tokens.make(official, **ASKED)
    for address in ("/api/v1/reports", "/reports.csv"):
        answer = ask(secret, address)
        assert (answer.status_code, answer.json()["type"].rpartition("#")[2]) == (403, "second-factor")


def test_nobody_has_more_tokens_than_they_can_keep_track_of(official: Person) -> None:
    for _number in range(tokens.MOST):
        tokens.make(official, **ASKED)
    page = signed_in(official).post("/account/tokens", ASKED | {"command": uuid4()})
    assert "revoke one first" in page.content.decode()


def test_scopes_hold_those_before() -> None:
    table = [[access.covers(has, needs) for needs in TokenScope] for has in TokenScope]
    assert table == [[True, False, False], [True, True, False], [True, True, True]]


def test_a_database_that_is_away_is_a_problem_before_the_door(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(_secret: str) -> None:
        raise OperationalError("gone")

    monkeypatch.setattr(tokens, "find", away)
    answer = ask("x")
    assert (answer.status_code, answer["Content-Type"]) == (503, "application/problem+json")


@pytest.mark.parametrize("address", ["/api/v1/reports", "/reports.csv", "/ogc/collections", "/releases"])
@pytest.mark.parametrize("sent", ["Token {}", "{}", "Basic eDp5", "Bearer{}", "Bearer:{}"])
def test_another_scheme_is_refused_and_never_the_public(official: Person, address: str, sent: str) -> None:
    _token, secret = tokens.make(official, **ASKED)
    answer = Client().get(address, headers={"Authorization": sent.format(secret)})
    refused(answer, "“Authorization: Bearer …”")


def test_a_proxys_own_password_opens_pages_and_no_more() -> None:
    proxied = Client(headers={"Authorization": "Basic eDp5"})
    assert [proxied.get(address).status_code for address in ("/", "/reports", "/sign-in")] == [200] * 3
    assert Client(headers={"Authorization": ""}).get("/api/v1/reports").status_code == 200
