import fcntl
from pathlib import Path

import pytest
from django.conf import settings

from registry.geocoding import areas, build
from registry.geocoding.gazetteer import Gazetteer


@pytest.fixture(scope="session")
def gazetteer_path() -> Path:
    """The index of the test installation, built by the first run that needs it."""
    path = Path(settings.DATA_DIR) / "gazetteer.sqlite3"
    with path.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # the processes of a parallel run wait for the first
        if not build.is_current(path):
            build.build_index(path)
    return path


@pytest.fixture(scope="session")
def gazetteer(gazetteer_path: Path) -> Gazetteer:
    return Gazetteer(gazetteer_path)


@pytest.fixture(scope="session")
def matcher(gazetteer: Gazetteer) -> areas.AreaMatcher:
    return areas.AreaMatcher(gazetteer)
