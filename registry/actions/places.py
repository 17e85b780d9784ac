"""Loading a country's own places into the gazetteer: GeoNames' country file, or a CSV with headings."""

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from django.utils.translation import gettext as _

from registry.geocoding import boundaries, build
from registry.geocoding.gazetteer import Gazetteer
from registry.geocoding.index import COUNTRY, REGION, Row
from registry.geocoding.places import Merged, Place, is_kept, merge
from registry.tabular import Table

#: The headings by which a column is known, in small letters and without signs.
SPELLINGS = {
    "name": ("name", "placename", "settlement", "village", "nameen", "featurename"),
    "other_names": ("othernames", "alternatenames", "altnames", "aliases", "namelocal"),
    "lat": ("lat", "latitude", "y"),
    "lon": ("lon", "lng", "long", "longitude", "x"),
    "area": ("area", "region", "adm1", "adm1code", "adm1pcode", "adm1name", "admin1", "pcode", "oblast", "province"),
    "geonames_id": ("geonamesid", "geonameid"),
    "population": ("population", "pop"),
}  # fmt: skip
_GEONAMES_COLUMNS = 19
_MOST_SAID = 20
_P_CODE = re.compile(r"([A-Z]{2})-?(\d{2,})")
_ACROSS = 0.2  # degrees: how far over the border a point may lie: boundaries are simplified, coasts rough


class BadPlaces(ValueError):
    """The file cannot be loaded; ``problems`` say why, by row and column."""

    def __init__(self, problems: list[str]) -> None:
        more = len(problems) - _MOST_SAID
        said = problems[:_MOST_SAID] + ([_("… and %(count)d more.") % {"count": more}] if more > 0 else [])
        super().__init__("\n".join(said))
        self.problems = problems


@dataclass(slots=True)
class Loaded:
    """What a load did. ``left_out``: rows that are no places of the country; ``merged``: None if the very same
    file had been loaded before."""

    rows: int
    left_out: dict[str, int] = field(default_factory=dict)
    merged: Merged | None = None


def load(
    file: Path,
    index: Path,
    *,
    country: str = "",
    progress: Callable[[int, int], None] = lambda done, of: None,
) -> Loaded:
    """Take the places of a file into the gazetteer's index, all or nothing. Raises BadPlaces and BadTable."""
    reader = _Reader(current(index), country)
    rows = reader.geonames(file) if _is_geonames(file) else reader.table(file)
    places = list(rows)
    if reader.problems:
        raise BadPlaces(reader.problems)
    if not places:
        raise BadPlaces([_("The file holds no places.")])
    done = Loaded(len(places), reader.left_out)
    mark = mark_of(file)
    name = "-".join(filter(None, [reader.country, mark]))
    if not is_kept(index, name):
        done.merged = build.load(
            index, name, places, lambda db: merge(db, places, lambda number: progress(number, len(places)))
        )
    return done


def current(index: Path) -> Gazetteer:
    """The gazetteer of an index that is current; raises BadPlaces if it is not."""
    if not build.is_current(index):
        raise BadPlaces([_("The gazetteer is not built or not current. Run `manage.py setup` first.")])
    return Gazetteer(index)


def one_country(gazetteer: Gazetteer, text: str) -> str:
    """The code of the one country of this code or name; raises BadPlaces if there is none, or several."""
    found = gazetteer.index.areas_named(text, (COUNTRY,), None, None)
    if len(found) != 1:
        raise BadPlaces([_("No such country: %(country)s") % {"country": text}])
    return found[0].country


def mark_of(file: Path) -> str:
    """What tells a file from others by its content."""
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()[:16]


def columns_of(table: Table, spellings: Mapping[str, Sequence[str]], needed: Iterable[str]) -> dict[str, str]:
    """Our columns → the headings of a table that mean them, "" where none does. Raises BadPlaces for a needed one."""
    plain = {re.sub(r"[\W_]", "", heading.casefold()): heading for heading in table.headings}
    columns = {
        ours: next((plain[one] for one in known if one in plain), "") for ours, known in spellings.items()
    }
    if missing := [ours for ours in needed if not columns[ours]]:
        said = _("No column for %(missing)s. The headings are: %(headings)s")
        raise BadPlaces(
            [said % {"missing": ", ".join(missing), "headings": ", ".join(filter(None, table.headings))}]
        )
    return columns


def read_degrees(text: str, most: int) -> float | None:
    """The degrees written, None if it is no number from -most to most."""
    try:
        value = float(text.replace(",", "."))
    except ValueError:
        return None
    return value if -most <= value <= most else None


def not_degrees(text: str, most: int) -> str:
    return _("“%(text)s” is no number from -%(most)d to %(most)d.") % {"text": text, "most": most}


def several(cell: str) -> list[str]:
    """The names in a cell that may hold several."""
    return list(dict.fromkeys(name for part in re.split(r"[,;|]", cell) if (name := part.strip())))


def in_row(number: int, column: str, said: str) -> str:
    """What is wrong, with its row and column."""
    if not column:
        return _("Row %(row)d: %(said)s") % {"row": number, "said": said}
    return _("Row %(row)d, %(column)s: %(said)s") % {"row": number, "column": column, "said": said}


def _is_geonames(file: Path) -> bool:
    with file.open("rb") as lines:
        cells = lines.readline().split(b"\t")
    return len(cells) == _GEONAMES_COLUMNS and cells[0].removeprefix(b"\xef\xbb\xbf").isdigit()


class _Reader:
    """The places of a file. What is wrong is gathered in ``problems``."""

    def __init__(self, gazetteer: Gazetteer, country: str) -> None:
        self.index = gazetteer.index
        self.problems: list[str] = []
        self.left_out: dict[str, int] = {}
        self.country = ""
        self.headings: dict[str, str] = {}
        if country:
            self.country = one_country(gazetteer, country)

    def geonames(self, file: Path) -> Iterator[Place]:
        """Feature class P of GeoNames' country file."""
        with file.open("rb") as lines:
            for number, line in enumerate(lines, start=1):
                try:
                    cells = line.decode("utf-8-sig").rstrip("\r\n").split("\t")
                except UnicodeDecodeError:
                    self._wrong(number, "", _("This is not UTF-8."))
                    continue
                if cells == [""]:
                    continue
                if len(cells) != _GEONAMES_COLUMNS:
                    said = _("%(found)d cells instead of %(count)d.")
                    self._wrong(number, "", said % {"found": len(cells), "count": _GEONAMES_COLUMNS})
                elif cells[6] != "P":
                    self._leave_out(_("other features than places"))
                elif self.country and cells[8] != self.country:
                    self._leave_out(_("places of other countries"))
                else:
                    row = {
                        "geonames_id": cells[0], "name": cells[1], "other_names": f"{cells[2]},{cells[3]}",
                        "lat": cells[4], "lon": cells[5], "population": cells[14],
                    }  # fmt: skip
                    if place := self._place(number, row, cells[8], cells[17]):
                        yield place

    def table(self, file: Path) -> Iterator[Place]:
        """The rows of a CSV with headings."""
        table = Table(file)
        self.headings = columns_of(table, SPELLINGS, ("name", "lat", "lon"))
        for row in table.rows():
            if row.problem:
                self._wrong(row.number, "", str(row.problem))
            elif place := self._place(
                row.number, {ours: row.cells.get(heading, "") for ours, heading in self.headings.items()}
            ):
                yield place

    def _place(self, number: int, row: dict[str, str], country: str = "", timezone: str = "") -> Place | None:
        before = len(self.problems)
        if not row["name"]:
            self._wrong(number, "name", _("empty"))
        lat = self._number(number, "lat", row["lat"], 90)
        lon = self._number(number, "lon", row["lon"], 180)
        whole = {}
        for column in ("geonames_id", "population"):
            whole[column] = int(row[column]) if re.fullmatch(r"\d{1,12}", row[column]) else 0
            if row[column] and not whole[column] and row[column].strip("0"):
                self._wrong(number, column, _("“%(text)s” is no whole number.") % {"text": row[column]})
        if len(self.problems) > before:
            return None
        area = self._area(number, lat, lon, row.get("area", ""), country or self.country)
        if area is None:
            return None
        state, adm1, adm2 = area
        others = several(row["other_names"])
        return Place(
            whole["geonames_id"], row["name"], state, adm1, adm2, lat, lon, whole["population"], timezone,
            [name for name in others if not re.fullmatch("[A-Z]{0,3}", name) and "://" not in name],
        )  # fmt: skip

    def _number(self, number: int, column: str, text: str, most: int) -> float:
        value = read_degrees(text, most)
        if value is None:
            self._wrong(number, column, not_degrees(text, most))
        return value or 0.0

    def _area(
        self, number: int, lat: float, lon: float, named: str, country: str
    ) -> tuple[str, str | None, str | None] | None:
        """Country, region and district: those named, which must hold the point, else those of the point."""
        here = self.index.area(boundaries.region_at(lat, lon) or "")
        if named:
            found = self._named(named, country or (here.country if here else None))
            holding = [
                one
                for one in found
                if not one.adm1 or boundaries.holds(one.adm1, lat, lon, _ACROSS) is not False
            ]
            if len(holding) != 1:
                said = (
                    _("“%(text)s” names several areas.") if holding
                    else _("The point lies outside “%(text)s”.") if found
                    else _("“%(text)s” names no known area.")
                )  # fmt: skip
                self._wrong(number, "area", said % {"text": named})
                return None
            (area,) = holding
            if area.level >= REGION:
                return area.country, area.adm1, area.adm2
            country = area.country
        if here and country in ("", here.country):
            return here.country, here.adm1, None
        if here:  # across a border, perhaps by the error of the boundaries alone
            beside = [self.index.area(code) for code in boundaries.near(lat, lon, _ACROSS)]
            region = next((one.adm1 for one in beside if one and one.country == country), None)
            if region is None:
                self._wrong(number, "lat, lon", _("The point lies outside “%(text)s”.") % {"text": country})
                return None
            return country, region, None
        if not country:
            self._wrong(number, "lat, lon", _("The point lies in no known region; name its area."))
            return None
        return country, None, None

    def _named(self, text: str, country: str | None) -> list[Row]:
        """The area of a code (ISO, P-code, GeoNames id) or name."""
        codes = [text]
        if code := _P_CODE.fullmatch(text):  # UA63 and UA6310 lie in UA-63
            codes += [f"{code[1]}-{code[2]}", f"{code[1]}-{code[2][:2]}"]
        for one in codes:
            if (area := self.index.area(one)) or (
                one.isdigit() and (area := self.index.area_of_id(int(one)))
            ):
                return [area]
        for level in (REGION, REGION + 1, COUNTRY):
            if found := self.index.areas_named(text, (level,), country if level else None, None, False):
                return found
        return []

    def _leave_out(self, why: str) -> None:
        self.left_out[why] = self.left_out.get(why, 0) + 1

    def _wrong(self, number: int, column: str, said: str) -> None:
        column = self.headings.get(column, column)
        self.problems.append(in_row(number, column, said))
