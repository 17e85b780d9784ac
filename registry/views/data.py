"""The page that says what may be taken away and what is in it, and the dictionary."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.views.decorators.http import require_safe

from registry.columns import COLUMNS
from registry.filters import Selection, select
from registry.outputs import dictionary
from registry.outputs.formats import FORMATS
from registry.outputs.tables import TABLES, edition_of
from registry.rules import access
from registry.rules.access import Verb
from registry.rules.vocabularies import Holder

from .files import small_csv
from .presets import cite, saved_by
from .then import then

#: What the names of the columns and a row of a file usually take.
HEAD_BYTES, ROW_BYTES = 800, 500


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """*What may I take, and can I trust it?*"""
    selection = select(request.user, request.GET)
    is_office = selection.holder == Holder.OFFICE
    count = selection.count(thorough=True)
    edition = edition_of(selection)
    context = {
        "nav": "data",
        "selection": selection,
        "chips": [(words, f"{request.path}?{query}") for words, query in selection.parts],
        "clear_url": request.path,
        "count": count,
        "size": HEAD_BYTES + count.n * ROW_BYTES,
        "is_office": is_office,
        "is_staff": access.is_staff(request.user),
        "may_release": access.may(request.user, Verb.RELEASE),
        "office_query": selection.query_without("view"),
        "sights": [] if is_office else dictionary.sights(selection.holder),
        "withheld": edition and edition.withheld.get(selection.holder),
        "small_figure": access.SMALLEST_FIGURE_SHOWN - 1,
        "tables": _tables(selection),
        # Those first that take longest.
        "formats": sorted(((one.name, one.label) for one in FORMATS.values()), key=_streams),
        "columns": COLUMNS,
        "filters": dictionary.filters(selection),
        "then": then(request, selection),
        "citation": cite(selection, edition, door="data"),
        "saved": saved_by(request),
    }
    return render(request, "data/page.html", context)


def _streams(choice: tuple[str, Any]) -> bool:
    return FORMATS[choice[0]].streams


def _tables(selection: Selection) -> list[tuple[str, Any, list[tuple[str, Any]]]]:
    """The tables this selection can be taken as: name, label, and the address and label of each format."""
    there = [table for table in TABLES.values() if table.is_for(selection)]
    formats = [(one.name, one.label) for one in FORMATS.values()]
    return [
        (
            table.name,
            table.label,
            [(reverse(f"{table.name}-file", args=[end]), label) for end, label in formats],
        )
        for table in there
    ]


@require_safe
def dictionary_csv(request: HttpRequest) -> HttpResponse:
    """Every column and every code with its meaning."""
    return small_csv(dictionary.table(), "damage-dictionary.csv")


urlpatterns = [
    path("data", page, name="data"),
    path("data/dictionary.csv", dictionary_csv, name="dictionary-csv"),
]
