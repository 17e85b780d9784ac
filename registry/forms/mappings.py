"""Mappings: small declarative files that say how the rows of somebody's table become reports.

docs/imports.md explains the format. An installation's own mappings lie in ``DATA_DIR/mappings``, those that
come with the register in ``registry/data/mappings``. Whatever a mapping says that is not understood is an
error when it is loaded; whatever a row says that the mapping does not know is an error of that row.
"""

import re
import tomllib
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache, partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from registry.geocoding.areas import AreaMatcher
from registry.models import AreaCode, SavedMapping
from registry.tabular import ENCODINGS, Layout

from . import numbers, wording
from .base import LocalMoment
from .moments import parsed
from .places import embedded, lineage
from .rows import RowForm

_OURS = Path(__file__).resolve().parent.parent / "data" / "mappings"
#: The areas of a row, from the widest; each may be a code or a name.
AREAS = ("country", "region", "district")
_FIELDS = {**RowForm.base_fields, **dict.fromkeys(AREAS, forms.CharField())}

Cells = dict[str, str]


class BadMapping(ValueError):
    """The mapping does not exist, is not understood, or is for another file; says which and what."""


class Unmapped(ValueError):
    """A cell holds what the mapping does not know: ``column``, and why as ``message``."""

    def __init__(self, column: str, message: Any) -> None:
        super().__init__(message)
        self.column, self.message = column, message


@dataclass
class Mapped:
    """What a row says: values of ``RowForm``, the names of its areas in order of trust, or why it is left
    out."""

    values: dict[str, str] = field(default_factory=dict)
    areas: dict[str, list[str]] = field(default_factory=dict)
    left_out: str = ""


@dataclass(frozen=True)
class Place:
    """The area that a row's names mean. ``unknown``: the words that name none, and ``problem`` how (as
    ``geocoding.areas.Match`` says it)."""

    code: str = ""
    unknown: str = ""
    problem: str = ""


@dataclass(frozen=True)
class Mapping:
    """``source`` and, where there is one, the column ``ref`` tell rows apart for good. ``needs``: columns
    without which a file is another one. ``columns``: those that each field is read from. ``layout``: how the
    table lies in its file, as far as the mapping says."""

    name: str
    title: str
    source: str
    ref: str
    needs: tuple[str, ...]
    steps: tuple[Callable[[Cells, Mapped], None], ...]
    columns: dict[str, tuple[str, ...]] = field(default_factory=dict)
    layout: Layout = field(default_factory=Layout)

    def column_of(self, name: str) -> str:
        """The first column that a field (or, of an area, any of its names) is read from; empty if none is."""
        names = ("area", *reversed(AREAS)) if name == "area" else (name,)
        return next((self.columns[one][0] for one in names if self.columns.get(one)), "")

    def refuse_other(self, headings: Iterable[str]) -> None:
        """Raise BadMapping if a file with these headings is not what the mapping is for."""
        lacking = [column for column in self.needs if column not in set(headings)]
        if lacking:
            raise BadMapping(
                _("The file has no column “%(column)s”, which the mapping %(name)s reads. It has: %(has)s.")
                % {"column": lacking[0], "name": self.name, "has": ", ".join(headings)}
            )

    def read(self, cells: Cells) -> Mapped:
        """What a row says; raises Unmapped."""
        mapped = Mapped()
        for step in self.steps:
            step(cells, mapped)
            if mapped.left_out:
                break
        return mapped


def names() -> list[str]:
    """The mappings there are: files, and those that people saved."""
    files = {path.stem for folder in _folders() for path in folder.glob("*.toml")}
    return sorted(files | set(SavedMapping.objects.values_list("name", flat=True)))


def load(name: str) -> Mapping:
    """The mapping of this name; raises BadMapping."""
    text = _text_of(name)
    try:
        return parse(name, text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise BadMapping(_("%(name)s.toml: %(error)s") % {"name": name, "error": error}) from None


def parse(name: str, text: str) -> Mapping:
    """The mapping that a file of this text holds; raises BadMapping and TOMLDecodeError."""
    return _Reader(name, tomllib.loads(text)).mapping()


def _text_of(name: str) -> str:
    """A file's text, else that of a saved mapping."""
    if name.replace("-", "").replace("_", "").isalnum():
        for folder in _folders():
            path = folder / f"{name}.toml"
            if path.is_file():
                try:
                    return path.read_text("utf-8")
                except UnicodeDecodeError as error:
                    raise BadMapping(_("%(name)s.toml: %(error)s") % {"name": name, "error": error}) from None
    saved = SavedMapping.objects.filter(name=name).first()
    if saved is None:
        raise BadMapping(
            _("There is no mapping “%(name)s”. There are: %(names)s.")
            % {"name": name, "names": ", ".join(names())}
        )
    return saved.text


def _folders() -> tuple[Path, Path]:
    return settings.DATA_DIR / "mappings", _OURS


# -- reading a mapping file --------------------------------------------------------------------------------

_READ = (
    "column", "columns", "text", "join", "format", "zone", "part", "values", "scheme", "thousands", "where", "set",
)  # fmt: skip
_DECIDE = ("column", "values", "words", "blank", "otherwise", "where")
_TOP = ("title", "source", "ref", "missing", "needs", "table", "always", "fields", "decide")
_LAYOUT = {"sheet": str, "headings": int, "encoding": str, "delimiter": str}


class _Reader:
    """Turns a file into steps over cells, so that a row costs no more than what it says."""

    def __init__(self, name: str, told: dict[str, Any]) -> None:
        self.name, self.told = name, told
        self.columns: list[str] = []
        self.read: dict[str, tuple[str, ...]] = {}
        self.missing = {"", *map(str.casefold, told.get("missing", ()))}

    def mapping(self) -> Mapping:
        told = self.told
        self._only(told, _TOP, "")
        steps = [self._always(told.get("always", {}))]
        steps += [self._decide(decide, number) for number, decide in enumerate(told.get("decide", ()), 1)]
        steps += [self._field(name, how) for name, how in told.get("fields", {}).items()]
        ref = told.get("ref", "")
        source = told.get("source", "")
        if not isinstance(source, str) or not 0 < len(source) <= 100:
            self._refuse(_("“source” must name the source in at most 100 characters"))
        needs = told.get("needs", [*([ref] if ref else []), *self.columns])
        return Mapping(
            name=self.name,
            title=told.get("title", self.name),
            source=source,
            ref=ref,
            needs=tuple(dict.fromkeys(needs)),
            steps=tuple(steps),
            columns=self.read,
            layout=self._layout(told.get("table", {})),
        )

    def _layout(self, told: Any) -> Layout:
        self._only(told, tuple(_LAYOUT), "[table]")
        for key, kind in _LAYOUT.items():
            if key in told and not isinstance(told[key], kind):
                self._refuse(_("%(where)s: “%(key)s” is of another kind") % {"where": "[table]", "key": key})
        encoding = told.get("encoding", "")
        if encoding and encoding not in ENCODINGS:
            self._refuse(
                _("%(where)s: “%(key)s” is not known; known are %(known)s")
                % {"where": "[table]", "key": encoding, "known": ", ".join(ENCODINGS)}
            )
        if len(told.get("delimiter", ",")) != 1 or told.get("headings", 0) < 0:
            self._refuse(_("[table]: a delimiter is one sign, and rows count from 1"))
        return Layout(**told)

    def _refuse(self, message: Any) -> None:
        raise BadMapping(f"{self.name}.toml: {message}")

    def _only(self, told: Any, known: Iterable[str], where: str) -> None:
        """Refuse what is no table, and keys nobody reads: a slip of the pen must not pass in silence."""
        if not isinstance(told, dict):
            self._refuse(_("%(where)s must be a table") % {"where": where or _("the file")})
        for key in told:
            if key not in known:
                self._refuse(
                    _("%(where)s: “%(key)s” is not known; known are %(known)s")
                    % {"where": where or _("the file"), "key": key, "known": ", ".join(known)}
                )

    def _outcome(self, told: Any, where: str) -> Callable[[Mapped], None]:
        """A table of fields and their values, or a reason to leave the row out."""
        self._only(told, ("leave_out", *_FIELDS), where)
        values = {name: str(value) for name, value in told.items() if name not in ("leave_out", *AREAS)}
        areas = {name: [str(told[name])] for name in AREAS if name in told}
        left_out = str(told.get("leave_out", ""))

        def put(mapped: Mapped) -> None:
            mapped.left_out = left_out
            mapped.values.update(values)
            mapped.areas.update(areas)

        return put

    def _always(self, told: Any) -> Callable[[Cells, Mapped], None]:
        put = self._outcome(told, "[always]")
        return lambda cells, mapped: put(mapped)

    def _cell(self, column: str) -> Callable[[Cells], str]:
        """The cell of a column, empty where it says that nothing is known."""
        self.columns.append(column)
        missing = self.missing

        def cell(cells: Cells) -> str:
            text = cells.get(column, "")
            return "" if not text or text.casefold() in missing else text

        return cell

    def _where(self, told: dict[str, Any], where: str) -> Callable[[Cells], bool]:
        """Whether a row is one of those that the rule is for."""
        tests = [
            (
                self._cell(column),
                {str(v).casefold() for v in ([wanted] if isinstance(wanted, str) else wanted)},
            )
            for column, wanted in told.get("where", {}).items()
        ]
        return lambda cells: all(cell(cells).casefold() in wanted for cell, wanted in tests)

    # -- columns that decide on several fields -----------------------------------------------------------

    def _decide(self, told: Any, number: int) -> Callable[[Cells, Mapped], None]:
        where = f"[[decide]] {number}"
        self._only(told, _DECIDE, where)
        if "column" not in told:
            self._refuse(_("%(where)s names no column") % {"where": where})
        column = told["column"]
        cell, applies = self._cell(column), self._where(told, where)
        values = {
            value.casefold(): self._outcome(outcome, f"{where} {value}")
            for value, outcome in told.get("values", {}).items()
        }
        words = [self._words(entry, f"{where} words") for entry in told.get("words", ())]
        blank = self._outcome(told.get("blank", {}), f"{where} blank")
        otherwise = self._outcome(told["otherwise"], f"{where} otherwise") if "otherwise" in told else None
        for outcome in (*told.get("values", {}).values(), *told.get("words", ()), told.get("otherwise", {})):
            self.read |= {name: (column,) for name in outcome if name not in self.read}

        def decide(cells: Cells, mapped: Mapped) -> None:
            if not applies(cells):
                return
            text = cell(cells)
            put = values.get(text.casefold()) if text else blank
            put = put or next((put for found, put in words if found.search(wording.plain(text))), otherwise)
            if put is None:
                raise Unmapped(column, _("The mapping does not say what “%(text)s” is.") % {"text": text})
            put(mapped)

        return decide

    def _words(self, told: Any, where: str) -> tuple[re.Pattern[str], Callable[[Mapped], None]]:
        self._only(told, ("any", "leave_out", *_FIELDS), where)
        if not told.get("any"):
            self._refuse(_("%(where)s: “any” must list words") % {"where": where})
        fields = {key: value for key, value in told.items() if key != "any"}
        return wording.pattern(tuple(map(str, told["any"]))), self._outcome(fields, where)

    # -- fields --------------------------------------------------------------------------------------------

    def _field(self, name: str, told: Any) -> Callable[[Cells, Mapped], None]:
        """A field from a column, or from the first of several ways that gives something."""
        if name not in _FIELDS:
            self._refuse(
                _("[fields]: there is no field “%(field)s”; there are %(known)s")
                % {"field": name, "known": ", ".join(sorted(_FIELDS))}
            )
        before = len(self.columns)
        ways = [self._way(name, way) for way in (told if isinstance(told, list) else [told])]
        self.read[name] = tuple(self.columns[before:])
        if name in AREAS:

            def put_areas(cells: Cells, mapped: Mapped) -> None:
                mapped.areas[name] = [text for way, _extra in ways if (text := way(cells))]

            return put_areas

        def put(cells: Cells, mapped: Mapped) -> None:
            for way, extra in ways:
                if text := way(cells):
                    mapped.values[name] = text
                    extra(mapped)
                    return

        return put

    def _way(self, name: str, told: Any) -> tuple[Callable[[Cells], str], Callable[[Mapped], None]]:
        """One way to read a field, and what else holds where that way was taken."""
        told = {"column": told} if isinstance(told, str) else told
        where = f"[fields] {name}"
        self._only(told, _READ, where)
        if sum(key in told for key in ("column", "columns", "text")) != 1:
            self._refuse(_("%(where)s takes one of column, columns, text") % {"where": where})
        read, extra = self._text(name, told, where), self._outcome(told.get("set", {}), where)
        if "where" not in told:
            return read, extra
        applies = self._where(told, where)
        return lambda cells: read(cells) if applies(cells) else "", extra

    def _text(self, name: str, told: dict[str, Any], where: str) -> Callable[[Cells], str]:
        if "text" in told:
            text = str(told["text"])
            return lambda cells: text
        parts = [self._cell(column) for column in told.get("columns", [told.get("column")])]
        join, whole = told.get("join", " "), "format" in told
        turn = self._turn(name, told, where)

        if len(parts) == 1:
            only = parts[0]
            return lambda cells: turn(text) if (text := only(cells)) else ""

        def read(cells: Cells) -> str:
            found = [text for part in parts if (text := part(cells))]
            if not found or (whole and len(found) < len(parts)):
                return ""
            return turn(join.join(found))

        return read

    def _turn(self, name: str, told: dict[str, Any], where: str) -> Callable[[str], str]:
        """From a file's words to what the form reads; what is not understood is left for it to refuse."""
        if "values" in told:
            values = {str(key).casefold(): str(value) for key, value in told["values"].items()}
            return lambda text: values.get(text.casefold(), text)
        if "part" in told:
            return partial(_part, int(told["part"]))
        if "scheme" in told:
            scheme = str(told["scheme"])
            return lambda text: _code_of(scheme, text) or ""
        kind = _FIELDS[name]
        if isinstance(kind, (LocalMoment, forms.DateField)):
            return self._moment(told, isinstance(kind, LocalMoment), where)
        if isinstance(kind, forms.DecimalField):
            return numbers.decimal
        return self._count(told, where) if isinstance(kind, forms.IntegerField) else str

    def _count(self, told: dict[str, Any], where: str) -> Callable[[str], str]:
        thousands = told.get("thousands", "")
        if thousands not in ("", ",", "."):
            self._refuse(_("%(where)s: “thousands” is “,” or “.”") % {"where": where})

        def turn(text: str) -> str:
            number = numbers.whole(text, thousands)
            if number is None:
                raise Unmapped(
                    told.get("column", ""),
                    _(
                        "“%(text)s” can be two numbers: the mapping does not say what stands between thousands."
                    )
                    % {"text": text},
                )
            return number

        return turn

    def _moment(self, told: dict[str, Any], with_time: bool, where: str) -> Callable[[str], str]:
        said, zone = told.get("format", []), None
        formats = [said] if isinstance(said, str) else [str(format) for format in said]
        if "zone" in told:
            try:
                zone = ZoneInfo(told["zone"])
            except (ZoneInfoNotFoundError, ValueError):
                self._refuse(
                    _("%(where)s: there is no zone “%(zone)s”") % {"where": where, "zone": told["zone"]}
                )

        @lru_cache(maxsize=4096)
        def turn(text: str) -> str:
            moment = next(filter(None, (parsed(text, format) for format in formats)), None)
            if not formats:
                with suppress(ValueError):
                    moment = datetime.fromisoformat(text)
            if moment is None:
                return text
            if zone is not None:
                moment = moment.replace(tzinfo=zone).astimezone(UTC)
            return moment.isoformat() if with_time else moment.date().isoformat()

        return turn if formats or zone else str


def _part(number: int, text: str) -> str:
    """One of the numbers in a cell that holds several, as ``(50.45, 30.52)``; the cell itself if it does not."""
    found = re.split(r"[,;\s]+", text.strip("()[] "))
    return found[number - 1] if 0 < number <= len(found) else text


# -- where -------------------------------------------------------------------------------------------------


@lru_cache(maxsize=20_000)
def _code_of(scheme: str, code: str) -> str | None:
    """Our own code of an area that another scheme (P-codes …) calls ``code``."""
    known = AreaCode.objects.select_related("area").filter(scheme=scheme, code=code).first()
    return known.area.code if known else None


class Places:
    """Finds the areas that rows name: those this register loaded itself by their codes, all others by code
    or name in the gazetteer's index."""

    def __init__(self) -> None:
        self._matcher = AreaMatcher(embedded())
        self.find = lru_cache(maxsize=20_000)(self._find)

    def of(self, mapped: Mapped) -> Place:
        """The place of a row; of several names for one area the first that is known counts."""
        country, regions, districts = (tuple(mapped.areas.get(name, ())) for name in AREAS)
        return self.find(country[0] if country else "", regions, districts)

    def _find(self, country: str, regions: tuple[str, ...], districts: tuple[str, ...]) -> Place:
        own = next((code for code in districts if lineage(code)), None)
        if own:
            return Place(own)
        matches = [self._matcher.match(country, region) for region in regions] or [
            self._matcher.match(country)
        ]
        match = next((match for match in matches if match.adm1), matches[0])
        if match.adm1 is None:
            own = next((code for code in regions if lineage(code)), None)
            said = (*districts[:1], *(() if own else regions[:1]), *(() if match.country else (country,)))
            return Place(
                own or match.country or "", ", ".join(filter(None, said)), "" if own else match.problem
            )
        state = match.country or country
        finer = [self._matcher.match(state, match.adm1, district) for district in districts] or [match]
        best = next((found for found in finer if not found.problem), finer[0])
        return Place(best.adm2 or match.adm1, districts[0] if best.problem else "", best.problem)


def problems() -> Iterator[tuple[str, Any]]:
    """The ways in which a place may stay unknown, and their words."""
    yield "country_unknown", _("country not known")
    yield "country_ambiguous", _("several countries fit")
    yield "region_unknown", _("region not known")
    yield "region_ambiguous", _("several regions fit")
    yield "district_unknown", _("district not known")
    yield "district_ambiguous", _("several districts fit")
