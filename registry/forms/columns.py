"""What somebody says of the columns of their table: answers to questions about a proposal.

A question is asked where there is something to say: what a column is, of every one; how its days are read, of
those that can be read two ways; what its words mean, of those whose words decide.
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from itertools import product
from typing import Any

from django import forms
from django.utils.formats import date_format
from django.utils.text import format_lazy, slugify
from django.utils.translation import gettext_lazy as _

from registry.rules import scales
from registry.rules import vocabularies as v
from registry.tabular import ENCODINGS, Layout
from registry.tabular.sample import Sample

from .moments import parsed
from .proposals import ROLES, Column, propose
from .proposals.values import OTHER_WAY

_NOT_KNOWN = ("", _("Not known: choose"))
_NO_GRADE = ("", _("No grade"))
_LEFT_OUT = ("leave_out", _("Leave these rows out"))
_BUILDINGS = [(f"building//{code}", words) for code, words in v.BuildingUse.choices]
THINGS: list[Any] = [
    _NOT_KNOWN,
    _LEFT_OUT,
    (v.Kind.BUILDING.label, _BUILDINGS),
    *(
        (
            words,
            [
                (f"network/{sector}/{code}", format_lazy("{}: {}", words, v.label("object_type", code)))
                for code in v.NETWORK_OBJECTS[sector]
            ],
        )
        for sector, words in v.Sector.choices
    ),
    (v.Kind.OUTAGE.label, [(f"outage/{sector}/", words) for sector, words in v.Sector.choices]),
]
CAUSES: list[Any] = [
    _NOT_KNOWN,
    *(
        (
            words,
            [
                (f"{group}/", words),
                *((f"{group}/{code}", label) for code, label in v.Cause.choices if code != "unknown"),
            ],
        )
        for group, words in v.CauseGroup.choices
    ),
]


@dataclass
class Asked:
    """The fields of a page about one column."""

    column: Column
    role: str
    days: str = ""
    scale: str = ""
    #: The name of a field, the word it is about, and how often that stands.
    means: list[tuple[str, str, int]] = field(default_factory=list)

    @property
    def unknown(self) -> int:
        """How many of the words nobody knows."""
        return sum(not self.column.means[word] for _name, word, _times in self.means)


class ColumnsForm(forms.Form):
    """``answers``: what was said before, or is said now. ``proposal`` is what becomes of them, ``asked`` the
    questions by column; ``unasked`` are those that an answer has raised, so that they were not seen yet."""

    name = forms.CharField(
        label=_("Keep this reading as"),
        max_length=60,
        help_text=_("The next table with these columns is read the same way."),
    )
    kind = forms.ChoiceField(label=_("What the rows are about"), choices=v.Kind.choices, required=False)
    sector = forms.ChoiceField(label=_("Supply or network"), choices=v.Sector.choices, required=False)
    country = forms.CharField(label=_("Country"), max_length=100, required=False)
    cause_group = forms.ChoiceField(
        label=_("Caused by"), choices=[("", _("Not known")), *v.CauseGroup.choices], required=False
    )
    sheet = forms.CharField(required=False, widget=forms.HiddenInput)
    headings = forms.CharField(required=False, widget=forms.HiddenInput)
    encoding = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(
        self, sample: Sample, *, title: str, name: str, answers: Mapping[str, str], sent: bool
    ) -> None:
        self.proposal = propose(sample, slugify(answers.get("name", "")) or name, title)
        self.answers, self.unasked = answers, False
        super().__init__(answers if sent else None, initial={"name": name, **answers})
        self.asked = [self._ask(number, column) for number, column in enumerate(self.proposal.columns)]
        self._ask_of_all()

    def _said(self, key: str, otherwise: str) -> str:
        """An answer, or what is proposed where the question was not asked."""
        return self.answers.get(key, otherwise)

    def _choice(self, key: str, label: Any, choices: list[Any], proposed: str) -> str:
        """A select whose first value is what is proposed; the valid answer."""
        self.fields[key] = forms.ChoiceField(label=label, choices=choices, required=False, initial=proposed)
        if key not in self.answers and self.is_bound:
            # The question is new: it shows what is proposed, and is to be seen before it counts.
            self.unasked = True
            self.data = {**self.data, key: proposed}
        said = self._said(key, proposed)
        return said if self.fields[key].valid_value(said) else proposed  # type: ignore[attr-defined]

    def _ask(self, number: int, column: Column) -> Asked:
        asked = Asked(column, f"role-{number}")
        roles = [("", _("Not read")), *ROLES.items()]
        role = self._choice(asked.role, _("“%(name)s” is") % {"name": column.name}, roles, column.role)
        if role != column.role:
            column.take(role)
            column.sure = 1.0
        if column.either:
            asked.days = f"days-{number}"
            self.fields[asked.days] = forms.ChoiceField(
                label=_("How are the days of “%(name)s” read?") % {"name": column.name},
                choices=_two_ways(column),
                widget=forms.RadioSelect,
                error_messages={"required": _("Say which comes first, the day or the month: both would do.")},
            )
            if self._said(asked.days, "") == "turned":
                column.turn()
        if role == "grade":
            asked.scale = f"scale-{number}"
            scale = self._choice(
                asked.scale, _("Scale"), [("", _("None of these")), *scales.SCALE_CHOICES], column.scale
            )
            if scale != column.scale:
                column.grade_on(scale)
        asked.means = [
            (f"means-{number}-{role}{column.scale}-{place}", word, column.cells[word])
            for place, word in enumerate(column.means)
        ]
        for key, word, _times in asked.means:
            column.means[word] = self._choice(key, word, _meanings(column), column.means[word])
        return asked

    def _ask_of_all(self) -> None:
        proposal = self.proposal
        for name in ("kind", "sector", "country", "cause_group"):
            proposed = str(getattr(proposal, name))
            self.fields[name].initial = proposed
            setattr(proposal, name, self._said(name, proposed))
            if self.is_bound:
                self.data = {**self.data, name: self._said(name, proposed)}
        if proposal.of("what"):
            del self.fields["kind"], self.fields["sector"]
        if proposal.of("country"):
            del self.fields["country"]
        if proposal.of("cause"):
            del self.fields["cause_group"]
        said = layout_of(self.answers)
        proposal.layout = {key: value for key, value in asdict(said).items() if value}

    def clean(self) -> dict[str, Any]:
        for lacking in self.proposal.lacks():
            self.add_error(None, lacking)
        roles = [asked.column.role for asked in self.asked]
        for asked in self.asked:
            role = asked.column.role
            if role and role not in ("description", "cause") and roles.count(role) > 1:
                self.add_error(asked.role, _("Two columns cannot both be: %(role)s.") % {"role": ROLES[role]})
            elif (
                role in ("day", "moment", "back", "back_day", "time", "back_time")
                and not asked.column.formats
            ):
                self.add_error(asked.role, _("These cells are no days or times that can be read."))
        return self.cleaned_data

    def clean_name(self) -> str:
        name = slugify(self.cleaned_data["name"])
        if not name:
            raise forms.ValidationError(_("Use letters from a to z, digits and hyphens."))
        return name


#: What a text may be taken for wrongly: UTF-8 and UTF-16 are known by their form.
_BY_LETTERS = [(code, words) for code, words in ENCODINGS.items() if not code.startswith("utf")]


class LayoutForm(forms.Form):
    """Where in its file the table lies."""

    sheet = forms.ChoiceField(label=_("Sheet"), required=False)
    headings = forms.IntegerField(label=_("Row of the headings"), min_value=1, required=False)
    encoding = forms.ChoiceField(label=_("Encoding"), required=False, choices=_BY_LETTERS)

    def __init__(self, sample: Sample) -> None:
        super().__init__(initial={"sheet": sample.sheet, "headings": sample.row, "encoding": sample.encoding})
        self.fields["sheet"].choices = [(one, one) for one in sample.sheets]  # type: ignore[attr-defined]
        if len(sample.sheets) < 2:
            del self.fields["sheet"]
        if sample.encoding not in dict(_BY_LETTERS):
            del self.fields["encoding"]


def layout_of(answers: Mapping[str, str]) -> Layout:
    """How the table lies in its file, as far as somebody said."""
    row, encoding = answers.get("headings", ""), answers.get("encoding", "")
    return Layout(
        sheet=answers.get("sheet", ""),
        headings=int(row) if row.isdecimal() and len(row) < 8 else 0,
        encoding=encoding if encoding in dict(_BY_LETTERS) else "",
    )


def _meanings(column: Column) -> list[Any]:
    if column.role == "what":
        return THINGS
    if column.role == "cause":
        return CAUSES
    scale = scales.SCALES.get(column.scale)
    return [_NO_GRADE, *((grade.code, grade.label) for grade in (scale.grades if scale else ()))]


def _two_ways(column: Column) -> Iterator[tuple[str, Any]]:
    """Both readings of a cell, in words."""
    for text, format in product(column.known, column.formats):
        one, other = parsed(text, format), parsed(text, OTHER_WAY.get(format, format))
        if one and other and one != other:
            yield "as", _day_first % {"text": text, "day": _in_words(one)}
            yield "turned", _month_first % {"text": text, "day": _in_words(other)}
            return


_day_first, _month_first = _("Day first: %(text)s is %(day)s"), _("Month first: %(text)s is %(day)s")


def _in_words(day: datetime) -> str:
    return date_format(day, "j F Y")
