"""The timeline tells every field that an entry changed, what it was and what it became."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from registry.actions import reports
from registry.models import Asset, Report
from registry.outputs import telling
from registry.rules.vocabularies import EntryKind
from tests import factories
from tests.factories import AT

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def changes(made: Report) -> list[tuple[str, str, str]]:
    """What the newest entry changed."""
    return telling.timeline(made)[0].changes


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"dwellings_total": 3}, ("dwellings in the building", "4", "3")),
        ({"dwellings_total": None}, ("dwellings in the building", "4", "nothing")),
        ({"cause": "shelling"}, ("cause", "nothing", "shelling")),
        ({"date_precision": "month"}, ("precision of the date", "On a day", "In a month")),
        ({"occurred_to": date(2026, 3, 10)}, ("latest date of damage", "9 March 2026", "10 March 2026")),
        (
            {"started_utc": AT - DAY},
            ("moment it began, UTC", "nothing", "9 March 2026 12:00"),
        ),
        ({"sources_agree": True}, ("sources agree", "nothing", "yes")),
        ({"plan_cost": Decimal("12.50"), "plan_currency": "EUR"}, ("planned cost", "nothing", "12.50")),
        ({"summary": "Roof gone"}, ("summary", "Cracks", "Roof gone")),
        ({"summary": ""}, ("summary", "Cracks", "nothing")),
        ({"object_name": "No. 4"}, ("name of the object", "nothing", "No. 4")),
    ],
)
def test_a_changed_field_is_told_with_both_values(fields: dict[str, Any], said: tuple[str, str, str]) -> None:
    made = factories.report(dwellings_total=4, summary="Cracks")
    told = changes(factories.change(made, at=AT + DAY, **fields))
    assert (told[0], len(told)) == (said, len(fields))


def test_what_is_led_to_is_named() -> None:
    made, person = factories.report(), factories.person("official", name="Olena")
    mill = Asset.objects.create(kind="building", object_type="school")
    factories.change(made, at=AT + DAY, of_asset_id=mill.pk, assignee_id=person.pk)
    assert changes(made) == [("assigned to", "nothing", "Olena"), ("asset", "nothing", mill.reference)]
    factories.change(made, at=AT + DAY, of_asset_id=None)
    assert changes(made) == [("asset", mill.reference, "nothing")]


def test_a_text_that_was_erased_is_told_to_have_been() -> None:
    supervisor = factories.person("supervisor", factories.ukraine()["UA-63"])
    made = factories.report(summary="Cracks", by=supervisor)
    factories.change(made, at=AT + DAY, summary="Call Petro")
    reports.erase(made.reference, "summary", by=supervisor, reason="A name")
    erasing, changing, logging = telling.timeline(made)
    assert erasing.changes == [("summary", "erased", "nothing")]
    assert (erasing.texts, erasing.entry.kind) == ([("Reason", "A name")], EntryKind.ERASED)
    assert (changing.changes, logging.texts) == ([("summary", "erased", "erased")], [])
