"""Tables as text: what a CSV may look like, what is said of it, and of a file that is none."""

from collections.abc import Callable
from pathlib import Path

import pytest

from registry import tabular
from registry.tabular import BadTable, Layout, Table


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


def test_a_cell_between_tabs_that_begins_with_quoted_words_is_kept_as_it_is(tmp_path: Path) -> None:
    lines = ("a\tb", '"Azov" plant\t"quoted ""as"" a whole"', '5" pipe\t"Azov"-2', '"two\r', '"" lines"\tend')
    read = table(tmp_path, "\n".join(lines) + "\n")
    assert [tuple(row.cells.values()) for row in read.rows()] == [
        ('"Azov" plant', 'quoted "as" a whole'),
        ('5" pipe', '"Azov"-2'),
        ('two\r\n" lines', "end"),
    ]


def test_rows_that_do_not_fit_the_headings_say_so_and_the_others_go_on(tmp_path: Path) -> None:
    read = table(tmp_path, "a,b\n1\n1,2,3\n1,2,\n1,2\n")
    assert [bool(row.problem) for row in read.rows()] == [True, True, False, False]


@pytest.mark.parametrize(
    ("content", "words", "row"),
    [
        (b"", "empty", 0),
        (b" \n\n", "empty", 0),
        (b"PK\x03\x04" + b"\0" * 50, "no whole archive", 0),
        (b"%PDF-1.7", "PDF", 0),
        (b"\xff\xfea\0\n", "not UTF-16", 0),
        (b"a,b\n1,\0\n", "no text", 2),
        (
            b"a,b\n1,2\n" + "Суми,2\nКиїв,3\n".encode() + "Суми,2\n".encode("cp1251"),
            "byte 0xD1 at place 1",
            5,
        ),
        ("a,b\n1,2\nСуми,дах і стіни\n".encode("cp1251") + b"\x98,2\n", "not Windows-1251: byte 0x98", 4),
        (b'a,b\n1,2\n"never closed,2\n3,4\n', "quotation mark", 3),
        (b'a,b\n"x"y,2\n', "behind its closing quotation mark", 2),
        (b"a,b,a\n1,2,3\n", "“a” stands twice, in columns A, C", 1),
        (b",\n1,2\n", "no words", 2),
        (b"c" + b",c" * tabular.MOST_COLUMNS + b"\n", "501 columns", 1),
        (b"a,b\n1," + b"x" * (tabular.LONGEST_LINE + 1) + b"\n", "longer than", 2),
        (b"x" * (tabular.LONGEST_LINE + 1), "longer than", 1),
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


def test_a_table_of_too_many_rows_says_how_many_may_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tabular, "MOST_ROWS", 3)
    assert len(list(table(tmp_path, "a,b\n1,2\n3,4\n").rows())) == 2
    with pytest.raises(BadTable, match="may have 3 rows") as error:
        list(table(tmp_path, "a,b\n1,2\n3,4\n5,6\n").rows())
    assert error.value.row == 4


@pytest.mark.parametrize(
    ("encoding", "said"),
    [
        ("utf-16", "UTF-16"),
        ("utf-16-le", "UTF-16"),
        ("utf-16-be", "UTF-16"),
        ("cp1251", "Windows-1251"),
        ("koi8_u", "KOI8-U"),
        ("cp1125", "CP1125"),
        ("iso8859_5", "ISO 8859-5"),
        ("mac_cyrillic", "Mac Cyrillic"),
    ],
)
def test_other_encodings_are_read_and_said(tmp_path: Path, encoding: str, said: str) -> None:
    read = table(tmp_path, "місто;type\nСуми;school\nРівне;shop\n".encode(encoding))
    assert [row.cells["місто"] for row in read.rows()] == ["Суми", "Рівне"]
    assert [str(note) for note in read.notes] == [f"The file is read as {said}."]


@pytest.mark.parametrize(
    ("encoding", "said"),
    [("cp1251", "Windows-1251"), ("koi8_r", "KOI8-U"), ("cp866", "CP866"), ("iso8859_5", "ISO 8859-5")],
)
@pytest.mark.parametrize("write", [str.lower, str.upper, str.title])
def test_encodings_of_cyrillic_are_told_apart_by_their_letters(
    tmp_path: Path, encoding: str, said: str, write: Callable[[str], str]
) -> None:
    text = write("город;разрушено\nнежин;крыша и окна\nсумы;стена\n")
    read = table(tmp_path, text.encode(encoding))
    assert read.headings[0] == write("город")
    assert [str(note) for note in read.notes] == [f"The file is read as {said}."]


@pytest.mark.parametrize(
    ("encoding", "said", "text"),
    [
        ("cp1256", "Windows-1256", "المحافظة;نوع المنشأة\nحلب;مدرسة\nإدلب;مستشفى\n"),
        ("cp1253", "Windows-1253", "Πόλη;Κτίριο\nΑθήνα;σχολείο\nΘεσσαλονίκη;κατοικία\n"),
        ("cp1255", "Windows-1255", "עיר;מבנה\nשדרות;בית ספר\nאשקלון;דירה\n"),
        ("cp932", "Shift-JIS", "市町村;被害物件\n輪島市;こども園\n珠洲市;学校の屋根\n"),
        ("cp949", "EUC-KR", "시군구;건물 피해\n포항시;학교 전파\n경주시;병원 반파\n"),
        (
            "gb18030",
            "GB 18030",
            "县市区名称;建筑物类型\n汶川县映秀镇;中小学校教学楼\n北川县曲山镇;人民医院住院部\n",
        ),
        ("cp950", "Big5", "鄉鎮名稱;建築物\n花蓮市;國民小學\n新城鄉;醫院\n"),
        ("cp1254", "Windows-1254", "İlçe;Yapı\nGölbaşı;Ağır hasarlı\nPazarcık;Yıkık\n"),
        ("cp1250", "Windows-1250", "Miasto;Stan\nŁódź;częściowo zniszczony\nŚrem;źle\n"),
    ],
)
def test_other_scripts_are_known_by_their_common_letters(
    tmp_path: Path, encoding: str, said: str, text: str
) -> None:
    read = table(tmp_path, text.encode(encoding))
    assert [
        ";".join(read.headings),
        *(";".join(row.cells.values()) for row in read.rows()),
    ] == text.splitlines()
    assert [str(note) for note in read.notes] == [f"The file is read as {said}."]


def test_letters_of_no_encoding_known_here_are_not_taken_for_cyrillic(tmp_path: Path) -> None:
    text = "市町村;被害物件\n輪島市;こども園\n珠洲市;学校の屋根\n" * 2
    with pytest.raises(BadTable, match="in no encoding that is known here"):
        table(tmp_path, text.encode("euc_jp"))


def test_one_word_is_not_read_if_it_could_be_two(tmp_path: Path) -> None:
    with pytest.raises(BadTable, match="two ways: “аПЯ” as Mac Cyrillic, “рПЯ” as CP866"):
        table(tmp_path, "a,b\n1,аПЯ\n".encode("mac_cyrillic"))


@pytest.mark.parametrize(
    ("one", "other", "said"),
    [
        ("cp1251", "koi8_u", "line 4 is KOI8-U, others are Windows-1251"),
        ("cp1125", "cp1251", "line 4 is Windows-1251, others are CP866"),
        ("koi8_u", "utf-8", "Row 2: This is not UTF-8"),
    ],
)
def test_a_file_that_mixes_encodings_is_refused_with_the_line(
    tmp_path: Path, one: str, other: str, said: str
) -> None:
    line = "Суми;пошкоджено дах будинку, окна и двери\n"
    with pytest.raises(BadTable, match=said):
        list(table(tmp_path, ("a;b\n" + 2 * line).encode(one) + line.encode(other)).rows())


def test_letters_of_western_europe_are_not_taken_for_cyrillic(tmp_path: Path) -> None:
    read = table(tmp_path, "ciudad,daño\nLogroño,sí\nMálaga,no\n".encode("cp1252"))
    assert [row.cells["ciudad"] for row in read.rows()] == ["Logroño", "Málaga"]


@pytest.mark.parametrize(
    ("content", "delimiter", "headings"),
    [
        ("a|b|c\n1|2, 3|4\n5|6, 7|8\n", "|", ["a", "b", "c"]),
        (
            "place;lat;lon;n;m\nx;50,1;30,2;1,5;2,5\ny;50,3;30,4;1,5;2,5\n",
            ";",
            ["place", "lat", "lon", "n", "m"],
        ),
        ("a,b\n1,x; y\n2,z; q\n", ",", ["a", "b"]),
        ("a^b\n1^2\n", "^", ["a", "b"]),
        ("address\nKyiv, Lenina 5\nSumy, Lenina 6\n", "\t", ["address"]),
        ("List of damage, 2025\n\na;b;c\n1;2;3\n4;5;6\n", ";", ["a", "b", "c"]),
    ],
)
def test_the_delimiter_is_what_cuts_rows_alike(
    tmp_path: Path, content: str, delimiter: str, headings: list[str]
) -> None:
    read = table(tmp_path, content)
    assert (read.delimiter, read.headings) == (delimiter, headings)
    assert not any(row.problem for row in read.rows())


def test_headings_below_a_title_are_found_and_said(tmp_path: Path) -> None:
    read = table(tmp_path, "Damage,,\nas of 2025-03-01,,\n\nplace,what,day\nSumy,school,2025-01-01\n")
    assert read.headings == ["place", "what", "day"]
    assert [(row.number, row.cells["place"]) for row in read.rows()] == [(5, "Sumy")]
    assert [str(note) for note in read.notes] == ["The headings are read from row 4."]


def test_a_row_that_numbers_the_columns_is_passed_over_and_said(tmp_path: Path) -> None:
    read = table(tmp_path, "a,b,c,d,e\n1,2,3,4,5\n1,2,3,4,6\n")
    assert [(row.number, row.cells["e"]) for row in read.rows()] == [(3, "6")]
    assert [str(note) for note in read.notes] == ["Row 2 is not read: it numbers the columns."]


def test_a_row_of_tags_of_hxl_is_passed_over_and_said(tmp_path: Path) -> None:
    read = table(tmp_path, "Date,Region,Note\n#date,#adm1 +name,\n2025-03-01,Sumy,#1\n")
    assert [row.number for row in read.rows()] == [3]
    assert [str(note) for note in read.notes] == ["Row 2 is not read: it holds tags of HXL."]
    assert [row.number for row in table(tmp_path, "a,b\n#1 of 2,x\n").rows()] == [2]


def test_columns_without_a_heading_are_left_and_said(tmp_path: Path) -> None:
    read = table(tmp_path, "a,,c\n1,2,3\n")
    assert [row.cells for row in read.rows()] == [{"a": "1", "c": "3"}]
    assert [str(note) for note in read.notes] == ["Columns without a heading are not read: B."]


def test_what_was_taken_for_granted_can_be_told_otherwise(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_bytes("Year;2025\nмісто;x,y\nСуми;1,2\n".encode("cp1251"))
    told = Layout(headings=2, encoding="cp1251", delimiter=";")
    assert [row.cells for row in Table(path, told).rows()] == [{"місто": "Суми", "x,y": "1,2"}]
    assert Table(path).row == 1
    with pytest.raises(BadTable, match="no words"):
        Table(path, Layout(headings=9))
