"""Editions: what the audiences see, written once a day (and on command), and never by anything else.

``seen`` says what an audience sees of each report, as one query made of the policy in ``rules.access``;
``publish`` writes it and ``upkeep.verifying`` compares with it. Links are derived from the audience's own
rows: a reference leaves only if its target is there.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from functools import reduce
from operator import or_
from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import (
    Case,
    CharField,
    Count,
    DateTimeField,
    Exists,
    Expression,
    F,
    Field,
    Max,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.db.models.functions import Coalesce, Greatest
from django.utils import timezone

from registry import columns, geo
from registry.models import (
    CURRENT,
    Edition,
    Entry,
    Incident,
    Link,
    OutageStep,
    PastReport,
    Progress,
    Report,
    Vanished,
    WantedFile,
)
from registry.models.reports import ROW_FIELDS
from registry.models.rows import USE_CLASS, ReportQuerySet
from registry.models.sql import (
    Among,
    Differs,
    MonthEnd,
    MonthStart,
    Words,
    at_most,
    go_at_once,
    insert,
    kept_off,
    update,
)
from registry.rules import access
from registry.rules.access import Sight, UseClass
from registry.rules.vocabularies import DatePrecision, GeoPrecision, Withheld

from . import tallies
from .journal import copy_to_past, now, tally_key

#: Derived from the audience's own table once its rows stand.
LINKED = ("related", "strike_no")
#: Set by the edition that writes a row.
STAMPED = ("updated_utc", "valid_from")
#: What ``seen`` gives of a report's own values.
OWN = tuple(name for name in ROW_FIELDS if name not in (*LINKED, *STAMPED))

_TIMES = [c.name for c in columns.COLUMNS if c.type in ("moment", "date") and c.group == "when"]
_FINER_AREAS = {
    "adm1": ("adm2_code", "adm2_name", "adm3_code", "adm3_name", "settlement", "timezone"),
    "adm2": ("adm3_code", "adm3_name", "settlement"),
    "settlement": (),
}
_FIGURES = ("customers_affected", "customers_out", "customer_hours")
#: The finest precision that goes with a grid step.
_GRID_PRECISION = {
    1_000: GeoPrecision.STREET,
    10_000: GeoPrecision.SETTLEMENT,
    100_000: GeoPrecision.ADM2,
}
#: An entry may commit after a newer one; no transaction takes this long.
_LONGEST_TRANSACTION = timedelta(hours=1)
#: What tallies are made of.
_COUNTED = (
    "country", "adm1_code", "kind", "sector", "status", "damage_level", "cell", "customers_unit", "customers_out",
)  # fmt: skip
#: Up to so many reports an edition adds their changes to the tallies, beyond it counts all rows anew.
_FEW = 50_000
#: Reports written by one round of statements, listed by their ids or as a range of them.
_BATCH = 20_000

#: What the class of a report follows from.
OF_CLASS = ("kind", "sector", "object_type")


# -- what an audience sees -----------------------------------------------------------------------------


def shown(audience: str, at: datetime) -> QuerySet[Report]:
    """The reports an audience may see at a moment: by status, by who logged them, and once their delay has
    passed. Where it sees months, only what counts from before the month of ``at``."""
    due = Q(pk__in=())
    for use_class, sight in _sights(audience).items():
        passed = Q(counts_from__lte=at - sight.delay)
        if sight.when == "month":
            passed &= Q(counts_from__lt=month_start(at))
        due |= access.CLASS_CONDITIONS[use_class] & passed
    return kept_off(Report.objects.order_by().filter(access.released(audience) & due), OF_CLASS)


def seen(audience: str, at: datetime) -> QuerySet[Report]:
    """The reports an audience may see at a moment, each with its columns as that audience sees them, named
    ``seen_…``: those of OWN from the report, those of LINKED from the audience's table."""
    values = {name: _own(audience, name) for name in OWN} | _links(audience, f"{audience}__")
    return shown(audience, at).annotate(**{f"seen_{name}": value for name, value in values.items()})


def month_start(at: datetime) -> datetime:
    """Midnight of the first day of the month, in the register's zone."""
    local = at.astimezone(timezone.get_default_timezone())
    return local.replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def monthly(audience: str) -> Q:
    """The rows of which an audience sees months only; they change at the month's end."""
    return _any(access.CLASS_CONDITIONS[c] for c, sight in _sights(audience).items() if sight.when == "month")


def finer(audience: str) -> Q:
    """The versions of an audience that hold what is never shown of their class now."""
    found = []
    for use_class, condition in access.CLASS_CONDITIONS.items():
        sight = access.policy(audience)[use_class]
        values = {name: _at_sight(name, sight) for name in OWN} if sight else {}
        blank = {name: value.value for name, value in values.items() if isinstance(value, Value)}
        if sight is None:
            found.append(condition)
        elif blank:
            found.append(condition & ~Q(**blank))
    return _any(found)


def rows_of(audience: str) -> ReportQuerySet:
    """An audience's own rows, in no order."""
    return CURRENT[audience]._default_manager.order_by()


def _sights(audience: str) -> dict[UseClass, Sight]:
    return {name: sight for name, sight in access.policy(audience).items() if sight is not None}


def _any(conditions: Iterable[Q]) -> Q:
    return reduce(or_, conditions, Q(pk__in=()))


def _own(audience: str, name: str) -> Expression | F:
    """A column of a report as an audience sees it: one expression for each sight, chosen by the class."""
    by_value: dict[Any, Q] = {}
    for use_class, sight in _sights(audience).items():
        value = _at_sight(name, sight)
        by_value[value] = by_value.get(value, Q(pk__in=())) | access.CLASS_CONDITIONS[use_class]
    if len(by_value) < 2:
        return next(iter(by_value), F(name))
    default = F(name) if F(name) in by_value else next(iter(by_value))
    cases = [When(condition, then=value) for value, condition in by_value.items() if value != default]
    return Case(*cases, default=default, output_field=_field(name))


def _field(name: str) -> Field:
    return Report._meta.get_field(name).clone()  # type: ignore[union-attr]


def _nothing(name: str) -> Value:
    field = _field(name)
    return Value("" if isinstance(field, CharField) else None, output_field=field)


def _at_sight(name: str, sight: Sight) -> Expression | F:
    """A column at one sight. Equal sights give equal expressions."""
    if name in ("lat", "lon", "cell", "geo_precision", "geo_radius_m"):
        return _place(name, sight)
    if name in _FINER_AREAS[sight.area]:
        return _nothing(name)
    if name in ("object_name", "address", "sources") and not sight.names_shown:
        return _nothing(name)
    if name == "occurred_to" and sight.when == "month":
        return MonthEnd(F(name))
    if name == "date_precision" and sight.when == "month":
        return _MONTH_PRECISION
    if name in _TIMES:
        return at_most(name, _field(name), sight.when)
    if name in _FIGURES:
        return Case(When(_SMALL, then=None), default=F(name), output_field=_field(name))
    if name == "incident":
        return Case(When(of_incident__published=True, then=F(name)), default=Value(""))
    if name == "withheld":
        words = " ".join(sight.withheld)
        small = f"{words} {Withheld.FIGURES}".strip()
        return Case(When(_SMALL, then=Value(small)), default=Value(words), output_field=CharField())
    return F(name)


def _place(name: str, sight: Sight) -> Expression | F:
    if sight.grid == 0:
        return F(name)
    if name == "geo_precision":
        floor = _GRID_PRECISION[sight.grid] if sight.grid else GeoPrecision(sight.area)
        finer = GeoPrecision.values[: GeoPrecision.values.index(floor)]
        return Case(When(geo_precision__in=finer, then=Value(str(floor))), default=F(name))
    if sight.grid is None:
        return _nothing(name)
    if name == "geo_radius_m":
        radius = Greatest(Coalesce(F(name), 0), geo.grid_radius_m(sight.grid))
        return Case(When(lat=None, then=None), default=radius, output_field=_field(name))
    return F(f"{name}_{sight.grid}")


_MONTH_PRECISION = Case(
    When(date_precision__in=(DatePrecision.BEFORE, DatePrecision.YEAR), then=F("date_precision")),
    When(
        ~Q(Differs(MonthStart("occurred_from"), MonthStart("occurred_to"))),
        then=Value(str(DatePrecision.MONTH)),
    ),
    default=Value(str(DatePrecision.RANGE)),
)
#: Whether any figure of the row, or of a step of it, counts too few people or households.
_SMALL = Q(customers_unit__in=access.SMALL_FIGURE_UNITS) & (
    Q(customers_affected__range=access.SMALL_FIGURES)
    | Q(customers_out__range=access.SMALL_FIGURES)
    | Q(
        Exists(
            OutageStep.objects.filter(
                report=OuterRef("pk"), voided_at=None, customers__range=access.SMALL_FIGURES
            )
        )
    )
)


def _links(audience: str, prefix: str) -> dict[str, Any]:
    """The LINKED columns by what the audience's table holds; ``prefix`` leads to a row of it."""
    others = Link.objects.filter(
        report=OuterRef(f"{prefix}report_id"), voided_at=None, **{f"other__{audience}__isnull": False}
    )
    words = others.order_by("other__reference").annotate(word=F("other__reference")).values("word").distinct()
    place = {"asset": OuterRef(f"{prefix}asset"), "sort_key__lte": OuterRef(f"{prefix}sort_key")}
    strikes = rows_of(audience).filled("asset").filter(**place)
    number = strikes.values("asset").annotate(n=Count("pk")).values("n")
    return {
        "related": Words(words),
        "strike_no": Case(When(**{f"{prefix}asset": ""}, then=None), default=Subquery(number)),
    }


# -- publishing ----------------------------------------------------------------------------------------


def publish(at: datetime | None = None) -> Edition:
    """Make the edition of ``at`` (by default now), all of it or nothing, and return it.

    Repeating the last edition's moment gives that edition again; an earlier moment is a ValueError. Only
    rows of which the audience's own columns changed get a new version.
    """
    with transaction.atomic():
        go_at_once()
        take_turn()
        last = Edition.objects.first()
        if at is None:
            at = max(now(), last.at + timedelta(seconds=1)) if last else now()
        elif last and at == last.at:
            return last
        elif last and at < last.at:
            raise ValueError(f"the last edition is of {last.at}, which is later than {at}")
        at = at.replace(microsecond=0)
        edition = Edition(
            at=at,
            made_at=now(),
            policy_version=access.POLICY_VERSION,
            policy=strictness(),
            month_end=last is None or last.at < month_start(at),
            last_entry=Entry.objects.aggregate(newest=Max("pk"))["newest"] or 0,
            withheld=dict(last.withheld) if last else {},
        )
        touched = set(_touched(last)) if last else set()
        for audience in access.AUDIENCES:
            edition.vanished[audience] = _write(audience, edition, last, touched)
            tallies.write_day(audience, timezone.localdate(at, timezone.get_default_timezone()))
            if edition.month_end:
                edition.withheld[audience] = _unseen(audience, at)
        if any(edition.vanished.values()):
            take_back_files()
        edition.save()
    return edition


def _unseen(audience: str, at: datetime) -> int:
    """How many reports logged before the month of ``at`` the audience's rows leave out, rounded to tens.

    What was rejected, withdrawn or merged is not withheld: it is no report any more."""
    reports = Report.objects.filter(logged_utc__lt=month_start(at), withdrawn="")
    unseen = reports.exclude(status__in=access.SET_ASIDE).filter(**{f"{audience}__isnull": True})
    return round(unseen.count(), -1)


def retract(report: Report) -> None:
    """Take a report out of every audience's sight at once: its row, its past, and every mention of it.

    Must run in the transaction that withdraws it, on the locked row.
    """
    take_turn()
    edition = Edition.objects.first()
    for audience in access.AUDIENCES:
        rows = rows_of(audience).filter(report=report)
        difference = _Difference()
        difference.add(rows, -1)
        tallies.add(audience, difference.tallies)
        older = PastReport.objects.filter(report=report, holder=audience)
        if edition:
            # It stood in every edition so far.
            _count_vanished(audience, rows, until=edition.at + timedelta(seconds=1))
        _count_vanished(audience, older)
        gone, _tables = rows.delete()
        past, _tables = older.delete()
        _unmention(rows_of(audience), report)
        _unmention(PastReport.objects.filter(holder=audience), report)
        if edition:
            edition.vanished[audience] = edition.vanished.get(audience, 0) + gone + past
            edition.save(update_fields=["vanished"])
    take_back_files()


def take_back_files() -> None:
    """No file made for audiences before, or in the making, is given out any more: they are to see less than it
    holds. In the transaction that decides so."""
    files = WantedFile.objects.filter(holder__in=access.AUDIENCES)
    files.exclude(state=WantedFile.State.FAILED).update(state=WantedFile.State.GONE, lease=None)


def retract_all(reports: Sequence[Report]) -> None:
    """``retract`` these reports, as far as an audience has ever seen one or a mention of it."""
    take_turn()
    found = {report.pk: report for report in reports}
    keys: set[int] = set(Link.objects.filter(other__in=found).values_list("other_id", flat=True))
    for audience in access.AUDIENCES:
        for rows in (rows_of(audience), PastReport.objects.filter(holder=audience)):
            keys |= set(rows.filter(report__in=found).values_list("report_id", flat=True))
    for key in sorted(keys):
        retract(found[key])


def _count_vanished(audience: str, rows: QuerySet, *, until: datetime | None = None) -> None:
    """Keep how many versions are about to be deleted, by when they held; current rows hold ``until`` now."""
    end = F("valid_to") if until is None else Value(until, output_field=DateTimeField())
    spans = rows.order_by().annotate(end=end).values_list("valid_from", "end").annotate(n=Count("pk"))
    owner = Value(str(audience), output_field=CharField())
    insert(
        Vanished,
        ["valid_from", "valid_to", "n", "holder"],
        spans.values_list("valid_from", "end", "n", owner),
    )


def _unmention(rows: QuerySet, report: Report) -> None:
    linked = Link.objects.filter(other=report).values("report")
    for row in rows.filter(report__in=linked, related__contains=report.reference):
        row.related = " ".join(word for word in row.related.split() if word != report.reference)
        row.save(update_fields=["related"])


def take_turn() -> None:
    """Wait until no other transaction writes the audiences' rows, and keep others waiting until this ends."""
    Progress.objects.get_or_create(duty="edition", defaults={"due_at": now()})
    Progress.objects.select_for_update().get(duty="edition")


def strictness() -> dict[str, dict[str, list[int] | None]]:
    """How strict the policy is now: audience → class → ``Sight.strictness`` (None: hidden)."""
    return {
        str(audience): {
            str(name): sight.strictness if sight else None for name, sight in access.policy(audience).items()
        }
        for audience in access.AUDIENCES
    }


class _Difference:
    """What rows that are written were and are now: what their change adds to tallies, and which places of a
    report among others (report, asset, sort key) are new or no more."""

    def __init__(self) -> None:
        self.tallies: list[tuple[tuple[Any, ...], int, int]] = []
        self.places: set[tuple[int, str, int]] = set()

    def add(self, rows: QuerySet, sign: int) -> None:
        """Take note of rows that are there now (1) or will not be (-1)."""
        for row in rows.only("report", "asset", "sort_key", *_COUNTED):
            if counted := tally_key(row):
                self.tallies.append((counted[0], sign, sign * counted[1]))
            self.places ^= {(row.report_id, row.asset, row.sort_key)}

    def beside(self, audience: str) -> set[int]:
        """The reports whose links or numbers follow from those places."""
        moved = {report for report, _asset, _key in self.places}
        assets = {asset for _report, asset, _key in self.places if asset}
        links = Link.objects.order_by()
        rows = rows_of(audience).filled("asset").filter(asset__in=assets)
        return moved.union(
            links.filter(Q(Among("report", moved))).values_list("other", flat=True),
            links.filter(Q(Among("other", moved))).values_list("report", flat=True),
            rows.values_list("report", flat=True),
        )


def _write(audience: str, edition: Edition, last: Edition | None, touched: set[int]) -> int:
    """Write an audience's rows and past, and return how many versions left its past."""
    before = last.policy.get(audience, {}) if last else {}
    tightened = [
        name
        for name, strictness in edition.policy[audience].items()
        if access.stricter(strictness, before.get(name))
    ]
    candidates = _candidates(audience, edition, last, touched)
    batches = _ranges() if candidates is None else _batches(candidates)
    few = candidates is not None and len(candidates) <= _FEW
    # A month's rows change with its end, whatever changed in it.
    linked = set() if candidates is None else candidates if edition.month_end else _told(audience, touched)
    vanished = 0
    for batch in batches:
        difference = None if candidates is None else _Difference()
        vanished += _write_own(audience, edition, batch, tightened, difference)
        if difference:
            linked |= difference.beside(audience)
        if difference and few:
            tallies.add(audience, difference.tallies)
    if not few:
        tallies.rewrite(audience)
    # Only when all rows stand is it known which references they may name.
    for batch in batches if candidates is None else _batches(linked):
        _write_links(audience, edition, batch)
    return vanished


def _touched(last: Edition) -> QuerySet[Any]:
    """The reports with entries that the last edition had not seen. One that committed later than newer ones
    was not begun before the longest transaction, so its number follows those of all that were then recorded
    for as long."""
    begun = last.made_at - _LONGEST_TRANSACTION
    seen_then = Entry.objects.filter(pk__lte=last.last_entry, recorded_at__lt=begun - _LONGEST_TRANSACTION)
    settled = seen_then.order_by("-pk").values_list("pk", flat=True).first() or 0
    entries = Entry.objects.order_by().filter(pk__gt=settled)
    return entries.filter(Q(pk__gt=last.last_entry) | Q(recorded_at__gte=begun)).values_list(
        "report", flat=True
    )


class _Some(NamedTuple):
    """Some reports by their ids: those of a list, or all of a range."""

    ids: Collection[int]

    def of(self, name: str) -> Q:
        if isinstance(self.ids, range):
            return Q(**{f"{name}__gte": self.ids.start, f"{name}__lt": self.ids.stop})
        return Q(Among(name, self.ids))


def _batches(reports: Iterable[int]) -> list[_Some]:
    ids = sorted(reports)
    return [_Some(ids[start : start + _BATCH]) for start in range(0, len(ids), _BATCH)]


def _ranges() -> list[_Some]:
    """All reports."""
    newest = Report.objects.aggregate(newest=Max("pk"))["newest"] or 0
    return [_Some(range(first, first + _BATCH)) for first in range(1, newest + 1, _BATCH)]


def _candidates(audience: str, edition: Edition, last: Edition | None, touched: set[int]) -> set[int] | None:
    """The reports whose OWN columns may have to change: touched or due since the last edition, months at a
    month's end, and of incidents that were published or are no more. None, for all, if the policy changed."""
    reports, rows = Report.objects.order_by(), rows_of(audience)
    if last is None or (last.policy_version, last.policy) != (edition.policy_version, edition.policy):
        return None
    found = {*touched}
    for use_class, sight in _sights(audience).items():
        # What came due is found by when, of whatever kind it is.
        of_class = kept_off(reports.filter(access.CLASS_CONDITIONS[use_class]), OF_CLASS).values("pk")
        if sight.when != "month":
            window = (last.at - sight.delay, edition.at - sight.delay)
            of_class = of_class.filter(counts_from__gt=window[0], counts_from__lte=window[1])
        elif not edition.month_end:
            continue
        found.update(row["pk"] for row in of_class)
    named = rows.filled("incident")
    incidents = Incident.objects.order_by()
    hidden = list(incidents.filter(published=False).values_list("reference", flat=True))
    found.update(named.filter(incident__in=hidden).values_list("report", flat=True))
    # Those that no row names: where one does, its other rows were given it too.
    fresh = incidents.filter(~Exists(named.filter(incident=OuterRef("reference"))), published=True)
    found.update(reports.filter(of_incident__in=list(fresh)).values_list("pk", flat=True))
    return found


def _told(audience: str, touched: set[int]) -> set[int]:
    """The reports of whose links something was told, and those numbered with one that was withdrawn: its row
    left before this edition."""
    found: set[int] = set()
    for batch in _batches(touched):
        found.update(Link.objects.order_by().filter(batch.of("report")).values_list("report", flat=True))
        withdrawn = Report.objects.order_by().filled("asset").filter(batch.of("pk")).exclude(withdrawn="")
        rows = (
            rows_of(audience)
            .filled("asset")
            .filter(asset__in=list(withdrawn.values_list("asset", flat=True)))
        )
        found.update(rows.values_list("report", flat=True))
    return found


def _write_own(
    audience: str, edition: Edition, batch: _Some, tightened: list[str], difference: _Difference | None
) -> int:
    """Write the OWN columns of these reports' rows, and note the difference. What is decided is listed
    first: the office goes on writing meanwhile, and no row may leave without its version in the past."""
    all_seen = seen(audience, edition.at)
    if not edition.month_end:
        all_seen = all_seen.exclude(monthly(audience))
    now_seen = all_seen.filter(batch.of("pk"))
    # Versions of another class than the report's, or of more than is shown now, are not kept.
    keeper = Report.objects.annotate(use_class=USE_CLASS).exclude(use_class__in=tightened)
    keeps = Exists(keeper.filter(pk=OuterRef("report_id"), use_class=OuterRef("use_class"), withdrawn=""))
    past = PastReport.objects.filter(batch.of("report"), holder=audience).annotate(use_class=USE_CLASS)
    unkept = PastReport.objects.filter(pk__in=past.exclude(keeps).values("pk"))
    _count_vanished(audience, unkept)
    vanished, _tables = unkept.delete()

    held = rows_of(audience).filter(batch.of("report")).annotate(use_class=USE_CLASS)
    fresh = [F(f"seen_{name}") for name in OWN]
    differs = _any(
        Q(Differs(value, F(f"{audience}__{name}"))) for name, value in zip(OWN, fresh, strict=True)
    )
    changed = list(
        now_seen.filter(**{f"{audience}__isnull": False}).filter(differs).values_list("pk", flat=True)
    )
    lost = list(held.exclude(keeps).values_list("report", flat=True))
    stays = Exists(shown(audience, edition.at).filter(pk=OuterRef("report_id")))
    leaving = list(held.filter(keeps).exclude(stays).values_list("report", flat=True))
    _count_vanished(audience, rows_of(audience).filter(Q(Among("report", lost))), until=edition.at)
    kept = sorted({*changed, *leaving} - {*lost})
    table = CURRENT[audience]
    stale = rows_of(audience).filter(Q(Among("report", {*kept, *lost})))
    if difference:
        difference.add(stale, -1)
    copy_to_past(table, rows_of(audience).filter(Q(Among("report", kept))), audience, at=edition.at)
    stamps = [Value(edition.at, output_field=DateTimeField())] * len(STAMPED)
    own = [f"seen_{name}" for name in OWN]
    still_seen = all_seen.filter(Q(Among("pk", {*kept, *lost})))
    update(table, [*OWN, *STAMPED], still_seen.values_list("pk", *own, *stamps))
    stale.filter(valid_from__lt=edition.at).delete()
    # In the order of lists, in which most indexes end: neighbours are written where neighbours lie.
    entering = now_seen.filter(**{f"{audience}__isnull": True}).order_by("sort_key")
    insert(
        table,
        [*OWN, "report", *STAMPED, *LINKED],
        entering.values_list(*own, "pk", *stamps, Value(""), _nothing("strike_no")),
    )
    if difference:
        difference.add(rows_of(audience).filter(batch.of("report"), valid_from=edition.at), 1)
    return vanished + len(lost)


def _write_links(audience: str, edition: Edition, batch: _Some) -> None:
    """Write the LINKED columns of these reports' rows; a row this edition has not versioned yet goes to the
    past first."""
    rows = rows_of(audience).filter(batch.of("report"))
    if not edition.month_end:
        rows = rows.exclude(monthly(audience))
    links = _links(audience, "")
    differs = _any(Q(Differs(links[name], F(name))) for name in LINKED)
    differing = rows.filter(differs).values_list("pk", flat=True)
    changed = rows_of(audience).filter(Q(Among("pk", differing)))
    copy_to_past(CURRENT[audience], changed.filter(valid_from__lt=edition.at), audience, at=edition.at)
    changed.update(**links, **dict.fromkeys(STAMPED, edition.at))
