"""Members and the ledger of jobs in a county's export: the form's words, births, sets of yes and no, person ids."""

from __future__ import annotations

import csv
import datetime as dt
from pathlib import Path
from typing import Any

import pytest
import tomli_w
from tests.support import exports

from relapse_risk.cli import main
from relapse_risk.datasets.exports import CountyMapping, Imported, import_county
from relapse_risk.datasets.exports.merge import Counts
from relapse_risk.datasets.exports.personal import WITHHELD
from relapse_risk.datasets.exports.pseudonyms import Pseudonyms
from relapse_risk.datasets.exports.suggest import suggest_mapping
from relapse_risk.errors import ImportRefused, NotFoundError, SettingsInvalid, UsageError

H1, H2, H3 = (f"5002360000000000{n}{n}" for n in (1, 2, 3))
COLUMNS = {"household_id": "户编号", "person_id": "人员编号", "occurred_on": "日期", "known_on": "录入"}
DAY = "2022-01-05"


def citizen_id(serial: int, born: str = "19850317") -> str:
    """Return an invented citizen id of an area that does not exist, with the right check sign."""
    digits = f"999999{born}{serial:03d}"
    weights = [2 ** (17 - place) % 11 for place in range(17)]
    return digits + "10X98765432"[sum(w * int(d) for w, d in zip(weights, digits, strict=True)) % 11]


def take(
    tmp_path: Path,
    rows: list[list[str]],
    columns: dict[str, Any],
    table: str = "members",
    out: str = "out",
    **options: Any,
) -> Imported:
    """Import the county with a further file; its columns are headed by a, b, c... after the four all rows have."""
    header = [*COLUMNS.values(), *"abcdefgh"[: len(rows[0]) - 4]]
    src = exports.write_csv(tmp_path / f"{out}-src", {**exports.county(), "人": [header, *rows]})
    block = {"file": "人.csv", "columns": {**COLUMNS, **columns}}
    data = exports.mapping(export={"max_reject_share": 1}, **{table: block})
    return exports.run(src, tmp_path / out, data, **options)


def values(done: Imported, *names: str, table: str = "members") -> list[tuple[Any, ...]]:
    return [tuple(row[name] for name in names) for row in done.records.table(table).to_pylist()]


FORM = """
relation     户主              head
relation     之女              child
relation     之儿媳            child_in_law
relation     之曾孙女          grandchild
relation     之岳母            parent_in_law
relation     之外祖父          grandparent
relation     之兄弟姐妹        sibling
relation     之侄儿            other_kin
relation     非亲属            not_kin
schooling    文盲或半文盲      illiterate
schooling    高中              senior
schooling    本科及以上        university
at_school    学龄前儿童        no
at_school    学前教育          preschool
at_school    九年级            junior
at_school    普通高中三年级    senior
at_school    中职二年级        vocational
at_school    技师学院四年级    college
at_school    本科五年级        university
health       健康              healthy
health       残疾,长期慢性病   disabled,chronic
health       患有大病、残疾    major_illness,disabled
labour_skill 弱劳动力或半劳动力 weak
labour_skill 丧失劳动力        lost
"""


@pytest.mark.parametrize("column", ["relation", "schooling", "at_school", "health", "labour_skill"])
def test_the_forms_own_words_need_no_mapping(tmp_path: Path, column: str) -> None:
    words = [line.split()[1:] for line in FORM.splitlines() if line.startswith(column)]
    rows = [[H1, f"p{n:02d}", DAY, DAY, text] for n, (text, _) in enumerate([*words, ("", "")])]
    done = take(tmp_path, rows, {column: "a"})
    assert done.rejects == []
    assert values(done, column) == [*((code,) for _, code in words), (None,)]


@pytest.mark.parametrize(
    ("text", "source", "month"),
    [
        ("198503", {}, "1985-03-01"),
        ("1985-03", {}, "1985-03-01"),
        ("1985年3月", {}, "1985-03-01"),
        ("1985.3", {}, "1985-03-01"),
        ("1985-03-17", {}, "1985-03-01"),
        ("19850331", {}, "1985-03-01"),
        ("1985", {"coarsest": "year"}, "1985-07-01"),
        ("2022-01", {}, "2022-01-01"),  # born in the month of the row
        ("2022", {"coarsest": "year"}, "2022-01-01"),  # and not after it
        ("36", {"unit": "岁"}, "1985-07-01"),  # born from 1985-01-06 to 1986-01-05
        ("36岁", {"unit": "岁"}, "1985-07-01"),
        ("0", {"unit": "岁"}, "2021-07-01"),
        ("", {}, None),
    ],
)
def test_a_month_of_birth_is_read_from_every_form(
    tmp_path: Path, text: str, source: dict[str, Any], month: str | None
) -> None:
    done = take(tmp_path, [[H1, "p1", DAY, DAY, text]], {"birth_month": {"column": "a", **source}})
    assert done.rejects == []
    assert values(done, "birth_month") == [(dt.date.fromisoformat(month) if month else None,)]


@pytest.mark.parametrize(
    ("text", "source", "code"),
    [
        ("2022-02", {}, "RR019"),
        ("三十六", {"unit": "岁"}, "RR101"),
        ("360", {"unit": "岁"}, "RR101"),
        ("1985", {}, "RR101"),
    ],
)
def test_a_birth_that_cannot_be_is_set_aside(tmp_path: Path, text: str, source: dict[str, Any], code: str) -> None:
    done = take(tmp_path, [[H1, "p1", DAY, DAY, text]], {"birth_month": {"column": "a", **source}})
    assert exports.codes(done) == [("members", code, [2])]


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("健康、长期慢性病", "RR021"),
        ("残疾,健康", "RR021"),
        ("残疾、残疾", "disabled"),  # said twice: the same once
        ("长期慢性病、残疾", "chronic,disabled"),
    ],
)
def test_one_cell_that_says_healthy_and_ill_is_set_aside(tmp_path: Path, text: str, meant: str) -> None:
    done = take(tmp_path, [[H1, "p1", DAY, DAY, text]], {"health": {"column": "a"}})
    if meant.startswith("RR"):
        assert exports.codes(done) == [("members", meant, [2])]
    else:
        assert done.rejects == []
        assert values(done, "health") == [(meant,)]


@pytest.mark.parametrize(
    ("text", "source", "hint"),
    [("36", {}, 'unit = "岁"'), ("-1", {"unit": "岁"}, "from 0 to 130"), ("1985", {}, 'coarsest = "year"')],
)
def test_a_birth_that_cannot_be_read_says_what_the_mapping_lacks(
    tmp_path: Path, text: str, source: dict[str, Any], hint: str
) -> None:
    done = take(tmp_path, [[H1, "p1", DAY, DAY, text]], {"birth_month": {"column": "a", **source}})
    assert hint in done.rejects[0].hint


FLAGS = {"a": "resident_medical", "b": "employee_medical", "c": "resident_pension"}


@pytest.mark.parametrize(
    ("cells", "blank", "meant"),
    [
        (("是", "否", "是"), None, "resident_medical,resident_pension"),
        (("否", "否", "否"), None, "none"),
        (("否", "", "否"), None, None),  # nobody asked for the second
        (("", "", ""), None, None),
        (("", "√", ""), None, "employee_medical"),
        (("否", "", "否"), "否", "none"),
        (("", "√", ""), "否", "employee_medical"),
        (("", "", ""), "否", None),  # a row without any was not filled in
        (("", "", ""), "是", None),
        (("", "否", ""), "是", "resident_medical,resident_pension"),
    ],
)
def test_columns_of_yes_and_no_make_one_set(
    tmp_path: Path, cells: tuple[str, ...], blank: str | None, meant: str | None
) -> None:
    source = {"flags": FLAGS, "none": "none", **({"blank": blank} if blank else {})}
    done = take(tmp_path, [[H1, "p1", DAY, DAY, *cells]], {"insurance": source})
    assert done.rejects == []
    assert values(done, "insurance") == [(meant,)]


def test_without_a_code_for_none_a_row_of_noes_is_unknown(tmp_path: Path) -> None:
    """Of two insurances mapped, no says nothing of the others."""
    done = take(tmp_path, [[H1, "p1", DAY, DAY, "否", "否", "否"]], {"insurance": {"flags": FLAGS}})
    assert values(done, "insurance") == [(None,)]


def test_flags_in_a_countys_own_words_are_read_and_others_set_aside(tmp_path: Path) -> None:
    source = {"flags": FLAGS, "none": "none", "texts": {"交了": "true", "没交": "false"}}
    rows = [[H1, "p1", DAY, DAY, "交了", "没交", "没交"], [H1, "p2", DAY, DAY, "交了", "待查", "没交"]]
    done = take(tmp_path, rows, {"insurance": source})
    assert exports.codes(done) == [("members", "RR105", [3])]
    assert (done.rejects[0].column, done.rejects[0].valid, done.rejects[0].texts) == ("b", "true, false", ("待查",))
    assert values(done, "insurance") == [("resident_medical",)]


def test_a_denial_in_one_column_is_dropped_where_another_names_a_code(tmp_path: Path) -> None:
    """One column is of medical insurance, the other of pensions; so is it with illnesses."""
    rows = [[H1, "p1", DAY, DAY, "未参保", "居民养老"], [H1, "p2", DAY, DAY, "未参保", "未参保"]]
    done = take(tmp_path, rows, {"insurance": {"columns": ["a", "b"]}})
    assert values(done, "insurance") == [("resident_pension",), ("none",)]


def test_a_profile_entered_later_corrects_the_one_before(tmp_path: Path) -> None:
    rows = [
        [H1, "p1", DAY, "2022-01-06", "小学"],
        [H1, "p1", DAY, "2022-03-01", "初中"],
        [H1, "p2", DAY, "2022-01-06", "小学"],
        [H1, "p2", DAY, "2022-01-06", "初中"],  # on one day: nobody knows which holds
        [H2, "p1", DAY, "2022-01-06", "高中"],  # another household's first person
    ]
    done = take(tmp_path, rows, {"schooling": "a"})
    assert exports.codes(done) == [("members", "RR011", [4, 5])]
    assert values(done, "schooling") == [("primary",), ("junior",), ("senior",)]
    assert done.counts["members"] == Counts(new=3)


JOB = {"employed": "a", "wage_yuan": "b", "started_on": "c", "ended_on": {"column": "d", "texts": {"至今": ""}}}


def job(*rows: list[str]) -> list[list[str]]:
    return [[H1, "p1", "2022-05", "2022-05-20", *row] for row in rows]


def test_a_job_may_begin_this_month_and_end_after_the_export(tmp_path: Path) -> None:
    """A month counts as its last day, but what was known on the 20th began by then; an end may lie ahead."""
    rows = job(["是", "2000", "2022-05", "2025-12-31"])
    rows += [[H2, "p1", "2022-05", "2022-05-20", "是", "2000", "2022-03", "至今"]]
    done = take(tmp_path, rows, JOB, "employment")
    assert done.rejects == []
    assert values(done, "started_on", "ended_on", table="employment") == [
        (dt.date(2022, 5, 20), dt.date(2025, 12, 31)),
        (dt.date(2022, 3, 31), None),
    ]
    done = take(tmp_path / "late", job(["是", "2000", "2022-06", ""]), JOB, "employment")
    assert exports.codes(done) == [("employment", "RR019", [2])]


def test_two_jobs_of_a_month_add_up_and_the_other_columns_are_of_the_main_one(tmp_path: Path) -> None:
    columns = {
        "employed": "a",
        "wage_yuan": "b",
        "one_off_yuan": "c",
        "industry": "d",
        "formal": "e",
        "seeking": "f",
        "distance_km": {"column": "g", "unit": "里"},
    }
    rows = job(["是", "2000", "500", "建筑业", "", "", "30"], ["是", "900", "", "餐饮业", "是", "", "4"])
    done = take(tmp_path, rows, columns, "employment")
    assert done.rejects == []
    assert done.counts["employment"] == Counts(new=1, added=2, sums=1)
    names = ("wage_yuan", "one_off_yuan", "industry", "formal", "seeking", "distance_km")
    assert values(done, *names, table="employment") == [(2900.0, 500.0, "construction", True, None, 15.0)]


# ---- texts of persons


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("世交", "世交"),
        ("房东12345", "房东12345"),
        ("房东123456", WITHHELD),
        ("王建国之妻 13812345678", WITHHELD),
        ("王建国之妻 138-1234-5678", WITHHELD),
        ("电话１３８１２３４５６７８", WITHHELD),
        (citizen_id(1), WITHHELD),
        ("与户主的弟弟一家同住,平时在外省打工,过年回家", WITHHELD),
    ],
)
def test_a_rejects_file_shows_texts_but_none_that_may_be_of_a_person(
    tmp_path: Path, text: str, written: str
) -> None:
    done = take(tmp_path, [[H1, "p1", DAY, DAY, "户主"], [H1, "p2", DAY, DAY, text]], {"relation": "a"})
    assert exports.codes(done) == [("members", "RR104", [3])]
    file = (tmp_path / "out" / "rejects" / "members.csv").read_text(encoding="utf-8-sig")
    source, row, *_, shown = next(csv.reader(file.splitlines()[1:]))
    assert (source, row, shown) == ("人.csv", "3", written)
    assert (text in file) == (text == written)


def test_a_rejects_file_shows_no_names_of_a_shifted_column(tmp_path: Path) -> None:
    names = ["王建国", "李秀英", "张兰", "陈小红", "赵刚", "拓跋珪"]
    done = take(tmp_path, [[H1, f"p{n}", DAY, DAY, name] for n, name in enumerate(names)], {"relation": "a"})
    assert [found.texts for found in done.rejects] == [(WITHHELD,) * len(names)]
    file = (tmp_path / "out" / "rejects" / "members.csv").read_text(encoding="utf-8-sig")
    assert not [name for name in names if name in file]


# ---- citizen ids


def people(*ids: str) -> list[list[str]]:
    return [[H1, text, DAY, DAY, "男"] for text in ids]


def test_a_column_of_citizen_ids_is_refused_as_one_of_ids(tmp_path: Path) -> None:
    ids = [citizen_id(n) for n in range(5)]
    with pytest.raises(ImportRefused) as caught:
        take(tmp_path, people(*ids, "p1"), {"sex": "a"})
    said = str(caught.value)
    assert "人.csv: column 人员编号: citizen ids (身份证号) are never stored" in said
    assert "pseudonym = true" in said
    assert not [text for text in ids if text in said]
    assert not (tmp_path / "out").exists()


def test_a_few_citizen_ids_are_rows_set_aside(tmp_path: Path) -> None:
    x = next(text for n in range(99) if (text := citizen_id(n)).endswith("X")).lower()
    done = take(tmp_path, people("p1", "p2", "p3", "p4", x, citizen_id(7) + "43"), {"sex": "a"})
    assert exports.codes(done) == [("members", "RR110", [6, 7])]
    written = "".join(file.read_text(encoding="utf-8-sig") for file in (tmp_path / "out" / "rejects").iterdir())
    assert "999999" not in written


def test_ids_with_a_date_within_are_no_citizen_ids(tmp_path: Path) -> None:
    """One in eleven of them has the right check sign by chance."""
    ids = [f"50023620210315{n:04d}" for n in range(200)]
    done = take(tmp_path, people(*ids), {"sex": "a"})
    assert done.rejects == []


@pytest.fixture
def key(tmp_path: Path) -> Path:
    file = tmp_path / "id.key"
    file.write_text("not random at all, and long enough\n", encoding="utf-8")
    return file


HASHED = {"person_id": {"column": "人员编号", "pseudonym": True}, "sex": "a"}


def test_pseudonyms_join_tables_and_exports(tmp_path: Path, key: Path) -> None:
    one, other = citizen_id(1), citizen_id(2)
    certificate = f"{one}43"  # the number of a disability certificate begins with the citizen id
    done = take(tmp_path, people(one, f" {other} "), HASHED, id_key=key)
    again = take(tmp_path, people(certificate, other), HASHED, id_key=key)
    assert again.counts["members"].unchanged == 2
    mine = Pseudonyms.load(key)
    assert {person for (person,) in values(again, "person_id")} == {mine.of(one), mine.of(other)}
    assert done.records.table("members").equals(again.records.table("members"))
    for file in (tmp_path / "out").rglob("*.parquet"):
        assert one.encode() not in file.read_bytes()


def test_pseudonyms_need_the_key_of_the_earlier_imports(tmp_path: Path, key: Path) -> None:
    rows = people(citizen_id(1))
    with pytest.raises(UsageError, match=r"asks for pseudonyms \(members.person_id\): say --id-key FILE"):
        take(tmp_path, rows, HASHED)
    with pytest.raises(NotFoundError, match="no key file .* make one once, as by `head -c 32"):
        take(tmp_path, rows, HASHED, id_key=tmp_path / "none.key")
    short = tmp_path / "short.key"
    short.write_bytes(b"short\n")
    with pytest.raises(UsageError, match="5 bytes are no key; give at least 16"):
        take(tmp_path, rows, HASHED, id_key=short)
    take(tmp_path, rows, HASHED, id_key=key)
    other = tmp_path / "other.key"
    other.write_text("another key of the same length....", encoding="utf-8")
    with pytest.raises(ImportRefused, match="hold pseudonyms by another key than .*other.key"):
        take(tmp_path, rows, HASHED, id_key=other)


def test_the_command_takes_the_key(tmp_path: Path, key: Path) -> None:
    header = [*COLUMNS.values(), "a"]
    src = exports.write_csv(tmp_path / "src", {**exports.county(), "人": [header, *people(citizen_id(1))]})
    data = exports.mapping(members={"file": "人.csv", "columns": {**COLUMNS, **HASHED}})
    file = tmp_path / "mapping.toml"
    file.write_text(tomli_w.dumps(data), encoding="utf-8")
    out = tmp_path / "out"
    with pytest.raises(SystemExit) as ended:
        main(["import", "county", str(src), "--mapping", str(file), "--out", str(out), "--id-key", str(key)])
    assert ended.value.code == 0
    assert (out / "members.parquet").is_file()


def test_citizen_ids_are_suggested_as_pseudonyms_where_there_is_no_other_id(tmp_path: Path) -> None:
    homes = [f"h{n:03d}" for n in range(20)]
    header = ["户编号", "证件号码", "信息日期", "与户主关系", "性别", "出生年月", "年龄"]
    rows = [
        [home, citizen_id(2 * n + kin, "19700102"), DAY, "之子" if kin else "户主", "男", "197001", "51"]
        for n, home in enumerate(homes)
        for kin in (0, 1)
    ]
    text = suggest_mapping(str(exports.write_csv(tmp_path / "a", {"家庭成员": [header, *rows]}))).text
    line = 'person_id = { column = "证件号码", pseudonym = true }  # TODO citizen ids are never stored: import with'
    assert line in text
    assert 'birth_month = "出生年月"' in text
    assert "999999" not in text
    numbered = [[*header, "人员编号"], *([*row, f"r{n}"] for n, row in enumerate(rows))]
    for row in numbered:
        del row[5]
    text = suggest_mapping(str(exports.write_csv(tmp_path / "b", {"家庭成员": numbered}))).text
    assert 'person_id = "人员编号"' in text.splitlines()
    assert 'birth_month = { column = "年龄", unit = "岁" }' in text


NATIONAL = """
户编号 户主姓名 姓名 性别 证件号码 与户主关系 民族 文化程度 在校生状况 健康状况 劳动技能 务工时间(月)
是否参加城乡居民基本医疗保险 是否参加大病保险 是否参加商业补充医疗保险 是否参加城乡居民基本养老保险 是否享受低保
"""
MONTHLY = """
户编号 姓名 证件号码 统计月份 是否已务工 开始时间 结束时间 务工企业名称 所属行业 就业渠道 务工所在地 月工资(元)
是否计划务工
"""


def test_the_national_platforms_lists_of_persons_are_suggested_and_import(tmp_path: Path, key: Path) -> None:
    """As the platform exports them: no number of a person but the citizen id, no day of the profile."""
    members, ledger = [NATIONAL.split()], [MONTHLY.split()]
    for n, home in enumerate(home for home in (H1, H2, H3) for _ in range(4)):
        head, child = citizen_id(n), citizen_id(n + 50, "20121009")
        insured = ["是", "是", "否", "否" if n % 2 else "是"]
        old = ["汉族", "初中", "", "健康", "普通劳动力", "6", *insured, "否"]
        young = ["汉族", "", "小学", "残疾,长期慢性病", "", "", *insured, "否"]
        members.append([home, "张三", "张三", "男", head, "户主", *old])
        members.append([home, "张三", "张四", "女", child, "之女", *young])
        for month in range(1, 6):
            job = ["是", "2022-03", "", "某厂", "制造业", "自主就业", "省外", "3000", ""]
            none = ["否", *[""] * 7, "是"]
            ledger.append([home, "张三", head, f"2023年{month}月", *(job if n % 3 else none)])
    files = {**exports.county(), "家庭成员": members, "务工月监测": ledger}
    src = exports.write_csv(tmp_path / "src", files, "gbk")
    text = suggest_mapping(str(src)).text
    assert "999999" not in text
    assert "张" not in text
    text = text.replace("# TODO date = 2024-06-30", "date = 2023-06-30")
    asked = '# TODO occurred_on = ""'
    assert text.count(asked) == 1
    text = text.replace(asked, 'occurred_on = { value = "export" }')
    file = tmp_path / "mapping.toml"
    file.write_text(text, encoding="utf-8")
    done = import_county(str(src), CountyMapping.load(file), tmp_path / "out", id_key=key)
    assert done.rejects == []
    names = ("relation", "sex", "schooling", "at_school", "health", "labour_skill", "insurance")
    assert set(values(done, *names)) == {
        (*who, f"resident_medical,serious_illness{pension}")
        for pension in ("", ",resident_pension")
        for who in (
            ("head", "male", "junior", None, "healthy", "ordinary"),
            ("child", "female", None, "primary", "disabled,chronic", None),
        )
    }
    jobs = ("employed", "started_on", "industry", "channel", "workplace", "wage_yuan", "seeking")
    assert set(values(done, *jobs, table="employment")) == {
        (True, dt.date(2022, 3, 31), "manufacturing", "own", "other_province", 3000.0, None),
        (False, None, None, None, None, None, True),
    }
    people_of = {table: set(values(done, "person_id", table=table)) for table in ("members", "employment")}
    assert people_of["employment"] < people_of["members"]


@pytest.mark.parametrize(
    ("column", "source", "said"),
    [
        ("insurance", {"flags": {"a": "pension"}}, "flags.a: 'pension' is no code. Valid: none, resident_medical"),
        ("insurance", {"flags": FLAGS, "none": "nothing"}, "none: 'nothing' is no code. Valid: none"),
        ("insurance", {"flags": FLAGS, "texts": {"交": "none"}}, "texts.交: 'none' is no code. Valid: true, false"),
        ("insurance", {"flags": FLAGS, "blank": "不详"}, "blank: '不详' is no code. Valid: true, false"),
        ("insurance", {"column": "a", "none": "none"}, "none: it says what a row is of which all flags say no"),
        ("insurance", {"column": "a", "flags": FLAGS}, "give one of column, columns, flags and value"),
        ("relation", {"flags": {"a": "head"}}, "flags: columns of yes and no make a set of codes alone"),
        ("known_on", {"column": "a", "unit": "岁"}, "unit: known_on is no amount"),
        ("birth_month", {"column": "a", "unit": "元"}, "unit: birth_month is no amount"),
        ("sex", {"column": "a", "pseudonym": True}, "pseudonym: sex is no id"),
    ],
)
def test_a_mapping_of_members_that_does_not_fit_is_refused(column: str, source: dict[str, Any], said: str) -> None:
    data = exports.mapping(members={"file": "人.csv", "columns": {**COLUMNS, column: source}})
    with pytest.raises((SettingsInvalid, ValueError)) as caught:
        CountyMapping.model_validate(data)
    assert said in str(caught.value)
