"""What programs log, change and move: by the forms and rights of the pages, once for each id."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from registry.actions import tokens
from registry.actions.sampling import photo
from registry.models import Entry, Evidence, Person, Report
from tests import factories
from tests.api.test_reading import problem

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("gazetteer_path")]
API = "/api/v1"
NOW = datetime.now(UTC).replace(microsecond=0)
DAY = (NOW - timedelta(days=2)).date()
HOUSE = {
    "kind": "building", "object_type": "house", "area": "UA-63", "lat": 50.01, "lon": 36.23,
    "occurred_to": f"{DAY}", "danger": ["gas"], "dwellings_total": 4,
}  # fmt: skip


@pytest.fixture(autouse=True)
def _one_factor(settings: Any) -> None:
    settings.SECOND_FACTOR_REQUIRED = False


class Program:
    """What somebody's token does."""

    def __init__(self, person: Person, scope: str = "work") -> None:
        self.person = person
        _token, secret = tokens.make(person, name="test", scope=scope, days=7)
        self.headers = {"Authorization": f"Bearer {secret}"}

    def send(self, method: str, address: str, body: Any = None, **headers: str) -> Any:
        ask = getattr(Client(enforce_csrf_checks=True), method)
        return ask(API + address, body, content_type="application/json", headers={**self.headers, **headers})

    def post(self, address: str, **body: Any) -> Any:
        return self.send("post", address, body)

    def patch(self, address: str, body: Any, **headers: str) -> Any:
        return self.send("patch", address, body, **headers)

    def read(self, address: str) -> Any:
        return Client().get(API + address, headers=self.headers)


@pytest.fixture
def areas() -> dict[str, Any]:
    return factories.ukraine()


@pytest.fixture
def official(areas: dict[str, Any]) -> Program:
    return Program(factories.person("official", areas["UA-63"]))


def report(**fields: Any) -> Report:
    days = {"occurred_from": DAY, "occurred_to": DAY}
    return factories.report(at=NOW - timedelta(days=1), **days | fields)


def outage(**fields: Any) -> Report:
    values = {
        "kind": "outage",
        "object_type": "",
        "damage_level": "",
        "sector": "water",
        "status": "reported",
    }
    return report(**values | fields)


# -- logging -------------------------------------------------------------------------------------------


def test_a_report_is_logged_by_the_form_of_the_pages(official: Program) -> None:
    answer = official.post("/reports", **HOUSE)
    assert answer.status_code == 201, answer.content
    told = answer.json()
    made = Report.objects.get(reference=told["reference"])
    assert (made.logged_by, made.danger, made.dwellings_total) == (official.person, "gas", 4)
    assert (told["version"], told["status"], answer["Location"]) == (1, "reported", told["url"])
    assert official.read(f"/reports/{made.reference}").json()["office"]["version"] == 1


def test_the_same_id_is_one_act_with_one_answer(official: Program) -> None:
    sent = HOUSE | {"client_id": str(uuid4())}
    first = official.post("/reports", **sent)
    factories.change(Report.objects.get(), at=NOW, summary="Changed since")
    second = official.post("/reports", **sent)
    assert (second.status_code, second.content) == (201, first.content)
    assert Report.objects.count() == 1
    other = official.post("/reports", **sent | {"dwellings_total": 5})
    assert (other.status_code, problem(other)["type"].rpartition("#")[2]) == (409, "id-used")
    stranger = Program(factories.person("official"))
    assert stranger.post("/reports", **sent).status_code == 409
    assert Report.objects.count() == 1


@pytest.mark.parametrize(
    ("wrong", "pointer"),
    [
        ({"colour": "red"}, "/colour"),
        ({"kind": "castle"}, "/kind"),
        ({"kind": ["building"]}, "/kind"),
        ({"danger": "gas"}, "/danger"),
        ({"dwellings_total": "4"}, "/dwellings_total"),
        ({"dwellings_total": 4.5}, "/dwellings_total"),
        ({"lat": True}, "/lat"),
        ({"lat": None}, "/lat"),
        ({"lon": -1.2e308}, "/lon"),
        ({"summary": "\ud800"}, "/summary"),
        ({"summary": "a\x00b"}, "/summary"),
        ({"description": "x" * 10_001}, "/description"),
        ({"occurred_to": f"{NOW + timedelta(days=400):%Y-%m-%d}"}, "/occurred_to"),
        ({"started_at": "0001-01-01T00:00:00+14:00"}, "/started_at"),
        ({"occurred_to": "9999-12-31", "date_precision": "month"}, "/occurred_to"),
        ({"client_id": "1"}, "/client_id"),
        ({"client_id": 1}, "/client_id"),
        ({"since": 1.5}, "/since"),
    ],
)
def test_a_field_that_is_wrong_is_named(official: Program, wrong: dict[str, Any], pointer: str) -> None:
    answer = official.post("/reports", **HOUSE | wrong)
    assert answer.status_code == 422, answer.content
    assert pointer in [error["pointer"] for error in problem(answer)["errors"]]
    assert not Report.objects.exists()


def test_a_refusal_names_each_field_in_its_own_words_too(official: Program) -> None:
    made = report(status="reported")
    at = f"/reports/{made.reference}"
    detail = problem(official.post(f"{at}/deeds/assess"))["detail"]
    assert {"grade: This field is required.", "method: This field is required."} <= {*detail.split("; ")}
    began = problem(official.patch(at, {"since": 9, "summary": "x"}))["detail"]
    assert began.startswith("since: This report has had no such version")


@pytest.mark.parametrize(
    ("body", "media_type", "status"),
    [
        (b"{", "application/json", 400),
        (b'{"kind": "building", "kind": "outage"}', "application/json", 400),
        (b'{"lat": NaN}', "application/json", 400),
        (b'{"dwellings_total": 1e400}', "application/json", 422),
        (b"[" * 100_000, "application/json", 400),
        (b"\xff", "application/json", 400),
        (b"[]", "application/json", 422),
        (b"", "application/json", 422),
        (b"kind=building", "application/x-www-form-urlencoded", 415),
        (b"<kind/>", "text/xml", 415),
        (b"--x", "multipart/form-data", 400),
        (b'"' + b"x" * 3_000_000 + b'"', "application/json", 413),
    ],
)
def test_a_body_that_cannot_be_read_is_a_problem(
    official: Program, body: bytes, media_type: str, status: int
) -> None:
    answer = Client().post(f"{API}/reports", body, content_type=media_type, headers=official.headers)
    assert (answer.status_code, problem(answer)["status"]) == (status, status)


def test_a_token_serves_for_its_scope_alone(areas: dict[str, Any]) -> None:
    person = factories.person("official", areas["UA-63"])
    reading, logging = Program(person, "read"), Program(person, "log")
    refused = reading.post("/reports", **HOUSE)
    assert (refused.status_code, problem(refused)["type"].rpartition("#")[2]) == (403, "scope")
    assert 'scope="log"' in refused["WWW-Authenticate"]
    logged = logging.post("/reports", **HOUSE)
    assert logged.status_code == 201
    at = f"/reports/{logged.json()['reference']}"
    assert problem(logging.post(f"{at}/deeds/note", note="x"))["type"].endswith("#scope")
    assert problem(logging.post(f"{at}/moves/ask", question="x"))["type"].endswith("#scope")
    assert problem(logging.patch(at, {"since": 1}))["type"].endswith("#scope")


def test_a_session_writes_with_the_token_against_forgery_alone(areas: dict[str, Any]) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(factories.person("official", areas["UA-63"]))
    refused = browser.post(f"{API}/reports", HOUSE, content_type="application/json")
    assert (refused.status_code, "CSRF" in problem(refused)["detail"]) == (403, True)
    browser.get("/account")
    given = browser.cookies["csrftoken"].value
    answer = browser.post(
        f"{API}/reports", HOUSE, content_type="application/json", headers={"X-CSRFToken": given}
    )
    assert answer.status_code == 201


# -- changing ------------------------------------------------------------------------------------------


def test_an_edit_changes_what_was_sent_and_nothing_else(official: Program) -> None:
    made = report(lat=50.01, lon=36.23, summary="Roof gone", description="Two rooms", geocode_state="typed")
    answer = official.patch(f"/reports/{made.reference}", {"since": 1, "summary": "Roof and wall gone"})
    assert answer.status_code == 200, answer.content
    assert (answer.json()["summary"], answer.json()["office"]["version"]) == ("Roof and wall gone", 2)
    body = Entry.objects.get(report=made, number=2).body
    assert ('"summary"' in body, '"lat"' in body, '"description"' in body) == (True, False, False)
    cleared = official.patch(f"/reports/{made.reference}", {"since": 2, "description": None})
    assert cleared.json()["office"]["description"] is None


def test_the_timeline_tells_what_an_edit_changed(official: Program) -> None:
    made = report(lat=50.01, lon=36.23, dwellings_total=4, object_name="No. 4")
    at = f"/reports/{made.reference}"
    changed = official.patch(at, {"since": 1, "dwellings_total": 3, "object_name": None})
    assert changed.status_code == 200, changed.content
    told = official.read(f"{at}/timeline").json()["timeline"][0]["changes"]
    pairs = [(one["before"], one["after"]) for one in told]
    assert {("No. 4", "nothing"), ("4", "3")} <= set(pairs)


def test_a_conflict_shows_both_values_side_by_side(official: Program) -> None:
    made = report(summary="Roof gone", lat=50.01, lon=36.23)
    factories.change(made, at=NOW, summary="Roof patched")
    at = f"/reports/{made.reference}"
    answer = official.patch(at, {"since": 1, "summary": "Roof and wall gone", "object_name": "No. 4"})
    (error,) = problem(answer)["errors"]
    assert (answer.status_code, error["pointer"]) == (409, "/summary")
    assert (error["now"], error["asked"]) == ("Roof patched", "Roof and wall gone")
    assert official.patch(at, {"since": 1, "object_name": "No. 4"}).status_code == 200
    assert Report.objects.get().summary == "Roof patched"


def test_an_edit_says_what_it_began_from(official: Program) -> None:
    made = report(lat=50.01, lon=36.23)
    at = f"/reports/{made.reference}"
    assert problem(official.patch(at, {"summary": "x"}))["errors"][0]["pointer"] == "/since"
    tag = official.read(at)["ETag"]
    changed = official.patch(at, {"summary": "x"}, **{"If-Match": tag})
    assert (changed.status_code, changed["ETag"] == official.read(at)["ETag"]) == (200, True)
    stale = official.patch(at, {"object_name": "y"}, **{"If-Match": tag})
    assert (stale.status_code, problem(stale)["type"].rpartition("#")[2]) == (412, "changed")
    assert (
        official.patch(at, {"object_name": "y"}, **{"If-Match": f'"x", {changed["ETag"]}'}).status_code == 200
    )


def test_an_edit_sent_twice_is_one(official: Program) -> None:
    made = report(lat=50.01, lon=36.23)
    sent = {"since": 1, "summary": "x", "client_id": str(uuid4())}
    for _time in range(2):
        assert official.patch(f"/reports/{made.reference}", sent).json()["office"]["version"] == 2


@pytest.mark.parametrize("since", [99, 4, 0, -1])
def test_what_began_from_no_version_that_there_was_is_refused(official: Program, since: int) -> None:
    made = report(status="reported", lat=50.01, lon=36.23)
    for name in ("No. 4", "No. 5"):
        factories.change(made, at=NOW, object_name=name)
    at, grade = f"/reports/{made.reference}", {"method": "desk", "grade": "ems98:3", "assessed_on": f"{DAY}"}
    for answer in (
        official.patch(at, {"since": since, "object_name": "School 6"}),
        official.post(f"{at}/moves/ask", since=since, question="Which floor?"),
        official.post(f"{at}/deeds/assess", since=since, **grade),
        official.post(f"{at}/deeds/note", since=since, note="Seen"),
    ):
        (error,) = problem(answer)["errors"]
        assert (answer.status_code, error["pointer"]) == (422, "/since")
    assert Report.objects.get().version == 3


def test_deeds_that_set_what_another_has_set_since_are_conflicts(official: Program) -> None:
    made = report(status="verified", lat=50.01, lon=36.23)
    at, plan = f"/reports/{made.reference}/deeds", {"cost": 10, "currency": "EUR", "funder": "Oblast"}
    grade = {"method": "desk", "assessed_on": f"{DAY}"}
    assert official.post(f"{at}/plan", since=1, scope="Roof", **plan).status_code == 200
    assert official.post(f"{at}/assess", since=1, grade="ems98:3", **grade).status_code == 200
    for name, field, body in (
        ("plan", "scope", {"scope": "Roof and wall", **plan}),
        ("assess", "grade", {"grade": "ems98:4", **grade}),
    ):
        stale = official.post(f"{at}/{name}", since=1, **body)
        assert [error["pointer"] for error in problem(stale)["errors"]] == [f"/{field}"]
        assert (stale.status_code, official.post(f"{at}/{name}", since=3, **body).status_code) == (409, 200)


# -- moves and deeds -----------------------------------------------------------------------------------


def test_a_move_takes_its_evidence_and_is_made_once(official: Program) -> None:
    made = report(status="reported")
    at = f"/reports/{made.reference}/moves/ask"
    missing = official.post(at)
    assert (missing.status_code, problem(missing)["errors"][0]["pointer"]) == (422, "/question")
    sent = {"question": "Which floor?", "client_id": str(uuid4())}
    first, second = official.post(at, **sent), official.post(at, **sent)
    assert (first.status_code, first.json()["status"], second.content) == (200, "needs_info", first.content)
    again = official.post(at, question="Which floor?")
    assert (again.status_code, problem(again)["type"].rpartition("#")[2]) == (409, "closed")


def test_a_move_is_refused_to_other_roles_and_where_it_was_decided_on_something_else(
    areas: dict[str, Any], official: Program
) -> None:
    made = report(status="reported", geo_precision="exact", lat=50.01, lon=36.23)
    verify = {"method": "field", "grade": "ems98:2", "part_seen": "outside"}
    at = f"/reports/{made.reference}/moves/verify"
    assert problem(official.post(at, **verify))["status"] == 403
    factories.change(made, at=NOW, object_type="house")
    inspector = Program(factories.person("inspector", areas["UA-63"]))
    stale = inspector.post(at, since=1, **verify)
    assert (stale.status_code, problem(stale)["errors"][0]["column"]) == (409, "object_type")
    done = inspector.post(at, since=2, **verify)
    assert (done.status_code, done.json()["status"]) == (200, "verified"), done.content
    assert official.post(f"/reports/{made.reference}/moves/nonsense").status_code == 404


def test_assessments_steps_estimates_sources_and_notes(areas: dict[str, Any], official: Program) -> None:
    made = report()
    at = f"/reports/{made.reference}"
    assert (
        official.post(f"{at}/deeds/assess", method="desk", grade="ems98:3", assessed_on=f"{DAY}").status_code
        == 200
    )
    (line,) = official.read(f"{at}/assessments").json()["assessments"]
    assert (line["scale_grade"], line["recorded_by"]) == ("3", str(official.person))
    assert official.post(f"{at}/deeds/source", type="media", name="Post").status_code == 200
    assert official.read(f"{at}/sources").json()["sources"][0]["name"] == "Post"
    assert official.post(f"{at}/deeds/note", note="Seen").json()["version"] == 4
    supply = outage(customers_unit="accounts")
    at = f"/reports/{supply.reference}"
    lost = official.post(
        f"{at}/moves/confirm", cause_group="unknown", customers_unit="accounts", customers_lost=100
    )
    assert lost.status_code == 200, lost.content
    then = f"{NOW - timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}"
    back = official.post(f"{at}/deeds/step", direction="back", customers=60, at=then)
    assert (back.status_code, back.json()["status"]) == (200, "partially_restored"), back.content
    assert [step["customers"] for step in official.read(f"{at}/steps").json()["steps"]] == [100, 60]
    soon = f"{NOW + timedelta(hours=5):%Y-%m-%dT%H:%M:%SZ}"
    assert official.post(f"{at}/deeds/estimate", given_at=then, restored_by=soon).status_code == 200
    assert official.read(f"{at}/estimates").json()["estimates"][0]["restored_by"] == soon
    closed = official.post(f"{at}/deeds/assess", method="desk", grade="ems98:3", assessed_on=f"{DAY}")
    assert (closed.status_code, problem(closed)["type"].rpartition("#")[2]) == (409, "closed")


def test_photos_are_attached_as_a_form(official: Program) -> None:
    made = report()
    at = f"{API}/reports/{made.reference}/deeds/evidence"

    def attach(client_id: str, colour: tuple[int, int, int] = (9, 9, 9), **more: str) -> Any:
        file = photo("Here", colour)
        body = {"documents": file, "caption": "South side", "client_id": client_id, **more}
        return Client().post(at, body, headers=official.headers)

    sent = str(uuid4())
    assert attach(sent).status_code == 200, attach(sent).content
    assert (attach(sent).status_code, attach(sent, (8, 8, 8)).status_code) == (200, 409)
    (line,) = official.read(f"/reports/{made.reference}/evidence").json()["evidence"]
    assert line["caption"] == "South side"
    file = Client().get(line["url"], headers=official.headers | {"Accept": "image/jpeg"})
    assert (file["Content-Type"], b"".join(file)[:2]) == ("image/jpeg", b"\xff\xd8")
    text = SimpleUploadedFile("note.txt", b"words")
    refused = Client().post(at, {"documents": text}, headers=official.headers)
    assert (refused.status_code, "no photo" in problem(refused)["detail"]) == (422, True)
    assert problem(attach(str(uuid4()), shade="red"))["errors"][0]["pointer"] == "/shade"
    assert Evidence.objects.count() == 1


def test_a_file_that_is_too_large_is_a_problem(official: Program, settings: Any) -> None:
    made = report()
    settings.MAX_IMPORT_BYTES = 1000
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    body = {"documents": SimpleUploadedFile("big.jpg", b"x" * 5000)}
    answer = Client().post(f"{API}/reports/{made.reference}/deeds/evidence", body, headers=official.headers)
    assert problem(answer)["status"] == 413


def test_what_may_be_done_next_is_what_the_page_offers(official: Program) -> None:
    made = report(status="reported", by=official.person)
    told = official.read(f"/reports/{made.reference}/next").json()
    moves = {move["name"]: move for move in told["moves"]}
    assert (moves["ask"]["open"], moves["verify"]["open"]) == (True, False)
    assert "role" in moves["verify"]["why_not"]
    assert {"note", "evidence"} <= {deed["name"] for deed in told["deeds"]}


def test_a_resident_answers_what_they_are_asked_and_no_more(areas: dict[str, Any]) -> None:
    resident = Program(factories.person("resident"))
    logged = resident.post("/reports", **HOUSE | {"source_type": "resident"})
    assert logged.status_code == 201, logged.content
    made = Report.objects.get()
    factories.change(made, at=NOW, status="needs_info")
    at = f"/reports/{made.reference}"
    told = resident.read(f"{at}/next").json()
    assert [move["name"] for move in told["moves"]] == ["answer"]
    assert resident.post(f"{at}/deeds/note", note="x").status_code == 403
    assert resident.patch(at, {"since": 1}).status_code == 403
    assert resident.post(f"{at}/moves/answer", answer="The third").json()["status"] == "reported"
    elsewhere = report()
    assert resident.post(f"/reports/{elsewhere.reference}/deeds/note", note="x").status_code == 404
