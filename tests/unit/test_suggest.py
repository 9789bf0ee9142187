"""Suggested mappings: most columns right in words nobody listed, the rest asked, and nobody's data shown."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.support import exports, strange
from tests.support.suggested import judged

from relapse_risk.datasets.exports import CountyMapping, import_county
from relapse_risk.datasets.exports.national_form import code_lists, load_words
from relapse_risk.datasets.exports.suggest import suggest_mapping
from relapse_risk.datasets.exports.suggest.lexicon import guess_code, lexicon
from relapse_risk.errors import ImportRefused, RelapseError, SettingsInvalid
from relapse_risk.records.tables import TABLES

SAMPLE = Path(__file__).resolve().parents[2] / "data" / "sample"
REQUIRED = {"households", "visits", "incomes", "statuses"}
#: Least share of columns right, and most edits until the export imports as a person's mapping has it.
WORTH = {
    "hill": (0.97, 5),
    "database": (0.97, 7),
    "book": (0.97, 3),
    "held_out": (0.87, 45),
    "office": (0.92, 25),
    "vendor": (0.8, 50),
    "upland": (0.82, 45),
}


@dataclass(frozen=True)
class Suggested:
    name: str
    county: strange.Strange
    src: Path
    text: str


@pytest.fixture(scope="module", params=WORTH)
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Suggested:
    """An export, and what is suggested for it."""
    county = getattr(strange, request.param)()
    src = county.write(tmp_path_factory.mktemp(request.param))
    return Suggested(request.param, county, src, suggest_mapping(str(src)).text)


def test_every_table_and_code_list_has_words_to_suggest_from() -> None:
    words = lexicon()  # raises an error that names what header_words.toml lacks
    assert words.places.keys() == words.headers.keys() == TABLES.keys()
    assert words.codes.keys() == code_lists()


def test_every_column_has_words_that_headers_use_for_it() -> None:
    """Without them only its own two names are found; words of several tables' columns are in section ``any``."""
    data = load_words("header_words.toml", ["any", *TABLES])
    lacking = [
        f"[{name}] {column}"
        for name, table in TABLES.items()
        for column in table.columns
        if not (data[name].get(column) or data["any"].get(column))
    ]
    assert not lacking, f"datasets/exports/header_words.toml: add words to {', '.join(lacking)}"


def test_words_that_are_missing_are_named_with_their_file() -> None:
    said = r"datasets/exports/header_words\.toml lacks codes\.hobby, hobbies, places\.hobbies\. Add each of them"
    with pytest.raises(RelapseError, match=said):
        load_words("header_words.toml", ["places.hobbies", "hobbies", "codes.hobby", "codes.relation", "grids"])


def test_most_columns_are_right_in_words_nobody_listed(made: Suggested, tmp_path: Path) -> None:
    name, county, src, text = made.name, made.county, made.src, made.text
    least, most = WORTH[name]
    worth, corrected = judged(text, county.mapping())
    found, meant = tables(text), county.mapping()["tables"]
    counts = [len(of) for of in (worth.right, worth.asked, worth.missed, worth.wrong)]
    shares = "columns right {}, asked {}, missed {}, wrong {}".format(*counts)
    place = f"{len(county.sheets)} sources, {len(found)} of {len(meant)} tables"
    print(f"{name}: {place}; {shares}; {worth.edits} edits")  # noqa: T201
    shown = f"{name}: asked {worth.asked}, missed {worth.missed}, wrong {worth.wrong}"
    assert worth.wrong == [], shown
    assert worth.share_right >= least, shown
    assert worth.edits <= most
    assert set(found) >= REQUIRED
    done = exports.run(src, tmp_path / "corrected", corrected)
    assert done.rejects == []
    assert exports.same(done.records, exports.run(src, tmp_path / "person", county.mapping()).records)


def test_no_personal_data_is_shown(made: Suggested) -> None:
    text = made.text
    cells = {str(cell) for sheet in made.county.sheets for row in sheet.rows[5:] for cell in row if cell}
    private = {cell for cell in cells if any(map(str.isdigit, cell)) and len(cell) > 4}
    private |= {cell for cell in cells if cell[0] in "张王李赵田" and len(cell) in (2, 3)}
    assert len(private) > 500
    assert [cell for cell in private if f'"{cell}"' in text or cell in text.split()] == []


def test_the_sample_imports_as_its_own_mapping_has_it(tmp_path: Path) -> None:
    text = suggest_mapping(str(SAMPLE)).text
    edits = {
        "# TODO date = 2024-06-30": "date = 2022-06-30",
        # nobody knows these texts, and the sample's own mapping does not either
        ', texts = { "待定" = "TODO" }': "",
        ', texts = { "脱贫示范户" = "lifted" }': "",
        'health = { column = "健康状况", texts = { "体弱" = "TODO" } }': 'health = "健康状况"',
        "# TODO known_on: no column says when a row was entered, so the day of the export is taken\ngrid_id": (
            'known_on = "启用日期"\ngrid_id'
        ),
    }
    for old, new in edits.items():
        assert text.count(old) == 1
        text = text.replace(old, new)
    file = tmp_path / "mapping.toml"
    file.write_text(text, encoding="utf-8")
    mine = import_county(str(SAMPLE), CountyMapping.load(file), tmp_path / "mine")
    own = import_county(str(SAMPLE), CountyMapping.load(SAMPLE / "mapping.toml"), tmp_path / "own")
    assert exports.same(mine.records, own.records)
    assert exports.codes(mine) == exports.codes(own)


def test_a_question_left_open_is_named_when_the_mapping_is_used(tmp_path: Path) -> None:
    file = tmp_path / "mapping.toml"
    file.write_text(suggest_mapping(str(SAMPLE)).text, encoding="utf-8")
    with pytest.raises(SettingsInvalid, match=r"statuses\.columns\.poor\.texts\.待定: 'TODO' is no code"):
        CountyMapping.load(file)


def suggested(folder: Path, **files: list[list[Any]]) -> str:
    """Return the suggestion for some files, which must be valid TOML."""
    text = suggest_mapping(str(exports.write_csv(folder, files))).text
    tomllib.loads(text)
    return text


def tables(text: str) -> dict[str, Any]:
    found: dict[str, Any] = tomllib.loads(text).get("tables", {})
    return found


HOMES = [f"50023600000000{n:04d}" for n in range(30)]
#: A list of households whose ids are under a header that says nothing.
LIST = [
    ["甲列", "乙列", "建档日期", "人口数", "劳动力", "是否低保", "农户类型"],
    *(
        [home, f"g{n % 3}", "2021-01-01", str(n % 4 + 2), str(n % 2), "是" if n % 5 else "否", "一般农户"]
        for n, home in enumerate(HOMES)
    ),
]


def test_household_ids_are_recognised_by_the_sources_they_join(tmp_path: Path) -> None:
    other = [["丙列", "丁列", "看院子", "看房子", "走访日期"]]
    other += [[f"x{n}", home, "正常", "严重", "2021-03-01"] for n, home in enumerate(HOMES * 2)]
    found = tables(suggested(tmp_path, 名单=LIST, 走访=other))
    assert found["households"]["columns"]["household_id"] == "甲列"
    assert found["visits"]["columns"]["household_id"] == "丁列"
    assert found["visits"]["columns"]["visit_id"] == "丙列"


def test_grids_are_recognised_by_their_households(tmp_path: Path) -> None:
    grids = [
        ["子列", "丑列", "寅列"],
        ["g0", "w1", "2020-01-01"],
        ["g1", "w2", "2020-01-01"],
        ["g2", "w3", "2020-01-01"],
    ]
    visits = [["走访编号", "户号", "走访日期", "看院子", "看房子", "卯列"]]
    visits += [[f"x{n}", home, "2021-03-01", "正常", "严重", f"w{n % 3 + 1}"] for n, home in enumerate(HOMES)]
    found = tables(suggested(tmp_path, 名单=LIST, 表=grids, 走访=visits))
    assert found["grids"]["columns"] == {"grid_id": "子列", "worker_id": "丑列", "occurred_on": "寅列"}
    assert found["households"]["columns"]["grid_id"] == "乙列"
    assert found["visits"]["columns"]["worker_id"] == "卯列"


def test_long_sources_are_judged_by_their_first_rows_and_joined_by_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("relapse_risk.datasets.exports.suggest.sample.MOST_ROWS", 5)
    late = [["丙列", "丁列", "看院子", "看房子", "走访日期"]]
    late += [[f"x{n}", home, "正常", "严重", "2021-03-01"] for n, home in enumerate(reversed(HOMES))]
    found = tables(suggested(tmp_path, 名单=LIST, 走访=late))
    assert found["visits"]["columns"]["household_id"] == "丁列"


def test_a_file_without_column_names_is_not_shown(tmp_path: Path) -> None:
    rows = [["李秀英", HOMES[0], "2021-01-01", "正常"], ["王建国", HOMES[1], "2021-01-02", "正常"]]
    text = suggested(tmp_path, 走访=rows)
    assert "# not used: 走访.csv: no row looks like column names" in text
    assert "李秀英" not in text


def test_names_and_long_numbers_are_no_code_texts(tmp_path: Path) -> None:
    header = ["走访编号", "户编号", "走访日期", "看院子", "看房子", "发现线索"]
    names = ["王建国", "李秀英", "张兰"]
    rows = [[f"v{n}", home, "2021-03-01", "正常", names[n % 3], f"138{n % 2:08d}"] for n, home in enumerate(HOMES)]
    text = suggested(tmp_path, 走访=[header, *rows])
    assert tables(text)["visits"]["columns"]["yard"] == "看院子"
    assert not [name for name in names if name in text]
    assert "138" not in text


def test_files_of_nothing_that_is_needed_are_recognised_by_their_columns(tmp_path: Path) -> None:
    src = strange.hill().write(tmp_path)
    text = suggest_mapping(str(src)).text
    assert text == suggest_mapping(str(src)).text
    for line in (
        '# file = "家庭成员.csv"',
        '# household_id = "户头号"  # ids',
        '# COLUMN = "人号"  # ids, each once',
        '# COLUMN = "姓名"  # personal, or a running number',
    ):
        assert line in text.splitlines()


def test_names_above_and_units_there_are_read(tmp_path: Path) -> None:
    rows = [["某县支出表"], ["单位:万元"], ["户编号", "支出日期", "支出类型", "总金额"]]
    rows += [[home, "2021-03-01", "医疗", "0.35"] for home in HOMES]
    block = tables(suggested(tmp_path, 支出=rows))["expenses"]
    assert block["header_row"] == 3
    assert block["columns"]["total_yuan"] == {"column": "总金额", "unit": "万元"}


def test_odd_headers_make_valid_toml_that_reads_them(tmp_path: Path) -> None:
    header = ["户编号", "走访编号", "走访\n日期", '看"院子"', "备\n注\x01"]
    rows = [[home, f"v{n}", "2021-03-01", "正常", ""] for n, home in enumerate(HOMES)]
    text = suggested(tmp_path, 走访=[header, *rows])
    assert "# not used: 备 注" in text.splitlines()
    data = exports.mapping() | {"tables": {**exports.MAPPING["tables"], "visits": tables(text)["visits"]}}
    src = exports.write_csv(tmp_path, {k: v for k, v in exports.county().items() if k != "走访"})
    done = exports.run(
        src, tmp_path / "out", data | {"export": {"date": exports.EXPORTED_ON, "max_reject_share": 1}}
    )
    assert [source.read for source in done.sources if source.table == "visits"] == [len(HOMES)]


def test_columns_of_one_name_are_reported_and_left_out(tmp_path: Path) -> None:
    rows = [
        ["户编号", "走访日期", "走访日期", "看院子", "看房子"],
        [HOMES[0], "2021-03-01", "2021-03-01", "正常", "正常"],
    ]
    text = suggested(tmp_path, 走访=rows)
    assert "# TODO rename one in the export, two columns have the same name: 走访日期" in text
    assert '"走访日期"' not in text


def test_visits_without_numbers_are_identified_by_household_and_day(tmp_path: Path) -> None:
    rows = [["户编号", "走访日期", "看院子", "看房子"], *([home, "2021-03-01", "正常", "严重"] for home in HOMES)]
    text = suggested(tmp_path, 走访=rows)
    assert 'visit_id = { columns = ["户编号", "走访日期"] }  # TODO check: no column numbers the visits' in text


REGISTER = ["户编号", "纳入时间", "登记时间", "退出时间", "致贫原因"]


def test_a_case_register_gives_identifications_and_eliminations(tmp_path: Path) -> None:
    rows = [[h, "2021-03-01", "2021-03-09", "2022-03-01" if n % 2 else "", "因病"] for n, h in enumerate(HOMES)]
    began, ended = tables(suggested(tmp_path, 监测=[REGISTER, *rows]))["statuses"]
    assert (began["columns"]["known_on"], began["columns"]["poor"]) == ("登记时间", {"value": True})
    assert ended["only_if"] == ["退出时间"]
    assert (ended["columns"]["known_on"], ended["columns"]["poor"]) == ("登记时间", {"value": False})


def test_a_flag_that_a_risk_is_over_is_not_taken_for_being_poor(tmp_path: Path) -> None:
    rows = [["户编号", "识别时间", "风险是否已消除", "致贫原因"], *([h, "202103", "是", "因病"] for h in HOMES)]
    text = suggested(tmp_path, 监测=rows)
    assert "poor = { value = true }  # TODO check: every row is taken for an identification" in text


def test_entry_days_before_the_event_are_not_taken(tmp_path: Path) -> None:
    rows = [["户编号", "走访编号", "走访日期", "登记日期", "看院子", "看房子"]]
    rows += [[home, f"v{n}", "2021-05-01", "2020-01-01", "正常", "严重"] for n, home in enumerate(HOMES)]
    assert "known_on" not in tables(suggested(tmp_path, 走访=rows))["visits"]["columns"]


@pytest.mark.parametrize(
    ("days", "name", "months"),
    [
        (("2021-03-31", "2021-06-30", "2021-09-30"), "收入", 3),
        (("2020-12-31", "2021-12-31"), "收入", 12),
        (("2021-01-31", "2021-02-28", "2021-03-31"), "年度收入", None),
        (("2021-12-31",), "年度收入", 12),
        (("2019年", "2020年"), "收入", 12),
        (("2021-12-31",), "收入", None),
    ],
)
def test_the_months_of_an_amount_follow_from_days_or_words(
    tmp_path: Path, days: tuple[str, ...], name: str, months: int | None
) -> None:
    rows = [["户编号", "核算日期", "工资性收入(元)", "转移性收入(元)"]]
    rows += [[home, day, "100", "200"] for home in HOMES for day in days]
    block = tables(suggested(tmp_path, **{name: rows}))["incomes"]
    assert block.get("row_months") == months
    years = {"column": "核算日期", "coarsest": "year"}
    assert block["columns"]["occurred_on"] == (years if "年" in days[0] else "核算日期")


def test_a_part_of_an_income_source_is_not_counted_twice(tmp_path: Path) -> None:
    header = ["户编号", "核算日期", "工资性收入", "务工收入", "低保金", "养老保险金", "家庭纯收入"]
    rows = [header, *([home, "2021-12-31", "100", "90", "20", "30", "150"] for home in HOMES)]
    assert tables(suggested(tmp_path, 收支=rows))["incomes"]["spread"]["columns"] == {
        "工资性收入": {"source": "wage"},
        "低保金": {"source": "transfer", "part": "dibao"},
        "养老保险金": {"source": "transfer", "part": "pension"},
    }


def test_a_source_may_give_two_tables(tmp_path: Path) -> None:
    header = ["户编号", "核算日期", "工资性收入(元)", "转移性收入(元)", "合规自付支出(元)"]
    rows = [header, *([home, "2021-12-31", "100", "90", "20"] for home in HOMES)]
    found = tables(suggested(tmp_path, 收支=rows))
    assert set(found["incomes"]["spread"]["columns"]) == {"工资性收入(元)", "转移性收入(元)"}
    assert found["expenses"]["columns"]["self_paid_yuan"] == {"column": "合规自付支出(元)", "unit": "元"}


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [["户编号"]],
        [["户编号", "走访日期", "看院子"]],
        [["户编号", "走访日期", "看院子"], ["", "", ""]],
        [["", ""], ["", ""]],
    ],
)
def test_nearly_empty_sources_are_reported_and_break_nothing(tmp_path: Path, rows: list[list[Any]]) -> None:
    assert "a.csv" in suggested(tmp_path, a=rows)


def test_a_folder_without_a_readable_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ImportRefused, match="holds no file that can be read"):
        suggest_mapping(str(tmp_path))


def test_a_text_with_a_telephone_number_is_no_code_text(tmp_path: Path) -> None:
    kinds = ["产业帮扶", "就业帮扶", "健康帮扶(13812345678)"]
    rows = [["户编号", "措施类型", "开始日期"], *([h, kinds[n % 3], "2021-03-01"] for n, h in enumerate(HOMES))]
    text = suggested(tmp_path, 帮扶=rows)
    assert "texts: some are no codes; they may be of persons, and are not shown" in text
    assert "138" not in text


def test_what_was_entered_before_it_happened_was_not_entered_then(tmp_path: Path) -> None:
    """登记日 sounds like an entry and 入库日 like nothing; but in every row 入库日 is after 登记日."""
    rows: list[list[Any]] = [["户编号", "走访编号", "登记日", "入库日", "院子", "房子"]]
    rows += [
        [h, f"v{n}", f"2021-03-{n % 20 + 1:02}", f"2021-03-{n % 20 + 4:02}", "好", "差"]
        for n, h in enumerate(HOMES)
    ]
    columns = tables(suggested(tmp_path, 走访=rows))["visits"]["columns"]
    assert (columns["occurred_on"], columns["known_on"]) == ("登记日", "入库日")


def test_the_whole_bill_is_the_amount_that_no_other_exceeds(tmp_path: Path) -> None:
    rows: list[list[Any]] = [
        ["户编号", "看病日期", "报销金额(元)", "酉列(元)"],
        *([h, "2021-03-01", n * 7 % 30, n * 7 % 30 + 5] for n, h in enumerate(HOMES)),
    ]
    assert tables(suggested(tmp_path / "a", 支出=rows))["expenses"]["columns"]["total_yuan"] == {
        "column": "酉列(元)",
        "unit": "元",
    }
    rows[1:] = [[h, "2021-03-01", n * 7 % 30 + 5, n * 7 % 30] for n, h in enumerate(HOMES)]
    assert "total_yuan" not in tables(suggested(tmp_path / "b", 支出=rows))["expenses"]["columns"]


def test_blank_rows_and_a_few_odd_cells_do_not_hide_what_a_column_holds(tmp_path: Path) -> None:
    rows = [["户号", "亥列", "看院子", "看房子"], *([home, "2021-03-01", "正常", "严重"] for home in HOMES)]
    rows[3][:2] = ["户 0\u200b3", "三月初"]
    columns = tables(suggested(tmp_path, 走访=[*rows, *[["", "", "", ""]] * 20]))["visits"]["columns"]
    assert (columns["household_id"], columns["occurred_on"]) == ("户号", "亥列")


def people(*header: str, cells: Callable[[int, int], list[str]]) -> list[list[str]]:
    """Return a list of two persons a household, under headers that say nothing but for the ids."""
    rows = [[h, f"r{n}k{kin}", "2021-01-01", *cells(n, kin)] for n, h in enumerate(HOMES) for kin in (0, 1)]
    return [["户编号", "人员编号", "信息日期", *header], *rows]


def test_the_relation_is_the_code_of_which_one_is_in_every_household(tmp_path: Path) -> None:
    kinds = ("壹", "贰", "叁")
    rows = people(
        *("午列", "未列", "性别", "学历", "出生年月"),
        cells=lambda n, kin: [kinds[n % 3], kinds[(n + kin) % 3], "男", "小学", "1960-05"],
    )
    columns = tables(suggested(tmp_path / "a", 成员=rows))["members"]["columns"]
    assert "relation" not in columns, "no text is of one person in every household"
    rows = people(
        *("午列", "未列", "性别", "学历", "出生年月"),
        cells=lambda n, kin: [kinds[n % 3], kinds[1 + n % 2] if kin else kinds[0], "男", "小学", "1960-05"],
    )
    columns = tables(suggested(tmp_path / "b", 成员=rows))["members"]["columns"]
    assert columns["relation"]["column"] == "未列"


def test_insurances_are_recognised_by_the_headers_of_yes_and_no(tmp_path: Path) -> None:
    names = ("居民医保(是/否)", "是否参加城镇职工医保", "养老保险", "是否有商业补充险", "是否在户", "与户主关系")
    rows = people(
        *names,
        cells=lambda n, kin: [
            *("是" if n % 3 else "否", "否" if n % 4 else "是", "是" if n % 5 else "否", "是" if n % 7 else "否"),
            *("是", "之子" if kin else "户主"),
        ],
    )
    columns = tables(suggested(tmp_path, 成员=rows))["members"]["columns"]
    assert columns["insurance"] == {
        "flags": {
            "居民医保(是/否)": "resident_medical",
            "是否参加城镇职工医保": "employee_medical",
            "是否有商业补充险": "commercial_medical",
        },
        "none": "none",
    }
    assert columns["in_household"] == "是否在户"


@pytest.mark.parametrize("header", ["年龄", "岁数"])
def test_ages_are_births_even_where_a_few_are_unknown(tmp_path: Path, header: str) -> None:
    rows = people(
        *("与户主关系", "性别", "学历", header),
        cells=lambda n, kin: ["之子" if kin else "户主", "男", "小学", "-1" if n == 3 else str(n + 20 * kin)],
    )
    columns = tables(suggested(tmp_path, 成员=rows))["members"]["columns"]
    assert columns["birth_month"] == {"column": header, "unit": "岁"}


def test_words_of_places_of_work_and_of_workers_are_known(tmp_path: Path) -> None:
    workplace = TABLES["employment"].columns["workplace"]
    guessed = {text: guess_code(text, workplace) for text in ("本省外县", "外省")}
    assert {text: guess and guess.code for text, guess in guessed.items()} == {
        "本省外县": "province",
        "外省": "other_province",
    }
    for header in ("负责人", "包户干部"):
        rows = [["走访编号", "户编号", "走访日期", "看院子", "看房子", header]]
        rows += [[f"v{n}", home, "2021-03-01", "正常", "严重", f"w{n % 3}"] for n, home in enumerate(HOMES)]
        assert tables(suggested(tmp_path / header, 走访=rows))["visits"]["columns"]["worker_id"] == header


@pytest.mark.parametrize(("yes", "no"), [("有", "无"), ("是", "否"), ("1", "0"), ("Y", "N"), ("参加", "未参加")])
def test_columns_of_yes_and_no_are_flags_of_insurances_and_never_mean_none_alone(
    tmp_path: Path, yes: str, no: str
) -> None:
    codes = {
        "城乡居民医保": "resident_medical",
        "城镇职工医保": "employee_medical",
        "大病保险": "serious_illness",
        "商业医保": "commercial_medical",
        "城乡居民养老": "resident_pension",
        "职工养老": "employee_pension",
    }
    more = ("与户主关系", "性别", "出生年月")
    answers = [
        [yes if (n + place) % (place + 2) else no for place in range(len(codes))] for n in range(2 * len(HOMES))
    ]
    rows = people(
        *codes, *more, cells=lambda n, kin: [*answers[2 * n + kin], "之子" if kin else "户主", "男", "1960-05"]
    )
    insurance = tables(suggested(tmp_path / "six", 成员=rows))["members"]["columns"]["insurance"]
    assert (insurance["flags"], insurance["none"]) == (codes, "none")
    assert insurance.get("texts", {}) in ({}, {yes: "true", no: "false"})
    rows = people(
        "商业医保",
        *more,
        cells=lambda n, kin: [answers[2 * n + kin][3], "之子" if kin else "户主", "男", "1960-05"],
    )
    alone = tables(suggested(tmp_path / "one", 成员=rows))["members"]["columns"].get("insurance", {})
    assert "none" not in str(alone)


def test_the_days_of_a_job_are_known_by_coming_back(tmp_path: Path) -> None:
    """Whoever works began before the month; whoever seeks has no such day; an entry is of its own month."""
    rows = [["户编号", "人员编号", "申列", "酉列", "戌列", "亥列", "子列", "丑列", "寅列", "工资(元)"]]
    for n, home in enumerate(HOMES):
        for month in range(1, 10):
            works = n % 5 > 0
            began, ends = ("2020-07-08", "2023-01-31") if works else ("", "")
            days = [ends, began, "" if works else "2020-11-30", f"2021-{month + 1:02}-03", f"2021{month:02}"]
            answers = ["是", "否", "900"] if works else ["否", "是", ""]
            rows.append([home, f"r{n}", *days, *answers])
    columns = tables(suggested(tmp_path, 务工=rows))["employment"]["columns"]
    meant = {
        "occurred_on": "子列",
        "known_on": "亥列",
        "started_on": "酉列",
        "ended_on": "申列",
        "seeking_since": "戌列",
    }
    assert {name: columns.get(name) for name in meant} == meant
    assert columns["employed"] == "丑列", "the other says no where there is a wage"
