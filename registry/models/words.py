"""The words of reports, indexed by the database itself: whoever writes a row, its words are found.

Each table of current rows has an index of its own over the text its holder is given. SQLite keeps a
contentless FTS5 table whose row ids are the rows' sort keys, so that matches come in the order of lists and
begin at any page; PostgreSQL an expression under GIN, which holds each word twice: alone, to gather the few rows
of a rare one, and behind the day of the row, to gather those of a common one day by day, in the order of lists.
Words are runs of letters and digits of any script, compared without regard to case; a word of three letters or
more also finds what begins with it, a number only itself.
"""

import json
import re
import unicodedata
from collections.abc import Callable, Iterable
from typing import Any

from django.db import connections, models
from django.db.models import F, Func, Q, Value
from django.db.models.functions import Concat
from django.db.models.sql.datastructures import BaseTable

from .reports import PublicReport, Report, ResearcherReport
from .sql import KEY_BITS, Rows

#: Columns searched: those an audience is given, and what only the office has beside them.
COLUMNS = ("summary", "settlement", "object_name", "address")
OFFICE_COLUMNS = (*COLUMNS, "description", "place_typed")
TABLES = (Report, PublicReport, ResearcherReport)

#: Letters and digits; without a few of New Tai Lue and Vedic that FTS5 parts words at.
_WORD = re.compile(r"[^\W_\u19b0-\u19c9\u1cf2\u1cf3]+")
#: Shorter words are not looked for as beginnings: too much begins with them.
_SHORTEST = 3
#: One row in so many is expected to hold a beginning that the statistics of PostgreSQL do not know.
_UNKNOWN = 200
#: As many words that begin alike are looked up one by one, which costs nothing until they are read.
_ALIKE = 40

_TOKENIZER = "unicode61 remove_diacritics 0 categories ''L* N*''"
#: Kilobytes of words that PostgreSQL's index keeps unmerged: the fewest it takes.
_PENDING = 64
#: What PostgreSQL's parser would make more than plain words of.
_SIGNS = "!\"#$%&''()*+,-./:;<=>?@[\\]^_`{|}~"


def words(typed: str) -> list[str]:
    """The different words in what was typed, in lower case, in order."""
    found = _WORD.findall(unicodedata.normalize("NFC", typed).lower())
    return list(dict.fromkeys(found))


def _is_beginning(word: str) -> bool:
    return len(word) >= _SHORTEST and not word.isdigit()


def columns(table: type[models.Model]) -> tuple[str, ...]:
    """The columns of a table that are searched."""
    return OFFICE_COLUMNS if table is Report else COLUMNS


def holding(rows: Rows, typed: str, *, walked: bool) -> Rows:
    """The rows that hold every word typed.

    ``walked``: the rows are found by something else, and looked at one by one. On SQLite the others come in
    the order of lists from the index; a table without one is always walked.
    """
    asked = words(typed)
    table = rows.model
    if connections[rows.db].vendor == "postgresql":
        return rows.filter(_Matches(asked, columns(table), tried=walked)) if asked else rows
    if walked or table not in TABLES:
        # The expression that Django gives SQLite compares without regard to case in every script.
        joined = [part for column in columns(table) for part in (F(column), Value("\n"))]
        rows = rows.alias(searched=Concat(*joined, output_field=models.TextField()))
        for word in asked:
            end = "" if _is_beginning(word) else r"(?![^\W_])"
            rows = rows.filter(searched__iregex=rf"(?<![^\W_]){re.escape(word)}{end}")
        return rows
    return indexed(rows.db, table, typed)(rows)


def indexed(using: str, table: type[models.Model], typed: str) -> Callable[[Any], Any]:
    """What keeps of a table's rows those that SQLite's index finds for the words typed, looked up once."""
    if not (asked := words(typed)):
        return lambda rows: rows
    index = _index(table)
    query = " AND ".join(_beginnings(using, table, word) for word in asked)
    where = [f"{index} MATCH %s", f"{table._meta.db_table}.sort_key = {index}.rowid"]
    return lambda rows: rows.extra(tables=[index], where=where, params=[query])


def gathered(rows: models.QuerySet, typed: str) -> Q | None:
    """The condition that the index of a table answers by gathering all rows that hold the words; None where
    it gives them in the order of lists."""
    asked = words(typed)
    if connections[rows.db].vendor != "postgresql" or not asked:
        return None
    return Q(_Matches(asked, columns(rows.model)))


def on_days(rows: Rows, typed: str, days: Iterable[int]) -> Rows:
    """Those of the rows that hold the words and are of these days, which are counted as sort keys do. The index
    of PostgreSQL, which alone has it, gathers them day by day, before the rows' own conditions are asked."""
    rows = rows.all()
    alias = rows.query.get_initial_alias()
    queries = [_query(words(typed), f" {day:05x}") for day in days]
    rows.query.alias_map[alias] = _OnDays(rows.model._meta.db_table, alias, columns(rows.model), queries)
    return rows


class _OnDays(BaseTable):
    """The rows of a table that match one of some queries of its words, in its stead in FROM."""

    def __init__(
        self, table_name: str, table_alias: str, columns: tuple[str, ...], queries: list[str]
    ) -> None:
        super().__init__(table_name, table_alias)
        self.columns, self.queries = columns, queries

    def as_sql(self, compiler, connection):
        table, alias = (connection.ops.quote_name(name) for name in (self.table_name, self.table_alias))
        # OFFSET keeps the conditions of other rows outside, by whose indexes they would be looked for.
        found = (
            f"SELECT {table}.* FROM unnest(%s::text[]::tsquery[]) day(query)"
            f" JOIN {table} ON {_words_and_days(self.columns)} @@ day.query OFFSET 0"
        )
        return f"({found}) {alias}", [self.queries]

    def relabeled_clone(self, change_map):
        alias = change_map.get(self.table_alias, self.table_alias)
        return type(self)(self.table_name, alias, self.columns, self.queries)


def expected(rows: models.QuerySet, condition: Q) -> float:
    """How many rows of a table PostgreSQL expects to fulfil a condition; 0 if it knows none of the words, which
    it does not take for rarer than one in 200."""
    keys = rows.order_by().values("pk")
    plan = json.loads(keys.filter(condition).union(keys, all=True).explain(format="json"))
    some, all_ = (part["Plan Rows"] for part in plan[0]["Plan"]["Plans"])
    return 0 if some <= all_ / _UNKNOWN + 1 else some


def _beginnings(using: str, table: type[models.Model], word: str) -> str:
    """One word as FTS5 is asked for it: as the words that begin with it, which are read in the order of
    rows; where they are too many, as a beginning, for which FTS5 gathers all rows first."""
    if not _is_beginning(word):
        return f'"{word}"'
    terms = f"{_index(table)}_terms"
    next_term = f"SELECT term FROM {terms} WHERE term >= {{}} AND term < %s ORDER BY term LIMIT 1"
    # char(1) is in no word: the next term comes after it.
    found = (
        f"WITH RECURSIVE alike(term) AS (SELECT ({next_term.format('%s')}) UNION ALL"
        f" SELECT ({next_term.format('alike.term || char(1)')}) FROM alike WHERE alike.term IS NOT NULL)"
        f" SELECT term FROM alike WHERE term IS NOT NULL LIMIT {_ALIKE + 1}"
    )
    last = word + chr(0x10FFFF)
    with connections[using].cursor() as cursor:
        cursor.execute(found, [word, last, last])
        alike = [term for (term,) in cursor.fetchall()]
    if not 0 < len(alike) <= _ALIKE:
        return f'"{word}"*'
    either = '" OR "'.join(alike)
    return f'("{either}")'


def _index(table: type[models.Model]) -> str:
    return f"{table._meta.db_table}_words"


class _Matches(Func):
    """Whether the words of some columns match those asked for, as PostgreSQL's index of them has it.

    ``tried`` on rows that were found otherwise, letters are compared first, which costs a tenth of parsing.
    """

    output_field = models.BooleanField()
    conditional = True

    def __init__(self, asked: list[str], columns: tuple[str, ...], tried: bool = False) -> None:
        self.asked, self.tried = tuple(asked), tried
        super().__init__(*map(F, columns), F("sort_key"))

    def as_postgresql(self, compiler, connection, **extra):
        *names, key = [compiler.compile(source)[0] for source in self.get_source_expressions()]
        query = _query(self.asked)
        if not self.tried:
            return f"{_words_and_days(names, key)} @@ %s::tsquery", (query,)
        text = _JOINED.join(names)
        letters = [f"strpos(lower({text}), lower(%s)) > 0"] * len(self.asked)
        # Parsed anew, it is not what the index holds: rows found otherwise are not to be gathered by it.
        tried = " AND ".join([*letters, f"{_vector(text).replace('%', '%%')} @@ %s::tsquery"])
        return f"({tried})", (*self.asked, query)


def _query(asked: Iterable[str], before: str = "") -> str:
    """The words asked for as PostgreSQL is asked for all of them, each behind the same."""
    return " & ".join(f"'{before}{word}'{':*' if _is_beginning(word) else ''}" for word in asked)


_JOINED = " || ' ' || "
_FUNCTION = "registry_words"


def _words_and_days(names: Iterable[str], key: str = "sort_key") -> str:
    """What the index of PostgreSQL holds."""
    return f"{_FUNCTION}({_JOINED.join(names)}, {key})"


def _vector(text: str) -> str:
    """The words of a text, once what PostgreSQL's parser would make more than plain words of is gone."""
    return f"to_tsvector('simple', translate({text}, '{_SIGNS}', repeat(' ', {len(_SIGNS) - 1})))"


#: The words of a text, alone and, behind a space that no word begins with, after the day of a sort key. No helper
#: of the server is to start for it, nor is it to be worked out row by row where the index has it.
_WORDS_AND_DAYS = f"""
    CREATE OR REPLACE FUNCTION {_FUNCTION}(body text, sort_key bigint) RETURNS tsvector
    LANGUAGE plpgsql IMMUTABLE PARALLEL UNSAFE COST 500 AS $$
    DECLARE
        alone tsvector := {_vector("body")};
        words text[] := tsvector_to_array(alone);
        day text := ' ' || lpad(to_hex(sort_key >> {KEY_BITS}), 5, '0');
    BEGIN
        -- A longer one would not fit behind the day.
        IF octet_length(body) > 2000 THEN
            words := ARRAY(SELECT word FROM unnest(words) word WHERE octet_length(word) <= 2000);
        END IF;
        RETURN alone || array_to_tsvector(
            string_to_array(day || array_to_string(words, E'\\n' || day), E'\\n')
        );
    END $$"""


# -- in the database ------------------------------------------------------------------------------------


def install(connection) -> None:
    """Create the indexes of words, and the triggers that keep them, over empty or full tables."""
    with connection.cursor() as cursor:
        for table in TABLES:
            for sql in (_postgresql if connection.vendor == "postgresql" else _sqlite)(table):
                cursor.execute(sql)


def renew_function(connection) -> None:
    """Give PostgreSQL the function as it is here; what indexes hold stays."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(_WORDS_AND_DAYS)


def shorten_pending(connection) -> None:
    """Let the indexes of PostgreSQL keep as little unmerged as they do here."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            for table in TABLES:
                cursor.execute(f"ALTER INDEX {_index(table)} SET (gin_pending_list_limit = {_PENDING})")


def remove(connection) -> None:
    """Drop what ``install`` creates."""
    with connection.cursor() as cursor:
        for table in TABLES:
            index = _index(table)
            if connection.vendor == "postgresql":
                cursor.execute(f"DROP INDEX IF EXISTS {index}")
                continue
            for name in ("added", "gone", "changed"):
                cursor.execute(f"DROP TRIGGER IF EXISTS {index}_{name}")
            cursor.execute(f"DROP TABLE IF EXISTS {index}_terms")
            cursor.execute(f"DROP TABLE IF EXISTS {index}")


def _postgresql(table: type[models.Model]) -> Iterable[str]:
    yield _WORDS_AND_DAYS
    # A short list of what is not merged yet: writers wait little, and readers, who go through it for each day, too.
    yield (
        f"CREATE INDEX {_index(table)} ON {table._meta.db_table} USING gin ({_words_and_days(columns(table))})"
        f" WITH (gin_pending_list_limit = {_PENDING})"
    )


def _sqlite(table: type[models.Model]) -> Iterable[str]:
    index, source = _index(table), table._meta.db_table

    def text(row: str) -> str:
        return " || ' ' || ".join(f"{row}{column}" for column in columns(table))

    changed = " OR ".join(f"OLD.{name} IS NOT NEW.{name}" for name in ("sort_key", *columns(table)))
    remove_old = f"INSERT INTO {index}({index}, rowid, body) VALUES ('delete', OLD.sort_key, {text('OLD.')});"
    add_new = f"INSERT INTO {index}(rowid, body) VALUES (NEW.sort_key, {text('NEW.')});"
    yield (
        f"CREATE VIRTUAL TABLE {index} USING fts5(body, content='', columnsize=0, detail=none,"
        f" tokenize='{_TOKENIZER}')"
    )
    yield f"CREATE VIRTUAL TABLE {index}_terms USING fts5vocab({index}, instance)"
    yield f"INSERT INTO {index}(rowid, body) SELECT sort_key, {text('')} FROM {source} ORDER BY sort_key"
    yield f"CREATE TRIGGER {index}_added AFTER INSERT ON {source} BEGIN {add_new} END"
    yield f"CREATE TRIGGER {index}_gone AFTER DELETE ON {source} BEGIN {remove_old} END"
    yield f"CREATE TRIGGER {index}_changed AFTER UPDATE ON {source} WHEN {changed} BEGIN {remove_old} {add_new} END"
