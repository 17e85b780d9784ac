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

from registry.filters import Selection, select, single
from registry.outputs import mapping, reading, statistics
from registry.outputs.tables import edition_of
from registry.rules import workflow
from registry.rules.vocabularies import Holder, Kind, Status
from registry.templatetags.components import change

from .once import once
from .then import then

#: As many regions have a bar of their own; the others share one.
BARS = 12
INCIDENTS = 5
DAMAGE = [("kind", str(kind)) for kind in workflow.DAMAGE]
OPEN = [("status", str(status)) for status in statistics.OPEN]


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Figures, supply, damage by region and the newest incidents: staff their own areas now, everybody else
    the last edition; or as of a moment (``as_of``)."""
    selection = select(request.user, {"as_of": single(request.GET, "as_of")})
    is_office = selection.holder == Holder.OFFICE
    edition = edition_of(selection)
    incidents = reading.incidents(request.user, as_of=selection.as_of).using(selection.using)
    context: dict[str, Any] = {
        "nav": "home",
        "is_office": is_office,
        "as_of_edition": edition,
        "incidents": incidents.prefetch_related("areas")[:INCIDENTS],
        "then": then(request, selection),
        "no_areas": is_office and not selection.person.scope.areas,
    }
    if edition or is_office:
        on = timezone.localdate(selection.as_of or (edition and edition.at))
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
        "figures": _figures(selection, day, verified_on),
        "areas": _bars(selection, day),
        "then_query": selection.query,
        "sketch": mapping.sketch(selection),
    }
    return render_to_string("home/_state.html", context)


def _list(selection: Selection, *params: tuple[str, Any]) -> str:
    """The address of a list, as of the same moment."""
    asked = [*params, *(("as_of", moment) for moment in selection.params.get("as_of", ()))]
    return f"{reverse('reports')}?{urlencode(asked)}"


def _figures(selection: Selection, day: statistics.Day, verified_on: date) -> list[dict[str, Any]]:
    """The four figures in words, each with the list behind it."""
    of_today = selection.holder == Holder.OFFICE and not selection.as_of
    since = _("yesterday") if of_today else _("the day before")
    on = verified_on.isoformat()
    verified = (
        _("Verified today")
        if of_today
        else _("Verified on %(day)s") % {"day": date_format(verified_on, "DATE_FORMAT")}
    )
    rows = [
        (_("Open damage"), day.open_damage, _list(selection, *DAMAGE, *OPEN)),
        (verified, day.verified, _list(selection, ("verified_from", on), ("verified_to", on))),
        (
            _("Customers without supply"),
            day.customers_out,
            _list(selection, ("kind", Kind.OUTAGE), *(("status", status) for status in statistics.OUT)),
        ),
        (_("Repairs under way"), day.repairs, _list(selection, ("status", Status.REPAIR_IN_PROGRESS))),
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


def _bars(selection: Selection, day: statistics.Day) -> list[dict[str, Any]]:
    """A bar for each area, the smallest ones together in the last."""
    shown, rest = day.areas[:BARS], day.areas[BARS:]
    names = statistics.area_names((code for code, _levels in shown), using=selection.using)
    rows: list[dict[str, Any]] = [
        {
            "label": names.get(code) or _("Area not known"),
            "url": _list(selection, ("area", code), *DAMAGE, *OPEN) if code in names else "",
            "parts": list(levels.items()),
        }
        for code, levels in shown
    ]
    if rest:
        levels = sum((counts for _code, counts in rest), Counter())
        label = ngettext("%(n)d other area", "%(n)d other areas", len(rest)) % {"n": len(rest)}
        rows.append({"label": label, "parts": list(levels.items())})
    return rows


urlpatterns = [path("", home, name="home")]
