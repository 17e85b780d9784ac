"""People: for administrators who may do what where; for everybody their own account and the way in."""

from typing import Any

from allauth.account import views as account
from allauth.mfa.base import views as mfa
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes import views as recovery_codes
from allauth.mfa.totp import views as totp
from django.conf import settings
from django.contrib import messages
from django.core.mail import send_mail
from django.core.paginator import Paginator
from django.db.models import Exists, OuterRef, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.urls import path, re_path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from registry.actions import journal, tokens
from registry.actions import people as actions
from registry.actions.journal import Refused
from registry.forms.people import AcceptForm, AccountForm, InviteForm, PeopleFilter, RightsForm
from registry.models import Area, Invitation, Person, PersonChange
from registry.rules import access
from registry.rules.vocabularies import Role, Sector

from . import errors
from .adapter import password_link
from .guards import administrator_only, command_id, person_of, signed_in

PER_PAGE = 50
get_and_post = require_http_methods(["GET", "HEAD", "POST"])


# -- administrators ------------------------------------------------------------------------------------


@require_safe
@administrator_only
def people(request: HttpRequest) -> HttpResponse:
    """Everybody, by name; and the invitations that nobody has taken up yet."""
    form = PeopleFilter(request.GET)
    if not form.is_valid():
        parameter, why = next(iter(form.errors.items()))
        return errors.bad_request(request, parameter=parameter, why=str(why[0]))
    text, role = form.cleaned_data["text"], form.cleaned_data["role"]
    factor = Authenticator.objects.filter(user=OuterRef("pk"), type=Authenticator.Type.TOTP)
    found = Person.objects.annotate(has_second_factor=Exists(factor)).prefetch_related("areas")
    if text:
        found = found.filter(Q(name__icontains=text) | Q(email__icontains=text))
    if role:
        found = found.filter(role=role)
    page = Paginator(found, PER_PAGE).get_page(request.GET.get("page"))
    left = request.GET.copy()

    def url_of(number: int) -> str:
        left["page"] = str(number)
        return f"?{left.urlencode()}"

    context = {
        "form": form,
        "active": bool(text) + bool(role),
        "page": page,
        "previous_url": url_of(page.previous_page_number()) if page.has_previous() else "",
        "next_url": url_of(page.next_page_number()) if page.has_next() else "",
        "invitations": actions.open_invitations(at=timezone.now()).select_related("invited_by"),
    }
    return render(request, "people/list.html", context)


@get_and_post
@administrator_only
def invite(request: HttpRequest) -> HttpResponse:
    """Invite somebody; an area is found before the form is judged."""
    form = InviteForm(request.POST or None)
    if "find" in request.POST:
        form.only_find()
    elif form.is_valid():
        by, asked = person_of(request), form.cleaned_data
        tokens: list[str] = []

        def act() -> dict[str, Any]:
            invitation, token = actions.invite(
                email=asked["email"], name=asked["name"], by=by, **form.rights()
            )
            tokens.append(token)
            return {"invitation": invitation.pk}

        try:
            done = journal.once(command_id(request), by=by, act=act)
        except Refused as refusal:
            form.add_error(refusal.field or None, str(refusal))
        else:
            invitation = get_object_or_404(Invitation, pk=done["invitation"])
            return _invited(request, invitation, tokens)
    return render(request, "people/invite.html", {"form": form})


def _invited(request: HttpRequest, invitation: Invitation, tokens: list[str]) -> HttpResponse:
    """Says where the invitation went. The token is known now and never again: a page sent twice has none."""
    link, sent = "", False
    for token in tokens:
        link = settings.BASE_URL + reverse("invitation", args=[token])
        sent = _send("people/invitation", invitation.email, {"invitation": invitation, "link": link})
    context = {"invitation": invitation, "link": "" if sent else link, "again": not tokens}
    return render(request, "people/invited.html", context)


@require_POST
@administrator_only
def withdraw_invitation(request: HttpRequest, pk: int) -> HttpResponse:
    invitation = get_object_or_404(Invitation, pk=pk)
    actions.withdraw_invitation(invitation, by=person_of(request))
    messages.success(
        request, _("The invitation to %(email)s no longer serves.") % {"email": invitation.email}
    )
    return redirect("people")


@get_and_post
@administrator_only
def person(request: HttpRequest, pk: int) -> HttpResponse:
    """One person: rights to change, what else can be done, and what changed by whom."""
    shown = get_object_or_404(Person, pk=pk)
    rights = {
        "role": shown.role,
        "areas": list(shown.areas.values_list("code", flat=True)),
        "sectors": shown.sectors,
        "is_administrator": shown.is_administrator,
    }
    form = RightsForm(request.POST or None, initial=rights)
    if "find" in request.POST:
        form.only_find()
    elif form.is_valid():
        try:
            actions.change_rights(shown, by=person_of(request), **form.rights())
        except Refused as refusal:
            form.add_error(refusal.field or None, str(refusal))
        else:
            messages.success(request, _("Saved."))
            return redirect("person", pk)
    context = {
        "form": form,
        "shown": shown,
        "is_self": shown == request.user,
        "has_second_factor": actions.has_second_factor(shown),
        "history": _history(shown),
    }
    return render(request, "people/person.html", context)


ACTS = {
    "disable": (actions.disable, gettext_lazy("The account is disabled, and its sessions have ended.")),
    "enable": (actions.enable, gettext_lazy("The account is enabled.")),
    "reset-second-factor": (
        actions.reset_second_factor,
        gettext_lazy("A new second factor will be set up at the next sign-in."),
    ),
}


@require_POST
@administrator_only
def act_on_person(request: HttpRequest, pk: int, act: str) -> HttpResponse:
    verb, said = ACTS[act]
    verb(get_object_or_404(Person, pk=pk), by=person_of(request))
    messages.success(request, said)
    return redirect("person", pk)


@require_POST
@administrator_only
def send_password_link(request: HttpRequest, pk: int) -> HttpResponse:
    """A link to choose a new password goes to the person; shown here where no mail goes out."""
    shown = actions.send_password_link(get_object_or_404(Person, pk=pk), by=person_of(request))
    link = password_link(shown)
    sent = _send("people/password", shown.email, {"shown": shown, "link": link})
    return render(request, "people/password_sent.html", {"shown": shown, "link": "" if sent else link})


def _send(template: str, email: str, context: dict[str, Any]) -> bool:
    """Send a letter of ours; False where no mail is configured or the server does not take it."""
    if "console" in settings.EMAIL_BACKEND:
        return False
    letter = render_to_string(f"{template}.txt", context | {"register_name": settings.REGISTER_NAME})
    subject, _newline, body = letter.partition("\n")
    try:
        return bool(send_mail(subject, body.lstrip(), None, [email]))
    except OSError:
        return False


# What stands in PersonChange.changes, in words.
CHANGED = {
    "role": gettext_lazy("Role"),
    "areas": gettext_lazy("Areas"),
    "sectors": gettext_lazy("Sectors"),
    "is_administrator": gettext_lazy("Administrator"),
    "is_active": gettext_lazy("May sign in"),
    "name": gettext_lazy("Name"),
    "language": gettext_lazy("Language"),
    "second_factor": gettext_lazy("Second factor"),
    "password": gettext_lazy("Password"),
    "token": gettext_lazy("Token"),
}
VALUES = {
    True: gettext_lazy("yes"),
    False: gettext_lazy("no"),
    "set up": gettext_lazy("set up"),
    "reset": gettext_lazy("reset"),
    "made": gettext_lazy("made"),
    "revoked": gettext_lazy("revoked"),
    "link sent": gettext_lazy("link to choose a new one sent"),
}


def _history(shown: Person) -> list[dict[str, Any]]:
    """What changed, newest first, as ``_timeline.html`` takes it."""
    changes = list(PersonChange.objects.filter(person=shown).select_related("by")[:200])
    codes = {code for change in changes for value in change.changes.get("areas", ()) for code in value or ()}
    words = VALUES | {area.code: area for area in Area.objects.filter(code__in=codes)} | dict(Sector.choices)

    def say(field: str, value: Any) -> str:
        if isinstance(value, list):
            return ", ".join(say(field, item) for item in value)
        return str(dict(Role.choices).get(value, value) if field == "role" else words.get(value, value))

    def line(field: str, old: Any, new: Any) -> str:
        parts = [say(field, value) for value in (old, new) if value not in (None, "", [])]
        return f"{CHANGED.get(field, field)}: {' → '.join(parts) or _('none')}"

    return [
        {
            "at": change.at,
            "title": _("Joined") if change.changes.get("role", [0])[0] is None else _("Changed"),
            "by": change.by,
            "body": "\n".join(line(field, *values) for field, values in change.changes.items()),
        }
        for change in changes
    ]


# -- the way in, and one's own account -----------------------------------------------------------------


@get_and_post
@sensitive_post_parameters("password")
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """An invited person gives a name and chooses a password, once."""
    invited = actions.invitation_for(token)
    if invited is None:
        return render(request, "people/invitation_over.html", status=410)
    form = AcceptForm(request.POST or None, email=invited.email, initial={"name": invited.name})
    if form.is_valid():
        try:
            actions.accept(token, **form.cleaned_data)
        except Refused as refusal:
            form.add_error(refusal.field or None, str(refusal))
        else:
            messages.success(request, _("Your account is ready: sign in."))
            return redirect("account_login")
    return render(request, "people/accept.html", {"form": form, "invitation": invited})


@get_and_post
@signed_in
def own_account(request: HttpRequest) -> HttpResponse:
    """Name and language to change; role, areas, password and second factor to see."""
    me = person_of(request)
    form = AccountForm(request.POST or None, initial={"name": me.name, "language": me.language})
    if form.is_valid():
        actions.set_own(me, **form.cleaned_data)
        messages.success(request, _("Saved."))
        return redirect("account")
    context = {
        "form": form,
        "has_second_factor": actions.has_second_factor(me),
        "tokens": tokens.serving(me).count(),
        "needs_second_factor": settings.SECOND_FACTOR_REQUIRED and access.needs_second_factor(me),
    }
    return render(request, "people/account.html", context)


urlpatterns = [
    path("people", people, name="people"),
    path("people/invite", invite, name="invite"),
    path("people/invitations/<int:pk>/withdraw", withdraw_invitation, name="withdraw-invitation"),
    path("people/<int:pk>", person, name="person"),
    path("people/<int:pk>/password", send_password_link, name="send-password-link"),
    *[path(f"people/<int:pk>/{act}", act_on_person, {"act": act}, name=f"{act}-person") for act in ACTS],
    path("invitation/<str:token>", invitation, name="invitation"),
    path("account", own_account, name="account"),
    # Of allauth's pages, those that people by invitation need, under the names it asks for.
    path("sign-in", account.login, name="account_login"),
    path("sign-in/second-factor", mfa.authenticate, name="mfa_authenticate"),
    path("sign-out", account.logout, name="account_logout"),
    path("account/disabled", account.account_inactive, name="account_inactive"),
    path("account/confirm", account.reauthenticate, name="account_reauthenticate"),
    path("account/confirm/second-factor", mfa.reauthenticate, name="mfa_reauthenticate"),
    path("account/password", account.password_change, name="account_change_password"),
    path("account/forgotten", account.password_reset, name="account_reset_password"),
    path("account/forgotten/sent", account.password_reset_done, name="account_reset_password_done"),
    re_path(
        r"^account/new-password/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>[-\w]+)$",
        account.password_reset_from_key,
        name="account_reset_password_from_key",
    ),
    path(
        "account/new-password/done",
        account.password_reset_from_key_done,
        name="account_reset_password_from_key_done",
    ),
    path("account/second-factor", mfa.index, name="mfa_index"),
    path("account/second-factor/set-up", totp.activate_totp, name="mfa_activate_totp"),
    path("account/second-factor/remove", totp.deactivate_totp, name="mfa_deactivate_totp"),
    path("account/recovery-codes", recovery_codes.view_recovery_codes, name="mfa_view_recovery_codes"),
    path(
        "account/recovery-codes/new",
        recovery_codes.generate_recovery_codes,
        name="mfa_generate_recovery_codes",
    ),
    path(
        "account/recovery-codes/file",
        recovery_codes.download_recovery_codes,
        name="mfa_download_recovery_codes",
    ),
]
