"""What is done to a report beside its moves, as one table that pages and the API read.

``DEEDS``: name → its form, its verb, when it is open, the action it calls.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from registry.forms import deeds as forms
from registry.models import Asset, Person, Report
from registry.rules import access, workflow
from registry.rules.access import Verb
from registry.rules.vocabularies import Kind, Status

from . import evidence, inspections, journal, outages, reports


@dataclass(frozen=True)
class Deed:
    """One deed: the words of its button, the form it opens, who may do it, when, how it is done, and whether what
    somebody has changed since is a conflict for it (then ``act`` takes ``since``)."""

    name: str
    label: Any
    form: type[forms.DeedForm]
    verb: Verb
    act: Callable[..., Any]
    when: Callable[[Report], bool] = lambda report: True
    conflicts: bool = False

    def is_open(self, report: Report, person: Person) -> bool:
        return access.may(person, self.verb, report) and self.when(report)

    def do(self, report: Report, form: Any, by: Person, *, since: int | None = None) -> Any:
        """Do it. ``since``: the version the person saw."""
        journal.require_version(report, since)
        return self.act(report, form, by, **({"since": since} if self.conflicts else {}))


def _attach(report: Report, form: Any, by: Person) -> None:
    cleaned = form.cleaned_data
    for file in cleaned["documents"]:
        evidence.attach(
            report.reference,
            file,
            by=by,
            caption=cleaned["caption"],
            stage=cleaned["stage"],
            taken_on=cleaned["taken_on"],
        )


def _assess(report: Report, form: Any, by: Person, since: int | None) -> None:
    cleaned = form.cleaned_data
    scale, _colon, grade = cleaned["grade"].partition(":")
    line = inspections.new_assessment(
        scale=scale,
        grade=grade,
        method=cleaned["method"],
        on=cleaned["assessed_on"],
        usability=cleaned["usability"],
    )
    inspections.assess(report.reference, line, by=by, note=cleaned["note"], since=since)


def _set_asset(report: Report, form: Any, by: Person) -> None:
    cleaned = form.cleaned_data
    asset = cleaned["asset"] or Asset.objects.create(
        kind=report.kind,
        sector=report.sector,
        object_type=report.object_type,
        name=cleaned["name"],
        part_of=cleaned["part_of"],
    )
    reports.set_asset(report.reference, asset, by=by)


def _damage(report: Report) -> bool:
    return report.kind != Kind.OUTAGE


def _outage(report: Report) -> bool:
    return report.kind == Kind.OUTAGE


DEEDS: dict[str, Deed] = {
    deed.name: deed
    for deed in (
        Deed(
            "step",
            _("Supply back or lost"),
            forms.StepForm,
            Verb.STEP,
            lambda r, f, by: outages.add_step(r.reference, f.step(), by=by, note=f.cleaned_data["note"]),
            lambda r: _outage(r) and r.status in workflow.UNDER_STEPS,
        ),
        Deed(
            "estimate",
            _("Estimate restoration"),
            forms.EstimateForm,
            Verb.ESTIMATE,
            lambda r, f, by: outages.estimate(
                r.reference,
                by=by,
                given_at=f.cleaned_data["given_at"],
                restored_by=f.cleaned_data["restored_by"],
                note=f.cleaned_data["note"],
            ),
            lambda r: _outage(r) and r.status in (Status.REPORTED, *workflow.UNDER_STEPS),
        ),
        Deed(
            "void-step",
            _("Strike out a step"),
            forms.VoidStepForm,
            Verb.STEP,
            lambda r, f, by: outages.void_step(
                r.reference, f.cleaned_data["step"], by=by, reason=f.cleaned_data["reason"]
            ),
            lambda r: _outage(r) and r.status in workflow.UNDER_STEPS,
        ),
        Deed(
            "plan",
            _("Draft a repair plan"),
            forms.PlanForm,
            Verb.DRAFT_PLAN,
            lambda r, f, by, since: reports.draft_plan(r.reference, by=by, since=since, **f.cleaned_data),
            lambda r: _damage(r) and r.status == Status.VERIFIED,
            conflicts=True,
        ),
        Deed(
            "assess",
            _("Add an assessment"),
            forms.AssessForm,
            Verb.GRADE,
            _assess,
            _damage,
            conflicts=True,
        ),
        Deed(
            "attempt",
            _("No access"),
            forms.AttemptForm,
            Verb.INSPECT,
            lambda r, f, by: inspections.attempt(
                r.reference, by=by, reason=f.cleaned_data["reason"], next_try=f.cleaned_data["next_try"]
            ),
            lambda r: _damage(r) and r.status in workflow.UNCHECKED,
        ),
        Deed(
            "choose-grade",
            _("Name the current assessment"),
            forms.ChooseGradeForm,
            Verb.CHOOSE_GRADE,
            lambda r, f, by: inspections.choose(
                r.reference, f.cleaned_data["assessment"], by=by, reason=f.cleaned_data["reason"]
            ),
            lambda r: r.assessment_lines.filter(voided_at=None).count() > 1,
        ),
        Deed(
            "arrange",
            _("Assign, due date, danger"),
            forms.ArrangeForm,
            Verb.EDIT,
            lambda r, f, by: reports.arrange(r.reference, by=by, **f.fields_set()),
        ),
        Deed(
            "place",
            _("Confirm the place"),
            forms.PlaceForm,
            Verb.LOCATE,
            lambda r, f, by: reports.confirm_place(r.reference, by=by, **f.chosen()),
        ),
        Deed(
            "note",
            _("Add a note"),
            forms.NoteForm,
            Verb.NOTE,
            lambda r, f, by: reports.note(r.reference, f.cleaned_data["note"], by=by),
        ),
        Deed("evidence", _("Add photos or a document"), forms.EvidenceForm, Verb.ATTACH, _attach),
        Deed(
            "source",
            _("Add a source"),
            forms.SourceForm,
            Verb.SOURCE,
            lambda r, f, by: reports.add_source(r.reference, f.source(), by=by),
        ),
        Deed(
            "link",
            _("Link another report"),
            forms.LinkForm,
            Verb.LINK,
            lambda r, f, by: reports.link(
                r.reference, f.cleaned_data["other"], f.cleaned_data["type"], by=by
            ),
        ),
        Deed("asset", _("Say which asset it is"), forms.AssetForm, Verb.EDIT, _set_asset, _damage),
        Deed(
            "incident",
            _("Say which incident caused it"),
            forms.IncidentForm,
            Verb.EDIT,
            lambda r, f, by: reports.set_incident(r.reference, f.cleaned_data["incident"], by=by),
        ),
        Deed(
            "request",
            _("Ask for a decision"),
            forms.RequestForm,
            Verb.REQUEST,
            lambda r, f, by: reports.request(
                r.reference, f.cleaned_data["move"], by=by, reason=f.cleaned_data["reason"]
            ),
            lambda r: bool(workflow.moves_from(r)),
        ),
        Deed(
            "withdraw",
            _("Withdraw"),
            forms.WithdrawForm,
            Verb.WITHDRAW,
            lambda r, f, by: reports.withdraw(
                r.reference, by=by, because=f.cleaned_data["because"], note=f.cleaned_data["reason"]
            ),
            lambda r: not r.withdrawn,
        ),
        Deed(
            "reinstate",
            _("Reverse the withdrawal"),
            forms.ReasonForm,
            Verb.WITHDRAW,
            lambda r, f, by: reports.reinstate(r.reference, by=by, note=f.cleaned_data["reason"]),
            lambda r: bool(r.withdrawn),
        ),
        Deed(
            "erase",
            _("Erase a text for good"),
            forms.EraseForm,
            Verb.ERASE,
            lambda r, f, by: reports.erase(
                r.reference, f.cleaned_data["field"], by=by, reason=f.cleaned_data["reason"]
            ),
        ),
    )
}

#: Deeds that have a button of their own among the next steps; the others stand under "More".
PROMINENT = ("step", "estimate", "plan", "attempt")


def open_deeds(report: Report, person: Person) -> list[Deed]:
    """The deeds open to this person on this report now."""
    return [deed for deed in DEEDS.values() if deed.is_open(report, person)]


def initial(name: str, report: Report) -> dict[str, Any]:
    """What a form begins with: what stands, and now."""
    if name == "arrange":
        values = {f: getattr(report, f) for f in ("due_on", "priority", "crew", "made_safe_on", "in_use")}
        return {**values, "assignee": report.assignee_id, "danger": report.danger.split()}
    if name == "plan":
        return {f: getattr(report, f"plan_{f}") for f in ("scope", "cost", "currency", "funder")}
    if name == "place":
        return {"lat": report.lat, "lon": report.lon}
    if name in ("step", "estimate"):
        here = timezone.localtime(timezone=_zone(report)).replace(tzinfo=None)
        return {
            "at": here.replace(second=0, microsecond=0),
            "given_at": here.replace(second=0, microsecond=0),
        }
    return {}


def initial_of_move(report: Report) -> dict[str, Any]:
    """What the form of a move begins with."""
    return {
        "happened_on": timezone.localdate(timezone=_zone(report)),
        **{f: getattr(report, f) for f in ("cause_group", "cause", "customers_unit", "customers_served")},
        "customers_lost": report.customers_affected,
        "repair_cost": report.repair_cost,
        "repair_currency": report.repair_currency,
    }


def _zone(report: Report) -> ZoneInfo:
    return ZoneInfo(report.timezone or "UTC")
