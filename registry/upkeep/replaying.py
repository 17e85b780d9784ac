"""Reports replayed: whether each is what its entries tell, now and in the office's past.

Rows are read by a bare cursor and compared as the database gives them: what entries tell, the few values
that changed, is put into that form, and not all the columns of every row into another. What is the same so
needs no closer look.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from functools import cache, lru_cache
from itertools import pairwise
from operator import itemgetter
from types import SimpleNamespace
from typing import Any

from django.db import connections, models
from django.db.models import QuerySet
from django.db.models.functions import Cast
from django.utils.translation import gettext as _

from registry import geo
from registry.actions import journal
from registry.models import CHILDREN, Asset, Entry, Incident, PastReport, Report, Wording
from registry.models.reports import ROW_FIELDS
from registry.models.sql import kept_off
from registry.models.story import Child
from registry.rules.vocabularies import EntryKind, Holder

_JOURNALED = journal.JOURNALED
#: The columns that follow from a point.
_SNAPPED = tuple(journal.of_point(None, None))
_OF_REPORT = (
    "pk", "reference", "of_asset__reference", "of_incident__reference", "version",
    *_JOURNALED, "asset", "incident", "valid_from", "updated_utc", *_SNAPPED,
)  # fmt: skip
_TOLD = tuple(name for name in _JOURNALED if name in ROW_FIELDS)
_OF_PAST = ("report_id", "valid_from", "valid_to", *_TOLD, "asset", "incident", "updated_utc", "cell")
#: What an entry's columns are called in its body.
_IN_BODY = {
    "number": "number",
    "kind": "kind",
    "move": "move",
    "by_id": "by",
    "role": "role",
    "from_status": "from",
    "to_status": "to",
    "happened_at": "happened_at",
    "recorded_at": "recorded_at",
}
_OF_ENTRY = ("report_id", "pk", "body", "digest", *_IN_BODY)
_OF_WORDING = ("entry__report", "entry_id", "texts")
_OF_CHILD = ("report_id", "entry_id", "pk", "voided_at")
_journaled, _told, _in_body = itemgetter(*_JOURNALED), itemgetter(*_TOLD), itemgetter(*_IN_BODY.values())

Row = tuple[Any, ...]


def replay(first: int, last: int, *, using: str) -> Iterator[tuple[str, str]]:
    """The reports whose ids lie from ``first`` to before ``last``: (reference, fault) of each fault."""

    def read(table: type[models.Model]) -> list[Row]:
        sql, params = _statement(table, using)
        with connections[using].cursor() as cursor:
            cursor.execute(sql, [*params, first, last])
            return cursor.fetchall()

    entries, texts, past = (_grouped(read(table)) for table in (Entry, Wording, PastReport))
    lines: defaultdict[int, list[tuple[type[Child], Row]]] = defaultdict(list)
    for table in CHILDREN:
        for row in read(table):
            lines[row[0]].append((table, row))
    kept = _Kept(using)
    for pk, reference, asset, incident, version, *columns in read(Report):
        kept.references[Asset, columns[_ASSET]] = asset
        kept.references[Incident, columns[_INCIDENT]] = incident
        story = _Story(reference, version, columns, entries[pk], texts[pk], past[pk], lines[pk], kept)
        for fault in story.faults():
            yield reference, fault


@cache
def _statement(table: type[models.Model], using: str) -> tuple[str, tuple[Any, ...]]:
    """What reads a table's rows of a range of reports, and its parameters but for the two of the range. Columns
    of which drivers or Django would make objects are read as text."""
    rows, names, report = _read(table)
    is_postgresql = connections[using].vendor == "postgresql"
    made = (models.DateField, models.DecimalField, models.UUIDField) if is_postgresql else (models.DateField,)
    columns = [
        Cast(name, models.TextField()) if isinstance(_field(table, name), made) else name for name in names
    ]
    rows = rows.using(using).filter(**{f"{report}__gte": 0, f"{report}__lt": 0}).values_list(*columns)
    sql, params = rows.query.sql_with_params()
    return sql, params[:-2]


def _read(table: Any) -> tuple[QuerySet[Any], tuple[str, ...], str]:
    """The rows of a table in the order they are needed, their columns, and the one of their report."""
    if table is Report:
        return Report.objects.order_by("pk"), _OF_REPORT, "pk"
    if table is Entry:
        return Entry.objects.order_by("report", "number"), _OF_ENTRY, "report"
    if table is Wording:
        return Wording.objects.order_by(), _OF_WORDING, "entry__report"
    if table is PastReport:
        office = PastReport.objects.filter(holder=Holder.OFFICE).order_by("report", "holder", "valid_from")
        # Their index by holder would give them all, for every range.
        return kept_off(office, {"holder"}), _OF_PAST, "report"
    return table._default_manager.order_by(), (*_OF_CHILD, *journal.digested(table)), "report"


def _field(table: type[models.Model], name: str) -> Any:
    return table._meta.pk if name == "pk" or "__" in name else table._meta.get_field(name)


def _grouped(rows: Iterable[Row]) -> defaultdict[int, list[Row]]:
    """The rows by their first column."""
    groups: defaultdict[int, list[Row]] = defaultdict(list)
    for row in rows:
        groups[row[0]].append(row)
    return groups


# -- values as the database gives them -----------------------------------------------------------------


class _References(dict[tuple[Any, int | None], str]):
    """The references of assets and incidents by table and key, looked up where they are not known yet."""

    def __init__(self, using: str) -> None:
        self.using = using

    def __missing__(self, key: tuple[Any, int | None]) -> str:
        table, pk = key
        self[key] = table._default_manager.using(self.using).get(pk=pk).reference
        return self[key]


class _Kept:
    """The plain values of entries (``journal.plain``) as the database gives them."""

    def __init__(self, using: str) -> None:
        self.references = _References(using)
        self.is_postgresql = connections[using].vendor == "postgresql"
        #: What makes of a told value what the database gives, for the columns where they differ.
        self.made: dict[str, Callable[[Any], Any]] = {}
        for name in _JOURNALED:
            if make := self._maker(Report._meta.get_field(name)):
                self.made[name] = make
        self.blank = {
            name: self.made[name](value) if name in self.made and value is not None else value
            for name, value in journal.PLAIN_BLANK.items()
        }

    def _maker(self, field: Any) -> Callable[[Any], Any] | None:
        match field:
            case models.DateTimeField():
                return self.moment
            case models.DecimalField() if not self.is_postgresql:
                return float
            case models.UUIDField() if not self.is_postgresql:
                return lambda told: told.replace("-", "")
        return None

    def moment(self, told: str) -> str:
        return f"{told[:10]} {told[11:19]}{'+00' * self.is_postgresql}"

    def of_point(self, state: Mapping[str, Any]) -> list[Any]:
        """The columns that follow from a row's point."""
        lat, lon = state["lat"], state["lon"]
        if lat is None or lon is None:
            return [None] * len(_SNAPPED)
        columns = journal.of_point(Decimal(str(lat)), Decimal(str(lon))).values()
        kept = "{:.6f}".format if self.is_postgresql else float
        return [kept(value) if isinstance(value, Decimal) else value for value in columns]

    def links(self, state: Mapping[str, Any]) -> tuple[str, str]:
        """The references of the asset and the incident of a row."""
        asset, incident = state["of_asset_id"], state["of_incident_id"]
        return (
            self.references[Asset, asset] if asset else "",
            self.references[Incident, incident] if incident else "",
        )


_ASSET, _INCIDENT = _JOURNALED.index("of_asset_id"), _JOURNALED.index("of_incident_id")
_JSON = [place for place, name in enumerate(_JOURNALED) if isinstance(_field(Report, name), models.JSONField)]


@lru_cache(4096)
def _json(text: str) -> Any:
    """The value of a column of JSON, not to be changed; most rows have one of a few."""
    return json.loads(text)


@lru_cache(4096)
def _cell(lat: Any, lon: Any) -> int:
    return geo.cell(float(lat), float(lon))


@cache
def _moments(table: type[Child]) -> list[str]:
    return [name for name in journal.digested(table) if isinstance(_field(table, name), models.DateTimeField)]


def _line_digest(table: type[Child], values: list[Any]) -> str:
    """The digest of a line that hangs on a report, of its values as the database gives them."""
    told = dict(zip(journal.digested(table), values, strict=True))
    for name in _moments(table):
        if at := told[name]:
            told[name] = f"{at[:10]}T{at[11:19]}Z"
    return journal.digest(journal.canonical(told))


def _differing(names: Iterable[str], found: Iterable[Any], expected: Iterable[Any]) -> list[str]:
    return [name for name, one, other in zip(names, found, expected, strict=True) if not _same(one, other)]


def _same(one: Any, other: Any) -> bool:
    # SQLite makes slightly other numbers of text than Python does.
    return one == other or (isinstance(one, float) and isinstance(other, float) and round(one, 6) == other)


def _counts_from(state: Mapping[str, Any]) -> str:
    """The moment from which a delay that has not passed counts, without its zone."""
    started, logged = (
        state[name] and datetime.fromisoformat(f"{state[name][:19]}+00:00")
        for name in ("started_utc", "logged_utc")
    )
    row: Any = SimpleNamespace(
        started_utc=started, occurred_to=date.fromisoformat(state["occurred_to"]), timezone=state["timezone"]
    )
    return f"{max(logged, journal.latest_start(row)):%Y-%m-%d %H:%M:%S}"


# -- one report ----------------------------------------------------------------------------------------


class _Story:
    """One report with its entries, their texts, the office's past of it, and what hangs on it."""

    def __init__(
        self,
        reference: str,
        version: int,
        row: list[Any],
        entries: list[Row],
        texts: list[Row],
        past: list[Row],
        lines: list[tuple[type[Child], Row]],
        kept: _Kept,
    ) -> None:
        self.reference, self.version, self.row, self.entries = reference, version, row, entries
        self.past, self.lines, self.kept = past, lines, kept
        self.texts = {entry: json.loads(salted) for _report, entry, salted in texts}
        self.bodies: list[dict[str, Any]] = []
        #: When each of them was recorded, as the database gives it.
        self.moments: list[str] = []
        #: The words that are left, by their digest.
        self.words: dict[str, str] = {}

    def faults(self) -> Iterator[str]:
        if not self.entries:
            yield _("it has no entries")
            return
        yield from self._entries()
        if len(self.bodies) < len(self.entries):
            return
        numbers = [body["number"] for body in self.bodies]
        if numbers != list(range(1, self.version + 1)):
            yield _("entries are missing: there are %(numbers)s of %(version)d") % {
                "numbers": ", ".join(map(str, numbers)), "version": self.version,
            }  # fmt: skip
            return
        yield from self._texts()
        yield from self._lines()
        yield from self._states()

    def _entries(self) -> Iterator[str]:
        moment = self.kept.moment
        for _report, _pk, text, digest, *columns in self.entries:
            if journal.hashed(text) != digest:
                yield _("entry %(number)d does not match its digest") % {"number": columns[0]}
                continue
            body = journal.read(text)
            *told, happened, recorded = _in_body(body)
            at = moment(recorded)
            self.bodies.append(body)
            self.moments.append(at)
            expected = [*told, at if happened == recorded else moment(happened), at]
            wrong = _differing(_IN_BODY, columns, expected) if columns != expected else []
            if body["report"] != self.reference:
                wrong.append("report")
            for column in wrong:
                yield _("entry %(number)d: its column %(column)s is not what it says") % {
                    "number": columns[0], "column": column,
                }  # fmt: skip

    def _texts(self) -> Iterator[str]:
        erased = {
            body["move"].removeprefix("erase:") for body in self.bodies if body["kind"] == EntryKind.ERASED
        }
        for entry, body in zip(self.entries, self.bodies, strict=True):
            left = self.texts.get(entry[1], {})
            for field, digest in body["texts"].items():
                salted = left.pop(field, None) if digest else None
                if salted is not None and journal.digest(salted) == digest:
                    self.words[digest] = salted[Wording.SALT :]
                elif digest and (salted is not None or field not in erased):
                    yield _("entry %(number)d: the text of %(field)s is missing or altered") % {
                        "number": body["number"], "field": field,
                    }  # fmt: skip
            for field in left:
                yield _("a text of %(field)s belongs to no entry") % {"field": field}

    def _lines(self) -> Iterator[str]:
        added: defaultdict[int, list[list[Any]]] = defaultdict(list)
        for child, (_report, entry, _pk, _struck, *values) in self.lines:
            added[entry].append([child._meta.model_name, _line_digest(child, values)])
        voided: dict[tuple[str, int], str] = {}
        for entry_row, body, at in zip(self.entries, self.bodies, self.moments, strict=True):
            for table, line in body["voids"]:
                voided[table, line] = at
            if sorted(added.pop(entry_row[1], [])) != body["rows"]:
                yield _("entry %(number)d: a line it added is missing or altered") % {
                    "number": body["number"]
                }
        if added:
            yield _("a line hangs on it that none of its entries added")
        for child, (_report, _entry, pk, struck, *_values) in self.lines:
            if struck != voided.get((str(child._meta.model_name), pk)):
                yield _("a line was struck out, or is not, other than its entries say")

    def _states(self) -> Iterator[str]:
        """The row against the last state that the entries tell, the past against those before it: one
        version from each moment at which the row changed to the next."""
        moved = self._moved()
        spans = [
            (since, until, place) for (_place, since), (place, until) in pairwise(moved) if since < until
        ]
        in_order = [row[1:3] for row in self.past] == [(since, until) for since, until, _place in spans]
        if not in_order:
            yield _("its past has gaps or overlaps")
        versions = {place: row for (_s, _u, place), row in zip(spans, self.past, strict=False)}
        state: dict[str, Any] = {}
        for place, state in enumerate(self._told(), start=1):
            if in_order and place in versions:
                yield from self._version(versions[place], state)
        yield from self._row(state, changed_at=moved[-1][1])

    def _told(self) -> Iterator[dict[str, Any]]:
        """The journaled columns after each entry, as the database gives them: one dictionary, the same each
        time. A text that was erased is blank."""
        state, made = dict(self.kept.blank), self.kept.made
        for body in self.bodies:
            for name, told in body["fields"].items():
                value = told[-1]
                state[name] = made[name](value) if name in made and value is not None else value
            for name, digest in body["texts"].items():
                if name in journal.TEXT_FIELDS:
                    state[name] = self.words.get(digest, "")
            yield state

    def _moved(self) -> list[tuple[int, str]]:
        """Where in the timeline, and when, the row changed; within one second the last state counts."""
        moved: list[tuple[int, str]] = []
        for place, (body, at) in enumerate(zip(self.bodies, self.moments, strict=True)):
            if place and journal.ROW_ATTRIBUTES.isdisjoint((*body["fields"], *body["texts"])):
                continue
            if not moved or moved[-1][1] != at:
                moved.append((place, at))
        return moved

    def _row(self, state: Mapping[str, Any], *, changed_at: str) -> Iterator[str]:
        found = self.row
        for place in _JSON:
            found[place] = _json(found[place])
        derived = (*self.kept.links(state), changed_at, changed_at, *self.kept.of_point(state))
        expected = [*_journaled(state), *derived]
        wrong = _differing(_OF_REPORT[5:], found, expected) if found != expected else []
        if state["counts_from"] > changed_at and state["counts_from"][:19] != _counts_from(state):
            wrong.append("counts_from")
        if wrong:
            yield _("not what its entries tell: %(columns)s") % {"columns": ", ".join(wrong)}

    def _version(self, row: Row, state: Mapping[str, Any]) -> Iterator[str]:
        _report, since, _until, *found = row
        lat, lon = state["lat"], state["lon"]
        cell = None if lat is None or lon is None else _cell(lat, lon)
        expected = [*_told(state), *self.kept.links(state), since, cell]
        wrong = _differing(_OF_PAST[3:], found, expected) if found != expected else []
        if wrong:
            yield _("its past from %(since)s on is not what its entries tell: %(columns)s") % {
                "since": since, "columns": ", ".join(wrong),
            }  # fmt: skip
