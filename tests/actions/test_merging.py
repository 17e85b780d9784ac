"""Merged reports share assessments and dates, as the timeline says; undoing gives each its own again, exactly."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from registry.actions import editions, inspections, journal, moves
from registry.models import Person, PublicReport, Report
from registry.rules.vocabularies import DamageLevel
from registry.upkeep import verifying
from tests import factories

pytestmark = pytest.mark.django_db

DAY = date(2026, 3, 9)
NOW = datetime(2026, 3, 20, 12, tzinfo=UTC)


class Office:
    def __init__(self) -> None:
        region = factories.ukraine()["UA-63"]
        self.official, self.colleague, self.inspector = (
            factories.person(role, region) for role in ("official", "official", "inspector")
        )
        self.at = NOW

    def report(self, first: int = 0, last: int = 0, **fields: Any) -> Report:
        days = {"occurred_from": DAY + timedelta(first), "occurred_to": DAY + timedelta(last)}
        return factories.report(by=self.official, status="reported", **days | fields)

    def grade(self, report: Report, grade: str, by: Person, *, on: int = 0, method: str = "desk") -> None:
        with self.clock():
            inspections.assess(
                report.reference,
                inspections.new_assessment(scale="ems98", grade=grade, method=method, on=DAY + timedelta(on)),
                by=by,
            )

    def merge(self, report: Report, kept: Report) -> None:
        with self.clock():
            moves.move(report.reference, "merge", by=self.official, given={"original": kept.reference})

    def undo(self, report: Report) -> None:
        with self.clock():
            moves.move(report.reference, "unmerge", by=self.official, given={"note": "Two houses"})

    def clock(self) -> Any:
        self.at += timedelta(minutes=1)
        return journal.clock_at(self.at)


@pytest.fixture
def office() -> Iterator[Office]:
    return Office()


def held(report: Report) -> dict[str, Any]:
    report.refresh_from_db()
    return {name: getattr(report, name) for name in journal.JOURNALED}


def dates(report: Report) -> tuple[Any, ...]:
    report.refresh_from_db()
    return report.occurred_from, report.occurred_to, report.date_precision


def test_grades_join_and_dates_widen_until_the_merges_are_undone(office: Office) -> None:
    kept, second, third = office.report(), office.report(2, 3), office.report(-4, -4)
    office.grade(kept, "2", office.official)
    office.grade(second, "4", office.colleague, on=1)
    before = held(kept), held(second)

    office.merge(second, kept)
    assert dates(kept) == (DAY, DAY + timedelta(3), "range")
    assert (kept.scale_grade, kept.damage_level) == ("4", DamageLevel.SEVERE)
    assert kept.hands["graded"] == [office.colleague.pk]  # whoever graded, not whoever merged
    assert second.assessment_lines.filter(voided_at=None).count() == 1  # each has its own
    told = journal.read(kept.entries.last().body)
    assert told["fields"]["occurred_to"] == [str(DAY), str(DAY + timedelta(3))]
    assert [name for name, _digest in told["rows"]] == ["assessment"]

    office.merge(third, kept)
    assert dates(kept) == (DAY - timedelta(4), DAY + timedelta(3), "range")
    office.undo(second)
    assert dates(kept) == (DAY - timedelta(4), DAY, "range")
    assert kept.scale_grade == "2"
    office.undo(third)
    assert (held(kept), held(second) | {"version": 0}) == (before[0], before[1] | {"version": 0})
    assert list(verifying.verify()) == []


def test_a_grade_without_an_assessment_is_back_after_the_undoing(office: Office) -> None:
    kept, other = office.report(damage_level="minor"), office.report()
    office.grade(other, "5", office.colleague)
    before = held(kept)
    office.merge(other, kept)
    assert held(kept)["damage_level"] == "destroyed"
    office.undo(other)
    assert held(kept) == before


def test_the_strongest_method_counts_and_a_newer_weaker_one_does_not(office: Office) -> None:
    kept, other = office.report(), office.report()
    factories.change(kept, at=office.at, status="verified")
    office.grade(kept, "2", office.inspector, method="field")
    office.grade(other, "5", office.colleague, on=5)
    office.merge(other, kept)
    kept.refresh_from_db()
    assert (kept.scale_grade, kept.assessment_lines.filter(voided_at=None).count()) == ("2", 2)


def test_what_people_did_since_a_merge_outlives_its_undoing(office: Office) -> None:
    kept, other = office.report(), office.report(2, 3)
    office.grade(other, "4", office.colleague)
    office.merge(other, kept)
    office.grade(kept, "3", office.official, on=2)
    office.at += timedelta(minutes=1)
    factories.change(kept, at=office.at, occurred_from=DAY, occurred_to=DAY + timedelta(1))
    office.undo(other)
    assert dates(kept) == (DAY, DAY + timedelta(1), "range")
    assert (kept.scale_grade, kept.hands["graded"]) == ("3", [office.official.pk])


def test_a_date_within_the_others_range_contradicts_nothing(office: Office) -> None:
    kept, other = office.report(), office.report(0, 3, occurred_from=None, date_precision="before")
    office.merge(other, kept)
    assert dates(kept) == (DAY, DAY, "day")
    late = office.report(9, 9)
    office.merge(kept, late)
    assert dates(late) == (DAY, DAY + timedelta(9), "range")


def test_outsiders_see_what_a_merge_joined_with_the_next_edition(office: Office) -> None:
    kept, other = office.report(), office.report(2, 3)
    factories.change(kept, at=office.at, status="verified")
    office.grade(other, "4", office.colleague)
    editions.publish(office.at + timedelta(days=2))
    office.at += timedelta(days=3)
    office.merge(other, kept)
    row = PublicReport.objects.get(reference=kept.reference)
    assert (row.damage_level, row.occurred_to) == ("moderate", DAY)
    editions.publish(office.at + timedelta(days=9))
    row.refresh_from_db()
    assert (row.damage_level, row.occurred_to) == ("severe", DAY + timedelta(3))
    assert not PublicReport.objects.filter(reference=other.reference).exists()
