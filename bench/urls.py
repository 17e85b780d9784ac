"""The register's addresses, and two that the bench measures beside them."""

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.urls import path

from registry.actions import journal
from registry.models import Entry, Report
from registry.models.identity import new_reference
from registry.urls import handler400, handler403, handler404, handler500, urlpatterns

__all__ = ["handler400", "handler403", "handler404", "handler500", "urlpatterns"]


def nothing(request: HttpRequest) -> HttpResponse:
    """A page that does nothing."""
    return HttpResponse("nothing")


def bare(request: HttpRequest) -> HttpResponse:
    """What a Django view without a register would do: save one report and one entry."""
    at, sent = journal.now(), request.POST
    with transaction.atomic():
        report = Report.objects.create(
            reference=new_reference(),
            kind=sent["kind"],
            object_type=sent["object_type"],
            status="reported",
            country="UA",
            adm1_code=sent["area"],
            occurred_from=sent["occurred_to"],
            occurred_to=sent["occurred_to"],
            description=sent["description"],
            contact=sent["contact"],
            place_typed=sent["place"],
            cause_group=sent["cause_group"],
            damage_level="unknown",
            logged_by=request.user,
            logged_utc=at,
            counts_from=at,
            valid_from=at,
            updated_utc=at,
            version=1,
            withdrawn="error",
        )
        Entry.objects.create(
            report=report, number=1, kind="logged", by=request.user, role="official", happened_at=at, recorded_at=at,
            to_status="reported", body="{}",
        )  # fmt: skip
    return HttpResponse(report.reference, status=302, headers={"Location": f"/?r={report.reference}"})


urlpatterns = [path("bench/nothing", nothing), path("bench/bare", bare), *urlpatterns]
