"""``manage.py compare_releases EARLIER LATER``: what changed from one release to another."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from registry.actions import releases
from registry.upkeep import releasing

from .verify_release import release_of


class Command(BaseCommand):
    help = "Says what changed from one release to another: reports added, revised by column, and how many vanished."

    def add_arguments(self, parser: CommandParser) -> None:
        for name in ("earlier", "later"):
            parser.add_argument(name, help="number of a release, or the folder of a bundle")

    def handle(self, *, earlier: str, later: str, **options: Any) -> None:
        if warning := _unlike(earlier, later):
            self.stderr.write(warning)
        try:
            found = releasing.compare(_folder(earlier), _folder(later))
        except OSError as error:
            raise CommandError(str(error)) from error
        for reference in found.added:
            self.stdout.write(_("%(report)s added") % {"report": reference})
        for reference, columns in found.revised.items():
            said = {"report": reference, "columns": ", ".join(columns)}
            self.stdout.write(_("%(report)s revised: %(columns)s") % said)
        for column, number in found.columns.most_common():
            self.stdout.write(f"{number:>9,}  {column}")
        counts = {"added": len(found.added), "revised": len(found.revised), "vanished": found.vanished}
        self.stdout.write(_("%(added)d added, %(revised)d revised, %(vanished)d vanished") % counts)


def _unlike(earlier: str, later: str) -> str:
    """Why what differs between two releases need not have changed; "" where it has, or for bundles elsewhere."""
    if not (earlier.isdigit() and later.isdigit()):
        return ""
    one, other = release_of(earlier), release_of(later)
    if (one.audience, one.query) != (other.audience, other.query):
        return _("They are of other audiences or filters: what differs need not have changed.")
    if one.since_id or other.since_id:
        return _("One holds only what changed since another: what it lacks has not vanished.")
    return ""


def _folder(named: str) -> Path:
    return releases.folder(release_of(named)) if named.isdigit() else Path(named)
