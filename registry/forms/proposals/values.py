"""What the cells of a column are: days, times, numbers, addresses of pages."""

import re
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from registry.forms.moments import parsed

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
    "%B %d, %Y", "%d %b %Y", "%b %d, %Y", "%A, %B %d, %Y", "%d-%b-%Y", "%d.%m.%y", "%d/%m/%y", "%m/%d/%y",
    "%d-%b-%y", "%Y%m%d",
)  # fmt: skip
TIMES = ("%H:%M", "%H:%M:%S", "%I:%M %p", "%I:%M:%S %p", "%H.%M", "%H-%M")
_MOMENTS = tuple(
    f"{day}{between}{time}"
    for day in _DAYS
    for between, times in (
        (" ", TIMES[:4]),
        ("T", ("%H:%M", "%H:%M:%S", "%H:%M:%S.%f", "%H:%M:%S%z", "%H:%M:%S.%f%z")),
    )
    for time in times
    if between == " " or day == "%Y-%m-%d"
)
_FORMATS = (*_DAYS, *_MOMENTS, "serial")
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


def day_formats(values: Iterable[str]) -> tuple[list[str], bool]:
    """The formats that together read these cells as days or moments, few and the commonest first, and whether
    some of them can be read two ways; nothing where a tenth of the cells is neither."""
    left = list(dict.fromkeys(values))
    whole, formats = len(left), list[str]()
    either = False
    while left and len(formats) < 4:
        likely = [one for one in _FORMATS if any(parsed(text, one) for text in left[:_FIRST])]
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
    return (formats, either) if whole and 10 * len(left) <= whole else ([], False)


def _differ(values: Iterable[str], one: str, other: str) -> bool:
    return any(parsed(text, one) != parsed(text, other) for text in values)


def time_formats(values: Iterable[str]) -> list[str]:
    """The formats that together read these cells as times of the day."""
    values = list(values)
    found = [format for format in TIMES if any(_time(text, format) for text in values)]
    read = sum(any(_time(text, format) for format in found) for text in values)
    return found if values and 10 * read >= 9 * len(values) else []


def _time(text: str, format: str) -> bool:
    try:
        datetime.strptime(text, format)
    except ValueError:
        return False
    return True


def share(values: Iterable[str], holds: Callable[[str], Any]) -> float:
    """Of how many of these cells something holds, from 0 to 1."""
    values = list(values)
    return sum(map(bool, map(holds, values))) / len(values) if values else 0.0


def number(text: str) -> float | None:
    """A number, also with a decimal comma."""
    plain = re.sub(r"\s", "", text).replace("\N{MINUS SIGN}", "-")
    try:
        return float(plain.replace(",", ".") if plain.count(",") == 1 and "." not in plain else plain)
    except ValueError:
        return None


def within(limit: float, text: str) -> bool:
    """Whether this is a number from -limit to limit."""
    found = number(text)
    return found is not None and abs(found) <= limit


def count(text: str) -> bool:
    """Whether this is a whole number, perhaps with its thousands set apart."""
    return bool(re.fullmatch(r"\d{1,3}([ ,.\u00a0]?\d{3})*|\d+(\.0+)?(E\+?\d+)?", text.strip(), re.I))


def url(text: str) -> bool:
    return bool(_URL.match(text))


def point(text: str) -> bool:
    """Whether this is a latitude and a longitude in one cell."""
    parts = re.fullmatch(r"\s*\(?(-?\d{1,2}\.\d+)\s*[,; ]\s*(-?\d{1,3}\.\d+)\)?\s*", text)
    return bool(parts and abs(float(parts[1])) <= 90 and abs(float(parts[2])) <= 180)
