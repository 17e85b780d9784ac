"""Small files, mutated: whatever is in them, they are read and proposed, or refused in words with a row.

A few examples here; ``make test-long`` tries ten thousand.
"""

import os
import tempfile
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from registry.forms import mappings, proposals
from registry.tabular import BadTable, Table
from registry.tabular.sample import Sample
from tests import sheets

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("gazetteer_path")]

EXAMPLES = int(os.environ.get("EXAMPLES", 60))
#: Whether it is the long run: other files each time, and as many whole imports as files.
LONG = EXAMPLES >= 1000
ROWS: list[list[Any]] = [
    ["id", "country", "region", "type", "date", "lat", "lon", "link"],
    [1, "UA", "Сумська", "School", date(2025, 3, 14), 50.9, 34.8, "https://a.example/1"],
    [2, "UA", "Харківська", "Bridge", date(2025, 3, 4), 49.9, 36.2, "https://a.example/2"],
]
_TEXT = "\n".join(",".join(map(str, row)) for row in ROWS) + "\n"
SEEDS = [
    _TEXT.encode(),
    _TEXT.replace(",", ";").encode("cp1251"),
    _TEXT.replace(",", "\t").encode("utf-16"),
    b'a,b\n"x\ny",2\n03/04/2025,05/06/2025\n',
    b'{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"a":1},'
    b'"geometry":{"type":"Point","coordinates":[34.8,50.9]}}]}',
    sheets.xlsx(ROWS, merged=["A1:A2"]),
    sheets.ods(ROWS),
]
#: What a hand or a program may put where it does not belong.
PIECES = [b"\0", b'"', b"\r", b"\n\n", b";", b",,,,,,,,,", b"\xff\xfe", b"\x98", b"=1+1", b"1e400", "²".encode(),
          b"\xed\xa0\x80", b"NaN", b"99999999999999999999", b"<", b"[", b"\\", b"'''", b"31.02.2025",
          b"PK\x03\x04"]  # fmt: skip


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    content = bytearray(draw(st.sampled_from(SEEDS)))
    for _change in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(content)))
        match draw(st.sampled_from(["put", "cut", "byte", "again", "end"])):
            case "put":
                content[at:at] = draw(st.sampled_from(PIECES))
            case "cut":
                del content[at : at + draw(st.integers(1, 40))]
            case "byte":
                content[at : at + 1] = bytes([draw(st.integers(0, 255))])
            case "again":
                content[at:at] = content[at : at + draw(st.integers(1, 40))]
            case "end":
                del content[at:]
    return bytes(content)


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), derandomize=not LONG)
@given(mutated())
def test_a_mutated_file_is_read_or_refused_in_words(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "table"
        path.write_bytes(content)
        try:
            table = Table(path)
            rows = list(table.rows())
        except BadTable as error:
            assert str(error)  # noqa: PT017
            return
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(proposals, "_country_of", lambda regions: "UA")
            proposal = proposals.propose(Sample.of(table, 100), "mutated", "Mutated")
        mapping = mappings.parse("mutated", proposal.toml())
        for row in rows:
            try:
                mapping.read(row.cells)
            except mappings.Unmapped as error:
                assert error.column in table.headings  # noqa: PT017
