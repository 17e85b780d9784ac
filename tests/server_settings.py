"""The settings that an installation has, but for the static files, which nobody has collected, and that every
answer says which process gave it."""

import os
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from registry.settings import *  # noqa: F403
from registry.settings import MIDDLEWARE, STORAGES

STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
MIDDLEWARE.insert(0, "tests.server_settings.say_process")


def say_process(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        response["X-Process"] = str(os.getpid())
        return response

    return middleware
