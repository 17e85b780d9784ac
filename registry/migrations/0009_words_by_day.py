from django.db import migrations

from registry.models import words


def renew(apps, editor):
    """PostgreSQL knows words by their day, too; SQLite's index has them in the order of lists already."""
    if editor.connection.vendor == "postgresql":
        words.remove(editor.connection)
        words.install(editor.connection)
        with editor.connection.cursor() as cursor:
            for table in words.TABLES:
                # What the index knows of common words is counted now, not when a tenth of the rows have changed.
                cursor.execute(f"ANALYZE {table._meta.db_table}")


class Migration(migrations.Migration):
    dependencies = [("registry", "0008_columns_in_words")]
    operations = [migrations.RunPython(renew, migrations.RunPython.noop)]
