"""Days and times as files write them, by the letters of strptime, with months in three languages."""

import re
from datetime import datetime, timedelta
from functools import lru_cache

#: A day as sheets count it: since the end of 1899, with the time as its fraction.
_EPOCH = datetime(1899, 12, 30)
_MONTHS = {
    "січ": 1, "лют": 2, "бер": 3, "кві": 4, "тра": 5, "чер": 6, "лип": 7, "сер": 8, "вер": 9, "жов": 10, "лис": 11,
    "гру": 12, "янв": 1, "фев": 2, "мар": 3, "апр": 4, "мая": 5, "май": 5, "июн": 6, "июл": 7, "авг": 8, "сен": 9,
    "окт": 10, "ноя": 11, "дек": 12,
}  # fmt: skip
_NAMES = (
    "", "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
_WORD = re.compile(r"[А-Яа-яІіЇїЄєҐґ]{3,}\.?")
_YEAR_MARK = re.compile(r"\s*(?:р\.|г\.|року|года)?\s*$")


@lru_cache(maxsize=20_000)
def parsed(text: str, format: str) -> datetime | None:
    """The moment that a text names in this format (of ``serial``, a number of days), None if it names none."""
    try:
        if format == "serial":
            days = float(text)
            return _EPOCH + timedelta(seconds=round(days * 86_400)) if 20_000 <= days < 80_000 else None
        if not text.isascii():
            text = _YEAR_MARK.sub("", _WORD.sub(_month, text))
        return datetime.strptime(text, format)
    except (ValueError, OverflowError):
        return None


def _month(word: re.Match[str]) -> str:
    number = _MONTHS.get(word[0].casefold()[:3])
    return _NAMES[number] if number else word[0]
