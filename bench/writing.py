"""What writes: many people logging at once, imports; and the gazetteer that both ask."""

import csv
import os
import random
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import date, timedelta
from inspect import unwrap
from pathlib import Path
from typing import Any
from unittest import mock
from urllib.parse import urlencode
from uuid import uuid4

from django.db import connection, transaction
from django.db.models import Max

from registry.actions import importing, journal, reports
from registry.forms.places import embedded
from registry.models import Entry, Person, Report, guards

from .making import COUNTRY, unchecked
from .serving import Client, Peak, Server, signed_in
from .table import Table

CLIENTS = 32


def measure(table: Table, server: Server, seconds: float, rows: int) -> None:
    _gazetteer(table)
    _imports(table, rows)
    _logging(table, server, seconds)


# -- the gazetteer and imports -------------------------------------------------------------------------


def _gazetteer(table: Table) -> None:
    *towns, first = _settlements(3_001)
    gazetteer = embedded()
    gazetteer.geocode(first[0], region=first[1])  # what is read once is not counted
    gazetteer.area_of(50.45, 30.52)
    began = time.perf_counter()
    found = sum(gazetteer.geocode(name, region=region) is not None for name, region in towns)
    rate = len(towns) / (time.perf_counter() - began)
    table.add(
        f"gazetteer, {len(towns):,} settlements with region ({found:,} found)", rate, "/s", bar="gazetteer"
    )


def _settlements(count: int) -> list[tuple[str, str]]:
    """Names of settlements and their regions, in no order."""
    found = embedded().index._run(
        "SELECT name, adm1 FROM place WHERE level = 3 AND country = ? AND adm1 <> '' ORDER BY id", COUNTRY
    )
    random.Random(3).shuffle(found)
    return found[:count]  # type: ignore[return-value]


def _imports(table: Table, rows: int) -> None:
    """The same rows' like twice: as imports make and write them, and as a user's own code would, with the same
    form, Django's models and ``bulk_create``, and without what imports ask of SQLite and Python besides."""
    _imported("first", 100)  # what is read once is not counted
    ours = theirs = 0.0
    for turn in range(2):  # in turns, since whoever comes second finds the pages of the database warm
        ours = max(ours, _imported(f"ours{turn}", rows))
        with ExitStack() as stack:
            for module in (journal, importing.writing):
                stack.enter_context(mock.patch.object(module, "insert_new", _bulk_create))
            for module in (journal, importing.writing, reports):
                stack.enter_context(mock.patch.object(module, "blank", _made))
            theirs = max(theirs, _imported(f"theirs{turn}", rows, advance=unwrap(importing.advance)))
    table.add(f"import of {rows:,} rows with the gazetteer", ours, "/s", bar="import")
    table.add(
        "the same", ours, "/s", beside="same form + bulk_create", peer=theirs, bar="import beside bulk_create"
    )


def _made(table: Any, **values: Any) -> Any:
    return table(**values)


def _bulk_create(rows: Any) -> None:
    if rows:
        type(rows[0])._default_manager.bulk_create(rows)


def _imported(name: str, rows: int, *, advance: Callable[[Any], bool] = importing.advance) -> float:
    """Rows a second of one import."""
    path = Path(os.environ["DATA_DIR"], f"{name}.csv")
    towns, dice, today = _settlements(500), random.Random(name), date.today()
    names = ("reference", "kind", "object_type", "adm1_code", "settlement", "address", "occurred_to", "cause_group",
             "cause", "dwellings_total", "summary", "sources")  # fmt: skip
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(names)
        for number in range(rows):
            town, region = dice.choice(towns)
            writer.writerow(
                (f"{name}-{uuid4().hex[:12]}-{number}", "building", dice.choice(("house", "school", "apartments")),
                 region, town, f"Sadova {dice.randint(1, 200)}", today - timedelta(days=dice.randint(1, 300)),
                 "weather", "wind", dice.randint(1, 90), "Roof and windows damaged", "Town paper")
            )  # fmt: skip
    began = time.perf_counter()
    batch = importing.start(path, "register")
    while advance(batch):
        pass
    spent = time.perf_counter() - began
    if batch.counts["new"] != rows:
        raise RuntimeError(f"not all rows were imported: {batch.counts}")
    path.unlink()
    return rows / spent


# -- logging -------------------------------------------------------------------------------------------


@dataclass
class Load:
    """What many clients did: answers a second, their times, errors, the references they were told."""

    seconds: float
    spent: list[float] = field(default_factory=list)
    errors: int = 0
    references: list[str] = field(default_factory=list)

    @property
    def rate(self) -> float:
        return len(self.spent) / self.seconds

    def quantile(self, share: float) -> float:
        ordered = sorted(self.spent)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0

    def lost(self) -> int:
        """How many references people were told that the register does not hold, with a timeline."""
        held: set[str] = set()
        for start in range(0, len(self.references), 500):
            some = self.references[start : start + 500]
            held.update(
                Report.objects.filter(reference__in=some, entries__number=1).values_list(
                    "reference", flat=True
                )
            )
        return len(set(self.references) - held) + len(self.references) - len(set(self.references))


def _logging(table: Table, server: Server, seconds: float) -> None:
    people = list(Person.objects.filter(role="official").order_by("pk")[:CLIENTS])
    clients = [Client(server.port, signed_in(person)) for person in people]
    forms = _forms(2_000)
    newest = Entry.objects.aggregate(newest=Max("pk"))["newest"]
    load(clients, "/log", forms, seconds / 10)  # what is read once is not counted
    load(clients, "/bench/bare", forms, seconds / 10)
    alone = load(clients, "/log", forms, seconds)
    bare = load(clients, "/bench/bare", forms, seconds)
    with _exports_meanwhile(server, people[0]), Peak(also=_wal_size) as wal:
        busy = load(clients, "/log", forms, seconds)
    what = f"{len(clients)} clients logging for {seconds:g} s"
    table.add(what, alone.rate, "/s", beside="bare view", peer=bare.rate, bar="logging")
    table.add(f"{what}: p50", alone.quantile(0.5), "s", beside="bare view", peer=bare.quantile(0.5))
    table.add(
        f"{what}: p99", alone.quantile(0.99), "s", beside="bare view", peer=bare.quantile(0.99),
        bar=f"logging p99 {connection.vendor}",
    )  # fmt: skip
    table.add(f"{what}: errors", alone.errors + busy.errors, bar="logging errors")
    table.add(f"{what}: lost", alone.lost() + busy.lost(), bar="logging lost")
    table.add("the same while two exports run and one client reads 1 kB/s", busy.rate, "/s", beside="without",
              peer=alone.rate, bar="logging under exports")  # fmt: skip
    table.add("p99 meanwhile", busy.quantile(0.99), "s")
    # PostgreSQL keeps its log up to max_wal_size for reuse, whoever reads.
    table.add(
        "write-ahead log meanwhile, at most",
        wal.other,
        "MiB",
        bar="wal" if connection.vendor == "sqlite" else "",
    )
    _forget_bare(newest)


def load(clients: list[Client], address: str, forms: list[str], seconds: float) -> Load:
    """All clients send forms, each the next when the last is answered, for so long."""
    done = Load(seconds)
    lock = threading.Lock()
    end = time.perf_counter() + seconds

    def send(client: Client, number: int) -> None:
        while (began := time.perf_counter()) < end:
            status, location = client.post(address, f"{forms[number % len(forms)]}&command={uuid4()}")
            spent = time.perf_counter() - began
            number += len(clients)
            with lock:
                if status == 302 and "r=" in location:
                    done.spent.append(spent)
                    done.references.append(location.partition("r=")[2])
                else:
                    done.errors += 1

    began = time.perf_counter()
    threads = [threading.Thread(target=send, args=(client, number)) for number, client in enumerate(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    done.seconds = time.perf_counter() - began
    return done


def _forms(count: int) -> list[str]:
    """Reports as people send them: place in words, contact, danger."""
    towns, dice, today = _settlements(500), random.Random(5), date.today()
    forms = []
    for _number in range(count):
        town, region = dice.choice(towns)
        forms.append(
            urlencode(
                {
                    "step": "save",
                    "kind": "building",
                    "object_type": dice.choice(("house", "apartments", "school")),
                    "place": f"Sadova {dice.randint(1, 200)}, {town}",
                    "area": region,
                    "when": "day",
                    "occurred_to": today - timedelta(days=dice.randint(1, 30)),
                    "cause_group": "weather",
                    "cause": "wind",
                    "dwellings_total": dice.randint(1, 90),
                    "description": "Roof and windows gone, neighbours told, stairs blocked.",
                    "summary": "Roof and windows damaged",
                    "danger": "live_wire",
                    "contact": "+380 44 123 45 67",
                    "source_type": "own",
                }
            )
        )
    return forms


def _exports_meanwhile(server: Server, person: Person) -> Any:
    """Two clients that take the office's file again and again, and one that reads 1 kB a second of it."""
    stop = threading.Event()
    cookies = signed_in(person)

    def download() -> None:
        while not stop.is_set():
            try:
                Client(server.port, cookies).download("/reports.csv")
            except (OSError, RuntimeError):
                time.sleep(0.2)

    def dawdle() -> None:
        client = Client(server.port, cookies)
        response = client.open("/reports.csv")
        while not stop.wait(1) and response.read(1024):
            pass
        client.connection.close()

    return _Threads([download, download, dawdle], stop)


class _Threads:
    def __init__(self, acts: list[Callable[[], None]], stop: threading.Event) -> None:
        self.threads, self.stop = [threading.Thread(target=act, daemon=True) for act in acts], stop

    def __enter__(self) -> None:
        for thread in self.threads:
            thread.start()
        time.sleep(0.5)

    def __exit__(self, *error: Any) -> None:
        self.stop.set()
        for thread in self.threads:
            thread.join()


def _wal_size() -> float:
    """MiB of the log of writes."""
    if connection.vendor == "sqlite":
        path = Path(f"{connection.settings_dict['NAME']}-wal")
        return path.stat().st_size / 2**20 if path.exists() else 0.0
    with connection.cursor() as cursor:
        cursor.execute("SELECT sum(size) FROM pg_ls_waldir()")
        return float(cursor.fetchone()[0]) / 2**20


def _forget_bare(newest: int) -> None:
    """Take out what the bare view wrote: it is no report, and nothing hangs on it."""
    with unchecked(), transaction.atomic():
        bare = Entry.objects.filter(pk__gt=newest, body="{}")
        keys = list(bare.values_list("report", flat=True))
        with guards.lifted(connection):
            bare._raw_delete(bare.db)
        for start in range(0, len(keys), 500):
            rows = Report.objects.filter(pk__in=keys[start : start + 500])
            rows._raw_delete(rows.db)


__all__ = ["measure"]
