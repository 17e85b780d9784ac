"""``manage.py make_release``: freeze a filter's rows of an edition, so that they can be cited."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.http import QueryDict
from django.utils.dateparse import parse_date

from registry.actions import releases
from registry.actions.journal import Refused
from registry.filters import BadFilter, refuse_blanks
from registry.models import Edition, Release
from registry.outputs import bundling
from registry.rules import access
from registry.upkeep import releasing


class Command(BaseCommand):
    help = "Makes a release of a filter's rows as an audience had them with an edition, and prints where it lies."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--audience", choices=[str(one) for one in access.AUDIENCES], default="public")
        parser.add_argument("--filter", default="", help='as in an address: "kind=building&area=UA-63"')
        parser.add_argument("--title", default="")
        parser.add_argument("--edition", default="", help="the day of an edition; the newest if left out")
        parser.add_argument("--since", type=int, help="only what changed since the release of this number")

    def handle(self, **options: Any) -> None:
        try:
            refuse_blanks(QueryDict(options["filter"]))
            release = releases.ask(
                audience=options["audience"],
                by=None,
                query=options["filter"],
                title=options["title"],
                edition=_edition(options["edition"]),
                since=_release(options["since"]),
            )
        except (BadFilter, Refused) as error:
            raise CommandError(str(error)) from error
        if release.state == Release.State.WAITING:
            releasing.make(release)
        if not release.is_made:
            raise CommandError(f"Release {release.number} could not be made. {release.problem}")
        for line in (
            f"{release.number}  {release.checksum}",
            releases.folder(release),
            bundling.address(release),
        ):
            self.stdout.write(str(line))


def _edition(day: str) -> Edition | None:
    if not day:
        return None
    try:
        found = parse_date(day)
    except ValueError:
        found = None
    edition = Edition.objects.filter(at__date=found).first() if found else None
    if edition is None:
        raise CommandError(f"--edition: there is no edition of {day!r}.")
    return edition


def _release(number: int | None) -> Release | None:
    if number is None:
        return None
    release = Release.objects.filter(number=number).first()
    if release is None:
        raise CommandError(f"--since: there is no release {number}.")
    return release
