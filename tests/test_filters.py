"""Which rows a person is given for which query string, and that nothing unclear is ever "all rows"."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.contrib.auth.models import AnonymousUser
from django.http import QueryDict

from registry.filters import BadFilter, select
from registry.models import Batch
from registry.rules.vocabularies import Holder, Role
from tests import factories
from tests.factories import AT, published, report

pytestmark = pytest.mark.django_db

ANYONE = AnonymousUser()


@pytest.fixture(autouse=True)
def areas():
    return factories.ukraine()


@pytest.fixture
def official(areas):
    return factories.person(Role.OFFICIAL, areas["UA"])


def references(selection) -> set[str]:
    return {row.reference for table in selection.tables for row in table}


def found(person, query: str) -> set[str]:
    return references(select(person, QueryDict(query)))


# -- whose rows


def test_each_person_is_given_the_rows_that_are_theirs(areas, official):
    office = report()
    public = published(Holder.PUBLIC, report=office)
    researcher = published(Holder.RESEARCHER, report=office)
    elsewhere = report(country="PL", adm1_code="PL-14")
    assert references(select(official, {})) == {office.reference}
    assert select(official, {}).tables[0].model is type(office)
    assert select(official, {"view": "published"}).tables[0].model is type(researcher)
    assert select(factories.person(Role.RESEARCHER), {}).tables[0].model is type(researcher)
    for person in (ANYONE, factories.person(Role.RESIDENT)):
        assert select(person, {}).tables[0].model is type(public)
    assert references(select(None, {}, holder=Holder.OFFICE)) == {office.reference, elsewhere.reference}


def test_operators_are_given_their_sectors_alone(areas):
    operator = factories.person(Role.OPERATOR, areas["UA-63"], sectors=["electricity"])
    line = {"kind": "network", "object_type": "line"}
    own = report(**line, sector="electricity")
    report(**line, sector="gas")
    report()
    assert references(select(operator, {})) == {own.reference}


@pytest.mark.parametrize(
    "query",
    ["danger=1", "assignee=me", "withdrawn=1", "view=published", "description=x", "assignee=1", "batch=1"],
)
def test_the_offices_filters_do_not_exist_for_outsiders(query):
    for person in (ANYONE, factories.person(Role.RESEARCHER), factories.person(Role.RESIDENT)):
        with pytest.raises(BadFilter) as caught:
            select(person, QueryDict(query))
        assert caught.value.param == query.partition("=")[0]


def test_withdrawn_rows_are_a_supervisors_to_ask_for(areas, official):
    supervisor = factories.person(Role.SUPERVISOR, areas["UA"])
    kept, gone = report(), report(withdrawn="privacy")
    assert found(official, "") == found(supervisor, "") == {kept.reference}
    assert found(supervisor, "withdrawn=1") == {gone.reference}
    with pytest.raises(BadFilter, match="withdrawn"):
        found(official, "withdrawn=1")


# -- what is refused


@pytest.mark.parametrize(
    "query",
    [
        "colour=red",
        "kind=ship",
        "kind=building&kind=ship",
        "type=palace",
        "sector=steam",
        "status=done",
        "level=9",
        "outcome=x",
        "cause=x",
        "cause_group=x",
        "area=XX-99",
        "from=yesterday",
        "from=2026-02-30",
        "to=01.03.2026",
        "from=2026-03-01&from=2026-03-02",
        "from=2026-03-02&to=2026-03-01",
        "logged_from=2026-03-02&logged_to=2026-03-01",
        "logged_from=x",
        "verified_to=2026-3-x",
        "updated_since=now",
        "updated_since=2026-02-30",
        "incident=12",
        "asset=ßßßßßßßß",
        "bbox=1,2,3",
        "bbox=0,50,1,40",
        "bbox=a,b,c,d",
        "bbox=nan,0,1,1",
        "assignee=everyone",
        "assignee=99999999999999999999",
        "batch=0",
        "batch=9223372036854775808",
        "batch=list.csv",
        "danger=maybe",
        "set_aside=0",
        "view=mine",
        "as_of=soon",
        "as_of=2026-03-01&assignee=me",
        "text=%00",
        "text=" + "x" * 201,
    ],
)
def test_what_is_not_understood_is_refused_by_name(official, query):
    report()
    with pytest.raises(BadFilter) as caught:
        select(official, QueryDict(query))
    assert caught.value.param == query.replace("as_of=2026-03-01&", "").partition("=")[0]
    assert str(caught.value.message)


def test_empty_and_repeated_values_are_fine(official):
    made = report()
    query = "kind=&type=&from=&area=&text=&bbox=&assignee=&view=&as_of="
    assert found(official, query) == {made.reference}
    assert found(official, "kind=building&kind=building&from=2026-03-09&from=2026-03-09") == {made.reference}


# -- what each filter finds


@pytest.mark.parametrize(
    ("query", "fields"),
    [
        ("kind=building", {"kind": "network", "sector": "gas", "object_type": "station"}),
        ("type=school&type=kindergarten", {"object_type": "house"}),
        ("status=verified", {"status": "reported"}),
        ("status=verified&status=closed", {"status": "repaired"}),
        ("level=moderate", {"damage_level": "severe"}),
        ("outcome=repaired", {"outcome": "demolished"}),
        ("cause_group=weather", {"cause_group": "technical"}),
        ("cause=wind", {"cause": "fire"}),
        ("area=UA-63", {"adm1_code": "UA-23"}),
        ("area=700001", {"adm2_code": ""}),
        ("from=2026-03-09", {"occurred_from": date(2026, 3, 1), "occurred_to": date(2026, 3, 8)}),
        ("to=2026-03-09", {"occurred_from": date(2026, 3, 10), "occurred_to": date(2026, 3, 12)}),
        ("logged_to=2026-03-10", {"logged_utc": AT + timedelta(days=1)}),
        ("logged_from=2026-03-10", {"logged_utc": AT - timedelta(days=1)}),
        ("verified_from=2026-03-10", {"verified_on": date(2026, 3, 9)}),
        ("verified_to=2026-03-10", {"verified_on": date(2026, 3, 11)}),
        ("danger=1", {"danger": ""}),
        ("bbox=36.1,49.9,36.4,50.1", {"lat": 49.8, "lon": 36.2}),
        ("bbox=-10,40,60,55", {"lat": 49.8, "lon": 70}),
        ("bbox=30,49,-170,51", {"lat": 50, "lon": 20}),
        ("text=шебекино", {"settlement": "Окна"}),
        ("text=ОКНА+выбиты", {"summary": "Окна целы"}),
        ("text=100%25+(est.)", {"summary": "1000 (est)"}),
        ("text=100%25+EST", {"summary": "100 (best)"}),
        ("text=behind+the+mill", {"description": ""}),
    ],
)
def test_a_filter_finds_what_fits_and_leaves_the_rest(official, query, fields):
    fits = {
        "outcome": "repaired",
        "cause_group": "weather",
        "cause": "wind",
        "adm2_code": "700001",
        "verified_on": date(2026, 3, 10),
        "danger": "gas",
        "lat": 50,
        "lon": 36.2,
        "summary": "Выбиты окна, 100% (est.)",
        "settlement": "Шебекино",
        "description": "Behind the mill",
        "logged_utc": AT,
    }
    fit = report(**fits)
    report(**(fits | fields))
    assert found(official, query) == {fit.reference}


def test_damage_before_a_day_may_have_happened_on_any_earlier_one(official):
    made = report(occurred_from=None, date_precision="before")
    assert found(official, "from=2020-01-01&to=2020-01-02") == {made.reference}


def test_dates_overlap_where_the_day_of_damage_is_a_range(official):
    made = report(occurred_from=date(2026, 3, 1), occurred_to=date(2026, 3, 9), date_precision="range")
    assert found(official, "from=2026-03-04&to=2026-03-05") == {made.reference}
    assert found(official, "from=2026-03-10") == found(official, "to=2026-02-28") == set()


def test_a_reference_typed_as_people_type_it_finds_its_row(official):
    made = report(reference="4F7K-92M1")
    report()
    for typed in ("4F7K-92M1", "4f7k92m1", "4f7k+92ml"):
        assert found(official, f"text={typed}") == {made.reference}


@pytest.mark.parametrize("expected", [0, 100_000])
def test_words_are_found_beside_one_of_thousands_of_letters(official, monkeypatch, expected):
    # PostgreSQL takes the words for rare or for common ones.
    monkeypatch.setattr("registry.models.words.expected", lambda *_asked: expected)
    monkeypatch.setattr("registry.filters.walking.FEW", 2)
    monkeypatch.setattr("registry.filters.walking.LOOKED", 2)
    for _number in range(3):
        report(description="")
    made = report(description=f"{'x' * 2_046} Дах, roof 12")
    for typed in ("дах", "ROO 12", "дах roof"):
        assert [row.reference for row in select(official, {"text": typed}).page().rows] == [made.reference]
    assert not select(official, {"text": "roof 1"}).page().rows


def test_outsiders_search_released_text_alone():
    hidden = report(summary="Roof gone", description="Owner Petrenko", place_typed="Petrenko street")
    shown = published(report=hidden, summary="Roof gone")
    assert found(ANYONE, "text=roof") == {shown.reference}
    assert found(ANYONE, "text=petrenko") == set()


def test_reports_that_an_import_brought_in(official):
    batch, other = (Batch.objects.create(name="list.csv", created_at=AT, since=AT) for _each in range(2))
    made, elsewhere = report(batch=batch), report(batch=batch, country="PL", adm1_code="PL-14")
    report(batch=other)
    report()
    assert found(official, f"batch={batch.pk}") == {made.reference}
    assert found(official, f"batch={batch.pk}&kind=outage") == set()
    everywhere = select(None, QueryDict(f"batch={batch.pk}"), holder=Holder.OFFICE)
    assert references(everywhere) == {made.reference, elsewhere.reference}


def test_reports_of_somebody_or_mine(official):
    mine, hers = report(assignee_id=official.pk), report(assignee_id=factories.person().pk)
    assert found(official, "assignee=me") == {mine.reference}
    assert found(official, f"assignee={hers.assignee_id}") == {hers.reference}
    with pytest.raises(BadFilter, match="assignee"):
        select(None, {"assignee": "me"}, holder=Holder.OFFICE)


def test_an_incident_and_an_asset_are_given_by_reference():
    row = published(incident="AAAA-1111", asset="BBBB-2222")
    published(incident="CCCC-1111", asset="CCCC-2222")
    assert found(ANYONE, "incident=aaaa1111") == found(ANYONE, "asset=BBBB-2222") == {row.reference}


def test_changed_since_takes_days_and_moments():
    row = published(at=AT)
    for typed in ("2026-03-10", "2026-03-10T12:00:00Z", "2026-03-10T14:00:00%2B02:00", "2026-03-10T12:00"):
        assert found(ANYONE, f"updated_since={typed}") == {row.reference}
    assert (
        found(ANYONE, "updated_since=2026-03-10T12:00:01Z")
        == found(ANYONE, "updated_since=2026-03-11")
        == set()
    )


def test_rejected_and_duplicate_rows_are_left_out_and_it_says_so(official):
    live, rejected = report(), report(status="rejected", outcome="false")
    assert found(official, "") == {live.reference}
    assert select(official, {}).leaves_out
    assert found(official, "set_aside=1") == {live.reference, rejected.reference}
    assert found(official, "status=rejected") == {rejected.reference}
    assert not select(official, {"set_aside": "1"}).leaves_out


# -- the past


def test_the_office_reads_its_rows_as_of_a_moment(official):
    made = report(at=AT)
    factories.change(made, at=AT + timedelta(days=1), status="closed", outcome="demolished")
    later = report(at=AT + timedelta(days=2))

    def at(moment, query=""):
        return found(official, f"as_of={moment}&{query}")

    assert at("2026-03-10", "status=verified") == {made.reference}
    assert at("2026-03-11T11:59:59Z", "status=verified") == {made.reference}
    assert at("2026-03-11T12:00:00Z", "status=closed") == {made.reference}
    assert at("2026-03-11T12:00:00Z", "status=verified") == set()
    assert at("2026-03-12") == {made.reference, later.reference}


def test_what_is_withdrawn_now_is_not_shown_as_of_an_earlier_day(official):
    made = report(at=AT)
    factories.change(made, at=AT + timedelta(days=1), withdrawn="safety")
    assert found(official, "as_of=2026-03-10") == set()


def test_outsiders_name_an_edition():
    for days in (0, 1, 3):
        factories.edition(AT + timedelta(days=days))
    made = report()
    factories.past(report=made, since=AT, until=AT + timedelta(days=3), status="verified")
    published(report=made, at=AT + timedelta(days=3), status="closed")

    def statuses(as_of):
        return {row.status for table in select(ANYONE, {}, as_of=as_of).tables for row in table}

    assert (
        statuses("2026-03-10") == statuses("2026-03-11") == statuses("2026-03-11T12:00:00Z") == {"verified"}
    )
    assert statuses("2026-03-13") == {"closed"}
    for none in ("2026-03-12", "2026-03-10T12:00:01Z", "2026-03-01"):
        with pytest.raises(BadFilter) as caught:
            statuses(none)
        assert caught.value.param == "as_of"
        for day in ("2026-03-10", "2026-03-13"):
            assert day in str(caught.value.message)


def test_another_holders_past_is_nobody_elses():
    factories.edition(AT)
    factories.past(Holder.RESEARCHER, since=AT, until=AT + timedelta(days=1))
    assert found(ANYONE, "as_of=2026-03-10") == set()


def test_versions_are_all_that_this_audience_had():
    made = report()
    factories.past(report=made, since=AT, until=AT + timedelta(days=1), damage_level="minor")
    factories.past(Holder.OFFICE, report=made, since=AT, until=AT + timedelta(days=1), damage_level="none")
    published(report=made, at=AT + timedelta(days=1), damage_level="severe")
    levels = {row.damage_level for table in select(ANYONE, {}).versions for row in table}
    assert levels == {"minor", "severe"}


# -- pages and counts


@pytest.mark.parametrize("as_of", ["", "2026-03-30"])
def test_pages_walk_all_rows_once_in_order_and_back(official, as_of):
    day = date(2026, 3, 1)
    made = [report(occurred_from=day, occurred_to=day + timedelta(days=n // 3)) for n in range(11)]
    for number, old in enumerate(made):
        if number % 2:
            factories.change(old, at=datetime(2026, 4, 1, tzinfo=UTC), summary="Later")
    expected = sorted(((r.occurred_to, r.reference) for r in made), reverse=True)
    selection = select(official, {"as_of": as_of})
    pages, page = [], selection.page(size=4)
    assert page.before is None
    while True:
        pages.append([(row.occurred_to, row.reference) for row in page.rows])
        if not page.after:
            break
        page = selection.page(after=page.after, size=4)
    assert [len(p) for p in pages] == [4, 4, 3]
    assert [place for rows in pages for place in rows] == expected
    back = selection.page(before=page.before, size=4)
    assert [(row.occurred_to, row.reference) for row in back.rows] == pages[1]
    first = selection.page(before=back.before, size=4)
    assert [(row.occurred_to, row.reference) for row in first.rows] == pages[0]
    assert first.before is None
    assert first.after


@pytest.mark.parametrize(
    "query",
    ["level=severe&cause=wind", "cause=wind&to=2026-03-05", "from=2026-03-02&to=2026-03-06",
     "area=UA-63&status=verified&from=2026-03-02&to=2026-03-05", "text=roof", "text=ROO+window&level=severe",
     "text=roof&from=2026-03-02&to=2026-03-05"],
)  # fmt: skip
@pytest.mark.parametrize("expected_by_database", [100_000, 0])
def test_pages_that_look_at_few_rows_miss_none(official, monkeypatch, query, expected_by_database):
    # PostgreSQL takes the words for common ones, or knows none of them.
    monkeypatch.setattr("registry.models.words.expected", lambda *_asked: expected_by_database)
    monkeypatch.setattr("registry.filters.walking.FEW", 2)
    for number in range(14):
        day = date(2026, 3, 1 + number % 7)
        report(
            occurred_from=None if number % 5 == 0 else day - timedelta(days=(0, 3, 60)[number % 3]),
            occurred_to=day + timedelta(days=number % 2),
            damage_level=("minor", "severe", "severe")[number % 3],
            cause=("wind", "fire")[number // 7],
            status=("reported", "verified")[number % 2],
            summary="Roof, windows" if number % 4 else "Door",
        )
    selection = select(official, QueryDict(query))
    expected = [row.reference for table in selection.tables for row in table.in_order()]
    assert len(expected) > 1
    monkeypatch.setattr("registry.filters.walking.LOOKED", 2)
    for step in ("after", "before"):
        page, read = (
            selection.page(
                size=3, looked=2, **{step: f"{'0001' if step == 'before' else '9000'}-01-01.0000-0000"}
            ),
            [],
        )
        for _page in range(50):
            rows = [row.reference for row in page.rows]
            read = read + rows if step == "after" else rows + read
            if not (token := getattr(page, step)):
                break
            page = selection.page(size=3, looked=2, **{step: token})
        assert read == expected


@pytest.mark.parametrize("token", ["x", "2026-03-01", "2026-99-01.4F7K-92MX", "2026-03-01.'; --"])
def test_a_token_that_is_none_is_refused(official, token):
    with pytest.raises(BadFilter, match="after"):
        select(official, {}).page(after=token)


def test_counting_stops_past_the_limit(official, monkeypatch):
    for _number in range(5):
        report()
    assert select(official, {}).count() == (5, False)
    monkeypatch.setattr("registry.filters.paging.COUNTED_TO", 3)
    assert select(official, {}).count() == (3, True)
    assert select(official, {}).count().reports == "More than 3 reports"


@pytest.mark.parametrize(
    "query",
    ["", "kind=outage&kind=network", "sector=gas", "status=reported&status=rejected", "level=severe&area=UA-63",
     "set_aside=1", "area=UA&sector=electricity&status=reported"],
)  # fmt: skip
@pytest.mark.parametrize("role", [Role.OFFICIAL, Role.OPERATOR])
def test_tallies_count_the_rows_that_there_are(areas, query, role):
    person = factories.person(role, areas["UA"], sectors=["gas"] if role == Role.OPERATOR else [])
    for number in range(6):
        report(damage_level=("severe", "minor")[number % 2], adm1_code=("UA-63", "UA-23")[number % 2])
        sector = ("gas", "electricity", "gas")[number % 3]
        report(kind=("outage", "network")[number % 2], sector=sector, status="reported")
    report(status="rejected", outcome="false")
    factories.change(report(damage_level="severe"), at=AT, damage_level="minor")
    report(damage_level="severe", withdrawn="error")
    selection = select(person, QueryDict(query))
    assert selection.tallies is not None
    assert selection.count() == (len(selection.page().rows), False)


def test_what_tallies_do_not_count_is_counted_among_few_rows_and_further_if_asked(official, monkeypatch):
    monkeypatch.setattr("registry.filters.selection.ROWS_COUNTED", 4)
    for number in range(6):
        report(damage_level="minor", cause="wind", occurred_from=None, occurred_to=date(2026, 3, 1 + number))
    assert select(official, {"level": "minor"}).count() == (6, False)
    assert select(official, {"from": "2026-03-02"}).count() == (4, True)
    both = select(official, {"level": "minor", "cause": "wind"})
    assert both.count() == (4, True)
    assert both.count().reports == "At least 4 reports"
    assert both.count(thorough=True) == (6, False)


# -- words


def test_the_filter_is_said_in_words_each_with_the_query_without_it(official):
    query = "from=2026-03-01&status=verified&area=UA-63&type=school&kind=building"
    selection = select(official, QueryDict(query))
    assert selection.sentence == "Damage to buildings: School, in Kharkiv, Verified, since 1 March 2026"
    assert selection.parts[0][0] == "Building"
    assert dict(selection.parts)["Verified"] == "kind=building&type=school&area=UA-63&from=2026-03-01"
    assert select(official, {}).sentence == "Damage and losses of supply"


def test_the_same_selection_has_one_query_string(official):
    one = select(official, QueryDict("status=verified&kind=building&status=closed&text=+"))
    other = select(official, QueryDict("kind=building&status=closed&status=verified"))
    assert one.query == other.query == "kind=building&status=closed&status=verified"


def test_every_filter_has_words(official, areas):
    query = QueryDict(
        "kind=outage&type=school&sector=gas&area=UA&bbox=1,2,3,4&status=closed&level=none&outcome=repaired"
        "&cause_group=weather&cause=wind&from=2026-03-01&to=2026-03-02&logged_from=2026-03-01&danger=1"
        "&logged_to=2026-03-01&verified_from=2026-03-01&verified_to=2026-03-01&updated_since=2026-03-01"
        "&incident=4F7K-92MX&asset=4F7K-92MX&text=roof&assignee=me&batch=1&set_aside=1&withdrawn=1"
    )
    supervisor = factories.person(Role.SUPERVISOR, areas["UA"])
    selection = select(supervisor, query)
    assert len(selection.parts) == len(selection.filterset.offered) == len(query)
    assert all(words and "%" not in words for words, _query in selection.parts)
    assert selection.page().rows == []


# -- choices


def test_choices_come_from_rows_that_the_audience_has(official):
    report(kind="network", sector="gas", object_type="station", adm1_code="UA-23", status="reported")
    published(object_type="school", status="closed")
    choices = select(ANYONE, {}).choices
    assert [code for code, _words in choices["kind"]] == ["building"]
    assert [code for code, _words in choices["type"]] == ["school"]
    assert [code for code, _words in choices["status"]] == ["closed"]
    assert [code for code, _words in choices["area"]] == ["", "UA-63"]
    office = [code for code, _words in select(official, {}).choices["area"]]
    assert set(office) == {"", "UA", "UA-23", "UA-63"}


def test_a_code_that_no_row_has_is_understood_and_finds_nothing():
    published()
    selection = select(ANYONE, {"kind": "network"})
    assert references(selection) == set()
    assert "network" in [code for code, _words in selection.choices["kind"]]
