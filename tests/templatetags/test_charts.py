"""Bars are as long as their numbers, and what is not known is not drawn as zero."""

import re
from datetime import UTC, date, datetime, timedelta

from registry.templatetags import charts
from tests.templatetags.test_components import render

AT = datetime(2026, 3, 14, 10, 0, tzinfo=UTC)


def chart(source: str, **context: object) -> str:
    return render("{% load charts %}" + source, **context)


def test_bars_fill_the_longest_row_and_stack_without_gaps():
    rows = [{"label": "A", "parts": [("severe", 3), ("minor", 1)]}, {"label": "B", "parts": [("minor", 2)]}]
    drawn = charts.bars("Damage", rows)["rows"]
    bars = [re.findall(r'level-(\w+)" x="([\d.]+)" y="1" width="([\d.]+)"', row["bar"]) for row in drawn]
    assert bars == [[("minor", "0.0", "25.0"), ("severe", "25.0", "75.0")], [("minor", "0.0", "50.0")]]
    assert [row["total"] for row in drawn] == [4, 2]


def test_every_bar_stands_in_the_table_too():
    html = chart("{% bars 'Damage' rows %}", rows=[{"label": "Old town", "parts": [("severe", 3)]}])
    assert html.count("Old town") == 2
    assert "Severe" in html
    assert "level-severe" in html


def test_nothing_to_draw_is_no_error():
    assert charts.bars("Damage", [])["rows"] == []
    assert "<rect" not in chart("{% bars 'Damage' rows %}", rows=[{"label": "A", "parts": []}])
    assert charts.stair("Out", [])["steps"] == ()
    assert charts.days("Out", [])["rows"] == []


def test_a_day_not_known_has_no_column_and_says_so():
    html = chart("{% days 'Out' rows %}", rows=[(date(2026, 3, 8), None), (date(2026, 3, 9), 4)])
    assert html.count("<rect") == 1
    assert "not known" in html


def test_stairs_are_as_long_as_their_steps_last():
    steps = [(AT, 1000), (AT + timedelta(minutes=40), 400), (AT + timedelta(minutes=80), 0)]
    treads = charts.stair("Out", steps, until=AT + timedelta(minutes=100))["steps"]
    assert [(tread["x"], tread["width"], tread["height"]) for tread in treads] == [
        (0, 40, 100),
        (40, 40, 40),
        (80, 20, 0),
    ]


def test_a_step_not_known_is_drawn_apart_from_zero():
    html = chart("{% stair 'Out' steps %}", steps=[(AT, 10), (AT + timedelta(hours=1), None)])
    assert html.count('class="not-known"') == 1
    assert "not known" in html


def test_a_single_step_has_a_width():
    assert charts.stair("Out", [(AT, 10)])["steps"][0]["width"] == 100


def test_stairs_tell_the_clock_of_the_place():
    html = chart("{% stair 'Out' steps zone='Europe/Kyiv' %}", steps=[(AT, 10)])
    assert "12:00" in html
    assert "10:00" not in html
