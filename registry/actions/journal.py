"""The only writer of reports, entries, what hangs on them, and the office's past and tallies.

An action locks a report (``lock``), decides, and hands a ``Line`` to ``record``; ``record_many`` writes any
number of lines by the same few statements. In one transaction: the old row goes to the past, the report
gets its new values, an entry says what changed, tallies get a delta.

An entry's *body* is canonical JSON: codes, and of every changed field ``[before, after]``, or ``[after]`` if
it was blank; free text only as a salted digest, the text itself in the erasable ``Wording``. What is empty is
left out, and so is the moment it happened if it was recorded then (``read`` gives both again).
"""

import hashlib
import json
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import cache, lru_cache
from itertools import chain
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import IntegrityError, models, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from registry import geo
from registry.models import Command, Entry, PastReport, Person, Report, TallyDelta, Wording
from registry.models.reports import ROW_FIELDS, field_of
from registry.models.sql import blank, in_turn, insert, insert_new, undone_in_memory
from registry.models.story import Child
from registry.rules import access
from registry.rules.access import GRIDS, Verb
from registry.rules.vocabularies import CustomersUnit, EntryKind, Holder

#: Fields whose words an entry keeps only as a salted digest.
TEXT_FIELDS = frozenset(
    {
        "description",
        "contact",
        "address",
        "object_name",
        "place_typed",
        "geocode_matched",
        "summary",
        "sources",
        "contractor",
        "plan_scope",
        "plan_funder",
    }
)

#: Fields that follow from others or from the journal itself; entries do not repeat them.
_UNTOLD = frozenset(
    {"id", "version", "valid_from", "updated_utc", "sort_key", "cell", "asset", "incident"}
    | {f"{name}_{step}" for step in GRIDS for name in ("lat", "lon", "cell")}
)

#: The geocoder's queue: comes and goes without an entry.
_QUEUE = ("geocode_after", "geocode_tries")

#: The fields that entries account for, by attribute name.
JOURNALED: tuple[str, ...] = tuple(
    f.attname for f in Report._meta.concrete_fields if f.name not in {*_UNTOLD, *_QUEUE}
)
_BLANK = {name: getattr(Report(), name) for name in JOURNALED if name != "reference"} | {"reference": ""}


class Refused(Exception):
    """An action said no. ``message`` is for the person, ``code`` for programs and tests, ``field`` names
    what to mend where there is one."""

    def __init__(self, message: Any, *, code: str = "refused", field: str = "") -> None:
        super().__init__(message)
        self.message, self.code, self.field = message, code, field


class Conflict(Refused):
    """Somebody changed the same fields since: ``fields`` maps a name to (value now, value asked for)."""

    def __init__(self, fields: dict[str, tuple[Any, Any]]) -> None:
        super().__init__(_("Somebody else has changed this in the meantime."), code="conflict")
        self.fields = fields


@dataclass
class Line:
    """What an action asks the journal to write for one report.

    ``report``: a new, unsaved report or one from ``lock``. ``fields``: new values by attribute name.
    ``texts``: words that belong to the entry alone (note, question, reason …). ``rows``: unsaved children,
    recorded by whoever acts unless they say by whom.
    ``voids``: children struck out by this line. ``happened_at`` defaults to the moment of recording.
    """

    report: Report
    kind: str
    by: Person | None = None
    fields: dict[str, Any] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    rows: Sequence[Child] = ()
    voids: Sequence[Child] = ()
    move: str = ""
    happened_at: datetime | None = None


_clock: ContextVar[datetime | None] = ContextVar("clock", default=None)


def now() -> datetime:
    """This moment in whole seconds, as the register stores moments."""
    return _clock.get() or timezone.now().replace(microsecond=0)


@contextmanager
def clock_at(at: datetime) -> Iterator[None]:
    """Record as if it were ``at``: for the sample and for tests, never for a door."""
    token = _clock.set(at.replace(microsecond=0))
    try:
        yield
    finally:
        _clock.reset(token)


def lock(reference: str) -> Report:
    """The report, locked until the transaction ends; ``Report.DoesNotExist`` if there is none."""
    return Report.objects.select_for_update(of=("self",), no_key=True).get(reference=reference)


def record(line: Line, *, at: datetime | None = None) -> Entry:
    """Write one line; see the module. Must run in a transaction that holds the report's lock."""
    return record_many([line], at=at)[0]


def record_many(lines: Sequence[Line], *, at: datetime | None = None) -> list[Entry]:
    """Write lines (each for another report) in one transaction, and return their entries in order."""
    at = (at or now()).replace(microsecond=0)
    # The action's own transaction is what is rolled back.
    with transaction.atomic(savepoint=False):
        written = [prepare(line, at) for line in lines]
        _keep_past([w for w in written if w.keeps_past], at)
        _save(written)
        entries = [w.entry for w in written]
        insert_new(entries)
        _save_texts(written)
        _save_children(written)
        insert_new([delta for w in written for delta in w.deltas])
    return entries


def require(person: Person, verb: Verb, report: Report) -> None:
    """Raise Refused unless the person may do this to this report."""
    if not access.acts_as(person) & access.WHO[verb]:
        raise Refused(_("Your role does not do this."), code="role")
    if not access.may(person, verb, report):
        raise Refused(_("This lies outside your areas or sectors."), code="area")


# -- conflicts and commands ----------------------------------------------------------------------------


def require_version(report: Report, since: int | None) -> None:
    """Raise Refused unless ``since`` is a version that the report has had, or None."""
    if since is not None and not 1 <= since <= report.version:
        raise Refused(
            _("This report has had no such version: the newest is %(newest)d.") % {"newest": report.version},
            code="since",
            field="since",
        )


def refuse_stale(report: Report, asked: dict[str, Any], *, since: int | None) -> None:
    """Raise Conflict if an entry after version ``since`` changed a field of ``asked`` to something else, Refused if
    there was no such version.

    ``asked`` maps field names to the values asked for; ``since`` None means the writer saw the newest.
    """
    require_version(report, since)
    if since in (None, report.version):
        return
    later: set[str] = set()
    for body in Entry.objects.filter(report=report, number__gt=since).values_list("body", flat=True):
        told = read(body)
        later |= told["fields"].keys() | told["texts"].keys()
    clashes = {
        name: (getattr(report, name), value)
        for name, value in asked.items()
        if name in later and getattr(report, name) != value
    }
    if clashes:
        raise Conflict(clashes)


def once(command: UUID, *, by: Person, act: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Carry out ``act`` once for this command id and return its result; a repeat returns the first result.

    ``act`` runs in the transaction; the result is JSON (references, addresses).
    """
    try:
        with in_turn(), undone_in_memory(), transaction.atomic():
            if earlier := carried_out(command, by):
                return earlier.result
            result = act()
            Command.objects.create(pk=command, by=by, done_at=now(), result=result)
            return result
    except (IntegrityError, Refused):
        # The same form may have been carried out meanwhile; then what this one wrote is rolled back.
        if earlier := carried_out(command, by):
            return earlier.result
        raise


def carried_out(command: UUID, by: Person) -> Command | None:
    """The command of this id, if it was carried out, for the one who sent it."""
    earlier = Command.objects.filter(pk=command).first()
    if earlier is not None and earlier.by_id != by.pk:
        raise Refused(_("This form was sent by somebody else."), code="command")
    return earlier


# -- canonical text --------------------------------------------------------------------------------------


def plain(value: Any) -> Any:
    """A field's value as canonical JSON has it: ISO dates, UTC moments in whole seconds, decimals as text."""
    told = _TOLD.get(type(value))
    return told(value) if told else value


@lru_cache(1024)  # lines written together share most of theirs
def _plain_moment(moment: datetime) -> str:
    return f"{moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='seconds')}Z"


_TOLD: dict[type, Callable[[Any], str]] = {
    datetime: _plain_moment,
    date: date.isoformat,
    Decimal: lambda number: f"{number:f}",
    UUID: str,
}


def canonical(body: dict[str, Any]) -> str:
    """The one text of a body: keys sorted, no white space, characters as they are."""
    return _canonical.encode(body)


_canonical = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def hashed(text: str) -> bytes:
    """SHA-256 of a text: of an entry's body."""
    return hashlib.sha256(text.encode()).digest()


def digest(text: str) -> str:
    """SHA-256 of a text as 43 letters (base64url), for the inside of bodies."""
    return urlsafe_b64encode(hashed(text))[:-1].decode()


#: The journaled fields of a report without any entry, as plain values.
PLAIN_BLANK = {name: plain(value) for name, value in _BLANK.items()}
#: What a body leaves out where it is so.
_EMPTY: dict[str, Any] = {
    "move": "", "by": None, "role": "", "from": "", "fields": {}, "texts": {}, "rows": [], "voids": []
}  # fmt: skip


def read(text: str) -> dict[str, Any]:
    """A body from its canonical text, with what that leaves out."""
    body = {**_EMPTY, **json.loads(text)}
    body.setdefault("happened_at", body["recorded_at"])
    return body


def before(told: dict[str, list[Any]], report: Report, now: dict[str, Any]) -> dict[str, Any]:
    """What fields were before an entry (``told``: its body's fields), of those that are as it left them, on the report
    or, over that, in ``now``."""
    fields = {}
    for name, pair in told.items():
        if plain(now.get(name, getattr(report, name))) == pair[-1]:
            old = pair[0] if len(pair) == 2 else PLAIN_BLANK[name]
            fields[name] = None if old is None else field_of(name).to_python(old)
    return fields


def child_digest(child: Child) -> str:
    """What an entry keeps of a line that hangs on its report: a salted digest of its own columns."""
    values = {
        name: plain(to_python(getattr(child, name)) if to_python else getattr(child, name))
        for name, to_python in digested(type(child)).items()
    }
    return digest(canonical(values))


@cache
def digested(table: type[Child]) -> dict[str, Callable[[Any], Any] | None]:
    """The columns in the digest of a line, and what makes values of them; texts are values as they are."""
    left_out = ("id", "report", "entry", "voided_at", "chosen")
    return {
        f.attname: None if isinstance(f, models.CharField | models.TextField) else f.to_python
        for f in table._meta.concrete_fields
        if f.name not in left_out
    }


# -- one line ----------------------------------------------------------------------------------------------


@dataclass
class Written:
    line: Line
    entry: Entry
    texts: dict[str, str]
    is_new: bool
    keeps_past: bool
    changed: list[str]
    deltas: list[TallyDelta]


def prepare(line: Line, at: datetime) -> Written:
    """Put a line's values on its report and write its entry's body; nothing is saved yet."""
    report = line.report
    is_new = report.pk is None
    now = vars(report)
    before = _BLANK if is_new else {name: now[name] for name in JOURNALED}
    tally_before = None if is_new else tally_key(report)
    if not is_new:
        at = max(at, report.valid_from)
    for name, value in line.fields.items():
        setattr(report, name, _STORED[name](value) if name in _STORED else value)
    derive(report, at=at)
    changes = {name: (before[name], now[name]) for name in JOURNALED if now[name] != before[name]}
    moved_row = is_new or any(name in ROW_ATTRIBUTES for name in changes)
    keeps_past = moved_row and not is_new and report.valid_from < at
    if moved_row:
        report.valid_from = report.updated_utc = at
    report.version += 1

    words = {name: str(pair[1]) for name, pair in changes.items() if name in TEXT_FIELDS}
    words |= {name: text for name, text in line.texts.items() if text}
    texts = {name: secrets.token_urlsafe(16) + text for name, text in words.items() if text}
    by, role = (line.by.pk, line.by.role) if line.by else (None, "")
    for row in line.rows:
        row.recorded_at, row.recorded_by_id = at, row.recorded_by_id or by
        row.salt = secrets.token_urlsafe(16)
    happened_at = (line.happened_at or at).replace(microsecond=0)
    told = {
        "report": report.reference,
        "number": report.version,
        "kind": str(line.kind),
        "move": line.move,
        "by": by,
        "role": role,
        "recorded_at": plain(at),
        "from": "" if is_new else before["status"],
        "to": report.status,
        # A field that was blank tells only what it became.
        "fields": {
            name: [plain(new)] if old == _BLANK[name] else [plain(old), plain(new)]
            for name, (old, new) in changes.items()
            if name not in TEXT_FIELDS
        },
        "texts": {name: digest(texts[name]) if name in texts else "" for name in words},
        "rows": sorted([row._meta.model_name, child_digest(row)] for row in line.rows),
        "voids": sorted([row._meta.model_name, row.pk] for row in line.voids),
    }
    if happened_at != at:
        told["happened_at"] = plain(happened_at)
    body = canonical({name: value for name, value in told.items() if value not in ("", None, {}, [])})
    entry = blank(
        Entry,
        report_id=report.pk,
        number=report.version,
        kind=line.kind,
        by_id=by,
        role=role,
        happened_at=happened_at,
        recorded_at=at,
        from_status="" if is_new else before["status"],
        to_status=report.status,
        move=line.move,
        body=body,
        digest=hashed(body),
    )
    deltas = _deltas(tally_before, tally_key(report))
    return Written(line, entry, texts, is_new, keeps_past, list(changes), deltas)


ROW_ATTRIBUTES = frozenset(ROW_FIELDS) | {"of_asset_id", "of_incident_id", "withdrawn", "counts_from"}


def _second(value: Any) -> Any:
    return value.replace(microsecond=0) if value else value


def _number(column: models.DecimalField) -> Callable[[Any], Any]:
    return lambda value: (
        None if value is None else round(Decimal(column.to_python(value)), column.decimal_places)
    )


#: What the register keeps of a value: of moments whole seconds, of decimals the column's own places.
_STORED: dict[str, Callable[[Any], Any]] = {
    column.attname: _number(column) if isinstance(column, models.DecimalField) else _second
    for column in Report._meta.concrete_fields
    if isinstance(column, models.DecimalField | models.DateTimeField)
}


@lru_cache(maxsize=4096)  # many reports share the point of their settlement
def of_point(lat: Decimal | None, lon: Decimal | None) -> dict[str, Any]:
    """The columns that follow from a point: its cell, and the snapped point and cell of every grid."""
    if lat is None or lon is None:
        return dict.fromkeys(_OF_POINT)
    return dict(zip(_OF_POINT, (geo.cell(lat, lon), *chain(*geo.squares(lat, lon, GRIDS))), strict=True))


_OF_POINT = ("cell", *(f"{name}_{step}" for step in GRIDS for name in ("lat", "lon", "cell")))
#: The columns that ``derive`` sets from the others whenever it is called.
DERIVED = ("asset", "incident", *_OF_POINT)


def derive(report: Report, *, at: datetime) -> None:
    """Set the columns that follow from others: cell, snapped places, names of asset and incident, and,
    until it has passed, the moment publishing delays count from."""
    vars(report).update(of_point(report.lat, report.lon))
    report.asset = report.of_asset.reference if report.of_asset else ""
    report.incident = report.of_incident.reference if report.of_incident else ""
    if report.logged_utc is None:
        report.logged_utc = at
    if report.counts_from is None or report.counts_from > at:
        report.counts_from = max(report.logged_utc, latest_start(report))


def latest_start(report: Report) -> datetime:
    """The latest moment the damage can have begun: when it is known to, else the end of its last day in
    the place's zone."""
    if report.started_utc is not None:
        return report.started_utc
    zone = ZoneInfo(report.timezone or "UTC")
    return datetime.combine(report.occurred_to + timedelta(days=1), time(), zone).astimezone(UTC)


# -- tallies -----------------------------------------------------------------------------------------------


def tally_key(report: Any) -> tuple[tuple[Any, ...], int] | None:
    """What a row counts as: (area, kind, sector, status, level, cell), and its customers out; or nothing."""
    if getattr(report, "withdrawn", ""):
        return None
    area = report.adm1_code or report.country
    key = (area, report.kind, report.sector, report.status, report.damage_level, report.cell)
    counts = report.status not in access.SET_ASIDE and report.customers_unit != CustomersUnit.SETTLEMENTS
    return key, (report.customers_out or 0) if counts else 0


def _deltas(before: tuple | None, after: tuple | None) -> list[TallyDelta]:
    if before == after:
        return []
    names = ("area", "kind", "sector", "status", "damage_level", "cell")
    return [
        blank(TallyDelta, **dict(zip(names, key, strict=True)), n=sign, customers_out=sign * customers)
        for sign, (key, customers) in ((-1, before or ((), 0)), (1, after or ((), 0)))
        if key
    ]


# -- saving ------------------------------------------------------------------------------------------------


def _keep_past(written: list[Written], at: datetime) -> None:
    """Copy the rows as they stand in the database to the past, by one statement."""
    if written:
        copy_to_past(
            Report, Report.objects.filter(pk__in=[w.line.report.pk for w in written]), Holder.OFFICE, at=at
        )


def copy_to_past(table: type[models.Model], rows: models.QuerySet, holder: str, *, at: datetime) -> None:
    """Append ``rows`` of a holder's current table to the past as valid until ``at``, by one statement."""
    values = (
        "pk" if table is Report else "report_id",
        models.Value(str(holder)),
        models.Value(at, output_field=models.DateTimeField()),
    )
    selected = rows.order_by().values_list(*ROW_FIELDS, *values)
    insert(PastReport, [*ROW_FIELDS, "report", "holder", "valid_to"], selected)


def _save(written: list[Written]) -> None:
    new = [w.line.report for w in written if w.is_new]
    insert_new(new)
    for w in written:
        if not w.is_new:
            row = [*w.changed, "valid_from", "updated_utc", *DERIVED] if w.changed else []
            w.line.report.save(update_fields=["version", *_QUEUE, *row])
        w.entry.report_id = w.line.report.pk


def _save_texts(written: list[Written]) -> None:
    insert_new([blank(Wording, entry_id=w.entry.pk, texts=w.texts) for w in written if w.texts])


def _save_children(written: list[Written]) -> None:
    by_table: dict[type[Child], list[Child]] = {}
    for w in written:
        for row in w.line.rows:
            row.report_id, row.entry_id = w.line.report.pk, w.entry.pk
            by_table.setdefault(type(row), []).append(row)
        for row in w.line.voids:
            row.voided_at = w.entry.recorded_at
            row.save(update_fields=["voided_at"])
    for rows in by_table.values():
        insert_new(rows)


__all__ = [
    "Conflict", "EntryKind", "Line", "Refused", "canonical", "carried_out", "child_digest", "copy_to_past", "derive",
    "digest", "hashed", "latest_start", "lock", "now", "once", "plain", "read", "record", "record_many",
    "refuse_stale", "require", "require_version", "tally_key",
]  # fmt: skip
