"""Fields tie their parts together; what is not known, what is withheld and zero never look alike."""

from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace

import pytest
from django import forms
from django.template import Context, Template
from django.utils import timezone

from registry.rules.vocabularies import Status
from registry.templatetags import components


class Form(forms.Form):
    place = forms.CharField(label="Place", help_text="Street and house")
    kind = forms.ChoiceField(label="Kind", choices=[("a", "One"), ("b", "Two")], widget=forms.RadioSelect)
    kind.choice_hints = {"b": "the second"}
    seen = forms.BooleanField(label="Seen", required=False)
    on = forms.DateField(label="Day", widget=forms.SelectDateWidget, required=False)
    file = forms.FileField(label="Photo", required=False)
    secret = forms.CharField(widget=forms.HiddenInput, required=False)

    def clean(self) -> None:
        if self.data.get("place") == "nowhere":
            raise forms.ValidationError("There is no such place")


def render(source: str, **context: object) -> str:
    return Template("{% load components %}" + source).render(Context(context))


def row(**columns: object) -> SimpleNamespace:
    empty = dict.fromkeys(
        ("address", "settlement", "adm3_name", "adm2_name", "adm1_name", "country", "withheld"), ""
    )
    undated = {"occurred_from": None, "occurred_to": None, "date_precision": "day"}
    return SimpleNamespace(**{**empty, **undated, **columns})


def test_a_field_is_described_by_its_hint_and_its_error():
    html = render("{% field form.place width=5 %}", form=Form({}))
    assert '<label for="id_place">Place</label>' in html
    assert 'aria-describedby="id_place_helptext id_place_error"' in html
    assert 'id="id_place_helptext"' in html
    assert 'id="id_place_error"' in html
    assert 'aria-invalid="true"' in html
    assert "width-5" in html


def test_choices_are_one_group_with_a_hint_for_each():
    html = render('{% field form.kind look="big" %}', form=Form({}))
    assert "<legend>Kind</legend>" in html
    assert "choices-big" in html
    assert 'aria-describedby="id_kind_error"' in html
    assert '<label for="id_kind_1">Two<span class="hint">the second</span></label>' in html
    assert html.count("hint") == 1


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("seen", '<input type="checkbox" name="seen" id="id_seen">'),
        ("on", "<fieldset"),
        ("file", '<label for="id_file">Photo</label>'),
    ],
)
def test_every_kind_of_widget_has_its_shape(name, expected):
    assert expected in render("{% field bound %}", bound=Form()[name])


def test_a_hidden_field_has_no_label():
    html = render("{% field form.secret %}", form=Form())
    assert 'name="secret"' in html
    assert "label" not in html


def test_choices_of_nothing_are_not_shown():
    form = Form()
    form.fields["kind"].choices = []
    assert "Kind" not in render("{% field form.kind %}", form=form)


def test_filters_beyond_the_first_are_folded_unless_one_of_them_is_set():
    names = [f"f{n}" for n in range(8)]
    many = type("Many", (forms.Form,), {name: forms.CharField(required=False) for name in names})
    assert "<details>" in render("{% include '_filters.html' %}", form=many({"f1": "x"}))
    assert "<details open>" in render("{% include '_filters.html' %}", form=many({"f7": "x"}))


def test_fields_come_whole_and_in_order():
    html = render("{% fields form %}", form=Form())
    assert html.index('name="secret"') < html.index("Place") < html.index("Kind") < html.index("Photo")


def test_errors_link_to_where_they_are_mended():
    html = render("{% error_summary form %}", form=Form({}))
    assert 'href="#id_place">Place: ' in html
    assert 'href="#id_kind_0">Kind: ' in html


def test_errors_of_no_field_and_of_several_forms_are_listed():
    html = render("{% error_summary one two %}", one=Form({"place": "nowhere", "kind": "a"}), two=Form({}))
    assert "<li>There is no such place</li>" in html
    assert 'href="#id_place"' in html


@pytest.mark.parametrize("form", [Form(), Form({"place": "x", "kind": "a"})])
def test_no_errors_no_summary(form):
    assert render("{% error_summary form %}", form=form).strip() == ""


def test_what_is_typed_is_escaped():
    form = Form({"place": "<script>", "kind": "a"})
    assert "<script>" not in render("{% field form.place %}{% submit label %}", form=form, label="<script>")


def test_not_known_withheld_and_zero_look_different():
    known, missing, hidden = (
        render("{% number n withheld=w %}", n=n, w=w) for n, w in ((0, False), (None, False), (7, True))
    )
    assert ">0<" in known
    assert "not known" in missing
    assert "unknown" in missing
    assert "withheld" in hidden
    assert "7" not in hidden


def test_large_figures_are_grouped():
    assert "1,234,567" in render("{% number 1234567 %}")


@pytest.mark.parametrize(
    ("n", "words"),
    [(12, "12 more than yesterday"), (-1234, "1,234 fewer than yesterday"), (0, "as yesterday")],
)
def test_a_change_is_said_in_words(n, words):
    assert render('{% change n "yesterday" %}', n=n) == words


@pytest.mark.parametrize("code", Status.values)
def test_a_status_is_its_words(code):
    html = render("{% tag_status code %}", code=code)
    assert f"status-{code}" in html
    assert str(Status(code).label) in html


def test_levels_not_known_and_withheld_have_words_of_their_own():
    assert "Severe" in components.tag_level("severe")
    assert components.tag_level(None) == components.tag_level("") == components.tag_level("unknown")
    hidden = components.tag_level("severe", withheld=True)
    assert "Withheld" in hidden
    assert "severe" not in hidden


def test_dangers_are_read_from_text_or_list():
    assert components.tag_danger("gas trapped") == components.tag_danger(["gas", "trapped"])
    assert "Gas leak" in components.tag_danger("gas")
    assert components.tag_danger("") == components.tag_danger(None) == ""


def test_a_row_says_which_groups_are_withheld():
    withholding = row(withheld="area days")
    assert components.withholds(withholding, "area")
    assert components.withholds(withholding, "days")
    assert not components.withholds(withholding, "day")
    assert not components.withholds(row(), "area")


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        (
            {
                "address": "Lenina 5",
                "settlement": "Shebekino",
                "adm2_name": "A district",
                "adm1_name": "A region",
            },
            "Lenina 5, Shebekino, A region",
        ),
        ({"adm2_name": "A district", "adm1_name": "A region"}, "A district, A region"),
        ({"settlement": "Kyiv", "adm1_name": "Kyiv"}, "Kyiv"),
        ({"country": "UA"}, "UA"),
    ],
)
def test_a_place_goes_from_small_to_large(columns, words):
    assert components.place(row(**columns)) == words


def test_a_place_missing_says_why():
    assert "not known" in components.place(row())
    assert "withheld" in components.place(row(withheld="area"))


@pytest.mark.parametrize(
    ("first", "last", "precision", "words"),
    [
        (date(2025, 3, 14), date(2025, 3, 14), "day", "14 March 2025"),
        (date(2025, 3, 12), date(2025, 3, 14), "range", "12 March 2025 to 14 March 2025"),
        (None, date(2025, 3, 14), "before", "before 14 March 2025"),
        (date(2025, 3, 1), date(2025, 3, 31), "month", "March 2025"),
        (date(2025, 1, 1), date(2025, 12, 31), "year", "2025"),
        (date(2025, 2, 1), date(2025, 3, 31), "month", "February 2025 to March 2025"),
        (None, None, "day", "not known"),
    ],
)
def test_a_date_is_said_as_finely_as_it_is_known(first, last, precision, words):
    html = components.when(row(occurred_from=first, occurred_to=last, date_precision=precision))
    assert Template("{{ html|striptags }}").render(Context({"html": html})) == words


def test_days_withheld_are_told_as_their_month():
    shown = {"occurred_from": date(2025, 3, 1), "occurred_to": date(2025, 3, 31), "date_precision": "range"}
    html = components.when(row(**shown, withheld="place days"))
    assert "March 2025" in html
    assert "31" not in html


def test_a_moment_is_told_on_the_clocks_of_its_place():
    at = datetime(2025, 3, 13, 23, 0, tzinfo=UTC)
    html = components.moment(at, "Europe/Kyiv")
    assert "14 March 2025, 01:00" in html
    assert "(Kyiv)" in html
    assert 'datetime="2025-03-14T01:00:00+02:00"' in html
    assert "not known" in components.moment(None)


def test_waiting_is_told_in_its_largest_unit():
    html = components.waits(timezone.now() - timedelta(days=3, hours=5))
    assert "3\xa0days" in html
    assert "hours" not in html


def test_a_code_is_said_in_its_words():
    assert components.label_of("needs_info", "status") == "Needs information"
    assert components.label_of("", "status") == "not known"
