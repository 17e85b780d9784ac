"""A register of any size for the bench: realistic skew, timelines with their past, digests that verify.

A few thousand stories (``stories``) live through form, places and journal; then they are copied, each copy
with references and a point of its own and the digests that follow. Writing goes past the ORM, in blocks
that hold every story once, into tables without their indexes, which are made anew at the end.
"""

import random
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from django.db import connection, connections, models, transaction
from django.utils import timezone

from registry import geo
from registry.actions import areas, journal, tallies
from registry.forms.places import embedded
from registry.models import (
    CHILDREN,
    Area,
    Asset,
    Entry,
    Incident,
    PastReport,
    Person,
    Report,
    Seal,
    Wording,
    words,
)
from registry.rules.access import GRIDS
from registry.rules.vocabularies import Holder
from registry.upkeep.sealing import chained

from . import stories
from .stories import Cast, Row, Story

#: How many stories are lived; a smaller register has fewer.
STORIES = 2_000
COUNTRY = "UA"
TOWNS = 300
_TABLES: tuple[type[models.Model], ...] = (Report, Entry, Wording, PastReport, *CHILDREN)
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def make(size: int, *, progress: Callable[[int], None] = lambda done: None) -> None:
    """Fill an empty register with ``size`` reports; publishing them is left to the caller."""
    dice = random.Random(7)
    # Over before the first edition's day, which would look at them once more.
    until = timezone.now().replace(minute=0, second=0, microsecond=0) - timedelta(days=1)
    number_of_stories = min(STORIES, max(20, size // 8))
    cast = _cast(dice, number_of_stories, until)
    told = stories.write(number_of_stories, cast, until=until, dice=dice)
    with _bare_tables():
        _Copies(told, len(cast.assets), dice).write(size, progress)
    with transaction.atomic():
        entries = Entry.objects.all()
        Seal.objects.create(
            pk=1, number=1, sealed_at=until, entries=entries.count(), digest=chained(None, entries)
        )
        tallies.rewrite(Holder.OFFICE)
    analyse()


def analyse() -> None:
    """What PostgreSQL does by itself in time, so that it knows its tables; SQLite never does."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")


def _cast(dice: random.Random, number_of_stories: int, until: Any) -> Cast:
    areas.load(_areas())
    country = Area.objects.get(code=COUNTRY)

    def person(role: str, number: int) -> Person:
        made = Person.objects.create_user(
            f"{role}{number}@example.org", None, name=f"{role.title()} {number}", role=role
        )
        made.areas.add(country)
        return made

    incidents = [
        Incident.objects.create(
            title=f"Night of falling debris {number}",
            cause_group="hostilities",
            began_at=until - timedelta(days=dice.randint(1, 700)),
            published=number % 2 == 0,
            created_at=until,
        )
        for number in range(60)
    ]
    for incident in incidents:
        incident.areas.add(country)
    return Cast(
        officials=[person("official", number) for number in range(32)],
        inspectors=[person("inspector", number) for number in range(8)],
        supervisor=person("supervisor", 0),
        towns=_towns(),
        incidents=incidents,
        # Written with their copies; here they only stand for them.
        assets=[
            Asset(pk=9_000_000 + number, kind="building", object_type="school")
            for number in range(number_of_stories // 100)
        ],
    )


def _areas() -> Iterator[dict[str, Any]]:
    """The areas of one country as the gazetteer has them: the same as set-up loads, without reading the world."""
    found = embedded().index._run(
        "SELECT code, level, adm1, id, name, lat, lon, radius_m, timezone FROM place"
        " WHERE country = ? AND level < 3 ORDER BY level",
        COUNTRY,
    )
    for code, level, adm1, number, name, lat, lon, radius, zone in found:
        parent = (None, COUNTRY, adm1)[level]
        point = {"lat": lat, "lon": lon, "radius_m": radius, "timezone": zone}
        yield (
            {"code": code, "level": level, "parent": parent, "country": COUNTRY, "name_en": name}
            | point
            | {"geonames_id": max(number, 0) or None}
        )


def _towns() -> list[tuple[str, str, float, float]]:
    """The largest towns of the country, as the gazetteer has them: name, region, point."""
    found = embedded().index._run(
        "SELECT p.name, p.adm1, p.lat, p.lon FROM place p WHERE p.level = 3 AND p.country = ? AND p.adm1 <> ''"
        " ORDER BY p.population DESC LIMIT ?",
        COUNTRY,
        TOWNS,
    )
    return [tuple(town) for town in found]  # type: ignore[misc]


# -- copying -------------------------------------------------------------------------------------------


class _Copies:
    """Copies of stories, block by block: each block holds every story once."""

    def __init__(self, told: list[Story], assets: int, dice: random.Random) -> None:
        self.told, self.assets, self.dice = told, assets, dice
        self.next = dict.fromkeys(_TABLES, 1)
        self.text: Callable[[Any], Any] = str if connection.vendor == "postgresql" else (lambda value: value)
        self.sealed = next(
            place for place, column in enumerate(stories.stored(Entry)) if column.attname == "seal_id"
        )
        self.snapped: dict[tuple[int, int, int], tuple[Any, Any, Any]] = {}

    def write(self, size: int, progress: Callable[[int], None]) -> None:
        for first in range(0, size, len(self.told)):
            block = self.told[: size - first]
            rows: dict[type[models.Model], list[list[Any]]] = {table: [] for table in _TABLES}
            assets = [_reference(1 << 39 | first + number) for number in range(self.assets)]
            asset_base = Asset.objects.count() + 1
            for number, story in enumerate(block):
                self._copy(story, first, number, asset_base, assets, rows)
            with transaction.atomic():
                Asset.objects.bulk_create(
                    Asset(reference=reference, kind="building", object_type="school") for reference in assets
                )
                for table, new in rows.items():
                    insert(table, new)
            progress(first + len(block))
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                for table in _TABLES:
                    if not table._meta.auto_field:
                        continue
                    name = table._meta.db_table
                    cursor.execute(
                        f"SELECT setval(pg_get_serial_sequence(%s, 'id'), coalesce(max(id), 1)) FROM {name}",
                        [name],
                    )

    def _copy(
        self,
        story: Story,
        first: int,
        number: int,
        asset_base: int,
        assets: list[str],
        rows: dict[type[models.Model], list[list[Any]]],
    ) -> None:
        text = self.text
        key = first + number + 1
        holes: dict[str, Any] = {"id": text(key), "report": text(key), "reference": _reference(key)}
        told: dict[str, str] = {"reference": f'"{holes["reference"]}"'}
        if story.merged_into is not None:
            told["merged_into"] = str(first + story.merged_into + 1)
            holes["merged_into"] = text(first + story.merged_into + 1)
        if story.asset is not None:
            holes |= {"asset": assets[story.asset], "asset_id": text(asset_base + story.asset)}
            told["asset"] = f'"{holes["asset"]}"'
            told["of_asset_id"] = f'"of_asset_id":[{holes["asset_id"]}]'
        if story.point:
            self._place(story, holes)
            told |= {"lat": f'"{holes["lat"]}"', "lon": f'"{holes["lon"]}"'}
        rows[Report].append(_filled(story.report, holes))
        keys = []
        for row, pieces in zip(story.entries, story.bodies, strict=True):
            body = "".join([told[piece] if at & 1 else piece for at, piece in enumerate(pieces)])
            hashed = journal.hashed(body)
            holes["digest"] = rf"\\x{hashed.hex()}" if text is str else hashed
            holes["body"] = stories.copied(body) if text is str else body
            holes["id"] = text(self._key(Entry))
            keys.append(holes["id"])
            entry = _filled(row, holes)
            entry[self.sealed] = text(1)
            rows[Entry].append(entry)
        for number_of_entry, row in story.below:
            holes["entry"], holes["id"] = keys[number_of_entry], text(self._key(row.table))
            rows[row.table].append(_filled(row, holes))
        for row in story.past:
            holes["id"] = text(self._key(PastReport))
            rows[PastReport].append(_filled(row, holes))

    def _key(self, table: type[models.Model]) -> int:
        key = self.next[table]
        self.next[table] = key + 1
        return key

    def _place(self, story: Story, holes: dict[str, Any]) -> None:
        lat, lon = story.point  # type: ignore[misc]
        if story.jitter:
            lat += int(self.dice.gauss(0, story.jitter))
            lon += int(self.dice.gauss(0, story.jitter * 1.5))
        holes["lat"], holes["lon"] = f"{lat / 1e6:.6f}", f"{lon / 1e6:.6f}"
        holes["cell"] = self.text(geo.cell(float(holes["lat"]), float(holes["lon"])))
        for step in GRIDS:
            square = step, lat // step, lon // step
            if square not in self.snapped:
                # As ``geo.snap``: the middle of the square.
                middle = [f"{(part * step + step // 2) / 1e6:.6f}" for part in square[1:]]
                self.snapped[square] = (*middle, self.text(geo.cell(float(middle[0]), float(middle[1]))))
            holes[f"lat_{step}"], holes[f"lon_{step}"], holes[f"cell_{step}"] = self.snapped[square]


def _filled(row: Row, holes: dict[str, Any]) -> list[Any]:
    cells = row.cells.copy()
    for place, name in row.holes:
        cells[place] = holes[name]
    return cells


def _reference(key: int) -> str:
    """A reference that no other key has: an odd factor permutes the 40 bits."""
    bits = key * 0x9E3779B97F5 & (1 << 40) - 1
    drawn = "".join([_ALPHABET[bits >> shift & 31] for shift in range(35, -1, -5)])
    return f"{drawn[:4]}-{drawn[4:]}"


# -- writing -------------------------------------------------------------------------------------------


def insert(table: type[models.Model], rows: list[list[Any]]) -> None:
    """Rows whose cells are as the database takes them: parameters for SQLite, text for COPY."""
    names = [connection.ops.quote_name(str(column.column)) for column in stories.stored(table)]
    name = table._meta.db_table
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            with cursor.copy(f"COPY {name} ({', '.join(names)}) FROM STDIN") as copy:
                for start in range(0, len(rows), 500):
                    copy.write("".join(["\t".join(row) + "\n" for row in rows[start : start + 500]]))
        else:
            marks = ", ".join("?" * len(names))
            cursor.cursor.connection.executemany(
                f"INSERT INTO {name} ({', '.join(names)}) VALUES ({marks})", rows
            )


@contextmanager
def unchecked() -> Iterator[None]:
    """Without the checks of foreign keys, outside a transaction."""
    off, on = {
        "sqlite": ("PRAGMA foreign_keys = OFF", "PRAGMA foreign_keys = ON"),
        "postgresql": ("SET session_replication_role = replica", "SET session_replication_role = DEFAULT"),
    }[connection.vendor]
    _run([off])
    yield
    _run([on])


@contextmanager
def _bare_tables() -> Iterator[None]:
    """Without the indexes of the tables filled, the index of words, and the database's own caution."""
    words.remove(connection)
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            names = [table._meta.db_table for table in _TABLES]
            cursor.execute(
                "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = ANY(%s) AND NOT EXISTS"
                " (SELECT 1 FROM pg_constraint WHERE conindid = indexname::regclass)",
                [names],
            )
            found = cursor.fetchall()
            _run(f"DROP INDEX {name}" for name, _sql in found)
            # Foreign keys are right by the way the rows are made.
            with unchecked():
                yield
            cursor.execute("SET maintenance_work_mem = '512MB'")
            _run(sql for _name, sql in found)
    else:
        connections["reader"].close()
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA synchronous = OFF")
            marks = ", ".join(f"'{table._meta.db_table}'" for table in _TABLES)
            cursor.execute(
                "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
                f" AND tbl_name IN ({marks})"
            )
            found = cursor.fetchall()
            _run(f'DROP INDEX "{name}"' for name, _sql in found)
            with unchecked():
                yield
            _run(sql for _name, sql in found)
    words.install(connection)
    # The next connection has the settings of any other.
    connection.close()


def _run(statements: Iterable[str]) -> None:
    with connection.cursor() as cursor:
        for sql in statements:
            cursor.execute(sql)
