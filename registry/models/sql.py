"""The few expressions that SQLite and PostgreSQL write differently, as Django expressions."""

from django.core.exceptions import EmptyResultSet
from django.db import connection, models
from django.db.models import DateField, Expression, Func, QuerySet, Subquery


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


class Differs(Func):
    """Whether two values differ, where NULL is a value like any other."""

    output_field = models.BooleanField()
    conditional = True

    def __init__(self, one: Expression | str, other: Expression | str) -> None:
        super().__init__(one, other)

    def as_sqlite(self, compiler, connection, **extra):
        template = "(%(expressions)s)"
        return self.as_sql(compiler, connection, template=template, arg_joiner=" IS NOT ", **extra)

    def as_postgresql(self, compiler, connection, **extra):
        template = "(%(expressions)s)"
        return self.as_sql(compiler, connection, template=template, arg_joiner=" IS DISTINCT FROM ", **extra)


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
    columns = ", ".join(connection.ops.quote_name(table._meta.get_field(name).column) for name in fields)
    try:
        query, params = rows.query.sql_with_params()
    except EmptyResultSet:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO {table._meta.db_table} ({columns}) {query}", params)
        return cursor.rowcount
