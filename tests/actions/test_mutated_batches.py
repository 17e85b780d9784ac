"""Small files, mutated, as whole imports: sent, their columns kept, checked, confirmed, run and undone.

Whatever is in them, no page fails, what a preview promised comes in or nothing of it does by halves, and an undo
gives back what was. A few examples here; ``make test-long`` tries thousands.
"""

import csv
import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings as django_settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.test import Client
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from registry.actions import importing
from registry.actions.importing import judging, running
from registry.forms.places import lineage
from registry.models import Batch, Entry, Report, SourceRef
from registry.rules.vocabularies import Role
from registry.views import imports
from tests import factories, sheets
from tests.doors.test_columns import filled
from tests.tabular.test_mutations import EXAMPLES, LONG, ROWS, SEEDS, mutated

pytestmark = pytest.mark.django_db

#: Fits the seeds, so that a mutated file brings what is unchanged, changed and new to what they brought in.
MAPPING = """
title = "The list"
source = "list"
ref = "id"
[always]
country = "UA"
source_type = "dataset"
source_name = "The list"
[fields]
region = "region"
occurred_to = { column = "date", format = "%Y-%m-%d" }
lat = "lat"
lon = "lon"
source_url = "link"
[[decide]]
column = "type"
otherwise = { kind = "building", object_type = "other" }
[decide.values]
School = { kind = "building", object_type = "school" }
"""
#: What an undo does not put back: that something was done.
_OF_DEEDS = {"version", "updated_utc", "valid_from", "geocode_query"}
_STATES = Batch.State


@pytest.fixture
def client(tmp_path: Path, settings: Any, gazetteer_path: Path, monkeypatch: pytest.MonkeyPatch) -> Client:
    settings.DATA_DIR = tmp_path / "data"
    (settings.DATA_DIR / "mappings").mkdir(parents=True)
    (settings.DATA_DIR / "mappings" / "list.toml").write_text(MAPPING, "utf-8")
    (settings.DATA_DIR / "gazetteer.sqlite3").symlink_to(gazetteer_path)
    settings.SECOND_FACTOR_REQUIRED = False
    monkeypatch.setattr(imports, "AT_ONCE", 0)
    monkeypatch.setattr(judging, "CHUNK", 1)
    running._held.clear()
    areas = factories.ukraine()
    factories.area("UA-59", "Sumy", parent=areas["UA"])
    lineage.cache_clear()
    (tmp_path / "list.csv").write_bytes(SEEDS[0])
    batch = importing.start(tmp_path / "list.csv", "list")
    while importing.advance(batch):
        pass
    assert batch.counts["new"] == 2
    return factories.client(factories.person(Role.SUPERVISOR, areas["UA"]))


@contextmanager
def taken_back() -> Iterator[None]:
    """What an example has written goes with it."""
    try:
        with transaction.atomic():
            yield
            transaction.set_rollback(True)
    finally:
        running._held.clear()
        for file in _folder().iterdir():
            file.unlink()


#: What a person may have typed into a cell.
_CELLS = ["", " ", "NA", "x", "y" * 3000, "=1+1", "31.02.2025", "2025-03-15", "2025-03", "45731", "March", "School",
          "Kiosk", "1", "2", "3", "1e400", "NaN", "-91", "50,9", "²", "\U0001f3e0", "нема", "Харківська", "UA-63",
          "UA-23", "XX", "a\nb", 'say "x"', "a;b", "javascript:alert(1)", "https://a.example/3"]  # fmt: skip
_WRITTEN: list[Callable[[list[list[Any]]], bytes]] = [
    lambda rows: _csv(rows, ",").encode(),
    lambda rows: _csv(rows, ";").encode("cp1251", "replace"),
    lambda rows: _csv(rows, "\t").encode("utf-16"),
    lambda rows: _csv(rows, "\t").encode("koi8_u", "replace"),
    sheets.xlsx,
    sheets.ods,
]


def _csv(rows: list[list[Any]], delimiter: str) -> str:
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter).writerows(rows)
    return text.getvalue()


@st.composite
def retyped(draw: st.DrawFn) -> bytes:
    """The table as somebody has gone over it: other cells, rows twice or gone, columns elsewhere."""
    rows = [list(row) for row in [*ROWS, *ROWS[1:]]]
    for number, row in enumerate(rows[1:], 1):
        row[0] = number
    for _change in range(draw(st.integers(1, 5))):
        row = draw(st.integers(0 if draw(st.integers(0, 9)) == 0 else 1, len(rows) - 1))
        match draw(st.sampled_from(["cell", "cell", "cell", "column", "again", "gone"])):
            case "cell":
                rows[row][draw(st.integers(0, len(rows[row]) - 1))] = draw(st.sampled_from(_CELLS))
            case "column":
                last = len(rows[0]) - 1
                one, other = draw(st.integers(0, last)), draw(st.integers(0, last))
                for cells in rows:
                    cells[one], cells[other] = cells[other], cells[one]
            case "again":
                rows.append(list(rows[row]))
            case "gone":
                del rows[max(row, 1) :]
        if len(rows) < 2:
            break
    return draw(st.sampled_from(_WRITTEN))(rows)


@settings(
    max_examples=EXAMPLES if LONG else max(8, EXAMPLES // 5),
    deadline=None,
    suppress_health_check=list(HealthCheck),
    derandomize=not LONG,
)
@given(
    content=st.one_of(retyped(), retyped(), mutated()),
    name=st.sampled_from(["list.csv", "list.xlsx", "list"]),
    without=st.booleans(),
    stop=st.sampled_from(["", "", "killed", "cancelled"]),
)
def test_a_mutated_file_is_imported_whole_or_not_and_undone(
    client: Client, content: bytes, name: str, *, without: bool, stop: str
) -> None:
    with taken_back():
        before = _register()
        batch = _checked(client, content, name)
        assert _register() == before
        if batch is None:
            event("refused")
            assert not list(_folder().glob("part-*"))
            return
        event(batch.state)
        if batch.state != _STATES.CHECKED:
            return
        promised = {outcome: batch.counts[outcome] for outcome in importing.OUTCOMES}
        assert sum(promised.values()) == batch.rows
        _confirm(client, batch, without=without)
        if batch.state == _STATES.CHECKED:
            event("nothing to import")
            assert promised["error"] or not (promised["new"] + promised["changed"])
            assert _register() == before
            return
        event(f"imported {stop}")
        _run(client, batch, stop)
        came = {outcome: batch.counts[outcome] for outcome in importing.OUTCOMES}
        assert came == promised or batch.state == _STATES.CANCELLED
        assert batch.next_row == sum(came.values())
        _fits(batch, before)
        client.post(f"/imports/{batch.pk}/undo", {"command": uuid4()})
        _work()
        batch.refresh_from_db()
        assert batch.state == _STATES.UNDONE
        assert not SourceRef.objects.filter(batch=batch).exists()
        assert _register() == before
        assert not list(_folder().iterdir())


def _folder() -> Path:
    return Path(django_settings.DATA_DIR) / "imports"


def _register() -> dict[str, Any]:
    """What the reports say that are not withdrawn, and what their sources call them."""
    rows = Report.objects.filter(withdrawn="").values()
    refs = SourceRef.objects.values_list("ref", "report__reference", "content_digest")
    return {
        "refs": sorted(refs),
        **{row["reference"]: {k: v for k, v in row.items() if k not in _OF_DEEDS} for row in rows},
    }


def _checked(client: Client, content: bytes, name: str) -> Batch | None:
    """The batch of a file sent, its columns as they are proposed; None if the file is refused."""
    known = set(Batch.objects.values_list("pk", flat=True))
    file = SimpleUploadedFile(name, content)
    answer = client.post("/imports/new", {"file": file, "command": uuid4()}, follow=True)
    assert answer.status_code == 200
    batch = Batch.objects.exclude(pk__in=known).first()
    if batch is None:
        assert answer.context["form"].errors
        return None
    if batch.state == _STATES.MAPPING:
        address = f"/imports/{batch.pk}/columns"
        for _question in range(2):  # a choice may raise one more
            if "form" not in answer.context:
                break
            answer = client.post(address, filled(answer.context["form"]), follow=True)
            assert answer.status_code == 200
    _work()
    assert client.get(f"/imports/{batch.pk}", follow=True).status_code == 200
    batch.refresh_from_db()
    return batch


def _confirm(client: Client, batch: Batch, *, without: bool) -> None:
    answers = {"without": "on"} if without else {}
    client.post(f"/imports/{batch.pk}/confirm", {"command": uuid4(), **answers})
    batch.refresh_from_db()


def _run(client: Client, batch: Batch, stop: str) -> None:
    if stop == "killed" and batch.is_at_work:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(running, "count", _die)
            with pytest.raises(KeyboardInterrupt):
                importing.run_chunk()
        running._held.clear()
        Batch.objects.filter(pk=batch.pk).update(lease=None)
    if stop == "cancelled" and batch.is_at_work:
        client.post(f"/imports/{batch.pk}/cancel")
    _work()
    batch.refresh_from_db()
    assert client.get(f"/imports/{batch.pk}").status_code == 200


def _die(*_said: Any) -> None:
    """A chunk has been written, and is never committed."""
    raise KeyboardInterrupt


def _work() -> None:
    while importing.run_chunk():
        pass


def _fits(batch: Batch, before: dict[str, Any]) -> None:
    """The register holds what the batch counted, each report whole, and no other is touched."""
    new = Report.objects.filter(batch=batch)
    assert new.count() == batch.counts["new"] == SourceRef.objects.filter(batch=batch).count()
    assert set(Entry.objects.filter(report__in=new, number=1).values_list("kind", flat=True)) <= {"logged"}
    assert Entry.objects.filter(report__in=new, number=1).count() == batch.counts["new"]
    revised = set(batch.noted.filter(outcome="changed").values_list("report__reference", flat=True))
    assert len(revised) == batch.counts["changed"]
    now = _register()
    untouched = before.keys() - revised - {"refs"}
    assert {one: now[one] for one in untouched} == {one: before[one] for one in untouched}
