"""What is wrong with records is reported in one go: table, column, rows, what is valid; never a value."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.support import ascii as drawn

from relapse_risk.datasets.county.parameters import CountyParameters
from relapse_risk.datasets.county.simulate import county_settings
from relapse_risk.errors import NotFoundError, OutputExists, RecordsInvalid, SettingsInvalid, UsageError
from relapse_risk.records.folder import load_records, write_folder
from relapse_risk.records.records import Records
from relapse_risk.records.summary import summarise
from relapse_risk.records.tables import TABLES
from relapse_risk.records.violations import RULES, Violation
from relapse_risk.settings import Settings, county_defaults

SECRET = "500236199001011234"
SOUND = """
households
| household_id | occurred_on | grid_id | n_members | n_labour |
| h1           | 2023-01-01  | g1      | 3         | 2        |
| h2           | 2023-01-01  | g1      | 2         |          |
grids
| occurred_on | grid_id |
| 2023-01-01  | g1      |
visits
| household_id | occurred_on | visit_id | yard |
| h1           | 2023-02-01  | v1       | 1    |
| h2           | 2023-02-02  | v2       |      |
incomes
| household_id | occurred_on | source | amount_yuan |
| h1           | 2023-02-28  | wage   | 2000        |
statuses
| household_id | occurred_on | poor |
| h1           | 2023-02-28  | no   |
expenses
| household_id | occurred_on | kind    | self_paid_yuan |
| h1           | 2023-02-28  | medical | 300            |
supports
| household_id | occurred_on | kind     | ended_on   |
| h1           | 2023-02-01  | industry | 2023-03-01 |
members
| household_id | occurred_on | person_id | birth_month | health           | insurance                         |
| h1           | 2023-01-01  | p1        | 2023-01-01  | chronic,disabled | resident_medical,resident_pension |
employment
| household_id | occurred_on | person_id | employed | wage_yuan | one_off_yuan | started_on | seeking_since |
| h1           | 2023-02-28  | p7        | yes      | 3000      | 3000         | 2023-02-28 |               |
"""


def test_an_error_says_when_more_may_follow_once_it_is_corrected() -> None:
    unknown_code, no_profile = (Violation(code, "visits", "", "Correct it.") for code in ("RR007", "RR017"))
    assert "More may follow" in str(RecordsInvalid((unknown_code, no_profile)))
    assert "More may follow" not in str(RecordsInvalid((no_profile,)))


def broken(table: str, **columns: list[Any]) -> tuple[Violation, ...]:
    """Return the violations of sound records with some columns replaced."""
    tables = drawn.tables(SOUND)
    for name, values in columns.items():
        data = tables[table]
        at = data.column_names.index(name)
        array = values if isinstance(values, pa.Array) else pa.array(values)
        if len(array) != data.num_rows:
            data = pa.concat_tables([data] * len(array)).slice(0, len(array))
        tables[table] = data.set_column(at, name, array)
    with pytest.raises(RecordsInvalid) as caught:
        Records.from_tables(tables, drawn.settings(data={"end": "2024-01-01"}))
    assert caught.value.exit_code == 3
    return caught.value.violations


DAY = dt.date(2023, 2, 1)


@pytest.mark.parametrize(
    ("table", "columns", "code", "column", "n_rows", "rows"),
    [
        ("visits", {"household_id": [1, 2]}, "RR005", "household_id", 0, ()),
        ("visits", {"visit_id": [1.5, 2.5]}, "RR005", "visit_id", 0, ()),
        ("visits", {"visit_id": ["5.00236E+17", "v2"]}, "RR005", "visit_id", 1, (1,)),
        ("visits", {"visit_id": ["500236.0", "500236"]}, "RR005", "visit_id", 1, (1,)),
        ("visits", {"visit_id": ["v1", "=v2"]}, "RR018", "visit_id", 1, (2,)),
        ("visits", {"worker_id": ["w\u200b1", None]}, "RR018", "worker_id", 1, (1,)),
        ("visits", {"visit_id": [None, "v2"]}, "RR006", "visit_id", 1, (1,)),
        ("visits", {"visit_id": ["", "v2"]}, "RR006", "visit_id", 1, (1,)),
        ("visits", {"yard": ["1", "2"]}, "RR004", "yard", 0, ()),
        ("visits", {"yard": [0.5, 1.0]}, "RR004", "yard", 0, ()),
        ("visits", {"yard": [3, -1]}, "RR008", "yard", 2, (1, 2)),
        ("visits", {"occurred_on": ["2023-02-01", "2023-02-02"]}, "RR004", "occurred_on", 0, ()),
        ("visits", {"occurred_on": [dt.datetime(2023, 2, 1, 9), dt.datetime(2023, 2, 2)]}, "RR004", "occurred_on",
         0, ()),
        ("visits", {"occurred_on": [DAY, dt.date(1023, 2, 1)]}, "RR008", "occurred_on", 1, (2,)),
        ("visits", {"occurred_on": [DAY, None]}, "RR006", "occurred_on", 1, (2,)),
        ("visits", {"known_on": [dt.date(2023, 1, 31), dt.date(2023, 2, 2)]}, "RR009", "known_on", 1, (1,)),
        ("visits", {"known_on": [DAY, dt.date(2062, 2, 1)]}, "RR010", "known_on", 1, (2,)),
        ("visits", {"clue_raised": [1, 0]}, "RR004", "clue_raised", 0, ()),
        ("visits", {"visit_id": ["v1", "v1"], "household_id": ["h1", "h1"], "known_on": [dt.date(2023, 2, 9)] * 2},
         "RR011", "household_id, visit_id", 2, (1, 2)),
        ("visits", {"household_id": ["h1", "h9"]}, "RR017", "household_id", 1, (2,)),
        ("incomes", {"amount_yuan": [-1.0]}, "RR008", "amount_yuan", 1, (1,)),
        ("incomes", {"amount_yuan": [float("inf")]}, "RR008", "amount_yuan", 1, (1,)),
        ("incomes", {"source": ["工资"]}, "RR007", "source", 1, (1,)),
        ("incomes", {"source": pa.array([0], pa.int8())}, "RR004", "source", 0, ()),
        ("statuses", {"poor": [None]}, "RR006", "poor", 1, (1,)),
        ("statuses", {"risk_types": ["illness;schooling"]}, "RR007", "risk_types", 1, (1,)),
        ("supports", {"ended_on": [dt.date(2023, 1, 31)]}, "RR009", "ended_on", 1, (1,)),
        ("households", {"grid_id": ["g1", "g7"]}, "RR012", "grid_id", 1, (2,)),
        ("households", {"n_labour": [4, 1]}, "RR014", "n_labour", 1, (1,)),
        ("households", {"n_members": [0, 2]}, "RR008", "n_members", 1, (1,)),
        ("members", {"person_id": ["9999991949 1231 005X"]}, "RR020", "person_id", 1, (1,)),
        ("members", {"birth_month": [dt.date(2023, 1, 2)]}, "RR019", "birth_month", 1, (1,)),
        ("members", {"insurance": ["none,resident"]}, "RR007", "insurance", 1, (1,)),
        ("members", {"health": ["healthy,chronic,disabled,healthy,chronic"]}, "RR007", "health", 1, (1,)),
        ("members", {"health": ["healthy,chronic"]}, "RR021", "health", 1, (1,)),
        ("members", {"insurance": ["resident_medical,none"]}, "RR021", "insurance", 1, (1,)),
        ("members", {"insurance": ["none,none"]}, "RR021", "insurance", 1, (1,)),
        ("statuses", {"risk_types": ["illness,schooling,illness"]}, "RR021", "risk_types", 1, (1,)),
        ("members", {"household_id": ["h9"]}, "RR017", "household_id", 1, (1,)),
        ("employment", {"started_on": [dt.date(2023, 3, 1)]}, "RR019", "started_on", 1, (1,)),
        ("employment", {"one_off_yuan": [3000.5]}, "RR014", "one_off_yuan", 1, (1,)),
        ("employment", {"hours_week": [169.0]}, "RR008", "hours_week", 1, (1,)),
    ],
)  # fmt: skip
def test_a_violation_names_its_place_and_rule(
    table: str, columns: dict[str, Any], code: str, column: str, n_rows: int, rows: tuple[int, ...]
) -> None:
    found = {(p.code, p.table, p.column): p for p in broken(table, **columns)}
    violation = found[code, table, column]
    assert (violation.n_rows, violation.rows) == (n_rows, rows)
    assert RULES[code] in str(violation)
    other = {"RR009": "occurred_on", "RR014": "(n_members|wage_yuan)", "RR019": "(occurred_on|known_on)"}.get(code)
    assert other is None or re.search(f"{other} of the same row", str(violation))
    assert violation.valid.endswith(".")


def test_all_violations_of_all_tables_are_reported_at_once_and_without_values() -> None:
    tables = drawn.tables(SOUND)
    tables["visits"] = tables["visits"].set_column(3, "visit_id", pa.array([f"{SECRET}.0", None]))
    tables["visits"] = tables["visits"].drop_columns(["health"]).append_column("helth", pa.array([1, 2]))
    nine = pa.concat_tables([tables["incomes"]] * 9)
    tables["incomes"] = nine.set_column(5, "amount_yuan", pa.array([-7.5] * 9))
    tables["statuses"] = tables["statuses"].set_column(0, "household_id", pa.array([SECRET]))
    del tables["households"]
    with pytest.raises(RecordsInvalid) as caught:
        Records.from_tables(tables, drawn.settings())
    message = str(caught.value)
    for expected in (
        "[RR001] households: table is missing",
        "[RR002] visits.health: column is missing. Add it (whole number: health: 0 fine, 1 concern, 2 serious",
        "[RR003] visits.helth: column is not known. Valid columns: household_id, occurred_on,",
        "[RR008] incomes.amount_yuan: number is out of range, 9 row(s): 1, 2, 3, 4, 5, .... Valid: finite, 0 to",
        "[RR011] incomes.household_id, occurred_on, source, part: key is used twice, 9 row(s)",
    ):
        assert expected in message
    assert SECRET not in message
    assert "7.5" not in message


def test_a_number_that_exceeds_its_whole_says_what_it_is_part_of() -> None:
    (violation,) = broken("employment", one_off_yuan=[3000.5])
    assert violation.valid == "Valid: no more than wage_yuan of the same row; correct either."


def test_each_household_needs_the_line_of_its_own_township_alone() -> None:
    """A township without an early line refuses no amounts of the others."""
    drawing = """
    households
    | household_id | occurred_on | township_id |
    | h1           | 2020-01-01  | t1          |
    | h2           | 2020-01-01  | t2          |
    | h3           | 2020-01-01  | t1          |
    | h3           | 2022-01-01  | t2          |
    incomes
    | household_id | occurred_on | source | amount_yuan |
    | h1           | 2021-05-31  | wage   | 1           |
    | h2           | 2021-05-31  | wage   | 1           |
    | h2           | 2021-06-30  | wage   | 1           |
    | h3           | 2021-05-31  | wage   | 1           |
    """
    steps = [
        {"since": "2020-01-01", "yuan": 7000.0, "area": "t1"},
        {"since": "2021-06-01", "yuan": 7000.0, "area": "t2"},
    ]
    with pytest.raises(RecordsInvalid) as caught:
        drawn.records(drawing, Settings.model_validate({"line": {"steps": steps}}))
    (violation,) = caught.value.violations
    assert (violation.code, violation.column, violation.rows) == ("RR015", "occurred_on", (2, 4))
    assert violation.valid.startswith("Valid: 2021-06-01 or later")


def test_a_person_with_a_job_needs_no_profile() -> None:
    records = drawn.records(SOUND)
    assert records.table("employment")["person_id"].to_pylist() == ["p7"]
    assert records.table("members")["person_id"].to_pylist() == ["p1"]


def test_days_outside_the_calendar_are_refused() -> None:
    far = pa.array([4_000_000, 19_389], pa.int32()).cast(pa.date32())
    found = {(v.code, v.column): v for v in broken("visits", known_on=far)}
    assert found["RR008", "known_on"].valid == "Valid: 1900-01-01 to 9999-12-31."


def test_money_needs_a_monitoring_line() -> None:
    tables = drawn.tables(SOUND)
    late = Settings.model_validate({"line": {"steps": [{"since": "2023-02-15", "yuan": 7200.0, "area": "t9"}]}})
    with pytest.raises(RecordsInvalid, match=r"RR015. incomes.occurred_on: no monitoring line holds, 1 row"):
        Records.from_tables(tables, late)


def test_an_item_must_be_declared() -> None:
    drawing = SOUND + "observations\n| household_id | occurred_on | item | value |\n| h1 | 2023-02-01 | tea | 1 |\n"
    with pytest.raises(RecordsInvalid, match=r"RR013. observations.item: item is not declared, 1 row"):
        drawn.records(drawing)


#: Columns that a table needs since the version that brought it: no later version may add to them.
REQUIRED_COLUMNS = {
    "households": "household_id occurred_on known_on grid_id village_id township_id household_type lifted_on "
    "n_members n_labour n_students n_elderly n_chronic n_major_illness n_disabled dibao housing_grade "
    "land_mu orchard_mu relocated",
    "visits": "household_id occurred_on known_on visit_id worker_id yard house cupboard tap health children "
    "clue_raised",
    "observations": "household_id occurred_on known_on item value",
    "incomes": "household_id occurred_on known_on source amount_yuan",
    "statuses": "household_id occurred_on known_on poor origin risk_types",
    "expenses": "household_id occurred_on known_on kind total_yuan reimbursed_yuan self_paid_yuan",
    "shocks": "household_id occurred_on known_on kind",
    "supports": "household_id occurred_on known_on kind ended_on amount_yuan",
    "members": "household_id occurred_on known_on person_id relation sex birth_month schooling at_school health "
    "labour_skill insurance",
    "employment": "household_id occurred_on known_on person_id employed workplace wage_yuan",
    "grids": "occurred_on known_on grid_id village_id township_id worker_id",
}


@pytest.mark.parametrize("table", REQUIRED_COLUMNS)
def test_a_folder_from_before_is_not_refused_for_lack_of_a_new_column(table: str) -> None:
    required = {name for name, column in TABLES[table].columns.items() if not column.optional}
    added = sorted(required - set(REQUIRED_COLUMNS[table].split()))
    assert not added, f"{table}: give optional=True to {', '.join(added)}, or every older folder is refused"


def test_lossless_types_are_taken_as_they_come() -> None:
    """Dictionaries, large strings, midnights and whole floats lose nothing."""
    tables = drawn.tables(SOUND)
    visits = tables["visits"].to_pandas()
    visits["occurred_on"] = pd.to_datetime(visits["occurred_on"])
    visits["household_id"] = visits["household_id"].astype("category")
    visits["yard"] = visits["yard"].astype(float)
    tables["visits"] = pa.Table.from_pandas(visits, preserve_index=False)
    records = Records.from_tables(tables, drawn.settings())
    assert records.table("visits").equals(drawn.records(SOUND).table("visits"))


def test_visible_keeps_what_was_known_strictly_before() -> None:
    records = drawn.records(
        """
        visits
        | household_id | occurred_on | known_on   |
        | h1           | 2023-02-01  | 2023-02-01 |
        | h1           | 2023-02-02  | 2023-02-09 |
        """
    )
    days = ("2023-02-01", "2023-02-02", "2023-02-09")
    assert [records.visible(day).table("visits").num_rows for day in days] == [0, 1, 1]
    assert records.visible("2023-02-10").table("visits").num_rows == 2
    assert records.end == dt.date(2023, 2, 10)
    assert records.visible("2023-02-05").end == dt.date(2023, 2, 5)
    assert records.visible("2023-02-05").visible("2024-01-01").end == dt.date(2023, 2, 5)


def test_a_folder_comes_back_as_it_was_written(tmp_path: Path) -> None:
    records = drawn.records(SOUND)
    tables = {name: records.table(name) for name in records.present}
    out = write_folder(tables, records.settings, tmp_path / "records")
    again = load_records(out)
    assert again.settings == records.settings
    assert all(again.table(name).equals(records.table(name)) for name in TABLES)
    assert [row["table"] for row in summarise(again)] == [name for name in TABLES if name in records.present]
    write_folder(tables, records.settings, out)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["records"]


def test_a_folder_that_is_not_ours_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    with pytest.raises(OutputExists, match="is not a records folder"):
        write_folder({}, Settings(), tmp_path / "photos")


def test_a_damaged_file_is_reported_with_all_else_that_is_wrong(tmp_path: Path) -> None:
    records = drawn.records(SOUND)
    out = write_folder({n: records.table(n) for n in records.present}, records.settings, tmp_path / "records")
    (out / "visits.parquet").write_bytes(b"PAR1 not really PAR1")
    pq.write_table(records.table("incomes").drop_columns(["source"]), out / "incomes.parquet")
    pq.write_table(records.table("incomes"), out / "wages.parquet")
    with pytest.raises(RecordsInvalid) as caught:
        load_records(out)
    assert [p.code for p in caught.value.violations] == ["RR016", "RR016", "RR002"]


def test_what_is_not_there_is_named() -> None:
    with pytest.raises(NotFoundError, match="no records folder nowhere"):
        load_records("nowhere")
    with pytest.raises(UsageError, match="no table 'visit'. Valid tables: households, visits"):
        drawn.records(SOUND).table("visit")
    with pytest.raises(UsageError, match="tables not known: .'cats'."):
        Records.from_tables({"cats": pa.table({})})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("cycle = [", "is not valid TOML"),
        ("[cycle]\nmonths = 0", "cycle.months: Input should be greater than or equal to 1"),
        ("[cycle]\nmonth = 2", "cycle.month: Extra inputs are not permitted"),
        ("[outcome]\nkind = 'census'", "outcome.kind: Input should be 'registry' or 'panel'"),
        ("[outcome]\nrounds = ['02-30']", "outcome.rounds"),
        ("[line]\nsteps = [{since = 2020-01-01, yuan = 1.0}, {since = 2020-01-01, yuan = 2.0}]", "two steps"),
    ],
)
def test_settings_that_do_not_fit_say_where_and_what_is_valid(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "relapse.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(SettingsInvalid) as caught:
        Settings.load(file)
    assert said in str(caught.value)
    assert str(file) in str(caught.value)


def test_settings_come_back_as_they_were_written(tmp_path: Path) -> None:
    used = drawn.settings(items={"tea": {"zh": "茶", "en": "tea"}}, cohort={"status_within_months": 3})
    file = tmp_path / "relapse.toml"
    file.write_text(used.to_toml(), encoding="utf-8")
    assert Settings.load(tmp_path) == used


def test_settings_go_over_others_setting_by_setting() -> None:
    """What is not named stays, in whichever section; lists are taken whole."""
    base = county_defaults()
    named = Settings.model_validate(
        {
            "outcome": {"horizon_months": 12},
            "line": {"steps": [{"since": "2020-01-01", "yuan": 5.0}]},
            "items": {"tea": {"zh": "茶", "en": "tea"}},
        }
    )
    laid = named.over(base)
    assert laid.outcome == base.outcome.model_copy(update={"horizon_months": 12})
    assert (laid.line.months, [step.yuan for step in laid.line.steps]) == (12, [5.0])
    assert (laid.cycle, laid.cohort, laid.training) == (base.cycle, base.cohort, base.training)
    assert laid.items["tea"].monotone == 0
    assert Settings().over(laid) == laid
    assert laid.model_dump() == Settings.model_validate(laid.model_dump()).over(base).model_dump()


def test_a_countys_defaults_differ_from_bare_settings_in_the_line_alone() -> None:
    """One set of defaults: a setting left out means the same everywhere."""
    bare, county = Settings().model_dump(), county_defaults().model_dump()
    assert bare.pop("line") != county.pop("line")
    assert bare == county
    assert county_settings(dt.date(2023, 1, 1), CountyParameters()).model_dump(exclude={"data"}) == (
        county_defaults().model_dump(exclude={"data"})
    )
