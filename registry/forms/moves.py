"""The evidence that moves take: every field is declared once, and a move's form holds just what it takes."""

import copy
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from registry.models.identity import read_reference
from registry.rules import scales
from registry.rules import vocabularies as v
from registry.rules.workflow import Move

from .base import CodesField, CommaDecimalField, ElementsField, day_field, long_text_field

_EMPTY = [("", _("Choose"))]


class Photos(forms.ClearableFileInput):
    allow_multiple_selected = True


class FilesField(forms.FileField):
    """Any number of files; cleans to a list of uploads. What is in them the evidence action checks."""

    widget = Photos(attrs={"accept": "image/*,application/pdf", "multiple": True})

    def clean(self, data: Any, initial: Any = None) -> list[Any]:
        # An empty list is no file: the field itself says whether that will do.
        files = (data if isinstance(data, list | tuple) else [data]) or [None]
        return [super(FilesField, self).clean(file, initial) for file in files if file or self.required]


#: Every grade of every scale as ``scale:grade``, grouped by scale.
GRADE_CHOICES = [
    (scale.label, [(f"{scale.code}:{grade.code}", grade.label) for grade in scale.grades])
    for scale in scales.SCALES.values()
]

FIELDS: dict[str, forms.Field] = {
    "question": long_text_field(_("What must be known?")),
    "answer": long_text_field(_("Answer")),
    "reason": long_text_field(_("Reason")),
    "note": long_text_field(_("Note"), required=False),
    "outcome": forms.ChoiceField(label=_("Outcome"), choices=v.Outcome.choices, widget=forms.RadioSelect),
    "original": forms.CharField(
        label=_("Reference of the report it belongs to"), max_length=20, help_text=_("Such as 4F7K-92MX.")
    ),
    "happened_on": day_field(_("Day"), required=True, help_text=_("In the place's own time zone.")),
    "method": forms.ChoiceField(
        label=_("How was it seen?"), choices=v.Method.choices[:-1], widget=forms.RadioSelect
    ),
    "grade": forms.ChoiceField(label=_("Grade"), choices=[*_EMPTY, *GRADE_CHOICES]),
    "usability": forms.ChoiceField(
        label=_("Usability"), choices=[*_EMPTY, *v.Usability.choices], required=False
    ),
    "hazards": CodesField(label=_("Hazards"), required=False, choices=v.Danger.choices),
    "part_seen": forms.ChoiceField(
        label=_("What part was seen?"), choices=v.PartSeen.choices, widget=forms.RadioSelect
    ),
    "elements": ElementsField(label=_("Damaged elements"), required=False, max_length=500),
    "act_number": forms.CharField(label=_("Number of the act"), required=False, max_length=60),
    "act_members": forms.CharField(label=_("Members of the commission"), required=False, max_length=500),
    "image": FilesField(label=_("Photos or image"), required=False),
    "independent_source": forms.CharField(
        label=_("One independent source"),
        required=False,
        max_length=500,
        help_text=_("Where the place was not visited: a source that does not rest on the image."),
    ),
    "contractor": forms.CharField(label=_("Who repairs"), max_length=200),
    "photos_after": FilesField(label=_("Photos after the repair")),
    "repair_cost": CommaDecimalField(
        label=_("Final cost"), required=False, min_value=0, max_digits=16, decimal_places=2
    ),
    "repair_currency": forms.CharField(
        label=_("Currency"), required=False, max_length=3, help_text=_("Three letters, such as EUR.")
    ),
    "cause_group": forms.ChoiceField(label=_("Caused by"), choices=v.CauseGroup.choices),
    "cause": forms.ChoiceField(label=_("How"), required=False, choices=[*_EMPTY, *v.Cause.choices]),
    "customers_unit": forms.ChoiceField(
        label=_("Counted in"), required=False, choices=[*_EMPTY, *v.CustomersUnit.choices]
    ),
    "customers_served": forms.IntegerField(
        label=_("Customers served"),
        required=False,
        min_value=0,
        max_value=2_000_000_000,
        help_text=_("Leave empty if not known."),
    ),
    "restriction": forms.ChoiceField(
        label=_("Restriction"), choices=v.Restriction.choices[:-1], widget=forms.RadioSelect
    ),
    "diverted_to": forms.CharField(label=_("Diverted to"), required=False, max_length=200),
    "customers_lost": forms.IntegerField(
        label=_("Customers affected"),
        required=False,
        min_value=1,
        max_value=2_000_000_000,
        help_text=_("Leave empty if not known."),
    ),
}


def clean_currency(cleaned: dict[str, Any], cost: str, currency: str) -> tuple[str, Any] | None:
    """The field and message that is wrong with an amount and its currency, None if nothing is."""
    code = (cleaned.get(currency) or "").upper()
    cleaned[currency] = code
    if code and not (len(code) == 3 and code.isascii() and code.isalpha()):
        return currency, _("Give the currency as three letters, such as EUR.")
    if cleaned.get(cost) is not None and not code:
        return currency, _("Say in which currency.")
    if cleaned.get(cost) is None:
        cleaned[currency] = ""
    return None


class MoveForm(forms.Form):
    """What one move takes; make it with ``move_form``."""

    move: Move

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if "original" in cleaned:
            reference = read_reference(cleaned["original"])
            if reference is None:
                self.add_error("original", _("This is no reference; one looks like 4F7K-92MX."))
            cleaned["original"] = reference
        if "method" in cleaned and cleaned["method"] != v.Method.FIELD:
            if not cleaned.get("image"):
                self.add_error("image", _("Without a visit this takes a dated image of the place."))
            if not cleaned.get("independent_source"):
                self.add_error("independent_source", _("Without a visit this takes an independent source."))
        if "repair_cost" in self.fields and (
            wrong := clean_currency(cleaned, "repair_cost", "repair_currency")
        ):
            self.add_error(*wrong)
        served, lost = cleaned.get("customers_served"), cleaned.get("customers_lost")
        if served is not None and lost is not None and lost > served:
            self.add_error("customers_lost", _("More are affected than are served."))
        if lost is not None and not cleaned.get("customers_unit"):
            self.add_error("customers_unit", _("Say what the figure counts."))
        return cleaned


_CUSTOMERS = ("customers_unit", "customers_served", "customers_lost")
_CLOSURE = ("restriction", "diverted_to")


def move_form(
    move: Move, *args: Any, sector: str = "", reason_opens: bool = False, **kwargs: Any
) -> MoveForm:
    """The form of a move for a report of this sector, bound to what ``args`` and ``kwargs`` say.

    Transport is asked for its restriction in place of customers. ``reason_opens``: nobody else could make
    the move, so that a supervisor must give a reason.
    """
    unasked = _CUSTOMERS if sector == v.Sector.TRANSPORT else _CLOSURE
    fields = {name: copy.deepcopy(FIELDS[name]) for name in move.takes if name not in unasked}
    if move.outcomes and "outcome" in fields:
        fields["outcome"].choices = [(code, v.Outcome(code).label) for code in move.outcomes]  # type: ignore[attr-defined]
    if reason_opens:
        fields["reason"] = long_text_field(_("Why you decide this yourself: nobody else here can"))
    return type("MoveForm", (MoveForm,), {**fields, "move": move})(*args, **kwargs)
