"""A whole register has no findings; one byte changed behind its back is found, in whatever table."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection, transaction

from registry.actions import editions, evidence, journal, tallies
from registry.models import (
    Assessment,
    Asset,
    Cluster,
    Edition,
    Entry,
    Estimate,
    Evidence,
    Incident,
    Link,
    OutageStep,
    PastReport,
    PublicReport,
    Report,
    ResearcherReport,
    Seal,
    Source,
    Tally,
    TallyDelta,
    Wording,
    guards,
)
from registry.models.story import Child
from registry.rules.vocabularies import EntryKind, Holder
from registry.upkeep import sealing, verifying
from tests.factories import change, report

pytestmark = pytest.mark.django_db

AT = datetime(2026, 2, 10, 12, tzinfo=UTC)
DAY = timedelta(days=1)
FILE = b"a photo"


def findings() -> list[tuple[str, str]]:
    return [(finding.kind, finding.subject) for finding in verifying.verify()]


def add(to: Report, kind: str, *rows: Child, at: datetime = AT, **line: Any) -> Entry:
    return journal.record(journal.Line(journal.lock(to.reference), kind, rows=rows, **line), at=at)


@pytest.fixture(autouse=True)
def _files_of_its_own(settings: Any, tmp_path: Any) -> None:
    settings.DATA_DIR = tmp_path


@pytest.fixture
@transaction.atomic
def school() -> Report:
    """A register with something in every table: its first report."""
    mill = Asset.objects.create(kind="building", object_type="school")
    storm = Incident.objects.create(title="A storm", began_at=AT, created_at=AT, published=True)
    place = {"lat": "50.004567", "lon": "36.231234", "geo_precision": "exact", "geo_radius_m": 25}
    dates = {"occurred_from": date(2026, 2, 9), "occurred_to": date(2026, 2, 9)}
    school = report(
        at=AT, address="Mill street 5", of_asset_id=mill.pk, of_incident_id=storm.pk, **place, **dates
    )
    report(
        at=AT - 30 * DAY,
        object_type="hospital",
        **place,
        **dates | {"occurred_from": date(2026, 1, 9), "occurred_to": date(2026, 1, 9)},
    )
    outage = report(
        at=AT, kind="outage", sector="water", object_type="", status="confirmed", damage_level="",
        customers_unit="people", customers_affected=500, **dates,
    )  # fmt: skip
    sha256 = evidence._keep(FILE)
    add(
        school,
        EntryKind.INSPECTED,
        Assessment(scale="ems98", scale_grade="3", method="field", assessed_on=AT.date()),
    )
    add(
        school,
        EntryKind.SOURCED,
        Source(name="A paper", type="media"),
        fields={"sources": "A paper", "sources_n": 1},
    )
    add(
        school,
        EntryKind.ATTACHED,
        Evidence(sha256=sha256, shown_sha256=sha256, media_type="image/jpeg", size=7),
    )
    add(outage, EntryKind.STEPPED, OutageStep(at=AT, direction="lost", customers=500))
    add(outage, EntryKind.ESTIMATED, Estimate(given_at=AT, restored_by=AT + DAY))
    for one, other in ((school, outage), (outage, school)):
        add(one, EntryKind.LINKED, Link(other=other, type="supply"), fields={"related": other.reference})
    add(school, EntryKind.NOTED, texts={"note": "Windows are boarded"})
    editions.publish(AT + 2 * DAY)
    sealing.seal()
    tallies.merge()
    change(school, at=AT + 3 * DAY, damage_level="severe", address="Mill street 7")
    editions.publish(AT + 4 * DAY)
    sealing.seal()
    return Report.objects.get(pk=school.pk)


def test_a_whole_register_has_no_findings(school, capsys):
    assert findings() == []
    call_command("verify", jobs=1)
    assert "Nothing found" in capsys.readouterr().out


def test_work_after_an_edition_and_a_seal_is_no_finding(school):
    change(school, at=AT + 5 * DAY, damage_level="minor", object_type="hospital", lat=None, lon=None)
    report(at=AT + 5 * DAY)
    Incident.objects.update(published=False)
    hidden = change(report(at=AT), at=AT + 5 * DAY, withdrawn="safety")
    editions.retract(hidden)
    editions.retract(change(school, at=AT + 6 * DAY, withdrawn="privacy"))
    assert findings() == []
    editions.publish(AT + 7 * DAY)
    sealing.seal()
    tallies.merge()
    assert findings() == []


def test_an_erased_text_is_no_finding(school):
    add(school, EntryKind.ERASED, fields={"address": ""}, move="erase:address", at=AT + 5 * DAY)
    for wording in Wording.objects.filter(entry__report=school, texts__has_key="address"):
        del wording.texts["address"]
        wording.save()
    school.past.update(address="")
    assert findings() == []


def test_a_line_struck_out_by_an_entry_is_no_finding(school):
    add(school, EntryKind.VOIDED, voids=[school.source_lines.get()], at=AT + 5 * DAY)
    assert findings() == []
    Source.objects.update(voided_at=None)
    assert findings() == [("record", school.reference)]


def test_numbers_as_sqlite_makes_them_of_text_are_no_finding(school):
    """Some ways of writing hand over text, of which SQLite makes a number one bit away."""
    behind_the_back("UPDATE registry_report SET lat = lat + 7e-15, lat_1000 = lat_1000 - 7e-15")
    assert "record" not in {kind for kind, _subject in findings()}


def test_a_policy_not_published_yet_is_no_finding(school, settings):
    settings.AUDIENCE_POLICY = {"public": {"building": {"delay_hours": 1000}}}
    assert findings() == []


def behind_the_back(statement: str) -> None:
    with guards.lifted(connection), connection.cursor() as cursor:
        cursor.execute(statement)


def altered(table: type, assignment: str, where: str = "") -> str:
    name, key = table._meta.db_table, table._meta.pk.column
    return f"UPDATE {name} SET {assignment} WHERE {where or f'{key} = (SELECT MIN({key}) FROM {name})'}"


ALTERATIONS = [
    altered(Report, "damage_level = 'minor'"),
    altered(Report, "address = 'Mill street 8'"),
    altered(Report, "cell = cell + 1"),
    altered(Report, "lat_1000 = lat_1000 + 1"),
    altered(Report, "priority = 'high'"),
    altered(Report, "valid_from = logged_utc"),
    altered(Report, "version = version + 1"),
    altered(Entry, "body = body || ' '"),
    altered(Entry, "to_status = 'reported'"),
    altered(Entry, "seal_id = 2"),
    altered(Entry, "seal_id = NULL"),
    altered(Wording, 'texts = \'{"address": "0"}\'', "texts IS NOT NULL"),
    altered(Wording, "texts = '{}'", "texts IS NOT NULL"),
    altered(Assessment, "scale_grade = '4'"),
    altered(Assessment, "voided_at = recorded_at"),
    altered(OutageStep, "customers = 501"),
    altered(Estimate, "given_at = recorded_at, restored_by = NULL"),
    altered(Source, "name = 'B paper'"),
    altered(Link, "type = 'caused'"),
    altered(Evidence, "caption = 'x'"),
    altered(Seal, "entries = entries + 1"),
    altered(Seal, "digest = '0'"),
    altered(PastReport, "damage_level = 'minor'", "holder = 'office'"),
    altered(PastReport, "address = 'x'", "holder = 'office'"),
    altered(PastReport, "cell = cell + 1", "holder = 'office'"),
    altered(PastReport, "valid_to = valid_from", "holder = 'office'"),
    altered(PastReport, "valid_to = valid_from", "holder = 'public'"),
    altered(PastReport, "address = 'x'", "holder = 'public'"),
    altered(PastReport, "object_type = 'hospital'", "holder = 'researcher'"),
    altered(PublicReport, "lat = lat + 1", "lat IS NOT NULL"),
    altered(PublicReport, "related = ''", "related <> ''"),
    altered(PublicReport, "strike_no = 2", "strike_no = 1"),
    altered(PublicReport, "settlement = 'x'", "object_type = 'hospital'"),
    altered(PublicReport, "reference = '0000-0000'"),
    altered(ResearcherReport, "address = 'x'"),
    altered(ResearcherReport, "updated_utc = logged_utc", "logged_utc IS NOT NULL"),
    altered(Tally, "n = n + 1"),
    altered(Tally, "customers_out = customers_out + 1", "holder = 'public'"),
    altered(TallyDelta, "n = n + 1"),
    altered(Cluster, "n = n + 1"),
    altered(Cluster, "cell = cell + 7", "holder = 'researcher'"),
    altered(Cluster, "n = n + 1", "holder = 'public' AND zoom = 15"),
    altered(Cluster, "n = n + 1", "holder = 'public' AND zoom = 5"),
    "DELETE FROM registry_entry WHERE number = 5",
    "DELETE FROM registry_wording",
    "DELETE FROM registry_source",
    "DELETE FROM registry_pastreport WHERE holder = 'office'",
    "DELETE FROM registry_publicreport WHERE object_type = 'school'",
    "DELETE FROM registry_publicreport WHERE object_type = 'hospital'",
    "DELETE FROM registry_tally WHERE holder = 'office'",
]


def test_a_byte_changed_behind_the_registers_back_is_found_in_whatever_table(school):
    unfound = []
    for statement in ALTERATIONS:
        with transaction.atomic():
            behind_the_back(statement)
            if next(verifying.verify(), None) is None:
                unfound.append(statement)
            transaction.set_rollback(True)
    assert not unfound, "\n".join(unfound)
    assert findings() == []


@pytest.mark.parametrize("letter", [0, Wording.SALT])
def test_a_letter_changed_in_a_text_or_its_salt_is_found(school, letter):
    wording = Wording.objects.get(entry__report=school, entry__number=1)
    salted = wording.texts["address"]
    wording.texts["address"] = f"{salted[:letter]}~{salted[letter + 1 :]}"
    wording.save()
    assert ("record", school.reference) in findings()


def test_a_row_shown_that_should_not_be_is_found(school):
    with guards.lifted(connection):
        Edition.objects.filter(at=AT + 4 * DAY).update(at=AT + DAY, last_entry=1 << 40)
    assert ("public", school.reference) in findings()


def test_a_withdrawn_report_that_is_still_shown_is_found(school):
    change(school, at=AT + 5 * DAY, withdrawn="safety")
    assert ("public", school.reference) in findings()
    assert ("researcher", school.reference) in findings()


def test_an_entry_that_missed_two_seals_is_found(school):
    missed = Entry.objects.order_by("pk").first()
    change(school, at=AT + 5 * DAY, damage_level="minor")
    behind_the_back(f"UPDATE registry_entry SET seal_id = NULL WHERE id = {missed.pk}")
    sealing.seal()
    assert ("entry", str(missed.pk)) not in findings()
    with guards.lifted(connection):
        Entry.objects.filter(pk=missed.pk).update(seal=None)
    assert ("entry", str(missed.pk)) in findings()


def test_a_file_that_is_missing_or_altered_is_found(school):
    path = evidence.path_of(Evidence.objects.get().sha256)
    path.chmod(0o600)
    path.write_bytes(b"another")
    assert findings() == [("file", school.reference)]
    path.unlink()
    assert findings() == [("file", school.reference)]
    evidence._keep(FILE)


@pytest.mark.django_db(transaction=True)
def test_several_processes_find_what_one_finds(school):
    behind_the_back(altered(Report, "damage_level = 'minor'"))
    behind_the_back(altered(PublicReport, "settlement = 'x'"))
    alone = sorted((f.kind, f.subject, f.message) for f in verifying.verify())
    assert {kind for kind, _subject, _message in alone} >= {"public", "record", "tally"}
    assert sorted((f.kind, f.subject, f.message) for f in verifying.verify(jobs=2)) == alone


def test_the_command_prints_what_it_found_and_fails(school, capsys):
    Tally.objects.filter(holder=Holder.PUBLIC).delete()
    with pytest.raises(SystemExit) as ended:
        call_command("verify", jobs=1)
    assert ended.value.code == 1
    assert "tally\tpublic" in capsys.readouterr().out
