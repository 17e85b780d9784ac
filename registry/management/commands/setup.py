"""``manage.py setup``: everything a new installation needs, safe to repeat."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand

from registry.actions import areas
from registry.geocoding import build
from registry.models import Area


class Command(BaseCommand):
    help = "Migrates the database, loads the areas of the world and builds the gazetteer. Safe to repeat."

    def handle(self, **options: Any) -> None:
        call_command("migrate", verbosity=0)
        call_command("createcachetable", verbosity=0)
        self._areas()
        self._gazetteer()

    def _areas(self) -> None:
        stamp = Path(settings.DATA_DIR) / "areas.stamp"
        current = build.stamp()
        if stamp.exists() and stamp.read_text() == current and Area.objects.exists():
            return
        self.stdout.write("Loading the areas of the world …")
        loaded = areas.load(build.areas())
        stamp.write_text(current)
        self.stdout.write(f"{loaded:,} areas.")

    def _gazetteer(self) -> None:
        path = Path(settings.DATA_DIR) / "gazetteer.sqlite3"
        if build.is_current(path):
            return
        self.stdout.write("Building the gazetteer …")
        build.build_index(path)
        self.stdout.write(f"Gazetteer of {path.stat().st_size / 1e6:.0f} MB.")
