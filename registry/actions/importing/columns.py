"""How the columns of a batch are read: looked at in its file, and kept as a mapping under a name."""

from collections.abc import Mapping
from contextlib import suppress
from uuid import uuid4

from django.db import transaction
from django.utils.text import slugify
from django.utils.translation import gettext_lazy as _

from registry.actions import journal
from registry.actions.journal import Refused
from registry.forms import mappings
from registry.forms.proposals import READ
from registry.models import Batch, Person, SavedMapping
from registry.tabular import Layout, Table
from registry.tabular.sample import Sample

from . import batches


def sample(batch: Batch, layout: Layout) -> Sample:
    """The first rows of the table in the file of an open batch, read once as long as the layout is the same; raises
    BadTable."""
    beside = batches.sampled(batch)
    with suppress(FileNotFoundError, ValueError):
        if found := Sample.kept(beside.read_text("utf-8"), layout):
            return found
    found = Sample.of(Table(batches.spooled(batch), layout), READ)
    draft = beside.with_name(f"part-{uuid4().hex}")
    draft.write_text(found.written(layout), "utf-8")
    draft.rename(beside)
    return found


def name_of(batch: Batch) -> str:
    """The name of a batch's own mapping, or a new one for it."""
    if SavedMapping.objects.filter(name=batch.mapping, by=batch.by).exists():
        return batch.mapping
    base = slugify(batch.name.rpartition(".")[0] or batch.name)[:50] or "table"
    taken = set(mappings.names())
    names = (base, *(f"{base}-{number}" for number in range(2, len(taken) + 3)))
    return next(name for name in names if name not in taken)


def answers_of(batch: Batch) -> dict[str, str]:
    """What was said of the columns before; empty if nothing was."""
    saved = SavedMapping.objects.filter(name=batch.mapping, by=batch.by).first()
    return saved.answers if saved else {}


def keep(batch: Batch, name: str, text: str, answers: Mapping[str, str], *, by: Person) -> None:
    """Keep a mapping under a name and check the batch by it; raises BadTable, BadMapping, Refused.

    Whoever made a mapping may make it anew while no other import is open that reads by it.
    """
    mappings.parse(name, text)
    with transaction.atomic():
        saved = SavedMapping.objects.select_for_update().filter(name=name).first()
        others = Batch.objects.filter(mapping=name, state__in=Batch.OPEN).exclude(pk=batch.pk)
        if (saved is None and name in mappings.names()) or (saved and (saved.by != by or others.exists())):
            raise Refused(_("This name is taken. Choose another."), code="name", field="name")
        saved = saved or SavedMapping(name=name, by=by)
        saved.text, saved.answers, saved.at = text, dict(answers), journal.now()
        saved.save()
        batches.check(batch, name, by=by)
