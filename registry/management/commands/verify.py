"""``manage.py verify``: whether the register is what it says it is."""

import os
import sys

from django.core.management.base import BaseCommand
from django.utils.translation import gettext as _

from registry.upkeep import verifying


class Command(BaseCommand):
    help = "Check records, timeline, seals, past, published rows, tallies and files; exit 1 if any differs."

    def add_arguments(self, parser):
        parser.add_argument(
            "--jobs", type=int, default=len(os.sched_getaffinity(0)), help="Processes (one for each core)."
        )

    def handle(self, *args, **options):
        found = 0
        for finding in verifying.verify(jobs=options["jobs"]):
            found += 1
            self.stdout.write(f"{finding.kind}\t{finding.subject}\t{finding.message}")
        if found:
            sys.exit(1)
        self.stdout.write(_("Nothing found."))
