"""A table of one's own is sent, its columns are chosen, and it comes back with places; nothing of it stays."""

import csv
import io
import shutil
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from registry.forms import tables as forms
from registry.views import tables
from tests import factories

pytestmark = pytest.mark.django_db
TABLE = "id;town;oblast;note\n1;Izium;Kharkiv Oblast;=1+1\n2;Xyzzyplugh;Kharkiv Oblast;b\n"


@pytest.fixture
def client(settings: Any, gazetteer_path: Path, tmp_path: Path) -> Client:
    settings.SECOND_FACTOR_REQUIRED = False
    settings.DATA_DIR = tmp_path
    shutil.copyfile(gazetteer_path, tmp_path / "gazetteer.sqlite3")
    client = Client()
    client.force_login(factories.person("researcher"))
    return client


def send(client: Client, content: bytes, name: str = "mine.csv") -> Any:
    return client.post("/data/places", {"file": SimpleUploadedFile(name, content)})


def test_a_table_comes_back_with_places_and_nothing_of_it_stays(client: Client, tmp_path: Path) -> None:
    page = send(client, TABLE.encode("utf-16"))
    form = page.context["form"]
    assert (form["place"].initial, form["region"].initial, form["country"].initial) == ("town", "oblast", "")
    assert "town: Izium, Xyzzyplugh" in page.content.decode()
    assert "UTF-16" in page.content.decode()
    answer = client.post("/data/places", {"place": "town", "region": "oblast", "within": "UA"})
    assert answer["Content-Disposition"] == 'attachment; filename="mine-located.csv"'
    rows = list(csv.DictReader(io.StringIO(b"".join(answer).decode())))
    assert [(row["id"], row["note"], row["geo_place"], row["geo_flag"]) for row in rows] == [
        ("1", "=1+1", "Izyum", ""), ("2", "b", "", "not_found"),
    ]  # fmt: skip
    assert list((tmp_path / "tables").iterdir()) == []
    assert client.post("/data/places", {"place": "town"}).context["form"].fields.keys() == {"file"}


def test_what_is_wrong_is_said(client: Client, tmp_path: Path, monkeypatch: Any, settings: Any) -> None:
    assert "PDF" in str(send(client, b"%PDF-1.7").context["form"].errors)
    assert list((tmp_path / "tables").iterdir()) == []
    send(client, TABLE.encode())
    said = client.post("/data/places", {"place": "town", "within": "Xyzzy"}).context["form"].errors
    assert "not one country" in str(said)
    assert "place" in client.post("/data/places", {"place": ""}).context["form"].errors
    monkeypatch.setattr(tables, "MOST_ROWS", 1)
    assert "more than 1 rows" in str(client.post("/data/places", {"place": "town"}).context["form"].errors)
    settings.MAX_UPLOAD_BYTES = 10
    assert "too large" in str(send(client, TABLE.encode()).context["form"].errors)
    assert f"{forms.MOST_ROWS:,} rows" in client.get("/data/places").content.decode()


def test_one_table_at_a_time(client: Client, tmp_path: Path) -> None:
    send(client, TABLE.encode())
    with tables._turn:
        assert client.post("/data/places", {"place": "town"}).status_code == 503


def test_a_visitor_signs_in_first() -> None:
    assert Client().get("/data/places").status_code == 302
