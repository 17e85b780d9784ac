"""A spreadsheet becomes reports: sent, looked at, confirmed, seen, and undone."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from registry.forms.places import lineage
from registry.models import Report
from registry.upkeep import working
from tests import factories
from tests.chromium import faults
from tests.doors.test_imports import GOOD, MAPPING, school, table
from tests.trips.test_damage import send


@pytest.mark.parametrize("javascript", [True, False])
def test_a_table_is_sent_looked_at_imported_and_undone(
    new_page: Callable[..., Page], settings: Any, tmp_path: Path, *, javascript: bool
) -> None:
    settings.SECOND_FACTOR_REQUIRED = False
    settings.DATA_DIR = tmp_path / "data"
    (settings.DATA_DIR / "mappings").mkdir(parents=True)
    (settings.DATA_DIR / "mappings" / "county.toml").write_text(MAPPING, "utf-8")
    areas = factories.ukraine()
    lineage.cache_clear()
    (tmp_path / "list.csv").write_text(table(*GOOD, school(3, day="never")), "utf-8")
    page = new_page(factories.person("supervisor", areas["UA"]), width=360, javascript=javascript)

    page.goto("/imports")
    page.get_by_role("link", name="Import a table").click()
    page.set_input_files("[name=file]", tmp_path / "list.csv")
    send(page, "Check the rows")
    expect(page.get_by_role("heading", level=1)).to_have_text("What would this import do?")
    expect(page.locator(".outcomes").first).to_contain_text("3")
    expect(page.locator("table.cards")).to_contain_text("never")
    if javascript:
        assert faults(page) == []
    with page.expect_download() as download:
        page.get_by_role("link", name="Download the failing row").click()
    assert download.value.path().read_text("utf-8").splitlines()[1].startswith("A3,UA-63,never,,day: ")
    assert not Report.objects.exists()
    page.get_by_label("Import the good rows without the 1 that fail").check()
    send(page, "Import 3 rows")
    expect(page.get_by_role("heading", level=1)).to_have_text("What did this import do?")
    assert Report.objects.filter(withdrawn="").count() == 3
    send(page, "Undo this import")
    expect(page.get_by_role("heading", level=1)).to_have_text("This import was undone")
    assert Report.objects.filter(withdrawn="").count() == 0


def test_a_page_follows_the_worker(
    new_page: Callable[..., Page], settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("registry.views.imports.AT_ONCE", 0)
    monkeypatch.setattr("registry.actions.importing.judging.CHUNK", 1)
    settings.SECOND_FACTOR_REQUIRED = False
    settings.DATA_DIR = tmp_path / "data"
    (settings.DATA_DIR / "mappings").mkdir(parents=True)
    (settings.DATA_DIR / "mappings" / "county.toml").write_text(MAPPING, "utf-8")
    areas = factories.ukraine()
    lineage.cache_clear()
    page = new_page(factories.person("official", areas["UA"]))
    page.goto("/imports/new")
    page.fill("[name=pasted]", table(*GOOD, delimiter="\t"))
    send(page, "Check the rows")
    expect(page.locator("[data-live]")).to_contain_text("1 of 3")
    duty = next(duty for duty in working.DUTIES if duty.name == "import")
    duty.act()
    expect(page.locator("[data-live]")).to_contain_text("2 of 3")
    duty.act()
    expect(page.get_by_role("heading", level=1)).to_have_text("What would this import do?")
