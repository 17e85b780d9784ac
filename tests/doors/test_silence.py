"""Two registers that differ only in what an audience may not see answer every outside door byte for byte
alike: pages, lists, files, tiles, filters and editions of the past."""

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import quote, unquote

import pytest
from django.db import transaction
from django.http import HttpResponse
from django.test import Client

from registry import geo
from registry.actions import editions, journal, releases
from registry.models import (
    Assessment,
    Asset,
    Edition,
    Estimate,
    Evidence,
    Incident,
    Link,
    OutageStep,
    Person,
    Release,
    Report,
    Seal,
    Source,
    Statement,
)
from registry.outputs import bundling, telling
from registry.outputs.formats import FORMATS
from registry.outputs.tables import TABLES
from registry.rules import access
from registry.rules.vocabularies import EntryKind
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("gazetteer_path")]

AT = datetime(2026, 2, 10, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
EDITIONS = [AT + days * DAY for days in (20, 21, 22)]

#: References, the same in both registers.
HOUSE, SCHOOL, CLINIC, NETWORK, POWER, WATER, HEAT, SHOP = (f"0000-000{n}" for n in range(1, 9))
UNCHECKED, RESIDENTS, WITHDRAWN, RECENT, REJECTED = (f"0000-001{n}" for n in range(1, 6))
KNOWN, HIDDEN, MILL, CAMPUS = (f"0000-002{n}" for n in range(1, 5))

#: Words that stand in hidden fields of one register or the other.
SECRETS = ("Ivanova", "Millstreet", "Hushword", "Petrenko", "Otherworld")


class Register:
    """One of the two: ``side`` says which, ``audience`` what the two may not differ in."""

    def __init__(self, side: int, audience: str) -> None:
        self.side, self.audience = side, audience
        areas = factories.ukraine()
        region = areas["UA-63"]
        self.official = factories.person("official", region, email="official@example.org", name="O")
        self.second = factories.person("inspector", region, email="second@example.org", name="I")
        self.resident = factories.person("resident", email="resident@example.org", name="R")
        # A page names its reader's own key, so both registers give them the same.
        keys = [{"pk": 900_000 + n, "email": f"reader{n}@example.org", "name": "N"} for n in (1, 2)]
        self.readers: list[Person | None]
        if audience == "researcher":
            elsewhere = factories.person("official", areas["UA-23"], **keys[1])
            self.readers = [factories.person("researcher", **keys[0]), elsewhere]
        else:
            self.readers = [None, factories.person("resident", **keys[0])]
        self._incidents(areas)
        self._reports()
        for at in EDITIONS[:2]:
            editions.publish(at)
        self._later()
        editions.publish(EDITIONS[2])

    def either(self, one: Any, other: Any) -> Any:
        """A value that no audience may see."""
        return (one, other)[self.side]

    def public(self, one: Any, other: Any) -> Any:
        """A value that researchers see."""
        return self.either(one, other) if self.audience == "public" else one

    # -- what is in it ---------------------------------------------------------------------------------

    def _incidents(self, areas: dict[str, Any]) -> None:
        made = {"cause_group": "hostilities", "created_at": AT, "created_by": self.official}
        known = Incident.objects.create(
            reference=KNOWN, title="Night of debris", began_at=AT - DAY, published=True, **made
        )
        known.areas.add(areas["UA-63"])
        said = {"incident": known, "area": areas["UA-63"], "said_at": AT, "recorded_at": AT}
        words = {"type": "damage", "certainty": "confirmed", "said_by": "Office"}
        Statement.objects.create(text="Roofs damaged", figure=4, figure_unit="houses", published=True,
                                 recorded_by=self.either(self.official, self.second), **said, **words)  # fmt: skip
        Statement.objects.create(text="A roof", published=True, voided_at=AT, **said, **words)
        if self.side:
            Statement.objects.create(text="Hushword", figure=7, figure_unit="houses", **said, **words)
            hidden = Incident.objects.create(
                reference=HIDDEN, title="Otherworld", began_at=AT - 2 * DAY, ended_at=AT, **made
            )
            hidden.linked.add(known)

    def report(self, reference: str, *, lat: float, lon: float, at: datetime = AT, **fields: Any) -> Any:
        """A report logged by one of two people, with what is free to write in it."""
        office = {
            "description": self.either("Two rooms burnt", "Hushword"),
            "contact": self.either("", "Petrenko, second floor"),
            "place_typed": self.either("", "Otherworld 5"),
            "priority": self.either("", "high"),
            "danger": self.either("", "gas"),
            "due_on": self.either(None, date(2026, 3, 1)),
            "assignee_id": self.either(None, self.second.pk),
            "plan_scope": self.either("", "Roof"),
            "contractor": self.either("", "Petrenko Ltd"),
            "geocode_state": self.either("found", "typed"),
        }
        values = office | {
            "adm2_code": "700001", "adm2_name": "Chuhuiv", "settlement": "Chuhuiv", "geo_precision": "exact",
            "geo_radius_m": 25, "occurred_from": date(2026, 2, 9), "occurred_to": date(2026, 2, 9),
            "cause_group": "hostilities", "cause": "blast",
        }  # fmt: skip
        by = self.either(self.official, self.second)
        made = factories.report(by=by, at=at, reference=reference, lat=lat, lon=lon, **values | fields)
        self.write(made, EntryKind.NOTED, at=at + HOUR, texts={"note": self.either("Seen", "Hushword")})
        return made

    def write(self, report: Any, kind: str, *, at: datetime = AT, **line: Any) -> None:
        with transaction.atomic():
            found = journal.lock(report.reference)
            journal.record(
                journal.Line(found, kind, by=self.either(self.official, self.second), **line), at=at
            )

    def _reports(self) -> None:
        mill = Asset.objects.create(
            reference=MILL, kind="building", object_type="school", name=self.either("", "Millstreet school"),
            part_of=self.either(None, Asset.objects.create(
                reference=CAMPUS, kind="building", object_type="school", name="Ivanova campus")),
        )  # fmt: skip
        names = {
            "address": self.public("Sobornyi 1", "Millstreet 3"),
            "object_name": self.public("", "Ivanova's"),
            "sources": self.public("", "Hushword Post"),
            "sources_n": 1,
        }
        minutes = self.public(0, 37)
        started = AT - DAY - timedelta(minutes=minutes)
        spot = self.either(Decimal("0.000100"), Decimal("0.000700"))
        house = self.report(
            HOUSE, lat=Decimal("50.001") + spot, lon=Decimal("36.001") + spot, object_type="house",
            started_utc=started, dwellings_total=1, incident=KNOWN, of_incident=Incident.objects.get(
                reference=KNOWN), **{**names, "address": self.either("Sobornyi 1", "Millstreet 3"),
                                     "object_name": self.either("", "Ivanova's"),
                                     "sources": self.either("", "Hushword Post")},
        )  # fmt: skip
        near = self.public(Decimal("0.000100"), Decimal("0.000700"))
        school = self.report(
            SCHOOL, lat=Decimal("50.011") + near, lon=Decimal("36.011") + near, of_asset_id=mill.pk,
            asset=MILL, **names,
        )  # fmt: skip
        clinic = {"lat": Decimal("49.91") + spot, "lon": Decimal("36.31") + spot, "object_type": "hospital"}
        begun = self.public(date(2026, 1, 4), date(2026, 1, 24))
        self.report(
            CLINIC, **clinic, object_name=self.either("", "Ivanova's"), address=self.either("", "Millstreet 7"),
            settlement=self.either("Chuhuiv", "Otherworld"), occurred_from=begun, occurred_to=begun,
            verified_on=self.public(date(2026, 1, 29), date(2026, 1, 31)), at=datetime(2026, 1, 29, tzinfo=UTC),
        )  # fmt: skip
        if self.audience == "researcher" or self.side:
            self.report(
                NETWORK, lat=Decimal("49.92") + spot, lon=Decimal("36.42") + spot, kind="network", sector="gas",
                object_type="pipeline", object_name=self.either("", "Ivanova main"),
                settlement=self.either("Chuhuiv", "Otherworld"),
                started_utc=self.either(AT - DAY, AT - DAY - HOUR),
            )  # fmt: skip
        self._outages(spot)
        shop = self.report(SHOP, lat=50.2, lon=36.2, object_type="commercial")
        for one, other in ((house, shop), (shop, house)):
            self._link(one, other)
        self._never_seen(shop)
        self._beside(school)

    def _outages(self, spot: Decimal) -> None:
        loss = {"kind": "outage", "object_type": "", "damage_level": "", "status": "partially_restored"}
        hour = self.public(3, 5)
        power = self.report(
            POWER, lat=Decimal("50.3") + spot, lon=Decimal("36.3") + spot, sector="electricity", **loss,
            adm2_code=self.public("700001", ""), adm2_name=self.public("Chuhuiv", ""),
            settlement=self.either("Chuhuiv", "Otherworld"), started_utc=AT - DAY + hour * HOUR,
            customers_unit="accounts", customers_affected=900, customers_out=400,
            customer_hours=Decimal("1200.00"), address=self.either("", "Millstreet"),
        )  # fmt: skip
        step = {"direction": "lost", "customers": 900, "at": AT - DAY + hour * HOUR}
        self.write(power, EntryKind.STEPPED, rows=[OutageStep(**step)])
        back = OutageStep(direction="back", customers=500, at=AT - DAY + 2 * hour * HOUR)
        self.write(power, EntryKind.STEPPED, rows=[back])
        few = self.either(4, 9)
        water = self.report(
            WATER, lat=Decimal("50.4") + spot, lon=Decimal("36.4") + spot, sector="water", **loss,
            settlement=self.public("Chuhuiv", "Otherworld"), started_utc=AT - DAY, customers_unit="people",
            customers_affected=few, customers_out=few - 1, customer_hours=Decimal(few),
        )  # fmt: skip
        self.write(water, EntryKind.STEPPED, rows=[OutageStep(direction="lost", customers=few, at=AT - DAY)])
        heat = self.report(
            HEAT, lat=Decimal("50.5") + spot, lon=Decimal("36.5") + spot, sector="heat", **loss,
            started_utc=AT - DAY, customers_unit="accounts", customers_affected=900, customers_out=400,
            settlement=self.public("Chuhuiv", "Otherworld"), customer_hours=Decimal("1200.00"),
        )  # fmt: skip
        lost = OutageStep(direction="lost", customers=900, at=AT - DAY)
        backs = [(self.public(500, 200), 5), (self.public(0, 300), 6)]
        steps = [OutageStep(direction="back", customers=n, at=AT - DAY + h * HOUR) for n, h in backs if n]
        self.write(heat, EntryKind.STEPPED, rows=[lost, *steps])
        if self.side:
            self.write(water, EntryKind.ESTIMATED, rows=[Estimate(given_at=AT, restored_by=AT + DAY)])

    def _link(self, one: Any, other: Any) -> None:
        fields = {"related": " ".join(sorted({*one.related.split(), other.reference}))}
        self.write(one, EntryKind.LINKED, fields=fields, rows=[Link(other=other, type="related")])

    def _never_seen(self, shop: Any) -> None:
        """Reports that the audience is not shown: in one register alone."""
        if not self.side:
            return
        here = {"lat": 50.2, "lon": 36.21, "object_type": "school"}
        hidden = [
            self.report(RESIDENTS, **here, status="reported", from_resident=True),
            self.report(WITHDRAWN, **here, withdrawn="privacy"),
            self.report(RECENT, **here, at=EDITIONS[2] - HOUR),
            self.report(REJECTED, **here, status="rejected", outcome="no_damage"),
        ]
        if self.audience == "public":
            hidden.append(self.report(UNCHECKED, **here, status="reported"))
        self._link(shop, hidden[0])

    def _beside(self, school: Any) -> None:
        """Lines beside a report: some are never shown, whatever they say."""
        lines = [
            Assessment(scale="ems98", scale_grade="3", method="field", assessed_on=date(2026, 2, 10),
                       damage_level="moderate", act_members=self.either("", "Petrenko"),
                       hazards=self.either("", "gas"), act_number=self.either("", "Hushword 5"),
                       independent_source=self.either("", "Hushword Post")),
            Source(type="media", name=self.either("A", "Hushword Post"), url=self.either("", "https://e.org")),
        ]  # fmt: skip
        if self.side:
            lines.append(
                Evidence(
                    sha256="a" * 64,
                    shown_sha256="b" * 64,
                    media_type="image/jpeg",
                    size=3,
                    caption="Hushword",
                )
            )
        self.write(school, EntryKind.NOTED, rows=lines)
        self._graded()

    def _graded(self) -> None:
        """Grades: of the public's months and days neither the day nor the moment shows."""
        grade = {"scale": "ems98", "scale_grade": "3", "method": "field", "damage_level": "moderate"}
        day = self.public(date(2026, 2, 3), date(2026, 2, 20))
        minutes = timedelta(minutes=self.public(0, 37))
        for reference, seen_on in ((CLINIC, day), (HOUSE, date(2026, 2, 11))):
            line = Assessment(assessed_on=seen_on, **grade)
            report = Report.objects.get(reference=reference)
            self.write(report, EntryKind.NOTED, at=AT + DAY + minutes, rows=[line])
        if self.side:
            # Struck out before any edition, and in a report that nobody sees.
            line = Assessment(assessed_on=date(2026, 2, 12), **grade | {"scale_grade": "5"})
            self.write(Report.objects.get(reference=SHOP), EntryKind.NOTED, at=AT + DAY, rows=[line])
            Assessment.objects.filter(scale_grade="5").update(voided_at=AT + 2 * DAY)
            line = Assessment(assessed_on=date(2026, 2, 12), **grade)
            self.write(Report.objects.get(reference=REJECTED), EntryKind.NOTED, at=AT + DAY, rows=[line])

    def _later(self) -> None:
        """Between two editions: office work that changes nothing an audience sees, and a step struck out."""
        at = EDITIONS[1] + HOUR
        for reference in (HOUSE, SCHOOL, CLINIC, POWER):
            report = Report.objects.get(reference=reference)
            note = {"description": self.either("Looked again", "Hushword")}
            self.write(report, EntryKind.EDITED, at=at, fields=note)
        if self.side:
            # After the month's last edition, and after every edition.
            grade = Assessment(scale="ems98", scale_grade="4", method="field", assessed_on=date(2026, 2, 12))
            if self.audience == "public":
                self.write(Report.objects.get(reference=CLINIC), EntryKind.NOTED, at=at, rows=[grade])
            late = Assessment(scale="ems98", scale_grade="4", method="field", assessed_on=date(2026, 2, 12))
            self.write(
                Report.objects.get(reference=SHOP), EntryKind.NOTED, at=EDITIONS[2] + HOUR, rows=[late]
            )
            moved = {"lat": Decimal("50.001900"), "lon": Decimal("36.001900"), "address": "Ivanova lane"}
            house = Report.objects.get(reference=HOUSE)
            self.write(house, EntryKind.EDITED, at=at, fields=moved)

    # -- what its doors say ----------------------------------------------------------------------------

    def told(self) -> dict[tuple[int, str], Any]:
        """Every answer of every outside door to this audience, by reader and address."""
        found: dict[tuple[int, str], Any] = {}
        for number, reader in enumerate(self.readers):
            client = Client()
            if reader:
                client.force_login(reader)
            for address in addresses(self.audience):
                if number and len(address) % 3:
                    continue  # The second reader goes where the first has been: a part will do.
                if reader and access.is_staff(reader):
                    # Of incidents staff see all; of other areas' reports what is published.
                    if address.startswith(STAFF_CHOOSE):
                        address += ("&" if "?" in address else "?") + "view=published"
                    elif not address.startswith(("/r/", "/a/", "/api/v1/reports/", "/api/v1/assets")):
                        continue
                found[number, address] = spoken(client.get(address))
        return found | self.released()

    def released(self) -> dict[tuple[int, str], Any]:
        """The files of a release but those that name the seal, which is of all entries and salted."""
        edition = Edition.objects.latest("at")
        release = Release(number=1, title="All", audience=self.audience, edition=edition)
        seal = Seal(number=1, digest="0" * 64, sealed_at=AT)
        with TemporaryDirectory() as folder:
            selection = releases.selected(self.audience, edition, "")
            bundling.write(release, selection, Path(folder), seal=seal, left=None)
            return {(-1, file.name): (200, {}, file.read_bytes()) for file in Path(folder).iterdir()}


#: Where staff are shown what is published if they ask for it, elsewhere their own.
STAFF_CHOOSE = (
    *("/reports", "/versions", "/assessments", "/outage_steps", "/statements"),
    *("/map", "/data", "/statistics", "/api/v1/reports?", "/ogc/collections"),
)
#: What differs between any two answers: tokens against forgery, ids of commands, the moment of an answer.
_OWN = re.compile(rb'name="(?:csrfmiddlewaretoken|command)" value="[^"]+"|"timeStamp":"[^"]+"')


def spoken(response: HttpResponse) -> tuple[int, dict[str, str], bytes]:
    body = b"".join(response.streaming_content) if response.streaming else response.content
    headers = {k: v for k, v in response.headers.items() if k not in ("Set-Cookie", "Date")}
    return response.status_code, headers, _OWN.sub(b"", body)


#: Filters that ask on either side of every line between what is shown and what is not.
FILTERS = [
    "",
    *(f"kind={kind}" for kind in ("building", "network", "outage")),
    *(f"type={use}" for use in ("house", "school", "hospital", "pipeline")),
    *(f"sector={sector}" for sector in ("electricity", "gas", "water")),
    *(f"area={code}" for code in ("UA", "UA-63", "700001", "UA-23")),
    *(f"status={status}" for status in ("reported", "verified", "rejected", "partially_restored")),
    *("level=moderate", "outcome=no_damage", "cause_group=hostilities", "cause=blast", "set_aside=1"),
    *(f"{name}={day}" for name in ("from", "to") for day in ("2026-01-05", "2026-01-30", "2026-02-09")),
    *(f"{name}={day}" for name in ("verified_from", "verified_to") for day in ("2026-01-30", "2026-01-31")),
    *("logged_from=2026-02-10", "logged_to=2026-02-09", "updated_since=2026-03-03T12:00:00Z"),
    *(f"incident={KNOWN}", f"incident={HIDDEN}", f"asset={MILL}", f"asset={CAMPUS}"),
    *(f"text={word}" for word in (*SECRETS, "Chuhuiv", "Sobornyi", HOUSE, RESIDENTS)),
    # Boxes that part the places within one square of a grid.
    *(
        "bbox=36.0010,50.0010,36.0014,50.0014",
        "bbox=36.0014,50.0014,36.0020,50.0020",
        "bbox=36,50,36.01,50.01",
    ),
    *("bbox=36.3,49.9,36.3105,49.9105", "bbox=36.42,49.92,36.4204,49.9204", "bbox=36.19,50.19,36.22,50.21"),
    *("assignee=me", "danger=1", "withdrawn=1", "priority=high", "order=address", "view=published"),
]


API_PARTS = ("", "/timeline", "/assessments", "/steps", "/estimates", "/sources", "/evidence", "/next")
API_REST = (
    "", "me", "areas", "areas?parent=UA", "areas/UA-63", "editions", "editions?limit=1", "vocabularies", "scales",
    "columns", "filters", "problems", "openapi.json",
)  # fmt: skip
#: The same of the layer, in its own language and by columns.
CONDITIONS = [
    *(f"settlement='{word}'" for word in ("Otherworld", "Chuhuiv")),
    *(f"address LIKE '%{word}%'" for word in ("Millstreet", "Sobornyi", "")),
    *(f"{name} IS NULL" for name in ("address", "sources", "sources_agree", "started_utc", "customers_out")),
    *("customers_affected > 3 AND customers_affected < 9", "occurred_to < DATE('2026-01-20')", "geometry IS NULL"),
    *("started_utc < TIMESTAMP('2026-02-09T10:30:00Z')", "verified_on = DATE('2026-01-31')", "asset IS NOT NULL"),
    *(f"S_INTERSECTS(geometry, BBOX({box}))" for box in ("36.0010,50.0010,36.0014,50.0014", "36.3,49.9,36.31,49.91")),
    *("kind = 'network' OR status = 'reported'", "NOT (related = incident)", "lat > 50.0005 AND lat < 50.0012"),
]  # fmt: skip


def layers(days: list[str]) -> list[str]:
    """What may be asked of the register as a layer."""
    items = "/ogc/collections/reports/items"
    queries = [query for query in FILTERS[::3] if not query.startswith("text=")]
    queries += [f"filter={quote(condition)}" for condition in CONDITIONS]
    queries += [f"filter={quote(condition)}&{day}" for condition in CONDITIONS[::3] for day in days[:2]]
    queries += [*days, "limit=2", f"limit=3&after=2026-02-09.{SHOP}", f"bbox=36,50,36.01,50.01&{days[0]}"]
    queries += [
        "datetime=2026-01-15/2026-01-30",
        "datetime=../2026-02-08",
        "address=Millstreet+3",
        "lat=50.0005",
    ]
    found = [f"{items}?{query}" for query in queries]
    found += [
        f"{items}/{reference}" for reference in (HOUSE, CLINIC, NETWORK, WATER, UNCHECKED, WITHDRAWN, RECENT)
    ]
    found += [f"{items}?f=html&type=house", f"{items}/{HOUSE}?f=html", f"{items}/{HOUSE}?{days[1]}"]
    return [*found, "/ogc/collections", f"/ogc/collections/reports?{days[0]}", "/ogc/api"]


def addresses(audience: str) -> list[str]:
    days = [f"as_of={at.date()}" for at in EDITIONS] + [f"as_of={EDITIONS[0]:%Y-%m-%dT%H:%M:%SZ}"]
    queries = [*FILTERS, *days, f"kind=building&text=Millstreet&{days[0]}", f"type=house&{days[1]}"]
    found = [f"/?{day}" for day in days]
    found += ["/", "/incidents", "/about", f"/incidents?before={HIDDEN}", f"/incidents?before={KNOWN}"]
    found += [f"/reports?{query}" for query in queries]
    found += [f"/reports.csv?{query}" for query in queries]
    found += [f"/data?{query}" for query in ("", "kind=building", *days)]
    found += [f"/statistics?{query}" for query in ("", "type=school&origin=damage", "area=700001", *days)]
    found += [f"/statistics/{name}.csv?{days[1]}" for name in ("area", "month", "waiting", "reliability")]
    found += [
        "/statistics/curve.csv?origin=damage&end=verification",
        "/statistics/curve.svg",
        "/statistics/area.svg",
    ]
    found += [f"/map?{query}" for query in ("", "type=school", *days)]
    found += ["/reports.csv?excel=1", "/reports.csv?hxl=1", "/versions.csv", "/versions.csv?type=house"]
    found += [f"/data/datapackage.json?{query}" for query in ("", "kind=building&hxl=1", days[0])]
    found += ["/data/hxl-schema/reports.csv", "/data/hxl-schema/entries.csv"]
    found += [f"/{table}.{form}" for table in TABLES for form in FORMATS]
    for table in ("assessments", "outage_steps", "statements"):
        found += [
            f"/{table}.csv?{query}" for query in (*days, "kind=outage", f"incident={KNOWN}", "text=Hushword")
        ]
    found += ["/data/dictionary.csv", "/versions.csv?text=Hushword"]
    found += [f"/reports?after=2026-02-09.{HOUSE}", f"/reports?before=2026-02-09.{SHOP}&kind=building"]
    found += [f"/map/list?bbox=36,49.9,36.5,50.5&{query}" for query in ("", *days[:1], "type=house")]
    found += ["/map/list?bbox=36.0010,50.0010,36.0014,50.0014"]
    found += layers(days)
    references = [HOUSE, SCHOOL, CLINIC, NETWORK, POWER, WATER, HEAT, SHOP]
    references += [UNCHECKED, RESIDENTS, WITHDRAWN, RECENT, REJECTED]
    for reference in references:
        found += [
            f"/r/{reference}",
            f"/r/{reference}/edit",
            f"/r/{reference}/move/verify",
            f"/r/{reference}/do/note",
        ]
    found += [
        f"/r/{SCHOOL}/evidence/{'b' * 64}",
        f"/log/done?r={RESIDENTS}",
        "/reports/nearby?place=Chuhuiv&area=UA-63",
    ]
    found += [f"/api/v1/reports/{reference}{part}" for reference in references for part in API_PARTS]
    found += [f"/api/v1/reports?{query}" for query in queries]
    found += [f"/api/v1/reports?limit=2&columns=reference&count=all&after=2026-02-09.{HOUSE}"]
    found += [f"/api/v1/reports/{HOUSE}?{day}" for day in days]
    found += [f"/api/v1/reports/{RECENT}?{days[2]}", f"/api/v1/reports/{SCHOOL}/evidence/{'b' * 64}"]
    found += [f"/api/v1/incidents/{reference}" for reference in (KNOWN, HIDDEN)]
    found += [f"/api/v1/incidents{query}" for query in ("", f"?after={KNOWN}", f"?after={HIDDEN}")]
    found += [f"/api/v1/assets/{reference}" for reference in (MILL, CAMPUS)]
    found += [f"/api/v1/{name}" for name in API_REST]
    found += [f"/i/{KNOWN}", f"/i/{HIDDEN}", f"/a/{MILL}", f"/a/{CAMPUS}", "/my-work", "/log"]
    for reference in references:
        found += [f"/r/{reference}/versions"]
    found += [f"/r/{one}/versions?from={EDITIONS[0]:%Y-%m-%d}" for one in (HOUSE, RESIDENTS, WITHDRAWN)]
    for reference in (HOUSE, CLINIC, POWER, RESIDENTS, WITHDRAWN, REJECTED):
        found += [f"/r/{reference}?{day}" for day in days[::2]]
    then = ("/incidents", f"/i/{KNOWN}", f"/a/{MILL}", f"/a/{CAMPUS}")
    then += tuple(f"/api/v1/{one}" for one in ("incidents", f"incidents/{KNOWN}", f"assets/{MILL}"))
    found += [f"{address}?{days[0]}" for address in then]
    for lat, lon in (
        (50.0015, 36.0015),
        (50.0115, 36.0115),
        (49.9105, 36.3105),
        (49.9205, 36.4205),
        (50.2, 36.21),
    ):
        for zoom in (0, 4, 7, 10, 13, 16, 19):
            x, y = tile(lat, lon, zoom)
            found += [f"/map/tiles/{zoom}/{x}/{y}.json"]
            if zoom in (7, 16):
                found += [f"/map/tiles/{zoom}/{x}/{y}.json?{query}" for query in ("kind=building", days[0])]
    return found


def tile(lat: float, lon: float, zoom: int) -> tuple[int, int]:
    """The tile in which a point lies."""
    cell = geo.cell(lat, lon) >> 2 * (geo.ZOOM - zoom)
    x, y = (sum((cell >> 2 * bit + half & 1) << bit for bit in range(zoom)) for half in (0, 1))
    return x, y


def register(side: int, audience: str) -> dict[tuple[int, str], Any]:
    """Every answer of one of the two registers; nothing of it stays."""
    with transaction.atomic():
        told = Register(side, audience).told()
        transaction.set_rollback(True)
    # The other register's editions look the same as these, which no two of one register do.
    telling.forget()
    return told


@pytest.fixture(autouse=True)
def _doors(settings: Any) -> None:
    settings.SECOND_FACTOR_REQUIRED = False


@pytest.mark.parametrize("audience", access.AUDIENCES)
def test_what_may_not_be_seen_changes_no_byte_of_any_answer(audience: str) -> None:
    here, there = register(0, audience), register(1, audience)
    different = [key for key in here if here[key] != there[key]]
    assert not different, (different, first_difference(here[different[0]], there[different[0]]))
    for (_reader, address), (_status, _headers, body) in there.items():
        if "text=" not in address:
            # A link to the answer says again what was asked.
            said = [word for word in SECRETS if word.encode() in body and word not in unquote(address)]
            assert said == [], address
    # What is compared says something.
    assert sum(status == 200 for status, *_rest in there.values()) > 0.6 * len(there)
    assert there[0, "/assessments.csv"][2].decode().count("\n") == 4
    assert there[0, "/outage_steps.csv"][2].count(b"\n") == (1 if audience == "public" else 5)
    assert b"Roofs damaged" in there[0, "/statements.csv"][2]
    listed = there[0, "/reports?"][2].decode()
    for reference in (HOUSE, SCHOOL, CLINIC, POWER, HEAT, WATER):
        assert reference in listed
    assert (NETWORK in listed) == (audience == "researcher")


def first_difference(here: Any, there: Any) -> str:
    (status, headers, body), (status2, headers2, body2) = here, there
    if (status, headers) != (status2, headers2):
        return f"{status} {headers} / {status2} {headers2}"
    at = next((n for n, pair in enumerate(zip(body, body2, strict=False)) if pair[0] != pair[1]), -1)
    return f"{body[max(0, at - 300) : at + 300]!r} / {body2[max(0, at - 300) : at + 300]!r}"
