"""Who may do what and where, and what each audience sees, by the standard's tables."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import product
from types import SimpleNamespace

import pytest

from registry.models import Report
from registry.rules import access, workflow
from registry.rules.access import NOWHERE, Scope, UseClass, Verb
from registry.rules.vocabularies import BuildingUse, Sector

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def report(**fields) -> Report:
    """An unsaved report with the least the database asks for."""
    plain = {"kind": "building", "status": "reported", "occurred_to": date(2026, 2, 1)}
    return Report(**plain | fields, counts_from=NOW, valid_from=NOW)


# -- where ---------------------------------------------------------------------------------------------

PLACES = [
    dict(zip(access.AREA_FIELDS, codes, strict=True))
    for codes in (
        ("UA", "UA-63", "11", "111"),
        ("UA", "UA-63", "11", ""),
        ("UA", "UA-63", "12", ""),
        ("UA", "UA-63", "", ""),
        ("UA", "UA-14", "21", ""),
        ("UA", "", "", ""),  # known to the country alone
        ("RU", "RU-BEL", "31", ""),
        ("", "", "", ""),
    )
]
THINGS = [
    {"kind": "building", "sector": ""},
    *({"kind": kind, "sector": sector} for kind in ("network", "outage") for sector in Sector.values),
]
AREAS = [
    [],
    [(0, "UA")],
    [(1, "UA-63")],
    [(1, "UA-63"), (1, "RU-BEL")],
    [(2, "11"), (2, "12")],
    [(1, "UA-14"), (2, "11"), (0, "RU")],
    [(3, "111")],
    [(1, "UA"), (0, "UA-63"), (2, "UA-14")],  # codes at the wrong level reach nothing
]
SECTORS = [None, [], ["electricity"], ["gas", "heat"], ["unknown"], ["transport", "electricity"]]


@pytest.mark.django_db
def test_a_scope_contains_the_very_rows_that_its_condition_selects() -> None:
    Report.objects.bulk_create(report(**place, **thing) for place, thing in product(PLACES, THINGS))
    rows = list(Report.objects.all())
    assert len(rows) == len(PLACES) * len(THINGS)
    for areas, sectors in product(AREAS, SECTORS):
        scope = Scope.of(areas, sectors)
        selected = set(Report.objects.filter(scope.q()).values_list("pk", flat=True))
        assert selected == {row.pk for row in rows if scope.contains(row)}, (areas, sectors)
        assert set(Report.objects.within(scope).values_list("pk", flat=True)) == selected


def seen(scope: Scope, **thing: str) -> list[int]:
    thing = thing or THINGS[0]
    return [n for n, place in enumerate(PLACES) if scope.contains(SimpleNamespace(**place, **thing))]


def test_a_scope_holds_areas_and_what_lies_below_them() -> None:
    assert seen(Scope.of([(0, "UA")])) == [0, 1, 2, 3, 4, 5]
    assert seen(Scope.of([(1, "UA-63")])) == [0, 1, 2, 3]
    assert seen(Scope.of([(2, "11")])) == [0, 1]
    assert seen(Scope.of([(3, "111")])) == [0]
    assert seen(Scope.of([(2, "12"), (1, "UA-14")])) == [2, 4]
    assert seen(NOWHERE) == seen(Scope.of([])) == []


def test_a_place_too_vague_belongs_to_the_smallest_area_that_contains_it() -> None:
    country_alone, region_alone = 5, 3
    assert country_alone in seen(Scope.of([(0, "UA")]))
    assert country_alone not in seen(Scope.of([(1, "UA-63")]))
    assert region_alone in seen(Scope.of([(1, "UA-63")]))
    assert region_alone not in seen(Scope.of([(2, "11")]))


def test_sectors_narrow_an_operator_to_their_networks_and_outages() -> None:
    power = Scope.of([(1, "UA-63")], ["electricity"])
    assert seen(power, kind="outage", sector="electricity") == [0, 1, 2, 3]
    assert seen(power, kind="network", sector="electricity") == [0, 1, 2, 3]
    assert seen(power, kind="outage", sector="water") == []
    assert seen(power, kind="building", sector="") == []
    assert seen(power, kind="building", sector="electricity") == []
    assert seen(Scope.of([(1, "UA-63")], []), kind="outage", sector="electricity") == []


# -- who may do what -----------------------------------------------------------------------------------


MY_REGION = Scope.of([(1, "UA-63")])


@dataclass
class Person:
    role: str
    pk: int = 1
    scope: Scope = MY_REGION
    is_active: bool = True


# r(esident) o(fficial) i(nspector) u(tility's operator) s(upervisor) e (researcher).
VERBS = {
    "log": "r o i u s",
    "edit": "o i u s",
    "locate": "o i u s",
    "note": "o i u s",
    "attach": "r o i u s",
    "source": "o i u s",
    "grade": "o i u s",
    "inspect": "i s",
    "choose_grade": "s",
    "step": "o u s",
    "estimate": "o u s",
    "draft_plan": "o u s",
    "link": "o i u s",
    "void": "o i u s",
    "erase": "s",
    "request": "r o i u s e",
    "withdraw": "s",
    "state": "o s",
    "import": "o s",
    "export_office": "o i u s",
    "release": "o s e",
}
LETTERS = {
    "resident": "r",
    "official": "o",
    "inspector": "i",
    "operator": "u",
    "supervisor": "s",
    "researcher": "e",
}


@pytest.mark.parametrize("verb", list(Verb))
def test_which_role_does_what(verb: Verb) -> None:
    able = {letter for role, letter in LETTERS.items() if access.may(Person(role), verb)}
    assert able == set(VERBS[verb].split())
    assert not access.may(Person("supervisor", is_active=False), verb)
    assert not access.may(SimpleNamespace(is_active=False), verb)


def test_a_supervisor_may_also_do_what_officials_and_inspectors_do() -> None:
    assert access.acts_as(Person("supervisor")) == {"supervisor", "official", "inspector"}
    for role in LETTERS.keys() - {"supervisor"}:
        assert access.acts_as(Person(role)) == {role}
    assert access.acts_as(Person("supervisor", is_active=False)) == access.acts_as(object()) == set()


def test_staff_are_those_who_work_in_the_office() -> None:
    staff = {role for role in LETTERS if access.is_staff(Person(role))}
    assert staff == {"official", "inspector", "operator", "supervisor"}
    assert not access.is_staff(Person("official", is_active=False))


def test_staff_write_in_their_own_areas_alone() -> None:
    inside, outside = report(**PLACES[1]), report(**PLACES[4])
    for verb in (Verb.EDIT, Verb.LOG, Verb.WITHDRAW, Verb.INSPECT):
        assert access.may(Person("supervisor"), verb, inside)
        assert not access.may(Person("supervisor"), verb, outside)


def test_anyone_may_ask_about_any_row() -> None:
    """What they are shown is for the page to know."""
    for role in LETTERS.keys() - {"resident"}:
        assert access.may(Person(role, scope=NOWHERE), Verb.REQUEST, report(**PLACES[4]))


def test_residents_touch_what_they_sent_alone() -> None:
    own, other = report(**PLACES[4], logged_by_id=1), report(**PLACES[1], logged_by_id=2)
    resident = Person("resident", scope=NOWHERE)
    for verb in (Verb.ATTACH, Verb.REQUEST):
        assert access.may(resident, verb, own)
        assert not access.may(resident, verb, other)
    assert access.may(resident, Verb.LOG, own)
    assert not access.may(resident, Verb.EDIT, own)


# -- what an audience sees -----------------------------------------------------------------------------

CLASSES = {
    "house": "dwelling",
    "apartments": "dwelling",
    "dormitory": "dwelling",
    "school": "building",
    "kindergarten": "building",
    "university": "building",
    "hospital": "sensitive",
    "clinic": "sensitive",
    "government": "sensitive",
    "emergency_services": "sensitive",
    "culture": "building",
    "religious": "building",
    "commercial": "building",
    "industrial": "sensitive",
    "warehouse": "sensitive",
    "agricultural": "building",
    "other": "building",
    "education": "building",
    "health": "sensitive",  # it may be a hospital
    "unknown": "sensitive",
    "": "sensitive",
}
OUTAGES = dict.fromkeys(Sector.values, "outage") | {"electricity": "electricity", "unknown": "electricity"}


@pytest.mark.django_db
def test_every_report_is_of_exactly_one_class() -> None:
    assert set(CLASSES) == {*BuildingUse.values, ""}
    wanted = {
        **{("building", "", use): name for use, name in CLASSES.items()},
        **{("network", sector, "unknown"): "network" for sector in Sector.values},
        **{("outage", sector, ""): name for sector, name in OUTAGES.items()},
    }
    Report.objects.bulk_create(report(kind=k, sector=s, object_type=t) for k, s, t in wanted)
    held = [
        (key, str(name))
        for name, condition in access.CLASS_CONDITIONS.items()
        for key in Report.objects.filter(condition).values_list("kind", "sector", "object_type")
    ]
    assert len(held) == len(wanted)
    assert dict(held) == wanted


# hours, grid in microdegrees (0 exact, - none), deepest area, when, address and name
POLICY = """
public      dwelling     24  10000   settlement  day     -
public      building     24  1000    settlement  moment  -
public      sensitive    24  -       adm2        month   -
public      network      nothing
public      electricity  24  -       adm1        day     -
public      outage       24  -       adm2        moment  -
researcher  dwelling     24  1000    settlement  moment  -
researcher  building     24  0       settlement  moment  named
researcher  sensitive    24  100000  adm2        day     -
researcher  network      72  100000  adm2        day     -
researcher  electricity  72  -       adm2        moment  -
researcher  outage       24  -       settlement  moment  -
"""
POLICY_LINES = [line.split() for line in POLICY.strip().splitlines()]


@pytest.mark.parametrize("line", POLICY_LINES, ids=lambda line: "-".join(line[:2]))
def test_who_sees_what(line: list[str]) -> None:
    audience, name, *rest = line
    sight = access.policy(audience)[UseClass(name)]
    if rest == ["nothing"]:
        assert sight is None
        return
    assert sight
    hours, grid, area, when, named = rest
    assert sight.delay == timedelta(hours=int(hours))
    assert sight.grid == (None if grid == "-" else int(grid))
    assert (sight.area, sight.when, sight.named) == (area, when, named == "named")


def test_the_policy_has_a_line_for_every_class() -> None:
    assert [str(audience) for audience in access.AUDIENCES] == ["public", "researcher"]
    for audience in access.AUDIENCES:
        named = {name for who, name, *_ in POLICY_LINES if who == audience}
        assert set(access.policy(audience)) == set(access.CLASS_CONDITIONS) == named


def test_no_audience_sees_more_than_researchers_do() -> None:
    """Names only where the place is exact; the public never sooner or closer than researchers."""
    public, researcher = access.policy("public"), access.policy("researcher")
    for name in UseClass:
        assert not (researcher[name] and researcher[name].named and researcher[name].grid != 0)
        if public[name] and public[name].grid is not None:
            assert researcher[name]
            assert researcher[name].grid is not None
            assert researcher[name].grid < public[name].grid


def test_settings_change_what_they_name_and_leave_the_rest(settings) -> None:
    before = access.policy("public"), access.policy("researcher")
    settings.AUDIENCE_POLICY = {
        "public": {"dwelling": {"delay_hours": 240, "area": "adm2", "grid": None}, "building": None},
        "researcher": {"building": {"grid": 1000, "named": False, "when": "day"}},
    }
    public, researcher = access.policy("public"), access.policy("researcher")
    assert public["dwelling"] == access.Sight(timedelta(hours=240), None, "adm2", "day")
    assert public["building"] is None
    assert researcher["building"] == access.Sight(timedelta(hours=24), 1000, "settlement", "day")
    for now, then, changed in ((public, before[0], 2), (researcher, before[1], 1)):
        assert sum(now[name] != then[name] for name in UseClass) == changed
    settings.AUDIENCE_POLICY = {}
    assert (access.policy("public"), access.policy("researcher")) == before


def test_settings_may_show_what_was_hidden_no_closer_than_they_say(settings) -> None:
    settings.AUDIENCE_POLICY = {"public": {"network": {"area": "adm2"}}}
    assert access.policy("public")["network"] == access.Sight(timedelta(hours=72), None, "adm2", "month")


@pytest.mark.parametrize("change", [{"castle": None}, {"dwelling": {"gird": 1000}}])
def test_a_misspelt_setting_is_an_error(settings, change) -> None:
    settings.AUDIENCE_POLICY = {"public": change}
    with pytest.raises((ValueError, TypeError)):
        access.policy("public")


# status: public, researchers if staff logged it, researchers if a resident did
RELEASED = """
reported            - e -
needs_info          - e -
unverifiable        - e -
rejected            - - -
duplicate           - - -
verified            p e e
repair_planned      p e e
repair_in_progress  p e e
repaired            p e e
confirmed           p e e
partially_restored  p e e
restored            p e e
closed              p e e
"""


@pytest.mark.django_db
@pytest.mark.parametrize("kind", ["building", "network", "outage"])
def test_which_reports_an_audience_may_see(kind: str) -> None:
    sector = {"building": ""}.get(kind, "gas")
    wanted = set()
    for line in RELEASED.strip().splitlines():
        status, public, staff, resident = line.split()
        if status not in workflow.STATUSES[kind]:
            continue
        for from_resident, withdrawn in product((False, True), ("", "safety", "privacy", "error")):
            row = report(
                kind=kind, sector=sector, status=status, from_resident=from_resident, withdrawn=withdrawn
            )
            row.save()
            if public == "p" and not withdrawn:
                wanted.add(("public", row.pk))
            if (resident if from_resident else staff) == "e" and not withdrawn:
                wanted.add(("researcher", row.pk))
    assert wanted == {
        (audience, pk)
        for audience in ("public", "researcher")
        for pk in Report.objects.filter(access.released(audience)).values_list("pk", flat=True)
    }


def test_small_figures_are_those_of_people_and_households_from_1_to_10() -> None:
    assert access.SMALLEST_FIGURE_SHOWN == 11
    assert set(access.SMALL_FIGURE_UNITS) == {"people", "households"}
    assert set(access.SET_ASIDE) == {"rejected", "duplicate"}
