"""``manage.py load_areas FILE``: a country's own regions and districts, and another scheme's codes for them."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from registry.actions import area_tables
from registry.actions.places import BadPlaces
from registry.tabular import BadTable

_SHOWN = 20


class Command(BaseCommand):
    help = (
        "Takes a country's table of areas into the register: code, name, parent and, if there are, other_names, lat, "
        "lon. Regions and districts that are known get the code, others are new. All or nothing; safe to repeat."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--country", required=True, help="code or name of the country: UA")
        parser.add_argument("--scheme", default="pcode", help="whose codes they are (default: pcode)")

    def handle(self, *, file: Path, country: str, scheme: str, **options: Any) -> None:
        index = Path(settings.DATA_DIR) / "gazetteer.sqlite3"
        try:
            done = area_tables.load(file, index, country=country, scheme=scheme)
        except (BadPlaces, BadTable, OSError) as error:
            raise CommandError(f"{file}: {error}") from error
        for label, number in (
            (_("areas of the file"), done.rows),
            (_("known"), done.known),
            (_("new"), len(done.new)),
            (_("new codes"), done.coded),
            (_("smaller than districts, left out"), done.smaller),
        ):
            self.stdout.write(f"{number:>9,}  {label}")
        for area in done.new[:_SHOWN]:
            self.stdout.write(_("New: %(area)s (%(code)s)") % {"area": area.name, "code": area.code})
