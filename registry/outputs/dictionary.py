"""What the files mean, in words, made of the column table, the vocabularies, the filters and the policy:
for the data page, ``/data/dictionary.csv`` and ``docs/data-dictionary.md``."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from registry.columns import SPAN, Column
from registry.filters import BoxField, MomentField, ReferenceField, Selection
from registry.rules import access
from registry.rules.access import Sight, UseClass

from .tables import TABLES

HEAD = ("column", "code", "type", "label", "meaning", "group", "hxl", "table")

CLASS_WORDS = {
    UseClass.DWELLING: gettext_lazy("Dwellings"),
    UseClass.BUILDING: gettext_lazy("Other buildings"),
    UseClass.SENSITIVE: gettext_lazy(
        "Hospitals, clinics, emergency services, government, industry, warehouses, buildings of unknown use"
    ),
    UseClass.NETWORK: gettext_lazy("Networks"),
    UseClass.ELECTRICITY: gettext_lazy("Losses of electricity, or of an unknown supply"),
    UseClass.OUTAGE: gettext_lazy("Losses of other supply, and closures"),
}
AREA_WORDS = {
    "settlement": gettext_lazy("down to the settlement"),
    "adm2": gettext_lazy("down to the district"),
    "adm1": gettext_lazy("the region only"),
}
WHEN_WORDS = {
    "moment": gettext_lazy("days and times"),
    "day": gettext_lazy("days without times"),
    "month": gettext_lazy("the month only, once it is over"),
}


@dataclass(frozen=True)
class SightInWords:
    """What an audience sees of one class of reports; ``hidden``: nothing at all."""

    what: Any
    hidden: bool
    after_hours: int = 0
    area: Any = ""
    place: str = ""
    when: Any = ""
    names: bool = False


def sights(audience: str) -> list[SightInWords]:
    """The policy that holds for an audience, one line for each class of reports."""
    return [_in_words(use_class, sight) for use_class, sight in access.policy(audience).items()]


def _in_words(use_class: UseClass, sight: Sight | None) -> SightInWords:
    if sight is None:
        return SightInWords(CLASS_WORDS[use_class], hidden=True)
    if sight.grid is None:
        place = _("no point")
    elif sight.grid:
        place = _("a point of a grid of %(step)s°") % {"step": f"{sight.grid / 1_000_000:g}"}
    else:
        place = _("the point as the register has it")
    return SightInWords(
        CLASS_WORDS[use_class],
        hidden=False,
        after_hours=int(sight.delay.total_seconds() // 3600),
        area=AREA_WORDS[sight.area],
        place=place,
        when=WHEN_WORDS[sight.when],
        names=sight.names_shown,
    )


def filters(selection: Selection) -> list[tuple[str, Any, str]]:
    """Every filter that this selection's reader has: its parameter, its label, what it takes."""
    return [(name, one.label, takes(one)) for name, one in selection.filterset.offered.items()]


def takes(one: Any) -> str:
    """What a filter takes, in words."""
    choices = one.extra.get("choices")
    if choices:
        codes = ", ".join(code for code, _words in choices if code)
        return codes if len(choices) == 1 else _("any of: %s") % codes
    return {
        forms.DateField: _("a day, such as 2026-03-31"),
        forms.ModelChoiceField: _("the code of an area, such as UA-63"),
        ReferenceField: _("a reference, such as 4F7K-92MX"),
        BoxField: _("west,south,east,north in degrees"),
        MomentField: _("a day or a moment, such as 2026-03-31T10:00:00Z"),
        forms.RegexField: _("me, or a person's number"),
    }.get(one.field_class) or _("words")


def table() -> Iterator[tuple[str, ...]]:
    """Header, then each column (code empty) followed by its codes, table by table."""
    yield HEAD
    for name, _label, columns in _own_columns():
        for column in columns:
            yield (
                column.name, "", column.type, str(column.label), str(column.help), column.group, column.hxl, name,
            )  # fmt: skip
            for code, words in column.codes:
                if code:
                    yield (column.name, code, "", str(words), "", "", "", name)


def _own_columns() -> list[tuple[str, Any, tuple[Column, ...]]]:
    """The tables for everybody, each with its name, its label and its columns; of versions those that reports
    have not."""
    tables = [table for table in TABLES.values() if not table.office]
    own = {"versions": SPAN}
    return [(table.name, table.label, own.get(table.name, table.columns)) for table in tables]


def markdown() -> str:
    """The dictionary as a page of the documentation."""
    lines = [
        "# Data dictionary",
        "",
        "Written by `manage.py dictionary`; do not edit. The columns of every table in their order. Empty is missing",
        "or withheld; of reports the column `withheld` says what was withheld.",
    ]
    coded: dict[str, list[tuple[str, Any]]] = {}
    for name, label, columns in _own_columns():
        lines += [
            "",
            f"## {label} (`{name}`)",
            "",
            "| column | type | meaning | group | HXL |",
            "|---|---|---|---|---|",
        ]
        for column in columns:
            said = str(column.label)
            meaning = f"{said[:1].upper()}{said[1:]}. {column.help}".strip()
            lines.append(f"| `{column.name}` | {column.type} | {meaning} | {column.group} | `{column.hxl}` |")
            if column.codes and column.codes not in coded.values():
                coded[column.name if column.name not in coded else f"{name}.{column.name}"] = column.codes
    lines += ["", "## Codes"]
    for name, choices in coded.items():
        lines += ["", f"### {name}", "", "| code | meaning |", "|---|---|"]
        lines += [f"| `{code}` | {words} |" for code, words in choices if code]
    return "\n".join(lines) + "\n"
