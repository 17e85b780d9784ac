"""Assessments: adding grades, choosing the current one, visits without access."""

from collections.abc import Iterable
from datetime import date
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from registry.models import Assessment, Person, Report, Source
from registry.rules import access, scales, workflow
from registry.rules.access import Verb
from registry.rules.vocabularies import DamageLevel, EntryKind, Kind, Method

from . import journal
from .journal import Line, Refused


def current(assessments: Iterable[Assessment]) -> Assessment | None:
    """The one that counts: named by a supervisor, else the newest of the strongest method."""
    live = [a for a in assessments if a.voided_at is None]
    if not live:
        return None

    def rank(a: Assessment) -> tuple[bool, int, date, int]:
        strength = -scales.METHODS_BY_STRENGTH.index(a.method)
        return a.chosen, strength, a.assessed_on, a.pk or 1 << 62

    return max(live, key=rank)


def grade_columns(kind: str, assessment: Assessment | None) -> dict[str, Any]:
    """The grade columns of a report whose current assessment this is."""
    if assessment is None:
        level = "" if kind == Kind.OUTAGE else DamageLevel.UNKNOWN
        return {
            "scale": "",
            "scale_grade": "",
            "method": "",
            "assessed_on": None,
            "usability": "",
            "ems98_min": None,
            "ems98_max": None,
            "damage_level": level,
        }
    columns = {
        name: getattr(assessment, name)
        for name in (
            "scale", "scale_grade", "method", "assessed_on", "usability", "ems98_min", "ems98_max",
            "damage_level",
        )
    }  # fmt: skip
    if assessment.elements:
        columns["elements"] = assessment.elements
    return columns


def new_assessment(*, scale: str, grade: str, method: str, on: date, **more: Any) -> Assessment:
    """An unsaved assessment with its crosswalk to EMS-98."""
    return Assessment(
        scale=scale,
        scale_grade=grade,
        method=method,
        assessed_on=on,
        **scales.crosswalk(scale, grade),
        **more,
    )


def graded(report: Report, new: Assessment | None, *, by: Person | None) -> dict[str, Any]:
    """The columns of a report after ``new`` joins its assessments, with who made the current grade."""
    before = list(report.assessment_lines.all()) if report.pk else []
    chosen = current([*before, *([new] if new else [])])
    columns = grade_columns(report.kind, chosen)
    if new is not None and chosen is new:
        columns["hands"] = {**report.hands, "graded": [by.pk] if by else []}
    return columns


def source_columns(sources: Iterable[Source]) -> dict[str, Any]:
    """``sources``, ``sources_n`` and ``sources_agree`` from the sources that are not struck out.

    Sources agree where the EMS-98 ranges of all grades they claim overlap; fewer than two claims: None.
    """
    live = [source for source in sources if source.voided_at is None]
    names = list(dict.fromkeys(source.name for source in live if source.name))
    ranges = [
        ems98
        for source in live
        if source.scale and (ems98 := scales.SCALES[source.scale].grade(source.scale_grade).ems98)
    ]
    agree = None
    if len(ranges) > 1:
        agree = max(low for low, _high in ranges) <= min(high for _low, high in ranges)
    return {"sources": "; ".join(names)[:1000], "sources_n": len(live), "sources_agree": agree}


def assess(
    reference: str, assessment: Assessment, *, by: Person, note: str = "", since: int | None = None
) -> Report:
    """Add an assessment: an inspector from verified on, a desk grade anybody of the office at any status."""
    with transaction.atomic():
        report = journal.lock(reference)
        verb = Verb.GRADE if assessment.method == Method.DESK else Verb.INSPECT
        if not access.may(by, verb, report):
            raise Refused(_("Inspectors add assessments in their own areas."), code="role")
        if report.kind == Kind.OUTAGE:
            raise Refused(_("A loss of supply has no damage grade."), code="kind")
        if verb is Verb.INSPECT and report.status not in workflow.FROM_VERIFIED:
            raise Refused(_("Verify the report first: its inspection is its first grade."), code="status")
        columns = graded(report, assessment, by=by)
        journal.refuse_stale(report, {"scale_grade": columns["scale_grade"]}, since=since)
        journal.record(
            Line(
                report,
                EntryKind.INSPECTED,
                by=by,
                fields=columns,
                texts={"note": note},
                rows=[assessment],
            )
        )
    return report


def choose(reference: str, assessment_id: int, *, by: Person, reason: str) -> Report:
    """Name another assessment the current one."""
    with transaction.atomic():
        report = journal.lock(reference)
        if not access.may(by, Verb.CHOOSE_GRADE, report):
            raise Refused(_("A supervisor names the current grade."), code="role")
        lines = list(report.assessment_lines.all())
        wanted = next((a for a in lines if a.pk == assessment_id and a.voided_at is None), None)
        if wanted is None:
            raise Refused(_("This report has no such assessment."), code="assessment", field="assessment")
        for line in lines:
            line.chosen = line is wanted
        Assessment.objects.bulk_update(lines, ["chosen"])
        hands = {**report.hands, "graded": [wanted.recorded_by_id] if wanted.recorded_by_id else []}
        fields = {**grade_columns(report.kind, wanted), "hands": hands}
        journal.record(Line(report, EntryKind.INSPECTED, by=by, fields=fields, texts={"reason": reason}))
    return report


def attempt(reference: str, *, by: Person, reason: str, next_try: date | None = None) -> Report:
    """A visit without access: an entry of its own that moves nothing."""
    with transaction.atomic():
        report = journal.lock(reference)
        if not access.may(by, Verb.INSPECT, report):
            raise Refused(_("Inspectors record visits in their own areas."), code="role")
        fields = {"due_on": next_try} if next_try else {}
        journal.record(Line(report, EntryKind.ATTEMPTED, by=by, fields=fields, texts={"reason": reason}))
    return report
