"""What programs are told of our tables: a Data Package with its Table Schemas, and a HXL schema; made of the
column table, so that a column has one meaning everywhere.

Sources: Data Package 2.0 (https://datapackage.org/standard/data-package/, …/table-schema/, …/table-dialect/);
HXL 1.1 hashtags and libhxl's schemas (https://github.com/HXLStandard/hxl-proxy/wiki/HXL-schemas). libhxl's own
schema lets a latitude of 154.5 pass; ours does not.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _

from registry.columns import Column
from registry.models.identity import REFERENCE
from registry.rules.vocabularies import Element, Extent, Withheld

PROFILE = "https://datapackage.org/profiles/2.0/{}.json"
#: Types of the column table as Table Schema says them.
_TYPES = {
    "text": "string",
    "code": "string",
    "integer": "integer",
    "decimal": "number",
    "boolean": "boolean",
    "date": "date",
    "moment": "datetime",
}
#: How moments are written in the files, in UTC.
MOMENT_FORMAT = "%Y-%m-%d %H:%M:%S"


def _any_of(codes: Iterable[str]) -> str:
    return f"(?:{'|'.join(codes)})"


def _spaced(word: str) -> str:
    """Words of this pattern with single spaces between them."""
    return f"{word}(?: {word})*"


#: The patterns of texts that have a form: what stands between the ends of the whole value.
_PATTERNS = {
    **dict.fromkeys(("reference", "asset", "site", "incident"), REFERENCE),
    "related": _spaced(REFERENCE),
    "elements": _spaced(f"{_any_of(Element.values)}:{_any_of(Extent.values)}"),
    "withheld": _spaced(_any_of(Withheld.values)),
    "country": "[A-Z]{2}",
    "repair_currency": "[A-Z]{3}",
}
#: What no row of any audience is without.
_REQUIRED = frozenset({"reference", "kind", "status", "occurred_to", "valid_from_utc"})


def _bounds(column: Column) -> tuple[int | None, int | None]:
    """The least and the greatest number of a column; no count, cost or duration is below zero."""
    return column.bounds or ((0, None) if column.type in ("integer", "decimal") else (None, None))


def _codes(column: Column) -> list[tuple[str, str]]:
    return [(code, str(words)) for code, words in column.choices if code]


# -- Data Package ------------------------------------------------------------------------------------------


def table_schema(
    columns: Iterable[Column],
    *,
    key: Sequence[str] = (),
    refers: Mapping[str, tuple[str, str]] | None = None,
) -> dict[str, Any]:
    """The Table Schema of a table of ours. ``key``: the columns that tell its rows apart; ``refers``: column →
    (resource, column) whose values it takes."""
    schema: dict[str, Any] = {
        "$schema": PROFILE.format("tableschema"),
        "fields": [_field(column) for column in columns],
        "missingValues": [""],
    }
    if key:
        schema["primaryKey"] = list(key)
    if refers:
        schema["foreignKeys"] = [
            {"fields": [name], "reference": {"resource": resource, "fields": [there]}}
            for name, (resource, there) in refers.items()
        ]
    return schema


def _field(column: Column) -> dict[str, Any]:
    name, type, tag = column.name, column.type, column.hxl
    said: dict[str, Any] = {"name": name, "title": str(column.label)}
    if column.help:
        said["description"] = str(column.help)
    said["type"] = _TYPES[type]
    if type == "moment":
        said["format"] = MOMENT_FORMAT
    if type == "boolean":
        said |= {"trueValues": ["true"], "falseValues": ["false"]}
    least, most = _bounds(column)
    codes = _codes(column)
    limits: dict[str, Any] = {
        "required": name in _REQUIRED or None,
        "minimum": least,
        "maximum": most,
        # Reported beside the pattern, a length says nothing more.
        "maxLength": column.max_length if type == "text" and name not in _PATTERNS else None,
        "pattern": _PATTERNS.get(name) if type == "text" else None,
        "enum": [code for code, _words in codes] or None,
    }
    if limits := {constraint: value for constraint, value in limits.items() if value is not None}:
        said["constraints"] = limits
    if codes:
        said["categories"] = [{"value": code, "label": words} for code, words in codes]
    return said | ({"hxl": tag} if tag else {})


def resource(
    name: str, path: str, schema: Mapping[str, Any], *, hxl: bool = False, **more: Any
) -> dict[str, Any]:
    """A CSV file of ours as a resource: ``path`` is its address, or its name beside the description. ``hxl``:
    whether its second row holds HXL tags; ``more`` are further properties (``bytes``, ``hash`` …)."""
    dialect: dict[str, Any] = {
        "$schema": PROFILE.format("tabledialect"),
        "delimiter": ",",
        "lineTerminator": "\n",
    }
    if hxl:
        dialect["commentRows"] = [2]
    return {
        "$schema": PROFILE.format("dataresource"),
        "name": name,
        "type": "table",
        "path": path,
        "scheme": "https" if path.startswith("https:") else "http" if path.startswith("http:") else "file",
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "dialect": dialect,
        "schema": dict(schema),
        **more,
    }


def package(name: str, title: str, resources: Sequence[Mapping[str, Any]], **more: Any) -> dict[str, Any]:
    """A Data Package of these resources; ``more`` are further properties (``version``, ``description`` …)."""
    return {
        "$schema": PROFILE.format("datapackage"),
        "name": name,
        "title": title,
        **more,
        "resources": [dict(one) for one in resources],
    }


# -- HXL ---------------------------------------------------------------------------------------------------

#: The columns of the schema, as people and as libhxl read them.
_HXL_HEAD = {
    "Column": "#meta+column",
    "Tag": "#valid_tag",
    "Severity": "#valid_severity",
    "Required": "#valid_required",
    "Data type": "#valid_datatype",
    "Least": "#valid_value+min",
    "Greatest": "#valid_value+max",
    "Pattern": "#valid_value+regex",
    "Codes": "#valid_value+list",
    "Case counts": "#valid_value+case",
    "Unique": "#valid_unique",
    "What is wrong": "#description",
}
_HXL_TYPES = {"integer": "number", "decimal": "number", "date": "date", "moment": "date"}
_HXL_TESTS = frozenset({"Required", "Data type", "Pattern", "Codes", "Unique"})
#: libhxl takes much for a number or a date; our files write them in one way.
_HXL_PATTERNS = {
    "integer": "[0-9]+",
    "date": "[0-9]{4}-[0-9]{2}-[0-9]{2}",
    "moment": "[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}",
}


def hxl_schema(columns: Iterable[Column], *, key: Sequence[str] = ()) -> Iterator[tuple[str, ...]]:
    """The HXL schema of a table of ours with a row of tags: its rows, the first two its headings and tags.

    A ``key`` of one column is tested; libhxl reads moments as days, so that longer ones would seem to repeat.
    """
    yield tuple(_HXL_HEAD)
    yield tuple(_HXL_HEAD.values())
    for column in columns:
        rule = _rule(column) | ({"Unique": "true"} if [column.name] == list(key) else {})
        if rule.keys() & _HXL_TESTS:
            yield tuple(rule.get(head, "") for head in _HXL_HEAD)


def _rule(column: Column) -> dict[str, str]:
    """What libhxl is to test of a column."""
    name, type, tag = column.name, column.type, column.hxl
    least, most = _bounds(column)
    codes = [code for code, _words in _codes(column)] or (["true", "false"] if type == "boolean" else [])
    pattern = _PATTERNS.get(name) if type == "text" else _HXL_PATTERNS.get(type)
    said = {"column": name, "least": least, "most": most}
    rule = {
        "Column": name,
        # Of the tags of other columns, which begin alike, the rule is not.
        "Tag": f"{tag}!",
        "Severity": "error",
        "Required": "true" if name in _REQUIRED else "",
        "Data type": _HXL_TYPES.get(type, ""),
        "Least": "" if least is None else str(least),
        "Greatest": "" if most is None else str(most),
        "Pattern": f"^(?:{pattern})$" if pattern else "",
        "Codes": "|".join(codes),
        "Case counts": "true" if codes else "",
        "What is wrong": _wrong(type, least, most, coded=bool(codes)) % said,
    }
    return {head: value for head, value in rule.items() if value}


def _wrong(type: str, least: int | None, most: int | None, *, coded: bool) -> str:
    """What a rule asks for, as the message to whoever breaks it."""
    if coded:
        return _("%(column)s is one of the codes of the data dictionary")
    if most is not None:
        return _("%(column)s is a number from %(least)s to %(most)s")
    if least is not None:
        return _("%(column)s is a number from %(least)s up")
    if type == "date":
        return _("%(column)s is a day such as 2026-03-31")
    if type == "moment":
        return _("%(column)s is a moment in UTC such as 2026-03-31 10:00:00")
    return _("%(column)s is missing, stands twice, or is not of the form of the pattern")


# -- R and SQL ---------------------------------------------------------------------------------------------

_R_TYPES = {
    "text": "col_character()",
    "code": "col_character()",
    "integer": "col_integer()",
    "decimal": "col_double()",
    "boolean": "col_logical()",
    "date": 'col_date("%Y-%m-%d")',
    "moment": 'col_datetime("%Y-%m-%d %H:%M:%S")',
}
_SQL_TYPES = {
    "text": "text",
    "code": "text",
    "integer": "bigint",
    "boolean": "boolean",
    "date": "date",
    "moment": "timestamp",
}


def r_columns(tables: Mapping[str, Iterable[Column]]) -> str:
    """The columns of tables as R's readr takes them: ``read_csv(file, col_types = reports, na = "")``."""
    lines = []
    for name, columns in tables.items():
        cells = ",\n".join(f"  `{column.name}` = readr::{_R_TYPES[column.type]}" for column in columns)
        lines.append(f"{name} <- readr::cols(\n{cells}\n)\n")
    return "\n".join(lines)


def sql_schema(tables: Mapping[str, tuple[Iterable[Column], Sequence[str]]]) -> str:
    """Tables of these columns and keys in SQL, as DuckDB and PostgreSQL understand it."""
    lines = []
    for name, (columns, key) in tables.items():
        cells = [f'  "{column.name}" {_sql_type(column)}' for column in columns]
        if key:
            cells.append(f"  PRIMARY KEY ({', '.join(key)})")
        lines.append(f"CREATE TABLE {name} (\n" + ",\n".join(cells) + "\n);\n")
    return "\n".join(lines)


def _sql_type(column: Column) -> str:
    if column.type == "decimal":
        return f"decimal({column.field.max_digits}, {column.decimals})"  # type: ignore[attr-defined]
    return _SQL_TYPES[column.type]
