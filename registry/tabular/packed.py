"""Workbooks (XLSX, ODS, XLS) and GeoJSON: looked at from outside, then unpacked to CSV by another process."""

import json
import mmap
import subprocess
import sys
import zipfile
import zlib
from pathlib import Path
from typing import Any, BinaryIO

from django.utils.translation import gettext_lazy as _

from . import unpacking
from .errors import MOST_JSON, MOST_UNPACKED, BadTable

_MOST_PARTS = 10_000
_MACROS = _("The workbook holds macros. Save it without them, as XLSX or ODS.")
_PASSWORD = _("The file is locked with a password. Save it without one.")
_OTHER = _("This is no workbook that can be read. Save the table as XLSX, ODS or CSV (UTF-8).")
_SAID = {
    "no_sheet": _("There is no sheet of this name. There are: %(detail)s."),
    "empty": _("The file is empty."),
    "password": _PASSWORD,
    "broken": _("The workbook is damaged (%(detail)s)."),
    "json": _("This is not well-formed JSON (%(detail)s)."),
    "no_features": _("This JSON is no GeoJSON FeatureCollection."),
    "no_feature": _("This is no GeoJSON feature."),
    "crs": _("Coordinates must be longitude and latitude (WGS 84), not %(detail)s."),
    "too_large": _("The table is too large to be read. Save it as CSV (UTF-8)."),
    "no_text": _("A cell holds what is no text."),
}


def kind_of(path: Path) -> str:
    """``workbook``, ``geojson``, or the empty string for what may be text. Raises BadTable for what is none,
    and for workbooks with macros, with a password, or that unpack to too much."""
    with path.open("rb") as file:
        start = file.read(1024)
    if not start:
        raise BadTable(_("The file is empty."))
    if start.startswith(b"PK\x03\x04"):
        _look_at_archive(path)
        return "workbook"
    if start.startswith(b"\xd0\xcf\x11\xe0"):
        _look_at_old_workbook(path)
        return "workbook"
    if start.startswith(b"%PDF"):
        raise BadTable(_("This is a PDF. Save the table as XLSX, ODS or CSV (UTF-8)."))
    if start.removeprefix(b"\xef\xbb\xbf").lstrip().startswith((b"{", b"[{")):
        if path.stat().st_size > MOST_JSON:
            raise BadTable(
                _("A GeoJSON may be %(most)d MB at most. Save the table as CSV (UTF-8).")
                % {"most": MOST_JSON // 1_000_000}
            )
        return "geojson"
    return ""


def _look_at_archive(path: Path) -> None:
    manifest = b""
    try:
        with zipfile.ZipFile(path) as archive:
            parts = archive.infolist()
            names = {part.filename for part in parts}
            unpacked = sum(part.file_size for part in parts)
            locked = any(part.flag_bits & 1 for part in parts)
            if "META-INF/manifest.xml" in names and not locked and unpacked <= MOST_UNPACKED:
                manifest = archive.read("META-INF/manifest.xml")
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError, OSError, ValueError):
        raise BadTable(_("The file is damaged: it is no whole archive.")) from None
    if unpacked > MOST_UNPACKED or len(parts) > _MOST_PARTS:
        raise BadTable(
            _("The workbook unpacks to more than %(most)d MB. Save the table as CSV (UTF-8).")
            % {"most": MOST_UNPACKED // 1_000_000}
        )
    if locked or b"encryption-data" in manifest:
        raise BadTable(_PASSWORD)
    if any(name.endswith("vbaProject.bin") or name.startswith(("Basic/", "Scripts/")) for name in names):
        raise BadTable(_MACROS)
    if not names & {"xl/workbook.xml", "content.xml"}:
        raise BadTable(_OTHER)


def _look_at_old_workbook(path: Path) -> None:
    """The container of XLS, and of an XLSX with a password; its parts are named in UTF-16."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as whole:

        def holds(name: str) -> bool:
            return whole.find(name.encode("utf-16-le")) >= 0

        if holds("EncryptedPackage"):
            raise BadTable(_PASSWORD)
        if holds("_VBA_PROJECT"):
            raise BadTable(_MACROS)
        if not (holds("Workbook") or holds("Book")):
            raise BadTable(_OTHER)


def unpack(path: Path, kind: str, to: BinaryIO, *, sheet: str = "") -> dict[str, Any]:
    """Write a workbook's sheet, or the first that holds something, as CSV; says which (see ``unpacking``)."""
    command = [sys.executable, "-I", unpacking.__file__, kind, str(path.resolve()), sheet]
    try:
        ended = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=to, stderr=subprocess.PIPE, timeout=5 * 60, check=False
        )
    except subprocess.TimeoutExpired:
        raise BadTable(_SAID["too_large"]) from None
    if ended.returncode:
        # Killed at its limits, or the reader fell over what the file holds.
        raise BadTable(
            _("The file is damaged, or its table is too large to be read. Save it as CSV (UTF-8).")
        )
    said = json.loads(ended.stderr.splitlines()[-1])
    if wrong := said.get("wrong"):
        row = said["detail"] if wrong == "no_feature" else 0
        raise BadTable(_SAID[wrong] % said, row=row)
    return said
