"""What the API answers with: values as JSON, and the JSON Schema of each, made of the fields they come from.

Missing or withheld is ``null``; moments are in UTC; codes are those of ``/api/v1/vocabularies``.
"""

from collections.abc import Iterable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import models
from django.utils.functional import Promise

from registry.columns import COLUMNS

Schema = dict[str, Any]


def plain(value: Any) -> Any:
    """A value as JSON has it."""
    match value:
        case "" | None:
            return None
        case datetime():
            moment = value.astimezone(UTC).replace(tzinfo=None)
            return f"{moment.isoformat(timespec='seconds')}Z"
        case date():
            return value.isoformat()
        case Decimal():
            return float(value)
        case UUID() | Promise():
            return str(value)
        case models.Model():
            return str(value)
        case list() | tuple():
            return [plain(one) for one in value]
    return value


def values(row: Any, names: Iterable[str]) -> dict[str, Any]:
    return {name: plain(getattr(row, name)) for name in names}


# -- schemas of fields -----------------------------------------------------------------------------------


def said(label: Any, help: Any = "") -> str:
    """A label as the beginning of a description, then its help."""
    words = str(label)
    end = "" if not words or words.endswith(("?", "!", ".", "…", "؟", "？", "。")) else "."
    return f"{words[:1].upper()}{words[1:]}{end} {help}".strip()


def of_field(field: models.Field) -> Schema:
    """The schema of a column, null where it is missing; its words are the field's own."""
    schema: Schema = {"type": ["string", "null"], "description": said(field.verbose_name, field.help_text)}
    if field.choices:
        return schema | {"enum": [*(code for code, _words in field.flatchoices if code), None]}
    for kind, more in (
        (models.DateTimeField, {"format": "date-time"}),
        (models.DateField, {"format": "date"}),
        (models.DecimalField, {"type": ["number", "null"]}),
        (models.BooleanField, {"type": ["boolean", "null"]}),
        (models.IntegerField, {"type": ["integer", "null"]}),
        (models.ForeignKey, {}),
    ):
        if isinstance(field, kind):
            return schema | more
    return schema


def an_object(
    properties: dict[str, Schema], *, optional: Iterable[str] = (), description: str = ""
) -> Schema:
    left_out = set(optional)
    schema = {
        "type": "object",
        "properties": properties,
        "required": [name for name in properties if name not in left_out],
        "additionalProperties": False,
    }
    return schema | ({"description": description} if description else {})


def of_model(
    model: type[models.Model], names: Iterable[str], more: dict[str, Schema] | None = None
) -> Schema:
    """The schema of an object that has these columns of a table, and ``more``."""
    fields: dict[str, Any] = {name: of_field(model._meta.get_field(name)) for name in names}
    return an_object(fields | (more or {}))


def ref(component: str) -> Schema:
    return {"$ref": f"#/components/schemas/{component}"}


def some(item: Schema, description: str = "") -> Schema:
    return {"type": "array", "items": item} | ({"description": description} if description else {})


def text(description: str = "", *, null: bool = False, **more: Any) -> Schema:
    return {"type": ["string", "null"] if null else "string", "description": description} | more


def number(description: str = "", *, null: bool = False) -> Schema:
    return {"type": ["integer", "null"] if null else "integer", "description": description}


def flag(description: str) -> Schema:
    return {"type": "boolean", "description": description}


def or_null(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


# -- the columns of each ---------------------------------------------------------------------------------

REPORT = tuple(column.name for column in COLUMNS)
#: What the office alone knows of a report.
OFFICE = (
    "version", "description", "contact", "danger", "priority", "due_on", "crew", "contractor", "plan_scope",
    "plan_cost", "plan_currency", "plan_funder", "customers_served", "withdrawn", "place_typed", "geocode_state",
    "geocode_matched",
)  # fmt: skip
#: What the resident who sent a report is told of it.
OWN = (
    "reference", "version", "kind", "sector", "object_type", "object_name", "place_typed", "address", "occurred_from",
    "occurred_to", "date_precision", "description",
)  # fmt: skip
_LINE = ("id", "recorded_at")
ASSESSMENT = (
    *_LINE, "scale", "scale_grade", "method", "assessed_on", "ems98_min", "ems98_max", "damage_level", "usability",
    "hazards", "part_seen", "elements", "act_number", "act_members", "independent_source", "chosen",
)  # fmt: skip
STEP = ("at", "direction", "customers", "everyone", "restriction", "diverted_to")
ESTIMATE = (*_LINE, "given_at", "restored_by")
SOURCE = (*_LINE, "type", "name", "ref", "url", "published_on", "scale", "scale_grade")
EVIDENCE = (*_LINE, "shown_sha256", "media_type", "size", "caption", "taken_on", "stage")
INCIDENT = ("reference", "title", "cause_group", "began_at", "ended_at")
STATEMENT = ("type", "text", "said_by", "said_at", "certainty", "figure", "figure_unit", "url")
AREA = ("code", "level", "country", "name", "name_local", "name_uk", "name_ru", "lat", "lon", "timezone")
EDITION = ("at", "month_end", "policy_version")
