"""The front page: what is the state of things?"""

from collections import Counter
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import path, reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from registry.filters import Selection, select
from registry.models import Edition, Incident
from registry.outputs import mapping, statistics
from registry.rules import workflow
from registry.rules.vocabularies import Holder, Kind, Status
from registry.templatetags.components import change

from .once import once

#: As many regions have a bar of their own; the others share one.
BARS = 12
INCIDENTS = 5
DAMAGE = [("kind", str(kind)) for kind in workflow.DAMAGE]
OPEN = [("status", str(status)) for status in statistics.OPEN]


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Figures, supply, damage by region and the newest incidents: staff their own areas now, everybody else
    the last edition."""
    selection = select(request.user, {})
    is_office = selection.holder == Holder.OFFICE
    edition = None if is_office else Edition.objects.using("reader").first()
    context: dict[str, Any] = {
        "nav": "home",
        "is_office": is_office,
        "as_of_edition": edition,
        "incidents": _incidents(selection),
        "no_areas": is_office and not selection.person.scope.areas,
    }
    if edition or is_office:
        on = timezone.localdate(edition and edition.at)
        context["edition"] = edition
        context["state"] = once("home", selection, edition, lambda: _state(selection, on))
    return render(request, "home/page.html", context)


def _state(selection: Selection, on: date) -> SafeString:
    """The figures, charts and map of a day."""
    is_office = selection.holder == Holder.OFFICE
    verified_on = on if is_office else on - timedelta(days=1)
    day = statistics.day(selection, on=on, verified_on=verified_on)
    context = {
        "day": day,
        "figures": _figures(day, verified_on, is_office=is_office),
        "areas": _bars(day, using=selection.using),
        "sketch": mapping.sketch(selection),
    }
    return render_to_string("home/_state.html", context)


def _list(*params: tuple[str, Any]) -> str:
    return f"{reverse('reports')}?{urlencode(params)}"


def _figures(day: statistics.Day, verified_on: date, *, is_office: bool) -> list[dict[str, Any]]:
    """The four figures in words, each with the list behind it."""
    since = _("yesterday") if is_office else _("the day before")
    on = verified_on.isoformat()
    verified = (
        _("Verified today")
        if is_office
        else _("Verified on %(day)s") % {"day": date_format(verified_on, "DATE_FORMAT")}
    )
    rows = [
        (_("Open damage"), day.open_damage, _list(*DAMAGE, *OPEN)),
        (verified, day.verified, _list(("verified_from", on), ("verified_to", on))),
        (
            _("Customers without supply"),
            day.customers_out,
            _list(("kind", Kind.OUTAGE), *(("status", status) for status in statistics.OUT)),
        ),
        (_("Repairs under way"), day.repairs, _list(("status", Status.REPAIR_IN_PROGRESS))),
    ]
    return [
        {
            "label": label,
            "n": figure.n,
            "url": url,
            "change": "" if figure.change is None else change(figure.change, since),
        }
        for label, figure, url in rows
    ]


def _bars(day: statistics.Day, *, using: str) -> list[dict[str, Any]]:
    """A bar for each area, the smallest ones together in the last."""
    shown, rest = day.areas[:BARS], day.areas[BARS:]
    names = statistics.area_names((code for code, _levels in shown), using=using)
    rows: list[dict[str, Any]] = [
        {
            "label": names.get(code) or _("Area not known"),
            "url": _list(("area", code), *DAMAGE, *OPEN) if code in names else "",
            "parts": list(levels.items()),
        }
        for code, levels in shown
    ]
    if rest:
        levels = sum((counts for _code, counts in rest), Counter())
        label = ngettext("%(n)d other area", "%(n)d other areas", len(rest)) % {"n": len(rest)}
        rows.append({"label": label, "parts": list(levels.items())})
    return rows


def _incidents(selection: Selection) -> Any:
    """The newest incidents; outsiders are shown those that were published."""
    incidents = Incident.objects.using(selection.using).prefetch_related("areas")
    if selection.holder != Holder.OFFICE:
        incidents = incidents.filter(published=True)
    return incidents[:INCIDENTS]


urlpatterns = [path("", home, name="home")]
