"""Pages that take a report down: log and check, what lies near, what was logged, edit."""

import copy
import threading
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils.translation import gettext as _t
from django.views.decorators.http import require_safe

from registry.actions import duplicates, reports
from registry.actions.journal import Refused
from registry.forms.editing import NOT_EDITED, PLACE_INPUTS, EditForm, edit_initial
from registry.forms.logging import LogForm
from registry.forms.reports import SOURCE, WHAT, WHEN, WHERE
from registry.models import Area, Asset, Draft, Incident, Report
from registry.models.identity import read_reference
from registry.rules import access
from registry.rules.access import Verb
from registry.rules.vocabularies import Kind

from . import acting
from .deeds import logged_words, office_report
from .guards import person_of, signed_in

_PARTS = {"where": WHERE, "what": WHAT, "when": ("when", *WHEN), "source": SOURCE}
_KEPT = "kept-report"
_kept_forms = threading.local()


def log(request: HttpRequest) -> HttpResponse:
    """*Write it down and be gone.* One page, then check answers, then save; nothing typed is lost, not even
    when the sign-in ran out on the way."""
    if not request.user.is_authenticated:
        if request.method == "POST":
            request.session[_KEPT] = request.POST.urlencode()
        return redirect(f"{reverse('account_login')}?next={reverse('log')}")
    if not access.may(request.user, Verb.LOG):
        return render(request, "403.html", {"why": _t("Researchers read the register.")}, status=403)
    if request.method != "POST":
        return render(request, "report/log.html", _log_context(request, _blank_log(request)))
    form = _form_of_thread()
    step = request.POST.get("step", "check")
    if not form.bind(request.POST) or step == "change":
        _keep_draft(request)
        if step == "change":
            form = LogForm(initial=_as_initial(request.POST))
        return render(request, "report/log.html", _log_context(request, form))
    if step != "save":
        _keep_draft(request)
        return render(request, "report/check.html", _check_context(request, form))
    return _save(request, form)


def _form_of_thread() -> LogForm:
    """The form that this thread binds again and again: making one costs more than all it checks."""
    if not hasattr(_kept_forms, "form"):
        _kept_forms.form = LogForm()
    return _kept_forms.form


def _save(request: HttpRequest, form: LogForm) -> HttpResponse:
    reference = read_reference(form.cleaned_data["incident"])
    incident = Incident.objects.filter(reference=reference).first() if reference else None

    def act() -> dict[str, Any]:
        asset = _asset_struck(request, form)
        logged = reports.log_all(form, by=person_of(request), incident=incident, asset=asset)
        Draft.objects.filter(person=person_of(request)).delete()
        return {"references": [one.reference for one in logged]}

    result = acting.once(request, form, act)
    if result is None:
        return render(request, "report/log.html", _log_context(request, form))
    messages.success(request, logged_words(len(result["references"])), extra_tags="log")
    return redirect(f"{reverse('logged')}?{'&'.join(f'r={ref}' for ref in result['references'])}")


def _asset_struck(request: HttpRequest, form: LogForm) -> Asset | None:
    """The asset of the earlier report that the writer says this damage is on, too."""
    reference = read_reference(request.POST.get("struck", ""))
    if reference is None:
        return None
    earlier = office_report(request, reference)
    if earlier.kind != form.cleaned_data["kind"]:
        raise Refused(_t("Reports of two kinds are not on one asset."), code="kind")
    return reports.asset_of(earlier.reference, by=person_of(request))


def _blank_log(request: HttpRequest) -> LogForm:
    """An empty form: or what was kept, or what carries over from the report before."""
    kept = request.session.pop(_KEPT, "")
    if kept:
        return LogForm(initial=_as_initial(QueryDict(kept)))
    draft = Draft.objects.filter(person=person_of(request)).first()
    if draft is not None and "draft" in request.GET:
        return LogForm(initial=draft.values)
    initial: dict[str, Any] = {"when": "now", "source_type": "own"}
    again = read_reference(request.GET.get("again", ""))
    before = Report.objects.filter(reference=again or "", logged_by=person_of(request)).first()
    if before is not None:
        initial |= {
            "area": before.adm2_code or before.adm1_code or before.country,
            "kind": before.kind,
            "cause_group": before.cause_group,
            "cause": before.cause,
            "when": "day",
            "occurred_to": before.occurred_to,
            "incident": before.incident,
        }
        if request.GET.get("same") == "street":
            initial["place"] = before.place_typed
    incident = read_reference(request.GET.get("incident", ""))
    if incident:
        initial["incident"] = incident
    if "area" not in initial:
        areas = list(person_of(request).areas.all()[:2])
        if len(areas) == 1:
            initial["area"] = areas[0].code
    return LogForm(initial=initial)


def _as_initial(post: Any) -> dict[str, Any]:
    several = {"danger", "supply_lost"}
    return {name: post.getlist(name) if name in several else post[name] for name in post}


def _keep_draft(request: HttpRequest) -> None:
    skip = {"csrfmiddlewaretoken", "command", "step", "struck"}
    values = {k: v for k, v in _as_initial(request.POST).items() if k not in skip}
    Draft.objects.update_or_create(person=person_of(request), defaults={"values": values})


def _log_context(request: HttpRequest, form: LogForm) -> dict[str, Any]:
    return {
        "form": form,
        "parts": {name: [form[f] for f in fields] for name, fields in _PARTS.items()},
        "areas": _own_areas(request),
        "nav": "log",
    }


def _own_areas(request: HttpRequest) -> list[Area]:
    """The areas a person may choose without typing: their own and the next level below."""
    own = list(person_of(request).areas.all()[:20])
    below = Area.objects.filter(parent__in=own).order_by("name")[:200]
    return [*own, *below]


def _check_context(request: HttpRequest, form: LogForm) -> dict[str, Any]:
    preview = Report(**{k: v for k, v in form.columns().items() if k != "geocode_after"})
    return {
        "form": form,
        **_similar_context(request, form, preview),
        "candidates": preview.geocode_candidates,
        "sent": [
            (name, value)
            for name, values in request.POST.lists()
            if name not in ("csrfmiddlewaretoken", "command", "step", "struck")
            for value in values
        ],
        "nav": "log",
    }


def _similar_context(request: HttpRequest, form: LogForm, preview: Report) -> dict[str, Any]:
    """What a valid form would log, and the reports like it among those this person is given."""
    row, numbers = copy.copy(preview), form.cleaned_data["house_numbers"]
    row.customers_affected = form.cleaned_data["customers_lost"]
    if numbers:
        row.address = f"{reports.street_of(form)} {', '.join(numbers)}"
    person = person_of(request)
    similar, staff = duplicates.nearby(row, person=person), access.is_staff(person)
    return {
        "preview": preview,
        "similar": similar,
        # Several houses are several things; an outsider's rows name no assets to be put on.
        "struck": [one for one in similar if one.again] if staff and not numbers else [],
        "staff": staff,
    }


@signed_in
@require_safe
def nearby(request: HttpRequest) -> HttpResponse:
    """Reports like the one being written, as a fragment for the page, with why they are; outsiders are told
    of what is published alone."""
    form = _form_of_thread()
    kind = request.GET.get("kind") or Kind.BUILDING
    data = {name: request.GET.get(name, "") for name in _LOOKED_FOR_BY}
    data |= {"kind": kind, "source_type": "own"}
    data["sector"] = data["sector"] or ("" if kind == Kind.BUILDING else "unknown")
    undated = data | {"when": "now", "object_type": ""}
    dated = bool(data["when"]) and form.check(data)
    if not dated and not form.check(undated):
        return render(request, "report/_similar.html", {"similar": []})
    preview = Report(**{k: v for k, v in form.columns().items() if k != "geocode_after"})
    if not dated:
        preview.occurred_from = preview.occurred_to = None
    return render(request, "report/_similar.html", _similar_context(request, form, preview))


#: What is being written is looked for by these; templates/_nearby.html names them too.
_LOOKED_FOR_BY = (
    "place", "house_numbers", "area", "lat", "lon", "kind", "sector", "object_type", "object_name", "when",
    "occurred_from", "occurred_to",
)  # fmt: skip


@signed_in
@require_safe
def logged(request: HttpRequest) -> HttpResponse:
    """What was just logged, and three ways on."""
    references = [ref for text in request.GET.getlist("r")[:80] if (ref := read_reference(text))]
    found = list(Report.objects.filter(reference__in=references, logged_by=person_of(request)))
    if not found:
        raise Http404
    return render(request, "report/logged.html", {"found": found, "first": found[0], "nav": "log"})


# -- editing -------------------------------------------------------------------------------------------


@signed_in
def edit(request: HttpRequest, reference: str) -> HttpResponse:
    """Change what a report says; a field somebody else has changed since is shown with both values."""
    row = office_report(request, reference)
    if not access.may(person_of(request), Verb.EDIT, row):
        return render(request, "403.html", {"why": _t("This takes a role that edits reports.")}, status=403)
    form = EditForm(request.POST or None, initial=edit_initial(row))
    since = acting.number(request)
    if since is None:
        since = row.version
    if request.method == "POST" and form.is_valid():
        place_changed = any(name in form.changed_data for name in PLACE_INPUTS)
        done = acting.once(
            request,
            form,
            lambda: {
                "version": reports.edit(
                    row.reference, form, by=person_of(request), since=since, place_changed=place_changed
                ).version
            },
        )
        if done is not None:
            messages.success(request, _t("Saved."), extra_tags=f"edit-{row.reference}")
            return redirect("report", row.reference)
        if hasattr(form, "conflict"):
            since = row.version
    context = {
        "form": form,
        "report": row,
        "since": since,
        "parts": {
            name: [form[f] for f in fields if f in form.fields and f not in NOT_EDITED]
            for name, fields in _PARTS.items()
        },
    }
    return render(request, "report/edit.html", context, status=409 if hasattr(form, "conflict") else 200)


urlpatterns = [
    path("reports/nearby", nearby, name="nearby"),
    path("log", log, name="log"),
    path("log/done", logged, name="logged"),
    path("r/<str:reference>/edit", edit, name="edit"),
]
