"""One report from the first word to the repaired building, and out as a CSV: by the people whose work each
step is, in a browser, with script and without."""

import csv
import io
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from registry.actions import editions, journal
from registry.actions.sampling import photo
from registry.models import Person, Report
from tests import factories


def fill(page: Page, **values: Any) -> None:
    """Answer the fields of these names, whatever they are."""
    for name, value in values.items():
        field = page.locator(f'main [name="{name}"]')
        if page.locator(f'main select[name="{name}"]').count():
            field.select_option(value)
        elif field.first.get_attribute("type") in ("radio", "checkbox"):
            page.locator(f'main [name="{name}"][value="{value}"]').check()
        elif field.get_attribute("type") == "file":
            field.set_input_files([{"name": "a.jpg", "mimeType": "image/jpeg", "buffer": value}])
        else:
            field.fill(value)


def send(page: Page, words: str) -> None:
    page.locator("main").get_by_role("button", name=words, exact=True).click()


@pytest.mark.parametrize("javascript", [True, False], ids=["script", "no script"])
def test_from_the_first_word_to_the_repaired_building_and_out_as_a_csv(
    new_page: Callable[..., Page], settings: Any, gazetteer_path: Any, javascript: bool
) -> None:
    settings.SECOND_FACTOR_REQUIRED = False
    areas = factories.ukraine()
    region = areas["UA-63"]
    today = timezone.localdate()
    damaged, seen = (today - timedelta(days=days) for days in (9, 5))

    def sit(person: Person) -> Page:
        return new_page(person, javascript=javascript)

    people = {role: factories.person(role, region) for role in ("official", "inspector", "supervisor")}
    official, inspector, supervisor = (sit(person) for person in people.values())

    # An official writes it down.
    official.goto("/")
    official.get_by_role("link", name="Log a report").first.click()
    fill(official, area="UA-63", kind="building", object_type="school", when="day")
    fill(
        official, occurred_to=damaged.isoformat(), source_type="own", summary="Windows of two floors are out"
    )
    send(official, "Check and save")
    expect(official.get_by_role("heading", level=1)).to_have_text("Is this right?")
    send(official, "Save")
    expect(official.get_by_role("heading", level=1)).to_have_text("Logged")
    reference = official.locator(".work a.reference").inner_text()

    def step(page: Page, words: str, **values: Any) -> None:
        """Take a step that the report's page offers."""
        page.goto(f"/r/{reference}")
        page.locator(".aside").get_by_role("link", name=words, exact=True).click()
        fill(page, **values)
        send(page, words)
        expect(page).to_have_url(re.compile(f"/r/{reference}$"))

    def status(words: str) -> None:
        official.goto(f"/r/{reference}")
        expect(official.locator(".facts .tag").first).to_have_text(words)

    # What is not an official's to do says why, on the page and at its own address.
    official.goto(f"/r/{reference}")
    closed = official.locator(".steps .closed", has_text="Verify by an inspection")
    expect(closed).to_contain_text("Inspector")
    refused = official.goto(f"/r/{reference}/move/verify")
    assert refused is not None
    assert refused.status == 403
    expect(official.locator(".warning")).to_contain_text("Inspector")

    step(inspector, "Ask a question", question="Which wing is it?")
    status("Needs information")
    step(official, "Answer the question", answer="The left one")
    status("Reported")
    step(
        inspector,
        "Verify by an inspection",
        happened_on=seen.isoformat(),
        method="field",
        grade="ems98:2",
        usability="restricted",
        part_seen="inside",
    )
    status("Verified")
    step(official, "Draft a repair plan", scope="Windows", cost="1200,50", currency="EUR", funder="Town")
    step(supervisor, "Approve the repair plan")
    status("Repair planned")
    step(official, "Start the repair", contractor="Builders", happened_on=seen.isoformat())
    status("Repair in progress")
    after = photo("After", (120, 150, 120)).read()
    step(official, "Repair finished", happened_on=today.isoformat(), photos_after=after)
    status("Repaired")
    step(inspector, "Pass the repair and close", happened_on=today.isoformat())
    status("Closed")
    story = official.locator("#timeline + ol > li")
    expect(story).to_have_count(10)  # the photo after has a line of its own
    expect(story.first).to_contain_text("Repaired → Closed")

    # A day later a researcher finds it by filter and takes it away.
    editions.publish(journal.now() + timedelta(days=2))
    researcher = sit(factories.person("researcher"))
    researcher.goto("/reports")
    if not researcher.locator('input[name="status"][value="closed"]').is_visible():
        researcher.locator(".filters > summary").click()
    fill(researcher, status="closed")
    send(researcher, "Apply")
    expect(researcher.locator("tbody a.reference")).to_have_text([reference])
    with researcher.expect_download() as waiting:
        researcher.get_by_role("link", name="Download this row").click()
    (row,) = csv.DictReader(io.StringIO(waiting.value.path().read_bytes().decode("utf-8-sig")))
    expected = {
        "reference": reference,
        "kind": "building",
        "object_type": "school",
        "status": "closed",
        "outcome": "repaired",
        "adm1_code": "UA-63",
        "occurred_to": damaged.isoformat(),
        "damage_level": "minor",
        "ems98_min": "2",
        "usability": "restricted",
        "verified_on": seen.isoformat(),
        "repaired_on": today.isoformat(),
        "closed_on": today.isoformat(),
        "repair_cost": "1200.50",
        "repair_currency": "EUR",
        "summary": "Windows of two floors are out",
        "independently_checked": "true",
    }
    assert {name: row[name] for name in expected} == expected
    assert Report.objects.get().status == "closed"
