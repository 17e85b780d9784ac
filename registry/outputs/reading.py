"""What somebody may read of one report, an incident or an asset: the pages and the API ask here."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from registry import filters
from registry.columns import ASSESSMENTS
from registry.models import (
    CURRENT,
    Assessment,
    Asset,
    Incident,
    OutageStep,
    PastReport,
    Person,
    Report,
    ReportRow,
)
from registry.models.identity import read_reference
from registry.models.incidents import published
from registry.rules import access, supply
from registry.rules.vocabularies import Holder, Kind, Role, Sector

from .children import Children, standing

#: An asset has not been struck more often than this many reports say.
_MOST_STRIKES = 200


def find(person: Any, reference: str) -> tuple[str, Any]:
    """Whose row of this report the person sees, and the row; (holder, None) if none."""
    if isinstance(person, Person) and access.is_staff(person):
        row = Report.objects.filter(reference=reference).first()
        if row is not None and person.scope.contains(row):
            return Holder.OFFICE, row
    holder = filters.holder_for(person, "published" if access.is_staff(person) else "")
    return holder, CURRENT[holder].objects.filter(reference=reference).first()


def then(person: Any, reference: str, as_of: str) -> tuple[filters.Selection, ReportRow] | None:
    """The row of a report as it stood at a moment, and the selection it is of; None if the person was shown
    none then."""
    known = Report.objects.filter(reference=reference).values_list("pk", flat=True).first()
    for selection in _views(person, {"as_of": as_of, "set_aside": "1"}):
        for rows in selection.tables:
            key = "pk" if rows.model is Report else "report"
            for row in filters.tried(rows).filter(**{key: known})[:1] if known else ():
                return selection, row
    return None


def _views(person: Any, asked: dict[str, str]) -> Iterator[filters.Selection]:
    """What a person is given of this: outside their own areas staff read what is published, where their moment
    is an edition's."""
    yield filters.select(person, asked)
    if access.is_staff(person):
        try:
            yield filters.select(person, asked | {"view": "published"})
        except filters.BadFilter as refused:
            if refused.param != "as_of":
                raise


@dataclass(frozen=True)
class Versions:
    """The versions of a report that a holder had: since when each held, and until when (None: still), oldest
    first."""

    report: int
    holder: str
    spans: list[tuple[datetime, datetime | None]]

    def row(self, since: datetime, until: datetime | None) -> Any:
        """The row of one of them."""
        if until is None:
            return CURRENT[self.holder]._default_manager.get(pk=self.report)
        past = PastReport.objects.filter(report=self.report, holder=self.holder)
        return past.get(valid_from=since, valid_to=until)


def versions(person: Any, reference: str) -> Versions | None:
    """Every version of a report that this person may see: the office's within their areas, else what an
    audience was shown from edition to edition; None if there is none."""
    holder, row = find(person, reference)
    known = Report.objects.filter(reference=reference).values_list("pk", flat=True).first()
    past = PastReport.objects.filter(report=known, holder=holder).order_by("valid_from")
    spans: list[tuple[datetime, datetime | None]] = list(past.values_list("valid_from", "valid_to"))
    if row is not None:
        spans.append((row.valid_from, None))
    return Versions(known, holder, spans) if known and spans else None


def office_report(person: Person, reference: str) -> Report | None:
    """The office's report if this person reads it as staff, or sent it; else None, there or not."""
    report = Report.objects.filter(reference=reference).first()
    if report is not None:
        own = person.role == Role.RESIDENT and report.logged_by_id == person.pk
        if own or (access.is_staff(person) and person.scope.contains(report)):
            return report
    return None


def is_quiet(own: Report) -> bool:
    """Whether the resident who sent a report is told only that it was received: of networks and electricity."""
    return own.kind == Kind.NETWORK or own.sector == Sector.ELECTRICITY


def released_steps(row: ReportRow, holder: str, as_of: datetime | None = None) -> list[OutageStep] | None:
    """The steps of an outage that a holder sees, now or as of a moment, as the files have them; None where
    there are none."""
    children = Children(OutageStep, holder, as_of, using="default")
    rows = type(row)._default_manager.filter(pk=row.pk)
    seen = children.of(rows).values(f"{children.path(rows)}__pk")
    return list(OutageStep.objects.filter(pk__in=seen).order_by("at", "pk")) or None


def released_assessments(row: ReportRow, holder: str, as_of: datetime | None = None) -> list[dict[str, Any]]:
    """The outgoing columns of each grade that an audience sees of a report, as of its edition or an earlier one, in
    the order of their recording."""
    rows: Any = type(row)._default_manager.filter(pk=row.pk)
    children = Children(Assessment, holder, as_of, using="default")
    lines = children.of(rows).order_by(f"{children.path(rows)}__pk")
    names = [column.field.name for column in ASSESSMENTS]
    return [
        dict(zip(names, line, strict=True)) for line in lines.values_list(*children.values(ASSESSMENTS, rows))
    ]


def stairs(steps: list[OutageStep]) -> list[tuple[Any, int | None]]:
    """From when on how many were out, after each step; nothing where a restriction was stepped."""
    if any(step.restriction for step in steps):
        return []
    return [(point.at, point.out) for point in supply.stairs(steps)]


# -- incidents and assets --------------------------------------------------------------------------------


def incidents(person: Any, *, as_of: datetime | None = None) -> Any:
    """The incidents a person sees, newest first, as of a moment those recorded by then: staff all, outsiders the
    published ones."""
    everything = Incident.objects.all() if as_of is None else Incident.objects.filter(created_at__lte=as_of)
    return everything if access.is_staff(person) else everything.filter(published(as_of))


def incidents_after(person: Any, name: str, reference: str, *, as_of: datetime | None = None) -> Any:
    """The incidents that are older than one; BadFilter for the parameter ``name`` if it is none of theirs."""
    seen = incidents(person, as_of=as_of)
    last = seen.filter(reference=read_reference(reference) or "").first()
    if last is None:
        raise filters.BadFilter(name, _("This is no page of the list."))
    rows = seen.filter(began_at__lte=last.began_at)
    return rows.exclude(began_at=last.began_at, reference__gte=last.reference)


def statements(incident: Incident, person: Any, *, as_of: datetime | None = None) -> Any:
    """What was said about an incident, as of a moment what was recorded by then: staff see all of it, outsiders what
    is published and stands."""
    found = incident.statements.select_related("area", "recorded_by")
    if access.is_staff(person):
        return found if as_of is None else found.filter(recorded_at__lte=as_of)
    return found.filter(standing(as_of), published(as_of))


def asset(
    person: Any, reference: str, *, as_of: str = ""
) -> tuple[Asset, filters.Selection, list[ReportRow]] | None:
    """An asset, the selection of its strikes that the person sees, and their rows; None if they see none."""
    canonical = read_reference(reference) or ""
    thing = Asset.objects.filter(reference=canonical).select_related("part_of").first()
    for selection in _views(person, {"asset": canonical, "as_of": as_of}):
        rows = selection.page(size=_MOST_STRIKES).rows if thing else []
        if thing and rows:
            return thing, selection, rows
    return None
