"""What somebody may read of one report, an incident or an asset: the pages and the API ask here."""

from typing import Any

from django.utils.translation import gettext as _

from registry import filters
from registry.columns import ASSESSMENTS
from registry.models import CURRENT, Assessment, Asset, Incident, OutageStep, Person, Report, ReportRow
from registry.models.identity import read_reference
from registry.rules import access, supply
from registry.rules.vocabularies import Holder, Kind, Role, Sector

from .children import Children

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


def then(person: Any, reference: str, as_of: str) -> tuple[str, ReportRow] | None:
    """The row of a report as it stood at a moment, and whose it is; None if the person was shown none then."""
    for view in ("", "published") if access.is_staff(person) else ("",):
        asked = {"text": reference, "as_of": as_of, "view": view, "set_aside": "1"}
        selection = filters.select(person, asked)
        rows = selection.page(size=1).rows
        if rows and rows[0].reference == reference:
            return selection.holder, rows[0]
    return None


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


def released_steps(row: ReportRow, holder: str) -> list[OutageStep] | None:
    """The steps of an outage that an audience sees, as the files have them; None where there are none."""
    children = Children(OutageStep, holder, using="default")
    rows = CURRENT[holder]._default_manager.filter(pk=row.pk)
    seen = children.of(rows).values(f"{children.path(rows)}__pk")
    return list(OutageStep.objects.filter(pk__in=seen).order_by("at", "pk")) or None


def released_assessments(row: ReportRow, holder: str) -> list[dict[str, Any]]:
    """The outgoing columns of each grade that an audience sees of a report, as of its edition, in the order of their
    recording."""
    rows: Any = CURRENT[holder]._default_manager.filter(pk=row.pk)
    children = Children(Assessment, holder, using="default")
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


def incidents(person: Any) -> Any:
    """The incidents a person sees, newest first: staff all, outsiders the published ones."""
    everything = Incident.objects.all()
    return everything if access.is_staff(person) else everything.filter(published=True)


def incidents_after(person: Any, name: str, reference: str) -> Any:
    """The incidents that are older than one; BadFilter for the parameter ``name`` if it is none of theirs."""
    seen = incidents(person)
    last = seen.filter(reference=read_reference(reference) or "").first()
    if last is None:
        raise filters.BadFilter(name, _("This is no page of the list."))
    rows = seen.filter(began_at__lte=last.began_at)
    return rows.exclude(began_at=last.began_at, reference__gte=last.reference)


def statements(incident: Incident, person: Any) -> Any:
    """What was said about an incident: staff see all of it, outsiders what is published and stands."""
    found = incident.statements.select_related("area", "recorded_by")
    return found if access.is_staff(person) else found.filter(published=True, voided_at=None)


def asset(person: Any, reference: str) -> tuple[Asset, str, list[ReportRow]] | None:
    """An asset, whose rows of its strikes the person sees, and the rows; None if they see none."""
    canonical = read_reference(reference) or ""
    thing = Asset.objects.filter(reference=canonical).select_related("part_of").first()
    # Outside their own areas staff read what is published.
    for view in ("", "published") if access.is_staff(person) else ("",):
        selection = filters.select(person, {"asset": canonical, "view": view})
        rows = selection.page(size=_MOST_STRIKES).rows if thing else []
        if thing and rows:
            return thing, selection.holder, rows
    return None
