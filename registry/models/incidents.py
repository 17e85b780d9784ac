"""What caused reports, and what was claimed about it by whom."""

from datetime import datetime

from django.db import models
from django.utils.translation import gettext_lazy as _

from registry.rules import vocabularies as v

from .identity import new_reference
from .rows import code_field, text_field


def _published_at() -> models.DateTimeField:
    return models.DateTimeField(
        null=True, blank=True, help_text="Since when; missing for ever since it stands."
    )


def published(at: datetime | None, path: str = "") -> models.Q:
    """What outsiders see of incidents or statements, to which ``path`` leads; as of a moment, what they saw then of
    what they see still."""
    prefix = f"{path}__" if path else ""
    seen = models.Q(**{f"{prefix}published": True})
    if at is not None:
        ever = models.Q(**{f"{prefix}published_at": None})
        seen &= ever | models.Q(**{f"{prefix}published_at__lte": at})
    return seen


class Incident(models.Model):
    """What caused reports: a night of falling debris, a storm. Outsiders see it once it is published."""

    reference = models.CharField(_("reference"), max_length=9, unique=True, default=new_reference)
    title = models.CharField(_("title"), max_length=200, help_text=_("One line, written for publication."))
    cause_group = code_field(_("cause group"), v.CauseGroup.choices)
    began_at = models.DateTimeField(_("began"))
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)
    areas = models.ManyToManyField("registry.Area", verbose_name=_("areas"), related_name="incidents")
    linked = models.ManyToManyField("self", verbose_name=_("linked incidents"), blank=True)
    published = models.BooleanField(_("published"), default=False)
    published_at = _published_at()
    changes = models.JSONField(default=list, help_text="Who changed what, when; the newest last.")
    created_by = models.ForeignKey("registry.Person", models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["-began_at", "-reference"]
        indexes = [models.Index(fields=["-began_at", "-reference"])]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(ended_at=None) | models.Q(ended_at__gte=models.F("began_at")),
                name="incident_in_order",
            )
        ]

    def __str__(self) -> str:
        return self.title


class Statement(models.Model):
    """One claim somebody made about an incident. Never changed; a wrong one is voided by a later line.

    A count without addresses ("40 houses") is the ``figure`` of a statement, never a report.
    """

    incident = models.ForeignKey(Incident, models.PROTECT, related_name="statements")
    type = code_field(_("type"), v.StatementType.choices, length=12)
    area = models.ForeignKey(
        "registry.Area", models.PROTECT, related_name="+", verbose_name=_("area"), null=True, blank=True
    )
    text = models.TextField(_("what was said"), max_length=2000)
    said_by = models.CharField(
        _("said by"), max_length=200, help_text=_("Office or organisation; a person only by office.")
    )
    said_at = models.DateTimeField(_("said"))
    certainty = code_field(_("certainty"), v.Certainty.choices, length=11)
    figure = models.PositiveIntegerField(_("figure"), null=True, blank=True)
    figure_unit = text_field(_("what the figure counts"), 60)
    url = models.URLField(_("reference"), max_length=500, blank=True)
    published = models.BooleanField(_("published"), default=False)
    published_at = _published_at()
    recorded_at = models.DateTimeField()
    recorded_by = models.ForeignKey("registry.Person", models.PROTECT, null=True, related_name="+")
    voided_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["said_at", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(figure=None) | ~models.Q(figure_unit=""), name="statement_figure_has_unit"
            )
        ]
