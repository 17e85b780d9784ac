"""Every page of a register that holds the sample, once for each role that it differs for."""

from collections.abc import Iterator
from datetime import timedelta
from typing import NamedTuple

from django.utils import timezone

from registry.actions import releases
from registry.models import Asset, Edition, Incident, Person, PublicReport, Release, Report, WantedFile
from registry.upkeep import releasing

ALL = ("visitor", "resident", "official", "inspector", "operator", "supervisor", "researcher", "admin")
SOME = ("visitor", "official", "researcher")


class Page(NamedTuple):
    """A page as somebody (the local part of a sign-in of the sample, or "visitor") opens it."""

    name: str
    who: str
    address: str


def pages() -> list[Page]:
    """In the order of one's way through the register."""

    def at(**fields: str) -> str:
        """The address of a report like this, in the areas of the sample's first official."""
        found = Report.objects.filter(adm1_code="RU-VOR", **fields).exclude(assignee=None)
        return f"/r/{(found or Report.objects.filter(adm1_code='RU-VOR', **fields))[0].reference}"

    verified = at(kind="building", status="verified")
    duplicate = at(status="duplicate", kind="building")
    supply = at(kind="outage", status="partially_restored")
    shown = PublicReport.objects.filter(kind="building").exclude(lat=None)[0]
    # The night that most is known of, and what was struck twice.
    night = Incident.objects.get(title__startswith="Night")
    asset = Asset.objects.get(name="Lecture hall B")
    own = Report.objects.filter(from_resident=True)[0]
    then = f"{Edition.objects.order_by('at')[0].at:%Y-%m-%dT%H:%M:%SZ}"
    before = f"{timezone.now() - timedelta(days=10):%Y-%m-%dT%H:%M:%SZ}"
    official = Person.objects.get(email="official@example.org")
    found = [
        *[Page("home", who, "/") for who in ALL],
        *[Page("reports", who, "/reports") for who in SOME],
        Page("reports-filtered", "official", "/reports?kind=building&status=verified&area=RU-VOR"),
        Page("reports-none", "visitor", "/reports?type=culture&cause=flood"),
        *[Page("map", who, "/map") for who in SOME],
        *[Page("data", who, "/data") for who in SOME],
        Page("examples", "visitor", "/data/examples"),
        *[Page("releases", who, "/releases") for who in ("visitor", "researcher")],
        Page("release-new", "researcher", "/releases/new?kind=building&type=school"),
        *[Page("release", who, "/releases/1") for who in ("visitor", "researcher")],
        *[Page(name, who, f"/releases/{number}") for name, who, number in _releases()],
        *[Page(f"file-{state}", "visitor", f"/files/{key}") for state, key in _files()],
        *[Page("statistics", who, "/statistics") for who in ("visitor", "official")],
        Page("locate-table", "researcher", "/data/places"),
        *[
            Page(name, "visitor", f"/ogc{path}?f=html")
            for name, path in (
                ("layer", ""),
                ("layer-api", "/api"),
                ("layer-items", "/collections/reports/items"),
                ("layer-item", f"/collections/reports/items/{shown.reference}"),
            )
        ],
        *[Page("incidents", who, "/incidents") for who in ("visitor", "official")],
        *[Page("incident", who, f"/i/{night.reference}") for who in ("visitor", "supervisor")],
        *[Page("asset", who, f"/a/{asset.reference}") for who in ("visitor", "official")],
        *[Page("report", who, f"/r/{shown.reference}") for who in ("visitor", "researcher")],
        *[Page("report-verified", who, verified) for who in ("official", "inspector", "supervisor")],
        *[Page("versions", who, f"{verified}/versions") for who in ("official",)],
        Page("versions", "visitor", f"/r/{shown.reference}/versions"),
        *[
            Page(f"then-{name}", who, f"{address}?as_of={then if who == 'visitor' else before}")
            for name, who, address in (
                ("home", "visitor", "/"),
                ("home", "official", "/"),
                ("reports", "visitor", "/reports"),
                ("reports", "official", "/reports"),
                ("map", "official", "/map"),
                ("data", "visitor", "/data"),
                ("incident", "visitor", f"/i/{night.reference}"),
                ("report", "official", verified),
            )
        ],
        Page("report-closed", "official", at(kind="building", status="closed")),
        Page("report-question", "official", at(status="needs_info")),
        Page("report-duplicate", "official", duplicate),
        Page("compare", "official", f"{duplicate}/compare/{verified.rpartition('/')[2]}"),
        *[Page("outage", who, supply) for who in ("operator", "official")],
        Page("report-own", "resident", f"/r/{own.reference}"),
        *[Page("my-work", who, "/my-work") for who in ALL[1:6]],
        Page("places", "official", "/places"),
        Page("known-places", "official", "/places/known"),
        *[Page("log", who, "/log") for who in ("official", "resident")],
        Page("edit", "official", f"{verified}/edit"),
        Page("move-verify", "inspector", f"{at(status='reported', kind='building')}/move/verify"),
        Page("move-closed", "official", f"{verified}/move/approve_plan"),
        Page("deed-plan", "official", f"{verified}/do/plan"),
        Page("deed-evidence", "official", f"{verified}/do/evidence"),
        Page("deed-step", "operator", f"{supply}/do/step"),
        Page("incident-new", "official", "/incidents/new"),
        Page("incident-state", "official", f"/i/{night.reference}/state"),
        Page("people", "admin", "/people"),
        Page("person", "admin", f"/people/{official.pk}"),
        Page("invite", "admin", "/people/invite"),
        Page("account", "official", "/account"),
        Page("tokens", "official", "/account/tokens"),
        Page("second-factor", "official", "/account/second-factor/set-up"),
        Page("sign-in", "visitor", "/sign-in"),
        Page("forgotten", "visitor", "/account/forgotten"),
        *[Page(name, "visitor", f"/{name}") for name in ("about", "accessibility", "licences")],
        Page("400", "visitor", "/reports?colour=red"),
        Page("403", "official", "/people"),
        Page("404", "visitor", "/r/0000-0000"),
    ]
    return found


def _files() -> Iterator[tuple[str, str]]:
    """A file made in the background, in each state it may be in, and its key."""
    now = timezone.now()
    for state in WantedFile.State:
        made = WantedFile.objects.create(
            table="reports",
            format="xlsx",
            holder="public",
            query="kind=building",
            name="damage-reports-public.xlsx",
            state=state,
            problem="As much as that does not fit." if state == WantedFile.State.FAILED else "",
            created_at=now,
            since=now - timedelta(minutes=3),
            rows=1_234_567,
            done=0 if state == WantedFile.State.WAITING else 801_234,
            size=68_000_000,
            sha256="0123456789abcdef" * 4,
        )
        yield str(state), made.key


def _releases() -> Iterator[tuple[str, str, int]]:
    """Releases beside the sample's own: for researchers, in the making, failed, and retracted with and without another
    in their place; as whom they are looked at, and their numbers."""
    for_researchers = releases.ask(audience="researcher", by=None, query="kind=outage")
    if for_researchers.state == Release.State.WAITING:
        releasing.make(for_researchers)
    yield "release-researchers", "visitor", for_researchers.number
    yield "release-researchers", "researcher", for_researchers.number
    for number, (name, fields) in enumerate(
        (
            ("waiting", {"percent": 40}),
            ("failed", {"problem": "OSError: No space left on device"}),
            ("retracted", {"retracted_at": timezone.now(), "checksum": "0123456789abcdef" * 4}),
            ("retracted", {"retracted_at": timezone.now(), "successor": for_researchers}),
        ),
        start=100,
    ):
        there = {"title": f"Schools {number}", "audience": "public", "query": f"text={number}", "state": name}
        there |= {"edition": for_researchers.edition, "asked_at": timezone.now()}
        Release.objects.update_or_create(number=number, defaults=there | fields)
        yield f"release-{name}", "researcher", number
    yield "release-retracted", "visitor", number
