"""Streets and house numbers through geopy and a real Nominatim, which goes away half-way and comes back."""

from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.conf import LazySettings
from django.test import Client
from django.utils import timezone

from registry.actions import journal
from registry.geocoding.gazetteer import Gazetteer
from registry.geocoding.online import Online
from registry.models import Report
from registry.upkeep import locating
from tests import factories
from tests.nominatim.server import Nominatim

pytestmark = pytest.mark.django_db

CHUHUIV, SUMY = ("UA", "UA-63"), ("UA", "UA-59")


def options(nominatim: Nominatim) -> dict[str, Any]:
    return {"domain": nominatim.host, "scheme": "http", "user_agent": "register"}


@pytest.fixture(scope="session")
def gazetteer(gazetteer_path: Path) -> Gazetteer:
    return Gazetteer(gazetteer_path)


@pytest.mark.parametrize(
    ("asked", "area", "precision", "where"),
    [
        ("Чугуїв, вулиця Соборна 5", CHUHUIV, "exact", (49.8355, 36.6865)),
        ("вул. Соборна 5, Суми", SUMY, "exact", (50.9078, 34.7981)),
        ("г. Чугуев, Соборная улица 5", CHUHUIV, "exact", (49.8355, 36.6865)),
        ("м. Чугуїв, вул. Соборна, буд. 5, кв. 12", CHUHUIV, "exact", (49.8355, 36.6865)),
        ("Soborna Street 5, Chuhuiv", CHUHUIV, "exact", (49.8355, 36.6865)),
        ("Калинова 3, Чугуїв", CHUHUIV, "exact", (49.8375, 36.6841)),
        ("провулок Тихий, Суми", SUMY, "street", (50.9117, 34.7981)),
    ],
)
def test_a_street_and_its_houses(
    nominatim: Nominatim, gazetteer: Gazetteer, asked: str, area: tuple, precision: str, where: tuple
) -> None:
    service = Online("nominatim", options(nominatim), interval_s=0)
    answer = service.ask(asked, country=area[0], adm1_code=area[1], gazetteer=gazetteer)
    best = answer.candidates[0]
    assert (answer.outcome, best.geo_precision) == ("found", precision)
    assert (round(best.lat, 4), round(best.lon, 4)) == where


def test_a_street_of_two_towns_is_for_a_person_and_one_elsewhere_refused(
    nominatim: Nominatim, gazetteer: Gazetteer
) -> None:
    service = Online("nominatim", options(nominatim), interval_s=0)
    assert service.ask("вулиця Соборна 5", gazetteer=gazetteer).outcome == "ambiguous"
    away = service.ask("вул. Соборна 5, Суми", country="UA", adm1_code="UA-63", gazetteer=gazetteer)
    assert away.outcome == "outside"
    assert service.ask("вулиця Відсутня 99, Суми", gazetteer=gazetteer).outcome != "found"


class Dying(Online):
    """A service whose server is killed before its third question."""

    def __init__(self, nominatim: Nominatim) -> None:
        super().__init__("nominatim", options(nominatim), interval_s=0)
        self.nominatim, self.asked = nominatim, 0

    def ask(self, query: str, **hints: Any) -> Any:
        self.asked += 1
        if self.asked == 3:
            self.nominatim.kill()
        return super().ask(query, **hints)


def test_a_service_lost_half_way_loses_no_report(
    nominatim: Nominatim, settings: LazySettings, monkeypatch: pytest.MonkeyPatch, gazetteer_path: Path
) -> None:
    settings.GEOCODER, settings.SECOND_FACTOR_REQUIRED = "nominatim", False
    client = Client()
    client.force_login(factories.person("official", factories.ukraine()["UA-63"]))
    for house in range(1, 6):
        client.post("/log", {
            "command": str(uuid4()), "step": "save", "place": f"Чугуїв, вулиця Калинова {house}", "area": "UA-63",
            "kind": "building", "object_type": "school", "when": "day", "occurred_to": "2026-03-09",
            "source_type": "own",
        })  # fmt: skip
    service = Dying(nominatim)
    monkeypatch.setattr(locating, "service", lambda: service)

    locating.locate()

    assert Report.objects.count() == 5
    assert Report.objects.filter(geo_precision="exact", geocode_backend="nominatim").count() == 2
    away = Report.objects.get(geocode_tries=1)
    assert away.geocode_after > timezone.now()
    assert locating.locate() is False  # the next one finds it away too
    assert Report.objects.filter(geocode_tries=1).count() == 2

    nominatim.start()
    Report.objects.filter(geocode_tries=1).update(geocode_after=journal.now())
    locating.locate()
    placed = Report.objects.filter(geo_precision="exact", geocode_after=None).order_by("lon")
    assert [report.place_typed[-1] for report in placed] == ["1", "2", "3", "4", "5"]
    assert all(report.entries.filter(kind="located").count() == 1 for report in placed)
