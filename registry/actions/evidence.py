"""Photos and documents: the original sealed, a cleaned copy shown.

Files lie in ``DATA_DIR/evidence`` under their SHA-256, readable by the register alone; pages serve them by
a view that asks for access. What a file is, its content says, never its name.
"""

import hashlib
import io
import os
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.utils.translation import gettext_lazy as _
from PIL import Image, ImageOps
from pypdf import PdfReader, PdfWriter
from pypdf.errors import PyPdfError

from registry.models import Evidence, Person, Report
from registry.rules.access import Verb
from registry.rules.vocabularies import EntryKind, Role

from . import journal
from .journal import Line, Refused, require

#: More pixels than any camera a person carries; a small file can unpack to gigabytes.
_MOST_PIXELS = 120_000_000
_SHOWN_SIDE = 2000
_READ = ("JPEG", "PNG", "WEBP")
#: Pillow names a JPEG of several pictures MPO.
_IMAGE_FORMATS = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp", "MPO": "image/jpeg"}
PDF = "application/pdf"


def path_of(sha256: str) -> Path:
    """Where the file with this digest lies."""
    return Path(settings.DATA_DIR) / "evidence" / sha256[:2] / sha256


@dataclass(frozen=True)
class Shown:
    """A file as it is served: where it lies, its type and name, and whether it is taken away, not opened."""

    path: Path
    media_type: str
    name: str
    taken_away: bool


def shown(report: Report, sha256: str, *, original: bool = False) -> Shown | None:
    """The cleaned copy with this digest that belongs to a report, or the original it was made of; None if there is
    none."""
    line = Evidence.objects.filter(report=report, shown_sha256=sha256, voided_at=None).first()
    if line is None:
        return None
    path, pdf = path_of(line.sha256 if original else line.shown_sha256), line.media_type == PDF
    if not path.exists():
        return None
    media_type = line.media_type if original or pdf else "image/jpeg"
    name = f"{report.reference}-{line.pk}.{'pdf' if pdf else media_type.rpartition('/')[2]}"
    return Shown(path, media_type, name, taken_away=original or pdf)


def attach(
    reference: str,
    upload: UploadedFile,
    *,
    by: Person,
    caption: str = "",
    stage: str = "damage",
    taken_on: date | None = None,
) -> Evidence:
    """Attach a photo (JPEG, PNG, WebP) or a PDF to a report; Refused for anything else or too large."""
    original = _read(upload)
    media_type, shown = _cleaned(original)
    with transaction.atomic():
        report = journal.lock(reference)
        _require(report, by)
        line = Evidence(
            sha256=_keep(original),
            shown_sha256=_keep(shown),
            media_type=media_type,
            size=len(original),
            caption=caption,
            taken_on=taken_on,
            stage=stage,
        )
        journal.record(Line(report, EntryKind.ATTACHED, by=by, rows=[line]))
    return line


def _require(report: Report, by: Person) -> None:
    if by.role == Role.RESIDENT and report.logged_by_id != by.pk:
        raise Refused(_("You can add photos to your own reports."), code="role")
    require(by, Verb.ATTACH, report)


def _read(upload: UploadedFile) -> bytes:
    limit = settings.MAX_UPLOAD_BYTES
    if upload.size is not None and upload.size > limit:
        raise Refused(
            _("This file is larger than %(limit)d MB.") % {"limit": limit // (1024 * 1024)},
            code="size",
            field="file",
        )
    return upload.read(limit + 1)


def _cleaned(original: bytes) -> tuple[str, bytes]:
    """The type of a file and a copy without metadata that is safe to show."""
    if original.startswith(b"%PDF-"):
        return PDF, _clean_pdf(original)
    try:
        with Image.open(io.BytesIO(original), formats=_READ) as image:
            if image.width * image.height > _MOST_PIXELS:
                raise Refused(_("This picture has too many pixels."), code="size", field="file")
            media_type = _IMAGE_FORMATS[str(image.format)]
            upright: Any = ImageOps.exif_transpose(image)
            upright.thumbnail((_SHOWN_SIDE, _SHOWN_SIDE))
            copy = io.BytesIO()
            upright.convert("RGB").save(copy, "JPEG", quality=85)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        raise Refused(
            _("This is no photo (JPEG, PNG, WebP) and no PDF that can be read."), code="type", field="file"
        ) from None
    return media_type, copy.getvalue()


def _clean_pdf(original: bytes) -> bytes:
    """The pages alone: no metadata, attachments, scripts or actions."""
    try:
        reader = PdfReader(io.BytesIO(original))
        writer = PdfWriter()
        for page in reader.pages:
            for key in ("/AA", "/Annots", "/Metadata", "/PieceInfo"):
                page.pop(key, None)
            writer.add_page(page)
        writer.metadata = None
        copy = io.BytesIO()
        writer.write(copy)
    except (PyPdfError, OSError, ValueError, KeyError, RecursionError, AttributeError, TypeError):
        raise Refused(_("This PDF cannot be read."), code="type", field="file") from None
    return copy.getvalue()


def _keep(content: bytes) -> str:
    """Write a file under its SHA-256 (once, whole or not at all) and return the digest."""
    sha256 = hashlib.sha256(content).hexdigest()
    path = path_of(sha256)
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o750)
        partial = path.with_name(f"{sha256}.{os.getpid()}")
        with open(partial, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    return sha256
