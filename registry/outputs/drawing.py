"""Charts as SVG files of their own, to be looked at, printed and put into a paper: words and figures in them,
on white. Beside each stands its table."""

from collections.abc import Sequence
from typing import Any
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from django.utils import formats

from registry.rules.vocabularies import DamageLevel

from .durations import Curve

#: Narrow enough to be read on a phone.
WIDTH = 440
_PAD = 12
_INK, _HAIR, BAR = "#14191c", "#c7cecc", "#0a4d55"
_FONT = "system-ui, 'Segoe UI', 'Noto Sans', sans-serif"
_EDGE = "#4a3a2a"

#: How a part of a bar looks: attributes of its rectangle.
Look = dict[str, str]
#: A part of a bar: how long it is, how it looks, and what it is.
Part = tuple[float, Look, str]

PLAIN: Look = {"fill": BAR}
#: The damage scale on paper, as in the style sheet; levels of one colour differ by their edges.
LEVELS: dict[str, Look] = {
    DamageLevel.NONE: {"fill": "#fff", "stroke": _EDGE},
    DamageLevel.MINOR: {"fill": "#f8e6bd", "stroke": _EDGE},
    DamageLevel.DAMAGED: {"fill": "#f8e6bd", "stroke": _EDGE, "stroke-width": "2", "stroke-dasharray": "1 3"},
    DamageLevel.MODERATE: {"fill": "#f8c077", "stroke": _EDGE},
    DamageLevel.SEVERE: {"fill": "#ed7f35", "stroke": _EDGE},
    DamageLevel.DESTROYED: {"fill": "#7a0a14", "stroke": _EDGE},
    DamageLevel.UNKNOWN: {"fill": "#fff", "stroke": _EDGE, "stroke-dasharray": "4 3"},
}


def bars(
    title: str, rows: Sequence[tuple[str, Sequence[Part]]], legend: Sequence[tuple[Look, str]] = ()
) -> str:
    """A bar below the label of each row, the longest across the drawing. ``legend``: looks and their words."""
    line, number = 44, 60
    largest = max((sum(part[0] for part in parts) for _label, parts in rows), default=0) or 1
    swatches, head = _swatches(legend)
    svg, body = _drawing(title, head + line * len(rows) + _PAD)
    for left, top, look, words in swatches:
        _rect(body, left, top, 14, 14, look)
        _text(body, left + 20, top + 12, words, size=12)
    for row, (words, parts) in enumerate(rows):
        y = head + row * line
        _text(body, _PAD, y + 16, words)
        x: float = _PAD
        for n, look, meaning in parts:
            width = n / largest * (WIDTH - number - _PAD)
            if n:
                bar = _rect(body, x, y + 22, width, 16, look)
                SubElement(bar, "title").text = f"{words}, {meaning}: {_number(n)}"
            x += width
        _text(body, x + 6, y + 35, _number(sum(part[0] for part in parts)))
    return _written(svg)


def _swatches(legend: Sequence[tuple[Look, str]]) -> tuple[list[tuple[float, float, Look, str]], float]:
    """Where the parts of the legend stand, line by line, and where what is below it begins."""
    found, x, y = [], float(_PAD), 36.0
    for look, words in legend:
        width = 36 + 7 * len(words)
        if x + width > WIDTH and x > _PAD:
            x, y = float(_PAD), y + 22
        found.append((x, y, look, words))
        x += width
    return found, y + 26 if legend else 36


def columns(title: str, rows: Sequence[tuple[str, float]]) -> str:
    """A column for each label in order, such as months; labels are left out where they would collide."""
    height, foot, left = 200, 34, 64
    largest = max((n for _label, n in rows), default=0) or 1
    svg, body = _drawing(title, 34 + height + foot)
    step = (WIDTH - left - _PAD) / max(len(rows), 1)
    for share in (0, 0.5, 1):
        y = 34 + height - share * (height - 10)
        _line(body, left, y, WIDTH - _PAD, y)
        _text(body, left - 6, y + 4, _number(round(largest * share)), anchor="end", size=12)
    every = max(1, -(-60 // int(step)) if step >= 1 else len(rows))
    for place, (label, n) in enumerate(rows):
        tall = n / largest * (height - 10)
        x = left + place * step
        column = _rect(body, x + step * 0.1, 34 + height - tall, step * 0.8, tall, PLAIN)
        SubElement(column, "title").text = f"{label}: {_number(n)}"
        if place % every == 0:
            _text(body, x + step / 2, 34 + height + 20, label, anchor="middle", size=12)
    return _written(svg)


def steps(title: str, curve: Curve, across: str) -> str:
    """The share that still waits, with its confidence band; ``across`` names what the days are counted from."""
    height, foot, left = 260, 52, 64
    svg, body = _drawing(title, 34 + height + foot)
    last = max((point.day for point in curve.points), default=0) or 1
    room = WIDTH - left - _PAD

    def at(day: float, share: float) -> str:
        return f"{left + day / last * room:.2f},{44 + (1 - share) * (height - 10):.2f}"

    for share in (0, 0.25, 0.5, 0.75, 1):
        y = 44 + (1 - share) * (height - 10)
        _line(body, left, y, WIDTH - _PAD, y)
        _text(body, left - 6, y + 4, f"{round(share * 100)} %", anchor="end", size=12)
    for day in _ticks(last):
        _text(body, left + day / last * room, 34 + height + 20, _number(day), anchor="middle", size=12)
    _text(body, left + room / 2, 34 + height + 42, across, anchor="middle", size=13)
    banded = [point for point in curve.points if point.lower is not None and point.upper is not None]
    if banded:
        low = _stairs([(point.day, point.lower) for point in banded], last)
        high = _stairs([(point.day, point.upper) for point in banded], last)
        outline = " ".join(at(*point) for point in [*low, *reversed(high)])
        SubElement(body, "polygon", points=outline, fill=BAR, attrib={"fill-opacity": "0.18"})
    line = _stairs([(0, 1.0), *((point.day, point.share) for point in curve.points)], last)
    path = " ".join(at(*point) for point in line)
    SubElement(body, "polyline", points=path, fill="none", stroke=BAR, attrib={"stroke-width": "2.5"})
    return _written(svg)


def _stairs(points: Sequence[tuple[float, Any]], last: float) -> list[tuple[float, float]]:
    """Each share until the day of the next, where it drops at once."""
    ends = [day for day, _share in points[1:]] + [last]
    return [
        corner
        for (day, share), to in zip(points, ends, strict=True)
        for corner in ((day, share), (to, share))
    ]


def _ticks(last: int) -> list[int]:
    """Whole numbers from 0 to ``last`` at a round distance, at most seven."""
    step = next(
        size * 10**power for power in range(7) for size in (1, 2, 5) if last / (size * 10**power) <= 6
    )
    return list(range(0, last + 1, step))


# -- the parts of a drawing


def _drawing(title: str, height: float) -> tuple[Element, Element]:
    svg = Element(
        "svg",
        {
            "xmlns": "http://www.w3.org/2000/svg",
            "viewBox": f"0 0 {WIDTH} {height:g}",
            "width": str(WIDTH),
            "height": f"{height:g}",
            "role": "img",
            "font-family": _FONT,
        },
    )
    SubElement(svg, "title").text = title
    _rect(svg, 0, 0, WIDTH, height, {"fill": "#fff"})
    _text(svg, _PAD, 22, title, size=16, weight="700")
    return svg, SubElement(svg, "g")


def _rect(parent: Element, x: float, y: float, width: float, height: float, look: Look) -> Element:
    box = {"x": x, "y": y, "width": width, "height": height}
    return SubElement(parent, "rect", {name: f"{number:.2f}" for name, number in box.items()} | look)


def _line(parent: Element, x1: float, y1: float, x2: float, y2: float) -> None:
    ends = {"x1": x1, "y1": y1, "x2": x2, "y2": y2}
    SubElement(parent, "line", {name: f"{number:.2f}" for name, number in ends.items()}, stroke=_HAIR)


def _text(
    parent: Element,
    x: float,
    y: float,
    words: str,
    *,
    size: int = 13,
    anchor: str = "start",
    weight: str = "400",
) -> None:
    look = {"font-size": str(size), "text-anchor": anchor, "font-weight": weight}
    SubElement(parent, "text", {"x": f"{x:.2f}", "y": f"{y:.2f}", "fill": _INK, **look}).text = words


def _number(n: float) -> str:
    return formats.number_format(n, force_grouping=True)


def _written(svg: Element) -> str:
    return ElementTree.tostring(svg, encoding="unicode", xml_declaration=True)
