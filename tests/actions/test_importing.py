"""Imports: what becomes of rows, the same file again, files that changed, and processes that die."""

import csv
import os
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from registry.actions import importing, journal, moves, reports
from registry.actions.importing import Taken, batches, judging, running
from registry.forms import mappings
from registry.forms.mappings import BadMapping
from registry.forms.places import lineage
from registry.geocoding.areas import Match
from registry.models import (
    Assessment,
    Batch,
    Entry,
    OutageStep,
    Report,
    SavedMapping,
    Source,
    SourceRef,
    Wording,
)
from registry.rules.likeness import Likeness, Verdict
from registry.tabular import BadTable
from registry.upkeep import verifying, working
from tests import factories, sheets

pytestmark = pytest.mark.django_db

DAMAGE = """
title = "A county's list"
source = "county"
ref = "id"
missing = ["n/a"]
[always]
source_type = "authority"
source_name = "County"
[fields]
area = "region"
occurred_to = [
    { column = "day", format = "%d %b %Y" },
    { column = "month", format = "%Y-%m", set = { date_precision = "month" } },
]
description = "words"
verified_on = "checked"
scale = { text = "acaps" }
scale_grade = { column = "grade", values = { "Partly" = "partially_damaged", "Gone" = "destroyed" } }
[[decide]]
column = "what"
blank = { leave_out = "Nothing is said" }
[decide.values]
School = { kind = "building", object_type = "school" }
Mains = { kind = "network", sector = "gas" }
Other = { kind = "building" }
[[decide]]
column = "words"
where = { what = "Other" }
otherwise = { object_type = "other" }
words = [
    { any = ["shop*"], object_type = "commercial" },
    { any = ["park"], leave_out = "Open ground" },
]
"""
OUTAGES = """
source = "outages"
missing = ["NA"]
[always]
kind = "outage"
sector = "electricity"
area = "UA-63"
customers_unit = "accounts"
source_type = "dataset"
source_name = "Outages"
[fields]
started_at = { columns = ["from day", "from time"], format = "%d.%m.%Y %H:%M" }
restored_at = { column = "to", zone = "UTC" }
customers_lost = "customers"
"""
HEADINGS = ("id", "region", "day", "month", "what", "words", "grade", "checked")


@pytest.fixture(autouse=True)
def installation(tmp_path: Path, settings: Any) -> None:
    settings.DATA_DIR = tmp_path / "data"
    (settings.DATA_DIR / "mappings").mkdir(parents=True)
    (settings.DATA_DIR / "mappings" / "damage.toml").write_text(DAMAGE, "utf-8")
    (settings.DATA_DIR / "mappings" / "outages.toml").write_text(OUTAGES, "utf-8")
    running._held.clear()
    areas = factories.ukraine()
    for area in areas.values():
        area.timezone = "Europe/Kyiv"
        area.save()
    lineage.cache_clear()


@pytest.fixture
def file(tmp_path: Path) -> Callable[..., Path]:
    def write(*rows: dict[str, str], headings: tuple[str, ...] = HEADINGS) -> Path:
        path = tmp_path / "list.csv"
        with path.open("w", encoding="utf-8", newline="") as out:
            writer = csv.DictWriter(out, headings, restval="")
            writer.writeheader()
            writer.writerows(rows)
        return path

    return write


def school(number: int | str = 1, **cells: str) -> dict[str, str]:
    return {"id": f"A{number}", "region": "UA-63", "day": "09 Mar 2026", "what": "School", **cells}


def run(path: Path, mapping: str = "damage", **options: Any) -> Batch:
    batch = importing.start(path, mapping, **options)
    while importing.advance(batch):
        pass
    return batch


def outcomes(batch: Batch) -> dict[str, int]:
    """The outcomes that came about; with the others they sum to the rows."""
    assert sum(batch.counts[name] for name in importing.OUTCOMES) == batch.rows
    return {name: batch.counts[name] for name in importing.OUTCOMES if batch.counts[name]}


def errors(batch: Batch) -> list[tuple[int, str, str]]:
    """Row, column and message of everything that is wrong, conflicts included."""
    rows = batch.noted.exclude(outcome="changed")
    return [(row.number, column, words) for row in rows for column, words in row.said]


# -- what becomes of a row -------------------------------------------------------------------------------


def test_a_row_becomes_a_reported_report_with_source_and_desk_grade(file: Callable[..., Path]) -> None:
    batch = run(file(school(grade="Partly", words="East wing")))
    assert outcomes(batch) == {"new": 1}
    report = Report.objects.get()
    assert (report.status, report.kind, report.object_type) == ("reported", "building", "school")
    assert (report.adm1_code, report.occurred_to, report.description) == (
        "UA-63",
        date(2026, 3, 9),
        "East wing",
    )
    assert (report.scale, report.scale_grade, report.method) == ("acaps", "partially_damaged", "desk")
    assert (report.ems98_min, report.ems98_max, report.independently_checked) == (1, 4, None)
    assert report.logged_by is None
    assert report.batch == batch
    source = Source.objects.get()
    assert (source.type, source.name) == ("authority", "County")
    assert SourceRef.objects.get().ref == "A1"


def test_every_row_is_counted_once(file: Callable[..., Path]) -> None:
    path = file(
        school(1),
        school(2, what=""),
        school(3, what="Other", words="a city park"),
        school(4, what="Other", words="Shopping centre"),
        school(5, what="Other", words="parking"),
        school(6, what="Ship"),
        school(7, day="yesterday"),
        school(8, region="UA-99"),
        school(9, day="n/a", month="2026-02"),
        school(1, what="Mains"),
        school("", id=""),
    )
    batch = run(path)
    assert outcomes(batch) == {"new": 4, "left_out": 2, "error": 5}
    assert batch.counts["reasons"] == {"Nothing is said": 1, "Open ground": 1}
    assert [(row, column) for row, column, _words in errors(batch)] == [
        (7, "what"),
        (8, "day"),
        (9, "region"),
        (11, "id"),
        (12, "id"),
    ]
    assert sum(batch.counts["wrongs"].values()) == 5
    assert batch.counts["wrongs"]["id: Row 2 has the same reference."] == 1
    assert batch.noted.get(number=8).cells["id"] == "A7"
    types = list(Report.objects.order_by("pk").values_list("object_type", "date_precision"))
    assert types == [("school", "day"), ("commercial", "day"), ("other", "day"), ("school", "month")]


def test_what_is_wrong_with_many_rows_is_counted_together(
    file: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("registry.actions.importing.judging._WRONGS", 1)
    batch = run(file(*(school(n, what="Ship") for n in range(3)), school(3, day="x"), school(4, day="y")))
    said = "what: The mapping does not say what “Ship” is."
    assert importing.why("error", batch.counts) == [(said, 3), ("other reasons", 2)]


def test_dated_moves_keep_their_dates_and_satisfy_no_check(file: Callable[..., Path]) -> None:
    run(file(school(checked="2026-03-12")))
    report = Report.objects.get()
    assert (report.status, report.verified_on, report.independently_checked) == (
        "verified",
        date(2026, 3, 12),
        False,
    )
    logged, moved = report.entries.all()
    assert (moved.kind, moved.by, moved.happened_at) == (
        "moved",
        None,
        datetime(2026, 3, 12, 10, tzinfo=UTC),
    )
    assert moved.recorded_at >= logged.recorded_at > moved.happened_at


def outage(**cells: str) -> dict[str, str]:
    return {
        "from day": "09.03.2026",
        "from time": "10:00",
        "to": "2026-03-09 10:00:00",
        "customers": "1.00E+03",
        **cells,
    }


OUTAGE_HEADINGS = ("from day", "from time", "to", "customers")


def test_an_outage_becomes_steps_in_the_zone_of_its_place(file: Callable[..., Path]) -> None:
    run(file(outage(), headings=OUTAGE_HEADINGS), "outages")
    report = Report.objects.get()
    lost, back = OutageStep.objects.order_by("at")
    assert (lost.at, lost.customers) == (datetime(2026, 3, 9, 8, tzinfo=UTC), 1000)
    assert (back.at, back.everyone) == (datetime(2026, 3, 9, 10, tzinfo=UTC), True)
    assert (report.customers_affected, report.customers_out, report.customer_hours) == (1000, 0, 2000)
    assert (report.status, report.restored_utc) == ("reported", back.at)
    assert report.entries.get(kind="stepped").happened_at == back.at


def test_an_imported_outage_keeps_its_restoration_when_it_is_confirmed(file: Callable[..., Path]) -> None:
    run(file(outage(), outage(customers="NA"), headings=OUTAGE_HEADINGS), "outages")
    official = factories.person("official", factories.ukraine()["UA"])
    for report, lost, hours in zip(Report.objects.order_by("pk"), (1200, None), (2400, None), strict=True):
        given = {"cause_group": "technical", "customers_lost": lost}
        confirmed = moves.move(report.reference, "confirm", by=official, given=given)
        assert (confirmed.status, confirmed.customers_out, confirmed.customer_hours) == ("restored", 0, hours)


@pytest.mark.parametrize(
    ("cells", "affected", "out", "hours"),
    [
        ({"customers": "NA"}, None, 0, None),
        ({"customers": "0"}, 0, 0, 0),
        ({"to": "NA"}, 1000, 1000, 0),
        ({"to": "NA", "customers": "NA"}, None, None, None),
    ],
)
def test_what_an_outage_does_not_say_stays_unknown(
    file: Callable[..., Path], cells: dict, affected: int | None, out: int | None, hours: int | None
) -> None:
    run(file(outage(**cells), headings=OUTAGE_HEADINGS), "outages")
    report = Report.objects.get()
    assert (report.customers_affected, report.customers_out, report.customer_hours) == (affected, out, hours)


@pytest.mark.parametrize(
    ("cells", "column"),
    [
        ({"to": "2026-03-09 07:00:00"}, "to"),
        ({"to": "2126-03-09 07:00:00"}, "to"),
        ({"from time": "NA"}, ""),
        ({"customers": "1,000"}, "customers"),
    ],
)
def test_an_outage_that_cannot_be_is_an_error(file: Callable[..., Path], cells: dict, column: str) -> None:
    batch = run(file(outage(**cells), headings=OUTAGE_HEADINGS), "outages")
    assert [column for _row, column, _words in errors(batch)] == [column]


def test_words_that_name_no_district_keep_the_region_and_are_kept(
    file: Callable[..., Path], settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Matcher:
        def __init__(self, gazetteer: Any) -> None:
            pass

        def match(self, country: str, region: str = "", district: str = "") -> Match:
            if region not in ("UA-63", "Kharkiv"):
                return Match("UA", problem="region_unknown")
            if district not in ("", "Chuhuiv"):
                return Match("UA", "UA-63", problem="district_unknown")
            return Match("UA", "UA-63", "700001" if district else None)

    monkeypatch.setattr(mappings, "AreaMatcher", Matcher)
    told = DAMAGE.replace(
        'area = "region"',
        'country = { text = "UA" }\nregion = [{ column = "region", values = { X1 = "UA-63" } }, "month"]\n'
        'district = "words"',
    )
    (settings.DATA_DIR / "mappings" / "names.toml").write_text(told, "utf-8")
    path = file(
        school(1, region="X1", words="Chuhuiv"),
        school(2, region="nowhere", month="Kharkiv", words="Elsewhere"),
        school(3, region="nowhere", month="no month", words="Elsewhere"),
    )
    batch = run(path, "names")
    assert outcomes(batch) == {"new": 3}
    assert batch.counts["problems"] == {"district_unknown": 1, "region_unknown": 1}
    found = Report.objects.order_by("pk").values_list(
        "adm1_code", "adm2_code", "place_typed", "geocode_state"
    )
    assert list(found) == [
        ("UA-63", "700001", "", "found"),
        ("UA-63", "", "Elsewhere", "not_found"),
        ("", "", "Elsewhere, nowhere", "not_found"),
    ]


# -- the same file again, and one that changed -----------------------------------------------------------


def test_the_same_file_again_changes_nothing(file: Callable[..., Path]) -> None:
    path = file(school(1), school(2, words="second"), school(3, what=""))
    run(path)
    entries = Entry.objects.count()
    batch = run(path)
    assert outcomes(batch) == {"unchanged": 2, "left_out": 1}
    assert Entry.objects.count() == entries


def test_rows_without_ids_are_told_apart_by_content_and_how_often_it_stood_before(
    file: Callable[..., Path],
) -> None:
    same, other = outage(), outage(customers="5")
    assert outcomes(run(file(same, same, other, headings=OUTAGE_HEADINGS), "outages")) == {"new": 3}
    longer = file(other, same, same, same, headings=OUTAGE_HEADINGS)
    assert outcomes(run(longer, "outages")) == {"new": 1, "unchanged": 3}
    assert Report.objects.count() == 4


def test_a_changed_row_revises_its_report_and_strikes_out_what_it_said(file: Callable[..., Path]) -> None:
    run(file(school(grade="Partly")))
    report = Report.objects.get()
    batch = run(file(school(grade="Gone", what="Mains")))
    assert outcomes(batch) == {"changed": 1}
    report.refresh_from_db()
    assert (report.kind, report.sector, report.scale_grade) == ("network", "gas", "destroyed")
    assert [entry.kind for entry in report.entries.all()] == ["logged", "revised"]
    for table in (Assessment, Source):
        told = [(row.scale_grade, row.voided_at is None) for row in table.objects.order_by("pk")]
        assert told == [("partially_damaged", False), ("destroyed", True)]
    assert outcomes(run(file(school(grade="Gone", what="Mains")))) == {"unchanged": 1}


def test_a_restoration_that_comes_later_is_a_revision(file: Callable[..., Path]) -> None:
    """By an id of its own, the outage is the same when its restoration is known."""
    told = OUTAGES.replace('source = "outages"', 'source = "outages"\nref = "id"')
    path = Path(mappings._folders()[0]) / "known.toml"
    path.write_text(told, "utf-8")
    headings = ("id", *OUTAGE_HEADINGS)
    run(file(outage(id="1", to="NA"), headings=headings), "known")
    assert outcomes(run(file(outage(id="1"), headings=headings), "known")) == {"changed": 1}
    report = Report.objects.get()
    assert (report.customers_out, report.customer_hours) == (0, 2000)
    assert OutageStep.objects.filter(voided_at=None).count() == 2


def test_a_changed_row_never_overwrites_what_a_person_did(file: Callable[..., Path]) -> None:
    run(file(school(1), school(2)))
    official = factories.person("official", *factories.ukraine().values())
    touched = Report.objects.order_by("pk")[0]
    reports.note(touched.reference, "I was there.", by=official)
    changed = file(school(1, words="new"), school(2, words="new"))
    batch = run(changed)
    assert outcomes(batch) == {"changed": 1, "conflict": 1}
    touched.refresh_from_db()
    assert touched.description == ""
    assert [(row, touched.reference in words) for row, _column, words in errors(batch)] == [(2, True)]
    # It stays a conflict until somebody decides.
    assert outcomes(run(changed)) == {"unchanged": 1, "conflict": 1}


def test_a_preview_says_the_same_and_writes_nothing(file: Callable[..., Path], settings: Any) -> None:
    run(file(school(1)))
    before = (Entry.objects.count(), Batch.objects.count(), sorted(settings.DATA_DIR.rglob("*")))
    failed: list[int] = []
    rows, counts = importing.preview(
        file(school(1, words="new"), school(2), school(3, day="never")),
        "damage",
        failing=lambda headings, rows: failed.extend(row.number for row in rows),
    )
    assert (rows, counts["new"], counts["changed"], counts["error"]) == (3, 1, 1, 1)
    assert failed == [4]
    assert before == (Entry.objects.count(), Batch.objects.count(), sorted(settings.DATA_DIR.rglob("*")))


# -- who --------------------------------------------------------------------------------------------------


def test_an_official_imports_into_their_own_areas_alone(file: Callable[..., Path]) -> None:
    official = factories.person("official", factories.ukraine()["UA-63"])
    batch = run(file(school(1), school(2, region="UA-23")), by=official)
    assert outcomes(batch) == {"new": 1, "error": 1}
    report = Report.objects.get()
    assert (report.logged_by, report.hands["logged"]) == (official, [official.pk])


def test_who_does_not_import_is_refused(file: Callable[..., Path]) -> None:
    with pytest.raises(journal.Refused, match="role"):
        importing.start(file(school()), "damage", by=factories.person("researcher"))
    assert not Batch.objects.exists()


# -- processes that die -----------------------------------------------------------------------------------


def test_a_chunk_that_does_not_commit_leaves_nothing_and_the_command_goes_on(
    file: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(judging, "CHUNK", 2)
    path = file(*(school(n) for n in range(4)), school(4, day="never"), school(5))
    batch = importing.start(path, "damage")
    importing.advance(batch)

    class Killed(BaseException):
        pass

    def killed(*args: Any, **options: Any) -> None:
        write(*args, **options)
        raise Killed

    write = running.count
    for _attempt in range(3):
        with monkeypatch.context() as patch:
            patch.setattr(running, "count", killed)
            with pytest.raises(Killed):
                importing.advance(batch)
        running._held.clear()
        batch = importing.start(path, "damage")
        if batch.next_row < 4:
            importing.advance(batch)
    batch = run(path)
    assert outcomes(batch) == {"new": 5, "error": 1}
    assert Report.objects.count() == SourceRef.objects.count() == 5
    assert [row for row, _column, _words in errors(batch)] == [6]
    assert Batch.objects.count() == 1


def test_of_two_that_hold_a_batch_only_the_later_writes(
    file: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(judging, "CHUNK", 1)
    path = file(school(1), school(2))
    first = importing.start(path, "damage")
    second = importing.start(path, "damage")
    assert first.pk == second.pk
    with pytest.raises(Taken):
        importing.advance(first)
    while importing.advance(second):
        pass
    assert Report.objects.count() == 2


def test_the_worker_finishes_what_nobody_holds(file: Callable[..., Path]) -> None:
    batch = importing.start(file(school(1), school(2)), "damage")
    assert not importing.run_chunk()
    Batch.objects.update(leased_until=datetime(2026, 1, 1, tzinfo=UTC))
    running._held.clear()
    assert importing.run_chunk()
    batch.refresh_from_db()
    assert (batch.state, Report.objects.count()) == ("done", 2)
    assert not importing.run_chunk()
    assert not batches.spooled(batch).exists()


# -- undo --------------------------------------------------------------------------------------------------


def test_undoing_withdraws_what_nobody_worked_on_and_frees_its_references(
    file: Callable[..., Path],
) -> None:
    path = file(school(1), school(2))
    batch = run(path)
    supervisor = factories.person("supervisor", *factories.ukraine().values())
    kept = Report.objects.order_by("pk")[0]
    reports.note(kept.reference, "Seen.", by=supervisor)
    with pytest.raises(importing.WorkedOn, match=kept.reference):
        importing.undo(batch, by=supervisor)
    assert undone(batch, by=supervisor, keeping=True) == {"withdrawn": 1, "restored": 0, "kept": 1}
    assert batch.state == "undone"
    gone = Report.objects.exclude(pk=kept.pk).get()
    assert (gone.withdrawn, gone.entries.last().kind) == ("error", "withdrawn")
    assert Wording.objects.filter(entry__report=gone, texts__has_key="reason").exists()
    assert [ref.report for ref in SourceRef.objects.all()] == [kept]
    assert outcomes(run(path)) == {"new": 1, "unchanged": 1}


def test_failing_rows_and_tables_that_nobody_confirms_are_forgotten(file: Callable[..., Path]) -> None:
    path, long_ago = file(school(1), school(2, day="soon")), importing.batches.KEPT + timedelta(minutes=1)
    done = run(path)
    waiting = importing.receive(
        importing.upload([path.read_bytes()], path.name, by=None, mapping="damage"), by=None
    )
    while importing.advance(waiting):
        pass
    assert (waiting.state, len(errors(done)), len(errors(waiting))) == ("checked", 1, 1)
    importing.forget()
    waiting.refresh_from_db()
    assert (waiting.state, len(errors(done)), len(errors(waiting))) == ("checked", 1, 1)
    Batch.objects.update(since=journal.now() - long_ago)
    importing.forget()
    waiting.refresh_from_db()
    assert (waiting.state, len(errors(done)), len(errors(waiting))) == ("cancelled", 0, 0)
    assert not importing.batches.spooled(waiting).exists()
    assert done.counts["error"] == 1


def test_files_that_nobody_came_back_for_go_and_those_of_open_imports_stay(
    file: Callable[..., Path], settings: Any
) -> None:
    path = file(school(1))
    done, waiting = (
        run(path),
        importing.receive(importing.upload([path.read_bytes()], "b.csv", by=None), by=None),
    )
    left = {
        name: Path(settings.DATA_DIR) / name
        for name in ("imports/part-1.csv", f"imports/{done.pk}.csv", "tables/1")
    }
    (settings.DATA_DIR / "tables").mkdir()
    for one in left.values():
        one.write_text("left")
    duty = next(duty for duty in working.DUTIES if duty.name == "forget")
    duty.act()
    assert all(one.exists() for one in left.values())
    for one in (*left.values(), batches.spooled(waiting)):
        os.utime(one, (0, 0))
    duty.act()
    assert not any(one.exists() for one in left.values())
    assert batches.spooled(waiting).exists()


def undone(batch: Batch, *, by: Any, **options: Any) -> dict[str, int]:
    importing.undo(batch, by=by, **options)
    while importing.advance(batch):
        pass
    counts = batch.counts["undo"]
    return {name: counts[name] for name in ("withdrawn", "restored", "kept")}


def test_undoing_puts_back_what_the_batch_revised(file: Callable[..., Path]) -> None:
    run(file(school(1, grade="Partly", words="Roof"), school(2)))
    report = Report.objects.order_by("pk")[0]
    before = {name: getattr(report, name) for name in journal.JOURNALED}
    changed = file(
        school(1, grade="Gone", what="Mains", day="10 Mar 2026", words="Wall", checked="2026-03-12"),
        school(2, words="new"),
        school(3),
    )
    batch = run(changed)
    assert outcomes(batch) == {"new": 1, "changed": 2}
    supervisor = factories.person("supervisor", *factories.ukraine().values())
    # Another import went on from the second row's revision: that stays.
    run(file(school(2, words="newer")))
    assert undone(batch, by=supervisor) == {"withdrawn": 1, "restored": 1, "kept": 1}
    report.refresh_from_db()
    assert {name: getattr(report, name) for name in journal.JOURNALED} == before
    assert [entry.kind for entry in report.entries.all()] == ["logged", "revised", "moved", "revised"]
    grades = Assessment.objects.filter(report=report, voided_at=None)
    assert [line.scale_grade for line in grades] == ["partially_damaged"]
    assert outcomes(run(file(school(1, grade="Partly", words="Roof")))) == {"unchanged": 1}
    assert list(verifying.verify()) == []


def test_an_undo_that_is_killed_goes_on(file: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judging, "CHUNK", 2)
    batch = run(file(*(school(number) for number in range(5))))
    supervisor = factories.person("supervisor", *factories.ukraine().values())
    importing.undo(batch, by=supervisor)
    importing.advance(batch)
    assert Report.objects.filter(withdrawn="").count() == 3
    Batch.objects.update(leased_until=datetime(2026, 1, 1, tzinfo=UTC))
    while importing.run_chunk():
        pass
    batch.refresh_from_db()
    assert (batch.state, batch.counts["undo"]["withdrawn"]) == ("undone", 5)
    assert not SourceRef.objects.exists()
    assert Entry.objects.filter(kind="withdrawn").count() == 5


def test_undoing_is_a_supervisors_and_within_their_areas(file: Callable[..., Path]) -> None:
    batch = run(file(school()))
    areas = factories.ukraine()
    for person in (factories.person("official", areas["UA"]), factories.person("supervisor", areas["UA-23"])):
        with pytest.raises(journal.Refused):
            importing.undo(batch, by=person)
    assert not Report.objects.exclude(withdrawn="").exists()


# -- mappings and files that do not fit --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ("source =", "damage.toml"),
        ('title = "x"', "source"),
        ('source = "x"\nrefs = "id"', "“refs” is not known"),
        ('source = "x"\n[fields]\nkinds = "what"', "no field “kinds”"),
        ('source = "x"\n[always]\ncolour = "red"', "“colour” is not known"),
        ('source = "x"\n[fields]\nkind = { colum = "what" }', "“colum” is not known"),
        ('source = "x"\n[fields]\nkind = { column = "a", text = "b" }', "takes one of"),
        ('source = "x"\n[fields]\nstarted_at = { column = "a", zone = "Mars/Dome" }', "Mars/Dome"),
        ('source = "x"\n[table]\nsheets = "a"', "“sheets” is not known"),
        ('source = "x"\n[table]\nheadings = "4"', "of another kind"),
        ('source = "x"\n[table]\nencoding = "koi8"', "“koi8” is not known"),
        ('source = "x"\n[table]\ndelimiter = "::"', "a delimiter is one sign"),
        ('source = "x"\n[[decide]]\nvalues = {}', "names no column"),
        ('source = "x"\n[[decide]]\ncolumn = "a"\nwords = [{ kind = "building" }]', "must list words"),
    ],
)
def test_what_a_mapping_says_that_is_not_understood_is_named(settings: Any, told: str, words: str) -> None:
    (settings.DATA_DIR / "mappings" / "damage.toml").write_text(told, "utf-8")
    with pytest.raises(BadMapping, match=words):
        mappings.load("damage")


def test_a_mapping_that_somebody_saved_is_loaded_by_its_name_and_lays_out_the_file(tmp_path: Path) -> None:
    layout = '[table]\nsheet = "March"\nheadings = 2\n[always]'
    SavedMapping.objects.create(
        name="ours", text=DAMAGE.replace("[always]", layout, 1), by=factories.person(), at=journal.now()
    )
    cells = {**dict.fromkeys(HEADINGS, ""), **school()}
    rows = [["Old", "list"], list(cells), list(cells.values())]
    path = tmp_path / "book.xlsx"
    path.write_bytes(sheets.xlsx({"Notes": [["see", "March"], ["x", "y"]], "March": rows}))
    assert "ours" in mappings.names()
    assert outcomes(run(path, "ours")) == {"new": 1}
    assert outcomes(run(path, "ours")) == {"unchanged": 1}


@pytest.mark.parametrize("name", ["nothing", "../damage", ""])
def test_an_unknown_mapping_is_named_beside_those_there_are(name: str) -> None:
    with pytest.raises(BadMapping, match="acaps, damage, outages, purdue-outages, register"):
        mappings.load(name)


@pytest.mark.parametrize("name", ["acaps", "purdue-outages", "register"])
def test_our_own_mappings_are_understood(name: str) -> None:
    assert mappings.load(name).needs


def test_a_file_without_a_column_of_the_mapping_leaves_nothing(
    file: Callable[..., Path], settings: Any
) -> None:
    with pytest.raises(BadMapping, match=r"no column “what”.*mapping damage"):
        importing.start(file({"id": "1"}, headings=("id", "day")), "damage")
    assert not Batch.objects.exists()
    assert list(settings.DATA_DIR.glob("imports/*")) == []


def test_a_file_that_breaks_off_in_the_middle_leaves_nothing(file: Callable[..., Path]) -> None:
    path = file(*(school(number) for number in range(400)))
    path.write_bytes(path.read_bytes() + b'A500,"UA-63')
    with pytest.raises(BadTable, match="Row 402"):
        importing.start(path, "damage")
    assert not Batch.objects.exists()


# -- the command -------------------------------------------------------------------------------------------


def test_the_command_prints_outcomes_that_sum_to_the_rows(
    file: Callable[..., Path], capsys: pytest.CaptureFixture, tmp_path: Path
) -> None:
    path = file(school(1), school(2, what=""), school(3, day="never"))
    call_command("import_reports", path, mapping="damage", failed=tmp_path / "failed.csv")
    said = " ".join(capsys.readouterr().out.split())
    assert "list.csv · damage 3 new 1 unchanged 0 changed 0" in said
    assert "left out 1 Nothing is said 1 errors 1" in said
    with (tmp_path / "failed.csv").open(encoding="utf-8", newline="") as found:
        (row,) = csv.DictReader(found)
    assert (row["id"], row["[what is wrong]"].partition(":")[0]) == ("A3", "day")


def test_the_command_writes_nothing_on_a_preview(file: Callable[..., Path]) -> None:
    call_command("import_reports", file(school(1)), mapping="damage", preview=True)
    assert not Report.objects.exists()
    assert not Batch.objects.exists()


def test_the_command_leaves_out_what_is_likely_here_and_goes_on_where_its_check_was_broken_off(
    file: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(judging, "CHUNK", 2)
    here = factories.report()
    alike = here.pk, Likeness(Verdict.SAME, 90, [], [])
    monkeypatch.setattr(running.duplicates, "likely", lambda lines, **options: [alike, None][: len(lines)])
    path = file(*map(school, range(4)))
    call_command("import_reports", path, mapping="damage", without_likely=True, preview=True)
    assert "Likely here already: left out when it was confirmed          2" in capsys.readouterr().out
    batch = importing.start(path, "damage", without_likely=True)
    importing.advance(batch)
    call_command("import_reports", path, mapping="damage", without_likely=True)
    batch.refresh_from_db()
    assert outcomes(batch) == {"new": 2, "left_out": 2}
    assert sorted(batch.refs.values_list("ref", flat=True)) == ["A1", "A3"]


def test_the_command_fails_on_errors_only_if_told_to(file: Callable[..., Path]) -> None:
    path = file(school(1, day="never"))
    call_command("import_reports", path, mapping="damage")
    with pytest.raises(CommandError, match="1 rows have errors"):
        call_command("import_reports", path, mapping="damage", strict=True)


@pytest.mark.parametrize("mapping", ["damage", "nothing"])
def test_the_command_says_what_it_cannot_read(tmp_path: Path, mapping: str) -> None:
    path = tmp_path / "photo.csv"
    path.write_bytes(b"\x89PNG\r\n\x1a\n\0\0\0")
    with pytest.raises(CommandError, match=r"photo\.csv"):
        call_command("import_reports", path, mapping=mapping)
    with pytest.raises(CommandError, match=r"missing\.csv"):
        call_command("import_reports", tmp_path / "missing.csv", mapping=mapping)
