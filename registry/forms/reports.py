"""What a valid report is: one form that the web, the API, imports and offline sync all bind.

Cleaning also locates the place, since the zone of the place decides what "today" is. After ``check`` or
``is_valid``, ``columns()`` gives the values of a report's columns and ``source()`` the source named.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from registry.models import Source
from registry.models.sql import blank
from registry.rules import scales
from registry.rules import vocabularies as v

from .base import CodesField, ElementsField, Reusable, day_field, degrees_field, moment_field
from .places import Lineage, lineage, one_area, place_fields

_EMPTY = [("", _("Choose"))]
_EARLIEST = date(1900, 1, 1)
_OBJECT_TYPES = [
    *_EMPTY,
    (_("Buildings"), v.BuildingUse.choices),
    (_("Networks and closures"), [pair for pair in v.NetworkObject.choices if pair[0] != "unknown"]),
]

#: Inputs of each part, in the order pages show them.
WHERE = ("place", "area", "lat", "lon", "geo_precision", "address")
WHAT = (
    "kind", "sector", "object_type", "object_name", "cause_group", "cause", "dwellings_total",
    "dwellings_damaged", "dwellings_unusable", "in_use", "elements", "restriction", "diverted_to",
    "customers_unit", "customers_lost", "customers_served", "description", "summary",
)  # fmt: skip
WHEN = ("occurred_from", "occurred_to", "date_precision", "started_at")
SOURCE = ("danger", "source_type", "source_name", "source_url", "source_ref", "source_date", "contact")
GRADE = ("scale", "scale_grade")


class ReportForm(Reusable):
    """One report as somebody gives it. Area is a code of an Area; times are on the clocks of the place."""

    place = forms.CharField(
        label=_("Place"),
        required=False,
        max_length=300,
        help_text=_("Street and number, settlement, region. Write what you know."),
    )
    area = forms.CharField(
        label=_("Region or district"),
        required=False,
        max_length=200,
        help_text=_("Its name or code. If you do not know the place, the region is enough."),
        widget=forms.TextInput(attrs={"list": "areas", "autocomplete": "off"}),
    )
    lat = degrees_field(_("Latitude"), 90)
    lon = degrees_field(_("Longitude"), 180)
    geo_precision = forms.ChoiceField(
        label=_("How exact the coordinates are"),
        required=False,
        choices=[("", _("Exact")), *v.GeoPrecision.choices[1:-1]],
    )
    address = forms.CharField(label=_("Address"), required=False, max_length=300)

    kind = forms.ChoiceField(label=_("What was damaged?"), choices=v.Kind.choices, widget=forms.RadioSelect)
    sector = forms.ChoiceField(
        label=_("Supply or network"), required=False, choices=[*_EMPTY, *v.Sector.choices]
    )
    object_type = forms.ChoiceField(label=_("Use or type"), required=False, choices=_OBJECT_TYPES)
    object_name = forms.CharField(label=_("Name of the object"), required=False, max_length=300)
    cause_group = forms.ChoiceField(
        label=_("Caused by"), required=False, choices=[*_EMPTY, *v.CauseGroup.choices]
    )
    cause = forms.ChoiceField(label=_("How"), required=False, choices=[*_EMPTY, *v.Cause.choices])
    dwellings_total = forms.IntegerField(
        label=_("Dwellings in the building"), required=False, min_value=0, max_value=100_000
    )
    dwellings_damaged = forms.IntegerField(
        label=_("Dwellings damaged"), required=False, min_value=0, max_value=100_000
    )
    dwellings_unusable = forms.IntegerField(
        label=_("Dwellings that cannot be lived in"), required=False, min_value=0, max_value=100_000
    )
    in_use = forms.ChoiceField(label=_("In use"), required=False, choices=[*_EMPTY, *v.InUse.choices])
    elements = ElementsField(label=_("Damaged elements"), required=False, max_length=500)
    restriction = forms.ChoiceField(
        label=_("Restriction"), required=False, choices=[*_EMPTY, *v.Restriction.choices]
    )
    diverted_to = forms.CharField(label=_("Diverted to"), required=False, max_length=200)
    customers_unit = forms.ChoiceField(
        label=_("Counted in"), required=False, choices=[*_EMPTY, *v.CustomersUnit.choices]
    )
    customers_lost = forms.IntegerField(
        label=_("How many are without supply"),
        required=False,
        min_value=1,
        max_value=2_000_000_000,
        help_text=_("Leave empty if not known."),
    )
    customers_served = forms.IntegerField(
        label=_("How many are served"), required=False, min_value=0, max_value=2_000_000_000
    )
    description = forms.CharField(
        label=_("Description"),
        required=False,
        max_length=10_000,
        widget=forms.Textarea,
        help_text=_("For the office alone. Never published."),
    )
    summary = forms.CharField(
        label=_("One line for publication"),
        required=False,
        max_length=500,
        help_text=_("No names, no addresses."),
    )

    occurred_from = day_field(_("Earliest day"))
    occurred_to = day_field(_("Day"))
    date_precision = forms.ChoiceField(
        label=_("How exact the date is"),
        required=False,
        choices=[("", _("Choose")), *v.DatePrecision.choices],
    )
    started_at = moment_field(_("Time it began"), help_text=_("On the clocks of the place, if known."))

    danger = CodesField(label=_("Danger now"), required=False, choices=v.Danger.choices)
    source_type = forms.ChoiceField(label=_("Source"), choices=v.SourceType.choices, widget=forms.RadioSelect)
    source_name = forms.CharField(label=_("Name of the source"), required=False, max_length=200)
    source_url = forms.URLField(
        label=_("Address of the source"), required=False, max_length=1000, assume_scheme="https"
    )
    source_ref = forms.CharField(label=_("Its own reference"), required=False, max_length=200)
    source_date = day_field(_("Published on"))
    contact = forms.CharField(
        label=_("Contact on site"),
        required=False,
        max_length=300,
        help_text=_("For the office alone. Never published."),
    )
    scale = forms.ChoiceField(
        label=_("Scale of the grade"), required=False, choices=[*_EMPTY, *scales.SCALE_CHOICES]
    )
    scale_grade = forms.CharField(label=_("Grade the source gives"), required=False, max_length=30)

    named_area: Lineage | None = None
    place_values: Mapping[str, Any] = {}

    def add_defaults(self, data: dict[str, Any]) -> dict[str, Any]:
        data.setdefault("source_type", v.SourceType.OWN)
        return data

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        self._clean_what(cleaned)
        self._clean_where(cleaned)
        self._clean_when(cleaned)
        self._clean_counts(cleaned)
        self._clean_source(cleaned)
        return cleaned

    # -- what ----------------------------------------------------------------------------------------

    def _clean_what(self, cleaned: dict[str, Any]) -> None:
        kind = cleaned.get("kind")
        if not kind:
            return
        if kind == v.Kind.BUILDING:
            cleaned["sector"] = ""
        elif not cleaned.get("sector") and "sector" not in self.errors:
            self.add_error("sector", _("Say which supply or network; choose “Not known” if you cannot tell."))
            return
        sector = cleaned.get("sector", "")
        object_type = cleaned.get("object_type")
        if not object_type:
            cleaned["object_type"] = v.BuildingUse.UNKNOWN if kind != v.Kind.OUTAGE else ""
        elif object_type not in v.object_types(kind, sector):
            self.add_error(
                "object_type",
                _("“%(type)s” is no type of %(kind)s.")
                % {
                    "type": v.label("object_type", object_type),
                    "kind": v.label("sector", sector) if sector else v.label("kind", kind),
                },
            )
        cleaned["cause_group"] = cleaned.get("cause_group") or v.CauseGroup.UNKNOWN
        cleaned["cause"] = cleaned.get("cause") or v.Cause.UNKNOWN

    # -- where ---------------------------------------------------------------------------------------

    def _clean_where(self, cleaned: dict[str, Any]) -> None:
        self.named_area, self.place_values = None, {}
        code = cleaned.get("area", "").strip()
        if code:
            try:
                self.named_area = lineage(code) or lineage(one_area(code))
            except forms.ValidationError as error:
                self.add_error("area", error)
                return
        lat, lon = cleaned.get("lat"), cleaned.get("lon")
        if "lat" in self.errors or "lon" in self.errors:
            return
        if (lat is None) != (lon is None):
            self.add_error(
                "lat" if lat is None else "lon", _("Give both latitude and longitude, or neither.")
            )
            return
        if not cleaned.get("place") and lat is None and self.named_area is None:
            self.add_error("place", _("Say where: a place, coordinates, or at least the region."))
            return
        self.place_values = place_fields(
            cleaned.get("place", ""),
            area=self.named_area,
            lat=lat,
            lon=lon,
            kind=cleaned.get("kind", v.Kind.BUILDING),
        )
        if lat is not None and cleaned.get("geo_precision"):
            self.place_values = {**self.place_values, "geo_precision": cleaned["geo_precision"]}

    @property
    def zone(self) -> ZoneInfo:
        """The zone of the place, as far as it is known."""
        return ZoneInfo(self.place_values.get("timezone") or timezone.get_default_timezone_name())

    # -- when ----------------------------------------------------------------------------------------

    def _clean_when(self, cleaned: dict[str, Any]) -> None:
        if self.errors.keys() & {"occurred_from", "occurred_to", "started_at", "date_precision"}:
            return
        start = cleaned.get("started_at")
        if start is not None:
            start = start.replace(tzinfo=self.zone) if start.tzinfo is None else start
            cleaned["started_at"] = start.astimezone(UTC)
        first, last = cleaned.get("occurred_from"), cleaned.get("occurred_to")
        began_on = start.astimezone(self.zone).date() if start is not None else None
        last = last or first or began_on
        if last is None:
            self.add_error(
                "occurred_to", _("Say when: a day, two days it happened between, or a day before.")
            )
            return
        precision = cleaned.get("date_precision") or self._precision(first, last)
        if precision == v.DatePrecision.BEFORE:
            first = None
        elif precision == v.DatePrecision.DAY:
            first = last
        elif precision == v.DatePrecision.MONTH:
            first = last.replace(day=1)
            last = (first + timedelta(days=32)).replace(day=1) - timedelta(days=1)
        elif precision == v.DatePrecision.YEAR:
            first, last = date(last.year, 1, 1), date(last.year, 12, 31)
        elif first is None:
            self.add_error("occurred_from", _("Say the earliest day too, or choose “On a day”."))
            return
        self._clean_order(cleaned, first, last, began_on)
        cleaned |= {"occurred_from": first, "occurred_to": last, "date_precision": precision}

    @staticmethod
    def _precision(first: date | None, last: date) -> str:
        return v.DatePrecision.DAY if first in (None, last) else v.DatePrecision.RANGE

    def _clean_order(
        self, cleaned: dict[str, Any], first: date | None, last: date, began_on: date | None
    ) -> None:
        if first is not None and first > last:
            self.add_error("occurred_from", _("The earliest day lies after the latest."))
        if (first or last) < _EARLIEST:
            self.add_error("occurred_to", _("Dates before 1900 are not taken."))
        if began_on is not None and not (first or began_on) <= began_on <= last:
            self.add_error("started_at", _("The time lies outside the days you gave."))
        here_now = datetime.now(self.zone)
        plannable = cleaned.get("kind") == v.Kind.OUTAGE and cleaned.get("cause_group") in v.PLANNABLE
        if not plannable:
            begins = first or last
            if begins > here_now.date():
                self.add_error("occurred_to", _("This day lies in the future at the place."))
            start = cleaned.get("started_at")
            if start is not None and start > here_now + timedelta(minutes=5):
                self.add_error("started_at", _("This time lies in the future at the place."))

    # -- counts --------------------------------------------------------------------------------------

    def _clean_counts(self, cleaned: dict[str, Any]) -> None:
        kind = cleaned.get("kind")
        if kind != v.Kind.BUILDING:
            cleaned |= {"dwellings_total": None, "dwellings_damaged": None, "dwellings_unusable": None}
        if kind != v.Kind.OUTAGE:
            cleaned |= {
                "customers_unit": "", "customers_lost": None, "customers_served": None, "restriction": "",
                "diverted_to": "",
            }  # fmt: skip
        total = cleaned.get("dwellings_total")
        for name in ("dwellings_damaged", "dwellings_unusable"):
            part = cleaned.get(name)
            if total is not None and part is not None and part > total:
                self.add_error(
                    name, _("There are only %(total)d dwellings in the building.") % {"total": total}
                )
        lost, served = cleaned.get("customers_lost"), cleaned.get("customers_served")
        if lost is not None and not cleaned.get("customers_unit"):
            self.add_error("customers_unit", _("Say what the figure counts."))
        if lost is not None and served is not None and lost > served:
            self.add_error("customers_lost", _("Only %(served)d customers are served.") % {"served": served})

    # -- source and grade ----------------------------------------------------------------------------

    def _clean_source(self, cleaned: dict[str, Any]) -> None:
        named = cleaned.get("source_name") or cleaned.get("source_url")
        needs_name = cleaned.get("source_type") not in (v.SourceType.OWN, v.SourceType.RESIDENT, None, "")
        if needs_name and not named and "source_url" not in self.errors:
            self.add_error("source_name", _("Name the source, or give its address."))
        scale, grade = cleaned.get("scale"), cleaned.get("scale_grade", "")
        if grade and not scale:
            self.add_error("scale", _("Say on which scale this grade is."))
        elif scale:
            try:
                scales.SCALES[scale].grade(grade)
            except KeyError:
                self.add_error(
                    "scale_grade",
                    _("“%(grade)s” is no grade of this scale. Its grades: %(grades)s.")
                    % {
                        "grade": grade,
                        "grades": ", ".join(grade.code for grade in scales.SCALES[scale].grades),
                    },
                )

    # -- what comes out ------------------------------------------------------------------------------

    def columns(self) -> dict[str, Any]:
        """The values of a report's columns, ready for an action; only for a valid form."""
        cleaned = self.cleaned_data
        names = (
            "kind", "sector", "object_type", "object_name", "cause_group", "cause", "dwellings_total",
            "dwellings_damaged", "dwellings_unusable", "in_use", "elements", "customers_unit",
            "customers_served", "description", "summary", "occurred_from", "occurred_to", "date_precision",
            "danger", "contact", "address",
        )  # fmt: skip
        return {
            **self.place_values,
            **{name: cleaned[name] for name in names},
            "address": cleaned["address"] or self.place_values["address"],
            "started_utc": cleaned["started_at"],
        }

    def sources(self) -> list[Source]:
        """All the sources named, unsaved."""
        return [self.source()]

    def source(self) -> Source:
        """The source named, unsaved."""
        cleaned = self.cleaned_data
        return blank(
            Source,
            type=cleaned["source_type"],
            name=cleaned["source_name"],
            url=cleaned["source_url"],
            ref=cleaned["source_ref"],
            published_on=cleaned["source_date"],
            scale=cleaned["scale"],
            scale_grade=cleaned["scale_grade"],
        )
