"""What is sent: JSON (or, with files, a form) read into the forms that pages bind, and their schemas, made of their
fields. What is left out is what the page's form begins with; ``null`` is empty."""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, cast
from uuid import UUID

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.http import QueryDict
from django.utils.datastructures import MultiValueDict
from django.utils.translation import gettext as _
from rest_framework.request import Request

from registry.forms.base import LocalMoment
from registry.forms.moves import FilesField

from .problems import Problem, invalid
from .shapes import Schema, said

JSON, FORM = "application/json", "multipart/form-data"
Fields = Mapping[str, forms.Field]


@dataclass(frozen=True)
class Sent:
    """A body as it came: its values (of a form: lists of them), files, the id of the command, and a digest that
    tells what is asked for, and where, from anything else."""

    values: Mapping[str, Any]
    files: MultiValueDict
    client_id: UUID | None
    digest: str


@dataclass(frozen=True)
class Body:
    """What was sent for a form: the values of its fields, files, and the version it began from."""

    given: Any
    files: MultiValueDict
    since: int | None

    def over(self, initial: Mapping[str, Any], fields: Fields) -> Any:
        """The data of a form: what was sent, over what the form begins with."""
        begun = {name: initial.get(name, field.initial) for name, field in fields.items()}
        missing = {
            name: value for name, value in begun.items() if value is not None and name not in self.given
        }
        if not isinstance(self.given, QueryDict):
            return {**missing, **self.given}
        data = MultiValueDict(dict(self.given.lists()))
        for name, value in missing.items():
            data.setlist(name, value if isinstance(value, list) else [value])
        return data


def sent(request: Request) -> Sent:
    """The body of a request, whatever it is for; read once."""
    if not hasattr(request, "sent"):
        request.sent = _read(request)
    return request.sent


def _read(request: Request) -> Sent:
    values = request.data
    if not isinstance(values, Mapping):
        raise Problem("invalid", _("The body is one JSON object."))
    if isinstance(values, QueryDict):
        values = request.POST
    typed = values.get("client_id")
    if typed is not None and not (isinstance(typed, str) and _UUID.fullmatch(typed)):
        raise invalid([("client_id", _("A UUID."))])
    client_id = UUID(typed) if typed is not None else None
    return Sent(values, request.FILES, client_id, _digest(request, values))


_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def read(request: Request, fields: Fields) -> Body:
    """The body of a request for a form with these fields; a Problem names each field that cannot be."""
    came = sent(request)
    unknown = [name for name in came.values if name not in fields and name not in _BESIDE]
    errors: list[tuple[str, Any]] = [(name, _("There is no such field here.")) for name in unknown]
    since, given = came.values.get("since"), cast("Any", {})
    if isinstance(came.values, QueryDict):
        given = QueryDict(mutable=True)
        for name in came.values.keys() & fields.keys():
            given.setlist(name, came.values.getlist(name))
        since = int(since) if since and since.isdecimal() else since or None
    else:
        for name in came.values.keys() & fields.keys():
            try:
                given[name] = _typed(fields[name], came.values[name])
            except ValueError as error:
                errors.append((name, str(error)))
    if since is not None and (type(since) is not int or not 1 <= since < 2**31):
        errors.append(("since", _("The number of a version.")))
    if errors:
        raise invalid(errors)
    return Body(given, came.files, since)


_BESIDE = ("client_id", "since")


def _typed(field: forms.Field, value: Any) -> Any:
    """A value of JSON as a form's widget would give it; ValueError says what it should have been."""
    if value is None:
        return [] if isinstance(field, forms.MultipleChoiceField) else ""
    match field:
        case FilesField():
            raise ValueError(_("Files are sent as multipart/form-data."))
        case forms.BooleanField():
            if type(value) is not bool:
                raise ValueError(_("true or false."))
        case forms.MultipleChoiceField():
            if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
                raise ValueError(_("A list of codes."))
        case _ if _is_whole(field):
            if type(value) is float and value.is_integer():
                value = int(value)
            if type(value) is not int:
                raise ValueError(_("A whole number."))
        case forms.DecimalField():
            if type(value) not in (int, float):
                raise ValueError(_("A number."))
            value = str(value)
        case _:
            if not isinstance(value, str):
                raise ValueError(_("A text."))
            if not value and not isinstance(field, forms.CharField):
                raise ValueError(_("null, where there is nothing."))
            if (most := getattr(field, "max_length", None)) and len(value) > most:
                raise ValueError(_("At most %(most)d characters.") % {"most": most})
            if isinstance(field, forms.DateField) and not _DAY.fullmatch(value):
                raise ValueError(_("A day such as 2026-03-14."))
    for one in value if isinstance(value, list) else [value]:
        if isinstance(one, str):
            _encoded(one)
    return value


_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def _encoded(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError(_("It holds half a character.")) from None


def _is_whole(field: forms.Field) -> bool:
    whole = isinstance(field, forms.IntegerField) and not isinstance(field, forms.DecimalField)
    numbered = isinstance(field, forms.TypedChoiceField) and field.coerce is int
    return whole or numbered or isinstance(field, forms.ModelChoiceField)


def _digest(request: Request, values: Mapping[str, Any]) -> str:
    files = [[name, *map(_digest_of_file, uploads)] for name, uploads in sorted(request.FILES.lists())]
    said = dict(values.lists()) if isinstance(values, QueryDict) else values
    told = [request.method, request.path, said, files]
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def _digest_of_file(upload: UploadedFile) -> str:
    digest = hashlib.sha256()
    for chunk in upload.chunks():
        digest.update(chunk)
    upload.seek(0)
    return digest.hexdigest()


def errors_of(form: forms.BaseForm) -> Problem:
    """422: what a form refuses."""
    return invalid(
        ("" if name == "__all__" else name, message)
        for name, messages in form.errors.items()
        for message in messages
    )


# -- schemas ---------------------------------------------------------------------------------------------


def of_form_field(field: forms.Field) -> Schema:
    schema = _type_of(field)
    if "type" in schema and not isinstance(field, FilesField):
        schema["type"] = [schema["type"], "null"]
        if "enum" in schema:
            schema["enum"] = [*schema["enum"], None]
    return schema | {"description": said(field.label or "", field.help_text)}


def _type_of(field: forms.Field) -> Schema:
    limits = {
        key: float(limit) if isinstance(field, forms.DecimalField) else limit
        for key, limit in (
            ("minimum", getattr(field, "min_value", None)),
            ("maximum", getattr(field, "max_value", None)),
        )
        if limit is not None
    }
    match field:
        case FilesField():
            return {"type": "array", "items": {"type": "string", "format": "binary"}}
        case forms.BooleanField():
            return {"type": "boolean"}
        case forms.MultipleChoiceField():
            return {"type": "array", "items": {"type": "string", "enum": _codes(field)}}
        case _ if _is_whole(field):
            return {"type": "integer"} | limits
        case forms.DecimalField():
            return {"type": "number"} | limits
        case forms.ChoiceField():
            codes = _codes(field)
            return {"type": "string"} | ({"enum": codes} if codes else {})
        case forms.DateField():
            return {"type": "string", "format": "date"}
        case LocalMoment():
            return {"type": "string", "examples": ["2026-03-14T21:40", "2026-03-14T21:40:00+02:00"]}
    longest = getattr(field, "max_length", None)
    return {"type": "string"} | ({"maxLength": longest} if longest else {})


def _codes(field: Any) -> list[str]:
    codes = []
    for code, words in field.choices:
        codes += [code for code, _words in words] if isinstance(words, list | tuple) else [code]
    return [str(code) for code in dict.fromkeys(codes) if code]


#: What a version does that is sent with a body.
SINCE = "The version you began from: what somebody has changed since is a conflict."


def of_fields(
    fields: Fields, *, optional: Iterable[str] = (), since: str = SINCE, needs_since: bool = False
) -> dict[str, Schema]:
    """Media type → schema of a body for a form of these fields, of which some are not asked for. ``since``: what the
    version does, "" where none is taken."""
    left_out = set(optional)
    properties = {name: of_form_field(field) for name, field in fields.items()}
    asked = {name for name, field in fields.items() if field.required and field.initial is None}
    required = [name for name in fields if name in asked - left_out]
    files = [name for name, field in fields.items() if isinstance(field, FilesField)]
    beside: dict[str, Schema] = {
        "client_id": {
            "type": ["string", "null"],
            "format": "uuid",
            "description": "An id you made: the same again, with the same content, is one act with one answer.",
        }
    }
    if since:
        beside["since"] = {
            "type": "integer" if needs_since else ["integer", "null"],
            "minimum": 1,
            "maximum": 2**31 - 1,
            "description": since,
        }
    whole = {
        "type": "object",
        "properties": properties | beside,
        "required": [*required, *(["since"] if needs_since else [])],
        "additionalProperties": False,
    }
    without = {**whole, "properties": {k: v for k, v in whole["properties"].items() if k not in files}}  # type: ignore[attr-defined]
    found = {} if set(files) & set(required) else {JSON: without}
    return found | ({FORM: whole} if files else {})
