from django.db import migrations

from registry.models import words


class Migration(migrations.Migration):
    dependencies = [("registry", "0010_releases")]
    operations = [
        migrations.RunPython(
            lambda apps, editor: words.renew_function(editor.connection), migrations.RunPython.noop
        )
    ]
