"""What a valid report is: each rule of the form, and what it makes of what was typed."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from registry.forms.logging import LogForm, house_numbers
from registry.forms.reports import ReportForm
from tests import factories

pytestmark = pytest.mark.django_db

GOOD = {
    "area": "UA-63",
    "kind": "building",
    "object_type": "school",
    "occurred_to": "2026-03-09",
    "source_type": "media",
    "source_name": "Town paper",
}


@pytest.fixture(autouse=True)
def areas() -> None:
    factories.ukraine()


def check(**changes: Any) -> ReportForm:
    form = ReportForm()
    form.check({**GOOD, **changes})
    return form


def test_a_row_with_the_least_that_is_asked_for_is_valid() -> None:
    form = check()
    assert not form.errors
    columns = form.columns()
    assert (columns["country"], columns["adm1_code"], columns["adm1_name"]) == ("UA", "UA-63", "Kharkiv")
    assert (columns["occurred_from"], columns["occurred_to"]) == (date(2026, 3, 9), date(2026, 3, 9))
    assert columns["date_precision"] == "day"
    assert form.source().name == "Town paper"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"area": "UA-99"}, "area"),
        ({"area": ""}, "place"),
        ({"lat": "91", "lon": "36"}, "lat"),
        ({"lat": "1e400", "lon": "36"}, "lat"),
        ({"lat": "50", "lon": "181"}, "lon"),
        ({"lat": "50"}, "lon"),
        ({"lat": "north", "lon": "36"}, "lat"),
        ({"lat": "NaN", "lon": "36"}, "lat"),
        ({"kind": "bridge"}, "kind"),
        ({"kind": ""}, "kind"),
        ({"kind": "network"}, "sector"),
        ({"kind": "network", "sector": "gas", "object_type": "substation"}, "object_type"),
        ({"object_type": "substation"}, "object_type"),
        ({"occurred_to": ""}, "occurred_to"),
        ({"occurred_to": "31.02.2026"}, "occurred_to"),
        ({"occurred_to": "1899-12-31"}, "occurred_to"),
        ({"occurred_from": "2026-03-10"}, "occurred_from"),
        ({"date_precision": "range"}, "occurred_from"),
        ({"started_at": "2026-03-10T00:30"}, "started_at"),
        ({"started_at": "yesterday"}, "started_at"),
        ({"dwellings_total": "10", "dwellings_damaged": "11"}, "dwellings_damaged"),
        ({"dwellings_total": "-1"}, "dwellings_total"),
        ({"kind": "outage", "sector": "gas", "object_type": "", "customers_lost": "5"}, "customers_unit"),
        ({"source_name": ""}, "source_name"),
        ({"scale_grade": "3"}, "scale"),
        ({"scale": "ems98", "scale_grade": "6"}, "scale_grade"),
        ({"elements": "roof:all"}, "elements"),
        ({"danger": ["dragons"]}, "danger"),
    ],
)
def test_bad_input_names_its_field(changes: dict[str, Any], field: str) -> None:
    assert list(check(**changes).errors) == [field]


def test_today_is_judged_in_the_zone_of_the_place(monkeypatch: pytest.MonkeyPatch) -> None:
    area = factories.area("UA-63")
    area.timezone = "Pacific/Kiritimati"  # fourteen hours before UTC
    area.save()
    there = datetime.now(ZoneInfo("Pacific/Kiritimati")).date()
    assert not check(occurred_to=there.isoformat()).errors
    tomorrow = (there + timedelta(days=1)).isoformat()
    assert list(check(occurred_to=tomorrow).errors) == ["occurred_to"]


def test_a_planned_outage_may_lie_in_the_future_and_no_other() -> None:
    ahead = (datetime.now(UTC) + timedelta(days=5)).date().isoformat()
    outage = {"kind": "outage", "sector": "electricity", "object_type": "", "occurred_to": ahead}
    assert not check(**outage, cause_group="planned").errors
    assert not check(**outage, cause_group="load_shedding").errors
    assert list(check(**outage, cause_group="weather").errors) == ["occurred_to"]
    assert list(check(occurred_to=ahead, cause_group="planned").errors) == ["occurred_to"]


def test_dates_before_between_in_a_month_or_year() -> None:
    before = check(date_precision="before").columns()
    assert (before["occurred_from"], before["occurred_to"]) == (None, date(2026, 3, 9))
    between = check(occurred_from="2026-03-01").columns()
    assert (between["occurred_from"], between["date_precision"]) == (date(2026, 3, 1), "range")
    month = check(date_precision="month", occurred_to="2026-02-11").columns()
    assert (month["occurred_from"], month["occurred_to"]) == (date(2026, 2, 1), date(2026, 2, 28))
    year = check(date_precision="year", occurred_to="2025-02-11").columns()
    assert (year["occurred_from"], year["occurred_to"]) == (date(2025, 1, 1), date(2025, 12, 31))


def test_a_time_is_read_on_the_clocks_of_the_place() -> None:
    area = factories.area("UA-63")
    area.timezone = "Europe/Kyiv"
    area.save()
    columns = check(occurred_to="", started_at="2026-03-09T01:00").columns()
    assert columns["started_utc"] == datetime(2026, 3, 8, 23, tzinfo=UTC)
    assert columns["occurred_to"] == date(2026, 3, 9)


def test_one_form_checks_row_after_row() -> None:
    form = ReportForm()
    assert not form.check({**GOOD, "area": "nowhere"})
    assert form.check(GOOD)
    assert not form.check({**GOOD, "kind": "network"})
    assert form.check({**GOOD, "kind": "network", "sector": "gas", "object_type": "pipeline"})
    assert form.columns()["sector"] == "gas"


def test_a_decimal_comma_is_understood_and_six_places_kept() -> None:
    form = ReportForm()
    form.fields["lat"].clean("50,4501")
    assert str(form.fields["lat"].clean("50,45012345")) == "50.450123"
    assert str(form.fields["lon"].clean("−0,5")) == "-0.500000"


@pytest.mark.parametrize(
    ("typed", "numbers"),
    [
        ("3, 5, 7–15", "3 5 7 9 11 13 15"),
        ("2-4", "2 4"),
        ("1-4", "1 2 3 4"),
        ("12а; 12б", "12а 12б"),
        ("7, 7", "7"),
        ("", ""),
    ],
)
def test_house_numbers(typed: str, numbers: str) -> None:
    assert " ".join(house_numbers(typed)) == numbers


@pytest.mark.parametrize("typed", ["all", "15-7", "1-1000", "3,,x"])
def test_what_is_no_list_of_house_numbers(typed: str) -> None:
    form = LogForm({**GOOD, "when": "day", "house_numbers": typed})
    assert list(form.errors) == ["house_numbers"]


def test_when_in_words() -> None:
    base = {k: v for k, v in GOOD.items() if k != "occurred_to"}
    now = LogForm({**base, "when": "now"})
    assert now.is_valid(), now.errors
    assert now.columns()["started_utc"] is not None
    tonight = LogForm({**base, "when": "tonight"})
    assert tonight.is_valid(), tonight.errors
    columns = tonight.columns()
    assert columns["occurred_to"] - columns["occurred_from"] == timedelta(days=1)
    assert list(LogForm({**base, "when": "day"}).errors) == ["occurred_to"]
