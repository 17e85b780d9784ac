"""The form by which somebody asks for a release."""

from typing import Any

from django import forms
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _

from registry.models import Edition, Release
from registry.rules import access
from registry.rules.vocabularies import Holder

#: As many editions are offered; the command takes any.
EDITIONS = 60


class _Editions(forms.ModelChoiceField):
    def label_from_instance(self, edition: Any) -> str:
        return date_format(timezone.localtime(edition.at), "DATETIME_FORMAT")


class ReleaseForm(forms.Form):
    """``query``: the filter of the rows; releases of the same filter are offered to go on from."""

    title = forms.CharField(
        label=_("Title"), max_length=200, required=False, help_text=_("Empty: the filter in words.")
    )
    audience = forms.ChoiceField(label=_("For whom"), widget=forms.RadioSelect)
    edition = _Editions(label=_("Edition"), queryset=Edition.objects.none(), empty_label=None)
    since = forms.ModelChoiceField(
        label=_("Only what changed since"),
        queryset=Release.objects.none(),
        required=False,
        empty_label=_("Everything"),
    )

    def __init__(self, *args: Any, person: Any, query: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        audiences = [one for one in access.AUDIENCES if access.reads(person, one)]
        fields: dict[str, Any] = self.fields
        fields["audience"].choices = [(one, Holder(one).label) for one in audiences]
        newest = Edition.objects.values_list("pk", flat=True)[:EDITIONS]
        fields["edition"].queryset = Edition.objects.filter(pk__in=list(newest))
        made = Release.objects.filter(state=Release.State.MADE, query=query, since=None)
        fields["since"].queryset = made
        self.initial.setdefault("audience", Holder.PUBLIC)
