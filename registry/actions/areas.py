"""Loading the areas of the whole world, at set-up; a country's own come by ``area_tables``."""

from collections.abc import Callable, Iterable
from typing import Any

from django.db import transaction

from registry.forms.places import lineage
from registry.models import Area

_COLUMNS = (
    "level", "parent_id", "country", "geonames_id", "name", "name_local", "name_uk", "name_ru", "lat",
    "lon", "radius_m", "timezone",
)  # fmt: skip


def load(rows: Iterable[dict[str, Any]], *, progress: Callable[[int], None] = lambda done: None) -> int:
    """Insert or update areas by their code and return how many there are. Safe to repeat.

    ``rows``: dicts as ``geocoding.build.areas`` gives them, parents before their children.
    """
    ids: dict[str, int] = dict(Area.objects.values_list("code", "pk"))
    loaded = 0
    with transaction.atomic():
        for level in _by_level(rows):
            areas = [_area(row, ids) for row in level]
            for start in range(0, len(areas), 2000):
                Area.objects.bulk_create(
                    areas[start : start + 2000],
                    update_conflicts=True,
                    unique_fields=["code"],
                    update_fields=list(_COLUMNS),
                )
                loaded += len(areas[start : start + 2000])
                progress(loaded)
            ids = dict(Area.objects.values_list("code", "pk"))
    lineage.cache_clear()
    return loaded


def _by_level(rows: Iterable[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    levels: dict[int, list[dict[str, Any]]] = {}
    for row in rows:
        levels.setdefault(row["level"], []).append(row)
    return [levels[level] for level in sorted(levels)]


def _area(row: dict[str, Any], ids: dict[str, int]) -> Area:
    local = row.get("name_local") or ""
    return Area(
        code=row["code"],
        level=row["level"],
        parent_id=ids[row["parent"]] if row["parent"] else None,
        country=row["country"],
        geonames_id=row.get("geonames_id"),
        name=(row.get("name_en") or local)[:200],
        name_local=local[:200],
        name_uk=(row.get("name_uk") or "")[:200],
        name_ru=(row.get("name_ru") or "")[:200],
        lat=None if row.get("lat") is None else round(row["lat"], 6),
        lon=None if row.get("lon") is None else round(row["lon"], 6),
        radius_m=row.get("radius_m"),
        timezone=row.get("timezone") or "",
    )
