"""Every page as of a moment answers as the register stood then, says so, leads on at that moment and back to now."""

from datetime import timedelta

import pytest
from django.db import transaction

from registry.actions import editions, journal, reports
from registry.models import Asset, Incident, OutageStep
from registry.rules.vocabularies import EntryKind, Role
from tests import factories
from tests.factories import AT, change, client, report

pytestmark = pytest.mark.django_db

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
FIRST, SECOND = AT + 2 * DAY, AT + 3 * DAY
THEN = f"{AT + HOUR:%Y-%m-%dT%H:%M:%SZ}"
PLACE = {"lat": 50, "lon": 36.2, "geo_precision": "exact"}


@pytest.fixture
def world(settings):
    settings.SECOND_FACTOR_REQUIRED = False
    areas = factories.ukraine()
    supervisor = factories.person(Role.SUPERVISOR, areas["UA"])
    night = Incident.objects.create(
        title="Night", cause_group="weather", began_at=AT, created_at=AT, published=True
    )
    mill = Asset.objects.create(kind="building", object_type="school")
    school = report(by=supervisor, of_incident_id=night.pk, of_asset_id=mill.pk, **PLACE)
    house = report(by=supervisor, object_type="house", of_incident_id=night.pk, **PLACE)
    editions.publish(FIRST)
    change(school, at=FIRST + HOUR, damage_level="destroyed", summary="Later", of_incident_id=None)
    later = report(by=supervisor, at=FIRST + HOUR, object_type="clinic", of_incident_id=night.pk, **PLACE)
    reports.withdraw(house.reference, by=supervisor, because="safety", note="")
    editions.publish(SECOND)
    return {
        "who": {"visitor": client(), "supervisor": client(supervisor)}, "supervisor": supervisor,
        "moment": {"visitor": f"{FIRST:%Y-%m-%d}", "supervisor": THEN},
        "school": school.reference, "later": later.reference, "house": house.reference,
        "incident": night.reference, "asset": mill.reference,
    }  # fmt: skip


def page(world, who, address):
    mark = "&" if "?" in address else "?"
    answer = world["who"][who].get(f"{address}{mark}as_of={world['moment'][who]}")
    assert answer.status_code == 200, (address, answer.status_code)
    return answer.content.decode()


@pytest.mark.parametrize("who", ["visitor", "supervisor"])
def test_every_page_of_then_says_so_and_leads_on_and_back(world, who):
    query = f"as_of={world['moment'][who]}".replace(":", "%3A")
    for address, says, lead in (
        ("/", "Open damage", "/reports?kind=building"),
        ("/reports", world["school"], f"/r/{world['school']}"),
        ("/reports?kind=building", world["school"], "/reports.csv"),
        ("/map", "Kharkiv", "/reports?area=UA-63"),
        ("/data", "1 row", "/reports.csv"),
        ("/incidents", "Night", f"/i/{world['incident']}"),
        (f"/i/{world['incident']}", world["school"], f"/r/{world['school']}"),
        (f"/a/{world['asset']}", world["school"], f"/r/{world['school']}"),
        (f"/r/{world['school']}", "Moderate", f"/i/{world['incident']}"),
        ("/statistics", "Kharkiv", "/reports"),
    ):
        told = page(world, who, address)
        assert "As of" in told, address
        assert says in told, address
        assert any(query in part for part in told.split(f'href="{lead}')[1:]), (address, lead)
        assert f'href="{address}">Back to now' in told, address
        assert world["later"] not in told
        assert world["house"] not in told
        assert "Later" not in told
        if not address.startswith(("/r/", "/a/", "/incidents")):
            assert "withdrawn since" in told, address
    assert "withdrawn since" not in page(world, who, f"/r/{world['school']}")


def test_a_page_of_now_says_nothing_of_then(world):
    for who in world["who"]:
        for address in ("/", "/reports", "/map", "/data", f"/i/{world['incident']}", f"/r/{world['school']}"):
            told = world["who"][who].get(address).content.decode()
            assert "Back to now" not in told, address
            assert "as_of=" not in told.partition("Cite this")[0].partition("How to cite")[0], address


@pytest.mark.parametrize("who", ["visitor", "supervisor"])
def test_tiles_and_the_list_in_view_are_those_of_then(world, who):
    ask = world["who"][who]
    query = f"as_of={world['moment'][who]}"
    for zoom, x, y in ((0, 0, 0), (4, 9, 5), (7, 76, 43)):
        answer = ask.get(f"/map/tiles/{zoom}/{x}/{y}.json?{query}").json()
        assert [point["reference"] for point in answer["points"]] == [world["school"]]
        assert answer["points"][0]["level"] == "moderate"
        assert not answer["partial"]
    told = ask.get(f"/map/list?bbox=36,49,37,51&{query}").content.decode()
    assert f"/r/{world['school']}?as_of=" in told
    assert world["later"] not in told


def test_figures_of_then_compare_with_the_day_before_then(world):
    told = page(world, "supervisor", "/")
    assert "2026-03-10" in told  # the list behind what was verified on that day
    assert "Verified today" not in told


def test_what_was_not_there_then_is_not_found(world):
    supervisor, visitor = world["who"]["supervisor"], world["who"]["visitor"]
    assert supervisor.get(f"/r/{world['later']}?as_of={THEN}").status_code == 404
    assert supervisor.get(f"/r/{world['house']}?as_of={THEN}").status_code == 404
    assert visitor.get(f"/r/{world['house']}?as_of={FIRST:%Y-%m-%d}").status_code == 404
    young = Incident.objects.create(
        title="Later", cause_group="weather", began_at=AT, created_at=FIRST, published=True
    )
    assert supervisor.get(f"/i/{young.reference}?as_of={THEN}").status_code == 404
    assert young.reference not in page(world, "supervisor", "/incidents")
    assert supervisor.get(f"/i/{young.reference}").status_code == 200


def test_what_was_said_by_then(world):
    who = factories.person(Role.OFFICIAL)
    night = Incident.objects.get(reference=world["incident"])
    said = {"type": "damage", "certainty": "confirmed", "said_by": "Office", "published": True}
    for text, at, voided in (("Early", AT, None), ("Struck", AT, SECOND), ("Late", SECOND, None)):
        night.statements.create(
            text=text, said_at=at, recorded_at=at, voided_at=voided, recorded_by=who, **said
        )
    told = page(world, "visitor", f"/i/{night.reference}")
    assert ("Early" in told, "Struck" in told, "Late" in told) == (True, True, False)
    assert "Late" in world["who"]["visitor"].get(f"/i/{night.reference}").content.decode()


def test_steps_of_then(world):
    loss = report(
        by=world["supervisor"], kind="outage", sector="heat", object_type="", damage_level="",
        status="confirmed", customers_unit="accounts", customers_affected=900, customers_out=900,
    )  # fmt: skip
    for n, at in ((900, AT), (400, FIRST)):
        step = OutageStep(direction="lost" if n == 900 else "back", customers=n, at=at)
        with transaction.atomic():
            line = journal.Line(journal.lock(loss.reference), EntryKind.STEPPED, rows=[step])
            journal.record(line, at=at)
    told = page(world, "supervisor", f"/r/{loss.reference}")
    now = world["who"]["supervisor"].get(f"/r/{loss.reference}").content.decode()
    assert "500" in now
    assert "500" not in told


@pytest.mark.parametrize("moment", ["2026-03-09", "2999-01-01", "soon", "2026-03-10T12:00:00"])
def test_a_moment_that_is_none_is_refused_by_every_page(world, moment):
    for who, ask in world["who"].items():
        if who == "supervisor" and moment.endswith("12:00:00"):
            continue  # the first moment there is
        for address in (
            "/", "/reports", "/map", "/map/tiles/0/0/0.json", "/map/list?bbox=36,49,37,51", "/data",
            f"/i/{world['incident']}", f"/a/{world['asset']}", f"/r/{world['school']}", "/statistics", "/reports.csv",
            "/incidents",
        ):  # fmt: skip
            answer = ask.get(f"{address}{'&' if '?' in address else '?'}as_of={moment}")
            assert answer.status_code == 400, (who, address)
            assert "as_of" in answer.content.decode()
