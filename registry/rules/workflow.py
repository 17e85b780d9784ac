"""The workflow: every transition, by whom, on what evidence, as one table.

Buttons, forms, the API, bulk actions, documentation and tests read ``MOVES``. Between ``confirmed``,
``partially_restored`` and ``restored`` the status of an outage follows from its steps
(``supply.standing``) and is never chosen.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from . import access
from .vocabularies import Kind, Outcome, Role, Status

DAMAGE = (Kind.BUILDING, Kind.NETWORK)
OUTAGES = (Kind.OUTAGE,)
S, R = Status, Role

#: Marks the destination that lies on the row itself: the status before a merge, or before an urgent start.
BEFORE_MERGE = "before_merge"
BEFORE_START = "before_start"

UNCHECKED = (S.REPORTED, S.NEEDS_INFO, S.UNVERIFIABLE)
UNDER_STEPS = (S.CONFIRMED, S.PARTIALLY_RESTORED, S.RESTORED)
#: Damage that has been verified and not yet closed, plus closed: inspectors may add assessments.
FROM_VERIFIED = (S.VERIFIED, S.REPAIR_PLANNED, S.REPAIR_IN_PROGRESS, S.REPAIRED, S.CLOSED)


@dataclass(frozen=True)
class Move:
    """One transition.

    ``takes`` names the fields of evidence its form asks for (declared once, in ``forms.moves``);
    ``apart`` names the deeds that bar a person from this move: logged, graded, ran, drafted;
    ``reporter`` lets whoever reported it make the move, whatever their role.
    """

    name: str
    kinds: tuple[str, ...]
    sources: tuple[str, ...]
    to: str
    roles: frozenset[str]
    label: Any
    takes: tuple[str, ...] = ()
    apart: tuple[str, ...] = ()
    outcomes: tuple[str, ...] = ()
    reporter: bool = False
    needs_plan: bool = False


def _who(*roles: str) -> frozenset[str]:
    return frozenset(roles)


_CHECKERS = _who(R.OFFICIAL, R.INSPECTOR)
_CREW = _who(R.OFFICIAL, R.OPERATOR)
_BOSS = _who(R.SUPERVISOR)
_INSPECTION = (
    "happened_on",
    "method",
    "grade",
    "usability",
    "hazards",
    "part_seen",
    "elements",
    "act_number",
    "act_members",
    "image",
    "independent_source",
    "note",
)

MOVES: tuple[Move, ...] = (
    # damage: buildings and networks
    Move("ask", DAMAGE, (S.REPORTED,), S.NEEDS_INFO, _CHECKERS, _("Ask a question"), ("question",)),
    Move(
        "answer",
        DAMAGE,
        (S.NEEDS_INFO,),
        S.REPORTED,
        _who(R.OFFICIAL),
        _("Answer the question"),
        ("answer",),
        reporter=True,
    ),
    Move(
        "verify",
        DAMAGE,
        UNCHECKED,
        S.VERIFIED,
        _who(R.INSPECTOR),
        _("Verify by an inspection"),
        _INSPECTION,
        apart=("logged",),
    ),
    Move(
        "set_unverifiable",
        DAMAGE,
        (S.REPORTED, S.NEEDS_INFO),
        S.UNVERIFIABLE,
        _who(R.INSPECTOR),
        _("Say that it cannot be verified"),
        ("reason",),
    ),
    Move(
        "reject",
        DAMAGE,
        UNCHECKED,
        S.REJECTED,
        _CHECKERS,
        _("Reject"),
        ("outcome", "note"),
        outcomes=(Outcome.NO_DAMAGE, Outcome.NOT_FOUND, Outcome.OUT_OF_SCOPE, Outcome.FALSE),
    ),
    Move(
        "merge",
        DAMAGE,
        (*UNCHECKED, S.VERIFIED),
        S.DUPLICATE,
        _CHECKERS,
        _("Merge into another report"),
        ("original",),
    ),
    Move("unmerge", DAMAGE, (S.DUPLICATE,), BEFORE_MERGE, _CHECKERS, _("Undo the merge"), ("note",)),
    Move(
        "approve_plan",
        DAMAGE,
        (S.VERIFIED,),
        S.REPAIR_PLANNED,
        _BOSS,
        _("Approve the repair plan"),
        ("note",),
        apart=("graded", "drafted"),
        needs_plan=True,
    ),
    Move(
        "start_repair",
        DAMAGE,
        (S.REPAIR_PLANNED,),
        S.REPAIR_IN_PROGRESS,
        _CREW,
        _("Start the repair"),
        ("contractor", "happened_on"),
    ),
    Move(
        "start_urgent_repair",
        DAMAGE,
        (S.VERIFIED,),
        S.REPAIR_IN_PROGRESS,
        _BOSS,
        _("Start an urgent repair"),
        ("contractor", "happened_on", "reason"),
    ),
    Move(
        "stop_repair",
        DAMAGE,
        (S.REPAIR_IN_PROGRESS,),
        BEFORE_START,
        _CREW,
        _("Stop the repair"),
        ("reason",),
    ),
    Move(
        "withdraw_plan",
        DAMAGE,
        (S.REPAIR_PLANNED,),
        S.VERIFIED,
        _BOSS,
        _("Withdraw the repair plan"),
        ("reason",),
    ),
    Move(
        "finish_repair",
        DAMAGE,
        (S.REPAIR_IN_PROGRESS,),
        S.REPAIRED,
        _CREW,
        _("Repair finished"),
        ("happened_on", "photos_after", "repair_cost", "repair_currency"),
    ),
    Move(
        "pass_repair",
        DAMAGE,
        (S.REPAIRED,),
        S.CLOSED,
        _who(R.INSPECTOR),
        _("Pass the repair and close"),
        ("happened_on", "note"),
        apart=("ran",),
        outcomes=(Outcome.REPAIRED,),
    ),
    Move(
        "fail_repair",
        DAMAGE,
        (S.REPAIRED,),
        S.REPAIR_IN_PROGRESS,
        _who(R.INSPECTOR),
        _("Fail the repair"),
        ("reason",),
        apart=("ran",),
    ),
    Move(
        "close",
        DAMAGE,
        (S.VERIFIED, S.REPAIR_PLANNED, S.REPAIR_IN_PROGRESS),
        S.CLOSED,
        _BOSS,
        _("Close without a repair"),
        ("outcome", "happened_on", "note"),
        outcomes=(
            Outcome.NO_REPAIR_NEEDED,
            Outcome.REPAIRED_BY_OWNER,
            Outcome.DEMOLISHED,
            Outcome.SUPERSEDED,
            Outcome.CANCELLED,
            Outcome.OUT_OF_SCOPE,
        ),
    ),
    Move("reopen", DAMAGE, (S.CLOSED,), S.VERIFIED, _BOSS, _("Reopen"), ("reason",)),
    Move("set_back", DAMAGE, (S.VERIFIED,), S.REPORTED, _BOSS, _("Set back to reported"), ("reason",)),
    Move("reconsider", DAMAGE, (S.REJECTED,), S.REPORTED, _BOSS, _("Reconsider"), ("reason",)),
    # outages
    Move(
        "confirm",
        OUTAGES,
        (S.REPORTED,),
        S.CONFIRMED,
        _CREW,
        _("Confirm the outage"),
        (
            "cause_group",
            "cause",
            "customers_unit",
            "customers_served",
            "customers_lost",
            "restriction",
            "diverted_to",
            "note",
        ),
    ),
    Move(
        "reject",
        OUTAGES,
        (S.REPORTED,),
        S.REJECTED,
        _CREW,
        _("Reject: no fault"),
        ("note",),
        outcomes=(Outcome.NO_FAULT,),
    ),
    Move(
        "reject_confirmed",
        OUTAGES,
        UNDER_STEPS,
        S.REJECTED,
        _BOSS,
        _("Reject"),
        ("outcome", "reason"),
        outcomes=(Outcome.NO_FAULT, Outcome.OUT_OF_SCOPE, Outcome.FALSE),
    ),
    Move(
        "merge",
        OUTAGES,
        (S.REPORTED, *UNDER_STEPS),
        S.DUPLICATE,
        _CREW,
        _("Merge into another report"),
        ("original",),
    ),
    Move("unmerge", OUTAGES, (S.DUPLICATE,), BEFORE_MERGE, _CREW, _("Undo the merge"), ("note",)),
    Move(
        "close",
        OUTAGES,
        (S.RESTORED,),
        S.CLOSED,
        _who(R.OPERATOR, R.SUPERVISOR),
        _("Close the outage"),
        ("happened_on", "note"),
    ),
    Move("reopen", OUTAGES, (S.CLOSED,), S.RESTORED, _BOSS, _("Reopen"), ("reason",)),
    Move("reconsider", OUTAGES, (S.REJECTED,), S.REPORTED, _BOSS, _("Reconsider"), ("reason",)),
)

STATUSES: dict[str, tuple[str, ...]] = {
    Kind.BUILDING: (*UNCHECKED, S.REJECTED, S.DUPLICATE, *FROM_VERIFIED),
    Kind.OUTAGE: (S.REPORTED, S.REJECTED, S.DUPLICATE, *UNDER_STEPS, S.CLOSED),
}
STATUSES[Kind.NETWORK] = STATUSES[Kind.BUILDING]

#: A report in one of these may take another in a merge.
LIVE = tuple(status for status in S.values if status not in access.SET_ASIDE)


def moves_from(row: Any) -> list[Move]:
    """The moves that lead on from where the row stands, whoever asks."""
    return [move for move in MOVES if row.kind in move.kinds and row.status in move.sources]


def move_named(name: str, kind: str) -> Move:
    """The move of this name for this kind of report; KeyError if there is none."""
    for move in MOVES:
        if move.name == name and kind in move.kinds:
            return move
    raise KeyError(name)


def destination(move: Move, row: Any) -> str:
    """The status a move leads to, for this row."""
    if move.to == BEFORE_MERGE:
        return row.status_before_merge
    if move.to == BEFORE_START:
        return S.VERIFIED if row.started_urgently else S.REPAIR_PLANNED
    return move.to


@dataclass(frozen=True)
class Refusal:
    """Why a move is closed to a person. ``reason_opens``: a supervisor may go on with a reason."""

    code: str
    message: Any
    reason_opens: bool = False


_DEEDS = {
    "logged": _("You logged this report, or last set its place, kind or date: somebody else checks it."),
    "graded": _("You made the current assessment: somebody else decides on the repair."),
    "drafted": _("You drafted this plan: somebody else approves it."),
    "ran": _("You ran this repair: somebody else passes it."),
}


def did(row: Any, deed: str) -> set[int]:
    """The people whom a deed on this row bars. ``row.hands`` keeps them (see ``models.reports.Report``)."""
    hands = row.hands
    if deed == "logged":
        return {*hands.get("logged", ()), *hands.get("shaped", {}).values()}
    return set(hands.get(deed, ()))


def check(move: Move, person: Any, row: Any, *, others: Callable[[Move, Any], bool]) -> Refusal | None:
    """None if the person may make this move on this row now, else why not.

    ``others(move, row)`` says whether some other active person could make it: where nobody else can, a
    supervisor barred only by an own deed may go on with a reason (``reason_opens``).
    """
    if row.kind not in move.kinds or row.status not in move.sources:
        return Refusal("status", _("A report at this status cannot make this move."))
    if row.withdrawn:
        return Refusal("withdrawn", _("This report is withdrawn: reverse the withdrawal first."))
    refusal = _right(move, person, row)
    if refusal:
        return refusal
    if move.needs_plan and not row.plan_scope:
        return Refusal("plan", _("No repair plan has been drafted yet."))
    for deed in move.apart:
        if person.pk in did(row, deed):
            alone = person.role == R.SUPERVISOR and not others(move, row)
            return Refusal(f"apart_{deed}", _DEEDS[deed], reason_opens=alone)
    return None


def _right(move: Move, person: Any, row: Any) -> Refusal | None:
    roles = access.acts_as(person)
    if move.reporter and roles and person.pk == row.logged_by_id:
        return None
    if not roles & move.roles:
        names = ", ".join(str(R(role).label) for role in sorted(move.roles))
        return Refusal("role", _("This takes another role: %(roles)s.") % {"roles": names})
    if not person.scope.contains(row):
        return Refusal("area", _("This report lies outside your areas or sectors."))
    return None


def could(move: Move, person: Any, row: Any) -> bool:
    """Whether a person has the right to a move and no deed of theirs bars it; the status is not asked."""
    return _right(move, person, row) is None and not any(person.pk in did(row, d) for d in move.apart)
