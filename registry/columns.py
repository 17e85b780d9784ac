"""The outgoing columns of every table, in their order: one list a table, from which files, API, dictionary,
import headings and the detail page are made. New columns go at the end.

A column's label, help, type and vocabulary are its model field's own; here stand only its group (what an
audience is given together) and its HXL tag.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.db import models
from django.utils.functional import Promise

from .models import Assessment, Entry, Incident, OutageStep, PastReport, Person, Report, Statement
from .models.rows import BOUNDS
from .rules.vocabularies import BY_NAME, Withheld


@dataclass(frozen=True)
class Column:
    """One outgoing column: its name, its group, its HXL tag ("" for none), and the field it shows: of the
    model ``of``, called ``field_name`` if not as the column is.

    Groups: what, where, place (finer than where: shown where the place is exact), when, how_much, links,
    office (for the office alone).
    """

    name: str
    group: str
    hxl: str = ""
    of: type[models.Model] = Report
    field_name: str = ""

    @cached_property
    def field(self) -> models.Field:
        found = self.of._meta.get_field(self.field_name or self.name)
        assert isinstance(found, models.Field)
        return found

    @property
    def label(self) -> str | Promise:
        return self.field.verbose_name

    @property
    def help(self) -> str | Promise:
        return self.field.help_text

    @property
    def choices(self) -> list[tuple[str, Any]]:
        """Codes and their words; empty where the column is not coded."""
        return list(self.field.choices or ())

    @property
    def codes(self) -> list[tuple[str, Any]]:
        """Codes and their words, also of those that a column of text lists, separated by spaces."""
        return self.choices or list(_LISTED.get(self.name, ()))

    @cached_property
    def type(self) -> str:
        """text, code, integer, decimal, boolean, date or moment."""
        if self.choices:
            return "code"
        for kind, name in (
            (models.DateTimeField, "moment"),
            (models.DateField, "date"),
            (models.DecimalField, "decimal"),
            (models.BooleanField, "boolean"),
            (models.IntegerField, "integer"),
        ):
            if isinstance(self.field, kind):
                return name
        return "text"

    @property
    def decimals(self) -> int:
        """Digits after the point of a decimal column: fixed, so that both databases print the same."""
        return self.field.decimal_places if isinstance(self.field, models.DecimalField) else 0

    @property
    def max_length(self) -> int | None:
        """The most characters it may hold, where there is a limit."""
        return self.field.max_length if isinstance(self.field, models.CharField) else None

    @property
    def bounds(self) -> tuple[int, int] | None:
        """The least and the greatest number it may hold, where it has both."""
        return BOUNDS.get(self.name)

    @property
    def vocabulary(self) -> str:
        """The name of its code list in ``rules.vocabularies``, "" if it is none of them."""
        known = BY_NAME.get(self.name)
        return self.name if known and list(known.choices) == self.choices else ""


#: The codes of columns that list several.
_LISTED = {"withheld": Withheld.choices}


class Word(Column):
    """A column of text that is no field, but one word of an entry, found by its name."""

    label, help, choices, codes, type, decimals = property(lambda self: self.name), "", [], [], "text", 0
    max_length, vocabulary = None, ""


COLUMNS: tuple[Column, ...] = (
    Column("reference", "what", "#meta+id"),
    Column("kind", "what", "#impact+type"),
    Column("sector", "what", "#sector+code"),
    Column("object_type", "what", "#impact+subtype"),
    Column("object_name", "place", "#impact+name"),
    Column("asset", "links", "#meta+asset"),
    Column("site", "links", "#meta+site"),
    Column("strike_no", "links", "#indicator+strike+num"),
    Column("incident", "links", "#event+id"),
    Column("related", "links", "#meta+related+list"),
    Column("status", "what", "#status"),
    Column("outcome", "what", "#status+outcome"),
    Column("country", "where", "#country+code"),
    Column("adm1_code", "where", "#adm1+code"),
    Column("adm1_name", "where", "#adm1+name"),
    Column("adm2_code", "where", "#adm2+code"),
    Column("adm2_name", "where", "#adm2+name"),
    Column("adm3_code", "where", "#adm3+code"),
    Column("adm3_name", "where", "#adm3+name"),
    Column("settlement", "where", "#loc+name"),
    Column("address", "place", "#loc+address"),
    Column("lat", "where", "#geo+lat"),
    Column("lon", "where", "#geo+lon"),
    Column("geo_precision", "where", "#geo+precision"),
    Column("geo_radius_m", "where", "#geo+radius+num"),
    Column("occurred_from", "when", "#date+occurred+start"),
    Column("occurred_to", "when", "#date+occurred+end"),
    Column("date_precision", "when", "#meta+date+precision"),
    Column("started_utc", "when", "#date+started"),
    Column("timezone", "where", "#meta+timezone"),
    Column("cause_group", "what", "#cause+group"),
    Column("cause", "what", "#cause+type"),
    Column("damage_level", "what", "#severity+level"),
    Column("ems98_min", "what", "#severity+ems98+min"),
    Column("ems98_max", "what", "#severity+ems98+max"),
    Column("scale", "what", "#severity+scale"),
    Column("scale_grade", "what", "#severity+grade"),
    Column("method", "what", "#meta+method"),
    Column("assessed_on", "when", "#date+assessed"),
    Column("usability", "what", "#severity+usability"),
    Column("in_use", "what", "#status+in_use"),
    Column("elements", "what", "#impact+elements+list"),
    Column("dwellings_total", "what", "#indicator+dwellings+total+num"),
    Column("dwellings_damaged", "what", "#indicator+dwellings+damaged+num"),
    Column("dwellings_unusable", "what", "#indicator+dwellings+unusable+num"),
    Column("sources", "place", "#meta+source+list"),
    Column("sources_n", "links", "#meta+source+num"),
    Column("sources_agree", "links", "#meta+source+agree"),
    Column("independently_checked", "links", "#meta+checked"),
    Column("logged_utc", "when", "#date+reported"),
    Column("verified_on", "when", "#date+verified"),
    Column("made_safe_on", "when", "#date+made_safe"),
    Column("repaired_on", "when", "#date+repaired"),
    Column("closed_on", "when", "#date+closed"),
    Column("repair_cost", "how_much", "#value+repair"),
    Column("repair_currency", "how_much", "#currency+code"),
    Column("restored_utc", "when", "#date+restored"),
    Column("restriction", "how_much", "#status+restriction"),
    Column("customers_unit", "how_much", "#indicator+customers+unit"),
    Column("customers_affected", "how_much", "#indicator+customers+affected+num"),
    Column("customers_out", "how_much", "#indicator+customers_out+num"),
    Column("customer_hours", "how_much", "#indicator+customer_hours+num"),
    Column("figures_as_of_utc", "when", "#date+figures"),
    Column("etr_utc", "when", "#date+restoration+expected"),
    Column("summary", "what", "#description"),
    Column("withheld", "what", "#meta+withheld+list"),
    Column("updated_utc", "what", "#date+updated"),
)

#: What each version of a row has beside.
SPAN = (
    Column("valid_from_utc", "when", "#date+valid+start", PastReport, "valid_from"),
    Column("valid_to_utc", "when", "#date+valid+end", PastReport, "valid_to"),
)

ASSESSMENTS = (
    Column("reference", "what", "#meta+id"),
    Column("scale", "what", "#severity+scale", Assessment),
    Column("scale_grade", "what", "#severity+grade", Assessment),
    Column("method", "what", "#meta+method", Assessment),
    Column("assessed_on", "when", "#date+assessed", Assessment),
    Column("damage_level", "what", "#severity+level", Assessment),
    Column("ems98_min", "what", "#severity+ems98+min", Assessment),
    Column("ems98_max", "what", "#severity+ems98+max", Assessment),
    Column("usability", "what", "#severity+usability", Assessment),
    Column("part_seen", "what", "#meta+seen", Assessment),
    Column("elements", "what", "#impact+elements+list", Assessment),
    Column("chosen", "what", "#meta+chosen", Assessment),
    Column("recorded_utc", "when", "#date+recorded", Assessment, "recorded_at"),
)

OUTAGE_STEPS = (
    Column("reference", "what", "#meta+id"),
    Column("at_utc", "when", "#date+occurred", OutageStep, "at"),
    Column("direction", "how_much", "#event+type", OutageStep),
    Column("customers", "how_much", "#indicator+customers+num", OutageStep),
    Column("everyone", "how_much", "#indicator+customers+all", OutageStep),
    Column("customers_unit", "how_much", "#indicator+customers+unit"),
    Column("restriction", "how_much", "#status+restriction", OutageStep),
    Column("recorded_utc", "when", "#date+recorded", OutageStep, "recorded_at"),
)

STATEMENTS = (
    Column("incident", "links", "#event+id", Incident, "reference"),
    Column("type", "what", "#event+type", Statement),
    Column("area", "where", "#loc+area+code", Statement),
    Column("text", "what", "#description", Statement),
    Column("said_by", "what", "#meta+source", Statement),
    Column("said_utc", "when", "#date+said", Statement, "said_at"),
    Column("certainty", "what", "#meta+certainty", Statement),
    Column("figure", "how_much", "#indicator+figure+num", Statement),
    Column("figure_unit", "how_much", "#indicator+figure+unit", Statement),
    Column("url", "what", "#meta+url", Statement),
)

#: The words of an entry that have a column of their own.
WORDS = ("question", "answer", "reason", "note")
ENTRIES = (
    Column("reference", "office", "#meta+id"),
    Column("number", "office", "#meta+entry+num", Entry),
    Column("kind", "office", "#event+type", Entry),
    Column("move", "office", "#event+move", Entry),
    Column("from_status", "office", "#status+from", Entry),
    Column("to_status", "office", "#status+to", Entry),
    Column("happened_utc", "office", "#date+occurred", Entry, "happened_at"),
    Column("recorded_utc", "office", "#date+recorded", Entry, "recorded_at"),
    Column("role", "office", "#contact+role", Entry),
    Column("by", "office", "#contact+name", Person, "name"),
    *(Word(word, "office", f"#description+{word}") for word in WORDS),
    Column("body", "office", "#meta+body", Entry),
    Column("digest", "office", "#meta+digest", Entry),
)
