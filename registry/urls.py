"""Every address of the register: each door gives its own."""

from django.urls import include, path

from .api import urls as api
from .ogc import doors as ogc
from .views import (
    columns,
    comparing,
    data,
    deeds,
    describing,
    files,
    health,
    home,
    imports,
    incidents,
    logging,
    map,
    pages,
    people,
    places,
    presets,
    releases,
    reports,
    statistics,
    tables,
    tokens,
    versions,
    wanted,
)

urlpatterns = [
    path("", include(home.urlpatterns)),
    path("", include(map.urlpatterns)),
    path("", include(logging.urlpatterns)),
    path("", include(reports.urlpatterns)),
    path("", include(versions.urlpatterns)),
    path("", include(presets.urlpatterns)),
    path("", include(deeds.urlpatterns)),
    path("", include(comparing.urlpatterns)),
    path("", include(places.urlpatterns)),
    path("", include(incidents.urlpatterns)),
    path("", include(imports.urlpatterns)),
    path("", include(columns.urlpatterns)),
    path("", include(people.urlpatterns)),
    path("", include(tokens.urlpatterns)),
    path("", include(data.urlpatterns)),
    path("", include(describing.urlpatterns)),
    path("", include(releases.urlpatterns)),
    path("", include(statistics.urlpatterns)),
    path("", include(files.urlpatterns)),
    path("", include(wanted.urlpatterns)),
    path("", include(tables.urlpatterns)),
    path("", include(ogc.urlpatterns)),
    path("", include(pages.urlpatterns)),
    path("", include(health.urlpatterns)),
    path("api/v1/", include(api.urlpatterns)),
]

handler400 = "registry.views.errors.bad_request"
handler403 = "registry.views.errors.forbidden"
handler404 = "registry.views.errors.not_found"
handler500 = "registry.views.errors.failed"
