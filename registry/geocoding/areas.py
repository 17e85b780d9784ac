"""Which region or district is meant by a name: one rule for import columns and for the gazetteer.

A name is tried, in this order, as it is written, without its kind ("oblast", "raion"), by its skeleton, by the root
that nouns and adjectives share ("Nikopolskyi" → Nikopol Raion) and, last, misspelt. The first of these that hits
inside the scope decides. Of several hits the one whose kind fits wins ("Kyiv region" is not the city), then the one
that bears the name itself rather than as another name.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

from rapidfuzz import fuzz, process
from rapidfuzz.distance import OSA

from .names import fold, roots, skeleton, spelling
from .parsing import core

SAME_NAME = 60  # percent of letters that two spellings of one name share at least; less is chance
ROOT = "~"  # before the keys that are roots
_ALIKE = (
    0.65  # at least, of a misspelt name, and no other area nearly as much: the areas to choose from are few
)
_MARGIN = 0.12
_CODE = 3  # letters: names so short are codes and initials


class Named(NamedTuple):
    """An area under one of its names."""

    code: str
    level: int
    parent: str | None
    country: str
    main: str
    name: str


def names_of(row: Mapping[str, Any]) -> set[str]:
    """Every name and code by which an area may be called."""
    names = {
        row["name_en"],
        row["name_uk"],
        row["name_ru"],
        row["name_local"],
        *(row.get("other_names") or ()),
    }
    if row["level"] < 2:
        names |= {row["code"], row["code"][3:]}  # US-IL, and IL as a state's postal code
    return names - {""}


def keys(name: str) -> set[str]:
    """The keys under which an area is found by this name."""
    folded = fold(name)
    bare = core(folded)[0]
    return {skeleton(folded), skeleton(bare)} | {ROOT + root for root in roots(bare)} if bare else set()


def match(
    text: str,
    named: Callable[[str], Iterable[Named]],
    within: Callable[[Named], bool],
    spelled: Callable[[], Iterable[str]] = tuple,
) -> list[str]:
    """The codes of the areas that `text` names, as far as `within` allows: one if it is clear, several if it is not.

    `named(key)` gives the areas of a key, `spelled()` the spellings among which to look for what was meant on a miss.
    """
    folded = fold(text)
    name, kind = core(folded)
    if not name:
        return []
    whole, bare = skeleton(folded), skeleton(name)
    hits = [area for area in named(whole) if within(area)] if whole != bare else []
    hits = [area for area in hits if fold(area.name) == folded] or hits
    if not hits:
        hits = [area for area in named(bare) if within(area)]
        hits = [area for area in hits if _same(core(fold(area.name))[0], name)]
        if kind not in ("adm1", "adm2"):  # Else "Kyiv region" would be the city that bears the bare name.
            hits = (
                [area for area in hits if fold(area.name) == name]
                or [area for area in hits if core(fold(area.name))[0] == name]
                or hits
            )
    if not hits:
        hits = [area for root in roots(name) for area in named(ROOT + root) if within(area)]
        hits = [area for area in hits if _same(core(fold(area.name))[0], name)]
    if not hits:
        hits = [
            area
            for near in _misspelt(spelling(name), spelled())
            for area in named(skeleton(near))
            if within(area)
        ]
    codes = list(dict.fromkeys(area.code for area in hits))
    if len(codes) > 1 and kind:
        codes = list(dict.fromkeys(a.code for a in hits if core(fold(a.name))[1] == kind)) or codes
    if len(codes) > 1:
        codes = list(dict.fromkeys(a.code for a in hits if a.code in codes and a.name == a.main)) or codes
    return codes


def _same(name: str, other: str) -> bool:
    """Whether two spellings are of one name. Codes are never transliterated: США is not SA."""
    if len(name) <= _CODE or len(other) <= _CODE:
        return name == other
    return fuzz.ratio(spelling(name), spelling(other)) >= SAME_NAME


def _misspelt(name: str, among: Iterable[str]) -> list[str]:
    """The spellings that are nearly `name`, and about equally so; none for a short one."""
    if len(name) < 5:
        return []
    found = process.extract(name, list(among), scorer=OSA.normalized_similarity, score_cutoff=_ALIKE, limit=8)
    return [near for near, score, _ in found if score > found[0][1] - _MARGIN]


@dataclass(frozen=True, slots=True)
class Match:
    """The areas a row of an import names. `problem`: "", or country, region or district with _unknown or _ambiguous."""

    country: str | None = None
    adm1: str | None = None
    adm2: str | None = None
    problem: str = ""


class AreaMatcher:
    """Finds areas by the country, region and district a file writes, in the index of a gazetteer."""

    def __init__(self, gazetteer: Any) -> None:
        self._areas_named, self._area = gazetteer.index.areas_named, gazetteer.index.area
        self.match = lru_cache(maxsize=4096)(self._match)

    def _match(self, country: str, region: str = "", district: str = "") -> Match:
        """The codes of the areas named (a code is a name too), or what is wrong. A region tells its country where
        none is named, if only one has such a region."""
        state, problem = self._one("country", country, 0, None, None) if country.strip() else (None, "")
        if problem or not region.strip():
            return Match(state, problem=problem)
        adm1, problem = self._one("region", region, 1, state, None)
        state = state or (self._area(adm1).country if adm1 else None)
        if problem or not district.strip():
            return Match(state, adm1, problem=problem)
        adm2, problem = self._one("district", district, 2, state, adm1)
        if problem == "district_unknown" and self._one("region", district, 1, state, None)[0] == adm1:
            problem = (
                ""  # A region that is one city: its name where the district should stand says nothing finer.
            )
        return Match(state, adm1, adm2, problem)

    def _one(
        self, what: str, text: str, level: int, country: str | None, parent: str | None
    ) -> tuple[str | None, str]:
        found = self._areas_named(text, (level,), country, parent)
        if len(found) == 1:
            return found[0].code, ""
        return None, f"{what}_ambiguous" if found else f"{what}_unknown"
