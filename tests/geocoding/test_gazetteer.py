"""The embedded gazetteer finds places in many scripts and never guesses in silence."""

import threading

import pytest

from registry.geo import distance_m
from registry.geocoding.gazetteer import UnknownArea, locate


def found(gazetteer, place, **hints):
    answer = locate(place, gazetteer=gazetteer, **hints)
    assert answer.outcome == "found", answer
    return answer.candidates[0]


@pytest.mark.parametrize(
    ("place", "hints", "geonames_id"),
    [
        ("Воронеж", {}, 472045),
        ("Voronezh", {"country": "RU"}, 472045),
        ("Воронеж", {"adm1_code": "RU-VOR"}, 472045),
        ("Харків", {}, 706483),
        ("Kharkov", {}, 706483),
        ("Charkow", {}, 706483),
        ("Миколаїв", {"adm1_code": "UA-48"}, 700569),
        ("Nikolaev", {"adm1_code": "Mykolaivska"}, 700569),
        ("Марʼїнка", {"adm1_code": "UA-14"}, 701845),
        ("Mar'inka", {"adm1_code": "UA-14"}, 701845),
        ("Marjinka", {"adm1_code": "Донецкая область"}, 701845),
        ("حمص", {}, 169577),
        ("札幌市", {}, 2128295),
        ("札幌", {"country": "JP"}, 2128295),
        ("Springfield", {"adm1_code": "US-IL"}, 4250542),
        ("Kharkiv Oblast, Chuhuiv", {}, 710374),
        ("Kharkiv, Chuhuiv", {}, 710374),
        ("Izyum (Kharkiv Region)", {}, 707292),
        ("Springfield, IL", {}, 4250542),
        ("Illinois, Springfield", {}, 4250542),
        ("Ohio, Felicity", {}, 4511551),
        ("the village of Felicity in Ohio", {}, 4511551),
        ("Paris, Texas", {}, 4717560),
        ("Kansas City", {"adm1_code": "US-KS"}, 4273837),
        ("Artemivsk, Donetsk region", {}, 713174),  # its name until 2016
        ("Kramatorsk railway station, Donetsk region", {}, 704508),
        ("Nova Odesa Mykolaiv Oblast", {}, 699811),
        ("1 Riverside Plaza, Columbus OH 43215", {}, 4509177),
        ("City of Oklahoma City, OK", {}, 4544349),
        ("石川県珠洲市蛸島町", {}, 6822142),
        ("〒928-0001 石川県輪島市河井町1-2-3", {}, 1848976),
        ("Noto town, Ishikawa Prefecture", {}, 1849155),
        ("معرة النعمان، ريف إدلب الجنوبي", {}, 167611),
        ("بلدة الطبقة في محافظة الرقة", {}, 172374),
        ("Juchitán de Zaragoza, Oaxaca", {}, 3526357),
        ("Av. Juárez 123, Col. Centro, Pedernales, provincia de Manabí, Ecuador", {}, 3653307),
    ],
)
def test_a_place_is_found(gazetteer, place, hints, geonames_id):
    best = found(gazetteer, place, **hints)
    assert best.geonames_id == geonames_id
    assert best.geo_precision == "settlement"
    assert best.score > 0.8


def test_an_answer_says_what_matched_and_how(gazetteer):
    best = found(gazetteer, "г. Шебекино", adm1_code="RU-BEL")
    assert (best.matched, best.how, best.country, best.adm1_code) == ("Шебекино", "exact", "RU", "RU-BEL")
    assert best.timezone == "Europe/Moscow"
    assert 1_000 <= best.radius_m <= 10_000
    assert found(gazetteer, "Dontesk", country="UA").how == "fuzzy"


def test_a_street_is_kept_and_the_settlement_located(gazetteer):
    answer = locate("г. Шебекино, ул. Ленина 5", gazetteer=gazetteer)
    assert answer.outcome == "found"
    assert answer.remainder == "ул. Ленина 5"
    assert answer.candidates[0].geo_precision == "settlement"


@pytest.mark.parametrize("place", ["Adiivka", "Avdivka", "Avdiivkaa"])
def test_a_small_misspelling_is_found_in_the_named_region_alone(gazetteer, place):
    assert found(gazetteer, place, adm1_code="UA-14").name == "Avdiyivka"
    assert locate(place, adm1_code="UA-46", gazetteer=gazetteer).outcome != "found"


@pytest.mark.parametrize(
    ("place", "code", "precision"),
    [
        ("Sumy region", "UA-59", "adm1"),
        ("Сумська область", "UA-59", "adm1"),
        ("Crimea", "UA-43", "adm1"),
        ("Kyiv region", "UA-32", "adm1"),
        ("California", "US-CA", "adm1"),
        ("Никопольский район", "UA-12", "adm2"),
    ],
)
def test_a_region_alone_is_the_regions_point_and_never_a_town(gazetteer, place, code, precision):
    best = found(gazetteer, place)
    assert (best.adm1_code, best.geo_precision) == (code, precision)
    assert best.radius_m > 20_000


def test_a_region_and_its_country_are_the_region(gazetteer):
    best = found(gazetteer, "Mykolaiv region, Ukraine")
    assert (best.adm1_code, best.geo_precision) == ("UA-48", "adm1")


def test_a_region_named_as_the_place_within_itself_is_the_region(gazetteer):
    assert found(gazetteer, "Crimea", country="UA", adm1_code="Crimea").geo_precision == "adm1"


def test_an_unknown_village_of_a_known_region_is_not_the_region(gazetteer):
    assert locate("Xyzzyplugh, Kharkiv Oblast", gazetteer=gazetteer).outcome == "not_found"
    assert locate("石川県嘘嘘町", gazetteer=gazetteer).outcome == "not_found"


def test_an_unknown_village_beside_a_city_that_may_be_its_region_is_for_a_person(gazetteer):
    assert locate("Xyzzyplugh, Kharkiv", gazetteer=gazetteer).outcome == "ambiguous"


def test_a_name_that_is_overlooked_beside_a_region_is_for_a_person(gazetteer):
    for place in ("Illinois, Xyzzyplugh", "Xyzzyplugh, Illinois"):
        assert locate(place, gazetteer=gazetteer).outcome == "ambiguous"
    answer = locate("Felicty, Ohio", gazetteer=gazetteer)
    assert (answer.outcome, answer.candidates[0].name) == ("ambiguous", "Felicity")


def test_a_district_known_by_its_town_alone_is_not_as_precise_as_the_town(gazetteer):
    best = found(gazetteer, "Tokmak district, Zaporizhzhia region")
    assert (best.name, best.geo_precision) == ("Tokmak", "adm2")
    assert best.radius_m >= 15_000


@pytest.mark.parametrize("place", ["Robotyne", "the village of Robotyne, Zaporizhzhia Oblast", "с. Роботине"])
def test_a_small_village_stands_at_its_point(gazetteer, place):
    best = found(gazetteer, place)
    assert (best.adm1_code, best.geo_precision, best.geonames_id) == ("UA-23", "settlement", None)
    assert (best.radius_m, best.timezone) == (2_000, "Europe/Kyiv")
    assert distance_m(best.lat, best.lon, 47.44, 35.84) < best.radius_m
    assert gazetteer.nearby(best.lat, best.lon, 500)[0][1].name == best.name


def test_a_small_village_of_a_country_around_stands_at_its_point(gazetteer):
    best = found(gazetteer, "Solokhi, Belgorod Oblast")
    assert (best.adm1_code, best.geo_precision, best.geonames_id) == ("RU-BEL", "settlement", None)
    assert distance_m(best.lat, best.lon, 50.53, 36.16) < best.radius_m


def test_a_place_whose_point_lies_outside_its_region_is_for_a_person(gazetteer):
    sql = "SELECT name, adm1 FROM place WHERE stray AND population > 50000 ORDER BY id LIMIT 5"
    strays = gazetteer.index._run(sql)
    assert strays
    for name, region in strays:
        assert locate(name, adm1_code=region, gazetteer=gazetteer).outcome == "ambiguous"


def test_a_look_up_in_a_region_asks_the_index_once(gazetteer, monkeypatch):
    asked = []
    run = gazetteer.index._run
    monkeypatch.setattr(gazetteer.index, "_run", lambda *args: asked.append(args) or run(*args))
    gazetteer.index.settled.cache_clear()
    for place, region in (("Chuhuiv", "UA-63"), ("Robotyne", "UA-23")):
        gazetteer.index.area(region)
        del asked[:]
        assert locate(place, adm1_code=region, gazetteer=gazetteer).outcome == "found"
        assert len(asked) == 1


def test_a_small_village_without_a_point_is_as_precise_as_its_community(gazetteer):
    best = found(gazetteer, "Sulyhivka, Kharkiv Oblast")
    assert (best.adm1_code, best.geo_precision, best.geonames_id) == ("UA-63", "adm2", None)
    assert distance_m(best.lat, best.lon, 49.03, 37.23) < best.radius_m == 18_000


def test_a_community_is_looked_for_in_its_district(gazetteer):
    best = found(gazetteer, "Святопетрівка", adm1_code="UA-23")
    huliaipole = found(gazetteer, "Huliaipole, Zaporizhzhia Oblast")
    assert distance_m(best.lat, best.lon, huliaipole.lat, huliaipole.lon) < best.radius_m


def test_of_equals_in_a_region_the_one_with_more_people_around_it_is_the_likeliest(gazetteer):
    for name, adm1, lat, lon in (
        ("Hryhorivka", "UA-23", 47.69, 35.36),  # as large as the other, beside a city
        ("Novoselivka", "UA-74", 51.53, 31.38),  # a village beside the region's chief city
    ):
        answer = locate(name, adm1_code=adm1, gazetteer=gazetteer)
        assert answer.outcome == "ambiguous"
        best = answer.candidates[0]
        assert distance_m(best.lat, best.lon, lat, lon) < 3_000


def test_a_small_village_that_bears_the_name_of_a_town_elsewhere_is_for_a_person(gazetteer):
    answer = locate("Lyman", adm1_code="UA-09", gazetteer=gazetteer)
    assert answer.outcome == "ambiguous"
    assert answer.candidates[0].adm1_code == "UA-14"  # just across the border, and much larger


@pytest.mark.parametrize(
    "place", ["between Izyum and Sloviansk", "между Изюмом и Славянском", "між Ізюмом та Слов'янськом"]
)
def test_between_two_places_is_the_middle_with_a_radius_that_reaches_both(gazetteer, place):
    best = found(gazetteer, place)
    izyum, sloviansk = found(gazetteer, "Izyum"), found(gazetteer, "Sloviansk")
    for end in (izyum, sloviansk):
        assert distance_m(best.lat, best.lon, end.lat, end.lon) == pytest.approx(best.radius_m, rel=0.02)
    assert best.how == "between"


def test_between_places_far_apart_is_for_a_person(gazetteer):
    answer = locate("between Cusco, Peru and Tokyo, Japan", gazetteer=gazetteer)
    assert answer.outcome == "ambiguous"
    assert [candidate.country for candidate in answer.candidates] == ["PE", "JP"]


def test_a_country_alone_is_as_precise_as_a_country(gazetteer):
    best = found(gazetteer, "Україна")
    assert (best.country, best.geo_precision) == ("UA", "country")


def test_equally_good_places_are_ambiguous(gazetteer):
    answer = locate("Springfield", country="US", gazetteer=gazetteer)
    assert answer.outcome == "ambiguous"
    assert len({candidate.adm1_code for candidate in answer.candidates}) > 5
    people = [candidate.population for candidate in answer.candidates[:3]]
    assert people == sorted(people, reverse=True)


def test_a_much_larger_place_dominates_its_namesakes(gazetteer):
    answer = locate("Nikopol", country="UA", gazetteer=gazetteer)
    assert answer.outcome == "found"
    assert [c.population > 100_000 for c in answer.candidates] == [True, False]


def test_a_hit_outside_the_named_region_is_refused(gazetteer):
    answer = locate("Шебекино", adm1_code="UA-63", gazetteer=gazetteer)
    assert answer.outcome == "outside"
    assert answer.candidates[0].adm1_code == "RU-BEL"


def test_a_region_in_the_text_that_contradicts_the_hint_is_refused(gazetteer):
    assert locate("Chuhuiv, Kharkiv Oblast", adm1_code="UA-59", gazetteer=gazetteer).outcome == "outside"


def test_a_city_that_is_its_own_region_is_found_in_the_region_named_after_it(gazetteer):
    assert found(gazetteer, "Kyiv, Kyiv Oblast").adm1_code == "UA-30"
    # A code is meant as it stands.
    assert locate("Kyiv", adm1_code="UA-32", gazetteer=gazetteer).outcome == "outside"


def test_a_city_district_does_not_hide_the_city(gazetteer):
    answer = locate("Харьков (район Киевский)", gazetteer=gazetteer)
    assert (answer.outcome, answer.candidates[0].adm1_code) == ("found", "UA-63")


@pytest.mark.parametrize(
    ("place", "region", "district", "outcome"),
    [
        ("г. Шебекино, ул. Ленина 5", "RU-BEL", "495111", "found"),  # Shebekinsky District bears its name
        ("Рыльск", "RU-KRS", "499888", "found"),
        ("سلقين", "SY-ID", "169865", "found"),  # a town
        ("Козинка", "RU-BEL", "824990", "ambiguous"),  # a village: that district may have one of its own
        ("Чугуев", "RU-BEL", "495111", "outside"),
    ],
)
def test_a_town_that_no_source_ties_to_a_district_is_not_outside_of_it(
    gazetteer, place, region, district, outcome
):
    answer = locate(place, country=region[:2], adm1_code=region, adm2_code=district, gazetteer=gazetteer)
    assert answer.outcome == outcome
    assert outcome == "outside" or answer.candidates[0].adm1_code == region


def test_a_town_that_is_tied_to_a_district_is_outside_of_others(gazetteer):
    chuhuiv = found(gazetteer, "Чугуїв", adm1_code="UA-63")
    answer = locate("Ізюм", adm1_code="UA-63", adm2_code=chuhuiv.adm2_code, gazetteer=gazetteer)
    assert answer.outcome == "outside"


@pytest.mark.parametrize("place", ["", "  ,; ", "Xyzzyplugh", "🙂", "%_'\"--", "a" * 5000, "\x00"])
def test_nonsense_is_not_found(gazetteer, place):
    assert locate(place, gazetteer=gazetteer).outcome == "not_found"


@pytest.mark.parametrize(
    ("hints", "parameter"),
    [
        ({"adm1_code": "RU-XXX"}, "region"),
        ({"country": "Atlantis"}, "country"),
        ({"adm2_code": "0"}, "district"),
    ],
)
def test_an_unknown_hint_is_named(gazetteer, hints, parameter):
    with pytest.raises(UnknownArea) as error:
        locate("Воронеж", gazetteer=gazetteer, **hints)
    assert error.value.parameter == parameter
    assert parameter in str(error.value)


def test_near_a_place_is_the_place_with_a_wider_radius(gazetteer):
    assert found(gazetteer, "south of Izyum").radius_m > found(gazetteer, "Izyum").radius_m


@pytest.mark.parametrize("place", ["10 км к северу от Бахмута", "біля Бахмута", "3 km NW of Bakhmut"])
def test_nearness_is_understood_in_several_languages(gazetteer, place):
    best = found(gazetteer, place)
    assert (best.name, best.radius_m) == ("Bakhmut", 15_000)


def test_a_misspelling_without_any_area_is_guessed_at_only_for_a_city(gazetteer):
    assert found(gazetteer, "Dontesk").adm1_code == "UA-14"
    for place, name in (("Adiivka", "Avdiyivka"), ("Bahkmut", "Bakhmut")):
        answer = locate(place, gazetteer=gazetteer)
        assert (answer.outcome, answer.candidates[0].name) == ("ambiguous", name)


def test_a_misspelling_of_a_place_elsewhere_is_offered_and_refused(gazetteer):
    answer = locate("Lysytsjansk", country="UA", adm1_code="UA-14", gazetteer=gazetteer)
    assert (answer.outcome, answer.candidates[0].adm1_code) == ("outside", "UA-09")


def test_hints_may_be_a_level_finer_than_their_columns(gazetteer):
    assert found(gazetteer, "Yalta", country="Crimea").adm1_code == "UA-43"
    assert found(gazetteer, "Marhanets", country="UA", adm1_code="Nikopol Raion").adm1_code == "UA-12"


def test_it_is_a_geopy_geocoder(gazetteer):
    one = gazetteer.geocode("Воронеж", region="RU-VOR")
    assert distance_m(one.latitude, one.longitude, 51.67, 39.18) < 10_000
    assert one.raw["adm1_code"] == "RU-VOR"
    assert one.raw["outcome"] == "found"
    several = gazetteer.geocode("Springfield", exactly_one=False, limit=3)
    assert [location.raw["outcome"] for location in several] == ["ambiguous"] * 3
    assert gazetteer.geocode("Шебекино", region="UA-63") is None
    assert gazetteer.geocode("Xyzzyplugh", exactly_one=False) is None


def test_reverse_gives_the_nearest_settlement(gazetteer):
    assert gazetteer.reverse((49.99, 36.23)).raw["adm1_code"] == "UA-63"
    near = gazetteer.reverse("49.99, 36.23", exactly_one=False, limit=3)
    away = [distance_m(49.99, 36.23, place.latitude, place.longitude) for place in near]
    assert len(away) == 3
    assert away == sorted(away)
    assert gazetteer.reverse((0, -30)) is None


def test_nearby_is_all_within_the_radius_and_nothing_else(gazetteer):
    near = gazetteer.nearby(50.45, 30.52, 30_000)
    assert near
    assert all(away <= 30_000 for away, _ in near)
    wider = {place.geonames_id for away, place in gazetteer.nearby(50.45, 30.52, 60_000) if away <= 30_000}
    assert wider == {place.geonames_id for _, place in near}


@pytest.mark.parametrize(
    ("lat", "lon", "country", "region", "zone"),
    [
        (49.99, 36.23, "UA", "UA-63", "Europe/Kyiv"),
        (44.95, 34.10, "UA", "UA-43", "Europe/Simferopol"),
        (50.60, 36.59, "RU", "RU-BEL", "Europe/Moscow"),
        (48.48, 135.08, "RU", "RU-KHA", "Asia/Vladivostok"),
        (35.68, 139.69, "JP", "JP-13", "Asia/Tokyo"),
        (46.40, 30.80, "UA", "UA-51", "Europe/Kyiv"),  # off the coast of Odesa
        (0, -30, None, None, ""),
    ],
)
def test_areas_and_zone_of_a_point(gazetteer, lat, lon, country, region, zone):
    where = gazetteer.area_of(lat, lon)
    assert (where.country, where.adm1_code, where.timezone) == (country, region, zone)
    assert gazetteer.timezone_of(lat, lon) == zone


def test_threads_share_a_gazetteer(gazetteer):
    results = []
    threads = [
        threading.Thread(target=lambda: results.append(found(gazetteer, "Воронеж").geonames_id))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [472045] * 4
