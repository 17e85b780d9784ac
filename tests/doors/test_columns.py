"""The page of columns: proposed, corrected without a script, asked what cells leave open, kept under a name."""

import tomllib
from typing import Any
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from registry.actions.importing import batches, columns, running
from registry.forms.places import lineage
from registry.models import Batch, Person, Report, SavedMapping
from registry.tabular import Table
from registry.views import imports
from tests import factories, sheets

pytestmark = pytest.mark.django_db

LIST = """id,country,area,what,day,damage
1,UA,Харківська область,School,2025-03-14,Destroyed
2,UA,Харківська область,Kiosk,2025-03-15,Partially damaged
"""


@pytest.fixture(autouse=True)
def installation(tmp_path: Any, settings: Any, gazetteer_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.DATA_DIR = tmp_path / "data"
    settings.DATA_DIR.mkdir()
    (settings.DATA_DIR / "gazetteer.sqlite3").symlink_to(gazetteer_path)
    settings.SECOND_FACTOR_REQUIRED = False
    monkeypatch.setattr(imports, "AT_ONCE", 60)
    running._held.clear()
    factories.ukraine()
    lineage.cache_clear()


@pytest.fixture
def official() -> Person:
    return factories.person("official", factories.area("UA-63"))


@pytest.fixture
def client(official: Person) -> Client:
    client = Client()
    client.force_login(official)
    return client


def send(client: Client, content: str | bytes, name: str = "list.csv") -> tuple[Batch, Any]:
    """The batch of a file sent, and the form of its columns."""
    file = SimpleUploadedFile(name, content.encode() if isinstance(content, str) else content)
    answer = client.post("/imports/new", {"file": file, "command": uuid4()}, follow=True)
    return Batch.objects.get(), answer.context["form"]


def filled(form: Any, **answers: str) -> dict[str, str]:
    """What a browser would send of a form, with some answers of one's own."""
    said = {name: form[name].value() for name in form.fields}
    return {name: value for name, value in said.items() if value is not None} | answers


def role(form: Any, column: str) -> str:
    """The name of the field that says what a column is."""
    return next(asked.role for asked in form.asked if asked.column.name == column)


def meaning(form: Any, word: str) -> str:
    return next(key for asked in form.asked for key, said, _times in asked.means if said == word)


def test_what_is_proposed_is_checked_with_one_press_once_every_word_is_known(client: Client) -> None:
    batch, form = send(client, LIST)
    page = client.get(f"/imports/{batch.pk}", follow=True).content.decode()
    assert "1 word is not known" in page
    answer = client.post(
        f"/imports/{batch.pk}/columns",
        filled(form, **{meaning(form, "Kiosk"): "building//commercial", role(form, "area"): "region"}),
    )
    batch.refresh_from_db()
    assert (answer.status_code, batch.state, batch.mapping) == (302, "checked", "list")
    assert (batch.counts["new"], batch.counts["error"]) == (2, 0)
    assert not Report.objects.exists()


def test_a_word_that_nobody_explains_fails_its_rows_and_can_be_explained_later(client: Client) -> None:
    batch, form = send(client, LIST)
    client.post(f"/imports/{batch.pk}/columns", filled(form, **{role(form, "area"): "region"}))
    batch.refresh_from_db()
    assert (batch.counts["new"], batch.counts["error"]) == (1, 1)
    form = client.get(f"/imports/{batch.pk}/columns").context["form"]
    assert form[role(form, "area")].value() == "region"
    client.post(f"/imports/{batch.pk}/columns", filled(form, **{meaning(form, "Kiosk"): "leave_out"}))
    batch.refresh_from_db()
    assert (batch.counts["new"], batch.counts["left_out"], batch.counts["error"]) == (1, 1, 0)
    assert SavedMapping.objects.count() == 1


def test_days_that_can_be_read_two_ways_are_asked_about_once(client: Client) -> None:
    batch, form = send(client, LIST.replace("2025-03-14", "03/04/2025").replace("2025-03-15", "05/06/2025"))
    address, answers = f"/imports/{batch.pk}/columns", filled(form, **{meaning(form, "Kiosk"): "leave_out"})
    page = client.post(address, answers).content.decode()
    assert "read? Say which comes first" in page
    assert "Day first: 03/04/2025 is 3 April 2025" in page
    (days,) = (name for name in form.fields if name.startswith("days-"))
    client.post(address, answers | {days: "turned", role(form, "area"): "region"})
    batch.refresh_from_db()
    assert batch.state == "checked"
    assert '"%m/%d/%Y"' in SavedMapping.objects.get().text


def test_a_choice_that_raises_questions_is_asked_about_before_it_counts(client: Client) -> None:
    batch, form = send(client, LIST.replace("what", "zzz").replace("School", "Qqq").replace("Kiosk", "Rrr"))
    assert form[role(form, "zzz")].value() == ""
    answer = client.post(f"/imports/{batch.pk}/columns", filled(form, **{role(form, "zzz"): "what"}))
    batch.refresh_from_db()
    assert (answer.status_code, batch.state) == (200, "mapping")
    assert "raises questions" in answer.content.decode()
    assert meaning(answer.context["form"], "Qqq")


def test_the_mapping_comes_as_the_file_that_the_command_reads(client: Client) -> None:
    batch, form = send(client, LIST)
    answer = client.post(f"/imports/{batch.pk}/columns", filled(form, name="Our list", act="download"))
    assert answer["Content-Disposition"] == 'attachment; filename="our-list.toml"'
    assert tomllib.loads(answer.content.decode())["ref"] == "id"
    batch.refresh_from_db()
    assert (batch.state, SavedMapping.objects.count()) == ("mapping", 0)


@pytest.mark.parametrize("name", ["acaps", "theirs"])
def test_a_name_that_is_taken_is_refused(client: Client, name: str) -> None:
    SavedMapping.objects.create(
        name="theirs", text="", by=factories.person("supervisor", factories.area("UA")), at=factories.AT
    )
    batch, form = send(client, LIST)
    page = client.post(f"/imports/{batch.pk}/columns", filled(form, name=name)).content.decode()
    assert "This name is taken" in page


def test_another_sheet_and_row_are_read_where_somebody_says_so(client: Client) -> None:
    rows = [line.split(",") for line in LIST.splitlines()]
    book = sheets.xlsx(
        {"Notes": [["see", "List"], ["x", "y"]], "List": [["about", "it", "all", "a", "b", "c"], *rows]}
    )
    batch, form = send(client, book, "book.xlsx")
    assert [asked.column.name for asked in form.asked] == ["see", "List"]
    form = client.get(f"/imports/{batch.pk}/columns", {"sheet": "List", "headings": "2"}).context["form"]
    answers = {meaning(form, "Kiosk"): "leave_out", role(form, "area"): "region"}
    client.post(f"/imports/{batch.pk}/columns", filled(form, **answers))
    batch.refresh_from_db()
    assert (batch.state, batch.rows, batch.headings[0]) == ("checked", 2, "id")
    page = client.get(f"/imports/{batch.pk}/columns", {"headings": "99"}).content.decode()
    assert "No row of headings was found" in page


def test_the_file_is_read_once_for_its_columns_until_its_layout_changes(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch, form = send(client, LIST)
    read = []
    monkeypatch.setattr(columns, "Table", lambda *told: read.append(told) or Table(*told))
    address = f"/imports/{batch.pk}/columns"
    shown = client.get(address).context["form"]
    assert [asked.means for asked in shown.asked] == [asked.means for asked in form.asked]
    client.post(address, filled(form, act="download"))
    assert not read
    client.get(address, {"headings": "2"})
    assert len(read) == 1
    client.post(f"/imports/{batch.pk}/cancel")
    assert not list(batches.IMPORTS.folder.iterdir())


def test_another_encoding_is_read_where_somebody_says_so(client: Client) -> None:
    batch, form = send(client, LIST.replace("Kiosk", "Кіоск").encode("cp1251"))
    assert meaning(form, "Кіоск")
    said = client.get(f"/imports/{batch.pk}/columns", {"encoding": "koi8_u"}).context
    form = said["form"]
    answers = {
        meaning(form, "Кіоск".encode("cp1251").decode("koi8_u")): "leave_out",
        role(form, "area"): "region",
    }
    assert said["layout_form"]["encoding"].value() == "koi8_u"
    client.post(f"/imports/{batch.pk}/columns", filled(form, **answers))
    batch.refresh_from_db()
    assert (batch.state, batch.counts["left_out"]) == ("checked", 1)
    assert 'encoding = "koi8_u"' in SavedMapping.objects.get().text


def test_two_columns_are_not_the_same_and_a_report_needs_a_day(client: Client) -> None:
    batch, form = send(client, LIST)
    answers = {role(form, "damage"): "ref", role(form, "day"): ""}
    page = client.post(f"/imports/{batch.pk}/columns", filled(form, **answers)).content.decode()
    assert "Two columns cannot both be" in page
    assert "No column says when it happened" in page
