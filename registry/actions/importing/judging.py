"""What becomes of the rows of a file: each is read by the mapping, put through the form, and judged.

A row is known again by its source and its own id there; where a source has no ids, by the digest of its
cells and how many such rows stood before it in the file.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, time
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.translation import gettext_lazy as _

from registry.actions import journal, reports
from registry.actions.journal import Line
from registry.actions.outages import supply_columns
from registry.forms import mappings
from registry.forms.rows import DATED_MOVES, RowForm
from registry.models import Batch, BatchRow, OutageStep, Person, SourceRef
from registry.rules import access, supply
from registry.rules.access import Verb
from registry.rules.vocabularies import EntryKind, GeocodeState, Kind, Status
from registry.tabular import Row

#: Rows in one transaction.
CHUNK = 500
#: What may become of a row: their counts sum to the rows of the file.
OUTCOMES = ("new", "unchanged", "changed", "conflict", "left_out", "error")
#: Of which of them is counted why, and where.
WHY = {"left_out": "reasons", "error": "wrongs"}
#: So many different things that are wrong with rows are counted one by one.
_WRONGS = 10
#: The column that says what is wrong with the rows given back to be mended; nobody reads it when they return.
MARK = "[what is wrong]"


@dataclass
class Judged:
    """What becomes of a row. ``errors``: fields or columns and what is wrong with them; ``reason``: why it is
    left out; ``problem``: why its place stays vague (see ``mappings.problems``)."""

    row: Row
    outcome: str = "error"
    errors: list[tuple[str, Any]] = field(default_factory=list)
    reason: str = ""
    problem: str = ""
    ref: str = ""
    said: mappings.Mapped | None = None
    digest: str = ""
    known: SourceRef | None = None
    #: What logs the row, and the lines that follow it: dated steps and moves.
    line: Line | None = None
    later: list[Line] = field(default_factory=list)

    def stays_out(self) -> None:
        """Leave a row out that is likely here already, as whoever confirmed the import said."""
        self.outcome, self.reason = "left_out", str(_("Likely here already: left out when it was confirmed"))

    def fails(self, *errors: tuple[str, Any], outcome: str = "error") -> None:
        self.outcome, self.errors = outcome, list(errors)


class Reading:
    """Rows on their way through a mapping; it remembers which references it has met."""

    def __init__(
        self, rows: Iterator[Row], mapping: mappings.Mapping, *, by: Person | None, batch: Batch | None
    ) -> None:
        self.mapping, self.by, self.batch = mapping, by, batch
        # One form for all rows: making one a row is 25 times slower.
        self.form, self.places = RowForm(), mappings.Places()
        self.rows = rows
        self.met: dict[int, int] = {}
        self.at = self.last = 0

    def skip(self, count: int) -> None:
        """Pass over rows that are done."""
        for row in islice(self.rows, count):
            self._reference(row)
            self.at, self.last = self.at + 1, row.number

    def take(self) -> list[Judged]:
        """The next chunk of rows, judged; empty at the end."""
        judged = [self._read(row) for row in islice(self.rows, CHUNK)]
        pending = [one for one in judged if one.digest]
        refs = SourceRef.objects.filter(source=self.mapping.source, ref__in=[one.ref for one in pending])
        known = {ref.ref: ref for ref in refs}
        for one in pending:
            one.known = known.get(one.ref)
            if one.known is not None and one.known.content_digest == one.digest:
                one.outcome = "unchanged"
            else:
                self._check(one)
        self.at += len(judged)
        return judged

    def again(self, row: Row, ref: str) -> Judged:
        """One row judged once more, whose reference is known."""
        one = self._read(row)
        one.ref = ref
        one.known = SourceRef.objects.filter(source=self.mapping.source, ref=ref).first()
        if one.digest:
            self._check(one)
        return one

    def said(self, one: Judged) -> list[tuple[str, str]]:
        """What is wrong with a row: columns of the file (empty: the row as a whole) and words."""
        found: list[tuple[str, str]] = []
        for name, message in one.errors:
            column = name if name in one.row.cells else self.mapping.column_of(name)
            if column and column in dict(found):
                continue  # a day that is none is neither the day nor the time of its row
            label = RowForm.base_fields[name].label if not column and name in RowForm.base_fields else ""
            found.append((column, f"{label}: {message}" if label else str(message)))
        return found

    def _reference(self, row: Row) -> tuple[str, int]:
        """The row's reference, and the number of the row that had it before it, 0 if none had."""
        row.cells.pop(MARK, None)
        if self.mapping.ref:
            ref = row.cells.get(self.mapping.ref, "")
            first = self.met.setdefault(hash(ref), row.number)
            return ref, first if first != row.number else 0
        content = journal.digest(journal.canonical(row.cells))
        nth = self.met[hash(content)] = self.met.get(hash(content), 0) + 1
        return f"{content[:40]}-{nth}", 0

    def _read(self, row: Row) -> Judged:
        one = Judged(row)
        one.ref, earlier = self._reference(row)
        if row.problem:
            one.fails(("", row.problem))
        elif not 0 < len(one.ref) <= 200:
            one.fails((self.mapping.ref, _("The row needs a reference of at most 200 characters.")))
        elif earlier:
            one.fails((self.mapping.ref, _("Row %(row)d has the same reference.") % {"row": earlier}))
        else:
            try:
                one.said = self.mapping.read(row.cells)
            except mappings.Unmapped as error:
                one.fails((error.column, error.message))
            else:
                if one.said.left_out:
                    one.outcome, one.reason = "left_out", one.said.left_out
                else:
                    one.digest = journal.digest(journal.canonical({**one.said.areas, **one.said.values}))
        return one

    def _check(self, one: Judged) -> None:
        """Put a row through the form, and make the lines it would write."""
        assert one.said is not None
        form, values = self.form, one.said.values
        place = mappings.Place()
        if "area" not in values:
            place = self.places.of(one.said)
            values["area"] = place.code
        if not form.check(values):
            one.fails(*((name, message) for name, messages in form.errors.items() for message in messages))
            return
        if place.problem:
            one.problem = place.problem
            form.place_values = {**form.place_values, **_vaguely(form.place_values, place)}
        one.line = reports.new_line(form, by=self.by, batch=self.batch)
        one.later = _complete(one.line, form)
        one.outcome = "changed" if one.known else "new"
        if self.by is not None and not self._may_log(one.line):
            one.fails(("area", self._not_theirs(one.line)))

    @staticmethod
    def _not_theirs(line: Line) -> Any:
        if line.fields["country"]:
            return _("This lies outside your areas or sectors.")
        return _(
            "It is not known where this lies: the place is not known, or several fit. Name its region or country."
        )

    def _may_log(self, line: Line) -> bool:
        for name, value in line.fields.items():
            setattr(line.report, name, value)
        return access.may(self.by, Verb.LOG, line.report)


def _vaguely(place_values: Any, place: mappings.Place) -> dict[str, Any]:
    """The place columns of a row whose words name no area we know, or several: the words are kept."""
    typed = place_values["place_typed"]
    words = {"place_typed": ", ".join(filter(None, (typed, place.unknown)))[:300]}
    if typed:
        return words
    ambiguous = place.problem.endswith("ambiguous")
    return words | {"geocode_state": GeocodeState.AMBIGUOUS if ambiguous else GeocodeState.NOT_FOUND}


def _complete(line: Line, form: RowForm) -> list[Line]:
    """Add what only a file says to the line that logs a row, and return what follows it: the dated steps
    and moves. Nobody made these here: they have no author, and no check is satisfied by them."""
    cleaned, report = form.cleaned_data, line.report
    if report.kind == Kind.OUTAGE:
        return _restoration(line, cleaned["started_at"], cleaned["restored_at"])
    moves = []
    for name, status in DATED_MOVES:
        if cleaned[name]:
            fields = {name: cleaned[name], "status": status, "independently_checked": False}
            if status == Status.CLOSED:
                fields["outcome"] = cleaned["outcome"]
            noon = datetime.combine(cleaned[name], time(12), ZoneInfo(line.fields["timezone"] or "UTC"))
            at = min(noon.astimezone(UTC), journal.now())
            moves.append(Line(report, EntryKind.MOVED, fields=fields, happened_at=at))
    return moves


def _restoration(line: Line, started: datetime, restored: datetime | None) -> list[Line]:
    if restored is None:
        return []
    steps = [row for row in line.rows if isinstance(row, OutageStep)]
    if not steps:
        steps = [OutageStep(at=started, direction=supply.LOST)]
        line.rows = [*line.rows, *steps]
        line.fields |= supply_columns(steps)
    back = OutageStep(at=restored, direction=supply.BACK, everyone=True)
    fields = supply_columns([*steps, back])
    return [Line(line.report, EntryKind.STEPPED, fields=fields, rows=[back], happened_at=restored)]


def count(counts: dict[str, Any], judged: Iterable[Judged]) -> None:
    """Add what became of rows to a batch's counts."""

    def add(group: str, key: str) -> None:
        counts[group][key] = counts[group].get(key, 0) + 1

    for one in judged:
        counts[one.outcome] += 1
        if one.reason:
            add("reasons", one.reason)
        if one.outcome in ("new", "changed") and one.line:
            add("places", str(one.line.fields["geo_precision"]))
            if one.problem:
                add("problems", one.problem)


def count_wrongs(counts: dict[str, Any], noted: Iterable[BatchRow]) -> None:
    """Add what is wrong with failing rows, of each what is said first; so many different things, the others as one."""
    wrongs = counts.setdefault("wrongs", {})  # a batch may be at work since before there were any
    for row in noted:
        if row.outcome == "error":
            column, words = row.said[0]
            said = f"{column}: {words}" if column else words
            key = said if said in wrongs or len(wrongs) < _WRONGS else ""
            wrongs[key] = wrongs.get(key, 0) + 1


def why(outcome: str, counts: dict[str, Any]) -> list[tuple[Any, int]]:
    """Why rows are left out or fail, and how many, the most first."""
    found = counts.get(WHY[outcome], {})
    return [
        (words or _("other reasons"), found[words]) for words in sorted(found, key=lambda one: -found[one])
    ]


def no_counts() -> dict[str, Any]:
    groups: dict[str, Any] = {"reasons": {}, "wrongs": {}, "places": {}, "problems": {}}
    return {**dict.fromkeys((*OUTCOMES, "likely"), 0), **groups}
