"""Reading tables: what a CSV may look like, and what is said of a file that is none."""

from pathlib import Path

import pytest

from registry import tabular
from registry.tabular import BadTable, Table


def table(folder: Path, content: bytes | str) -> Table:
    path = folder / "table.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return Table(path)


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["plain", "byte-order mark"])
@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["LF", "CRLF"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_rows_come_by_heading_without_white_space(
    tmp_path: Path, mark: bytes, end: str, delimiter: str
) -> None:
    lines = [["place", " kind "], ["Суми", '" a ""b"" "'], ["", ""], ["Kyiv", "c"]]
    read = table(tmp_path, mark + "".join(delimiter.join(line) + end for line in lines).encode())
    assert read.headings == ["place", "kind"]
    assert [(row.number, row.cells) for row in read.rows()] == [
        (2, {"place": "Суми", "kind": 'a "b"'}),
        (4, {"place": "Kyiv", "kind": "c"}),
    ]


def test_a_row_is_numbered_as_a_spreadsheet_does_though_its_cells_hold_lines(tmp_path: Path) -> None:
    read = table(tmp_path, 'a,b\n"x\ny\nz",1\n2,3\n')
    assert [(row.number, row.cells["b"]) for row in read.rows()] == [(2, "1"), (3, "3")]


def test_rows_that_do_not_fit_the_headings_say_so_and_the_others_go_on(tmp_path: Path) -> None:
    read = table(tmp_path, "a,b\n1\n1,2,3\n1,2,\n1,2\n")
    assert [bool(row.problem) for row in read.rows()] == [True, True, False, False]


@pytest.mark.parametrize(
    ("content", "words", "row"),
    [
        (b"", "empty", 0),
        (b"PK\x03\x04" + b"\0" * 50, "workbook", 0),
        (b"%PDF-1.7", "PDF", 0),
        ("a,b\n1,2\n".encode("utf-16"), "UTF-16", 0),
        (b"a,b\n1,\0\n", "no text", 2),
        ("a,b\n1,2\nСуми,2\n".encode("cp1251"), "not UTF-8: byte 0xD1 at place 1", 3),
        (b'a,b\n1,2\n"never closed,2\n3,4\n', "quotation mark", 3),
        (b'a,b\n"x"y,2\n', "well-formed", 2),
        (b"a,a\n1,2\n", "stands twice", 1),
        (b",\n1,2\n", "no headings", 1),
        (b"a,b\n1," + b"x" * (tabular.LONGEST_LINE + 1) + b"\n", "longer than", 2),
        (b"x" * (tabular.LONGEST_LINE + 1), "longer than", 0),
    ],
)
def test_what_is_no_table_is_said_with_its_row(tmp_path: Path, content: bytes, words: str, row: int) -> None:
    with pytest.raises(BadTable, match=words) as error:
        for _row in table(tmp_path, content).rows():
            pass
    assert error.value.row == row


def test_a_line_without_end_is_not_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    with path.open("wb") as file:
        file.write(b"a,b\n")
        file.truncate(1_000_000_000)  # a gigabyte of nothing that takes no room
    with pytest.raises(BadTable, match="longer than"):
        list(Table(path).rows())
