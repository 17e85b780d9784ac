"""The register's settings as the tests want them: a data folder that goes away, nothing from outside
but DATABASE_URL, and no work done twice where once would do."""

import atexit
import os
import shutil
import tempfile

# Worker processes of pytest-xdist inherit the first process's folder.
if "REGISTER_TESTS" not in os.environ:
    os.environ["REGISTER_TESTS"] = tempfile.mkdtemp(prefix="register-tests-")
    atexit.register(shutil.rmtree, os.environ["REGISTER_TESTS"])
os.environ |= {
    "DATA_DIR": os.environ["REGISTER_TESTS"],
    "SECRET_KEY": "tests",
    "BASE_URL": "http://testserver",
}
for name in ("DEBUG", "DATABASE_REPLICA_URL", "GEOCODER", "TILE_URL", "EMAIL_URL", "SECOND_FACTOR_REQUIRED"):
    os.environ.pop(name, None)

from registry.settings import *  # noqa: E402, F403
from registry.settings import DATA_DIR, DATABASES, STORAGES  # noqa: E402

# A file, because threads, processes and the `reader` alias must see one database.
DATABASES["default"].setdefault("TEST", {})
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    DATABASES["default"]["TEST"]["NAME"] = str(DATA_DIR / "test.sqlite3")
    # Nobody pulls the plug on a test.
    for database in DATABASES.values():
        database["OPTIONS"]["init_command"] += ";PRAGMA synchronous=OFF"
STATIC_ROOT = DATA_DIR / "static"
STATIC_ROOT.mkdir(exist_ok=True)
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
