"""What the steps of an outage add up to: its status, customers, customer-hours and time of restoration.

Source of the sums: IEEE 1366 (customer-minutes of interruption); a check is worked in the tests.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import pairwise
from typing import Any, Protocol

from django.utils.translation import gettext_lazy as _

from .vocabularies import Restriction, Status

LOST, BACK = "lost", "back"
DIRECTION_CHOICES = [(LOST, _("Supply lost")), (BACK, _("Supply back"))]


class Step(Protocol):
    """``customers``: how many, None if not known; ``everyone``: all who were out are back."""

    at: datetime
    direction: str
    customers: int | None
    everyone: bool
    restriction: str


class StepError(ValueError):
    """Steps that cannot be true together; ``message`` says why, in the reader's language."""

    def __init__(self, message: Any) -> None:
        super().__init__(message)
        self.message = message


_TOO_EARLY = _("Supply cannot come back before it was lost.")


@dataclass(frozen=True)
class Standing:
    """Where an outage stands after its last step. Customers and hours are None where a step they need
    is not known; ``as_of`` is the time of the last step (None without steps)."""

    status: str = Status.CONFIRMED
    customers_affected: int | None = None
    customers_out: int | None = None
    customer_hours: Decimal | None = None
    as_of: datetime | None = None
    restored_at: datetime | None = None
    restriction: str = ""


@dataclass(frozen=True)
class Point:
    """Customers without supply from a moment on; None: not known how many."""

    at: datetime
    out: int | None


def stairs(steps: Sequence[Step]) -> list[Point]:
    """The customers out after each step, in order of time.

    Raises StepError where the first step gives supply back, or more come back than can be out.
    """
    points: list[Point] = []
    most: int | None = 0  # as many as can be out, also where it is not known how many are
    known = True
    for step in sorted(steps, key=lambda step: step.at):
        if step.direction == LOST:
            most = None if step.customers is None or most is None else most + step.customers
        else:
            if not points:
                raise StepError(_TOO_EARLY)
            if step.everyone:
                most, known = 0, True
            elif step.customers is None:
                known = False
            elif most is not None:
                if step.customers > most:
                    raise StepError(
                        _("%(back)d customers cannot be back: only %(out)d were out then.")
                        % {"back": step.customers, "out": most}
                    )
                most -= step.customers
        points.append(Point(step.at, most if known else None))
    return points


def standing(steps: Sequence[Step]) -> Standing:
    """Status and figures from steps that are not voided; raises StepError (see ``stairs``)."""
    ordered = sorted(steps, key=lambda step: step.at)
    if not ordered:
        return Standing()
    if any(step.restriction for step in ordered):
        return _restriction(ordered)
    points = stairs(ordered)
    losses = [step.customers for step in ordered if step.direction == LOST]
    affected = None if None in losses else sum(number or 0 for number in losses)
    out = points[-1].out
    if out == 0:
        status = Status.RESTORED
    elif any(step.direction == BACK for step in ordered[_present([p.out == 0 for p in points]) :]):
        status = Status.PARTIALLY_RESTORED
    else:
        status = Status.CONFIRMED
    # The hours need every loss: those of an unknown one are unknown, not none.
    seconds = None if affected is None else Decimal(0)
    for before, after in pairwise(points):
        if seconds is None or before.out is None:
            seconds = None
            break
        seconds += Decimal(before.out) * int((after.at - before.at).total_seconds())
    return Standing(
        status=status,
        customers_affected=affected,
        customers_out=out,
        customer_hours=None if seconds is None else round(seconds / 3600, 2),
        as_of=ordered[-1].at,
        restored_at=ordered[-1].at if status == Status.RESTORED else None,
    )


def _present(whole: Sequence[bool]) -> int:
    """Which step begins the present loss: the one after the last by which all was whole, else the first."""
    return max((number for number, so in enumerate(whole, 1) if so), default=0)


def _restriction(ordered: Sequence[Step]) -> Standing:
    """Roads, railways and airports: a restriction stands in place of customers."""
    words = [step.restriction for step in ordered]
    if words[0] == Restriction.NONE:
        raise StepError(_TOO_EARLY)
    last, since = words[-1], words[_present([word == Restriction.NONE for word in words]) :]
    if last == Restriction.NONE:
        status = Status.RESTORED
    elif last != Restriction.CLOSED and Restriction.CLOSED in since:
        status = Status.PARTIALLY_RESTORED
    else:
        status = Status.CONFIRMED
    at = ordered[-1].at
    restored_at = at if status == Status.RESTORED else None
    return Standing(status=status, as_of=at, restored_at=restored_at, restriction=last)


@dataclass(frozen=True)
class Reliability:
    """The indices of IEEE 1366 for the customers served in an area over a span of time; None where unknown.

    ``saifi``: interruptions a customer, ``saidi``: minutes a customer, ``caidi``: minutes an interruption.
    """

    saifi: float | None
    saidi: float | None
    caidi: float | None


def reliability(interrupted: int, hours: Decimal | float, served: int | None) -> Reliability:
    """SAIFI = ΣNi/NT, SAIDI = ΣriNi/NT, CAIDI = SAIDI/SAIFI (IEEE 1366).

    ``interrupted``: ΣNi, customers who lost supply, once for each time; ``hours``: ΣriNi in customer-hours;
    ``served``: NT.
    """
    minutes = float(hours) * 60
    return Reliability(
        saifi=interrupted / served if served else None,
        saidi=minutes / served if served else None,
        caidi=minutes / interrupted if interrupted else None,
    )
