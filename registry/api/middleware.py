"""What holds for every request to the API, before any of its doors."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from registry.actions import people
from registry.models import Person

from . import problems
from .problems import Problem

ROOT = "/api/"


class Doors:
    """Who came in, and what the API says where it failed."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *view: Any) -> HttpResponse | None:
        person: Any = request.user
        if (
            request.path.startswith(ROOT)
            and isinstance(person, Person)
            and people.lacks_second_factor(person)
        ):
            return problems.sent(
                Problem(
                    "second-factor",
                    _("Your role needs a second factor: set it up on the page of your account."),
                )
            )
        return None

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        return problems.failed(exception) if request.path.startswith(ROOT) else None
