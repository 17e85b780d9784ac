"""Imports on the web: a file or pasted rows are checked before anything is written, and confirmed."""

import csv
import io
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from registry.actions import duplicates, importing, reports
from registry.actions.importing import judging, running
from registry.actions.journal import Refused
from registry.forms.places import lineage
from registry.models import Batch, Entry, Person, Report
from registry.rules.likeness import Likeness, Verdict
from registry.views import imports
from tests import factories

pytestmark = pytest.mark.django_db

MAPPING = """
title = "A county's list"
source = "county"
ref = "id"
[always]
kind = "building"
object_type = "school"
source_type = "authority"
source_name = "County"
[fields]
area = "region"
occurred_to = { column = "day", format = "%d.%m.%Y" }
description = "words"
"""
HEADINGS = ("id", "region", "day", "words")


@pytest.fixture(autouse=True)
def installation(tmp_path: Any, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imports, "AT_ONCE", 60)  # a busy machine leaves nothing to the worker
    settings.DATA_DIR = tmp_path / "data"
    settings.SECOND_FACTOR_REQUIRED = False
    (settings.DATA_DIR / "mappings").mkdir(parents=True)
    (settings.DATA_DIR / "mappings" / "county.toml").write_text(MAPPING, "utf-8")
    factories.ukraine()
    lineage.cache_clear()


@pytest.fixture
def official() -> Person:
    return factories.person("official", factories.area("UA-63"))


@pytest.fixture
def supervisor() -> Person:
    return factories.person("supervisor", factories.area("UA"))


def table(*rows: tuple[str, ...], headings: tuple[str, ...] = HEADINGS, delimiter: str = ",") -> str:
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator="\n").writerows([headings, *rows])
    return text.getvalue()


def school(
    number: int, *, region: str = "UA-63", day: str = "09.03.2026", words: str = ""
) -> tuple[str, ...]:
    return (f"A{number}", region, day, words)


GOOD = [school(number) for number in range(3)]


def send(client: Client, text: str, *, name: str = "list.csv", **fields: Any) -> Any:
    """The answer to a file that is sent, followed to its page."""
    file = SimpleUploadedFile(name, text.encode())
    return client.post("/imports/new", {"file": file, "command": uuid4(), **fields}, follow=True)


def act(client: Client, batch: Batch, what: str, **fields: Any) -> Any:
    answer = client.post(f"/imports/{batch.pk}/{what}", {"command": uuid4(), **fields}, follow=True)
    batch.refresh_from_db()
    return answer


def outcomes(batch: Batch) -> dict[str, int]:
    return {name: n for name, n in batch.counts.items() if isinstance(n, int) and n}


def test_a_file_is_checked_shown_and_confirmed(official: Person) -> None:
    client = factories.client(official)
    answer = send(client, table(*GOOD))
    batch = Batch.objects.get()
    assert answer.redirect_chain == [(f"/imports/{batch.pk}", 302)]
    assert (batch.state, batch.mapping, outcomes(batch)) == ("checked", "county", {"new": 3})
    assert not Report.objects.exists()
    assert "Import 3 rows" in " ".join(answer.content.decode().split()).replace(
        '<span class="n">3</span>', "3"
    )
    act(client, batch, "confirm")
    assert (batch.state, outcomes(batch), Report.objects.count()) == ("done", {"new": 3}, 3)
    assert {report.logged_by for report in Report.objects.all()} == {official}


def test_rows_pasted_from_a_spreadsheet_are_a_table_too(official: Person) -> None:
    pasted = table(*GOOD, delimiter="\t")
    factories.client(official).post("/imports/new", {"pasted": pasted, "command": uuid4()})
    assert outcomes(Batch.objects.get()) == {"new": 3}


def test_five_hundred_pasted_rows_are_checked_before_the_answer(
    official: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imports, "AT_ONCE", 60)  # however busy the machine is
    pasted = table(*(school(number) for number in range(500)), delimiter="\t")
    factories.client(official).post("/imports/new", {"pasted": pasted, "command": uuid4()})
    assert (Batch.objects.get().state, outcomes(Batch.objects.get())) == ("checked", {"new": 500})


def test_what_fails_is_told_by_row_and_column_and_given_back_to_be_mended(official: Person) -> None:
    client = factories.client(official)
    page = send(client, table(school(0), school(1, day="never"), school(2, region="UA-23"))).content.decode()
    batch = Batch.objects.get()
    assert outcomes(batch) == {"new": 1, "error": 2}
    assert [
        (row.number, column, cell) for row in batch.noted.all() for column, cell, _words in row.wrongs
    ] == [
        (3, "day", "never"),
        (4, "region", "UA-23"),
    ]
    assert "never" in page
    failing = b"".join(client.get(f"/imports/{batch.pk}/failing.csv")).decode()
    rows = list(csv.DictReader(io.StringIO(failing)))
    assert [row["id"] for row in rows] == ["A1", "A2"]
    assert rows[0]["[what is wrong]"].startswith("day: ")
    # The good rows go in only if that is said.
    act(client, batch, "confirm")
    assert (batch.state, Report.objects.count()) == ("checked", 0)
    act(client, batch, "confirm", without="on")
    assert (batch.state, Report.objects.count()) == ("done", 1)
    # Mended, they come back with the column that said what was wrong.
    send(client, failing.replace("never", "10.03.2026"), name="mended.csv")
    assert outcomes(Batch.objects.latest("pk")) == {"new": 1, "error": 1}


def test_a_form_sent_twice_is_one_import(official: Person) -> None:
    client, command = factories.client(official), uuid4()
    for _time in range(2):
        send(client, table(*GOOD), command=command)
    send(client, table(*GOOD))  # and so is the same file, while the first is open
    batch = Batch.objects.get()
    for _time in range(2):
        act(client, batch, "confirm", command=command.hex[::-1])
    assert Report.objects.count() == Entry.objects.count() == 3


def test_the_same_file_again_changes_nothing_and_says_so(official: Person) -> None:
    client = factories.client(official)
    send(client, table(*GOOD))
    first = Batch.objects.get()
    act(client, first, "confirm")
    page = send(client, table(*GOOD)).content.decode()
    assert outcomes(Batch.objects.latest("pk")) == {"unchanged": 3}
    assert f'href="/imports/{first.pk}"' in page
    assert "There is nothing to import" in page


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "one of the two"),
        ({"pasted": "id\tday"}, "no rows"),
        ({"pasted": "id\tday\n1\t2", "mapping": "county"}, "no column"),
        ({"pasted": "id\tday\n1\t2", "mapping": "nobody's"}, "valid choice"),
        ({"file": SimpleUploadedFile("list.csv", b"%PDF-1.4 \x00\x01"), "mapping": "county"}, "PDF"),
    ],
)
def test_what_cannot_be_taken_is_said_and_nothing_is_kept(
    official: Person, settings: Any, fields: dict[str, Any], words: str
) -> None:
    answer = factories.client(official).post("/imports/new", {"command": uuid4(), **fields})
    assert (answer.status_code, words in answer.content.decode()) == (200, True)
    assert not Batch.objects.exists()
    assert list(settings.DATA_DIR.glob("imports/*")) == []


def test_a_file_larger_than_the_limit_is_refused(official: Person, settings: Any) -> None:
    settings.MAX_IMPORT_BYTES = 50
    answer = send(factories.client(official), table(*GOOD))
    assert "larger than" in answer.content.decode()
    assert not Batch.objects.exists()


def test_a_request_that_says_it_is_larger_is_refused_before_it_is_read(
    official: Person, settings: Any
) -> None:
    settings.MAX_IMPORT_BYTES = 50 * 1024 * 1024
    answer = factories.client(official).post(
        "/imports/new", {"command": uuid4()}, CONTENT_LENGTH=60 * 1024 * 1024
    )
    assert answer.status_code == 413
    assert "50.0\xa0MB" in answer.content.decode()


def test_columns_that_no_mapping_knows_wait_for_one(official: Person) -> None:
    client = factories.client(official)
    page = send(client, table(("1", "x"), headings=("Nr", "Street"))).content.decode()
    batch = Batch.objects.get()
    assert (batch.state, "Street" in page) == ("mapping", True)
    page = act(client, batch, "check", mapping="county").content.decode()
    assert (batch.state, "no column" in page) == ("mapping", True)


def test_what_is_at_work_shows_how_far_it_is_and_the_worker_goes_on(
    official: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imports, "AT_ONCE", 0)
    monkeypatch.setattr(judging, "CHUNK", 1)
    client = factories.client(official)
    page = send(client, table(*GOOD)).content.decode()
    batch = Batch.objects.get()
    assert (batch.state, batch.next_row) == ("checking", 1)
    assert 'data-live="checking"' in page
    assert "33 %" in page
    while running.run_chunk():
        pass
    batch.refresh_from_db()
    assert batch.state == "checked"
    act(client, batch, "confirm")
    assert (batch.state, Report.objects.count()) == ("running", 1)
    act(client, batch, "cancel")
    assert not running.run_chunk()
    assert (batch.state, Report.objects.count()) == ("cancelled", 1)


def test_undo_withdraws_and_names_what_people_worked_on(official: Person, supervisor: Person) -> None:
    send(factories.client(official), table(*GOOD))
    batch = Batch.objects.get()
    act(factories.client(official), batch, "confirm")
    touched = Report.objects.order_by("pk")[0]
    reports.note(touched.reference, "Seen.", by=official)
    assert act(factories.client(official), batch, "undo").status_code == 403
    page = act(factories.client(supervisor), batch, "undo").content.decode()
    assert (batch.state, touched.reference in page) == ("done", True)
    act(factories.client(supervisor), batch, "undo", keeping="on")
    assert (batch.state, Report.objects.filter(withdrawn="error").count()) == ("undone", 2)


def test_an_import_is_seen_by_who_sent_it_and_by_supervisors_of_all_their_areas(
    official: Person, supervisor: Person
) -> None:
    send(factories.client(official), table(*GOOD))
    batch = Batch.objects.get()
    colleague = factories.person("official", factories.area("UA-63"))
    elsewhere = factories.person("supervisor", factories.area("UA-23"))
    for person, status in ((official, 200), (supervisor, 200), (colleague, 404), (elsewhere, 404)):
        assert factories.client(person).get(f"/imports/{batch.pk}").status_code == status
        listed = f'href="/imports/{batch.pk}"' in factories.client(person).get("/imports").content.decode()
        assert listed == (status == 200)


def test_a_conflict_is_decided_part_by_part_and_not_asked_again(official: Person) -> None:
    client = factories.client(official)
    send(client, table(school(0, words="Roof")))
    act(client, Batch.objects.get(), "confirm")
    report = Report.objects.get()
    reports.note(report.reference, "I was there.", by=official)
    changed = table(school(0, day="10.03.2026", words="Roof and walls"))
    send(client, changed)
    batch = Batch.objects.latest("pk")
    assert outcomes(batch) == {"conflict": 1}
    address = f"/imports/{batch.pk}/rows/2"
    assert address in client.get(f"/imports/{batch.pk}").content.decode()
    page = client.get(address).content.decode()
    assert "Roof and walls" in page
    answer = client.post(address, {"command": uuid4(), "description": "take", "when": "keep"})
    assert answer.url == f"/imports/{batch.pk}"
    report.refresh_from_db()
    assert (report.description, report.occurred_to.day) == ("Roof and walls", 9)
    entry = report.entries.last()
    assert (entry.kind, entry.by) == ("revised", official)
    assert "row 2" in entry.wording.words()["note"]
    assert client.get(address).status_code == 404
    act(client, batch, "cancel")
    send(client, changed)
    assert outcomes(Batch.objects.latest("pk")) == {"unchanged": 1}


def test_conflicts_of_an_import_that_was_undone_are_not_decided(official: Person, supervisor: Person) -> None:
    client = factories.client(supervisor)
    send(client, table(*GOOD))
    act(client, Batch.objects.get(), "confirm")
    for report in Report.objects.all():
        reports.note(report.reference, "I was there.", by=official)
    send(client, table(school(0, words="Roof"), school(9)))
    batch = Batch.objects.latest("pk")
    act(client, batch, "confirm")
    noted, address = batch.noted.get(outcome="conflict"), f"/imports/{batch.pk}/rows/2"
    assert client.get(address).status_code == 200
    assert address not in act(client, batch, "undo").content.decode()
    assert client.get(address).url == f"/imports/{batch.pk}"
    with pytest.raises(Refused, match="undone"):
        importing.decide(noted, ["description"], by=supervisor)


@pytest.fixture
def two_here(official: Person, monkeypatch: pytest.MonkeyPatch) -> Report:
    """A report that the first two new rows of every chunk are like."""
    here = factories.report(by=official)

    def likely(lines: Any, **options: Any) -> list[Any]:
        same = here.pk, Likeness(Verdict.SAME, 90, [("the same day", {})], [])
        return [same, same, *[None] * len(lines)][: len(lines)]

    monkeypatch.setattr(duplicates, "likely", likely)
    return here


def test_rows_like_reports_that_are_here_are_named_and_can_be_compared(
    official: Person, two_here: Report
) -> None:
    client = factories.client(official)
    page = send(client, table(*GOOD)).content.decode()
    batch = Batch.objects.get()
    assert (batch.counts["new"], batch.counts["likely"]) == (3, 2)
    assert two_here.reference in page
    assert "the same day" in page
    page = act(client, batch, "confirm").content.decode()
    new = Report.objects.get(refs__ref="A0")
    assert f"/r/{new.reference}/compare/{two_here.reference}" in page


@pytest.mark.parametrize(
    ("ticked", "came"),
    [({"without_likely": "on"}, ["A2"]), ({"leaving": ["2"]}, ["A1", "A2"]), ({}, ["A0", "A1", "A2"])],
    ids=["all", "one", "none"],
)
def test_rows_like_reports_that_are_here_are_left_out_where_somebody_says_so(
    official: Person, two_here: Report, ticked: dict[str, Any], came: list[str]
) -> None:
    client = factories.client(official)
    assert (
        "Leave out the 2 that look like reports already here" in send(client, table(*GOOD)).content.decode()
    )
    batch = Batch.objects.get()
    page = act(client, batch, "confirm", **ticked).content.decode()
    batch.refresh_from_db()
    assert sorted(batch.refs.values_list("ref", flat=True)) == came
    assert (batch.counts["new"], batch.counts["left_out"]) == (len(came), 3 - len(came))
    assert batch.counts["likely"] == sum(ref in came for ref in ("A0", "A1"))
    assert ("Likely here already: left out when it was confirmed" in page) == bool(ticked)
    assert batch.noted.exclude(decided_at=None).filter(decided_by=official).count() == 3 - len(came)


def test_a_row_that_is_like_none_cannot_be_ticked(official: Person, two_here: Report) -> None:
    client = factories.client(official)
    send(client, table(*GOOD))
    batch = Batch.objects.get()
    page = act(client, batch, "confirm", leaving=["4"]).content.decode()
    assert "4 is not one of the available choices" in page
    assert not batch.refs.exists()


def test_the_page_of_an_import_leads_to_its_reports(official: Person) -> None:
    client = factories.client(official)
    send(client, table(*GOOD))
    batch = Batch.objects.get()
    address = f"/reports?batch={batch.pk}"
    assert address in act(client, batch, "confirm").content.decode()
    factories.report(by=official)
    shown = client.get(address).context["page"].rows
    assert {row.reference for row in shown} == set(batch.reports.values_list("reference", flat=True))


def test_why_rows_fail_is_summed_up_above_them(official: Person) -> None:
    rows = [school(number, region="UA-59") for number in range(4, 7)]
    page = send(factories.client(official), table(*GOOD, *rows))
    text = " ".join(page.content.decode().split())
    assert 'region: There is no area “UA-59”.</td><td class="number"><span class="n">3</span>' in text


def test_a_place_that_is_not_known_is_not_said_to_lie_elsewhere(
    official: Person, settings: Any, gazetteer_path: Path
) -> None:
    (settings.DATA_DIR / "gazetteer.sqlite3").symlink_to(gazetteer_path)
    path = settings.DATA_DIR / "mappings" / "county.toml"
    path.write_text(MAPPING.replace('area = "region"', 'place = "region"'), "utf-8")
    send(factories.client(official), table(school(1, region="Nowhere at all")))
    [[_column, words]] = Batch.objects.get().noted.get().said
    assert "It is not known where this lies" in words
