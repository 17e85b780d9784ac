"""Whether the register is what it says it is: records against their timeline, the timeline against its
digests and seals, the audiences' rows against the policy, tallies against rows, files against their hashes.

Reads by the ``reader`` alias, one part after the other, each in one snapshot, and writes nothing.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Any

from django.db import connections, transaction
from django.db.models import Count, Exists, F, Max, OuterRef, Q
from django.utils.translation import gettext as _

from registry.actions import editions, evidence, tallies
from registry.models import Edition, Entry, Evidence, PastReport, Report, Seal
from registry.models.sql import Differs, go_at_once, kept_off, reading_once, unbalanced, uncollected
from registry.rules import access
from registry.rules.vocabularies import Holder

from . import replaying
from .sealing import chained

_ALIAS = "reader"
#: Reports replayed at once (their stories are held in memory), and compared at once by the database.
_REPLAYED, _COMPARED = 1_000, 50_000


@dataclass(frozen=True)
class Finding:
    """Something that is not as it should be: a short code, what it was found on, and what is wrong."""

    kind: str
    subject: str
    message: str


def verify(*, jobs: int = 1) -> Iterator[Finding]:
    """Everything that differs from what it should be; nothing if the register is whole. With more ``jobs``
    than one, so many processes share the work."""
    parts = list(_parts())
    if jobs == 1:
        for check, *of in parts:
            yield from _checked(check, of)
        return
    # What is open would be shared with the processes, and broken.
    connections.close_all()
    with ProcessPoolExecutor(jobs, mp_context=get_context("fork")) as pool:
        for found in pool.map(_checked, *zip(*((check, of) for check, *of in parts), strict=True)):
            yield from found


def _parts() -> Iterator[tuple[Any, ...]]:
    """The checks to make: a function of findings and what it is about. The longest first, so that no process is
    left alone with one at the end."""
    yield (_seals,)
    for holder in Holder.values:
        yield _tallies, holder
    for audience in access.AUDIENCES:
        yield _audience, audience
    newest = Report.objects.using(_ALIAS).aggregate(newest=Max("pk"))["newest"] or 0
    for audience in access.AUDIENCES:
        for first in range(0, newest + 1, _COMPARED):
            yield _published, audience, first
    for first in range(0, newest + 1, _REPLAYED):
        yield _records, first
    yield (_files,)


def _checked(check: Callable[..., Iterator[Finding]], of: list[Any]) -> list[Finding]:
    """What a check finds, in a snapshot of its own."""
    connection = connections[_ALIAS]
    begins = not connection.in_atomic_block
    with reading_once(_ALIAS), transaction.atomic(using=_ALIAS):
        if begins and connection.vendor == "postgresql":
            connection.cursor().execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        go_at_once(_ALIAS)
        with uncollected():
            return list(check(*of))


def _records(first: int) -> Iterator[Finding]:
    for reference, fault in replaying.replay(first, first + _REPLAYED, using=_ALIAS):
        yield Finding("record", reference, fault)


# -- seals ---------------------------------------------------------------------------------------------


def _seals() -> Iterator[Finding]:
    before: Seal | None = None
    newest = 0
    for seal in Seal.objects.using(_ALIAS).order_by("number").iterator():
        sealed = Entry.objects.using(_ALIAS).filter(seal=seal)
        there = sealed.order_by().aggregate(count=Count("pk"), newest=Max("pk"))
        whole = (
            seal.number == (before.number + 1 if before else 1)
            and (before is None or before.sealed_at <= seal.sealed_at)
            and seal.entries == there["count"]
            and seal.digest == chained(before, sealed)
        )
        if not whole:
            yield Finding("seal", str(seal.number), _("it does not fit the seal before and its entries"))
        # An entry may commit after a newer one was sealed, but not two seals later.
        for entry in Entry.objects.using(_ALIAS).filter(seal=None, pk__lt=newest)[:20]:
            yield Finding("entry", str(entry.pk), _("it is older than the last seal, and not sealed"))
        newest = there["newest"] or newest
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


def _published(audience: str, first: int) -> Iterator[Finding]:
    """An audience's rows of a range against what the policy gives: months by the last edition of a month's
    end, the others by the last."""
    made = Edition.objects.using(_ALIAS)
    for edition, months in ((made.first(), False), (made.filter(month_end=True).first(), True)):
        # Until the next edition the rows follow the policy of the last.
        if edition is not None and edition.policy == editions.strictness():
            yield from _compared(audience, edition, first, months=months)


def _compared(audience: str, edition: Edition, first: int, *, months: bool) -> Iterator[Finding]:
    """The rows of which an edition was the last word, unless something was recorded since."""
    kept = editions.monthly(audience)
    later = Entry.objects.filter(pk__gt=edition.last_entry).order_by()
    touched = Report.objects.using(_ALIAS).filter(pk__in=later.values("report"))
    shown = editions.seen(audience, edition.at).using(_ALIAS)
    shown = shown.filter(pk__gte=first, pk__lt=first + _COMPARED).exclude(pk__in=later.values("report"))
    shown = shown.filter(kept) if months else shown.exclude(kept)
    # An incident may be published, and an asset lose a withdrawn row, between two editions; months keep
    # the links of their month.
    own = [name for name in editions.OWN if name != "incident"]
    names = own if months else [*own, *editions.LINKED]
    differing = _any_differs(audience, names)
    wanted = [f"{prefix}{name}" for name in names for prefix in ("seen_", f"{audience}__")]
    for row in shown.filter(differing | Q(**{f"{audience}__isnull": True})).values(
        "reference", "asset", f"{audience}__pk", *wanted
    ):
        if row[f"{audience}__pk"] is None:
            yield Finding(audience, row["reference"], _("it should be shown"))
            continue
        wrong = [name for name in names if row[f"seen_{name}"] != row[f"{audience}__{name}"]]
        if touched.filled("asset").filter(asset=row["asset"]).exists():
            wrong = [name for name in wrong if name in own]
        if not wrong:
            continue
        message = _("not what the policy gives: %(columns)s") % {"columns": ", ".join(wrong)}
        yield Finding(audience, row["reference"], message)
    rows = editions.rows_of(audience).using(_ALIAS).filter(report__gte=first, report__lt=first + _COMPARED)
    # The index of kinds would give them all, for every range.
    rows = kept_off(rows.filter(kept) if months else rows.exclude(kept), editions.OF_CLASS)
    shows = Exists(editions.shown(audience, edition.at).filter(pk=OuterRef("report_id")))
    for reference in (
        rows.exclude(report__in=later.values("report")).exclude(shows).values_list("reference", flat=True)
    ):
        yield Finding(audience, reference, _("it should not be shown"))


def _any_differs(audience: str, names: Iterable[str]) -> Q:
    found = Q(pk__in=())
    for name in names:
        found |= Q(Differs(F(f"seen_{name}"), F(f"{audience}__{name}")))
    return found


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
