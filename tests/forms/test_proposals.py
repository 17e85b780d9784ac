"""Proposals: what the columns of a stranger's table are, from headings and cells, and the mapping made of it."""

import tomllib
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import pytest

from registry.forms import mappings, proposals
from registry.forms.proposals import Proposal, toml, values, words
from registry.rules import scales
from registry.rules import vocabularies as v
from registry.tabular import Table
from registry.tabular.sample import Sample
from tests import sheets

# Cells that nothing else is known of are looked up.
pytestmark = pytest.mark.usefixtures("gazetteer_path")


def proposed(folder: Path, content: str | bytes, title: str = "A list") -> Proposal:
    path = folder / "table"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return proposals.propose(Sample.of(Table(path), proposals.READ), "a-list", title)


def roles(proposal: Proposal) -> dict[str, str]:
    return {column.name: column.role for column in proposal.columns}


def first(folder: Path, proposal: Proposal) -> mappings.Mapped:
    """What the mapping of a proposal makes of the table's first row."""
    mapping = mappings.parse(proposal.name, proposal.toml())
    return mapping.read(next(Table(folder / "table").rows()).cells)


DAMAGE = """№;Область;Район;Населений пункт;Вулиця;Тип об'єкта;Ступінь пошкодження;Дата;Час;Посилання;Примітки
1;Сумська;Сумський;Суми;Лесі Українки 5;Школа;Частково пошкоджено;14.03.2025;21:40;https://a.example/1;вікна
2;Сумська;Охтирський;Тростянець;-;Житловий будинок;Зруйновано;13.03.2025;;https://a.example/2;
3;Харківська;Чугуївський;Чугуїв;Садова 1;Трансформатор;Частково пошкоджено;02.03.2025;н/д;https://a.example/3;дах
4;Харківська;Чугуївський;Чугуїв;Садова 3;Котельня №2;невідомо;01.03.2025;02:00;https://a.example/4;
"""


def test_a_list_in_ukrainian_is_understood_and_reads_its_own_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proposals, "_country_of", lambda regions: "UA")
    proposal = proposed(tmp_path, DAMAGE)
    assert list(roles(proposal).values()) == [
        "ref", "region", "district", "place", "address", "what", "grade", "day", "time", "source_url", "description",
    ]  # fmt: skip
    assert proposal.named("Тип об'єкта").means == {
        "Школа": "building//school",
        "Житловий будинок": "building//house",
        "Трансформатор": "network/electricity/transformer",
        "Котельня №2": "network/heat/boiler_house",
    }
    assert (proposal.asks, proposal.lacks()) == ([], [])
    row = first(tmp_path, proposal)
    assert row.areas == {"country": ["UA"], "region": ["Сумська"], "district": ["Сумський"]}
    assert row.values == {
        "source_type": "dataset", "source_name": "A list", "scale": "acaps", "kind": "building",
        "object_type": "school", "address": "Лесі Українки 5", "place": "Лесі Українки 5, Суми",
        "started_at": "2025-03-14T21:40:00", "occurred_to": "2025-03-14", "source_url": "https://a.example/1",
        "source_ref": "1", "description": "вікна", "scale_grade": "partially_damaged",
    }  # fmt: skip


SPANISH = """Nº;Provincia;Localidad;Dirección;Fecha inicio;Hora inicio;Fecha fin;Hora fin;Clientes afectados;Causa
1;Valencia;Paiporta;C/ San Antonio 3;29/10/2024;18:30;31/10/2024;08:15;12.000;inundación
2;Valencia;Catarroja;Av. Diputación 12;29/10/2024;19:05;30/10/2024;22:00;452;avería de equipo
"""
FRENCH = """N°,Commune,Type de bâtiment,Niveau de dégâts,Date du constat,Observations
1,Mamoudzou,École,Détruit,14 déc. 2024,toiture
2,Koungou,Habitation,Partiellement endommagé,15 déc. 2024,
"""
GERMAN = """lfd. Nr.|Datum|Uhrzeit|Bundesland|Landkreis|Ort|Straße|Objekt|Schaden
1|14.07.2021|23:15|Rheinland-Pfalz|Ahrweiler|Dernau|Hauptstr. 4|Grundschule|Totalschaden
2|15.07.2021|01:00|Rheinland-Pfalz|Ahrweiler|Altenahr|Brückenstr.|Brücke|beschädigt
"""
TURKISH = """Sıra No\tİl\tİlçe\tMahalle\tYapı türü\tHasar durumu\tTespit tarihi
1\tHatay\tAntakya\tCebrail\tKonut\tAğır hasarlı\t10.02.2023
2\tAdıyaman\tGölbaşı\t\tCami\tYıkık\t11.02.2023
"""
ARABIC = """الرقم,المحافظة,المنطقة,البلدة,نوع المنشأة,مستوى الضرر,تاريخ الحادث,ملاحظات
1,حلب,اعزاز,مارع,المدرسة الابتدائية,ضرر جزئي,2023-02-06,زلزال
2,إدلب,حارم,سلقين,مبنى سكني,مدمر كليا,2023-02-07,
"""
JAPANESE = """番号,都道府県,市町村,住所,被害物件,被害程度,発生日
1,石川県,輪島市,河井町1-2,第一小学校,全壊,2024年1月1日
2,石川県,珠洲市,蛸島町,住家,半壊,2024年1月1日
"""


@pytest.mark.parametrize(
    ("table", "said", "means", "grades"),
    [
        (SPANISH, "ref region place address day time back_day back_time customers_lost cause",
         ["weather/flood", "technical/equipment"], []),
        (FRENCH, "ref place what grade day description", ["building//school", "building//house"],
         ["destroyed", "partially_damaged"]),
        (GERMAN, "ref day time region district place address what grade",
         ["building//school", "network/transport/bridge"], ["destroyed", "partially_damaged"]),
        (TURKISH, "ref region district place what grade day", ["building//unknown", "building//religious"],
         ["partially_damaged", "destroyed"]),
        (ARABIC, "ref region district place what grade day description", ["building//school", "building//unknown"],
         ["partially_damaged", "destroyed"]),
        (JAPANESE, "ref region place address what grade day", ["building//school", "building//house"],
         ["destroyed", "partially_damaged"]),
    ],
    ids=["Spanish", "French", "German", "Turkish", "Arabic", "Japanese"],
)  # fmt: skip
def test_tables_in_other_languages_are_understood(
    tmp_path: Path, table: str, said: str, means: list[str], grades: list[str]
) -> None:
    proposal = proposed(tmp_path, table)
    assert " ".join(roles(proposal).values()) == said
    named = proposal.of("what") or proposal.of("cause")
    assert named is not None
    assert list(named.means.values()) == means
    assert list(column.means.values() if (column := proposal.of("grade")) else []) == grades
    assert first(tmp_path, proposal).values["occurred_to"] is not None


def test_words_that_say_more_than_their_grades_are_kept(tmp_path: Path) -> None:
    rows = "city,type,damage,date\nSumy,school,{},2025-03-04\nSumy,shop,{},2025-03-04\n"
    kept = proposed(tmp_path, rows.format("Severe", "Minor"))
    assert kept.named("damage").means == {"Severe": "partially_damaged", "Minor": "partially_damaged"}
    assert first(tmp_path, kept).values["description"] == "Severe"
    unknown = proposed(tmp_path, rows.format("B2", "B7"))
    assert unknown.named("damage").means == {"B2": "", "B7": ""}
    assert first(tmp_path, unknown).values["description"] == "B2"
    same = proposed(tmp_path, rows.format("partly damaged", "destroyed"))
    assert "description" not in first(tmp_path, same).values


def test_the_country_is_where_most_rows_name_a_region(tmp_path: Path) -> None:
    rows = "Provincia;Tipo;Fecha\nValencia;escuela;1.2.2024\nMurcia;puente;1.2.2024\nAlicante;casa;1.2.2024\nTotal;;\n"
    assert proposed(tmp_path, rows).country == "ES"
    assert proposed(tmp_path, rows.replace("Alicante", "Ohio")).country == ""


def test_a_file_of_outages_gets_what_no_column_says(tmp_path: Path) -> None:
    proposal = proposed(
        tmp_path,
        "ID,Country,State,Start,Restored,Customers Affected,Reason\n"
        "7,US,IL,2025-01-02 03:04,2025-01-02 05:04,1200,storm\n"
        "8,US,IL,2025-01-03 03:04,,300,vandalism\n",
        "Power outages",
    )
    assert list(roles(proposal).values()) == [
        "ref", "country", "region", "moment", "back", "customers_lost", "cause",
    ]  # fmt: skip
    row = first(tmp_path, proposal)
    assert row.values.items() >= {
        ("kind", "outage"), ("sector", "electricity"), ("customers_unit", "accounts"), ("customers_lost", "1200"),
        ("started_at", "2025-01-02T03:04:00"), ("occurred_to", "2025-01-02"), ("cause_group", "weather"),
        ("restored_at", "2025-01-02T05:04:00"),
    }  # fmt: skip


def test_where_no_column_says_what_it_was_words_of_the_description_do(tmp_path: Path) -> None:
    text = "date,lat,lon,description\n2025-03-14,50.1,36.2,Shelling of a kindergarten\n2025-03-15,50.2,36.3,Dacha hit\n"
    proposal = proposed(tmp_path, text)
    assert first(tmp_path, proposal).values["object_type"] == "kindergarten"
    mapping = mappings.parse("a-list", proposal.toml())
    said = [mapping.read(row.cells).values["object_type"] for row in Table(tmp_path / "table").rows()]
    assert said == ["kindergarten", "unknown"]


@pytest.mark.parametrize(
    ("cells", "formats", "either"),
    [
        (["03/04/2025", "05/06/2025"], ["%d/%m/%Y"], True),
        (["03/04/2025", "25/06/2025"], ["%d/%m/%Y"], False),
        (["03/04/2025", "05/26/2025"], ["%m/%d/%Y"], False),
        (["03/03/2025", "05/05/2025"], ["%d/%m/%Y"], False),  # both ways it is the same day
        (["3/04/2025 5:06", "05/06/2025 07:08"], ["%d/%m/%Y %H:%M"], True),
        (["3.04.2025 5:06", "05.06.2025 07:08"], ["%d.%m.%Y %H:%M"], False),  # nobody puts dots after months
        (["2025-03-04", "2025-03-05"], ["%Y-%m-%d"], False),
        (["45658", "45659.5"], ["serial"], False),
        (["1 січня 2025 р.", "14 марта 2025"], ["%d %B %Y"], False),
        (["2025-03-04", "05/04/2025"], ["%Y-%m-%d", "%d/%m/%Y"], True),
        (["2025-03-04T05:06:07Z"], ["%Y-%m-%dT%H:%M:%S%z"], False),
        (["spring", "2025-03-04"], [], False),
        (["14 de octubre de 2024", "1º de enero del 2025"], ["%d %B %Y"], False),
        (["1er août 2024", "14 déc. 2024"], ["%d %B %Y"], False),
        (["14. März 2024", "3. Okt. 2024"], ["%d %B %Y"], False),
        (["7 Ağustos 2023", "14 Kasım 2023"], ["%d %B %Y"], False),
        (["٦ شباط ٢٠٢٣", "1 كانون الثاني 2023"], ["%d %B %Y"], False),
        (["2024年1月1日", "2024年12月31日"], ["%Y年%m月%d日"], False),
        (["14/10/2024 8:15 p. m."], ["%d/%m/%Y %I:%M %p"], False),
        (["1735689600000", "1735693200000"], ["epoch"], False),
        (["2024-07-08 23:30:00+00:00"], ["%Y-%m-%d %H:%M:%S%z"], False),
        # Day first in one row and month first in the next: neither is taken.
        (["25/06/2025", "06/25/2025"], [], False),
    ],
)
def test_days_are_read_by_format_and_two_ways_are_seen(
    cells: list[str], formats: list[str], either: bool
) -> None:
    assert values.day_formats(cells) == (formats, either)


def test_a_day_that_can_be_read_two_ways_is_read_as_the_person_says(tmp_path: Path) -> None:
    proposal = proposed(tmp_path, "place,type,date\nSumy,school,03/04/2025\nSumy,shop,05/06/2025\n")
    assert [column.name for column in proposal.asks] == ["date"]
    assert first(tmp_path, proposal).values["occurred_to"] == "2025-04-03"
    proposal.asks[0].turn()
    assert first(tmp_path, proposal).values["occurred_to"] == "2025-03-04"


def test_words_that_nobody_knows_are_listed_and_not_guessed(tmp_path: Path) -> None:
    text = "place,type,date,damage\nSumy,school,2025-01-02,minor\nSumy,zzz,2025-01-03,major\nSumy,shop,2025-01-04,?!\n"
    proposal = proposed(tmp_path, text)
    assert proposal.named("type").means == {
        "school": "building//school",
        "zzz": "",
        "shop": "building//commercial",
    }
    assert (proposal.named("damage").scale, proposal.named("damage").means) == (
        "fema_pda",
        {"minor": "minor", "major": "major", "?!": ""},
    )
    mapping = mappings.parse("a-list", proposal.toml())
    rows = [row.cells for row in Table(tmp_path / "table").rows()]
    with pytest.raises(mappings.Unmapped, match="zzz"):
        mapping.read(rows[1])
    assert "scale_grade" not in mapping.read(rows[2]).values


def test_cells_that_hold_both_coordinates_are_parted(tmp_path: Path) -> None:
    proposal = proposed(
        tmp_path, 'what,when,gps\nschool,2025-01-02,"50.45, 30.52"\nshop,2025-01-03,"(50.1, -0.5)"\n'
    )
    assert roles(proposal)["gps"] == "point"
    assert first(tmp_path, proposal).values.items() >= {("lat", "50.45"), ("lon", "30.52")}


def test_a_cell_that_is_no_day_is_an_error_of_its_row_where_the_heading_says_day(tmp_path: Path) -> None:
    table = "place,type,{},seen\nSumy,school,05.03.25,1.1.25\nSumy,shop,31.02.25,x\nSumy,shop,6.3.25,y\n"
    proposal = proposed(tmp_path, table.format("date"))
    assert (roles(proposal)["date"], roles(proposal)["seen"]) == ("day", "")
    assert roles(proposed(tmp_path, table.format("col")))["col"] == ""


@pytest.mark.parametrize(
    ("heading", "cell", "started_at"),
    [
        ("start", "2024-07-08T23:30:00Z", "2024-07-08T23:30:00+00:00"),
        ("start (UTC)", "2024-07-08 23:30", "2024-07-08T23:30:00+00:00"),
        ("start", "1720481400000", "2024-07-08T23:30:00+00:00"),
        ("start", "2024-07-08 23:30", "2024-07-08T23:30:00"),
    ],
)
def test_the_day_of_a_moment_by_another_clock_is_left_to_the_place(
    tmp_path: Path, heading: str, cell: str, started_at: str
) -> None:
    row = first(tmp_path, proposed(tmp_path, f"city,type,{heading}\nSumy,school,{cell}\n"))
    assert row.values["started_at"] == started_at
    assert row.values.get("occurred_to") == (None if "+" in started_at else "2024-07-08")


def test_moments_that_all_begin_a_day_are_days(tmp_path: Path) -> None:
    row = first(tmp_path, proposed(tmp_path, "city,type,when\nSumy,school,2023-02-08T00:00:00.000Z\n"))
    assert (row.values["occurred_to"], row.values.get("started_at")) == ("2023-02-08", None)


def test_days_of_a_workbook_are_days(tmp_path: Path) -> None:
    rows: list[list[Any]] = [
        ["Damage in March"],
        ["town", "object", "day", "time", "seen"],
        ["Sumy", "school", date(2025, 3, 14), time(21, 40), datetime(2025, 3, 15, 8, 0)],
        ["Sumy", "bridge", date(2025, 3, 15), time(1, 5), None],
    ]
    assert first(tmp_path, proposed(tmp_path, sheets.xlsx(rows))).values.items() >= {
        ("occurred_to", "2025-03-14"),
        ("started_at", "2025-03-14T21:40:00"),
    }


def test_what_a_report_needs_and_no_column_gives_is_said(tmp_path: Path) -> None:
    lacking = proposed(tmp_path, "type,note\nschool,x\nshop,y\n").lacks()
    assert [str(one) for one in lacking] == [
        "No column says when it happened.",
        "No column says where it is.",
    ]


def test_every_word_means_something_the_register_knows() -> None:
    for _any, said in words.THINGS:
        assert said["object_type"] in v.object_types(said["kind"], said.get("sector", "")), said
        assert proposals.outcome("what", proposals.coded(said)) == said
    for _any, said in words.CAUSES:
        assert said["cause_group"] in v.CauseGroup.values
        assert said.get("cause", "unknown") in v.Cause.values
        assert proposals.outcome("cause", proposals.coded(said)) == said
    assert set(words.HEADINGS) == set(proposals.ROLES)


@pytest.mark.parametrize("scale", scales.SCALES.values(), ids=lambda scale: scale.code)
def test_the_grades_of_every_scale_are_known_by_their_words(scale: scales.Scale) -> None:
    assert words.grades([str(grade.label) for grade in scale.grades]) == (
        scale.code,
        {str(grade.label): grade.code for grade in scale.grades},
    )


def test_what_is_written_is_read_back() -> None:
    told = {
        "title": 'a "b"\n\\ \x7f',
        "missing": ["-", "н/д"],
        "always": {"kind": "building"},
        "fields": {
            "lat": {"column": "U.S.", "part": 1},
            "occurred_to": ["a", {"column": "b", "set": {"x": "y"}}],
        },
        "decide": [
            {"column": "t", "values": {"a.b": {"kind": "x"}, "": {}}, "otherwise": {}},
            {"column": "u"},
        ],
    }
    assert tomllib.loads(toml.written(told)) == told


def test_a_column_that_no_heading_names_is_a_place_if_its_cells_are(tmp_path: Path) -> None:
    rows = "X;Де;Хто\n1;Чугуїв;Петренко О.\n2;Ізюм;Коваль І.\n3;с. Циркуни;Бойко Н.\n4;Балаклія;Шевчук П.\n"
    proposal = proposed(tmp_path, rows)
    assert roles(proposal) == {"X": "", "Де": "place", "Хто": ""}


def test_counts_are_read_with_what_stands_between_the_thousands_of_their_column(tmp_path: Path) -> None:
    table = (
        "city;type;start;customers affected;lat;lon\n"
        "Sumy;school;1.2.2024 10:00;12.000;50,9;34,8\nSumy;shop;1.2.2024 10:00;452;50,8;34,7\n"
    )
    row = first(tmp_path, proposed(tmp_path, table))
    assert (row.values["customers_lost"], row.values["lat"]) == ("12000", "50,9")


@pytest.mark.parametrize(
    ("headings", "cells", "said"),
    [
        # A municipality is a district beside its settlements, and the place where nothing is finer.
        (
            "Estado,Municipio,Localidad",
            ["Oaxaca,Tonalá,Paredón", "Oaxaca,Tonalá,Juchitán"],
            "region district place",
        ),
        ("Estado,Municipio,X", ["Oaxaca,Tonalá,7", "Oaxaca,Tonalá,7"], "region place"),
        # Somebody filled in a form from start to end; when the damage was is another column.
        (
            "start,end,_uuid",
            ["2024-08-01T10:00,2024-08-01T10:09,a", "2024-08-01T11:00,2024-08-01T11:09,b"],
            "ref",
        ),
        # A number of customers is no number of a row, and no region is one of which no cell is.
        ("NERC Region,Number of customers,Town", ["WECC,1200,Sumy", "TRE,90,Kyiv"], "customers_lost place"),
        ("Region,Number,Town", ["Sumy Oblast,1200,Sumy", "Sumy Oblast,90,Kyiv"], "region ref place"),
        # Numbers are no place, whatever their heading says.
        ("GPS Location,Town", ["33.5 35.4 0 0,Sumy", "33.5 35.4 0 9,Kyiv"], "place"),
    ],
)
def test_columns_are_what_they_are_beside_each_other(
    tmp_path: Path, headings: str, cells: list[str], said: str
) -> None:
    ends = ("Type,Date", "school,2024-07-30", "shop,2024-07-29")
    lines = [f"{line},{end}\n" for line, end in zip([headings, *cells], ends, strict=True)]
    columns = proposed(tmp_path, "".join(lines)).columns
    assert " ".join(column.role for column in columns[:-2] if column.role) == said
