"""``manage.py dictionary > docs/data-dictionary.md``"""

from django.core.management.base import BaseCommand

from registry.outputs import dictionary


class Command(BaseCommand):
    help = "Print the data dictionary of the columns and codes, as Markdown."

    def handle(self, *args, **options):
        self.stdout.write(dictionary.markdown(), ending="")
