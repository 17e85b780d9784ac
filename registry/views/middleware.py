"""What holds for every answer and for everybody signed in."""

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.exceptions import MiddlewareNotUsed
from django.db import DatabaseError, InterfaceError, OperationalError, connections
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone, translation

from registry.actions import people
from registry.models import Person
from registry.upkeep.replica import note_write, reading, reading_primary, replica

Next = Callable[[HttpRequest], HttpResponse]

LAST_SEEN_EVERY = timedelta(minutes=1)
#: What is open before the second factor is set up: setting it up, and going away.
BEFORE_SECOND_FACTOR = {
    "about",
    "accessibility",
    "account_logout",
    "account_reauthenticate",
    "licences",
    "mfa_activate_totp",
    "set_language",
}


def private(get_response: Next) -> Next:
    """Nothing but static files is kept by anybody: what one person may see, the next may not."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        response["Cache-Control"] = "private, no-store"
        return response

    return middleware


class People:
    """The person's language, the second factor that staff, researchers and administrators need, and when
    they were last seen (to the minute)."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        person = request.user
        if isinstance(person, Person):
            if person.language in dict(settings.LANGUAGES):
                translation.activate(person.language)
                request.LANGUAGE_CODE = person.language
            _seen(person)
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *view: Any) -> HttpResponse | None:
        match, person = request.resolver_match, request.user
        if not isinstance(person, Person) or not match or match.url_name in BEFORE_SECOND_FACTOR:
            return None
        if people.lacks_second_factor(person):
            return redirect("mfa_activate_totp")
        return None


def _seen(person: Person) -> None:
    now = timezone.now()
    if person.last_seen_at is None or person.last_seen_at < now - LAST_SEEN_EVERY:
        old = Q(last_seen_at=None) | Q(last_seen_at__lt=now - LAST_SEEN_EVERY)
        # No page fails because nobody could note that it was asked for.
        with suppress(DatabaseError):
            Person.objects.filter(old, pk=person.pk).update(last_seen_at=now)


class Reads:
    """Where a page reads: from the replica if it is fit for this person, and from the primary while
    anything is sent. A page under which the replica goes away is made again from the primary."""

    def __init__(self, get_response: Next) -> None:
        if not settings.DATABASE_REPLICA_URL:
            raise MiddlewareNotUsed
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        replica.watch()
        if request.method in ("GET", "HEAD"):
            with reading(request.user):
                return self.get_response(request)
        with reading_primary():
            response = self.get_response(request)
        note_write(request.user)
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        from_replica = connections["reader"] is not connections["default"]
        if from_replica and isinstance(exception, OperationalError | InterfaceError):
            view, args, kwargs = request.resolver_match
            with reading_primary():
                return view(request, *args, **kwargs)
        return None
