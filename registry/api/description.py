"""The OpenAPI description, made by drf-spectacular of the doors and of what they are made of."""

from functools import lru_cache
from typing import Any

from django.utils.translation import get_language
from drf_spectacular.generators import SchemaGenerator
from rest_framework.request import Request
from rest_framework.response import Response

from . import problems, writing
from .components import components
from .doors import operation
from .shapes import ref

VERSION = "1.0.0"
_ABOUT = """
What the pages of the register show and do, as JSON. Without a token you read what is published; with one, what
your role and areas let you read and do. A token is made on the page of your own account and sent as
`Authorization: Bearer …`. Missing or withheld is `null`, moments are in UTC, codes stand in `/api/v1/vocabularies`.
Every refusal is a problem of RFC 9457.
""".strip()
#: What stands in addresses.
_IN_PATH = {
    "reference": "A reference, such as 4F7K-92MX.",
    "code": "The code of an area, such as UA-63.",
    "sha256": "The digest of the cleaned copy, as `shown_sha256` has it.",
}


@operation("This description", gives={"type": "object"})
def get_openapi(request: Request) -> Response:
    """The OpenAPI 3.1 description of this API."""
    return Response(described(get_language() or ""))


@lru_cache(maxsize=10)
def described(language: str) -> dict[str, Any]:
    """The description in the language that is active."""
    return SchemaGenerator().get_schema(public=True)


def _spell_out(paths: dict[str, Any]) -> None:
    """In place of the one address of moves, and of deeds, one for each by name, with what it takes."""
    for kind, each in writing.described().items():
        pattern = f"/api/v1/reports/{{reference}}/{kind}/{{name}}"
        ((method, whole),) = paths.pop(pattern).items()
        parameters = [one for one in whole["parameters"] if one["name"] != "name"]
        for name, one in each.items():
            content = {media_type: {"schema": schema} for media_type, schema in one["takes"].items()}
            paths[pattern.replace("{name}", name)] = {
                method: {
                    **whole,
                    "operationId": f"{kind[:-1]}_{name.replace('-', '_')}",
                    "summary": one["summary"],
                    "description": one["description"],
                    "parameters": [dict(parameter) for parameter in parameters],
                    "requestBody": {"content": content, "required": True},
                    "responses": dict(whole["responses"]),
                }
            }


def complete(result: dict[str, Any], **_of: Any) -> dict[str, Any]:
    """drf-spectacular's hook: adds the named schemas, how one signs in, and what every address may refuse."""
    result["info"] |= {"title": "Damage register", "version": VERSION, "description": _ABOUT}
    result["components"] = {
        "schemas": components(),
        "securitySchemes": {
            "token": {"type": "http", "scheme": "bearer", "description": "A token of your account."}
        },
    }
    _spell_out(result["paths"])
    refusal = {"description": "A problem", "content": {problems.MEDIA_TYPE: {"schema": ref("Problem")}}}
    for methods in result["paths"].values():
        for one in methods.values():
            one["responses"]["default"] = refusal
            for answer in one["responses"].values():
                answer["description"] = answer.get("description") or "What was asked for"
            for parameter in one.get("parameters", []):
                if parameter["in"] == "path":
                    parameter["description"] = _IN_PATH.get(parameter["name"], "")
    return result
