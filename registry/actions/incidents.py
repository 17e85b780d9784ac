"""Incidents and what was said about them. Statements are never changed: a wrong one is voided by a later
line; publishing is a supervisor's decision."""

from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from registry.models import Area, Incident, Person, Statement
from registry.rules import access
from registry.rules.access import Verb

from . import editions, journal, releases
from .journal import Refused


def _require(person: Person, verb: Verb) -> None:
    if not access.may(person, verb):
        raise Refused(_("Your role does not do this."), code="role")


def _lock(reference: str) -> Incident:
    return Incident.objects.select_for_update().get(reference=reference)


def create(*, by: Person, areas: list[Area], linked: Sequence[Incident] = (), **fields: Any) -> Incident:
    """A new incident: ``title``, ``cause_group``, ``began_at``, ``ended_at``, its areas and linked ones."""
    _require(by, Verb.STATE)
    with transaction.atomic():
        incident = Incident.objects.create(created_by=by, created_at=journal.now(), **fields)
        incident.areas.set(areas)
        incident.linked.set(linked)
    return incident


def change(
    reference: str, *, by: Person, areas: list[Area], linked: Sequence[Incident] = (), **fields: Any
) -> Incident:
    """Change what an incident says of itself; what was changed stays to be read in ``changes``."""
    _require(by, Verb.STATE)
    with transaction.atomic():
        incident = _lock(reference)
        before = {name: journal.plain(getattr(incident, name)) for name in fields}
        for name, value in fields.items():
            setattr(incident, name, value)
        after = {name: journal.plain(getattr(incident, name)) for name in fields}
        _trace(
            incident,
            by,
            {name: [before[name], after[name]] for name in fields if before[name] != after[name]},
        )
        incident.save()
        incident.areas.set(areas)
        incident.linked.set(linked)
    return incident


def _trace(incident: Incident, by: Person, changes: dict[str, list[Any]]) -> None:
    """Append to the incident's own history who changed what, when."""
    if changes:
        line = {"at": journal.plain(journal.now()), "by": by.pk, "changes": changes}
        incident.changes = [*incident.changes, line]


def publish(reference: str, *, by: Person, published: bool) -> Incident:
    """Show an incident to outsiders, or no longer; reports name it to them from the next edition on."""
    _require(by, Verb.WITHDRAW)
    with transaction.atomic():
        incident = _lock(reference)
        _trace(incident, by, {"published": [incident.published, published]})
        _publish(incident, published)
        incident.save()
        if not published:
            editions.take_back_files()
            releases.retract_quoting()
    return incident


def _publish(shown: Incident | Statement, published: bool) -> None:
    shown.published, shown.published_at = published, journal.now() if published else None


def state(reference: str, statement: Statement, *, by: Person) -> Statement:
    """Record one claim that somebody made about an incident."""
    _require(by, Verb.STATE)
    with transaction.atomic():
        statement.incident = _lock(reference)
        statement.recorded_by, statement.recorded_at = by, journal.now()
        if statement.said_at > statement.recorded_at:
            raise Refused(_("This time lies in the future."), code="future", field="said_at")
        _publish(statement, False)
        statement.save()
    return statement


def void(reference: str, statement_id: int, *, by: Person) -> Statement:
    """Strike out a wrong statement; it stays to be seen by the office."""
    _require(by, Verb.STATE)
    return _mark(reference, statement_id, by, voided_at=journal.now())


def publish_statement(reference: str, statement_id: int, *, by: Person, published: bool) -> Statement:
    """Show a statement to outsiders, or no longer."""
    _require(by, Verb.WITHDRAW)
    with transaction.atomic():
        statement = _mark(reference, statement_id, by, published=published)
        if not published:
            releases.retract_quoting()
    return statement


def _mark(reference: str, statement_id: int, by: Person, **marks: Any) -> Statement:
    with transaction.atomic():
        incident = _lock(reference)
        statement = incident.statements.filter(pk=statement_id, voided_at=None).first()
        if statement is None:
            raise Refused(_("This incident has no such statement."), code="statement", field="statement")
        for name, value in marks.items():
            setattr(statement, name, value)
        if "published" in marks:
            _publish(statement, marks["published"])
        statement.save(update_fields=[*marks, "published_at"])
        if not marks.get("published"):
            editions.take_back_files()
        _trace(incident, by, {f"statement {statement_id}": [None, sorted(marks)]})
        incident.save(update_fields=["changes"])
    return statement
