"""What is done to a report: every move of the workflow and every deed beside it, through one door.

``DEEDS`` is the table: name → its form, its verb, when it is open, the action it calls.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from registry.actions import evidence, inspections, moves, outages, reports
from registry.forms import deeds as forms
from registry.forms.moves import MoveForm, move_form
from registry.models import Asset, Person, Report
from registry.rules import access, workflow
from registry.rules.access import Verb
from registry.rules.vocabularies import Kind, Role, Status

from . import acting
from .guards import person_of, signed_in


@dataclass(frozen=True)
class Deed:
    """One deed: the words of its button, the form it opens, who may do it, when, and how it is done."""

    name: str
    label: Any
    form: type[forms.DeedForm]
    verb: Verb
    act: Callable[[Report, Any, Person], Any]
    when: Callable[[Report], bool] = lambda report: True

    def is_open(self, report: Report, person: Person) -> bool:
        return access.may(person, self.verb, report) and self.when(report)


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


def _assess(report: Report, form: Any, by: Person) -> None:
    cleaned = form.cleaned_data
    scale, _colon, grade = cleaned["grade"].partition(":")
    line = inspections.new_assessment(
        scale=scale,
        grade=grade,
        method=cleaned["method"],
        on=cleaned["assessed_on"],
        usability=cleaned["usability"],
    )
    inspections.assess(report.reference, line, by=by, note=cleaned["note"])


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
            lambda r, f, by: reports.draft_plan(r.reference, by=by, **f.cleaned_data),
            lambda r: _damage(r) and r.status == Status.VERIFIED,
        ),
        Deed(
            "assess",
            _("Add an assessment"),
            forms.AssessForm,
            Verb.GRADE,
            _assess,
            _damage,
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


def office_report(request: HttpRequest, reference: str) -> Report:
    """The office's report if this person reads it as staff, or sent it; else 404, there or not."""
    report = Report.objects.filter(reference=reference).first()
    person = person_of(request)
    if report is not None:
        own = person.role == Role.RESIDENT and report.logged_by_id == person.pk
        if own or (access.is_staff(person) and person.scope.contains(report)):
            return report
    raise Http404


@signed_in
def deed(request: HttpRequest, reference: str, name: str) -> HttpResponse:
    """One deed: GET shows its form, POST does it."""
    report = office_report(request, reference)
    chosen = DEEDS.get(name)
    if chosen is None:
        raise Http404
    form = chosen.form(
        request.POST or None,
        request.FILES or None,
        report=report,
        person=person_of(request),
        initial=_initial(name, report),
    )
    if not chosen.is_open(report, person_of(request)):
        return _closed(request, report, chosen.label, _("This is not open to you here and now."))
    if request.method == "POST" and form.is_valid():
        done = _carry_out(request, form, lambda: chosen.act(report, form, person_of(request)))
        if done:
            return redirect("report", report.reference)
    context = {"report": report, "form": form, "label": chosen.label, "draft": f"{name}-{report.reference}"}
    return render(request, "report/deed.html", context, status=409 if hasattr(form, "conflict") else 200)


def _initial(name: str, report: Report) -> dict[str, Any]:
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


@signed_in
def move(request: HttpRequest, reference: str, name: str) -> HttpResponse:
    """One move of the workflow: GET asks for its evidence, POST makes it."""
    report = office_report(request, reference)
    try:
        chosen = workflow.move_named(name, report.kind)
    except KeyError:
        raise Http404 from None
    refusal = moves.refusal(chosen, report, by=person_of(request))
    if refusal is not None and not refusal.reason_opens:
        return _closed(request, report, chosen.label, refusal.message)
    today = timezone.localdate(timezone=_zone(report))
    initial = {
        "happened_on": today,
        **{f: getattr(report, f) for f in ("cause_group", "cause", "customers_unit", "customers_served")},
        "customers_lost": report.customers_affected,
        "repair_cost": report.repair_cost,
        "repair_currency": report.repair_currency,
    }
    form: MoveForm = move_form(
        chosen,
        request.POST or None,
        request.FILES or None,
        initial=initial,
        sector=report.sector,
        reason_opens=refusal is not None,
    )
    if request.method == "POST" and (form.is_valid() or not form.fields):
        since = _version(request)
        done = _carry_out(
            request,
            form,
            lambda: moves.move(
                report.reference, name, by=person_of(request), given=form.cleaned_data, since=since
            ),
        )
        if done:
            return redirect("report", report.reference)
    context = {
        "report": report,
        "form": form,
        "label": chosen.label,
        "move": chosen,
        "refusal": refusal,
        "since": _version(request) or report.version,
        "draft": f"{name}-{report.reference}",
    }
    return render(request, "report/deed.html", context, status=409 if hasattr(form, "conflict") else 200)


def _zone(report: Report) -> ZoneInfo:
    return ZoneInfo(report.timezone or "UTC")


def _version(request: HttpRequest) -> int | None:
    sent = request.POST.get("since", "")
    return int(sent) if sent.isdigit() else None


def _carry_out(request: HttpRequest, form: Any, act: Callable[[], Any]) -> bool:
    """Do it once and say so; whether it was done."""
    done = acting.once(request, form, lambda: {"done": bool(act())})
    if done is not None:
        messages.success(request, _t("Saved."))
    return done is not None


def _closed(request: HttpRequest, report: Report, label: Any, why: Any) -> HttpResponse:
    return render(request, "report/closed.html", {"report": report, "label": label, "why": why}, status=403)


def logged_words(count: int) -> str:
    return ngettext("%(count)d report logged.", "%(count)d reports logged.", count) % {"count": count}
