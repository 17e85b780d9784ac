"""``manage.py load_places FILE``: a country's own places for the gazetteer."""

import sys
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from registry.actions import places
from registry.tabular import BadTable


class Command(BaseCommand):
    help = (
        "Takes the places of a file into the gazetteer: GeoNames' country file (UA.txt), or a CSV with the "
        "headings name, lat, lon and, if there are, other_names, area, geonames_id, population. All or nothing; safe "
        "to repeat."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--country", default="", help="code or name of the country the places lie in: UA")

    def handle(self, *, file: Path, country: str, **options: Any) -> None:
        index = Path(settings.DATA_DIR) / "gazetteer.sqlite3"
        try:
            done = places.load(file, index, country=country, progress=self._show)
        except (places.BadPlaces, BadTable, OSError) as error:
            raise CommandError(f"{file}: {error}") from error
        if sys.stderr.isatty():
            sys.stderr.write("\r\033[K")
        for why, rows in done.left_out.items():
            self.stdout.write(_("%(rows)s left out: %(why)s") % {"rows": f"{rows:,}", "why": why})
        if done.merged is None:
            self.stdout.write(_("This file is loaded already; nothing has changed."))
            return
        for label, number in (
            (_("places of the file"), done.rows),
            (_("new"), done.merged.new),
            (_("villages that had no point and have one now"), done.merged.placed),
            (_("updated"), done.merged.updated),
            (_("unchanged"), done.merged.unchanged),
        ):
            self.stdout.write(f"{number:>9,}  {label}")

    def _show(self, done: int, of: int) -> None:
        if sys.stderr.isatty():
            sys.stderr.write(f"\r{done:,} / {of:,} ")
            sys.stderr.flush()
