"""A report's story: its entries and their texts, what hangs on it, editions, seals and tallies."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from registry.rules import scales, supply
from registry.rules import vocabularies as v

from .reports import Report
from .rows import code_field, day, moment, text_field
from .sql import Compact


class Seal(models.Model):
    """SHA-256 of the seal before and of all entries sealed with it, in order of their ids."""

    number = models.PositiveIntegerField(unique=True)
    sealed_at = models.DateTimeField()
    entries = models.PositiveIntegerField()
    digest = models.CharField(max_length=64)

    class Meta:
        ordering = ["number"]


class Entry(models.Model):
    """A line of a report's timeline: written once, never changed or deleted (the database refuses).

    ``body`` is the canonical text (see ``actions.journal``), ``digest`` its SHA-256, the bytes. The columns
    beside repeat what lists need; ``verify`` compares them with the body. Only ``seal`` is set later, once.
    """

    report = models.ForeignKey(Report, models.PROTECT, related_name="entries", db_index=False)
    number = models.PositiveIntegerField(
        _("number"), help_text=_("1 for the first line of a report, and so on.")
    )
    kind = code_field(_("kind"), v.EntryKind.choices, length=12)
    by = models.ForeignKey("registry.Person", models.PROTECT, null=True, db_index=False, related_name="+")
    role = code_field(_("role"), v.Role.choices, length=12)
    happened_at = models.DateTimeField(_("happened, UTC"))
    recorded_at = models.DateTimeField(_("recorded, UTC"))
    from_status = code_field(_("from"), v.Status.choices)
    to_status = code_field(_("to"), v.Status.choices)
    move = models.CharField(_("move"), max_length=24, blank=True)
    body = models.TextField(_("body"), help_text=_("What changed, before and after, as canonical JSON."))
    digest = models.BinaryField(_("digest"), max_length=32, help_text=_("SHA-256 of the body."))
    seal = models.ForeignKey(Seal, models.PROTECT, null=True, related_name="+")

    class Meta:
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["report", "number"], name="entry_once")]
        indexes = [
            models.Index(fields=["id"], name="entry_unsealed", condition=Q(seal=None)),
            models.Index(fields=["-id"], name="entry_answers", condition=Q(move="answer")),
        ]


class Wording(models.Model):
    """The free texts of an entry, kept apart so that each can be erased alone, with its salt.

    ``texts``: the field or word it belongs to → its salt (``SALT`` characters), then the text; the entry
    holds the digest of the two.
    """

    #: Characters of a salt: 16 random bytes.
    SALT = 22

    entry = models.OneToOneField(Entry, models.PROTECT, primary_key=True)
    texts = models.JSONField(encoder=Compact)

    def words(self) -> dict[str, str]:
        """The texts without their salts, in the order of their names."""
        return {name: salted[self.SALT :] for name, salted in sorted(self.texts.items())}


class Child(models.Model):
    """What hangs on a report is append-only: a wrong line is voided by a later one.

    The entry that added a line holds its digest.
    """

    report = models.ForeignKey(Report, models.PROTECT, related_name="%(class)s_lines")
    entry = models.ForeignKey(Entry, models.PROTECT, db_index=False, related_name="%(class)s_lines")
    recorded_at = models.DateTimeField()
    recorded_by = models.ForeignKey(
        "registry.Person", models.PROTECT, null=True, db_index=False, related_name="+"
    )
    voided_at = models.DateTimeField(null=True, blank=True)
    salt = models.CharField(
        max_length=22, editable=False, help_text="Of the digest; empty once a text here was erased."
    )

    class Meta:
        abstract = True
        ordering = ["pk"]


class Assessment(Child):
    """A grade on a named scale, by a method, by a person, on a day: the state after this strike."""

    scale = code_field(_("damage scale"), scales.SCALE_CHOICES)
    scale_grade = text_field(_("grade"), 30)
    method = code_field(_("method"), v.Method.choices)
    assessed_on = models.DateField(_("date of assessment"))
    ems98_min = models.PositiveSmallIntegerField(
        _("lowest EMS-98 grade"), null=True, help_text=_("0 to 5; what the grade may mean.")
    )
    ems98_max = models.PositiveSmallIntegerField(
        _("highest EMS-98 grade"), null=True, help_text=_("0 to 5; what the grade may mean.")
    )
    damage_level = code_field(_("damage level"), v.DamageLevel.choices)
    usability = code_field(_("usability"), v.Usability.choices)
    hazards = text_field(_("hazards"), 100)
    part_seen = code_field(_("part seen"), v.PartSeen.choices)
    elements = text_field(_("damaged elements"), 500, _("Element:extent pairs, sorted, separated by spaces."))
    act_number = text_field(_("act number"), 60)
    act_members = text_field(_("members of the commission"), 500)
    independent_source = text_field(_("independent source"), 500)
    chosen = models.BooleanField(
        _("chosen"), default=False, help_text=_("Whether a supervisor named it the current grade.")
    )


class OutageStep(Child):
    """At this time this many customers lost or got back supply, or a restriction changed."""

    at = models.DateTimeField(_("time"))
    direction = models.CharField(_("lost or back"), max_length=4, choices=supply.DIRECTION_CHOICES)
    customers = models.PositiveIntegerField(
        _("customers"), null=True, blank=True, help_text=_("Leave empty if not known.")
    )
    everyone = models.BooleanField(_("everybody"), default=False)
    restriction = code_field(_("restriction"), v.Restriction.choices)
    diverted_to = text_field(_("diverted to"), 200)


class Estimate(Child):
    """An estimate of restoration: given at, for a time after its giving, or still assessing (no time)."""

    given_at = models.DateTimeField(_("given"))
    restored_by = moment(_("supply back by"))

    class Meta(Child.Meta):
        abstract = False
        constraints = [
            models.CheckConstraint(
                condition=Q(restored_by=None) | Q(restored_by__gt=models.F("given_at")),
                name="estimate_after_giving",
            )
        ]


class Source(Child):
    """Who said it, where and when, and the grade they claim. ``ref`` is the source's own id of it."""

    type = code_field(_("type of source"), v.SourceType.choices, length=10)
    name = text_field(_("source"), 200)
    ref = text_field(_("its own reference"), 200)
    url = models.URLField(_("address"), max_length=1000, blank=True)
    published_on = day(_("published"))
    scale = code_field(_("damage scale"), scales.SCALE_CHOICES)
    scale_grade = text_field(_("grade it claims"), 30)


class Link(Child):
    """A link to another report; damage and the outage it caused are two reports, linked."""

    other = models.ForeignKey(Report, models.PROTECT, related_name="links_to")
    type = code_field(_("type of link"), v.LinkType.choices, length=8)


class Evidence(Child):
    """A photo or document: the original sealed, a cleaned copy shown. Files lie in ``DATA_DIR/evidence``
    under their SHA-256; none has a static address."""

    sha256 = models.CharField(max_length=64)
    shown_sha256 = models.CharField(max_length=64)
    media_type = models.CharField(max_length=40)
    size = models.PositiveIntegerField()
    caption = text_field(_("caption"), 200)
    taken_on = day(_("taken on"))
    stage = models.CharField(
        _("shows"),
        max_length=6,
        choices=[("damage", _("The damage")), ("after", _("After the repair"))],
        default="damage",
    )


#: What hangs on a report, in the order pages show it.
CHILDREN: tuple[type[Child], ...] = (Assessment, OutageStep, Estimate, Source, Link, Evidence)


class ToldApart(models.Model):
    """Two reports that a person looked at and found to be two: never offered to each other again."""

    first = models.ForeignKey(Report, models.PROTECT, related_name="+")
    second = models.ForeignKey(Report, models.PROTECT, related_name="+")
    by = models.ForeignKey("registry.Person", models.PROTECT, db_index=False, related_name="+")
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["first", "second"], name="toldapart_once"),
            models.CheckConstraint(condition=Q(first__lt=models.F("second")), name="toldapart_in_order"),
        ]


class Edition(models.Model):
    """A day's state as the audiences see it, made by ``editions.publish``.

    ``month_end``: the first one after a month's end. ``last_entry``: the newest entry's id when it was made.
    ``policy``: how strict it was (audience → class → ``Sight.strictness``). ``vanished``: audience → how
    many versions left its past with this edition or since. ``withheld``: audience → how many reports logged
    in closed months it did not see at the last month's end, rounded to tens.
    """

    at = models.DateTimeField(unique=True)
    made_at = models.DateTimeField()
    policy_version = models.CharField(max_length=20)
    policy = models.JSONField(default=dict)
    month_end = models.BooleanField(default=False)
    last_entry = models.BigIntegerField(default=0)
    vanished = models.JSONField(default=dict)
    withheld = models.JSONField(default=dict)

    class Meta:
        ordering = ["-at"]


class Vanished(models.Model):
    """How many versions an audience had from one edition until another (or until it was withdrawn) that were
    deleted since: their reports were withdrawn, or are shown less precisely. Of a report one version at most held
    at any moment. Lines are added, never changed."""

    holder = models.CharField(max_length=10)
    valid_from = models.DateTimeField()
    valid_to = models.DateTimeField()
    n = models.BigIntegerField()

    class Meta:
        indexes = [models.Index(fields=["holder", "valid_from", "valid_to", "n"], name="vanished_then")]


class Tally(models.Model):
    """How many live rows a holder has by area, kind, sector, status and level; no unmerged ones."""

    holder = models.CharField(max_length=10)
    area = models.CharField(max_length=20)
    kind = models.CharField(max_length=8)
    sector = models.CharField(max_length=12)
    status = models.CharField(max_length=20)
    damage_level = models.CharField(max_length=20)
    n = models.BigIntegerField()
    customers_out = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["holder", "area", "kind", "sector", "status", "damage_level"], name="tally_once"
            )
        ]


class Cluster(models.Model):
    """The pyramid of the map: live rows of a holder by zoom level, cell prefix, area and damage level.

    Live: neither withdrawn nor rejected nor duplicate; rows without a place are not in it.
    """

    #: The zoom levels kept; the map reads five below a tile's own, and rows themselves beyond the last.
    ZOOMS = range(5, 18)

    holder = models.CharField(max_length=10)
    zoom = models.PositiveSmallIntegerField()
    cell = models.BigIntegerField()
    area = models.CharField(max_length=20)
    damage_level = models.CharField(max_length=20)
    n = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["holder", "zoom", "cell", "area", "damage_level"], name="cluster_once"
            )
        ]


class TallyDelta(models.Model):
    """A change of the office's tallies that the worker has not merged yet; readers add it."""

    area = models.CharField(max_length=20)
    kind = models.CharField(max_length=8)
    sector = models.CharField(max_length=12)
    status = models.CharField(max_length=20)
    damage_level = models.CharField(max_length=20)
    cell = models.BigIntegerField(null=True)
    n = models.SmallIntegerField()
    customers_out = models.BigIntegerField(default=0)


class DayFigure(models.Model):
    """The figures of a day for the front page: written once a day by the worker and by editions."""

    holder = models.CharField(max_length=10)
    area = models.CharField(max_length=20)
    day = models.DateField()
    open_damage = models.BigIntegerField()
    customers_out = models.BigIntegerField()
    repairs = models.BigIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["holder", "area", "day"], name="dayfigure_once")]
