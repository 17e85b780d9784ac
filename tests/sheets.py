"""Small workbooks as bytes, made by hand so that a test may also make what no program would write."""

import io
import zipfile
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from typing import Any
from xml.sax.saxutils import escape, quoteattr

_EPOCH = datetime(1899, 12, 30)
#: Styles of cells: a day, a day and time, a time.
_STYLES = {date: 1, datetime: 2, time: 3}
_NAMESPACE = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
_RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"


def xlsx(
    sheets: Mapping[str, Sequence[Sequence[Any]]] | Sequence[Sequence[Any]],
    *,
    merged: Sequence[str] = (),
    parts: Mapping[str, bytes] | None = None,
) -> bytes:
    """A workbook of these sheets; None is an empty cell. ``merged``: ranges of the first sheet, as ``A1:B1``;
    ``parts``: more files in the archive."""
    named = sheets if isinstance(sheets, Mapping) else {"Sheet1": sheets}
    files: dict[str, str | bytes] = {
        "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types">'
        '<Default Extension="xml" ContentType="application/xml"/>'
        '<Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/></Types>',
        "_rels/.rels": _relations({"rId1": ("officeDocument", "xl/workbook.xml")}),
        "xl/workbook.xml": f'<workbook {_NAMESPACE} xmlns:r="{_RELATIONS}"><sheets>'
        + "".join(
            f'<sheet name={quoteattr(name)} sheetId="{number}" r:id="rId{number}"/>'
            for number, name in enumerate(named, 1)
        )
        + "</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": _relations(
            {
                f"rId{number}": ("worksheet", f"worksheets/sheet{number}.xml")
                for number in range(1, len(named) + 1)
            }
            | {"rId0": ("styles", "styles.xml")}
        ),
        "xl/styles.xml": f'<styleSheet {_NAMESPACE}><cellXfs count="4">'
        + "".join(f'<xf numFmtId="{number}"/>' for number in (0, 14, 22, 21))
        + "</cellXfs></styleSheet>",
    }
    for number, rows in enumerate(named.values(), 1):
        files[f"xl/worksheets/sheet{number}.xml"] = _sheet(rows, merged if number == 1 else ())
    return archive({**files, **(parts or {})})


def ods(rows: Sequence[Sequence[Any]], *, sheet: str = "Sheet1", merged: Sequence[str] = ()) -> bytes:
    """An OpenDocument sheet. ``merged``: ranges as ``A1:B1``."""
    spans = dict(map(_span, merged))
    lines = "".join(
        "<table:table-row>"
        + "".join(_ods_cell(value, spans.get((y, x), "")) for x, value in enumerate(row))
        + "</table:table-row>"
        for y, row in enumerate(rows)
    )
    office = "urn:oasis:names:tc:opendocument:xmlns"
    return archive(
        {
            "mimetype": "application/vnd.oasis.opendocument.spreadsheet",
            "META-INF/manifest.xml": f'<manifest:manifest xmlns:manifest="{office}:manifest:1.0"/>',
            "content.xml": f'<office:document-content xmlns:office="{office}:office:1.0" '
            f'xmlns:table="{office}:table:1.0" xmlns:text="{office}:text:1.0"><office:body>'
            f"<office:spreadsheet><table:table table:name={quoteattr(sheet)}>{lines}</table:table>"
            "</office:spreadsheet></office:body></office:document-content>",
        }
    )


def archive(files: Mapping[str, str | bytes]) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in files.items():
            file.writestr(name, content)
    return written.getvalue()


def _relations(targets: Mapping[str, tuple[str, str]]) -> str:
    lines = "".join(
        f'<Relationship Id="{key}" Type="{_RELATIONS}/{kind}" Target="{target}"/>'
        for key, (kind, target) in targets.items()
    )
    return f'<Relationships xmlns="{_PACKAGE}/relationships">{lines}</Relationships>'


def _sheet(rows: Sequence[Sequence[Any]], merged: Sequence[str]) -> str:
    lines = "".join(
        f'<row r="{number}">'
        + "".join(_cell(f"{_letters(place)}{number}", value) for place, value in enumerate(row))
        + "</row>"
        for number, row in enumerate(rows, 1)
    )
    ranges = "".join(f'<mergeCell ref="{one}"/>' for one in merged)
    return (
        f"<worksheet {_NAMESPACE}><sheetData>{lines}</sheetData>"
        + (f"<mergeCells>{ranges}</mergeCells>" if merged else "")
        + "</worksheet>"
    )


def _letters(place: int) -> str:
    return chr(65 + place) if place < 26 else _letters(place // 26 - 1) + chr(65 + place % 26)


def _cell(at: str, value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return f'<c r="{at}" t="inlineStr"><is><t xml:space="preserve">{escape(value)}</t></is></c>'
    if isinstance(value, bool):
        return f'<c r="{at}" t="b"><v>{int(value)}</v></c>'
    style = _STYLES.get(type(value), 0)
    return f'<c r="{at}" s="{style}"><v>{_serial(value)}</v></c>'


def _serial(value: Any) -> Any:
    """A date as workbooks hold it: days since the end of 1899."""
    if isinstance(value, datetime):
        return (value - _EPOCH).total_seconds() / 86_400
    if isinstance(value, date):
        return (value - _EPOCH.date()).days
    if isinstance(value, time):
        return (value.hour * 3600 + value.minute * 60 + value.second) / 86_400
    return value


def _span(merged: str) -> tuple[tuple[int, int], str]:
    """Where a range begins, row and column from 0, and how an OpenDocument cell says how far it spans."""
    (left, top), (right, bottom) = ((ord(cell[0]) - 65, int(cell[1:]) - 1) for cell in merged.split(":"))
    down, across = bottom - top + 1, right - left + 1
    return (top, left), f' table:number-rows-spanned="{down}" table:number-columns-spanned="{across}"'


def _ods_cell(value: Any, span: str = "") -> str:
    if value is None:
        return f"<table:table-cell{span}/>"
    if isinstance(value, str):
        kind = 'office:value-type="string"'
    elif isinstance(value, (date, datetime)):
        kind = f'office:value-type="date" office:date-value="{value.isoformat()}"'
    else:
        kind = f'office:value-type="float" office:value="{value}"'
    return f"<table:table-cell {kind}{span}><text:p>{escape(str(value))}</text:p></table:table-cell>"
