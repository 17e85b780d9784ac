"""A spreadsheet becomes reports: sent, looked at, confirmed, seen, and undone."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from registry.actions import areas
from registry.forms.places import lineage
from registry.geocoding import build
from registry.models import Area, Report
from registry.upkeep import working
from tests import factories
from tests.chromium import faults
from tests.doors.test_imports import GOOD, MAPPING, school, table
from tests.trips.test_damage import send

#: Milliseconds, for a whole file.
PATIENT = 600_000


@pytest.mark.parametrize("javascript", [True, False])
def test_a_table_is_sent_looked_at_imported_and_undone(
    new_page: Callable[..., Page], settings: Any, tmp_path: Path, *, javascript: bool
) -> None:
    settings.SECOND_FACTOR_REQUIRED = False
    settings.DATA_DIR = tmp_path / "data"
    (settings.DATA_DIR / "mappings").mkdir(parents=True)
    (settings.DATA_DIR / "mappings" / "county.toml").write_text(MAPPING, "utf-8")
    ukraine = factories.ukraine()
    lineage.cache_clear()
    (tmp_path / "list.csv").write_text(table(*GOOD, school(3, day="never")), "utf-8")
    page = new_page(factories.person("supervisor", ukraine["UA"]), width=360, javascript=javascript)

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


class Clicks:
    """Counts what somebody clicks; choosing a file takes two."""

    def __init__(self, page: Page) -> None:
        self.page, self.n = page, 0

    def __call__(self, role: Any, name: str) -> None:
        self.page.get_by_role(role, name=name).first.click()
        self.page.wait_for_load_state("networkidle")
        self.n += 1

    def choose(self, path: Path) -> None:
        self.page.set_input_files("[name=file]", path)
        self.n += 2


ACAPS = (
    "damage_id", "iso3", "oblast", "rayon", "type_of_infrastructure", "if_other_what", "date_of_event", "source_name",
    "source_date", "source_link", "additional_sources", "extent_of_damage", "pcode",
)  # fmt: skip


def test_a_list_as_acaps_publishes_it_is_imported_in_ten_clicks(
    new_page: Callable[..., Page],
    settings: Any,
    tmp_path: Path,
    gazetteer_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Without help, from the front page to the reports; of ``ACAPS_FILE``, or of one made up."""
    monkeypatch.setattr("registry.views.imports.AT_ONCE", PATIENT)  # no worker goes on with it here
    settings.SECOND_FACTOR_REQUIRED = False
    settings.DATA_DIR = tmp_path / "data"
    settings.DATA_DIR.mkdir()
    (settings.DATA_DIR / "gazetteer.sqlite3").symlink_to(gazetteer_path)
    areas.load(row for row in build.areas() if row["country"] == "UA")
    lineage.cache_clear()
    path = tmp_path / "list.csv"
    day, link = "2025-03-01", "https://news.example/1"
    row = ("UKR", "Kharkiv", "Chuhuivskyi", "Road / Highway", "", day, "", day, link, "", "Destroyed", "UA63")
    rows = [(f"D{number}", *row) for number in range(3)]
    path.write_text(
        "\n".join(map(",".join, [ACAPS, *rows, ("D9", *row[:8], "no address", *row[9:])])), "utf-8"
    )
    path = Path(os.environ.get("ACAPS_FILE", path))

    page = new_page(factories.person("official", Area.objects.get(code="UA")))
    page.set_default_timeout(PATIENT)
    page.goto("/")
    click = Clicks(page)
    click("link", "Imports")
    click("link", "Import a table")
    click.choose(path)
    click("button", "Check the rows")
    expect(page.get_by_role("heading", level=1)).to_have_text("What would this import do?", timeout=PATIENT)
    click("checkbox", "Import the good rows without")
    click("button", "Import ")
    expect(page.get_by_role("heading", level=1)).to_have_text("What did this import do?", timeout=PATIENT)
    click("link", "The reports that this import brought in")
    assert page.locator("table tbody tr").count() >= 3
    assert Report.objects.filter(adm1_code="UA-63", damage_level="destroyed").count() >= 3
    assert click.n <= 10


def test_a_page_follows_the_worker(
    new_page: Callable[..., Page], settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("registry.views.imports.AT_ONCE", 0)
    monkeypatch.setattr("registry.actions.importing.judging.CHUNK", 1)
    settings.SECOND_FACTOR_REQUIRED = False
    settings.DATA_DIR = tmp_path / "data"
    (settings.DATA_DIR / "mappings").mkdir(parents=True)
    (settings.DATA_DIR / "mappings" / "county.toml").write_text(MAPPING, "utf-8")
    ukraine = factories.ukraine()
    lineage.cache_clear()
    page = new_page(factories.person("official", ukraine["UA"]))
    page.goto("/imports/new")
    page.fill("[name=pasted]", table(*GOOD, delimiter="\t"))
    send(page, "Check the rows")
    expect(page.locator("[data-live]")).to_contain_text("1 of 3")
    duty = next(duty for duty in working.DUTIES if duty.name == "import")
    duty.act()
    expect(page.locator("[data-live]")).to_contain_text("2 of 3")
    duty.act()
    expect(page.get_by_role("heading", level=1)).to_have_text("What would this import do?")
