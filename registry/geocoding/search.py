"""One query on its way through the index: which places may be meant, and whether one of them clearly is.

1. The parts that name a country, region or district, and the caller's hints, give the scope.
2. The settlement's name is looked up by its key. A name matches *exactly* (same letters but for case, accents,
   apostrophes, hyphens), by *transliteration* (same key), or, on a miss only, *fuzzily* (misspelt). What still is not
   found is taken apart where an area's name ends or begins: "Columbus OH".
3. Nothing is guessed in silence. Of several places inside the scope one is taken only if it dominates: each other one
   matches worse and has at most `WORSE_RIVAL` times its people, or has at most a `RIVAL`th of them, or lies within
   `SAME_PLACE_M` of it. Else the answer is ambiguous. A place outside the scope is never an answer, nor is one whose
   point lies outside the boundaries of the region it is said to belong to.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

from rapidfuzz import fuzz

from registry.geo import distance_m

from . import areas, boundaries
from .answers import Answer, Candidate
from .index import COUNTRY, DISTRICT, KNOWN, REGION, SETTLEMENT, TOWN, VILLAGE, Index, Row
from .names import fold, skeleton, spelling
from .parsing import Part, Typed, is_kind, linked, part

RIVAL = 10
WORSE_RIVAL = 3
SAME_PLACE_M = 5_000
CITY = (
    100_000  # people from which a settlement may have districts of its own, or is guessed at in all the world
)
NEAR_M = 15_000  # at least the radius of "south of X" and "near X"
_ACROSS_DEGREES = 0.3
_BEYOND_M = 10_000  # how far outside the circle of a district a town without one may lie
_MOST_WORDS = 8

_PRECISIONS = ("country", "adm1", "adm2", "settlement", "adm2")
# By how well the name matches; an "other" name is one unlike the place's main one (an old or a foreign name).
_EXACT, _OTHER, _TRANSLIT, _OTHER_TRANSLIT, _FUZZY = range(5)
_HOW = ("exact", "exact", "translit", "translit", "fuzzy")
_SCORES = (1.0, 0.95, 0.9, 0.85, 0.8)


class _Hit(NamedTuple):
    tier: int
    score: float
    row: Row


def _tier(rows: tuple[Row, ...], typed: str, folded: str, key: str) -> tuple[int, Row] | None:
    """How well the best of a place's names of this key matches what was typed, and which; None: by chance only."""
    main = rows[0].main
    like_main = main == typed or fuzz.ratio(skeleton(fold(main)), key) >= areas.SAME_NAME
    same = next((row for row in rows if row.name == typed), None)
    same = same or next((row for row in rows if fold(row.name) == folded), None)
    if same:
        return (_EXACT if like_main else _OTHER), same
    word = spelling(folded)
    alike, row = max((fuzz.ratio(spelling(fold(row.name)), word), row) for row in rows)
    if alike < areas.SAME_NAME:
        return None
    return (_TRANSLIT if like_main else _OTHER_TRANSLIT), row


def candidate(row: Row, tier: int = _EXACT, score: float = 1.0, radius_m: int = 0) -> Candidate:
    """A row of the index as an answer; `radius_m`: at least."""
    return Candidate(
        row.lat, row.lon, row.main, row.country, row.adm1, row.adm2, _PRECISIONS[row.level],
        max(row.radius_m, radius_m), round(score, 3), row.id if row.id > 0 else None, row.name, _HOW[tier],
        row.population, row.timezone,
    )  # fmt: skip


def _near(place: Candidate, district: Row) -> bool:
    """Whether a place may lie in a district, by the points of both; yes if the district has none."""
    if district.lat is None:
        return True
    return distance_m(place.lat, place.lon, district.lat, district.lon) <= 1.5 * district.radius_m + _BEYOND_M


class Search:
    """`hard`: the areas that must hold the answer."""

    def __init__(self, index: Index, typed: Typed, hard: list[Row]) -> None:
        self.index = index
        self.typed = typed
        self.hard = hard
        self.guessing = False  # at misspelt names: only when nothing else is left
        self.country = next((a.country for a in hard), None)

    def answer(self) -> Answer:
        answer = self._answer(self.typed.parts)
        if not answer.sure:
            for parts in self._taken_apart():
                if (other := self._answer(parts)).sure:
                    return other
            self.guessing = True
            return self._answer(self.typed.parts)
        if answer.outcome == "found" and answer.candidates[0].geo_precision in ("adm1", "country"):
            for parts in self._with_finer():
                if (other := self._answer(parts)).sure and other.candidates[0].geo_precision == "settlement":
                    return other
        return answer

    def _answer(self, parts: tuple[Part, ...]) -> Answer:
        loose: list[Part] = []
        areas_typed: list[list[Row]] = []
        scope = list(self.hard)
        for one in sorted(
            parts, key=lambda one: one.kind != "adm1"
        ):  # the regions first: a district lies in one
            found = self._areas(one, scope) if one.kind in ("adm1", "adm2") else []
            if found:
                areas_typed.append(found)
                scope += found if len(found) == 1 else []
            else:
                loose.append(one)
        if not loose:
            return self._area_answer(areas_typed)
        if len(loose) == 1:
            answer = self._place_answer(loose[0], scope, [])
            if answer.outcome == "outside":
                answer = self._without_district(loose[0], scope) or answer
            return answer if answer.sure else self._named_again(loose[0], scope, answer) or answer
        return self._several(loose, scope, areas_typed)

    def _several(self, loose: list[Part], scope: list[Row], areas_typed: list[list[Row]]) -> Answer:
        """Any of the parts may be the settlement; the others then name the areas it lies in, or something finer."""
        meanings = [self._areas_loosely(one) for one in loose]
        first: Answer | None = None
        left = [
            sum(not m for number, m in enumerate(meanings) if number != place) for place in range(len(loose))
        ]
        # "Ohio, Felicity": a reading that accounts for all parts comes before one that overlooks some.
        for place in sorted(range(len(loose)), key=left.__getitem__):
            others = [m for number, m in enumerate(meanings) if number != place and m]
            answer = self._place_answer(loose[place], scope, others)
            if answer.sure:
                # "Nowhere, Kharkiv": is the city meant, or a village of its region that is not known?
                region = any(area.level <= REGION and area not in scope for area in meanings[place])
                missed = place > 0 and region and not any(meanings[:place])
                wide = left[place] and answer.candidates[0].geo_precision in ("adm1", "country")
                if not (missed or wide):
                    return answer
                overlooked = [one for one, meant in zip(loose, meanings, strict=True) if not meant]
                guesses = self._nearly(overlooked, [a for a in meanings[place] if a.level == REGION], scope)
                return Answer("ambiguous", (*guesses, *answer.candidates), answer.remainder)
            if (
                first is None
                or first.outcome == "not_found"
                or (first.outcome == "outside" and answer.outcome in ("found", "ambiguous"))
            ):
                first = answer
        if first and first.outcome in ("found", "ambiguous"):
            return first
        if all(meanings):
            whole = self._area_answer(areas_typed + meanings)
            if whole.outcome != "outside":
                return whole
        return first or Answer("not_found", remainder=self.typed.remainder)

    def _nearly(self, parts: list[Part], regions: list[Row], scope: list[Row]) -> tuple[Candidate, ...]:
        """Settlements of a region that bear nearly such a name."""
        if len(regions) != 1:
            return ()
        guessing, self.guessing = self.guessing, True
        hits = [hit for one in parts for hit in self._guesses(one, [*scope, *regions], [])]
        self.guessing = guessing
        return self._made("ambiguous", sorted(hits, key=lambda hit: -hit.score)).candidates

    def _with_finer(self) -> Iterator[tuple[Part, ...]]:
        """What looks like a street may be the settlement, where nothing else is: Colonia Morelos, México."""
        for one in self.typed.finer:
            yield (one._replace(core=one.folded, kind=None), *self.typed.parts)

    def _taken_apart(self) -> Iterator[tuple[Part, ...]]:
        """The parts again, two of them as one, or one cut where an area or an address begins."""
        parts = self.typed.parts
        for number in range(
            len(parts) - 1
        ):  # a name with a bracket or a stroke in it: "Benavarri / Benabarre"
            one, other = parts[number : number + 2]
            yield (*parts[:number], part(f"{one.text} {other.text}"), *parts[number + 2 :])
        for number, one in enumerate(parts):
            before, after = parts[:number], parts[number + 1 :]
            words = one.text.split()
            if 2 <= len(words) <= _MOST_WORDS:
                for cut in range(len(words) - 1, 0, -1):
                    pair = part(linked(words[:cut])), part(" ".join(words[cut:]))
                    if not any(is_kind(half.folded) for half in pair) and any(map(self._areas_by_name, pair)):
                        yield before + pair + after
            elif len(words) == 1 and one.text[0] >= "\u3040" and one.kind not in ("adm1", "adm2"):
                for end in range(min(len(one.text) - 1, _MOST_WORDS), 1, -1):
                    yield (*before, part(one.text[:end]), *after)

    def _without_district(self, one: Part, scope: list[Row]) -> Answer | None:
        """The same in the region of the district: no source here ties the districts of large cities to them, nor most
        towns of some countries to theirs. What is known to lie in another district is none of it."""
        districts = [area for area in scope if area.level == DISTRICT]
        if not districts:
            return None
        regions = [self.index.area(area.adm1) for area in districts if area.adm1]
        wider = [area for area in [*scope, *filter(None, regions)] if area.level < DISTRICT]
        answer = self._place_answer(one, wider, [])
        if answer.outcome not in ("found", "ambiguous"):
            return None
        best = answer.candidates[0]
        if (
            not any(area in self.hard for area in districts)
            and answer.outcome == "found"
            and best.population >= CITY
        ):
            return answer
        if (
            best.geo_precision != "settlement"
            or best.adm2_code
            or not all(_near(best, one) for one in districts)
        ):
            return None
        # A village may have a namesake in this district that is not known, but not the one that gave it its name.
        its_own = any(areas.keys(best.name) & areas.keys(area.main) for area in districts)
        return answer if its_own or best.population >= KNOWN else replace(answer, outcome="ambiguous")

    def _named_again(self, one: Part, scope: list[Row], answer: Answer) -> Answer | None:
        """The region in which to look, named once more as the place, or the country around it: nothing is finer."""
        lost = answer.outcome == "not_found"
        again = [
            area
            for area in self._areas_of_name(one)
            if any(lost if a.code == area.code else a.within(area) for a in scope)
        ]
        return self._area_answer([again, *([a] for a in scope)]) if again else None

    # Areas

    def _areas(self, one: Part, scope: list[Row]) -> list[Row]:
        """The regions or districts that a part with such a word means."""
        country = next((a.country for a in scope), None)
        region = next((a.adm1 for a in scope if a.level >= REGION), None)
        levels = (REGION, DISTRICT) if one.kind == "adm1" else (DISTRICT, REGION)
        for level in levels:
            if found := self.index.areas_named(
                one.text, (level,), country, region, level == REGION == levels[0]
            ):
                return found
        # A caller's region and a text's that differ: the text's is found without the hint, and then refused.
        return (
            self.index.areas_named(one.text, (REGION,), None, None)
            if one.kind == "adm1" and self.hard
            else []
        )

    def _areas_by_name(self, one: Part) -> list[Row]:
        return self.index.areas_named(one.text, (COUNTRY, REGION), self.country, None, False)

    def _areas_loosely(self, one: Part) -> list[Row]:
        if one.kind == "place":
            return []
        best: dict[int, Row] = {}
        for row in self.index.named(skeleton(one.core)):
            if row.code and (self.country is None or row.country == self.country):
                best.setdefault(row.id, row)
        return list(best.values()) or self._areas_by_name(one)

    def _area_answer(self, groups: list[list[Row]]) -> Answer:
        """The deepest area that lies in all others."""
        every = list({row.id: row for rows in groups for row in rows if row.lat is not None}.values())
        fitting = [
            row
            for row in every
            if all(any(row is a or row.within(a) or a.within(row) for a in rows) for rows in groups)
            and all(row.within(a) or row.code == a.code for a in self.hard)
        ]
        if not fitting:
            hits = [_Hit(_EXACT, 1.0, row) for row in every]
            return self._made("outside", hits) if hits else Answer("not_found")
        deepest = max(row.level for row in fitting)
        return self._decided([_Hit(_EXACT, 1.0, row) for row in fitting if row.level == deepest])

    # Settlements

    def _place_answer(self, one: Part, scope: list[Row], others: list[list[Row]]) -> Answer:
        hits, elsewhere = self._hits(one, scope, others)
        if one.kind != "place" and not others and not any(a.level for a in scope):
            hits = self._with_areas(one, hits)
        if rivals := self._better_known(hits, elsewhere, scope):
            return self._made("ambiguous", self._likelier(self._peopled(hits), rivals, scope))
        if hits:
            return self._decided([self._around(hit) for hit in hits] if one.kind == "adm2" else hits)
        if districts := self._districts(one, scope):
            return self._area_answer([districts])
        guesses = self._guesses(one, scope, others)
        if guesses and not elsewhere:
            answer = self._decided(guesses)
            sure = scope or answer.candidates[0].population >= CITY
            return answer if sure else Answer("ambiguous", answer.candidates, answer.remainder)
        if guesses:  # A name of its own elsewhere, nearly one here: for a person.
            elsewhere = self._nearest(elsewhere, scope, others)
            return self._made("ambiguous", self._likelier(guesses, elsewhere, scope))
        if not elsewhere and scope:
            country = self.index.area(scope[0].country)
            elsewhere = self._guesses(one, [country] if country else [], [])
        if elsewhere:
            return self._made("outside", self._nearest(elsewhere, scope, others))
        return Answer("not_found", remainder=self.typed.remainder)

    @staticmethod
    def _better_known(hits: list[_Hit], elsewhere: list[_Hit], scope: list[Row]) -> list[_Hit]:
        """Settlements of the name outside the region that may be meant rather than small villages inside it."""
        if not hits or hits[0].row.population or any(area.level == DISTRICT for area in scope):
            return []
        tier, country = min(hit.tier for hit in hits), hits[0].row.country
        return [
            hit
            for hit in elsewhere
            if hit.row.country == country and hit.row.population >= KNOWN and hit.tier <= tier
        ]

    @staticmethod
    def _likelier(inside: list[_Hit], elsewhere: list[_Hit], scope: list[Row]) -> list[_Hit]:
        """First a settlement just across the border of the region, or one rather meant than a misspelt village."""
        region = next((area.code for area in scope if area.level == REGION), None)
        first = [
            hit
            for hit in elsewhere
            if hit.row.population >= KNOWN
            and hit.row.country == inside[0].row.country
            and (
                inside[0].tier == _FUZZY
                or (region and boundaries.holds(region, hit.row.lat, hit.row.lon, _ACROSS_DEGREES))
            )
        ]
        return [*first, *inside, *(hit for hit in elsewhere if hit not in first)]

    def _hits(self, one: Part, scope: list[Row], others: list[list[Row]]) -> tuple[list[_Hit], list[_Hit]]:
        """The settlements of that name inside the scope; and those outside, unless a settlement is inside."""
        outside: list[_Hit] = []
        # An area named in words may also mean a city beside it.
        area = next((area.code for area in reversed(scope) if not area.loose), None)
        area = area or (scope[-1].country if scope else "")
        for folded in one.names:
            key = skeleton(folded)
            every = self.index.settled(key, area)
            inside = [names for names in every if self._fits(names[0], scope, others)]
            hits = self._tiered(inside, one.text, folded, key)
            if settled := [hit for hit in hits if hit.row.population]:
                return settled, []
            if area and not hits:
                every = self.index.settled(key)
            found = {names[0].id for names in inside}
            beyond = [names for names in every if names[0].id not in found]
            outside += self._tiered(beyond, one.text, folded, key)
            if hits:
                return hits, outside
        return [], outside

    def _fits(self, row: Row, scope: list[Row], others: list[list[Row]]) -> bool:
        for area in scope:
            if not self._in(row, area):
                return False
        return all(any(self._in(row, area) for area in meant) for meant in others)

    @staticmethod
    def _tiered(places: list[tuple[Row, ...]], typed: str, folded: str, key: str) -> list[_Hit]:
        hits = []
        for names in places:
            if found := _tier(names, typed, folded, key):
                hits.append(_Hit(found[0], _SCORES[found[0]], found[1]))
        return hits

    def _in(self, row: Row, area: Row) -> bool:
        return row.within(area) or (area.loose and row.adm1 in self.index.cities_of(area.code))

    def _districts(self, one: Part, scope: list[Row]) -> list[Row]:
        """A municipality that no source has as a settlement, inside a region that is known."""
        if not any(area.level == REGION for area in scope):
            return []
        return [
            a for a in self._areas_of_name(one) if a.level == DISTRICT and all(a.within(b) for b in scope)
        ]

    def _areas_of_name(self, one: Part) -> list[Row]:
        """The areas that have this very name, and a point."""
        rows = [row for folded in one.names for row in self.index.named(skeleton(folded))]
        return list({row.id: row for row in rows if row.level < SETTLEMENT and row.lat is not None}.values())

    def _guesses(self, one: Part, scope: list[Row], others: list[list[Row]]) -> list[_Hit]:
        if not self.guessing:
            return []
        scope = scope + [m[0] for m in others if len(m) == 1]
        found = self.index.misspelt(skeleton(one.core), scope)
        if not scope:
            found = [(row, alike) for row, alike in found if row.population >= TOWN]
        settled = [(row, alike) for row, alike in found if row.population]
        return [_Hit(_FUZZY, _SCORES[_FUZZY] * alike, row) for row, alike in settled or found]

    def _with_areas(self, one: Part, hits: list[_Hit]) -> list[_Hit]:
        """A bare name may be a region's or a country's. A settlement that lies in that very area is meant before it."""
        for area in self._areas_by_name(one):
            exact = any(fold(name) == one.folded for name in (area.main, area.name)) or not hits
            if area.lat is not None and not any(hit.row.within(area) for hit in hits):
                hits = [*hits, _Hit(_EXACT if exact else _OTHER, _SCORES[_EXACT if exact else _OTHER], area)]
        return hits

    # Choosing

    @staticmethod
    def _around(hit: _Hit) -> _Hit:
        """A district or community that is known by its chief settlement alone: not as precise as that."""
        row = hit.row
        return hit._replace(row=row._replace(level=VILLAGE, radius_m=max(row.radius_m, NEAR_M)))

    def _decided(self, hits: list[_Hit]) -> Answer:
        hits = sorted(hits, key=lambda hit: (hit.tier, -hit.row.population))
        best = hits[0]
        if best.tier < _TRANSLIT:  # Whoever writes a name as it is does not mean one that merely sounds so.
            hits = [hit for hit in hits if hit.tier < _TRANSLIT]
        rivals = [hit for hit in hits[1:] if not self._dismissed(hit, best)]
        if not (rivals or best.row.stray):
            return self._made("found", hits)
        equal = [best, *(hit for hit in rivals if hit.tier == best.tier)]
        return self._made("ambiguous", [*self._peopled(equal), *(hit for hit in hits if hit not in equal)])

    def _peopled(self, hits: list[_Hit]) -> list[_Hit]:
        """The best matches first; of equals in a region that around which more people live: more is heard of it."""
        if len(hits) == 1 or len({hit.row.adm1 for hit in hits}) > 1:
            return hits
        around = self.index.people_around([hit.row for hit in hits])
        order = sorted(zip(hits, around, strict=True), key=lambda pair: (pair[0].tier, -pair[1]))
        return [hit for hit, _people in order]

    @staticmethod
    def _dismissed(hit: _Hit, best: _Hit) -> bool:
        people, most = hit.row.population, best.row.population
        if most and (people * RIVAL <= most or (hit.tier > best.tier and people <= most * WORSE_RIVAL)):
            return True
        return distance_m(hit.row.lat, hit.row.lon, best.row.lat, best.row.lon) <= SAME_PLACE_M

    @staticmethod
    def _nearest(hits: list[_Hit], scope: list[Row], others: list[list[Row]]) -> list[_Hit]:
        """Those of the named country first, then those nearest to the named area."""
        area = max(scope + [m[0] for m in others], key=lambda a: a.level)
        if area.lat is None:
            return hits
        return sorted(
            hits,
            key=lambda hit: (
                hit.row.country != area.country,
                hit.tier >= _TRANSLIT,
                distance_m(hit.row.lat, hit.row.lon, area.lat, area.lon),
            ),
        )

    def _made(self, outcome: str, hits: list[_Hit]) -> Answer:
        radius_m = NEAR_M if self.typed.near else 0
        return Answer(
            outcome,
            tuple(candidate(row, tier, score, radius_m) for tier, score, row in hits),
            self.typed.remainder,
        )
