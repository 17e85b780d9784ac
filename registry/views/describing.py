"""What programs read about the files before they read these: a Data Package, a HXL schema."""

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from registry.filters import select, write_moment
from registry.outputs import describing
from registry.outputs.tables import TABLES, Table, edition_of

from .files import asked, small_csv


@require_safe
def datapackage_json(request: HttpRequest) -> HttpResponse:
    """The files of the selected reports as a Data Package: what each column is, and where the files are."""
    hxl = asked(request, "hxl")
    selection = select(request.user, request.GET, beside=["hxl"])
    edition = edition_of(selection)
    # The addresses name the edition, so that what is kept of it describes the same rows for good.
    pinned = selection
    if edition and not selection.as_of:
        pinned = select(request.user, request.GET, beside=["hxl", "as_of"], as_of=write_moment(edition.at))

    def address(table: Table) -> str:
        asked_for = pinned if table.is_for(pinned) else selection
        query = "&".join(filter(None, ["hxl=1" if hxl else "", asked_for.query]))
        return (
            settings.BASE_URL + reverse(f"{table.name}-file", args=["csv"]) + (f"?{query}" if query else "")
        )

    resources = [
        describing.resource(
            name,
            address(table),
            describing.table_schema(table.columns, key=table.key),
            hxl=hxl,
        )
        for name, table in TABLES.items()
        if table.is_for(selection)
    ]
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
    if table not in TABLES:
        raise Http404
    rows = describing.hxl_schema(TABLES[table].columns, key=TABLES[table].key)
    return small_csv(rows, f"damage-{table}-hxl-schema.csv")


@require_safe
def columns_r(request: HttpRequest) -> HttpResponse:
    """The columns of the files that everybody has, for R."""
    told = describing.r_columns({table.name: table.columns for table in _OPEN})
    return HttpResponse(told, content_type="text/plain; charset=utf-8")


@require_safe
def schema_sql(request: HttpRequest) -> HttpResponse:
    """The same as tables in SQL."""
    told = describing.sql_schema({table.name: (table.columns, table.key) for table in _OPEN})
    return HttpResponse(told, content_type="text/plain; charset=utf-8")


@require_safe
def examples(request: HttpRequest) -> HttpResponse:
    """*How do I read this?* Programs to begin with, with this register's own address in them."""
    found = [
        {"label": label, "name": name, "text": _example(name)}
        for name, label in (("schools.py", "Python"), ("schools.R", "R"), ("schools.sql", "SQL"))
    ]
    context = {"nav": "data", "examples": found, "ogc_address": f"{settings.BASE_URL}/ogc"}
    return render(request, "data/examples.html", context)


def _example(name: str) -> str:
    text = (settings.BASE_DIR / "docs" / "examples" / name).read_text()
    return text.replace("https://register.example.org", settings.BASE_URL)


#: The tables that are not for the office alone.
_OPEN = [table for table in TABLES.values() if not table.office]

urlpatterns = [
    path("data/columns.R", columns_r, name="columns-r"),
    path("data/schema.sql", schema_sql, name="schema-sql"),
    path("data/examples", examples, name="examples"),
    path("data/datapackage.json", datapackage_json, name="datapackage-json"),
    path("data/hxl-schema/<slug:table>.csv", hxl_schema_csv, name="hxl-schema-csv"),
]
