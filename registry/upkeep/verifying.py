"""Whether the register is what it says it is: records against their timeline, the timeline against its
digests and seals, the audiences' rows against the policy, tallies against rows, files against their hashes.

Reads one snapshot by the ``reader`` alias, a range of reports at a time, and writes nothing.
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

from django.db import connections, transaction
from django.db.models import Exists, F, Max, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _

from registry import geo
from registry.actions import editions, evidence, journal, tallies
from registry.models import (
    CHILDREN,
    Asset,
    Edition,
    Entry,
    Evidence,
    Incident,
    PastReport,
    Report,
    Seal,
    Text,
)
from registry.models.reports import ROW_FIELDS
from registry.models.sql import Differs, unbalanced
from registry.models.story import Child
from registry.rules import access
from registry.rules.vocabularies import EntryKind, Holder

from .working import chained

_ALIAS = "reader"
_RANGE = 1_000


@dataclass(frozen=True)
class Finding:
    """Something that is not as it should be: a short code, what it was found on, and what is wrong."""

    kind: str
    subject: str
    message: str


def verify() -> Iterator[Finding]:
    """Everything that differs from what it should be; nothing if the register is whole."""
    connection = connections[_ALIAS]
    begins = not connection.in_atomic_block
    with transaction.atomic(using=_ALIAS):
        if begins and connection.vendor == "postgresql":
            connection.cursor().execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        for first in _ranges():
            yield from _records(first)
        yield from _seals()
        for audience in access.AUDIENCES:
            yield from _audience(audience)
        for holder in Holder.values:
            yield from _tallies(holder)
        yield from _files()


def _ranges() -> Iterator[int]:
    newest = Report.objects.using(_ALIAS).aggregate(newest=Max("pk"))["newest"] or 0
    return iter(range(0, newest + 1, _RANGE))


def _within(rows: QuerySet[Any], first: int, name: str = "report") -> QuerySet[Any]:
    return rows.using(_ALIAS).filter(**{f"{name}__gte": first, f"{name}__lt": first + _RANGE})


# -- records and their timeline ------------------------------------------------------------------------


def _records(first: int) -> Iterator[Finding]:
    """The reports of a range, with all that hangs on them."""
    entries, texts, past, children = (_grouped(rows) for rows in _parts(first))
    for report in _within(Report.objects.order_by("pk"), first, "pk").select_related(
        "of_asset", "of_incident"
    ):
        story = _Story(report, entries[report.pk], texts[report.pk], past[report.pk], children[report.pk])
        for message in story.faults():
            yield Finding("record", report.reference, message)


def _parts(first: int) -> Iterator[Iterable[tuple[int, Any]]]:
    entries = Entry.objects.order_by("number")
    yield ((row.report_id, row) for row in _within(entries, first))
    texts = Text.objects.select_related("entry").order_by("pk")
    yield ((row.entry.report_id, row) for row in _within(texts, first, "entry__report"))
    office = PastReport.objects.filter(holder=Holder.OFFICE).order_by("valid_from")
    yield ((row.report_id, row) for row in _within(office, first))
    yield ((row.report_id, row) for table in CHILDREN for row in _within(table._default_manager.all(), first))


def _grouped(rows: Iterable[tuple[int, Any]]) -> defaultdict[int, list[Any]]:
    groups: defaultdict[int, list[Any]] = defaultdict(list)
    for key, row in rows:
        groups[key].append(row)
    return groups


_COLUMNS = {field.attname: field for field in Report._meta.concrete_fields}
_TOLD = [name for name in journal.JOURNALED if name in ROW_FIELDS]


class _Story:
    """One report with its entries, their texts, the office's past of it, and its children."""

    def __init__(
        self,
        report: Report,
        entries: list[Entry],
        texts: list[Text],
        past: list[PastReport],
        children: list[Child],
    ) -> None:
        self.report, self.entries, self.texts, self.past, self.children = (
            report,
            entries,
            texts,
            past,
            children,
        )
        self.bodies: list[dict[str, Any]] = []
        #: The words that are left, by their digest.
        self.words = {journal.digest(text.salt + text.text): text.text for text in texts}

    def faults(self) -> Iterator[str]:
        if not self.entries:
            yield _("it has no entries")
            return
        for entry in self.entries:
            yield from self._entry(entry)
        if len(self.bodies) < len(self.entries):
            return
        numbers = [entry.number for entry in self.entries]
        if numbers != list(range(1, self.report.version + 1)):
            yield _("entries are missing: there are %(numbers)s of %(version)d") % {
                "numbers": ", ".join(map(str, numbers)), "version": self.report.version,
            }  # fmt: skip
            return
        yield from self._texts()
        yield from self._children()
        yield from self._now()
        yield from self._before()

    def _entry(self, entry: Entry) -> Iterator[str]:
        name = {"number": entry.number}
        if journal.digest(entry.body) != entry.digest:
            yield _("entry %(number)d does not match its digest") % name
            return
        body = json.loads(entry.body)
        self.bodies.append(body)
        columns = {
            "report": self.report.reference,
            "number": entry.number,
            "kind": entry.kind,
            "move": entry.move,
            "by": entry.by_id,
            "role": entry.role,
            "happened_at": journal.plain(entry.happened_at),
            "recorded_at": journal.plain(entry.recorded_at),
            "from": entry.from_status,
            "to": entry.to_status,
        }
        for column, value in columns.items():
            if body[column] != value:
                yield _("entry %(number)d: its column %(column)s is not what it says") % {
                    **name, "column": column,
                }  # fmt: skip

    def _texts(self) -> Iterator[str]:
        kept = {(text.entry_id, text.field): journal.digest(text.salt + text.text) for text in self.texts}
        erased = {
            entry.move.removeprefix("erase:") for entry in self.entries if entry.kind == EntryKind.ERASED
        }
        for entry, body in zip(self.entries, self.bodies, strict=True):
            told = {field: digest for field, digest in body["texts"].items() if digest}
            for field, digest in told.items():
                found = kept.pop((entry.pk, field), None)
                if found != digest and not (found is None and field in erased):
                    yield _("entry %(number)d: the text of %(field)s is missing or altered") % {
                        "number": entry.number, "field": field,
                    }  # fmt: skip
        for _entry, field in kept:
            yield _("a text of %(field)s belongs to no entry") % {"field": field}

    def _children(self) -> Iterator[str]:
        by_entry = _grouped((child.entry_id, child) for child in self.children)
        voided = {
            (model, pk): entry.recorded_at
            for entry, body in zip(self.entries, self.bodies, strict=True)
            for model, pk in body["voids"]
        }
        for entry, body in zip(self.entries, self.bodies, strict=True):
            found = [
                [child._meta.model_name, journal.child_digest(child)] for child in by_entry.pop(entry.pk, [])
            ]
            if sorted(found) != body["rows"]:
                yield _("entry %(number)d: a line it added is missing or altered") % {"number": entry.number}
        if by_entry:
            yield _("a line hangs on it that none of its entries added")
        for child in self.children:
            if child.voided_at != voided.get((child._meta.model_name, child.pk)):
                yield _("a line was struck out, or is not, other than its entries say")

    def _now(self) -> Iterator[str]:
        report = self.report
        wrong = self._differing(report, journal.told(self.entries), journal.JOURNALED)
        derived = Report(**{name: getattr(report, name) for name in _COLUMNS})
        derived.of_asset, derived.of_incident = report.of_asset, report.of_incident
        journal.derive(derived, at=report.valid_from)
        wrong += [name for name in _COLUMNS if getattr(derived, name) != getattr(report, name)]
        moved = self._moved()[-1][1]
        wrong += [name for name in ("valid_from", "updated_utc") if getattr(report, name) != moved]
        if wrong:
            yield _("not what its entries tell: %(columns)s") % {"columns": ", ".join(wrong)}

    def _before(self) -> Iterator[str]:
        """The office's past: one version from each moment at which the row changed to the next."""
        moved = self._moved()
        spans = [
            (since, until, place) for (_place, since), (place, until) in pairwise(moved) if since < until
        ]
        if [(row.valid_from, row.valid_to) for row in self.past] != [span[:2] for span in spans]:
            yield _("its past has gaps or overlaps")
            return
        for row, (since, _until, place) in zip(self.past, spans, strict=True):
            state = journal.told(self.entries[:place])
            wrong = self._differing(row, state, _TOLD)
            linked = {
                "asset": self._reference(Asset, state["of_asset_id"]),
                "incident": self._reference(Incident, state["of_incident_id"]),
                "cell": None if row.lat is None or row.lon is None else geo.cell(row.lat, row.lon),
                "updated_utc": since,
            }
            wrong += [name for name, value in linked.items() if getattr(row, name) != value]
            if wrong:
                yield _("its past from %(since)s on is not what its entries tell: %(columns)s") % {
                    "since": since.isoformat(), "columns": ", ".join(wrong),
                }  # fmt: skip

    def _reference(self, table: type[Asset] | type[Incident], pk: int | None) -> str:
        return table._default_manager.using(_ALIAS).get(pk=pk).reference if pk else ""

    def _moved(self) -> list[tuple[int, datetime]]:
        """Where in the timeline, and when, the row changed; within one second the last state counts."""
        moved: list[tuple[int, datetime]] = []
        for place, (entry, body) in enumerate(zip(self.entries, self.bodies, strict=True)):
            if place and not journal.ROW_ATTRIBUTES & (body["fields"].keys() | body["texts"].keys()):
                continue
            if not moved or moved[-1][1] != entry.recorded_at:
                moved.append((place, entry.recorded_at))
        return moved

    def _differing(self, row: Any, state: dict[str, Any], names: Iterable[str]) -> list[str]:
        wrong = []
        for name in names:
            value = getattr(row, name)
            if name in journal.TEXT_FIELDS:
                # What was erased is blank wherever it stood.
                expected = self.words.get(state[name], "")
            else:
                expected = _COLUMNS[name].to_python(state[name])
            if value != expected:
                wrong.append(name)
        return wrong


# -- seals ---------------------------------------------------------------------------------------------


def _seals() -> Iterator[Finding]:
    before: Seal | None = None
    newest = 0
    for seal in Seal.objects.using(_ALIAS).order_by("number").iterator():
        sealed = Entry.objects.using(_ALIAS).filter(seal=seal)
        whole = (
            seal.number == (before.number + 1 if before else 1)
            and (before is None or before.sealed_at <= seal.sealed_at)
            and seal.entries == sealed.count()
            and seal.digest == chained(before, sealed)
        )
        if not whole:
            yield Finding("seal", str(seal.number), _("it does not fit the seal before and its entries"))
        # An entry may commit after a newer one was sealed, but not two seals later.
        for entry in Entry.objects.using(_ALIAS).filter(seal=None, pk__lt=newest)[:20]:
            yield Finding("entry", str(entry.pk), _("it is older than the last seal, and not sealed"))
        newest = sealed.aggregate(newest=Max("pk"))["newest"] or newest
        before = seal


# -- what the audiences have ---------------------------------------------------------------------------


def _audience(audience: str) -> Iterator[Finding]:
    rows = editions.rows_of(audience).using(_ALIAS)
    made = Edition.objects.using(_ALIAS)
    last = made.first()
    moments = Edition.objects.order_by().values("at")
    past = PastReport.objects.using(_ALIAS).filter(holder=audience)
    current = Exists(
        editions.rows_of(audience).filter(report=OuterRef("report"), valid_from__lt=OuterRef("valid_to"))
    )
    other = PastReport.objects.filter(
        holder=audience, report=OuterRef("report"),
        valid_from__gt=OuterRef("valid_from"), valid_from__lt=OuterRef("valid_to"),
    )  # fmt: skip
    checks = [
        (rows.exclude(report__withdrawn=""), _("it is withdrawn, and still shown")),
        (past.exclude(report__withdrawn=""), _("it is withdrawn, and its past still shown")),
        (rows.exclude(valid_from__in=moments), _("its version is of no edition")),
        (rows.filter(Differs("valid_from", "updated_utc")), _("it was updated by another edition")),
        (rows.filter(Differs("reference", "report__reference")), _("its reference is another's")),
        (past.exclude(valid_from__in=moments, valid_to__in=moments), _("a past version is of no edition")),
        (
            past.filter(Exists(other) | Q(current) | Q(valid_to__lte=F("valid_from"))),
            _("versions of its past overlap"),
        ),
        (past.filter(editions.finer(audience)), _("its past is finer than what is shown now")),
    ]
    for found, message in checks:
        for reference in found.values_list("report__reference", flat=True)[:20]:
            yield Finding(audience, reference, message)
    if last is None:
        for reference in rows.values_list("reference", flat=True)[:20]:
            yield Finding(audience, reference, _("it is shown, and there is no edition"))
        return
    monthly = made.filter(month_end=True).first()
    for edition, months in ((last, False), (monthly, True)):
        # Until the next edition the rows follow the policy of the last.
        if edition is not None and edition.policy == editions.strictness():
            for first in _ranges():
                yield from _published(audience, edition, first, months=months)


def _published(audience: str, edition: Edition, first: int, *, months: bool) -> Iterator[Finding]:
    """The rows of a range against what the policy gives, where nothing was recorded since the edition."""
    later = Entry.objects.filter(pk__gt=edition.last_entry)
    kept = editions.monthly(audience)
    seen = _within(editions.seen(audience, edition.at), first, "pk").exclude(
        Exists(later.filter(report=OuterRef("pk")))
    )
    rows = _within(editions.rows_of(audience), first).exclude(
        Exists(later.filter(report=OuterRef("report_id")))
    )
    seen, rows = (
        (seen.filter(kept), rows.filter(kept)) if months else (seen.exclude(kept), rows.exclude(kept))
    )
    for reference in seen.filter(**{f"{audience}__isnull": True}).values_list("reference", flat=True):
        yield Finding(audience, reference, _("it should be shown"))
    shown = Exists(editions.shown(audience, edition.at).filter(pk=OuterRef("report_id")))
    for reference in rows.exclude(shown).values_list("reference", flat=True):
        yield Finding(audience, reference, _("it should not be shown"))
    moved = Report.objects.filter(Exists(later.filter(report=OuterRef("pk")))).exclude(asset="")
    there = seen.filter(**{f"{audience}__isnull": False})
    # An incident may be published, and an asset lose a withdrawn row, between two editions; months keep
    # the links of their month.
    for names, compared in (
        ([name for name in editions.OWN if name != "incident"], there),
        ([] if months else editions.LINKED, there.exclude(asset__in=moved.values("asset"))),
    ):
        differing = Q(pk__in=())
        for name in names:
            differing |= Q(Differs(F(f"seen_{name}"), F(f"{audience}__{name}")))
        wanted = [f"{prefix}{name}" for name in names for prefix in ("seen_", f"{audience}__")]
        for row in compared.filter(differing).values("reference", *wanted) if names else ():
            wrong = [name for name in names if row[f"seen_{name}"] != row[f"{audience}__{name}"]]
            message = _("not what the policy gives: %(columns)s") % {"columns": ", ".join(wrong)}
            yield Finding(audience, row["reference"], message)


# -- tallies and files ---------------------------------------------------------------------------------


def _tallies(holder: str) -> Iterator[Finding]:
    for name, kept, counted in tallies.sides(holder):
        for key in unbalanced(kept, counted, using=_ALIAS):
            yield Finding("tally", holder, f"{name}: {' '.join(map(str, key))}")


def _files() -> Iterator[Finding]:
    for row in Evidence.objects.using(_ALIAS).select_related("report").iterator():
        for sha256 in {row.sha256, row.shown_sha256}:
            path = evidence.path_of(sha256)
            if not path.is_file():
                yield Finding(
                    "file", row.report.reference, _("a file is missing: %(name)s") % {"name": sha256}
                )
                continue
            with path.open("rb") as file:
                if hashlib.file_digest(file, "sha256").hexdigest() != sha256:
                    yield Finding(
                        "file", row.report.reference, _("a file was altered: %(name)s") % {"name": sha256}
                    )
