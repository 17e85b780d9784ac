"""What is done to a report: every move of the workflow and every deed beside it, through one door."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from registry.actions import deeds, moves
from registry.forms.moves import MoveForm, move_form
from registry.models import Report
from registry.outputs import reading
from registry.rules import workflow

from . import acting
from .guards import person_of, signed_in


def office_report(request: HttpRequest, reference: str) -> Report:
    """The office's report if this person reads it as staff, or sent it; else 404, there or not."""
    report = reading.office_report(person_of(request), reference)
    if report is None:
        raise Http404
    return report


@signed_in
def deed(request: HttpRequest, reference: str, name: str) -> HttpResponse:
    """One deed: GET shows its form, POST does it."""
    report = office_report(request, reference)
    chosen = deeds.DEEDS.get(name)
    if chosen is None:
        raise Http404
    form = chosen.form(
        request.POST or None,
        request.FILES or None,
        report=report,
        person=person_of(request),
        initial=deeds.initial(name, report),
    )
    if not chosen.is_open(report, person_of(request)):
        return _closed(request, report, chosen.label, _("This is not open to you here and now."))
    if request.method == "POST" and form.is_valid():
        done = _carry_out(request, form, lambda: chosen.do(report, form, person_of(request)))
        if done:
            return redirect("report", report.reference)
    context = {"report": report, "form": form, "label": chosen.label, "draft": f"{name}-{report.reference}"}
    return render(request, "report/deed.html", context, status=409 if hasattr(form, "conflict") else 200)


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
    form: MoveForm = move_form(
        chosen,
        request.POST or None,
        request.FILES or None,
        initial=deeds.initial_of_move(report),
        sector=report.sector,
        reason_opens=refusal is not None,
    )
    if request.method == "POST" and (form.is_valid() or not form.fields):
        since = acting.number(request)
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
        "since": acting.number(request) or report.version,
        "draft": f"{name}-{report.reference}",
    }
    return render(request, "report/deed.html", context, status=409 if hasattr(form, "conflict") else 200)


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


urlpatterns = [
    path("r/<str:reference>/move/<slug:name>", move, name="move"),
    path("r/<str:reference>/do/<slug:name>", deed, name="deed"),
]
