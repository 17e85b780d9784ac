"""Every address of the API."""

from django.urls import path

from . import description, incidents, register, reports, writing
from .doors import FileDoor, door

METHODS = ("get", "post", "put", "patch", "delete")

urlpatterns = [
    path("", door(get=register.get_index), name="api-index"),
    path("openapi.json", door(get=description.get_openapi), name="api-openapi"),
    path("me", door(get=register.get_me), name="api-me"),
    path("reports", door(get=reports.list_reports, post=writing.log_report), name="api-reports"),
    path(
        "reports/<str:reference>", door(get=reports.get_report, patch=writing.edit_report), name="api-report"
    ),
    path("reports/<str:reference>/timeline", door(get=reports.get_timeline), name="api-timeline"),
    path("reports/<str:reference>/assessments", door(get=reports.list_assessments), name="api-assessments"),
    path("reports/<str:reference>/steps", door(get=reports.list_steps), name="api-steps"),
    path("reports/<str:reference>/estimates", door(get=reports.list_estimates), name="api-estimates"),
    path("reports/<str:reference>/sources", door(get=reports.list_sources), name="api-sources"),
    path("reports/<str:reference>/evidence", door(get=reports.list_evidence), name="api-evidence"),
    path(
        "reports/<str:reference>/evidence/<slug:sha256>",
        door(FileDoor, get=reports.get_evidence_file),
        name="api-evidence-file",
    ),
    path("reports/<str:reference>/next", door(get=reports.list_next_steps), name="api-next"),
    path("reports/<str:reference>/moves/<slug:name>", door(post=writing.make_move), name="api-move"),
    path("reports/<str:reference>/deeds/<slug:name>", door(post=writing.do_deed), name="api-deed"),
    path("incidents", door(get=incidents.list_incidents), name="api-incidents"),
    path("incidents/<str:reference>", door(get=incidents.get_incident), name="api-incident"),
    path("assets/<str:reference>", door(get=incidents.get_asset), name="api-asset"),
    path("areas", door(get=register.list_areas), name="api-areas"),
    path("areas/<str:code>", door(get=register.get_area), name="api-area"),
    path("editions", door(get=register.list_editions), name="api-editions"),
    path("vocabularies", door(get=register.list_vocabularies), name="api-vocabularies"),
    path("scales", door(get=register.list_scales), name="api-scales"),
    path("columns", door(get=register.list_columns), name="api-columns"),
    path("filters", door(get=register.list_filters), name="api-filters"),
    path("problems", door(get=register.list_problems), name="api-problems"),
    path("<path:rest>", door(**dict.fromkeys(METHODS, register.nothing)), name="api-nothing"),
]
