"""A stranger's table from the file to confirmed reports, in a browser, with script and without."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from registry.models import Report
from tests import factories

#: From the home page to confirmed reports, at most.
MOST_CLICKS = 10
TABLE = """List of damage;;;;;
Nr;Region;Town;Object;Damage;Date
1;Kharkiv Oblast;Chuhuiv;School No. 2;Destroyed;03/04/2025
2;Kharkiv Oblast;Izium;Private house;Partially damaged;05/04/2025
3;Kharkiv Oblast;Izium;Kiosk;Partially damaged;06/04/2025
"""


@pytest.mark.parametrize("javascript", [True, False], ids=["script", "no script"])
def test_a_table_that_nobody_prepared_becomes_reports_in_few_clicks(
    new_page: Callable[..., Page], settings: Any, gazetteer_path: Any, javascript: bool
) -> None:
    settings.SECOND_FACTOR_REQUIRED = False
    areas = factories.ukraine()
    page = new_page(factories.person("official", areas["UA-63"]), javascript=javascript)
    clicks = 0

    def press(role: Any, words: str) -> None:
        nonlocal clicks
        clicks += 1
        page.locator("body").get_by_role(role, name=words).first.click()

    page.goto("/imports")
    press("link", "Import a table")
    clicks += 1
    page.locator('input[type="file"]').set_input_files(
        [{"name": "damage in april.csv", "mimeType": "text/csv", "buffer": TABLE.encode("cp1251")}]
    )
    press("button", "Check the rows")
    expect(page.get_by_text("The headings are read from row 2.")).to_be_visible()
    # Nobody can know these two: which comes first, and what a kiosk is.
    press("radio", "Day first: 03/04/2025 is 3 April 2025")
    clicks += 1
    page.get_by_label("Kiosk").select_option("building//commercial")
    press("button", "Check the rows")
    press("button", "Import 3 rows")
    expect(page.get_by_role("heading", name="What did this import do?")).to_be_visible()
    assert clicks <= MOST_CLICKS
    found = Report.objects.order_by("occurred_to").values_list(
        "object_type", "damage_level", "occurred_to__month"
    )
    assert list(found) == [("school", "destroyed", 4), ("house", "damaged", 4), ("commercial", "damaged", 4)]


HEADINGS = (
    "damage_id,iso3,country,gid_1,oblast,rayon,type_of_infrastructure,if_other_what,date_of_event,source_name,"
    "source_date,source_link,additional_sources,extent_of_damage,_internal_filter_date,_weights,"
    "access_subindicator,pcode"
)
ROW = (
    "{id},UKR,Ukraine,['UKR.7_1'],Kharkiv,Chuhuiv,{type},,2025-03-0{id},A paper,2025-03-09,https://paper.example/{id},,"
    "{extent},2025-03-01,0.7,['7.2'],UA63"
)


def test_a_list_as_it_is_published_becomes_reports_in_few_clicks(
    new_page: Callable[..., Page], settings: Any, gazetteer_path: Any
) -> None:
    settings.SECOND_FACTOR_REQUIRED = False
    areas = factories.ukraine()
    factories.area("9114317", "Chuhuiv", parent=areas["UA-63"], country="UA")
    page = new_page(factories.person("official", areas["UA"]))
    rows = [
        ROW.format(id=1, type="Warehouse", extent="Partially damaged"),
        ROW.format(id=2, type="Electricity supply system", extent="Destroyed"),
    ]
    page.goto("/imports")
    page.get_by_role("link", name="Import a table").click()
    page.locator('input[type="file"]').set_input_files(
        [{"name": "damages.csv", "mimeType": "text/csv", "buffer": "\n".join([HEADINGS, *rows]).encode()}]
    )
    page.get_by_role("button", name="Check the rows").click()
    page.get_by_role("button", name="Import 2 rows").click()
    page.get_by_role("link", name="The reports that this import brought in").click()
    expect(page.get_by_text("2 reports")).to_be_visible()
