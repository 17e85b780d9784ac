"""Answers that say no, each in the frame of the register and in the reader's language."""

import sys
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig, TooManyFilesSent
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from registry.actions.journal import Refused
from registry.filters import BadFilter

Words = str | Promise


def bad_request(
    request: HttpRequest, exception: Exception | None = None, *, parameter: str = "", why: Words = ""
) -> HttpResponse:
    """400: names the parameter that was not understood and offers the address without it."""
    if isinstance(exception, RequestDataTooBig | TooManyFilesSent):
        return too_large(request)
    if isinstance(exception, BadFilter):
        parameter, why = exception.param, exception.message
    context = {"parameter": parameter, "why": why}
    if parameter in request.GET:
        left = request.GET.copy()
        del left[parameter]
        query = left.urlencode()
        context["without_url"] = f"{request.path}?{query}" if query else request.path
    return render(request, "400.html", context, status=400)


def forbidden(request: HttpRequest, exception: Exception | None = None, *, needs: Words = "") -> HttpResponse:
    """403: says which role or area would be needed."""
    return render(request, "403.html", {"needs": needs or str(exception or "")}, status=403)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    return render(request, "403_csrf.html", status=403)


def not_found(request: HttpRequest, exception: Exception | None = None, *, why: Words = "") -> HttpResponse:
    """404: the same whether there is nothing or it is hidden from this reader; ``why`` names what there is."""
    return render(request, "404.html", {"why": why}, status=404)


def too_large(request: HttpRequest, why: Words = "", *, accepted: Words = "") -> HttpResponse:
    """413: says what is taken."""
    is_table = request.path == reverse("new-import")
    limit = settings.MAX_IMPORT_BYTES if is_table else settings.MAX_UPLOAD_BYTES
    context = {"why": why, "accepted": accepted, "limit": limit}
    return render(request, "413.html", context, status=413)


def failed(request: HttpRequest) -> HttpResponse:
    """500, or 503 where the database is away. Neither asks the database for anything."""
    error = sys.exc_info()[1]
    if isinstance(error, OperationalError | InterfaceError):
        return unavailable(
            _("Its database does not answer. What you typed is still here: go back and send it once more.")
        )
    return HttpResponse(render_to_string("500.html", _frame()), status=500)


def unavailable(why: Words = "", *, retry_after: int = 60) -> HttpResponse:
    """503: busy, or the database is away; come back in ``retry_after`` seconds."""
    page = render_to_string("503.html", _frame() | {"why": why})
    return HttpResponse(page, status=503, headers={"Retry-After": str(retry_after)})


def _frame() -> dict[str, Any]:
    return {"register_name": settings.REGISTER_NAME}


class Refusals:
    """What a lower floor raises and a view does not catch, as a page: a filter nobody understands is a 400,
    an action that says no a 403."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        match exception:
            case BadFilter():
                return bad_request(request, exception)
            case Refused():
                return forbidden(request, needs=str(exception))
        return None
