"""Who may open an address, and the id that makes a form's act one act.

A visitor is sent to sign in and comes back; somebody who may not is told which role would be needed.
"""

from collections.abc import Callable
from functools import wraps
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.http import HttpRequest, HttpResponseBase
from django.utils.functional import Promise, lazy
from django.utils.text import get_text_list
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from registry.filters import BadFilter
from registry.models import Person
from registry.rules import access
from registry.rules.access import Verb
from registry.rules.vocabularies import Role

View = Callable[..., HttpResponseBase]


def only(test: Callable[[Any], bool], needs: str | Promise) -> Callable[[View], View]:
    """Decorator: people who pass ``test`` may open the view; others read what it ``needs``."""

    def decorator(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not request.user.is_authenticated:
                return redirect_to_login(_way_back(request))
            if not test(request.user):
                raise PermissionDenied(needs)
            return view(request, *args, **kwargs)

        return guarded

    return decorator


def _way_back(request: HttpRequest) -> str:
    """This address; for a form that was sent, the page it stood on (its draft is still in the browser)."""
    page = urlsplit(request.headers.get("Referer", ""))
    if request.method == "POST" and page.netloc == request.get_host():
        return page._replace(scheme="", netloc="").geturl()
    return request.get_full_path()


def takes(*names: str) -> Callable[[View], View]:
    """Decorator: the address takes these parameters; another is refused by name, so that it never seems to hold."""

    def decorator(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            for name in request.GET:
                if name not in names:
                    raise BadFilter(name, _("There is no such parameter."))
            return view(request, *args, **kwargs)

        return guarded

    return decorator


signed_in = only(lambda person: True, "")
staff_only = only(
    access.is_staff, gettext_lazy("This is for officials, inspectors, utility operators and supervisors.")
)
administrator_only = only(
    lambda person: person.is_administrator, gettext_lazy("This is for administrators of this register.")
)


def may(verb: Verb) -> Callable[[View], View]:
    """Decorator: people whose role does this somewhere; the action still checks role and area on the row."""
    return only(lambda person: access.may(person, verb), _roles_that_may(verb))


def roles_that_may(verb: Verb) -> str:
    """``This is for these roles: Official, Inspector or Supervisor.``"""
    roles = [str(role.label) for role in Role if access.may(SimpleNamespace(role=role), verb)]
    return _("This is for these roles: %(roles)s.") % {"roles": get_text_list(roles, _("or"))}


_roles_that_may = lazy(roles_that_may, str)


def person_of(request: HttpRequest) -> Person:
    """Who is signed in; the view is guarded."""
    assert isinstance(request.user, Person)
    return request.user


def command_id(request: HttpRequest) -> UUID:
    """The id in the hidden field that ``_command.html`` puts into every form, for ``journal.once``.

    A form without one is no form of ours: 400.
    """
    try:
        return UUID(request.POST.get("command", ""))
    except ValueError:
        raise SuspiciousOperation("A form was sent without the id of its command.") from None
