"""What all our forms share: a form that can be used again for the next row, and fields that understand what
people type."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django import forms
from django.utils.datastructures import MultiValueDict
from django.utils.translation import gettext_lazy as _

from registry.rules.vocabularies import Element, Extent


class Reusable(forms.Form):
    """A form that can be bound again: making one a row is 25 times slower than binding one again."""

    def check(self, data: Mapping[str, Any], files: Mapping[str, list[Any]] | None = None) -> bool:
        """Bind the form to ``data`` and say whether it is valid; ``cleaned_data`` and ``errors`` follow."""
        return self.bind(self.add_defaults(dict(data)), files)

    def bind(self, data: Mapping[str, Any], files: Mapping[str, list[Any]] | None = None) -> bool:
        """``check`` what a web form sent, as it is."""
        self.data = data
        self.files = MultiValueDict(files or {})
        self.is_bound = True
        self._errors = None
        self.__dict__.pop("changed_data", None)
        return self.is_valid()

    def add_defaults(self, data: dict[str, Any]) -> dict[str, Any]:
        """A row may leave out what a web form always sends."""
        return data


class CodesField(forms.MultipleChoiceField):
    """Several codes; cleans to the codes sorted and joined by spaces, as rows store them."""

    widget = forms.CheckboxSelectMultiple

    def to_python(self, value: Any) -> list[str]:
        if isinstance(value, str):
            value = value.split()
        return super().to_python(value)

    def clean(self, value: Any) -> str:
        return " ".join(sorted(super().clean(value)))


class CommaDecimalField(forms.DecimalField):
    """A decimal number that may be typed with a decimal comma, which a browser's number input refuses."""

    widget = forms.TextInput

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        return {**super().widget_attrs(widget), "inputmode": "decimal"}

    def to_python(self, value: Any) -> Any:
        if isinstance(value, str):
            value = value.strip().replace("\N{NO-BREAK SPACE}", "").replace("\N{MINUS SIGN}", "-")
            if value.count(",") == 1 and "." not in value:
                value = value.replace(",", ".")
        return super().to_python(value)


def degrees_field(label: Any, limit: int, help_text: Any = "") -> CommaDecimalField:
    """Degrees from -limit to limit, rounded to six places (about 0.1 m)."""

    class Degrees(CommaDecimalField):
        def to_python(self, value: Any) -> Any:
            number = super().to_python(value)
            if number is None or not number.is_finite() or abs(number) > limit:
                return number  # refused as it is: what is far too large cannot be rounded
            return round(number, 6)

        default_error_messages = {"invalid": _("Enter degrees as a decimal number, such as 50.4501.")}

    return Degrees(
        label=label,
        required=False,
        min_value=-limit,
        max_value=limit,
        help_text=help_text,
    )


def long_text_field(
    label: Any, *, required: bool = True, help_text: Any = "", lines: int = 4
) -> forms.CharField:
    """Words of more than a line: a question, a reason, a note."""
    return forms.CharField(
        label=label,
        required=required,
        max_length=5000,
        help_text=help_text,
        widget=forms.Textarea(attrs={"rows": lines}),
    )


class ElementsField(forms.CharField):
    """Damaged elements as ``element:extent`` pairs separated by spaces; cleans to the pairs sorted."""

    def clean(self, value: Any) -> str:
        pairs = super().clean(value).split()
        for pair in pairs:
            element, _colon, extent = pair.partition(":")
            if element not in Element.values or extent not in Extent.values:
                raise forms.ValidationError(
                    _("“%(pair)s” is no element and extent; write such as facade:10-30."),
                    params={"pair": pair},
                )
        return " ".join(sorted(set(pairs)))


def day_field(label: Any, *, required: bool = False, help_text: Any = "") -> forms.DateField:
    """A civil date; the browser's own picker where there is one, else typed as 2026-03-14."""
    return Day(
        label=label,
        required=required,
        help_text=help_text,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        input_formats=["%Y-%m-%d", "%d.%m.%Y", "%d/%m/%Y"],
        error_messages={"invalid": _("Enter a date such as 2026-03-14.")},
    )


#: Beyond these, days and moments cannot be reckoned with in every zone.
_FIRST_YEAR, _LAST_YEAR = 1000, 2199


class Day(forms.DateField):
    """See ``day_field``."""

    def to_python(self, value: Any) -> Any:
        day = super().to_python(value)
        if day is not None and day.year > _LAST_YEAR:
            raise forms.ValidationError(self.error_messages["invalid"], code="invalid")
        return day


def moment_field(label: Any, *, required: bool = False, help_text: Any = "") -> forms.Field:
    """A day and time on the clocks of the place; cleans to a naive datetime (the form knows the zone)."""
    return LocalMoment(
        label=label,
        required=required,
        help_text=help_text,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        error_messages={"invalid": _("Enter a date and time such as 2026-03-14 21:40.")},
    )


class LocalMoment(forms.Field):
    """See ``moment_field``."""

    def to_python(self, value: Any) -> Any:
        if value in self.empty_values:
            return None
        if isinstance(value, datetime):
            return value.replace(microsecond=0)
        try:
            moment = datetime.fromisoformat(str(value).strip()).replace(microsecond=0)
        except ValueError:
            moment = None
        if moment is None or not _FIRST_YEAR <= moment.year <= _LAST_YEAR:
            raise forms.ValidationError(self.error_messages["invalid"], code="invalid")
        return moment

    def prepare_value(self, value: Any) -> Any:
        return value
