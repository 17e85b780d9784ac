"""How many customers are served where: the denominators of SAIFI and SAIDI, from an operator's table."""

from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from registry.models import Area, AreaCode, CustomersServed
from registry.rules.vocabularies import Sector
from registry.tabular import Row, Table

COLUMNS = ("area", "operator", "sector", "since", "customers")


class BadServed(ValueError):
    """What is wrong with the table, in words, by row and column."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def load(file: Path) -> int:
    """Take the rows of a table into the register, all or nothing, and return how many there are; what it says
    anew of the same area, operator, sector and day takes the place of what was said. Raises BadServed and
    BadTable.

    Columns: ``area`` (ISO 3166, GeoNames or P-code), ``operator`` (may be empty), ``sector``, ``since`` (a
    day), ``customers`` (a whole number).
    """
    table = Table(file)
    if missing := [name for name in COLUMNS if name not in table.headings]:
        said = _("No column %(missing)s. The headings are: %(headings)s")
        raise BadServed([said % {"missing": ", ".join(missing), "headings": ", ".join(table.headings)}])
    rows = list(table.rows())
    areas = _areas(row.cells["area"] for row in rows if not row.problem)
    problems: list[str] = []
    lines: dict[tuple[Any, ...], CustomersServed] = {}
    for row in rows:
        line, wrong = _line(row, areas)
        problems += [
            _("Row %(row)d, %(column)s: %(said)s") % {"row": row.number, "column": column, "said": said}
            for column, said in wrong
        ]
        if line:
            key = line.area_id, line.operator, line.sector, line.since
            if key in lines and lines[key].customers != line.customers:
                problems.append(_("Row %(row)d: said twice, differently.") % {"row": row.number})
            lines[key] = line
    if problems:
        raise BadServed(problems)
    with transaction.atomic():
        CustomersServed.objects.bulk_create(
            lines.values(),
            update_conflicts=True,
            unique_fields=["area", "operator", "sector", "since"],
            update_fields=["customers"],
        )
    return len(lines)


def _areas(codes: Iterable[str]) -> dict[str, Area]:
    """The areas of these codes; one of another scheme only where a single area has it."""
    wanted = set(codes)
    found: dict[str, set[Area]] = {}
    for other in AreaCode.objects.filter(code__in=wanted).select_related("area"):
        found.setdefault(other.code, set()).add(other.area)
    single = {code: areas.pop() for code, areas in found.items() if len(areas) == 1}
    ids = [code for code in wanted if code.isdigit()]
    for area in Area.objects.filter(Q(code__in=wanted) | Q(geonames_id__in=ids)):
        single |= {area.code: area, str(area.geonames_id): area}
    return single


def _line(row: Row, areas: dict[str, Area]) -> tuple[CustomersServed | None, list[tuple[str, str]]]:
    """What the row says, or what is wrong with it as columns and words."""
    if row.problem:
        return None, [("", str(row.problem))]
    wrong = []
    area = areas.get(row.cells["area"])
    if area is None:
        wrong.append(("area", _("“%(text)s” is the code of no known area.") % {"text": row.cells["area"]}))
    sector = row.cells["sector"]
    if sector not in Sector.values:
        takes = ", ".join(Sector.values)
        wrong.append(("sector", _("“%(text)s” is none of: %(takes)s.") % {"text": sector, "takes": takes}))
    try:
        since = date.fromisoformat(row.cells["since"])
    except ValueError:
        said = _("“%(text)s” is no day like 2026-03-01.")
        wrong.append(("since", said % {"text": row.cells["since"]}))
    text = row.cells["customers"]
    if not (text.isascii() and text.isdigit() and len(text) <= 12):
        wrong.append(("customers", _("“%(text)s” is no whole number.") % {"text": text}))
    if len(row.cells["operator"]) > 150:
        wrong.append(("operator", _("Longer than 150 characters.")))
    if wrong:
        return None, wrong
    line = CustomersServed(
        area=area, operator=row.cells["operator"], sector=sector, since=since, customers=int(text)
    )
    return line, []
