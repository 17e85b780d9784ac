"""Work that lies in rows: imports, commands already carried out, downloads, saved filters."""

import secrets
import uuid
from functools import reduce
from operator import or_
from typing import Any

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from registry.rules import access
from registry.rules.access import Verb

from .people import Person
from .places import Area
from .reports import Report


class BatchQuerySet(models.QuerySet["Batch"]):
    def seen_by(self, person: Any) -> "BatchQuerySet":
        """Those a person may open: their own; a supervisor also those of people whose areas all lie within
        theirs, and, with a whole country, those that the command line brought in."""
        if not access.may(person, Verb.IMPORT):
            return self.none()
        seen = Q(by=person)
        if access.may(person, Verb.WITHDRAW):
            held = [area.pk for area in person.areas_held]
            up = ("pk", "parent", "parent__parent", "parent__parent__parent")
            within = reduce(or_, (Q(**{f"{name}__in": held}) for name in up))
            outside = Area.objects.exclude(pk__in=Area.objects.filter(within).values("pk"))
            people = Person.objects.exclude(areas__in=outside).exclude(areas=None)
            seen |= Q(by__in=people.values("pk"))
            if any(area.level == 0 for area in person.areas_held):
                seen |= Q(by=None)
        return self.filter(seen)


class Batch(models.Model):
    """One import: its file, mapping, how far it came, and its counts. The row is queue and history.

    It is first *checked*, whereby nothing is written, and, once somebody confirms, *runs*; it may be *undone*.
    ``next_row``, ``counts`` and ``since`` are of what it is at; ``checked`` keeps the counts of the check.
    """

    class State(models.TextChoices):
        MAPPING = "mapping", _("Waits for its columns")
        CHECKING = "checking", _("Is being checked")
        CHECKED = "checked", _("Checked, waits for confirmation")
        RUNNING = "running", _("Is being imported")
        DONE = "done", _("Imported")
        CANCELLED = "cancelled", _("Cancelled")
        UNDOING = "undoing", _("Is being undone")
        UNDONE = "undone", _("Undone")
        FAILED = "failed", _("Could not be read to its end")

    #: What waits for a chunk of work.
    AT_WORK = (State.CHECKING, State.RUNNING, State.UNDOING)
    #: What holds on to its file.
    OPEN = (State.MAPPING, State.CHECKING, State.CHECKED, State.RUNNING)
    #: What may have brought something in, and can be undone.
    ENDED = (State.DONE, State.CANCELLED, State.FAILED)

    name = models.CharField(max_length=200)
    mapping = models.CharField(max_length=60, blank=True)
    sha256 = models.CharField(max_length=64, db_index=True)
    headings = models.JSONField(default=list)
    notes = models.JSONField(default=list)
    state = models.CharField(max_length=10, choices=State.choices, default=State.CHECKING)
    problem = models.TextField(blank=True)
    by = models.ForeignKey("registry.Person", models.PROTECT, null=True, related_name="batches")
    created_at = models.DateTimeField()
    since = models.DateTimeField()
    rows = models.PositiveIntegerField(default=0)
    next_row = models.PositiveIntegerField(default=0)
    lease = models.UUIDField(null=True)
    leased_until = models.DateTimeField(null=True)
    counts = models.JSONField(default=dict)
    checked = models.JSONField(default=dict)
    undone_by = models.ForeignKey("registry.Person", models.PROTECT, null=True, related_name="+")

    objects = BatchQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-pk"]

    def __str__(self) -> str:
        return self.name

    @property
    def is_at_work(self) -> bool:
        return self.state in self.AT_WORK


class BatchRow(models.Model):
    """A row of an import that somebody may have to look at again: it failed (``error``), it met a person's work
    (``conflict``), it revised a report (``changed``), or it is new, but ``likely`` one that is here.

    ``number`` is as a spreadsheet counts. ``said``: what is wrong, as pairs of a column of the file (empty: the
    row) and words. ``cells`` by heading; of a changed row only ``report``, the number of the ``entry`` that
    revised it, and ``digest``, what the row said before, are kept. ``decided_at``: when a person decided;
    of a likely one, that it stays out.
    """

    batch = models.ForeignKey(Batch, models.CASCADE, related_name="noted")
    number = models.PositiveIntegerField()
    outcome = models.CharField(max_length=10)
    said = models.JSONField(default=list)
    cells = models.JSONField(default=dict)
    ref = models.CharField(max_length=200, blank=True)
    digest = models.CharField(max_length=64, blank=True)
    report = models.ForeignKey(Report, models.PROTECT, null=True, related_name="+")
    entry = models.PositiveIntegerField(null=True)
    decided_by = models.ForeignKey("registry.Person", models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["batch", "outcome", "number"], name="batchrow_once")]

    @property
    def wrongs(self) -> list[tuple[str, str, str]]:
        """Column, what its cell says, and what is wrong with it."""
        return [(column, self.cells.get(column, ""), words) for column, words in self.said]


class SourceRef(models.Model):
    """What a source calls a report: unique, so that importing twice does nothing twice."""

    source = models.CharField(max_length=100)
    ref = models.CharField(max_length=200)
    content_digest = models.CharField(max_length=64, blank=True)
    report = models.ForeignKey(Report, models.PROTECT, related_name="refs")
    batch = models.ForeignKey(Batch, models.PROTECT, null=True, related_name="refs")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["source", "ref"], name="sourceref_once")]


class Command(models.Model):
    """A form's id: a double click or a resend is one act. ``result`` is where the first one led."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    by = models.ForeignKey("registry.Person", models.CASCADE, related_name="+")
    done_at = models.DateTimeField()
    result = models.JSONField(default=dict)

    class Meta:
        indexes = [models.Index(fields=["done_at"])]


class Download(models.Model):
    """Every export is logged: who, as which audience, what filter, how many rows."""

    by = models.ForeignKey("registry.Person", models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField()
    holder = models.CharField(max_length=10)
    what = models.CharField(max_length=20)
    filter = models.TextField(blank=True)
    rows = models.PositiveIntegerField(null=True)

    class Meta:
        ordering = ["-at"]


def new_key() -> str:
    """The part of an address that nobody guesses."""
    return secrets.token_urlsafe(32)


class WantedFile(models.Model):
    """A file that somebody waits for, built by the worker and kept for some days (``upkeep/filing``). The row is
    queue and history; its ``key`` is in its address, which is all that visitors have to find it by.

    ``rows`` are to be written, as far as is known, ``done`` are. ``seen_as``: what its owner might see when asking.
    """

    class State(models.TextChoices):
        WAITING = "waiting", _("Waits for its turn")
        BUILDING = "building", _("Is being made")
        DONE = "done", _("Ready")
        FAILED = "failed", _("Could not be made")
        GONE = "gone", _("Taken back")

    #: What waits for work.
    OPEN = (State.WAITING, State.BUILDING)

    key = models.CharField(max_length=43, unique=True, default=new_key)
    by = models.ForeignKey("registry.Person", models.CASCADE, null=True, related_name="+")
    table = models.CharField(max_length=20)
    format = models.CharField(max_length=10)
    holder = models.CharField(max_length=10)
    query = models.TextField(blank=True)
    seen_as = models.TextField(blank=True)
    name = models.CharField(max_length=100, blank=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    problem = models.TextField(blank=True)
    created_at = models.DateTimeField()
    since = models.DateTimeField(null=True)
    rows = models.PositiveBigIntegerField(null=True)
    done = models.PositiveBigIntegerField(default=0)
    size = models.PositiveBigIntegerField(default=0)
    sha256 = models.CharField(max_length=64, blank=True)
    lease = models.UUIDField(null=True)
    leased_until = models.DateTimeField(null=True)

    class Meta:
        ordering = ["created_at", "pk"]
        indexes = [models.Index(fields=["state", "created_at"])]

    def __str__(self) -> str:
        return self.name or self.key

    @property
    def is_open(self) -> bool:
        return self.state in self.OPEN


class SavedFilter(models.Model):
    """A filter somebody keeps; its query string is its address."""

    person = models.ForeignKey("registry.Person", models.CASCADE, related_name="saved_filters")
    name = models.CharField(_("name"), max_length=100)
    query = models.TextField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["person", "name"], name="savedfilter_once")]


class SavedMapping(models.Model):
    """A mapping that somebody made on the web, as the file that ``import_reports --mapping`` reads. ``source``
    tells rows apart for good, so it is the name, and the name is never given twice. ``answers``: what was chosen
    on the page, to be corrected there."""

    name = models.SlugField(max_length=60, unique=True)
    text = models.TextField()
    answers = models.JSONField(default=dict)
    by = models.ForeignKey("registry.Person", models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        ordering = ["name"]


class Request(models.Model):
    """Somebody asks for a move they may not make (reopening): a row of the supervisor's queue."""

    report = models.ForeignKey(Report, models.PROTECT, related_name="requests")
    move = models.CharField(max_length=24)
    reason = models.TextField(_("reason"))
    by = models.ForeignKey("registry.Person", models.PROTECT, related_name="+")
    at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["at"]


class Draft(models.Model):
    """A report half written, kept for its writer until it is logged or discarded."""

    person = models.ForeignKey("registry.Person", models.CASCADE, related_name="drafts")
    values = models.JSONField(default=dict)
    saved_at = models.DateTimeField(auto_now=True)


class Progress(models.Model):
    """One row for each duty of the worker that runs on the clock: when it is due next, who holds it."""

    duty = models.CharField(max_length=20, primary_key=True)
    due_at = models.DateTimeField()
    lease = models.UUIDField(null=True)
    leased_until = models.DateTimeField(null=True)
