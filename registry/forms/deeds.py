"""Short forms for what is done to a report beside its moves: each asks only for what the deed takes.

Times are on the clocks of the place; ``zone`` is the place's.
"""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.utils.translation import gettext_lazy as _

from registry.models import Asset, Incident, OutageStep, Person, Report, Source
from registry.models.identity import read_reference
from registry.models.reports import field_of
from registry.rules import access, supply, workflow
from registry.rules import vocabularies as v

from .base import CodesField, CommaDecimalField, day_field, degrees_field, long_text_field, moment_field
from .moves import GRADE_CHOICES, FilesField, clean_currency
from .places import another_area, area_of, deepest

_EMPTY = [("", _("Choose"))]


class DeedForm(forms.Form):
    """A form about one report, for one person."""

    def __init__(self, *args: Any, report: Report, person: Person, **kwargs: Any) -> None:
        self.report, self.person = report, person
        super().__init__(*args, **kwargs)
        self.prepare()

    def prepare(self) -> None:
        """Narrow the fields to this report."""

    def moment(self, value: datetime | None) -> datetime | None:
        """A moment on the clocks of the place as UTC."""
        if value is None or value.tzinfo is not None:
            return value
        return value.replace(tzinfo=ZoneInfo(self.report.timezone or "UTC")).astimezone(UTC)


class NoteForm(DeedForm):
    note = long_text_field(_("Note"), help_text=_("For the office alone. Never published."))


class SourceForm(DeedForm):
    type = forms.ChoiceField(label=_("Type of source"), choices=v.SourceType.choices)
    name = forms.CharField(label=_("Source"), max_length=200)
    url = forms.URLField(label=_("Address"), required=False, max_length=1000, assume_scheme="https")
    published_on = day_field(_("Published on"))
    grade = forms.ChoiceField(label=_("Grade it claims"), required=False, choices=[*_EMPTY, *GRADE_CHOICES])

    def source(self) -> Source:
        cleaned = self.cleaned_data
        scale, _colon, grade = cleaned["grade"].partition(":")
        return Source(
            type=cleaned["type"],
            name=cleaned["name"],
            url=cleaned["url"],
            published_on=cleaned["published_on"],
            scale=scale,
            scale_grade=grade,
        )


class StepForm(DeedForm):
    """A step of an outage; "all" stands for everybody who was out."""

    direction = forms.ChoiceField(
        label=_("What happened"),
        choices=[(supply.BACK, _("Power or supply back")), (supply.LOST, _("More supply lost"))],
        widget=forms.RadioSelect,
        initial=supply.BACK,
    )
    everyone = forms.BooleanField(label=_("Everybody is back"), required=False)
    customers = forms.IntegerField(
        label=_("How many"),
        required=False,
        min_value=1,
        max_value=2_000_000_000,
        help_text=_("Leave empty if not known."),
    )
    restriction = forms.ChoiceField(
        label=_("Restriction from then on"), choices=v.Restriction.choices, widget=forms.RadioSelect
    )
    diverted_to = forms.CharField(label=_("Diverted to"), required=False, max_length=200)
    at = moment_field(_("When"), required=True)
    note = long_text_field(_("Note"), required=False)

    def prepare(self) -> None:
        transport = self.report.sector == v.Sector.TRANSPORT
        unwanted = ("direction", "everyone", "customers") if transport else ("restriction", "diverted_to")
        for name in unwanted:
            del self.fields[name]

    def step(self) -> OutageStep:
        cleaned = self.cleaned_data
        restriction = cleaned.get("restriction", "")
        direction = cleaned.get("direction") or (
            supply.BACK if restriction == v.Restriction.NONE else supply.LOST
        )
        everyone = bool(cleaned.get("everyone")) and direction == supply.BACK
        at = self.moment(cleaned["at"])
        assert at is not None
        return OutageStep(
            at=at,
            direction=direction,
            everyone=everyone,
            customers=None if everyone else cleaned.get("customers"),
            restriction=restriction,
            diverted_to=cleaned.get("diverted_to", ""),
        )


class VoidStepForm(DeedForm):
    step = forms.TypedChoiceField(label=_("Which step"), coerce=int, widget=forms.RadioSelect)
    reason = long_text_field(_("Why it is wrong"))

    def prepare(self) -> None:
        zone = ZoneInfo(self.report.timezone or "UTC")
        steps = self.report.outagestep_lines.filter(voided_at=None).order_by("at")
        self.fields["step"].choices = [  # type: ignore[attr-defined]
            (
                step.pk,
                f"{step.at.astimezone(zone):%Y-%m-%d %H:%M} · {step.get_direction_display()} "
                f"{'' if step.customers is None else step.customers}",
            )
            for step in steps
        ]


class EstimateForm(DeedForm):
    given_at = moment_field(_("Estimate given"), required=True)
    assessing = forms.BooleanField(label=_("Still assessing, no time yet"), required=False)
    restored_by = moment_field(_("Supply expected back by"))
    note = long_text_field(_("Note"), required=False)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if (
            not cleaned.get("assessing")
            and not cleaned.get("restored_by")
            and "restored_by" not in self.errors
        ):
            self.add_error("restored_by", _("Give a time, or say that it is still being assessed."))
        if cleaned.get("assessing"):
            cleaned["restored_by"] = None
        for name in ("given_at", "restored_by"):
            cleaned[name] = self.moment(cleaned.get(name))
        return cleaned


class PlanForm(DeedForm):
    scope = long_text_field(_("What is to be repaired"))
    cost = CommaDecimalField(label=_("Cost"), required=False, min_value=0, max_digits=16, decimal_places=2)
    currency = forms.CharField(
        label=_("Currency"), required=False, max_length=3, help_text=_("Three letters, such as EUR.")
    )
    funder = forms.CharField(label=_("Who pays"), required=False, max_length=200)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if wrong := clean_currency(cleaned, "cost", "currency"):
            self.add_error(*wrong)
        return cleaned


class ArrangeForm(DeedForm):
    """Who works on it, until when, how urgent, the crew, what was made safe, what is in use."""

    assignee = forms.ModelChoiceField(
        label=_("Assigned to"), required=False, queryset=Person.objects.none(), empty_label=_("Nobody")
    )
    due_on = day_field(_("Due"))
    priority = forms.ChoiceField(
        label=_("Priority"), required=False, choices=[("", _("Not set")), *v.Priority.choices]
    )
    crew = forms.ChoiceField(label=_("Crew"), required=False, choices=[("", _("Not set")), *v.Crew.choices])
    made_safe_on = day_field(_("Made safe on"), help_text=_("Boarded, propped or fenced."))
    in_use = forms.ChoiceField(
        label=_("In use"), required=False, choices=[("", _("Not known")), *v.InUse.choices]
    )
    danger = CodesField(label=_("Danger now"), required=False, choices=v.Danger.choices)

    def prepare(self) -> None:
        staff = Person.objects.filter(is_active=True, role__in=access.STAFF).prefetch_related("areas")
        near = [person.pk for person in staff if person.scope.contains(self.report)]
        self.fields["assignee"].queryset = Person.objects.filter(pk__in=near)  # type: ignore[attr-defined]
        for name in ("made_safe_on", "in_use") if self.report.kind == v.Kind.OUTAGE else ("crew",):
            del self.fields[name]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        safe = cleaned.get("made_safe_on")
        if safe and safe > datetime.now(ZoneInfo(self.report.timezone or "UTC")).date():
            self.add_error("made_safe_on", _("This day lies in the future at the place."))
        return cleaned

    def fields_set(self) -> dict[str, Any]:
        """The arrangements, ready for the action."""
        values = dict(self.cleaned_data)
        assignee = values.pop("assignee")
        return {"assignee_id": assignee.pk if assignee else None, **values}


class PlaceForm(DeedForm):
    """Which candidate is the place, or a point, or "the register is right"."""

    choice = forms.ChoiceField(label=_("Which place is meant?"), widget=forms.RadioSelect)
    lat = degrees_field(_("Latitude"), 90)
    lon = degrees_field(_("Longitude"), 180)
    elsewhere = forms.BooleanField(
        label=_("The point is right, although it lies in another region than the report"), required=False
    )

    def prepare(self) -> None:
        candidates = [
            (str(number), _candidate_words(candidate))
            for number, candidate in enumerate(self.report.geocode_candidates)
        ]
        self.fields["choice"].choices = [  # type: ignore[attr-defined]
            *candidates,
            ("point", _("The point given below")),
            ("as_is", _("The place is right as it stands")),
            ("unknown", _("Nothing is known but the area")),
        ]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("choice") == "point":
            for name in ("lat", "lon"):
                if cleaned.get(name) is None and name not in self.errors:
                    self.add_error(name, _("Give both latitude and longitude."))
            if not self.errors and not cleaned["elsewhere"]:
                self._stay(cleaned["lat"], cleaned["lon"])
        return cleaned

    def _stay(self, lat: Any, lon: Any) -> None:
        """Refuse a point in another region than the report's, unless it was said to be meant."""
        area = area_of(self.report)
        if there := another_area(area, lat, lon):
            here = self.report.adm1_name or self.report.country
            words = _(
                "This point lies in %(there)s, the report is of %(here)s. If the point is right, say so here."
            )
            self.add_error("elsewhere", words % {"there": there, "here": here})

    def chosen(self) -> dict[str, Any]:
        """The arguments of ``confirm_place``."""
        cleaned = self.cleaned_data
        if cleaned["choice"] == "point":
            return {"lat": cleaned["lat"], "lon": cleaned["lon"]}
        if cleaned["choice"] == "unknown":
            return {"unknown": True}
        return {} if cleaned["choice"] == "as_is" else {"choice": int(cleaned["choice"])}


class PointForm(forms.Form):
    """Where a name that somebody set on the map stands."""

    lat = degrees_field(_("Latitude"), 90)
    lon = degrees_field(_("Longitude"), 180)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("lat", "lon"):
            self.fields[name].required = True


def _candidate_words(candidate: dict[str, Any]) -> str:
    """Name, district, region and country: of namesakes the district often tells which is which."""
    area = deepest(candidate.get("adm2_code"), candidate.get("adm1_code"))
    codes = area.codes if area else {}
    region = codes.get("adm1_name") or candidate.get("adm1_code")
    words = [candidate.get("name"), codes.get("adm2_name"), region, candidate.get("country")]
    return ", ".join(dict.fromkeys(filter(None, words)))


class AssessForm(DeedForm):
    method = forms.ChoiceField(
        label=_("How was it seen?"), choices=v.Method.choices, widget=forms.RadioSelect
    )
    grade = forms.ChoiceField(label=_("Grade"), choices=[*_EMPTY, *GRADE_CHOICES])
    assessed_on = day_field(_("Day"), required=True)
    usability = forms.ChoiceField(
        label=_("Usability"), choices=[*_EMPTY, *v.Usability.choices], required=False
    )
    note = long_text_field(_("Note"), required=False)

    def clean_assessed_on(self) -> Any:
        on = self.cleaned_data["assessed_on"]
        if on > datetime.now(ZoneInfo(self.report.timezone or "UTC")).date():
            raise forms.ValidationError(_("This day lies in the future at the place."))
        return on


class AttemptForm(DeedForm):
    reason = long_text_field(_("Why there was no access"))
    next_try = day_field(_("Next try"))


class ChooseGradeForm(DeedForm):
    assessment = forms.TypedChoiceField(label=_("Current assessment"), coerce=int, widget=forms.RadioSelect)
    reason = long_text_field(_("Reason"))

    def prepare(self) -> None:
        lines = self.report.assessment_lines.filter(voided_at=None)
        self.fields["assessment"].choices = [  # type: ignore[attr-defined]
            (
                line.pk,
                f"{line.get_scale_display()} {line.scale_grade} · {line.get_method_display()} · "
                f"{line.assessed_on:%Y-%m-%d}",
            )
            for line in lines
        ]


class WithdrawForm(DeedForm):
    because = forms.ChoiceField(
        label=_("Withdraw because of"), choices=v.WithdrawalReason.choices, widget=forms.RadioSelect
    )
    reason = long_text_field(_("What happened"))


class ReasonForm(DeedForm):
    reason = long_text_field(_("Reason"))


class RequestForm(DeedForm):
    move = forms.ChoiceField(label=_("What should be done?"), widget=forms.RadioSelect)
    reason = long_text_field(_("Reason"))

    def prepare(self) -> None:
        self.fields["move"].choices = [  # type: ignore[attr-defined]
            (move.name, move.label) for move in workflow.moves_from(self.report)
        ]


class LinkForm(DeedForm):
    other = forms.CharField(label=_("Reference of the other report"), max_length=20)
    type = forms.ChoiceField(label=_("How they belong together"), choices=v.LinkType.choices)

    def clean_other(self) -> str:
        reference = read_reference(self.cleaned_data["other"])
        if reference is None or not Report.objects.filter(reference=reference).exists():
            raise forms.ValidationError(_("There is no report with this reference."))
        return reference


class AssetForm(DeedForm):
    """The asset a report's damage is on: an existing one by reference, or a new one by name."""

    asset = forms.CharField(
        label=_("Reference of the asset"),
        required=False,
        max_length=20,
        help_text=_("If it was damaged before. Leave empty to make a new one."),
    )
    name = forms.CharField(label=_("Name of a new asset"), required=False, max_length=300)
    part_of = forms.CharField(
        label=_("Part of"),
        required=False,
        max_length=20,
        help_text=_("Reference of the campus or site it belongs to."),
    )

    def _asset(self, name: str) -> Asset | None:
        typed = self.cleaned_data.get(name)
        if not typed:
            return None
        asset = Asset.objects.filter(reference=read_reference(typed) or "").first()
        if asset is None:
            raise forms.ValidationError(_("There is no asset with this reference."))
        return asset

    def clean_asset(self) -> Asset | None:
        asset = self._asset("asset")
        if asset is not None and asset.kind != self.report.kind:
            raise forms.ValidationError(_("This asset is of another kind."))
        return asset

    def clean_part_of(self) -> Asset | None:
        site = self._asset("part_of")
        if site is not None and site.part_of_id:
            raise forms.ValidationError(_("This is itself a part; name the whole site."))
        return site


class IncidentForm(DeedForm):
    incident = forms.CharField(
        label=_("Reference of the incident"),
        required=False,
        max_length=20,
        help_text=_("Leave empty to unlink."),
    )

    def clean_incident(self) -> Incident | None:
        typed = self.cleaned_data["incident"]
        if not typed:
            return None
        incident = Incident.objects.filter(reference=read_reference(typed) or "").first()
        if incident is None:
            raise forms.ValidationError(_("There is no incident with this reference."))
        return incident


class EvidenceForm(DeedForm):
    documents = FilesField(label=_("Photos or PDF"))
    caption = forms.CharField(label=_("Caption"), required=False, max_length=200)
    stage = forms.ChoiceField(
        label=_("Shows"),
        choices=[("damage", _("The damage")), ("after", _("After the repair"))],
        initial="damage",
    )
    taken_on = day_field(_("Taken on"))


class EraseForm(DeedForm):
    field = forms.ChoiceField(label=_("Which text"), widget=forms.RadioSelect)
    reason = long_text_field(_("Why it must go"), help_text=_("Do not repeat what is to be erased."))

    def prepare(self) -> None:
        names = ("description", "contact", "address", "object_name", "place_typed", "summary", "contractor")
        self.fields["field"].choices = [  # type: ignore[attr-defined]
            (name, field_of(name).verbose_name) for name in names if getattr(self.report, name)
        ]
