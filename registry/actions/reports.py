"""Logging and changing reports: what a person says of a report that is not a move of its workflow."""

import copy
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext_lazy as _

from registry.forms.logging import LogForm
from registry.forms.places import area_of, from_candidate, only_area, pinned
from registry.forms.reports import ReportForm
from registry.models import (
    Asset,
    Batch,
    Entry,
    Incident,
    Link,
    OutageStep,
    Person,
    Report,
    Request,
    Source,
    Wording,
)
from registry.models.sql import blank
from registry.rules import supply, workflow
from registry.rules.access import Verb
from registry.rules.vocabularies import (
    EntryKind,
    GeocodeState,
    GeoPrecision,
    Kind,
    LinkType,
    Method,
    Role,
    Status,
    WithdrawalReason,
)

from . import editions, inspections, journal, known, releases
from .journal import Line, Refused, require
from .outages import supply_columns

#: The columns that say where a report is.
PLACE_COLUMNS = (
    "country", "adm1_code", "adm1_name", "adm2_code", "adm2_name", "adm3_code", "adm3_name", "settlement",
    "lat", "lon", "geo_precision", "geo_radius_m", "timezone", "place_typed", "geocode_state",
    "geocode_backend", "geocode_matched", "geocode_candidates", "geocode_after",
)  # fmt: skip
#: Whoever last sets one of these does not verify the report.
_SHAPES = {
    "place": ("lat", "lon", "country", "adm1_code", "adm2_code", "adm3_code", "settlement", "address"),
    "kind": ("kind", "sector", "object_type"),
    "date": ("occurred_from", "occurred_to", "started_utc"),
}


# -- logging -------------------------------------------------------------------------------------------


def new_line(
    form: ReportForm,
    *,
    by: Person | None,
    batch: Batch | None = None,
    incident: Incident | None = None,
    asset: Asset | None = None,
    client: tuple[UUID, str] | None = None,
) -> Line:
    """The line that logs what a valid form says; nothing is saved. ``client``: id and digest of what was
    sent, so that sending twice is harmless."""
    columns = form.columns()
    cleaned = form.cleaned_data
    sources = form.sources()
    report = blank(
        Report,
        status=Status.REPORTED,
        from_resident=by is not None and by.role == Role.RESIDENT,
        logged_by_id=by.pk if by else None,
        hands={"logged": [by.pk]} if by else {},
        batch_id=batch.pk if batch else None,
        of_incident=incident,
        client_id=client[0] if client else None,
        client_digest=client[1] if client else "",
    )
    put_on(report, columns, asset=asset)
    rows: list[Any] = [*sources]
    columns |= inspections.source_columns(sources)
    if report.kind == Kind.OUTAGE:
        steps = _first_steps(report, cleaned)
        rows += steps
        columns |= supply_columns(steps)
    elif cleaned["scale"]:
        grade = inspections.new_assessment(
            scale=cleaned["scale"],
            grade=cleaned["scale_grade"],
            method=Method.DESK,
            on=cleaned["source_date"] or cleaned["occurred_to"],
        )
        rows.append(grade)
        columns |= inspections.grade_columns(report.kind, grade)
    else:
        columns |= inspections.grade_columns(report.kind, None)
    return Line(report, EntryKind.LOGGED, by=by, fields=columns, rows=rows)


def put_on(report: Report, columns: dict[str, Any], *, asset: Asset | None) -> None:
    """Give a report its asset, its strike number and the kind that other columns depend on."""
    report.kind, report.sector = columns["kind"], columns["sector"]
    report.of_asset = asset
    if asset is not None:
        columns["site"] = (asset.part_of or asset).reference
        earlier = Report.objects.filter(of_asset=asset).exclude(status=Status.DUPLICATE)
        columns["strike_no"] = earlier.exclude(pk=report.pk).count() + 1


def _first_steps(report: Report, cleaned: dict[str, Any]) -> list[OutageStep]:
    """What the one who logs an outage says of it: how many lost supply, or what was closed."""
    if cleaned["customers_lost"] is None and not cleaned["restriction"]:
        return []
    at = cleaned["started_at"] or min(
        journal.now(),
        journal.latest_start(
            Report(occurred_to=cleaned["occurred_to"], timezone=report.timezone or "UTC", started_utc=None)
        ),
    )
    return [
        OutageStep(
            at=at,
            direction=supply.LOST,
            customers=cleaned["customers_lost"],
            restriction=cleaned["restriction"],
            diverted_to=cleaned["diverted_to"],
        )
    ]


def log(
    form: ReportForm,
    *,
    by: Person,
    incident: Incident | None = None,
    asset: Asset | None = None,
    client: tuple[UUID, str] | None = None,
) -> Report:
    """Log one report from a valid form.

    Sending the same ``client`` id again returns the first report; with another content it is refused.
    """
    with transaction.atomic():
        if client is not None:
            sent = Report.objects.filter(logged_by=by, client_id=client[0]).first()
            if sent is not None:
                if sent.client_digest != client[1]:
                    raise Refused(
                        _("This id was already used for another report."), code="client_id", field="client_id"
                    )
                return sent
        return _log(form, by=by, incident=incident, asset=asset, client=client)


def _log(form: ReportForm, *, by: Person, **of: Any) -> Report:
    line = new_line(form, by=by, **of)
    for name, value in line.fields.items():
        setattr(line.report, name, value)
    require(by, Verb.LOG, line.report)
    journal.record(line)
    return line.report


def log_all(
    form: LogForm, *, by: Person, incident: Incident | None = None, asset: Asset | None = None
) -> list[Report]:
    """Log what the web form says: one report for each house number, and the losses of supply that came
    with them, linked. Returns the reports, damage first."""
    with transaction.atomic():
        numbers = form.cleaned_data["house_numbers"]
        if not numbers:
            reports = [_log(form, by=by, incident=incident, asset=asset)]
        else:
            place, street = form.cleaned_data["place"], street_of(form)
            reports = []
            for number in numbers:
                house = copy.copy(form)
                house.cleaned_data = {**form.cleaned_data, "address": f"{street} {number}"}
                house.place_values = {**form.place_values, "place_typed": f"{place}, {number}"[:300]}
                reports.append(_log(house, by=by, incident=incident))
        outages = [
            _log(_outage(form, sector), by=by, incident=incident)
            for sector in form.cleaned_data["supply_lost"]
        ]
        for outage in outages:
            for report in reports:
                link(report.reference, outage.reference, LinkType.SUPPLY, by=by)
    return [*reports, *outages]


def street_of(form: LogForm) -> str:
    """The street that the house numbers of a valid form are on."""
    return form.place_values["address"] or form.cleaned_data["place"].partition(",")[0].strip()


def _outage(form: LogForm, sector: str) -> ReportForm:
    """The loss of supply that a damage form says came with it, as a form of its own."""
    outage = copy.copy(form)
    outage.cleaned_data = {
        **form.cleaned_data,
        "kind": Kind.OUTAGE,
        "sector": sector,
        "object_type": "",
        "object_name": "",
        "scale": "",
        "scale_grade": "",
        "elements": "",
        "in_use": "",
        "dwellings_total": None,
        "dwellings_damaged": None,
        "dwellings_unusable": None,
        "danger": "",
        "summary": "",
    }
    return outage


# -- changing ------------------------------------------------------------------------------------------


def edit(reference: str, form: ReportForm, *, by: Person, since: int, place_changed: bool = True) -> Report:
    """Change what a report says. ``since``: the version the writer began from; a field that somebody else
    has changed since raises Conflict. ``place_changed`` False leaves the place as it was located."""
    with transaction.atomic():
        report = journal.lock(reference)
        require(by, Verb.EDIT, report)
        columns = form.columns()
        if not place_changed:
            columns = {name: value for name, value in columns.items() if name not in PLACE_COLUMNS}
        wanted = {name: value for name, value in columns.items() if getattr(report, name) != value}
        journal.refuse_stale(report, wanted, since=since)
        if not wanted:
            return report
        if "kind" in wanted and report.status not in (Status.REPORTED, Status.NEEDS_INFO):
            raise Refused(_("The kind can be changed only before verification."), code="kind", field="kind")
        write_change(report, wanted, by=by, kind=EntryKind.EDITED)
    return report


def write_change(
    report: Report,
    wanted: dict[str, Any],
    *,
    by: Person,
    kind: str,
    note: str = "",
    rows: Sequence[Any] = (),
    voids: Sequence[Any] = (),
) -> None:
    """Record a change, with lines that join the report or are struck out; it must be allowed in the area before
    and after it."""
    after = copy.copy(report)
    for name, value in wanted.items():
        setattr(after, name, value)
    if not by.scope.contains(after):
        raise Refused(
            _("The place it would have lies outside your areas or sectors."), code="area", field="place"
        )
    if report.kind != after.kind:
        wanted |= inspections.grade_columns(after.kind, None)
    shaped = {
        shape: by.pk
        for shape, names in _SHAPES.items()
        if any(name in wanted and wanted[name] != getattr(report, name) for name in names)
    }
    if shaped:
        hands = {**report.hands, "shaped": {**report.hands.get("shaped", {}), **shaped}}
        wanted = {**wanted, "hands": hands}
    if any(name in wanted for name in PLACE_COLUMNS):
        wanted = {**wanted, "geocode_query": report.geocode_query + 1}
    journal.record(Line(report, kind, by=by, fields=wanted, texts={"note": note}, rows=rows, voids=voids))


def confirm_place(
    reference: str, *, by: Person, choice: int | None = None, unknown: bool = False, **point: Any
) -> Report:
    """A person says which candidate is the place (``choice``), gives ``lat`` and ``lon`` (the areas follow), or
    that nothing but the area is known; or none of it: that what the register holds is right.

    A point given for a name that no gazetteer knew is remembered for the area that was named.
    """
    with transaction.atomic():
        report = journal.lock(reference)
        require(by, Verb.LOCATE, report)
        fields: dict[str, Any] = {}
        area = area_of(report)
        if choice is not None:
            if not 0 <= choice < len(report.geocode_candidates):
                raise Refused(_("There is no such candidate."), code="choice", field="choice")
            fields = from_candidate(report.geocode_candidates[choice])
        elif point:
            fields = pinned(area, **point)
        elif unknown:
            fields = only_area(area)
        fields |= {
            "geocode_state": GeocodeState.CONFIRMED,
            "place_confirmed_by_id": by.pk,
            "geocode_after": None,
        }
        unheard = report.geocode_state == GeocodeState.NOT_FOUND
        write_change(report, fields, by=by, kind=EntryKind.LOCATED)
        if point and unheard and area:
            known.remember(report.place_typed, area, by=by, **point)
    return report


def arrange(reference: str, *, by: Person, **fields: Any) -> Report:
    """Set the office's own arrangements: assignee_id, due_on, priority, crew, made_safe_on, in_use, danger.
    None of them moves the report or conflicts with anything."""
    unknown = fields.keys() - {
        "assignee_id", "due_on", "priority", "crew", "made_safe_on", "in_use", "danger",
    }  # fmt: skip
    if unknown:
        raise ValueError(f"not an arrangement: {', '.join(sorted(unknown))}")
    with transaction.atomic():
        report = journal.lock(reference)
        require(by, Verb.EDIT, report)
        if any(getattr(report, name) != value for name, value in fields.items()):
            journal.record(Line(report, EntryKind.EDITED, by=by, fields=fields))
    return report


def draft_plan(
    reference: str, *, by: Person, scope: str, cost: Any, currency: str, funder: str, since: int | None = None
) -> Report:
    """Draft a repair plan for a verified report; a supervisor who neither drafted nor graded approves it."""
    with transaction.atomic():
        report = journal.lock(reference)
        require(by, Verb.DRAFT_PLAN, report)
        if report.status != Status.VERIFIED:
            raise Refused(_("A repair is planned once the damage is verified."), code="status")
        fields = {
            "plan_scope": scope, "plan_cost": cost, "plan_currency": currency, "plan_funder": funder,
        }  # fmt: skip
        journal.refuse_stale(report, fields, since=since)
        hands = {**report.hands, "drafted": [by.pk]}
        journal.record(Line(report, EntryKind.PLANNED, by=by, fields={**fields, "hands": hands}))
    return report


def note(reference: str, text: str, *, by: Person) -> Entry:
    """Add a note to the timeline; it conflicts with nothing."""
    with transaction.atomic():
        report = journal.lock(reference)
        require(by, Verb.NOTE, report)
        return journal.record(Line(report, EntryKind.NOTED, by=by, texts={"note": text}))


def add_source(reference: str, source: Source, *, by: Person) -> Report:
    """A second source joins a report as a source, never as a second report."""
    with transaction.atomic():
        report = journal.lock(reference)
        require(by, Verb.SOURCE, report)
        columns = inspections.source_columns([*report.source_lines.all(), source])
        journal.record(Line(report, EntryKind.SOURCED, by=by, fields=columns, rows=[source]))
    return report


def link(reference: str, other: str, link_type: str, *, by: Person | None) -> None:
    """Link two reports, both ways; both are locked in the order of their references."""
    with transaction.atomic():
        if reference == other:
            raise Refused(_("A report cannot be linked to itself."), code="link", field="other")
        first, second = (journal.lock(name) for name in sorted((reference, other)))
        for here, there in ((first, second), (second, first)):
            if by is not None:
                require(by, Verb.LINK if by.role != Role.RESIDENT else Verb.LOG, here)
            references = sorted({*here.related.split(), there.reference})
            journal.record(
                Line(
                    here,
                    EntryKind.LINKED,
                    by=by,
                    fields={"related": " ".join(references)},
                    rows=[Link(other=there, type=link_type)],
                )
            )


def set_incident(reference: str, incident: Incident | None, *, by: Person) -> Report:
    """Say which incident caused a report."""
    with transaction.atomic():
        report = journal.lock(reference)
        require(by, Verb.EDIT, report)
        fields = {"of_incident_id": incident.pk if incident else None}
        journal.record(Line(report, EntryKind.EDITED, by=by, fields=fields))
    return report


def set_asset(reference: str, asset: Asset | None, *, by: Person) -> Report:
    """Say on which asset a report's damage is; a later strike is a second report on the same asset."""
    with transaction.atomic():
        report = journal.lock(reference)
        require(by, Verb.EDIT, report)
        columns: dict[str, Any] = {
            "site": "",
            "strike_no": None,
            "kind": report.kind,
            "sector": report.sector,
        }
        put_on(copy.copy(report), columns, asset=asset)
        fields = {**columns, "of_asset_id": asset.pk if asset else None}
        journal.record(Line(report, EntryKind.EDITED, by=by, fields=fields))
    return report


def asset_of(reference: str, *, by: Person) -> Asset:
    """The asset that a report's damage is on; one is made of the report if nobody has named any."""
    with transaction.atomic():
        report = journal.lock(reference)
        if report.of_asset is not None:
            return report.of_asset
        require(by, Verb.EDIT, report)
        if report.kind == Kind.OUTAGE:
            raise Refused(_("A loss of supply is on no asset."), code="kind")
        asset = Asset.objects.create(
            kind=report.kind,
            sector=report.sector,
            object_type=report.object_type,
            name=report.object_name or report.address,
        )
        set_asset(reference, asset, by=by)
    return asset


def struck_again(reference: str, other: str, *, by: Person) -> Asset:
    """Say that two reports are two strikes on one thing: both are on its asset, the earlier one first."""
    with transaction.atomic():
        both = [journal.lock(name) for name in sorted((reference, other))]
        earlier, later = sorted(both, key=lambda report: (report.occurred_to, report.pk))
        if earlier.pk == later.pk or earlier.kind != later.kind:
            raise Refused(_("These are not two reports of one kind."), code="kind")
        if earlier.of_asset and later.of_asset and earlier.of_asset != later.of_asset:
            raise Refused(_("They are on two assets already."), code="asset")
        for report in both:
            require(by, Verb.EDIT, report)
        known = later.of_asset
        asset = known or asset_of(earlier.reference, by=by)
        if known is None:
            set_asset(later.reference, asset, by=by)
        elif earlier.of_asset is None:
            set_asset(earlier.reference, asset, by=by)
    return asset


# -- withdrawing, asking, erasing ------------------------------------------------------------------------


def withdraw(reference: str, *, by: Person, because: str, note: str) -> Report:
    """Take a report out of every audience's sight at once (safety, privacy, error); its past goes too."""
    with transaction.atomic():
        report = journal.lock(reference)
        withdraw_all([report], by=by, because=because, note=note)
    return report


def withdraw_all(locked: Sequence[Report], *, by: Person, because: str, note: str) -> None:
    """``withdraw`` reports that are locked, by few statements where no audience has seen them."""
    for report in locked:
        require(by, Verb.WITHDRAW, report)
        if report.withdrawn:
            raise Refused(_("This report is already withdrawn."), code="withdrawn")
    fields, texts = {"withdrawn": WithdrawalReason(because)}, {"reason": note}
    journal.record_many(
        [Line(report, EntryKind.WITHDRAWN, by=by, fields=fields, texts=texts) for report in locked]
    )
    editions.retract_all(locked)
    releases.retract_holding(locked)


def reinstate(reference: str, *, by: Person, note: str) -> Report:
    """Reverse a withdrawal; audiences see the report again with the next edition."""
    with transaction.atomic():
        report = journal.lock(reference)
        require(by, Verb.WITHDRAW, report)
        if not report.withdrawn:
            raise Refused(_("This report is not withdrawn."), code="withdrawn")
        fields = {"withdrawn": ""}
        journal.record(Line(report, EntryKind.REINSTATED, by=by, fields=fields, texts={"reason": note}))
    return report


def request(reference: str, move: str, *, by: Person, reason: str) -> Request:
    """Ask for a move one may not make oneself: a row of the supervisor's queue and an entry."""
    with transaction.atomic():
        report = journal.lock(reference)
        workflow.move_named(move, report.kind)
        journal.record(Line(report, EntryKind.REQUESTED, by=by, move=move, texts={"reason": reason}))
        return Request.objects.create(report=report, move=move, reason=reason, by=by, at=journal.now())


def erase(reference: str, field: str, *, by: Person, reason: str) -> Report:
    """Erase a free text for good: its words and salts go everywhere, the digests in the entries stay."""
    with transaction.atomic():
        report = journal.lock(reference)
        require(by, Verb.ERASE, report)
        if field not in journal.TEXT_FIELDS:
            raise Refused(_("This is no free text."), code="field", field="field")
        journal.record(
            Line(
                report,
                EntryKind.ERASED,
                by=by,
                fields={field: ""},
                texts={"reason": reason},
                move=f"erase:{field}"[:24],
            )
        )
        for wording in Wording.objects.filter(entry__report=report, texts__has_key=field):
            del wording.texts[field]
            if wording.texts:
                wording.save()
            else:
                wording.delete()
        if field in journal.ROW_FIELDS:
            report.past.update(**{field: ""})
            releases.retract_holding([report])
    return report


# -- geocoding by the worker ------------------------------------------------------------------------------

#: From the most precise word to the least.
_PRECISIONS = tuple(GeoPrecision.values)


def due_places(limit: int) -> list[Report]:
    """The reports whose place waits for the online geocoder, those that waited longest first."""
    due = Report.objects.filter(geocode_after__lte=journal.now()).order_by("geocode_after")
    return list(due[:limit])


def place_answered(reference: str, query: int, columns: dict[str, Any]) -> bool:
    """Write a geocoder's answer (columns as ``from_answer`` gives them) and whether it was written.

    An answer to an older query, or to a place that somebody has confirmed since, is dropped; one that says
    less than what the register already holds changes nothing.
    """
    with transaction.atomic():
        report = journal.lock(reference)
        if report.geocode_query != query or report.geocode_after is None:
            return False
        if not _says_more(report, columns):
            Report.objects.filter(pk=report.pk).update(geocode_after=None)
            return False
        journal.record(Line(report, EntryKind.LOCATED, fields={"geocode_after": None, **columns}))
    return True


def _says_more(report: Report, columns: dict[str, Any]) -> bool:
    if report.geocode_state != GeocodeState.FOUND:
        return True
    found = columns["geocode_state"] == GeocodeState.FOUND
    return found and _PRECISIONS.index(columns["geo_precision"]) < _PRECISIONS.index(report.geo_precision)


def place_unanswered(reference: str, query: int, *, wait: timedelta) -> None:
    """The geocoder is away: ask again after ``wait``. No entry, since nothing was learned."""
    Report.objects.filter(reference=reference, geocode_query=query).update(
        geocode_after=journal.now() + wait, geocode_tries=F("geocode_tries") + 1
    )
