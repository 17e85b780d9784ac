"""Files hold what was selected, in bytes that do not depend on the database; broken ones look broken."""

import csv
import errno
import os
import random
import resource
import subprocess
import sys
import threading
import time
from contextlib import nullcontext
from datetime import UTC, date, datetime, timedelta
from io import BytesIO, StringIO

import pytest
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.db import connections
from django.http import QueryDict
from psycopg.errors import DivisionByZero

from registry.columns import COLUMNS
from registry.filters import select
from registry.models import Report
from registry.outputs import sending
from registry.outputs.formats import FORMATS
from registry.outputs.rows import _rows
from registry.outputs.sending import Busy, Spool
from registry.outputs.tables import TABLES
from registry.rules.vocabularies import Holder
from tests import factories
from tests.factories import AT, published, report

pytestmark = pytest.mark.django_db
NAMES = [column.name for column in COLUMNS]
NASTY = [
    'say "cheese"',
    "a, b",
    "two\nlines",
    "007",
    "=1+1",
    "+380 44",
    "-5",
    "@home",
    "\ttab",
    "Окна выбиты, фасад",
    " spaces ",
    "'quoted'",
    "\\.",
    "100% %s",
    '"',
    "\u2028",
    '\\n\\\\,\\"\\c\\',
    ',\\\n"\\\r',
    "\b\f\v\x1f\x7f",
]


def written(selection, table="reports", **variant) -> bytes:
    sink = BytesIO()
    rows = FORMATS["csv"].write(TABLES[table].sheet(selection), sink, **variant)
    assert rows == len(list(csv.reader(StringIO(sink.getvalue().decode(), newline="")))) - 1 - variant.get(
        "hxl", 0
    )
    return sink.getvalue()


def office(**params):
    return select(None, params, holder=Holder.OFFICE)


def as_python_writes(rows: list[dict]) -> str:
    """The canonical file by the plainest means there are."""
    out = StringIO()
    lines = csv.writer(out, lineterminator="\n")
    lines.writerow(NAMES)
    for row in rows:
        cells = []
        for column in COLUMNS:
            value = row[column.name]
            if value is None:
                value = ""
            elif column.type == "boolean":
                value = "true" if value else "false"
            elif column.type == "moment":
                value = value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
            elif column.type == "decimal":
                value = f"{value:.{column.decimals}f}"
            cells.append(value)
        lines.writerow(cells)
    return out.getvalue()


def full() -> list[Report]:
    made = [
        report(
            summary=text,
            address=text,
            object_name=text,
            settlement=text,
            sources=text,
            lat=-33.5,
            lon=-70.000001,
            occurred_from=None if number % 2 else date(2026, 3, 1),
            occurred_to=date(2026, 3, 1) + timedelta(days=number % 3),
            started_utc=datetime(2026, 3, 1, 0, 0, number, tzinfo=UTC),
            sources_agree=[None, True, False][number % 3],
            independently_checked=[False, None, True][number % 3],
            ems98_min=0,
            ems98_max=5,
            repair_cost=["12.50", "0.10", "1234567890123.45"][number % 3],
            repair_currency="CLP",
            dwellings_total=0,
            status="verified",
        )
        for number, text in enumerate(NASTY)
    ]
    return [*made, report()]


def test_a_file_is_what_python_would_write_byte_for_byte():
    full()
    rows = Report.objects.order_by("-occurred_to", "-reference").values()
    assert written(office()).decode() == as_python_writes(rows)


def test_a_carriage_return_survives():
    report(summary="one\rtwo\r\nthree")
    (row,) = csv.DictReader(StringIO(written(office()).decode(), newline=""))
    assert row["summary"] == "one\rtwo\r\nthree"


def test_the_excel_safe_file_marks_text_alone():
    for text in NASTY:
        report(summary=text, lat=-33.5, lon=-70.5)
    data = written(office(), excel=True)
    assert data.startswith(b"\xef\xbb\xbfreference,")
    assert data.count(b"\r\n") == len(NASTY) + 1
    rows = list(csv.DictReader(StringIO(data.decode("utf-8-sig"), newline="")))
    assert {row["lon"] for row in rows} == {"-70.500000"}
    assert {row["summary"] for row in rows} == {
        f"'{text}" if text[0] in "=+-@\t\r" else text for text in NASTY
    }


def test_a_row_of_tags_on_request():
    report()
    rows = list(csv.reader(StringIO(written(office(), hxl=True).decode())))
    assert rows[0] == NAMES
    assert rows[1] == [column.hxl for column in COLUMNS]
    assert all(tag.startswith("#") for tag in rows[1])
    assert len(rows) == 3


def test_an_empty_selection_is_a_header():
    assert written(office()).decode() == ",".join(NAMES) + "\n"


def test_staff_without_areas_are_given_no_rows():
    report()
    assert written(select(factories.person(), {})).decode() == ",".join(NAMES) + "\n"


@pytest.mark.parametrize(
    "query",
    [
        "kind=building&kind=network",
        "type=school&type=house",
        "from=2026-02-10&to=2026-03-03",
        "to=2026-03-03&type=school",
        "text=roof",
        "text=roof&type=house&to=2026-03-03",
        "logged_from=2026-01-01",
    ],
)
def test_a_filtered_file_holds_what_the_list_holds_in_its_order(query):
    for number in range(24):
        day = date(2026, 3, 1) + timedelta(days=number % 5)
        report(
            object_type=("school", "house", "clinic")[number % 3],
            summary=("Roof, windows", "Doors")[number % 2],
            occurred_from=day - timedelta(days=(0, 3, 80)[number % 3]) if number % 4 else None,
            occurred_to=day,
        )
    selection = select(None, QueryDict(query), holder=Holder.OFFICE)
    listed = [row.reference for row in selection.page().rows]
    assert listed
    for table in ("reports", "entries"):
        written_rows = csv.DictReader(StringIO(written(selection, table).decode()))
        assert [row["reference"] for row in written_rows] == listed


def test_as_of_writes_both_tables_in_one_order():
    made = [report(at=AT, occurred_to=date(2026, 3, 9) + timedelta(days=n)) for n in range(4)]
    for old in made[::2]:
        factories.change(old, at=AT + timedelta(days=1), summary="Later")
    (header, *rows) = csv.reader(StringIO(written(office(as_of="2026-03-10")).decode()))
    assert header == NAMES
    assert [row[0] for row in rows] == [one.reference for one in reversed(made)]
    assert "Later" not in written(office(as_of="2026-03-10")).decode()


def test_versions_are_what_the_audience_had_from_edition_to_edition():
    made, later = report(), AT + timedelta(days=1)
    factories.past(report=made, since=AT, until=later, damage_level="minor")
    factories.past(Holder.RESEARCHER, report=made, since=AT, until=later, damage_level="none")
    published(report=made, at=later, damage_level="severe")
    data = written(select(AnonymousUser(), {}), "versions").decode()
    rows = list(csv.DictReader(StringIO(data)))
    assert [(row["damage_level"], row["valid_from_utc"], row["valid_to_utc"]) for row in rows] == [
        ("minor", "2026-03-10 12:00:00", "2026-03-11 12:00:00"),
        ("severe", "2026-03-11 12:00:00", ""),
    ]


def test_entries_are_the_timeline_with_its_words():
    from registry.actions import journal
    from registry.models import Entry

    made = report(by=factories.person(name="Olena"))
    other = report(object_type="house")
    line = journal.Line(journal.lock(made.reference), "noted", texts={"note": 'Gate, "locked"'})
    journal.record(line, at=AT + timedelta(hours=1))
    data = written(office(type="school"), "entries").decode()
    rows = list(csv.DictReader(StringIO(data)))
    assert [(row["reference"], row["number"], row["kind"], row["note"]) for row in rows] == [
        (made.reference, "1", "logged", ""),
        (made.reference, "2", "noted", 'Gate, "locked"'),
    ]
    assert rows[0]["by"] == "Olena"
    assert rows[1]["recorded_utc"] == "2026-03-10 13:00:00"
    assert [row["body"] for row in rows] == [e.body for e in Entry.objects.filter(report=made)]
    assert other.reference not in data


@pytest.mark.skipif("sqlite" in settings.DATABASES["default"]["ENGINE"], reason="SQLite has no COPY")
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("broken", [0, 1, 2, 5_000, 20_000])
def test_a_copy_that_breaks_says_why_and_leaves_the_connection_usable(broken):
    """Also behind rows that have come already, where psycopg is not asked."""
    statement = "COPY (SELECT 1 / (i - %s), repeat('x', 99) FROM generate_series(1, 20000) AS i) TO STDOUT"
    read = []
    with connections["reader"].cursor() as cursor:
        with (
            pytest.raises(DivisionByZero) if broken else nullcontext(),
            cursor.copy(statement, [broken]) as copy,
        ):
            read.extend(_rows(copy))
        assert len(read) == (broken or 20_001) - 1
        cursor.execute("SELECT 1")
        assert cursor.fetchone() == (1,)


# -- spooling


def test_a_spool_gives_what_its_writer_wrote():
    def job(sink):
        for number in range(1000):
            sink.write(b"%d\n" % number)
        return 1000

    spool = Spool(job)
    assert spool.finished(within=10)
    data = b"".join(spool)
    assert len(data) == spool.size
    assert data.splitlines()[-1] == b"999"
    spool.close()


@pytest.mark.django_db(transaction=True)
def test_a_client_that_keeps_up_has_all_from_memory(monkeypatch):
    taken = threading.Semaphore(1)

    def job(sink):
        for number in range(1000):
            taken.acquire()
            sink.write(b"%d\n" % number)
        return 1000

    monkeypatch.setattr(sending, "_HELD", 100)
    monkeypatch.setattr(sending.os, "pwrite", lambda *_given: pytest.fail("nothing waits on the disk"))
    spool, data = Spool(job), b""
    for part in spool:
        data += part
        taken.release()
    assert data.splitlines() == [b"%d" % number for number in range(1000)]
    spool.close()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("seed", range(4))
def test_a_client_that_falls_behind_and_catches_up_misses_nothing(monkeypatch, seed):
    monkeypatch.setattr(sending, "_HELD", 2_000)
    monkeypatch.setattr(sending, "_TAKEN", 300)
    aside = []
    write_aside = os.pwrite
    monkeypatch.setattr(
        sending.os, "pwrite", lambda file, data, at: aside.append(at) or write_aside(file, data[:77], at)
    )
    chance = random.Random(seed)
    parts = [chance.randbytes(chance.choice((0, 1, 40, 299, 300, 301, 5_000))) for _number in range(600)]
    data = bytearray()

    def job(sink):
        for number, part in enumerate(parts):
            while number % 100 == 99 and len(data) < sum(map(len, parts[:number])):
                time.sleep(0.001)
            sink.write(part)
        return len(parts)

    spool = Spool(job)
    for part in spool:
        data += part
        if chance.random() < 0.02:
            time.sleep(0.002)
    assert data == b"".join(parts)
    # The disk was used, and used anew from its beginning.
    assert 1 < aside.count(0) < len(aside)
    spool.close()


@pytest.mark.django_db(transaction=True)
def test_nobody_reads_and_the_file_is_written(monkeypatch):
    monkeypatch.setattr(sending, "_HELD", 1_000)
    spool = Spool(lambda sink: [sink.write(b"x" * 999) for _number in range(100)] and 100)
    assert spool.finished(within=30)
    assert b"".join(spool) == b"x" * 99_900
    spool.close()


@pytest.mark.django_db(transaction=True)
def test_a_reader_follows_the_writer_and_sees_it_fail():
    go_on = threading.Event()

    def job(sink):
        sink.write(b"first\n")
        go_on.wait(10)
        raise RuntimeError("the database went away")

    spool = Spool(job)
    parts = iter(spool)
    assert next(parts) == b"first\n"
    assert not spool.finished(within=0)
    go_on.set()
    with pytest.raises(RuntimeError, match="went away"):
        next(parts)
    spool.close()


@pytest.mark.django_db(transaction=True)
def test_a_client_that_leaves_frees_file_and_place(settings, tmp_path):
    settings.DOWNLOADS_AT_ONCE, settings.DATA_DIR = 1, tmp_path
    began, left, ended = threading.Event(), threading.Event(), threading.Event()

    def job(sink):
        try:
            sink.write(b"x")
            began.set()
            left.wait(10)
            sink.write(b"y")
        finally:
            ended.set()
        return 1

    before = len(os.listdir("/proc/self/fd"))
    spool = Spool(job)
    began.wait(10)
    with pytest.raises(Busy):
        Spool(job)
    spool.close()
    with pytest.raises(Busy):  # its writer still runs
        Spool(job)
    left.set()
    assert ended.wait(10)
    spool._thread.join(10)
    assert len(os.listdir("/proc/self/fd")) == before
    again = Spool(lambda sink: 0)
    assert again.finished(within=10)
    again.close()


def test_places_are_counted_over_all_processes(settings, tmp_path):
    settings.DOWNLOADS_AT_ONCE, settings.DATA_DIR = 1, tmp_path
    folder = settings.DATA_DIR / "downloads"
    folder.mkdir(exist_ok=True)
    hold = (
        "import fcntl, sys; f = open(sys.argv[1], 'w'); fcntl.flock(f, fcntl.LOCK_EX);"
        "print('held', flush=True); sys.stdin.read()"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", hold, folder / "0"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert other.stdout.readline() == b"held\n"
    with pytest.raises(Busy):
        Spool(lambda sink: 0)
    other.kill()
    other.communicate()
    spool = Spool(lambda sink: 0)
    spool.close()


@pytest.mark.django_db(transaction=True)
def test_a_connection_of_the_database_is_not_left_behind():
    report()
    sheet = TABLES["reports"].sheet(office())
    spool = Spool(lambda sink: FORMATS["csv"].write(sheet, sink))
    assert spool.finished(within=10)
    assert b"".join(spool).count(b"\n") == 2
    spool.close()
    assert connections["reader"].vendor in ("sqlite", "postgresql")
    assert not any(settings.DATA_DIR.glob("tmp*"))


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("size", [150_000, 100_001])
def test_a_disk_that_takes_only_a_part_is_a_broken_file(size, monkeypatch):
    """A file may not grow beyond a limit: the last write that passes it is taken in part."""
    monkeypatch.setattr(sending, "_HELD", -1)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    try:
        spool = Spool(lambda sink: sink.write(b"x" * size) or 1)
        with pytest.raises(OSError, match="File too large"):
            spool.finished(within=10)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    spool.close()
    again = Spool(lambda sink: sink.write(b"x" * size) or 1)
    assert again.finished(within=10)
    assert len(b"".join(again)) == size
    again.close()


def test_without_a_place_for_the_file_none_is_taken_from_others(settings, monkeypatch, tmp_path):
    settings.DOWNLOADS_AT_ONCE, settings.DATA_DIR = 1, tmp_path
    before = len(os.listdir("/proc/self/fd"))

    def no_space(**_options):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(sending.tempfile, "TemporaryFile", no_space)
    with pytest.raises(OSError, match="No space left"):
        Spool(lambda sink: 0)
    assert len(os.listdir("/proc/self/fd")) == before
