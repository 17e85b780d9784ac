"""Every address of the register, asked for as everybody: what each answers, written out by hand."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import get_resolver, reverse

from registry.actions import editions, evidence, journal, people, releases
from registry.actions.sampling import photo
from registry.models import Asset, Batch, Incident, KnownPlace, WantedFile
from registry.outputs.tables import TABLES
from registry.upkeep import releasing
from tests import factories

pytestmark = pytest.mark.django_db

#: An official of another region stands for staff outside their areas.
WHO = (
    "anonymous",
    "resident",
    "official",
    "inspector",
    "operator",
    "supervisor",
    "researcher",
    "administrator",
    "elsewhere",
)
#: 200 the page, 302 elsewhere (a visitor to sign-in), 403 another role, 404 there is nothing, 405 no GET.
#: In the order of WHO; one number stands for all.
PAGE = "200"
SIGN_IN = "302 " + "200 " * 8
STAFF = "302 403 200 200 200 200 403 200 200"
LOGS = "302 200 200 200 200 200 403 200 200"
#: Officials and supervisors of anywhere, but not the operator of a utility or an inspector.
STATES = "302 403 200 403 403 200 403 200 200"
#: Of an import of one region's official: they and the supervisor there.
OWN_IMPORT = "302 403 200 403 403 200 403 404 404"
#: Of a report of one region: the office there, and the resident who sent it.
OWN_REPORT = "302 404 200 200 404 200 404 200 404"
#: The same in the API, where nobody is sent to sign in, and who sees what is published is told what is not.
SIGNED_IN = "401 " + "200 " * 8
OFFICES_REPORT = "401 403 200 200 403 200 403 200 403"
ADMINISTRATOR = "302 " + "403 " * 6 + "200 403"
#: Nobody here has a second factor.
NO_FACTOR = "302 " + "404 " * 8
POSTED = "405"
POSTED_BY_ADMINISTRATOR = "405"
POSTED_SIGNED_IN = "302 " + "405 " * 8

EXPECTED: dict[str, str] = {
    "home": PAGE,
    # the map
    "map": PAGE,
    "map-list": PAGE,
    "map-tile": PAGE,
    # reports
    "reports": PAGE,
    "nearby": SIGN_IN,
    "save-filter": POSTED_SIGNED_IN,
    "forget-filter": POSTED_SIGNED_IN,
    "log": LOGS,
    "logged": "302 404 200 404 404 404 404 404 404",
    "my-work": "302 200 200 200 200 200 302 200 200",
    "places": STAFF,
    "known-places": STAFF,
    "known-place": "302 403 200 200 200 200 403 200 404",
    "asset": PAGE,
    "report": PAGE,
    "versions": PAGE,
    "edit": OWN_REPORT,
    "move": OWN_REPORT,
    "deed": OWN_REPORT,
    "evidence": OWN_REPORT,
    # The resident who sent one of the two is no judge of both.
    "compare": "302 404 200 200 404 200 404 200 404",
    # incidents
    "incidents": PAGE,
    "new-incident": STATES,
    "incident": PAGE,
    "change-incident": STATES,
    "state": STATES,
    "mark-incident": "302 403 405 403 403 405 403 405 405",
    # imports
    "imports": STATES,
    "new-import": STATES,
    "import": OWN_IMPORT,
    "failing-rows": OWN_IMPORT,
    "import-conflict": "302 403 404 403 403 404 403 404 404",
    "import-columns": OWN_IMPORT.replace("200", "302"),
    "check-import": POSTED,
    "confirm-import": POSTED,
    "cancel-import": POSTED,
    "undo-import": POSTED,
    # people
    "people": ADMINISTRATOR,
    "invite": ADMINISTRATOR,
    "withdraw-invitation": POSTED_BY_ADMINISTRATOR,
    "person": ADMINISTRATOR,
    "send-password-link": POSTED_BY_ADMINISTRATOR,
    "disable-person": POSTED_BY_ADMINISTRATOR,
    "enable-person": POSTED_BY_ADMINISTRATOR,
    "reset-second-factor-person": POSTED_BY_ADMINISTRATOR,
    "invitation": PAGE,
    "account": SIGN_IN,
    "account_login": "200 " + "302 " * 8,
    "mfa_authenticate": "302",
    "account_logout": "302 " + "200 " * 8,
    "account_inactive": PAGE,
    "account_reauthenticate": SIGN_IN,
    "mfa_reauthenticate": "302",
    "account_change_password": SIGN_IN,
    "account_reset_password": PAGE,
    "account_reset_password_done": PAGE,
    "account_reset_password_from_key": PAGE,
    "account_reset_password_from_key_done": PAGE,
    "mfa_index": SIGN_IN,
    "mfa_activate_totp": "302",
    "mfa_deactivate_totp": NO_FACTOR,
    "mfa_view_recovery_codes": NO_FACTOR,
    "mfa_generate_recovery_codes": "302",
    "mfa_download_recovery_codes": NO_FACTOR,
    # Who signed in a moment ago may make one, nobody here has.
    "tokens": SIGN_IN,
    "revoke-token": POSTED,
    # data
    "reports-file": PAGE,
    "versions-file": PAGE,
    "assessments-file": PAGE,
    "outage_steps-file": PAGE,
    "statements-file": PAGE,
    "entries-file": STAFF,
    "want-file": "405",
    "wanted-file": PAGE,
    "wanted-download": "404",
    "cancel-file": "405",
    "data": PAGE,
    "dictionary-csv": PAGE,
    "datapackage-json": PAGE,
    "hxl-schema-csv": PAGE,
    "columns-r": PAGE,
    "schema-sql": PAGE,
    "examples": PAGE,
    "releases": PAGE,
    "release": PAGE,
    "release-file": PAGE,
    "new-release": "302 403 200 403 403 200 200 200 200",
    "succeed-release": POSTED,
    "statistics": PAGE,
    "statistics-csv": PAGE,
    "statistics-svg": PAGE,
    "locate-table": SIGN_IN,
    # the layer
    **dict.fromkeys(
        (
            "ogc",
            "ogc-landing",
            "ogc-api",
            "ogc-conformance",
            "ogc-collections",
            "ogc-collection",
            "ogc-queryables",
            "ogc-schema",
            "ogc-items",
        ),
        PAGE,
    ),
    # Staff are given the rows of their own areas.
    "ogc-item": "200 200 200 200 404 200 200 200 404",
    "ogc-nothing": "404",
    # about
    "about": PAGE,
    "accessibility": PAGE,
    "licences": PAGE,
    "set_language": POSTED,
    "health": PAGE,
    # the API, whose addresses tests/api asks as everybody
    **dict.fromkeys(
        (
            "api-index",
            "api-reports",
            "api-report",
            "api-steps",
            "api-assessments",
            "api-incidents",
            "api-incident",
        ),
        PAGE,
    ),
    **dict.fromkeys(
        ("api-asset", "api-areas", "api-area", "api-editions", "api-vocabularies", "api-scales"), PAGE
    ),
    **dict.fromkeys(("api-columns", "api-incident", "api-filters", "api-problems", "api-openapi"), PAGE),
    "api-me": SIGNED_IN,
    **dict.fromkeys(("api-timeline", "api-estimates", "api-sources", "api-evidence"), OFFICES_REPORT),
    "api-evidence-file": OWN_REPORT.replace("302", "401"),
    "api-next": OWN_REPORT.replace("302", "401"),
    "api-nothing": "404",
    "api-move": "405",
    "api-deed": "405",
}


def patterns() -> dict[str, Any]:
    """Every address of the register by its name."""
    found = {}

    def walk(resolver: Any) -> None:
        for one in resolver.url_patterns:
            if hasattr(one, "url_patterns"):
                walk(one)
            else:
                assert one.name, f"{one.pattern} has no name"
                assert one.name not in found, f"{one.name} names two addresses"
                found[one.name] = one

    walk(get_resolver())
    return found


def test_every_address_is_listed_here() -> None:
    assert patterns().keys() == EXPECTED.keys()


@pytest.fixture
def world(settings: Any, tmp_path: Path) -> dict[str, Any]:
    """One of each, and how each address is asked for."""
    settings.SECOND_FACTOR_REQUIRED = False
    settings.DATA_DIR = tmp_path
    areas = factories.ukraine()
    region = areas["UA-63"]
    who: dict[str, Any] = {"anonymous": None}
    for name in WHO[1:]:
        role = "official" if name in ("administrator", "elsewhere") else name
        place = (
            [] if role in ("resident", "researcher") else [areas["UA-23" if name == "elsewhere" else "UA-63"]]
        )
        who[name] = factories.person(
            role,
            *place,
            sectors=["electricity"] if role == "operator" else [],
            is_administrator=name == "administrator",
            password="a long pass phrase",
        )
    at = datetime.now(UTC).replace(microsecond=0) - timedelta(days=5)
    incident = Incident.objects.create(
        title="Night", cause_group="hostilities", began_at=at, created_at=at, published=True
    )
    incident.areas.add(region)
    day = at.date()
    mill = Asset.objects.create(kind="building", object_type="school")
    report = factories.report(
        by=who["official"],
        at=at,
        occurred_from=day,
        occurred_to=day,
        lat=50,
        lon=36,
        geo_precision="exact",
        of_incident_id=incident.pk,
        of_asset_id=mill.pk,
    )
    line = evidence.attach(report.reference, photo("Here", (9, 9, 9)), by=who["official"])
    editions.publish(journal.now() - timedelta(hours=1))
    invitation, token = people.invite(
        email="new@example.org",
        name="",
        by=who["administrator"],
        role="official",
        areas=[],
        sectors=[],
        is_administrator=False,
    )
    other = factories.report(by=who["official"], at=at)
    release = releases.ask(audience="public", by=None)
    releasing.make(release)
    on_report = {"reference": report.reference}
    on_incident = {"reference": incident.reference}
    person = {"pk": who["official"].pk}
    name = KnownPlace.objects.create(
        key="lower mill", name="Lower Mill", area="UA-63", lat=50, lon=36, by=who["official"], at=at
    )
    batch = Batch.objects.create(
        name="list.csv", by=who["official"], created_at=at, since=at, state="done", rows=1
    )
    on_import = {"pk": batch.pk}
    wanted = WantedFile.objects.create(table="reports", format="csv", holder="public", created_at=at)
    arguments: dict[str, dict[str, Any]] = {
        "map-tile": {"z": 0, "x": 0, "y": 0},
        "asset": {"reference": mill.reference},
        "hxl-schema-csv": {"table": "reports"},
        "release": {"number": release.number},
        "release-file": {"number": release.number, "name": "reports.csv"},
        "succeed-release": {"number": release.number},
        "report": on_report,
        "forget-filter": {"pk": 1},
        "versions": on_report,
        "edit": on_report,
        "move": on_report | {"name": "merge"},
        "deed": on_report | {"name": "note"},
        "compare": on_report | {"other": other.reference},
        "evidence": on_report | {"sha256": line.shown_sha256},
        **dict.fromkeys(
            (
                "api-report",
                "api-timeline",
                "api-assessments",
                "api-steps",
                "api-estimates",
                "api-sources",
                "api-evidence",
                "api-next",
            ),
            on_report,
        ),
        "api-evidence-file": on_report | {"sha256": line.shown_sha256},
        "api-incident": on_incident,
        "api-asset": {"reference": mill.reference},
        "api-area": {"code": region.code},
        "api-move": on_report | {"name": "merge"},
        "api-deed": on_report | {"name": "note"},
        "api-nothing": {"rest": "elsewhere"},
        **{
            name: {"name": "reports"}
            for name in ("ogc-collection", "ogc-queryables", "ogc-schema", "ogc-items")
        },
        "ogc-item": on_report | {"name": "reports"},
        "ogc-nothing": {"rest": "tiles"},
        "incident": on_incident,
        "change-incident": on_incident,
        "state": on_incident,
        "mark-incident": on_incident | {"what": "publish"},
        **dict.fromkeys(
            (
                "import",
                "failing-rows",
                "check-import",
                "confirm-import",
                "cancel-import",
                "undo-import",
                "import-columns",
            ),
            on_import,
        ),
        **{key: {"key": wanted.key} for key in ("wanted-file", "cancel-file")},
        "wanted-download": {"key": wanted.key, "name": "reports.csv"},
        **{f"{table}-file": {"format": "csv"} for table in TABLES},
        "import-conflict": {"pk": batch.pk, "number": 2},
        "person": person,
        "send-password-link": person,
        "disable-person": person,
        "enable-person": person,
        "reset-second-factor-person": person,
        "revoke-token": {"pk": 1},
        "withdraw-invitation": {"pk": invitation.pk},
        "known-place": {"pk": name.pk},
        "invitation": {"token": token},
        "account_reset_password_from_key": {"uidb36": "1", "key": "none"},
        "statistics-csv": {"name": "area"},
        "statistics-svg": {"name": "area"},
    }
    queries = {"map-list": "?bbox=35,49,37,51", "logged": f"?r={report.reference}"}
    return {"who": who, "arguments": arguments, "queries": queries}


@pytest.mark.parametrize("who", WHO)
def test_every_address_answers_as_it_should(who: str, world: dict[str, Any]) -> None:
    client = Client()
    if world["who"][who]:
        client.force_login(world["who"][who])
    wrong = {}
    for name in EXPECTED:
        address = reverse(name, kwargs=world["arguments"].get(name)) + world["queries"].get(name, "")
        statuses = EXPECTED[name].split()
        expected = int(statuses[WHO.index(who)] if len(statuses) > 1 else statuses[0])
        answer = client.get(address)
        b"".join(answer)  # a download gives back its place when it is read to its end
        if answer.status_code != expected:
            wrong[name] = (answer.status_code, expected)
    assert wrong == {}


def test_no_address_changes_anything_for_a_visitor(world: dict[str, Any]) -> None:
    """A form sent by nobody is answered by the way to sign in, or refused; never done."""
    for name in (
        "save-filter",
        "edit",
        "move",
        "deed",
        "new-incident",
        "mark-incident",
        "new-import",
        "confirm-import",
        "undo-import",
        "invite",
        "disable-person",
    ):
        address = reverse(name, kwargs=world["arguments"].get(name))
        answer = Client().post(address, {"command": uuid4()})
        assert (answer.status_code, answer.url.partition("?")[0]) == (302, "/sign-in"), name
