"""Rows of a stranger's table get a place each: every cell stays as it is, the columns `ADDED` come behind.

The columns that say where are named from narrow to wide. The narrowest is the place; of the others the widest that
is filled in names the country, the next the region, the next the district. A country may as well be a region and a
region a district (files leave out the country), and what should be a district but is none, or holds no such place,
is read as part of the place: "ul. Lenina 5", "Shebekino". Where the narrowest is empty, the area itself is the place.
"""

import csv
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple, TextIO

from django.utils.translation import gettext_lazy as _

from .answers import Answer, Candidate
from .gazetteer import Gazetteer, UnknownArea, locate
from .index import COUNTRY, REGION

ADDED = (
    "geo_place",
    "geo_lat",
    "geo_lon",
    "geo_precision",
    "geo_radius_m",
    "geo_score",
    "geo_flag",
    "geo_candidates",
)
FLAGS = ("", "ambiguous", "review", "outside", "not_found")
_FLAG = ADDED.index("geo_flag") - len(ADDED)  # where the flag stands in a row, from its end
_MOST_CANDIDATES = 5


class BadColumns(ValueError):
    """The columns asked for do not fit the table's headings."""


class Placed(NamedTuple):
    """Where a row is. `flag`: one of FLAGS, empty if nobody needs to look; `candidates`: best first."""

    flag: str
    candidates: tuple[Candidate, ...]

    @property
    def best(self) -> Candidate | None:
        """The likeliest, whatever the flag."""
        return self.candidates[0] if self.candidates else None


def geocoded(
    rows: Iterable[list[str]], columns: Sequence[str], *, country: str = "", gazetteer: Gazetteer
) -> Iterator[list[str]]:
    """The same rows in the same order, the headings first, with the columns ADDED behind. Raises BadColumns at once.

    `columns`: headings from narrow to wide; `country`: code or name, where no column names one.
    """
    rows = iter(rows)
    written = next(rows)
    headings = [heading.strip() for heading in written]
    there = ", ".join(filter(None, headings))
    for column in columns:
        if column not in headings:
            raise BadColumns(
                _("There is no column “%(column)s”. The file has: %(headings)s.")
                % {"column": column, "headings": there}
            )
    if taken := [heading for heading in headings if heading in ADDED]:
        raise BadColumns(_("The file has such a column already: %(taken)s.") % {"taken": ", ".join(taken)})
    if not columns:
        raise BadColumns(_("No column is named. The file has: %(headings)s.") % {"headings": there})
    states = _named(country, COUNTRY, None, gazetteer) if country else [None]
    if len(states) != 1:
        raise BadColumns(_("“%(country)s” is not one country.") % {"country": country})
    where = [headings.index(column) for column in columns]

    @lru_cache(maxsize=65536)  # the same places come again and again
    def added(cells: tuple[str, ...]) -> list[str]:
        return _told(place(cells, country=states[0] or "", gazetteer=gazetteer))

    def made() -> Iterator[list[str]]:
        yield [*written, *ADDED]
        for row in rows:
            yield row + added(tuple(row[index].strip() for index in where))

    return made()


def write(rows: Iterator[list[str]], out: TextIO) -> Counter[str]:
    """Write located rows as CSV (``out`` open for UTF-8, newline=""), and count their flags."""
    flags, writerow = Counter[str](), csv.writer(_Lines(out)).writerow
    writerow(next(rows))
    for row in rows:
        flags[row[_FLAG]] += 1
        writerow(row)
    return flags


class _Lines:
    """Rows end in LF. The writer is left to end them in CRLF, for else it does not quote a lone CR."""

    def __init__(self, file: TextIO) -> None:
        self.file = file

    def write(self, line: str) -> None:
        self.file.write(line.removesuffix("\r\n") + "\n")


def place(cells: Sequence[str], *, country: str = "", gazetteer: Gazetteer) -> Placed:
    """Where the cells of one row say it is, from narrow to wide; `country`: its code, where no cell names one."""
    name, wide = cells[0], [cell for cell in reversed(cells[1:]) if cell]
    if country and not (wide and _another_country(wide[0], country, gazetteer)):
        wide.insert(0, country)
    if not name and not wide[bool(country) :]:
        return Placed("not_found", ())  # a country that stands in no cell is no place of the row
    text = [name, *reversed(wide[3:])]
    unknown = False
    try:
        answer = _within(text, wide[:3], gazetteer)
    except UnknownArea:
        unknown = True
        answer = locate(", ".join(filter(None, [*text, *reversed(wide[:3])])), gazetteer=gazetteer)
    if answer.outcome != "found":
        return Placed(answer.outcome, answer.candidates)
    # A misspelt name is a guess, and so is a place for which an area had to be overlooked.
    return Placed("review" if unknown or not answer.sure else "", answer.candidates)


def _within(text: list[str], areas: list[str], gazetteer: Gazetteer) -> Answer:
    """The place inside country, region and district; if the narrowest is no district, it is a part of the place."""
    hints = dict(zip(("country", "adm1_code", "adm2_code"), areas, strict=False))
    try:
        answer = locate(", ".join(filter(None, text)), gazetteer=gazetteer, **hints)
    except UnknownArea as error:
        if error.parameter != "district":
            raise
        answer = Answer("not_found")
    if answer.outcome in ("outside", "not_found") and "adm2_code" in hints:
        finer = ", ".join(filter(None, [*text, hints.pop("adm2_code")]))
        other = locate(finer, gazetteer=gazetteer, **hints)
        if other.candidates and other.outcome != "outside":
            return other
    return answer


def _another_country(cell: str, country: str, gazetteer: Gazetteer) -> bool:
    """Whether the widest cell names a country itself, and no region of the country that is given."""
    return not _named(cell, REGION, country, gazetteer) and bool(_named(cell, COUNTRY, None, gazetteer))


def _named(text: str, level: int, country: str | None, gazetteer: Gazetteer) -> list[str]:
    """The countries of the areas of this level that a text names, one for each area."""
    return [area.country for area in gazetteer.index.areas_named(text, (level,), country, None, False)]


def _told(placed: Placed) -> list[str]:
    best = placed.best
    if best is None:
        return [""] * (len(ADDED) - 2) + [placed.flag, ""]
    # Of a place that is sure nobody needs the others.
    others = placed.candidates[:_MOST_CANDIDATES] if placed.flag else ()
    return [
        best.name,
        f"{best.lat:.5f}",
        f"{best.lon:.5f}",
        best.geo_precision,
        str(best.radius_m),
        str(best.score),
        placed.flag,
        "; ".join(_in_words(one) for one in others),
    ]


def _in_words(one: Candidate) -> str:
    """A candidate in words: name, area, code."""
    codes = [one.adm1_code or one.country, f"GeoNames {one.geonames_id}" if one.geonames_id else ""]
    return ", ".join(filter(None, [one.name, *codes]))
