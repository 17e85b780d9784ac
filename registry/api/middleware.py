"""What holds for every request of a program, before any view: who it comes from, and what it is told where the
register fails."""

import re
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.utils.translation import gettext as _

from registry.actions import people, tokens
from registry.models import Person

from . import problems
from .problems import Problem

ROOT = "/api/"
#: Where tokens are taken: the API, and what programs fetch: features, releases, and all that is named like a file.
_TAKEN = re.compile(r"/(api|ogc|releases)(/|$)|/.+\.\w+$")
#: What says by itself which methods it takes.
_SAYS_METHODS = re.compile(r"/api/|/ogc(/|$)")


class Programs:
    """Whoever shows a token is its person, for this one request and without a session; the API says its refusals
    as problems, whichever floor they come from."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        try:
            _let_in(request)
        except Problem as problem:
            return problems.sent(problem)
        except Exception as error:
            return problems.failed(error)
        response = self.get_response(request)
        return problems.reworded(response) if request.path.startswith(ROOT) else response

    def process_view(self, request: HttpRequest, *view: Any) -> HttpResponseBase | None:
        person: Any = request.user
        by_program = hasattr(request, "token") or request.path.startswith(ROOT)
        if by_program and isinstance(person, Person) and people.lacks_second_factor(person):
            words = _("Your role needs a second factor: set it up on the page of your account.")
            return problems.sent(Problem("second-factor", words))
        return None

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponseBase | None:
        return problems.failed(exception) if request.path.startswith(ROOT) else None


def _let_in(request: HttpRequest) -> None:
    """Give the request the person of its token, if it shows one. Where tokens are taken another scheme is refused, so
    that nobody takes what is public for what they asked for; elsewhere it is left to proxies."""
    scheme, _space, secret = request.headers.get("Authorization", "").partition(" ")
    if not scheme:
        return
    is_token = scheme.lower() == "bearer"
    taken = request.method in ("GET", "HEAD") or _SAYS_METHODS.match(request.path)
    if not (taken and _TAKEN.match(request.path)):
        if is_token:
            raise Problem("forbidden", _("Tokens open the API and the files, nothing else."))
        return
    if not is_token:
        words = _("A token is sent as “Authorization: Bearer …”; no other scheme is taken.")
        raise Problem("token", words, headers={"WWW-Authenticate": "Bearer"})
    try:
        token = tokens.find(secret.strip())
    except tokens.Unserving as why:
        refusal = {"WWW-Authenticate": 'Bearer error="invalid_token"'}
        raise Problem("token", why, headers=refusal) from None
    request.user, request.token = token.person, token  # type: ignore[attr-defined]
