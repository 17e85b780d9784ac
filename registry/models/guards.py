"""Triggers that keep entries, seals and texts of the past as they were written, on both databases.

An entry may change in one thing only, once: ``seal`` from nothing to a seal. Seals never change.
"""

from collections.abc import Iterator
from contextlib import contextmanager

_SQLITE = {
    "entry_keep": """
        CREATE TRIGGER entry_keep BEFORE UPDATE ON registry_entry
        WHEN NOT (OLD.seal_id IS NULL AND NEW.seal_id IS NOT NULL AND OLD.id = NEW.id
            AND OLD.report_id = NEW.report_id AND OLD.number = NEW.number AND OLD.kind = NEW.kind
            AND OLD.by_id IS NEW.by_id AND OLD.role = NEW.role AND OLD.happened_at = NEW.happened_at
            AND OLD.recorded_at = NEW.recorded_at AND OLD.from_status = NEW.from_status
            AND OLD.to_status = NEW.to_status AND OLD.move = NEW.move AND OLD.body = NEW.body
            AND OLD.digest = NEW.digest)
        BEGIN SELECT RAISE(ABORT, 'entries are never changed'); END""",
    "entry_stay": """
        CREATE TRIGGER entry_stay BEFORE DELETE ON registry_entry
        BEGIN SELECT RAISE(ABORT, 'entries are never deleted'); END""",
    "seal_keep": """
        CREATE TRIGGER seal_keep BEFORE UPDATE ON registry_seal
        BEGIN SELECT RAISE(ABORT, 'seals are never changed'); END""",
    "seal_stay": """
        CREATE TRIGGER seal_stay BEFORE DELETE ON registry_seal
        BEGIN SELECT RAISE(ABORT, 'seals are never deleted'); END""",
}

_POSTGRESQL_FUNCTIONS = """
    CREATE OR REPLACE FUNCTION registry_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION '% rows are never changed or deleted', TG_TABLE_NAME; END $$;
    CREATE OR REPLACE FUNCTION registry_seal_only() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE sealed registry_entry := OLD;
    BEGIN
        sealed.seal_id := NEW.seal_id;
        IF OLD.seal_id IS NULL AND NEW.seal_id IS NOT NULL AND sealed IS NOT DISTINCT FROM NEW THEN
            RETURN NEW;
        END IF;
        RAISE EXCEPTION 'entries are never changed';
    END $$;"""
_POSTGRESQL = {
    "entry_keep": "CREATE TRIGGER entry_keep BEFORE UPDATE ON registry_entry "
    "FOR EACH ROW EXECUTE FUNCTION registry_seal_only()",
    "entry_stay": "CREATE TRIGGER entry_stay BEFORE DELETE ON registry_entry "
    "FOR EACH ROW EXECUTE FUNCTION registry_refuse()",
    "seal_keep": "CREATE TRIGGER seal_keep BEFORE UPDATE ON registry_seal "
    "FOR EACH ROW EXECUTE FUNCTION registry_refuse()",
    "seal_stay": "CREATE TRIGGER seal_stay BEFORE DELETE ON registry_seal "
    "FOR EACH ROW EXECUTE FUNCTION registry_refuse()",
}


def install(connection) -> None:
    """Create the triggers; they must not be there yet."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(_POSTGRESQL_FUNCTIONS)
        for sql in (_POSTGRESQL if connection.vendor == "postgresql" else _SQLITE).values():
            cursor.execute(sql)


def remove(connection) -> None:
    """Drop the triggers where they are there."""
    with connection.cursor() as cursor:
        for name in _SQLITE:
            table = f"registry_{name.split('_')[0]}"
            on = f" ON {table}" if connection.vendor == "postgresql" else ""
            cursor.execute(f"DROP TRIGGER IF EXISTS {name}{on}")


@contextmanager
def lifted(connection) -> Iterator[None]:
    """Without the triggers, for emptying a test database and for tests that alter rows behind them."""
    remove(connection)
    try:
        yield
    finally:
        install(connection)
