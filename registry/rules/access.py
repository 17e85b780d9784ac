"""Who may do what and where, and what each audience sees of which report, when and how precisely.

Everything here is data and pure functions of it. A *person* is anything with ``pk``, ``role``,
``is_administrator`` and ``scope``; a *row* is anything with a report's columns.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from enum import StrEnum
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db.models import Q

from .vocabularies import DWELLINGS, BuildingUse, Holder, Kind, Role, Sector, Status, TokenScope, Withheld

# -- who may do what ---------------------------------------------------------------------------------

#: A supervisor may also do what officials and inspectors do.
_ACTS_AS = {Role.SUPERVISOR: frozenset({Role.SUPERVISOR, Role.OFFICIAL, Role.INSPECTOR})}

#: Roles that work in the office and read its rows in their own scope.
STAFF = frozenset({Role.OFFICIAL, Role.INSPECTOR, Role.OPERATOR, Role.SUPERVISOR})


class Verb(StrEnum):
    """What a person can do that is not a move of the workflow."""

    LOG = "log"
    EDIT = "edit"
    LOCATE = "locate"
    NOTE = "note"
    ATTACH = "attach"
    SOURCE = "source"
    GRADE = "grade"
    INSPECT = "inspect"
    CHOOSE_GRADE = "choose_grade"
    STEP = "step"
    ESTIMATE = "estimate"
    DRAFT_PLAN = "draft_plan"
    LINK = "link"
    VOID = "void"
    ERASE = "erase"
    REQUEST = "request"
    WITHDRAW = "withdraw"
    STATE = "state"
    IMPORT = "import"
    EXPORT_OFFICE = "export_office"
    RELEASE = "release"


WHO: dict[Verb, frozenset[str]] = {
    Verb.LOG: STAFF | {Role.RESIDENT},
    Verb.EDIT: STAFF,
    Verb.LOCATE: STAFF,
    Verb.NOTE: STAFF,
    Verb.ATTACH: STAFF | {Role.RESIDENT},
    Verb.SOURCE: STAFF,
    Verb.GRADE: STAFF,
    Verb.INSPECT: frozenset({Role.INSPECTOR}),
    Verb.CHOOSE_GRADE: frozenset({Role.SUPERVISOR}),
    Verb.STEP: frozenset({Role.OFFICIAL, Role.OPERATOR}),
    Verb.ESTIMATE: frozenset({Role.OFFICIAL, Role.OPERATOR}),
    Verb.DRAFT_PLAN: frozenset({Role.OFFICIAL, Role.OPERATOR}),
    Verb.LINK: STAFF,
    Verb.VOID: STAFF,
    Verb.ERASE: frozenset({Role.SUPERVISOR}),
    Verb.REQUEST: STAFF | {Role.RESIDENT, Role.RESEARCHER},
    Verb.WITHDRAW: frozenset({Role.SUPERVISOR}),
    Verb.STATE: frozenset({Role.OFFICIAL}),
    Verb.IMPORT: frozenset({Role.OFFICIAL}),
    Verb.EXPORT_OFFICE: STAFF,
    Verb.RELEASE: frozenset({Role.OFFICIAL, Role.RESEARCHER}),
}


def acts_as(person: Any) -> frozenset[str]:
    """The roles whose work this person may do; none for somebody not signed in."""
    role = getattr(person, "role", None)
    if not role or not getattr(person, "is_active", True):
        return frozenset()
    return _ACTS_AS.get(role, frozenset({role}))


def may(person: Any, verb: Verb, row: Any = None) -> bool:
    """Whether the person may do this at all, or to this row: role and scope, for residents
    what they sent; the workflow asks for more."""
    if not acts_as(person) & WHO[verb]:
        return False
    if row is None:
        return True
    if person.role == Role.RESIDENT:
        return row.logged_by_id == person.pk
    # Anyone may ask about what they are shown, wherever it is.
    return verb == Verb.REQUEST or person.scope.contains(row)


def is_staff(person: Any) -> bool:
    return getattr(person, "role", None) in STAFF and getattr(person, "is_active", True)


def covers(scope: str, needed: str) -> bool:
    """Whether a token of this scope serves where one of ``needed`` is asked for."""
    return TokenScope.values.index(scope) >= TokenScope.values.index(needed)


def needs_second_factor(person: Any) -> bool:
    """Whoever reads what is not published, or gives rights."""
    return is_staff(person) or person.role == Role.RESEARCHER or person.is_administrator


def reads(person: Any, audience: str) -> bool:
    """Whether somebody is shown what an audience is shown: staff and researchers what researchers are."""
    return audience == Holder.PUBLIC or is_staff(person) or Role.RESEARCHER in acts_as(person)


# -- where -------------------------------------------------------------------------------------------

#: The column that holds an area's code, by the area's level.
AREA_FIELDS = ("country", "adm1_code", "adm2_code", "adm3_code")


@dataclass(frozen=True)
class Scope:
    """Areas (and below) and, for operators, sectors in which a person reads and writes the office's rows.

    ``areas`` maps a level (0–3) to codes. A place too vague belongs to the smallest area that contains
    it: a row known only to its country is in the scope of those who hold the country.
    """

    areas: Mapping[int, frozenset[str]] = field(default_factory=dict)
    sectors: frozenset[str] | None = None

    @classmethod
    def of(cls, areas: Iterable[tuple[int, str]], sectors: Iterable[str] | None = None) -> "Scope":
        by_level: dict[int, set[str]] = {}
        for level, code in areas:
            by_level.setdefault(level, set()).add(code)
        frozen = {level: frozenset(codes) for level, codes in sorted(by_level.items())}
        return cls(frozen, None if sectors is None else frozenset(sectors))

    def holds(self, codes: Mapping[str, str]) -> bool:
        """Whether an area lies in this, by its own code and those around it (``AREA_FIELDS``)."""
        return any(codes[AREA_FIELDS[level]] in held for level, held in self.areas.items())

    def contains(self, row: Any) -> bool:
        if not any(getattr(row, AREA_FIELDS[level]) in codes for level, codes in self.areas.items()):
            return False
        return self.sectors is None or (row.kind != Kind.BUILDING and row.sector in self.sectors)

    def q(self) -> Q:
        """``contains`` as a condition on a queryset of reports."""
        places = Q(pk__in=())
        for level, codes in self.areas.items():
            places |= Q(**{f"{AREA_FIELDS[level]}__in": sorted(codes)})
        if self.sectors is not None:
            places &= ~Q(kind=Kind.BUILDING) & Q(sector__in=sorted(self.sectors))
        return places


NOWHERE = Scope()

# -- what an audience sees ---------------------------------------------------------------------------

#: Grid steps in microdegrees for which a report keeps its snapped place (see ``geo.snap``).
GRIDS = (1_000, 10_000, 100_000)

AUDIENCES = (Holder.PUBLIC, Holder.RESEARCHER)


class UseClass(StrEnum):
    """The classes of reports that the policy tells apart."""

    DWELLING = "dwelling"
    BUILDING = "building"
    SENSITIVE = "sensitive"
    NETWORK = "network"
    ELECTRICITY = "electricity"
    OUTAGE = "outage"


#: Uses shown only to the district and month. "health" may be a hospital, and a use that is not known
#: anything: they are treated as one.
SENSITIVE_USES = (
    BuildingUse.HOSPITAL,
    BuildingUse.CLINIC,
    BuildingUse.HEALTH,
    BuildingUse.EMERGENCY_SERVICES,
    BuildingUse.GOVERNMENT,
    BuildingUse.INDUSTRIAL,
    BuildingUse.WAREHOUSE,
    BuildingUse.UNKNOWN,
    "",
)


@dataclass(frozen=True)
class Members:
    """The rows of a class: of one kind, with a column among some values (or, ``inside`` False, not)."""

    kind: str
    column: str
    values: tuple[str, ...]
    inside: bool = True

    def q(self) -> Q:
        among = Q(**{f"{self.column}__in": self.values})
        return Q(kind=self.kind) & (among if self.inside else ~among)

    def contains(self, row: Any) -> bool:
        return row.kind == self.kind and (getattr(row, self.column) in self.values) == self.inside


#: An outage whose sector is not known may be one of electricity, so it is treated as one.
_ELECTRIC = (Sector.ELECTRICITY, Sector.UNKNOWN)
CLASSES: dict[UseClass, Members] = {
    UseClass.DWELLING: Members(Kind.BUILDING, "object_type", DWELLINGS),
    UseClass.SENSITIVE: Members(Kind.BUILDING, "object_type", SENSITIVE_USES),
    UseClass.BUILDING: Members(Kind.BUILDING, "object_type", (*DWELLINGS, *SENSITIVE_USES), inside=False),
    UseClass.NETWORK: Members(Kind.NETWORK, "kind", (Kind.NETWORK,)),
    UseClass.ELECTRICITY: Members(Kind.OUTAGE, "sector", _ELECTRIC),
    UseClass.OUTAGE: Members(Kind.OUTAGE, "sector", _ELECTRIC, inside=False),
}
#: ``CLASSES`` as conditions on a queryset of reports.
CLASS_CONDITIONS: dict[UseClass, Q] = {use_class: members.q() for use_class, members in CLASSES.items()}


@dataclass(frozen=True)
class Sight:
    """How an audience sees the reports of one class.

    ``delay``: from logging, or the latest moment the damage can have begun, to the first edition that may
    show it. ``grid``: 0 for exact coordinates, else the step in microdegrees, None for no coordinates.
    ``area``: the deepest area named (adm1, adm2, settlement). ``when``: moment, day or month.
    ``named``: address, name of the object and sources are shown. ``steps``: so are the steps of an outage.
    """

    delay: timedelta
    grid: int | None
    area: str
    when: str
    named: bool = False
    steps: bool = False

    @property
    def strictness(self) -> list[int]:
        """Numbers that grow as less is shown: delay, grid, area, when, names."""
        grid = _NO_GRID if self.grid is None else self.grid
        delay = int(self.delay.total_seconds())
        return [delay, grid, AREA_DEPTHS.index(self.area), WHENS.index(self.when), int(not self.names_shown)]

    @property
    def withheld(self) -> list[str]:
        """The words of ``vocabularies.Withheld`` for what this sight never shows, whatever a row holds."""
        hidden = {
            Withheld.AREA: self.area != "settlement",
            Withheld.PLACE: self.grid != 0,
            Withheld.NAMES: not self.names_shown,
            Withheld.TIMES: self.when != "moment",
            Withheld.DAYS: self.when == "month",
        }
        return [str(word) for word, is_hidden in hidden.items() if is_hidden]

    @property
    def names_shown(self) -> bool:
        """Whether address, name and sources are shown: never beside a place that is not exact."""
        return self.named and self.grid == 0

    @property
    def steps_shown(self) -> bool:
        """Whether the steps of an outage are shown: each is a moment, so never where moments are not."""
        return self.steps and self.when == "moment"


#: From the finest to the coarsest.
AREA_DEPTHS = ("settlement", "adm2", "adm1")
WHENS = ("moment", "day", "month")
#: The globe in microdegrees: a step wider than every grid.
_NO_GRID = 360_000_000


def stricter(now: list[int] | None, before: list[int] | None) -> bool:
    """Whether less is shown, in any way, at the first strictness than at the second (None: nothing)."""
    if before is None:
        return False
    return now is None or any(new > old for new, old in zip(now, before, strict=True))


def _hours(hours: int) -> timedelta:
    return timedelta(hours=hours)


_DEFAULT_POLICY: dict[str, dict[UseClass, Sight | None]] = {
    Holder.PUBLIC: {
        UseClass.DWELLING: Sight(_hours(24), 10_000, "settlement", "day"),
        UseClass.BUILDING: Sight(_hours(24), 1_000, "settlement", "moment"),
        UseClass.SENSITIVE: Sight(_hours(24), None, "adm2", "month"),
        UseClass.NETWORK: None,
        UseClass.ELECTRICITY: Sight(_hours(24), None, "adm1", "day"),
        UseClass.OUTAGE: Sight(_hours(24), None, "adm2", "moment"),
    },
    Holder.RESEARCHER: {
        UseClass.DWELLING: Sight(_hours(24), 1_000, "settlement", "moment"),
        UseClass.BUILDING: Sight(_hours(24), 0, "settlement", "moment", named=True),
        UseClass.SENSITIVE: Sight(_hours(24), 100_000, "adm2", "day"),
        UseClass.NETWORK: Sight(_hours(72), 100_000, "adm2", "day"),
        UseClass.ELECTRICITY: Sight(_hours(72), None, "adm2", "moment", steps=True),
        UseClass.OUTAGE: Sight(_hours(24), None, "settlement", "moment", steps=True),
    },
}

#: Raise it with every change of the defaults above; Releases print it.
POLICY_VERSION = "1"


def policy(audience: str) -> dict[UseClass, Sight | None]:
    """What ``audience`` sees of each class: the defaults, with what ``settings.AUDIENCE_POLICY`` changes.

    The setting maps audience → class → None, or a dict of ``delay_hours``, ``grid``, ``area``, ``when``,
    ``named``, ``steps``; what it leaves out stays as it is.
    """
    sights = dict(_DEFAULT_POLICY[audience])
    for use_class, change in settings.AUDIENCE_POLICY.get(audience, {}).items():
        if change is None:
            sights[UseClass(use_class)] = None
            continue
        change = dict(change)
        if "delay_hours" in change:
            change["delay"] = _hours(change.pop("delay_hours"))
        base = sights[UseClass(use_class)] or Sight(_hours(72), None, "adm1", "month")
        changed = replace(base, **change)
        if changed.grid not in (None, 0, *GRIDS) or changed.when not in ("moment", "day", "month"):
            raise ImproperlyConfigured(f"AUDIENCE_POLICY: {audience} {use_class}: {change}")
        sights[UseClass(use_class)] = changed
    return sights


def sight_of(row: Any, audience: str) -> Sight | None:
    """How an audience sees this row, None if not at all."""
    return next(sight for use_class, sight in policy(audience).items() if CLASSES[use_class].contains(row))


_FROM_VERIFIED = (
    Status.VERIFIED,
    Status.REPAIR_PLANNED,
    Status.REPAIR_IN_PROGRESS,
    Status.REPAIRED,
    Status.CONFIRMED,
    Status.PARTIALLY_RESTORED,
    Status.RESTORED,
    Status.CLOSED,
)
_LIVE = (Status.REPORTED, Status.NEEDS_INFO, Status.UNVERIFIABLE, *_FROM_VERIFIED)

#: Statuses left out of counts, lists and exports unless asked for.
SET_ASIDE = (Status.REJECTED, Status.DUPLICATE)


def released(audience: str) -> Q:
    """Which reports an audience may see at all, by status and by who logged them; delays come on top."""
    shown = Q(status__in=_FROM_VERIFIED)
    if audience == Holder.RESEARCHER:
        shown |= Q(status__in=_LIVE, from_resident=False)
    return shown & Q(withdrawn="")


#: Figures counted in people or households are withheld when any of a row is from 1 to this.
SMALLEST_FIGURE_SHOWN = 11
SMALL_FIGURES = (1, SMALLEST_FIGURE_SHOWN - 1)
SMALL_FIGURE_UNITS = ("people", "households")
