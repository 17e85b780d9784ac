"""LibreOffice opens XLSX and CSV with the values that the register wrote."""

import csv
import shutil
import subprocess
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from registry.outputs.tables import TABLES
from tests.outputs.test_formats import as_plain, in_csv, written

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(not shutil.which("soffice"), reason="LibreOffice is not here"),
]
#: Comma, quotation mark, UTF-8, from the first line on.
CSV = "44,34,76,1"
WIDTH = len(TABLES["reports"].columns)


def opened(data: bytes, format: str, folder: Path, *reading: str) -> list[dict[str, Any]]:
    """The rows of a file that LibreOffice has opened and saved again as CSV."""
    file = folder / f"reports.{format}"
    file.write_bytes(data)
    out = folder / "out"
    command = ["soffice", f"-env:UserInstallation=file://{folder}/profile", "--headless", *reading]
    saving = f"csv:Text - txt - csv (StarCalc):{CSV},,0,false,false,false"
    subprocess.run([*command, "--convert-to", saving, "--outdir", out, file], check=True, timeout=120)
    return as_plain(list(csv.DictReader(StringIO((out / "reports.csv").read_bytes().decode(), newline=""))))


def expected() -> list[dict[str, Any]]:
    """In its cells a carriage return is a line's end like any other."""
    return [
        {name: value.replace("\r", "\n") if isinstance(value, str) else value for name, value in row.items()}
        for row in in_csv()
    ]


@pytest.mark.usefixtures("nasty")
def test_it_opens_xlsx(tmp_path):
    assert opened(written("xlsx"), "xlsx", tmp_path) == expected()


@pytest.mark.usefixtures("nasty")
def test_it_opens_csv_whose_columns_are_read_as_text(tmp_path):
    text = "/".join(f"{number}/2" for number in range(1, WIDTH + 1))
    reading = f"--infilter=Text - txt - csv (StarCalc):{CSV},{text}"
    assert opened(written("csv"), "csv", tmp_path, reading) == expected()
