"""The doors files leave by: who gets which, how, and what is written down about it."""

import csv
import gzip
import json
import socket
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
import zstandard
from django.core.management import CommandError, call_command
from django.test import Client

from registry.columns import COLUMNS
from registry.models import Download
from registry.outputs import dictionary
from registry.outputs.formats import FORMATS
from registry.outputs.tables import TABLES
from registry.rules.vocabularies import Holder, Role
from tests import factories
from tests.factories import AT, published, report

pytestmark = pytest.mark.django_db
NAMES = [column.name for column in COLUMNS]


@pytest.fixture(autouse=True)
def areas(settings):
    settings.SECOND_FACTOR_REQUIRED = False
    return factories.ukraine()


def content(response) -> str:
    assert response.status_code == 200, response.status_code
    # The test client closes a streamed answer when it has been read.
    return (b"".join(response.streaming_content) if response.streaming else response.content).decode()


def rows(response) -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO(content(response))))


def signed_in(client, role, *areas):
    person = factories.person(role, *areas)
    client.force_login(person)
    return person


# -- /reports.csv


def test_each_person_is_given_the_file_of_their_rows(client, areas):
    factories.edition()
    made = report(summary="Office")
    published(report=made, summary="Public")
    published(Holder.RESEARCHER, report=made, summary="Researcher")
    assert [row["summary"] for row in rows(client.get("/reports.csv"))] == ["Public"]
    signed_in(client, Role.RESEARCHER)
    assert [row["summary"] for row in rows(client.get("/reports.csv"))] == ["Researcher"]
    signed_in(client, Role.OFFICIAL, areas["UA-63"])
    assert [row["summary"] for row in rows(client.get("/reports.csv"))] == ["Office"]
    assert [row["summary"] for row in rows(client.get("/reports.csv?view=published"))] == ["Researcher"]
    signed_in(client, Role.OFFICIAL, areas["UA-23"])
    assert rows(client.get("/reports.csv")) == []


def test_the_file_has_a_length_a_name_and_is_kept_by_nobody(client):
    factories.edition()
    published()
    response = client.get("/reports.csv")
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert response["Content-Disposition"] == 'attachment; filename="damage-reports-public-2026-03-10.csv"'
    assert response["Cache-Control"] == "private, no-store"
    length = int(response["Content-Length"])
    text = content(response)
    assert len(text.encode()) == length
    assert text.splitlines()[0] == ",".join(NAMES)


@pytest.mark.parametrize("door", ["/reports.csv", "/versions.csv"])
def test_head_tells_the_name_of_the_file_and_writes_none(client, door):
    told = client.head(door)
    assert (told.status_code, told.getvalue()) == (200, b"")
    assert told["Content-Disposition"].startswith("attachment")
    assert not told.has_header("Content-Length"), "it is not known, and is not 0"
    assert not Download.objects.exists()
    assert client.head(door + "?kind=bridge").status_code == 400


@pytest.mark.parametrize(
    "query", ["area=", "as_of=", "kind=&type=school", "kind=building&kind=", "excel=%20"]
)
def test_a_variable_that_was_not_set_does_not_mean_everything(client, query):
    """Forms send fields that nobody filled in, and get lists; files are asked for by programs."""
    factories.edition()
    published()
    assert client.get(f"/reports?{query.replace('excel', 'area')}").status_code == 200
    refused = client.get(f"/reports.csv?{query}")
    assert refused.status_code == 400
    assert "It is empty: leave it away." in refused.content.decode()


def test_a_wrong_method_is_told_as_such():
    told = Client(enforce_csrf_checks=True).post("/reports.csv")
    assert (told.status_code, told["Allow"]) == (405, "GET, HEAD")


def test_the_filters_are_those_of_the_list(client):
    school, house = published(), published(object_type="house")
    assert [row["reference"] for row in rows(client.get("/reports.csv?type=house"))] == [house.reference]
    assert [row["reference"] for row in rows(client.get("/reports.csv?type=school"))] == [school.reference]


def test_as_of_an_edition(client):
    factories.edition()
    factories.past(since=AT, until=AT + timedelta(days=1), summary="Then")
    published(at=AT + timedelta(days=1), summary="Now")
    assert [row["summary"] for row in rows(client.get("/reports.csv?as_of=2026-03-10"))] == ["Then"]
    assert client.get("/reports.csv?as_of=2026-03-09").status_code == 400


@pytest.mark.parametrize("door", ["/reports.csv", "/versions.csv", "/data"])
@pytest.mark.parametrize(
    "query", ["colour=red", "kind=ship", "area=XX-9", "danger=1", "as_of=x", "excel=yes"]
)
def test_what_is_not_understood_is_a_400_that_names_it(client, door, query):
    published()
    response = client.get(f"{door}?{query}&type=school")
    assert response.status_code == 400
    page = response.content.decode()
    assert query.partition("=")[0] in page
    assert f"{door}?type=school" in page


def test_every_download_is_logged(client, areas):
    report()
    person = signed_in(client, Role.OFFICIAL, areas["UA"])
    content(client.get("/reports.csv?type=school&excel=1"))
    content(client.get("/entries.csv"))
    last, first = Download.objects.all().order_by("-pk")
    assert (first.by, first.holder, first.what, first.filter, first.rows) == (
        person, "office", "reports.csv", "type=school", 1,
    )  # fmt: skip
    assert (last.what, last.rows) == ("entries.csv", 1)


def test_a_download_too_many_is_sent_back_later(client, settings, tmp_path):
    settings.DOWNLOADS_AT_ONCE, settings.DATA_DIR = 1, tmp_path
    published()
    first = client.get("/reports.csv")
    second = client.get("/reports.csv")
    assert second.status_code == 503
    assert int(second["Retry-After"]) > 0
    assert Download.objects.count() == 1
    content(first)
    assert len(rows(client.get("/reports.csv"))) == 1


def test_what_fails_before_the_first_byte_is_no_file(client, monkeypatch):
    def broken(sheet, sink, **variant):
        sink.write(b"reference\n")
        raise RuntimeError("gone")

    monkeypatch.setitem(FORMATS, "csv", replace(FORMATS["csv"], write=broken))
    with pytest.raises(RuntimeError, match="gone"):
        client.get("/reports.csv")
    monkeypatch.undo()
    assert content(client.get("/reports.csv"))


@pytest.mark.django_db(transaction=True)
def test_what_fails_half_way_breaks_the_connection(client, monkeypatch):
    from registry.views import files

    def broken(sheet, sink, **variant):
        sink.write(b"reference\n")
        go_on.wait(10)
        raise RuntimeError("gone")

    import threading

    go_on = threading.Event()
    monkeypatch.setitem(FORMATS, "csv", replace(FORMATS["csv"], write=broken))
    monkeypatch.setattr(files, "SECONDS_TO_FINISH", 0)
    response = client.get("/reports.csv")
    assert "Content-Length" not in response
    parts = iter(response.streaming_content)
    assert next(parts) == b"reference\n"
    go_on.set()
    with pytest.raises(RuntimeError, match="gone"):
        next(parts)
    response.close()


def test_a_client_that_takes_nothing_is_let_go(client):
    ours, theirs = socket.socketpair()
    with ours, theirs:
        response = client.get("/reports.csv", **{"gunicorn.socket": ours})
        assert 0 < ours.gettimeout() <= 3600
        response.close()


@pytest.mark.django_db(transaction=True)
def test_old_http_is_given_the_length_however_long_it_takes(client, monkeypatch):
    from registry.views import files

    published()
    monkeypatch.setattr(files, "SECONDS_TO_FINISH", 0)
    response = client.get("/reports.csv", SERVER_PROTOCOL="HTTP/1.0")
    assert "Content-Length" in response
    assert len(rows(response)) == 1


@pytest.mark.parametrize("query", ["excel=1", "hxl=1", "hxl=no"])
def test_what_only_csv_has_is_refused_elsewhere(client, query):
    response = client.get(f"/reports.ndjson?{query}")
    assert response.status_code == 400
    assert query[:3] in response.content.decode()
    assert "Only CSV" in response.content.decode()


def test_a_format_that_there_is_not_is_a_404_that_names_those_there_are(client):
    response = client.get("/assessments.sav")
    assert response.status_code == 404
    for name in FORMATS:
        assert f"assessments.{name}" in response.content.decode()


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_has_its_name_and_type(client, form):
    factories.edition()
    published()
    for table in TABLES:
        if table != "entries":
            response = client.get(f"/{table}.{form}")
            assert response.status_code == 200
            assert response["Content-Type"] == FORMATS[form].media_type
            assert response["Content-Disposition"].endswith(f'damage-{table}-public-2026-03-10.{form}"')
            assert b"".join(response.streaming_content) or form == "ndjson"


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        ("gzip, deflate, br, zstd", "zstd"),
        ("gzip, deflate", "gzip"),
        ("zstd;q=0.5, gzip;q=0.8", "gzip"),
        ("gzip;q=0", ""),
        ("*", "zstd"),
        ("identity", ""),
        ("gzip;q=much", "gzip"),
    ],
)
def test_a_file_is_packed_as_the_client_takes_it(client, accepted, coding):
    factories.edition()
    published()
    plain = content(client.get("/reports.csv"))
    response = client.get("/reports.csv", headers={"Accept-Encoding": accepted})
    assert response.headers.get("Content-Encoding", "") == coding
    assert ("Content-Length" in response) == (coding == "")
    assert "Accept-Encoding" in response["Vary"]
    data = b"".join(response.streaming_content)
    unpack = {
        "": bytes,
        "gzip": gzip.decompress,
        "zstd": lambda data: zstandard.ZstdDecompressor().decompressobj().decompress(data),
    }
    assert unpack[coding](data).decode() == plain
    xlsx = client.get("/reports.xlsx", headers={"Accept-Encoding": accepted})
    assert "Content-Encoding" not in xlsx
    xlsx.close()


# -- /versions.csv and /entries.csv


def test_versions_and_timelines_hold_all_moments(client, areas):
    published()
    assert [row["valid_to_utc"] for row in rows(client.get("/versions.csv"))] == [""]
    signed_in(client, Role.OFFICIAL, areas["UA"])
    for door in ("/versions.csv", "/entries.csv"):
        assert client.get(f"{door}?as_of=2026-03-10").status_code == 400


def test_the_timeline_is_the_offices_within_its_areas(client, areas):
    report()
    elsewhere = report(adm1_code="UA-23")
    assert client.get("/entries.csv").status_code == 302
    for role in (Role.RESEARCHER, Role.RESIDENT):
        signed_in(client, role)
        assert client.get("/entries.csv").status_code == 403
    signed_in(client, Role.INSPECTOR, areas["UA-23"])
    assert [row["reference"] for row in rows(client.get("/entries.csv"))] == [elsewhere.reference]
    assert client.get("/entries.csv?view=published").status_code == 400


# -- the page and the dictionary


def test_the_page_says_what_is_in_the_file_before_the_click(client):
    factories.edition(withheld={"public": 120, "researcher": 10})
    published()
    published(object_type="house")
    page = client.get("/data?type=school").content.decode()
    assert "about 120 are not in the register’s published rows" in page
    assert "1 row, about 1.3\xa0KB" in page
    assert "/reports.csv?excel=1&amp;type=school" in page
    assert 'href="/reports.csv?type=school"' in page
    assert page.index("excel=1") < page.index('href="/reports.csv?type=school"')
    assert "/data?type=school&amp;as_of=2026-03-10T12:00:00Z" in page  # how to cite it
    assert "/versions.csv?type=school" in page
    assert "entries.csv" not in page
    for name in NAMES:
        assert f"<code>{name}</code>" in page
    assert "Nothing is shown." in page  # networks
    assert "a point of a grid of 0.01°" in page
    assert "danger" not in page


def test_the_page_of_the_office_offers_the_timeline(client, areas):
    report()
    signed_in(client, Role.OFFICIAL, areas["UA"])
    page = client.get("/data").content.decode()
    assert "/entries.csv" in page
    assert "Rejected and duplicate reports are left out." in page


def test_the_dictionary_has_every_column_and_code(client):
    table = rows(client.get("/data/dictionary.csv"))
    assert [row["column"] for row in table if not row["code"] and row["table"] == "reports"] == NAMES
    assert {row["table"] for row in table} == {*TABLES} - {"entries"}
    assert ("status", "verified") in {(row["column"], row["code"]) for row in table}
    assert all(row["label"] for row in table)


def test_the_dictionary_in_the_documentation_is_current():
    page = Path(__file__).parents[2] / "docs" / "data-dictionary.md"
    assert page.read_text() == dictionary.markdown(), "manage.py dictionary > docs/data-dictionary.md"


def test_every_filter_is_documented_for_researchers():
    from registry.filters import ReportFilter

    page = (Path(__file__).parents[2] / "docs" / "researchers.md").read_text()
    for name in [*ReportFilter.base_filters, "as_of", "view", "excel", "hxl"]:
        assert f"`{name}`" in page, name


# -- manage.py export_reports


def test_the_command_writes_what_the_door_gives(client, tmp_path):
    published(object_type="house")
    published()
    path = tmp_path / "out.csv"
    call_command("export_reports", "--filter", "type=house", "--audience", "public", "-o", str(path))
    assert path.read_text() == content(client.get("/reports.csv?type=house"))
    assert list(tmp_path.iterdir()) == [path]
    assert Download.objects.filter(by=None, holder="public", rows=1, filter="type=house").count() == 2


def test_the_command_gives_the_office_everything_and_variants(tmp_path):
    factories.edition()
    made = report()
    published(Holder.RESEARCHER, report=made)
    path = tmp_path / "out.csv"
    call_command("export_reports", "-o", str(path), "--excel", "--hxl")
    assert path.read_bytes().startswith(b"\xef\xbb\xbfreference,")
    assert path.read_bytes().count(b"\r\n") == 3
    call_command("export_reports", "-o", str(path), "--audience", "researcher", "--as-of", "2026-03-10")
    assert path.read_text().count("\n") == 2


def test_the_command_writes_any_table_in_any_format(tmp_path):
    made = report()
    path = tmp_path / "out.ndjson"
    call_command("export_reports", "-o", str(path), "--table", "entries", "--format", "ndjson")
    assert json.loads(path.read_text())["reference"] == made.reference


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--format", "ndjson", "--excel"], "excel"),
        (["--table", "versions", "--as-of", "2026-03-10"], "as_of"),
        (["--table", "entries", "--audience", "public"], "view"),
        (["--filter", "kind=ship"], "kind"),
        (["--filter", "colour=red"], "colour"),
        (["--filter", "assignee=me"], "assignee"),
        (["--as-of", "soon"], "as_of"),
        (["--audience", "public", "--as-of", "2020-01-01"], "as_of"),
        (["--audience", "public", "--filter", "danger=1"], "danger"),
    ],
)
def test_the_command_names_what_it_does_not_understand(tmp_path, arguments, named):
    path = tmp_path / "out.csv"
    with pytest.raises(CommandError, match=named):
        call_command("export_reports", "-o", str(path), *arguments)
    assert not path.exists()


def test_the_command_leaves_the_old_file_when_it_fails(tmp_path, monkeypatch):
    path = tmp_path / "out.csv"
    path.write_text("whole")

    def broken(sheet, sink, **variant):
        sink.write(b"half")
        raise RuntimeError("gone")

    monkeypatch.setitem(FORMATS, "csv", replace(FORMATS["csv"], write=broken))
    with pytest.raises(RuntimeError):
        call_command("export_reports", "-o", str(path))
    assert path.read_text() == "whole"
    assert list(tmp_path.iterdir()) == [path]
    with pytest.raises(CommandError, match="nowhere"):
        call_command("export_reports", "-o", str(tmp_path / "nowhere" / "out.csv"))


def test_the_command_ends_with_1_and_writes_to_stdout(capfdbinary):
    call_command("export_reports", "-o", "-")
    assert capfdbinary.readouterr().out == (",".join(NAMES) + "\n").encode()
    command = [sys.executable, "manage.py", "export_reports", "-o", "-", "--filter", "kind=ship"]
    ended = subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).parents[2])
    assert ended.returncode == 1
    assert "kind" in ended.stderr
    assert ended.stdout == ""


@pytest.mark.parametrize("name", sorted(TABLES))
@pytest.mark.parametrize("query", ["danger=1", "withdrawn=1", "assignee=me", "batch=1"])
def test_a_filter_of_the_office_is_answered_or_refused_by_name(settings, name, query):
    """Versions of the past do not hold the office's own columns."""
    settings.SECOND_FACTOR_REQUIRED = False
    supervisor = factories.person(Role.SUPERVISOR, factories.ukraine()["UA"])
    factories.change(factories.report(danger="gas"), at=AT + timedelta(days=1), damage_level="minor")
    answer = factories.client(supervisor).get(f"/{name}.csv?{query}")
    assert answer.status_code == (400 if name == "versions" else 200)
    body = b"".join(answer).decode()
    if name == "versions":
        assert query.partition("=")[0] in body
