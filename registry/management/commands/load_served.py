"""``manage.py load_served FILE``: how many customers each operator serves where, for SAIFI and SAIDI."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import ngettext

from registry.actions import served
from registry.tabular import BadTable


class Command(BaseCommand):
    help = (
        f"Takes in how many customers are served: a table with the columns {', '.join(served.COLUMNS)}. "
        "All or nothing; safe to repeat."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)

    def handle(self, *, file: Path, **options: Any) -> None:
        try:
            rows = served.load(file)
        except (served.BadServed, BadTable, OSError) as error:
            raise CommandError(f"{file}: {error}") from error
        self.stdout.write(
            ngettext("%(rows)d row taken in.", "%(rows)d rows taken in.", rows) % {"rows": rows}
        )
