"""Charts drawn on the server: geometry only, the colours are classes of the style sheet, and every chart has
its table. A drawing is 100 units wide, stretched by the page; what is not known is drawn apart from zero."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django import template
from django.utils import timezone
from django.utils.html import escape, format_html_join
from django.utils.safestring import SafeString, mark_safe

from registry.outputs.mapping import Sketch
from registry.rules.vocabularies import LIGHTEST_FIRST, DamageLevel

from .components import number

register = template.Library()


def scaled(n: float, largest: float, length: float = 100) -> float:
    """How long a bar for ``n`` is where the largest takes ``length``; 0 where there is nothing to compare."""
    return round(n / largest * length, 2) if largest else 0


@register.inclusion_tag("charts/_legend.html")
def legend() -> dict[str, Any]:
    """The damage scale in words, for charts and map."""
    return {"levels": [(code, DamageLevel(code).label) for code in LIGHTEST_FIRST]}


@register.simple_tag
def drawing(sketch: Sketch) -> SafeString:
    """What stands in the drawing of a small map: a path for each land, a circle for each dot."""
    # Paths and places are numbers of ours, and many.
    land = "".join(f'<path d="{path}"/>' for path in sketch.land)
    dots = "".join(
        f'<circle class="level-{escape(level)}" cx="{x}" cy="{y}" r="{radius}"/>'
        for x, y, radius, level in sketch.dots
    )
    return mark_safe(land + dots)


@register.inclusion_tag("charts/_bars.html")
def bars(caption: str, rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Stacked bars, one a row: ``label``, ``url`` (optional), ``parts`` as (damage level, number)."""
    largest = max((sum(n for _, n in row["parts"]) for row in rows), default=0)
    levels = [
        code
        for code in LIGHTEST_FIRST
        if any(n for row in rows for level, n in row["parts"] if level == code)
    ]
    drawn = []
    for row in rows:
        counts = dict(row["parts"])
        x, parts = 0.0, []
        for code in levels:
            width = scaled(counts.get(code, 0), largest)
            parts.append((code, round(x, 2), width))
            x += width
        bar = format_html_join(
            "",
            '<rect class="level-{}" x="{}" y="1" width="{}" height="22"/>',
            (part for part in parts if counts.get(part[0])),
        )
        cells = format_html_join(
            "", '<td class="number">{}</td>', ((number(counts.get(code, 0)),) for code in levels)
        )
        drawn.append({**row, "bar": bar, "cells": cells, "total": sum(counts.values())})
    return {"caption": caption, "rows": drawn, "levels": [(code, DamageLevel(code).label) for code in levels]}


@register.inclusion_tag("charts/_days.html")
def days(caption: str, rows: Sequence[tuple[date, float | None]]) -> dict[str, Any]:
    """A column a day; None is not known and has no column."""
    largest = max((n for _, n in rows if n is not None), default=0)
    drawn = [
        {"day": day, "n": n, "height": height, "y": round(100 - height, 2)}
        for day, n in rows
        for height in [scaled(n or 0, largest)]
    ]
    return {"caption": caption, "rows": drawn}


@register.inclusion_tag("charts/_stair.html")
def stair(
    caption: str,
    steps: Sequence[tuple[datetime, int | None]],
    unit: str = "",
    zone: str = "",
    until: datetime | None = None,
) -> dict[str, Any]:
    """Who was out, from step to step: (moment, number out from then on), None where it is not known.

    The last step lasts until ``until``, else for a tenth of the drawing and at least an hour.
    """
    if not steps:
        return {"caption": caption, "steps": ()}
    start, last = steps[0][0], steps[-1][0]
    end = until or last + max((last - start) / 9, timedelta(hours=1))
    span = (end - start).total_seconds()
    largest = max((n for _, n in steps if n is not None), default=0)
    ends = [at for at, _ in steps[1:]] + [end]
    treads = []
    for (at, n), to in zip(steps, ends, strict=True):
        x = scaled((at - start).total_seconds(), span)
        height = scaled(n or 0, largest)
        treads.append(
            {
                "at": timezone.localtime(at, ZoneInfo(zone) if zone else None),
                "n": n,
                "x": x,
                "width": round(scaled((to - start).total_seconds(), span) - x, 2),
                "y": round(100 - height, 2),
                "height": height,
            }
        )
    return {
        "caption": caption,
        "steps": treads,
        "end": timezone.localtime(end, ZoneInfo(zone) if zone else None),
        "largest": largest,
        "unit": unit,
        "zone": zone,
    }
