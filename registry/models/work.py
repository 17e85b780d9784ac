"""Work that lies in rows: imports, commands already carried out, downloads, saved filters."""

import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _

from .reports import Report


class Batch(models.Model):
    """One import: its file, mapping, how far it came, and its counts. The row is queue and history."""

    class State(models.TextChoices):
        CHECKING = "checking", _("Checking")
        CHECKED = "checked", _("Checked, waits for confirmation")
        RUNNING = "running", _("Running")
        DONE = "done", _("Done")
        CANCELLED = "cancelled", _("Cancelled")
        UNDONE = "undone", _("Undone")

    name = models.CharField(max_length=200)
    mapping = models.CharField(max_length=60)
    sha256 = models.CharField(max_length=64)
    state = models.CharField(max_length=10, choices=State.choices, default=State.CHECKING)
    by = models.ForeignKey("registry.Person", models.PROTECT, null=True, related_name="batches")
    created_at = models.DateTimeField()
    rows = models.PositiveIntegerField(default=0)
    next_row = models.PositiveIntegerField(default=0)
    lease = models.UUIDField(null=True)
    leased_until = models.DateTimeField(null=True)
    counts = models.JSONField(default=dict)

    class Meta:
        ordering = ["-created_at"]


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


class SavedFilter(models.Model):
    """A filter somebody keeps; its query string is its address."""

    person = models.ForeignKey("registry.Person", models.CASCADE, related_name="saved_filters")
    name = models.CharField(_("name"), max_length=100)
    query = models.TextField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["person", "name"], name="savedfilter_once")]


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
