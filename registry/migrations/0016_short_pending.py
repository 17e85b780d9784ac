from django.db import migrations

from registry.models import words


class Migration(migrations.Migration):
    dependencies = [("registry", "0015_published_since")]
    operations = [
        migrations.RunPython(
            lambda apps, editor: words.shorten_pending(editor.connection), migrations.RunPython.noop
        )
    ]
