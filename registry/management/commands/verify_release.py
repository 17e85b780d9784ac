"""``manage.py verify_release RELEASE``: is it, byte for byte, what was released?"""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from registry.actions import releases
from registry.models import Release
from registry.upkeep import releasing


class Command(BaseCommand):
    help = "Verifies a release against its checksums and, with --rebuild, against the register as it is now."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("release", help="its number, or the folder of a bundle wherever it lies")
        parser.add_argument(
            "--rebuild", action="store_true", help="make it anew beside, and compare byte by byte"
        )

    def handle(self, *, release: str, rebuild: bool, **options: Any) -> None:
        known = release_of(release) if release.isdigit() else None
        wrong = releasing.verify(releases.folder(known) if known else Path(release))
        if known and not wrong and releasing.checksum(known) != known.checksum:
            wrong = [_("its SHA256SUMS are not those that were released")]
        if not wrong and rebuild:
            if known is None:
                raise CommandError(
                    _("Only a release of this register, named by its number, can be made anew.")
                )
            wrong = [
                _("%(file)s would be another one now") % {"file": name} for name in releasing.rebuild(known)
            ]
        for problem in wrong:
            self.stdout.write(problem)
        if wrong:
            raise CommandError(_("This is not the release as it was made."))
        self.stdout.write(_("Every file is what was released."))


def release_of(number: str) -> Release:
    """The release of this number, if it was made and not retracted."""
    found = Release.objects.filter(number=number).select_related("edition", "since__edition", "seal").first()
    if found is None or not found.is_made:
        state = found.get_state_display() if found else _("there is none")
        raise CommandError(
            _("Release %(number)s: %(state)s.") % {"number": number, "state": str(state).lower()}
        )
    return found
