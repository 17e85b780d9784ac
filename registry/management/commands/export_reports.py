"""``manage.py export_reports``: the selected rows of a table in a format, whole or not at all."""

import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from registry.actions import journal
from registry.filters import BadFilter, refuse_blanks, select
from registry.models import Download
from registry.outputs.formats import FORMATS, OPTIONS, Unfit
from registry.outputs.sending import Sink
from registry.outputs.tables import TABLES
from registry.rules import access
from registry.rules.vocabularies import Holder
from registry.upkeep.replica import reading


class Command(BaseCommand):
    help = "Write reports, or what belongs to them, to a file: all columns, newest damage first."

    def add_arguments(self, parser):
        parser.add_argument(
            "--filter", default="", metavar="QUERY", help='as in an address: "kind=outage&area=RU-VOR"'
        )
        parser.add_argument(
            "--audience", choices=[str(one) for one in access.AUDIENCES], help="else the office's rows"
        )
        parser.add_argument(
            "--as-of", metavar="MOMENT", help="a day or moment; for an audience that of an edition"
        )
        parser.add_argument("--table", choices=list(TABLES), default="reports", help="what a row is")
        parser.add_argument("--format", choices=list(FORMATS), default="csv")
        parser.add_argument("--excel", action="store_true", help="CSV safe for Excel: BOM, CRLF, no formulas")
        parser.add_argument("--hxl", action="store_true", help="CSV with a second row of HXL tags")
        parser.add_argument("-o", "--output", required=True, metavar="FILE", help="the file, or - for stdout")

    def handle(self, *args, **options):
        with reading():
            self.export(options)

    def export(self, options: dict[str, Any]) -> None:
        holder = options["audience"] or Holder.OFFICE
        table, form = TABLES[options["table"]], FORMATS[options["format"]]
        for name in OPTIONS:
            if options[name] and name not in form.options:
                raise CommandError(_("--%(name)s: not of %(format)s.") % {"name": name, "format": form.label})
        try:
            asked = QueryDict(options["filter"])
            refuse_blanks(asked)
            selection = select(None, asked, holder=holder, as_of=options["as_of"])
            sheet = table.sheet(selection)
            form.check(sheet)
        except (BadFilter, Unfit) as error:
            raise CommandError(str(error)) from error
        chosen = {name: options[name] for name in form.options}
        what = f"{table.name}.{form.name}"
        log = Download(at=journal.now(), holder=holder, what=what, filter=selection.query)
        log.save()

        def write(sink: Sink) -> int:
            return form.write(sheet, sink, **chosen)

        if options["output"] == "-":
            log.rows = write(sys.stdout.buffer)
        else:
            log.rows = self.replace(Path(options["output"]), write)
        log.save()
        self.stderr.write(ngettext("%(n)d row", "%(n)d rows", log.rows) % {"n": log.rows})

    def replace(self, path: Path, write: Callable[[Sink], int]) -> int:
        """Write beside ``path`` and rename, so that the file of that name is always a whole one."""
        try:
            with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
                try:
                    rows = write(file)
                    file.flush()
                    os.fsync(file.fileno())
                    umask = os.umask(0)
                    os.umask(umask)
                    os.fchmod(file.fileno(), 0o666 & ~umask)
                    os.replace(file.name, path)
                except BaseException:
                    os.unlink(file.name)
                    raise
        except OSError as error:
            raise CommandError(_("%(path)s: %(why)s") % {"path": path, "why": error.strerror}) from error
        return rows
