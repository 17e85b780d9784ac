"""Which region or district is meant by a name: one rule for import columns and for the gazetteer.

A name is tried, in this order, as it is written, without its kind ("oblast", "raion"), by its skeleton, by the root
that nouns and adjectives share ("Nikopolskyi" → Nikopol Raion) and, last, misspelt. The first of these that hits
inside the scope decides. Of several hits the one whose kind fits wins ("Kyiv region" is not the city), then the one
that bears the name itself rather than as another name.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from rapidfuzz import process
from rapidfuzz.distance import OSA

from .names import core, fold, roots, skeleton

ROOT = "~"  # before the keys that are roots
_ALIKE = 0.8  # at least, of a misspelt name, and no other area nearly as much
_MARGIN = 0.08


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
    names = {row["name_en"], row["name_uk"], row["name_ru"], row["name_local"], *(row.get("other_names") or ())}
    if row["level"] < 2:
        names |= {row["code"], row["code"][3:]}  # US-IL, and IL as a state's postal code
    return names - {""}


def keys(name: str) -> set[str]:
    """The keys under which an area is found by this name."""
    folded = fold(name)
    spellings = {folded, core(folded)[0]} - {""}
    return {skeleton(s) for s in spellings} | {ROOT + root for s in spellings for root in roots(core(s)[0])}


def match(
    text: str,
    named: Callable[[str], Iterable[Named]],
    within: Callable[[Named], bool],
    alike: Callable[[], Iterable[str]],
) -> list[str]:
    """The codes of the areas that `text` names, as far as `within` allows: one if it is clear, several if it is not.

    `named(key)` gives the areas of a key, `alike()` all keys among which to look for a misspelling.
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
        hits = (
            [area for area in hits if fold(area.name) == name]
            or [area for area in hits if core(fold(area.name))[0] == name]
            or hits
        )
        # "Kyiv region": the region whose full name has such a word, not the city that bears the bare name.
        if kind in ("adm1", "adm2"):
            hits = [area for area in named(bare) if within(area)]
    if not hits:
        hits = [area for root in roots(name) for area in named(ROOT + root) if within(area)]
    if not hits:
        hits = [area for key in _misspelt(bare, alike()) for area in named(key) if within(area)]
    codes = list(dict.fromkeys(area.code for area in hits))
    if len(codes) > 1 and kind:
        codes = list(dict.fromkeys(a.code for a in hits if core(fold(a.name))[1] == kind)) or codes
    if len(codes) > 1:
        codes = list(dict.fromkeys(a.code for a in hits if a.code in codes and a.name == a.main)) or codes
    return codes


def _misspelt(key: str, among: Iterable[str]) -> list[str]:
    """The keys that are nearly `key`, and about equally so; none for a short one."""
    if len(key) < 5:
        return []
    whole = [k for k in among if not k.startswith(ROOT)]
    found = process.extract(key, whole, scorer=OSA.normalized_similarity, score_cutoff=_ALIKE, limit=8)
    return [k for k, score, _ in found if score > found[0][1] - _MARGIN]


@dataclass(frozen=True, slots=True)
class Match:
    """The areas a row of an import names. `problem`: "", or country, region or district with _unknown or _ambiguous."""

    country: str | None = None
    adm1: str | None = None
    adm2: str | None = None
    problem: str = ""


class AreaMatcher:
    """Finds areas by name among rows of the area table (mappings with code, level, parent, country and the names)."""

    def __init__(self, rows: Iterable[Mapping[str, Any]]) -> None:
        # A country's names are folded when it is first asked for: most imports are of one country.
        self._rows: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
        for row in rows:
            self._rows[row["country"] if row["level"] else ""].append(row)
        self._keys: dict[str, dict[str | None, dict[str, list[Named]]]] = {}
        self._seen: dict[tuple[str, str, str], Match] = {}

    def _named(self, country: str) -> dict[str | None, dict[str, list[Named]]]:
        """By parent and key, the areas of a country; of "", the countries themselves."""
        if country not in self._keys:
            by_parent: dict[str | None, dict[str, list[Named]]] = defaultdict(lambda: defaultdict(list))
            for row in self._rows[country]:
                for name in names_of(row):
                    area = Named(row["code"], row["level"], row["parent"], row["country"], row["name_en"], name)
                    for key in keys(name):
                        by_parent[row["parent"]][key].append(area)
            self._keys[country] = by_parent
        return self._keys[country]

    def match(self, country: str, region: str, district: str = "") -> Match:
        """The codes for a country (code or name), a region and a district as a file writes them, or what is wrong."""
        seen = self._seen.get((country, region, district))
        if seen is None:
            seen = self._seen[country, region, district] = self._match(country, region, district)
        return seen

    def _match(self, country: str, region: str, district: str) -> Match:
        state, problem = self._one("country", country, "", None)
        if problem or not region.strip():
            return Match(state, problem=problem)
        adm1, problem = self._one("region", region, state, state)
        if problem or not district.strip():
            return Match(state, adm1, problem=problem)
        adm2, problem = self._one("district", district, state, adm1)
        if problem == "district_unknown" and self._one("region", district, state, state)[0] == adm1:
            problem = ""  # A region that is one city: its name where the district should stand says nothing finer.
        return Match(state, adm1, adm2, problem)

    def _one(self, what: str, text: str, country: str | None, parent: str | None) -> tuple[str | None, str]:
        by_key = self._named(country or "").get(parent, {})
        codes = match(text, lambda key: by_key.get(key, ()), lambda area: True, by_key.keys)
        if len(codes) == 1:
            return codes[0], ""
        return None, f"{what}_ambiguous" if codes else f"{what}_unknown"
