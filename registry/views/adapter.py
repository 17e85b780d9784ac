"""What django-allauth asks of the register."""

import time
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.auth_backends import AuthenticationBackend
from allauth.account.authentication import get_authentication_records
from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.urls import reverse

from registry.actions.people import may_enter
from registry.models import Person

JUST_NOW = 5 * 60  # seconds


class Backend(AuthenticationBackend):
    """Asked at sign-in and again with every request."""

    def user_can_authenticate(self, user: Person) -> bool:
        return may_enter(user)


class Adapter(DefaultAccountAdapter):
    """Accounts come by invitation: nobody signs up."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def pre_login(self, request: HttpRequest, user: Person, **kwargs: Any) -> HttpResponseBase | None:
        if not may_enter(user):
            return self.respond_user_inactive(request, user)
        return super().pre_login(request, user, **kwargs)

    def is_reauthentication_required(self, *, app: str, **kwargs: Any) -> bool:
        """Who signed in a moment ago, in this session, is not asked for the password again."""
        signed_in = get_authentication_records(self.request, self.request.user)
        if signed_in and signed_in[-1]["at"] > time.time() - JUST_NOW:
            return False
        return super().is_reauthentication_required(app=app, **kwargs)

    def get_reset_password_from_key_url(self, key: str) -> str:
        """The link is ours whatever the request said of its host."""
        uid, _dash, token = key.partition("-")
        address = {"uidb36": uid, "key": token}
        return settings.BASE_URL + reverse("account_reset_password_from_key", kwargs=address)


def password_link(person: Person) -> str:
    """Where the person chooses a new password; serves once, for three days."""
    key = f"{user_pk_to_url_str(person)}-{default_token_generator.make_token(person)}"
    return Adapter().get_reset_password_from_key_url(key)
