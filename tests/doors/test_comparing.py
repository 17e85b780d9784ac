"""Two reports side by side: what differs is marked, a person decides, and who has no business there sees nothing."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.http import HttpResponse

from registry.actions import editions, evidence, journal, moves
from registry.actions.sampling import photo
from registry.models import Asset, Person, Report, ToldApart
from tests import factories

pytestmark = pytest.mark.django_db

DAY = date(2026, 3, 9)
PIN = {"lat": 49.9935, "lon": 36.2304, "geo_precision": "exact", "geo_radius_m": 25, "adm2_code": "700001"}


class Office:
    def __init__(self) -> None:
        areas = factories.ukraine()
        region = areas["UA-63"]
        self.official, self.colleague = (factories.person("official", region) for _ in range(2))
        self.supervisor = factories.person("supervisor", region)
        self.operator = factories.person("operator", region, sectors=["electricity"])
        self.elsewhere = factories.person("official", areas["UA-23"])
        self.resident, self.researcher = factories.person("resident"), factories.person("researcher")


@pytest.fixture
def office(settings: Any) -> Office:
    settings.SECOND_FACTOR_REQUIRED = False
    return Office()


def two(office: Office, **fields: Any) -> tuple[Report, Report]:
    """A school told twice, by the resident and by the official."""
    first = factories.report(by=office.official, status="reported", address="Sobornyi 5", **PIN)
    fields = {"object_name": "Школа №4", "address": "Соборний, 5", **PIN} | fields
    return first, factories.report(by=office.colleague, status="reported", **fields)


def decide(person: Person, choice: str, left: Report, right: Report, **fields: Any) -> HttpResponse:
    address = f"/r/{left.reference}/compare/{right.reference}"
    return factories.client(person).post(address, {"command": str(uuid4()), "choice": choice, **fields})


def text(answer: HttpResponse) -> str:
    return answer.content.decode()


def test_what_differs_is_marked_and_why_they_are_alike_is_said(office: Office) -> None:
    left, right = two(office)
    shown = text(factories.client(office.official).get(f"/r/{left.reference}/compare/{right.reference}"))
    assert "same address" in shown
    assert "same day" in shown
    differing, _summary, alike = shown.partition("What both say alike")
    assert "Name of the object</th>" in differing
    assert ">Region</dt>" in alike
    assert ">Region</" not in differing
    assert "Школа №4" in shown


def test_a_report_that_nobody_checked_offers_what_it_may_be_a_duplicate_of(office: Office) -> None:
    left, right = two(office)
    way = f"/r/{left.reference}/compare/{right.reference}"
    assert way in text(factories.client(office.official).get(f"/r/{left.reference}"))
    factories.change(left, at=factories.AT + timedelta(hours=1), status="verified")
    assert way not in text(factories.client(office.official).get(f"/r/{left.reference}"))


def test_merging_joins_sources_photos_and_incident_until_it_is_undone(office: Office) -> None:
    left, right = two(office)
    picture = evidence.attach(right.reference, photo("Here", (9, 9, 9)), by=office.colleague)
    evidence.attach(left.reference, photo("There", (1, 9, 9)), by=office.colleague)
    answer = decide(office.official, "keep-left", left, right)
    assert (answer.status_code, answer.headers["Location"]) == (302, f"/r/{left.reference}")
    left.refresh_from_db()
    right.refresh_from_db()
    assert (right.status, right.merged_into) == ("duplicate", left)
    shown = {line.sha256 for line in left.evidence_lines.filter(voided_at=None)}
    assert picture.sha256 in shown
    assert len(shown) == 2
    # The duplicate keeps its own.
    assert right.evidence_lines.filter(voided_at=None).count() == 1
    assert right.reference in text(factories.client(office.official).get(f"/r/{left.reference}"))
    moves.move(right.reference, "unmerge", by=office.official, given={"note": "Two houses"})
    left.refresh_from_db()
    right.refresh_from_db()
    assert (right.status, right.merged_into) == ("reported", None)
    assert picture.sha256 not in {line.sha256 for line in left.evidence_lines.filter(voided_at=None)}


def test_a_photo_of_two_duplicates_is_shown_once_and_stays_while_one_is_merged(office: Office) -> None:
    left, right = two(office)
    third = factories.report(by=office.colleague, status="reported", **PIN)
    for report in (right, third):
        evidence.attach(report.reference, photo("Here", (9, 9, 9)), by=office.colleague)
        moves.move(report.reference, "merge", by=office.official, given={"original": left.reference})
    live = left.evidence_lines.filter(voided_at=None)
    assert live.count() == 1
    moves.move(right.reference, "unmerge", by=office.official, given={})
    assert live.count() == 1
    moves.move(third.reference, "unmerge", by=office.official, given={})


def test_a_report_changed_since_it_was_looked_at_is_not_merged(office: Office) -> None:
    left, right = two(office)
    factories.change(right, by=office.colleague, at=factories.AT + timedelta(hours=1), settlement="Chuhuiv")
    answer = decide(office.official, "keep-left", left, right, **{f"since-{right.reference}": "1"})
    assert answer.status_code == 409
    assert Report.objects.get(pk=right.pk).status == "reported"


def test_two_that_were_told_apart_are_never_offered_again_to_anybody(office: Office) -> None:
    left, right = two(office)
    way = "/compare/"
    assert way in text(factories.client(office.colleague).get(f"/r/{right.reference}"))
    for _time in range(2):
        assert decide(office.official, "apart", left, right).status_code == 302
    assert ToldApart.objects.count() == 1
    for report in (left, right):
        assert way not in text(factories.client(office.colleague).get(f"/r/{report.reference}"))
        assert report.entries.filter(kind="told_apart").count() == 1
    assert "found that they are two" in text(
        factories.client(office.official).get(f"/r/{right.reference}/compare/{left.reference}")
    )


def test_a_second_strike_is_put_on_the_asset_of_the_first(office: Office) -> None:
    later = {"occurred_from": DAY + timedelta(60), "occurred_to": DAY + timedelta(60)}
    first, second = two(office, **later)
    assert decide(office.official, "again", second, first).status_code == 302
    first.refresh_from_db()
    second.refresh_from_db()
    assert first.of_asset == second.of_asset is not None
    assert (first.strike_no, second.strike_no) == (1, 2)
    assert first.status == second.status == "reported"
    third = factories.report(by=office.official, status="reported", **PIN)
    Asset.objects.create(kind="building", object_type="school")
    decide(office.official, "again", third, second)
    third.refresh_from_db()
    assert (third.of_asset, third.strike_no) == (first.of_asset, 3)


def test_only_staff_of_both_areas_compare(office: Office) -> None:
    left, right = two(office)
    away = factories.report(by=office.elsewhere, adm1_code="UA-23")
    for other in (office.elsewhere, office.operator, office.resident, office.researcher):
        assert (
            factories.client(other).get(f"/r/{left.reference}/compare/{right.reference}").status_code == 404
        )
        assert decide(other, "apart", left, right).status_code == 404
    own = factories.report(by=office.resident, from_resident=True, status="reported", **PIN)
    assert (
        factories.client(office.resident).get(f"/r/{own.reference}/compare/{own.reference}").status_code
        == 404
    )
    assert (
        factories.client(office.resident).get(f"/r/{own.reference}/compare/{left.reference}").status_code
        == 404
    )
    assert (
        factories.client(office.official).get(f"/r/{left.reference}/compare/{away.reference}").status_code
        == 404
    )
    assert (
        factories.client(office.official).get(f"/r/{left.reference}/compare/{left.reference}").status_code
        == 404
    )
    assert not ToldApart.objects.exists()


def test_what_was_not_chosen_is_not_done(office: Office) -> None:
    left, right = two(office)
    answer = decide(office.official, "", left, right)
    assert (answer.status_code, "Choose what the two are" in text(answer)) == (200, True)


def test_logging_a_second_strike_puts_it_on_the_asset_of_the_first(
    office: Office, gazetteer_path: Any
) -> None:
    before = factories.report(by=office.colleague, object_name="School 4", **PIN)
    typed = {
        "area": "UA-63", "kind": "building", "object_type": "school", "when": "day", "source_type": "own",
        "occurred_to": "2026-05-09", "lat": "49.9935", "lon": "36.2304", "command": str(uuid4()),
    }  # fmt: skip
    client = factories.client(office.official)
    shown = text(client.post("/log", typed | {"step": "check"}))
    assert f'name="struck" value="{before.reference}"' in shown
    client.post("/log", typed | {"step": "save", "struck": before.reference})
    before.refresh_from_db()
    logged = Report.objects.exclude(pk=before.pk).get()
    assert (logged.of_asset, logged.strike_no) == (before.of_asset, 2)
    assert str(logged.of_asset) == "School 4"
    # Somebody else's reports are on nobody else's assets.
    typed |= {"command": str(uuid4()), "step": "save", "struck": before.reference}
    assert factories.client(office.resident).post("/log", typed).status_code == 404


def test_an_audience_finds_what_it_was_shown_in_the_report_that_was_kept(office: Office) -> None:
    at = datetime.now(UTC).replace(microsecond=0) - timedelta(days=9)
    day = {"occurred_from": at.date(), "occurred_to": at.date(), "status": "verified"}
    with journal.clock_at(at):
        kept, merged = (factories.report(by=office.official, at=at, **PIN | day) for _ in range(2))
        hidden = factories.report(by=office.official, at=at, **PIN | day | {"status": "reported"})
    editions.publish(at + timedelta(days=3))
    with journal.clock_at(at + timedelta(days=4)):
        for report in (merged, hidden):
            moves.move(report.reference, "merge", by=office.official, given={"original": kept.reference})
    visitor = factories.client()
    assert visitor.get(f"/r/{merged.reference}").status_code == 200  # as of its edition it is two
    editions.publish(at + timedelta(days=5))
    answer = visitor.get(f"/r/{merged.reference}")
    assert (answer.status_code, answer.headers["Location"]) == (302, f"/r/{kept.reference}")
    # What it never was shown is nowhere.
    assert visitor.get(f"/r/{hidden.reference}").status_code == 404
    # An undone merge is not seen before an edition says so.
    with journal.clock_at(at + timedelta(days=6)):
        moves.move(merged.reference, "unmerge", by=office.official, given={})
    assert visitor.get(f"/r/{merged.reference}").status_code == 302
    editions.publish(at + timedelta(days=7))
    assert visitor.get(f"/r/{merged.reference}").status_code == 200
    assert factories.client(office.official).get(f"/r/{merged.reference}").status_code == 200
