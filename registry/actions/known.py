"""Names that people set on the map: remembered for an area, listed, corrected and forgotten by who may place there."""

from decimal import Decimal

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from registry.forms.places import Lineage, another_area, codes_of, known_keys, lineage, name_of
from registry.geocoding.names import fold
from registry.models import KnownPlace, Person
from registry.rules import access
from registry.rules.access import Verb

from . import journal
from .journal import Refused


def remember(typed: str, area: Lineage, *, by: Person, lat: Decimal, lon: Decimal) -> None:
    """Keep the point of a name that no gazetteer knew, for the area it was named in; the last word counts. A street
    alone is no place."""
    name = name_of(typed)
    if key := fold(name):
        known = {"name": name, "by": by, "at": journal.now(), "lat": lat, "lon": lon}
        KnownPlace.objects.update_or_create(key=key, area=codes_of(area)[0], defaults=known)
        known_keys.forget()


def may(person: Person, known: KnownPlace) -> bool:
    """Whether the person places reports in the area of a name, and so may correct and forget it."""
    area = lineage(known.area)
    return area is not None and access.may(person, Verb.LOCATE) and person.scope.holds(area.codes)


def correct(pk: int, *, by: Person, lat: Decimal, lon: Decimal) -> KnownPlace:
    """Put a name somewhere else in its area. Reports stay where they are."""
    with transaction.atomic():
        known = _locked(pk, by)
        if there := another_area(lineage(known.area), lat, lon):
            words = _("This point lies in %(there)s, outside the area of the name.") % {"there": there}
            raise Refused(words, code="area", field="lat")
        if (known.lat, known.lon) != (lat, lon):
            known.lat, known.lon, known.by, known.at = lat, lon, by, journal.now()
            known.save()
    return known


def forget(pk: int, *, by: Person) -> None:
    """Let a name be unknown again. Reports stay where they are."""
    with transaction.atomic():
        _locked(pk, by).delete()
    known_keys.forget()


def _locked(pk: int, by: Person) -> KnownPlace:
    known = KnownPlace.objects.select_for_update().filter(pk=pk).first()
    if known is None or not may(by, known):
        raise Refused(_("There is no such name in your areas."), code="known")
    return known


def within(person: Person) -> list[str]:
    """The codes of the areas with names that a person may see: those in which they place reports."""
    areas = KnownPlace.objects.order_by("area").values_list("area", flat=True).distinct()
    found = {code: lineage(code) for code in areas}
    return [code for code, area in found.items() if area and person.scope.holds(area.codes)]
