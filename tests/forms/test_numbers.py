"""Numbers as files write them."""

import pytest

from registry.forms import numbers


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("70000", "70000"),
        ("70 000", "70000"),
        ("70,000,000", "70000000"),
        ("70.000.000", "70000000"),
        ("12,345", None),
        ("12.000", None),
        ("1\u00a0234\u00a0567", "1234567"),
        ("12'345", "12345"),
        ("1.250,00", "1250"),
        ("1,250.0", "1250"),
        ("7.0E+04", "70000"),
        ("1200.0", "1200.0"),
        ("12.5", "12.5"),
        ("1,5", "1,5"),
        ("1,234.567", "1,234.567"),
        ("12.34.567", "12.34.567"),
        ("about 70", "about 70"),
    ],
)
def test_a_whole_number_is_read_with_what_sets_thousands_apart_unless_it_can_be_two(
    text: str, number: str | None
) -> None:
    assert numbers.whole(text) == number


@pytest.mark.parametrize(
    ("text", "thousands", "number"),
    [("12,345", ",", "12345"), ("12.000", ".", "12000"), ("12.000", ",", "12.000"), ("12 345", ".", "12345")],
)
def test_what_stands_between_thousands_may_be_said(text: str, thousands: str, number: str) -> None:
    assert numbers.whole(text, thousands) == number


@pytest.mark.parametrize(
    ("texts", "sign"),
    [
        (["452", "12.345", "1.250.000"], "."),
        (["452", "12,000"], ","),
        (["12.345", "12,345"], ""),
        (["452", "12 345"], ""),
        (["452"], ""),
    ],
)
def test_a_column_tells_what_stands_between_thousands(texts: list[str], sign: str) -> None:
    assert numbers.thousands(texts) == sign


def test_a_decimal_keeps_its_only_sign() -> None:
    assert [numbers.decimal(text) for text in ("39.427", "39,4277", "3.9E1")] == ["39.427", "39,4277", "39"]
