"""Every address of the register: each door gives its own."""

from django.urls import include, path

from .views import reports

urlpatterns = [
    path("", include(reports.urlpatterns)),
    path("", include("allauth.urls")),
]
