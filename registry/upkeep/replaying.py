"""Reports replayed: whether each is what its entries tell, now and in the office's past.

Everything is compared as the plain values that entries keep (``journal.plain``). Rows are read by a bare
cursor and made plain where their type asks for it, several times faster than instances of models.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime
from decimal import Decimal
from functools import cache, lru_cache
from itertools import pairwise
from operator import itemgetter
from types import SimpleNamespace
from typing import Any
from uuid import UUID

from django.db import connections, models
from django.db.models import QuerySet
from django.db.models.functions import Cast
from django.utils.translation import gettext as _

from registry import geo
from registry.actions import journal
from registry.models import CHILDREN, Asset, Entry, Incident, PastReport, Report, Wording
from registry.models.reports import ROW_FIELDS
from registry.models.story import Child
from registry.rules.vocabularies import EntryKind, Holder

_JOURNALED = journal.JOURNALED
#: When the row last changed.
_STAMPS = ("valid_from", "updated_utc")
_OF_REPORT = (
    "id",
    "version",
    *_JOURNALED,
    *journal.DERIVED,
    *_STAMPS,
    "of_asset__reference",
    "of_incident__reference",
)
_TOLD = tuple(name for name in _JOURNALED if name in ROW_FIELDS)
_OF_PAST = ("report_id", "valid_from", "valid_to", *_TOLD, "asset", "incident", "cell", "updated_utc")
#: What an entry's columns are called in its body.
_IN_BODY = {
    "number": "number",
    "kind": "kind",
    "move": "move",
    "by_id": "by",
    "role": "role",
    "happened_at": "happened_at",
    "recorded_at": "recorded_at",
    "from_status": "from",
    "to_status": "to",
}
_OF_WORDING = ("entry__report", "entry_id", "texts")
_OF_ENTRY = ("report_id", "id", "body", "digest", *_IN_BODY)
_journaled, _told, _in_body = itemgetter(*_JOURNALED), itemgetter(*_TOLD), itemgetter(*_IN_BODY.values())


def replay(first: int, last: int, *, using: str) -> Iterator[tuple[str, str]]:
    """The reports whose ids lie from ``first`` to before ``last``: (reference, fault) of each fault."""

    def within(rows: QuerySet[Any], name: str = "report") -> QuerySet[Any]:
        return rows.using(using).filter(**{f"{name}__gte": first, f"{name}__lt": last})

    entries = _grouped(_plain(within(Entry.objects.order_by("report", "number")), _OF_ENTRY, using))
    words = within(Wording.objects.order_by(), "entry__report")
    texts = _grouped(_plain(words, _OF_WORDING, using))
    office = PastReport.objects.filter(holder=Holder.OFFICE).order_by("report", "valid_from")
    past = _grouped(_plain(within(office), _OF_PAST, using))
    children: defaultdict[int, list[Child]] = defaultdict(list)
    for table in CHILDREN:
        for child in within(table._default_manager.all()):
            children[child.report_id].append(child)
    for row in _plain(within(Report.objects.order_by("pk"), "pk"), _OF_REPORT, using):
        now = dict(zip(_OF_REPORT, row, strict=True))
        pk = now["id"]
        story = _Story(now, entries[pk], texts[pk], past[pk], children[pk], using)
        for fault in story.faults():
            yield now["reference"], fault


# -- plain values --------------------------------------------------------------------------------------


def _plain(rows: QuerySet[Any], names: tuple[str, ...], using: str) -> Iterator[list[Any]]:
    """These columns of the rows as plain values."""
    # Days and moments come as text: neither driver nor Django makes an object of them.
    columns = [_as_text(rows.model, name) for name in names]
    sql, params = rows.values_list(*columns).query.sql_with_params()
    makers = [(names.index(name), make) for name, make in _makers(rows.model._meta, names)]
    with connections[using].cursor() as cursor:
        cursor.execute(sql, params)
        for row in cursor:
            values = list(row)
            for place, make in makers:
                if values[place] is not None:
                    values[place] = make(values[place])
            yield values


def _as_text(model: type[models.Model], name: str) -> Any:
    is_day = "__" not in name and isinstance(model._meta.get_field(name), models.DateField)
    return Cast(name, models.TextField()) if is_day else name


@cache
def _makers(meta: Any, names: tuple[str, ...]) -> list[tuple[str, Callable[[Any], Any]]]:
    """The columns whose values are not plain yet, and what makes them so."""
    return [(name, make) for name in names if (make := _maker(meta, name))]


def _maker(meta: Any, name: str) -> Callable[[Any], Any] | None:
    """What makes a column's values plain, from what either database's driver gives; None for those that are."""
    if "__" in name:
        return None
    match field := meta.get_field(name):
        case models.DateTimeField():
            return lambda v: f"{v[:10]}T{v[11:].removesuffix('+00')}Z"
        case models.DecimalField():
            form = f".{field.decimal_places}f"
            return lambda v: format(v, form)
        case models.UUIDField():
            return lambda v: str(UUID(str(v)))
        case models.JSONField():
            return lambda v: json.loads(v) if isinstance(v, str) else v
    return None


def _grouped(rows: Iterable[list[Any]]) -> defaultdict[int, list[list[Any]]]:
    """The rows by their first column."""
    groups: defaultdict[int, list[list[Any]]] = defaultdict(list)
    for row in rows:
        groups[row[0]].append(row)
    return groups


def _differing(names: Iterable[str], found: Iterable[Any], expected: Iterable[Any]) -> list[str]:
    return [name for name, one, other in zip(names, found, expected, strict=True) if one != other]


@lru_cache(maxsize=4096)
def _cell(lat: str | None, lon: str | None) -> int | None:
    return None if lat is None or lon is None else geo.cell(Decimal(lat), Decimal(lon))


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


# -- one report ----------------------------------------------------------------------------------------


class _Story:
    """One report with its entries, their texts, the office's past of it, and its children."""

    def __init__(
        self,
        now: dict[str, Any],
        entries: list[list[Any]],
        texts: list[list[Any]],
        past: list[list[Any]],
        children: list[Child],
        using: str,
    ) -> None:
        self.now, self.entries, self.past, self.children = now, entries, past, children
        self.using = using
        self.bodies: list[dict[str, Any]] = []
        #: The digest of each text by its entry and field, and the words that are left by their digest.
        self.texts: dict[tuple[int, str], str] = {}
        self.words: dict[str, str] = {}
        for _report, entry, salted in texts:
            for field, text in salted.items():
                digest = self.texts[entry, field] = journal.digest(text)
                self.words[digest] = text[Wording.SALT :]

    def faults(self) -> Iterator[str]:
        if not self.entries:
            yield _("it has no entries")
            return
        for _report, _pk, *entry in self.entries:
            yield from self._entry(*entry)
        if len(self.bodies) < len(self.entries):
            return
        numbers = [body["number"] for body in self.bodies]
        if numbers != list(range(1, self.now["version"] + 1)):
            yield _("entries are missing: there are %(numbers)s of %(version)d") % {
                "numbers": ", ".join(map(str, numbers)), "version": self.now["version"],
            }  # fmt: skip
            return
        yield from self._texts()
        yield from self._children()
        yield from self._states()

    def _entry(self, text: str, digest: bytes, number: int, *columns: Any) -> Iterator[str]:
        if journal.hashed(text) != digest:
            yield _("entry %(number)d does not match its digest") % {"number": number}
            return
        body = journal.read(text)
        self.bodies.append(body)
        columns, told = (number, *columns), _in_body(body)
        wrong = _differing(_IN_BODY, columns, told) if columns != told else []
        if body["report"] != self.now["reference"]:
            wrong.append("report")
        for column in wrong:
            yield _("entry %(number)d: its column %(column)s is not what it says") % {
                "number": number, "column": column,
            }  # fmt: skip

    def _texts(self) -> Iterator[str]:
        kept = dict(self.texts)
        erased = {
            body["move"].removeprefix("erase:") for body in self.bodies if body["kind"] == EntryKind.ERASED
        }
        for (_report, pk, *_columns), body in zip(self.entries, self.bodies, strict=True):
            for field, digest in body["texts"].items():
                found = kept.pop((pk, field), None)
                if digest and found != digest and not (found is None and field in erased):
                    yield _("entry %(number)d: the text of %(field)s is missing or altered") % {
                        "number": body["number"], "field": field,
                    }  # fmt: skip
        for _entry, field in kept:
            yield _("a text of %(field)s belongs to no entry") % {"field": field}

    def _children(self) -> Iterator[str]:
        by_entry: defaultdict[int, list[list[str]]] = defaultdict(list)
        for child in self.children:
            by_entry[child.entry_id].append([child._meta.model_name or "", journal.child_digest(child)])
        voided: dict[tuple[str | None, int], str] = {}
        for (_report, pk, *_columns), body in zip(self.entries, self.bodies, strict=True):
            voided |= dict.fromkeys(body["voids"], body["recorded_at"])
            if sorted(by_entry.pop(pk, [])) != body["rows"]:
                yield _("entry %(number)d: a line it added is missing or altered") % {
                    "number": body["number"]
                }
        if by_entry:
            yield _("a line hangs on it that none of its entries added")
        for child in self.children:
            if journal.plain(child.voided_at) != voided.get((child._meta.model_name, child.pk)):
                yield _("a line was struck out, or is not, other than its entries say")

    def _states(self) -> Iterator[str]:
        """The row against the last state that the entries tell, the past against those before it: one
        version from each moment at which the row changed to the next."""
        moved = self._moved()
        spans = [
            (since, until, place) for (_place, since), (place, until) in pairwise(moved) if since < until
        ]
        in_order = [row[1:3] for row in self.past] == [[since, until] for since, until, _place in spans]
        if not in_order:
            yield _("its past has gaps or overlaps")
        versions = {place: row for (_s, _u, place), row in zip(spans, self.past, strict=False)}
        state: dict[str, Any] = {}
        for place, state in enumerate(journal.told(self.bodies, self.words), start=1):
            if in_order and place in versions:
                yield from self._version(versions[place], state)
        yield from self._row(state, changed_at=moved[-1][1])

    def _moved(self) -> list[tuple[int, str]]:
        """Where in the timeline, and when, the row changed; within one second the last state counts."""
        moved: list[tuple[int, str]] = []
        for place, body in enumerate(self.bodies):
            if place and journal.ROW_ATTRIBUTES.isdisjoint((*body["fields"], *body["texts"])):
                continue
            if not moved or moved[-1][1] != body["recorded_at"]:
                moved.append((place, body["recorded_at"]))
        return moved

    def _row(self, state: dict[str, Any], *, changed_at: str) -> Iterator[str]:
        now, expected = self.now, _journaled(state)
        found = _journaled(now)
        wrong = _differing(_JOURNALED, found, expected) if found != expected else []
        wrong += [name for name, value in self._derived().items() if now[name] != value]
        wrong += [name for name in _STAMPS if now[name] != changed_at]
        if wrong:
            yield _("not what its entries tell: %(columns)s") % {"columns": ", ".join(dict.fromkeys(wrong))}

    def _derived(self) -> dict[str, Any]:
        """What the journal would derive from the row as it stands."""
        now = self.now
        row: Any = SimpleNamespace(
            lat=None if now["lat"] is None else Decimal(now["lat"]),
            lon=None if now["lon"] is None else Decimal(now["lon"]),
            of_asset=now["of_asset_id"] and SimpleNamespace(reference=now["of_asset__reference"]),
            of_incident=now["of_incident_id"] and SimpleNamespace(reference=now["of_incident__reference"]),
            occurred_to=date.fromisoformat(now["occurred_to"]),
            timezone=now["timezone"],
            **{name: _moment(now[name]) for name in ("started_utc", "logged_utc", "counts_from")},
        )
        journal.derive(row, at=datetime.fromisoformat(now["valid_from"]))
        derived = {name: getattr(row, name) for name in journal.DERIVED}
        for name, make in _makers(Report._meta, journal.DERIVED):
            if derived[name] is not None:
                derived[name] = make(derived[name])
        return derived | {"counts_from": journal.plain(row.counts_from)}

    def _version(self, row: list[Any], state: dict[str, Any]) -> Iterator[str]:
        _report, since, _until, *found, asset, incident, cell, updated = row
        expected = list(_told(state))
        wrong = _differing(_TOLD, found, expected) if found != expected else []
        derived = {
            "asset": (asset, self._reference(Asset, state["of_asset_id"])),
            "incident": (incident, self._reference(Incident, state["of_incident_id"])),
            "cell": (cell, _cell(state["lat"], state["lon"])),
            "updated_utc": (updated, since),
        }
        wrong += [name for name, (found, expected) in derived.items() if found != expected]
        if wrong:
            yield _("its past from %(since)s on is not what its entries tell: %(columns)s") % {
                "since": since, "columns": ", ".join(wrong),
            }  # fmt: skip

    def _reference(self, table: type[Asset] | type[Incident], pk: int | None) -> str:
        return table._default_manager.using(self.using).get(pk=pk).reference if pk else ""
