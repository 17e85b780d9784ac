"""Proposals: what the columns of somebody's table are, from their headings and their cells, as a mapping.

``propose`` looks at a sample of a table; a person may correct the ``role`` of each column, how its days are to be
read, and what its words mean; ``told`` makes of it what ``mappings`` reads, and ``toml`` the file that holds it. What
is not known stays empty and is listed; nothing is guessed where cells can be read two ways.
"""

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any

from django.utils.translation import gettext_lazy as _

from registry.forms import numbers
from registry.forms.places import embedded
from registry.geocoding.gazetteer import locate
from registry.rules import vocabularies as v
from registry.tabular.sample import Sample

from . import values, words
from .toml import written

#: Rows that are looked at, and how many different words of a column are offered one by one.
READ = 20_000
MOST_WORDS = 60
#: How sure a column is by its cells alone.
_GUESS = 0.5
#: Of a column that is said to hold days, so many cells are to be days: each of the others is an error of its row.
_HALF = 0.5
_WHEN = {"day", "moment"}
#: So many different cells of a column that nothing else is known of are looked up in the gazetteer.
_LOCATED = 40

ROLES: dict[str, Any] = {
    "ref": _("Number or reference of the row"),
    "what": _("What was damaged"),
    "object_name": _("Name of the object"),
    "grade": _("How badly"),
    "cause": _("Cause"),
    "day": _("Day it happened"),
    "time": _("Time of that day"),
    "moment": _("Day and time it began"),
    "year": _("Year, where no day is known"),
    "month": _("Month, where no day is known"),
    "back_day": _("Day everyone was back"),
    "back_time": _("Time of the day everyone was back"),
    "back": _("Day and time everyone was back"),
    "country": _("Country"),
    "region": _("Region"),
    "district": _("District"),
    "pcode": _("P-code of the area"),
    "place": _("Settlement or place"),
    "address": _("Address"),
    "lat": _("Latitude"),
    "lon": _("Longitude"),
    "point": _("Latitude and longitude in one"),
    "customers_lost": _("How many are without supply"),
    "customers_served": _("How many are served"),
    "dwellings_total": _("Dwellings in the building"),
    "description": _("Description"),
    "source_name": _("Name of the source"),
    "source_url": _("Address of the source"),
    "source_date": _("Published on"),
    "more_sources": _("Addresses of more sources"),
}
#: Several columns may have these.
_MANY = ("description", "cause")
_DAYS = ("day", "moment", "back_day", "back", "source_date")
_TEXTS = (
    "country",
    "region",
    "district",
    "place",
    "address",
    "object_name",
    "source_name",
    "description",
    "pcode",
)
_COUNTS = ("customers_lost", "customers_served", "dwellings_total")


@dataclass
class Column:
    """A column: its different cells and how often each stands; ``role`` (see ROLES) or empty if it is not read,
    and ``sure``, from 0 to 1. ``formats`` of days and times; ``either``: they can be read two ways, and nobody
    has said which. ``means``: what its words are, empty where that is not known."""

    name: str
    cells: Counter[str] = field(default_factory=Counter)
    role: str = ""
    sure: float = 0.0
    formats: list[str] = field(default_factory=list)
    either: bool = False
    scale: str = ""
    means: dict[str, str] = field(default_factory=dict)

    @cached_property
    def known(self) -> list[str]:
        """The different cells that say something, the commonest first."""
        return [text for text, _times in self.cells.most_common() if not values.is_missing(text)]

    @property
    def samples(self) -> list[str]:
        return self.known[:3]

    def take(self, role: str) -> None:
        """Read the column as this."""
        self.role, self.formats, self.either, self.means, self.scale = role, [], False, {}, ""
        if role in _DAYS:
            self.formats, self.either = values.day_formats(self.known[:1000], _HALF)
        elif role in ("time", "back_time"):
            self.formats = values.time_formats(self.known[:1000], _HALF)
        elif role == "grade":
            self.scale, means = words.grades(self.known[:MOST_WORDS])
            self.means = {text: means.get(text, "") for text in self.known[:MOST_WORDS]}
        elif role in ("what", "cause"):
            rules = words.THINGS if role == "what" else words.CAUSES
            found = {text: words.meant(rules, text) for text in self.known[:MOST_WORDS]}
            self.means = {text: coded(outcome) for text, outcome in found.items()}

    @property
    def elsewhere(self) -> bool:
        """Whether it says by which clock its moments are, so that they are not on the place's."""
        return self.role in ("moment", "back") and bool(
            any(map(values.has_zone, self.formats)) or _zone(self)
        )

    def grade_on(self, scale: str) -> None:
        """Read the words as grades of this scale, as far as it knows them."""
        self.scale, known = scale, words.grades_on(scale, self.means)
        self.means = {text: known.get(text, "") for text in self.means}

    @property
    def says_more(self) -> bool:
        """Whether its words say more than the grades: some have none, or several the same."""
        return "" in self.means.values() or len(set(self.means.values())) < len(self.means)

    def turn(self) -> None:
        """Read days with day and month the other way round."""
        self.formats = [values.OTHER_WAY.get(format, format) for format in self.formats]


def coded(outcome: dict[str, str] | None) -> str:
    """What a word means, as one code: ``network/electricity/plant``, ``weather/wind``."""
    if outcome is None:
        return ""
    if "kind" in outcome:
        return "/".join(outcome.get(key, "") for key in ("kind", "sector", "object_type"))
    return "/".join(outcome.get(key, "") for key in ("cause_group", "cause"))


def outcome(role: str, code: str) -> dict[str, str]:
    """What a code of ``coded`` says, as a mapping writes it."""
    if code == "leave_out":
        return {"leave_out": str(_("Left out by whoever imported it"))}
    keys = ("kind", "sector", "object_type") if role == "what" else ("cause_group", "cause")
    return {key: part for key, part in zip(keys, code.split("/"), strict=False) if part}


@dataclass
class Proposal:
    """A table's columns, and what holds for all of its rows: of fields that a row must have and no column gives."""

    name: str
    title: str
    columns: list[Column]
    country: str = ""
    kind: str = v.Kind.BUILDING
    sector: str = v.Sector.UNKNOWN
    cause_group: str = ""
    layout: dict[str, Any] = field(default_factory=dict)

    def of(self, role: str) -> Column | None:
        return next((column for column in self.columns if column.role == role), None)

    def all_of(self, role: str) -> list[str]:
        return [column.name for column in self.columns if column.role == role]

    def named(self, name: str) -> Column:
        return next(column for column in self.columns if column.name == name)

    @property
    def asks(self) -> list[Column]:
        """The columns whose days can be read two ways."""
        return [column for column in self.columns if column.either]

    def lacks(self) -> list[Any]:
        """What a report needs and nothing here gives."""
        lacking = []
        if not any(map(self.of, ("day", "moment", "year"))):
            lacking.append(_("No column says when it happened."))
        placed = ("region", "district", "place", "address", "point", "country", "pcode")
        if not any(map(self.of, placed)) and not (self.of("lat") and self.of("lon")):
            lacking.append(_("No column says where it is."))
        return lacking

    # -- as a mapping ----------------------------------------------------------------------------------

    def told(self) -> dict[str, Any]:
        """The mapping, as its file says it."""
        ref = self.of("ref")
        always: dict[str, str] = {"source_type": v.SourceType.DATASET, "source_name": self.title[:200]}
        if self.country and not self.of("country"):
            always["country"] = self.country
        if not self._named_things():
            always["kind"] = self.kind
            if self.kind != v.Kind.BUILDING:
                always["sector"] = self.sector
        if self.of("customers_lost"):
            always["customers_unit"] = v.CustomersUnit.ACCOUNTS
        if self.cause_group and not self.of("cause"):
            always["cause_group"] = self.cause_group
        grade = self.of("grade")
        if grade and grade.scale:
            always["scale"] = grade.scale
        missing = {
            cell for column in self.columns for cell in column.cells if cell and values.is_missing(cell)
        }
        return {
            "title": self.title,
            "source": self.name,
            **({"ref": ref.name} if ref else {}),
            **({"missing": sorted(missing)} if missing else {}),
            **({"table": self.layout} if self.layout else {}),
            "always": always,
            "fields": self._where() | self._when() | self._rest(),
            **({"decide": decides} if (decides := self._decides()) else {}),
        }

    def toml(self) -> str:
        """The file that holds the mapping."""
        return written(self.told())

    def _where(self) -> dict[str, Any]:
        fields: dict[str, Any] = {
            name: column.name for name in ("country", "address", "lat", "lon") if (column := self.of(name))
        }
        pcode, region = self.of("pcode"), self.of("region")
        # P-codes as few as the regions are those of the regions.
        coded = "region" if pcode and region and len(pcode.known) <= len(region.known) + 2 else "district"
        for name in ("region", "district"):
            ways: list[Any] = [column.name] if (column := self.of(name)) else []
            if pcode and name == coded:
                ways.insert(0, {"column": pcode.name, "scheme": "pcode"})
            if ways:
                fields[name] = ways if len(ways) > 1 else ways[0]
        if point := self.of("point"):
            fields |= {name: {"column": point.name, "part": n} for n, name in enumerate(("lat", "lon"), 1)}
        parts = [column.name for name in ("address", "place") if (column := self.of(name))]
        if parts:
            fields["place"] = {"columns": parts, "join": ", "} if len(parts) > 1 else parts[0]
        return fields

    def _when(self) -> dict[str, Any]:
        fields: dict[str, Any] = {}
        for day, time, moment, field_name in (
            ("day", "time", "moment", "started_at"),
            ("back_day", "back_time", "back", "restored_at"),
        ):
            ways = [_way(self.of(moment))] if self.of(moment) else []
            days, times = self.of(day), self.of(time)
            if days and times and days.formats and times.formats:
                formats = [f"{one} {other}" for one in days.formats for other in times.formats]
                ways.append({"columns": [days.name, times.name], "format": formats, **_zone(times)})
            if ways:
                fields[field_name] = ways
        if (back := self.of("back_day")) and "restored_at" not in fields:
            fields["restored_at"] = _way(back)
        # The day of a moment by another clock than the place's is told by the form, which knows the place.
        occurred = [
            _way(column) for column in map(self.of, ("day", "moment")) if column and not column.elsewhere
        ]
        year, month = self.of("year"), self.of("month")
        if year and month:
            said = {"format": "%Y %m", "set": {"date_precision": "month"}}
            occurred.append({"columns": [year.name, month.name], **said})
        if year:
            occurred.append({"column": year.name, "format": "%Y", "set": {"date_precision": "year"}})
        if occurred:
            fields["occurred_to"] = occurred
        return fields

    def _rest(self) -> dict[str, Any]:
        plain = ("object_name", "source_url", "more_sources")
        fields: dict[str, Any] = {name: column.name for name in plain if (column := self.of(name))}
        fields |= {name: _counted(column) for name in _COUNTS if (column := self.of(name))}
        if name := self.of("source_name"):
            fields["source_name"] = [name.name, {"text": self.title[:200]}]
        if published := self.of("source_date"):
            fields["source_date"] = _way(published)
        if ref := self.of("ref"):
            fields["source_ref"] = ref.name
        grade = self.of("grade")
        kept = [grade.name] if grade and grade.says_more else []
        if described := [*self.all_of("description"), *self.all_of("cause"), *kept]:
            fields["description"] = {"columns": described, "join": "; "}
        if grade:
            fields["scale_grade"] = {"column": grade.name, "values": grade.means}
        return fields

    def _named_things(self) -> list[str]:
        """The columns whose words say what was damaged, where there is none for it."""
        if what := self.of("what"):
            return [what.name]
        return self.all_of("description") if self.kind == v.Kind.BUILDING else []

    def _decides(self) -> list[dict[str, Any]]:
        decides = []
        if what := self.of("what"):
            means = {text: outcome("what", code) for text, code in what.means.items() if code}
            decide: dict[str, Any] = {"column": what.name, "values": means}
            if any(map(values.is_missing, what.cells)):
                decide["blank"] = {"leave_out": str(_("The row does not say what was damaged"))}
            decides.append(decide)
        elif named := self._named_things():
            # Where a row has several descriptions, the last that says something decides.
            unknown = {"kind": v.Kind.BUILDING.value, "object_type": v.BuildingUse.UNKNOWN.value}
            for place, name in enumerate(reversed(named)):
                none = unknown if place == 0 else {}
                decides.append({"column": name, "blank": none, "otherwise": none, "words": self._rules(name)})
        for cause in self.all_of("cause"):
            column = self.named(cause)
            means = {text: outcome("cause", code) for text, code in column.means.items() if code}
            decides.append({"column": cause, "values": means, "otherwise": {}})
        return decides

    def _rules(self, name: str) -> list[dict[str, Any]]:
        """The rules that say something of the words of a column, as a mapping writes them."""
        found = [words.meant(words.THINGS, text) for text in self.named(name).known]
        return [{"any": list(any_of), **said} for any_of, said in words.THINGS if said in found]


def _way(column: Column | None) -> Any:
    assert column is not None
    if not column.formats:
        return column.name
    return {"column": column.name, "format": column.formats, **_zone(column)}


def _counted(column: Column) -> Any:
    sign = numbers.thousands(column.known)
    return {"column": column.name, "thousands": sign} if sign else column.name


def _zone(column: Column) -> dict[str, str]:
    """The zone that a heading names, of cells that hold a time and do not say theirs."""
    timed = column.role in ("time", "back_time") or any(map(values.has_time, column.formats))
    universal = {"utc", "gmt"} & set(words.folded(column.name).split())
    return {"zone": "UTC"} if universal and timed and not any(map(values.has_zone, column.formats)) else {}


# -- proposing ---------------------------------------------------------------------------------------------


def propose(sample: Sample, name: str, title: str) -> Proposal:
    """What a table's columns are, as far as its headings and first rows say. ``name``: of the mapping."""
    columns = [Column(heading, cells) for heading, cells in sample.cells.items()]
    scored = [
        (score, role, place)
        for place, column in enumerate(columns)
        for role, score in _scores(column).items()
        if score >= words.LEAST
    ]
    taken = set[str]()
    for score, role, place in sorted(scored, key=lambda one: (-one[0], one[2])):
        # A day that no heading names is a guess, for a table where none is named.
        guess = role in _WHEN and score <= _GUESS and taken & _WHEN
        if not columns[place].role and role not in taken and not guess:
            columns[place].take(role)
            columns[place].sure = score
            taken |= {role} if role not in _MANY else set()
    proposal = Proposal(name=name, title=title, columns=columns)
    _mend(proposal)
    _settle(proposal)
    return proposal


def _scores(column: Column) -> dict[str, float]:
    """How surely a column is each of the roles that its cells allow."""
    known = column.known[:1000]
    if not known:
        return {}

    def named(role: str) -> float:
        return words.heading_score(role, column.name)

    def most(holds: Callable[[str], Any], least: float = 0.9) -> bool:
        return values.share(known, holds) >= least

    scores: dict[str, float] = {}
    counted = max(map(named, _COUNTS)) >= words.LEAST  # "number of customers" is none of a row
    if len(known) > 1 and max(column.cells.values()) == 1 and not counted:
        # No two cells alike: then a heading that holds the word is enough.
        scores["ref"] = max(named("ref"), 0.75 if named("ref") >= words.LEAST else 0)
    if most(values.url, 0.8):
        return {"source_url": max(0.6, named("source_url")), "more_sources": named("more_sources")}
    if most(values.point):
        return {"point": max(0.7, named("point"))}
    numeric = most(lambda text: values.number(text) is not None)
    if numeric:
        scores |= {
            role: named(role)
            for role, limit in (("lat", 90), ("lon", 180))
            if most(partial(values.within, limit))
        }
        if most(lambda text: text.isdecimal() and 1900 <= int(text) <= 2100):
            scores["year"] = named("year")
        if most(lambda text: text.isdecimal() and 1 <= int(text) <= 12):
            scores["month"] = named("month")
        if most(values.count):
            scores |= {role: named(role) for role in _COUNTS}
    scores |= _score_times(known, named, numeric)
    scores |= _score_words(column, named)
    if not numeric and not scores.keys() & {"day", "moment", "time"}:
        if most(partial(re.search, r"[^\W\d_]"), 0.5):
            scores |= {role: named(role) for role in _TEXTS}
        if scores.get("region") and not any(map(_is_region, known[:_LOCATED])):
            scores["region"] /= 2
        best = max(scores.values(), default=0)
        if best < words.LEAST and len(known) > 1 and values.share(known[:_LOCATED], _is_settlement) >= 0.7:
            scores["place"] = _GUESS
    return scores


def _is_region(text: str) -> bool:
    """Whether a region, or a district, bears this name or code."""
    areas_named = embedded().index.areas_named
    return any(areas_named(text, (level,), None, None, False) for level in (1, 2))


def _is_settlement(text: str) -> bool:
    """Whether the gazetteer knows a settlement by this name, or several."""
    answer = locate(text, gazetteer=embedded())
    return bool(answer.candidates) and answer.candidates[0].geo_precision == v.GeoPrecision.SETTLEMENT


def _score_times(known: list[str], named: Callable[[str], float], numeric: bool) -> dict[str, float]:
    said = max(map(named, _DAYS)) >= words.LEAST
    formats, _either = values.day_formats(known[:300], _HALF if said else 0.9)
    if formats and (not numeric or said):
        timed = any(map(values.has_time, formats)) and not values.all_midnight(known[:300], formats)
        if timed:
            moment = max(_GUESS, named("moment"), named("day"))
            return {"moment": moment, "back": max(named("back"), named("back_day"))}
        back = max(named("back"), named("back_day"))
        return {"day": max(_GUESS, named("day")), "back_day": back, "source_date": named("source_date")}
    timely = max(named("time"), named("back_time")) >= words.LEAST
    if not numeric and values.time_formats(known[:300], _HALF if timely else 0.9):
        return {"time": max(_GUESS, named("time")), "back_time": named("back_time")}
    return {}


def _score_words(column: Column, named: Callable[[str], float]) -> dict[str, float]:
    """Columns of a few words that stand again and again, by how many of the words are known."""
    known = column.known
    if len(known) > MOST_WORDS:
        return {}
    scores = {}
    for role, rules in (("what", words.THINGS), ("cause", words.CAUSES)):
        found = values.share(known, partial(words.meant, rules))
        if found >= 0.3:
            scores[role] = 0.5 * named(role) + 0.5 * found
    scale, means = words.grades(known)
    if (scale or named("grade") > 0.8) and (named("grade") or not all(text.isdecimal() for text in known)):
        scores["grade"] = 0.5 * named("grade") + 0.5 * len(means) / len(known)
    return scores


def _mend(proposal: Proposal) -> None:
    """What columns are beside each other: a municipality is the place where nothing finer is, and the start and end of
    a form that somebody filled in are none of what it tells."""
    district = proposal.of("district")
    if district and not proposal.of("place") and words.heading_score("place", district.name) > 0.9:
        district.take("place")
    if {"_uuid", "_submission_time"} & {column.name for column in proposal.columns}:
        for column in proposal.columns:
            if column.name in ("start", "end"):
                column.take("")
                column.sure = 0.0


def _settle(proposal: Proposal) -> None:
    """Propose what holds for all rows; half a point is none."""
    for half, other in (("lat", "lon"), ("lon", "lat")):
        if (column := proposal.of(half)) and not proposal.of(other):
            column.take("")
            column.sure = 0.0
    if proposal.of("customers_lost") or proposal.of("back") or proposal.of("back_day"):
        proposal.kind = v.Kind.OUTAGE
        said = " ".join([proposal.title, *(column.name for column in proposal.columns)])
        if words.meant(words.ELECTRICITY, said):
            proposal.sector = v.Sector.ELECTRICITY
    if not proposal.of("country") and (regions := proposal.of("region")):
        proposal.country = _country_of(Counter({text: regions.cells[text] for text in regions.known}))


def _country_of(regions: Counter[str]) -> str:
    """The country in which two thirds of these regions, or districts, lie by their rows, and half as many in no other;
    empty if there is none."""
    areas_named, seen = embedded().index.areas_named, Counter[str]()
    for region, times in regions.most_common(100):
        ways = (areas_named(region, (level,), None, None, False) for level in (1, 2))
        named = next(filter(None, ways), [])
        seen.update(dict.fromkeys({area.country for area in named}, times))
    (country, most), (_other, next_most) = [*seen.most_common(2), ("", 0), ("", 0)][:2]
    return country if 3 * most >= 2 * regions.total() and most >= 2 * next_most else ""
