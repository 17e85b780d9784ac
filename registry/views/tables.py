"""The places of a table of one's own: sent, its columns chosen, and taken back with coordinates."""

import tempfile
import threading
from io import TextIOWrapper
from pathlib import Path
from typing import IO, Any, cast

from django.http import FileResponse, HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.urls import path
from django.utils.translation import gettext as _

from registry.forms.places import embedded
from registry.forms.tables import MOST_ROWS, ColumnsForm, TableForm
from registry.geocoding.tables import BadColumns, geocoded, write
from registry.spool import TABLES
from registry.tabular import BadTable, Table
from registry.tabular.sample import Sample

from . import errors
from .guards import person_of, signed_in

#: Rows out of which values are shown.
_SAMPLE = 50
#: One table at a time in a process: others are asked to come again.
_turn = threading.Semaphore(1)


@signed_in
def locate_table(request: HttpRequest) -> HttpResponseBase:
    """*Where do these rows lie?* First the table, then its columns; the answer is the file, and nothing is kept."""
    kept = _kept(request)
    if request.method == "POST" and "file" in request.FILES:
        return _receive(request, kept)
    if request.method != "POST" or not kept.exists():
        kept.unlink(missing_ok=True)
        form = TableForm(request.POST or None, request.FILES or None)
        return render(request, "data/table.html", {"form": form, "nav": "data"})
    return _columns(request, kept, request.POST if "place" in request.POST else None)


def _kept(request: HttpRequest) -> Path:
    """Where the table of this person lies between the two steps."""
    return TABLES.folder / str(person_of(request).pk)


def _receive(request: HttpRequest, kept: Path) -> HttpResponseBase:
    form = TableForm(request.POST, request.FILES)
    if form.is_valid():
        sent = form.cleaned_data["file"]
        with kept.open("wb") as file:
            for chunk in sent.chunks():
                file.write(chunk)
        request.session["table"] = Path(sent.name).stem[:100]
        try:
            return _columns(request, kept, None)
        except BadTable as error:
            kept.unlink()
            form.add_error("file", str(error))
    return render(request, "data/table.html", {"form": form, "nav": "data"})


def _columns(request: HttpRequest, kept: Path, chosen: Any) -> HttpResponseBase:
    """The form of the columns; once they are chosen, the file."""
    table = Table(kept)
    form = ColumnsForm(chosen, sample=Sample.of(table, _SAMPLE))
    if chosen is not None and form.is_valid():
        if not _turn.acquire(blocking=False):
            return errors.unavailable(retry_after=30)
        try:
            return _located(request, table, form, kept)
        except (BadTable, BadColumns) as error:
            form.add_error(None, str(error))
        finally:
            _turn.release()
    return render(
        request, "data/table.html", {"form": form, "notes": table.notes, "chosen": True, "nav": "data"}
    )


def _located(request: HttpRequest, table: Table, form: ColumnsForm, kept: Path) -> FileResponse:
    def rows() -> Any:
        for number, row in enumerate(table.verbatim()):
            if number > MOST_ROWS:
                raise BadTable(_("The table has more than %(rows)s rows.") % {"rows": f"{MOST_ROWS:,}"})
            yield row

    located = geocoded(rows(), form.columns(), country=form.cleaned_data["within"], gazetteer=embedded())
    whole = cast("IO[bytes]", tempfile.TemporaryFile())  # noqa: SIM115
    try:
        text = TextIOWrapper(whole, encoding="utf-8", newline="", write_through=True)
        write(located, text)
        text.detach()
    except BaseException:
        whole.close()
        raise
    whole.seek(0)
    kept.unlink(missing_ok=True)
    name = f"{request.session.pop('table', 'table')}-located.csv"
    return FileResponse(whole, as_attachment=True, filename=name, content_type="text/csv; charset=utf-8")


urlpatterns = [path("data/places", locate_table, name="locate-table")]
