"""The register's settings as in production, with the addresses of the bench beside its own."""

from registry.settings import *  # noqa: F403
from registry.settings import DATA_DIR

ROOT_URLCONF = "bench.urls"
STATIC_ROOT = DATA_DIR / "static"
