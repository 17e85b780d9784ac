"""Releases: the same rows give the same bytes, whatever happens later; what must go takes the release with it."""

import csv
import fcntl
import json
import os
from datetime import UTC, date, datetime, timedelta
from io import StringIO
from pathlib import Path

import geopandas
import pytest
import yaml
from django.core.management import CommandError, call_command
from frictionless import Package

from registry.actions import editions, incidents, releases, reports
from registry.actions.journal import Refused, now
from registry.filters import BadFilter
from registry.models import Edition, Incident, Release, Seal, Statement
from registry.outputs import bundling
from registry.rules.vocabularies import Role
from registry.upkeep import releasing, working
from tests import factories
from tests.factories import change, report

pytestmark = pytest.mark.django_db(transaction=True)

FIRST = datetime(2026, 3, 12, 3, tzinfo=UTC)
NEXT = FIRST + timedelta(days=1)
SEEN = {"lat": 50.0011, "lon": 36.2049, "adm1_code": "UA-63", "counts_from": FIRST - timedelta(days=3)}


@pytest.fixture(autouse=True)
def data_dir(settings, tmp_path):
    settings.DATA_DIR = tmp_path
    settings.SECOND_FACTOR_REQUIRED = False
    return tmp_path


@pytest.fixture
def areas():
    return factories.ukraine()


@pytest.fixture
def supervisor(areas):
    return factories.person(Role.SUPERVISOR, areas["UA"])


@pytest.fixture
def rows(areas):
    """Three schools and a house that the public sees since the first edition."""
    made = [
        report(at=FIRST - timedelta(days=2), object_type=use, **SEEN)
        for use in ("school", "school", "school", "house")
    ]
    editions.publish(at=FIRST)
    return made


def released(**asked):
    release = releases.ask(**{"audience": "public", "by": None} | asked)
    if release.state == Release.State.WAITING:
        releasing.make(release)
        release.refresh_from_db()
    return release


def listed(release, name="reports.csv"):
    with (releases.folder(release) / name).open(newline="") as file:
        return list(csv.DictReader(file))


# -- what is in it


def test_a_release_holds_its_rows_and_says_what_they_are(rows, areas):
    release = released(query="kind=building&type=school", title="Schools")
    assert {row["reference"] for row in listed(release)} == {one.reference for one in rows[:3]}
    assert release.made["rows"]["reports"] == 3
    folder = releases.folder(release)
    told = {file["name"]: file["bytes"] for file in release.files}
    assert told == {name: (folder / name).stat().st_size for name in told}
    assert {
        "reports.csv",
        "codebook.csv",
        "crosswalk.csv",
        "datapackage.json",
        "CITATION.cff",
    } <= {*told}
    placed = geopandas.read_parquet(folder / "reports.parquet")
    assert [(row["reference"], row["lat"]) for row in listed(release)] == [
        (reference, f"{point.y:.6f}")
        for reference, point in zip(placed["reference"], placed.geometry, strict=True)
    ]
    codebook = {(row["table"], row["column"]): row for row in listed(release, "codebook.csv")}
    assert "withheld or made coarser for dwellings" in codebook["reports", "address"]["missing"]
    assert codebook["reports", "lat"]["unit"] == "degrees north, WGS 84"
    assert [
        row["ems98_min"]
        for row in listed(release, "crosswalk.csv")
        if (row["scale"], row["grade"]) == ("ems98", "3")
    ] == ["3"]
    citation = yaml.safe_load((folder / "CITATION.cff").read_text())
    assert (citation["title"], citation["version"], citation["date-released"]) == (
        "Schools",
        "1",
        "2026-03-12",
    )
    readme = (folder / "README.md").read_text()
    assert release.seal.digest in readme
    assert "School" in readme


def test_frictionless_finds_nothing_wrong_with_it(rows):
    release = released()
    found = Package(str(releases.folder(release) / "datapackage.json")).validate()
    assert found.valid, found.flatten(["type", "message"])


def test_it_bears_the_first_seal_after_its_edition(rows):
    Seal.objects.create(pk=1, number=1, sealed_at=FIRST - timedelta(hours=1), entries=0, digest="0" * 64)
    edition = Edition.objects.get()
    release = released()
    assert release.seal.sealed_at >= edition.made_at
    assert release.seal == Seal.objects.filter(sealed_at__gte=edition.made_at).earliest("number")


# -- the same bytes


def test_later_edits_and_editions_change_no_byte_and_making_it_again_gives_the_same(
    rows, supervisor, settings
):
    release = released(query="type=school")
    change(rows[0], at=FIRST + timedelta(hours=2), damage_level="severe")
    report(at=FIRST + timedelta(hours=3), object_type="school", **SEEN)
    editions.publish(at=NEXT)
    assert releasing.verify(releases.folder(release)) == []
    # The register has moved, and has another name.
    settings.BASE_URL, settings.REGISTER_NAME = "https://moved.example.org", "Renamed"
    assert releasing.rebuild(release) == []
    assert released(query="type=school", edition=release.edition) == release
    assert released(query="type=school").number == 2


def test_what_was_altered_is_found_by_name(rows):
    release = released()
    file = releases.folder(release) / "reports.csv"
    file.write_bytes(file.read_bytes().replace(b"school", b"School", 1))
    (file.parent / "more.txt").touch()
    (file.parent / "codes.csv").unlink()
    assert releasing.verify(file.parent) == [
        "reports.csv is not what was released", "codes.csv is missing", "more.txt is not part of it",
    ]  # fmt: skip


def test_what_was_withdrawn_since_is_said_when_it_is_made_anew(rows, supervisor):
    kept = released(query="type=school")
    change(rows[3], at=FIRST + timedelta(hours=1), damage_level="minor")
    editions.publish(at=NEXT)
    # An error in a house is nothing to the schools.
    reports.withdraw(rows[3].reference, by=supervisor, because="error", note="not here")
    kept.refresh_from_db()
    assert kept.is_made
    assert releasing.rebuild(kept) == []


# -- what must go


def test_a_withdrawn_report_takes_the_releases_with_it_that_hold_it(rows, supervisor):
    schools, houses = released(query="type=school"), released(query="type=house")
    reports.withdraw(rows[0].reference, by=supervisor, because="safety", note="they hide there")
    for release in (schools, houses):
        release.refresh_from_db()
    assert (schools.state, houses.state) == ("retracted", "made")
    assert not releases.folder(schools).exists()
    assert releasing.verify(releases.folder(houses)) == []
    again = released(query="type=school", edition=schools.edition)
    schools.refresh_from_db()
    assert schools.successor == again
    assert {row["reference"] for row in listed(again)} == {one.reference for one in rows[1:3]}


@pytest.fixture
def storm():
    """An incident that is published, with a statement that is, and one that is not."""
    made = Incident.objects.create(
        title="Storm", cause_group="weather", began_at=factories.AT, created_at=factories.AT, published=True
    )
    for text, published in (('Forty roofs,\r\n"gone"', True), ("A name", False)):
        Statement.objects.create(
            incident=made, type="damage", text=text, said_by="Office", said_at=factories.AT,
            recorded_at=factories.AT, published=published,
        )  # fmt: skip
    return made


@pytest.mark.parametrize("hidden", ["statement", "incident"])
def test_what_was_said_and_is_hidden_takes_the_releases_with_it_that_quote_it(
    rows, storm, supervisor, hidden
):
    every, schools = released(), released(query="type=school")
    said, kept_back = storm.statements.order_by("pk")
    assert [row["text"] for row in listed(every, "statements.csv")] == [said.text]
    # Struck out, it stands in the editions before.
    incidents.void(storm.reference, kept_back.pk, by=supervisor)
    every.refresh_from_db()
    assert every.is_made
    if hidden == "incident":
        incidents.publish(storm.reference, by=supervisor, published=False)
    else:
        incidents.publish_statement(storm.reference, said.pk, by=supervisor, published=False)
    for release in (every, schools):
        release.refresh_from_db()
    assert (every.state, schools.state) == ("retracted", "made")
    assert not releases.folder(every).exists()
    assert listed(released(edition=every.edition), "statements.csv") == []


def test_what_is_published_after_an_edition_is_not_in_its_releases(rows, storm, supervisor):
    first = released()
    kept_back = storm.statements.order_by("pk")[1]
    incidents.publish_statement(storm.reference, kept_back.pk, by=supervisor, published=True)
    assert releasing.rebuild(first) == []
    editions.publish(at=now())
    assert len(listed(released(), "statements.csv")) == 2


def test_what_is_hidden_while_it_is_made_is_not_in_it(rows, storm, supervisor, monkeypatch):
    written = bundling.write

    def write(*args, **options):
        done = written(*args, **options)
        incidents.publish(storm.reference, by=supervisor, published=False)
        return done

    monkeypatch.setattr(bundling, "write", write)
    release = released()
    assert release.is_made
    assert listed(release, "statements.csv") == []


def test_a_withdrawal_that_fails_retracts_nothing(rows, supervisor):
    release = released()
    with pytest.raises(Refused):
        reports.withdraw(rows[0].reference, by=factories.person(Role.OFFICIAL), because="safety", note="-")
    release.refresh_from_db()
    assert releasing.verify(releases.folder(release)) == []


def test_what_is_withdrawn_while_it_is_made_is_not_in_it(rows, supervisor, monkeypatch):
    written = bundling.write

    def write(*args, **options):
        done = written(*args, **options)
        if not rows[0].withdrawn:
            rows[0] = reports.withdraw(rows[0].reference, by=supervisor, because="safety", note="-")
        return done

    monkeypatch.setattr(bundling, "write", write)
    release = released(query="type=school")
    assert release.is_made
    assert rows[0].reference not in {row["reference"] for row in listed(release)}


def test_a_release_whose_list_of_rows_is_lost_goes_with_any_withdrawal(rows, supervisor):
    release = released(query="type=house")
    (releases.folder(release) / releases.ROWS).unlink()
    reports.withdraw(rows[0].reference, by=supervisor, because="safety", note="-")
    release.refresh_from_db()
    assert release.state == "retracted"


# -- what changed


def test_only_what_changed_since_another_and_what_vanished_as_a_number(rows, supervisor):
    first = released()
    change(rows[0], at=FIRST + timedelta(hours=2), damage_level="severe", summary='A\x1f"B"\n')
    change(rows[1], at=FIRST + timedelta(hours=2), status="rejected", outcome="false")
    added = report(at=FIRST + timedelta(hours=3), object_type="school", **SEEN)
    editions.publish(at=NEXT + timedelta(days=1))
    second, changes = released(), released(since=first)
    assert {row["reference"] for row in listed(changes)} == {rows[0].reference, added.reference}
    assert changes.made["left"] == 1
    found = releasing.compare(releases.folder(first), releases.folder(second))
    assert (found.added, found.vanished) == ([added.reference], 1)
    assert found.revised == {rows[0].reference: ["damage_level", "summary", "updated_utc"]}
    assert releasing.compare(releases.folder(second), releases.folder(second)).revised == {}
    out = StringIO()
    call_command("compare_releases", "1", "2", stdout=out)
    assert out.getvalue().endswith("1 added, 1 revised, 1 vanished\n")
    assert rows[1].reference not in out.getvalue()


# -- asking


def test_the_worker_makes_what_was_asked_for_and_may_be_killed(rows, supervisor, monkeypatch):
    release = releases.ask(audience="researcher", by=supervisor, query="type=school")
    written = bundling.write
    monkeypatch.setattr(bundling, "write", lambda *args, **options: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        working.work(once=True)
    monkeypatch.setattr(bundling, "write", written)
    releasing.make_next()
    release.refresh_from_db()
    assert (release.state, release.percent) == ("made", 100)
    assert [path.name for path in releases.folder(release).parent.iterdir()] == ["1"]


def test_one_process_makes_releases_at_a_time(rows, monkeypatch):
    release, again = (releases.ask(audience="public", by=None) for _same in range(2))
    folder = releases.folder(release).parent
    folder.mkdir()
    turn = os.open(folder, os.O_RDONLY)
    fcntl.flock(turn, fcntl.LOCK_EX)
    assert not releasing.make_next()
    os.close(turn)
    assert releasing.make_next()
    monkeypatch.setattr(bundling, "write", lambda *args, **options: pytest.fail("It was made already."))
    releasing.make(again)
    assert again.is_made


def test_the_command_says_what_could_not_be_made(rows, monkeypatch):
    def fail(release):
        releases.fail(release, "The disk is full.")
        release.refresh_from_db()

    monkeypatch.setattr(releasing, "make", fail)
    with pytest.raises(CommandError, match="disk is full"):
        call_command("make_release", stdout=StringIO())


@pytest.mark.parametrize(
    ("asked", "named"),
    [
        ({"audience": "office"}, "audience"),
        ({"query": "colour=red"}, "colour"),
        ({"query": "kind=school"}, "kind"),
    ],
)
def test_what_is_not_understood_is_refused_by_name(rows, asked, named):
    with pytest.raises((BadFilter, Refused)) as caught:
        released(**asked)
    assert named in str(getattr(caught.value, "param", "") or getattr(caught.value, "field", ""))
    assert not Release.objects.exists()


def test_residents_and_visitors_make_none(rows):
    with pytest.raises(Refused):
        releases.ask(audience="public", by=factories.person(Role.RESIDENT))


# -- the commands


def test_one_command_makes_it_and_one_verifies_it(rows, supervisor):
    out = StringIO()
    call_command("make_release", "--filter", "kind=building&type=school", "--title", "Schools", stdout=out)
    number, checksum = out.getvalue().split()[:2]
    change(rows[0], at=FIRST + timedelta(hours=2), damage_level="severe")
    editions.publish(at=NEXT)
    call_command("verify_release", number, "--rebuild", stdout=StringIO())
    assert Release.objects.get(number=number).checksum == checksum
    folder = Path(out.getvalue().splitlines()[1])
    call_command("verify_release", str(folder), stdout=StringIO())
    (folder / "README.md").write_text("?")
    with pytest.raises(CommandError):
        call_command("verify_release", number, stdout=StringIO())


@pytest.mark.parametrize(
    "options", [["--edition", "1999-01-01"], ["--edition", "soon"], ["--since", "7"], ["--filter", "x=1"]]
)
def test_a_command_says_which_option_it_cannot_follow(rows, options):
    with pytest.raises(CommandError):
        call_command("make_release", *options, stdout=StringIO())
    with pytest.raises(CommandError):
        call_command("verify_release", "7", stdout=StringIO())


def test_a_package_describes_every_table(rows):
    release = released()
    package = json.loads((releases.folder(release) / "datapackage.json").read_text())
    assert [one["name"] for one in package["resources"]] == list(bundling.HELD)
    assert package["created"].startswith(str(date(2026, 3, 12)))
