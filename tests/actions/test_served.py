"""Customers served, from an operator's table."""

from datetime import date

import pytest

from registry.actions import served
from registry.actions.served import BadServed
from registry.models import AreaCode, CustomersServed
from tests import factories

pytestmark = pytest.mark.django_db
HEAD = "area,operator,sector,since,customers\n"


@pytest.fixture(autouse=True)
def areas():
    found = factories.ukraine()
    AreaCode.objects.create(area=found["UA-63"], scheme="P-code", code="UA63")
    return found


def load(tmp_path, text, head=HEAD):
    file = tmp_path / "served.csv"
    file.write_text(head + text)
    return served.load(file)


def test_the_rows_of_a_table_are_taken_in_once(tmp_path, areas):
    rows = "UA-63,North,electricity,2026-01-01,8000\nUA63,,heat,2026-01-01,500\n"
    assert load(tmp_path, rows) == load(tmp_path, rows) == 2
    load(tmp_path, "UA-63,North,electricity,2026-01-01,8500\n")
    kept = CustomersServed.objects.order_by("pk").values_list(
        "area__code", "operator", "sector", "since", "customers"
    )
    assert list(kept) == [
        ("UA-63", "North", "electricity", date(2026, 1, 1), 8500),
        ("UA-63", "", "heat", date(2026, 1, 1), 500),
    ]


def test_what_is_wrong_is_named_by_row_and_column_and_nothing_is_taken_in(tmp_path):
    rows = "UA-63,,electricity,2026-01-01,8000\nXX-1,,sun,1 March,-5\nUA-63,,electricity,2026-01-01,9\n"
    with pytest.raises(BadServed) as caught:
        load(tmp_path, rows)
    said = "\n".join(caught.value.problems)
    for wrong in ("Row 3, area: “XX-1”", "Row 3, sector: “sun”", "Row 3, since: “1 March”", "Row 3, customers: “-5”",
                  "Row 4: said twice"):  # fmt: skip
        assert wrong in said
    assert not CustomersServed.objects.exists()


def test_a_missing_column_is_named(tmp_path):
    with pytest.raises(BadServed, match="sector, since"):
        load(tmp_path, "UA-63,,5\n", head="area,operator,customers\n")
