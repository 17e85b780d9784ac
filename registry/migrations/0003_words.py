from django.db import migrations

from registry.models import words


class Migration(migrations.Migration):
    dependencies = [("registry", "0002_guards")]
    operations = [
        migrations.RunPython(
            lambda apps, editor: words.install(editor.connection),
            lambda apps, editor: words.remove(editor.connection),
        )
    ]
