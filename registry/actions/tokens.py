"""Tokens: what programs show in place of a person, shown once and kept as a digest.

A token is 256 random bits, which nobody guesses: SHA-256 without a salt hides it as well as a slow hash hides a
password, and finds it by an index.
"""

import hashlib
import secrets
from contextlib import suppress
from datetime import timedelta
from typing import Any

from django.db import DatabaseError, transaction
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from registry.models import Person, Token

from .journal import Refused, now
from .people import may_enter, write_down

#: What a token begins with, so that it is known where it was left lying about.
PREFIX = "damage_"
#: As many serve a person at once.
MOST = 20
_USED_EVERY = timedelta(minutes=1)


class Unserving(Exception):
    """A token that does not serve; the message says why."""


def serving(person: Person) -> Any:
    """The tokens of a person that serve now."""
    standing = person.tokens.filter(revoked_at=None, expires_at__gt=now())
    return standing.filter(bound_to=person.get_session_auth_hash())


def make(person: Person, *, name: str, scope: str, days: int) -> tuple[Token, str]:
    """A token, and its secret, which is told here once."""
    with transaction.atomic():
        if serving(person).count() >= MOST:
            raise Refused(
                _("You have %(most)d tokens already: revoke one first.") % {"most": MOST}, code="tokens"
            )
        secret = PREFIX + secrets.token_urlsafe(32)
        token = Token.objects.create(
            person=person,
            name=name,
            scope=scope,
            digest=_digest(secret),
            bound_to=person.get_session_auth_hash(),
            made_at=now(),
            expires_at=now() + timedelta(days=days),
        )
        write_down(person, {"token": [None, "made"]}, by=person)
    return token, secret


def revoke(person: Person, pk: int) -> bool:
    """End one of a person's tokens; whether there was one to end."""
    with transaction.atomic():
        ended = person.tokens.filter(pk=pk, revoked_at=None).update(revoked_at=now())
        if ended:
            write_down(person, {"token": [None, "revoked"]}, by=person)
    return bool(ended)


def find(secret: str) -> Token:
    """The token that a program shows, with its person; raises Unserving, which says why it serves no more."""
    token = Token.objects.filter(digest=_digest(secret)).select_related("person").first()
    if token is None:
        raise Unserving(_("This register does not know this token."))
    if token.revoked_at is not None:
        raise Unserving(_("This token was revoked on %s.") % date_format(token.revoked_at))
    if not may_enter(token.person):
        raise Unserving(_("The account of this token is disabled."))
    if token.expires_at <= now():
        raise Unserving(_("This token expired on %s.") % date_format(token.expires_at))
    if token.bound_to != token.person.get_session_auth_hash():
        raise Unserving(_("This token ended with a change of its account's password or access."))
    _note_use(token)
    return token


def _note_use(token: Token) -> None:
    if token.last_used_at is None or token.last_used_at < now() - _USED_EVERY:
        # No answer fails because nobody could note that it was asked for.
        with suppress(DatabaseError):
            Token.objects.filter(pk=token.pk).update(last_used_at=now())


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).hexdigest()
