"""``manage.py publish``: make an edition now."""

from django.core.management.base import BaseCommand
from django.utils.translation import gettext as _

from registry.actions import editions
from registry.models import CURRENT
from registry.rules import access
from registry.rules.vocabularies import Holder


class Command(BaseCommand):
    help = "Make an edition now: what the audiences see is brought up to date."

    def handle(self, *args, **options):
        edition = editions.publish()
        self.stdout.write(_("Edition of %(at)s") % {"at": edition.at.isoformat()})
        for audience in access.AUDIENCES:
            self.stdout.write(f"{Holder(audience).label}: {CURRENT[audience]._default_manager.count()}")
