"""What is asked about people: their rights, their own account, and how an invitation is taken up."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth.password_validation import password_validators_help_text_html, validate_password
from django.db.models import Q, QuerySet
from django.forms.utils import ErrorDict
from django.utils.translation import gettext_lazy as _

from registry.models import Area, Person
from registry.rules import access
from registry.rules.vocabularies import Role, Sector, TokenScope

AREAS_FOUND = 30


def find_areas(text: str) -> QuerySet[Area]:
    """Areas of this code, or whose name begins so in any of its languages, the largest first."""
    found = Q(code__iexact=text)
    # SQLite tells Cyrillic capitals from small letters.
    for start in {text, text[:1].upper() + text[1:]}:
        for name in ("name", "name_local", "name_uk", "name_ru"):
            found |= Q(**{f"{name}__istartswith": start})
    return Area.objects.filter(found).order_by("level", "name", "code")


class AreasField(forms.ModelMultipleChoiceField):
    """Areas as ticks, each named with what it lies in."""

    widget = forms.CheckboxSelectMultiple

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(Area.objects.none(), to_field_name="code", **kwargs)

    def offer(self, codes: Iterable[str]) -> None:
        self.queryset = (
            Area.objects.filter(code__in=codes).select_related("parent__parent").order_by("level", "name")
        )

    def label_from_instance(self, area: Any) -> str:
        names = [str(area)]
        while area := area.parent:
            names.append(str(area))
        return ", ".join(names)


class RightsForm(forms.Form):
    """Role, areas and sectors. An area is found by typing its name and asking for matches, then ticked."""

    role = forms.ChoiceField(label=_("Role"), choices=Role.choices, widget=forms.RadioSelect)
    areas = AreasField(label=_("Areas"), required=False, help_text=_("Each with all that lies in it."))
    find_area = forms.CharField(
        label=_("Add an area"),
        required=False,
        max_length=100,
        help_text=_(
            "The beginning of its name, or its code, such as UA-63. Then choose “Find”, and tick it above."
        ),
    )
    sectors = forms.MultipleChoiceField(
        label=_("Sectors"), required=False, choices=Sector.choices, widget=forms.CheckboxSelectMultiple
    )
    is_administrator = forms.BooleanField(
        label=_("Administrator"), required=False, help_text=_("May invite people and give roles and areas.")
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        data: Any = self.data
        ticked = data.getlist("areas") if self.is_bound else self.initial.get("areas", ())
        text = self.data.get("find_area", "").strip()
        self.found = [area.code for area in find_areas(text)[:AREAS_FOUND]] if text else []
        field: Any = self.fields["areas"]
        field.offer({*ticked, *self.found})

    def only_find(self) -> None:
        """Show the areas found beside all that was typed, without judging the rest before it is sent."""
        self._errors = ErrorDict()
        if self.data.get("find_area", "").strip() and not self.found:
            self._errors["find_area"] = self.error_class(
                [str(_("No area is called that, and none has this code."))]
            )

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        areas = [area.code for area in cleaned.get("areas", ())]
        if cleaned.get("find_area") and not set(areas) & set(self.found):
            self.add_error("find_area", _("Tick the area you mean, or leave this empty."))
        elif cleaned.get("role") in access.STAFF and not areas:
            self.add_error("areas", _("Choose the areas in which this person works."))
        if cleaned.get("role") == Role.OPERATOR and not cleaned.get("sectors"):
            self.add_error("sectors", _("Choose the sectors of this operator."))
        return cleaned

    def rights(self) -> dict[str, Any]:
        """What the actions take."""
        return {name: self.cleaned_data[name] for name in ("role", "areas", "sectors", "is_administrator")}


class InviteForm(RightsForm):
    email = forms.EmailField(
        label=_("Email address"), help_text=_("The invitation goes to it; it serves once, for 72 hours.")
    )
    name = forms.CharField(label=_("Name"), max_length=150)
    field_order = ("email", "name")

    def clean_email(self) -> str:
        email: str = self.cleaned_data["email"].lower()
        if Person.objects.filter(email=email).exists():
            raise forms.ValidationError(_("There is an account for this address already."))
        return email


class PeopleFilter(forms.Form):
    text = forms.CharField(label=_("Name or address"), required=False, max_length=100)
    role = forms.ChoiceField(label=_("Role"), required=False, choices=[("", _("Any")), *Role.choices])


class AcceptForm(forms.Form):
    """What an invited person says: their name and a password."""

    name = forms.CharField(
        label=_("Your name"),
        max_length=150,
        help_text=_("As your colleagues know you; it stands beside what you do here."),
    )
    password = forms.CharField(
        label=_("Password"),
        strip=False,
        help_text=password_validators_help_text_html(),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def __init__(self, *args: Any, email: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.email = email

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if password := cleaned.get("password"):
            try:
                validate_password(password, Person(email=self.email, name=cleaned.get("name", "")))
            except forms.ValidationError as error:
                self.add_error("password", error)
        return cleaned


class TokenForm(forms.Form):
    """A token for a program of one's own."""

    name = forms.CharField(
        label=_("What is it for?"),
        max_length=100,
        help_text=_("Such as “R on my laptop”: you see it in the list."),
    )
    scope = forms.ChoiceField(
        label=_("What may it be used for?"),
        choices=TokenScope.choices,
        widget=forms.RadioSelect,
        initial=TokenScope.READ,
    )
    days = forms.TypedChoiceField(
        label=_("How long does it serve?"),
        coerce=int,
        choices=[(7, _("A week")), (30, _("30 days")), (90, _("90 days")), (365, _("A year"))],
        initial=90,
    )


class AccountForm(forms.Form):
    """What people change about themselves."""

    name = forms.CharField(label=_("Name"), max_length=150)
    language = forms.ChoiceField(
        label=_("Language"), required=False, choices=[("", _("As my browser asks")), *settings.LANGUAGES]
    )
