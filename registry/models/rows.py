"""The one row shape that the office's, the public's, the researchers' and the past's tables share.

Every outgoing column is a field here, flat; its label, help, type and vocabulary are the field's own and
are read by ``registry.columns``. Text is never NULL (empty is missing); everything else is NULL when missing.
"""

from functools import reduce
from operator import or_
from typing import cast

from django.db import models
from django.db.models import Case, F, Q, Value, When
from django.db.models.expressions import RawSQL
from django.utils.translation import gettext_lazy as _

from registry.rules import access, scales, workflow
from registry.rules import vocabularies as v

from .sql import Ahead, Longer, SortKey


def code_field(label, choices, *, length: int = 20, help_text="") -> models.CharField:
    return models.CharField(label, max_length=length, choices=choices, blank=True, help_text=help_text)


def text_field(label, length: int, help_text="") -> models.CharField:
    return models.CharField(label, max_length=length, blank=True, default="", help_text=help_text)


def degrees(label, help_text="") -> models.DecimalField:
    return models.DecimalField(
        label, max_digits=9, decimal_places=6, null=True, blank=True, help_text=help_text
    )


def day(label, help_text="") -> models.DateField:
    return models.DateField(label, null=True, blank=True, help_text=help_text)


def moment(label, help_text="") -> models.DateTimeField:
    return models.DateTimeField(label, null=True, blank=True, help_text=help_text)


def count(label, help_text="") -> models.PositiveIntegerField:
    return models.PositiveIntegerField(label, null=True, blank=True, help_text=help_text)


class ReportQuerySet(models.QuerySet):
    """Rows of any of the four tables."""

    def within(self, scope: access.Scope) -> "ReportQuerySet":
        return self.filter(scope.q())

    def in_area(self, level: int, code: str) -> "ReportQuerySet":
        return self.filter(**{access.AREA_FIELDS[level]: code})

    def live(self) -> "ReportQuerySet":
        """Without rejected and duplicate rows."""
        return self.exclude(status__in=access.SET_ASIDE)

    def in_order(self) -> "ReportQuerySet":
        """The order of lists and exports: newest damage first, ends in the reference."""
        # Rows found by their words come in this order from the index of words.
        if self.query.extra_tables:
            rows = self.order_by().extra(order_by=[f"-{self.query.extra_tables[0]}.rowid"])
            return cast("ReportQuerySet", rows)
        return self.order_by("-sort_key")

    def beyond(self, key: int | None, *, back: bool = False) -> "ReportQuerySet":
        """The rows after this place in the order of lists, or before it; all of them if it is None."""
        if key is None:
            return self
        if self.query.extra_tables:
            sign = ">" if back else "<"
            rows = self.extra(where=[f"{self.query.extra_tables[0]}.rowid {sign} %s"], params=[key])
            return cast("ReportQuerySet", rows)
        return self.filter(**{"sort_key__gt" if back else "sort_key__lt": key})

    def unknown(self) -> "ReportQuerySet":
        """Losses of supply of which it is not known how many they concern, said as their index says it."""
        damage = [RawSQL(f"'{kind}'", ()) for kind in workflow.DAMAGE]
        rows = self.filter(restriction=RawSQL("''", ()), customers_out=None)
        return rows.exclude(kind__in=damage)

    def filled(self, column: str) -> "ReportQuerySet":
        """The rows that have something in a column of text, said as indexes of such rows say it."""
        return self.exclude(**{column: RawSQL("''", ())})


class ReportRow(models.Model):
    """One report as one holder sees it."""

    reference = models.CharField(
        _("reference"), max_length=9, help_text=_("Eight random characters; the report's address.")
    )
    kind = code_field(_("kind"), v.Kind.choices, length=8)
    sector = code_field(
        _("sector"), v.Sector.choices, length=12, help_text=_("Of networks and losses of supply.")
    )
    object_type = code_field(
        _("use or type"),
        v.OBJECT_TYPE_CHOICES,
        help_text=_("A building's use, a network's object type, or what was closed."),
    )
    object_name = text_field(_("name of the object"), 300)
    asset = text_field(
        _("asset"), 9, _("Reference of the building, line or site; a later strike has the same.")
    )
    site = text_field(_("site"), 9, _("Reference of the site the asset is part of, else of the asset."))
    strike_no = models.PositiveSmallIntegerField(
        _("strike number"),
        null=True,
        blank=True,
        help_text=_("1 for the first report on this asset, 2 for the second, and so on."),
    )
    incident = text_field(_("incident"), 9, _("Reference of what caused it."))
    related = text_field(
        _("related reports"), 400, _("References of linked reports, separated by spaces, sorted.")
    )
    status = code_field(_("status"), v.Status.choices)
    outcome = code_field(
        _("outcome"), v.Outcome.choices, help_text=_("How a closed or rejected report ended.")
    )
    country = text_field(_("country"), 2, _("ISO 3166-1 alpha-2."))
    adm1_code = text_field(_("region code"), 20, _("ISO 3166-2, else GeoNames id."))
    adm1_name = text_field(_("region"), 200)
    adm2_code = text_field(_("district code"), 20, _("GeoNames id, or the loaded area table's own code."))
    adm2_name = text_field(_("district"), 200)
    adm3_code = text_field(_("municipality code"), 20)
    adm3_name = text_field(_("municipality"), 200)
    settlement = text_field(_("settlement"), 200)
    address = text_field(_("address"), 300)
    lat = degrees(_("latitude"), _("Degrees north, WGS 84."))
    lon = degrees(_("longitude"), _("Degrees east, WGS 84."))
    geo_precision = code_field(_("precision of the place"), v.GeoPrecision.choices)
    geo_radius_m = count(_("radius of the place, metres"), _("The true place lies within this distance."))
    occurred_from = day(_("earliest date of damage"), _("Civil date in the place's time zone."))
    occurred_to = day(_("latest date of damage"), _("Civil date in the place's time zone."))
    date_precision = code_field(_("precision of the date"), v.DatePrecision.choices)
    started_utc = moment(_("moment it began, UTC"))
    timezone = text_field(_("time zone"), 40, _("IANA name of the place's time zone."))
    cause_group = code_field(_("cause group"), v.CauseGroup.choices)
    cause = code_field(_("cause"), v.Cause.choices)
    damage_level = code_field(
        _("damage level"), v.DamageLevel.choices, help_text=_("Derived from the grade by the crosswalk.")
    )
    ems98_min = models.PositiveSmallIntegerField(
        _("lowest EMS-98 grade"), null=True, blank=True, help_text=_("0 to 5; what the grade may mean.")
    )
    ems98_max = models.PositiveSmallIntegerField(
        _("highest EMS-98 grade"), null=True, blank=True, help_text=_("0 to 5; what the grade may mean.")
    )
    scale = code_field(_("damage scale"), scales.SCALE_CHOICES)
    scale_grade = text_field(_("grade on that scale"), 30, _("As given, in the scale's own codes."))
    method = code_field(_("method of assessment"), v.Method.choices)
    assessed_on = day(_("date of assessment"))
    usability = code_field(
        _("usability"), v.Usability.choices, help_text=_("ATC-20; unsafe does not mean demolish.")
    )
    in_use = code_field(_("in use"), v.InUse.choices)
    elements = text_field(_("damaged elements"), 500, _("Element:extent pairs, sorted, separated by spaces."))
    dwellings_total = count(_("dwellings in the building"))
    dwellings_damaged = count(_("dwellings damaged"))
    dwellings_unusable = count(_("dwellings unusable"))
    sources = text_field(_("sources"), 1000, _("Names of the sources, separated by semicolons."))
    sources_n = count(_("number of sources"))
    sources_agree = models.BooleanField(
        _("sources agree"), null=True, blank=True, help_text=_("Missing where fewer than two say a grade.")
    )
    independently_checked = models.BooleanField(
        _("independently checked"),
        null=True,
        blank=True,
        help_text=_("Checked by a person other than who logged, graded or ran it; missing before any check."),
    )
    logged_utc = moment(_("logged, UTC"))
    verified_on = day(_("date of verification"))
    made_safe_on = day(_("date made safe"), _("Boarded, propped or fenced."))
    repaired_on = day(_("date of repair"))
    closed_on = day(_("date of closure"))
    repair_cost = models.DecimalField(
        _("repair cost"),
        max_digits=16,
        decimal_places=2,
        null=True,
        blank=True,
        help_text=_("The final cost, else the approved one."),
    )
    repair_currency = text_field(_("currency"), 3, _("ISO 4217."))
    restored_utc = moment(_("fully restored, UTC"))
    restriction = code_field(
        _("restriction"), v.Restriction.choices, help_text=_("Of airports, roads, railways.")
    )
    customers_unit = code_field(_("unit of customers"), v.CustomersUnit.choices)
    customers_affected = count(
        _("customers affected"), _("Sum of all losses; missing where a step is not known.")
    )
    customers_out = count(_("customers out"), _("Without supply as of the last step."))
    customer_hours = models.DecimalField(
        _("customer-hours lost"),
        max_digits=16,
        decimal_places=2,
        null=True,
        blank=True,
        help_text=_("Sum over steps of customers times hours out, to the last step."),
    )
    figures_as_of_utc = moment(_("figures as of, UTC"), _("Time of the last step."))
    etr_utc = moment(_("estimated restoration, UTC"))
    summary = text_field(_("summary"), 500, _("One line written for publication: no names, no addresses."))
    withheld = text_field(
        _("withheld"), 100, _("Groups of columns withheld from this audience, separated by spaces.")
    )
    updated_utc = moment(
        _("updated, UTC"), _("When this row last changed; for audiences the edition that changed it.")
    )

    cell = models.BigIntegerField(null=True, blank=True, editable=False)
    valid_from = models.DateTimeField(
        _("valid from, UTC"), editable=False, help_text=_("When this version began to hold for its reader.")
    )
    sort_key = models.GeneratedField(
        expression=SortKey("occurred_to", "reference"),
        output_field=models.BigIntegerField(null=True),
        db_persist=True,
        help_text="The order of lists as one number: the day, then the reference.",
    )

    objects = ReportQuerySet.as_manager()

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.reference


#: The class of a row by which the policy tells reports apart.
USE_CLASS = Case(
    *(When(condition, then=Value(str(name))) for name, condition in access.CLASS_CONDITIONS.items()),
    output_field=models.CharField(),
)

#: Columns that most rows leave empty: their indexes hold the others alone.
SPARSE = frozenset({"sector", "outcome", "adm3_code", "incident", "asset"})
#: The columns whose values lists are walked by, in their order.
WALKED = (
    "asset", "incident", "adm3_code", "adm2_code", "adm1_code", "object_type", "sector", "outcome", "cause",
    "damage_level", "status", "kind", "cause_group", "country",
)  # fmt: skip

#: Rows whose damage may have happened on more days than one; and on more than LONG_DAYS.
RANGES = Q(occurred_from=None) | Q(occurred_from__lt=F("occurred_to"))
LONG = Q(Longer("occurred_from", "occurred_to"))
#: Rows whose damage was still to come, or may have been, when they became so.
AHEAD = Q(Ahead("valid_from", "occurred_to"))
#: Losses of supply of which it is not known how many they concern.
UNKNOWN = Q(~Q(kind__in=workflow.DAMAGE), restriction="", customers_out=None)

#: What a map filters on at the speed of one index.
ON_MAPS = ("kind", "sector", "status", "damage_level", "adm1_code", "sort_key", "occurred_from")
#: What figures and maps as of a moment in the past ask of each row that stood then.
OF_THEN = ("kind", "sector", "status", "damage_level", "adm1_code", "country")


def list_indexes(prefix: str, *, always: tuple[str, ...] = ()) -> list[models.Index]:
    """The indexes that lists, exports and maps of one table run on; each ends in the list's order.

    ``always``: the columns that every list of this table asks of, which its indexes answer too, so that
    counting reads no row.
    """
    walked = {"order": [], "area_status": ["adm1_code", "status"]} | {name: [name] for name in WALKED}
    days = ("verified_on", "logged_utc", "updated_utc")
    cell = ["cell", *ON_MAPS, *(name for name in always if name not in ON_MAPS)]
    return [
        *(
            models.Index(
                fields=[*fields, "-sort_key", *(one for one in always if one not in fields)],
                name=f"{prefix}_{name}",
                condition=~Q(**{name: ""}) if name in SPARSE else None,
            )
            for name, fields in walked.items()
        ),
        *(
            models.Index(fields=[name], name=f"{prefix}_{name}", condition=Q(**{f"{name}__isnull": False}))
            for name in days
        ),
        models.Index(fields=["-sort_key", "occurred_from"], name=f"{prefix}_ranges", condition=RANGES),
        models.Index(fields=["-sort_key", "occurred_from"], name=f"{prefix}_long", condition=LONG),
        models.Index(fields=["-sort_key", "valid_from"], name=f"{prefix}_ahead", condition=AHEAD),
        models.Index(fields=["status"], name=f"{prefix}_unknown", condition=UNKNOWN),
        models.Index(fields=cell, name=f"{prefix}_cell"),
        # Only what asks since when a row is so finds it by this wider one.
        models.Index(
            fields=["cell", "valid_from", *OF_THEN, *(name for name in always if name not in OF_THEN)],
            name=f"{prefix}_then",
            condition=Q(valid_from__isnull=False),
        ),
    ]


#: The numbers with a least and a greatest value.
BOUNDS = {"lat": (-90, 90), "lon": (-180, 180), "ems98_min": (0, 5), "ems98_max": (0, 5)}


def row_constraints(prefix: str) -> list[models.CheckConstraint]:
    """What is true of every row the office holds, as constraints of the database."""
    status_fits = reduce(
        or_, (Q(kind=kind, status__in=statuses) for kind, statuses in workflow.STATUSES.items())
    )
    (south, north), (west, east) = BOUNDS["lat"], BOUNDS["lon"]
    least, most = BOUNDS["ems98_min"][0], BOUNDS["ems98_max"][1]
    rules = {
        "status_fits_kind": status_fits,
        "sector_fits_kind": Q(kind=v.Kind.BUILDING, sector="") | (~Q(kind=v.Kind.BUILDING) & ~Q(sector="")),
        "lat_range": Q(lat=None, lon=None)
        | Q(
            lat__gte=south, lat__lte=north, lon__gte=west, lon__lte=east, lat__isnull=False, lon__isnull=False
        ),
        "cell_with_place": Q(lat=None, cell=None) | Q(lat__isnull=False, cell__isnull=False),
        "dated": Q(occurred_to__isnull=False),
        "dates_in_order": Q(occurred_from=None) | Q(occurred_from__lte=F("occurred_to")),
        "grades": Q(ems98_min=None, ems98_max=None)
        | Q(ems98_min__gte=least, ems98_max__lte=most, ems98_min__lte=F("ems98_max")),
        "money_has_currency": Q(repair_cost=None) | ~Q(repair_currency=""),
        "cost_not_negative": Q(repair_cost=None) | Q(repair_cost__gte=0),
        "customers_have_unit": Q(customers_affected=None, customers_out=None) | ~Q(customers_unit=""),
        "out_within_affected": Q(customers_out=None)
        | Q(customers_affected=None)
        | Q(customers_out__lte=F("customers_affected")),
        "restored_after_start": Q(restored_utc=None)
        | Q(started_utc=None)
        | Q(restored_utc__gte=F("started_utc")),
        "dwellings": (
            (Q(dwellings_damaged=None) | Q(dwellings_total=None))
            | Q(dwellings_damaged__lte=F("dwellings_total"))
        ),
    }
    return [
        models.CheckConstraint(condition=condition, name=f"{prefix}_{name}")
        for name, condition in rules.items()
    ]
