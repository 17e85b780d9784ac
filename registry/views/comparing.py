"""Two reports side by side: one damage told twice, two strikes on one thing, or two things. A person says which."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.functional import Promise
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from registry.actions import duplicates, moves, reports
from registry.actions.journal import Refused
from registry.models import Person, Report
from registry.models.reports import field_of
from registry.outputs import telling
from registry.rules import access, likeness, workflow
from registry.rules.vocabularies import Kind

from . import acting
from .deeds import office_report
from .guards import person_of, signed_in

#: What is set side by side, in the order of the report's page.
_PARTS: tuple[tuple[Promise, tuple[str, ...]], ...] = (
    (
        _("What"),
        (
            "kind",
            "sector",
            "object_type",
            "object_name",
            "asset",
            "incident",
            "cause_group",
            "cause",
            "summary",
            "description",
        ),
    ),
    (
        _("Where"),
        (
            "address",
            "settlement",
            "adm3_name",
            "adm2_name",
            "adm1_name",
            "place_typed",
            "lat",
            "lon",
            "geo_precision",
            "geo_radius_m",
        ),
    ),
    (_("When"), ("occurred_from", "occurred_to", "started_utc", "restored_utc")),
    (
        _("Damage"),
        (
            "damage_level",
            "scale",
            "scale_grade",
            "method",
            "assessed_on",
            "usability",
            "in_use",
            "dwellings_total",
            "dwellings_damaged",
            "dwellings_unusable",
        ),
    ),
    (_("Supply"), ("customers_affected", "customers_out", "customers_unit", "restriction")),
    (
        _("Where it stands"),
        (
            "status",
            "danger",
            "priority",
            "assignee",
            "due_on",
            "logged_utc",
            "logged_by",
            "verified_on",
            "repaired_on",
        ),
    ),
)


class Compared(NamedTuple):
    """One field of both reports, in words."""

    label: str
    left: str
    right: str


class Side(NamedTuple):
    """One of the two: its report, what hangs on it, and why it cannot be merged into the other, if so."""

    report: Report
    sources: list[Any]
    photos: list[Any]
    assessments: int
    closed: Any


@signed_in
def compare(request: HttpRequest, reference: str, other: str) -> HttpResponse:
    """*Are these two one?* GET shows both, POST does what the person decided."""
    if not access.is_staff(person_of(request)):
        raise Http404
    left, right = (office_report(request, one) for one in (reference, other))
    if left.pk == right.pk:
        raise Http404
    form = forms.Form(request.POST or None)
    if request.method == "POST":
        choice = request.POST.get("choice", "")
        done = acting.once(request, form, lambda: {"to": _decide(request, choice, left, right)})
        if done is not None:
            messages.success(request, _said(choice, left, right))
            return redirect("report", done["to"])
    context = {
        "form": form,
        "both": (left, right),
        "left": _side(left, right, person_of(request)),
        "right": _side(right, left, person_of(request)),
        "differing": list(_parts(left, right, differing=True)),
        "same": list(_parts(left, right, differing=False)),
        "likeness": likeness.compare(likeness.portrait(left), likeness.portrait(right)),
        "told_apart": duplicates.are_told_apart(left, right),
        "may_strike": left.kind == right.kind != Kind.OUTAGE,
        "one_asset": left.of_asset_id is not None and left.of_asset_id == right.of_asset_id,
        "nav": "reports",
    }
    return render(request, "report/compare.html", context, status=409 if hasattr(form, "conflict") else 200)


def _decide(request: HttpRequest, choice: str, left: Report, right: Report) -> str:
    """Carry it out; the reference of the report to go on with."""
    by = person_of(request)
    if choice in ("keep-left", "keep-right"):
        kept, merged = (left, right) if choice == "keep-left" else (right, left)
        since = acting.number(request, f"since-{merged.reference}")
        moves.move(merged.reference, "merge", by=by, given={"original": kept.reference}, since=since)
        return kept.reference
    if choice == "again":
        reports.struck_again(left.reference, right.reference, by=by)
    elif choice == "apart":
        duplicates.tell_apart(left.reference, right.reference, by=by)
    else:
        raise Refused(_("Choose what the two are."), code="choice")
    return left.reference


def _said(choice: str, left: Report, right: Report) -> str:
    merged = right if choice == "keep-left" else left
    return {
        "again": _t("Both reports are now on one asset, as two strikes."),
        "apart": _t("Remembered: these two are not offered to each other again."),
    }.get(
        choice,
        _t("Report %(reference)s is merged into this one. Its own page can undo that.")
        % {"reference": merged.reference},
    )


def _side(report: Report, other: Report, person: Person) -> Side:
    merging = workflow.move_named("merge", report.kind)
    refusal = moves.refusal(merging, report, by=person)
    closed: Any = refusal.message if refusal else None
    if report.kind != other.kind:
        closed = _("Reports of two kinds are never one.")
    elif closed is None and (other.status not in workflow.LIVE or other.withdrawn):
        closed = _("The other report is not live.")
    return Side(
        report,
        list(report.source_lines.filter(voided_at=None)),
        list(report.evidence_lines.filter(voided_at=None)),
        report.assessment_lines.filter(voided_at=None).count(),
        closed,
    )


def _parts(left: Report, right: Report, *, differing: bool) -> Iterator[tuple[Any, list[Compared]]]:
    """The fields in which they differ, or those in which they agree, group by group."""
    for title, names in _PARTS:
        fields = []
        for name in names:
            one, other = getattr(left, name), getattr(right, name)
            if (one != other) == differing and {one, other} - {None, ""}:
                label = str(field_of(name).verbose_name)
                fields.append(Compared(label, telling.value_of(left, name), telling.value_of(right, name)))
        if fields:
            yield title, fields


urlpatterns = [path("r/<str:reference>/compare/<str:other>", compare, name="compare")]
