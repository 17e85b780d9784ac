"""Areas of the world, other schemes' codes for them, assets, and how many customers are served."""

from django.db import models
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from registry.rules.vocabularies import OBJECT_TYPE_CHOICES, Kind, Sector

from .identity import new_reference


class Area(models.Model):
    """A country (level 0), region (1), district (2) or smaller (3).

    ``code`` is ISO 3166-1 alpha-2 or ISO 3166-2 where there is one, else the GeoNames id; an area that
    this register loaded itself carries the code its file gave it.
    """

    code = models.CharField(_("code"), max_length=20, unique=True)
    level = models.PositiveSmallIntegerField(_("level"))
    parent = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="children")
    country = models.CharField(_("country"), max_length=2)
    geonames_id = models.BigIntegerField(null=True, blank=True)
    name = models.CharField(_("name"), max_length=200)
    name_local = models.CharField(max_length=200, blank=True)
    name_uk = models.CharField(max_length=200, blank=True)
    name_ru = models.CharField(max_length=200, blank=True)
    lat = models.DecimalField(max_digits=9, decimal_places=6, null=True, blank=True)
    lon = models.DecimalField(max_digits=9, decimal_places=6, null=True, blank=True)
    radius_m = models.PositiveIntegerField(null=True, blank=True)
    timezone = models.CharField(_("time zone"), max_length=40, blank=True)

    #: What it takes to name an area.
    NAMED = ("code", "level", "name", "name_uk", "name_ru")

    class Meta:
        ordering = ["name", "code"]
        indexes = [models.Index(fields=["country", "level", "name"])]
        constraints = [
            models.CheckConstraint(condition=models.Q(level__lte=3), name="area_level_known"),
            models.CheckConstraint(
                condition=models.Q(level=0, parent=None) | models.Q(level__gte=1, parent__isnull=False),
                name="area_has_parent",
            ),
        ]

    def __str__(self) -> str:
        """The name in the reader's language where the sources have it."""
        return getattr(self, f"name_{get_language() or ''}"[:7], "") or self.name


class AreaCode(models.Model):
    """A code of another scheme (P-codes of COD-AB, COATSU, FIPS …) for an area."""

    area = models.ForeignKey(Area, models.CASCADE, related_name="codes")
    scheme = models.CharField(max_length=30)
    code = models.CharField(max_length=40)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["scheme", "code"], name="areacode_unique")]


class KnownPlace(models.Model):
    """A place that no gazetteer knew and a person set on the map: found by its name within the area it was named in."""

    key = models.CharField(max_length=300, help_text="The folded name, see `geocoding.names.fold`.")
    area = models.CharField(max_length=20, help_text="The code of the area it was named in.")
    name = models.CharField(max_length=300)
    lat = models.DecimalField(max_digits=9, decimal_places=6)
    lon = models.DecimalField(max_digits=9, decimal_places=6)
    by = models.ForeignKey("registry.Person", models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["key", "area"], name="knownplace_unique")]


class CustomersServed(models.Model):
    """How many customers an operator serves in an area from a day on: the NT of SAIFI and SAIDI."""

    area = models.ForeignKey(Area, models.PROTECT, related_name="+")
    operator = models.CharField(max_length=150, blank=True)
    sector = models.CharField(max_length=12, choices=Sector.choices)
    since = models.DateField()
    customers = models.PositiveBigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["area", "operator", "sector", "since"], name="served_unique")
        ]


class Asset(models.Model):
    """The building, line or site itself; ``part_of`` another, one level deep."""

    reference = models.CharField(_("reference"), max_length=9, unique=True, default=new_reference)
    kind = models.CharField(_("kind"), max_length=8, choices=Kind.choices)
    sector = models.CharField(_("sector"), max_length=12, choices=Sector.choices, blank=True)
    object_type = models.CharField(_("use or type"), max_length=20, choices=OBJECT_TYPE_CHOICES)
    name = models.CharField(_("name"), max_length=300, blank=True)
    part_of = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="parts")

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return self.name or self.reference
