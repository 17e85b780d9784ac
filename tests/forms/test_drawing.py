"""Controls are drawn as Django's own templates draw them."""

import pytest
from django import forms
from django.forms.renderers import TemplatesSetting
from django.utils.safestring import mark_safe

from registry.forms.drawing import CONTROLS, Renderer

CHOICES = [("a", 'One & "two"'), ("", "nothing"), ("Group <g>", [("b", mark_safe("<i>safe</i>")), (3, "3")])]


class Form(forms.Form):
    text = forms.CharField(
        max_length=5, widget=forms.TextInput(attrs={"data-x": 'a"b', "hidden": True, "z": False})
    )
    number = forms.DecimalField(min_value=0, step_size=0.5)
    mail = forms.EmailField()
    link = forms.URLField(assume_scheme="https")
    secret = forms.CharField(widget=forms.PasswordInput)
    kept = forms.CharField(widget=forms.HiddenInput)
    search = forms.CharField(widget=forms.SearchInput)
    day = forms.DateField(widget=forms.DateInput(attrs={"type": "date"}))
    file = forms.FileField(widget=forms.FileInput)
    long = forms.CharField(widget=forms.Textarea)
    tick = forms.BooleanField()
    one = forms.ChoiceField(choices=CHOICES)
    some = forms.MultipleChoiceField(choices=CHOICES)
    radios = forms.ChoiceField(choices=CHOICES, widget=forms.RadioSelect)
    ticks = forms.MultipleChoiceField(choices=CHOICES, widget=forms.CheckboxSelectMultiple)


FILLED = dict.fromkeys(Form.base_fields, "<b> & 'c'") | {
    "one": "a",
    "some": ["a", "3"],
    "ticks": ["b"],
    "tick": "on",
}


@pytest.mark.parametrize("data", [None, {}, FILLED])
def test_a_control_looks_as_django_draws_it(data):
    ours, djangos = Form(data, renderer=Renderer()), Form(data, renderer=TemplatesSetting())
    for name in Form.base_fields:
        assert words(ours[name]) == words(djangos[name])
        for choice, other in zip(ours[name].subwidgets, djangos[name].subwidgets, strict=True):
            assert words(choice.tag()) == words(other.tag())
            assert words(choice) == words(other)


def test_every_drawn_control_is_tried(monkeypatch):
    tried = set()
    monkeypatch.setattr(
        TemplatesSetting, "render", lambda self, name, context, request=None: tried.add(name) or ""
    )
    form = Form(renderer=TemplatesSetting())
    for name in Form.base_fields:
        form[name].as_widget()
        for choice in form[name].subwidgets:
            choice.tag()
    assert set(CONTROLS) <= tried


def words(drawn: object) -> list[str]:
    return str(drawn).split()
