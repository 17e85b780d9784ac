"""These tests bring up a real Nominatim: `make test-nominatim` runs them, `make test` leaves them out."""

import os
from collections.abc import Iterator

import pytest

from tests.nominatim.server import Nominatim, running

collect_ignore = [] if "TEST_NOMINATIM" in os.environ else ["test_streets.py"]


@pytest.fixture(scope="session")
def nominatim() -> Iterator[Nominatim]:
    with running() as nominatim:
        yield nominatim
