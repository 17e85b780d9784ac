"""A country's own table of areas: P-codes for the regions and districts that are known, and those that are not."""

from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

from django.db import transaction
from django.utils.translation import gettext as _

from registry.forms.places import lineage
from registry.geocoding import build
from registry.geocoding.gazetteer import Gazetteer
from registry.geocoding.index import COUNTRY, DISTRICT, REGION
from registry.geocoding.places import OWN_RADIUS_M, OwnArea, is_kept, merge_areas, name_of_areas
from registry.models import Area, AreaCode
from registry.tabular import Table

from .places import (
    BadPlaces,
    columns_of,
    current,
    in_row,
    mark_of,
    not_degrees,
    one_country,
    read_degrees,
    several,
)

#: The headings by which a column is known, in small letters and without signs.
SPELLINGS = {
    "code": ("pcode", "code", "admpcode", "areacode"),
    "name": ("name", "nameen", "areaname"),
    "parent": ("parent", "parentcode", "parentpcode", "parentname"),
    "other_names": ("othernames", "alternatenames", "altnames", "aliases", "namelocal"),
    "lat": ("lat", "latitude", "centerlat"),
    "lon": ("lon", "lng", "long", "longitude", "centerlon"),
}  # fmt: skip

_LONGEST = {"code": 20, "name": 200}  # letters; of a scheme's name as of a code


@dataclass(slots=True)
class Loaded:
    """What a load did with the rows of a table: ``new`` are the areas nobody knew, ``known`` how many were, and
    ``coded`` how many codes are new. ``smaller``: rows below districts, which are left out."""

    rows: int = 0
    known: int = 0
    coded: int = 0
    smaller: int = 0
    new: list[Area] = field(default_factory=list)


def load(file: Path, index: Path, *, country: str, scheme: str = "pcode") -> Loaded:
    """Take the areas of a table into the register and the gazetteer's index, all or nothing; safe to repeat.

    Columns: ``code``, ``name``, ``parent`` (the code of a row above, or the code or name of a region; empty of what
    lies in the country itself), and, if there are, ``other_names``, ``lat``, ``lon``. An area is a known one by a code
    of the ``scheme``, else by one of its names within its parent. Raises BadPlaces and BadTable.
    """
    if len(scheme) > _LONGEST["code"]:
        raise BadPlaces([_("The name of the scheme is too long.")])
    reader = _Reader(current(index), country, scheme)
    own = reader.read(Table(file))
    if reader.problems:
        raise BadPlaces(reader.problems)
    if not own:
        raise BadPlaces([_("The file holds no areas.")])
    done, name = reader.done, name_of_areas(reader.country.code, mark_of(file))
    with transaction.atomic():
        for area in done.new:
            area.save()
        codes = [
            AreaCode(area=area, scheme=scheme, code=code)
            for code, area in reader.areas.items()
            if area and code not in reader.coded
        ]
        done.coded = len(AreaCode.objects.bulk_create(codes))
        if not is_kept(index, name):
            build.load(index, name, own, lambda db: merge_areas(db, own))
    lineage.cache_clear()
    return done


class _Reader:
    """The areas of a table by their codes there. What is wrong is gathered in ``problems``."""

    def __init__(self, gazetteer: Gazetteer, country: str, scheme: str) -> None:
        self.index = gazetteer.index
        self.problems: list[str] = []
        self.done = Loaded()
        self.headings: dict[str, str] = {}
        state = one_country(gazetteer, country)
        areas = Area.objects.filter(country=state, level__lte=DISTRICT).select_related("parent")
        self.known = {area.code: area for area in areas}
        self.country = self.known[state]
        coded = dict(AreaCode.objects.filter(scheme=scheme).values_list("code", "area__code"))
        self.coded = {code: self.known[own] for code, own in coded.items() if own in self.known}
        self.elsewhere = coded.keys() - self.coded.keys()
        #: By the codes of the table: what its rows are. None: smaller than districts.
        self.areas: dict[str, Area | None] = {}
        self.taken: set[str] = set()

    def read(self, table: Table) -> list[OwnArea]:
        """The rows as the index takes them, parents before their children."""
        self.headings = columns_of(table, SPELLINGS, ("code", "name", "parent"))
        waiting: dict[str, tuple[int, dict[str, str]]] = {}
        for row in table.rows():
            cells = {ours: row.cells.get(heading, "") for ours, heading in self.headings.items()}
            if row.problem:
                self._wrong(row.number, "", str(row.problem))
            elif empty := next((ours for ours in ("code", "name") if not cells[ours]), ""):
                self._wrong(row.number, empty, _("empty"))
            elif long := next((ours for ours, most in _LONGEST.items() if len(cells[ours]) > most), ""):
                self._wrong(row.number, long, _("At most %(most)d letters.") % {"most": _LONGEST[long]})
            elif cells["code"] in waiting:
                self._wrong(row.number, "code", _("“%(text)s” is there twice.") % {"text": cells["code"]})
            else:
                waiting[cells["code"]] = row.number, cells
        found: list[OwnArea] = []
        while waiting and not self.problems:
            ready = {code: row for code, row in waiting.items() if row[1]["parent"] not in waiting}
            for number, cells in ready.values() if ready else waiting.values():
                if not ready:
                    self._wrong(number, "parent", _("“%(text)s” lies in itself.") % {"text": cells["parent"]})
                elif own := self._own(number, cells):
                    found.append(own)
            waiting = {code: row for code, row in waiting.items() if code not in ready}
        return found

    def _own(self, number: int, row: dict[str, str]) -> OwnArea | None:
        """What a row is; None if it is wrong, the country, or smaller than a district."""
        code, names = row["code"], [row["name"], *several(row["other_names"])]
        self.done.rows += 1
        if code in self.elsewhere:
            self._wrong(number, "code", _("“%(text)s” is another area’s.") % {"text": code})
            return None
        if not row["parent"] and self._is_country(code, names):
            self.areas[code] = self.country
            self.done.known += 1
            return None
        parent = self._parent(row["parent"])
        if parent is None or parent.level == DISTRICT:
            if row["parent"] in self.areas or parent:
                self.areas[code] = None
                self.done.smaller += 1
            else:
                said = _("“%(text)s” names no area, or several.") % {"text": row["parent"]}
                self._wrong(number, "parent", said)
            return None
        same = [self.coded[code]] if code in self.coded else self._named(names, parent)
        if len(same) > 1:
            named = ", ".join(f"{area.name} ({area.code})" for area in same)
            self._wrong(number, "name", _("Several areas are called so: %(named)s") % {"named": named})
            return None
        area = same[0] if same else self._new(number, row, parent)
        if area.code in self.taken:
            self._wrong(number, "name", _("Another row is “%(area)s” already.") % {"area": area.name})
        self.areas[code] = area
        self.taken.add(area.code)
        self.done.known += bool(same)
        lat, lon = (None if one is None else float(one) for one in (area.lat, area.lon))
        level = parent.level + 1
        return OwnArea(area.code, level, parent.code, self.country.code, names, lat, lon, area.timezone)

    def _is_country(self, code: str, names: list[str]) -> bool:
        return code == self.country.code or any(
            one.code == self.country.code
            for name in names
            for one in self.index.areas_named(name, (COUNTRY,), None, None, False)
        )

    def _parent(self, text: str) -> Area | None:
        """The area a row lies in; None if nothing is known by that, or what is smaller than a district."""
        if not text:
            return self.country
        if text in self.areas:
            return self.areas[text]
        if area := self.coded.get(text) or self.known.get(text):
            return area
        named = self.index.areas_named(text, (REGION,), self.country.code, None, False)
        return self.known.get(named[0].code or "") if len(named) == 1 else None

    def _named(self, names: list[str], parent: Area) -> list[Area]:
        """The areas right below a parent that bear the first of these names that any bears."""
        for name in names:
            rows = self.index.areas_named(
                name, (parent.level + 1,), self.country.code, parent.code if parent.level else None, False
            )
            if rows:
                return [self.known[row.code] for row in rows if row.code in self.known]
        return []

    def _new(self, number: int, row: dict[str, str], parent: Area) -> Area:
        if Area.objects.filter(code=row["code"]).exists():
            self._wrong(number, "code", _("“%(text)s” is another area’s.") % {"text": row["code"]})
        lat, lon = (self._number(number, name, row[name], most) for name, most in (("lat", 90), ("lon", 180)))
        if (lat is None) != (lon is None):
            self._wrong(number, "lat", _("A point needs both, latitude and longitude."))
        area = Area(
            code=row["code"], level=parent.level + 1, parent=parent, country=self.country.code, name=row["name"],
            lat=lat, lon=lon, radius_m=None if lat is None else OWN_RADIUS_M, timezone=parent.timezone,
        )  # fmt: skip
        self.done.new.append(area)
        return area

    def _number(self, number: int, column: str, text: str, most: int) -> Decimal | None:
        if not text:
            return None
        value = read_degrees(text, most)
        if value is None:
            self._wrong(number, column, not_degrees(text, most))
            return None
        return round(Decimal(value), 6)

    def _wrong(self, number: int, column: str, said: str) -> None:
        self.problems.append(in_row(number, self.headings.get(column, column), said))
