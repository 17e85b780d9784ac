"""What programs read about the files before they read these: a Data Package, a HXL schema."""

import csv
from io import StringIO

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from registry.filters import select
from registry.outputs import describing
from registry.rules.vocabularies import Holder

from .data import _asked, _edition


@require_safe
def datapackage_json(request: HttpRequest) -> HttpResponse:
    """The files of the selected reports as a Data Package: what each column is, and where the files are."""
    hxl = _asked(request, "hxl")
    selection = select(request.user, request.GET, beside=["hxl"])
    query = "&".join(filter(None, ["hxl=1" if hxl else "", selection.query]))
    resources = [
        describing.resource(
            name,
            settings.BASE_URL + reverse(f"{name}-csv") + (f"?{query}" if query else ""),
            describing.table_schema(sheet(selection).columns, key=key),
            hxl=hxl,
        )
        for name, (sheet, key) in describing.TABLES.items()
        if name == "reports"
        or (not selection.as_of and (name != "entries" or selection.holder == Holder.OFFICE))
    ]
    edition = _edition(selection)
    more = {"version": edition.at.date().isoformat()} if edition else {}
    title = _("%(register)s: damage reports") % {"register": settings.REGISTER_NAME}
    described = describing.package(
        "damage-reports", title, resources, description=selection.sentence, homepage=settings.BASE_URL, **more
    )
    response = JsonResponse(described, json_dumps_params={"indent": 2, "ensure_ascii": False})
    response["Content-Disposition"] = 'attachment; filename="datapackage.json"'
    return response


@require_safe
def hxl_schema_csv(request: HttpRequest, table: str) -> HttpResponse:
    """What libhxl holds a file of this table with HXL tags against."""
    if table not in describing.TABLES:
        raise Http404
    sheet, key = describing.TABLES[table]
    out = StringIO()
    # Of the office's table, which has all columns; none of its rows is read.
    columns = sheet(select(None, {}, holder=Holder.OFFICE)).columns
    rows = describing.hxl_schema(columns, key=key)
    csv.writer(out, lineterminator="\n").writerows(rows)
    response = HttpResponse(out.getvalue(), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="damage-{table}-hxl-schema.csv"'
    return response


urlpatterns = [
    path("data/datapackage.json", datapackage_json, name="datapackage-json"),
    path("data/hxl-schema/<slug:table>.csv", hxl_schema_csv, name="hxl-schema-csv"),
]
