"""A report's story in words: its timeline, and what stands beside its row, for pages."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache, wraps
from typing import Any, NamedTuple, ParamSpec, TypeVar
from zoneinfo import ZoneInfo

from django.utils.formats import date_format, localize
from django.utils.translation import get_language
from django.utils.translation import gettext as _t

from registry.columns import COLUMNS, Column
from registry.models import CURRENT, Edition, Entry, Report
from registry.models.reports import field_of
from registry.rules import vocabularies as v
from registry.rules import workflow

#: Changes that a line of the timeline leaves out; they stay in the entry's body.
_UNSAID = frozenset(
    {
        # Its heading says them.
        "status", "status_before_merge", "started_urgently",
        # How the report came, said once.
        "reference", "logged_utc", "logged_by_id", "from_resident", "client_id", "client_digest", "batch_id",
        # Who did it: whoever the line is by.
        "hands", "place_confirmed_by_id",
        # Reckoned by the journal, or kept by the geocoder.
        "counts_from", "geocode_query", "geocode_candidates",
    }
)  # fmt: skip
_SAID = tuple(f.attname for f in Report._meta.concrete_fields if f.attname not in _UNSAID)


Given = ParamSpec("Given")
Words = TypeVar("Words")
#: What forgets everything that is kept, piece by piece.
FORGETTING: list[Callable[[], None]] = []


def kept(make: Callable[Given, Words]) -> Callable[Given, Words]:
    """Decorator: what ``make`` makes of its arguments, on which and on the reader's language alone it may
    depend, is made once for each language. A page says few things, each many times."""

    @lru_cache(maxsize=5_000)
    def made(_language: str | None, *given: Given.args, **named: Given.kwargs) -> Words:
        return make(*given, **named)

    @wraps(make)
    def look_up(*given: Given.args, **named: Given.kwargs) -> Words:
        return made(get_language(), *given, **named)  # type: ignore[arg-type]

    FORGETTING.append(made.cache_clear)
    return look_up


def forget() -> None:
    """Make everything anew from now on: the words of a language have changed."""
    for clear in FORGETTING:
        clear()


def what(row: Any) -> str:
    """What a row of any holder is, in a few words: "School “No. 4”", "Gas: pipeline", "Loss of heat"."""
    words = _sort(row.kind, row.sector, row.object_type)
    return f"{words} “{row.object_name}”" if row.object_name else words


@kept
def _sort(kind: str, sector_code: str, object_type: str) -> str:
    thing, sector = str(v.label("object_type", object_type)), str(v.label("sector", sector_code))
    if kind == v.Kind.NETWORK:
        return f"{sector}: {thing.lower()}"
    if kind == v.Kind.OUTAGE and sector_code == v.Sector.TRANSPORT:
        return _t("%(thing)s closed or restricted") % {"thing": thing or sector}
    if kind == v.Kind.OUTAGE:
        return _t("Loss of %(sector)s") % {"sector": sector.lower()}
    return thing or _t("Building")


@dataclass
class Told:
    """One line: when it happened and was recorded, what, who by which role, changes and texts in words."""

    at: datetime
    recorded_at: datetime
    title: str
    by: str
    entry: Entry
    status: tuple[str, str] | None = None
    changes: list[tuple[str, str, str]] = field(default_factory=list)
    texts: list[tuple[str, str]] = field(default_factory=list)


def kept_instead(reference: str, holder: str) -> str:
    """The reference that an audience finds in place of a report it was shown once, which has been merged since, as
    of its edition; empty if there is none."""
    edition = Edition.objects.first()
    report = Report.objects.filter(reference=reference, past__holder=holder).first()
    for _step in range(_LONGEST_CHAIN):
        if report is None or edition is None:
            break
        made = report.entries.filter(move__in=("merge", "unmerge"), recorded_at__lte=edition.at)
        last = made.order_by("-number").first()
        if last is None or last.move != "merge":
            break
        report = Report.objects.filter(pk=json.loads(last.body)["fields"]["merged_into_id"][-1]).first()
        if report is not None and CURRENT[holder]._default_manager.filter(pk=report.pk).exists():
            return report.reference
    return ""


#: A report that took others may be merged itself, and so on.
_LONGEST_CHAIN = 5


def timeline(report: Report, as_of: datetime | None = None, *, using: str = "default") -> list[Told]:
    """Every entry of a report, as of a moment those recorded by then, newest first."""
    entries = (
        Entry.objects.using(using).filter(report=report).select_related("by", "wording").order_by("-number")
    )
    if as_of is not None:
        entries = entries.filter(recorded_at__lte=as_of)
    story = _Story(report, list(reversed(entries)), using)
    return [story.tell(entry) for entry in story.entries][::-1]


class _Story:
    """The entries of a report, the oldest first, told one after the other: what a text was, an earlier one says."""

    def __init__(self, report: Report, entries: list[Entry], using: str) -> None:
        self.entries, self.kind = entries, report.kind
        self.bodies = {entry.pk: json.loads(entry.body) for entry in entries}
        self.texts: dict[str, str | None] = {}
        self.names = {name: dict(self._named(name, using)) for name in _NAMED}

    def _named(self, name: str, using: str) -> Iterable[tuple[int, str]]:
        """What each row is called that a field ever led to."""
        keys = {key for body in self.bodies.values() for key in body.get("fields", {}).get(name, ()) if key}
        table: Any = field_of(name).related_model
        for row in table._default_manager.using(using).filter(pk__in=keys) if keys else ():
            yield row.pk, getattr(row, "reference", None) or str(row)

    def tell(self, entry: Entry) -> Told:
        moved = entry.from_status and entry.from_status != entry.to_status
        who = str(entry.by) if entry.by else _t("The register")
        role = f" ({v.label('role', entry.role)})" if entry.role else ""
        changes, words = self._changes(entry), _words_of(entry)
        if entry.kind == v.EntryKind.LOGGED:
            changes = []
        else:
            words = {name: text for name, text in words.items() if name not in _SAID}
        return Told(
            at=entry.happened_at,
            recorded_at=entry.recorded_at,
            title=_title(entry, self.kind),
            by=f"{who}{role}",
            entry=entry,
            status=(entry.from_status, entry.to_status) if moved else None,
            changes=changes,
            texts=[(_text_label(name), text) for name, text in words.items()],
        )

    def _changes(self, entry: Entry) -> list[tuple[str, str, str]]:
        """Label, value before and value after of every field that an entry changed, in the order of the columns."""
        body, words, found = self.bodies[entry.pk], _words_of(entry), []
        fields, texts = body.get("fields", {}), body.get("texts", {})
        for name in _SAID:
            if name in fields:
                *before, after = fields[name]
                pair = self._words(name, before[0] if before else None), self._words(name, after)
            elif name in texts:
                # A text of which the entry keeps a digest alone was erased.
                told = words.get(name) if texts[name] else ""
                pair = _text(self.texts.get(name, "")), _text(told)
                self.texts[name] = told
            else:
                continue
            found.append((str(field_of(_NAMED.get(name, name)).verbose_name), *pair))
        return found

    def _words(self, name: str, value: Any) -> str:
        if name in _NAMED:
            return self.names[name].get(value) or _t("nothing")
        # The labels of moments say UTC.
        return _worded(name, field_of(name).to_python(value), "UTC") or _t("nothing")


#: Fields that lead to other rows, and the column that is called as they are.
_NAMED = {
    "assignee_id": "assignee", "merged_into_id": "merged_into", "of_asset_id": "asset", "of_incident_id": "incident",
}  # fmt: skip


def _text(words: str | None) -> str:
    return _t("erased") if words is None else words or _t("nothing")


def _words_of(entry: Entry) -> dict[str, str]:
    """The texts of an entry; none if it had none, or all were erased."""
    return entry.wording.words() if hasattr(entry, "wording") else {}


def _title(entry: Entry, kind: str) -> str:
    if entry.kind in (v.EntryKind.MOVED, v.EntryKind.REQUESTED) and entry.move:
        try:
            label = str(workflow.move_named(entry.move, kind).label)
        except KeyError:
            label = entry.move
        return label if entry.kind == v.EntryKind.MOVED else _t("Asked for: %(move)s") % {"move": label}
    return str(v.label("entry_kind", entry.kind))


_TEXT_LABELS = {
    "question": lambda: _t("Question"),
    "answer": lambda: _t("Answer"),
    "reason": lambda: _t("Reason"),
    "note": lambda: _t("Note"),
    "other": lambda: _t("Other report"),
}


def _text_label(name: str) -> str:
    if name in _TEXT_LABELS:
        return _TEXT_LABELS[name]()
    return str(field_of(name).verbose_name)


def open_question(report: Report, *, using: str = "default") -> str:
    """The question that waits for an answer, "" if none does."""
    if report.status != v.Status.NEEDS_INFO:
        return ""
    asked = Entry.objects.using(using).filter(report=report, move="ask").order_by("-number").first()
    return _words_of(asked).get("question", "") if asked else ""


# -- the values of a row -----------------------------------------------------------------------------------


def value_of(row: Any, name: str, zone: str = "") -> str:
    """A column of a row of any holder in words, moments on the clocks of its place or of a ``zone``; "" where it has
    none."""
    return _worded(name, getattr(row, name), zone or row.timezone)


def _worded(name: str, value: Any, zone: str) -> str:
    if value in (None, ""):
        return ""
    if isinstance(value, datetime):
        here = value.astimezone(ZoneInfo(zone or "UTC"))
        return f"{date_format(here, 'DATE_FORMAT')} {date_format(here, 'TIME_FORMAT')}"
    if isinstance(value, date):
        return date_format(value, "DATE_FORMAT")
    if isinstance(value, bool):
        return _t("yes") if value else _t("no")
    if isinstance(value, Decimal):
        return str(value)
    choices = dict(field_of(name).flatchoices)
    return str(choices.get(value, localize(value)))


_FIGURES = frozenset({"customers_affected", "customers_out", "customer_hours"})
_FINER_AREAS = ("adm2_", "adm3_", "settlement")


def is_withheld(row: Any, column: Column) -> bool:
    """Whether a row says of a column that is empty in it that it is withheld."""
    if getattr(row, column.name) not in (None, ""):
        return False
    said = {
        v.Withheld.NAMES: column.group == "place",
        v.Withheld.FIGURES: column.name in _FIGURES,
        v.Withheld.TIMES: column.type == "moment",
        v.Withheld.AREA: column.name.startswith(_FINER_AREAS),
        v.Withheld.PLACE: column.name in ("lat", "lon"),
    }
    return any(said.get(word, False) for word in row.withheld.split())


class Changed(NamedTuple):
    """A column of two versions of a row, in words, and whether each withholds it."""

    label: str
    before: str
    after: str
    withheld_before: bool
    withheld_after: bool


def compared(before: Any, after: Any) -> tuple[list[Changed], list[Changed]]:
    """What two versions of a report's row say differently, and what both say alike, column by column, as its file has
    them: moments in UTC. When the row last changed is no change."""
    differing: list[Changed] = []
    same: list[Changed] = []
    for column in COLUMNS:
        one, other = getattr(before, column.name), getattr(after, column.name)
        if column.name == "updated_utc" or not {one, other} - {None, ""}:
            continue
        (same if one == other else differing).append(
            Changed(
                str(column.label),
                value_of(before, column.name, "UTC"),
                value_of(after, column.name, "UTC"),
                is_withheld(before, column),
                is_withheld(after, column),
            )
        )
    return differing, same
