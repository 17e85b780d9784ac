"""`manage.py geocode "Воронеж"`: what the gazetteer makes of a place name."""

import json
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from registry.geocoding.gazetteer import Gazetteer, UnknownArea, locate

COLUMNS = ("lat", "lon", "name", "country", "adm1_code", "geo_precision", "radius_m", "score")
_SAID = {
    "ambiguous": "Several places are equally good: choose one, or name the region.",
    "outside": "No such place in the named area. Elsewhere:",
}


class Command(BaseCommand):
    help = "Look up a place in the embedded gazetteer; candidates are printed best first."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "place", help='as people write it: "г. Шебекино, ул. Ленина 5", "Izyum (Kharkiv Region)"'
        )
        parser.add_argument("--region", help="code or name of the region that must hold it: RU-VOR")
        parser.add_argument("--country", help="code or name of the country that must hold it: RU")
        parser.add_argument("--json", action="store_true", help="a JSON list instead of a table")

    def handle(
        self, *, place: str, region: str | None, country: str | None, json: bool, **options: Any
    ) -> None:
        gazetteer = Gazetteer(settings.DATA_DIR / "gazetteer.sqlite3")
        try:
            answer = locate(place, country=country, adm1_code=region, gazetteer=gazetteer)
        except UnknownArea as error:
            raise CommandError(f"--{error}") from error
        except FileNotFoundError as error:
            raise CommandError(f"{error}. Run `manage.py setup` first.") from error
        if answer.outcome in _SAID:
            self.stderr.write(_SAID[answer.outcome])
        rows = [{column: getattr(candidate, column) for column in COLUMNS} for candidate in answer.candidates]
        if json:
            self.stdout.write(_as_json(rows))
        else:
            for row in rows:
                self.stdout.write("\t".join("" if value is None else str(value) for value in row.values()))
        if answer.outcome in ("not_found", "outside"):
            raise CommandError(f"Nothing found for {place!r}.")


def _as_json(rows: list[dict[str, Any]]) -> str:
    return json.dumps(rows, ensure_ascii=False, indent=2)
