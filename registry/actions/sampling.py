"""A sample register: invented people, places' real names, invented addresses, dates relative to now.

Everything goes through the doors' own forms and actions, by the people whose work it is, on a clock set
back; so the sample is also a proof that the register can be worked with.
"""

import io
import random
import secrets
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image, ImageDraw

from registry.forms.logging import LogForm
from registry.forms.moves import move_form
from registry.models import Area, Asset, CustomersServed, Incident, OutageStep, Person, Report, Statement
from registry.rules import supply, workflow
from registry.rules.vocabularies import Role

from . import editions, incidents, inspections, journal, moves, outages, reports

_DOMAIN = "example.org"
#: Local part of the address → name, role, areas, sectors.
PEOPLE: dict[str, tuple[str, str, tuple[str, ...], tuple[str, ...]]] = {
    "official": ("Vera Orlova", Role.OFFICIAL, ("RU-VOR", "RU-KLU", "RU-MOW", "RU-BEL"), ()),
    "inspector": ("Pavel Lunin", Role.INSPECTOR, ("RU-VOR", "RU-KLU", "RU-MOW", "RU-BEL"), ()),
    "operator": ("Anna Sokol", Role.OPERATOR, ("RU-VOR", "RU-BEL", "UA-63"), ("electricity", "heat")),
    "supervisor": ("Irina Belova", Role.SUPERVISOR, ("RU-VOR", "RU-KLU", "RU-MOW", "RU-BEL"), ()),
    "researcher": ("Marta Lind", Role.RESEARCHER, (), ()),
    "resident": ("Oleg Zimin", Role.RESIDENT, (), ()),
    "admin": ("Nina Adamova", Role.OFFICIAL, ("RU-VOR",), ()),
    "official2": ("Taras Hnatiuk", Role.OFFICIAL, ("UA-63", "UA-59"), ()),
    "inspector2": ("Olena Bondar", Role.INSPECTOR, ("UA-63", "UA-59", "RU-VOR"), ()),
    "country": ("Halyna Moroz", Role.SUPERVISOR, ("UA", "US"), ()),
    "supervisor2": ("Petro Koval", Role.SUPERVISOR, ("UA-63", "UA-59", "RU-VOR"), ()),
}
#: The sign-ins that are printed: one for each role, an administrator, and whoever imports a whole country's table.
SHOWN = ("official", "inspector", "operator", "supervisor", "country", "researcher", "resident", "admin")


def password() -> str:
    """SAMPLE_PASSWORD, else a random one kept in the data folder, readable by its owner alone."""
    if settings.SAMPLE_PASSWORD:
        return settings.SAMPLE_PASSWORD
    path = Path(settings.DATA_DIR) / "sample-password"
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text("-".join(secrets.token_hex(2) for _ in range(4)))
    return path.read_text()


def load() -> int:
    """Fill an empty register with the sample; returns how many reports it holds."""
    sample = _Sample()
    sample.night_of_debris()
    sample.earlier_incident()
    sample.storm()
    sample.every_status()
    sample.street()
    sample.served()
    for days in (3, 2, 1, 0):
        editions.publish(at=journal.now() - timedelta(days=days, minutes=1))
    return Report.objects.count()


class _Sample:
    """Loads one part after the other; random only in ways that a fixed seed repeats."""

    def __init__(self) -> None:
        self.random = random.Random(98)
        self.now = journal.now()
        self.people: dict[str, Person] = {}
        secret = password()
        for local, (name, role, areas, sectors) in PEOPLE.items():
            person = Person.objects.create_user(
                f"{local}@{_DOMAIN}",
                secret,
                name=name,
                role=role,
                sectors=list(sectors),
                is_sample=True,
                is_administrator=local == "admin",
            )
            person.areas.set(Area.objects.filter(code__in=areas))
            self.people[local] = person

    def __getattr__(self, name: str) -> Person:
        return self.people[name]

    def served(self) -> None:
        """Customers of electricity and heat in the sample's regions: made-up numbers of a likely size."""
        since = self.now.date().replace(month=1, day=1)
        for code, sector, customers in (
            ("RU-VOR", "electricity", 1_060_000), ("RU-VOR", "heat", 540_000), ("RU-BEL", "electricity", 690_000),
            ("UA-63", "electricity", 1_240_000), ("RU-KLU", "electricity", 520_000),
        ):  # fmt: skip
            area = Area.objects.get(code=code)
            CustomersServed.objects.create(area=area, sector=sector, since=since, customers=customers)

    # -- small verbs -------------------------------------------------------------------------------------

    def at(self, days: float, clock: str = "10:00", zone: str = "Europe/Moscow") -> datetime:
        """A moment so many days before today, on the clocks of a zone."""
        day = (self.now - timedelta(days=days)).astimezone(ZoneInfo(zone)).date()
        return datetime.combine(day, time.fromisoformat(clock), ZoneInfo(zone))

    def log(self, by: Person, at: datetime, incident: Incident | None = None, **values: Any) -> list[Report]:
        """Log what a person typed into the form, at a moment."""
        data = {"when": "day", "occurred_to": at.date().isoformat(), "source_type": "own", **values}
        form = LogForm(data)
        if not form.is_valid():
            raise ValueError(f"{values}: {form.errors.as_text()}")
        with journal.clock_at(at + timedelta(minutes=self.random.randint(20, 90))):
            return reports.log_all(form, by=by, incident=incident)

    def move(self, report: Report, name: str, by: Person, at: datetime, **given: Any) -> None:
        """Make a move through its form, at a moment."""
        step = workflow.move_named(name, report.kind)
        files = {key: given.pop(key) for key in ("image", "photos_after") if key in given}
        if "happened_on" in step.takes:
            given.setdefault("happened_on", at.date().isoformat())
        form = move_form(step, given, _Files(files), sector=report.sector, reason_opens="reason" in given)
        if form.fields and not form.is_valid():
            raise ValueError(f"{name}: {form.errors.as_text()}")
        with journal.clock_at(at):
            moves.move(report.reference, name, by=by, given=form.cleaned_data)
        report.refresh_from_db()

    def verify(self, report: Report, by: Person, at: datetime, grade: str = "ems98:3", **given: Any) -> None:
        self.move(
            report, "verify", by, at, **{"grade": grade, "method": "field", "part_seen": "inside", **given}
        )

    def repair(
        self, report: Report, at: datetime, *, until: str, cost: str = "1850000", by: str = "supervisor"
    ) -> None:
        """Take a verified report on through its repair, as far as ``until``."""
        official = self.official if by == "supervisor" else self.official2
        boss = self.people[by]
        with journal.clock_at(at + timedelta(days=1)):
            reports.draft_plan(
                report.reference,
                by=official,
                scope="Roof covering, windows of two floors, plaster of the street front",
                cost=cost,
                currency="RUB" if report.country == "RU" else "UAH",
                funder="Regional reserve",
            )
        report.refresh_from_db()
        day = timedelta(days=1)
        steps: list[tuple[str, Person, dict[str, Any]]] = [
            ("approve_plan", boss, {}),
            ("start_repair", official, {"contractor": "Stroygorod Ltd"}),
            ("finish_repair", official, {"photos_after": [photo("After", (120, 150, 120))]}),
            ("pass_repair", self.inspector if by == "supervisor" else self.inspector2, {}),
        ]
        for number, (name, person, given) in enumerate(steps, 2):
            self.move(report, name, person, at + number * day, **given)
            if report.status == until:
                return

    def state(
        self, incident: Incident, by: Person, at: datetime, publish: bool = True, **values: Any
    ) -> None:
        area = Area.objects.get(code=values.pop("area"))
        line = Statement(area=area, said_at=at, **values)
        with journal.clock_at(at + timedelta(minutes=30)):
            incidents.state(incident.reference, line, by=by)
        if publish:
            boss = self.supervisor if by == self.official else self.supervisor2
            with journal.clock_at(at + timedelta(minutes=45)):
                incidents.publish_statement(incident.reference, line.pk, by=boss, published=True)

    def incident(
        self, by: Person, boss: Person, areas: list[str], linked: tuple[Incident, ...] = (), **fields: Any
    ) -> Incident:
        with journal.clock_at(fields["began_at"] + timedelta(hours=1)):
            made = incidents.create(
                by=by, areas=list(Area.objects.filter(code__in=areas)), linked=linked, **fields
            )
            return incidents.publish(made.reference, by=boss, published=True)

    # -- what happened ------------------------------------------------------------------------------------

    def earlier_incident(self) -> None:
        """The incident before, in another region: one person hurt, an inquiry, no damage to buildings."""
        at = self.at(16, "18:20")
        self.before = self.incident(
            self.official,
            self.supervisor,
            ["RU-BEL"],
            (self.night,),
            title="Resident hurt near Shebekino",
            cause_group="hostilities",
            began_at=at,
        )
        said: dict[str, Any] = {"said_by": "Regional administration of Belgorod region", "area": "RU-BEL"}
        self.state(
            self.before,
            self.official,
            at + timedelta(hours=2),
            type="casualties",
            certainty="confirmed",
            text="One resident was hurt. No damage to buildings was found.",
            figure=1,
            figure_unit="people hurt",
            **said,
        )
        self.state(
            self.before,
            self.official,
            at + timedelta(hours=20),
            type="inquiry",
            certainty="confirmed",
            text="An inquiry into the incident was opened.",
            **said,
        )

    def night_of_debris(self) -> None:
        """A night of falling debris over three regions, as a region's statements tell it."""
        night = self.at(12, "02:10")
        self.night = self.incident(
            self.official,
            self.supervisor,
            ["RU-VOR", "RU-KLU", "RU-MOW"],
            title="Night of falling debris: Kaluga, Moscow, Voronezh",
            cause_group="hostilities",
            began_at=night,
            ended_at=night + timedelta(hours=4),
        )
        self._statements(night)
        debris = {"cause_group": "hostilities", "cause": "debris_fall"}
        self._airports(night, debris)
        houses = self.log(
            self.official,
            night,
            self.night,
            place="Воронеж, ул. Садовая",
            area="RU-VOR",
            kind="building",
            object_type="apartments",
            house_numbers="4, 6, 8–12",
            elements="facade:10-30 glazing:30-60",
            dwellings_total="60",
            dwellings_damaged="12",
            supply_lost=["electricity"],
            summary="Façade and windows damaged by falling debris",
            **debris,
        )
        power = houses.pop()
        for report, grade in zip(houses, ("1", "2", "2", "3", "1"), strict=True):
            self.verify(
                report,
                self.inspector,
                self.at(11, "12:00"),
                f"ems98:{grade}",
                elements="facade:10-30 glazing:30-60",
                usability="restricted" if grade == "3" else "inspected",
                image=[photo(f"House {report.address.rpartition(' ')[2]}", (150, 140, 130))],
            )
        office = self.log(
            self.official,
            night,
            self.night,
            place="Воронеж, пр. Мира 17",
            area="RU-VOR",
            kind="building",
            object_type="government",
            object_name="District administration",
            summary="Fire on the upper floor of an administrative building, put out",
            cause_group="hostilities",
            cause="fire",
            danger=["collapse"],
        )[0]
        self.verify(
            office,
            self.inspector,
            self.at(11, "15:00"),
            "ems98:4",
            usability="unsafe",
            hazards=["collapse"],
            elements="glazing:>60 interior:30-60 roof_covering:30-60 roof_structure:10-30",
        )
        self._power(power, night)

    def _statements(self, night: datetime) -> None:
        def say(hours: float, area: str, by: str, **values: Any) -> None:
            self.state(
                self.night, self.official, night + timedelta(hours=hours), area=area, said_by=by, **values
            )

        kaluga, moscow, voronezh = (
            "Regional administration of Kaluga region",
            "Moscow city administration",
            "Regional administration of Voronezh region",
        )
        say(
            5,
            "RU-KLU",
            kaluga,
            type="no_damage",
            certainty="preliminary",
            text="By preliminary findings there is no damage to property.",
        )
        say(
            5,
            "RU-KLU",
            kaluga,
            type="casualties",
            certainty="preliminary",
            text="By preliminary findings nobody was hurt.",
            figure=0,
            figure_unit="people hurt",
        )
        say(
            6,
            "RU-KLU",
            kaluga,
            type="response",
            certainty="confirmed",
            text="Response teams were sent to the area to inspect it further.",
        )
        say(
            30,
            "RU-KLU",
            kaluga,
            type="no_damage",
            certainty="confirmed",
            text="The places named were inspected; nothing was found.",
        )
        say(
            3,
            "RU-MOW",
            moscow,
            type="restriction",
            certainty="confirmed",
            text="The airports were closed for the safety of passengers and staff. Flights were diverted to "
            "Saint Petersburg, Nizhny Novgorod and Kazan.",
            figure=4,
            figure_unit="airports closed",
        )
        say(
            7,
            "RU-VOR",
            voronezh,
            type="damage",
            certainty="preliminary",
            text="The fronts and windows of several apartment buildings were damaged; an administrative "
            "building caught fire.",
            figure=7,
            figure_unit="buildings",
        )
        say(
            7,
            "RU-VOR",
            voronezh,
            type="supply",
            certainty="preliminary",
            text="Parts of the city were without power for a time.",
        )
        say(
            8,
            "RU-VOR",
            voronezh,
            type="response",
            certainty="confirmed",
            text="Firefighters and repair crews were sent.",
            figure=12,
            figure_unit="crews",
        )
        say(
            9,
            "RU-VOR",
            voronezh,
            type="appeal",
            certainty="confirmed",
            text="Residents are asked to stay watchful, to keep away from what has fallen and to report it.",
        )
        say(
            11,
            "RU-VOR",
            voronezh,
            type="inquiry",
            certainty="confirmed",
            text="An inquiry into the origin of the damage was asked for.",
        )

    def _airports(self, night: datetime, debris: dict[str, str]) -> None:
        diversions = {
            "Vnukovo": "Saint Petersburg",
            "Domodedovo": "Nizhny Novgorod",
            "Sheremetyevo": "Kazan",
            "Zhukovsky": "Kazan",
        }
        for hour, (name, other) in enumerate(diversions.items()):
            began = night + timedelta(minutes=20 * hour)
            report = self.log(
                self.official,
                began,
                self.night,
                area="RU-MOW",
                kind="outage",
                sector="transport",
                object_type="airport",
                object_name=name,
                restriction="closed",
                diverted_to=other,
                started_at=began.replace(tzinfo=None).isoformat(),
                source_type="authority",
                source_name="Air transport agency",
                summary=f"Airport closed, flights diverted to {other}",
                cause_group=debris["cause_group"],
            )[0]
            self.move(
                report,
                "confirm",
                self.official,
                began + timedelta(hours=2),
                cause_group="hostilities",
                restriction="closed",
                diverted_to=other,
            )
            for hours, restriction in ((3, "limited"), (4 + hour / 2, "none")):
                self._step(report, self.official, began + timedelta(hours=hours), restriction=restriction)

    def _step(self, report: Report, by: Person, at: datetime, **values: Any) -> None:
        back = (
            values.get("restriction") in ("none", "limited") or "customers" in values or "everyone" in values
        )
        step = OutageStep(
            at=at.astimezone(ZoneInfo("UTC")), direction=supply.BACK if back else supply.LOST, **values
        )
        with journal.clock_at(at + timedelta(minutes=10)):
            outages.add_step(report.reference, step, by=by)
        report.refresh_from_db()

    def _power(self, power: Report, night: datetime) -> None:
        """Power lost and given back in steps, with what was expected when."""
        began = datetime.combine(night.date(), time(2, 10), night.tzinfo)
        self.move(
            power,
            "confirm",
            self.operator,
            night + timedelta(hours=2),
            cause_group="hostilities",
            cause="debris_fall",
            customers_unit="accounts",
            customers_served="52000",
            customers_lost="3400",
        )
        for given, hours in ((1.5, 4.0), (4.0, 8.0)):
            at = night + timedelta(hours=given)
            with journal.clock_at(at + timedelta(hours=2)):
                outages.estimate(
                    power.reference, by=self.operator, given_at=at, restored_by=night + timedelta(hours=hours)
                )
            if given == 1.5:
                with journal.clock_at(at + timedelta(hours=1)):
                    reports.arrange(power.reference, by=self.operator, crew="en_route")
        power.refresh_from_db()
        first = power.outagestep_lines.filter(voided_at=None).order_by("at").first()
        start = first.at if first else began
        for hours, values in (
            (2.5, {"customers": 2100}),
            (5, {"customers": 900}),
            (9, {"everyone": True}),
        ):
            self._step(power, self.operator, start + timedelta(hours=hours), **values)
        self.move(power, "close", self.operator, self.at(10, "09:00"))

    def storm(self) -> None:
        """A storm in another country: trees on lines, roofs off, an outage that is still going on."""
        zone = "Europe/Kyiv"
        at = self.at(4, "16:40", zone)
        storm = self.incident(
            self.official2,
            self.supervisor2,
            ["UA-63", "UA-59"],
            title="Autumn storm, Kharkiv and Sumy regions",
            cause_group="weather",
            began_at=at,
            ended_at=at + timedelta(hours=9),
        )
        self.state(
            storm,
            self.official2,
            at + timedelta(hours=5),
            area="UA-63",
            type="damage",
            certainty="preliminary",
            said_by="Rescue service",
            text="Roofs were blown off about 40 houses.",
            figure=40,
            figure_unit="houses",
        )
        wind: dict[str, Any] = {"cause_group": "weather", "cause": "wind"}
        for place, use, grade in (
            ("Чугуїв, вул. Гвардійська 12", "house", "2"),
            ("Chuhuiv, Vokzalna 3", "house", "3"),
            ("Ізюм, вул. Соборна 9", "kindergarten", "2"),
            ("Izium, market hall", "commercial", "4"),
            ("Суми, вул. Харківська 30", "apartments", "1"),
            ("Sumy, library", "culture", "2"),
            ("Балаклія, grain store", "agricultural", "5"),
        ):
            area = "UA-59" if place.startswith(("Суми", "Sumy")) else "UA-63"
            report = self.log(
                self.official2,
                at,
                storm,
                place=place,
                area=area,
                kind="building",
                object_type=use,
                summary="Damaged by the storm",
                **wind,
            )[0]
            self.verify(report, self.inspector2, self.at(3, "11:00", zone), f"ems98:{grade}")
        line = self.log(
            self.official2,
            at,
            storm,
            place="Куп'янськ",
            area="UA-63",
            kind="network",
            sector="electricity",
            object_type="minor_line",
            danger=["live_wire"],
            supply_lost=["electricity"],
            customers_unit="accounts",
            **wind,
        )
        self.move(
            line[1],
            "confirm",
            self.operator,
            at + timedelta(hours=1),
            cause_group="weather",
            cause="wind",
            customers_unit="households",
            customers_served="9000",
            customers_lost="1250",
        )
        self._step(line[1], self.operator, self.at(2, "08:00", zone), customers=700)
        with journal.clock_at(self.at(1, "09:00", zone)):
            outages.estimate(
                line[1].reference,
                by=self.operator,
                given_at=self.at(1, "08:30", zone),
                restored_by=self.now + timedelta(days=1),
            )
            reports.arrange(line[0].reference, by=self.official2, priority="urgent", danger="live_wire")

    def every_status(self) -> None:
        """Beside what happened, some reports at each status of both workflows."""
        official, inspector, boss = self.official, self.inspector, self.supervisor
        at = self.at(30, "14:00")
        base: dict[str, Any] = {
            "area": "RU-VOR",
            "kind": "building",
            "cause_group": "technical",
            "cause": "fire",
        }

        def school(number: int, **values: Any) -> Report:
            data = {**base, "place": f"Лиски, ул. Заречная {number}", "object_type": "school", **values}
            return self.log(official, at, **data)[0]

        school(1, description="Seen from the street only.")
        waiting = school(3, object_type="clinic", place="Борисоглебск, ул. Лесная 5")
        self.move(waiting, "ask", inspector, at + timedelta(days=1), question="Which wing is it?")
        late = school(5, object_type="culture")
        self.move(late, "set_unverifiable", inspector, at + timedelta(days=1), reason="The yard is closed.")
        self.move(
            school(7, object_type="warehouse"),
            "reject",
            inspector,
            at + timedelta(days=1),
            outcome="no_damage",
        )
        first = school(9, source_type="media", source_name="Town paper")
        twin = school(9, source_type="resident", description="The same school, seen by a neighbour.")
        self.move(twin, "merge", official, at + timedelta(days=1), original=first.reference)
        self.verify(first, inspector, at + timedelta(days=2))
        for number, until in (
            (11, "repair_planned"),
            (13, "repair_in_progress"),
            (15, "repaired"),
            (17, "closed"),
        ):
            report = school(number, object_type="kindergarten" if number > 13 else "house")
            before = [photo(f"No. {number}", (170, 120, 90))]
            self.verify(report, inspector, at + timedelta(days=2), f"ems98:{number % 4 + 1}", image=before)
            self.repair(report, at + timedelta(days=3), until=until)
        owner = school(19, object_type="house")
        self.verify(owner, inspector, at + timedelta(days=2), "ems98:2")
        self.move(
            owner, "close", boss, at + timedelta(days=6), outcome="repaired_by_owner", note="Seen mended"
        )
        self._campus(at)
        self._outages(at)
        overdue = school(21, object_type="apartments", danger=["gas"])
        with journal.clock_at(at + timedelta(days=1)):
            reports.arrange(
                overdue.reference,
                by=official,
                assignee_id=inspector.pk,
                due_on=self.at(2).date(),
                priority="high",
                danger="gas",
            )
        self.log(
            self.resident,
            self.at(2, "08:00"),
            place="Воронеж, ул. Садовая 10",
            kind="building",
            object_type="apartments",
            description="The windows of our stairs are gone too.",
        )
        self.log(official, self.at(1, "07:30"), place="Никольское", **{**base, "object_type": "house"})

    def _campus(self, at: datetime) -> None:
        """A school campus with a part, and a part struck twice."""
        common: dict[str, Any] = {"kind": "building", "sector": "", "object_type": "university"}
        campus = Asset.objects.create(name="Agrarian college", **common)
        hall = Asset.objects.create(name="Lecture hall B", part_of=campus, **common)
        for days, grade in ((60, "2"), (20, "4")):
            when = self.at(days, "04:00")
            report = self.log(
                self.official,
                when,
                place="Белгород, ул. Вавилова 1",
                area="RU-BEL",
                kind="building",
                object_type="university",
                cause_group="hostilities",
                cause="blast",
            )[0]
            with journal.clock_at(when + timedelta(hours=5)):
                reports.set_asset(report.reference, hall, by=self.official)
            report.refresh_from_db()
            self.verify(report, self.inspector, when + timedelta(days=1), f"ems98:{grade}")
            if days == 60:
                self.repair(report, when + timedelta(days=2), until="closed")
            else:
                claim = inspections.new_assessment(
                    scale="copernicus", grade="possibly_damaged", method="satellite", on=when.date()
                )
                with journal.clock_at(when + timedelta(days=2)):
                    inspections.assess(report.reference, claim, by=self.inspector)

    def _outages(self, at: datetime) -> None:
        """Losses of supply at each status."""

        def loss(days: float, sector: str, **values: Any) -> Report:
            when = self.at(days, "06:30")
            data: dict[str, Any] = {
                "place": "Россошь",
                "area": "RU-VOR",
                "kind": "outage",
                "sector": sector,
                "started_at": when.replace(tzinfo=None).isoformat(),
                "cause_group": "technical",
                "customers_unit": "accounts",
                "customers_lost": "800",
                **values,
            }
            return self.log(self.official, when, **data)[0]

        loss(1, "water")
        self.move(loss(9, "gas"), "reject", self.official, self.at(8), note="Pressure was normal")
        heat = {"cause_group": "technical", "cause": "equipment", "customers_unit": "accounts"}
        self.move(
            loss(2, "heat"), "confirm", self.operator, self.at(2, "09:00"), **heat, customers_lost="800"
        )
        partly = loss(3, "heat", place="Павловск")
        self.move(partly, "confirm", self.operator, self.at(3, "09:00"), **heat, customers_lost="800")
        self._step(partly, self.operator, self.at(3, "13:00"), customers=500)
        twin = loss(3, "heat", place="Павловск", source_type="resident")
        self.move(twin, "merge", self.official, self.at(3, "15:00"), original=partly.reference)
        back = loss(6, "heat", place="Семилуки")
        self.move(back, "confirm", self.operator, self.at(6, "09:00"), **heat, customers_lost="800")
        self._step(back, self.operator, self.at(6, "19:00"), everyone=True)

    def street(self) -> None:
        """A town's worth of older reports, so that lists, maps and charts have something to show."""
        towns = (
            ("Шебекино", "RU-BEL"),
            ("Валуйки", "RU-BEL"),
            ("Белгород", "RU-BEL"),
            ("Воронеж", "RU-VOR"),
            ("Обнинск", "RU-KLU"),
        )
        streets = ("Полевая", "Школьная", "Новая", "Речная")
        uses = ("house", "house", "apartments", "school", "commercial", "religious", "industrial", "hospital")
        for number in range(40):
            town, area = towns[number % len(towns)]
            at = self.at(15 + self.random.randint(0, 120), "03:00")
            report = self.log(
                self.official,
                at,
                place=f"{town}, ул. {self.random.choice(streets)} {self.random.randint(1, 90)}",
                area=area,
                kind="building",
                object_type=uses[number % len(uses)],
                cause_group="hostilities",
                cause=self.random.choice(("blast", "fragments", "debris_fall", "fire")),
                source_type="media",
                source_name=self.random.choice(("Town paper", "Regional news", "District council")),
            )[0]
            if number % 5 == 4:
                continue
            grade = self.random.choice("1122233345")
            self.verify(report, self.inspector, at + timedelta(days=2), f"ems98:{grade}")
            if number % 3 == 0:
                until = self.random.choice(("repair_planned", "repair_in_progress", "closed"))
                self.repair(report, at + timedelta(days=3), until=until)


class _Files(dict):
    """Uploads of a form, by field, as many as there are."""

    def getlist(self, name: str) -> list[Any]:
        return self.get(name, [])


def photo(words: str, colour: tuple[int, int, int]) -> SimpleUploadedFile:
    """A picture that nobody will take for a real one: a house of plain shapes with words on it."""
    image = Image.new("RGB", (900, 600), (205, 215, 225))
    draw = ImageDraw.Draw(image)
    draw.rectangle((180, 220, 720, 560), fill=colour)
    draw.polygon(((150, 220), (450, 70), (750, 220)), fill=tuple(part // 2 for part in colour))
    for left in (240, 400, 560):
        draw.rectangle((left, 290, left + 90, 400), fill=(60, 70, 80))
    draw.text((200, 520), f"Sample: {words}", fill=(255, 255, 255), font_size=28)
    file = io.BytesIO()
    image.save(file, "JPEG", quality=80)
    return SimpleUploadedFile("sample.jpg", file.getvalue(), content_type="image/jpeg")


def is_empty() -> bool:
    """Whether the register holds nobody and nothing yet."""
    return not Person.objects.exists() and not Report.objects.exists()
