"""What is kept of a page is drawn from what is named alone, once for each value and language."""

import pytest
from django.template import Context, Template, TemplateSyntaxError
from django.utils import translation

from registry.outputs import telling
from tests.templatetags.test_components import render


def test_a_piece_is_drawn_once_for_each_value_and_knows_nothing_else():
    calls = []
    source = "{% load keeping %}{% kept nav=place %}{{ nav }}{{ secret }}{{ call }}{% endkept %}"
    template = Template(source)

    def drawn(place, secret):
        context = {"place": place, "secret": secret, "call": lambda: calls.append(1)}
        return template.render(Context(context))

    assert [drawn("map", "one"), drawn("map", "two"), drawn("data", "three")] == ["map", "map", "data"]
    assert calls == []


def test_each_language_has_its_own():
    with translation.override("en"):
        assert render("{% load i18n keeping %}{% kept %}{% get_current_language as l %}{{ l }}{% endkept %}")
    kept = telling.kept(lambda code: f"{code} {translation.get_language()}")
    with translation.override("uk"):
        assert kept("a") == "a uk"
    with translation.override("en"):
        assert kept("a") == "a en"


def test_values_have_names():
    with pytest.raises(TemplateSyntaxError):
        render("{% load keeping %}{% kept nav %}{% endkept %}")


def test_what_is_kept_can_be_forgotten():
    words = ["one"]
    kept = telling.kept(lambda: words[0])
    assert kept() == "one"
    words[0] = "two"
    assert kept() == "one"
    telling.forget()
    assert kept() == "two"
