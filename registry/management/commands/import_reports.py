"""``manage.py import_reports FILE --mapping NAME``: the rows of somebody's table become reports."""

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from time import monotonic
from typing import Any, TextIO

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from registry.actions import importing
from registry.actions.journal import Refused
from registry.forms import mappings
from registry.models import Batch, BatchRow, Person
from registry.rules.vocabularies import GeoPrecision
from registry.tabular import BadTable

_MOST_SHOWN = 5


class Command(BaseCommand):
    help = (
        "Imports reports from a table: CSV, XLSX, ODS, XLS, GeoJSON. The same command again goes on where it "
        "was broken off, and changes nothing where nothing has changed."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--mapping", required=True, help=f"one of {', '.join(mappings.names())}")
        parser.add_argument("--preview", action="store_true", help="say what would happen and write nothing")
        parser.add_argument("--by", metavar="EMAIL", help="the official who imports; only in their own areas")
        parser.add_argument(
            "--failed", type=Path, metavar="OUT", help="write the failing rows there, marked, as CSV"
        )
        parser.add_argument(
            "--without-likely", action="store_true", help="leave out rows that look like reports already here"
        )
        parser.add_argument("--strict", action="store_true", help="exit with 1 if there are errors")

    def handle(self, *, file: Path, mapping: str, preview: bool, strict: bool, **options: Any) -> None:
        by, failed, without_likely = self._person(options["by"]), options["failed"], options["without_likely"]
        bar = _Bar()
        try:
            if preview:
                with _Failing(failed) as failing:
                    rows, counts = importing.preview(
                        file,
                        mapping,
                        by=by,
                        without_likely=without_likely,
                        progress=bar.show,
                        failing=failing.add,
                    )
            else:
                batch = importing.start(file, mapping, by=by, without_likely=without_likely)
                self._advance(batch, bar)
                if batch.state == batch.State.CHECKED:
                    importing.confirm(batch, by=by, without_failing=True, without_likely=True)
                    self._advance(batch, bar)
                rows, counts = batch.rows, batch.counts
                with _Failing(failed) as failing:
                    failing.add(batch.headings, importing.failing.rows(batch))
                if batch.problem:
                    raise CommandError(f"{file}: {batch.problem}")
            bar.end()
        except (BadTable, mappings.BadMapping, Refused, OSError) as error:
            raise CommandError(f"{file}: {error}") from error
        self._print(f"{file.name} · {mapping}", rows, counts)
        for row in failing.first:
            said = {"row": row.number, "said": importing.failing.in_words(row)}
            self.stderr.write(_("Row %(row)d: %(said)s") % said)
        if failed and counts["error"]:
            self.stdout.write(_("The failing rows, marked: %(path)s") % {"path": failed})
        if preview:
            self.stdout.write(_("Nothing was written."))
        if strict and counts["error"]:
            raise CommandError(_("%(count)d rows have errors.") % {"count": counts["error"]})

    def _advance(self, batch: Batch, bar: "_Bar") -> None:
        while batch.is_at_work and importing.advance(batch):
            bar.show(batch.next_row, batch.rows)

    def _person(self, email: str | None) -> Person | None:
        if email is None:
            return None
        try:
            return Person.objects.get(email__iexact=email, is_active=True)
        except Person.DoesNotExist:
            raise CommandError(
                _("There is no active person with the address %(email)s.") % {"email": email}
            ) from None

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
            if outcome == "new" and counts["likely"]:
                lines.append((f"    {_('likely here already')}", counts["likely"]))
            if outcome in importing.WHY:
                lines += [(f"    {why}", number) for why, number in importing.why(outcome, counts)]
        if counts["places"]:
            located = sum(counts["places"].values())
            lines.append((_("Located, of the new and changed"), located))
            lines += [(f"  {precisions[code]}", number) for code, number in counts["places"].items()]
            lines += [(f"    {problems[code]}", number) for code, number in counts["problems"].items()]
        width = max(len(label) for label, _number in lines)
        for label, number in lines:
            self.stdout.write(f"{label:<{width}}  {number:>9,}")


class _Failing:
    """Takes the rows that failed: the first are shown, all go into a file if one was named."""

    def __init__(self, path: Path | None) -> None:
        self.path, self.begun = path, False
        self.first: list[BatchRow] = []
        self.file: TextIO | None = None

    def __enter__(self) -> "_Failing":
        if self.path:
            self.file = self.path.open("w", encoding="utf-8", newline="")
        return self

    def __exit__(self, *error: Any) -> None:
        if self.file:
            self.file.close()

    def add(self, headings: list[str], rows: Iterable[BatchRow]) -> None:
        lines = importing.failing.table(headings, self._kept(rows))
        for number, line in enumerate(lines):
            if self.file and (number or not self.begun):
                self.file.write(line)
        self.begun = True

    def _kept(self, rows: Iterable[BatchRow]) -> Iterator[BatchRow]:
        for row in rows:
            if len(self.first) < _MOST_SHOWN:
                self.first.append(row)
            if row.outcome == "error":
                yield row


class _Bar:
    """Progress on stderr, where somebody looks at it."""

    def __init__(self) -> None:
        self.began, self.shown = monotonic(), sys.stderr.isatty()

    def show(self, done: int, rows: int) -> None:
        if self.shown and rows:
            share = done / rows
            left = (monotonic() - self.began) * (1 - share) / share if share else 0
            bar = "█" * int(30 * share)
            sys.stderr.write(f"\r{bar:░<30} {share:4.0%}  {done:,} / {rows:,}  {left:,.0f} s ")
            sys.stderr.flush()

    def end(self) -> None:
        if self.shown:
            sys.stderr.write("\r\033[K")
