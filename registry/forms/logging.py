"""The form that logs a report on the web: ``ReportForm`` with the conveniences of a person in a hurry."""

import re
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from registry.rules.vocabularies import DatePrecision, Kind

from .reports import ReportForm

WHEN_CHOICES = [
    ("now", _("Just now")),
    ("tonight", _("Last night or tonight")),
    ("day", _("On a day")),
    ("between", _("Between two days")),
    ("before", _("Before a day, not known when")),
]
_MOST_NUMBERS = 60
_NUMBER = re.compile(r"(\d{1,5})\s*([^\W\d_]?)((?:/\d{1,5}[^\W\d_]?)?)")


def house_numbers(text: str) -> list[str]:
    """``3, 5, 7–15`` as a list of numbers; a range counts on its own side of the street where both ends are
    odd or even, else every number. Raises ValidationError naming the part that is not understood."""
    numbers: list[str] = []
    for part in filter(None, (part.strip() for part in re.split(r"[,;]", text))):
        ends = re.fullmatch(r"(\d{1,5})\s*[-–—]\s*(\d{1,5})", part)
        if ends:
            first, last = int(ends[1]), int(ends[2])
            if not first < last <= first + 4 * _MOST_NUMBERS:
                raise forms.ValidationError(
                    _("“%(part)s” is no range of house numbers."), params={"part": part}
                )
            step = 2 if first % 2 == last % 2 else 1
            numbers += [str(number) for number in range(first, last + 1, step)]
        elif _NUMBER.fullmatch(part):
            numbers.append(part)
        else:
            raise forms.ValidationError(
                _("“%(part)s” is no house number. Write such as 3, 5, 7–15."), params={"part": part}
            )
    unique = list(dict.fromkeys(numbers))
    if len(unique) > _MOST_NUMBERS:
        raise forms.ValidationError(
            _("These are %(count)d houses; at most %(most)d at once."),
            params={"count": len(unique), "most": _MOST_NUMBERS},
        )
    return unique


class LogForm(ReportForm):
    """Adds "when" in words, a list of house numbers, and "supply lost too"."""

    when = forms.ChoiceField(label=_("When did it happen?"), choices=WHEN_CHOICES, widget=forms.RadioSelect)
    house_numbers = forms.CharField(
        label=_("House numbers"),
        required=False,
        max_length=300,
        help_text=_("Several houses of this street: 3, 5, 7–15 makes one report for each."),
    )
    supply_lost = forms.MultipleChoiceField(
        label=_("Supply lost too"),
        required=False,
        choices=[
            ("electricity", _("Electricity")),
            ("gas", _("Gas")),
            ("water", _("Water")),
            ("heat", _("Heat")),
        ],
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Logs the loss of supply as a report of its own, linked to this one."),
    )
    incident = forms.CharField(required=False, max_length=9, widget=forms.HiddenInput)

    def clean_house_numbers(self) -> list[str]:
        return house_numbers(self.cleaned_data["house_numbers"])

    def _clean_when(self, cleaned: dict[str, Any]) -> None:
        when = cleaned.get("when")
        if when in ("now", "tonight"):
            here = datetime.now(self.zone)
            cleaned["started_at"] = cleaned.get("started_at") if when == "tonight" else None
            if when == "now":
                cleaned |= {"occurred_from": here.date(), "occurred_to": here.date()}
                cleaned |= {"date_precision": DatePrecision.DAY, "started_at": here.replace(microsecond=0)}
            else:
                cleaned |= {"occurred_from": here.date() - timedelta(days=1), "occurred_to": here.date()}
                cleaned["date_precision"] = DatePrecision.RANGE
        elif when in ("day", "before"):
            cleaned["occurred_from"] = None
            cleaned["date_precision"] = DatePrecision.DAY if when == "day" else DatePrecision.BEFORE
        elif when == "between":
            cleaned["date_precision"] = DatePrecision.RANGE
        super()._clean_when(cleaned)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if cleaned.get("house_numbers") and not cleaned.get("place"):
            self.add_error("place", _("Name the street of these houses."))
        if cleaned.get("kind") == Kind.OUTAGE:
            cleaned["supply_lost"] = []
        return cleaned
