"""Releases in the browser: what everybody sees of them, who may take their files, and asking for one."""

import re
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command

from registry.actions import editions, releases, reports
from registry.actions.journal import Refused
from registry.filters import BadFilter
from registry.models import Download, Edition, Release
from registry.rules.vocabularies import Role
from registry.upkeep import releasing
from tests import factories
from tests.factories import client, report

pytestmark = pytest.mark.django_db(transaction=True)

FIRST = datetime(2026, 3, 12, 3, tzinfo=UTC)
SEEN = {"lat": 50.0011, "lon": 36.2049, "adm1_code": "UA-63", "counts_from": FIRST - timedelta(days=3)}


@pytest.fixture(autouse=True)
def country(settings, tmp_path):
    settings.DATA_DIR = tmp_path
    settings.SECOND_FACTOR_REQUIRED = False
    areas = factories.ukraine()
    report(at=FIRST - timedelta(days=2), object_type="school", object_name="Lyceum 7", **SEEN)
    editions.publish(at=FIRST)
    return areas["UA"]


@pytest.fixture
def researcher(country):
    return factories.person(Role.RESEARCHER)


def made(audience="public", **asked):
    release = releases.ask(audience=audience, by=None, title=f"For the {audience}", **asked)
    releasing.make(release)
    release.refresh_from_db()
    return release


def test_a_visitor_reads_what_a_release_is_and_takes_the_files_of_the_public(researcher):
    public, inner = made(), made("researcher")
    listed = client().get("/releases").content.decode()
    assert "For the public" in listed
    assert "For the researcher" in listed
    page = client().get(f"/releases/{inner.number}").content.decode()
    assert inner.checksum in page
    assert "For the researcher" in page
    # Neither rows nor files of what is not theirs.
    assert "reports.csv" not in page
    assert "Rows of" not in page
    assert client().get(f"/releases/{inner.number}/reports.csv").status_code == 403
    for name in [file["name"] for file in public.files] + ["SHA256SUMS"]:
        answer = client().get(f"/releases/{public.number}/{name}")
        assert b"".join(answer.streaming_content) == (releases.folder(public) / name).read_bytes()
    theirs = b"".join(client(researcher).get(f"/releases/{inner.number}/reports.csv").streaming_content)
    assert b"Lyceum 7" in theirs


def test_a_file_goes_on_where_it_broke_off_and_a_download_is_logged_once(country):
    release = made()
    whole = (releases.folder(release) / "reports.csv").read_bytes()
    address = f"/releases/{release.number}/reports.csv"
    first = client().get(address)
    list(first.streaming_content)
    part = client().get(address, headers={"Range": "bytes=100-", "If-Range": first["ETag"]})
    assert (part.status_code, b"".join(part.streaming_content)) == (206, whole[100:])
    logged = Download.objects.get()
    assert (logged.what, logged.filter, logged.rows) == (f"release {release.number}", "reports.csv", 1)


@pytest.mark.parametrize("name", ["rows", "..", "reports.xlsx", "%2e%2e%2fsecret-key"])
def test_there_are_no_other_files(country, name):
    assert client().get(f"/releases/{made().number}/{name}").status_code == 404


def test_a_file_that_is_lost_is_no_error_of_whoever_asks(country, caplog):
    release = made()
    (releases.folder(release) / "crosswalk.csv").unlink()
    lost = client().get(f"/releases/{release.number}/crosswalk.csv")
    assert lost.status_code == 503
    assert "not where it should be" in lost.content.decode()
    assert "lacks its file crosswalk.csv" in caplog.text


def test_a_retracted_release_says_so_for_good_and_offers_what_takes_its_place(country, researcher):
    release = made()
    supervisor = factories.person(Role.SUPERVISOR, country)
    reports.withdraw(release_rows(release)[0], by=supervisor, because="safety", note="-")
    gone = client().get(f"/releases/{release.number}/reports.csv")
    assert gone.status_code == 410
    page = client().get(f"/releases/{release.number}").content.decode()
    assert "Retracted on" in page
    assert release.checksum in page
    assert "without it" not in page
    answer = client(researcher).post(f"/releases/{release.number}/succeed")
    after = Release.objects.get(number=2)
    assert answer.url == "/releases/2"
    releasing.make(after)
    assert "/releases/2" in client().get(f"/releases/{release.number}").content.decode()


def release_rows(release):
    content = (releases.folder(release) / "reports.csv").read_text()
    return re.findall(r"^[0-9A-Z]{4}-[0-9A-Z]{4}", content, flags=re.M)


def test_the_data_page_leads_whoever_may_to_a_release_of_its_rows(country, researcher):
    address = "/releases/new?type=school"
    for person, is_led in ((researcher, True), (factories.person(Role.RESIDENT), False), (None, False)):
        page = client(person).get("/data?type=school").content.decode()
        assert (f'href="{address}"' in page) == is_led
        assert ("/releases/new" in client(person).get("/releases").content.decode()) == is_led


def test_the_edition_that_was_looked_at_is_offered_first(researcher):
    editions.publish(at=FIRST + timedelta(days=1))
    first = Edition.objects.get(at=FIRST)
    for query, chosen in (("", Edition.objects.first()), ("?as_of=2026-03-12", first)):
        page = client(researcher).get(f"/releases/new{query}").content.decode()
        assert re.findall(r'<option value="(\d+)" selected', page) == [str(chosen.pk)]


def test_what_is_not_made_is_not_cited_and_may_be_asked_for_again(researcher):
    release = releases.ask(audience="public", by=researcher, query="type=school")
    page = f"/releases/{release.number}"
    assert "How to cite" not in client(researcher).get(page).content.decode()
    releases.fail(release, "OSError: No space left on device")
    shown = client(researcher).get(page).content.decode()
    assert ("How to cite" in shown, "/releases/new?type=school" in shown) == (False, True)


def test_a_parameter_that_would_seem_to_hold_is_refused_by_name(country):
    release = made()
    for address in ("/releases", f"/releases/{release.number}", f"/releases/{release.number}/reports.csv"):
        answer = client().get(f"{address}?area=UA-63")
        assert (answer.status_code, "area" in answer.content.decode()) == (400, True)
    assert client().get("/incidents?area=UA-63").status_code == 400


def test_a_researcher_freezes_a_filter_once(researcher):
    mine = client(researcher)
    page = mine.get("/releases/new?type=school&view=published&as_of=2026-03-12").content.decode()
    assert "School" in page
    edition = re.search(r'<option value="(\d+)"', page)[1]
    command = uuid4()
    for _again in range(2):
        sent = {"command": command, "title": "Schools", "audience": "researcher", "edition": edition}
        assert mine.post("/releases/new?type=school", sent).url == "/releases/1"
    release = Release.objects.get()
    assert (release.query, release.audience, release.by, release.state) == (
        "type=school",
        "researcher",
        researcher,
        "waiting",
    )
    assert 'value="0"' in mine.get("/releases/1").content.decode()
    assert client().get("/releases/1").status_code == 404
    assert "Schools" not in client().get("/releases").content.decode()


def test_a_title_that_turns_the_text_around_it_is_refused(researcher):
    typed = {
        "title": "Schools \u202e1202",
        "audience": "public",
        "edition": Edition.objects.get().pk,
        "command": uuid4(),
    }
    refused = client(researcher).post("/releases/new", typed)
    assert "signs that turn the direction of text" in refused.content.decode()
    assert not Release.objects.exists()


def test_a_filter_that_names_an_edition_freezes_that_one(country):
    editions.publish(at=FIRST + timedelta(days=1))
    first, second = Edition.objects.order_by("at")
    assert releases.ask(audience="public", by=None, query="kind=building").edition == second
    assert releases.ask(audience="public", by=None, query="kind=building&as_of=2026-03-12").edition == first
    with pytest.raises(Refused, match="another edition"):
        releases.ask(audience="public", by=None, query="as_of=2026-03-12", edition=second)
    with pytest.raises(BadFilter, match="no such edition"):
        releases.ask(audience="public", by=None, query="as_of=2001-03-12")


def test_a_command_takes_no_filter_that_was_left_empty(country):
    with pytest.raises(CommandError, match="leave it away"):
        call_command("make_release", filter="area=")
    with pytest.raises(CommandError, match="leave it away"):
        call_command("export_reports", filter="area=", output="-")


def test_what_differs_between_unlike_releases_need_not_have_changed(country, researcher, capsys):
    one, other = made(), made(query="kind=building")
    call_command("compare_releases", str(one.number), str(other.number))
    assert "other audiences or filters" in capsys.readouterr().err
    call_command("compare_releases", str(one.number), str(one.number))
    assert capsys.readouterr().err == ""


def test_what_was_typed_stays_when_something_is_wrong(researcher):
    sent = {"command": uuid4(), "title": "Schools", "audience": "office", "edition": "999"}
    page = client(researcher).post("/releases/new", sent).content.decode()
    assert 'value="Schools"' in page
    assert page.count("error") > 2
    assert client(researcher).get("/releases/new?colour=red").status_code == 400


@pytest.mark.parametrize("role", [Role.RESIDENT, Role.INSPECTOR, Role.OPERATOR])
def test_other_roles_make_none(country, role):
    assert client(factories.person(role, country)).get("/releases/new").status_code == 403
