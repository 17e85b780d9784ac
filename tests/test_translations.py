"""Every word on a page can be translated: in a language that puts each message into brackets, nothing but
data stands outside them."""

import re
from datetime import timedelta
from html.parser import HTMLParser
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.utils.translation import trans_real

from registry.actions import editions, journal
from registry.models import Asset, Incident, OutageStep, Statement
from registry.outputs import telling
from registry.rules.vocabularies import EntryKind
from tests import factories

pytestmark = pytest.mark.django_db

#: What may stand outside brackets. All data of this test is written in Cyrillic.
DATA = re.compile(
    r"""[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}   # references
    |\S+@\S+|https?://\S+|\b[A-Z]{2}-\d\d\b           # addresses, codes of areas
    |\b(?:EUR|UTC|CSV|UA|EMS-98|m|Kyiv|Europe)\b""",
    re.X,
)


VOID = ("area", "br", "hr", "img", "input", "link", "meta", "path", "circle", "rect", "line", "use")


class Brackets(trans_real.DjangoTranslation):
    """English, with every message in brackets."""

    def gettext(self, message: str) -> str:
        return f"⟦{message.rpartition(trans_real.CONTEXT_SEPARATOR)[2]}⟧"

    def ngettext(self, one: str, many: str, n: int) -> str:
        return self.gettext(one if n == 1 else many)


@pytest.fixture
def bracketed(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    settings.SECOND_FACTOR_REQUIRED = False
    settings.REGISTER_NAME = "Реестр"
    settings.LANGUAGES = [("en", "Английский")]
    pseudo = Brackets("en")
    monkeypatch.setitem(trans_real._translations, "en", pseudo)
    monkeypatch.setattr(trans_real, "_default", pseudo)
    telling.forget()


class Words(HTMLParser):
    """The visible words of a page, and those of its attributes, that stand outside brackets and are not
    marked as no words of a language."""

    UNREAD = ("script", "style", "code", "pre", "template")
    SAID = ("alt", "aria-label", "placeholder", "title", "data-label")

    def __init__(self, html: str) -> None:
        super().__init__()
        self.outside: list[str] = []
        self.deep = 0
        self.unread: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if (self.unread or tag in self.UNREAD or ("translate", "no") in attrs) and tag not in VOID:
            self.unread.append(tag)
        for name, value in attrs:
            if name in self.SAID and value:
                self.read(value)

    def handle_endtag(self, tag: str) -> None:
        if self.unread and tag not in VOID:
            self.unread.pop()

    def handle_data(self, data: str) -> None:
        if not self.unread:
            self.read(data)

    def read(self, text: str) -> None:
        """A message may have marks of its own within it, so brackets go on from one text to the next."""
        outside = ""
        for letter in text:
            self.deep += (letter == "⟦") - (letter == "⟧")
            if not self.deep and letter != "⟧":
                outside += letter
        self.outside += re.findall(r"[A-Za-z][A-Za-z-]+", DATA.sub("", outside))


class World:
    """A report of each kind, an incident and an asset, with all data in Cyrillic."""

    def __init__(self) -> None:
        country = factories.area("UA", "Украина", timezone="Europe/Kyiv")
        region = factories.area("UA-63", "Харьков", parent=country, timezone="Europe/Kyiv")
        named = {"name": "Имя", "password": "a long pass phrase"}
        self.people = {
            "official": factories.person("official", region, is_administrator=True, **named),
            "supervisor": factories.person("supervisor", region, **named),
            "resident": factories.person("resident", **named),
            "researcher": factories.person("researcher", **named),
            "visitor": None,
        }
        at = journal.now() - timedelta(days=5)
        day = {"occurred_from": at.date(), "occurred_to": at.date()}
        self.incident = Incident.objects.create(
            title="Ночь", cause_group="weather", began_at=at, created_at=at, published=True
        )
        self.incident.areas.add(region)
        said = {"said_by": "Область", "said_at": at, "recorded_at": at, "published": True, "area": region}
        Statement.objects.create(
            incident=self.incident, type="damage", certainty="confirmed", text="Крыши", figure=4,
            figure_unit="домов", **said,
        )  # fmt: skip
        self.asset = Asset.objects.create(kind="building", object_type="school", name="Школа")
        here = {
            "adm1_name": "Харьков",
            "settlement": "Чугуев",
            "at": at,
            "by": self.people["official"],
            **day,
        }
        self.report = factories.report(
            lat=50, lon=36, geo_precision="exact", geo_radius_m=25, danger="gas", description="Нет крыши",
            of_incident_id=self.incident.pk, of_asset_id=self.asset.pk, scale="ems98", scale_grade="3",
            method="field", ems98_min=3, ems98_max=3, usability="unsafe", plan_scope="Крыша", due_on=at.date(),
            **here,
        )  # fmt: skip
        self.outage = factories.report(
            kind="outage", sector="water", object_type="", status="confirmed", damage_level="",
            customers_unit="accounts", customers_affected=900, customers_out=900, started_utc=at, **here,
        )  # fmt: skip
        step = OutageStep(direction="lost", customers=900, at=at)
        line = journal.Line(journal.lock(self.outage.reference), EntryKind.STEPPED, rows=[step])
        journal.record(line, at=at)
        editions.publish()

    def addresses(self) -> list[tuple[str, str]]:
        report, outage = f"/r/{self.report.reference}", f"/r/{self.outage.reference}"
        incident = f"/i/{self.incident.reference}"
        everyone = ["/", "/reports", "/map", "/incidents", "/data", report, outage, incident, "/about"]
        everyone += [f"/a/{self.asset.reference}", "/accessibility", "/licences", "/reports?colour=1", "/r/x"]
        office = ["/my-work", "/log", f"{report}/edit", f"{report}/do/plan", f"{report}/do/evidence"]
        office += [f"{outage}/do/step", f"{report}/move/verify", f"{incident}/state", "/incidents/new"]
        office += ["/people", "/people/invite", f"/people/{self.people['resident'].pk}", "/account"]
        office += ["/account/second-factor", "/account/password", "/map/list?bbox=35,49,37,51"]
        found = [("visitor", address) for address in [*everyone, "/sign-in", "/account/forgotten"]]
        found += [("official", address) for address in [*everyone, *office]]
        found += [("supervisor", f"{report}/move/verify"), ("supervisor", f"{report}/move/approve_plan")]
        found += [("supervisor", report), ("researcher", report), ("researcher", "/data")]
        return [*found, ("resident", "/my-work"), ("resident", "/log")]


def test_every_word_of_every_page_can_be_translated(bracketed: None) -> None:
    world = World()
    found = {}
    for who, address in world.addresses():
        client = Client()
        if world.people[who]:
            client.force_login(world.people[who])
        if outside := Words(client.get(address, follow=True).content.decode()).outside:
            found[who, address] = outside
    official = Client()
    official.force_login(world.people["official"])
    wrong = official.post("/log", {"command": str(uuid4()), "kind": "network", "when": "day"})
    if outside := Words(wrong.content.decode()).outside:
        found["official", "errors"] = outside
    assert not found, "\n".join(f"{who} {address}: {outside}" for (who, address), outside in found.items())


def test_the_test_finds_what_is_not_translatable(bracketed: None) -> None:
    assert Words('<p>⟦One⟧ Two <b title="Three">Имя</b> <code>x-y</code></p>').outside == ["Two", "Three"]
