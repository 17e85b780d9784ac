"""The parts pages are made of: form fields, tags, places, moments and numbers, each in one way everywhere.

What is not known, what is withheld and zero look different from each other in every one of them.
"""

import re
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django import template
from django.forms import (
    BaseForm,
    BoundField,
    CheckboxInput,
    CheckboxSelectMultiple,
    MultiWidget,
    RadioSelect,
    SelectDateWidget,
)
from django.utils import formats, timezone
from django.utils.html import escape, format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.timesince import timesince
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from registry.outputs.telling import kept, what
from registry.rules import vocabularies

register = template.Library()


# Forms


@register.inclusion_tag("_field.html")
def field(bound: BoundField, look: str = "", width: int | str = "", label: str = "") -> dict[str, Any]:
    """Label, hint, error and control of one form field, tied together for screen readers.

    ``look`` is "big" (choices as large boxes) or "inline" (choices in one row); ``width`` the number of
    characters a control should look made for; ``label`` replaces the field's own.
    """
    match bound.field.widget:
        case RadioSelect() | CheckboxSelectMultiple():
            shape = "choices"
        case CheckboxInput():
            shape = "tick"
        case MultiWidget() | SelectDateWidget():
            shape = "group"
        case _:
            shape = "single"
    hints = getattr(bound.field, "choice_hints", {})
    attrs: dict[str, str | bool] = {"class": f"width-{width}"} if width else {}
    if shape in ("single", "tick") and bound.aria_describedby:
        attrs["aria-describedby"] = bound.aria_describedby
    return {
        "bound": bound,
        "label": label or bound.label,
        "look": look,
        "shape": shape,
        "choices": [(choice, hints.get(str(choice.data["value"]))) for choice in bound.subwidgets]
        if shape == "choices"
        else (),
        "control": "" if shape == "choices" else bound.as_widget(attrs=attrs),
    }


@register.inclusion_tag("_fields.html")
def fields(form: BaseForm) -> dict[str, Any]:
    """Hidden and visible fields of a form, in its order."""
    return {"form": form}


@register.inclusion_tag("_error_summary.html")
def error_summary(*forms: BaseForm) -> dict[str, Any]:
    """What is wrong with these forms, each error a link to its field; nothing where nothing is wrong."""
    errors: list[tuple[str, Any, Any]] = []
    for form in forms:
        errors += [("", "", error) for error in form.non_field_errors()]
        for bound in form:
            # A set of radios has no id of its own: the first of them is where the answer is given.
            target = bound.subwidgets[0].id_for_label if bound.subwidgets else ""
            errors += [("" if bound.is_hidden else target, bound.label, error) for error in bound.errors]
    return {"errors": errors}


@register.simple_tag
def submit(label: str, look: str = "", name: str = "", value: str = "") -> SafeString:
    """The button that sends a form; ``look`` is "secondary" or "warning"."""
    return format_html(
        '<button type="submit" class="button{}"{}>{}</button>',
        f" button-{look}" if look else "",
        format_html(' name="{}" value="{}"', name, value) if name else "",
        label,
    )


@register.filter
def bound(form: BaseForm, name: str) -> BoundField:
    """The field of this name, of a form whose fields depend on what it is about."""
    return form[name]


# Codes


@register.filter
def label_of(code: str | None, vocabulary: str) -> str:
    """The words of a code; "not known" for none."""
    return str(vocabularies.label(vocabulary, code)) if code else _("not known")


@register.filter
def withholds(row: Any, word: str) -> bool:
    """Whether the row says that this was withheld from its reader: a word of ``vocabularies.Withheld``."""
    return word in row.withheld.split()


def _missing(withheld: bool) -> SafeString:
    name, words = ("withheld", _("withheld")) if withheld else ("unknown", _("not known"))
    return format_html('<span class="{}">{}</span>', name, words)


@register.simple_tag
@kept
def tag_status(code: str) -> SafeString:
    """A status: the word first, the colour second."""
    return format_html('<strong class="tag status-{}">{}</strong>', code, vocabularies.label("status", code))


@register.simple_tag
@kept
def tag_level(code: str | None, withheld: bool = False) -> SafeString:
    """A damage level on the one scale of tags, charts and map; None is not known."""
    if withheld:
        return format_html('<strong class="tag level-withheld">{}</strong>', _("Withheld"))
    code = code or "unknown"
    words = _("Damage not known") if code == "unknown" else vocabularies.label("damage_level", code)
    return format_html('<strong class="tag level-{}">{}</strong>', code, words)


@register.simple_tag
def tag_danger(codes: str | Iterable[str] | None) -> SafeString:
    """Dangers to people: one code, several, or several in one text; nothing for none."""
    if not codes:
        return SafeString()
    listed = re.findall(r"\w+", codes) if isinstance(codes, str) else codes
    return format_html_join(
        " ",
        '<strong class="tag tag-danger">{}</strong>',
        ((vocabularies.label("danger", code),) for code in listed),
    )


# Places, moments, numbers


register.simple_tag(what)


@register.simple_tag
def place(row: Any) -> SafeString | str:
    """Where, from small to large, each name once: ``Lenina 5, Shebekino, Belgorod region``.

    A district is named only where nothing smaller is known.
    """
    names = (row.address, row.settlement or row.adm3_name or row.adm2_name, row.adm1_name)
    return ", ".join(dict.fromkeys(filter(None, names))) or row.country or _missing(withholds(row, "area"))


#: How finely a day is said → how it is written for machines and for people.
_FINENESS = {"day": (10, "DATE_FORMAT"), "month": (7, "YEAR_MONTH_FORMAT"), "year": (4, "Y")}


def _time(day: date, fineness: str = "day") -> SafeString:
    length, style = _FINENESS[fineness]
    words = formats.date_format(day, style)
    return format_html('<time datetime="{}">{}</time>', day.isoformat()[:length], words)


@register.simple_tag
def when(row: Any) -> SafeString:
    """The civil dates of a row, as finely as they are known and shown."""
    precision = "month" if withholds(row, "days") else row.date_precision
    return _days(row.occurred_from, row.occurred_to, precision)


@kept
def _days(first: date | None, last: date | None, precision: str) -> SafeString:
    if last is None:
        return _missing(False)
    if first is None:
        return format_html(_("before {}"), _time(last))
    fineness = precision if precision in _FINENESS else "day"
    one, other = _time(first, fineness), _time(last, fineness)
    return other if one == other else format_html(_("{} to {}"), one, other)


@register.simple_tag
def moment(at: datetime | None, zone: str = "") -> SafeString:
    """Day and time on the clocks of ``zone``, which is then named; without one, on the reader's."""
    if at is None:
        return _missing(False)
    local = timezone.localtime(at, ZoneInfo(zone) if zone else None)
    words = formats.date_format(local, "DATETIME_FORMAT")
    city = zone.rpartition("/")[2].replace("_", " ")
    where = format_html(' <span class="quiet">({})</span>', city) if zone else ""
    return format_html('<time datetime="{}">{}</time>{}', local.isoformat(timespec="seconds"), words, where)


@register.simple_tag
def waits(since: datetime | date) -> SafeString:
    """How long something has waited, in its largest unit; the moment itself in the title."""
    if isinstance(since, datetime):
        day, long = timezone.localdate(since), _since(since)
    else:
        day, long = since, timesince(since, depth=1)
    # Both are words of ours, and a list has fifty.
    return mark_safe(f'<time datetime="{since.isoformat()}" title="{_written(day)}">{long}</time>')


@kept
def _written(day: date) -> str:
    return escape(formats.date_format(day, "DATE_FORMAT"))


def _since(moment: datetime) -> str:
    now = timezone.now().astimezone(moment.tzinfo)
    if now - moment < timedelta(days=1):
        return timesince(moment, now, depth=1)
    return _days_since(moment.date(), now.date(), moment.time() > now.time())


@kept
def _days_since(day: date, today: date, later: bool) -> str:
    """How long ago a day was, in its largest unit, at the same time of the day or, if ``later``, before it."""
    noon = time(12)
    return timesince(
        datetime.combine(day, time(13) if later else noon), datetime.combine(today, noon), depth=1
    )


def _grouped(n: Any) -> str:
    return formats.number_format(n, use_l10n=True, force_grouping=True)


@register.simple_tag
def number(n: Any, withheld: bool = False) -> SafeString | str:
    """A figure in the reader's language; None is not known, unless it is withheld."""
    if withheld or n is None:
        return _missing(withheld)
    return format_html('<span class="n">{}</span>', _grouped(n))


@register.simple_tag
def value(text: Any, withheld: bool = False) -> Any:
    """The text, or words for why there is none."""
    return _missing(withheld) if withheld or text is None or text == "" else text


@register.simple_tag
def change(n: int | None, since: str) -> SafeString | str:
    """A difference in words: ``12 more than yesterday``, ``3 fewer than yesterday``, ``as yesterday``."""
    if n is None:
        return _missing(False)
    if n == 0:
        return _("as %(since)s") % {"since": since}
    words = (
        ngettext("%(n)s more than %(since)s", "%(n)s more than %(since)s", n)
        if n > 0
        else ngettext("%(n)s fewer than %(since)s", "%(n)s fewer than %(since)s", -n)
    )
    return words % {"n": _grouped(abs(n)), "since": since}


@register.inclusion_tag("_figure.html")
def figure(label: str, n: Any, url: str = "", change: str = "") -> dict[str, Any]:
    """One large figure with its list behind it; ``change`` in words."""
    return {"label": label, "n": n, "url": url, "change": change}
