"""The table of reports, on every page that lists some. Written row by row without a template: a page has fifty."""

from collections.abc import Callable, Iterable
from typing import Any

from django import template
from django.urls import reverse
from django.utils.html import conditional_escape, escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from registry.outputs.telling import what
from registry.rules.vocabularies import Kind

from . import components as show

register = template.Library()

#: What must be read of a row to show it: to all, and to the ``office``.
COLUMNS = (
    "reference", "kind", "sector", "object_type", "object_name", "address", "settlement", "adm3_name",
    "adm2_name", "adm1_name", "country", "occurred_from", "occurred_to", "date_precision", "damage_level",
    "restriction", "customers_unit", "customers_out", "status", "withheld",
)  # fmt: skip
OFFICE_COLUMNS = (*COLUMNS, "danger", "updated_utc")


def _what(row: Any, *, danger: bool) -> SafeString:
    # The past does not hold it.
    tags = show.tag_danger(getattr(row, "danger", "")) if danger else ""
    return format_html("<div>{}{}</div>", what(row), format_html(" {}", tags) if tags else "")


def _damage(row: Any) -> SafeString:
    if row.kind != Kind.OUTAGE:
        words: str = show.tag_level(row.damage_level)
    elif row.restriction:
        words = show.label_of(row.restriction, "restriction")
    elif row.customers_unit:
        figure = show.number(row.customers_out, withheld=show.withholds(row, "figures"))
        words = format_html("{} {}", figure, show.label_of(row.customers_unit, "customers_unit").lower())
    else:
        words = show.value("")
    return format_html("<div>{}</div>", words)


@register.simple_tag
def report_table(rows: Iterable[Any], office: bool = False, query: str = "") -> SafeString:
    """Reports, one a row; the ``office`` sees danger and how long each has waited. ``query``: what keeps the
    links at a moment in the past, when nothing waits."""
    end = escape(f"?{query}" if query else "")
    columns: list[tuple[str, Callable[[Any], str]]] = [
        (_("What"), lambda row: _what(row, danger=office)),
        (_("Where"), show.place),
        (_("When"), show.when),
        (_("Damage"), _damage),
        (_("Status"), lambda row: show.tag_status(row.status)),
    ]
    if office and not query:
        columns.append((_("Waits"), lambda row: show.waits(row.updated_utc)))
    columns = [(escape(words), cell) for words, cell in columns]
    heads = "".join(f'<th scope="col">{words}</th>' for words in (escape(_("Reference")), *dict(columns)))
    page = reverse("report", args=["reference"])[: -len("reference")]
    lines = [
        f'<tr><th scope="row"><a class="reference" href="{page}{row.reference}{end}">'
        f"{row.reference}</a></th>"
        + "".join(f'<td data-label="{words}">{conditional_escape(cell(row))}</td>' for words, cell in columns)
        + "</tr>"
        for row in rows
    ]
    body = "\n".join(lines)
    return mark_safe(
        f'<table class="cards">\n<thead><tr>{heads}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table>'
    )
