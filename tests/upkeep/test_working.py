"""The worker: duties on the clock, seals, and an end at any moment."""

import os
import random
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from registry.actions import editions, importing, tallies
from registry.forms.places import lineage
from registry.models import (
    Batch,
    DayFigure,
    Edition,
    Entry,
    Progress,
    PublicReport,
    Report,
    Seal,
    SourceRef,
    Tally,
    TallyDelta,
)
from registry.upkeep import sealing, verifying, working
from registry.upkeep.working import Duty, every
from tests import factories
from tests.factories import change, report

pytestmark = pytest.mark.django_db

ROOT = Path(__file__).resolve().parent.parent.parent
NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)


# -- seals -----------------------------------------------------------------------------------------------


def test_seals_are_a_chain_even_when_nothing_happened():
    report()
    first = sealing.seal()
    second = sealing.seal()
    report()
    third = sealing.seal()
    assert [seal.entries for seal in (first, second, third)] == [1, 0, 1]
    assert len({seal.digest for seal in (first, second, third)}) == 3
    assert third.digest == sealing.chained(second, Entry.objects.filter(seal=third))
    assert not Entry.objects.filter(seal=None).exists()


def test_the_seal_command_prints_what_an_operator_keeps(capsys):
    report()
    call_command("seal")
    assert capsys.readouterr().out.split()[-1] == Seal.objects.get().digest


def test_the_publish_command_makes_an_edition(capsys):
    report()
    call_command("publish")
    assert PublicReport.objects.count() == 1
    assert "Public: 1" in capsys.readouterr().out


# -- merging ---------------------------------------------------------------------------------------------


def test_merged_tallies_are_those_of_the_rows(monkeypatch):
    monkeypatch.setattr(tallies, "CHUNK", 2)
    first = report(lat="50.1", lon="36.1", geo_precision="exact")
    report(lat="50.2", lon="36.2", geo_precision="exact")
    tallies.merge()
    change(first, at=NOON, damage_level="severe", adm1_code="UA-23")
    while tallies.merge():
        pass
    assert not TallyDelta.objects.exists()
    assert dict(Tally.objects.filter(holder="office").values_list("area", "n")) == {"UA-63": 1, "UA-23": 1}
    assert list(verifying.verify()) == []


# -- the clock -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("zone", "now", "then"),
    [
        ("UTC", "2026-03-10T02:59:59", "2026-03-10T03:00:00"),
        ("UTC", "2026-03-10T03:00:00", "2026-03-11T03:00:00"),
        ("Europe/Kyiv", "2026-03-10T00:30:00", "2026-03-10T01:00:00"),
        ("Europe/Kyiv", "2026-03-28T02:00:00", "2026-03-29T01:00:00"),
        ("Europe/Kyiv", "2026-03-29T02:00:00", "2026-03-30T00:00:00"),
    ],
)
def test_the_day_begins_by_the_registers_clock(settings, zone, now, then):
    settings.TIME_ZONE = zone
    now, then = (datetime.fromisoformat(text).replace(tzinfo=UTC) for text in (now, then))
    assert working.daily(now) == then


def test_the_worker_does_what_is_due_and_nothing_else():
    report()
    working.work(once=True)
    assert Seal.objects.count() == 1
    assert not TallyDelta.objects.exists()
    assert not Edition.objects.exists()
    Progress.objects.filter(duty__in=["publish", "day"]).update(due_at=timezone.now())
    working.work(once=True)
    assert Edition.objects.count() == 1
    assert DayFigure.objects.filter(holder="office").get().open_damage == 1
    working.work(once=True)
    assert Edition.objects.count() == Seal.objects.count() == 1


def _counting(counts: list[str], name: str, **more) -> Duty:
    return Duty(name, lambda: counts.append(name) or len(counts) < 3, every(hours=1), **more)


@pytest.mark.parametrize("leased", [False, True])
def test_a_duty_goes_on_while_more_waits(monkeypatch, leased):
    counts: list[str] = []
    monkeypatch.setattr(working, "DUTIES", (_counting(counts, "count", leased=leased),))
    working.work(once=True)
    assert len(counts) == 3
    assert Progress.objects.get(duty="count").lease is None
    assert Progress.objects.get(duty="count").due_at > timezone.now()


def test_a_lease_keeps_others_away_until_it_ends(monkeypatch):
    counts: list[str] = []
    duty = _counting(counts, "count", leased=True)
    monkeypatch.setattr(working, "DUTIES", (duty,))
    working.enlist()
    in_a_minute = timezone.now() + timedelta(minutes=1)
    lease = "0" * 32
    Progress.objects.filter(duty="count").update(lease=lease, leased_until=in_a_minute)
    assert not working.do(duty)
    Progress.objects.update(leased_until=timezone.now() - timedelta(seconds=1))
    assert working.do(duty)
    assert counts == ["count"]


def test_a_duty_that_fails_holds_nobody_up(monkeypatch, caplog):
    stop = threading.Event()

    def fail():
        raise RuntimeError("no such disk")

    failing = Duty("fail", fail, every(hours=1))
    stopping = Duty("stop", stop.set, every(hours=1))
    monkeypatch.setattr(working, "DUTIES", (failing, stopping))
    monkeypatch.setattr(working, "close_old_connections", lambda: None)
    working.work(stop=stop)
    assert "no such disk" in caplog.text
    assert Progress.objects.get(duty="fail").due_at <= timezone.now()


# -- killed ----------------------------------------------------------------------------------------------


def environment() -> dict[str, str]:
    """What a process of its own needs to work on the database of the tests."""
    if connection.vendor == "sqlite":
        url = f"sqlite:///{connection.settings_dict['NAME']}"
    else:
        host = quote(str(connection.settings_dict["HOST"]), safe="")
        url = f"postgresql://{connection.settings_dict['USER']}@{host}/{connection.settings_dict['NAME']}"
    return os.environ | {
        "DATABASE_URL": url,
        "DATA_DIR": str(settings.DATA_DIR),
        "SECRET_KEY": "tests",
        "DJANGO_SETTINGS_MODULE": "registry.settings",
        "LOG_LEVEL": "CRITICAL",
    }


#: A process that has loaded everything; at each line it forks a worker and kills it after so many seconds,
#: or at once waits for the end of its work, if the line is empty.
KILLER = """
import os, signal, sys, time
from datetime import timedelta
import django
django.setup()
from registry.actions import tallies
from registry.actions.importing import batches, judging
from registry.upkeep import working
judging.CHUNK = tallies.CHUNK = 3
batches.LEASE = working.LEASE = timedelta(0)
working.REST = 0.001
print("ready", flush=True)
for line in sys.stdin:
    begun = time.perf_counter()
    if not (worker := os.fork()):
        try:
            working.work(once=not line.strip())
        finally:
            os._exit(1)
    if line.strip():
        time.sleep(float(line))
        os.kill(worker, signal.SIGKILL)
    os.waitpid(worker, 0)
    print(time.perf_counter() - begun, flush=True)
"""
MAPPING = """
source = "list"
ref = "id"
[always]
area = "UA-63"
kind = "building"
object_type = "school"
source_type = "authority"
source_name = "County"
[fields]
occurred_to = { column = "day", format = "%Y-%m-%d" }
"""
IMPORTED = 150


def all_is_due() -> None:
    working.enlist()
    yesterday = timezone.now() - timedelta(days=1)
    Progress.objects.filter(duty__in=[duty.name for duty in working.DUTIES]).update(due_at=yesterday)


@pytest.mark.django_db(transaction=True)
def test_a_worker_killed_fifty_times_loses_nothing_and_doubles_nothing(monkeypatch, tmp_path):
    """While it merges, seals, publishes and imports."""
    monkeypatch.setattr(settings, "DATA_DIR", tmp_path)
    monkeypatch.setattr(importing.batches, "LEASE", timedelta(0))
    factories.ukraine()
    lineage.cache_clear()
    (tmp_path / "mappings").mkdir()
    (tmp_path / "mappings" / "list.toml").write_text(MAPPING)
    (tmp_path / "list.csv").write_text("id,day\n" + "".join(f"{n},2026-03-09\n" for n in range(IMPORTED)))
    draw = random.Random(4)
    old = NOON - timedelta(days=30)
    reports = [report(at=old, lat="50.1", lon="36.1", geo_precision="exact") for _number in range(5)]
    command = [sys.executable, "-c", KILLER]
    with subprocess.Popen(
        command, cwd=ROOT, env=environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as killer:

        def worker(dies_after: float | None = None) -> float:
            """A worker's life: how many seconds it took."""
            assert killer.stdin
            assert killer.stdout
            killer.stdin.write(f"{'' if dies_after is None else dies_after}\n")
            killer.stdin.flush()
            return float(killer.stdout.readline())

        assert killer.stdout
        assert killer.stdout.readline() == "ready\n"
        all_is_due()
        life = worker()
        batch = importing.start(tmp_path / "list.csv", "list")
        for _round in range(50):
            levels = draw.sample(["minor", "moderate", "severe", "destroyed"], k=4)
            for index, level in enumerate(levels):
                reports[index] = change(reports[index], at=timezone.now(), damage_level=level)
            reports.append(report(at=old, lat="50.2", lon="36.2", geo_precision="exact"))
            all_is_due()
            worker(dies_after=draw.uniform(0, 2) * life)
            batch.refresh_from_db()
            # On a machine that does other things besides, an import may not begin within a short life.
            life *= 1 if batch.next_row else 1.1
        assert batch.next_row > 0
        made = Edition.objects.count()
        assert 1 < made <= 51
        all_is_due()
        worker()
    editions.publish()
    sealing.seal()
    assert list(verifying.verify()) == []
    assert not TallyDelta.objects.exists()
    assert not Entry.objects.filter(seal=None).exists()
    numbers = list(Seal.objects.values_list("number", flat=True))
    assert numbers == list(range(1, len(numbers) + 1))
    batch.refresh_from_db()
    assert (batch.state, batch.counts["new"]) == (Batch.State.DONE, IMPORTED)
    imported = SourceRef.objects.filter(batch=batch)
    assert sorted(int(ref) for ref in imported.values_list("ref", flat=True)) == list(range(IMPORTED))
    assert imported.values("report").distinct().count() == IMPORTED
    assert PublicReport.objects.count() == 55
    assert Report.objects.count() == 55 + IMPORTED
    levels = dict(PublicReport.objects.values_list("reference", "damage_level"))
    assert levels == dict(Report.objects.filter(batch=None).values_list("reference", "damage_level"))


@pytest.mark.django_db(transaction=True)
def test_the_command_ends_on_sigterm():
    command = [sys.executable, "manage.py", "work"]
    worker = subprocess.Popen(command, cwd=ROOT, env=environment())
    try:
        while not Seal.objects.exists():
            assert worker.poll() is None
        worker.terminate()
        assert worker.wait(timeout=60) == 0
    finally:
        worker.kill()
        worker.wait()
    sealing.seal()
    tallies.merge()
    assert list(verifying.verify()) == []
