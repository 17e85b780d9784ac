"""`manage.py geocode_csv` writes a whole table or none, and says what is wrong with its row or column."""

from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

pytestmark = pytest.mark.usefixtures("gazetteer_path")


def run(folder: Path, content: str, columns: str = "town", out: str = "out.csv") -> str:
    (folder / "in.csv").write_bytes(content.encode())
    call_command("geocode_csv", str(folder / "in.csv"), "--columns", columns, "-o", str(folder / out))
    return (folder / out).read_bytes().decode()


def test_a_table_comes_back_with_its_places(tmp_path: Path, capsys) -> None:
    content = '\ufefftown;note\r\nVoronezh;"=1+1; ""a""\r\nb"\r\nXyzzyplugh\r\n'
    lines = run(tmp_path, content).split("\n")
    assert lines[0].startswith("town,note,geo_place,")
    assert lines[1] + "\n" + lines[2].partition('"')[0] == 'Voronezh,"=1+1; ""a""\r\nb'
    assert ",Voronezh,51." in lines[2]
    assert lines[3:] == ["Xyzzyplugh,,,,,,,,not_found,", ""]
    said = capsys.readouterr().out
    assert [line.split()[-1] for line in said.splitlines()[:3]] == ["2", "1", "0"]


def test_columns_are_named_as_a_row_of_csv_would(tmp_path: Path) -> None:
    written = '"town, city",state,id\nSpringfield,Illinois,1\n'
    assert ",Springfield,39.8" in run(tmp_path, written, '"town, city" , state')


def test_a_lone_carriage_return_stays_inside_its_cell(tmp_path: Path) -> None:
    assert '"a\rb",' in run(tmp_path, 'town,note\nVoronezh,"a\rb"\n')


@pytest.mark.parametrize(
    ("content", "columns", "out", "words"),
    [
        ("", "town", "out.csv", "empty"),
        ("town\nVoronezh\nVoronezh,1\n", "town", "out.csv", "Row 3: The row has 2 cells.*column B"),
        ("town,note\na,b\na,b,,1\na,b\nc,d,1\n", "town", "out.csv", "Row 3: .*column D.*\nRow 5: .*column C"),
        ("town,note\n" + "a,b,1\n" * 25, "town", "out.csv", "(?s)Row 21: .*and 5 more"),
        ("place\nVoronezh\n", "town", "out.csv", "“town”.*place"),
        ("town,geo_flag\n", "town", "out.csv", "geo_flag"),
        ("town\nVoronezh\n", "", "out.csv", "No column is named.*town"),
        ("town\nVoronezh\n", "town", "in.csv", "written over"),
        ("town\nVoronezh\n", "town", ".", "written over"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_written(tmp_path: Path, content, columns, out, words) -> None:
    with pytest.raises(CommandError, match=words):
        run(tmp_path, content, columns, out)
    assert [path.name for path in tmp_path.iterdir()] == ["in.csv"]
    assert (tmp_path / "in.csv").read_text() == content
