"""Rows that are hard to write down."""

from datetime import UTC, date, datetime, timedelta

import pytest

from tests.factories import report
from tests.outputs.test_exporting import NASTY


@pytest.fixture
def nasty() -> dict[str, str]:
    """Reports whose texts are hard to write down, by reference."""
    made = {}
    for number, text in enumerate(NASTY):
        row = report(
            summary=text,
            object_name=text,
            adm2_code="007",
            lat=None if number % 5 == 4 else -33.5,
            lon=None if number % 5 == 4 else -70.000001,
            occurred_from=None if number % 2 else date(2026, 3, 1),
            occurred_to=date(2026, 3, 1) + timedelta(days=number % 3),
            started_utc=datetime(2026, 3, 1, 0, 0, number, tzinfo=UTC) if number % 3 else None,
            sources_agree=[None, True, False][number % 3],
            repair_cost=["12.50", None, "1234567890123.45"][number % 3],
            repair_currency="CLP",
            ems98_max=5,
            ems98_min=0,
        )
        made[row.reference] = text
    return made
