"""People, their invitations, and what was changed about them by whom."""

from __future__ import annotations

from functools import cached_property

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _

from registry.rules import access
from registry.rules.vocabularies import Role, Sector, TokenScope

from .places import Area


class PersonManager(BaseUserManager["Person"]):
    def create_user(self, email: str, password: str | None = None, **fields) -> Person:
        """A person with a hashed password (unusable without one); the address is lower-cased."""
        person = self.model(email=self.normalize_email(email).lower(), **fields)
        person.set_password(password)
        person.save(using=self._db)
        return person

    def get_by_natural_key(self, username: str | None) -> Person:
        return self.get(email__iexact=username)


class Person(AbstractBaseUser):
    """Somebody who signs in: one role, areas (and below) and, for operators, sectors."""

    email = models.EmailField(_("email address"), unique=True)
    name = models.CharField(_("name"), max_length=150)
    role = models.CharField(_("role"), max_length=12, choices=Role.choices)
    is_administrator = models.BooleanField(
        _("administrator"), default=False, help_text=_("May invite people and give roles and areas.")
    )
    is_active = models.BooleanField(_("active"), default=True)
    is_sample = models.BooleanField(default=False, editable=False)
    areas = models.ManyToManyField("registry.Area", verbose_name=_("areas"), blank=True)
    sectors = models.JSONField(_("sectors"), default=list, blank=True)
    language = models.CharField(_("language"), max_length=10, blank=True)
    joined_at = models.DateTimeField(auto_now_add=True)
    last_seen_at = models.DateTimeField(null=True, blank=True)
    session_key_salt = models.CharField(max_length=32, blank=True, editable=False)

    objects = PersonManager()
    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS = ["name", "role"]

    class Meta:
        ordering = ["name", "pk"]
        constraints = [
            models.CheckConstraint(condition=models.Q(role__in=Role.values), name="person_role_known"),
        ]

    def __str__(self) -> str:
        return self.name or self.email

    @cached_property
    def areas_held(self) -> list[Area]:
        """Their areas, by name, with what it takes to name them."""
        return list(self.areas.only(*Area.NAMED))

    @cached_property
    def scope(self) -> access.Scope:
        """Where this person reads and writes the office's rows."""
        sectors = self.sectors if self.role == Role.OPERATOR else None
        return access.Scope.of(((area.level, area.code) for area in self.areas_held), sectors)

    @property
    def sector_labels(self) -> list[str]:
        return [str(Sector(code).label) for code in self.sectors]

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        """Sessions end when the password or ``session_key_salt`` changes: disabling changes the salt."""
        return salted_hmac(
            "registry.Person.session",
            self.password + self.session_key_salt,
            secret=secret,
            algorithm="sha256",
        ).hexdigest()


class Invitation(models.Model):
    """An invitation: serves once, for 72 hours. Only a digest of its token is kept."""

    email = models.EmailField(_("email address"))
    name = models.CharField(_("name"), max_length=150)
    role = models.CharField(_("role"), max_length=12, choices=Role.choices)
    is_administrator = models.BooleanField(_("administrator"), default=False)
    areas = models.ManyToManyField("registry.Area", verbose_name=_("areas"), blank=True)
    sectors = models.JSONField(_("sectors"), default=list, blank=True)
    token_digest = models.CharField(max_length=64, unique=True)
    invited_by = models.ForeignKey(Person, models.PROTECT, related_name="+")
    invited_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-invited_at"]


class Token(models.Model):
    """What a program shows in place of a person. Only a digest is kept.

    ``bound_to``: the person's session hash when it was made; with it, tokens end when sessions do.
    """

    person = models.ForeignKey(Person, models.PROTECT, related_name="tokens")
    name = models.CharField(_("name"), max_length=100)
    scope = models.CharField(_("scope"), max_length=4, choices=TokenScope.choices)
    digest = models.CharField(max_length=64, unique=True)
    bound_to = models.CharField(max_length=64)
    made_at = models.DateTimeField()
    expires_at = models.DateTimeField(_("expires"))
    last_used_at = models.DateTimeField(_("last used"), null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-made_at", "-pk"]


class PersonChange(models.Model):
    """One change of a person's account: what, from what to what, by whom."""

    person = models.ForeignKey(Person, models.PROTECT, related_name="changes")
    by = models.ForeignKey(Person, models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField()
    changes = models.JSONField()

    class Meta:
        ordering = ["-at", "-pk"]
