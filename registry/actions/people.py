"""Who may enter, as what and where: invitations, roles and areas, disabling; each change is written down.

Nobody changes their own role or areas or disables themselves, so an administrator always stays.
"""

import hashlib
import secrets
from collections.abc import Collection
from datetime import timedelta
from typing import Any

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.db import transaction
from django.utils.crypto import get_random_string
from django.utils.translation import gettext_lazy as _

from registry.models import Area, Invitation, Person, PersonChange
from registry.rules import access
from registry.rules.vocabularies import Role

from .journal import Refused, now

INVITATION_SERVES = timedelta(hours=72)


def appoint(*, email: str, name: str, role: str, areas: Collection[Area], password: str) -> Person:
    """The first administrator, who invites all others; refused where there is one."""
    with transaction.atomic():
        if Person.objects.filter(is_administrator=True, is_active=True, is_sample=False).exists():
            raise Refused(_("There is an administrator already, who can invite others."), code="taken")
        person = Person.objects.create_user(email, password, name=name, role=role, is_administrator=True)
        person.areas.set(areas)
        write_down(person, {field: [None, value] for field, value in _rights(person).items()}, by=None)
    return person


def invite(
    *,
    email: str,
    name: str,
    role: str,
    areas: Collection[Area] = (),
    sectors: Collection[str] = (),
    is_administrator: bool = False,
    by: Person,
) -> tuple[Invitation, str]:
    """An invitation and its token, which is told here once: the register keeps a digest alone.

    An earlier invitation to the same address no longer serves.
    """
    _require_administrator(by)
    email = email.lower()
    with transaction.atomic():
        if Person.objects.filter(email=email).exists():
            raise Refused(_("There is an account for this address already."), code="taken", field="email")
        open_invitations(at=now()).filter(email=email).update(expires_at=now())
        token = secrets.token_urlsafe(32)
        invitation = Invitation.objects.create(
            email=email,
            name=name,
            role=role,
            is_administrator=is_administrator,
            sectors=_sectors(role, sectors),
            token_digest=_digest(token),
            invited_by=by,
            invited_at=now(),
            expires_at=now() + INVITATION_SERVES,
        )
        invitation.areas.set(areas)
    return invitation, token


def open_invitations(*, at: Any) -> Any:
    """The invitations that still serve."""
    return Invitation.objects.filter(
        used_at=None, expires_at__gt=at, invited_by__is_active=True, invited_by__is_administrator=True
    )


def invitation_for(token: str) -> Invitation | None:
    """The invitation this token opens; None if it was used, is too old, or never was."""
    return open_invitations(at=now()).filter(token_digest=_digest(token)).first()


def withdraw_invitation(invitation: Invitation, *, by: Person) -> None:
    """The invitation no longer serves."""
    _require_administrator(by)
    Invitation.objects.filter(pk=invitation.pk, used_at=None).update(expires_at=now())


def accept(token: str, *, name: str, password: str) -> Person:
    """The invited person's account. An invitation serves once."""
    with transaction.atomic():
        invitation = invitation_for(token)
        # The update is what takes it: of two at once, one finds nothing left to take.
        if not invitation or not Invitation.objects.filter(pk=invitation.pk, used_at=None).update(
            used_at=now()
        ):
            raise Refused(_("This invitation no longer serves."), code="invitation")
        if Person.objects.filter(email=invitation.email).exists():
            raise Refused(_("There is an account for this address already."), code="taken")
        person = Person.objects.create_user(
            invitation.email,
            password,
            name=name,
            role=invitation.role,
            is_administrator=invitation.is_administrator,
            sectors=invitation.sectors,
        )
        person.areas.set(invitation.areas.all())
        given = {field: [None, value] for field, value in _rights(person).items()}
        write_down(person, given, by=invitation.invited_by)
    return person


def change_rights(
    person: Person,
    *,
    role: str,
    areas: Collection[Area],
    sectors: Collection[str] = (),
    is_administrator: bool,
    by: Person,
) -> Person:
    """Give the person this role, these areas and sectors, and the permission to administer or not."""
    with transaction.atomic():
        person = _other(person, by=by)
        before = _rights(person)
        person.role, person.is_administrator = role, is_administrator
        person.sectors = _sectors(role, sectors)
        person.save(update_fields=["role", "is_administrator", "sectors"])
        person.areas.set(areas)
        after = _rights(person)
        changes = {name: [before[name], value] for name, value in after.items() if value != before[name]}
        write_down(person, changes, by=by)
    return person


def disable(person: Person, *, by: Person) -> Person:
    """The person can no longer sign in; open sessions and tokens end."""
    with transaction.atomic():
        person = _other(person, by=by)
        _set_active(person, False, by=by)
    return person


def enable(person: Person, *, by: Person) -> Person:
    """The person can sign in again, and must do so anew."""
    with transaction.atomic():
        person = _other(person, by=by)
        _set_active(person, True, by=by)
    return person


def reset_second_factor(person: Person, *, by: Person) -> Person:
    """The person sets up a second factor anew at the next sign-in; open sessions end."""
    with transaction.atomic():
        person = _other(person, by=by)
        Authenticator.objects.filter(user=person).delete()
        _end_sessions(person)
        write_down(person, {"second_factor": ["set up", "reset"]}, by=by)
    return person


def send_password_link(person: Person, *, by: Person) -> Person:
    """Write down that ``by`` had a link sent with which the person chooses a new password."""
    with transaction.atomic():
        person = _other(person, by=by)
        if not person.is_active:
            raise Refused(_("This account is disabled."), code="disabled")
        write_down(person, {"password": [None, "link sent"]}, by=by)
    return person


def set_own(person: Person, *, name: str, language: str) -> Person:
    """What people change about themselves."""
    with transaction.atomic():
        person = Person.objects.select_for_update().get(pk=person.pk)
        wanted = {"name": name, "language": language}
        changes = {
            field: [getattr(person, field), to]
            for field, to in wanted.items()
            if getattr(person, field) != to
        }
        person.name, person.language = name, language
        person.save(update_fields=["name", "language"])
        write_down(person, changes, by=person)
    return person


def may_enter(person: Person) -> bool:
    """Disabled people stay out, and so do the sample's accounts where strangers reach the register."""
    return person.is_active and not (settings.PRODUCTION and person.is_sample)


def has_second_factor(person: Person) -> bool:
    return Authenticator.objects.filter(user=person, type=Authenticator.Type.TOTP).exists()


def lacks_second_factor(person: Person) -> bool:
    """Whether nothing is open to this person before they set one up."""
    needs = settings.SECOND_FACTOR_REQUIRED and access.needs_second_factor(person)
    return needs and not has_second_factor(person)


def _require_administrator(by: Person) -> None:
    if not (by.is_active and by.is_administrator):
        raise Refused(_("This is for administrators of this register."), code="role")


def _other(person: Person, *, by: Person) -> Person:
    """The person, locked, with the right of ``by`` judged on rows that nobody changes meanwhile.

    In the order of their keys: two administrators who would disable each other wait, and one stays.
    """
    locked = Person.objects.select_for_update().filter(pk__in=[person.pk, by.pk]).order_by("pk")
    rows = {row.pk: row for row in locked}
    _require_administrator(rows[by.pk])
    if person.pk == by.pk:
        raise Refused(
            _("Nobody changes their own role, areas or access: ask another administrator."), code="self"
        )
    return rows[person.pk]


def _set_active(person: Person, active: bool, *, by: Person) -> None:
    if person.is_active != active:
        person.is_active = active
        person.save(update_fields=["is_active"])
        _end_sessions(person)
        write_down(person, {"is_active": [not active, active]}, by=by)


def _end_sessions(person: Person) -> None:
    person.session_key_salt = get_random_string(32)
    person.save(update_fields=["session_key_salt"])


def _rights(person: Person) -> dict[str, Any]:
    return {
        "role": person.role,
        "is_administrator": person.is_administrator,
        "areas": sorted(person.areas.values_list("code", flat=True)),
        "sectors": person.sectors,
    }


def _sectors(role: str, sectors: Collection[str]) -> list[str]:
    """Sectors narrow what operators see; nobody else has them."""
    return sorted(sectors) if role == Role.OPERATOR else []


def write_down(person: Person, changes: dict[str, Any], *, by: Person | None) -> None:
    """What changed about somebody: field → [before, after]."""
    if changes:
        PersonChange.objects.create(person=person, by=by, at=now(), changes=changes)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
