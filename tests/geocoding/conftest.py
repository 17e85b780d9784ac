from pathlib import Path

import pytest

from registry.geocoding import areas
from registry.geocoding.gazetteer import Gazetteer


@pytest.fixture(scope="session")
def gazetteer(gazetteer_path: Path) -> Gazetteer:
    return Gazetteer(gazetteer_path)


@pytest.fixture(scope="session")
def matcher(gazetteer: Gazetteer) -> areas.AreaMatcher:
    return areas.AreaMatcher(gazetteer)
