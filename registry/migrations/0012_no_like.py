from django.db import migrations

TABLES = ("registry_report", "registry_asset", "registry_incident")


def drop(apps, editor):
    """Django gives PostgreSQL a second index of each unique text, for LIKE, which is never asked of references:
    32 MB of a million reports, and one more index to write for each."""
    if editor.connection.vendor == "postgresql":
        with editor.connection.cursor() as cursor:
            for table in TABLES:
                for name in editor.connection.introspection.get_constraints(cursor, table):
                    if name.endswith("_like"):
                        cursor.execute(f"DROP INDEX {editor.quote_name(name)}")


class Migration(migrations.Migration):
    dependencies = [("registry", "0011_long_words")]
    operations = [migrations.RunPython(drop, migrations.RunPython.noop)]
