"""A row of an import: a report's form with what only files say: dated moves, restoration, more sources."""

import re
from contextlib import suppress
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from django import forms
from django.core.validators import URLValidator
from django.utils.translation import gettext_lazy as _

from registry.models import Source
from registry.models.sql import blank
from registry.rules.vocabularies import Kind, Outcome, Status, label
from registry.rules.workflow import move_named

from .base import Day, day_field, moment_field
from .reports import ReportForm

_url = URLValidator(schemes=["http", "https"])
#: The dates of moves that a row may give, and the status each leads to.
DATED_MOVES = (
    ("verified_on", Status.VERIFIED),
    ("repaired_on", Status.REPAIRED),
    ("closed_on", Status.CLOSED),
)
_OUTCOMES = (Outcome.REPAIRED, *move_named("close", Kind.BUILDING).outcomes)


class RowForm(ReportForm):
    """Moves are of damage, the restoration is of an outage; a row of the other kind ignores them."""

    restored_at = moment_field(_("Time everyone was back"), help_text=_("On the clocks of the place."))
    verified_on = day_field(_("Verified on"))
    repaired_on = day_field(_("Repaired on"))
    closed_on = day_field(_("Closed on"))
    outcome = forms.ChoiceField(
        label=_("How it ended"),
        required=False,
        choices=[(code, label("outcome", code)) for code in _OUTCOMES],
    )
    # A source may say that nobody lost supply, which is not the same as not knowing.
    customers_lost = forms.IntegerField(
        label=ReportForm.base_fields["customers_lost"].label,
        required=False,
        min_value=0,
        max_value=2_000_000_000,
    )
    more_sources = forms.CharField(label=_("Addresses of more sources"), required=False, max_length=5000)

    def add_defaults(self, data: dict[str, Any]) -> dict[str, Any]:
        if not data.get("scale_grade"):
            data.pop("scale", None)  # a file's scale is the same for all rows, graded or not
        return super().add_defaults(data)

    def _clean_fields(self) -> None:
        """As Django's, but what a row does not give, and codes, days and numbers that other rows gave, are not
        cleaned again."""
        given, told = self.fields, self.data
        for name in given:
            if name not in told:
                if name in _NOT_GIVEN:
                    self.cleaned_data[name] = _NOT_GIVEN[name]
            elif name in _REPEATED and type(told[name]) is str:
                with suppress(forms.ValidationError):
                    self.cleaned_data[name] = _cleaned(name, told[name])
        try:
            self.fields = {name: field for name, field in given.items() if name not in self.cleaned_data}
            super()._clean_fields()  # type: ignore[misc]
        finally:
            self.fields = given

    def clean_more_sources(self) -> list[str]:
        urls = list(dict.fromkeys(filter(None, re.split(r"[;,]?\s+|;", self.cleaned_data["more_sources"]))))
        for url in urls:
            _url(url)
            if len(url) > 1000:
                raise forms.ValidationError(_("An address is longer than 1000 characters."))
        return urls

    def _clean_when(self, cleaned: dict[str, Any]) -> None:
        super()._clean_when(cleaned)
        if self.errors:
            return
        if cleaned.get("kind") == Kind.OUTAGE:
            cleaned |= dict.fromkeys(("verified_on", "repaired_on", "closed_on"))
            self._clean_restoration(cleaned)
        else:
            cleaned["restored_at"] = None
            self._clean_moves(cleaned)

    def _clean_restoration(self, cleaned: dict[str, Any]) -> None:
        restored, began = cleaned.get("restored_at"), cleaned.get("started_at")
        if restored is None:
            return
        restored = restored.replace(tzinfo=self.zone) if restored.tzinfo is None else restored
        cleaned["restored_at"] = restored = restored.astimezone(UTC)
        if began is None:
            self.add_error("started_at", _("Say when it began: it is said when everyone was back."))
        elif restored < began:
            self.add_error("restored_at", _("Supply cannot come back before it was lost."))
        elif restored > datetime.now(UTC):
            self.add_error("restored_at", _("This time lies in the future at the place."))

    def _clean_moves(self, cleaned: dict[str, Any]) -> None:
        today = datetime.now(self.zone).date()
        earlier = cleaned["occurred_from"] or cleaned["occurred_to"]
        for name, _status in DATED_MOVES:
            day = cleaned.get(name)
            if day is None:
                continue
            if day > today:
                self.add_error(name, _("This day lies in the future at the place."))
            elif day < earlier:
                self.add_error(name, _("This day lies before what came earlier."))
            else:
                earlier = day
        if cleaned.get("closed_on") and not cleaned.get("outcome"):
            self.add_error("outcome", _("Say how it ended: it is said when it was closed."))

    def sources(self) -> list[Source]:
        """The source of the form and the addresses of more."""
        first = self.source()
        more = [
            blank(
                Source,
                type=first.type,
                name=(urlsplit(url).hostname or "").removeprefix("www."),
                url=url,
            )
            for url in self.cleaned_data["more_sources"]
            if url != first.url
        ]
        return [first, *more]


#: What the fields that may be left out clean to then.
_NOT_GIVEN: dict[str, Any] = {
    name: [] if name == "more_sources" else field.clean(None)
    for name, field in RowForm.base_fields.items()
    if not field.required
}
#: The fields whose values come again and again, and clean to the same whatever else a row says.
_REPEATED = frozenset(
    name
    for name, field in RowForm.base_fields.items()
    if type(field) in (forms.ChoiceField, Day, forms.IntegerField)
)


@lru_cache(maxsize=4096)
def _cleaned(name: str, value: str) -> Any:
    return RowForm.base_fields[name].clean(value)
