"""Rows as features of GeoJSON: the outgoing columns as properties, the place as a point."""

from collections.abc import Callable
from datetime import UTC
from typing import Any

from django.db import models

from registry.columns import COLUMNS, Column

#: What a feature is read from.
NAMES = tuple(column.name for column in COLUMNS)


def _moment(value: Any) -> str:
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _plain(value: Any) -> Any:
    return value


#: How a value of each type of column is written.
_WRITTEN: dict[str, Callable[[Any], Any]] = {
    "moment": _moment,
    "date": lambda day: day.isoformat(),
    "decimal": float,
}


def _writer(column: Column) -> tuple[str, Callable[[Any], Any], bool]:
    is_text = isinstance(column.field, models.CharField)
    return column.name, _WRITTEN.get(column.type, _plain), is_text


_WRITERS = tuple(_writer(column) for column in COLUMNS)


def feature(row: Any) -> dict[str, Any]:
    """The row as a feature; what is missing or withheld is null."""
    properties = {
        name: None if (value := getattr(row, name)) is None or (is_text and not value) else write(value)
        for name, write, is_text in _WRITERS
    }
    lat, lon = properties["lat"], properties["lon"]
    return {
        "type": "Feature",
        "id": row.reference,
        "geometry": None if lat is None else {"type": "Point", "coordinates": [lon, lat]},
        "properties": properties,
    }
