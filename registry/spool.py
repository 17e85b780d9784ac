"""Files that wait in the data folder for their next step, and when those that nobody came back for go."""

import time
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from django.conf import settings


@dataclass(frozen=True)
class Spool:
    """A folder by ``name``, and how long a file may lie there that nothing needs."""

    name: str
    kept: timedelta

    @property
    def folder(self) -> Path:
        """The folder, which is made if it is not there; nobody else on this machine reads it."""
        folder = Path(settings.DATA_DIR) / self.name
        folder.mkdir(mode=0o700, exist_ok=True)
        return folder

    def sweep(self, *, needed: Collection[str] = ()) -> None:
        """Delete what has lain too long, but files of these names."""
        for path in self.folder.iterdir():
            with suppress(FileNotFoundError):
                if path.name not in needed and path.stat().st_mtime < time.time() - self.kept.total_seconds():
                    path.unlink()


#: Files of imports: those of open batches are needed, others are what a process that was killed left behind.
IMPORTS = Spool("imports", timedelta(days=1))
#: Tables to be located, between their two steps; they may name people.
TABLES = Spool("tables", timedelta(hours=1))
