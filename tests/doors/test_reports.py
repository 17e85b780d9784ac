"""The doors of reports: nothing typed is lost, what is refused says why, and what is hidden stays hidden."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from registry.actions import editions, journal
from registry.actions.sampling import photo
from registry.filters import Selection
from registry.models import Entry, Evidence, Report
from tests import factories

pytestmark = pytest.mark.django_db

DAY = "2026-03-09"
TYPED = {
    "step": "check",
    "place": "",
    "area": "UA-63",
    "kind": "building",
    "object_type": "school",
    "when": "day",
    "occurred_to": DAY,
    "source_type": "own",
    "description": "The roof & the hall",
}
EDITED = {
    "area": "UA-63",
    "kind": "building",
    "object_type": "school",
    "occurred_from": DAY,
    "occurred_to": DAY,
    "date_precision": "day",
    "cause_group": "unknown",
    "cause": "unknown",
}


class Office:
    """Two officials, an inspector and a supervisor of one region, and people who are not of it."""

    def __init__(self) -> None:
        areas = factories.ukraine()
        region = areas["UA-63"]
        self.official = factories.person("official", region)
        self.colleague = factories.person("official", region)
        self.inspector = factories.person("inspector", region)
        self.elsewhere = factories.person("official", areas["UA-23"])
        self.researcher = factories.person("researcher")
        self.resident = factories.person("resident")
        self.neighbour = factories.person("resident")


@pytest.fixture
def office(settings: Any) -> Office:
    settings.SECOND_FACTOR_REQUIRED = False
    return Office()


def command(**fields: Any) -> dict[str, Any]:
    return {"command": str(uuid4()), **fields}


def page(response: HttpResponse) -> str:
    return response.content.decode()


# -- nothing typed is lost ------------------------------------------------------------------------------


def test_a_form_with_errors_keeps_what_was_typed(office: Office) -> None:
    answer = factories.client(office.official).post("/log", command(**TYPED | {"occurred_to": "9.9.2099"}))
    assert answer.status_code == 200
    assert "This day lies in the future" in page(answer)
    assert "The roof &amp; the hall" in page(answer)
    assert 'value="school" selected' in page(answer)
    assert "9.9.2099" in page(answer)
    assert Report.objects.count() == 0
    # It is kept as a draft too, for the next time.
    assert "The roof &amp; the hall" in page(factories.client(office.official).get("/log?draft"))


def test_a_sign_in_that_ran_out_loses_nothing(office: Office) -> None:
    office.official.set_password("a long pass phrase")
    office.official.save()
    client = Client()
    away = client.post("/log", command(**TYPED | {"danger": ["gas", "collapse"]}))
    assert away.status_code == 302
    assert away.url.startswith("/sign-in?")
    back = client.post(
        away.url, {"login": office.official.email, "password": "a long pass phrase"}, follow=True
    )
    assert back.redirect_chain == [("/log", 302)]
    assert "The roof &amp; the hall" in page(back)
    assert 'value="school" selected' in page(back)
    assert page(back).count("checked") >= 2 + 2  # both dangers, the kind, the day
    assert Report.objects.count() == 0


def test_checked_and_changed_answers_come_back(office: Office) -> None:
    client = factories.client(office.official)
    checked = client.post("/log", command(**TYPED))
    assert "Is this right?" in page(checked)
    changed = client.post("/log", command(**TYPED | {"step": "change"}))
    assert "The roof &amp; the hall" in page(changed)
    assert Report.objects.count() == 0


# -- one act is one act ---------------------------------------------------------------------------------


def test_a_report_sent_twice_is_one_report(office: Office) -> None:
    client, sent = factories.client(office.official), command(**TYPED | {"step": "save"})
    first, second = client.post("/log", sent), client.post("/log", sent)
    report = Report.objects.get()
    assert first.status_code == second.status_code == 302
    assert first.url == second.url == f"/log/done?r={report.reference}"
    assert client.post("/log", TYPED | {"step": "save"}).status_code == 400  # no form of ours
    assert Report.objects.count() == 1


# -- what is refused says why ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address", ["/reports", "/reports.csv", "/map", "/map/tiles/0/0/0.json", "/data", "/versions.csv"]
)
@pytest.mark.parametrize(
    ("query", "named"),
    [("colour=red", "colour"), ("from=yesterday", "from"), ("bbox=1,2", "bbox"), ("area=XX", "area")],
)
def test_a_filter_that_is_not_understood_is_named(
    office: Office, address: str, query: str, named: str
) -> None:
    answer = factories.client().get(f"{address}?{query}")
    assert answer.status_code == 400
    assert f"<code>{named}</code>" in page(answer) or f"“{named}”" in page(answer)


def test_a_choice_that_is_none_is_named(office: Office) -> None:
    for query in ("area=XX", "kind=XX"):
        assert "XX is not one of the available choices" in page(factories.client().get(f"/reports?{query}"))


def test_a_list_counts_further_when_it_is_asked_to(office: Office, monkeypatch: Any) -> None:
    monkeypatch.setattr("registry.filters.selection.ROWS_COUNTED", 1)
    monkeypatch.setitem(Selection.page.__kwdefaults__, "size", 1)
    for _number in range(2):
        factories.report(cause="wind", damage_level="minor")
    client = factories.client(office.official)
    address = "/reports?level=minor&cause=wind"
    assert 'At least 1 reports</strong> <a href="/reports?level=minor&amp;cause=wind&amp;count=all">' in page(
        client.get(address)
    )
    assert "Count(" not in page(client.get(address))
    assert "2 reports</strong>" in page(client.get(f"{address}&count=all"))
    assert client.get(f"{address}&count=some").status_code == 400


@pytest.mark.parametrize("query", ["", "area=UA-63&status=verified&to=2026-03-20", "as_of=2026-03-11"])
def test_a_list_reads_all_its_rows_at_once(office: Office, query: str) -> None:
    statements = []
    client = factories.client(office.official)
    client.get("/")  # notes when they were last seen
    for _number in range(2):
        factories.report(danger="gas")
        changed = factories.report(danger="gas")
        factories.change(changed, at=factories.AT + timedelta(days=5), summary="Later")
        with CaptureQueriesContext(connection) as captured:
            answer = page(client.get(f"/reports?{query}"))
        statements.append(len(captured))
    assert answer.count('class="reference"') == 4
    assert statements[0] == statements[1]


def test_an_edit_of_what_another_has_changed_shows_both_values(office: Office) -> None:
    report = factories.report(by=office.official, adm1_name="Kharkiv")
    here, there = factories.client(office.official), factories.client(office.colleague)
    mine = here.post(f"/r/{report.reference}/edit", command(**EDITED, since=1, summary="Roof damaged"))
    assert mine.status_code == 302
    late = there.post(f"/r/{report.reference}/edit", command(**EDITED, since=1, summary="Roof gone"))
    assert late.status_code == 409
    assert "Roof damaged" in page(late)
    assert "Roof gone" in page(late)
    report.refresh_from_db()
    assert report.summary == "Roof damaged"
    other = there.post(f"/r/{report.reference}/edit", command(**EDITED, since=1, object_name="School 3"))
    assert other.status_code == 409  # the summary it would empty is not the one it began from
    again = there.post(
        f"/r/{report.reference}/edit", command(**EDITED, since=report.version, summary="Roof gone")
    )
    assert again.status_code == 302


@pytest.mark.parametrize("since", ["99", "0", "-1", "²", "9" * 5000])
def test_a_form_that_began_from_no_version_is_refused(office: Office, since: str) -> None:
    report = factories.report(by=office.official, status="reported", adm1_name="Kharkiv")
    client = factories.client(office.colleague)
    edited = client.post(f"/r/{report.reference}/edit", command(**EDITED, since=since, summary="Roof gone"))
    asked = client.post(f"/r/{report.reference}/move/ask", command(question="Which wing?", since=since))
    assert ["no such version" in page(answer) for answer in (edited, asked)] == [True, True]
    assert Entry.objects.filter(report=report).count() == 1


def test_a_move_that_is_not_allowed_says_why(office: Office) -> None:
    hands = {"logged": [office.inspector.pk]}
    report = factories.report(by=office.inspector, status="reported", hands=hands)
    answer = factories.client(office.official).get(f"/r/{report.reference}/move/verify")
    assert answer.status_code == 403
    assert "inspector" in page(answer).lower()
    own = factories.client(office.inspector).post(
        f"/r/{report.reference}/move/verify", command(happened_on=DAY)
    )
    assert own.status_code == 403
    assert "logged" in page(own)
    assert factories.client(office.inspector).get(f"/r/{report.reference}/move/fly").status_code == 404
    assert Entry.objects.filter(report=report).count() == 1


def test_a_photo_that_is_no_photo_is_refused_inpage(office: Office) -> None:
    report = factories.report(by=office.official)
    fake = SimpleUploadedFile("photo.jpg", b"MZ\x90\x00 not a picture", content_type="image/jpeg")
    answer = factories.client(office.official).post(
        f"/r/{report.reference}/do/evidence", command(documents=fake, stage="damage")
    )
    assert answer.status_code == 200
    assert "This is no photo" in page(answer)
    assert Evidence.objects.count() == 0


# -- who sees what --------------------------------------------------------------------------------------


def test_staff_elsewhere_see_what_is_published_or_nothing(office: Office) -> None:
    at = journal.now() - timedelta(days=9)
    day = {"occurred_from": at.date(), "occurred_to": at.date()}
    shown = factories.report(by=office.official, at=at, description="Ivanova's flat", **day)
    hidden = factories.report(by=office.official, at=at, status="rejected", **day)
    editions.publish()
    there = factories.client(office.elsewhere)
    published = there.get(f"/r/{shown.reference}")
    assert published.status_code == 200
    assert "As published." in page(published)
    assert "Ivanova" not in page(published)
    assert there.get(f"/r/{hidden.reference}").status_code == 404
    for address in (
        f"/r/{shown.reference}/edit",
        f"/r/{shown.reference}/move/ask",
        f"/r/{shown.reference}/do/note",
    ):
        assert there.get(address).status_code == 404
    assert "Ivanova" in page(factories.client(office.official).get(f"/r/{shown.reference}"))


def test_a_resident_sees_what_they_sent_and_no_more(office: Office) -> None:
    values = {"status": "reported", "from_resident": True, "place_typed": "Sobornyi 5"}
    own = factories.report(by=office.resident, **values)
    power = factories.report(
        by=office.resident, kind="outage", sector="electricity", object_type="", damage_level="", **values
    )
    mine = factories.client(office.resident)
    assert "Sobornyi 5" in page(mine.get(f"/r/{own.reference}"))
    assert "Reported" in page(mine.get(f"/r/{own.reference}"))
    assert "Your report was received" in page(mine.get(f"/r/{power.reference}"))
    assert "Reported" not in page(mine.get(f"/r/{power.reference}"))
    assert own.reference in page(mine.get("/my-work"))
    for other in (office.neighbour, office.researcher, None):
        assert factories.client(other).get(f"/r/{own.reference}").status_code == 404
    assert (
        factories.client(office.neighbour)
        .post(f"/r/{own.reference}/move/answer", command(answer="x"))
        .status_code
        == 404
    )


def test_a_resident_answers_the_question_about_their_report(office: Office) -> None:
    own = factories.report(by=office.resident, status="reported", from_resident=True)
    asked = factories.client(office.official).post(
        f"/r/{own.reference}/move/ask", command(question="Which wing?", since=own.version)
    )
    assert asked.status_code == 302
    mine = factories.client(office.resident)
    assert "Which wing?" in page(mine.get(f"/r/{own.reference}"))
    answered = mine.post(f"/r/{own.reference}/move/answer", command(answer="The left one"))
    assert answered.status_code == 302
    own.refresh_from_db()
    assert own.status == "reported"
    assert "The left one" in page(factories.client(office.official).get(f"/r/{own.reference}"))


def test_evidence_is_for_those_who_work_on_the_report(office: Office) -> None:
    at = journal.now() - timedelta(days=9)
    report = factories.report(by=office.official, at=at, occurred_from=at.date(), occurred_to=at.date())
    files = [photo("Roof", (9, 9, 9))]
    sent = factories.client(office.official).post(
        f"/r/{report.reference}/do/evidence", command(documents=files, stage="damage")
    )
    assert sent.status_code == 302
    editions.publish()
    line = Evidence.objects.get()
    address = f"/r/{report.reference}/evidence/{line.shown_sha256}"
    assert factories.client(office.inspector).get(address).headers["Content-Type"] == "image/jpeg"
    assert address in page(factories.client(office.official).get(f"/r/{report.reference}"))
    assert factories.client().get(address).status_code == 302
    for other in (office.elsewhere, office.researcher, office.resident):
        assert factories.client(other).get(f"/r/{report.reference}").status_code == 200
        assert line.shown_sha256 not in page(factories.client(other).get(f"/r/{report.reference}"))
        assert factories.client(other).get(address).status_code == 404
    # The file of one report is not reached through another.
    own = factories.report(by=office.elsewhere, adm1_code="UA-23")
    assert (
        factories.client(office.elsewhere).get(f"/r/{own.reference}/evidence/{line.shown_sha256}").status_code
        == 404
    )


def test_hints_of_what_is_nearby_obey_the_scope(office: Office, gazetteer_path: Any) -> None:
    today = timezone.localdate()
    known = factories.report(
        by=office.official,
        status="reported",
        lat=49.9935,
        lon=36.2304,
        geo_precision="exact",
        address="Sobornyi 5",
        occurred_from=today,
        occurred_to=today,
    )
    query = "/reports/nearby?lat=49.9936&lon=36.2305&kind=building"
    assert known.reference in page(factories.client(office.colleague).get(query))
    for other in (office.elsewhere, office.resident, office.researcher):
        assert known.reference not in page(factories.client(other).get(query))
    assert factories.client().get(query).status_code == 302
