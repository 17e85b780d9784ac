"""Moves: every change of status through the workflow's table, whichever door it comes by.

``move`` locks the report, lets ``workflow.check`` decide on the locked row, and writes what the move takes
by the effect named after it below.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from registry.models import OutageStep, Person, Report, Request, Source
from registry.rules import supply, workflow
from registry.rules.vocabularies import EntryKind, Kind, Method, Role, SourceType
from registry.rules.workflow import Move, Refusal

from . import evidence, inspections, journal, merging
from .journal import Line, Refused
from .outages import supply_columns

#: A move was decided on these; if one changed since the person looked, the move is a conflict.
_DECIDED_ON = (
    "status", "kind", "sector", "object_type", "lat", "lon", "country", "adm1_code", "adm2_code",
    "adm3_code", "settlement", "address", "occurred_from", "occurred_to", "started_utc", "scale",
    "scale_grade", "ems98_min", "ems98_max",
)  # fmt: skip


def others_could(move: Move, report: Report, *, than: Person) -> bool:
    """Whether some other active person could make this move on this report."""
    people = (
        Person.objects.filter(is_active=True)
        .exclude(pk=than.pk)
        .exclude(role__in=(Role.RESIDENT, Role.RESEARCHER))
        .prefetch_related("areas")
    )
    return any(workflow.could(move, person, report) for person in people)


def refusal(move: Move, report: Report, *, by: Person) -> Refusal | None:
    """Why this person may not make this move now, None if they may."""
    return workflow.check(move, by, report, others=lambda move, row: others_could(move, row, than=by))


def offered(report: Report, *, to: Person) -> list[tuple[Move, Refusal | None]]:
    """The moves that lead on from where the report stands, each with why it is closed to this person."""
    return [(move, refusal(move, report, by=to)) for move in workflow.moves_from(report)]


def move(
    reference: str,
    name: str,
    *,
    by: Person,
    given: dict[str, Any] | None = None,
    since: int | None = None,
) -> Report:
    """Make a move. ``given``: the cleaned data of its form. ``since``: the version the person saw.

    Raises Refused (why not) or Conflict (what it was decided on has changed).
    """
    given = dict(given or {})
    with transaction.atomic():
        report = journal.lock(reference)
        try:
            step = workflow.move_named(name, report.kind)
        except KeyError:
            raise Refused(_("There is no such move."), code="move", field="move") from None
        unchecked = _check(step, report, by, given)
        stale = {field: object() for field in _DECIDED_ON}
        _refuse_if_changed(report, stale, since)
        effect = _EFFECTS.get(name)
        line = Line(report, EntryKind.MOVED, by=by, move=name, fields={})
        line.fields["status"] = workflow.destination(step, report)
        line.texts = {
            key: str(given[key]) for key in ("question", "answer", "reason", "note") if given.get(key)
        }
        if "happened_on" in given:
            line.happened_at = happened_at(report, given["happened_on"])
        if step.outcomes:
            line.fields["outcome"] = given.get("outcome") or step.outcomes[0]
        if step.apart:
            overridden = unchecked or report.independently_checked is False
            line.fields["independently_checked"] = not overridden
        if effect is not None:
            effect(line, given)
        journal.record(line)
        _attach(report, step, given, by)
        Request.objects.filter(report=report, move=name, answered_at=None).update(answered_at=journal.now())
    return report


def _check(step: Move, report: Report, by: Person, given: dict[str, Any]) -> bool:
    """Raise Refused unless the move is open; True if it is only because nobody else could make it."""
    why_not = refusal(step, report, by=by)
    if why_not is None:
        return False
    if why_not.reason_opens and given.get("reason"):
        return True
    raise Refused(why_not.message, code=why_not.code, field="reason" if why_not.reason_opens else "")


def _refuse_if_changed(report: Report, stale: dict[str, Any], since: int | None) -> None:
    try:
        journal.refuse_stale(report, stale, since=since)
    except journal.Conflict as conflict:
        # A move asks for no value of these: what stands now is what the person has to look at.
        conflict.fields = {name: (now, None) for name, (now, _asked) in conflict.fields.items()}
        raise


def happened_at(report: Report, on: date) -> datetime:
    """The moment of a move made on a civil date of the place: now if today, else noon there.

    Raises Refused for a day in the future or before the damage.
    """
    zone = ZoneInfo(report.timezone or "UTC")
    here = datetime.now(zone)
    if on > here.date():
        raise Refused(_("This day lies in the future at the place."), code="future", field="happened_on")
    if report.occurred_from and on < report.occurred_from:
        raise Refused(_("This day lies before the damage."), code="order", field="happened_on")
    if on == here.date():
        return journal.now()
    return datetime.combine(on, time(12), zone).astimezone(UTC)


def _attach(report: Report, step: Move, given: dict[str, Any], by: Person) -> None:
    for field, stage in (("image", "damage"), ("photos_after", "after")):
        for upload in given.get(field) or ():
            evidence.attach(report.reference, upload, by=by, stage=stage, taken_on=given.get("happened_on"))


# -- what each move does beside the status ------------------------------------------------------------------

Effect = Callable[[Line, dict[str, Any]], None]


def _ids(line: Line) -> list[int]:
    return [line.by.pk] if line.by else []


def _hands(line: Line, **changes: Any) -> None:
    line.fields["hands"] = {**line.report.hands, **line.fields.get("hands", {}), **changes}


def _ran(line: Line) -> None:
    """One more who ran the repair, since it last left verified."""
    earlier = [] if line.report.status == workflow.S.VERIFIED else line.report.hands.get("ran", [])
    _hands(line, ran=sorted({*earlier, *_ids(line)}))


def _verify(line: Line, given: dict[str, Any]) -> None:
    scale, _colon, grade = given["grade"].partition(":")
    assessment = inspections.new_assessment(
        scale=scale,
        grade=grade,
        method=given["method"],
        on=given["happened_on"],
        **{
            name: given.get(name) or ""
            for name in (
                "usability", "hazards", "part_seen", "elements", "act_number", "act_members",
                "independent_source",
            )
        },
    )  # fmt: skip
    line.rows = [assessment]
    line.fields |= inspections.graded(line.report, assessment, by=line.by)
    line.fields |= {"verified_on": given["happened_on"]}
    if given.get("hazards"):
        line.fields["danger"] = given["hazards"]
    if given["method"] != Method.FIELD and given.get("independent_source"):
        source = Source(type=SourceType.IMAGERY, name=given["independent_source"][:200])
        line.rows = [assessment, source]
        line.fields |= inspections.source_columns([*line.report.source_lines.all(), source])


def _approve(line: Line, given: dict[str, Any]) -> None:
    report = line.report
    line.fields |= {"repair_cost": report.plan_cost, "repair_currency": report.plan_currency}
    _hands(line, ran=[])


def _start(line: Line, given: dict[str, Any]) -> None:
    line.fields |= {
        "contractor": given["contractor"],
        "started_urgently": line.report.status == workflow.S.VERIFIED,
    }
    _ran(line)


def _finish(line: Line, given: dict[str, Any]) -> None:
    line.fields["repaired_on"] = given["happened_on"]
    if given.get("repair_cost") is not None:
        line.fields |= {"repair_cost": given["repair_cost"], "repair_currency": given["repair_currency"]}
    _ran(line)


def _fail(line: Line, given: dict[str, Any]) -> None:
    """Whoever fails a repair did not run it: the list of who did stays as it is."""
    line.fields["repaired_on"] = None


def _close(line: Line, given: dict[str, Any]) -> None:
    line.fields["closed_on"] = given["happened_on"]


def _undo_close(line: Line, given: dict[str, Any]) -> None:
    line.fields |= {"closed_on": None, "outcome": ""}
    if line.report.kind != Kind.OUTAGE:
        line.fields["repaired_on"] = None


def _unverify(line: Line, given: dict[str, Any]) -> None:
    line.fields["verified_on"] = None


def _withdraw_plan(line: Line, given: dict[str, Any]) -> None:
    line.fields |= {"repair_cost": None, "repair_currency": ""}


def _confirm(line: Line, given: dict[str, Any]) -> None:
    """The first figures of an outage; what was said when it was logged is struck out where it differs."""
    report = line.report
    line.fields |= {
        "cause_group": given["cause_group"],
        "cause": given.get("cause") or report.cause,
        "customers_unit": given.get("customers_unit") or report.customers_unit,
        "customers_served": given.get("customers_served"),
    }
    steps = list(report.outagestep_lines.filter(voided_at=None).order_by("at", "pk"))
    said, later = steps[:1], steps[1:]
    lost, restriction = given.get("customers_lost"), given.get("restriction", "")
    known = [(step.customers, step.restriction) for step in said]
    if not said or (known != [(lost, restriction)] and (lost is not None or restriction)):
        at = said[0].at if said else min(journal.now(), journal.latest_start(report))
        first = OutageStep(
            at=at,
            direction=supply.LOST,
            customers=lost,
            restriction=restriction,
            diverted_to=given.get("diverted_to", ""),
        )
        line.rows, line.voids = [first], said
        steps = [first, *later]
        line.fields |= supply_columns(steps)
    # An import may have told more than the loss.
    line.fields["status"] = supply.standing(steps).status


def _void_outcome(line: Line, given: dict[str, Any]) -> None:
    line.fields["outcome"] = ""


_EFFECTS: dict[str, Effect] = {
    "verify": _verify,
    "approve_plan": _approve,
    "start_repair": _start,
    "start_urgent_repair": _start,
    "finish_repair": _finish,
    "fail_repair": _fail,
    "pass_repair": _close,
    "close": _close,
    "reopen": _undo_close,
    "set_back": _unverify,
    "reconsider": _void_outcome,
    "withdraw_plan": _withdraw_plan,
    "merge": merging.take,
    "unmerge": merging.give_back,
    "confirm": _confirm,
}
