"""Tokens for one's own programs: made, shown once, seen, revoked."""

from typing import Any

from allauth.account.decorators import reauthentication_required
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from registry.actions import journal, tokens
from registry.actions.journal import Refused
from registry.forms.people import TokenForm

from .guards import command_id, person_of, signed_in


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
# A browser left open must not make keys that outlast the day.
@reauthentication_required(allow_get=True)
def own_tokens(request: HttpRequest) -> HttpResponse:
    """*Which programs may come in my name?* The secret of a new token is shown in the answer, never again."""
    me, secrets = person_of(request), list[str]()
    form = TokenForm(request.POST or None)
    if form.is_valid():

        def act() -> dict[str, Any]:
            token, secret = tokens.make(me, **form.cleaned_data)
            secrets.append(secret)
            return {"token": token.pk}

        try:
            journal.once(command_id(request), by=me, act=act)
        except Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            if not secrets:  # The same form again: its token was shown.
                return redirect("tokens")
            form = TokenForm()
    context = {"form": form, "tokens": tokens.serving(me), "secret": next(iter(secrets), "")}
    return render(request, "people/tokens.html", context)


@require_POST
@signed_in
def revoke_token(request: HttpRequest, pk: int) -> HttpResponse:
    if not tokens.revoke(person_of(request), pk):
        raise Http404
    messages.success(request, _("The token is revoked."))
    return redirect("tokens")


urlpatterns = [
    path("account/tokens", own_tokens, name="tokens"),
    path("account/tokens/<int:pk>/revoke", revoke_token, name="revoke-token"),
]
