"""What a program does: log, change, move, and every deed, by the forms and actions of the pages."""

from collections.abc import Callable, Mapping
from typing import Any
from uuid import uuid4

from django import forms
from django.http import Http404
from django.utils.translation import gettext as _
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from registry.actions import deeds, journal, moves, reports
from registry.actions.journal import Refused
from registry.forms.editing import NOT_EDITED, PLACE_INPUTS, EditForm, edit_initial
from registry.forms.moves import FIELDS, move_form
from registry.forms.reports import ReportForm
from registry.models import Report
from registry.rules import access, workflow
from registry.rules.access import Verb
from registry.rules.vocabularies import TokenScope

from . import bodies, doors
from .bodies import Sent
from .doors import address, operation
from .problems import Problem, invalid
from .reports import offices_or_own, shown
from .shapes import Schema

LOGGED = ReportForm.base_fields
EDITED = {name: field for name, field in EditForm.base_fields.items() if name not in NOT_EDITED}


Done = dict[str, Any]
_DONE = ("reference", "status", "version", "url")


def _answered(request: Request) -> Done | None:
    """What was answered when this was sent before under its client_id; refused if that was something else."""
    sent = bodies.sent(request)
    earlier = sent.client_id and journal.carried_out(sent.client_id, request.user)
    return _of_this(sent, earlier.result) if earlier else None


def _once(request: Request, act: Callable[[], Done]) -> Done:
    """Do it once for its client_id."""
    sent = bodies.sent(request)
    result = journal.once(
        sent.client_id or uuid4(), by=request.user, act=lambda: act() | {"digest": sent.digest}
    )
    return _of_this(sent, result)


def _of_this(sent: Sent, result: Done) -> Done:
    if result.get("digest") != sent.digest:
        raise Refused(_("This id was already used for something else."), code="client_id", field="client_id")
    # In this order, however the database keeps it.
    return {name: result[name] for name in _DONE}


def _did(report: Report) -> dict[str, Any]:
    """What an act answers with: where the report stands now."""
    return {
        "reference": report.reference,
        "status": report.status,
        "version": report.version,
        "url": address("report", report.reference),
    }


def _as_it_stands(reference: str) -> dict[str, Any]:
    return _did(Report.objects.get(reference=reference))


@operation(
    "Log a report",
    gives="Done",
    status=201,
    scope=TokenScope.LOG,
    takes=bodies.of_fields(LOGGED, optional=["source_type"], since=""),
)
def log_report(request: Request) -> Response:
    """One report, by the form of the pages: the place is looked up, what follows is derived. Say what, where (a
    place, coordinates or an area) and when. Send a `client_id`, so that sending twice is harmless."""
    if not access.may(request.user, Verb.LOG):
        raise Refused(_("Your role does not do this."), code="role")
    result = _answered(request) or _log(request)
    return Response(result, 201, headers={"Location": result["url"]})


def _log(request: Request) -> Done:
    body, sent = bodies.read(request, LOGGED), bodies.sent(request)
    form = ReportForm()
    if not form.check(body.given):
        raise bodies.errors_of(form)
    client = (sent.client_id, sent.digest) if sent.client_id else None
    return _once(request, lambda: _did(reports.log(form, by=request.user, client=client)))


@operation(
    "Change what a report says",
    gives="Report",
    scope=TokenScope.WORK,
    takes=bodies.of_fields(
        EDITED,
        optional=EDITED,
        since=f"{bodies.SINCE} With `If-Match` alone it may be left away.",
        needs_since=True,
    ),
)
def edit_report(request: Request, reference: str) -> Response:
    """Send the fields to change, and `since`: the version you began from. A field that somebody else has changed
    since is a conflict (409), which says what stands now and what you asked for. `If-Match` with the ETag you read
    asks for more: that nothing of the report has changed (412); it stands for `since`, too."""
    row = offices_or_own(request, reference)
    if not access.may(request.user, Verb.EDIT, row):
        raise Refused(_("Your role does not do this."), code="role")
    if _answered(request) is None:
        _edit(request, row)
    return _shown(request, row.reference)


def _edit(request: Request, row: Report) -> None:
    body = bodies.read(request, EDITED)
    since = body.since
    if match := request.headers.get("If-Match"):
        _refuse_unless_read(request, row, match)
        since = row.version if since is None else since
    if since is None:
        raise invalid([("since", _("Say which version you began from."))])
    initial = edit_initial(row)
    form = EditForm(body.over(initial, EDITED), initial=initial)
    if not form.is_valid():
        raise bodies.errors_of(form)
    place_changed = any(name in form.changed_data for name in PLACE_INPUTS)
    _once(
        request,
        lambda: _did(
            reports.edit(row.reference, form, by=request.user, since=since, place_changed=place_changed)
        ),
    )


def _shown(request: Request, reference: str) -> Response:
    """The report as a read gives it, with the tag of its bytes."""
    told = shown(request.user, reference)
    return Response(told, headers={"ETag": doors.tag(JSONRenderer().render(told))})


def _refuse_unless_read(request: Request, row: Report, match: str) -> None:
    """412 unless what this person would read now is what they have read."""
    tags = {one.strip() for one in match.split(",")}
    if "*" not in tags and _shown(request, row.reference).headers["ETag"] not in tags:
        raise Problem("changed", _("It is at version %(version)d now.") % {"version": row.version})


@operation("Make a move", gives="Done", scope=TokenScope.WORK, takes={bodies.JSON: {"type": "object"}})
def make_move(request: Request, reference: str, name: str) -> Response:
    """One step of the workflow, with the evidence it takes."""
    report = offices_or_own(request, reference)
    if (before := _answered(request)) is not None:
        return Response(before)
    try:
        move = workflow.move_named(name, report.kind)
    except KeyError:
        raise Http404 from None
    refusal = moves.refusal(move, report, by=request.user)
    if refusal is not None and not refusal.reason_opens:
        raise Refused(refusal.message, code=refusal.code)
    asked: Any = move_form(move, sector=report.sector, reason_opens=refusal is not None)
    body = bodies.read(request, asked.fields)
    form = type(asked)(body.over(deeds.initial_of_move(report), asked.fields), body.files)
    _require_valid(form)

    def act() -> dict[str, Any]:
        given = form.cleaned_data
        return _did(moves.move(report.reference, name, by=request.user, given=given, since=body.since))

    return Response(_once(request, act))


@operation("Do a deed", gives="Done", scope=TokenScope.LOG, takes={bodies.JSON: {"type": "object"}})
def do_deed(request: Request, reference: str, name: str) -> Response:
    """What is done to a report beside its moves."""
    report = offices_or_own(request, reference)
    deed = deeds.DEEDS.get(name)
    if deed is None:
        raise Http404
    doors.require_scope(request, scope_of(name))
    if (before := _answered(request)) is not None:
        return Response(before)
    if not access.may(request.user, deed.verb, report):
        raise Refused(_("Your role does not do this."), code="role")
    if not deed.when(report):
        raise Problem("closed", _("This is not open to you here and now."))
    of = {"report": report, "person": request.user}
    asked = deed.form(**of)
    body = bodies.read(request, asked.fields)
    form = deed.form(body.over(deeds.initial(name, report), asked.fields), body.files, **of)
    _require_valid(form)

    def act() -> dict[str, Any]:
        deed.do(report, form, request.user, since=body.since)
        return _as_it_stands(report.reference)

    return Response(_once(request, act))


def _require_valid(form: forms.BaseForm) -> None:
    if not form.is_valid():
        raise bodies.errors_of(form)


def scope_of(deed: str) -> TokenScope:
    """What a token must serve for to do a deed: photos go with the reports that programs log."""
    return TokenScope.LOG if deed == "evidence" else TokenScope.WORK


# -- what each move and deed takes, for the description ------------------------------------------------------


def described() -> dict[str, dict[str, dict[str, Any]]]:
    """``moves`` and ``deeds`` → name → summary, description and bodies of each."""
    return {
        "moves": {move.name: _described_move(move.name) for move in workflow.MOVES},
        "deeds": {
            name: {
                "summary": str(deed.label),
                "description": f"Scope: {scope_of(name)}.",
                "takes": bodies.of_fields(
                    deed.form.base_fields,
                    optional=_BEGUN | {"restriction"},
                    since=bodies.SINCE
                    if deed.conflicts
                    else "The version you saw; nothing here is a conflict.",
                ),
            }
            for name, deed in deeds.DEEDS.items()
        },
    }


#: What forms begin with a value for: today, now, what stands.
_BEGUN = {
    "happened_on", "at", "given_at", "cause_group", "assignee", "scope", "currency", "funder", "lat", "lon",
}  # fmt: skip


def _described_move(name: str) -> dict[str, Any]:
    found = [move for move in workflow.MOVES if move.name == name]
    takes = [set(move.takes) for move in found]
    fields: Mapping[str, forms.Field] = {name: FIELDS[name] for move in found for name in move.takes} | {
        "reason": FIELDS["reason"]
    }
    sometimes = set().union(*takes) - set.intersection(*takes) | {"restriction"}
    if not any("reason" in one for one in takes):
        sometimes.add("reason")
    schema: dict[str, Schema] = bodies.of_fields(fields, optional=_BEGUN | sometimes)
    sources = dict.fromkeys(str(status) for move in found for status in move.sources)
    roles = sorted({str(role) for move in found for role in move.roles})
    return {
        "summary": str(found[0].label),
        "description": f"From {', '.join(sources)}; by {', '.join(roles)}. `reason` also opens it to a supervisor"
        " whom only an own deed bars, where nobody else could. Scope: work.",
        "takes": schema,
    }
