"""``manage.py load_sample``: fill an empty register with the sample and print the sign-ins."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from registry.actions import releases, sampling
from registry.models import Person
from registry.rules.vocabularies import Holder
from registry.upkeep import releasing


class Command(BaseCommand):
    help = "Fills an empty register with invented reports and people, and prints one sign-in for each role."

    def handle(self, **options: Any) -> None:
        if settings.PRODUCTION:
            raise CommandError("Sample accounts are refused in production (BASE_URL is https).")
        if sampling.is_empty():
            self.stdout.write("Loading the sample …")
            with transaction.atomic():
                count = sampling.load()
            self.stdout.write(f"{count} reports.")
            releasing.make(releases.ask(audience=Holder.PUBLIC, by=None, query="kind=building"))
        if not Person.objects.filter(is_sample=True).exists():
            return
        self.stdout.write(f"\nSign in at {settings.BASE_URL}/sign-in, password {sampling.password()}")
        for local in sampling.SHOWN:
            _name, role, areas, _sectors = sampling.PEOPLE[local]
            what = "administrator" if local == "admin" else str(role.label).lower()  # type: ignore[attr-defined]
            self.stdout.write(f"  {local}@example.org".ljust(30) + " · ".join([what, *areas]))
