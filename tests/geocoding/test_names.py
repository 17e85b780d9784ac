"""Names are compared and taken apart without knowing any place."""

import pytest

from registry.geocoding.names import fold, roots, skeleton
from registry.geocoding.parsing import core, parse


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Košice", "KOSICE"),
        ("Ivano-Frankivsk", "ivano frankivsk"),
        ("Кам’янка", "Кам'янка"),
        ("Камʼянка", "камянка"),
        ("Орёл", "Орел"),
        ("الرقّة", "الرقة"),
        ("أربيل", "اربيل"),
        ("Łódź", "Lodz"),
    ],
)
def test_case_accents_apostrophes_and_hyphens_make_no_difference(one, other):
    assert fold(one) == fold(other)


def test_marks_that_are_letters_stay():
    assert fold("がもう") != fold("かもう")


@pytest.mark.parametrize(
    "spellings",
    [
        ("Марʼїнка", "Mar'inka", "Maryinka", "Marjinka"),
        ("Сєвєродонецьк", "Severodonetsk", "Sievierodonetsk", "Sjewjerodonezk"),
        ("Щастя", "Shchastia", "Schastia", "Shchastya"),
        ("Бородянка", "Borodyanka", "Borodianka", "Borodjanka"),
        ("Харків", "Kharkiv", "Harkiv"),
        ("Нижний Тагил", "Nizhny Tagil", "Nizhniy Tagil", "Nižnij Tagil"),
        ("Юзівка", "Yuzivka", "Iuzivka", "Juzivka"),
    ],
)
def test_romanisations_of_one_name_meet(spellings):
    assert len({skeleton(fold(spelling)) for spelling in spellings}) == 1


@pytest.mark.parametrize(
    ("adjective", "noun"),
    [
        ("Nikopolskyi", "Нікополь"),
        ("Donetska", "Donetsk"),
        ("Донецкая", "Донецьк"),
        ("Sumska", "Sumy"),
        ("Odeskyi", "Odesa"),
        ("Zaporizka", "Zaporizhzhia"),
        ("Khmelnytska", "Khmelnytskyi"),
        ("Zakarpatska", "Zakarpattia"),
        ("Volnovaskyi", "Volnovakha"),
        ("Vinnytska", "Vinnytsia"),
        ("Воронежской", "Воронеж"),
    ],
)
def test_an_adjective_and_its_noun_share_a_root(adjective, noun):
    assert roots(fold(adjective)) & roots(fold(noun))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Kharkiv Oblast", ("kharkiv", "adm1")),
        ("Oblast Donezk", ("donezk", "adm1")),
        ("Autonomous Republic of Crimea", ("crimea", "adm1")),
        ("Нікопольський район", ("нікопольськии", "adm2")),
        ("г. Шебекино", ("шебекино", "place")),
        ("محافظة حمص", ("حمص", "adm1")),
        ("札幌市", ("札幌", "place")),
        ("State", ("state", None)),
        ("Street", ("street", None)),
    ],
)
def test_words_for_kinds_are_told_from_the_name(name, expected):
    assert core(fold(name)) == expected


@pytest.mark.parametrize(
    ("typed", "parts", "remainder"),
    [
        ("Kharkiv Oblast, Chuhuiv", [("kharkiv", "adm1"), ("chuhuiv", None)], ""),
        ("Izyum (Kharkiv Region)", [("izyum", None), ("kharkiv", "adm1")], ""),
        ("г. Шебекино, ул. Ленина 5", [("шебекино", "place")], "ул. Ленина 5"),
        ("г. Шебекино ул. Ленина 5", [("шебекино", "place")], "ул. Ленина 5"),
        ("Харьковская область Чугуев", [("харьковская", "adm1"), ("чугуев", None)], ""),
        ("Чугуївський р-н, Чугуїв", [("чугуівськии", "adm2"), ("чугуів", None)], ""),
        ("12 Main St, Springfield, IL", [("springfield", None), ("il", None)], "12 Main St"),
        ("東京都新宿区", [("東京", "adm1"), ("新宿", "adm2")], ""),
        (" , ;", [], ""),
    ],
)
def test_what_is_typed_is_taken_apart(typed, parts, remainder):
    found = parse(typed)
    assert ([(part.core, part.kind) for part in found.parts], found.remainder) == (parts, remainder)


def test_nearness_is_noticed():
    assert parse("south of Kharkiv").near
    assert parse("3 km west of Kharkiv").near
    assert not parse("Southampton").near
