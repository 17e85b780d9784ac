"""Reports on their way: who did what is kept, separated people, evidence, conflicts, merges."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils.datastructures import MultiValueDict

from registry.actions import inspections, journal, moves, outages, reports
from registry.actions.journal import Conflict, Refused
from registry.actions.sampling import photo
from registry.forms.moves import move_form
from registry.forms.reports import ReportForm
from registry.models import Entry, OutageStep, PastReport, Person, Report, Source, Wording
from registry.rules import workflow
from tests import factories

pytestmark = pytest.mark.django_db

DAY = "2026-03-09"
INSPECTION = {
    "happened_on": "2026-03-11",
    "method": "field",
    "grade": "ems98:3",
    "part_seen": "inside",
    "usability": "unsafe",
}


class Office:
    """Two of each, all in one region."""

    def __init__(self) -> None:
        self.areas = factories.ukraine()
        region = self.areas["UA-63"]
        self.official, self.official2 = (factories.person("official", region) for _ in range(2))
        self.inspector, self.inspector2 = (factories.person("inspector", region) for _ in range(2))
        self.supervisor, self.supervisor2 = (factories.person("supervisor", region) for _ in range(2))
        self.operator = factories.person("operator", region, sectors=["electricity"])


@pytest.fixture
def office() -> Office:
    return Office()


def log(by: Person, **changes: Any) -> Report:
    form = ReportForm()
    data = {"area": "UA-63", "kind": "building", "object_type": "school", "occurred_to": DAY, **changes}
    assert form.check(data), form.errors
    return reports.log(form, by=by)


def go(report: Report, name: str, *, by: Person, since: int | None = None, **given: Any) -> Report:
    """A move as a door makes it: through its form."""
    step = workflow.move_named(name, Report.objects.get(pk=report.pk).kind)
    files = MultiValueDict({name: given.pop(name) for name in ("photos_after",) if name in given})
    form = move_form(step, given, files, sector=report.sector, reason_opens="reason" in given)
    assert form.is_valid() or not form.fields, form.errors
    return moves.move(report.reference, name, by=by, given=form.cleaned_data, since=since)


def refused(report: Report, name: str, *, by: Person, **given: Any) -> str:
    with pytest.raises(Refused) as raised:
        go(report, name, by=by, **given)
    return raised.value.code


def outage(office: Office, **changes: Any) -> Report:
    values = {
        "kind": "outage",
        "sector": "electricity",
        "object_type": "",
        "started_at": "2026-03-09T10:00",
        "customers_unit": "accounts",
        "customers_lost": "1000",
        **changes,
    }
    report = log(office.official, **values)
    return go(report, "confirm", by=office.operator, cause_group="weather", customers_unit="accounts")


def test_from_the_first_word_to_the_repaired_building(office: Office) -> None:
    report = log(office.official, description="The roof is gone.")
    report = go(report, "verify", by=office.inspector, **INSPECTION)
    assert (report.status, report.damage_level, report.ems98_min) == ("verified", "moderate", 3)
    assert report.independently_checked is True
    assert refused(report, "approve_plan", by=office.supervisor) == "plan"
    reports.draft_plan(
        report.reference, by=office.official, scope="Roof", cost="9000", currency="EUR", funder="Town"
    )
    go(report, "approve_plan", by=office.supervisor)
    go(report, "start_repair", by=office.official, contractor="Builders", happened_on="2026-03-12")
    go(
        report,
        "finish_repair",
        by=office.official,
        happened_on="2026-03-20",
        photos_after=[photo("After", (9, 9, 9))],
    )
    report = go(report, "pass_repair", by=office.inspector, happened_on="2026-03-21")
    assert (report.status, report.outcome, str(report.closed_on)) == ("closed", "repaired", "2026-03-21")
    assert (str(report.repair_cost), report.repair_currency) == ("9000.00", "EUR")
    story = list(Entry.objects.filter(report=report).values_list("number", "from_status", "to_status", "by"))
    assert [number for number, *_rest in story] == list(range(1, 9))
    assert story[1][1:] == ("reported", "verified", office.inspector.pk)
    assert report.entries.get(number=1).wording.words()["description"] == "The roof is gone."
    bodies = [journal.read(entry.body) for entry in report.entries.order_by("number")]
    assert bodies[-1]["fields"]["status"][-1] == "closed"


def test_a_repair_is_not_finished_without_a_photo() -> None:
    form = move_form(workflow.move_named("finish_repair", "building"), {"happened_on": DAY}, MultiValueDict())
    assert set(form.errors) == {"photos_after"}


def test_whoever_logged_it_does_not_verify_it(office: Office) -> None:
    report = log(office.inspector)
    assert refused(report, "verify", by=office.inspector, **INSPECTION) == "apart_logged"
    assert go(report, "verify", by=office.inspector2, **INSPECTION).status == "verified"


def test_whoever_last_set_the_date_does_not_verify_it(office: Office) -> None:
    report = log(office.official)
    form = ReportForm()
    form.check({"area": "UA-63", "kind": "building", "object_type": "school", "occurred_to": "2026-03-08"})
    reports.edit(report.reference, form, by=office.inspector, since=1, place_changed=False)
    assert refused(report, "verify", by=office.inspector, **INSPECTION) == "apart_logged"


def test_a_supervisor_goes_on_with_a_reason_only_where_nobody_else_could(office: Office) -> None:
    report = log(office.supervisor)
    assert refused(report, "verify", by=office.supervisor, **INSPECTION) == "apart_logged"
    Person.objects.exclude(pk=office.supervisor.pk).update(is_active=False)
    assert refused(report, "verify", by=office.supervisor, **INSPECTION) == "apart_logged"
    report = go(report, "verify", by=office.supervisor, reason="I am alone tonight", **INSPECTION)
    assert (report.status, report.independently_checked) == ("verified", False)


def test_outside_one_s_areas_and_in_another_role_nothing_moves(office: Office) -> None:
    stranger = factories.person("inspector", office.areas["UA-23"])
    report = log(office.official)
    assert refused(report, "verify", by=stranger, **INSPECTION) == "area"
    assert refused(report, "verify", by=office.official, **INSPECTION) == "role"
    assert Report.objects.get(pk=report.pk).version == 1


def test_without_a_visit_verifying_takes_an_image_and_an_independent_source(office: Office) -> None:
    step = workflow.move_named("verify", "building")
    form = move_form(step, {**INSPECTION, "method": "satellite"})
    assert set(form.errors) == {"image", "independent_source"}


def test_a_move_conflicts_with_a_change_of_what_it_was_decided_on(office: Office) -> None:
    report = log(office.official)
    form = ReportForm()
    form.check({"area": "UA-63", "kind": "building", "object_type": "clinic", "occurred_to": DAY})
    reports.edit(report.reference, form, by=office.official2, since=1, place_changed=False)
    with pytest.raises(Conflict) as raised:
        go(report, "verify", by=office.inspector, since=1, **INSPECTION)
    assert raised.value.fields == {"object_type": ("clinic", None)}
    reports.note(report.reference, "Looked again", by=office.official)
    assert go(report, "verify", by=office.inspector, since=2, **INSPECTION).status == "verified"


def test_two_edits_conflict_only_on_the_same_field(office: Office) -> None:
    report = log(office.official)

    def edit(by: Person, since: int, **changes: Any) -> None:
        form = ReportForm()
        form.check(
            {"area": "UA-63", "kind": "building", "object_type": "school", "occurred_to": DAY, **changes}
        )
        reports.edit(report.reference, form, by=by, since=since, place_changed=False)

    edit(office.official, 1, summary="Roof damaged")
    with pytest.raises(Conflict) as raised:
        edit(office.official2, 1, summary="Roof gone")
    assert raised.value.fields == {"summary": ("Roof damaged", "Roof gone")}


def test_an_edit_may_not_carry_a_report_out_of_one_s_areas(office: Office) -> None:
    report = log(office.official)
    form = ReportForm()
    form.check({"area": "UA-23", "kind": "building", "object_type": "school", "occurred_to": DAY})
    with pytest.raises(Refused) as raised:
        reports.edit(report.reference, form, by=office.official, since=1)
    assert raised.value.code == "area"
    assert Report.objects.get(pk=report.pk).adm1_code == "UA-63"


def test_a_duplicate_lends_its_sources_and_its_loggers_until_the_merge_is_undone(office: Office) -> None:
    first, second = log(office.official), log(office.inspector, source_type="media", source_name="Paper")
    go(second, "merge", by=office.official, original=first.reference)
    first.refresh_from_db()
    second.refresh_from_db()
    assert (second.status, second.merged_into, first.sources_n) == ("duplicate", first, 2)
    assert refused(first, "verify", by=office.inspector, **INSPECTION) == "apart_logged"
    third = log(office.official2)
    go(third, "merge", by=office.official, original=second.reference.lower())
    third.refresh_from_db()
    assert third.merged_into == first  # a chain is followed to its end
    go(second, "unmerge", by=office.official)
    first.refresh_from_db()
    second.refresh_from_db()
    assert (second.status, second.merged_into) == ("reported", None)
    assert first.sources_n == 2  # its own and the third one's


def test_a_merge_takes_the_right_in_both_areas_and_the_same_kind(office: Office) -> None:
    elsewhere = factories.person("official", office.areas["UA-23"])
    far = log(elsewhere, area="UA-23")
    near = log(office.official)
    assert refused(near, "merge", by=office.official, original=far.reference) == "original"
    network = log(office.official, kind="network", sector="gas", object_type="pipeline")
    assert refused(near, "merge", by=office.official, original=network.reference) == "original"
    assert refused(near, "merge", by=office.official, original=near.reference) == "original"


def test_undone_milestones_are_emptied(office: Office) -> None:
    report = go(log(office.official), "verify", by=office.inspector, **INSPECTION)
    report = go(
        report, "close", by=office.supervisor, outcome="demolished", happened_on="2026-03-12", note=""
    )
    assert report.outcome == "demolished"
    report = go(report, "reopen", by=office.supervisor, reason="Wrong house")
    assert (report.status, report.closed_on, report.outcome) == ("verified", None, "")
    report = go(report, "set_back", by=office.supervisor, reason="Wrong house")
    assert (report.status, report.verified_on) == ("reported", None)


def test_an_urgent_repair_that_stops_goes_back_to_verified(office: Office) -> None:
    report = go(log(office.official), "verify", by=office.inspector, **INSPECTION)
    report = go(
        report,
        "start_urgent_repair",
        by=office.supervisor,
        contractor="Town",
        happened_on="2026-03-11",
        reason="Rain",
    )
    assert go(report, "stop_repair", by=office.official, reason="Storm").status == "verified"


def test_whoever_ran_a_repair_does_not_pass_it(office: Office) -> None:
    report = go(log(office.official), "verify", by=office.inspector, **INSPECTION)
    go(
        report,
        "start_urgent_repair",
        by=office.supervisor,
        contractor="Town",
        happened_on="2026-03-11",
        reason="Rain",
    )
    go(
        report,
        "finish_repair",
        by=office.official,
        happened_on="2026-03-12",
        photos_after=[photo("After", (9, 9, 9))],
    )
    assert refused(report, "pass_repair", by=office.supervisor, happened_on="2026-03-13") == "apart_ran"
    assert go(report, "fail_repair", by=office.supervisor2, reason="Leaks").repaired_on is None


def test_a_day_in_the_future_or_before_the_damage_is_refused(office: Office) -> None:
    report = log(office.official)
    ahead = (datetime.now(UTC) + timedelta(days=3)).date().isoformat()
    assert refused(report, "verify", by=office.inspector, **{**INSPECTION, "happened_on": ahead}) == "future"
    early = {**INSPECTION, "happened_on": "2026-03-01"}
    assert refused(report, "verify", by=office.inspector, **early) == "order"


def test_the_steps_of_an_outage_give_its_status_and_figures(office: Office) -> None:
    report = outage(office)

    def step(hour: int, minute: int = 0, **values: Any) -> Report:
        at = datetime(2026, 3, 9, hour - 2, minute, tzinfo=UTC)  # Kyiv is two hours ahead
        return outages.add_step(
            report.reference, OutageStep(at=at, direction="back", **values), by=office.operator
        )

    zone = Report.objects.get(pk=report.pk).timezone
    offset = 0 if not zone else 2
    assert step(10 + 2 - offset, 40, customers=600).status == "partially_restored"
    step(12 + 2 - offset, customers=300)
    with pytest.raises(Refused) as raised:
        step(13 + 2 - offset, customers=200)
    assert raised.value.code == "steps"
    done = step(16 + 2 - offset, customers=100)
    assert (done.status, done.customers_affected, done.customers_out) == ("restored", 1000, 0)
    assert str(done.customer_hours) == "1600.00"  # 96,000 customer-minutes
    last = done.outagestep_lines.order_by("-at").first()
    assert last is not None
    undone = outages.void_step(report.reference, last.pk, by=office.operator, reason="Wrong line")
    assert (undone.status, undone.customers_out, undone.restored_utc) == ("partially_restored", 100, None)
    step(16 + 2 - offset, everyone=True)
    assert go(report, "close", by=office.operator, happened_on="2026-03-10").status == "closed"


def test_an_estimate_lies_after_its_giving(office: Office) -> None:
    report = outage(office)
    now = journal.now()
    with pytest.raises(Refused) as raised:
        outages.estimate(report.reference, by=office.operator, given_at=now, restored_by=now)
    assert raised.value.field == "restored_by"
    later = now + timedelta(hours=2)
    assert outages.estimate(report.reference, by=office.operator, given_at=now, restored_by=later).etr_utc


def test_an_operator_moves_only_the_networks_and_outages_of_own_sectors(office: Office) -> None:
    gas = log(office.official, kind="outage", sector="gas", object_type="")
    assert refused(gas, "confirm", by=office.operator, cause_group="weather") == "area"
    house = log(office.official)
    assert refused(house, "ask", by=office.operator, question="Where?") == "role"


def test_assessments_are_all_kept_and_the_strongest_counts(office: Office) -> None:
    report = go(log(office.official), "verify", by=office.inspector, **INSPECTION)
    desk = inspections.new_assessment(
        scale="acaps", grade="destroyed", method="desk", on=datetime(2026, 3, 30).date()
    )
    report = inspections.assess(report.reference, desk, by=office.official)
    assert report.scale == "ems98"
    report = inspections.choose(report.reference, desk.pk, by=office.supervisor, reason="Collapsed since")
    assert (report.scale, report.damage_level) == ("acaps", "destroyed")
    assert report.assessment_lines.count() == 2


def test_sources_agree_where_their_grades_can_be_one() -> None:
    def source(scale: str, grade: str) -> Source:
        return Source(name=grade, scale=scale, scale_grade=grade)

    wide, destroyed, minor = source("acaps", "partially_damaged"), source("ems98", "5"), source("ems98", "2")
    assert inspections.source_columns([wide])["sources_agree"] is None
    assert inspections.source_columns([wide, minor])["sources_agree"] is True
    assert inspections.source_columns([wide, minor, destroyed])["sources_agree"] is False


def test_a_form_sent_twice_is_one_act(office: Office) -> None:
    report, command = log(office.official), uuid4()

    def act() -> dict[str, Any]:
        return {"entry": reports.note(report.reference, "Seen", by=office.official).number}

    first = journal.once(command, by=office.official, act=act)
    assert journal.once(command, by=office.official, act=act) == first
    assert report.entries.count() == 2


def test_the_same_client_id_is_one_report_and_another_content_a_refusal(office: Office) -> None:
    form, client = ReportForm(), uuid4()
    form.check({"area": "UA-63", "kind": "building", "object_type": "school", "occurred_to": DAY})
    first = reports.log(form, by=office.official, client=(client, "a"))
    assert reports.log(form, by=office.official, client=(client, "a")) == first
    with pytest.raises(Refused):
        reports.log(form, by=office.official, client=(client, "b"))
    assert reports.log(form, by=office.official2, client=(client, "b")) != first


def test_an_erased_text_is_gone_everywhere_and_its_digest_stays(office: Office) -> None:
    report = log(office.official, object_name="Ivanova's flat")
    go(report, "verify", by=office.inspector, **INSPECTION)
    PastReport.objects.update(object_name="Ivanova's flat")
    before = report.entries.get(number=1).body
    reports.erase(report.reference, "object_name", by=office.supervisor, reason="Privacy")
    report.refresh_from_db()
    assert report.object_name == ""
    assert not Wording.objects.filter(texts__has_key="object_name").exists()
    assert not PastReport.objects.exclude(object_name="").exists()
    assert report.entries.get(number=1).body == before
