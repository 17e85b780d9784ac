"""``manage.py dictionary > docs/data-dictionary.md``, ``… --hxl > docs/hxl-schema.csv``"""

import csv

from django.core.management.base import BaseCommand

from registry.columns import COLUMNS
from registry.outputs import describing, dictionary


class Command(BaseCommand):
    help = "Print the data dictionary of the columns and codes, as Markdown."

    def add_arguments(self, parser):
        parser.add_argument("--hxl", action="store_true", help="print the HXL schema of reports instead")

    def handle(self, *args, **options):
        if options["hxl"]:
            rules = describing.hxl_schema(COLUMNS, key=["reference"])
            csv.writer(self.stdout, lineterminator="\n").writerows(rules)
        else:
            self.stdout.write(dictionary.markdown(), ending="")
