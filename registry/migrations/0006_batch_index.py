"""The foreign key's own index goes: it has another order than lists, and PostgreSQL would sort by it.

Dropped by its name: altering the field makes SQLite write the whole table anew, without its triggers.
"""

import django.db.models.deletion
from django.db import migrations, models


def _name(schema_editor):
    return schema_editor.quote_name(schema_editor._create_index_name('registry_report', ['batch_id']))


def drop(apps, schema_editor):
    schema_editor.execute(f'DROP INDEX IF EXISTS {_name(schema_editor)}')


def make(apps, schema_editor):
    schema_editor.execute(f'CREATE INDEX {_name(schema_editor)} ON registry_report (batch_id)')


class Migration(migrations.Migration):

    dependencies = [
        ('registry', '0005_batch_reports'),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunPython(drop, make)],
            state_operations=[
                migrations.AlterField(
                    model_name='report',
                    name='batch',
                    field=models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='reports', to='registry.batch'),
                ),
            ],
        ),
    ]
