"""Pages of imports: a file is sent, checked, looked at, confirmed, and may be undone."""

from collections.abc import Callable, Iterator
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from registry.actions import importing, journal
from registry.actions.journal import Refused
from registry.forms import mappings
from registry.forms.imports import ConfirmForm, DecisionForm, ImportForm, MappingForm, UndoForm
from registry.models import Batch, BatchRow, SourceRef
from registry.rules import access
from registry.rules.access import Verb
from registry.rules.vocabularies import GeoPrecision
from registry.tabular import BadTable

from . import acting
from .guards import command_id, may, person_of
from .progress import progress

PER_PAGE = 50
#: How long a page works on an import itself before it leaves the rest to the worker, in seconds.
AT_ONCE = 2.0
get_and_post = require_http_methods(["GET", "HEAD", "POST"])


@require_safe
@may(Verb.IMPORT)
def imports(request: HttpRequest) -> HttpResponse:
    """*What was imported, and what waits?*"""
    seen = Batch.objects.seen_by(person_of(request)).select_related("by")
    page = Paginator(seen, PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "previous_url": f"?page={page.previous_page_number()}" if page.has_previous() else "",
        "next_url": f"?page={page.next_page_number()}" if page.has_next() else "",
    }
    return render(request, "import/list.html", context)


@get_and_post
@may(Verb.IMPORT)
def new_import(request: HttpRequest) -> HttpResponse:
    """*Which rows?* A file or pasted rows; small ones are checked before the answer."""
    form = ImportForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        batch = _receive(request, form)
        if batch is not None:
            importing.run_for(batch, AT_ONCE)
            return redirect("import", batch.pk)
    return render(request, "import/new.html", {"form": form, "nav": "imports"})


def _receive(request: HttpRequest, form: ImportForm) -> Batch | None:
    """The batch of what was sent; None with the form's errors."""
    by, sent = person_of(request), form.cleaned_data
    chunks, name = (sent["file"].chunks(), sent["file"].name) if sent["file"] else _pasted(sent["pasted"])
    field = "file" if sent["file"] else "pasted"
    try:
        upload = importing.upload(chunks, name, by=by, mapping=sent["mapping"])
    except BadTable as error:
        form.add_error(field, str(error))
    except mappings.BadMapping as error:
        form.add_error("mapping", str(error))
    except Refused as refused:
        form.add_error(field, refused.message)
    else:
        done = acting.once(request, form, lambda: {"batch": importing.receive(upload, by=by).pk})
        if done:
            return Batch.objects.get(pk=done["batch"])
    return None


def _pasted(text: str) -> tuple[Iterator[bytes], str]:
    at = timezone.localtime()
    return iter([text.encode()]), _("Pasted rows, %(at)s") % {"at": f"{at:%Y-%m-%d %H:%M}"}


def batch_seen(request: HttpRequest, pk: int) -> Batch:
    """A batch this person may open; 404 does not tell hidden from absent."""
    return get_object_or_404(Batch.objects.seen_by(person_of(request)).select_related("by"), pk=pk)


@require_safe
@may(Verb.IMPORT)
def import_page(request: HttpRequest, pk: int) -> HttpResponse:
    """*What would this import do?* and then, *what did it do?*"""
    batch = batch_seen(request, pk)
    return redirect("import-columns", pk) if batch.state == Batch.State.MAPPING else _page(request, batch)


def _page(request: HttpRequest, batch: Batch, **forms: Any) -> HttpResponse:
    state, person = batch.state, person_of(request)
    rows = Paginator(batch.noted.filter(outcome="error"), PER_PAGE).get_page(request.GET.get("page"))
    # What was taken back is neither decided nor compared.
    open_still = batch.noted.none() if state in importing.UNDOING else batch.noted
    conflicts = open_still.filter(outcome="conflict", decided_at=None).select_related("report")
    likely = _likely(batch, open_still)
    context = {
        "batch": batch,
        "outcomes": _outcomes(batch.counts),
        "places": _places(batch.counts),
        "progress": _progress(batch),
        "rows": rows,
        "previous_url": f"?page={rows.previous_page_number()}" if rows.has_previous() else "",
        "next_url": f"?page={rows.next_page_number()}" if rows.has_next() else "",
        "conflicts": conflicts[:PER_PAGE],
        "likely": likely,
        "more_likely": open_still.filter(outcome="likely").count() - len(likely),
        "good": sum(batch.counts.get(name, 0) for name in ("new", "changed")),
        "same": Batch.objects.seen_by(person).filter(sha256=batch.sha256, pk__lt=batch.pk).first(),
        "mapping_form": MappingForm(initial={"mapping": batch.mapping}),
        "confirm_form": _confirming(batch),
        "undo_form": UndoForm(),
        "may_cancel": state in Batch.OPEN,
        "may_undo": state in Batch.ENDED and access.may(person, Verb.WITHDRAW),
        "brought_in": state in Batch.ENDED and batch.counts.get("new"),
        "undo": batch.counts.get("undo"),
        "kept_days": importing.KEPT.days,
        "nav": "imports",
    }
    return render(request, "import/detail.html", context | forms)


def _confirming(batch: Batch, data: Any = None) -> ConfirmForm:
    likely = batch.noted.filter(outcome="likely").values_list("number", flat=True)
    return ConfirmForm(data, failing=batch.counts.get("error", 0), likely=likely)


def _likely(batch: Batch, noted: Any) -> list[tuple[BatchRow, str]]:
    """Rows that may be here already, each with the reference of the report it became, empty if it became none."""
    rows = list(noted.filter(outcome="likely").select_related("report")[:PER_PAGE])
    refs = SourceRef.objects.filter(batch=batch, ref__in=[row.ref for row in rows])
    became = dict(refs.values_list("ref", "report__reference"))
    return [(row, became.get(row.ref, "")) for row in rows]


_WORDS: dict[str, Callable[[], str]] = {
    "new": lambda: _("new"),
    "changed": lambda: _("changed since the last import"),
    "unchanged": lambda: _("unchanged"),
    "conflict": lambda: _("conflicts, to be decided by a person"),
    "left_out": lambda: _("left out"),
    "error": lambda: _("failing"),
}


def _outcomes(counts: dict[str, Any]) -> list[tuple[str, str, int, list[tuple[Any, int]]]]:
    """Code, words and number of each outcome, and why; they sum to the rows."""
    return [
        (name, words(), counts.get(name, 0), importing.why(name, counts) if name in importing.WHY else [])
        for name, words in _WORDS.items()
    ]


def _places(counts: dict[str, Any]) -> list[tuple[Any, int]]:
    """How precisely the new and changed rows are located, the most first; why some are not."""
    words = dict(GeoPrecision.choices) | dict(mappings.problems())
    found = {**counts.get("places", {}), **counts.get("problems", {})}
    return [(words.get(code, code), found[code]) for code in sorted(found, key=lambda code: -found[code])]


def _progress(batch: Batch) -> dict[str, Any] | None:
    if not batch.is_at_work:
        return None
    rows = batch.counts["undo"]["rows"] if batch.state == Batch.State.UNDOING else batch.rows
    return progress(batch.next_row, rows, batch.since)


@require_safe
@may(Verb.IMPORT)
def failing_rows(request: HttpRequest, pk: int) -> HttpResponse | StreamingHttpResponse:
    """The rows that failed, as CSV, each with what is wrong, to be mended and sent again."""
    batch = batch_seen(request, pk)
    lines = importing.failing.table(batch.headings, importing.failing.rows(batch))
    answer = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    name = f"{slugify(batch.name.rpartition('.')[0] or batch.name) or batch.pk}-failing.csv"
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


# -- acts ------------------------------------------------------------------------------------------------


@require_POST
@may(Verb.IMPORT)
def check_import(request: HttpRequest, pk: int) -> HttpResponse:
    """Check by another mapping."""
    batch, form = batch_seen(request, pk), MappingForm(request.POST)
    if form.is_valid():
        try:
            importing.check(batch, form.cleaned_data["mapping"], by=person_of(request))
        except (mappings.BadMapping, BadTable) as error:
            form.add_error("mapping", str(error))
        else:
            importing.run_for(batch, AT_ONCE)
            return redirect("import", pk)
    return _page(request, batch, mapping_form=form, has_errors=True)


@require_POST
@may(Verb.IMPORT)
def confirm_import(request: HttpRequest, pk: int) -> HttpResponse:
    batch = batch_seen(request, pk)
    form, by = _confirming(batch, request.POST), person_of(request)
    if form.is_valid():

        def confirm() -> None:
            importing.confirm(
                batch,
                by=by,
                without_failing=form.cleaned_data.get("without", False),
                without_likely=form.cleaned_data.get("without_likely", False),
                leaving=form.cleaned_data.get("leaving", ()),
            )

        if _done(request, form, batch, confirm):
            return redirect("import", pk)
    return _page(request, batch, confirm_form=form, has_errors=True)


@require_POST
@may(Verb.WITHDRAW)
def undo_import(request: HttpRequest, pk: int) -> HttpResponse:
    batch = batch_seen(request, pk)
    form = UndoForm(request.POST, kept=1)
    if form.is_valid():
        keeping, by = form.cleaned_data["keeping"], person_of(request)
        try:
            if _done(request, form, batch, lambda: importing.undo(batch, by=by, keeping=keeping)):
                return redirect("import", pk)
        except importing.WorkedOn as worked_on:
            return _page(request, batch, worked_on=worked_on, undo_form=UndoForm(kept=worked_on.count))
    return _page(request, batch, undo_form=form, has_errors=True)


def _done(request: HttpRequest, form: Any, batch: Batch, act: Callable[[], None]) -> bool:
    """Do an act once, and what follows from it for a moment; False with the form's errors."""

    def once() -> dict[str, Any]:
        act()
        return {"lease": str(batch.lease)}

    try:
        journal.once(command_id(request), by=person_of(request), act=once)
    except importing.WorkedOn:
        raise
    except Refused as refused:
        form.add_error(refused.field if refused.field in form.fields else None, refused.message)
        return False
    importing.run_for(batch, AT_ONCE)
    return True


@require_POST
@may(Verb.IMPORT)
def cancel_import(request: HttpRequest, pk: int) -> HttpResponse:
    batch = batch_seen(request, pk)
    importing.cancel(batch, by=person_of(request))
    messages.success(request, _("Cancelled."))
    return redirect("import", pk)


# -- conflicts -------------------------------------------------------------------------------------------


@get_and_post
@may(Verb.IMPORT)
def conflict(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """*Who is right?* What the register says beside what the row says, part by part."""
    batch, by = batch_seen(request, pk), person_of(request)
    open_rows = batch.noted.filter(outcome="conflict", decided_at=None).select_related("report", "batch__by")
    if batch.state in importing.UNDOING:
        return redirect("import", pk)
    row = get_object_or_404(open_rows, number=number)
    assert row.report
    try:
        parts = importing.parts(row, row.report)
    except (Refused, mappings.BadMapping) as error:
        messages.error(request, _("Row %(row)d: %(said)s") % {"row": number, "said": error})
        return redirect("import", pk)
    form = DecisionForm(request.POST or None, parts=[(part.name, part.label) for part in parts])
    if request.method == "POST" and form.is_valid():
        done = acting.once(
            request, form, lambda: {"report": importing.decide(row, form.taking(), by=by).reference}
        )
        if done:
            following = open_rows.first()
            return redirect("import-conflict", pk, following.number) if following else redirect("import", pk)
    context = {
        "batch": batch,
        "row": row,
        "form": form,
        "parts": [(form[part.name], list(part.shown(row.report))) for part in parts],
        "nav": "imports",
    }
    return render(request, "import/conflict.html", context)


urlpatterns = [
    path("imports", imports, name="imports"),
    path("imports/new", new_import, name="new-import"),
    path("imports/<int:pk>", import_page, name="import"),
    path("imports/<int:pk>/failing.csv", failing_rows, name="failing-rows"),
    path("imports/<int:pk>/rows/<int:number>", conflict, name="import-conflict"),
    path("imports/<int:pk>/check", check_import, name="check-import"),
    path("imports/<int:pk>/confirm", confirm_import, name="confirm-import"),
    path("imports/<int:pk>/cancel", cancel_import, name="cancel-import"),
    path("imports/<int:pk>/undo", undo_import, name="undo-import"),
]
