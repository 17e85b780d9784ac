"""Files that SQLite reads in several looks: as the register was when they were begun, whatever happens between."""

from collections.abc import Callable
from datetime import date, timedelta
from io import BytesIO
from threading import Event, Thread

import pytest
from django.conf import settings
from django.db import connection, transaction

from registry.actions import editions, journal, reports
from registry.filters import select
from registry.models import Assessment, PublicReport, Report, looks
from registry.outputs import rows
from registry.outputs.formats import FORMATS
from registry.outputs.tables import TABLES
from registry.rules.vocabularies import EntryKind, Holder
from tests import factories
from tests.factories import AT

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(
        "sqlite" not in settings.DATABASES["default"]["ENGINE"],
        reason="PostgreSQL reads any file in one look",
    ),
]
FIRST = date(2026, 3, 9)
LATER = AT + timedelta(hours=1)


def on(day: int) -> dict[str, date]:
    return {"occurred_from": FIRST - timedelta(days=day), "occurred_to": FIRST - timedelta(days=day)}


@pytest.fixture
def logged() -> list[Report]:
    """Twelve reports with a grade each, the newest damage first."""
    factories.ukraine()
    made = [factories.report(summary=f"Roof number {day}", **on(day)) for day in range(12)]
    for report in made:
        grade = Assessment(scale="ems98", scale_grade="3", method="field", assessed_on=FIRST)
        with transaction.atomic():
            line = journal.Line(journal.lock(report.reference), EntryKind.NOTED, rows=[grade])
            journal.record(line, at=AT)
    return made


@pytest.fixture
def between(monkeypatch) -> list[Callable[[], None]]:
    """What happens after each look, in turn; a look takes in two rows or three."""
    acts: list[Callable[[], None]] = []
    monkeypatch.setattr(rows, "_LEAST", 2)
    monkeypatch.setattr(rows, "_sizes", lambda: iter([1, *[2] * 1000]))
    monkeypatch.setattr(rows, "is_log_long", lambda using: True)
    monkeypatch.setattr(rows, "empty_log", lambda using: acts.pop(0)() if acts else None)
    return acts


def file(table: str = "reports", holder: str = Holder.OFFICE, **params: str) -> list[str]:
    sink = BytesIO()
    FORMATS["csv"].write(TABLES[table].sheet(select(None, params, holder=holder)), sink)
    return sink.getvalue().decode().splitlines()


def in_one_look(monkeypatch, *given: str, **params: str) -> list[str]:
    with monkeypatch.context() as patch:
        patch.setattr(rows, "_LEAST", 10**9)
        return file(*given, **params)


@pytest.mark.parametrize("table", ["reports", "versions", "assessments", "entries"])
@pytest.mark.parametrize(
    "params",
    [
        {},
        {"kind": "building"},
        {"area": "UA-63", "status": "verified"},
        {"text": "roof"},
        {"to": "2026-03-08"},
        {"from": "2026-02-01", "level": "moderate"},
    ],
)
def test_what_changes_between_looks_is_as_it_was(monkeypatch, logged, between, table, params):
    factories.change(logged[5], at=AT + timedelta(minutes=1), **on(4))
    factories.change(logged[10], at=AT + timedelta(minutes=2), summary="Roof again")
    whole = in_one_look(monkeypatch, table, **params)
    between += [
        lambda: factories.change(logged[11], at=LATER, **on(-1)),  # unread, to before the first
        lambda: factories.change(logged[0], at=LATER, **on(40)),  # read, to after the last
        lambda: [factories.report(summary="Roof", at=LATER, **on(day)) for day in (-3, 7, 50)],
        lambda: factories.change(logged[10], at=LATER, status="rejected", damage_level="severe"),
        lambda: factories.change(logged[9], at=LATER, summary="Wall"),
    ]
    read = file(table, **params)
    assert len(between) < 3
    if table == "entries":
        # A timeline is as long as it was when it was come to.
        whole, read = ([line for line in lines if ",edited," not in line] for lines in (whole, read))
    assert read == whole


def test_who_was_withdrawn_between_looks_is_left_out(monkeypatch, logged, between):
    whole = in_one_look(monkeypatch)
    admin = factories.person("supervisor", *factories.ukraine().values())
    gone = logged[8].reference
    between.append(lambda: reports.withdraw(gone, by=admin, because="safety", note="Somebody lives there."))
    assert file() == [line for line in whole if gone not in line]


def test_an_edition_between_looks_is_not_seen(monkeypatch, logged, between):
    first, second = AT + timedelta(days=60), AT + timedelta(days=120)
    editions.publish(at=first)
    whole = in_one_look(monkeypatch, "reports", Holder.PUBLIC)
    assert len(whole) == 13

    def publish() -> None:
        factories.change(logged[11], at=LATER, damage_level="destroyed", **on(-1))
        factories.change(logged[1], at=LATER, **on(30))
        factories.report(at=LATER, **on(6))
        editions.publish(at=second)

    between.append(publish)
    assert file("reports", Holder.PUBLIC) == whole
    assert PublicReport.objects.filter(valid_from=second).count() == 3


def test_lines_of_one_report_are_of_one_look(monkeypatch, between):
    report = factories.report(**on(1))
    for hour in range(9):
        factories.change(report, at=AT + timedelta(hours=hour + 1), summary=f"Seen {hour} times")
    for day in (0, 2):
        factories.report(**on(day))
    whole = in_one_look(monkeypatch, "entries")
    assert len(whole) == 13
    assert file("entries") == whole


def test_what_only_the_present_holds_is_read_in_one_look(logged, between):
    between.append(lambda: pytest.fail("It looked twice."))
    Report.objects.update(danger="live_wire")
    assert len(file(danger="1")) == 13


def test_within_a_transaction_a_file_is_read_whole_in_one_look(monkeypatch, logged, between):
    between.append(lambda: pytest.fail("It looked twice."))
    whole = in_one_look(monkeypatch)
    with transaction.atomic(using="reader"):
        assert file() == whole


def test_the_log_is_emptied_once_nobody_looks(monkeypatch, logged):
    monkeypatch.setattr(looks, "LONG", 0)
    monkeypatch.setattr(looks, "_PATIENCE", 0.1)
    begun, ended = Event(), Event()

    def go_on_looking() -> None:
        with looks.look("default"):
            Report.objects.count()
            begun.set()
            ended.wait()
        connection.close()

    looking = Thread(target=go_on_looking)
    looking.start()
    begun.wait()
    factories.report()
    looks.empty_log("reader")
    assert looks.is_log_long("reader")
    ended.set()
    looking.join()
    looks.empty_log("reader")
    assert not looks.is_log_long("reader")
    assert Report.objects.count() == 13
