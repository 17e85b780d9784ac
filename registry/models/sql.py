"""The few expressions that SQLite and PostgreSQL write differently, as Django expressions."""

import gc
import json
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from copy import copy
from datetime import UTC, date, datetime
from decimal import Decimal
from fcntl import LOCK_EX, flock
from functools import cache, lru_cache
from operator import attrgetter
from time import monotonic
from types import NoneType
from typing import Any, NamedTuple, TypeVar

from django.core.exceptions import EmptyResultSet
from django.db import DEFAULT_DB_ALIAS, OperationalError, connection, connections, models
from django.db.models import DateField, Expression, F, Func, QuerySet, Subquery, Value
from django.db.models.base import ModelState
from django.db.models.expressions import Col
from django.db.models.functions import Coalesce, NullIf
from django.db.models.lookups import Lookup
from django.db.models.sql.where import WhereNode


class MonthStart(Func):
    """The first day of a date's month."""

    output_field = DateField()

    def as_sqlite(self, compiler, connection, **extra):
        return self.as_sql(compiler, connection, template="date(%(expressions)s, 'start of month')", **extra)

    def as_postgresql(self, compiler, connection, **extra):
        template = "date_trunc('month', (%(expressions)s)::timestamp)::date"
        return self.as_sql(compiler, connection, template=template, **extra)


class MonthEnd(Func):
    """The last day of a date's month."""

    output_field = DateField()

    def as_sqlite(self, compiler, connection, **extra):
        template = "date(%(expressions)s, 'start of month', '+1 month', '-1 day')"
        return self.as_sql(compiler, connection, template=template, **extra)

    def as_postgresql(self, compiler, connection, **extra):
        template = "(date_trunc('month', (%(expressions)s)::timestamp) + interval '1 month - 1 day')::date"
        return self.as_sql(compiler, connection, template=template, **extra)


class CivilDay(Func):
    """The day that a moment belongs to in a zone (its IANA name; UTC where there is none)."""

    output_field = DateField()
    arity = 2

    def as_sqlite(self, compiler, connection, **extra):
        # Django's own function, which every connection has.
        template = "django_datetime_cast_date(%(expressions)s, 'UTC')"
        return self._named().as_sql(compiler, connection, template=template, **extra)

    def as_postgresql(self, compiler, connection, **extra):
        template, joiner = "(%(expressions)s)::date", " AT TIME ZONE "
        return self._named().as_sql(compiler, connection, template=template, arg_joiner=joiner, **extra)

    def _named(self) -> "CivilDay":
        moment, zone = self.get_source_expressions()
        named = self.copy()
        named.set_source_expressions([moment, Coalesce(NullIf(zone, Value("")), Value("UTC"))])
        return named


class DaysBetween(Func):
    """How many days lie between two dates; negative where the second is the earlier."""

    output_field = models.IntegerField()
    arity = 2

    def as_sqlite(self, compiler, connection, **extra):
        return self._as_sql(compiler, "CAST(julianday({1}) - julianday({0}) AS INTEGER)")

    def as_postgresql(self, compiler, connection, **extra):
        return self._as_sql(compiler, "({1} - {0})")

    def _as_sql(self, compiler, days: str) -> tuple[str, tuple]:
        (first, params), (second, more) = map(compiler.compile, self.get_source_expressions())
        return days.format(first, second), (*more, *params)


def at_most(path: str, field: models.Field, when: str) -> Expression | F:
    """What a field, found by ``path``, holds for somebody told of ``when``: a moment, a day or a month at the
    finest. A moment is missing to them else, and a day of a month is its first."""
    if isinstance(field, models.DateTimeField):
        return F(path) if when == "moment" else Value(None, output_field=field.clone())
    if isinstance(field, models.DateField) and when == "month":
        return MonthStart(path)
    return F(path)


Rows = TypeVar("Rows", bound=QuerySet[Any])
Row = TypeVar("Row", bound=models.Model)

_DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # of references, in the order of their codes
_PLACES = (1, 2, 3, 4, 6, 7, 8, 9)  # of the digits in a reference
KEY_BITS = 40  # of a sort key that hold the reference; the day stands above them


class SortKey(Func):
    """A day and a reference as one number, ordered as the two are; ``sort_key`` gives the same."""

    output_field = models.BigIntegerField()
    arity = 2

    def as_sqlite(self, compiler, connection, **extra):
        day = "(CAST(julianday({0}) - 1721424.5 AS INTEGER) << 40)"
        return self._as_sql(compiler, day, "instr('{digits}', substr({1}, {place}, 1))")

    def as_postgresql(self, compiler, connection, **extra):
        day = "(({0} - DATE '0001-01-01' + 1)::bigint << 40)"
        return self._as_sql(compiler, day, "strpos('{digits}', substr({1}, {place}, 1))::bigint")

    def _as_sql(self, compiler, day: str, digit: str) -> tuple[str, list]:
        names = [compiler.compile(source)[0] for source in self.get_source_expressions()]
        parts = [
            f"(({digit.format(*names, digits=_DIGITS, place=place)} - 1) << {5 * (7 - i)})"
            for i, place in enumerate(_PLACES)
        ]
        return f"({' + '.join([day.format(*names), *parts])})", []


def sort_key(day: date, reference: str) -> int:
    """The number that ``SortKey`` makes of a row."""
    number = 0
    for place in _PLACES:
        number = number << 5 | _DIGITS.index(reference[place - 1])
    return first_key(day) | number


def place_of(key: int) -> tuple[date, str]:
    """The day and the reference of a sort key."""
    digits = "".join(_DIGITS[key >> 5 * (7 - i) & 31] for i in range(8))
    return date.fromordinal(key >> KEY_BITS), f"{digits[:4]}-{digits[4:]}"


def first_key(day: date) -> int:
    """The number below which no row of the day lies, nor any of an earlier day above."""
    return day.toordinal() << KEY_BITS


#: A longer range of days is found by an index of its own.
LONG_DAYS = 40


class Longer(Func):
    """Whether a range of days has no known beginning, or more than LONG_DAYS."""

    output_field = models.BooleanField()
    conditional = True
    arity = 2

    def as_sqlite(self, compiler, connection, **extra):
        return self._as_sql(compiler, "julianday({1}) - julianday({0})")

    def as_postgresql(self, compiler, connection, **extra):
        return self._as_sql(compiler, "{1} - {0}")

    def _as_sql(self, compiler, days: str) -> tuple[str, list]:
        names = [compiler.compile(source)[0] for source in self.get_source_expressions()]
        return f"({names[0]} IS NULL OR {days.format(*names)} > {LONG_DAYS})", []


class Ahead(Func):
    """Whether a row's day (the second) lies more than one after the day of UTC since when the row is so (the
    first): the damage was still to come, or may have been."""

    output_field = models.BooleanField()
    conditional = True
    arity = 2

    def as_sqlite(self, compiler, connection, **extra):
        return self._as_sql(compiler, "{1} > date({0}, '+1 day')")

    def as_postgresql(self, compiler, connection, **extra):
        return self._as_sql(compiler, "{1} > CAST({0} AT TIME ZONE 'UTC' AS date) + 1")

    def _as_sql(self, compiler, condition: str) -> tuple[str, list]:
        names = [compiler.compile(source)[0] for source in self.get_source_expressions()]
        return f"({condition.format(*names)})", []


class KeptOff(Func):
    """A column that no index is to be chosen for: SQLite, which counts no rows, would choose any."""

    template = "+%(expressions)s"

    def __init__(self, column: Expression) -> None:
        super().__init__(column, output_field=column.output_field)


def kept_off(rows: Rows, columns: Collection[str]) -> Rows:
    """The same rows; on SQLite none of the conditions so far on these columns (of text, of keys) chooses
    an index. PostgreSQL knows which of them keep few rows."""
    if connections[rows.db].vendor == "postgresql":
        return rows
    rows = rows.all()
    alias, nodes = rows.query.get_initial_alias(), [rows.query.where]
    while nodes:
        children = nodes.pop().children
        for number, child in enumerate(children):
            if isinstance(child, WhereNode):
                nodes.append(child)
            elif (
                isinstance(child, Lookup)
                and isinstance(column := child.lhs, Col)
                and (column.alias, column.target.column in columns) == (alias, True)
            ):
                # A copy, because the rows given keep theirs.
                children[number] = other = copy(child)
                other.lhs = KeptOff(column)
    return rows


class Differs(Func):
    """Whether two values differ, where NULL is a value like any other."""

    output_field = models.BooleanField()
    conditional = True

    def __init__(self, one: Expression | F | str, other: Expression | F | str) -> None:
        super().__init__(one, other)

    def as_sqlite(self, compiler, connection, **extra):
        template = "(%(expressions)s)"
        return self.as_sql(compiler, connection, template=template, arg_joiner=" IS NOT ", **extra)

    def as_postgresql(self, compiler, connection, **extra):
        template = "(%(expressions)s)"
        return self.as_sql(compiler, connection, template=template, arg_joiner=" IS DISTINCT FROM ", **extra)


class Among(Func):
    """Whether a column holds one of some keys, which make one parameter however many they are: thousands of
    them one by one take a driver longer than the database."""

    output_field = models.BooleanField()
    conditional = True

    def __init__(self, column: str, keys: Collection[int]) -> None:
        self.keys = sorted(keys)
        super().__init__(F(column))

    def as_sqlite(self, compiler, connection, **extra):
        return self._as_sql(compiler, "{} IN (SELECT value FROM json_each(%s))", json.dumps(self.keys))

    def as_postgresql(self, compiler, connection, **extra):
        return self._as_sql(compiler, "{} = ANY(%s::bigint[])", self.keys)

    def _as_sql(self, compiler, template: str, keys: str | list[int]) -> tuple[str, list]:
        (column,) = self.get_source_expressions()
        return template.format(compiler.compile(column)[0]), [keys]


class Bytewise(Func):
    """A text whose order is that of its bytes, whatever the database's own is."""

    template = "%(expressions)s"
    arity = 1

    def as_postgresql(self, compiler, connection, **extra):
        return self.as_sql(compiler, connection, template='%(expressions)s COLLATE "C"', **extra)


#: What GLOB takes for wildcards as plain letters, and the wildcards of LIKE as those of GLOB.
_PLAIN_IN_GLOB = {"*": "[*]", "?": "[?]", "[": "[[]"}
_WILD_IN_GLOB = _PLAIN_IN_GLOB | {"%": "*", "_": "?"}


class Matches(Func):
    """Whether a column of text matches a pattern: % is any text, _ a letter, \\ takes either for itself. Small
    letters are not large ones, unless ``folded``."""

    output_field = models.BooleanField()
    conditional = True

    def __init__(self, column: str, pattern: str, *, folded: bool = False) -> None:
        self.pattern, self.folded = pattern, folded
        super().__init__(F(column))

    def as_sqlite(self, compiler, connection, **extra):
        if self.folded:
            # Django's own function, which every connection has; SQLite's LIKE folds no letter but those of ASCII.
            return self._as_sql(compiler, "{} REGEXP %s", _folding_regex(self.pattern))
        signs = iter(self.pattern)
        glob = [
            _WILD_IN_GLOB.get(sign, sign)
            if sign != "\\"
            else _PLAIN_IN_GLOB.get(plain := next(signs, sign), plain)
            for sign in signs
        ]
        # No index is to be chosen for it.
        return self._as_sql(compiler, "+{} GLOB %s", "".join(glob))

    def as_postgresql(self, compiler, connection, **extra):
        # A backslash at the end, which stands for itself, would be an error.
        ends_in_escape = (len(self.pattern) - len(self.pattern.rstrip("\\"))) % 2
        # Large and small again: some letters have two small ones, as Greek has for sigma.
        template = "lower(upper({})) LIKE lower(upper(%s))" if self.folded else "{} LIKE %s"
        return self._as_sql(compiler, template, self.pattern + "\\" * ends_in_escape)

    def _as_sql(self, compiler, template: str, pattern: str) -> tuple[str, list]:
        (column,) = self.get_source_expressions()
        return template.format(compiler.compile(column)[0]), [pattern]


def _folding_regex(pattern: str) -> str:
    """The pattern of a LIKE as a regular expression of Python that takes large and small letters for one. What
    stands between two % is looked for once, where it comes first: trying all places would never end."""
    parts, signs = [""], iter(pattern)
    for sign in signs:
        if sign == "%":
            parts.append("")
        else:
            parts[-1] += "." if sign == "_" else re.escape(next(signs, sign) if sign == "\\" else sign)
    first, *between = parts
    last = f".*{between.pop()}" if between else ""
    return rf"(?is)\A{first}{''.join(f'(?>.*?{part})' for part in between)}{last}\Z"


class Hex(Func):
    """Bytes as hexadecimal digits."""

    output_field = models.CharField()

    def as_sqlite(self, compiler, connection, **extra):
        return self.as_sql(compiler, connection, template="lower(hex(%(expressions)s))", **extra)

    def as_postgresql(self, compiler, connection, **extra):
        return self.as_sql(compiler, connection, template="encode(%(expressions)s, 'hex')", **extra)


class Compact(json.JSONEncoder):
    """JSON as short as it can be: letters as they are, no spaces."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options | {"ensure_ascii": False, "separators": (",", ":")})


class Words(Subquery):
    """The column ``word`` of a query's rows as one text, sorted, separated by spaces; empty without rows."""

    output_field = models.CharField()

    def as_sqlite(self, compiler, connection, **extra):
        # SQLite joins the rows in the order of the inner query.
        template = "(SELECT COALESCE(GROUP_CONCAT(word, ' '), '') FROM (%(subquery)s))"
        return self.as_sql(compiler, connection, template=template, **extra)

    def as_postgresql(self, compiler, connection, **extra):
        template = "(SELECT COALESCE(STRING_AGG(word, ' ' ORDER BY word), '') FROM (%(subquery)s) AS words)"
        return self.as_sql(compiler, connection, template=template, **extra)


def insert(table: type[models.Model], fields: list[str], rows: QuerySet) -> int:
    """Insert what ``rows`` (a ``values_list`` in the order of ``fields``) selects, by one statement.

    Returns how many rows that were.
    """
    columns = ", ".join(connection.ops.quote_name(_column(table, name)) for name in fields)
    try:
        query, params = rows.query.sql_with_params()
    except EmptyResultSet:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO {table._meta.db_table} ({columns}) {query}", params)
        return cursor.rowcount


#: A file, or a check, reads most pages once: more of them at hand would only take memory.
_ONCE_KIB = 16 * 1024


@contextmanager
def reading_once(using: str = DEFAULT_DB_ALIAS) -> Iterator[None]:
    """SQLite keeps few pages at hand meanwhile. PostgreSQL shares them anyway."""
    connection = connections[using]
    if connection.vendor != "sqlite":
        yield
        return
    connection.ensure_connection()
    raw = connection.connection
    (usual,) = raw.execute("PRAGMA cache_size").fetchone()
    raw.execute(f"PRAGMA cache_size = -{_ONCE_KIB}")
    try:
        yield
    finally:
        raw.execute(f"PRAGMA cache_size = {usual}")


@contextmanager
def undone_in_memory() -> Iterator[None]:
    """Around a transaction of statements that change a few rows each: SQLite keeps in memory what would undo one
    of them. Where triggers write too that is a page of every index, which would go to a temporary file."""
    if connection.vendor != "sqlite" or connection.in_atomic_block:
        yield
        return
    connection.ensure_connection()
    raw = connection.connection
    raw.execute("PRAGMA temp_store = MEMORY")
    try:
        yield
    finally:
        raw.execute("PRAGMA temp_store = DEFAULT")


@contextmanager
def uncollected() -> Iterator[None]:
    """Around work on thousands of rows that are all let go at its end: nothing for the collector of garbage to
    look through again and again meanwhile."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def go_at_once(using: str = DEFAULT_DB_ALIAS) -> None:
    """Until the transaction ends PostgreSQL compiles nothing, starts no helpers and goes by keys: rows come as
    they are found, the first at once, and expressions of a hundred columns cost what they cost, not a minute
    of compiling. SQLite never does otherwise."""
    if connections[using].vendor == "postgresql":
        with connections[using].cursor() as cursor:
            cursor.execute(
                "SET LOCAL jit = off; SET LOCAL max_parallel_workers_per_gather = 0;"
                " SET LOCAL random_page_cost = 1"
            )


def update(table: type[models.Model], fields: list[str], rows: QuerySet) -> None:
    """Give rows of a table the values that ``rows`` (a ``values_list``: a key, then in the order of
    ``fields``) selects, by one statement."""
    try:
        query, params = rows.query.sql_with_params()
    except EmptyResultSet:
        return
    name, key = table._meta.db_table, table._meta.pk.column
    columns = [_column(table, field) for field in fields]
    fresh = f"WITH fresh (of_row, {', '.join(columns)}) AS ({query})"
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            # It writes every index of a column that is set, whether another value or the same.
            differing = ", ".join(f"MAX({name}.{column} IS NOT fresh.{column})" for column in columns)
            cursor.execute(f"{fresh} SELECT {differing} FROM fresh JOIN {name} ON {key} = of_row", params)
            columns = [column for column, differs in zip(columns, cursor.fetchone(), strict=True) if differs]
        if columns:
            values = ", ".join(f"{column} = fresh.{column}" for column in columns)
            cursor.execute(f"{fresh} UPDATE {name} SET {values} FROM fresh WHERE {key} = of_row", params)


def unbalanced(kept: list[QuerySet], counted: list[QuerySet], *, using: str) -> list[tuple]:
    """The keys, at most 20, whose sums in ``kept`` and in ``counted`` differ; all queries give the same
    columns: a key, then two sums."""
    signed = [(query, sign) for sign, queries in ((1, kept), (-1, counted)) for query in queries]
    parts = [(query.order_by().query.sql_with_params(), sign) for query, sign in signed]
    with connections[using].cursor() as cursor:
        (first, first_params), _sign = parts[0]
        cursor.execute(f"SELECT * FROM ({first}) AS part LIMIT 0", first_params)
        width = len(cursor.description) - 2
        names = [*(f"key{i}" for i in range(width)), "one", "two"]
        keys = ", ".join(names[:width])
        tables = ", ".join(
            f"part{i} ({', '.join(names)}) AS ({sql})" for i, ((sql, _p), _s) in enumerate(parts)
        )
        union = " UNION ALL ".join(
            f"SELECT {keys}, {sign} * one AS one, {sign} * two AS two FROM part{i}"
            for i, (_part, sign) in enumerate(parts)
        )
        cursor.execute(
            f"WITH {tables} SELECT {keys} FROM ({union}) AS signed GROUP BY {keys} "
            "HAVING SUM(one) <> 0 OR SUM(two) <> 0 LIMIT 20",
            [param for (_sql, params), _sign in parts for param in params],
        )
        return cursor.fetchall()


class Probe(NamedTuple):
    """Where rows are looked for: of one kind, within a range of sort keys, and either within a range of
    cells or in an area (column and code)."""

    number: int
    kind: str
    first: int
    last: int
    cells: tuple[int, int] = (0, 0)
    area: tuple[str, str] = ("", "")


def probed(
    table: type[models.Model], probes: Collection[Probe], *, most: int, using: str
) -> Iterator[tuple[int, int]]:
    """For every probe its number and the keys of at most ``most`` rows it finds, by one statement for each
    column that is asked: every probe is one range of an index, however many rows there are."""
    by_column: dict[str, list[Probe]] = {}
    for probe in probes:
        by_column.setdefault(probe.area[0] or "cell", []).append(probe)
    for column, asked in by_column.items():
        yield from _probed(table, column, asked, most, connections[using])


def _probed(
    table: Any, column: str, probes: list[Probe], most: int, connected: Any
) -> Iterator[tuple[int, int]]:
    postgresql = connected.vendor == "postgresql"
    index = next(index.name for index in table._meta.indexes if index.name.endswith(f"_{column}"))
    where = f"{column} = probe.code" if column != "cell" else "cell >= probe.low AND cell < probe.high"
    # PostgreSQL takes the index that the order is read from; SQLite, which counts no rows, the one named.
    order = "cell" if column == "cell" else "sort_key DESC"
    named = "" if postgresql else f"INDEXED BY {index}"
    source = (
        "jsonb_to_recordset(%s::jsonb) AS probe (number int, kind text, first bigint, last bigint, "
        "low bigint, high bigint, code text)"
        if postgresql
        else "(SELECT "
        + ", ".join(
            f"value ->> '{name}' AS {name}"
            for name in ("number", "kind", "first", "last", "low", "high", "code")
        )
        + " FROM json_each(%s)) AS probe"
    )
    collected = "json_agg" if postgresql else "json_group_array"
    sql = (
        f"SELECT probe.number, (SELECT {collected}(key) FROM (SELECT {table._meta.pk.column} AS key "
        f"FROM {table._meta.db_table} {named} WHERE {where} AND sort_key >= probe.first "
        f"AND sort_key < probe.last AND kind = probe.kind ORDER BY {order} LIMIT {most}) AS found) FROM {source}"
    )
    asked = [
        {
            "number": probe.number, "kind": str(probe.kind), "first": probe.first, "last": probe.last,
            "low": probe.cells[0], "high": probe.cells[1], "code": probe.area[1],
        }
        for probe in probes
    ]  # fmt: skip
    with connected.cursor() as cursor:
        cursor.execute(sql, [json.dumps(asked)])
        for number, keys in cursor.fetchall():
            # SQLite gives text, PostgreSQL a list, or NULL for none.
            for key in json.loads(keys) if isinstance(keys, str) else keys or ():
                yield number, key


def _column(table: type[models.Model], name: str) -> str:
    return table._meta.get_field(name).column  # type: ignore[return-value, union-attr]


@contextmanager
def in_turn() -> Iterator[None]:
    """Around a short transaction: those of all processes follow each other in the order they came.

    SQLite lets whoever asks at the right moment write next, and others wait for seconds; so they queue for a
    lock of their own, which ends with its process. Long transactions stay out of it. PostgreSQL needs none.
    """
    if connection.vendor == "postgresql" or connection.in_atomic_block:
        yield
        return
    patience = connection.settings_dict["OPTIONS"]["timeout"]
    with open(f"{connection.settings_dict['NAME']}-turn", "w") as turn:
        until = monotonic() + patience
        flock(turn, LOCK_EX)
        if monotonic() > until:
            raise OperationalError("database is locked")
        yield


def blank(table: type[Row], **values: Any) -> Row:
    """An unsaved row, as ``table(**values)`` makes it at many times the cost where columns are many."""
    row = table.__new__(table)
    row._state = ModelState()
    same, own = _defaults(table)
    columns = vars(row)
    columns.update(same)
    for name, make in own.items():
        columns[name] = make()
    for name, value in values.items():
        if name in columns:
            columns[name] = value
        else:  # a relation
            setattr(row, name, value)
    return row


@cache
def _defaults(table: Any) -> tuple[dict[str, Any], dict[str, Callable[[], Any]]]:
    """What the columns of every new row hold, and what makes it where each row has its own."""
    fields = {field.attname: field for field in table._meta.concrete_fields if not field.generated}
    own = {
        name: field.get_default
        for name, field in fields.items()
        if field.has_default() and callable(field.default)
    }
    return {name: field.get_default() for name, field in fields.items() if name not in own}, own


def insert_new(rows: Sequence[models.Model]) -> None:
    """Insert unsaved rows of one table and give them their keys, in a transaction; what a column of JSON
    holds is a list or a dictionary.

    One row is told its key. The keys of many are reserved first, so that one COPY or one prepared statement
    serves them all; ``bulk_create`` composes a new statement for every few wide rows.
    """
    if not rows:
        return
    meta, connected = rows[0]._meta, connections[connection.alias]
    fields, names, values_of = _columns(type(rows[0]))
    plain, adapters = _PLAIN[connected.vendor], _ADAPTERS[connected.vendor]

    def adapted(field: models.Field, value: Any) -> Any:
        if isinstance(value, str):
            return str(value)
        if type(value) in _EMPTY_JSON and not value:
            return _EMPTY_JSON[type(value)]
        adapt = adapters.get(type(value))
        return adapt(value) if adapt else field.get_db_prep_save(value, connected)

    def values(row: models.Model) -> list[Any]:
        return [
            value if type(value) in plain else adapted(field, value)
            for field, value in zip(fields, values_of(row), strict=True)
        ]

    with connected.cursor() as cursor:
        if meta.auto_field and len(rows) == 1:
            sql = _insert_into(meta.db_table, names[1:])
            cursor.execute(f"{sql} RETURNING id", values(rows[0])[1:])
            rows[0].pk = cursor.fetchone()[0]
        else:
            if meta.auto_field:
                for row, key in zip(rows, _reserve(meta.db_table, len(rows)), strict=True):
                    row.pk = key
            if connected.vendor == "postgresql" and len(rows) > 1:
                copying = cursor.copy(f"COPY {meta.db_table} ({', '.join(names)}) FROM STDIN")
                with connected.wrap_database_errors, copying as copy_in:
                    for row in rows:
                        copy_in.write_row(values(row))
            else:
                cursor.executemany(_insert_into(meta.db_table, names), [values(row) for row in rows])
    for row in rows:
        row._state.adding, row._state.db = False, connected.alias


def _insert_into(table: str, names: list[str]) -> str:
    return f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join(['%s'] * len(names))})"


@cache
def _columns(table: Any) -> tuple[list[models.Field], list[str], Callable[[Any], tuple]]:
    """The stored columns of a table, the key first: fields, quoted names, and what reads a row's values."""
    fields = [field for field in table._meta.concrete_fields if not field.generated]
    names = [connection.ops.quote_name(str(field.column)) for field in fields]
    return fields, names, attrgetter(*(field.attname for field in fields))


#: What a driver takes as it is, and what is made of the others, as the fields would make it but faster.
_PLAIN: dict[str, frozenset[type]] = {
    "sqlite": frozenset({str, int, bool, bytes, NoneType}),
    "postgresql": frozenset({str, int, bool, bytes, NoneType, date, datetime, Decimal}),
}
_ADAPTERS: dict[str, dict[type, Callable[[Any], Any]]] = {
    # SQLite makes slightly other numbers of text than of numbers.
    "sqlite": {
        date: date.isoformat,
        # Rows written together share most of theirs.
        datetime: lru_cache(1024)(lambda moment: str(moment.astimezone(UTC).replace(tzinfo=None))),
        Decimal: float,
    },
    "postgresql": {},
}
_EMPTY_JSON: dict[type, str] = {list: "[]", dict: "{}"}


def _reserve(table: str, count: int) -> Iterable[int]:
    """The next keys of a table, for this transaction alone."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                "SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)", [table, count]
            )
            return [key for (key,) in cursor.fetchall()]
        # SQLite lets one transaction write at a time, and raises the sequence as rows are inserted.
        cursor.execute("SELECT seq FROM sqlite_sequence WHERE name = %s", [table])
        last = cursor.fetchone()
        first = last[0] + 1 if last else 1
        return range(first, first + count)
