"""The page on which somebody says how the columns of their table are read."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path

from registry.actions import importing
from registry.actions.journal import Refused
from registry.forms.columns import ColumnsForm, LayoutForm, layout_of
from registry.forms.imports import MappingForm
from registry.forms.mappings import BadMapping
from registry.models import Batch
from registry.rules.access import Verb
from registry.tabular import BadTable

from .guards import may, person_of
from .imports import AT_ONCE, batch_seen, get_and_post

#: While it waits for its columns, or shows what they make of its rows.
_OPEN = (Batch.State.MAPPING, Batch.State.CHECKED)


@get_and_post
@may(Verb.IMPORT)
def columns(request: HttpRequest, pk: int) -> HttpResponse:
    """*How are the columns read?* As proposed, corrected by hand, kept under a name."""
    batch, sent = batch_seen(request, pk), request.method == "POST"
    if batch.state not in _OPEN:
        return redirect("import", pk)
    answers: dict[str, Any] = request.POST.dict() if sent else request.GET.dict()
    answers = answers or importing.columns.answers_of(batch)
    context: dict[str, Any] = {"batch": batch, "mapping_form": MappingForm(), "nav": "imports"}
    try:
        sample = importing.columns.sample(batch, layout_of(answers))
    except BadTable as error:
        return render(request, "import/columns.html", context | {"problem": error})
    name = importing.columns.name_of(batch)
    form = ColumnsForm(
        sample, title=batch.name.rpartition(".")[0] or batch.name, name=name, answers=answers, sent=sent
    )
    if sent and form.is_valid() and not form.unasked:
        text = form.proposal.toml()
        if answers.get("act") == "download":
            answer = HttpResponse(text, content_type="application/toml; charset=utf-8")
            answer["Content-Disposition"] = f'attachment; filename="{form.cleaned_data["name"]}.toml"'
            return answer
        if _kept(request, batch, form, text):
            return redirect("import", pk)
    context |= {"form": form, "sample": sample, "layout_form": LayoutForm(sample)}
    return render(request, "import/columns.html", context | {"has_errors": bool(sent and form.errors)})


def _kept(request: HttpRequest, batch: Batch, form: ColumnsForm, text: str) -> bool:
    """Check the batch by what the form says; False with its errors."""
    by, name = person_of(request), form.cleaned_data["name"]
    answers = {key: value for key, value in form.answers.items() if key in form.fields}
    try:
        importing.columns.keep(batch, name, text, answers, by=by)
    except Refused as refused:
        form.add_error(refused.field if refused.field in form.fields else None, refused.message)
        return False
    except (BadTable, BadMapping) as error:
        form.add_error(None, str(error))
        return False
    importing.run_for(batch, AT_ONCE)
    return True


urlpatterns = [path("imports/<int:pk>/columns", columns, name="import-columns")]
