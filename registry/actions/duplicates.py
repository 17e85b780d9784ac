"""Reports that are likely of the same damage, or of the same thing struck again: offered, never decided here.

Candidates are found by ranges of indexes (cells around the point; the days around, in the district), so many
at most whatever the register holds, and only among the rows the person is given: the office's in their own
areas, for outsiders what is published. ``rules.likeness`` judges them.
"""

import copy
from collections.abc import Collection, Iterator, Sequence
from datetime import timedelta
from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from registry import filters, geo
from registry.models import CURRENT, Person, Report, ToldApart
from registry.models.sql import Probe, first_key, probed
from registry.rules.access import Verb
from registry.rules.likeness import (
    LIKELY,
    POSSIBLE,
    SAME_DAYS,
    SMALL_M,
    Likeness,
    Portrait,
    Verdict,
    compare,
    portrait,
)
from registry.rules.vocabularies import EntryKind, Holder

from . import journal
from .journal import Line, Refused, require

#: As many candidates one range of an index gives for one report, and for each of many; so many are offered.
_OF_RANGE, _OF_RANGE_EACH, _OFFERED = 60, 12, 8
#: How far from a pin a report like it is looked for; farther off, its address or name finds it in its district.
_NEAR_M, _NEAR_EACH_M = 300, 120
_COLUMNS = (
    "kind", "sector", "object_type", "object_name", "address", "settlement", "adm1_name", "adm2_name", "lat",
    "lon", "geo_precision", "geo_radius_m", "occurred_from", "occurred_to", "customers_affected",
)  # fmt: skip
_OFFICE_COLUMNS = ("place_typed", "of_asset_id")


class Found(NamedTuple):
    """A report and what it is to the one asked about."""

    report: Any
    likeness: Likeness

    @property
    def again(self) -> bool:
        """Whether it is of the same thing, struck at another time."""
        return self.likeness.verdict == Verdict.SECOND


def nearby(row: Any, *, person: Person, but: Collection[int] = (), using: str = "default") -> list[Found]:
    """At most eight reports like this one, likest first: likely or possibly the same damage, or another
    strike on the same thing. ``row``: a report, or the columns of a form put on one. ``but``: keys of
    reports that are not offered; nor are those that somebody told apart from it."""
    if row.pk is not None:
        but = {*but, row.pk, *_told_apart_from(row)}
    (found,) = _found([row], person, but, again=True, using=using)
    best = sorted(found, key=_likest)[:_OFFERED]
    reports = _rows(person, using).in_bulk([key for key, _likeness in best])
    return [Found(reports[key], likeness) for key, likeness in best if key in reports]


def _likest(pair: tuple[int, Likeness]) -> tuple[Any, ...]:
    """Of what is as like, what more speaks for, then what came first."""
    key, likeness = pair
    return likeness.verdict == Verdict.SECOND, -likeness.score, -len(likeness.speaks_for), key


def tell_apart(reference: str, other: str, *, by: Person) -> None:
    """Remember for good that two reports are two, whoever is offered them; repeating it changes nothing.
    Takes the right in the areas of both."""
    with transaction.atomic():
        if reference == other:
            raise Refused(_("A report cannot be told apart from itself."), code="other")
        first, second = (journal.lock(name) for name in sorted((reference, other)))
        for report in (first, second):
            require(by, Verb.LINK, report)
        older, newer = sorted((first, second), key=lambda report: report.pk)
        pair = {"first": older, "second": newer}
        _row, is_new = ToldApart.objects.get_or_create(**pair, defaults={"by": by, "at": journal.now()})
        if is_new:
            for here, there in ((first, second), (second, first)):
                words = {"other": there.reference}
                journal.record(Line(here, EntryKind.TOLD_APART, by=by, texts=words))


def are_told_apart(one: Report, other: Report) -> bool:
    """Whether somebody found that these two are two."""
    return other.pk in _told_apart_from(one)


def _told_apart_from(report: Report) -> set[int]:
    pairs = ToldApart.objects.filter(Q(first=report) | Q(second=report)).values_list("first", "second")
    return {key for pair in pairs for key in pair} - {report.pk}


def likely(
    lines: Sequence[Line], *, by: Person | None, but: Collection[int] = (), using: str = "default"
) -> list[tuple[int, Likeness] | None]:
    """For each line that would log a report (an import's ``Judged.line``), in their order: the key of the
    report that is most likely the same damage and how like it is, or None.

    Three statements for all lines together, so give it a chunk at a time. ``by`` None looks through the
    whole office. ``but``: keys of reports that do not count, as those the chunk's own rows revise. Lines are
    not compared with each other: one file tells its things apart.
    """
    rows = []
    for line in lines:
        row = copy.copy(line.report)
        # Columns that a form leaves out are blank in a new report.
        row.__dict__.update(line.fields)
        rows.append(row)
    everything = _found(rows, by, but, again=False, using=using)
    same = [[pair for pair in found if pair[1].score >= LIKELY] for found in everything]
    return [min(pairs, key=_likest, default=None) for pairs in same]


def _rows(person: Person | None, using: str) -> Any:
    """The rows the person is given: live ones, of the office in their areas, or published; found by key."""
    holder = Holder.OFFICE if person is None else None
    return filters.tried(filters.select(person, {}, holder=holder, using=using).rows)


def _found(
    rows: Sequence[Any], person: Person | None, but: Collection[int], *, again: bool, using: str
) -> list[list[tuple[int, Likeness]]]:
    """For every row the keys of the reports like it; ``again``: at any time, not on the days around alone."""
    portraits = [portrait(row) for row in rows]
    given = _rows(person, using)
    probes = [
        probe
        for number, (one, row) in enumerate(zip(portraits, rows, strict=True))
        for probe in _probes(number, one, row, again=again)
    ]
    most = _OF_RANGE if again else _OF_RANGE_EACH
    pairs = {pair for pair in probed(given.model, probes, most=most, using=using) if pair[1] not in but}
    columns = _COLUMNS + (_OFFICE_COLUMNS if given.model is CURRENT[Holder.OFFICE] else ())
    keys = {key for _number, key in pairs}
    known = {}
    if keys:
        chosen = given.filter(pk__in=keys).order_by().values_list("pk", *columns, named=True)
        known = {row.pk: portrait(row) for row in chosen}
    found: list[list[tuple[int, Likeness]]] = [[] for _row in rows]
    for number, key in pairs:
        if key in known:
            likeness = compare(portraits[number], known[key])
            if likeness.likely or likeness.score >= POSSIBLE:
                found[number].append((key, likeness))
    return found


def _probes(number: int, one: Portrait, row: Any, *, again: bool) -> Iterator[Probe]:
    """Where reports like this one lie, if it says enough to be like any."""
    around = first_key(one.first - timedelta(SAME_DAYS)), first_key(one.last + timedelta(SAME_DAYS + 1))
    if one.point and one.radius_m <= SMALL_M:
        reach = max(_NEAR_M, one.radius_m) if again else _NEAR_EACH_M
        days = (0, first_key(one.last + timedelta(3_660))) if again else around
        for cells in geo.covering_ranges(*one.point, reach):
            yield Probe(number, one.kind, *days, cells=cells)
    if one.tells:
        for column in ("adm2_code", "adm1_code"):
            if code := getattr(row, column):
                yield Probe(number, one.kind, *around, area=(column, code))
                return
