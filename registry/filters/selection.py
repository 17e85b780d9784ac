"""What was asked for: as rows, in pages, counted, and in words."""

from collections.abc import Collection, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property, partial
from typing import Any
from urllib.parse import urlencode

from django.db import connections
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery, Sum, Value
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from registry.models import (
    CURRENT,
    Area,
    Entry,
    PastReport,
    Report,
    ReportRow,
    Tally,
    TallyDelta,
    Vanished,
)
from registry.models.looks import Since
from registry.models.rows import AHEAD
from registry.models.rows import ReportQuerySet as Rows
from registry.models.sql import Among, first_key
from registry.rules import access
from registry.rules.vocabularies import EntryKind, Holder, Kind

from .conditions import ReportFilter
from .paging import Count, Page, alone, counted, look
from .values import BadFilter, read_token, write_token
from .walking import (
    LOOKED,
    LOOKED_FOR_ANY,
    MOST_COUNTED,
    MOST_LOOKED,
    ROWS_COUNTED,
    Asked,
    Daily,
    Walk,
    tried,
)

#: The filters, beside those of areas, whose columns tallies hold.
_TALLIED = {"kind": "kind", "sector": "sector", "status": "status", "level": "damage_level"}

#: The filters whose columns the wide indexes hold.
_COVERED = {"kind", "sector", "status", "level", "area", "from", "to", "set_aside", "withdrawn"}
_COVERED_THEN = _COVERED - {"from", "to"}


@dataclass(frozen=True)
class Selection:
    """The rows a person asked for, as one holder has them; see ``select``.

    ``params`` are the filters asked for (name → values), ``values`` what they mean.
    """

    holder: str
    person: Any
    filterset: ReportFilter
    params: dict[str, list[str]]
    as_of: datetime | None
    using: str

    # rows

    @cached_property
    def tables(self) -> tuple[Rows, ...]:
        """The rows as unordered querysets that share no row: the current ones and, as of a moment in the
        past, beside those that have stood since then, the past ones that held at it."""
        return self._tables()

    def _tables(self, *, but: Collection[str] = (), gone: bool = False) -> tuple[Rows, ...]:
        current = self._filtered(CURRENT[self.holder], but=but, gone=gone)
        if self.as_of is None:
            return (current,)
        past = self._filtered(PastReport, but=but, gone=gone)
        return (
            # Said as the index ``then`` says it.
            current.filter(valid_from__lte=self.as_of, valid_from__isnull=False),
            past.filter(valid_from__lte=self.as_of, valid_to__gt=self.as_of),
        )

    @property
    def rows(self) -> Rows:
        """The current rows in the order of lists. As of a moment there are two tables: use ``page``."""
        (current,) = self.tables
        return current.in_order()

    @property
    def versions(self) -> tuple[Rows, Rows]:
        """Every version that fits the filter: the current rows and all past ones of this holder. Raises BadFilter
        for what only the office's present holds."""
        if office := self.filterset.of_office(self.params):
            raise BadFilter(office[0], _("The past does not hold this."))
        return self._filtered(CURRENT[self.holder]), self._filtered(PastReport)

    def _filtered(self, table: type[ReportRow], *, but: Collection[str] = (), gone: bool = False) -> Rows:
        """The rows of a table that fit the filter: of the office those that are not withdrawn, or ``gone``."""
        rows = self.filterset.table(table, self.using)
        if self.holder == Holder.OFFICE:
            if self.person is not None:
                rows = rows.within(self.person.scope)
            if table is PastReport:
                withdrawn = Q(Among("report", self._withdrawn))
                if gone or self._withdrawn:
                    rows = rows.filter(withdrawn if gone else ~withdrawn)
            elif gone:
                rows = rows.filled("withdrawn")
            elif "withdrawn" not in self.params:
                rows = rows.filter(withdrawn="")
            if not {"set_aside", "status"} & self.params.keys():
                rows = rows.live()
        return self.filterset.filter_queryset(rows, but=but)

    @cached_property
    def _withdrawn(self) -> list[int]:
        """The keys of all reports withdrawn now: listed, they are few, and spare looking up each row's report."""
        withdrawn = Report.objects.using(self.using).filled("withdrawn").order_by("-sort_key")
        return list(withdrawn.values_list("pk", flat=True))

    @cached_property
    def gone(self) -> int:
        """How many reports that stood at the moment of ``as_of`` are not shown as of it any more: of the
        office's those that fit the filter and were withdrawn since; of an audience's all that were withdrawn
        or of which its rows of then say too much now."""
        if self.as_of is None:
            return 0
        if self.holder != Holder.OFFICE:
            held = Vanished.objects.using(self.using).filter(holder=self.holder)
            of_then = held.filter(valid_from__lte=self.as_of, valid_to__gt=self.as_of)
            return of_then.aggregate(n=Sum("n"))["n"] or 0
        turns = Entry.objects.filter(
            kind__in=(EntryKind.WITHDRAWN, EntryKind.REINSTATED), recorded_at__lte=self.as_of
        )
        found = 0
        for rows in self._tables(gone=True):
            report = OuterRef("report_id" if rows.model is PastReport else "pk")
            last = Subquery(turns.filter(report=report).order_by("-number").values("kind")[:1])
            stood = tried(rows).annotate(last=Coalesce(last, Value("")))
            found += stood.exclude(last=EntryKind.WITHDRAWN).count()
        return found

    @cached_property
    def regions(self) -> Q | None:
        """The condition on a tally's ``area`` that means this selection; None for the past and where there is
        none, see ``areas``."""
        return None if self.as_of else self.areas

    @cached_property
    def areas(self) -> Q | None:
        """The condition on the ``area`` of tallies and of figures kept by day that means this selection; None
        if it asks for more than an area, or for areas below the regions, which these do not know."""
        plain = not self.filterset.also and self.params.keys() <= {"area", "view", "as_of"}
        return self._regions if plain else None

    @cached_property
    def is_covered(self) -> bool:
        """Whether one wide index holds all that is asked of each row: ``cell``, as of a moment ``then``."""
        person = self.person if self.holder == Holder.OFFICE else None
        areas = [area.level for name, area in self.values.items() if name == "area"]
        deepest = max([*areas, *(person.scope.areas if person else ())], default=0)
        known = not self.filterset.also and self.values.keys() <= (_COVERED_THEN if self.as_of else _COVERED)
        return known and deepest <= 1

    @cached_property
    def _regions(self) -> Q | None:
        asked = [{area.level: {area.code}} for name, area in self.values.items() if name == "area"]
        if self.holder == Holder.OFFICE and self.person:
            asked.append(self.person.scope.areas)
        condition = Q()
        for areas in asked:
            if any(level > 1 for level in areas):
                return None
            countries = areas.get(0, ())
            regions = Area.objects.using(self.using).filter(level=1, country__in=countries)
            condition &= Q(area__in={*countries, *areas.get(1, ()), *regions.values_list("code", flat=True)})
        return condition

    @cached_property
    def tallies(self) -> tuple[QuerySet, ...] | None:
        """The tallies that count this selection, for the office those that are not merged yet beside them;
        None where only its rows can answer."""
        known = self.params.keys() <= {"area", "view", "set_aside", *_TALLIED}
        if self.as_of or self.filterset.also or not known or self._regions is None:
            return None
        values = {column: self.params[name] for name, column in _TALLIED.items() if name in self.params}
        condition = self._regions & Q(**{f"{column}__in": codes for column, codes in values.items()})
        if self.leaves_out:
            condition &= ~Q(status__in=access.SET_ASIDE)
        if self.holder == Holder.OFFICE and self.person and self.person.scope.sectors is not None:
            condition &= ~Q(kind=Kind.BUILDING) & Q(sector__in=sorted(self.person.scope.sectors))
        kept = Tally.objects.using(self.using).filter(condition, holder=self.holder)
        if self.holder != Holder.OFFICE:
            return (kept,)
        return kept, TallyDelta.objects.using(self.using).filter(condition)

    @cached_property
    def _asked(self) -> list[tuple[Asked, Rows, Rows]]:
        """What is asked of each of ``tables``: it, the rows that fit all but the last day and the words,
        which walks see to themselves, and the table itself."""
        if (end := self._end) is None:
            return self._asked_ever
        return [
            (asked, tried(rows.filter(sort_key__lt=end)), table) for asked, rows, table in self._asked_ever
        ]

    @cached_property
    def _asked_ever(self) -> list[tuple[Asked, Rows, Rows]]:
        """The same, with rows of damage that was still to come."""
        tables = [
            (rows, self.filterset.table(rows.model, self.using)) for rows in self._tables(but=("to", "text"))
        ]
        return [(self.filterset.asked(table), rows, table) for rows, table in tables]

    @cached_property
    def walks(self) -> list[Walk]:
        """The same rows as ``tables``, along the indexes that give them in the order of lists."""
        return self._of_then([walk for one in self._asked for walk in Asked.walks(*one)])

    def rest(self, since: Since, key: int) -> list[Rows]:
        """The rows below a key, along the same walks, as they were when it was ``since``: for a file that is
        read in several looks. Not for what asks of the office's present alone."""
        stood = [walk.below(key).whole for walk in self.walks]
        if self.as_of:
            return stood
        table = self.filterset.table(PastReport, self.using)
        past = tried(self._filtered(PastReport, but=("to", "text")).filter(sort_key__lt=key))
        left = since.left(self.filterset.asked(table).fitting(past), self.holder)
        return [*(since.stood(rows, self.holder) for rows in stood), left]

    @property
    def _end(self) -> int | None:
        """As of a moment, the key below which all damage lies that was not still to come then."""
        return first_key(self.as_of.astimezone(UTC).date() + timedelta(days=2)) if self.as_of else None

    def _of_then(self, walks: list[Walk]) -> list[Walk]:
        """As of a moment, the walks do not begin with years of later damage, where nothing stood; beside them
        goes one, for each table, along the few rows whose damage was still to come."""
        if (end := self._end) is None:
            return walks
        ahead = [
            Walk(
                asked.fitting(tried(rows)).filter(AHEAD, sort_key__gte=end), table.filter(AHEAD), low=end - 1
            )
            for asked, rows, table in self._asked_ever
        ]
        return [*(walk.below(end) for walk in walks), *ahead]

    def page(
        self,
        *,
        after: str | None = None,
        before: str | None = None,
        size: int = 50,
        columns: Collection[str] = (),
        looked: int = LOOKED,
    ) -> Page:
        """``size`` rows in the order of lists: the first ones, or those after or before a page's token; with
        these ``columns`` alone, as named tuples, if not all are needed. So many rows are ``looked`` at, and no
        fewer than LOOKED_FOR_ANY where those hold none."""
        name, token = ("before", before) if before else ("after", after)
        back, start = name == "before", read_token(name, token) if token else None
        look_along = partial(look, start=start, back=back, size=size + 1, columns=columns)
        for walks in self._looks():
            found, until = look_along(walks, looked)
            if len(found) > size or until is None:
                break
        if not found and until is not None:
            # A page with nothing on it helps nobody.
            found, until = look_along(walks, max(looked, LOOKED_FOR_ANY))
        is_partial = until is not None and len(found) <= size
        last = found[size - 1].sort_key if len(found) > size else None
        if is_partial and until is not None:
            # The row at the edge was not looked at: the next page begins with it.
            last = until - 1 if back else until + 1
        found = found[:size]
        first = found[0].sort_key if found else None
        if back:
            return Page(found[::-1], after=write_token(first), before=write_token(last), partial=is_partial)
        return Page(
            found, after=write_token(last), before=write_token(first) if token else None, partial=is_partial
        )

    def full_page(self, *, after: str | None = None, size: int, columns: Collection[str] = ()) -> Page:
        """A page for programs, many of which take one without rows for the last: it goes on looking until it is
        full, or has rows and MOST_LOOKED were looked at. Raises Busy where it would look further without having
        found any, and another does in this process."""
        rows: list[ReportRow] = []
        looked, is_alone = max(LOOKED, size + 1), False
        with ExitStack() as turn:
            while True:
                found = self.page(after=after, size=size - len(rows), columns=columns, looked=looked)
                rows += found.rows
                after = found.after
                if not found.partial or len(rows) >= size:
                    break
                # As many as this time were looked at before.
                if 2 * looked >= MOST_LOOKED and rows:
                    break
                if 2 * looked >= MOST_LOOKED and not is_alone:
                    turn.enter_context(alone())
                    is_alone = True
                looked *= 2
        return Page(rows, after=found.after, before=None, partial=found.partial)

    def _looks(self) -> Iterator[list[Walk]]:
        """The walks to go along: each after the one before has not filled a page."""
        yield self.walks
        if others := self._sorted():
            yield others

    def _sorted(self) -> list[Walk]:
        each = [Asked.sorted(*one) for one in self._asked]
        # Of both tables or of none: what one of them lacked would be missing from the page.
        return self._of_then([walk for some in each for walk in some]) if all(each) else []

    @property
    def tallied(self) -> int | None:
        """How many rows there are, where tallies say it."""
        if self.tallies is None:
            return None
        kept, *late = self.tallies
        total: Any = Coalesce(Sum("n"), 0)
        for some in late:
            summed = some.order_by().values(all=Value(1)).annotate(sum=Sum("n")).values("sum")
            total += Coalesce(Subquery(summed), 0)
        found: int = kept.aggregate(n=total)["n"]
        return found

    def count(self, page: Page | None = None, *, thorough: bool = False) -> Count:
        """How many rows there are, to COUNTED_TO: all that tallies count, else those among a thousand or, if
        ``thorough``, among many more; at least those of a ``page`` at hand."""
        shown = len(page.rows) if page else 0
        if page and not (page.after or page.before or page.partial):
            return Count(shown)
        if (tallied := self.tallied) is not None:
            return Count.of(max(tallied, shown))
        if not thorough and any(isinstance(walk, Daily) for walk in self.walks):
            return Count(shown, more=True)
        most = MOST_COUNTED if thorough else ROWS_COUNTED
        found = counted(self.walks, most)
        if thorough and found.is_least and (walks := self._sorted()):
            found = counted(walks, most)
        return Count(max(found.n, shown), found.more)

    # words

    @property
    def values(self) -> dict[str, Any]:
        """What each filter asked for means: codes, dates, an ``Area`` …"""
        return {
            name: self.filterset.form.cleaned_data[name]
            for name in self.filterset.filters
            if name in self.params
        }

    @property
    def _said(self) -> list[tuple[str, str]]:
        return [
            (self.filterset.filters[name].words(value), self.query_without(name))
            for name, value in self.values.items()
        ]

    @property
    def parts(self) -> list[tuple[str, str]]:
        """Each filter in words, with the query string of the selection without it."""
        said = self._said
        if self.as_of:
            moment = date_format(timezone.localtime(self.as_of), "DATETIME_FORMAT")
            said.append((_("as of %s") % moment, self.query_without("as_of")))
        return said

    @property
    def lead(self) -> str:
        """What the selection holds, in words: the beginning of its sentence."""
        kinds = self.params.get("kind", [])
        leads: dict[str, str] = {
            Kind.BUILDING: _("Damage to buildings"),
            Kind.NETWORK: _("Damage to networks"),
            Kind.OUTAGE: _("Losses of supply and closures"),
        }
        return leads.get(kinds[0] if len(kinds) == 1 else "", _("Damage and losses of supply"))

    @property
    def sentence(self) -> str:
        """The whole filter in words: "Damage to buildings: School, in Kharkiv, Verified, since 1 March"."""
        return self._sentence(self.parts)

    @property
    def title(self) -> str:
        """The same without the moment."""
        return self._sentence(self._said)

    def _sentence(self, parts: list[tuple[str, str]]) -> str:
        words = [word for word, _query in parts]
        if len(self.params.get("kind", [])) == 1:
            words.remove(self.filterset.filters["kind"].words(self.values["kind"]))
        return f"{self.lead}: {', '.join(words)}" if words else self.lead

    @property
    def asks_of_office(self) -> bool:
        """Whether it asks for what only the office's rows of now have."""
        return any(self.filterset.filters[name].office for name in self.values)

    @property
    def leaves_out(self) -> bool:
        """Whether rejected and duplicate reports are left out, which pages and files say."""
        return self.holder == Holder.OFFICE and not {"set_aside", "status"} & self.params.keys()

    @property
    def query(self) -> str:
        """The selection as a query string: the same selection always gives the same one."""
        return self.query_without()

    def query_without(self, *names: str) -> str:
        return urlencode(
            [(name, value) for name, values in self.params.items() if name not in names for value in values]
        )

    def query_of(self, *names: str) -> str:
        """These parameters alone as a query string."""
        return self.query_without(*(self.params.keys() - {*names}))

    @cached_property
    def choices(self) -> dict[str, tuple[tuple[str, Any], ...]]:
        """What the filters offer whose choices follow from this holder's rows, and from what was asked for."""
        found = {"area": (("", _("everywhere")), *self._area_choices())}
        if self.holder != Holder.OFFICE:
            for name in ("kind", "type", "status"):
                one = self.filterset.offered[name]
                there = _present(CURRENT[self.holder], one.field_name, self.using)
                there.update(self.params.get(name, ()))
                found[name] = tuple(choice for choice in one.extra["choices"] if choice[0] in there)
        return found

    def _area_choices(self) -> list[tuple[str, str]]:
        """Regions that hold rows and, for the office, lie within the person's areas, and these areas."""
        table = CURRENT[self.holder]
        if self.holder == Holder.OFFICE and self.person is not None:
            own = [area.pk for area in self.person.areas_held]
            there = table._default_manager.filter(adm1_code=OuterRef("code"))
            condition = Q(pk__in=own) | Q(Exists(there), parent__in=own)
        else:
            condition = Q(code__in=_present(table, "adm1_code", self.using))
        condition |= Q(code__in=self.params.get("area", ()))
        areas = Area.objects.using(self.using).only(*Area.NAMED).filter(condition)[:500]
        return sorted(((area.code, str(area)) for area in areas), key=lambda choice: choice[1])


def _present(table: type[ReportRow], column: str, using: str) -> set[str]:
    """The codes that occur in an indexed column: one look into the index a code, not a scan."""
    connection = connections[using]
    name, source = (connection.ops.quote_name(n) for n in (column, table._meta.db_table))
    with connection.cursor() as cursor:
        cursor.execute(
            f"WITH RECURSIVE present(code) AS (SELECT min({name}) FROM {source} UNION ALL"
            f" SELECT (SELECT min({name}) FROM {source} WHERE {name} > present.code)"
            " FROM present WHERE present.code IS NOT NULL)"
            " SELECT code FROM present WHERE code IS NOT NULL LIMIT 1000"
        )
        return {code for (code,) in cursor.fetchall() if code}
