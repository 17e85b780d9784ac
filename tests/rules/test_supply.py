"""What the steps of an outage add up to, by the worked figures of the standard."""

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from itertools import permutations

import pytest

from registry.rules import supply


@dataclass(frozen=True)
class Step:
    at: datetime
    direction: str
    customers: int | None = None
    everyone: bool = False
    restriction: str = ""


def at(clock: str) -> datetime:
    hours, minutes = clock.split(":")
    return datetime(2026, 3, 1, int(hours), int(minutes), tzinfo=UTC)


def lost(clock: str, customers: int | None) -> Step:
    return Step(at(clock), "lost", customers)


def back(clock: str, customers: int | None = None, *, everyone: bool = False) -> Step:
    return Step(at(clock), "back", customers, everyone)


def road(clock: str, word: str) -> Step:
    return Step(at(clock), "back" if word == "none" else "lost", restriction=word)


WORKED = [lost("10:00", 1000), back("10:40", 600), back("12:00", 300), back("16:00", 100)]


def figures(*steps: Step) -> tuple[str, int | None, int | None, Decimal | None]:
    s = supply.standing(steps)
    return s.status, s.customers_affected, s.customers_out, s.customer_hours


def test_the_worked_figures_of_the_standard() -> None:
    """96,000 customer-minutes are 1,600 customer-hours; 96 minutes for each of the 1,000."""
    whole = supply.standing(WORKED)
    assert whole.customer_hours == 1600
    assert whole.customer_hours * 60 == 96_000
    assert whole.customer_hours * 60 / whole.customers_affected == 96
    assert (whole.status, whole.customers_affected, whole.customers_out) == ("restored", 1000, 0)
    assert whole.as_of == whole.restored_at == at("16:00")


def test_the_figures_grow_step_by_step_and_accrue_to_the_last_one() -> None:
    assert figures(*WORKED[:1]) == ("confirmed", 1000, 1000, 0)
    assert figures(*WORKED[:2]) == ("partially_restored", 1000, 400, Decimal("666.67"))
    assert figures(*WORKED[:3]) == ("partially_restored", 1000, 100, 1200)
    partly = supply.standing(WORKED[:3])
    assert partly.as_of == at("12:00")
    assert partly.restored_at is None


def test_steps_may_come_in_any_order() -> None:
    """Back-filling is normal."""
    assert {figures(*order) for order in permutations(WORKED)} == {("restored", 1000, 0, Decimal(1600))}


def test_the_stairs_are_the_customers_out_after_each_step() -> None:
    assert [(p.at, p.out) for p in supply.stairs(WORKED[::-1])] == [
        (at("10:00"), 1000),
        (at("10:40"), 400),
        (at("12:00"), 100),
        (at("16:00"), 0),
    ]


def test_without_steps_nothing_is_known() -> None:
    nothing = supply.standing([])
    assert nothing.status == "confirmed"
    assert nothing.as_of is None
    assert nothing.restored_at is None
    assert figures() == ("confirmed", None, None, None)


def test_everyone_back_ends_it_whoever_was_out() -> None:
    assert figures(lost("10:00", 300), back("12:00", everyone=True)) == ("restored", 300, 0, 600)
    counted = (lost("10:00", 300), back("11:00", 100), back("12:00", everyone=True))
    assert figures(*counted) == ("restored", 300, 0, 500)


def test_a_second_loss_adds_to_the_first() -> None:
    more = [lost("10:00", 100), lost("11:00", 50)]
    assert figures(*more) == ("confirmed", 150, 150, 100)
    assert figures(*more, back("12:00", 150)) == ("restored", 150, 0, 250)


def test_a_second_loss_after_part_came_back_leaves_it_partly_back() -> None:
    for second in (20, 500):
        steps = [lost("10:00", 100), back("11:00", 50), lost("12:00", second)]
        assert figures(*steps) == ("partially_restored", 100 + second, 50 + second, 150)


def test_a_second_loss_after_all_came_back_starts_again() -> None:
    for second in (20, 100, 500):
        steps = [lost("10:00", 100), back("11:00", 100), lost("12:00", second)]
        assert figures(*steps) == ("confirmed", 100 + second, second, 100)
        assert supply.standing(steps).restored_at is None
    again = [*steps, back("13:00", 1)]
    assert figures(*again)[0] == "partially_restored"


def test_an_unknown_loss_leaves_all_three_unknown() -> None:
    assert figures(lost("10:00", None)) == ("confirmed", None, None, None)
    assert figures(lost("10:00", 5), lost("11:00", None)) == ("confirmed", None, None, None)
    assert figures(lost("10:00", None), lost("11:00", 5)) == ("confirmed", None, None, None)
    assert figures(lost("10:00", 5), lost("11:00", None), lost("12:00", 5))[1:] == (None, None, None)
    assert figures(lost("10:00", None), back("11:00", 5)) == ("partially_restored", None, None, None)
    unknown_then_more = figures(lost("10:00", None), back("11:00", 5), lost("12:00", 7))
    assert unknown_then_more == ("partially_restored", None, None, None)


def test_an_unknown_number_back_leaves_those_out_and_the_hours_unknown() -> None:
    steps = [lost("10:00", 100), back("11:00", None)]
    assert figures(*steps) == ("partially_restored", 100, None, 100)
    assert figures(*steps, back("12:00", 10)) == ("partially_restored", 100, None, None)


def test_everyone_back_after_unknown_steps_leaves_nobody_out_and_the_hours_unknown() -> None:
    assert figures(lost("10:00", None), back("12:00", everyone=True)) == ("restored", None, 0, None)
    partly = [lost("10:00", 100), back("11:00", None), back("12:00", everyone=True)]
    assert figures(*partly) == ("restored", 100, 0, None)
    assert supply.standing(partly).restored_at == at("12:00")


def test_a_known_loss_after_everyone_was_back_is_counted_again() -> None:
    steps = [lost("10:00", None), back("11:00", everyone=True), lost("12:00", 40)]
    assert figures(*steps) == ("confirmed", None, 40, None)


@pytest.mark.parametrize(
    "steps",
    [
        [lost("10:00", 100), back("11:00", 101)],
        [lost("10:00", 100), back("11:00", 60), back("12:00", 41)],
        [lost("10:00", 100), back("11:00", everyone=True), back("12:00", 1)],
        [lost("10:00", 100), back("11:00", 101), lost("12:00", 50)],
        # Not known how many were out, but never more than were lost.
        [lost("10:00", 100), back("11:00", None), back("12:00", 101)],
        [lost("10:00", 100), back("11:00", 60), back("12:00", None), back("13:00", 41)],
    ],
)
def test_more_restored_than_lost_is_refused(steps: list[Step]) -> None:
    with pytest.raises(supply.StepError, match="customers cannot be back"):
        supply.standing(steps)


@pytest.mark.parametrize("first", [back("09:00", 1), back("09:00"), back("09:00", everyone=True)])
def test_restored_before_lost_is_refused(first: Step) -> None:
    for steps in ([first], [lost("10:00", 100), first], [first, lost("10:00", None)]):
        with pytest.raises(supply.StepError, match="before it was lost"):
            supply.standing(steps)


def test_exactly_those_lost_may_come_back() -> None:
    assert figures(lost("10:00", 100), back("11:00", 100))[0] == "restored"
    assert figures(lost("10:00", 100), back("11:00", None), back("12:00", 100))[0] != "confirmed"


# -- restrictions: airports, roads, railways -----------------------------------------------------------


def test_an_airport_closed_then_limited_then_free() -> None:
    steps = [road("01:00", "closed"), road("05:30", "limited"), road("09:00", "none")]
    stages = [supply.standing(steps[:n]) for n in (1, 2, 3)]
    assert [(s.status, s.restriction) for s in stages] == [
        ("confirmed", "closed"),
        ("partially_restored", "limited"),
        ("restored", "none"),
    ]
    assert [s.as_of for s in stages] == [at("01:00"), at("05:30"), at("09:00")]
    assert [s.restored_at for s in stages] == [None, None, at("09:00")]
    for s in stages:
        assert (s.customers_affected, s.customers_out, s.customer_hours) == (None, None, None)


@pytest.mark.parametrize(
    ("words", "status"),
    [
        ("limited", "confirmed"),
        ("diverted", "confirmed"),
        ("limited closed", "confirmed"),
        ("closed diverted", "partially_restored"),
        ("closed limited closed", "confirmed"),
        ("closed none", "restored"),
        ("closed none closed", "confirmed"),
        ("closed none limited", "confirmed"),
        ("limited none", "restored"),
    ],
)
def test_a_closure_that_eases_is_partly_back(words: str, status: str) -> None:
    steps = [road(f"0{hour}:00", word) for hour, word in enumerate(words.split())]
    standing = supply.standing(steps)
    assert (standing.status, standing.restriction) == (status, words.split()[-1])


def test_free_before_it_was_closed_is_refused() -> None:
    with pytest.raises(supply.StepError, match="before it was lost"):
        supply.standing([road("01:00", "none"), road("02:00", "closed")])
