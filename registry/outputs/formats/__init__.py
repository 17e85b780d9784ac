"""The formats that tables go out in: one module a format, which writes any sheet into any sink."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from ..tables import Sheet
from . import csv
from .refusing import Unfit

__all__ = ["FORMATS", "OPTIONS", "Format", "Unfit"]


def _when_asked(module: str, name: str = "write") -> Callable[..., Any]:
    """A function of a format whose libraries no process loads before somebody asks for it."""

    def call(*given: Any, **named: Any) -> Any:
        return getattr(import_module(f"{__name__}.{module}"), name)(*given, **named)

    return call


def _fits(sheet: Sheet) -> None:
    """Any rows do."""


@dataclass(frozen=True)
class Format:
    """One format. ``name`` is the end of its files' names; ``write(sheet, sink, **options)`` returns the number of
    rows; ``options`` are what may be asked of it by 1. ``streams``: its first bytes come before its last row is
    read. ``packed``: it is compressed already. ``check`` raises Unfit, before anything is written, for rows that do
    not fit."""

    name: str
    label: str | Promise
    media_type: str
    write: Callable[..., int]
    options: tuple[str, ...] = ()
    streams: bool = True
    packed: bool = False
    check: Callable[[Sheet], None] = _fits


#: Every format by the end of its files' names.
FORMATS: dict[str, Format] = {
    one.name: one
    for one in (
        Format("csv", gettext_lazy("CSV"), "text/csv; charset=utf-8", csv.write, ("excel", "hxl")),
        Format("ndjson", gettext_lazy("NDJSON"), "application/x-ndjson", _when_asked("ndjson")),
        Format(
            "parquet",
            gettext_lazy("GeoParquet"),
            "application/vnd.apache.parquet",
            _when_asked("geoparquet"),
            packed=True,
        ),
        Format(
            "gpkg",
            gettext_lazy("GeoPackage"),
            "application/geopackage+sqlite3",
            _when_asked("geopackage"),
            streams=False,
        ),
        Format(
            "xlsx",
            gettext_lazy("Excel (XLSX)"),
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            _when_asked("xlsx"),
            streams=False,
            packed=True,
            check=_when_asked("xlsx", "check"),
        ),
        Format("geojson", gettext_lazy("GeoJSON"), "application/geo+json", _when_asked("geojson")),
    )
}
#: What may be asked of one format or another.
OPTIONS = tuple(dict.fromkeys(option for one in FORMATS.values() for option in one.options))
