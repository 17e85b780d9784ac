"""How well likely duplicates are told: precision and recall of the rule of likeness on pairs that people read.

    python -m bench.duplicates [--wrong]

``tests/data/pairs.csv`` holds two lines a pair, modelled on public lists of damage, decided by reading before
the rule was written; the pairs from HELD_BACK on were never looked at while its weights were chosen.
"""

import argparse
import csv
from collections import Counter
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

from django.conf import settings

from registry.rules.likeness import Likeness, compare, portrait

PAIRS = Path(__file__).resolve().parent.parent / "tests" / "data" / "pairs.csv"
HELD_BACK = 67
VERDICTS = ("same", "second", "different")


class Pair(NamedTuple):
    number: int
    verdict: str
    found: Likeness
    note: str


def pairs() -> Iterator[Pair]:
    """Every pair, with what its reader decided and what the rule finds."""
    with PAIRS.open(encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    for one, other in zip(lines[::2], lines[1::2], strict=True):
        found = compare(portrait(_report(one)), portrait(_report(other)))
        yield Pair(int(one["pair"]), one["verdict"], found, one["note"])


def _report(line: dict[str, str]) -> Any:
    """A row with the columns that a portrait is made of."""
    values: dict[str, Any] = dict.fromkeys(("place_typed", "adm1_name"), "")
    values |= dict.fromkeys(("geo_radius_m", "customers_affected", "of_asset_id", "occurred_from"))
    values |= {name: line[name] for name in ("kind", "sector", "object_type", "object_name")}
    values |= {name: line[name] for name in ("address", "settlement", "adm2_name", "geo_precision")}
    values |= {name: float(line[name]) for name in ("lat", "lon")}
    values |= {name: int(line[name]) for name in ("geo_radius_m", "customers_affected") if line[name]}
    days = ("occurred_from", "occurred_to")
    return SimpleNamespace(**values | {name: date.fromisoformat(line[name]) for name in days if line[name]})


def rates(found: list[Pair], verdict: str) -> tuple[int, float, float]:
    """How many pairs are of this verdict, the precision with which it is told, and the recall."""
    told = Counter((pair.verdict == verdict, pair.found.verdict == verdict) for pair in found)
    right, wrong, missed = told[True, True], told[False, True], told[True, False]
    return right + missed, right / max(1, right + wrong), right / max(1, right + missed)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--wrong", action="store_true", help="name the pairs told otherwise than read")
    arguments = parser.parse_args()
    settings.configure(USE_I18N=False)
    everything = list(pairs())
    sets = {
        f"pairs 1–{HELD_BACK - 1}": [pair for pair in everything if pair.number < HELD_BACK],
        f"held back, {HELD_BACK}–{everything[-1].number}": [p for p in everything if p.number >= HELD_BACK],
        "all": everything,
    }
    print(f"| {'set':20} | {'verdict':10} | pairs | precision | recall |")
    print(f"|{'-' * 22}|{'-' * 12}|------:|----------:|-------:|")
    for name, chosen in sets.items():
        for verdict in VERDICTS:
            count, precision, recall = rates(chosen, verdict)
            print(f"| {name:20} | {verdict:10} | {count:5} | {precision:9.2f} | {recall:6.2f} |")
    if arguments.wrong:
        for pair in everything:
            if pair.verdict != pair.found.verdict:
                print(pair.number, pair.verdict, "→", pair.found.verdict, pair.found.score, pair.note)
                print("   ", *map(str, pair.found.reasons), "|", *map(str, pair.found.doubts), sep="; ")


if __name__ == "__main__":
    main()
