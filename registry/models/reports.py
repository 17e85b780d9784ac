"""The four tables of reports: the office's, the public's, the researchers', and rows no longer current."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from registry.rules import vocabularies as v

from .identity import new_reference
from .rows import (
    AHEAD,
    OF_THEN,
    UNKNOWN,
    ReportRow,
    code_field,
    day,
    degrees,
    list_indexes,
    moment,
    row_constraints,
    text_field,
)


def no_hands() -> dict:
    return {}


#: The office's lists leave out what is withdrawn and set aside, and what lies outside somebody's areas.
_ALWAYS_ASKED = ("status", "withdrawn", "country")


class Report(ReportRow):
    """One thing found damaged or out of service, as the office sees it now; only the journal writes it.

    ``hands`` keeps who did what, for separation by person: ``logged`` (ids: who logged it or a report
    merged into it), ``shaped`` (place, kind, date → id of who last set it), ``graded``, ``ran`` and
    ``drafted`` (ids).
    """

    reference = models.CharField(_("reference"), max_length=9, unique=True, default=new_reference)
    version = models.PositiveIntegerField(default=0, editable=False)

    # what never leaves the office
    description = models.TextField(_("description"), blank=True)
    contact = models.CharField(_("contact on site"), max_length=300, blank=True)
    danger = text_field(_("danger now"), 100, _("Codes separated by spaces, sorted."))
    priority = code_field(_("priority"), v.Priority.choices, length=8)
    assignee = models.ForeignKey(
        "registry.Person",
        models.PROTECT,
        null=True,
        blank=True,
        db_index=False,
        related_name="assigned",
        verbose_name=_("assigned to"),
    )
    due_on = day(_("due"))
    crew = code_field(_("crew"), v.Crew.choices, length=10)
    contractor = text_field(_("contractor"), 200)
    plan_scope = models.TextField(_("scope of the repair"), blank=True)
    plan_cost = models.DecimalField(_("planned cost"), max_digits=16, decimal_places=2, null=True, blank=True)
    plan_currency = text_field(_("currency"), 3)
    plan_funder = text_field(_("funder"), 200)
    started_urgently = models.BooleanField(default=False)
    status_before_merge = code_field(_("status before the merge"), v.Status.choices)
    merged_into = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="merged", verbose_name=_("merged into")
    )
    withdrawn = code_field(_("withdrawn because of"), v.WithdrawalReason.choices, length=8)
    customers_served = models.PositiveIntegerField(_("customers served"), null=True, blank=True)

    # where it was said to be, and what a geocoder made of it
    place_typed = text_field(_("place as typed"), 300)
    geocode_state = code_field(_("state of the place"), v.GeocodeState.choices, length=10)
    geocode_backend = text_field(_("geocoder"), 40)
    geocode_matched = text_field(_("what matched"), 300)
    geocode_candidates = models.JSONField(default=list, blank=True)
    place_confirmed_by = models.ForeignKey(
        "registry.Person", models.PROTECT, null=True, blank=True, db_index=False, related_name="+"
    )
    geocode_query = models.PositiveIntegerField(
        default=0, editable=False, help_text="Raised with every change of the place asked for."
    )
    geocode_after = moment(_("ask the geocoder after"))
    geocode_tries = models.PositiveSmallIntegerField(default=0, editable=False)

    # who, and by what way
    logged_by = models.ForeignKey(
        "registry.Person", models.PROTECT, null=True, blank=True, db_index=False, related_name="logged"
    )
    from_resident = models.BooleanField(default=False)
    hands = models.JSONField(default=no_hands, blank=True)
    client_id = models.UUIDField(null=True, blank=True, editable=False)
    client_digest = models.CharField(max_length=64, blank=True, editable=False)
    batch = models.ForeignKey(
        "registry.Batch", models.PROTECT, null=True, blank=True, db_index=False, related_name="reports"
    )
    of_asset = models.ForeignKey(
        "registry.Asset", models.PROTECT, null=True, blank=True, related_name="reports"
    )
    of_incident = models.ForeignKey(
        "registry.Incident", models.PROTECT, null=True, blank=True, related_name="reports"
    )

    # derived by the journal from the columns above, for editions
    counts_from = models.DateTimeField(
        editable=False,
        help_text="The later of logging and the latest moment it can have begun: publishing delays count "
        "from here.",
    )
    lat_1000 = degrees("", "")
    lon_1000 = degrees("", "")
    cell_1000 = models.BigIntegerField(null=True, editable=False)
    lat_10000 = degrees("", "")
    lon_10000 = degrees("", "")
    cell_10000 = models.BigIntegerField(null=True, editable=False)
    lat_100000 = degrees("", "")
    lon_100000 = degrees("", "")
    cell_100000 = models.BigIntegerField(null=True, editable=False)

    class Meta:
        indexes = [
            *list_indexes("report", always=_ALWAYS_ASKED),
            *(
                models.Index(
                    fields=[name, "-sort_key", *_ALWAYS_ASKED],
                    name=f"report_{name}",
                    condition=Q(**{f"{name}__isnull": False}),
                )
                for name in ("assignee", "batch")
            ),
            models.Index(fields=["counts_from"], name="report_counts_from"),
            models.Index(
                fields=["geocode_after"],
                name="report_geocode_after",
                condition=Q(geocode_after__isnull=False),
            ),
            models.Index(fields=["logged_by", "-logged_utc"], name="report_logged_by"),
            models.Index(fields=["due_on"], name="report_due", condition=Q(due_on__isnull=False)),
            models.Index(fields=["-sort_key"], name="report_danger", condition=~Q(danger="")),
            models.Index(fields=["-sort_key"], name="report_withdrawn", condition=~Q(withdrawn="")),
            models.Index(fields=["geocode_state", "-sort_key"], name="report_geocode_state"),
        ]
        constraints = [
            *row_constraints("report"),
            models.UniqueConstraint(
                fields=["logged_by", "client_id"],
                name="report_client_id",
                condition=Q(client_id__isnull=False),
            ),
            models.CheckConstraint(
                condition=Q(merged_into=None) | Q(status=v.Status.DUPLICATE),
                name="report_merged_is_duplicate",
            ),
            models.CheckConstraint(
                condition=Q(plan_cost=None) | ~Q(plan_currency=""), name="report_plan_has_currency"
            ),
        ]

    def get_absolute_url(self) -> str:
        return f"/r/{self.reference}"


class PublicReport(ReportRow):
    """A report as the public sees it now; only ``editions`` writes it."""

    report = models.OneToOneField(Report, models.PROTECT, primary_key=True, related_name="public")

    class Meta:
        indexes = [
            *list_indexes("public"),
            models.Index(fields=["reference"], name="public_reference"),
        ]


class ResearcherReport(ReportRow):
    """A report as researchers see it now; only ``editions`` writes it."""

    report = models.OneToOneField(Report, models.PROTECT, primary_key=True, related_name="researcher")

    class Meta:
        indexes = [
            *list_indexes("researcher"),
            models.Index(fields=["reference"], name="researcher_reference"),
        ]


_STOOD = ("holder", "-sort_key")


class PastReport(ReportRow):
    """A row of any holder that is no longer current: true from ``valid_from`` until ``valid_to``."""

    report = models.ForeignKey(Report, models.PROTECT, related_name="past", db_index=False)
    holder = models.CharField(max_length=10, choices=v.Holder.choices)
    valid_to = models.DateTimeField(
        _("valid to, UTC"),
        help_text=_("When a later version followed, or it left; missing if it still holds."),
    )

    class Meta:
        indexes = [
            models.Index(fields=[*_STOOD, "valid_from", "valid_to"], name="past_order"),
            models.Index(fields=[*_STOOD, "valid_from", "valid_to"], name="past_ahead", condition=AHEAD),
            *(
                models.Index(
                    fields=["holder", name, "-sort_key"], name=f"past_{name}", condition=~Q(**{name: ""})
                )
                for name in ("incident", "asset")
            ),
            models.Index(
                fields=["holder", "verified_on"],
                name="past_verified_on",
                condition=Q(verified_on__isnull=False),
            ),
            models.Index(fields=["holder", "status"], name="past_unknown", condition=UNKNOWN),
            models.Index(
                fields=["holder", "cell", "valid_from", "valid_to", *OF_THEN, "report"], name="past_then"
            ),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(valid_to__gte=models.F("valid_from")), name="past_in_order"),
            models.UniqueConstraint(fields=["report", "holder", "valid_from"], name="past_once"),
        ]


#: The table of current rows of each holder.
CURRENT: dict[str, type[ReportRow]] = {
    v.Holder.OFFICE: Report,
    v.Holder.PUBLIC: PublicReport,
    v.Holder.RESEARCHER: ResearcherReport,
}


def field_of(name: str) -> models.Field:
    """The field of a report with this name: its label, help, type and vocabulary are its own."""
    found = Report._meta.get_field(name)
    assert isinstance(found, models.Field)
    return found


#: The fields that every one of the four tables has, but for what the database makes of them.
ROW_FIELDS: tuple[str, ...] = tuple(field.name for field in ReportRow._meta.fields if not field.generated)
