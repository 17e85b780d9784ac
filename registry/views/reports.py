"""Pages of reports: the list, one report, its evidence, my work, an asset."""

from typing import Any

from django.db.models.expressions import RawSQL
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils import formats, timezone
from django.utils.translation import gettext as _t
from django.views.decorators.http import require_safe

from registry import filters
from registry.actions import deeds, duplicates, evidence, moves
from registry.models import (
    Draft,
    Entry,
    Person,
    Report,
    Request,
)
from registry.models.identity import read_reference
from registry.outputs import reading, telling
from registry.outputs.tables import edition_of
from registry.rules import access, workflow
from registry.rules.access import Verb
from registry.rules.vocabularies import Holder, Kind, Role, Status
from registry.templatetags import tables

from . import places
from .deeds import office_report
from .guards import person_of, signed_in
from .presets import cite, saved_by
from .then import then

# -- the list ------------------------------------------------------------------------------------------


@require_safe
def report_list(request: HttpRequest) -> HttpResponse:
    """*Which reports?* A reference typed into the search leads to its page."""
    reference = read_reference(request.GET.get("text", ""))
    if reference and set(request.GET) <= {"text"} and reading.find(request.user, reference)[1] is not None:
        return redirect("report", reference)
    selection = filters.select(request.user, request.GET, beside=("after", "before", "count"))
    office = selection.holder == Holder.OFFICE
    page = selection.page(
        after=request.GET.get("after"),
        before=request.GET.get("before"),
        # Rows of the past are of another table.
        columns=() if selection.as_of else tables.OFFICE_COLUMNS if office else tables.COLUMNS,
    )
    address = reverse("reports")
    links = {
        f"{name}_url": f"{address}?{selection.query}&{token_name}={token}" if token else ""
        for name, token_name, token in (("next", "after", page.after), ("previous", "before", page.before))
    }
    view = "view=published" if "view" in selection.params else ""
    thorough = request.GET.get("count", "")
    if thorough not in ("", "all"):
        raise filters.BadFilter("count", _t("Lists are counted further with “all”."))
    count = selection.count(page, thorough=bool(thorough))
    context = {
        **links,
        "chips": [(words, f"{address}?{query}") for words, query in selection.parts],
        "clear_url": f"{address}?{view}",
        "office": office,
        "office_query": selection.query_without("view"),
        "selection": selection,
        "page": page,
        "count": count,
        "count_url": f"{address}?{selection.query}&count=all" if count.is_least and not thorough else "",
        "nav": "reports",
        "is_staff": access.is_staff(request.user),
        "then": then(request, selection),
        "saved": saved_by(request),
        "citation": cite(selection, edition_of(selection), door="reports"),
    }
    return render(request, "report/list.html", context)


# -- one report ----------------------------------------------------------------------------------------


@require_safe
def report(request: HttpRequest, reference: str) -> HttpResponse:
    """*What is it, where does it stand, what is next?*"""
    canonical = read_reference(reference)
    if canonical is None:
        raise Http404
    if canonical != reference:
        return redirect("report", canonical, permanent=True)
    if moment := filters.single(request.GET, "as_of"):
        return _report_then(request, canonical, moment)
    holder, row = reading.find(request.user, canonical)
    if row is None and getattr(request.user, "role", None) == Role.RESIDENT:
        own = Report.objects.filter(reference=canonical, logged_by=request.user.pk).first()
        if own is not None:
            return _own_report(request, own)
    if row is None:
        if kept := telling.kept_instead(canonical, holder):
            return redirect("report", kept)
        raise Http404
    context = {"row": row, "holder": holder, "nav": "reports"}
    if holder == Holder.OFFICE:
        context |= _office_context(request, row)
    elif row.kind == Kind.OUTAGE and (steps := reading.released_steps(row, holder)) is not None:
        context |= {"steps": steps, "stairs": reading.stairs(steps)}
    return render(request, "report/detail.html", context)


def _report_then(request: HttpRequest, reference: str, as_of: str) -> HttpResponse:
    """The row of a report as it stood at a moment, and nothing of what hangs on it but the steps of supply."""
    found = reading.then(request.user, reference, as_of)
    if found is None:
        raise Http404
    selection, row = found
    context = {
        "row": row,
        "holder": selection.holder,
        "then": then(request, selection, gone=False),
        "nav": "reports",
    }
    if row.kind == Kind.OUTAGE:
        steps = reading.released_steps(row, selection.holder, selection.as_of)
        context |= {"steps": steps, "stairs": reading.stairs(steps or [])}
    return render(request, "report/detail.html", context)


def _office_context(request: HttpRequest, row: Report) -> dict[str, Any]:
    person = person_of(request)
    offered = moves.offered(row, to=person)
    deeds_open = deeds.open_deeds(row, person)
    assessments = list(row.assessment_lines.select_related("recorded_by").order_by("-assessed_on", "-pk"))
    photos = list(row.evidence_lines.filter(voided_at=None))
    related = Report.objects.filter(reference__in=row.related.split())
    context: dict[str, Any] = {
        "report": row,
        "offered": [move for move, refusal in offered if refusal is None or refusal.reason_opens],
        "closed": [
            (move, refusal) for move, refusal in offered if refusal is not None and not refusal.reason_opens
        ],
        "prominent": [deed for deed in deeds_open if deed.name in deeds.PROMINENT],
        "more": [deed for deed in deeds_open if deed.name not in deeds.PROMINENT],
        "may_edit": access.may(person, Verb.EDIT, row),
        "timeline": telling.timeline(row),
        "question": telling.open_question(row),
        "assessments": [line for line in assessments if line.voided_at is None],
        "source_lines": list(row.source_lines.filter(voided_at=None)),
        "before": [line for line in photos if line.stage == "damage"],
        "after": [line for line in photos if line.stage == "after"],
        "estimates": list(row.estimate_lines.filter(voided_at=None).order_by("-given_at")),
        "related": related,
        "requests": row.requests.filter(answered_at=None).select_related("by"),
        "asset": row.of_asset,
        "incident": row.of_incident,
        "alike": _alike(row, person, deeds_open),
    }
    if row.kind == Kind.OUTAGE:
        steps = list(row.outagestep_lines.filter(voided_at=None).order_by("at", "pk"))
        context |= {"steps": steps, "stairs": reading.stairs(steps)}
    return context


def _alike(row: Report, person: Person, deeds_open: list[deeds.Deed]) -> list[duplicates.Found]:
    """What a report that nobody has checked yet may be a duplicate of, for those who may say so."""
    unchecked = row.status in workflow.UNCHECKED and not row.withdrawn
    if not unchecked or not any(deed.name == "link" for deed in deeds_open):
        return []
    found = duplicates.nearby(row, person=person)
    return [one for one in found if not (one.again and row.of_asset_id == one.report.of_asset_id is not None)]


def _own_report(request: HttpRequest, own: Report) -> HttpResponse:
    """A resident sees what they sent, the question and the status; of networks and of electricity only
    that it was received."""
    quiet = reading.is_quiet(own)
    context = {
        "report": own,
        "quiet": quiet,
        "question": "" if quiet else telling.open_question(own),
        "offered": [
            move
            for move, refusal in moves.offered(own, to=person_of(request))
            if refusal is None and move.reporter
        ],
        "nav": "reports",
    }
    return render(request, "report/own.html", context)


# -- evidence ------------------------------------------------------------------------------------------


@signed_in
@require_safe
def evidence_file(request: HttpRequest, reference: str, sha256: str) -> FileResponse:
    """The cleaned copy of a photo or document; ``?original=1`` the sealed original, for staff alone."""
    row = office_report(request, reference)
    original = request.GET.get("original") == "1" and access.is_staff(person_of(request))
    shown = evidence.shown(row, sha256, original=original)
    if shown is None:
        raise Http404
    response = FileResponse(
        shown.path.open("rb"),
        content_type=shown.media_type,
        as_attachment=shown.taken_away,
        filename=shown.name,
    )
    response["X-Content-Type-Options"] = "nosniff"
    return response


# -- my work -------------------------------------------------------------------------------------------


@signed_in
@require_safe
def my_work(request: HttpRequest) -> HttpResponse:
    """*What must I do now?*"""
    person = person_of(request)
    if person.role == Role.RESIDENT:
        own = Report.objects.filter(logged_by=person).order_by("-logged_utc")[:50]
        return render(request, "report/my_reports.html", {"own": own, "nav": "my-work"})
    if not access.is_staff(person):
        return redirect("data")
    mine = filters.tried(Report.objects.within(person.scope).live().filter(withdrawn=""))
    today = timezone.localdate()
    open_now = filters.tried(mine.exclude(status__in=(Status.CLOSED, Status.RESTORED)))
    all_ = reverse("reports")
    queues = [
        (_t("Danger now"), _oldest(open_now.filled("danger")), f"{all_}?danger=1", ""),
        (_t("Overdue"), open_now.filter(due_on__lt=today).order_by("due_on")[:_IN_QUEUE], "", ""),
        (_t("Assigned to me"), _oldest(open_now.filter(assignee=person)), f"{all_}?assignee=me", ""),
        (_t("Questions answered"), _answered(mine), "", ""),
        (_t("Waiting for verification"), _to_verify(person), f"{all_}?status=reported", ""),
        (_places_title(person), _places(person), reverse("places"), "place"),
    ]
    shown = [
        (
            title,
            [_with_step(row, person, deed) for row in rows],
            url if deed or len(rows) == _IN_QUEUE else "",
        )
        for title, rows, url, deed in queues
    ]
    requests = []
    if person.role == Role.SUPERVISOR:
        waiting = Request.objects.filter(answered_at=None).select_related("report", "by")[:50]
        requests = [one for one in waiting if person.scope.contains(one.report)]
    context = {
        "queues": [queue for queue in shown if queue[1]],
        "requests": requests,
        "saved": saved_by(request),
        "draft": Draft.objects.filter(person=person).first(),
        "nav": "my-work",
    }
    return render(request, "report/my_work.html", context)


#: As many rows of a queue are shown, those first that wait longest.
_IN_QUEUE = 20


def _oldest(rows: Any) -> list[Report]:
    return list(rows.order_by("sort_key")[:_IN_QUEUE])


def _answered(mine: Any) -> list[Report]:
    """Where the newest entry answers a question, among the newest answers."""
    answers = Entry.objects.filter(move=RawSQL("'answer'", ())).order_by("-pk")
    newest = dict(answers.values_list("report", "number")[:500])
    rows = mine.filter(pk__in=newest, status=Status.REPORTED).order_by("sort_key")
    return [row for row in rows if newest[row.pk] == row.version][:_IN_QUEUE]


def _places_title(person: Any) -> str:
    waiting = sum(places.counts(person).values())
    return _t("Places to confirm (%(count)s)") % {
        "count": formats.number_format(waiting, force_grouping=True)
    }


def _places(person: Any) -> list[Report]:
    found = [row for why in places.WAITING for row in places.waiting(person, why)[:_IN_QUEUE]]
    return sorted(found, key=lambda row: row.sort_key)[:_IN_QUEUE]


def _to_verify(person: Any) -> list[Any]:
    if Role.INSPECTOR not in access.acts_as(person):
        return []
    query = QueryDict("status=reported&kind=building&kind=network")
    # The page before the first day there is: the oldest rows.
    page = filters.select(person, query, using="default").page(before="0001-01-01.0000-0000")
    return [row for row in reversed(page.rows) if row.logged_by_id != person.pk][:_IN_QUEUE]  # type: ignore[attr-defined]


#: Moves that are nobody's next step of their own accord.
_NOT_LIKELY = frozenset(
    {"merge", "unmerge", "reject", "reject_confirmed", "set_back", "reopen", "reconsider"}
)


def _with_step(row: Report, person: Any, deed_name: str = "") -> tuple[Report, Any, str]:
    """A row of work with the words and the address of its most likely step: the queue's own deed, a deed
    that stands out, else the first move open to this person."""
    if deed_name == "place" and access.may(person, Verb.LOCATE, row):
        return row, deeds.DEEDS["place"].label, f"{reverse('places')}?r={row.reference}"
    for name in deeds.PROMINENT:
        if name not in ("attempt", "estimate") and deeds.DEEDS[name].is_open(row, person):
            return row, deeds.DEEDS[name].label, reverse("deed", args=[row.reference, name])
    for move in workflow.moves_from(row):
        planned = not move.needs_plan or row.plan_scope
        if move.name not in _NOT_LIKELY and planned and workflow.could(move, person, row):
            return row, move.label, reverse("move", args=[row.reference, move.name])
    return row, "", ""


# -- an asset ------------------------------------------------------------------------------------------


@require_safe
def asset(request: HttpRequest, reference: str) -> HttpResponse:
    """What it is, where, every strike and repair on one line of time; from rows this person sees alone."""
    found = reading.asset(request.user, reference, as_of=filters.single(request.GET, "as_of"))
    if found is None:
        raise Http404
    thing, selection, rows = found
    office = selection.holder == Holder.OFFICE
    context = {
        "asset": thing,
        "rows": rows,
        "newest": rows[0],
        "office": office,
        "then": then(request, selection),
        "parts": thing.parts.all()[:200] if office else (),
        "nav": "reports",
    }
    return render(request, "report/asset.html", context)


urlpatterns = [
    path("reports", report_list, name="reports"),
    path("my-work", my_work, name="my-work"),
    path("a/<str:reference>", asset, name="asset"),
    path("r/<str:reference>", report, name="report"),
    path("r/<str:reference>/evidence/<slug:sha256>", evidence_file, name="evidence"),
]
