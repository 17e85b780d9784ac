"""How long it took from one step to another, with the cases that still wait counted as such.

A report that is not verified or repaired yet has waited at least until now: it is *censored*, not left out,
or the register would look faster the less it has done. The estimator is Kaplan and Meier's (J. Am. Stat. Assoc.
53, 1958), its pointwise 95 % bands are Greenwood's on the log-log scale, both by ``scipy.stats.ecdf``.
"""

import math
import warnings
from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from itertools import accumulate
from typing import Any, NamedTuple

from django.db.models import Case, DateField, F, IntegerField, Q, Value, When
from django.db.models.functions import Coalesce
from django.db.models.lookups import LessThanOrEqual

from registry.filters import Selection, tried
from registry.models.sql import CivilDay, DaysBetween
from registry.rules import access, workflow
from registry.rules.vocabularies import Outcome, Status, Withheld

from .statistics import AREA, grouped


class Origin(StrEnum):
    """What the clock starts with."""

    REPORT = "report"
    DAMAGE = "damage"


class End(StrEnum):
    """What it stops with."""

    VERIFICATION = "verification"
    REPAIR = "repair"


_STARTS: dict[str, Any] = {Origin.REPORT: CivilDay("logged_utc", "timezone"), Origin.DAMAGE: F("occurred_to")}
#: What ends the waiting: a day, and when it is taken from where.
_BY_OWNER = Q(status=Status.CLOSED, outcome=Outcome.REPAIRED_BY_OWNER)
_ENDS: dict[str, Any] = {
    End.VERIFICATION: F("verified_on"),
    # Whoever repaired it without the office did so at the latest by the day of closure.
    End.REPAIR: Case(When(_BY_OWNER, then=Coalesce("repaired_on", "closed_on")), default=F("repaired_on")),
}

#: How sure the bands are.
CONFIDENCE = 0.95


class Point(NamedTuple):
    """A day on which something ended: how many waited until it, for how many it ended and how many were lost
    sight of on it, the share that waits longer, and its confidence band (None where it is not defined)."""

    day: int
    waiting: int
    ended: int
    censored: int
    share: float
    lower: float | None
    upper: float | None


@dataclass(frozen=True)
class Curve:
    """The share that still waits, day by day, of ``n`` cases of which ``open`` still do."""

    n: int
    open: int
    points: tuple[Point, ...]

    @property
    def median(self) -> int | None:
        """The first day on which at most half still waited; None while more than half do."""
        return self._first("share")

    @property
    def band(self) -> tuple[int | None, int | None]:
        """The confidence interval of the median, by the bands of the curve (Brookmeyer and Crowley)."""
        return self._first("lower"), self._first("upper")

    def _first(self, name: str) -> int | None:
        reached = (p.day for p in self.points if (share := getattr(p, name)) is not None and share <= 0.5)
        return next(reached, None)


@dataclass(frozen=True)
class Durations:
    """The curve of all cases, those of each area by its code ("": not known), and how many cases are in none
    because the day they began or ended is not known, not shown to this audience, or in the wrong order."""

    whole: Curve
    areas: dict[str, Curve]
    left_out: int


def durations(selection: Selection, origin: str, end: str, until: date) -> Durations:
    """How long the selected damage waited from ``origin`` to ``end``; what is open waits ``until`` then.

    What was closed without a repair was lost sight of on that day.
    """
    days: dict[str, Counter[tuple[int, int]]] = defaultdict(Counter)
    left_out = 0
    ended = _ENDS[end]
    stopped = Coalesce(
        ended, Case(When(status=Status.CLOSED, then=F("closed_on"))), Value(until, DateField())
    )
    for rows in selection.tables:
        damage = tried(rows).filter(kind__in=workflow.DAMAGE).exclude(status__in=access.SET_ASIDE).order_by()
        measured = damage.annotate(
            area=AREA,
            days=Case(
                When(~Q(withheld__contains=Withheld.DAYS), then=DaysBetween(_STARTS[origin], stopped)),
                output_field=IntegerField(),
            ),
            # Known by then: a day that is to come ends nothing.
            ended=Case(When(LessThanOrEqual(ended, Value(until, DateField())), then=1), default=0),
        )
        for area, waited, is_ended, n in grouped(measured, "area", "days", "ended"):
            if waited is None or waited < 0:
                left_out += n
            else:
                days[area][waited, is_ended] += n
    whole = sum(days.values(), Counter())
    return Durations(curve(whole), {area: curve(counts) for area, counts in sorted(days.items())}, left_out)


def curve(counts: Counter[tuple[int, int]]) -> Curve:
    """Kaplan and Meier's estimate from how many cases waited so many days and were ended (1) or not (0)."""
    # Here, because they take a second and 60 MB of a process that may never draw a curve.
    import numpy
    from scipy import stats

    n, ends = counts.total(), sum(number for (_day, ended), number in counts.items() if ended)
    if not ends:
        return Curve(n, n, ())
    each = [numpy.repeat(*_columns(counts, ended)) for ended in (1, 0)]
    estimate = stats.ecdf(stats.CensoredData(uncensored=each[0], right=each[1])).sf
    with warnings.catch_warnings(action="ignore"):  # where all or none wait there is no band
        band = estimate.confidence_interval(CONFIDENCE, method="log-log")
    found = zip(
        estimate.quantiles,
        estimate.probabilities,
        band.low.probabilities,
        band.high.probabilities,
        strict=True,
    )
    days = [(int(day), float(share), _known(low), _known(high)) for day, share, low, high in found]
    gone = [counts[day, 1] + counts[day, 0] for day, *_shares in days]
    before = accumulate(gone[:-1], initial=0)
    points = [
        Point(day, n - left, counts[day, 1], counts[day, 0], share, low, high)
        for (day, share, low, high), left in zip(days, before, strict=True)
    ]
    return Curve(n, n - ends, tuple(points))


def _columns(counts: Counter[tuple[int, int]], ended: int) -> tuple[list[int], list[int]]:
    some = [(day, number) for (day, is_ended), number in counts.items() if is_ended == ended]
    return [day for day, _number in some], [number for _day, number in some]


def _known(share: float) -> float | None:
    return None if math.isnan(share) else float(share)
