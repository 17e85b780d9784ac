"""Writes a sheet of a workbook, or a GeoJSON, as CSV to standard output, and what is to say of it as a line of
JSON to standard error.

It is run as a script in a process of its own, with little memory and time: a few bytes of a workbook may ask
for terabytes, which ends the process that reads them. It knows nothing of the register.
"""

import csv
import json
import sys
import zipfile
from collections import Counter
from datetime import date, datetime, time, timedelta
from typing import Any
from xml.parsers import expat

#: Degrees: a shape no wider and higher than this, some 300 metres, stands for a point.
SMALL = 0.003
MEMORY = 2_000_000_000
SECONDS = 120


class Refused(Exception):
    """Code of what is wrong, for ``packed``."""


def workbook(path: str, wanted: str) -> dict[str, Any]:
    import python_calamine as calamine

    try:
        with open(path, "rb") as file:
            book = calamine.CalamineWorkbook.from_filelike(file)
        sheets = [
            sheet.name
            for sheet in book.sheets_metadata
            if sheet.typ == calamine.SheetTypeEnum.WorkSheet
            and sheet.visible == calamine.SheetVisibleEnum.Visible
        ]
        if wanted and wanted not in sheets:
            raise Refused("no_sheet", ", ".join(sheets))
        for name in [wanted] if wanted else sheets:
            sheet = book.get_sheet_by_name(name)
            if sheet.end is not None:
                break
        else:
            raise Refused("empty")
        rows = sheet.to_python(skip_empty_area=False)
        merged = sheet.merged_cell_ranges or _merged_in_ods(path, name)
    except calamine.PasswordError:
        raise Refused("password") from None
    except calamine.CalamineError as error:
        raise Refused("broken", str(error)[:200]) from None
    down, across = 0, set()
    for (top, left), (bottom, right) in merged:
        if right > left:
            across.add(top + 1)
        for row in rows[top + 1 : bottom + 1]:
            if left < len(row) and rows[top][left] != "":
                row[left] = rows[top][left]
                down += 1
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerows([_text(cell) for cell in row] for row in rows)
    return {"sheet": name, "sheets": sheets, "down": down, "across": sorted(across)[:100]}


_TABLE = "urn:oasis:names:tc:opendocument:xmlns:table:1.0 "


def _merged_in_ods(path: str, sheet: str) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    """The merged cells of an OpenDocument sheet, which calamine does not tell: top and left, bottom and right,
    from 0. A cell says how far it spans; those it covers stand after it as cells of their own."""
    if not zipfile.is_zipfile(path):
        return []
    with zipfile.ZipFile(path) as archive:
        if "content.xml" not in archive.namelist():
            return []
        spans = _Spans(sheet)
        with archive.open("content.xml") as content:
            spans.read(content)
    return spans.found


class _Spans:
    """Counts rows and columns of a sheet on the way through its XML."""

    def __init__(self, sheet: str) -> None:
        self.sheet = sheet
        self.found: list[tuple[tuple[int, int], tuple[int, int]]] = []
        self.inside, self.row, self.column, self.repeated = False, 0, 0, 1

    def read(self, content: Any) -> None:
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.StartElementHandler, parser.EndElementHandler = self._start, self._end
        parser.EntityDeclHandler = self._entity
        try:
            parser.ParseFile(content)
        except (expat.ExpatError, ValueError) as error:
            raise Refused("broken", str(error)[:200]) from None

    def _entity(self, *_said: Any) -> None:
        raise Refused("broken", "ENTITY")

    def _start(self, name: str, said: dict[str, str]) -> None:
        kind = name.removeprefix(_TABLE)
        if kind == name:
            return
        if kind == "table":
            self.inside = said.get(f"{_TABLE}name") == self.sheet
        elif not self.inside:
            return
        elif kind == "table-row":
            self.column, self.repeated = 0, int(said.get(f"{_TABLE}number-rows-repeated", 1))
        elif kind in ("table-cell", "covered-table-cell"):
            down, across = (
                int(said.get(f"{_TABLE}number-{what}-spanned", 1)) for what in ("rows", "columns")
            )
            if down > 1 or across > 1:
                here = self.row, self.column
                self.found.append((here, (self.row + down - 1, self.column + across - 1)))
            self.column += int(said.get(f"{_TABLE}number-columns-repeated", 1))

    def _end(self, name: str) -> None:
        if self.inside and name == f"{_TABLE}table-row":
            self.row += self.repeated


def _text(cell: Any) -> str:
    if isinstance(cell, bool):
        return str(cell).lower()
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else repr(cell)
    if isinstance(cell, datetime):
        return (cell + timedelta(microseconds=500_000)).replace(microsecond=0).isoformat(" ")
    if isinstance(cell, time):
        return cell.replace(microsecond=0).isoformat()
    if isinstance(cell, date):
        return cell.isoformat()
    if isinstance(cell, timedelta):
        minutes, seconds = divmod(round(cell.total_seconds()), 60)
        return f"{minutes // 60}:{minutes % 60:02}:{seconds:02}"
    return str(cell)


def geojson(path: str) -> dict[str, Any]:
    """The properties of features, and the latitude and longitude of those that are points, or as small as a building:
    then of their middle."""
    try:
        with open(path, encoding="utf-8-sig") as file:
            whole = json.load(file)
    except UnicodeDecodeError:
        raise Refused("json", "UTF-8") from None
    except json.JSONDecodeError as error:
        raise Refused("json", f"{error.msg}, {error.lineno}:{error.colno}") from None
    features = whole.get("features") if isinstance(whole, dict) else None
    if not isinstance(features, list):
        raise Refused("no_features")
    system = json.dumps(whole.get("crs") or "")
    if whole.get("crs") and not any(known in system for known in ("CRS84", "4326")):
        raise Refused("crs", system[:100])
    columns: dict[str, None] = {}
    for number, feature in enumerate(features, 2):
        properties = feature.get("properties") if isinstance(feature, dict) else None
        if not isinstance(feature, dict) or not isinstance(properties, (dict, type(None))):
            raise Refused("no_feature", number)
        columns |= dict.fromkeys(properties or ())
    lat, lon, shape = (_free(name, columns) for name in ("lat", "lon", "geometry"))
    with_id = "id" not in columns and any("id" in feature for feature in features)
    others, middles = Counter[str](), Counter[str]()
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow([*(["id"] if with_id else []), *columns, lat, lon, shape])
    for feature in features:
        properties, geometry = feature.get("properties") or {}, feature.get("geometry")
        kind = str(geometry.get("type")) if isinstance(geometry, dict) else ""
        at = geometry.get("coordinates") if isinstance(geometry, dict) else None
        point = at[1::-1] if kind == "Point" and isinstance(at, list) and len(at) >= 2 else _middle(at)
        if kind and point[0] == "":
            others[kind] += 1
        elif kind and kind != "Point":
            middles[kind] += 1
        cells = [properties.get(column) for column in columns]
        first = [feature.get("id")] if with_id else []
        writer.writerow(map(_json, [*first, *cells, *point, kind]))
    return {"others": dict(others.most_common(5)), "middles": dict(middles.most_common(5))}


def _middle(coordinates: Any) -> list[Any]:
    """Latitude and longitude of the middle of a small shape; of another nothing."""
    lons, lats = [], []
    left = [coordinates]
    while left:
        one = left.pop()
        if isinstance(one, list) and len(one) >= 2 and all(isinstance(n, (int, float)) for n in one[:2]):
            lons.append(one[0])
            lats.append(one[1])
        elif isinstance(one, list):
            left += one
    if not lons or max(max(lons) - min(lons), max(lats) - min(lats)) > SMALL:
        return ["", ""]
    return [round((min(of) + max(of)) / 2, 6) for of in (lats, lons)]


def _free(name: str, taken: dict[str, None]) -> str:
    return name if name not in taken else f"{name} (geometry)"


def _json(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def main(kind: str, path: str, sheet: str) -> int:
    try:
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    except (ImportError, ValueError, OSError):
        pass  # a system that knows no such limits
    sys.stdout.reconfigure(encoding="utf-8", newline="")  # type: ignore[union-attr]
    try:
        said = geojson(path) if kind == "geojson" else workbook(path, sheet)
        sys.stdout.flush()
    except Refused as error:
        said = {"wrong": error.args[0], "detail": error.args[1] if len(error.args) > 1 else ""}
    except (MemoryError, RecursionError):
        said = {"wrong": "too_large", "detail": ""}
    except UnicodeEncodeError:
        said = {"wrong": "no_text", "detail": ""}
    print(json.dumps(said), file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:4]))
