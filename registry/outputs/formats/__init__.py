"""The formats that tables go out in: one module a format, which writes any sheet into any sink."""

from collections.abc import Callable
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from . import csv, geojson, ndjson


@dataclass(frozen=True)
class Format:
    """One format. ``name`` is the end of its files' names; ``write(sheet, sink, **options)`` returns the number of
    rows; ``options`` are what may be asked of it by 1. ``streams``: its first bytes come before its last row is
    read. ``packed``: it is compressed already."""

    name: str
    label: str | Promise
    media_type: str
    write: Callable[..., int]
    options: tuple[str, ...] = ()
    streams: bool = True
    packed: bool = False


#: Every format by the end of its files' names.
FORMATS: dict[str, Format] = {
    one.name: one
    for one in (
        Format("csv", gettext_lazy("CSV"), "text/csv; charset=utf-8", csv.write, ("excel", "hxl")),
        Format("ndjson", gettext_lazy("NDJSON"), "application/x-ndjson", ndjson.write),
        Format("geojson", gettext_lazy("GeoJSON"), "application/geo+json", geojson.write),
    )
}
#: What may be asked of one format or another.
OPTIONS = tuple(dict.fromkeys(option for one in FORMATS.values() for option in one.options))
