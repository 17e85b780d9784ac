"""``manage.py geocode_csv FILE --columns "town,province" -o OUT``: a table comes back with coordinates."""

import csv
from collections import Counter
from pathlib import Path
from time import monotonic
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from registry.geocoding.gazetteer import Gazetteer
from registry.geocoding.tables import FLAGS, BadColumns, geocoded, write
from registry.tabular import BadTable, Table


class Command(BaseCommand):
    help = "Finds the place of every row of a CSV file. All columns and rows stay, the columns geo_… come behind."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument(
            "--columns",
            required=True,
            help='headings, from narrow to wide: "town/city,province,country". The first is the place',
        )
        parser.add_argument("--country", default="", help="code or name, where no column names one: UA")
        parser.add_argument("-o", "--output", metavar="OUT", type=Path, required=True)

    def handle(self, *, file: Path, columns: str, country: str, output: Path, **options: Any) -> None:
        index = settings.DATA_DIR / "gazetteer.sqlite3"
        if not index.exists():
            raise CommandError(_("There is no gazetteer yet. Run `manage.py setup` first."))
        began = monotonic()
        unfinished = output.with_name(f"{output.name}.part")
        try:
            if output.exists() and (output.samefile(file) or not output.is_file()):
                raise CommandError(
                    _("%(file)s cannot be written over: name another file.") % {"file": output}
                )
            table = Table(file)
            for note in table.notes:
                self.stderr.write(str(note))
            rows = geocoded(
                table.verbatim(),
                [column.strip() for column in next(csv.reader([columns], skipinitialspace=True))],
                country=country,
                gazetteer=Gazetteer(index),
            )
            try:
                with unfinished.open("w", encoding="utf-8", newline="") as out:
                    flags = write(rows, out)
                unfinished.replace(output)
            finally:
                unfinished.unlink(missing_ok=True)
        except (BadTable, BadColumns, OSError) as error:
            raise CommandError(f"{file}: {error}") from error
        self._print(flags, monotonic() - began)

    def _print(self, flags: Counter[str], seconds: float) -> None:
        words = {
            "": _("found"),
            "ambiguous": _("ambiguous: one of several"),
            "review": _("review: a guess"),
            "outside": _("outside the named area"),
            "not_found": _("not found"),
        }
        lines = [
            (_("Rows"), flags.total()),
            *((f"  {words[flag]}", flags[flag]) for flag in FLAGS),
            (_("Rows a second"), round(flags.total() / seconds)),
        ]
        width = max(len(label) for label, _number in lines)
        for label, number in lines:
            self.stdout.write(f"{label:<{width}}  {number:>9,}")
