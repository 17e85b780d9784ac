"""Damage scales and the crosswalk to EMS-98.

A native grade is kept as its source gave it; the crosswalk adds ``ems98_min``, ``ems98_max`` (0–5) and a
``damage_level``. Sources: Grünthal (ed.), European Macroseismic Scale 1998; Copernicus EMS rapid mapping
damage grades; UNOSAT ``Main_Damage_Site_Class``; FEMA Preliminary Damage Assessment guide; Ukraine's
technical inspection categories; ACAPS infrastructure damage data set (extent of damage).
"""

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from .vocabularies import DamageLevel, Method

#: Raise it with every change of a grade below; Releases print it.
CROSSWALK_VERSION = "1"


@dataclass(frozen=True)
class Grade:
    """One native grade: its code, its words, and the EMS-98 grades it may mean (None: no grade)."""

    code: str
    label: Any
    ems98: tuple[int, int] | None
    help: Any = ""


@dataclass(frozen=True)
class Scale:
    code: str
    label: Any
    grades: tuple[Grade, ...]

    def grade(self, code: str) -> Grade:
        """The grade of this code; KeyError if the scale has none."""
        return {grade.code: grade for grade in self.grades}[code]


_EMS98 = Scale(
    "ems98",
    _("EMS-98"),
    (
        Grade("0", _("0 – no damage"), (0, 0)),
        Grade(
            "1",
            _("1 – negligible to slight"),
            (1, 1),
            _("Hair cracks in few walls; fine cracks in plaster over frame members or in partitions."),
        ),
        Grade(
            "2",
            _("2 – moderate"),
            (2, 2),
            _(
                "Cracks in many walls, large pieces of plaster fall; cracks in columns, beams or "
                "structural walls, brittle cladding falls."
            ),
        ),
        Grade(
            "3",
            _("3 – substantial to heavy"),
            (3, 3),
            _(
                "Large, extensive cracks, roof tiles detach; cracks at column bases and joints, "
                "concrete cover spalls, reinforcement buckles."
            ),
        ),
        Grade(
            "4",
            _("4 – very heavy"),
            (4, 4),
            _(
                "Walls fail seriously, roofs and floors fail in part; columns tilt, a few columns or one "
                "upper floor collapse."
            ),
        ),
        Grade(
            "5",
            _("5 – destruction"),
            (5, 5),
            _("Total or near-total collapse; ground floor or wings collapse."),
        ),
    ),
)

SCALES: dict[str, Scale] = {
    scale.code: scale
    for scale in (
        _EMS98,
        Scale(
            "copernicus",
            _("Copernicus EMS"),
            (
                Grade("no_visible_damage", _("No visible damage"), (0, 0)),
                Grade("possibly_damaged", _("Possibly damaged"), (1, 2)),
                Grade("damaged", _("Damaged"), (3, 4)),
                Grade("destroyed", _("Destroyed"), (5, 5)),
            ),
        ),
        Scale(
            "unosat",
            _("UNOSAT"),
            (
                Grade("6", _("6 – no visible damage"), (0, 0)),
                Grade("4", _("4 – possible damage"), (1, 2)),
                Grade("11", _("11 – possible damage from adjacent debris"), (1, 2)),
                Grade("3", _("3 – moderate damage"), (3, 3)),
                Grade("2", _("2 – severe damage"), (4, 4)),
                Grade("1", _("1 – destroyed"), (5, 5)),
            ),
        ),
        Scale(
            "fema_pda",
            _("FEMA preliminary damage assessment"),
            (
                Grade("affected", _("Affected"), (1, 1)),
                Grade("minor", _("Minor"), (2, 2)),
                Grade("major", _("Major"), (3, 4)),
                Grade("destroyed", _("Destroyed"), (5, 5)),
                Grade("inaccessible", _("Inaccessible"), None),
            ),
        ),
        Scale(
            "ua_technical",
            _("Ukraine, technical inspection"),
            (
                Grade("I", _("Category I"), (1, 2)),
                Grade("II", _("Category II"), (3, 3)),
                Grade("III", _("Category III"), (4, 5)),
            ),
        ),
        Scale(
            "acaps",
            _("ACAPS extent of damage"),
            (
                Grade("partially_damaged", _("Partially damaged"), (1, 4)),
                Grade("destroyed", _("Destroyed"), (5, 5)),
                Grade("unknown", _("Unknown"), None),
            ),
        ),
    )
}

SCALE_CHOICES = [(scale.code, scale.label) for scale in SCALES.values()]

_LEVEL_OF_RANGE = {
    (0, 0): DamageLevel.NONE,
    (1, 1): DamageLevel.MINOR,
    (1, 2): DamageLevel.MINOR,
    (2, 2): DamageLevel.MINOR,
    (3, 3): DamageLevel.MODERATE,
    (3, 4): DamageLevel.SEVERE,
    (4, 4): DamageLevel.SEVERE,
    (4, 5): DamageLevel.SEVERE,
    (5, 5): DamageLevel.DESTROYED,
}


def damage_level(ems98: tuple[int, int] | None) -> DamageLevel:
    """The word for a range of EMS-98 grades; ``damaged`` where the range is too wide for a better one."""
    if ems98 is None:
        return DamageLevel.UNKNOWN
    return _LEVEL_OF_RANGE.get(ems98, DamageLevel.DAMAGED)


def crosswalk(scale: str, grade: str) -> dict[str, Any]:
    """``ems98_min``, ``ems98_max`` and ``damage_level`` of a native grade; KeyError for unknown codes."""
    ems98 = SCALES[scale].grade(grade).ems98
    low, high = ems98 or (None, None)
    return {"ems98_min": low, "ems98_max": high, "damage_level": damage_level(ems98)}


#: Damage levels from the least to the worst; "unknown" says nothing and ranks last of all.
SEVERITY = ("unknown", "none", "damaged", "minor", "moderate", "severe", "destroyed")

#: Strength of methods, strongest first: the current grade is the newest of the strongest method.
METHODS_BY_STRENGTH = tuple(Method.values)
