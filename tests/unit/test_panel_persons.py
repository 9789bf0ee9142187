"""The panel's persons become members and a ledger of their work; a question that was not answered stays unknown."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from tests.support.ascii import rows
from tests.support.panel import CHILD, UNEMPLOYED, drawn, panel_file, persons_file, quarters

from relapse_risk import Records
from relapse_risk.cli import main
from relapse_risk.datasets.eph import PanelImport, import_eph
from relapse_risk.datasets.eph.employment import INDUSTRY
from relapse_risk.errors import ImportRefused
from relapse_risk.records.codes import INDUSTRY as INDUSTRIES
from relapse_risk.records.folder import load_records


def imported(folder: Path, *people: dict[str, object]) -> PanelImport:
    """Import persons, and a household-quarter for every one they are asked in."""
    visit: dict[str, object] = {"CODUSU": "AB", "NRO_HOGAR": 1, "ANO4": 2017, "TRIMESTRE": 1}
    visits = [{name: person.get(name, usual) for name, usual in visit.items()} for person in people]
    once = [one for k, one in enumerate(visits) if one not in visits[:k]]
    households = panel_file(folder, *once)
    return import_eph([persons_file(folder, *people), households])


def table(panel: PanelImport, name: str, *columns: str) -> list[dict[str, str]]:
    """Return some columns of a table's rows as texts, blank where they are missing."""
    frame = Records.from_tables(panel.tables, panel.settings).frame(name)
    frame = frame.sort_values(["person_id", "occurred_on"], ignore_index=True)
    texts = {
        column: [
            "" if pd.isna(value) else f"{value:%Y-%m-%d}" if isinstance(value, pd.Timestamp) else f"{value}".lower()
            for value in frame[column]
        ]
        for column in columns
    }
    return [dict(zip(columns, row, strict=True)) for row in zip(*texts.values(), strict=True)]


def expected(drawing: str) -> tuple[list[dict[str, str]], list[str]]:
    """Return the rows of a drawing and the names of its columns."""
    found = rows(drawing)
    return found, list(found[0])


def test_a_member_has_relation_sex_schooling_and_school(tmp_path: Path) -> None:
    panel = imported(
        tmp_path,
        *drawn(
            """
            | COMPONENTE | CH03 | CH04 | CH06 | CH10 | CH12 | NIVEL_ED |
            | 1          | 1    | 1    | 44   | 2    | 7    | 6        |
            | 2          | 2    | 2    | 40   | 3    | 0    | 7        |
            | 3          | 3    | 2    | 14   | 1    | 4    | 3        |
            | 4          | 3    | 1    | 15   | 1    | 4    | 3        |
            | 5          | 5    | 1    | 11   | 1    | 3    | 1        |
            | 6          | 9    | 1    | 20   | 1    | 7    | 5        |
            | 7          | 10   | 1    | 30   | 9    | 99   | 9        |
            """
        ),
        *drawn("| COMPONENTE | CH03 | CH06 | CH10 |\n| 8 | 5 | -1 | 0 |", base=CHILD),
    )
    members, columns = expected(
        """
        | person_id | relation  | sex    | birth_month | schooling  | at_school  | in_household |
        | AB-1-1    | head      | male   | 1972-09-01  | university | no         | true         |
        | AB-1-2    | spouse    | female | 1976-09-01  | illiterate | no         | true         |
        | AB-1-3    | child     | female | 2002-09-01  | junior     | junior     | true         |
        | AB-1-4    | child     | male   | 2001-09-01  | junior     | senior     | true         |
        | AB-1-5    | grandchild| male   | 2005-09-01  | illiterate | primary    | true         |
        | AB-1-6    | other_kin | male   | 1996-09-01  | college    | university | true         |
        | AB-1-7    | not_kin   | male   | 1986-09-01  |            |            | true         |
        | AB-1-8    | grandchild| female | 2016-09-01  | illiterate | no         | true         |
        """
    )
    assert table(panel, "members", *columns) == [{**row, "person_id": row["person_id"].lower()} for row in members]


@pytest.mark.parametrize("age", [-1, 0, 5, 59])
def test_age_by_the_birth_month_is_the_age_answered(tmp_path: Path, age: int) -> None:
    panel = imported(tmp_path, {"CH06": age})
    born = pd.Timestamp(panel.tables["members"]["birth_month"][0].as_py())
    as_of = pd.Timestamp("2017-04-01")
    months = (as_of.year - born.year) * 12 + as_of.month - born.month
    assert months // 12 == max(age, 0)


def test_covers_health_and_skill(tmp_path: Path) -> None:
    panel = imported(
        tmp_path,
        *drawn(
            """
            | COMPONENTE | CH08 | PP07H | PP04D_COD | ESTADO | CAT_INAC |
            | 1          | 1    | 1     | 30113     | 1      | 0        |
            | 2          | 123  | 2     | 30114     | 1      | 0        |
            | 3          | 4    | 2     | 30117     | 1      | 0        |
            | 4          | 4    | 1     | 30111     | 1      | 0        |
            | 5          | 9    | 0     | 0         | 3      | 6        |
            | 6          | 3    | 0     | 30113     | 2      | 0        |
            """
        ),
    )
    members, columns = expected(
        """
        | insurance                                           | labour_skill | health   |
        | employee_medical,employee_pension                   | skilled      |          |
        | employee_medical,commercial_medical,resident_medical| ordinary     |          |
        | none                                                |              |          |
        | employee_pension                                    | skilled      |          |
        |                                                     | lost         | disabled |
        | resident_medical                                    |              |          |
        """
    )
    assert table(panel, "members", *columns) == members


def test_who_is_not_met_at_a_later_visit_has_left_until_met_again(tmp_path: Path) -> None:
    panel = imported(
        tmp_path,
        *drawn(
            """
            | COMPONENTE | ANO4 | TRIMESTRE |
            | 1          | 2016 | 2         |
            | 1          | 2016 | 3         |
            | 1          | 2017 | 2         |
            | 2          | 2016 | 2         |
            | 2          | 2017 | 2         |
            | 3          | 2016 | 2         |
            | 4          | 2017 | 2         |
            """
        ),
    )
    members, columns = expected(
        """
        | person_id | occurred_on | in_household | relation |
        | ab-1-1    | 2016-06-30  | true         | head     |
        | ab-1-1    | 2016-09-30  | true         | head     |
        | ab-1-1    | 2017-06-30  | true         | head     |
        | ab-1-2    | 2016-06-30  | true         | head     |
        | ab-1-2    | 2016-09-30  | false        |          |
        | ab-1-2    | 2017-06-30  | true         | head     |
        | ab-1-3    | 2016-06-30  | true         | head     |
        | ab-1-3    | 2016-09-30  | false        |          |
        | ab-1-4    | 2017-06-30  | true         | head     |
        """
    )
    assert table(panel, "members", *columns) == members


def test_pay_is_of_all_work_and_unknown_where_a_part_was_not_answered(tmp_path: Path) -> None:
    panel = imported(
        tmp_path,
        *drawn(
            """
            | COMPONENTE | ESTADO | P21   | TOT_P12 | PP08J1 | PP08J2 | PP08J3 |
            | 1          | 1      | 20000 | 500     | 9000   | 100    | 10     |
            | 2          | 1      | -9    | 0       | 0      | 0      | 0      |
            | 3          | 1      | 20000 | -9      | 0      | 0      | 0      |
            | 4          | 1      | 20000 | 0       | -9     | 0      | 0      |
            | 5          | 1      | 0     | 0       | 0      | 0      | 0      |
            | 7          | 0      | 0     | 0       | 0      | 0      | 0      |
            """
        ),
        {"COMPONENTE": 6, **UNEMPLOYED, "TOT_P12": 700},
        {"COMPONENTE": 8, **CHILD},
    )
    work, columns = expected(
        """
        | person_id | employed | wage_yuan | one_off_yuan |
        | ab-1-1    | true     | 29610.0   | 9110.0       |
        | ab-1-2    | true     |           | 0.0          |
        | ab-1-3    | true     |           | 0.0          |
        | ab-1-4    | true     |           |              |
        | ab-1-5    | true     | 0.0       | 0.0          |
        | ab-1-6    | false    | 700.0     | 0.0          |
        """
    )
    assert table(panel, "employment", *columns) == work


def test_the_kind_of_work(tmp_path: Path) -> None:
    panel = imported(
        tmp_path,
        *drawn(
            """
            | COMPONENTE | CAT_OCUP | PP04B_COD | PP04B1 | PP07C | PP07D | PP07E | PP07H | PP07I |
            | 1          | 3        | 4803      | 2      | 2     | 0     | 0     | 1     | 0     |
            | 2          | 3        | 101       | 2      | 1     | 1     | 4     | 2     | 2     |
            | 3          | 3        | 40        | 2      | 1     | 9     | 4     | 2     | 1     |
            | 4          | 3        | 8401      | 2      | 1     | 5     | 1     | 2     | 9     |
            | 5          | 3        | 8401      | 2      | 9     | 9     | 2     | 1     | 0     |
            | 6          | 3        | 9999      | 2      | 9     | 9     | 4     | 9     | 9     |
            | 7          | 3        | 9700      | 1      | 0     | 0     | 0     | 2     | 2     |
            | 8          | 2        | 4000      | 2      | 0     | 0     | 0     | 0     | 0     |
            | 9          | 4        | 5601      | 2      | 0     | 0     | 0     | 0     | 0     |
            """
        ),
        *drawn("| COMPONENTE | CAT_OCUP | PP04B_COD |\n| 10 | 3 | 4000 |", base=UNEMPLOYED),
    )
    work, columns = expected(
        """
        | person_id | work_status   | industry     | contract   | formal | channel      |
        | ab-1-1    | employee      | trade        | open_ended | true   |              |
        | ab-1-10   |               |              |            |        |              |
        | ab-1-2    | employee      | agriculture  | casual     | false  |              |
        | ab-1-3    | employee      | construction | task       | true   |              |
        | ab-1-4    | employee      | government   | fixed_term |        | welfare_post |
        | ab-1-5    | employee      | government   | fixed_term | true   |              |
        | ab-1-6    | employee      | other        |            |        |              |
        | ab-1-7    | employee      | domestic     |            | false  |              |
        | ab-1-8    | self_employed | construction |            |        |              |
        | ab-1-9    | family_worker | catering     |            |        |              |
        """
    )
    assert table(panel, "employment", *columns) == work


def test_hours_are_of_all_work_and_unknown_where_a_week_has_fewer(tmp_path: Path) -> None:
    answered = ((40, 0), (30, 12), (999, 0), (1, 999), (100, 68), (100, 69), (0, 0))
    people: list[dict[str, object]] = [
        {"COMPONENTE": n, "PP3E_TOT": main, "PP3F_TOT": others} for n, (main, others) in enumerate(answered)
    ]
    hours = [row["hours_week"] for row in table(imported(tmp_path, *people), "employment", "hours_week")]
    assert hours == ["40.0", "42.0", "", "", "168.0", "", "0.0"]


def test_since_when_a_person_works_or_looks_for_work(tmp_path: Path) -> None:
    panel = imported(
        tmp_path,
        *drawn(
            """
            | COMPONENTE | CAT_OCUP | PP07A | PP05H | PP03J |
            | 1          | 3        | 1     | 0     | 1     |
            | 2          | 3        | 5     | 0     | 2     |
            | 3          | 2        | 0     | 6     | 9     |
            | 4          | 3        | 9     | 0     | 2     |
            """
        ),
        *drawn("| COMPONENTE | PP10A |\n| 5 | 2 |\n| 6 | 5 |", base=UNEMPLOYED),
        {"COMPONENTE": 7, **UNEMPLOYED, "ESTADO": 3},
    )
    work, columns = expected(
        """
        | person_id | started_on | seeking | seeking_since |
        | ab-1-1    | 2017-03-16 | true    |               |
        | ab-1-2    | 2014-03-31 | false   |               |
        | ab-1-3    | 2007-04-01 | false   |               |
        | ab-1-4    |            | false   |               |
        | ab-1-5    |            | true    | 2017-01-29    |
        | ab-1-6    |            | true    | 2015-04-01    |
        | ab-1-7    |            | false   |               |
        """
    )
    assert table(panel, "employment", *columns) == work


def test_every_industry_is_one_of_the_list(tmp_path: Path) -> None:
    assert set(INDUSTRY.values()) == set(INDUSTRIES.values)
    assert [INDUSTRY[division] for division in (3, 33, 40, 56, 97)] == [
        "agriculture",
        "manufacturing",
        "construction",
        "catering",
        "domestic",
    ]


def amounts(panel: PanelImport) -> dict[tuple[str, str], float]:
    """Return the incomes that are not zero, by source and part."""
    frame = panel.tables["incomes"].to_pandas()
    frame = frame[frame["amount_yuan"] > 0]
    return dict(zip(zip(frame["source"], frame["part"], strict=True), frame["amount_yuan"], strict=True))


def test_incomes_are_split_by_the_persons_answers(tmp_path: Path) -> None:
    parts = {"V2_M": 1, "V3_M": 2, "V4_M": 4, "V5_M": 8, "V8_M": 16, "V9_M": 32, "V10_M": 64, "V11_M": 128}
    others = {"V12_M": 256, "V18_M": 512, "V19_AM": 1024, "V21_M": 2048, "T_VI": 4095}
    pay = {"P21": 10_000, "TOT_P12": 20_000, "PP08J1": 40_000, "PP08J2": 80_000, "PP08J3": 160_000}
    pensioner = {"COMPONENTE": 2, **UNEMPLOYED, "ESTADO": 3, "V2_M": 300_000, "T_VI": 300_000}
    panel = imported(tmp_path, {**parts, **others, **pay}, pensioner)
    assert amounts(panel) == {
        ("wage", "migrant_work"): 10_000,
        ("wage", "other"): 20_000,
        ("wage", "bonus"): 280_000,
        ("transfer", "pension"): 300_001,
        ("transfer", "severance"): 2,
        ("transfer", "unemployment"): 4,
        ("transfer", "social_relief"): 8,
        ("property", "other"): 16,
        ("property", "dividend"): 32,
        ("property", "interest"): 64,
        ("transfer", "scholarship"): 128,
        ("transfer", "gift"): 256,
        ("transfer", "bonus"): 2_048,
        ("transfer", "other"): 1_536,
    }


def test_parts_add_up_to_the_households_income_or_are_counted(tmp_path: Path) -> None:
    households = panel_file(tmp_path, {}, {"CODUSU": "bonus", "ITF": 31_000.0}, {"CODUSU": "silent", "PONDIH": 0})
    people = persons_file(
        tmp_path,
        {},
        {"CODUSU": "bonus", "PP08J1": 1_000},
        {"CODUSU": "silent", "P21": -9},
        {"CODUSU": "bonus", "COMPONENTE": 2, **CHILD},
    )
    panel = import_eph([households, people])
    incomes = panel.tables["incomes"].to_pandas()
    assert incomes.groupby("household_id")["amount_yuan"].sum().to_dict() == {"AB-1": 30_000, "bonus-1": 31_000}
    assert panel.counts["visits whose persons' incomes do not add up to the household's"] == 0
    less = persons_file(tmp_path, {"P21": 19_000})
    assert (
        import_eph([households, less]).counts["visits whose persons' incomes do not add up to the household's"] == 1
    )


def test_a_visit_without_persons_keeps_the_households_columns(tmp_path: Path) -> None:
    households = panel_file(tmp_path, {"TRIMESTRE": 1}, {"TRIMESTRE": 2})
    panel = import_eph([households, persons_file(tmp_path, {"TRIMESTRE": 2})])
    assert panel.counts["visits without persons"] == 1
    incomes = panel.tables["incomes"].to_pandas()
    alone = import_eph([households]).tables["incomes"].to_pandas()
    first = alone["occurred_on"].min()
    pd.testing.assert_frame_equal(
        incomes[incomes["occurred_on"] == first].sort_values(["source", "part"], ignore_index=True),
        alone[alone["occurred_on"] == first].sort_values(["source", "part"], ignore_index=True),
    )
    assert panel.tables["members"].num_rows == 1


def test_household_files_alone_bring_no_persons(tmp_path: Path) -> None:
    assert not {"members", "employment"} & set(import_eph([panel_file(tmp_path, {})]).tables)


def test_persons_of_no_household_are_counted_and_left_out(tmp_path: Path) -> None:
    households = panel_file(tmp_path, {}, {"CODUSU": "away", "REALIZADA": 0})
    people = persons_file(tmp_path, {}, {"CODUSU": "other"}, {"TRIMESTRE": 2}, {"CODUSU": "away"})
    panel = import_eph([people, households])
    assert panel.counts["persons' rows"] == 1
    assert panel.counts["persons' rows of no interviewed household-quarter, left out"] == 3
    assert panel.tables["members"].num_rows == panel.tables["employment"].num_rows == 1


def test_two_periods_make_what_one_file_of_both_makes(tmp_path: Path) -> None:
    first: dict[str, object] = {"ANO4": 2018, "TRIMESTRE": 4}
    later: dict[str, object] = {"ANO4": 2019, "TRIMESTRE": 1}
    gone = {**first, "COMPONENTE": 2}
    both = import_eph([panel_file(tmp_path, first, later), persons_file(tmp_path, first, gone, later)])
    apart = import_eph(
        [
            persons_file(tmp_path, later, first, name="persons_later.parquet"),
            panel_file(tmp_path, later, name="later.parquet"),
            panel_file(tmp_path, first, name="first.parquet"),
            persons_file(tmp_path, first, gone, name="persons_first.parquet"),
        ]
    )
    assert apart.counts["persons' rows repeated"] == 1
    assert all(both.tables[name].equals(apart.tables[name]) for name in both.tables)
    assert both.tables.keys() == apart.tables.keys()


def test_what_is_wrong_with_files_of_persons_is_stated(tmp_path: Path) -> None:
    households, people = panel_file(tmp_path, {}), persons_file(tmp_path, {})
    with pytest.raises(ImportRefused, match="only files of persons given; give the files of the same quarters"):
        import_eph([people])
    neither = tmp_path / "neither.parquet"
    quarters({}).drop(columns="REALIZADA").to_parquet(neither)
    with pytest.raises(ImportRefused, match=r"has neither COMPONENTE \(.*\) nor REALIZADA"):
        import_eph([neither, people])
    lacking = tmp_path / "lacking.parquet"
    pd.read_parquet(people).drop(columns=["CH08", "PP07H"]).to_parquet(lacking)
    with pytest.raises(ImportRefused, match=r"a file of person-quarters, lacks CH08, PP07H"):
        import_eph([households, lacking])
    texts = tmp_path / "texts.parquet"
    pd.read_parquet(people).astype({"PP04B_COD": str}).to_parquet(texts)
    with pytest.raises(ImportRefused, match="PP04B_COD must hold numbers"):
        import_eph([households, texts])
    unnamed = tmp_path / "unnamed.parquet"
    pd.read_parquet(people).assign(COMPONENTE=pd.array([None], "Int64")).to_parquet(unnamed)
    with pytest.raises(ImportRefused, match=r"1 person-quarter\(s\) lack one of CODUSU, .*COMPONENTE"):
        import_eph([households, unnamed])
    with pytest.raises(ImportRefused, match=r"1 person-quarter\(s\) occur again with different answers"):
        import_eph([households, persons_file(tmp_path, {}, {"P21": 1})])


def test_the_command_says_which_persons_are_left_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    households, people = panel_file(tmp_path, {}), persons_file(tmp_path, {}, {"CODUSU": "other"})
    with pytest.raises(SystemExit) as ended:
        main(["import", "eph", str(people), str(households), "--out", str(tmp_path / "out"), "--json"])
    assert not ended.value.code
    printed = capsys.readouterr()
    assert "1 row(s) of persons belong to no interviewed household-quarter" in " ".join(printed.err.split())
    counts = json.loads(printed.out)["tables"]
    assert (
        counts["members"] == counts["employment"] == load_records(tmp_path / "out").table("members").num_rows == 1
    )
