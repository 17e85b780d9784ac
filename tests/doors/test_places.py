"""Places to confirm: which report comes next, what can be said of it, and what becomes of what was said."""

import re
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from registry.actions import editions, journal
from registry.forms.places import embedded, known_keys, lineage, place_fields
from registry.models import KnownPlace, PublicReport, Report
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("installed")]

IZIUM = {
    "lat": 49.21, "lon": 37.26, "name": "Izium", "country": "UA", "adm1_code": "UA-63", "adm2_code": None,
    "geo_precision": "settlement", "radius_m": 2_600, "score": 1.0, "matched": "Izium", "how": "exact",
}  # fmt: skip
VOVCHANSK = IZIUM | {"name": "Vovchansk", "lat": 50.28, "lon": 36.94, "score": 0.9}


@pytest.fixture
def installed(settings: Any, gazetteer_path: Any) -> Any:
    settings.DATA_DIR = gazetteer_path.parent
    settings.SECOND_FACTOR_REQUIRED = False
    known_keys.forget()
    yield
    known_keys.forget()


@pytest.fixture
def areas() -> Any:
    return factories.ukraine()


@pytest.fixture
def client(areas: Any) -> Client:
    client = Client()
    client.force_login(factories.person("official", areas["UA-63"]))
    return client


def waits(state: str, **fields: Any) -> Report:
    return factories.report(geocode_state=state, **fields)


def say(client: Client, report: Report, **values: Any) -> Any:
    data = {"command": uuid4(), **values}
    return client.post(f"/places?r={report.reference}", data)


def errors(answer: Any) -> dict[str, Any]:
    return answer.context["form"].errors


def test_one_at_a_time_the_oldest_first_by_reason(client: Client) -> None:
    newer = waits("ambiguous", geocode_candidates=[IZIUM, VOVCHANSK])
    older = waits(
        "ambiguous", geocode_candidates=[IZIUM], occurred_from=date(2026, 3, 1), occurred_to=date(2026, 3, 1)
    )
    waits("not_found", place_typed="Nowhere")
    waits("ambiguous", adm1_code="UA-23")
    waits("ambiguous", status="closed")
    answer = client.get("/places")
    assert answer.context["report"] == older
    assert [(code, count) for code, _label, count, _here in answer.context["reasons"]] == [
        ("ambiguous", 2), ("not_found", 1),
    ]  # fmt: skip
    onwards = re.search(r'href="(/places\?why=ambiguous&amp;after=[^"]+)"', answer.content.decode())
    assert onwards
    address = onwards[1].replace("&amp;", "&")
    assert client.get(address).context["report"] == newer
    assert client.get("/places?why=not_found").context["report"].place_typed == "Nowhere"
    assert "Places to confirm (3)" in client.get("/my-work").content.decode()


def test_a_candidate_is_taken(client: Client) -> None:
    report = waits("ambiguous", geocode_candidates=[IZIUM, VOVCHANSK])
    answer = say(client, report, choice="1")
    assert answer.status_code == 302
    report.refresh_from_db()
    assert (report.geocode_state, report.settlement, report.geo_precision) == (
        "confirmed", "Vovchansk", "settlement",
    )  # fmt: skip
    assert report.place_confirmed_by is not None
    assert report.entries.last().kind == "located"
    assert client.get("/places").context.get("report") is None


def test_candidates_of_one_name_differ_by_their_points(client: Client) -> None:
    waits("ambiguous", geocode_candidates=[IZIUM, IZIUM | {"lat": 49.9105}])
    hints = re.findall(r'<span class="hint">(.*?)</span>', client.get("/places").content.decode())
    assert [hint.rpartition(" · ")[2] for hint in hints if "m ·" in hint] == [
        "49.210, 37.260",
        "49.910, 37.260",
    ]


def test_a_moved_pin_takes_its_areas_and_its_cell_along(client: Client, areas: Any) -> None:
    report = waits(
        "not_found", place_typed="ul. Lenina 5", settlement="Old", adm2_code="700001", adm2_name="Chuhuiv"
    )
    before = report.cell
    district = embedded().area_of(50.27, 36.95).adm2_code
    factories.area(district, "There", parent=areas["UA-63"], country="UA")
    say(client, report, choice="point", lat="50.270001", lon="36.950002")
    report.refresh_from_db()
    assert (report.lat, report.lon) == (Decimal("50.270001"), Decimal("36.950002"))
    assert (report.geo_precision, report.adm1_code, report.adm2_code) == ("exact", "UA-63", district)
    assert report.cell not in (None, before)
    assert report.settlement == ""
    assert KnownPlace.objects.count() == 0  # a street is no place of its own


def test_the_timeline_tells_of_a_moved_pin_and_outsiders_follow_with_the_next_edition(
    client: Client, areas: Any
) -> None:
    there = {"lat": 49.99, "lon": 36.23, "geo_precision": "exact", "geo_radius_m": 25}
    report = waits("not_found", place_typed="ul. Lenina 5", adm2_code="700001", adm2_name="Chuhuiv", **there)
    district = embedded().area_of(50.27, 36.95).adm2_code
    factories.area(district, "There", parent=areas["UA-63"], country="UA")
    editions.publish(journal.now())
    shown = PublicReport.objects.get(reference=report.reference)
    before = shown.cell
    with journal.clock_at(journal.now() + timedelta(hours=1)):
        say(client, report, choice="point", lat="50.27", lon="36.95")
    entry = report.entries.last()
    told = journal.read(entry.body)["fields"]
    assert entry.kind == "located"
    assert (told["lat"], told["adm2_code"]) == (["49.990000", "50.270000"], ["700001", district])
    shown.refresh_from_db()
    assert (shown.cell, shown.adm2_code) == (before, "700001")
    editions.publish(journal.now() + timedelta(days=3))
    shown.refresh_from_db()
    assert (shown.cell != before, shown.adm2_code) == (True, district)


def test_a_point_elsewhere_is_asked_about_and_moves_only_where_one_may_write(
    client: Client, areas: Any
) -> None:
    report = waits("not_found", place_typed="Xyzzyplugh")
    point = {"choice": "point", "lat": "47.84", "lon": "35.14"}
    answer = say(client, report, **point)
    assert "Zaporizhzhia" in str(errors(answer)["elsewhere"])
    assert "outside your areas" in str(errors(say(client, report, **point, elsewhere="on")))
    both = Client()
    both.force_login(factories.person("official", areas["UA-63"], areas["UA-23"]))
    assert say(both, report, **point, elsewhere="on").status_code == 302
    report.refresh_from_db()
    assert (report.adm1_code, report.adm1_name) == ("UA-23", "Zaporizhzhia")


def test_what_is_not_known_stays_the_areas(client: Client) -> None:
    typed = waits("outside", lat=47.84, lon=35.14, geo_precision="exact", geo_radius_m=25)
    say(client, typed, choice="unknown")
    typed.refresh_from_db()
    assert (typed.geocode_state, typed.lat, typed.geo_precision) == ("confirmed", None, "unknown")
    kept = waits("outside", lat=47.84, lon=35.14, geo_precision="exact", geo_radius_m=25)
    say(client, kept, choice="as_is")
    kept.refresh_from_db()
    assert (kept.geocode_state, kept.lat, kept.adm1_code) == ("confirmed", Decimal("47.84"), "UA-63")


def test_what_is_known_of_its_region_alone_waits_too(client: Client, areas: Any) -> None:
    type(areas["UA-63"]).objects.filter(code="UA-63").update(lat=Decimal("49.5"), lon=Decimal("36.5"))
    lineage.cache_clear()
    fields = {**place_fields(area=lineage("UA-63")), "adm1_name": "Kharkiv"}
    report = factories.report(**{name: value for name, value in fields.items() if name != "place_typed"})
    found = factories.report(geocode_state="found", geo_precision="settlement", lat=49.5, lon=36.5)
    assert report.cell == found.cell
    answer = client.get("/places")
    assert answer.context["report"] == report
    assert [code for code, *_rest in answer.context["reasons"]] == ["region"]


def test_a_name_that_nobody_knew_is_known_from_then_on_in_its_area(client: Client) -> None:
    typed = "Ксізлоград, вул. Миру 3"
    region = lineage("UA-63")
    assert place_fields(typed, area=region)["geocode_state"] == "not_found"
    report = waits("not_found", place_typed=typed)
    say(client, report, choice="point", lat="50.27", lon="36.95")
    again = place_fields("КСІЗЛОГРАД, Sobornyi lane 8", area=lineage("UA-63"))
    assert (again["geocode_state"], again["geocode_backend"]) == ("found", "known")
    assert (again["lat"], again["lon"]) == (Decimal("50.27"), Decimal("36.95"))
    assert (again["geo_precision"], again["geo_radius_m"], again["settlement"]) == (
        "settlement",
        2_000,
        "Ксізлоград",
    )
    assert str(report.logged_by or "Official") in again["geocode_matched"]
    assert again["adm1_code"] == "UA-63"
    assert place_fields(typed, area=lineage("UA-23"))["geocode_state"] == "not_found"
    assert place_fields(typed)["geocode_state"] == "not_found"
    # Said again, the last word counts.
    say(client, waits("not_found", place_typed=typed), choice="point", lat="50.28", lon="36.96")
    assert place_fields(typed, area=lineage("UA-63"))["lat"] == Decimal("50.28")
    assert (
        "as somebody confirmed before"
        in client.get(f"/r/{factories.report(**again).reference}").content.decode()
    )


def test_a_report_elsewhere_is_not_there(client: Client) -> None:
    report = waits("not_found", adm1_code="UA-23")
    assert client.get(f"/places?r={report.reference}").status_code == 404
    assert say(client, report, choice="unknown").status_code == 404


def test_the_district_named_is_kept_for_a_town_that_no_source_ties_to_one() -> None:
    region = factories.area("RU-BEL", "Belgorod", parent=factories.area("RU", "Russia"))
    factories.area("495111", "Shebekinsky", parent=region, country="RU")
    lineage.cache_clear()
    fields = place_fields("г. Шебекино, ул. Ленина 5", area=lineage("495111"))
    assert (fields["settlement"], fields["geo_precision"]) == ("Shebekino", "settlement")
    assert (fields["adm1_code"], fields["adm2_code"]) == ("RU-BEL", "495111")
    assert place_fields("Белгород", area=lineage("RU-BEL"))["adm2_code"] != "495111"
