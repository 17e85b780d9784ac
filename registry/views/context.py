"""What every page is given; ``docs/frontend.md`` says what the frame does with it."""

from typing import Any
from uuid import uuid4

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext as _

from registry.models import Edition
from registry.rules import access
from registry.rules.access import Verb
from registry.upkeep.replica import replica

AREAS_IN_HEADER = 3


def page(request: HttpRequest) -> dict[str, Any]:
    """``nav`` is the first part of the address; a view that knows better says so in its own context."""
    # A request refused at the outer wall has no user yet.
    person = getattr(request, "user", AnonymousUser())
    return {
        "register_name": settings.REGISTER_NAME,
        "edition": SimpleLazyObject(Edition.objects.only("at").first),
        "person": person,
        "replica_fault": replica.fault if access.is_staff(person) else "",
        "may_log": access.may(person, Verb.LOG),
        "may_import": access.may(person, Verb.IMPORT),
        "areas_in_words": SimpleLazyObject(lambda: areas_in_words(person)),
        "nav": request.path.split("/")[1],
        # Called by the template: each form gets an id of its own.
        "command": uuid4,
    }


def areas_in_words(person: Any) -> str:
    """``Belgorod region, Kursk region and 2 more``; nothing for a visitor."""
    if not person.is_authenticated:
        return ""
    names = [str(area) for area in person.areas_held]
    words = ", ".join(names[:AREAS_IN_HEADER])
    more = len(names) - AREAS_IN_HEADER
    return _("%(areas)s and %(more)d more") % {"areas": words, "more": more} if more > 0 else words
