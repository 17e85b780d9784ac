"""The words of reports, indexed by the database itself: whoever writes a row, its words are found.

Each table of current rows has an index of its own over the text its holder is given. SQLite keeps a
contentless FTS5 table whose row ids are the rows' sort keys, so that matches come in the order of lists and
begin at any page; PostgreSQL an expression under GIN. Words are runs of letters and digits of any script,
compared without regard to case; a word of three letters or more also finds what begins with it, a number
only itself.
"""

import json
import re
import unicodedata
from collections.abc import Iterable
from typing import cast

from django.db import connections, models
from django.db.models import F, Func, Q, Value
from django.db.models.functions import Concat

from .reports import PublicReport, Report, ResearcherReport
from .sql import Rows

#: Columns searched: those an audience is given, and what only the office has beside them.
COLUMNS = ("summary", "settlement", "object_name", "address")
OFFICE_COLUMNS = (*COLUMNS, "description", "place_typed")
TABLES = (Report, PublicReport, ResearcherReport)

#: Letters and digits; without a few of New Tai Lue and Vedic that FTS5 parts words at.
_WORD = re.compile(r"[^\W_\u19b0-\u19c9\u1cf2\u1cf3]+")
#: Shorter words are not looked for as beginnings: too much begins with them.
_SHORTEST = 3
#: As many words that begin alike are looked up one by one, which costs nothing until they are read.
_ALIKE = 40

_TOKENIZER = "unicode61 remove_diacritics 0 categories ''L* N*''"
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
        return rows.filter(_Matches(tuple(asked), columns(table), tried=walked)) if asked else rows
    if walked or table not in TABLES:
        # The expression that Django gives SQLite compares without regard to case in every script.
        joined = [part for column in columns(table) for part in (F(column), Value("\n"))]
        rows = rows.alias(searched=Concat(*joined, output_field=models.TextField()))
        for word in asked:
            end = "" if _is_beginning(word) else r"(?![^\W_])"
            rows = rows.filter(searched__iregex=rf"(?<![^\W_]){re.escape(word)}{end}")
        return rows
    if not asked:
        return rows
    index = _index(table)
    query = " AND ".join(_beginnings(rows.db, table, word) for word in asked)
    where = [f"{index} MATCH %s", f"{table._meta.db_table}.sort_key = {index}.rowid"]
    return cast(Rows, rows.extra(tables=[index], where=where, params=[query]))


def gathered(rows: models.QuerySet, typed: str) -> Q | None:
    """The condition that the index of a table answers by gathering all rows that hold the words; None where
    it gives them in the order of lists."""
    asked = words(typed)
    if connections[rows.db].vendor != "postgresql" or not asked:
        return None
    return Q(_Matches(tuple(asked), columns(rows.model)))


def expected(rows: models.QuerySet, condition: Q) -> float:
    """How many rows of a table PostgreSQL expects to fulfil a condition: it knows the common words."""
    plan = json.loads(rows.filter(condition).order_by().explain(format="json"))
    return float(plan[0]["Plan"]["Plan Rows"])


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

    def __init__(self, asked: tuple[str, ...], columns: tuple[str, ...], tried: bool = False) -> None:
        self.asked, self.tried = asked, tried
        super().__init__(*map(F, columns))

    def as_postgresql(self, compiler, connection, **extra):
        names = [compiler.compile(source)[0] for source in self.get_source_expressions()]
        query = " & ".join(f"{word}{':*' if _is_beginning(word) else ''}" for word in self.asked)
        asked = "@@ to_tsquery('simple', %s)"
        if not self.tried:
            return f"{_vector(names)} {asked}", (query,)
        letters = [f"strpos(lower({_JOINED.join(names)}), lower(%s)) > 0"] * len(self.asked)
        # Stripped of the places of its words, which are not asked for, it is not what the index holds: rows
        # found otherwise are not to be gathered by it.
        tried = " AND ".join([*letters, f"strip({_vector(names)}) {asked}"])
        return f"({tried})", (*self.asked, query)


_JOINED = " || ' ' || "


def _vector(names: Iterable[str]) -> str:
    text = _JOINED.join(names)
    signs = _SIGNS.replace("%", "%%")
    return f"to_tsvector('simple', translate({text}, '{signs}', repeat(' ', {len(signs) - 2})))"


# -- in the database ------------------------------------------------------------------------------------


def install(connection) -> None:
    """Create the indexes of words, and the triggers that keep them, over empty or full tables."""
    with connection.cursor() as cursor:
        for table in TABLES:
            for sql in (_postgresql if connection.vendor == "postgresql" else _sqlite)(table):
                cursor.execute(sql)


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
    # A short list of what is not merged yet: writers wait little, readers read little of it.
    yield (
        f"CREATE INDEX {_index(table)} ON {table._meta.db_table} USING gin ({_vector(columns(table))})"
        " WITH (gin_pending_list_limit = 256)"
    ).replace("%%", "%")


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
