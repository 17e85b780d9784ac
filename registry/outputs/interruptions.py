"""How reliable supply was, by area, sector and month: SAIFI, SAIDI and CAIDI of IEEE 1366."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal

from django.conf import settings
from django.db.models import Case, F, Q, When
from django.db.models.functions import Coalesce

from registry.filters import Selection, tried
from registry.models import CustomersServed
from registry.rules import access, supply
from registry.rules.vocabularies import CustomersUnit, Kind, Sector

from .statistics import AREA, answered, day_of

#: What customers are counted in where they can be held against the customers served.
UNITS = (CustomersUnit.ACCOUNTS, CustomersUnit.HOUSEHOLDS)
#: What adds up to a month, and when a row counts in it.
_KNOWN = Q(customers_unit__in=UNITS, customers_affected__isnull=False, customer_hours__isnull=False)


@dataclass
class Month:
    """The outages that began in a month in an area, in one sector.

    ``interrupted``: customers, once for each time; ``hours``: customer-hours; both of outages whose figures
    are known. ``unknown``: how many have none, or none in customers, so that the indices are at least as
    high as they say; ``momentary``: how many were too short to count. ``served``: NT, None if not known.
    """

    area: str
    sector: str
    month: date
    outages: int = 0
    unknown: int = 0
    momentary: int = 0
    interrupted: int = 0
    hours: Decimal = field(default_factory=Decimal)
    served: int | None = None

    @property
    def indices(self) -> supply.Reliability:
        return supply.reliability(self.interrupted, self.hours, self.served)


def months(selection: Selection) -> list[Month]:
    """The selected losses of supply by area (region, else country), sector and the month they began in."""
    found: dict[tuple[str, str, date], Month] = {}
    momentary = Q(restored_utc__lt=F("started_utc") + timedelta(minutes=settings.MOMENTARY_MINUTES))
    for rows in selection.tables:
        lost = tried(rows).filter(kind=Kind.OUTAGE).exclude(sector=Sector.TRANSPORT).order_by()
        counted = lost.exclude(status__in=access.SET_ASIDE).annotate(
            area=AREA,
            day=Coalesce("occurred_from", "occurred_to"),
            short=Case(When(momentary, then=1), default=0),
            unknown=Case(When(momentary | _KNOWN, then=0), default=1),
            # In this order, since a moment that is missing makes nothing momentary.
            interrupted=Case(When(momentary, then=None), When(_KNOWN, then=F("customers_affected"))),
            hours=Case(When(momentary, then=None), When(_KNOWN, then=F("customer_hours"))),
        )
        keys, numbers = ("area", "sector", "day"), ("short", "unknown", "interrupted", "hours")
        rows_of_days = answered(
            counted.values_list(*keys, *numbers),
            keys,
            numbers,
            ["COUNT(*)", *(f"SUM({number})" for number in numbers)],
        )
        for area, sector, day, n, short, unknown, interrupted, hours in rows_of_days:
            month = day_of(day).replace(day=1)
            one = found.setdefault((area, sector, month), Month(area, sector, month))
            one.outages += n
            one.momentary += short
            one.unknown += unknown
            one.interrupted += int(interrupted or 0)
            one.hours += round(Decimal(hours or 0), 2)
    _serve(found.values(), selection.using)
    return sorted(found.values(), key=lambda one: (one.area, one.sector, one.month))


def _serve(some: Iterable[Month], using: str) -> None:
    """Set how many customers were served: by each operator what it last said at the month's beginning."""
    operators: dict[tuple[str, str], dict[str, list[tuple[date, int]]]] = defaultdict(
        lambda: defaultdict(list)
    )
    said = CustomersServed.objects.using(using).order_by("since")
    codes = {one.area for one in some}
    for area, sector, operator, since, customers in said.filter(area__code__in=codes).values_list(
        "area__code", "sector", "operator", "since", "customers"
    ):
        operators[area, sector][operator].append((since, customers))
    for one in some:
        each = operators.get((one.area, one.sector), {}).values()
        last = [[n for since, n in lines if since <= one.month][-1:] for lines in each]
        one.served = sum(sum(n) for n in last) or None
