"""``manage.py import_reports FILE --mapping NAME``: the rows of somebody's table become reports."""

import sys
from pathlib import Path
from time import monotonic
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from registry.actions import importing
from registry.actions.journal import Refused
from registry.forms import mappings
from registry.models import Person
from registry.rules.vocabularies import GeoPrecision
from registry.tabular import BadTable, Table

_MOST_SHOWN = 5


class Command(BaseCommand):
    help = (
        "Imports reports from a CSV file. The same command again goes on where it was broken off, and "
        "changes nothing where nothing has changed."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--mapping", required=True, help=f"one of {', '.join(mappings.names())}")
        parser.add_argument("--dry-run", action="store_true", help="say what would happen and write nothing")
        parser.add_argument("--by", metavar="EMAIL", help="the official who imports; only in their own areas")
        parser.add_argument("--errors", type=Path, help="write the errors there, by row and field, as CSV")
        parser.add_argument("--strict", action="store_true", help="exit with 1 if there are errors")

    def handle(self, *, file: Path, mapping: str, dry_run: bool, strict: bool, **options: Any) -> None:
        by, errors = self._person(options["by"]), options["errors"]
        self.shown = 0
        try:
            headings = [heading for heading in Table(file).headings if heading]
            if errors is not None:
                errors.unlink(missing_ok=True)
            if dry_run:

                def note(judged: list[importing.Judged]) -> None:
                    self._show(judged)
                    if errors is not None:
                        importing.write_errors(errors, judged, headings=headings)

                bar = _Bar(sum(1 for _row in Table(file).rows()))
                rows, counts = importing.preview(file, mapping, by=by, progress=bar.show, errors=note)
            else:
                batch = importing.start(file, mapping, by=by)
                bar = _Bar(batch.rows)
                while importing.advance(batch):
                    bar.show(batch.next_row)
                rows, counts = batch.rows, batch.counts
                found = importing.errors_file(batch)
                if found.exists() and errors is not None:
                    errors.write_bytes(found.read_bytes())
                errors = errors or found
            bar.end()
        except (BadTable, mappings.BadMapping, Refused, OSError) as error:
            raise CommandError(f"{file}: {error}") from error
        self._print(f"{file.name} · {mapping}", rows, counts)
        if errors is not None and errors.exists():
            self.stdout.write(_("Errors by row and field: %(path)s") % {"path": errors})
        if dry_run:
            self.stdout.write(_("Nothing was written."))
        if strict and counts["error"]:
            raise CommandError(_("%(count)d rows have errors.") % {"count": counts["error"]})

    def _person(self, email: str | None) -> Person | None:
        if email is None:
            return None
        try:
            return Person.objects.get(email__iexact=email, is_active=True)
        except Person.DoesNotExist:
            raise CommandError(
                _("There is no active person with the address %(email)s.") % {"email": email}
            ) from None

    def _show(self, judged: list[importing.Judged]) -> None:
        for one in judged[: _MOST_SHOWN - self.shown]:
            self.shown += 1
            said = "; ".join(f"{name}: {message}" if name else str(message) for name, message in one.errors)
            self.stderr.write(_("Row %(row)d: %(said)s") % {"row": one.row.number, "said": said})

    def _print(self, title: str, rows: int, counts: dict[str, Any]) -> None:
        words = {
            "new": _("new"),
            "unchanged": _("unchanged"),
            "changed": _("changed"),
            "conflict": _("conflicts, left to a person"),
            "left_out": _("left out"),
            "error": _("errors"),
        }
        problems, precisions = dict(mappings.problems()), dict(GeoPrecision.choices)
        lines = [(f"{title}", rows)]
        for outcome in importing.OUTCOMES:
            lines.append((f"  {words[outcome]}", counts[outcome]))
            if outcome == "left_out":
                lines += [(f"    {reason}", number) for reason, number in counts["reasons"].items()]
        if counts["places"]:
            located = sum(counts["places"].values())
            lines.append((_("Located, of the new and changed"), located))
            lines += [(f"  {precisions[code]}", number) for code, number in counts["places"].items()]
            lines += [(f"    {problems[code]}", number) for code, number in counts["problems"].items()]
        width = max(len(label) for label, _number in lines)
        for label, number in lines:
            self.stdout.write(f"{label:<{width}}  {number:>9,}")


class _Bar:
    """Progress on stderr, where somebody looks at it."""

    def __init__(self, rows: int) -> None:
        self.rows, self.began, self.shown = rows, monotonic(), sys.stderr.isatty()

    def show(self, done: int) -> None:
        if self.shown and self.rows:
            share = done / self.rows
            left = (monotonic() - self.began) * (1 - share) / share if share else 0
            bar = "█" * int(30 * share)
            sys.stderr.write(f"\r{bar:░<30} {share:4.0%}  {done:,} / {self.rows:,}  {left:,.0f} s ")
            sys.stderr.flush()

    def end(self) -> None:
        if self.shown:
            sys.stderr.write("\r\033[K")
