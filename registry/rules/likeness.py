"""How like two reports are: the same damage told twice, another strike on the same thing, or different things.

``compare`` weighs what two portraits say of where, what and when, and says why in words. It only offers: a
person decides. A place counts for no more than it is precise: two schools of one district on one day are two
schools until an address, a name or a pin says that they are one. The weights are judged by
``python -m bench.duplicates`` on pairs that people have read (``tests/data/pairs.csv``).
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Any

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy
from rapidfuzz import fuzz

from registry import geo
from registry.geocoding.names import fold, latin, roots, skeleton
from registry.geocoding.parsing import is_kind

from .vocabularies import BuildingUse as Use
from .vocabularies import GeoPrecision, Kind, Sector
from .vocabularies import NetworkObject as Thing

#: From this score on two reports are likely one thing; from POSSIBLE on they are shown to whoever is typing.
LIKELY, POSSIBLE = 50, 35
#: What pins down a thing struck before must be more: nothing but it speaks for a second strike.
_PINNED = 55
#: Days apart that sources of one night write of it.
SAME_DAYS = 1
#: A village or a quarter: of some uses it has one.
SMALL_M = 2_500
#: How long before the day it is known to be over damage may have happened, where no beginning is known.
_OPEN = timedelta(days=45)
#: Where no day is known at all.
_EVER, _NEVER = date(1900, 1, 1), date(2999, 12, 31)


class Verdict(StrEnum):
    SAME = "same"
    SECOND = "second"
    DIFFERENT = "different"


@dataclass(frozen=True)
class Likeness:
    """What two reports are to each other, a score from 0 to 100, and why: what speaks for it, what against."""

    verdict: Verdict
    score: int
    speaks_for: list["Why"]
    against: list["Why"]

    @property
    def likely(self) -> bool:
        return self.verdict != Verdict.DIFFERENT

    @property
    def reasons(self) -> list[str]:
        """What speaks for it, in the reader's words."""
        return [str(message % values) for message, values in self.speaks_for]

    @property
    def doubts(self) -> list[str]:
        """What speaks against it, in the reader's words."""
        return [str(message % values) for message, values in self.against]


#: A message to be translated and what is put into it: most comparisons are never told.
Why = tuple[Any, dict[str, int]]


@dataclass(frozen=True, slots=True)
class Address:
    """The words of a street as skeletons, and the houses named: number → letter, block or fraction."""

    street: frozenset[str] = frozenset()
    houses: frozenset[tuple[str, str]] = frozenset()


@dataclass(frozen=True, slots=True)
class Name:
    """The words of a name that say which, not what kind, as skeletons and roots; and its numbers."""

    words: tuple[frozenset[str], ...] = ()
    numbers: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Portrait:
    """What likeness looks at, of anything with a report's columns."""

    kind: str
    sector: str
    use: str
    name: Name
    address: Address
    settlement: str
    point: tuple[float, float] | None
    precision: str
    radius_m: int
    first: date
    last: date
    customers: int | None
    asset: int | None

    @property
    def tells(self) -> bool:
        """Whether it says enough to be known again where its place is vague: a name, a house, a supply lost,
        or the one school of a village."""
        named = bool(self.name.words or self.name.numbers or self.address.houses)
        alone = self.use in _ALONE and self.radius_m <= SMALL_M
        return named or alone or self.kind == Kind.OUTAGE


def portrait(row: Any) -> Portrait:
    """The portrait of a report, of a form's columns put on one, or of a row about to be imported."""
    typed = getattr(row, "place_typed", "")  # what is published has none, nor keys of assets
    named = row.address or (typed if re.search(r"\d", typed) else "")
    last = row.occurred_to or _NEVER
    around = (row.settlement, row.adm2_name, row.adm1_name)
    return Portrait(
        kind=row.kind,
        sector=row.sector,
        use=row.object_type,
        name=_name(row.object_name),
        address=_address(named, around),
        settlement=skeleton(fold(row.settlement)),
        point=None if row.lat is None else (float(row.lat), float(row.lon)),
        precision=row.geo_precision,
        radius_m=row.geo_radius_m or _RADIUS.get(row.geo_precision, 50_000),
        first=row.occurred_from or (last - _OPEN if row.occurred_to else _EVER),
        last=last,
        customers=row.customers_affected,
        asset=getattr(row, "of_asset_id", None),
    )


_RADIUS: dict[str, int] = {
    GeoPrecision.EXACT: 25, GeoPrecision.STREET: 250, GeoPrecision.SETTLEMENT: 5_000,
}  # fmt: skip


# -- words -------------------------------------------------------------------------------------------------

#: Words that say what kind of thing a name is, in the languages people write: the use says it already.
_GENERIC_WORDS = """
    school lyceum gymnasium zosh nvk kindergarten nursery university institute college national academy
    школа школы школи ліцей лицей гімназія гимназия зош нвк садок сад дитячий детский дошкільний ясла університет
    университет інститут институт коледж колледж національний национальный академія академия заклад
    hospital clinic polyclinic outpatient лікарня больница поліклініка поликлиника клініка клиника амбулаторія
    амбулатория church cathedral temple mosque saint церква церковь храм собор свято святий святой святого святої
    museum theatre theater library palace house culture музей театр бібліотека библиотека палац дворец дом будинок
    культури культуры palats kultury plant factory works mill завод фабрика комбінат комбинат station станція станция
    substation підстанція подстанция boiler котельня котельная bridge міст мост airport аеропорт аэропорт
    shop store mall hypermarket supermarket market магазин маркет ринок рынок warehouse склад terminal термінал
    терминал city town municipal regional міська міський городская городской районна обласна областная council рада
    совет пожежна пожарная частина часть office number номер the and
    """
_GENERIC = {skeleton(fold(word)) for word in _GENERIC_WORDS.split()}
_WORD = re.compile(r"[^\W\d_]+|\d+")


@lru_cache(maxsize=8192)
def _name(text: str) -> Name:
    if not text:
        return Name()
    tokens = fold(text).split()
    words = [word for token in tokens for word in _WORD.findall(token)]
    # "330 kV" is no number of a thing.
    numbers = [
        one for one, after in zip(words, [*words[1:], ""], strict=True) if one.isdigit() and not _unit(after)
    ]
    return Name(
        tuple(frozenset({skeleton(word), *roots(word)}) for word in words if _tells(word)), frozenset(numbers)
    )


def _unit(word: str) -> bool:
    return latin(word) in ("kv", "mv", "mvt", "kvt", "mw", "kw")


def _tells(word: str) -> bool:
    # Abbreviations; two letters of other scripts may be a whole name.
    short = len(word) <= 2 and latin(word).isascii()
    return not (short or word.isdigit() or is_kind(word)) and skeleton(word) not in _GENERIC


_HOUSE_WORDS = re.compile(r"(?<!\w)(?:буд(?:инок)?|дом|д|house|no|nr|№|#)\.?\s*(?=\d)|№|#", re.I)
#: "28/1", "4Б", "4 Б", "10, корп. 2", "10 k. 2"; not the number in "Тополя-2" or in "27th".
_HOUSE = re.compile(
    r"(?<![\w-])(\d{1,4})(?:\s*/\s*(\d+\w?)|[-\s]?([^\W\d_])(?![\w.]))?"
    r"(?:[,\s]+(?:корп(?:ус)?|к|k|korp(?:us)?|corp|bldg|block|блок)\.?\s*(\d+\w?))?(?![\w-])",
    re.I,
)
_BETWEEN_HOUSES = re.compile(r"[\s,;&]*(?:(?:and|та|і|и|й|y)[\s,;]+)?", re.I)


@lru_cache(maxsize=8192)
def _address(text: str, around: tuple[str, ...]) -> Address:
    if not text:
        return Address()
    text = _HOUSE_WORDS.sub("", text)
    found = list(_HOUSE.finditer(text))
    runs: list[list[re.Match[str]]] = []
    for one in found:
        if runs and _BETWEEN_HOUSES.fullmatch(text, runs[-1][-1].end(), one.start()):
            runs[-1].append(one)
        else:
            runs.append([one])
    # House numbers end an address; in English they begin it.
    ending = [run for run in runs if not re.search(r"[^\W\d_]", text[run[-1].end() :])]
    beginning = [run for run in runs if not re.search(r"[^\W\d_]", text[: run[0].start()])]
    houses = (ending[-1:] or beginning[:1] or [[]])[0]
    street = text if not houses else f"{text[: houses[0].start()]} {text[houses[-1].end() :]}"
    areas = {skeleton(word) for name in around for word in fold(name).split()}
    words = {skeleton(word) for word in fold(street).split() if _tells(word)}
    # The number of an estate is part of its name.
    words |= {word for word in fold(street).split() if word.isdigit()}
    return Address(
        frozenset(words - areas),
        frozenset((one[1].lstrip("0"), latin(fold(one[2] or one[3] or one[4] or ""))) for one in houses),
    )


def _alike(one: str, other: str) -> bool:
    """Whether two skeletons are one word: cases, endings and small slips do not matter, numbers do."""
    if one.isdigit() or other.isdigit():
        return one == other
    return one == other or fuzz.ratio(one, other) >= 80


def _within(fewer: Iterable[str], more: Iterable[str]) -> bool:
    more = list(more)
    return all(any(_alike(word, other) for other in more) for word in fewer)


def _same_street(one: Address, other: Address) -> bool | None:
    """Whether the shorter street is in the longer ("Khmelnytskoho", "вул. Богдана Хмельницького"); None where
    one is not told."""
    if not one.street or not other.street:
        return None
    numbers = [{word for word in street if word.isdigit()} for street in (one.street, other.street)]
    return numbers[0] == numbers[1] and _within(*sorted((one.street, other.street), key=len))


def _same_house(one: Address, other: Address) -> bool | None:
    """Whether they name one house; None where one names none, or leaves out its letter or block."""
    if not one.houses or not other.houses:
        return None
    if one.houses & other.houses:
        return True
    vague = any(
        number == other_number and "" in (part, other_part)
        for number, part in one.houses
        for other_number, other_part in other.houses
    )
    return None if vague else False


def _same_name(one: Name, other: Name) -> bool | None:
    """Whether they are one name; None where nothing says so: names of kinds alone, or none."""
    if one.numbers and other.numbers and not one.numbers & other.numbers:
        return False
    if one.words and other.words:
        fewer, more = sorted((one.words, other.words), key=len)
        met = sum(any(_alike(a, b) for word in more for b in word for a in name) for name in fewer)
        return met * 2 > len(fewer)
    return True if one.numbers & other.numbers else None


# -- uses --------------------------------------------------------------------------------------------------

#: Uses that sources take for each other; the first of a family may be left empty by meaning any of it.
_FAMILIES: tuple[frozenset[str], ...] = (
    frozenset({Use.EDUCATION, Use.SCHOOL, Use.KINDERGARTEN, Use.UNIVERSITY}),
    frozenset({Use.HEALTH, Use.HOSPITAL, Use.CLINIC}),
    frozenset({Use.HOUSE, Use.APARTMENTS, Use.DORMITORY}),
    frozenset({Use.COMMERCIAL, Use.INDUSTRIAL, Use.WAREHOUSE, Use.OTHER}),
    frozenset({Thing.SUBSTATION, Thing.TRANSFORMER, Thing.SWITCHGEAR}),
    frozenset({Thing.LINE, Thing.MINOR_LINE, Thing.CABLE, Thing.TOWER, Thing.POLE}),
)
_ANY_USE = frozenset({"", Use.UNKNOWN, Use.OTHER, Thing.SYSTEM})
#: Members of a family of which one word means the whole: two others of it are two things.
_WHOLE = {Use.EDUCATION: 0, Use.HEALTH: 1}
#: Things of which a village, or a corner of a town, has one.
_ALONE = frozenset(
    {
        Use.SCHOOL, Use.KINDERGARTEN, Use.UNIVERSITY, Use.EDUCATION, Use.HOSPITAL, Use.CLINIC, Use.HEALTH,
        Use.GOVERNMENT, Use.EMERGENCY_SERVICES, Use.CULTURE, Use.RELIGIOUS, Thing.PLANT, Thing.SUBSTATION,
        Thing.BRIDGE, Thing.AIRPORT, Thing.PORT, Thing.STATION, Thing.BOILER_HOUSE, Thing.PUMPING_STATION,
    }
)  # fmt: skip


def _same_use(one: str, other: str) -> bool | None:
    """Whether it is one use; None where one may be the other."""
    if one == other:
        return True if one not in _ANY_USE else None
    if one in _ANY_USE or other in _ANY_USE:
        return None
    for number, family in enumerate(_FAMILIES):
        if one in family and other in family:
            wholes = [use for use, at in _WHOLE.items() if at == number]
            return None if not wholes or one in wholes or other in wholes else False
    return False


# -- the rule ----------------------------------------------------------------------------------------------


#: Made once: a message of numbers costs more to make than a comparison.
_DAYS_APART = ngettext_lazy("%(days)d day apart", "%(days)d days apart", "days")


@dataclass
class _Weighing:
    score: int = 0
    speaks_for: list[Why] = field(default_factory=list)
    against: list[Why] = field(default_factory=list)
    apart: bool = False

    def add(self, points: int, message: Any = None, **values: int) -> None:
        self.score += points
        if message is not None:
            (self.speaks_for if points > 0 else self.against).append((message, values))

    def never(self, message: Any, **values: int) -> None:
        """However like they are else, they are different."""
        self.apart = True
        self.add(0, message, **values)


def compare(one: Portrait, other: Portrait) -> Likeness:
    """What two reports are to each other; the order of the two does not matter."""
    weighed = _Weighing()
    if one.kind != other.kind:
        weighed.never(_("another kind"))
    elif one.sector != other.sector and Sector.UNKNOWN not in (one.sector, other.sector):
        weighed.never(_("another sector"))
    else:
        _weigh_asset(weighed, one, other)
        _weigh_place(weighed, one, other)
        _weigh_thing(weighed, one, other)
    days = _days_apart(one, other)
    place = weighed.score
    _weigh_days(weighed, one, other, days)
    score = max(0, min(100, weighed.score))
    verdict = Verdict.DIFFERENT
    if weighed.apart:
        score = 0
    elif days <= SAME_DAYS:
        verdict = Verdict.SAME if score >= LIKELY else verdict
    # A later loss of supply is another outage; there is no thing that was struck.
    elif one.kind == Kind.OUTAGE:
        score = 0
    else:
        verdict = Verdict.SECOND if place >= _PINNED else verdict
        if verdict == Verdict.SECOND:
            # The days between are what makes it another strike.
            weighed.speaks_for.append(weighed.against.pop())
    return Likeness(verdict, score, weighed.speaks_for, weighed.against)


def _days_apart(one: Portrait, other: Portrait) -> int:
    return max(0, (max(one.first, other.first) - min(one.last, other.last)).days)


def _weigh_days(weighed: _Weighing, one: Portrait, other: Portrait, days: int) -> None:
    if days > SAME_DAYS:
        return weighed.add(0, _DAYS_APART, days=days)
    if days:
        return weighed.add(4, _("a day apart"))
    if max(one.last - one.first, other.last - other.first) > timedelta(days=6):
        return weighed.add(4, _("dates that fit"))
    return weighed.add(15 if one.kind == Kind.OUTAGE else 8, _("same day"))


def _weigh_asset(weighed: _Weighing, one: Portrait, other: Portrait) -> None:
    if one.asset and other.asset:
        if one.asset == other.asset:
            weighed.add(100, _("same asset"))
        else:
            weighed.never(_("another asset"))


def _weigh_place(weighed: _Weighing, one: Portrait, other: Portrait) -> None:
    slack = one.radius_m + other.radius_m
    away = None
    if one.point and other.point:
        away = geo.distance_m(*one.point, *other.point)
        if away > max(slack + 250, slack * 1.2):
            return weighed.never(
                _("%(km)d km apart") if away >= 1_000 else _("%(metres)d m apart"), **_metres(away)
            )
    _weigh_address(weighed, one, other)
    same_town = bool(one.settlement and other.settlement) and _alike(one.settlement, other.settlement)
    if one.settlement and other.settlement and not same_town and slack > 1_000:
        weighed.add(-30, _("another settlement"))
    if away is None:
        return weighed.add(10 if same_town else 0, _("same settlement") if same_town else None)
    if slack <= 500:
        weighed.add(_nearness(away, slack), _("%(metres)d m apart"), **_metres(away))
    elif one.kind == Kind.OUTAGE and one.precision == other.precision and away <= slack * 0.1:
        weighed.add(40, _("same area"))
    elif slack <= SMALL_M:
        weighed.add(20, _("within a small place"))
    elif same_town:
        weighed.add(10, _("same settlement"))
    if slack <= SMALL_M and _ALONE & {one.use, other.use} and _same_use(one.use, other.use) is not False:
        # Two addresses say better why.
        told = one.address.houses and other.address.houses
        weighed.add(30, None if told else _("the only one of its kind here"))
    return None


def _nearness(away: float, slack: int) -> int:
    for metres, points in ((20, 55), (40, 48), (80, 30)):
        if away <= metres and slack <= 100:
            return points
    return 20 if away <= slack else 12


def _metres(away: float) -> dict[str, int]:
    return {"metres": round(away), "km": round(away / 1_000)}


def _weigh_address(weighed: _Weighing, one: Portrait, other: Portrait) -> None:
    street, house = _same_street(one.address, other.address), _same_house(one.address, other.address)
    if street is False:
        return weighed.add(-50, _("another street"))
    if street and house:
        return weighed.add(60, _("same address"))
    if house is False:
        return weighed.never(_("another house number"))
    if street:
        told_both = bool(one.address.houses and other.address.houses)
        if not told_both:
            weighed.add(30 if one.kind == Kind.NETWORK else 12, _("same street"))
    return None


def _weigh_thing(weighed: _Weighing, one: Portrait, other: Portrait) -> None:
    use, name = _same_use(one.use, other.use), _same_name(one.name, other.name)
    if use is False:
        weighed.add(-60, _("another use"))
    elif one.use or other.use:
        weighed.add(8 if use else 4, _("same use") if use else None)
    if name:
        both_words = bool(one.name.words and other.name.words)
        weighed.add(45 if both_words else 40, _("same name"))
    elif name is False:
        weighed.add(-50, _("another name"))
    if one.customers and other.customers:
        share = min(one.customers, other.customers) / max(one.customers, other.customers)
        if share >= 0.8:
            weighed.add(20, _("as many customers"))
        elif share < 0.5:
            weighed.add(-40, _("other numbers of customers"))
