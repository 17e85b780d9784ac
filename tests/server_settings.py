"""The settings that an installation has, but for the static files, which nobody has collected."""

from registry.settings import *  # noqa: F403
from registry.settings import STORAGES

STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
