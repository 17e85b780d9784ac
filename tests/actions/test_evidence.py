"""Photos and documents: type by content, no metadata in what is shown, the original kept as it was."""

import hashlib
import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image
from pypdf import PdfReader, PdfWriter
from pypdf.generic import DictionaryObject, NameObject, TextStringObject

from registry.actions import evidence
from registry.actions.journal import Refused
from registry.models import Evidence, Person, Report
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def official(tmp_path, settings) -> Person:
    settings.DATA_DIR = tmp_path
    return factories.person("official", factories.ukraine()["UA-63"])


@pytest.fixture
def report(official: Person) -> Report:
    return factories.report(by=official)


def jpeg(size: tuple[int, int] = (300, 200), **save) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", size, (200, 180, 160)).save(file, "JPEG", **save)
    return file.getvalue()


def attach(report: Report, content: bytes, by: Person, name: str = "photo.jpg") -> Evidence:
    return evidence.attach(report.reference, SimpleUploadedFile(name, content), by=by)


def test_a_photo_is_kept_whole_and_shown_without_its_metadata(report: Report, official: Person) -> None:
    exif = Image.Exif()
    exif[0x010F] = "Camera of Ivan"
    original = jpeg(exif=exif)
    assert b"Camera of Ivan" in original
    line = attach(report, original, official)
    assert evidence.path_of(line.sha256).read_bytes() == original
    assert line.sha256 == hashlib.sha256(original).hexdigest()
    shown = evidence.path_of(line.shown_sha256).read_bytes()
    assert b"Camera of Ivan" not in shown
    assert Image.open(io.BytesIO(shown)).size == (300, 200)


def test_a_large_photo_is_shown_smaller(report: Report, official: Person) -> None:
    line = attach(report, jpeg((4000, 1000)), official)
    assert Image.open(evidence.path_of(line.shown_sha256)).size == (2000, 500)


def test_a_pdf_is_shown_without_author_and_scripts(report: Report, official: Person) -> None:
    writer = PdfWriter()
    writer.add_blank_page(200, 200)
    writer.add_metadata({"/Author": "Ivan"})
    script = {
        NameObject("/S"): NameObject("/JavaScript"),
        NameObject("/JS"): TextStringObject("app.alert(1)"),
    }
    opening = DictionaryObject({NameObject("/O"): DictionaryObject(script)})
    writer.pages[0][NameObject("/AA")] = opening
    file = io.BytesIO()
    writer.write(file)
    assert b"JavaScript" in file.getvalue()
    line = attach(report, file.getvalue(), official, "act.pdf")
    shown = evidence.path_of(line.shown_sha256).read_bytes()
    assert b"Ivan" not in shown
    assert b"JavaScript" not in shown
    assert len(PdfReader(io.BytesIO(shown)).pages) == 1


@pytest.mark.parametrize(
    "content",
    [b"", b"<html>photo</html>", b"%PDF-1.7 and nothing more", jpeg()[:200], b"\x89PNG\r\n\x1a\nnot really"],
)
def test_what_is_no_photo_is_said_to_be_none(content: bytes, report: Report, official: Person) -> None:
    with pytest.raises(Refused) as raised:
        attach(report, content, official)
    assert (raised.value.code, raised.value.field) == ("type", "file")
    assert not Evidence.objects.exists()
    assert report.entries.count() == 1


def test_a_file_too_large_and_a_picture_of_too_many_pixels(report, official, settings, monkeypatch) -> None:
    monkeypatch.setattr(evidence, "_MOST_PIXELS", 1000)
    with pytest.raises(Refused) as raised:
        attach(report, jpeg(), official)
    assert raised.value.code == "size"
    settings.MAX_UPLOAD_BYTES = 100
    with pytest.raises(Refused) as raised:
        attach(report, jpeg(), official)
    assert raised.value.code == "size"


def test_strangers_attach_nothing(report: Report) -> None:
    stranger = factories.person("official", factories.ukraine()["UA-23"])
    resident = factories.person("resident")
    for person in (stranger, resident, factories.person("researcher")):
        with pytest.raises(Refused):
            attach(report, jpeg(), person)
