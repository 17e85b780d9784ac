"""Files made in the background: asked for, looked at, fetched whole and in parts, taken back, swept."""

import os
import re
import threading
from dataclasses import replace
from datetime import timedelta
from io import BytesIO

import pytest
from django.utils import timezone
from python_calamine import CalamineWorkbook

from registry.actions import editions, incidents
from registry.models import Download, Incident, WantedFile
from registry.outputs.formats import FORMATS
from registry.rules.vocabularies import Role
from registry.upkeep import filing
from tests import factories
from tests.factories import AT, published, report

pytestmark = pytest.mark.django_db
State = WantedFile.State


@pytest.fixture(autouse=True)
def areas(settings, tmp_path):
    settings.SECOND_FACTOR_REQUIRED, settings.DATA_DIR = False, tmp_path
    return factories.ukraine()


def wanted(client, query: str = "", format: str = "xlsx", table: str = "reports") -> str:
    """The address of the page of a file that was asked for."""
    answer = client.post("/files", {"table": table, "format": format, "query": query})
    assert answer.status_code == 302, answer.status_code
    return answer.url


def file_at(page: str) -> str:
    """The address of the file that was made for a page."""
    return f"{page}/{WantedFile.objects.get(key=page.rpartition('/')[2]).name}"


def body(answer) -> bytes:
    return b"".join(answer.streaming_content)


def test_a_visitor_has_a_file_made_and_fetches_it(client):
    factories.edition()
    published(summary="Roof")
    published(object_type="house")
    page = wanted(client, "type=school")
    shown = client.get(page).content.decode()
    assert "<progress" in shown
    assert "Waits for its turn" in shown
    assert "School" in shown
    assert filing.build()
    assert not filing.build()
    assert "Your file is ready" in client.get(page).content.decode()
    answer = client.get(file_at(page))
    assert answer["Content-Disposition"] == 'attachment; filename="damage-reports-public-2026-03-10.xlsx"'
    assert client.get(f"{page}/other.xlsx").status_code == 404
    rows = CalamineWorkbook.from_filelike(BytesIO(body(answer))).get_sheet_by_index(0).to_python()
    assert len(rows) == 2
    assert "Roof" in rows[1]
    download = Download.objects.get()
    assert (download.what, download.filter, download.rows) == ("reports.xlsx", "type=school", 1)


def test_a_download_goes_on_where_it_broke_off(client):
    published()
    page = wanted(client, format="csv")
    filing.build()
    whole = client.get(file_at(page))
    data, tag = body(whole), whole["ETag"]
    part = client.get(file_at(page), headers={"Range": "bytes=100-", "If-Range": tag})
    assert (part.status_code, body(part)) == (206, data[100:])
    assert part["Content-Range"] == f"bytes 100-{len(data) - 1}/{len(data)}"
    changed = client.get(file_at(page), headers={"Range": "bytes=100-", "If-Range": '"other"'})
    assert (changed.status_code, body(changed)) == (200, data)
    beyond = client.get(file_at(page), headers={"Range": f"bytes={len(data)}-"})
    assert beyond.status_code == 416
    assert client.get(file_at(page), headers={"If-None-Match": tag}).status_code == 304


def test_a_file_is_its_owners_alone(client, areas):
    report()
    owner = factories.person(Role.OFFICIAL, areas["UA-63"])
    own = factories.client(owner)
    page = wanted(own, format="csv", table="entries")
    filing.build()
    for other in (client, factories.client(factories.person(Role.OFFICIAL, areas["UA-63"]))):
        for address in (page, file_at(page)):
            assert other.get(address).status_code == 404
        assert other.post(f"{page}/cancel").status_code == 404
    assert client.get("/files/nothing").status_code == 404
    assert body(own.get(file_at(page))).count(b"\n") == 2
    # Whoever sees something else now is not given what they saw.
    owner.areas.set([areas["UA-23"]])
    assert own.get(file_at(page)).status_code == 404


def test_a_file_is_made_of_what_its_owner_saw(areas):
    owner = factories.person(Role.OFFICIAL, areas["UA-63"])
    page = wanted(factories.client(owner), format="csv")
    owner.areas.set([areas["UA-23"]])
    filing.build()
    made = WantedFile.objects.get()
    assert made.state == State.FAILED
    assert not filing.path_of(made).exists()
    assert page.endswith(made.key)


@pytest.mark.parametrize(
    ("data", "status"),
    [
        ({"table": "secrets", "format": "csv"}, 404),
        ({"table": "reports", "format": "sav"}, 404),
        ({"table": "reports", "format": "csv", "query": "colour=red"}, 400),
        ({"table": "versions", "format": "csv", "query": "as_of=2026-03-10"}, 400),
        ({"table": "entries", "format": "csv"}, 302),
    ],
)
def test_what_cannot_be_made_is_refused(client, data, status):
    factories.edition()
    answer = client.post("/files", data)
    assert answer.status_code == status
    assert not WantedFile.objects.exists()
    assert status != 302 or answer.url.startswith("/sign-in")


def test_only_so_many_wait(client, areas):
    for _number in range(filing.MOST_WAITING):
        wanted(client)
    full = client.post("/files", {"table": "reports", "format": "csv"})
    assert full.status_code == 503
    own = factories.client(factories.person(Role.OFFICIAL, areas["UA"]))
    assert wanted(own) == wanted(own)


def test_what_is_withdrawn_takes_the_files_of_audiences_with_it(client, areas):
    factories.edition()
    made = report()
    published(report=made)
    published("researcher", report=made)
    page = wanted(client, "type=school", format="csv")
    office = factories.client(factories.person(Role.OFFICIAL, areas["UA"]))
    kept = wanted(office, format="csv")
    filing.build()
    filing.build()
    editions.retract(made)
    assert client.get(file_at(page)).status_code == 404
    shown = client.get(page).content.decode()
    assert ("Taken back" in shown, "It is kept until" in shown) == (True, False)
    asked = dict(re.findall(r'name="(table|format|query)" value="(.*?)"', shown))
    assert asked == {"table": "reports", "format": "csv", "query": "type=school"}
    assert office.get(file_at(kept)).status_code == 200


def test_what_is_published_no_more_takes_them_too(client, areas):
    supervisor = factories.person(Role.SUPERVISOR, areas["UA"])
    incident = Incident.objects.create(
        title="Storm", cause_group="weather", began_at=AT, created_at=AT, published=True
    )
    page = wanted(client, format="csv", table="statements")
    filing.build()
    incidents.publish(incident.reference, by=supervisor, published=False)
    assert client.get(file_at(page)).status_code == 404


def test_what_fails_says_so_and_is_not_tried_for_ever(client, monkeypatch):
    def broken(sheet, sink):
        sink.write(b"half")
        raise RuntimeError("gone")

    monkeypatch.setitem(FORMATS, "csv", replace(FORMATS["csv"], write=broken))
    page = wanted(client, format="csv")
    with pytest.raises(RuntimeError, match="gone"):
        filing.build()
    assert "Something went wrong" in client.get(page).content.decode()
    assert not filing.build()
    assert not list((filing.settings.DATA_DIR / "files").glob("*"))


@pytest.mark.django_db(transaction=True)
def test_a_file_in_the_making_is_watched_and_can_be_stopped(client, monkeypatch):
    go_on, left = threading.Event(), threading.Event()

    def slow(sheet, sink):
        sheet.seen(1)
        go_on.wait(30)
        try:
            sink.write(b"more")
        except Exception:
            left.set()
            raise
        return 1

    published()
    published()
    monkeypatch.setattr(filing, "_LOOK", 0.2)
    monkeypatch.setitem(FORMATS, "csv", replace(FORMATS["csv"], write=slow))
    page = wanted(client, format="csv")
    while not WantedFile.objects.filter(done=1, rows=2).exists():
        assert filing.build()
    assert "50 %" in client.get(page).content.decode()
    client.post(f"{page}/cancel")
    assert filing.build()
    go_on.set()
    assert left.wait(10)
    assert not filing.build()
    assert client.get(page).status_code == 404


def test_another_worker_makes_what_one_left_behind(client):
    published()
    wanted(client, format="csv")
    assert filing._taken() is not None
    assert not filing.build()
    WantedFile.objects.update(leased_until=timezone.now() - timedelta(seconds=1))
    assert filing.build()
    assert WantedFile.objects.get().state == State.DONE


def test_what_was_kept_long_enough_is_swept(client, tmp_path):
    published()
    wanted(client, format="csv")
    wanted(client, format="ndjson")
    filing.build()
    filing.build()
    WantedFile.objects.filter(format="csv").update(created_at=AT - filing.KEPT)
    left = tmp_path / f"{filing.MAKING}folder"
    left.mkdir()
    (left / "part").touch()
    for path in (left, *(tmp_path / "files").iterdir()):
        os.utime(path, (0, 0))
    filing.forget()
    (kept,) = WantedFile.objects.all()
    assert list((tmp_path / "files").iterdir()) == [filing.path_of(kept)]
    assert not left.exists()
