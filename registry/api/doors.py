"""What an address of the API is: which methods it has, what each takes and answers, and who may come in."""

import hashlib
import inspect
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import Http404, HttpRequest, HttpResponseBase
from django.urls import reverse
from django.utils.cache import get_conditional_response
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.authentication import SessionAuthentication
from rest_framework.exceptions import NotAuthenticated, ParseError
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.parsers import BaseParser, MultiPartParser
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from registry.filters import refuse_blanks
from registry.models import Person
from registry.rules import access
from registry.rules.vocabularies import TokenScope

from . import problems
from .problems import Problem
from .shapes import Schema, ref


@dataclass(frozen=True)
class Parameter:
    """A parameter of the query: its schema and what it means."""

    name: str
    schema: Schema = field(default_factory=lambda: {"type": "string"})
    meaning: str = ""
    several: bool = False

    def described(self) -> OpenApiParameter:
        return OpenApiParameter(
            self.name, self.schema, description=self.meaning, explode=True if self.several else None
        )


@dataclass(frozen=True)
class Operation:
    """What one method of an address is. ``known``: the parameters it has; None where it sees to them itself."""

    scope: str
    signed_in: bool
    known: frozenset[str] | None


Handler = Callable[..., Any]


def operation(
    summary: str,
    *,
    gives: str | Schema,
    takes: Mapping[str, Schema] | None = None,
    params: Callable[[], list[Parameter]] | list[Parameter] = [],  # noqa: B006
    scope: str = TokenScope.READ,
    status: int = 200,
    signed_in: bool = False,
    checks: bool = False,
    name: str = "",
    types: tuple[str, ...] = ("application/json",),
) -> Callable[[Handler], Handler]:
    """Decorator of a handler. ``gives``: a named schema or one's own; ``takes``: media type → schema of the body.
    ``types``: the media types of the answer. ``checks``: the handler refuses unknown parameters itself."""
    schema = ref(gives) if isinstance(gives, str) else gives
    parameters = params() if callable(params) else params
    by_token: Any = {"token": []}
    auth = [by_token] if signed_in or scope != TokenScope.READ else [{}, by_token]

    def decorate(handler: Handler) -> Handler:
        known = None if checks else frozenset(one.name for one in parameters)
        handler.operation = Operation(scope, signed_in or scope != TokenScope.READ, known)  # type: ignore[attr-defined]
        return extend_schema(
            operation_id=name or handler.__name__,
            summary=summary,
            description=inspect.getdoc(handler),
            parameters=[one.described() for one in parameters],
            request=dict(takes) if takes else None,
            responses={(status, *types): schema},
            auth=auth,
            tags=[handler.__module__.rpartition(".")[2]],
        )(handler)

    return decorate


class JSONParser(BaseParser):
    """JSON in UTF-8; what cannot be read, or says one name twice, is refused."""

    media_type = "application/json"

    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> Any:
        length = int(parser_context["request"].META.get("CONTENT_LENGTH") or 0)
        if length > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            raise RequestDataTooBig("The body is larger than what is taken.")
        try:
            return json.loads(stream.read().decode(), object_pairs_hook=_once, parse_constant=_no_constant)
        except (ValueError, RecursionError) as error:
            raise ParseError(_("This is no JSON: %(why)s") % {"why": error}) from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name stands twice in one object")
    return found


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


class Who(SessionAuthentication):
    """Who came in: the person of the token that the middleware has read, else of the session. A session's
    requests that change something need the token against forgery, as forms do."""

    def authenticate(self, request: Request) -> tuple[Any, Any] | None:
        token = getattr(request._request, "token", None)
        return (request._request.user, token) if token else super().authenticate(request)

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class Door(APIView):
    """One address of the API; see ``door``."""

    authentication_classes = [Who]
    permission_classes: list[Any] = []
    throttle_classes: list[Any] = []
    renderer_classes = [JSONRenderer]
    parser_classes = [JSONParser, MultiPartParser]
    metadata_class = None

    def get_exception_handler(self) -> Callable[..., Response | None]:
        return problems.answer

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        method = "get" if request.method == "HEAD" else str(request.method).lower()
        operation: Operation | None = getattr(getattr(self, method, None), "operation", None)
        if operation is None:
            return
        if operation.signed_in and not isinstance(request.user, Person):
            raise NotAuthenticated
        require_scope(request, operation.scope)
        if any("\x00" in value for value in kwargs.values() if isinstance(value, str)):
            raise Http404
        for name, values in request.GET.lists():
            if any("\x00" in value for value in (name, *values)):
                raise problems.parameter(name.replace("\x00", ""), _("Null characters are not allowed."))
        refuse_blanks(request.GET)
        unknown = set(request.GET) - (request.GET.keys() if operation.known is None else operation.known)
        for name in sorted(unknown):
            raise problems.parameter(name, _("There is no such parameter here."))

    def finalize_response(self, request: Any, response: Any, *args: Any, **kwargs: Any) -> HttpResponseBase:
        answer: Any = super().finalize_response(request, response, *args, **kwargs)
        if isinstance(answer, Response) and answer.status_code == 200 and request.method in ("GET", "HEAD"):
            answer.add_post_render_callback(lambda rendered: _tagged(request._request, rendered))
        return answer


def require_scope(request: Request, needs: str) -> None:
    """403 if the request came with a token that does not serve for this."""
    has = request.auth.scope if request.auth is not None else TokenScope.WORK
    if not access.covers(has, needs):
        raise Problem(
            "scope",
            _("This token has the scope “%(has)s”; this takes “%(needs)s”.") % {"has": has, "needs": needs},
            headers={"WWW-Authenticate": f'Bearer error="insufficient_scope", scope="{needs}"'},
        )


def tag(content: bytes) -> str:
    """The ETag of what is shown: a digest of its bytes."""
    return f'"{hashlib.sha256(content).hexdigest()[:32]}"'


def _tagged(request: HttpRequest, response: Any) -> Any:
    response["ETag"] = tag(response.content)
    return get_conditional_response(request, etag=response["ETag"], response=response)


class OneType(DefaultContentNegotiation):
    """A file has one type, whatever is asked for."""

    def select_renderer(self, request: Any, renderers: Any, format_suffix: Any = None) -> Any:
        return renderers[0], renderers[0].media_type


class FileDoor(Door):
    content_negotiation_class = OneType


def door(base: type[Door] = Door, **handlers: Handler) -> Callable[..., HttpResponseBase]:
    """The view of an address: for each of its methods (``get``, ``post`` …) the handler, which takes the request
    and what the address holds."""
    first = next(iter(handlers.values()))
    methods = {method: staticmethod(handler) for method, handler in handlers.items()}
    made: type[Door] = type(first.__name__, (base,), {**methods, "__module__": first.__module__})
    return made.as_view()


def person_of(request: Any) -> Any:
    """Whoever asks: a Person, or nobody signed in."""
    return request.user


def address(name: str, *args: Any) -> str:
    """The full address of something in this API."""
    return settings.BASE_URL + reverse(f"api-{name}", args=args)
