"""Forms to locate a table of one's own: the file, then its columns that say where."""

from typing import Any

from django import forms
from django.conf import settings
from django.template.defaultfilters import filesizeformat
from django.utils.text import Truncator
from django.utils.translation import gettext_lazy as _

from registry.tabular.sample import Sample

from .proposals import Column
from .proposals.words import likest

#: More rows are for the command, which has no limit.
MOST_ROWS = 50_000


class TableForm(forms.Form):
    file = forms.FileField(label=_("Table"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["file"].help_text = _("CSV, XLSX or ODS, up to %(size)s and %(rows)s rows.") % {
            "size": filesizeformat(settings.MAX_UPLOAD_BYTES),
            "rows": f"{MOST_ROWS:,}",
        }
        self.fields["file"].widget.attrs["data-most"] = settings.MAX_UPLOAD_BYTES

    def clean_file(self) -> Any:
        if self.cleaned_data["file"].size > settings.MAX_UPLOAD_BYTES:
            raise forms.ValidationError(_("This file is too large."))
        return self.cleaned_data["file"]


#: From narrow to wide: the field, its label, and what headings of its column name.
PARTS = (
    ("place", _("Place"), ("place", "address")),
    ("district", _("District"), ("district",)),
    ("region", _("Region"), ("region",)),
    ("country", _("Country"), ("country",)),
)


class ColumnsForm(forms.Form):
    """Which columns say where."""

    def __init__(self, *args: Any, sample: Sample, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        samples = {heading: Column(heading, cells).samples for heading, cells in sample.cells.items()}
        headings = [
            (heading, Truncator(f"{heading}: {', '.join(values)}" if values else heading).chars(80))
            for heading, values in samples.items()
        ]
        for name, label, roles in PARTS:
            field = forms.ChoiceField(
                label=label, required=name == "place", choices=[("", _("None")), *headings]
            )
            field.initial = likest(samples, *roles)
            self.fields[name] = field
        self.fields["within"] = forms.CharField(
            label=_("Country of all rows"),
            required=False,
            max_length=100,
            help_text=_("Where no column names it: a code or a name."),
        )

    def columns(self) -> list[str]:
        """The chosen headings, from narrow to wide, each once."""
        return list(dict.fromkeys(filter(None, (self.cleaned_data[name] for name, *_rest in PARTS))))
