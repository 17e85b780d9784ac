"""Writes a mapping as TOML; the standard library only reads it."""

import json
import re
from typing import Any

_BARE = re.compile(r"[A-Za-z0-9_-]+")


def written(told: dict[str, Any]) -> str:
    """A table of strings, lists and tables, as ``tomllib`` reads it back: plain values first, then each table
    under its heading."""
    plain = {key: value for key, value in told.items() if not _is_section(value)}
    lines = [f"{_key(key)} = {_value(value)}" for key, value in plain.items()]
    for key, value in told.items():
        if key not in plain:
            for one in value if isinstance(value, list) else [value]:
                heading = f"[{_key(key)}]" if value is one else f"[[{_key(key)}]]"
                lines += ["", heading, *_entries(one, _key(key))]
    return "\n".join(lines) + "\n"


def _is_section(value: Any) -> bool:
    return isinstance(value, dict) or (isinstance(value, list) and bool(value) and isinstance(value[0], dict))


def _entries(table: dict[str, Any], within: str) -> list[str]:
    """The lines of a table; tables of tables in it come last, under headings of their own."""
    apart = {
        key: value
        for key, value in table.items()
        if isinstance(value, dict)
        and any(isinstance(one, dict) for one in value.values())
        and "column" not in value
    }
    lines = [f"{_key(key)} = {_value(value)}" for key, value in table.items() if key not in apart]
    for key, value in apart.items():
        lines += [
            "",
            f"[{within}.{_key(key)}]",
            *(f"{_key(name)} = {_value(one)}" for name, one in value.items()),
        ]
    return lines


def _key(key: str) -> str:
    return key if _BARE.fullmatch(key) else _value(key)


def _value(value: Any) -> str:
    if isinstance(value, str):
        return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007F")
    if isinstance(value, list) and any(isinstance(one, dict) for one in value):
        return "[\n" + "".join(f"    {_value(one)},\n" for one in value) + "]"
    if isinstance(value, list):
        return "[" + ", ".join(map(_value, value)) + "]"
    if isinstance(value, dict):
        inside = ", ".join(f"{_key(key)} = {_value(one)}" for key, one in value.items())
        return "{ " + inside + " }" if inside else "{}"
    return str(value).lower() if isinstance(value, bool) else str(value)
