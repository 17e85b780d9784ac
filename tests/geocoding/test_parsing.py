"""What people type is taken apart without knowing any place."""

import pytest

from registry.geocoding.names import fold
from registry.geocoding.parsing import core, parse


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
        ("Donetsk Obalst", ("donetsk", "adm1")),
        ("Bryansk Oblas", ("bryansk", "adm1")),
        ("the village of Tarashany", ("tarashany", "place")),
        ("Kramatorsk railway station", ("kramatorsk", None)),
        ("ريف حلب", ("حلب", "adm1")),
        ("municipio de Chilón", ("chilon", "adm2")),
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
        ("石川県鳳珠郡能登町", [("石川", "adm1"), ("鳳珠", "adm2"), ("能登", "place")], ""),
        ("Yasne in the Zaporizhzhia region", [("yasne", None), ("zaporizhzhia", "adm1")], ""),
        ("PO Box 37, Ashford, WA 98304-0037", [("ashford", None), ("wa", None)], "box 37"),
        ("500 S 27th St Plainview, AR 62521", [("plainview", None), ("ar", None)], "500 S 27th St"),
        ("قرية صلخد بريف السويداء الجنوبي", [("صلخد", "place"), ("السويداء", "adm1")], ""),
        ("حي السكري، حلب", [("حلب", None)], "حي السكري"),
        ("Av. Juárez 123, Puebla, Pue.", [("puebla", None), ("pue", None)], "Av. Juárez 123"),
        ("Chester substation, Chester, MD", [("chester", None), ("md", None)], ""),
        (" , ;", [], ""),
    ],
)
def test_what_is_typed_is_taken_apart(typed, parts, remainder):
    found = parse(typed)
    assert ([(part.core, part.kind) for part in found.parts], found.remainder) == (parts, remainder)


@pytest.mark.parametrize(
    "typed",
    [
        "south of Kharkiv",
        "3 km west of Kharkiv",
        "3 km NW of Kharkiv",
        "on the outskirts of Kharkiv",
        "в 5 км севернее Харькова",
        "на південь від Харкова",
        "5 km al sur de Puebla",
        "cerca de Puebla",
        "جنوب حلب",
        "بالقرب من حلب",
        "輪島市付近",
    ],
)
def test_nearness_is_noticed(typed):
    found = parse(typed)
    assert found.near
    assert len(found.parts) == 1


@pytest.mark.parametrize("typed", ["Southampton", "South Bend, IN", "Eastwood", "Podil"])
def test_what_only_looks_like_nearness_is_a_name(typed):
    assert not parse(typed).near


@pytest.mark.parametrize(
    ("typed", "ends"),
    [
        ("between Izyum and Barvinkove, Kharkiv region", ("Izyum", "Barvinkove, Kharkiv region")),
        ("между Изюмом и Славянском", ("Изюмом", "Славянском")),
        ("entre Cusco y Puno", ("Cusco", "Puno")),
    ],
)
def test_a_place_between_two_others_has_two_ends(typed, ends):
    assert parse(typed).between == ends
