"""``manage.py work``: the worker."""

from django.core.management.base import BaseCommand

from registry.upkeep import working


class Command(BaseCommand):
    help = "Do what is due: seal entries, publish editions, merge tallies, ask geocoders. Ends on SIGTERM."

    def add_arguments(self, parser):
        parser.add_argument("--once", action="store_true", help="end when nothing is due any more")

    def handle(self, *args, once, **options):
        working.work(once=once, stop=working.stop_on_signals())
