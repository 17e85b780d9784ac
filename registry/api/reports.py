"""Reports as the person who asks sees them: the list, one, and what stands beside it."""

from datetime import datetime
from typing import Any

from django.http import FileResponse, Http404, HttpResponseRedirect
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from rest_framework.request import Request
from rest_framework.response import Response

from registry import filters
from registry.actions import deeds, evidence, moves
from registry.filters import BadFilter
from registry.models import Person, Report
from registry.models.identity import read_reference
from registry.outputs import dictionary, reading, telling
from registry.outputs.children import standing
from registry.rules import access
from registry.rules.vocabularies import Holder, Kind, Role

from . import shapes
from .doors import Parameter, address, operation
from .problems import Problem
from .shapes import plain, values

PER_PAGE, MOST = 50, 500


# -- the list --------------------------------------------------------------------------------------------


def filter_parameters() -> list[Parameter]:
    """Every filter there is, and what a list takes beside them."""
    found = []
    for name, one in filters.EVERY_FILTER.items():
        codes = [code for code, _words in one.extra.get("choices", ()) if code]
        schema: shapes.Schema = {"type": "string"}
        if codes:
            schema = {"type": "array", "items": {"type": "string", "enum": codes}}
        whose = "For the office alone." if one.office else ""
        takes = "" if codes else f": {dictionary.takes(one)}"
        meaning = shapes.said(f"{one.label}{takes}", whose)
        found.append(Parameter(name, schema, meaning, several=bool(codes)))
    return [
        *found,
        Parameter("view", {"type": "string", "enum": ["published"]}, "Staff: what is published, everywhere."),
        AS_OF,
    ]


AS_OF = Parameter(
    "as_of", meaning="As the register stood then: for the office a day or moment, else the day of an edition."
)
LIMIT = Parameter(
    "limit", {"type": "integer", "minimum": 1, "maximum": MOST}, f"Rows on a page, {PER_PAGE} if left away."
)
AFTER = Parameter("after", meaning="The token of a page, as `next` has it.")
BEFORE = Parameter("before", meaning="The token of a page, as `previous` has it.")
PAGES = [
    LIMIT,
    AFTER,
    BEFORE,
    Parameter("columns", meaning="The columns wanted, separated by commas; all if left away."),
    Parameter("count", {"type": "string", "enum": ["all"]}, "Count further than a page takes."),
]


@operation(
    "Reports, the newest damage first",
    gives="Reports",
    params=lambda: [*filter_parameters(), *PAGES],
    checks=True,
)
def list_reports(request: Request) -> Response:
    """The rows that fit every filter, a page at a time. Values of one filter are any of, filters are all of."""
    selection = filters.select(request.user, request.GET, beside=[one.name for one in PAGES])
    names, size = _columns(request), limit(request, MOST)
    after, before = (single(request, name) or None for name in ("after", "before"))
    thorough = single(request, "count")
    if thorough not in ("", "all"):
        raise BadFilter("count", _("Lists are counted further with “all”."))
    if after and before:
        raise BadFilter("before", _("Give “after” or “before”, not both."))
    # Rows of the past are of another table.
    page = selection.page(after=after, before=before, size=size, columns=() if selection.as_of else names)
    count = selection.count(page, thorough=bool(thorough))

    def link(name: str, token: str | None) -> str | None:
        beside = {one: single(request, one) for one in ("limit", "columns", "count")}
        return page_address("reports", selection.query, **beside, **{name: token or ""}) if token else None

    return Response(
        {
            "reports": [values(row, names) for row in page.rows],
            "next": link("after", page.after),
            "previous": link("before", page.before),
            "holder": selection.holder,
            "filter": selection.sentence,
            "as_of": plain(selection.as_of),
            "count": {"n": count.n, "more": count.more},
            "partial": page.partial,
        }
    )


def page_address(name: str, query: str = "", **more: str) -> str:
    """The address of another page of a list: its query, and of ``more`` what says something."""
    said = urlencode({key: value for key, value in more.items() if value})
    return f"{address(name)}?{'&'.join(filter(None, (query, said)))}"


def _columns(request: Request) -> tuple[str, ...]:
    """The columns asked for, in their own order."""
    asked = {name.strip() for name in single(request, "columns").split(",")} - {""}
    for name in sorted(asked - set(shapes.REPORT)):
        raise BadFilter("columns", _("There is no column “%(name)s”.") % {"name": name})
    return tuple(name for name in shapes.REPORT if name in asked) or shapes.REPORT


def limit(request: Request, most: int) -> int:
    """How many are wanted on a page."""
    typed = single(request, "limit")
    if not typed:
        return PER_PAGE
    if not (typed.isascii() and typed.isdigit() and 1 <= int(typed[:9]) <= most):
        raise BadFilter("limit", _("A number from 1 to %(most)d.") % {"most": most})
    return int(typed)


def single(request: Request, name: str) -> str:
    """The one value of a parameter, "" if it is left away."""
    return filters.single(request.GET, name)


# -- one report ------------------------------------------------------------------------------------------


@operation(
    "One report",
    gives={"oneOf": [shapes.ref("Report"), shapes.ref("OwnReport")]},
    params=[AS_OF],
)
def get_report(request: Request, reference: str) -> Any:
    """A report as you see it; residents see of their own what they sent, where it stands and what they are asked.
    One that was merged into another leads there (302)."""
    canonical = read_reference(reference)
    if canonical is None:
        raise Http404
    if single(request, "as_of"):
        holder, then, _at = _seen(request, reference)
        return Response(shown_as(holder, then, now=False))
    holder, row = reading.find(request.user, canonical)
    if row is not None:
        return Response(shown_as(holder, row))
    own = _own(request, canonical)
    if own is not None:
        return Response(_own_report(own))
    if kept := telling.kept_instead(canonical, holder):
        return HttpResponseRedirect(address("report", kept))
    raise Http404


def shown(person: Any, reference: str) -> dict[str, Any]:
    """A report as ``get_report`` shows it to somebody of the office."""
    return shown_as(*reading.find(person, reference))


def shown_as(holder: str, row: Any, *, now: bool = True) -> dict[str, Any]:
    office = _office(row) if holder == Holder.OFFICE and now else None
    url = address("report", row.reference)
    return {**values(row, shapes.REPORT), "holder": holder, "url": url, "office": office}


def _office(row: Report) -> dict[str, Any]:
    return {
        **values(row, shapes.OFFICE),
        "assignee": plain(row.assignee),
        "logged_by": plain(row.logged_by),
        "merged_into": row.merged_into and row.merged_into.reference,
        "question": plain(telling.open_question(row)),
    }


def _own(request: Request, reference: str) -> Report | None:
    """The report of a resident, who sent it."""
    person = request.user
    if isinstance(person, Person) and person.role == Role.RESIDENT:
        return reading.office_report(person, reference)
    return None


def _own_report(own: Report) -> dict[str, Any]:
    quiet = reading.is_quiet(own)
    return {
        **values(own, shapes.OWN),
        "holder": "own",
        "status": None if quiet else own.status,
        "question": None if quiet else plain(telling.open_question(own)),
        "url": address("report", own.reference),
    }


# -- beside it -------------------------------------------------------------------------------------------


def _seen(request: Request, reference: str) -> tuple[str, Any, datetime | None]:
    """Whose row the person sees, the row, and the moment it is of if one was asked for; 404 if none."""
    canonical = read_reference(reference) or ""
    if moment := single(request, "as_of"):
        found = reading.then(request.user, canonical, moment)
        if found is None:
            raise Http404
        selection, then = found
        return selection.holder, then, selection.as_of
    holder, row = reading.find(request.user, canonical)
    if row is None:
        raise Http404
    return holder, row, None


def _offices_then(request: Request, reference: str) -> tuple[Report, datetime | None]:
    """The office's report, and the moment asked for: 403 for those who see what is published alone."""
    holder, row, at = _seen(request, reference)
    if holder != Holder.OFFICE:
        raise Problem("forbidden", _("This is the office's alone."))
    return _report_of(row), at


def _offices(request: Request, reference: str) -> Report:
    """The office's report, as it is now."""
    return _offices_then(request, reference)[0]


def _report_of(row: Any) -> Report:
    """The report of the office's row of now or then."""
    return row if isinstance(row, Report) else row.report


def offices_or_own(request: Request, reference: str) -> Report:
    """The office's report for staff, or for the resident who sent it; else 404, there or not."""
    canonical = read_reference(reference) or ""
    row = reading.office_report(request.user, canonical) if isinstance(request.user, Person) else None
    if row is None:
        raise Http404
    return row


@operation("What was done to a report", gives="Timeline", params=[AS_OF], signed_in=True)
def get_timeline(request: Request, reference: str) -> Response:
    """Every entry, the newest first, for the office. Labels and words are for people; codes stand beside them."""
    told = telling.timeline(*_offices_then(request, reference))
    return Response({"timeline": [_told(one) for one in told]})


def _told(told: telling.Told) -> dict[str, Any]:
    entry = told.entry
    return {
        "number": entry.number,
        "kind": entry.kind,
        "move": plain(entry.move),
        "title": told.title,
        "by": told.by,
        "happened_at": plain(told.at),
        "recorded_at": plain(told.recorded_at),
        "from_status": plain(entry.from_status),
        "to_status": plain(entry.to_status),
        "changes": [
            dict(zip(("label", "before", "after"), map(str, one), strict=True)) for one in told.changes
        ],
        "texts": [dict(zip(("label", "text"), map(str, one), strict=True)) for one in told.texts],
    }


def _lines(lines: Any, names: tuple[str, ...], at: datetime | None = None) -> list[dict[str, Any]]:
    stood = lines.filter(standing(at)).select_related("recorded_by")
    return [{**values(line, names), "recorded_by": plain(line.recorded_by)} for line in stood]


@operation("The assessments of a report", gives="Assessments", params=[AS_OF])
def list_assessments(request: Request, reference: str) -> Response:
    """Grades on named scales, in the order of their recording; the report itself says the current one. Audiences are
    given the outgoing columns, as of their edition."""
    holder, row, at = _seen(request, reference)
    if holder == Holder.OFFICE:
        made = _report_of(row).assessment_lines.order_by("pk")
        return Response({"assessments": _lines(made, shapes.ASSESSMENT, at)})
    blank = dict.fromkeys((*shapes.ASSESSMENT, "recorded_by"))
    lines = reading.released_assessments(row, holder, at)
    return Response(
        {
            "assessments": [
                blank | {name: plain(value) for name, value in line.items() if name in blank}
                for line in lines
            ]
        }
    )


@operation("The sources of a report", gives="Sources", signed_in=True)
def list_sources(request: Request, reference: str) -> Response:
    """Who said it, where and when, for the office."""
    return Response({"sources": _lines(_offices(request, reference).source_lines, shapes.SOURCE)})


@operation("The estimates of restoration", gives="Estimates", signed_in=True)
def list_estimates(request: Request, reference: str) -> Response:
    """Every estimate given for an outage, for the office; the report itself says the current one."""
    lines = _offices(request, reference).estimate_lines.order_by("-given_at")
    return Response({"estimates": _lines(lines, shapes.ESTIMATE)})


@operation("The steps of an outage", gives="Steps", params=[AS_OF])
def list_steps(request: Request, reference: str) -> Response:
    """When supply was lost and came back. Audiences are given the steps of some outages, as of their edition."""
    holder, row, at = _seen(request, reference)
    if holder != Holder.OFFICE:
        steps = reading.released_steps(row, holder, at) if row.kind == Kind.OUTAGE else None
        lines = None if steps is None else [{**values(step, shapes.STEP), "id": None} for step in steps]
        return Response({"steps": lines})
    stood = _report_of(row).outagestep_lines.filter(standing(at)).order_by("at", "pk")
    return Response({"steps": [{**values(step, shapes.STEP), "id": step.pk} for step in stood]})


@operation("Photos and documents of a report", gives="EvidenceList", signed_in=True)
def list_evidence(request: Request, reference: str) -> Response:
    """For the office. Each file has an address of its own."""
    row = _offices(request, reference)
    lines = _lines(row.evidence_lines, shapes.EVIDENCE)
    for line in lines:
        line["url"] = address("evidence-file", row.reference, line["shown_sha256"])
    return Response({"evidence": lines})


#: A schema for bytes, which says nothing of them.
FILE: shapes.Schema = {"description": "The bytes of the file."}
FILE_TYPES = ("image/jpeg", "image/png", "image/webp", "application/pdf")
ORIGINAL = Parameter("original", {"type": "string", "enum": ["1"]}, "The sealed original, for staff alone.")


@operation("A photo or document", gives=FILE, types=FILE_TYPES, params=[ORIGINAL], signed_in=True)
def get_evidence_file(request: Request, reference: str, sha256: str) -> FileResponse:
    """The cleaned copy (JPEG or PDF), for the office and for the resident who sent the report."""
    row = offices_or_own(request, reference)
    if (typed := single(request, "original")) not in ("", "1"):
        raise BadFilter("original", _("It is 1 or left away."))
    found = evidence.shown(row, sha256, original=bool(typed) and access.is_staff(request.user))
    if found is None:
        raise Http404
    return FileResponse(
        found.path.open("rb"),
        content_type=found.media_type,
        as_attachment=found.taken_away,
        filename=found.name,
    )


@operation("What may be done next", gives="NextSteps", signed_in=True)
def list_next_steps(request: Request, reference: str) -> Response:
    """The moves that lead on from where the report stands, each with why it is closed to you; and the deeds open
    to you. What each takes stands in this description under its own address."""
    row, person = offices_or_own(request, reference), request.user
    staff = access.is_staff(person)
    offered = [] if not staff and reading.is_quiet(row) else moves.offered(row, to=person)
    return Response(
        {
            "moves": [
                {
                    "name": move.name,
                    "label": str(move.label),
                    "open": refusal is None or refusal.reason_opens,
                    "why_not": plain(refusal and refusal.message),
                    "url": address("move", row.reference, move.name),
                }
                for move, refusal in offered
                if staff or (move.reporter and refusal is None)
            ],
            "deeds": [
                {
                    "name": deed.name,
                    "label": str(deed.label),
                    "open": True,
                    "why_not": None,
                    "url": address("deed", row.reference, deed.name),
                }
                for deed in deeds.open_deeds(row, person)
            ],
        }
    )
