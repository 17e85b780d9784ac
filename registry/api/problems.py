"""What the API says no with: RFC 9457 problems, as ``application/problem+json``."""

import logging
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.conf import settings
from django.core.exceptions import (
    ObjectDoesNotExist,
    PermissionDenied,
    RequestDataTooBig,
    SuspiciousOperation,
    TooManyFilesSent,
)
from django.db import InterfaceError, OperationalError
from django.http import Http404, JsonResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework import exceptions as rest
from rest_framework.response import Response

from registry.actions.journal import Conflict, Refused
from registry.actions.reports import PLACE_COLUMNS
from registry.filters import BadFilter

from .shapes import plain

MEDIA_TYPE = "application/problem+json"
log = logging.getLogger(__name__)

#: Every kind of problem: the last part of its ``type``, its status and its title.
KINDS: dict[str, tuple[int, Any]] = {
    "unreadable": (400, gettext_lazy("What was sent cannot be read.")),
    "parameter": (400, gettext_lazy("A parameter is unknown or not understood.")),
    "signed-out": (401, gettext_lazy("This takes a token.")),
    "token": (401, gettext_lazy("This token does not serve.")),
    "forbidden": (403, gettext_lazy("You may not do this.")),
    "scope": (403, gettext_lazy("This token is of too little scope.")),
    "second-factor": (403, gettext_lazy("A second factor must be set up first.")),
    "not-found": (404, gettext_lazy("There is nothing here, or you may not see it.")),
    "method": (405, gettext_lazy("This address does not do that.")),
    "not-acceptable": (406, gettext_lazy("This address answers in JSON alone.")),
    "conflict": (409, gettext_lazy("Somebody else has changed the same field.")),
    "id-used": (409, gettext_lazy("This client_id was used for something else.")),
    "closed": (409, gettext_lazy("This is not open here and now.")),
    "changed": (412, gettext_lazy("It has changed since you read it.")),
    "too-large": (413, gettext_lazy("What was sent is too large.")),
    "media-type": (415, gettext_lazy("This media type is not taken.")),
    "invalid": (422, gettext_lazy("What was sent is not valid.")),
    "failed": (500, gettext_lazy("The register failed.")),
    "unavailable": (503, gettext_lazy("The register is busy, or its database is away.")),
}


class Problem(Exception):
    """A problem of one of ``KINDS``. ``errors``: each with ``message`` and ``parameter`` or ``pointer``."""

    def __init__(
        self,
        kind: str,
        detail: Any = "",
        *,
        errors: Sequence[Mapping[str, Any]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(f"{kind}: {detail}")
        self.kind, self.detail, self.errors, self.headers = kind, detail, errors, dict(headers or {})

    @property
    def status(self) -> int:
        return KINDS[self.kind][0]

    @property
    def body(self) -> dict[str, Any]:
        status, title = KINDS[self.kind]
        body = {
            "type": f"{settings.BASE_URL}/api/v1/problems#{self.kind}",
            "title": str(title),
            "status": status,
            "detail": str(self.detail or title),
        }
        return body | ({"errors": [dict(error) for error in self.errors]} if self.errors else {})


def parameter(name: str, message: Any) -> Problem:
    """400: a parameter of the query that is unknown or not understood."""
    return Problem("parameter", f"{name}: {message}", errors=[{"parameter": name, "message": str(message)}])


def invalid(errors: Iterable[tuple[str, Any]]) -> Problem:
    """422: fields and what is wrong with each; "" for what concerns none alone."""
    found = [(name, str(message)) for name, message in errors]
    return Problem(
        "invalid",
        "; ".join(f"{name}: {message}" if name else message for name, message in found),
        errors=[{"pointer": pointed(name) if name else "", "message": message} for name, message in found],
    )


def pointed(name: str) -> str:
    """The JSON pointer of a field of a body."""
    return "/" + name.replace("~", "~0").replace("/", "~1")


def answer(exception: Exception, context: Any = None) -> Response | None:
    """What DRF answers an exception with; None for what is nobody's fault outside: it goes on up."""
    problem = _problem(exception)
    if problem is None:
        return None
    return Response(problem.body, problem.status, headers=problem.headers, content_type=MEDIA_TYPE)


def sent(problem: Problem) -> JsonResponse:
    """The same, outside of DRF."""
    return JsonResponse(problem.body, status=problem.status, headers=problem.headers, content_type=MEDIA_TYPE)


def failed(exception: Exception) -> JsonResponse:
    """What the register answers where it failed: 503 if its database is away, else 500, with a line in the log."""
    if isinstance(exception, OperationalError | InterfaceError):
        return sent(Problem("unavailable", headers={"Retry-After": "60"}))
    log.error("The API failed", exc_info=sys.exc_info())
    return sent(Problem("failed", _("The fault is the register's, and it is written down.")))


_BY_STATUS = {400: "unreadable", 403: "forbidden", 404: "not-found", 413: "too-large", 503: "unavailable"}


def reworded(response: Any) -> Any:
    """A refusal that came as a page, from a floor that knows none but pages, as a problem."""
    if response.status_code < 400 or "html" not in response.headers.get("Content-Type", ""):
        return response
    kept = {name: response[name] for name in ("Retry-After", "Allow") if name in response}
    return sent(Problem(_BY_STATUS.get(response.status_code, "failed"), headers=kept))


def _problem(exception: Exception) -> Problem | None:
    match exception:
        case Problem():
            return exception
        case BadFilter():
            return parameter(exception.param, exception.message)
        case Conflict():
            return _conflict(exception)
        case Refused():
            return _refused(exception)
        case RequestDataTooBig() | TooManyFilesSent():
            return Problem("too-large", exception)
        case rest.NotFound() | Http404() | ObjectDoesNotExist():
            return Problem("not-found")
        case rest.NotAuthenticated() | rest.AuthenticationFailed():
            return Problem("signed-out", headers={"WWW-Authenticate": "Bearer"})
        case rest.PermissionDenied() | PermissionDenied():
            return Problem("forbidden", exception)
        case rest.MethodNotAllowed():
            return Problem("method")
        case rest.NotAcceptable():
            return Problem("not-acceptable")
        case rest.UnsupportedMediaType():
            return Problem("media-type", exception)
        case rest.ParseError() | SuspiciousOperation():
            return Problem("unreadable", exception)
    return None


#: The fields of bodies that make columns of another name.
_INPUTS = {
    **{"started_utc": "started_at", "scale_grade": "grade"},
    **{f"plan_{name}": name for name in ("scope", "cost", "currency", "funder")},
    **dict.fromkeys(PLACE_COLUMNS, "place"),
    **{"lat": "lat", "lon": "lon"},
}


def _conflict(conflict: Conflict) -> Problem:
    errors = [
        {
            "pointer": pointed(_INPUTS.get(name, name)),
            "column": name,
            "message": str(conflict.message),
            "now": plain(now),
            **({} if asked is None else {"asked": plain(asked)}),
        }
        for name, (now, asked) in conflict.fields.items()
    ]
    return Problem("conflict", conflict.message, errors=errors)


#: What an action refuses because of who asks.
_NOT_YOURS = {"role", "area", "self", "disabled"}


def _refused(refused: Refused) -> Problem:
    # Which of the files it was, an action does not know.
    named = invalid([(refused.field if refused.field != "file" else "", refused.message)])
    if refused.code in ("client_id", "command"):
        kind = "id-used"
    elif refused.code in _NOT_YOURS or refused.code.startswith("apart_"):
        kind = "forbidden"
    elif refused.field:
        return named
    else:
        kind = "closed"
    return Problem(kind, refused.message, errors=named.errors if refused.field else ())
