"""An outage with the worked figures of the standard: 1,000 customers out at 10:00; 600 back at 10:40, 300 at
12:00, 100 at 16:00 make 96,000 customer-minutes."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.utils import timezone
from playwright.sync_api import Page, expect

from tests import factories
from tests.trips.test_damage import fill, send


def test_supply_lost_and_given_back_in_steps(
    new_page: Callable[..., Page], settings: Any, gazetteer_path: Any
) -> None:
    settings.SECOND_FACTOR_REQUIRED = False
    areas = factories.ukraine()
    operator = factories.person("operator", areas["UA-63"], sectors=["electricity"])
    page = new_page(operator, width=360)
    day = timezone.localdate() - timedelta(days=2)

    page.goto("/log")
    fill(page, area="UA-63", kind="outage", sector="electricity", when="day", occurred_to=day.isoformat())
    fill(page, started_at=f"{day}T10:00", customers_lost="1000", customers_unit="accounts", source_type="own")
    send(page, "Check and save")
    expect(page.locator(".summary")).to_contain_text("1,000")
    send(page, "Save")
    page.locator(".work a.reference").click()
    tag = page.locator(".facts .tag").first
    expect(tag).to_have_text("Reported")

    def step(words: str, **values: Any) -> None:
        page.locator(".aside").get_by_role("link", name=words, exact=True).click()
        fill(page, **values)
        send(page, words)
        expect(page.locator(".aside")).to_contain_text("Next steps")

    def figure(words: str) -> Any:
        return page.locator(".summary > div", has=page.get_by_text(words, exact=True)).locator("dd")

    step("Confirm the outage", cause_group="weather", customers_served="5000")
    expect(tag).to_have_text("Confirmed")
    expect(figure("Without supply now")).to_contain_text("1,000")
    step("Supply back or lost", at=f"{day}T10:40", customers="600")
    expect(tag).to_have_text("Partially restored")
    expect(figure("Without supply now")).to_contain_text("400")
    step("Supply back or lost", at=f"{day}T12:00", customers="300")
    # More than are out cannot come back: said beside what was typed, which stays.
    page.locator(".aside").get_by_role("link", name="Supply back or lost", exact=True).click()
    fill(page, at=f"{day}T13:00", customers="200")
    send(page, "Supply back or lost")
    expect(page.locator(".error-summary")).to_be_visible()
    expect(page.locator('[name="customers"]')).to_have_value("200")
    fill(page, at=f"{day}T16:00", customers="100")
    send(page, "Supply back or lost")
    expect(tag).to_have_text("Restored")
    expect(figure("Customer-hours so far")).to_contain_text("1,600")
    expect(figure("Without supply now")).to_contain_text("0")
    expect(figure("Affected in all")).to_contain_text("1,000")
    expect(page.locator("table", has_text="10:40")).to_contain_text("400")
    step("Close the outage")
    expect(tag).to_have_text("Closed")
