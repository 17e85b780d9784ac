"""What the cells of a column are: days, times, numbers, addresses of pages."""

import re
from collections.abc import Callable, Iterable
from datetime import time
from typing import Any

from registry.forms.moments import parsed
from registry.forms.numbers import whole

#: Cells that say: not known.
MISSING = (
    "NA",
    "N/A",
    "#N/A",
    "n.a.",
    "null",
    "none",
    "nan",
    "-",
    "–",
    "—",
    "--",
    "?",
    "н/д",
    "немає даних",
    "нет данных",
)
_MISSING = {word.casefold() for word in MISSING}
_URL = re.compile(r"https?://\S+", re.I)

_DAYS = (
    "%Y-%m-%d", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%m-%d-%Y", "%Y/%m/%d", "%Y.%m.%d", "%d %B %Y",
    "%B %d, %Y", "%d %b %Y", "%b %d, %Y", "%A, %B %d, %Y", "%d-%b-%Y", "%d-%B-%Y", "%d.%m.%y", "%d/%m/%y",
    "%m/%d/%y", "%d-%b-%y", "%Y%m%d", "%Y年%m月%d日", "%Y년 %m월 %d일",
)  # fmt: skip
TIMES = ("%H:%M", "%H:%M:%S", "%I:%M %p", "%I:%M:%S %p", "%H.%M", "%H-%M")
_MOMENTS = tuple(
    f"{day}{between}{time}"
    for day in _DAYS
    for between, times in (
        (" ", (*TIMES[:4], "%H:%M:%S%z", "%H:%M:%S.%f", "%H:%M:%S.%f%z")),
        ("T", ("%H:%M", "%H:%M:%S", "%H:%M:%S.%f", "%H:%M:%S%z", "%H:%M:%S.%f%z")),
    )
    for time in times
    if between == " " or day == "%Y-%m-%d"
)
_FORMATS = (*_DAYS, *_MOMENTS, "serial", "epoch")
#: So many cells say which formats are worth trying on all.
_FIRST = 30
#: A format that reads the same cells with day and month the other way round.
OTHER_WAY = {
    format: format.replace("%d", "%_").replace("%m", "%d").replace("%_", "%m")
    for format in (*_DAYS, *_MOMENTS)
    if re.search(r"%d\W%m\W%[yY]", format) or re.search(r"%m\W%d\W%[yY]", format)
}


def is_missing(text: str) -> bool:
    return not text or text.casefold() in _MISSING


def has_time(format: str) -> bool:
    return "%H" in format or "%I" in format or format == "epoch"


def has_zone(format: str) -> bool:
    """Whether cells of this format say by which clock they go."""
    return "%z" in format or format == "epoch"


def day_formats(values: Iterable[str], least: float = 0.9) -> tuple[list[str], bool]:
    """The formats that together read these cells as days or moments, few and the commonest first, and whether
    some of them can be read two ways; nothing where fewer than ``least`` of the cells are either."""
    left = list(dict.fromkeys(values))
    whole, formats = len(left), list[str]()
    either = False
    while left and len(formats) < 4:
        # Never day first in one row and month first in the next.
        likely = [
            one
            for one in _FORMATS
            if OTHER_WAY.get(one) not in formats and any(parsed(text, one) for text in left[:_FIRST])
        ]
        if not likely:
            break
        read = {one: [text for text in left if parsed(text, one)] for one in likely}
        format = max(read, key=lambda one: len(read[one]))  # of several equals the first
        twin = OTHER_WAY.get(format, "")
        either = either or bool(
            twin in read and len(read[twin]) == len(read[format]) and _differ(read[format], format, twin)
        )
        formats.append(format)
        left = [text for text in left if text not in set(read[format])]
    return (formats, either) if whole and whole - len(left) >= least * whole else ([], False)


def _differ(values: Iterable[str], one: str, other: str) -> bool:
    return any(parsed(text, one) != parsed(text, other) for text in values)


def all_midnight(values: Iterable[str], formats: Iterable[str]) -> bool:
    """Whether every moment is the beginning of a day: then it is days that the cells say."""
    moments = [next(filter(None, (parsed(text, one) for one in formats)), None) for text in values]
    return all(moment.time() == time() for moment in moments if moment)


def time_formats(values: Iterable[str], least: float = 0.9) -> list[str]:
    """The formats that together read these cells as times of the day; nothing where they read fewer than ``least``
    of them."""
    values = list(values)
    found = [format for format in TIMES if any(parsed(text, format) for text in values)]
    read = sum(any(parsed(text, format) for format in found) for text in values)
    return found if values and read >= least * len(values) else []


def share(values: Iterable[str], holds: Callable[[str], Any]) -> float:
    """Of how many of these cells something holds, from 0 to 1."""
    values = list(values)
    return sum(map(bool, map(holds, values))) / len(values) if values else 0.0


def number(text: str) -> float | None:
    """A number, also with a decimal comma, or with its thousands set apart."""
    plain = re.sub(r"\s", "", text).replace("\N{MINUS SIGN}", "-")
    try:
        return float(plain.replace(",", ".") if plain.count(",") == 1 and "." not in plain else plain)
    except ValueError:
        found = whole(text)
        return float(found) if found and found.isdecimal() else None


def within(limit: float, text: str) -> bool:
    """Whether this is a number from -limit to limit."""
    found = number(text)
    return found is not None and abs(found) <= limit


def count(text: str) -> bool:
    """Whether this is a whole number, perhaps with its thousands set apart."""
    found = whole(text)
    return found is None or bool(re.fullmatch(r"\d+(\.0+)?", found))


def url(text: str) -> bool:
    return bool(_URL.match(text))


def point(text: str) -> bool:
    """Whether this is a latitude and a longitude in one cell."""
    parts = re.fullmatch(r"\s*\(?(-?\d{1,2}\.\d+)\s*[,; ]\s*(-?\d{1,3}\.\d+)\)?\s*", text)
    return bool(parts and abs(float(parts[1])) <= 90 and abs(float(parts[2])) <= 180)
