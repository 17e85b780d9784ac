"""``manage.py appoint EMAIL``: the first administrator of a new register."""

import sys
from getpass import getpass
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.validators import validate_email

from registry.actions import people
from registry.actions.journal import Refused
from registry.models import Area, Person
from registry.rules.vocabularies import Role


class Command(BaseCommand):
    help = "Appoints the first administrator, who invites all others. Reads the password from standard input."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")
        parser.add_argument("--name", required=True)
        parser.add_argument("--role", required=True, choices=Role.values)
        parser.add_argument("--area", action="append", default=[], help="code of an area; may be repeated")

    def handle(self, *, email: str, name: str, role: str, area: list[str], **options: Any) -> None:
        areas = Area.objects.filter(code__in=area)
        if unknown := set(area) - {known.code for known in areas}:
            raise CommandError(f"No such area: {', '.join(sorted(unknown))}")
        password = getpass() if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
        try:
            validate_email(email)
            validate_password(password, Person(email=email, name=name))
            people.appoint(email=email, name=name, role=role, areas=areas, password=password)
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        except Refused as refusal:
            raise CommandError(str(refusal)) from refusal
        self.stdout.write(f"{name} administers this register.")
