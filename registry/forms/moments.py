"""Days and times as files write them, by the letters of strptime, with months in many languages."""

import re
import unicodedata
from datetime import UTC, datetime, timedelta
from functools import lru_cache

#: A day as sheets count it: since the end of 1899, with the time as its fraction.
_EPOCH = datetime(1899, 12, 30)
_NAMES = (
    "", "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
#: How the names of each month begin, without accents: English, Ukrainian, Russian, Spanish, Portuguese, French,
#: German, Italian, Turkish, Polish.
_BEGINNINGS = (
    "jan січ янв ene gen oca sty", "feb лют фев fev sub lut", "mar бер мар", "apr кві апр abr avr nis kwi",
    "may тра мая маи mai mag maj", "jun чер июн juin giu haz cze", "jul лип июл juil lug tem lip",
    "aug сер авг ago aou agu sie", "sep вер сен set eyl wrz", "oct жов окт okt out ott eki paz", "nov лис ноя kas lis",
    "dec гру дек dic dez ara gru",
)  # fmt: skip
#: Whole names in Arabic, of Egypt and of the Levant.
_ARABIC = (
    "يناير|كانون الثاني", "فبراير|شباط", "مارس|اذار", "ابريل|نيسان", "مايو|ايار", "يونيو|يونيه|حزيران",
    "يوليو|يوليه|تموز", "اغسطس|اب", "سبتمبر|ايلول", "اكتوبر|تشرين الاول", "نوفمبر|تشرين الثاني",
    "ديسمبر|كانون الاول",
)  # fmt: skip
_MONTHS = {
    name: number
    for names, mark in ((_BEGINNINGS, " "), (_ARABIC, "|"))
    for number, several in enumerate(names, 1)
    for name in several.split(mark)
}
_WORD = re.compile(r"(?:كانون|تشرين)\s+\w+|[^\W\d_]{2,}\.?")
_YEAR_MARK = re.compile(r"\s*(?:р\.|г\.|року|года)?\s*$")
#: What stands between day, month and year in words: "14. März", "1er mars", "14 de octubre del 2024".
_BETWEEN = re.compile(r"(?<=\d)(?:\.|er|º|°)(?=\s)|\b(?:de|del)\b", re.I)
_HALF_DAY = re.compile(r"\b([ap])\.?\s?m\b\.?", re.I)


@lru_cache(maxsize=20_000)
def parsed(text: str, format: str) -> datetime | None:
    """The moment that a text names in this format, None if it names none.

    ``serial`` is a number of days as sheets count them; ``epoch`` of seconds, or thousandths, since 1970 in UTC.
    """
    try:
        if format == "serial":
            days = float(text)
            return _EPOCH + timedelta(seconds=round(days * 86_400)) if 20_000 <= days < 80_000 else None
        if format == "epoch":
            return _since_1970(text)
        if not text.isascii():
            text = _YEAR_MARK.sub("", "".join(map(_digit, text)))
        if "%B" in format:
            text = " ".join(_WORD.sub(_month, _BETWEEN.sub(" ", text)).split())
        if "%p" in format:
            text = _HALF_DAY.sub(r"\1m", text)
        return datetime.strptime(text, format)
    except (ValueError, OverflowError):
        return None


def _since_1970(text: str) -> datetime | None:
    """Of the numbers that mean days from 1990 to 2100: those of other columns are hardly ever so large."""
    seconds = float(text) if text.isdecimal() else 0.0
    seconds = seconds / 1000 if seconds > 1e11 else seconds
    return datetime.fromtimestamp(seconds, UTC) if 631_152_000 <= seconds < 4_102_444_800 else None


def _digit(sign: str) -> str:
    """The digits of Arabic and other scripts as ours."""
    return str(unicodedata.decimal(sign)) if sign.isdecimal() else sign


def _month(word: re.Match[str]) -> str:
    decomposed = unicodedata.normalize("NFKD", word[0].casefold().rstrip("."))
    folded = "".join(sign for sign in decomposed if not unicodedata.combining(sign))
    known = (folded, folded[:4], folded[:3])
    return next((_NAMES[_MONTHS[name]] for name in known if name in _MONTHS), word[0])
