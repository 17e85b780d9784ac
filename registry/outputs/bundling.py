"""The files of a Release: tables, what they mean, where they come from, and how to cite them.

The same release gives the same bytes: nothing in them depends on when or where they were written, only on the rows
of the edition, the policy and the software, which the files name. Texts are in the register's own language.
"""

import csv
import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _

from registry import __version__
from registry.columns import Column
from registry.filters import Selection
from registry.models import Release, Seal
from registry.rules import access, scales
from registry.rules.vocabularies import Holder, Withheld

from . import describing
from .dictionary import CLASS_WORDS
from .formats import FORMATS
from .tables import TABLES

#: The tables of a release, each as CSV; the first also as GeoParquet.
HELD = ("reports", "assessments", "outage_steps", "statements")
SUMS = "SHA256SUMS"
CITATION = "CITATION.cff"


def address(release: Release) -> str:
    """Where its page stands."""
    return f"{settings.BASE_URL}/releases/{release.number}"


def _then(release: Release) -> tuple[str, str]:
    """The name of the register and the address of the release, as they were when it was made first."""
    name, home = release.made.get("register", (settings.REGISTER_NAME, address(release)))
    return name, home


def write(
    release: Release,
    selection: Selection,
    folder: Path,
    *,
    seal: Seal,
    left: int | None,
    progress: Callable[[int], None] = lambda percent: None,
) -> tuple[dict[str, Any], str]:
    """Write the files of a release into an empty folder. Returns what the release says of itself (``rows`` by
    table, ``files``, ``withheld``, ``left``, versions) and the SHA-256 of its SHA256SUMS.

    ``left``: of a release since another, how many rows of that one are not in this selection any more.
    """
    with translation.override(settings.LANGUAGE_CODE):
        rows = {}
        for number, name in enumerate(HELD):
            rows[name] = _table(selection, name, "csv", folder)
            progress(20 * (number + 1) - 5)
        _table(selection, HELD[0], "parquet", folder)
        progress(90)
        made: dict[str, Any] = {
            "rows": rows,
            "left": left,
            "withheld": release.edition.withheld.get(release.audience),
            "software": __version__,
            "policy": release.edition.policy_version,
            "crosswalk": scales.CROSSWALK_VERSION,
            "filter": _filter(release, selection),
            "register": _then(release),
        }
        _csv(folder / "codebook.csv", codebook(release.audience))
        _csv(folder / "codes.csv", codes())
        _csv(folder / "crosswalk.csv", crosswalk())
        described = ["codebook.csv", "codes.csv", "crosswalk.csv"]
        (folder / "README.md").write_text(_readme(release, made, seal))
        (folder / CITATION).write_text(_citation(release, made))
        tables = [f"{name}.csv" for name in HELD]
        hashes = {name: digest(folder / name) for name in tables}
        package = _package(release, made, folder, hashes)
        (folder / "datapackage.json").write_text(json.dumps(package, ensure_ascii=False, indent=1) + "\n")
    names = [
        *tables,
        "reports.parquet",
        *described,
        "datapackage.json",
        CITATION,
        "README.md",
    ]
    made["files"] = [
        {
            "name": name,
            "bytes": (folder / name).stat().st_size,
            "sha256": hashes.get(name) or digest(folder / name),
        }
        for name in names
    ]
    sums = "".join(f"{file['sha256']}  {file['name']}\n" for file in made["files"])
    (folder / SUMS).write_text(sums)
    return made, hashlib.sha256(sums.encode()).hexdigest()


def _table(selection: Selection, name: str, format: str, folder: Path) -> int:
    with (folder / f"{name}.{format}").open("wb") as file:
        return FORMATS[format].write(TABLES[name].sheet(selection), file)


def digest(file: Path) -> str:
    """SHA-256 of a file of a bundle."""
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _csv(file: Path, rows: Iterable[Iterable[Any]]) -> None:
    with file.open("w", newline="") as out:
        csv.writer(out, lineterminator="\n").writerows(rows)


def references(file: Path) -> Iterator[str]:
    """Every report that a release's CSV of reports names: its own rows, and those they are related to."""
    with file.open(newline="") as rows:
        for row in csv.DictReader(rows):
            yield row["reference"]
            yield from row["related"].split()


# -- what its columns mean ---------------------------------------------------------------------------------

_CODEBOOK = ("table", "column", "label", "type", "unit", "vocabulary", "hxl", "meaning", "missing")
#: Units by the ends of names; what has none is a code, a text or a number of things.
_UNITS = {
    "_utc": "UTC, YYYY-MM-DD HH:MM:SS",
    "_m": "metres",
    "_on": "civil date in the place's time zone",
    "_hours": "customer-hours",
    "lat": "degrees north, WGS 84",
    "lon": "degrees east, WGS 84",
    "occurred_from": "civil date in the place's time zone",
    "occurred_to": "civil date in the place's time zone",
    "repair_cost": "as repair_currency says",
    "customers_affected": "as customers_unit says",
    "customers_out": "as customers_unit says",
    "figure": "as figure_unit says",
}
#: Which word of ``withheld`` a column falls under.
_FALLS_UNDER = {
    Withheld.AREA: ("adm2_code", "adm2_name", "adm3_code", "adm3_name", "settlement", "timezone"),
    Withheld.PLACE: ("lat", "lon", "geo_precision", "geo_radius_m"),
    Withheld.NAMES: ("object_name", "address", "sources"),
    Withheld.FIGURES: ("customers_affected", "customers_out", "customer_hours", "customers"),
}


def codebook(audience: str) -> Iterator[tuple[str, ...]]:
    """Every column of every table: what it is, in which unit, and why it may be missing for this audience."""
    yield _CODEBOOK
    for name in HELD:
        for column in TABLES[name].columns:
            unit = next((unit for end, unit in _UNITS.items() if column.name.endswith(end)), "")
            vocabulary = "codes.csv" if column.codes else ""
            said = str(column.help)
            yield (
                name, column.name, str(column.label), column.type, unit, vocabulary, column.hxl, said,
                _missing(column, audience),
            )  # fmt: skip


def _missing(column: Column, audience: str) -> str:
    """Why a value may be missing or coarser than the register's own, in words."""
    if column.name == "reference":
        return _("never")
    word = next((word for word, names in _FALLS_UNDER.items() if column.name in names), None)
    if word is None and column.type == "moment":
        word = Withheld.TIMES
    if word is None and column.type == "date":
        word = Withheld.DAYS
    reasons = [_("not known, or not of this kind of report")]
    if word == Withheld.FIGURES:
        most = access.SMALLEST_FIGURE_SHOWN - 1
        reasons.append(
            _("withheld where a figure in people or households is from 1 to %(most)d") % {"most": most}
        )
    elif word:
        hidden = [
            str(CLASS_WORDS[use_class]).lower()
            for use_class, sight in access.policy(audience).items()
            if sight and str(word) in sight.withheld
        ]
        if hidden:
            said = {"classes": "; ".join(hidden)}
            if word == Withheld.DAYS:
                reasons.append(
                    _("the first day of the month, or its last, in place of the day for %(classes)s") % said
                )
            else:
                reasons.append(_("withheld or made coarser for %(classes)s") % said)
    return ". ".join(reasons)


def codes() -> Iterator[tuple[str, str, str]]:
    """Every code with its words, once for each column that takes it."""
    yield ("column", "code", "label")
    columns = {column.name: column for name in HELD for column in TABLES[name].columns if column.codes}
    for name, column in columns.items():
        yield from ((name, code, str(words)) for code, words in column.codes if code)


def crosswalk() -> Iterator[tuple[Any, ...]]:
    """Every grade of every damage scale, with the EMS-98 grades it may mean and its damage level."""
    yield ("version", "scale", "grade", "label", "ems98_min", "ems98_max", "damage_level")
    for scale in scales.SCALES.values():
        for grade in scale.grades:
            low, high = grade.ems98 or ("", "")
            level = scales.damage_level(grade.ems98)
            yield scales.CROSSWALK_VERSION, scale.code, grade.code, str(grade.label), low, high, level


# -- what it is --------------------------------------------------------------------------------------------


def _filter(release: Release, selection: Selection) -> str:
    words = selection.sentence
    return words if not release.since else f"{words} ({_('since release')} {release.since.number})"


def said(release: Release, made: dict[str, Any], seal: Seal) -> Iterator[tuple[str, Any]]:
    """What a reader must know of a release, as names and values."""
    yield _("Audience"), Holder(release.audience).label
    yield _("Edition"), release.edition.at.isoformat()
    yield _("Filter"), made["filter"]
    yield _("Address of the filter"), release.query or _("none: everything")
    for name, rows in made["rows"].items():
        yield _("Rows of %(table)s") % {"table": name}, f"{rows:,}"
    if release.since:
        yield _("Goes on from"), _then(release.since)[1]
        yield _("Rows of that release that are not in this selection any more"), f"{made['left']:,}"
    if made["withheld"] is not None:
        yield (
            _(
                "Reports logged in months that are over and not published at all, whatever the filter, to tens"
            ),
            f"{made['withheld']:,}",
        )
    yield _("First seal after the edition"), f"{seal.number}: {seal.digest} ({seal.sealed_at.isoformat()})"
    yield _("Version of the policy of what is shown"), made["policy"]
    yield _("Version of the crosswalk of damage scales"), made["crosswalk"]
    yield _("Version of the software"), made["software"]


def _readme(release: Release, made: dict[str, Any], seal: Seal) -> str:
    lines = [f"# {release.title}", "", _("Release %(number)d of %(name)s, %(address)s") % {
        "number": release.number, "name": made["register"][0], "address": made["register"][1]}, ""]  # fmt: skip
    lines += [f"- {name}: {value}" for name, value in said(release, made, seal)]
    lines += [
        "",
        _(
            "The tables are joined by `reference`, statements by `incident`. Each column is explained in "
            "`codebook.csv`, each code in `codes.csv`; `datapackage.json` says the same to programs. "
            "`crosswalk.csv` leads from the grades of every damage scale to EMS-98. Check the files with "
            "`sha256sum -c SHA256SUMS`."
        ),
        "",
        _(
            "Places and names of areas are from GeoNames (CC BY 4.0, https://www.geonames.org) and Natural Earth "
            "(public domain)."
        ),
    ]
    return "\n".join(lines) + "\n"


def _citation(release: Release, made: dict[str, Any]) -> str:
    """Citation File Format 1.2.0 (https://citation-file-format.github.io); JSON's strings are YAML's too."""
    said = {
        "cff-version": "1.2.0",
        "message": _("If you use these data, please cite them as below."),
        "type": "dataset",
        "title": release.title,
        "version": str(release.number),
        "date-released": f"{release.edition.at.date()}",
        "url": made["register"][1],
    }
    lines = [f"{name}: {json.dumps(value, ensure_ascii=False)}" for name, value in said.items()]
    lines += ["authors:", f"  - name: {json.dumps(made['register'][0], ensure_ascii=False)}"]
    return "\n".join(lines) + "\n"


def _package(release: Release, made: dict[str, Any], folder: Path, hashes: dict[str, str]) -> dict[str, Any]:
    resources = []
    for name in HELD:
        file, table = f"{name}.csv", TABLES[name]
        more: dict[str, Any] = {"bytes": (folder / file).stat().st_size, "hash": f"sha256:{hashes[file]}"}
        resources.append(
            describing.resource(name, file, describing.table_schema(table.columns, key=table.key), **more)
        )
    return describing.package(
        f"release-{release.number}",
        release.title,
        resources,
        version=str(release.number),
        homepage=made["register"][1],
        created=release.edition.at.isoformat(),
        description=made["filter"],
    )
