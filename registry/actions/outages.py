"""The supply of an outage: steps lost and back, estimates of restoration, crew."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from registry.models import Estimate, OutageStep, Person, Report
from registry.rules import supply, workflow
from registry.rules.access import Verb
from registry.rules.vocabularies import CauseGroup, EntryKind, Kind
from registry.rules.workflow import UNDER_STEPS

from . import journal
from .journal import Line, Refused, require


def supply_columns(steps: Sequence[OutageStep]) -> dict[str, Any]:
    """The supply columns that follow from an outage's steps; raises Refused where they cannot be true."""
    try:
        standing = supply.standing([step for step in steps if step.voided_at is None])
    except supply.StepError as error:
        raise Refused(error.message, code="steps", field="customers") from None
    return {
        "customers_affected": standing.customers_affected,
        "customers_out": standing.customers_out,
        "customer_hours": standing.customer_hours,
        "figures_as_of_utc": standing.as_of,
        "restored_utc": standing.restored_at,
        "restriction": standing.restriction,
    }


def _outage(reference: str, *, by: Person, verb: Verb) -> Report:
    report = journal.lock(reference)
    if report.kind != Kind.OUTAGE:
        raise Refused(_("Only a loss of supply has steps and estimates."), code="kind")
    require(by, verb, report)
    return report


def add_step(reference: str, step: OutageStep, *, by: Person, note: str = "") -> Report:
    """Record that supply was lost or came back (or a restriction changed); the status follows.

    Back-filling is normal: a step may lie before others. Steps that cannot be true together are refused.
    """
    with transaction.atomic():
        report = _outage(reference, by=by, verb=Verb.STEP)
        if report.status not in UNDER_STEPS:
            raise Refused(
                _("Steps are recorded from the confirmation of an outage until it is closed."), code="status"
            )
        if step.at > journal.now() and report.cause_group not in (
            CauseGroup.PLANNED,
            CauseGroup.LOAD_SHEDDING,
        ):
            raise Refused(_("This time lies in the future."), code="future", field="at")
        if report.started_utc and step.at < report.started_utc:
            raise Refused(_("This time lies before the outage began."), code="order", field="at")
        if step.customers is not None and not report.customers_unit:
            raise Refused(
                _("Say first what the figures of this outage count."), code="unit", field="customers"
            )
        steps = [*report.outagestep_lines.filter(voided_at=None), step]
        _record(report, steps, Line(report, EntryKind.STEPPED, by=by, rows=[step]), note=note)
    return report


def void_step(reference: str, step_id: int, *, by: Person, reason: str) -> Report:
    """Strike out a wrong step; it stays to be seen, the figures follow from the others."""
    with transaction.atomic():
        report = _outage(reference, by=by, verb=Verb.STEP)
        steps = list(report.outagestep_lines.filter(voided_at=None))
        wrong = next((step for step in steps if step.pk == step_id), None)
        if wrong is None or report.status not in UNDER_STEPS:
            raise Refused(_("There is no such step to strike out."), code="step", field="step")
        kept = [step for step in steps if step is not wrong]
        _record(report, kept, Line(report, EntryKind.VOIDED, by=by, voids=[wrong]), note=reason)
    return report


def _record(report: Report, steps: list[OutageStep], line: Line, *, note: str) -> None:
    line.fields = supply_columns(steps)
    line.fields["status"] = supply.standing(steps).status
    if line.rows:
        line.happened_at = line.rows[0].at  # type: ignore[attr-defined]
    line.texts = {"note": note}
    journal.record(line)


def estimate(
    reference: str, *, by: Person, given_at: datetime, restored_by: datetime | None, note: str = ""
) -> Report:
    """A new estimate of restoration; ``restored_by`` None says that it is still being assessed."""
    with transaction.atomic():
        report = _outage(reference, by=by, verb=Verb.ESTIMATE)
        if report.status not in (workflow.S.REPORTED, *UNDER_STEPS):
            raise Refused(_("This outage is over."), code="status")
        if given_at > journal.now():
            raise Refused(_("This time lies in the future."), code="future", field="given_at")
        if restored_by is not None and restored_by <= given_at:
            raise Refused(
                _("Supply can be expected back only after the estimate was given."),
                code="order",
                field="restored_by",
            )
        line = Estimate(given_at=given_at, restored_by=restored_by)
        newest = max([*report.estimate_lines.filter(voided_at=None), line], key=lambda e: e.given_at)
        journal.record(
            Line(
                report,
                EntryKind.ESTIMATED,
                by=by,
                fields={"etr_utc": newest.restored_by},
                rows=[line],
                texts={"note": note},
            )
        )
    return report
