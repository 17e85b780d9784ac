"""Every address of the register."""

from django.urls import include, path

urlpatterns = [
    path("", include("allauth.urls")),
]
