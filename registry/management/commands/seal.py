"""``manage.py seal``: seal the timeline now."""

from django.core.management.base import BaseCommand

from registry.upkeep import sealing


class Command(BaseCommand):
    help = "Seal all entries that are not sealed yet, and print the seal for you to keep elsewhere."

    def handle(self, *args, **options):
        seal = sealing.seal()
        self.stdout.write(f"{seal.number} {seal.sealed_at.isoformat()} {seal.digest}")
