"""``select``: the one way from a person and a query string to rows."""

from collections.abc import Collection, Mapping
from datetime import datetime, time
from typing import Any

from django.core.exceptions import ValidationError
from django.forms import MultipleChoiceField
from django.http import QueryDict
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _

from registry.models import CURRENT, Edition, Report
from registry.rules import access
from registry.rules.vocabularies import Holder, Role

from .conditions import Also, ReportFilter
from .selection import Selection
from .values import BadFilter, read_moment, write_moment


def select(
    person: Any,
    params: Mapping[str, Any] | QueryDict,
    *,
    holder: str | None = None,
    as_of: str | None = None,
    using: str = "reader",
    beside: Collection[str] = (),
    also: Also | None = None,
) -> Selection:
    """The rows that a person (None: a command of the installation) asks for.

    Staff are given the office's rows of their own areas or, with ``view=published``, the researchers';
    researchers theirs, everybody else the public's; ``holder`` is for commands. ``as_of`` (also a parameter)
    is a moment or day for the office, and names an edition for outsiders. ``beside`` names parameters that
    are the door's own. Raises BadFilter for any parameter that is unknown or not understood.
    """
    given = _given(params)
    for name in beside:
        given.pop(name, None)
    if as_of:
        given["as_of"] = [as_of]
    view, moment = _single(given, "view"), _single(given, "as_of")
    if view and (view != "published" or not access.is_staff(person)):
        raise BadFilter("view", _("Staff may choose “published”."))
    holder = holder or holder_for(person, view)
    data = QueryDict(mutable=True)
    for name, values in given.items():
        if name not in ("view", "as_of"):
            data.setlist(name, values)
    filterset = ReportFilter(
        data, CURRENT[holder]._default_manager.none(), person=person, holder=holder, also=also
    )
    _check(filterset, data)
    if moment and (office := filterset.of_office(data)):
        raise BadFilter(office[0], _("The past does not hold this: it cannot stand beside “as_of”."))
    at = _as_of(moment, holder, using) if moment else None
    order = [*filterset.filters, "view", "as_of"]
    ordered = {name: given[name] for name in order if name in given}
    return Selection(holder, person, filterset, ordered, at, using)


def holder_for(person: Any, view: str = "") -> str:
    """Whose rows somebody is given."""
    if access.is_staff(person):
        return Holder.RESEARCHER if view == "published" else Holder.OFFICE
    return Holder.RESEARCHER if Role.RESEARCHER in access.acts_as(person) else Holder.PUBLIC


def _given(params: Mapping[str, Any] | QueryDict) -> dict[str, list[str]]:
    """The parameters that say something: name → its different values, sorted."""
    lists = params.lists() if isinstance(params, QueryDict) else ((n, [v]) for n, v in params.items())
    given = {name: sorted({str(value).strip() for value in values} - {""}) for name, values in lists}
    return {name: values for name, values in given.items() if values}


def refuse_blanks(params: QueryDict) -> None:
    """Raise BadFilter for a parameter without a value, which a form may send and an address that a program makes may
    not: a variable that was not set must not mean "all rows"."""
    for name, values in params.lists():
        if not all(value.strip() for value in values):
            raise BadFilter(name, _("It is empty: leave it away."))


def single(params: QueryDict, name: str) -> str:
    """The one value of a parameter, "" if it is left away; BadFilter if there are several."""
    return _single({name: sorted({value.strip() for value in params.getlist(name)} - {""}) or [""]}, name)


def _single(given: Mapping[str, list[str]], name: str) -> str:
    values = given.get(name, [""])
    if len(values) > 1:
        raise BadFilter(name, _("Given twice with different values."))
    return values[0]


def _check(filterset: ReportFilter, data: QueryDict) -> None:
    """Raise BadFilter for the first parameter that is unknown, repeated or not understood."""
    for name in data:
        if name not in filterset.filters:
            raise BadFilter(name, _("There is no such filter."))
        if any("\x00" in value for value in data.getlist(name)):
            raise BadFilter(name, _("Null characters are not allowed."))
        if not isinstance(filterset.filters[name].field, MultipleChoiceField):
            _single({name: data.getlist(name)}, name)
    for name, errors in filterset.form.errors.items():
        raise BadFilter(name, errors[0])
    for first, last in (("from", "to"), ("logged_from", "logged_to"), ("verified_from", "verified_to")):
        since, until = (filterset.form.cleaned_data.get(name) for name in (first, last))
        if since and until and since > until:
            raise BadFilter(first, _("It is later than “%(last)s”.") % {"last": last})
    if data.get("assignee") == "me" and filterset.person is None:
        raise BadFilter("assignee", _("Nobody is signed in."))


def _as_of(typed: str, holder: str, using: str) -> datetime:
    """The moment meant; for outsiders that of the edition named by its moment, or the last one of a day. Days
    are those of the register's zone; of the present day, the office means now."""
    zone = timezone.get_default_timezone()
    try:
        moment = read_moment(typed.replace(" ", "+"), at=time(23, 59, 59), zone=zone)
    except ValidationError as error:
        raise BadFilter("as_of", error.message) from None
    whole_day = parse_date(typed) is not None
    if holder == Holder.OFFICE:
        return _office_moment(moment, using, whole_day=whole_day)
    editions = Edition.objects.using(using)
    if whole_day:
        found = editions.filter(at__gte=_midnight(moment), at__lte=moment).first()
    else:
        found = editions.filter(at=moment).first()
    if found:
        return found.at
    newest, oldest = editions.first(), editions.last()
    if not newest or not oldest:
        raise BadFilter("as_of", _("There is no edition yet."))
    near = editions.filter(at__lte=moment).first() or oldest
    raise BadFilter(
        "as_of",
        _("There is no such edition: the first is %(first)s, the last %(last)s, the nearest %(near)s.")
        % {
            name: timezone.localtime(one.at, zone).date()
            for name, one in (("first", oldest), ("last", newest), ("near", near))
        },
    )


def _office_moment(moment: datetime, using: str, *, whole_day: bool) -> datetime:
    """The moment if the register was there by then, which began with its first report."""
    now = timezone.now()
    if whole_day and _midnight(moment) <= now:
        moment = min(moment, now)
    logged = Report.objects.using(using).filter(logged_utc__isnull=False).order_by("logged_utc")
    first = logged.values_list("logged_utc", flat=True).first()
    if first is None:
        raise BadFilter("as_of", _("There is no report yet."))
    if not first <= moment <= now:
        raise BadFilter(
            "as_of",
            _("The register holds what stood from %(first)s until now, %(now)s.")
            % {"first": write_moment(first), "now": write_moment(now)},
        )
    return moment


def _midnight(moment: datetime) -> datetime:
    return datetime.combine(moment, time(), moment.tzinfo)
