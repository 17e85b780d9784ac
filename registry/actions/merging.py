"""What two reports of one damage share once they are merged, and what each has again when that is undone.

The report that is kept gets copies of the other's sources, photos and assessments, so that each keeps its own; its
dates widen to hold both if they conflict, and its grade is that of all assessments by ``inspections.current``.
"""

from datetime import date
from typing import Any

from django.utils.translation import gettext_lazy as _

from registry.models import Assessment, Entry, Evidence, Person, Report
from registry.rules import workflow
from registry.rules.vocabularies import DatePrecision, EntryKind, Kind
from registry.rules.workflow import LIVE

from . import inspections, journal
from .journal import Line, Refused

_OF_SOURCE = ("type", "name", "url", "published_on", "scale", "scale_grade")
_OF_EVIDENCE = ("sha256", "shown_sha256", "media_type", "size", "caption", "taken_on", "stage")
_OF_ASSESSMENT = (
    "scale", "scale_grade", "method", "assessed_on", "ems98_min", "ems98_max", "damage_level", "usability", "hazards",
    "part_seen", "elements", "act_number", "act_members", "independent_source",
    "recorded_by_id",  # who graded it does not approve its repair, whoever merges
)  # fmt: skip
_DATES = ("occurred_from", "occurred_to", "date_precision")


def take(line: Line, given: dict[str, Any]) -> None:
    """The effect of *merge*: the report named takes what hangs on this one."""
    report = line.report
    original = _original(report, given["original"], by=line.by)
    sources = [_copy(source, _OF_SOURCE, ref=report.reference) for source in _live(report.source_lines)]
    grades = [_copy(grade, _OF_ASSESSMENT) for grade in _live(report.assessment_lines)]
    hands = {
        **original.hands,
        "logged": sorted({*original.hands.get("logged", ()), *workflow.did(report, "logged")}),
    }
    fields: dict[str, Any] = {"hands": hands, **_widened(original, [report])}
    if sources:
        fields |= inspections.source_columns([*original.source_lines.all(), *sources])
    if grades:
        _grade(fields, original, [*original.assessment_lines.all(), *grades])
    # What was stated about the incident of one is stated about both.
    if original.of_incident_id is None and report.of_incident_id is not None:
        fields["of_incident_id"] = report.of_incident_id
    rows = [*sources, *grades, *_photos_lent(report, to=original)]
    words = {"other": report.reference}
    journal.record(Line(original, EntryKind.SOURCED, by=line.by, fields=fields, rows=rows, texts=words))
    for earlier in Report.objects.select_for_update(of=("self",)).filter(merged_into=report):
        journal.record(Line(earlier, EntryKind.EDITED, by=line.by, fields={"merged_into_id": original.pk}))
    line.fields |= {"merged_into_id": original.pk, "status_before_merge": report.status}


def give_back(line: Line, given: dict[str, Any]) -> None:
    """The effect of *unmerge*: the report that took this one is as if it never had, but for what people did since."""
    report = line.report
    assert report.merged_into is not None
    original = journal.lock(report.merged_into.reference)
    others = list(original.merged.exclude(pk=report.pk))
    took = _takings(original)
    alone = _alone(original, took)
    fields: dict[str, Any] = {"hands": _hands(original, took, others)}
    if {name: getattr(original, name) for name in _DATES} == _dates(original, alone, [report, *others]):
        fields |= _dates(original, alone, others)
    lent: list[Any] = list(_live(original.source_lines).filter(ref=report.reference))
    if lent:
        fields |= inspections.source_columns([one for one in original.source_lines.all() if one not in lent])
    taking = next((entry for entry, other in took if other == report.reference), None)
    if taking is not None:
        # What another duplicate shows too stays.
        shown = Evidence.objects.filter(report__in=others, voided_at=None)
        lent += _live(original.evidence_lines).filter(entry=taking).exclude(sha256__in=shown.values("sha256"))
        grades = list(_live(original.assessment_lines).filter(entry=taking))
        if grades:
            lent += grades
            fields |= {name: alone[name] for name in _GRADE if name in alone}
            _grade(
                fields, original, [one for one in original.assessment_lines.all() if one not in grades], alone
            )
        *_before, incident = journal.read(taking.body)["fields"].get("of_incident_id", [None])
        if incident is not None and incident == original.of_incident_id:
            fields["of_incident_id"] = None
    words = {"other": report.reference}
    journal.record(Line(original, EntryKind.VOIDED, by=line.by, fields=fields, voids=lent, texts=words))
    line.fields |= {"merged_into_id": None, "status_before_merge": ""}


def _live(lines: Any) -> Any:
    return lines.filter(voided_at=None)


def _copy(line: Any, names: tuple[str, ...], **more: Any) -> Any:
    return type(line)(**{name: getattr(line, name) for name in names}, **more)


def _photos_lent(report: Report, *, to: Report) -> list[Evidence]:
    """The evidence of a duplicate for the report that takes it; what that has already it has once."""
    known = set(_live(to.evidence_lines).values_list("sha256", flat=True))
    return [_copy(one, _OF_EVIDENCE) for one in _live(report.evidence_lines) if one.sha256 not in known]


def _original(report: Report, reference: str, *, by: Person | None) -> Report:
    """The live report that takes this one, locked; a chain of duplicates is followed to its end."""
    refused = Refused(
        _("There is no live report %(reference)s of the same kind in your areas.") % {"reference": reference},
        code="original",
        field="original",
    )
    try:
        original = journal.lock(reference)
        if original.merged_into is not None:
            original = journal.lock(original.merged_into.reference)
    except Report.DoesNotExist:
        raise refused from None
    same = original.kind == report.kind and original.pk != report.pk
    if not same or original.status not in LIVE or original.withdrawn:
        raise refused
    if by is not None and not by.scope.contains(original):
        raise refused
    return original


# -- grades ------------------------------------------------------------------------------------------------

_GRADE = (*inspections.grade_columns(Kind.BUILDING, None), "elements")


def _grade(
    fields: dict[str, Any], original: Report, grades: list[Assessment], alone: dict[str, Any] | None = None
) -> None:
    """Put the grade that these assessments make into ``fields``, and who made it; without any that of the report
    alone."""
    current = inspections.current(grades)
    if current is not None:
        fields |= inspections.grade_columns(original.kind, current)
        graded = [current.recorded_by_id] if current.recorded_by_id else []
    else:
        graded = (alone or {}).get("hands", {}).get("graded", [])
    hands = {name: who for name, who in fields["hands"].items() if name != "graded"}
    fields["hands"] = hands | ({"graded": graded} if graded or current else {})


# -- dates -------------------------------------------------------------------------------------------------


def _widened(own: Any, others: list[Report]) -> dict[str, Any]:
    """The dates that hold those of all reports. One that lies within the other's range contradicts nothing, and an
    outage begins at a moment, which is not widened.
    """
    first, last, precision = own.occurred_from, own.occurred_to, own.date_precision
    for other in others:
        if other.kind == Kind.OUTAGE or other.occurred_to is None or last is None:
            continue
        ranges = sorted([(first or date.min, last), (other.occurred_from or date.min, other.occurred_to)])
        if ranges[0][1] >= ranges[1][1] or ranges[0][0] == ranges[1][0]:
            continue
        first, last = None if ranges[0][0] == date.min else ranges[0][0], ranges[1][1]
        precision = DatePrecision.RANGE if first else DatePrecision.BEFORE
    return dict(zip(_DATES, (first, last, precision), strict=True))


def _dates(original: Report, alone: dict[str, Any], others: list[Report]) -> dict[str, Any]:
    """The dates of the report alone, widened by those of others."""
    own = Report(**{name: alone.get(name, getattr(original, name)) for name in _DATES})
    return _widened(own, others)


# -- undoing -----------------------------------------------------------------------------------------------


def _takings(original: Report) -> list[tuple[Entry, str]]:
    """The entries by which a report took duplicates, the newest first, each with the other's reference."""
    entries = original.entries.filter(kind=EntryKind.SOURCED).select_related("wording").order_by("-number")
    named = (
        (entry, entry.wording.words().get("other", "")) for entry in entries if hasattr(entry, "wording")
    )
    return [(entry, other) for entry, other in named if other]


def _alone(original: Report, took: list[tuple[Entry, str]]) -> dict[str, Any]:
    """What a report held before it took any duplicate, of what nobody has set since."""
    alone: dict[str, Any] = {}
    for entry, _other in took:
        alone |= journal.before(journal.read(entry.body)["fields"], original, alone)
    return alone


def _hands(original: Report, took: list[tuple[Entry, str]], others: list[Report]) -> dict[str, Any]:
    """Who did what: of those who logged it, who did so before it took any duplicate, and who logged the others."""
    own = original.hands
    for entry, _other in took:
        if pair := journal.read(entry.body)["fields"].get("hands"):
            own = pair[0] if len(pair) == 2 else {}
    logged = {*own.get("logged", ())}.union(*(workflow.did(one, "logged") for one in others))
    hands = {name: who for name, who in original.hands.items() if name != "logged"}
    return hands | ({"logged": sorted(logged)} if logged else {})
