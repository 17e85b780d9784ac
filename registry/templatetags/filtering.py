"""The filters of lists, as fields of a form. What is not asked for looks the same to everybody who is offered
the same choices, so it is drawn once."""

from copy import copy, deepcopy
from typing import Any

from django import forms, template
from django.forms.utils import ErrorDict
from django.http import QueryDict
from django.template.loader import render_to_string
from django.utils.safestring import SafeString, mark_safe

from registry.filters import EVERY_FILTER, Selection
from registry.outputs.telling import kept

from .components import field

register = template.Library()

#: As many fields are shown at once; the others are folded.
SHOWN = 6
Choices = tuple[tuple[str, Any], ...] | None


@register.simple_tag
def filter_fields(filters: forms.BaseForm | Selection) -> dict[str, Any]:
    """The fields of a form or of a selection's filters: ``hidden`` ones, those ``shown`` at once, ``more``,
    and whether any of the latter is ``given``."""
    if isinstance(filters, Selection):
        drawn = [
            (name, one.field.widget.is_hidden, _of_selection(filters, name))
            for name, one in filters.filterset.offered.items()
        ]
        asked = set(filters.params)
    else:
        drawn = [(bound.name, bound.is_hidden, _drawn(bound)) for bound in filters]
        asked = {bound.name for bound in filters if bound.data}
    visible = [(name, words) for name, is_hidden, words in drawn if not is_hidden]
    return {
        "hidden": _together(words for _name, is_hidden, words in drawn if is_hidden),
        "shown": _together(words for _name, words in visible[:SHOWN]),
        "more": _together(words for _name, words in visible[SHOWN:]),
        "given": any(name in asked for name, _words in visible[SHOWN:]),
    }


def _together(drawn: Any) -> SafeString:
    return mark_safe("".join(drawn))


def _drawn(bound: forms.BoundField) -> str:
    return render_to_string("_field.html", field(bound))


def _of_selection(selection: Selection, name: str) -> str:
    choices = selection.choices.get(name)
    if name in selection.params:
        return _filter(name, choices, selection.filterset.data)
    return _blank(name, choices)


@kept
def _blank(name: str, choices: Choices) -> str:
    """A filter that is not asked for, for those who are offered these choices."""
    return _filter(name, choices, QueryDict())


def _filter(name: str, choices: Choices, data: QueryDict) -> str:
    one = copy(EVERY_FILTER[name].field)
    if choices is not None:
        one.widget = deepcopy(one.widget)
        one.widget.choices = choices
    form = forms.Form(data)
    form.fields[name] = one
    # A selection is of what was understood.
    form._errors = ErrorDict()  # type: ignore[attr-defined]
    return _drawn(form[name])
