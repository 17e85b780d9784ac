"""Releases: frozen, numbered bundles of what an audience had with an edition."""

from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from registry.rules import access

from .story import Edition, Seal

#: As long as an index of PostgreSQL can hold.
MOST_QUERY = 2_000


class ReleaseQuerySet(models.QuerySet["Release"]):
    def alike(self, one: "Release") -> "ReleaseQuerySet":
        """Those of the same rows: audience, edition, filter and what they go on from."""
        return self.filter(audience=one.audience, edition=one.edition, query=one.query, since=one.since)


class Release(models.Model):
    """A filter's rows as an audience had them with an edition, in files that are made once and kept.

    ``query``: the filter as a query string in its one order, without ``as_of``. ``since``: it holds only what
    changed after that release. ``made``: what it says of itself (see ``outputs.bundling``); ``checksum``: SHA-256
    of its SHA256SUMS, and so of all of it. A retracted one keeps its number and says why; ``successor`` is the
    same without what had to go.
    """

    class State(models.TextChoices):
        WAITING = "waiting", _("Is being made")
        MADE = "made", _("Made")
        FAILED = "failed", _("Could not be made")
        RETRACTED = "retracted", _("Retracted")

    number = models.PositiveIntegerField(unique=True)
    title = models.CharField(_("title"), max_length=200)
    audience = models.CharField(_("audience"), max_length=10)
    edition = models.ForeignKey(Edition, models.PROTECT, related_name="+")
    query = models.CharField(max_length=MOST_QUERY, blank=True)
    since = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="+")
    by = models.ForeignKey("registry.Person", models.PROTECT, null=True, related_name="+")
    asked_at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    percent = models.PositiveSmallIntegerField(default=0)
    problem = models.TextField(blank=True)
    seal = models.ForeignKey(Seal, models.PROTECT, null=True, related_name="+")
    made = models.JSONField(default=dict)
    checksum = models.CharField(max_length=64, blank=True)
    retracted_at = models.DateTimeField(null=True, blank=True)
    successor = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="+")

    objects = ReleaseQuerySet.as_manager()

    class Meta:
        ordering = ["-number"]
        constraints = [
            models.UniqueConstraint(
                fields=["audience", "edition", "query", *since],
                condition=models.Q(state__in=("waiting", "made")) & models.Q(since__isnull=not since),
                name=name,
            )
            for since, name in (([], "release_once"), (["since"], "release_once_since"))
        ]

    def __str__(self) -> str:
        return f"{self.title} ({self.number})"

    @property
    def is_made(self) -> bool:
        return self.state == self.State.MADE

    @property
    def files(self) -> list[dict[str, Any]]:
        """Name, bytes and SHA-256 of each file, in the order of SHA256SUMS."""
        return self.made.get("files", [])

    def is_open_to(self, person: Any) -> bool:
        """Whether somebody may take its files."""
        return self.is_made and access.reads(person, self.audience)
