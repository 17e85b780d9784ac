"""Forms of incidents and of statements about them. Times are on the clocks of the first area named."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.utils.translation import gettext_lazy as _

from registry.models import Area, Incident, Statement
from registry.models.identity import read_reference
from registry.rules import vocabularies as v

from .base import moment_field
from .places import lineage, one_area


def _areas_typed(text: str) -> list[Area]:
    """Areas by code or name, one a line or separated by semicolons."""
    parts = filter(None, (part.strip() for part in text.replace("\n", ";").split(";")))
    return [Area.objects.get(code=one_area(part)) for part in parts]


def _zone(areas: list[Area]) -> ZoneInfo:
    line = lineage(areas[0].code) if areas else None
    return ZoneInfo((line and line.timezone) or "UTC")


def _utc(value: datetime | None, zone: ZoneInfo) -> datetime | None:
    return value and value.replace(tzinfo=zone).astimezone(UTC)


class IncidentForm(forms.Form):
    title = forms.CharField(
        label=_("Title"), max_length=200, help_text=_("One line, written for publication. No names.")
    )
    cause_group = forms.ChoiceField(label=_("Cause"), choices=v.CauseGroup.choices)
    areas = forms.CharField(
        label=_("Areas"),
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Names or codes such as RU-VOR, one a line."),
    )
    began_at = moment_field(_("Began"), required=True, help_text=_("On the clocks of the first area."))
    ended_at = moment_field(_("Ended"))
    linked = forms.CharField(
        label=_("Linked incidents"),
        required=False,
        max_length=400,
        help_text=_("References, separated by spaces."),
    )

    def clean_areas(self) -> list[Area]:
        return _areas_typed(self.cleaned_data["areas"])

    def clean_linked(self) -> list[Incident]:
        typed = self.cleaned_data["linked"].replace(",", " ").split()
        references = [read_reference(one) or one for one in typed]
        found = list(Incident.objects.filter(reference__in=references))
        missing = set(references) - {incident.reference for incident in found}
        if missing:
            raise forms.ValidationError(
                _("There is no incident %(refs)s."), params={"refs": ", ".join(sorted(missing))}
            )
        return found

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        zone = _zone(cleaned.get("areas") or [])
        for name in ("began_at", "ended_at"):
            cleaned[name] = _utc(cleaned.get(name), zone)
        began, ended = cleaned["began_at"], cleaned["ended_at"]
        if began and began > datetime.now(UTC):
            self.add_error("began_at", _("This time lies in the future."))
        if began and ended and ended < began:
            self.add_error("ended_at", _("It ended before it began."))
        return cleaned


class StatementForm(forms.Form):
    type = forms.ChoiceField(label=_("What is it about?"), choices=v.StatementType.choices)
    area = forms.CharField(label=_("Area"), required=False, max_length=200, help_text=_("Name or code."))
    text = forms.CharField(
        label=_("What was said"), max_length=2000, widget=forms.Textarea(attrs={"rows": 4})
    )
    said_by = forms.CharField(
        label=_("Who said it"),
        max_length=200,
        help_text=_("The office or organisation; a person only by office."),
    )
    said_at = moment_field(_("When"), required=True)
    certainty = forms.ChoiceField(
        label=_("How certain"), choices=v.Certainty.choices, widget=forms.RadioSelect, initial="preliminary"
    )
    figure = forms.IntegerField(label=_("Figure"), required=False, min_value=0, max_value=2_000_000_000)
    figure_unit = forms.CharField(
        label=_("What the figure counts"),
        required=False,
        max_length=60,
        help_text=_("Houses, people, customers …"),
    )
    url = forms.URLField(
        label=_("Address of the source"), required=False, max_length=500, assume_scheme="https"
    )

    def __init__(self, *args: Any, incident: Incident, **kwargs: Any) -> None:
        self.incident = incident
        super().__init__(*args, **kwargs)

    def clean_area(self) -> Area | None:
        areas = _areas_typed(self.cleaned_data["area"])
        if len(areas) > 1:
            raise forms.ValidationError(_("Name one area."))
        return areas[0] if areas else None

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        area = cleaned.get("area")
        zone = _zone([area] if area else list(self.incident.areas.all()[:1]))
        cleaned["said_at"] = _utc(cleaned.get("said_at"), zone)
        if cleaned["said_at"] and cleaned["said_at"] > datetime.now(UTC):
            self.add_error("said_at", _("This time lies in the future."))
        if cleaned.get("figure") is not None and not cleaned.get("figure_unit"):
            self.add_error("figure_unit", _("Say what the figure counts."))
        return cleaned

    def statement(self) -> Statement:
        return Statement(**self.cleaned_data)
