"""Forms of imports: a file or pasted rows, with the mapping that reads them."""

from collections.abc import Collection
from typing import Any

from django import forms
from django.conf import settings
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext_lazy as _

from registry.tabular import MOST_ROWS

from . import mappings


def mapping_choices(nothing: Any) -> list[tuple[str, Any]]:
    """Every mapping that can be read, by its title; first ``nothing``, for none."""
    found = []
    for name in mappings.names():
        try:
            found.append((name, mappings.load(name).title))
        except mappings.BadMapping:
            continue
    return [("", nothing), *found]


class ImportForm(forms.Form):
    """Either a file or pasted rows."""

    file = forms.FileField(label=_("File"), required=False)
    pasted = forms.CharField(
        label=_("Or rows pasted from a spreadsheet"),
        required=False,
        strip=False,
        help_text=_("With the row of headings."),
        widget=forms.Textarea(attrs={"rows": 6, "class": "pasted", "spellcheck": "false"}),
    )
    mapping = forms.ChoiceField(
        label=_("How its columns are read"),
        required=False,
        help_text=_("If you do not know, leave it: the columns tell."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = mapping_choices(_("As the columns tell"))
        self.fields["mapping"].choices = choices  # type: ignore[attr-defined]
        file = self.fields["file"]
        file.help_text = _("CSV, XLSX, ODS or GeoJSON, up to %(size)s and %(rows)s rows.") % {
            "size": filesizeformat(settings.MAX_IMPORT_BYTES),
            "rows": f"{MOST_ROWS:,}",
        }
        file.widget.attrs["data-most"] = settings.MAX_IMPORT_BYTES

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if self.errors:
            return cleaned
        if bool(cleaned["file"]) == bool(cleaned["pasted"].strip()):
            self.add_error("file", _("Choose a file, or paste rows: one of the two."))
        return cleaned


class MappingForm(forms.Form):
    """Another mapping for a file that is here."""

    mapping = forms.ChoiceField(label=_("How its columns are read"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["mapping"].choices = mapping_choices(_("Choose"))  # type: ignore[attr-defined]


class ConfirmForm(forms.Form):
    """``failing``: how many rows would not go in; ``likely``: the numbers of those that are likely here already, of
    which all stay out, or those ticked in ``leaving``."""

    without = forms.BooleanField(required=False)
    without_likely = forms.BooleanField(required=False)
    leaving = forms.TypedMultipleChoiceField(required=False, coerce=int, widget=forms.MultipleHiddenInput)

    def __init__(self, *args: Any, failing: int, likely: Collection[int] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if failing:
            said = _("Import the good rows without the %(failing)s that fail")
            self.fields["without"].label = said % {"failing": f"{failing:,}"}
        else:
            del self.fields["without"]
        if likely:
            said = _("Leave out the %(likely)s that look like reports already here")
            self.fields["without_likely"].label = said % {"likely": f"{len(likely):,}"}
            self.fields["leaving"].choices = [(number, number) for number in likely]  # type: ignore[attr-defined]
        else:
            del self.fields["without_likely"], self.fields["leaving"]


class UndoForm(forms.Form):
    """``kept``: how many reports people have worked on, which stay as they are."""

    keeping = forms.BooleanField(required=False)

    def __init__(self, *args: Any, kept: int = 0, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if kept:
            said = _("Leave the %(kept)s on which people have worked, and undo the others")
            self.fields["keeping"].label = said % {"kept": f"{kept:,}"}
        else:
            del self.fields["keeping"]


class DecisionForm(forms.Form):
    """For each part of a report (name and label) whether it stays or the row's words are taken."""

    def __init__(self, *args: Any, parts: list[tuple[str, Any]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, label in parts:
            self.fields[name] = forms.ChoiceField(
                label=label,
                choices=[("keep", _("Keep what the register says")), ("take", _("Take what the file says"))],
                initial="keep",
                widget=forms.RadioSelect,
            )

    def taking(self) -> list[str]:
        return [name for name, choice in self.cleaned_data.items() if choice == "take"]
