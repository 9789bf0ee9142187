"""Exports of one small simulated county in words that no list knows, each with the mapping a person would write.

The headers and code words of the first three were written down before the word list of the suggestions, as a clerk
of a county would, and the word list was not changed for them. The others were written after it.
"""

from __future__ import annotations

import datetime as dt
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from relapse_risk.datasets.county import simulate_county
from relapse_risk.records.codes import INCOME_PART
from relapse_risk.records.records import Records
from tests.support import exports

EXPORTED_ON = dt.date(2022, 6, 30)
Row = dict[str, Any]
Cell = Callable[[Row], Any]


@dataclass(frozen=True)
class Field:
    """One column of a source: its header, what its cells say, and what it is to the record table."""

    header: str
    cell: Cell
    column: str = ""
    mapping: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Sheet:
    """One source, and the blocks of the mapping that a person would write for it."""

    file: str
    rows: list[list[Any]]
    blocks: list[tuple[str, dict[str, Any]]]
    sheet: str | None = None


@dataclass(frozen=True)
class Strange:
    """A whole export."""

    sheets: list[Sheet]
    encoding: str = "utf-8"

    def write(self, folder: Path) -> Path:
        """Write the files."""
        books: dict[str, dict[str, exports.Sheet]] = defaultdict(dict)
        for one in self.sheets:
            name, kind = one.file.split(".")
            texts = [["" if cell is None else str(cell) for cell in row] for row in one.rows]
            if kind == "csv":
                exports.write_csv(folder, {name: texts}, self.encoding)
            elif kind == "parquet":
                exports.write_parquet(folder, {name: texts})
            else:
                books[one.file][one.sheet or "Sheet1"] = one.rows
        for file, sheets in books.items():
            exports.write_workbook(folder / file, sheets)
        return folder

    def mapping(self) -> dict[str, Any]:
        """Return the mapping a person would write, as data."""
        tables: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for one in self.sheets:
            for table, block in one.blocks:
                place = {"file": one.file} | ({"sheet": one.sheet} if one.sheet else {})
                tables[table].append(place | block)
        return {"export": {"date": EXPORTED_ON, "max_reject_share": 0.05}, "tables": dict(tables)}


@cache
def _county() -> Records:
    records, _ = simulate_county(150, 30, 7)
    return records


def _of(table: str) -> list[Row]:
    rows: list[Row] = _county().table(table).to_pylist()
    return rows


def _source(
    file: str,
    fields: Iterable[Field],
    rows: Iterable[Row],
    table: str = "",
    *,
    sheet: str | None = None,
    above: Iterable[list[Any]] = (),
    **block: Any,
) -> Sheet:
    fields, above = list(fields), list(above)
    cells = [[one.cell(row) for one in fields] for row in rows]
    blocks = []
    if table:
        columns = {
            one.column: {"column": one.header, **_seen(one.mapping, [row[at] for row in cells])}
            for at, one in enumerate(fields)
            if one.column
        }
        columns |= block.pop("constant", {})
        head = {"header_row": len(above) + 1} if above else {}
        blocks = [(table, head | {"columns": columns} | block)]
    return Sheet(file, [*above, [one.header for one in fields], *cells], blocks, sheet)


def _seen(mapping: Mapping[str, Any], cells: list[Any]) -> dict[str, Any]:
    """Return the mapping of a column, with only the texts that occur in its cells."""
    if "texts" not in mapping:
        return dict(mapping)
    there = {part for cell in cells if cell for part in re.split("[,、/]", str(cell))}
    return {**mapping, "texts": {text: code for text, code in mapping["texts"].items() if text in there}}


def _get(name: str) -> Cell:
    return lambda row: row[name]


def _day(name: str, form: str = "%Y-%m-%d") -> Cell:
    return lambda row: "" if row[name] is None else f"{row[name]:{form}}"


def _word(name: str, words: Mapping[Any, str], missing: str = "") -> Cell:
    return lambda row: missing if row[name] is None else words[row[name]]


def _words(name: str, words: Mapping[str, str], sign: str) -> Cell:
    return lambda row: sign.join(words[code] for code in row[name].split(",")) if row[name] else ""


def _size(name: str, size: float, digits: int = 6) -> Cell:
    return lambda row: "" if row[name] is None else round(row[name] * size, digits)


def _texts(words: Mapping[Any, str], missing: str = "") -> dict[str, Any]:
    codes = {text: str(code).lower() if isinstance(code, bool) else str(code) for code, text in words.items()}
    return {"texts": codes | ({missing: ""} if missing else {})}


def _long(text: str | None) -> str:
    """Return an id of the simulated county as the digits a national system would give."""
    return "" if text is None else "500236" + "".join(sign for sign in text if sign.isdigit()).zfill(12)


def _id(name: str) -> Cell:
    return lambda row: _long(row[name])


def _cases() -> list[Row]:
    """Return a row for each time a household was monitored, with the day it ended."""
    cases: list[Row] = []
    for row in sorted(_of("statuses"), key=lambda row: (row["household_id"], row["occurred_on"])):
        if row["poor"]:
            cases.append({**row, "ended_on": None})
        elif cases and cases[-1]["household_id"] == row["household_id"]:
            cases[-1]["ended_on"] = row["occurred_on"]
    return cases


def _register(file: str, fields: list[Field], ended: Field, sheet: str | None = None) -> Sheet:
    """Return a register of cases: each row an identification and, where it ended, an elimination."""
    one = _source(file, [*fields, ended], _cases(), "statuses", sheet=sheet)
    columns = one.blocks[0][1]["columns"] | {"origin": {"value": "registry"}}
    found = columns | {"poor": {"value": "true"}}
    gone = columns | {"poor": {"value": "false"}, "occurred_on": {"column": ended.header}}
    blocks = [("statuses", {"columns": found}), ("statuses", {"only_if": [ended.header], "columns": gone})]
    return Sheet(one.file, one.rows, blocks, sheet)


def _accounts(months: int) -> list[Row]:
    """Return a household's incomes of a period in one row, a column a source."""
    found: dict[tuple[str, dt.date], Row] = {}
    for row in _of("incomes"):
        number = row["occurred_on"].year * 12 + row["occurred_on"].month - 1
        after = (number // months + 1) * months
        day = dt.date(after // 12, after % 12 + 1, 1) - dt.timedelta(days=1)
        if day > EXPORTED_ON:
            continue
        account = found.setdefault((row["household_id"], day), {"household_id": row["household_id"], "day": day})
        account[row["source"]] = account.get(row["source"], 0.0) + row["amount_yuan"]
    return [found[key] for key in sorted(found)]


def _spread(names: Mapping[str, str], unit: str) -> dict[str, Any]:
    columns = {header: {"source": source} for source, header in names.items()}
    return {"spread": {"into": "amount_yuan", "unit": unit, "columns": columns}}


def _amounts(names: Mapping[str, str], size: float) -> list[Field]:
    return [Field(h, lambda row, s=s: round(row.get(s, 0) * size, 6)) for s, h in names.items()]  # type: ignore[misc]


def _workers() -> list[Row]:
    people = sorted({(row["household_id"], row["person_id"]) for row in _of("employment")})
    return [
        {"household_id": household, "person_id": person, "name": "张王李赵"[n % 4] + "建国英秀兰芳"[n % 6 :][:2]}
        for n, (household, person) in enumerate(people)
    ]


# ---- a hill county's twelve files, in its own words, GBK and Excel

_HILL_TYPES = {
    "ordinary": "普通户",
    "lifted": "摘帽户",
    "lifted_dibao": "摘帽吃低保",
    "lifted_tekun": "摘帽五保",
    "monitored": "重点盯防户",
}
_HILL_GRADES = {0: "好", 1: "差点", 2: "恼火"}
_HILL_YES = {True: "有", False: "没有"}
_HILL_RISKS = {
    "illness": "生病",
    "schooling": "娃读书",
    "disability": "残疾",
    "natural_disaster": "遭灾",
    "accident": "出意外",
    "industry_failure": "产业搞亏",
    "unstable_work": "打工不稳",
    "labour_shortage": "没劳力",
    "unsafe_water": "吃水难",
    "other": "别的原因",
}
_HILL_BILLS = {"medical": "看病", "education": "娃读书", "housing": "修房子", "other": "别的"}
_HILL_EVENTS = {
    "illness": "得大病",
    "accident": "摔伤车祸",
    "disaster": "遭水灾旱灾",
    "job_loss": "丢了工作",
    "crop_failure": "庄稼绝收",
    "market": "东西卖不脱",
}
_HILL_MEASURES = {
    "industry": "发展产业",
    "employment": "介绍打工",
    "finance": "小额贷款",
    "welfare_post": "公益性岗位",
    "housing_safety": "修危房",
    "water_safety": "接自来水",
    "health": "看病报销",
    "compulsory_education": "义务教育",
    "other_education": "大学资助",
    "comprehensive_security": "低保兜底",
    "social_assistance": "社会捐助",
    "relocation": "搬家",
    "living_conditions": "改厨改厕",
    "infrastructure": "修路",
}
_HILL_PLACES = {
    "township": "本乡",
    "county": "本县",
    "province": "本省",
    "other_province": "外省",
    "other": "说不清",
}
_HILL_INCOMES = {
    "wage": "打工钱(元)",
    "business": "种养卖的钱(元)",
    "property": "租金分红(元)",
    "transfer": "政府补贴(元)",
    "claim": "保险赔的(元)",
    "production_cost": "种养本钱(元)",
}


def hill() -> Strange:
    """Return a hill county's twelve files."""
    house = Field("户头号", _id("household_id"), "household_id")
    yes = _texts(_HILL_YES)
    return Strange(
        [
            _source(
                "农户花名册.csv",
                [
                    house,
                    Field("摸底日子", _day("occurred_on"), "occurred_on"),
                    Field("录进系统日子", _day("known_on"), "known_on"),
                    Field("片区号", _id("grid_id"), "grid_id"),
                    Field("村寨", _get("village_id"), "village_id"),
                    Field("乡镇场", _get("township_id"), "township_id"),
                    Field("农户性质", _word("household_type", _HILL_TYPES), "household_type", _texts(_HILL_TYPES)),
                    Field("摘帽日子", _day("lifted_on"), "lifted_on"),
                    Field("家里几口人", _get("n_members"), "n_members"),
                    Field("能干活的", _get("n_labour"), "n_labour"),
                    Field("读书娃", _get("n_students"), "n_students"),
                    Field("老人", _get("n_elderly"), "n_elderly"),
                    Field("常年吃药的", _get("n_chronic"), "n_chronic"),
                    Field("得大病的", _get("n_major_illness"), "n_major_illness"),
                    Field("残疾的", _get("n_disabled"), "n_disabled"),
                    Field("吃低保没有", _word("dibao", _HILL_YES), "dibao", yes),
                    Field("房子等级", _get("housing_grade"), "housing_grade"),
                    Field("田土(亩)", _get("land_mu"), "land_mu", {"unit": "亩"}),
                    Field("果园(亩)", _get("orchard_mu"), "orchard_mu", {"unit": "亩"}),
                    Field("搬迁没有", _word("relocated", _HILL_YES), "relocated", yes),
                ],
                _of("households"),
                "households",
            ),
            _source(
                "片区台账.csv",
                [
                    Field("片区号", _id("grid_id"), "grid_id"),
                    Field("村寨", _get("village_id"), "village_id"),
                    Field("乡镇场", _get("township_id"), "township_id"),
                    Field("片长工号", _get("worker_id"), "worker_id"),
                    Field("起用日子", _day("occurred_on"), "occurred_on"),
                ],
                _of("grids"),
                "grids",
            ),
            _source(
                "跑户记录.csv",
                [
                    Field("跑户单号", _get("visit_id"), "visit_id"),
                    house,
                    Field("上门日子", _day("occurred_on", "%Y/%m/%d"), "occurred_on"),
                    Field("上传日子", _day("known_on", "%Y/%m/%d"), "known_on"),
                    Field("片长工号", _get("worker_id"), "worker_id"),
                    Field("院坝", _word("yard", _HILL_GRADES, "没看"), "yard", _texts(_HILL_GRADES, "没看")),
                    Field("屋头", _word("house", _HILL_GRADES, "没看"), "house", _texts(_HILL_GRADES, "没看")),
                    Field(
                        "吃穿", _word("cupboard", _HILL_GRADES, "没看"), "cupboard", _texts(_HILL_GRADES, "没看")
                    ),
                    Field("用水", _word("tap", _HILL_GRADES, "没看"), "tap", _texts(_HILL_GRADES, "没看")),
                    Field("身体", _word("health", _HILL_GRADES, "没看"), "health", _texts(_HILL_GRADES, "没看")),
                    Field(
                        "娃儿", _word("children", _HILL_GRADES, "没看"), "children", _texts(_HILL_GRADES, "没看")
                    ),
                    Field("有没有苗头", _word("clue_raised", _HILL_YES), "clue_raised", yes),
                ],
                _of("visits"),
                "visits",
            ),
            _register(
                "盯防台账.csv",
                [
                    house,
                    Field("进来时间", _day("occurred_on"), "occurred_on"),
                    Field("填表时间", _day("known_on"), "known_on"),
                    Field("困难原因", _words("risk_types", _HILL_RISKS, "、"), "risk_types", _texts(_HILL_RISKS)),
                    Field("经办人", lambda row: "田春生" if row["poor"] else ""),
                ],
                Field("退出时间", _day("ended_on")),
            ),
            _source(
                "季度收入账.xlsx",
                [
                    house,
                    Field("季末", _get("day"), "occurred_on"),
                    *_amounts(_HILL_INCOMES, 1),
                ],
                _accounts(3),
                "incomes",
                row_months=3,
                **_spread(_HILL_INCOMES, "元"),
            ),
            _source(
                "花销单据.csv",
                [
                    Field(
                        "单据号",
                        lambda row: f"{row['occurred_on']:%y%m}{_long(row['household_id'])[-5:]}",
                        "bill_id",
                    ),
                    house,
                    Field("花钱日子", _day("occurred_on"), "occurred_on"),
                    Field("录进系统日子", _day("known_on"), "known_on"),
                    Field("花在哪", _word("kind", _HILL_BILLS), "kind", _texts(_HILL_BILLS)),
                    Field("一共花(元)", _get("total_yuan"), "total_yuan", {"unit": "元"}),
                    Field("报了(元)", _get("reimbursed_yuan"), "reimbursed_yuan", {"unit": "元"}),
                    Field("自己掏(元)", _get("self_paid_yuan"), "self_paid_yuan", {"unit": "元"}),
                ],
                _of("expenses"),
                "expenses",
            ),
            _source(
                "出事登记.xlsx",
                [
                    house,
                    Field("出事日子", _get("occurred_on"), "occurred_on"),
                    Field("上报日子", _get("known_on"), "known_on"),
                    Field("出了啥事", _word("kind", _HILL_EVENTS), "kind", _texts(_HILL_EVENTS)),
                ],
                _of("shocks"),
                "shocks",
            ),
            _source(
                "帮扶台账.csv",
                [
                    house,
                    Field("帮了啥", _word("kind", _HILL_MEASURES), "kind", _texts(_HILL_MEASURES)),
                    Field("起", _day("occurred_on"), "occurred_on"),
                    Field("止", _day("ended_on"), "ended_on"),
                    Field("登记日子", _day("known_on"), "known_on"),
                ],
                _of("supports"),
                "supports",
            ),
            _source(
                "打工名册.csv",
                [
                    house,
                    Field("人号", _id("person_id"), "person_id"),
                    Field("月份", _day("occurred_on", "%Y年%m月"), "occurred_on"),
                    Field("填报日子", _day("known_on"), "known_on"),
                    Field(
                        "在上班没有",
                        _word("employed", {True: "在", False: "没有"}),
                        "employed",
                        _texts({True: "在", False: "没有"}),
                    ),
                    Field("在哪打工", _word("workplace", _HILL_PLACES), "workplace", _texts(_HILL_PLACES)),
                    Field("当月工钱(元)", _get("wage_yuan"), "wage_yuan", {"unit": "元"}),
                ],
                _of("employment"),
                "employment",
            ),
            _source(
                "家庭成员.csv",
                [
                    house,
                    Field("人号", _id("person_id")),
                    Field("姓名", _get("name")),
                    Field("与当家人关系", lambda _: "本人"),
                ],
                _workers(),
            ),
            _source(
                "照片清单.csv",
                [
                    Field("照片号", lambda row: f"p{row['visit_id']}"),
                    Field("跑户单号", _get("visit_id")),
                    Field("文件", lambda row: f"{row['visit_id']}.jpg"),
                ],
                _of("visits"),
            ),
            _source(
                "通讯录.xlsx",
                [Field("姓名", _get("name")), Field("电话", lambda row: "1380000" + _long(row["person_id"])[-4:])],
                _workers(),
            ),
        ],
        "gbk",
    )


# ---- a county's database, whose columns are initials and English words

_DB_YES = {True: "1", False: "0"}
_DB_GRADES = {0: "0", 1: "1", 2: "2"}
_DB_PLACES = {"township": "01", "county": "02", "province": "03", "other_province": "04", "other": "09"}
_DB_BILLS = {"medical": "医疗支出", "education": "教育支出", "housing": "住房支出", "other": "其他支出"}
_DB_TYPES = {
    "ordinary": "一般农户",
    "lifted": "脱贫户",
    "lifted_dibao": "低保脱贫户",
    "lifted_tekun": "特困脱贫户",
    "monitored": "监测户",
}
_NATIONAL_SOURCES = {
    "wage": "工资性收入",
    "business": "生产经营性收入",
    "property": "财产性收入",
    "transfer": "转移性收入",
    "claim": "理赔收入",
    "production_cost": "生产经营性支出",
}
_PARTS = {code: label.zh for code, label in INCOME_PART.labels.items()}
_NATIONAL_RISKS = {
    "illness": "因病",
    "schooling": "因学",
    "disability": "因残",
    "natural_disaster": "因灾",
    "accident": "因意外事故",
    "industry_failure": "因产业失败",
    "unstable_work": "因务工就业不稳",
    "labour_shortage": "缺劳力",
    "unsafe_water": "缺水",
    "other": "其他",
}
_NATIONAL_EVENTS = {
    "illness": "重大疾病",
    "accident": "意外事故",
    "disaster": "自然灾害",
    "job_loss": "失业",
    "crop_failure": "产业失败",
    "market": "滞销",
}
_NATIONAL_MEASURES = {
    "industry": "产业帮扶",
    "employment": "就业帮扶",
    "finance": "金融帮扶",
    "welfare_post": "公益岗位",
    "housing_safety": "住房保障",
    "water_safety": "饮水保障",
    "health": "健康帮扶",
    "compulsory_education": "教育保障",
    "other_education": "其他教育帮扶",
    "comprehensive_security": "综合保障",
    "social_assistance": "社会帮扶",
    "relocation": "搬迁",
    "living_conditions": "生产生活条件改善",
    "infrastructure": "基础设施",
}


def database() -> Strange:
    """Return the tables of a county's database."""
    house = Field("hbh", _id("household_id"), "household_id")
    yes = _texts(_DB_YES)
    return Strange(
        [
            _source(
                "ffp_jbxx.parquet",
                [
                    house,
                    Field("cjrq", _day("occurred_on", "%Y%m%d"), "occurred_on"),
                    Field("lrsj", _day("known_on", "%Y-%m-%d 10:20:00"), "known_on"),
                    Field("wgbm", _id("grid_id"), "grid_id"),
                    Field("xzc", _get("village_id"), "village_id"),
                    Field("xz", _get("township_id"), "township_id"),
                    Field("hlx", _word("household_type", _DB_TYPES), "household_type", _texts(_DB_TYPES)),
                    Field("tprq", _day("lifted_on", "%Y%m%d"), "lifted_on"),
                    Field("jtrk", _get("n_members"), "n_members"),
                    Field("ldlrs", _get("n_labour"), "n_labour"),
                    Field("zxsrs", _get("n_students"), "n_students"),
                    Field("lnrs", _get("n_elderly"), "n_elderly"),
                    Field("mbrs", _get("n_chronic"), "n_chronic"),
                    Field("dbrs", _get("n_major_illness"), "n_major_illness"),
                    Field("cjrs", _get("n_disabled"), "n_disabled"),
                    Field("sfdb", _word("dibao", _DB_YES), "dibao", yes),
                    Field("wfdj", _get("housing_grade"), "housing_grade"),
                    Field("gdmj", _get("land_mu"), "land_mu"),
                    Field("lgmj", _get("orchard_mu"), "orchard_mu"),
                    Field("sfbq", _word("relocated", _DB_YES), "relocated", yes),
                    Field("czr", lambda _: "admin"),
                ],
                _of("households"),
                "households",
            ),
            _source(
                "ffp_zfjl.parquet",
                [
                    Field("jlid", _get("visit_id"), "visit_id"),
                    house,
                    Field("zfrq", _day("occurred_on", "%Y%m%d"), "occurred_on"),
                    Field("lrsj", _day("known_on", "%Y-%m-%d 10:20:00"), "known_on"),
                    Field("zfr", _get("worker_id"), "worker_id"),
                    Field("kyz", _word("yard", _DB_GRADES), "yard"),
                    Field("kfz", _word("house", _DB_GRADES), "house"),
                    Field("kgz", _word("cupboard", _DB_GRADES), "cupboard"),
                    Field("kslt", _word("tap", _DB_GRADES), "tap"),
                    Field("kjk", _word("health", _DB_GRADES), "health"),
                    Field("khz", _word("children", _DB_GRADES), "children"),
                    Field("sffxxs", _word("clue_raised", _DB_YES), "clue_raised", yes),
                ],
                _of("visits"),
                "visits",
            ),
            _source(
                "ffp_srmx.parquet",
                [
                    house,
                    Field("sryf", _day("occurred_on", "%Y%m"), "occurred_on"),
                    Field("lrsj", _day("known_on", "%Y-%m-%d 10:20:00"), "known_on"),
                    Field("srlx", _word("source", _NATIONAL_SOURCES), "source", _texts(_NATIONAL_SOURCES)),
                    Field("srxm", _word("part", _PARTS), "part", _texts(_PARTS)),
                    Field("je", _get("amount_yuan"), "amount_yuan"),
                ],
                _of("incomes"),
                "incomes",
            ),
            _source(
                "ffp_jcdx.csv",
                [
                    house,
                    Field("rdrq", _day("occurred_on"), "occurred_on"),
                    Field("lrsj", _day("known_on"), "known_on"),
                    Field("sfjcdx", _word("poor", _DB_YES), "poor", yes),
                    Field(
                        "fxlx", _words("risk_types", _NATIONAL_RISKS, ","), "risk_types", _texts(_NATIONAL_RISKS)
                    ),
                ],
                _of("statuses"),
                "statuses",
                constant={"origin": {"value": "registry"}},
            ),
            _source(
                "ffp_zcmx.csv",
                [
                    house,
                    Field("zcrq", _day("occurred_on"), "occurred_on"),
                    Field("lrsj", _day("known_on"), "known_on"),
                    Field("zclx", _word("kind", _DB_BILLS), "kind", _texts(_DB_BILLS)),
                    Field("zje", _get("total_yuan"), "total_yuan"),
                    Field("bxje", _get("reimbursed_yuan"), "reimbursed_yuan"),
                    Field("zfje", _get("self_paid_yuan"), "self_paid_yuan"),
                ],
                _of("expenses"),
                "expenses",
            ),
            _source(
                "risk_event.csv",
                [
                    Field("household_no", _id("household_id"), "household_id"),
                    Field("event_date", _day("occurred_on"), "occurred_on"),
                    Field("reported_at", _day("known_on"), "known_on"),
                    Field("event_type", _word("kind", _NATIONAL_EVENTS), "kind", _texts(_NATIONAL_EVENTS)),
                ],
                _of("shocks"),
                "shocks",
            ),
            _source(
                "ffp_bfcs.csv",
                [
                    house,
                    Field("cslx", _word("kind", _NATIONAL_MEASURES), "kind", _texts(_NATIONAL_MEASURES)),
                    Field("ksrq", _day("occurred_on"), "occurred_on"),
                    Field("jsrq", _day("ended_on"), "ended_on"),
                    Field("lrsj", _day("known_on"), "known_on"),
                ],
                _of("supports"),
                "supports",
            ),
            _source(
                "labor_monthly.parquet",
                [
                    Field("household_no", _id("household_id"), "household_id"),
                    Field("person_no", _id("person_id"), "person_id"),
                    Field("stat_month", _day("occurred_on", "%Y-%m"), "occurred_on"),
                    Field("created_at", _day("known_on"), "known_on"),
                    Field("is_working", _word("employed", _DB_YES), "employed", yes),
                    Field("work_area", _word("workplace", _DB_PLACES), "workplace", _texts(_DB_PLACES)),
                    Field("month_salary", _get("wage_yuan"), "wage_yuan"),
                ],
                _of("employment"),
                "employment",
            ),
            _source(
                "sys_grid.parquet",
                [
                    Field("grid_code", _id("grid_id"), "grid_id"),
                    Field("village_code", _get("village_id"), "village_id"),
                    Field("town_code", _get("township_id"), "township_id"),
                    Field("grid_staff", _get("worker_id"), "worker_id"),
                    Field("valid_from", _day("occurred_on"), "occurred_on"),
                ],
                _of("grids"),
                "grids",
            ),
        ]
    )


# ---- one workbook of many sheets, titles above the headers, units within them

_BOOK_GRADES = {0: "良好", 1: "一般", 2: "较差"}
_BOOK_YES = {True: "是", False: "否"}
_BOOK_INCOMES = {
    "wage": "工资(万元)",
    "business": "经营(万元)",
    "property": "财产(万元)",
    "transfer": "转移(万元)",
    "claim": "赔付(万元)",
    "production_cost": "经营成本(万元)",
}
_BOOK_BILLS = {"medical": "就医", "education": "上学", "housing": "建房", "other": "其它"}
_BOOK_PLACES = {
    "township": "镇内",
    "county": "县内镇外",
    "province": "省内县外",
    "other_province": "省外",
    "other": "其它",
}


def book() -> Strange:
    """Return one workbook of nine sheets."""
    number = iter(range(1, 1_000_000))
    serial = Field("序号", lambda _: next(number))
    house = Field("户码", _id("household_id"), "household_id")

    def above(title: str, *more: str) -> list[list[Any]]:
        return [[f"XX县{title}"], *([line] for line in more)]

    def sheet(name: str, title: list[list[Any]], table: str, fields: list[Field], rows: Any, **block: Any) -> Sheet:
        return _source("监测帮扶汇总表.xlsx", [serial, *fields], rows, table, sheet=name, above=title, **block)

    def look(header: str, name: str) -> Field:
        return Field(header, _word(name, _BOOK_GRADES, "未看"), name, _texts(_BOOK_GRADES, "未看"))

    return Strange(
        [
            sheet(
                "农户情况",
                above("农户家庭情况统计表", "填报单位:县专班  单位:人、亩"),
                "households",
                [
                    house,
                    Field("户主姓名", lambda _: "张建国"),
                    Field("统计日期", _get("occurred_on"), "occurred_on"),
                    Field("填报日期", _get("known_on"), "known_on"),
                    Field("所在网格", _id("grid_id"), "grid_id"),
                    Field("所在村", _get("village_id"), "village_id"),
                    Field("所在乡镇", _get("township_id"), "township_id"),
                    Field("农户属性", _word("household_type", _DB_TYPES), "household_type", _texts(_DB_TYPES)),
                    Field("退出贫困日期", _get("lifted_on"), "lifted_on"),
                    Field("全家人数(人)", _get("n_members"), "n_members"),
                    Field("有劳动能力(人)", _get("n_labour"), "n_labour"),
                    Field("就读学生(人)", _get("n_students"), "n_students"),
                    Field("60岁及以上(人)", _get("n_elderly"), "n_elderly"),
                    Field("慢病(人)", _get("n_chronic"), "n_chronic"),
                    Field("重病(人)", _get("n_major_illness"), "n_major_illness"),
                    Field("持残疾证(人)", _get("n_disabled"), "n_disabled"),
                    Field("享受低保", _word("dibao", _BOOK_YES), "dibao"),
                    Field("住房鉴定等级", _get("housing_grade"), "housing_grade"),
                    Field("承包地面积(亩)", _get("land_mu"), "land_mu", {"unit": "亩"}),
                    Field("经果林面积(亩)", _get("orchard_mu"), "orchard_mu", {"unit": "亩"}),
                    Field("易迁户", _word("relocated", _BOOK_YES), "relocated"),
                ],
                _of("households"),
            ),
            sheet(
                "网格划分",
                above("网格划分一览表"),
                "grids",
                [
                    Field("网格代码", _id("grid_id"), "grid_id"),
                    Field("所在村", _get("village_id"), "village_id"),
                    Field("所在乡镇", _get("township_id"), "township_id"),
                    Field("网格长编号", _get("worker_id"), "worker_id"),
                    Field("划分日期", _get("occurred_on"), "occurred_on"),
                ],
                _of("grids"),
            ),
            sheet(
                "入户",
                above("入户情况登记表", "说明:未看的项目填未看"),
                "visits",
                [
                    Field("登记表编号", _get("visit_id"), "visit_id"),
                    house,
                    Field("入户当日", _get("occurred_on"), "occurred_on"),
                    Field("提交日期", _get("known_on"), "known_on"),
                    Field("入户人员编号", _get("worker_id"), "worker_id"),
                    look("庭院卫生", "yard"),
                    look("房屋情况", "house"),
                    look("衣食情况", "cupboard"),
                    look("饮用水情况", "tap"),
                    look("身体状况", "health"),
                    look("子女上学", "children"),
                    Field("存在风险隐患", _word("clue_raised", _BOOK_YES), "clue_raised"),
                ],
                _of("visits"),
            ),
            sheet(
                "年度收入",
                above("农户年度收入核算表", "单位:万元"),
                "incomes",
                [
                    house,
                    Field("核算截止日", _get("day"), "occurred_on"),
                    *_amounts(_BOOK_INCOMES, 1e-4),
                ],
                _accounts(12),
                row_months=12,
                **_spread(_BOOK_INCOMES, "万元"),
            ),
            sheet(
                "监测户",
                above("监测户动态表"),
                "statuses",
                [
                    house,
                    Field("认定(消除)日期", _get("occurred_on"), "occurred_on"),
                    Field("提交日期", _get("known_on"), "known_on"),
                    Field("当前在册", _word("poor", _BOOK_YES), "poor"),
                    Field(
                        "风险成因",
                        _words("risk_types", _NATIONAL_RISKS, "/"),
                        "risk_types",
                        _texts(_NATIONAL_RISKS),
                    ),
                ],
                _of("statuses"),
                constant={"origin": {"value": "registry"}},
            ),
            sheet(
                "大额支出",
                above("家庭大额支出表", "单位:元"),
                "expenses",
                [
                    house,
                    Field("票据日期", _get("occurred_on"), "occurred_on"),
                    Field("填报日期", _get("known_on"), "known_on"),
                    Field("支出用途", _word("kind", _BOOK_BILLS), "kind", _texts(_BOOK_BILLS)),
                    Field("费用合计", _get("total_yuan"), "total_yuan"),
                    Field("报销部分", _get("reimbursed_yuan"), "reimbursed_yuan"),
                    Field("个人负担部分", _get("self_paid_yuan"), "self_paid_yuan"),
                ],
                _of("expenses"),
            ),
            sheet(
                "突发困难",
                above("突发困难情况表"),
                "shocks",
                [
                    house,
                    Field("发生日", _get("occurred_on"), "occurred_on"),
                    Field("填报日期", _get("known_on"), "known_on"),
                    Field("困难情形", _word("kind", _NATIONAL_EVENTS), "kind", _texts(_NATIONAL_EVENTS)),
                ],
                _of("shocks"),
            ),
            sheet(
                "落实措施",
                above("帮扶措施落实表"),
                "supports",
                [
                    house,
                    Field("措施名称", _word("kind", _NATIONAL_MEASURES), "kind", _texts(_NATIONAL_MEASURES)),
                    Field("落实日期", _get("occurred_on"), "occurred_on"),
                    Field("到期日期", _get("ended_on"), "ended_on"),
                    Field("填报日期", _get("known_on"), "known_on"),
                ],
                _of("supports"),
            ),
            sheet(
                "就业台账",
                above("劳动力就业台账"),
                "employment",
                [
                    house,
                    Field("人员代码", _id("person_id"), "person_id"),
                    Field("所属年月", _day("occurred_on", "%Y.%m"), "occurred_on"),
                    Field("填报日期", _get("known_on"), "known_on"),
                    Field(
                        "就业状态",
                        _word("employed", {True: "已就业", False: "未就业"}),
                        "employed",
                        _texts({True: "已就业", False: "未就业"}),
                    ),
                    Field("就业区域", _word("workplace", _BOOK_PLACES), "workplace", _texts(_BOOK_PLACES)),
                    Field("月收入(元)", _get("wage_yuan"), "wage_yuan", {"unit": "元"}),
                ],
                _of("employment"),
            ),
        ]
    )


# ---- a county that avoids every usual word, written after the word list

_LAST_GRADES = {0: "达到要求", 1: "有欠缺", 2: "问题突出"}
_LAST_YES = {True: "对", False: "不对"}
_LAST_TYPES = {
    "ordinary": "常规农家",
    "lifted": "老贫困户",
    "lifted_dibao": "老贫困户兼低保",
    "lifted_tekun": "老贫困户兼五保",
    "monitored": "三类对象",
}
_LAST_SOURCES = {
    "wage": "上班工资",
    "business": "自家生产",
    "property": "资产租息",
    "transfer": "各类补助",
    "claim": "保险理赔款",
    "production_cost": "生产投入",
}
_LAST_RISKS = {
    "illness": "疾病拖累",
    "schooling": "供学生",
    "disability": "身残",
    "natural_disaster": "天灾",
    "accident": "横祸",
    "industry_failure": "产业失利",
    "unstable_work": "务工断档",
    "labour_shortage": "缺壮劳力",
    "unsafe_water": "饮水困难",
    "other": "其余",
}
_LAST_BILLS = {"medical": "治疗", "education": "学杂费", "housing": "盖房", "other": "其余"}
_LAST_EVENTS = {
    "illness": "突患重症",
    "accident": "交通意外",
    "disaster": "洪水冰雹",
    "job_loss": "被厂里辞退",
    "crop_failure": "庄稼欠收",
    "market": "果子压价滞销",
}
_LAST_MEASURES = {
    "industry": "产业奖补",
    "employment": "务工补贴",
    "finance": "小额信贷",
    "welfare_post": "护林保洁岗",
    "housing_safety": "房屋加固",
    "water_safety": "水窖改造",
    "health": "医疗救助",
    "compulsory_education": "送教上门",
    "other_education": "雨露计划",
    "comprehensive_security": "兜底保障",
    "social_assistance": "爱心捐赠",
    "relocation": "集中安置",
    "living_conditions": "卫生厕所",
    "infrastructure": "通组路",
}
_LAST_PLACES = {
    "township": "家门口",
    "county": "县城",
    "province": "省会及市里",
    "other_province": "沿海",
    "other": "不固定",
}


def held_out() -> Strange:
    """Return a county's export in other words again: text, a workbook, and a file of nothing that is needed."""
    house = Field("农家码", _id("household_id"), "household_id")
    yes = _texts(_LAST_YES)

    def look(header: str, name: str) -> Field:
        return Field(header, _word(name, _LAST_GRADES, "本次略过"), name, _texts(_LAST_GRADES, "本次略过"))

    return Strange(
        [
            _source(
                "农家底册.csv",
                [
                    house,
                    Field("底册日", _day("occurred_on"), "occurred_on"),
                    Field("入册日", _day("known_on"), "known_on"),
                    Field("责任格", _id("grid_id"), "grid_id"),
                    Field("屯", _get("village_id"), "village_id"),
                    Field("镇区", _get("township_id"), "township_id"),
                    Field("身份", _word("household_type", _LAST_TYPES), "household_type", _texts(_LAST_TYPES)),
                    Field("越线日", _day("lifted_on"), "lifted_on"),
                    Field("同住口数", _get("n_members"), "n_members"),
                    Field("可下地", _get("n_labour"), "n_labour"),
                    Field("在学堂", _get("n_students"), "n_students"),
                    Field("花甲以上", _get("n_elderly"), "n_elderly"),
                    Field("慢疾", _get("n_chronic"), "n_chronic"),
                    Field("危重疾患", _get("n_major_illness"), "n_major_illness"),
                    Field("残障证", _get("n_disabled"), "n_disabled"),
                    Field("拿低保", _word("dibao", _LAST_YES), "dibao", yes),
                    Field("房屋评级", _get("housing_grade"), "housing_grade"),
                    Field("种地/亩", _get("land_mu"), "land_mu"),
                    Field("果木/亩", _get("orchard_mu"), "orchard_mu"),
                    Field("迁入安置点", _word("relocated", _LAST_YES), "relocated", yes),
                ],
                _of("households"),
                "households",
            ),
            _source(
                "责任格.csv",
                [
                    Field("责任格", _id("grid_id"), "grid_id"),
                    Field("屯", _get("village_id"), "village_id"),
                    Field("镇区", _get("township_id"), "township_id"),
                    Field("格长", _get("worker_id"), "worker_id"),
                    Field("立格日", _day("occurred_on"), "occurred_on"),
                ],
                _of("grids"),
                "grids",
            ),
            _source(
                "看户.csv",
                [
                    Field("看户编码", _get("visit_id"), "visit_id"),
                    house,
                    Field("到户日", _day("occurred_on", "%Y.%m.%d"), "occurred_on"),
                    Field("回传日", _day("known_on", "%Y.%m.%d"), "known_on"),
                    Field("格长", _get("worker_id"), "worker_id"),
                    look("门前屋后", "yard"),
                    look("居室", "house"),
                    look("口粮与被褥", "cupboard"),
                    look("水缸水管", "tap"),
                    look("家人气色", "health"),
                    look("后生念书", "children"),
                    Field("要不要盯", _word("clue_raised", _LAST_YES), "clue_raised", yes),
                ],
                _of("visits"),
                "visits",
            ),
            _source(
                "进项.csv",
                [
                    house,
                    Field("归属月", _day("occurred_on", "%Y-%m"), "occurred_on"),
                    Field("记账日", _day("known_on"), "known_on"),
                    Field("进项门类", _word("source", _LAST_SOURCES), "source", _texts(_LAST_SOURCES)),
                    Field("细目", _word("part", _PARTS), "part", _texts(_PARTS)),
                    Field("多少元", _get("amount_yuan"), "amount_yuan"),
                ],
                _of("incomes"),
                "incomes",
            ),
            _register(
                "三类对象册.xlsx",
                [
                    house,
                    Field("列管日", _get("occurred_on"), "occurred_on"),
                    Field("建卡日", _get("known_on"), "known_on"),
                    Field("致困缘由", _words("risk_types", _LAST_RISKS, ","), "risk_types", _texts(_LAST_RISKS)),
                ],
                Field("摘管日", _get("ended_on")),
                sheet="列管",
            ),
            _source(
                "三类对象册.xlsx",
                [
                    house,
                    Field("哪天出的事", _get("occurred_on"), "occurred_on"),
                    Field("哪天报的", _get("known_on"), "known_on"),
                    Field("变故", _word("kind", _LAST_EVENTS), "kind", _texts(_LAST_EVENTS)),
                ],
                _of("shocks"),
                "shocks",
                sheet="变故",
            ),
            _source(
                "大笔花费.csv",
                [
                    house,
                    Field("付款日", _day("occurred_on"), "occurred_on"),
                    Field("记账日", _day("known_on"), "known_on"),
                    Field("花费门类", _word("kind", _LAST_BILLS), "kind", _texts(_LAST_BILLS)),
                    Field("花费总数(元)", _get("total_yuan"), "total_yuan", {"unit": "元"}),
                    Field("医保报回(元)", _get("reimbursed_yuan"), "reimbursed_yuan", {"unit": "元"}),
                    Field("自家承担(元)", _get("self_paid_yuan"), "self_paid_yuan", {"unit": "元"}),
                ],
                _of("expenses"),
                "expenses",
            ),
            _source(
                "扶助.csv",
                [
                    house,
                    Field("扶助项", _word("kind", _LAST_MEASURES), "kind", _texts(_LAST_MEASURES)),
                    Field("起始", _day("occurred_on"), "occurred_on"),
                    Field("终了", _day("ended_on"), "ended_on"),
                    Field("记账日", _day("known_on"), "known_on"),
                ],
                _of("supports"),
                "supports",
            ),
            _source(
                "外出做工.csv",
                [
                    house,
                    Field("本人码", _id("person_id"), "person_id"),
                    Field("归属月", _day("occurred_on", "%Y-%m"), "occurred_on"),
                    Field("记账日", _day("known_on"), "known_on"),
                    Field("当月有活", _word("employed", _LAST_YES), "employed", yes),
                    Field("做工地方", _word("workplace", _LAST_PLACES), "workplace", _texts(_LAST_PLACES)),
                    Field("到手工资", _get("wage_yuan"), "wage_yuan"),
                ],
                _of("employment"),
                "employment",
            ),
            _source(
                "人丁.csv", [house, Field("本人码", _id("person_id")), Field("大名", _get("name"))], _workers()
            ),
        ],
        "utf-8-sig",
    )


# ---- an office that numbers no visits, keeps a row a year in its accounts, and asks the looks in another order

_OFFICE_GRADES = {0: "优", 1: "良", 2: "差"}
_OFFICE_YES = {True: "Y", False: "N"}
_OFFICE_TYPES = {
    "ordinary": "一般户",
    "lifted": "已脱贫",
    "lifted_dibao": "已脱贫(低保)",
    "lifted_tekun": "已脱贫(特困)",
    "monitored": "动态监测",
}
_OFFICE_PARTS = {
    "migrant_work": "外出务工",
    "welfare_post": "公益岗位",
    "crops": "粮食作物",
    "livestock": "畜禽",
    "orchard": "脐橙",
    "dividend": "股份分红",
    "land_rent": "土地出租",
    "pension": "养老金",
    "dibao": "最低生活保障金",
    "land_fertility": "耕地补贴",
    "poverty_insurance": "防返贫保险",
}
_OFFICE_ACCOUNT = {
    "wage": "劳动所得",
    "business": "家庭经营所得",
    "property": "财产所得",
    "transfer": "转移所得",
    "production_cost": "经营费用",
}
_OFFICE_STATES = {True: "在管", False: "销号"}
_OFFICE_EVENTS = {
    "illness": "家人重病",
    "accident": "工伤车祸",
    "disaster": "房屋被淹",
    "job_loss": "务工返岗难",
    "crop_failure": "果树冻害减产",
    "market": "农产品难卖",
}
_OFFICE_MEASURES = {
    "industry": "到户产业",
    "employment": "稳岗就业",
    "finance": "信用贷款",
    "welfare_post": "公益性岗位安置",
    "housing_safety": "危房改造",
    "water_safety": "供水入户",
    "health": "大病救治",
    "compulsory_education": "学生资助(义教)",
    "other_education": "学生资助(其他)",
    "comprehensive_security": "低保特困",
    "social_assistance": "社会力量捐助",
    "relocation": "易地搬迁后扶",
    "living_conditions": "户容户貌",
    "infrastructure": "道路硬化",
}


def office() -> Strange:
    """Return a county's export as its office keeps it: a workbook and tab-separated text."""
    house = Field("农户识别码", _id("household_id"), "household_id")
    yes = _texts(_OFFICE_YES)

    def look(header: str, name: str) -> Field:
        return Field(header, _word(name, _OFFICE_GRADES), name, _texts(_OFFICE_GRADES))

    accounts = [{**row, "medical": 0.0} for row in _accounts(12)]
    account = Sheet(
        "核算.xlsx",
        [
            ["某某县农户收支核算"],
            ["农户识别码", "核算年度末", *_OFFICE_ACCOUNT.values(), "人均所得"],
            *(
                [
                    _long(row["household_id"]),
                    row["day"],
                    *(round(row.get(source, 0), 2) for source in _OFFICE_ACCOUNT),
                    round(row.get("wage", 0) / 4, 2),
                ]
                for row in accounts
            ),
        ],
        [
            (
                "incomes",
                {
                    "header_row": 2,
                    "row_months": 12,
                    "columns": {
                        "household_id": {"column": "农户识别码"},
                        "occurred_on": {"column": "核算年度末"},
                    },
                    **_spread(_OFFICE_ACCOUNT, "元"),
                },
            )
        ],
        "年账",
    )
    return Strange(
        [
            _source(
                "农户档案.csv",
                [
                    house,
                    Field("档案日", _day("occurred_on", "%Y/%m/%d"), "occurred_on"),
                    Field("归档日", _day("known_on", "%Y/%m/%d"), "known_on"),
                    Field("网格", _id("grid_id"), "grid_id"),
                    Field("居委会/村委会", lambda row: f"{row['village_id']}村", "village_id"),
                    Field("所属镇", lambda row: f"{row['township_id']}镇", "township_id"),
                    Field(
                        "农户分类", _word("household_type", _OFFICE_TYPES), "household_type", _texts(_OFFICE_TYPES)
                    ),
                    Field("脱贫批次", _day("lifted_on", "%Y-%m"), "lifted_on"),
                    Field("家庭规模", _get("n_members"), "n_members"),
                    Field("其中:劳力", _get("n_labour"), "n_labour"),
                    Field("其中:学生", _get("n_students"), "n_students"),
                    Field("其中:六旬以上", _get("n_elderly"), "n_elderly"),
                    Field("其中:慢性病", _get("n_chronic"), "n_chronic"),
                    Field("其中:大病", _get("n_major_illness"), "n_major_illness"),
                    Field("其中:残疾", _get("n_disabled"), "n_disabled"),
                    Field("低保标识", _word("dibao", _OFFICE_YES), "dibao", yes),
                    Field("住房鉴定", _get("housing_grade"), "housing_grade"),
                    Field("确权耕地(亩)", _get("land_mu"), "land_mu", {"unit": "亩"}),
                    Field("脐橙面积(亩)", _get("orchard_mu"), "orchard_mu", {"unit": "亩"}),
                    Field("搬迁标识", _word("relocated", _OFFICE_YES), "relocated", yes),
                ],
                _of("households"),
                "households",
            ),
            _source(
                "巡查.csv",
                [
                    house,
                    Field("巡查日", _day("occurred_on"), "occurred_on"),
                    Field("回填日", _day("known_on"), "known_on"),
                    Field("巡查员", _get("worker_id"), "worker_id"),
                    look("水源", "tap"),
                    look("老幼健康", "health"),
                    look("居所", "house"),
                    look("室外", "yard"),
                    look("衣食", "cupboard"),
                    look("入学", "children"),
                    Field("上报线索", _word("clue_raised", _OFFICE_YES), "clue_raised", yes),
                ],
                _of("visits"),
                "visits",
                constant={"visit_id": {"columns": ["农户识别码", "巡查日"]}},
            ),
            account,
            _source(
                "核算.xlsx",
                [
                    house,
                    Field("变动日", _get("occurred_on"), "occurred_on"),
                    Field("备案日", _get("known_on"), "known_on"),
                    Field("在管状态", _word("poor", _OFFICE_STATES), "poor", _texts(_OFFICE_STATES)),
                    Field("主因", _words("risk_types", _HILL_RISKS, "、"), "risk_types", _texts(_HILL_RISKS)),
                ],
                _of("statuses"),
                "statuses",
                sheet="动态",
                constant={"origin": {"value": "registry"}},
            ),
            _source(
                "核算.xlsx",
                [
                    house,
                    Field("发生日", _get("occurred_on"), "occurred_on"),
                    Field("备案日", _get("known_on"), "known_on"),
                    Field("情形", _word("kind", _OFFICE_EVENTS), "kind", _texts(_OFFICE_EVENTS)),
                ],
                _of("shocks"),
                "shocks",
                sheet="变故",
            ),
            _source(
                "核算.xlsx",
                [
                    house,
                    Field(
                        "票据流水", lambda row: f"B{row['occurred_on']:%y%m%d}{row['household_id'][-4:]}", "bill_id"
                    ),
                    Field("结算日", _get("occurred_on"), "occurred_on"),
                    Field("备案日", _get("known_on"), "known_on"),
                    Field("科目", _word("kind", _DB_BILLS), "kind", _texts(_DB_BILLS)),
                    Field("票面(万元)", _size("total_yuan", 1e-4), "total_yuan", {"unit": "万元"}),
                    Field("核销(万元)", _size("reimbursed_yuan", 1e-4), "reimbursed_yuan", {"unit": "万元"}),
                    Field("本户负担(万元)", _size("self_paid_yuan", 1e-4), "self_paid_yuan", {"unit": "万元"}),
                ],
                _of("expenses"),
                "expenses",
                sheet="票据",
            ),
            _source(
                "项目到户.csv",
                [
                    house,
                    Field("项目类", _word("kind", _OFFICE_MEASURES), "kind", _texts(_OFFICE_MEASURES)),
                    Field("启动日", _day("occurred_on"), "occurred_on"),
                    Field("收尾日", _day("ended_on"), "ended_on"),
                    Field("备案日", _day("known_on"), "known_on"),
                ],
                _of("supports"),
                "supports",
            ),
            _source(
                "劳动力月报.csv",
                [
                    house,
                    Field("劳动力编码", _id("person_id"), "person_id"),
                    Field("报表月", _day("occurred_on", "%Y%m"), "occurred_on"),
                    Field("填报日", _day("known_on"), "known_on"),
                    Field("在业", _word("employed", _OFFICE_YES), "employed", yes),
                    Field("务工范围", _word("workplace", _HILL_PLACES), "workplace", _texts(_HILL_PLACES)),
                    Field("月薪", _get("wage_yuan"), "wage_yuan"),
                ],
                _of("employment"),
                "employment",
            ),
            _source(
                "户内人员.csv",
                [house, Field("劳动力编码", _id("person_id")), Field("姓名", _get("name"))],
                _workers(),
            ),
        ],
        "gb18030",
    )


# ---- a county whose vendor speaks English, written last of all

_VENDOR_GRADES = {0: "ok", 1: "watch", 2: "urgent"}
_VENDOR_YES = {True: "true", False: "false"}
_VENDOR_TYPES = {
    "ordinary": "regular",
    "lifted": "graduated",
    "lifted_dibao": "graduated-dibao",
    "lifted_tekun": "graduated-tekun",
    "monitored": "watchlist",
}
_VENDOR_SOURCES = {
    "wage": "wages",
    "business": "farm and trade",
    "property": "rent",
    "transfer": "benefits",
    "claim": "insurance",
    "production_cost": "farm costs",
}
_VENDOR_RISKS = {
    "illness": "sickness",
    "schooling": "school-fees",
    "disability": "disability",
    "natural_disaster": "flood-or-drought",
    "accident": "accident",
    "industry_failure": "failed-venture",
    "unstable_work": "irregular-job",
    "labour_shortage": "no-labour",
    "unsafe_water": "bad-water",
    "other": "misc",
}
_VENDOR_BILLS = {"medical": "hospital", "education": "tuition", "housing": "home repair", "other": "misc"}
_VENDOR_EVENTS = {
    "illness": "sickness",
    "accident": "accident",
    "disaster": "flood",
    "job_loss": "lost job",
    "crop_failure": "crop loss",
    "market": "price slump",
}
_VENDOR_MEASURES = {
    "industry": "seedlings",
    "employment": "job placement",
    "finance": "microloan",
    "welfare_post": "public post",
    "housing_safety": "roof repair",
    "water_safety": "water pipe",
    "health": "health card",
    "compulsory_education": "schooling",
    "other_education": "scholarship",
    "comprehensive_security": "cash benefit",
    "social_assistance": "donation",
    "relocation": "resettlement",
    "living_conditions": "toilet",
    "infrastructure": "road",
}
_VENDOR_PLACES = {
    "township": "same town",
    "county": "same county",
    "province": "same province",
    "other_province": "elsewhere in china",
    "other": "unknown",
}


def vendor() -> Strange:
    """Return an export in English, a Parquet file and text."""
    house = Field("famcode", _id("household_id"), "household_id")
    yes = _texts(_VENDOR_YES)

    def look(header: str, name: str) -> Field:
        return Field(header, _word(name, _VENDOR_GRADES), name, _texts(_VENDOR_GRADES))

    return Strange(
        [
            _source(
                "families.parquet",
                [
                    house,
                    Field("surveyed", _day("occurred_on"), "occurred_on"),
                    Field("keyed_in", _day("known_on"), "known_on"),
                    Field("block_no", _id("grid_id"), "grid_id"),
                    Field("hamlet", _get("village_id"), "village_id"),
                    Field("commune", _get("township_id"), "township_id"),
                    Field(
                        "fam_class", _word("household_type", _VENDOR_TYPES), "household_type", _texts(_VENDOR_TYPES)
                    ),
                    Field("graduated_on", _day("lifted_on"), "lifted_on"),
                    Field("headcount", _get("n_members"), "n_members"),
                    Field("able_bodied", _get("n_labour"), "n_labour"),
                    Field("in_school", _get("n_students"), "n_students"),
                    Field("over_60", _get("n_elderly"), "n_elderly"),
                    Field("chronically_ill", _get("n_chronic"), "n_chronic"),
                    Field("gravely_ill", _get("n_major_illness"), "n_major_illness"),
                    Field("handicapped", _get("n_disabled"), "n_disabled"),
                    Field("gets_dibao", _word("dibao", _VENDOR_YES), "dibao", yes),
                    Field("dwelling_class", _get("housing_grade"), "housing_grade"),
                    Field("fields_mu", _get("land_mu"), "land_mu"),
                    Field("orchards_mu", _get("orchard_mu"), "orchard_mu"),
                    Field("moved_house", _word("relocated", _VENDOR_YES), "relocated", yes),
                ],
                _of("households"),
                "households",
            ),
            _source(
                "blocks.csv",
                [
                    Field("block_no", _id("grid_id"), "grid_id"),
                    Field("hamlet", _get("village_id"), "village_id"),
                    Field("commune", _get("township_id"), "township_id"),
                    Field("steward", _get("worker_id"), "worker_id"),
                    Field("in_use_from", _day("occurred_on"), "occurred_on"),
                ],
                _of("grids"),
                "grids",
            ),
            _source(
                "house_calls.csv",
                [
                    Field("call_ref", _get("visit_id"), "visit_id"),
                    house,
                    Field("call_day", _day("occurred_on"), "occurred_on"),
                    Field("synced", _day("known_on"), "known_on"),
                    Field("steward", _get("worker_id"), "worker_id"),
                    look("outdoors", "yard"),
                    look("indoors", "house"),
                    look("pantry", "cupboard"),
                    look("drinking_water", "tap"),
                    look("wellbeing", "health"),
                    look("kids_schooling", "children"),
                    Field("raise_flag", _word("clue_raised", _VENDOR_YES), "clue_raised", yes),
                ],
                _of("visits"),
                "visits",
            ),
            _source(
                "earnings.csv",
                [
                    house,
                    Field("month_end", _day("occurred_on"), "occurred_on"),
                    Field("keyed_in", _day("known_on"), "known_on"),
                    Field("stream", _word("source", _VENDOR_SOURCES), "source", _texts(_VENDOR_SOURCES)),
                    Field("detail", _get("part"), "part"),
                    Field("yuan", _get("amount_yuan"), "amount_yuan"),
                ],
                _of("incomes"),
                "incomes",
            ),
            _register(
                "watchlist.csv",
                [
                    house,
                    Field("listed", _day("occurred_on"), "occurred_on"),
                    Field("keyed_in", _day("known_on"), "known_on"),
                    Field("why", _words("risk_types", _VENDOR_RISKS, "/"), "risk_types", _texts(_VENDOR_RISKS)),
                ],
                Field("delisted", _day("ended_on")),
            ),
            _source(
                "bills.csv",
                [
                    house,
                    Field("billed", _day("occurred_on"), "occurred_on"),
                    Field("keyed_in", _day("known_on"), "known_on"),
                    Field("what_for", _word("kind", _VENDOR_BILLS), "kind", _texts(_VENDOR_BILLS)),
                    Field("bill_total", _get("total_yuan"), "total_yuan"),
                    Field("paid_back", _get("reimbursed_yuan"), "reimbursed_yuan"),
                    Field("own_share", _get("self_paid_yuan"), "self_paid_yuan"),
                ],
                _of("expenses"),
                "expenses",
            ),
            _source(
                "mishaps.csv",
                [
                    house,
                    Field("when", _day("occurred_on"), "occurred_on"),
                    Field("keyed_in", _day("known_on"), "known_on"),
                    Field("mishap", _word("kind", _VENDOR_EVENTS), "kind", _texts(_VENDOR_EVENTS)),
                ],
                _of("shocks"),
                "shocks",
            ),
            _source(
                "help.csv",
                [
                    house,
                    Field("help_kind", _word("kind", _VENDOR_MEASURES), "kind", _texts(_VENDOR_MEASURES)),
                    Field("since", _day("occurred_on"), "occurred_on"),
                    Field("till", _day("ended_on"), "ended_on"),
                    Field("keyed_in", _day("known_on"), "known_on"),
                ],
                _of("supports"),
                "supports",
            ),
            _source(
                "workers.csv",
                [
                    house,
                    Field("personcode", _id("person_id"), "person_id"),
                    Field("pay_month", _day("occurred_on", "%Y-%m"), "occurred_on"),
                    Field("keyed_in", _day("known_on"), "known_on"),
                    Field("has_job", _word("employed", _VENDOR_YES), "employed", yes),
                    Field("job_where", _word("workplace", _VENDOR_PLACES), "workplace", _texts(_VENDOR_PLACES)),
                    Field("take_home", _get("wage_yuan"), "wage_yuan"),
                ],
                _of("employment"),
                "employment",
            ),
        ]
    )


# ---- an upland county: its members and its ledger of jobs, in a clerk's words, written before any list had words
# for either; its other files are the office's

_UPLAND_YES = {True: "搞了", False: "没搞"}
_UPLAND_HERE = {True: "还在", False: "走了"}
_UPLAND_RELATIONS = {
    "head": "当家的",
    "spouse": "屋里人",
    "child": "儿女",
    "child_in_law": "媳妇女婿",
    "grandchild": "孙辈",
    "parent": "爹妈",
    "parent_in_law": "丈人丈母",
    "grandparent": "爷爷奶奶",
    "sibling": "弟兄姊妹",
    "other_kin": "亲戚",
    "not_kin": "搭伙的",
}
_UPLAND_SEXES = {"male": "男的", "female": "女的"}
_UPLAND_SCHOOLING = {
    "illiterate": "不识字",
    "primary": "读完小学",
    "junior": "读完初中",
    "senior": "读完高中",
    "college": "读完大专",
    "university": "读完大学",
}
_UPLAND_STAGES = {
    "no": "没读",
    "preschool": "幼儿园",
    "primary": "读小学",
    "junior": "读初中",
    "senior": "读高中",
    "vocational": "读职高",
    "college": "读大专",
    "university": "读大学",
}
_UPLAND_HEALTH = {"healthy": "硬朗", "chronic": "常年吃药", "major_illness": "害大病", "disabled": "手脚不便"}
_UPLAND_SKILLS = {
    "ordinary": "能干活",
    "skilled": "有手艺",
    "weak": "干轻活",
    "lost": "干不动了",
    "none": "干不了",
}
_UPLAND_INSURANCES = {
    "resident_medical": "交合作医疗",
    "employee_medical": "单位交医保",
    "serious_illness": "大病险",
    "commercial_medical": "自己买的医疗险",
    "resident_pension": "交农村养老",
    "employee_pension": "单位交养老",
}
_UPLAND_PLACES = {
    "township": "乡里",
    "county": "县里",
    "province": "省里",
    "other_province": "出省",
    "other": "不晓得",
}
_UPLAND_INDUSTRIES = {
    "agriculture": "种地喂猪",
    "mining": "下矿",
    "manufacturing": "进厂",
    "utilities": "供电供水",
    "construction": "工地",
    "trade": "做买卖",
    "transport": "跑车送货",
    "catering": "馆子旅店",
    "information": "电脑网络",
    "finance": "银行保险",
    "real_estate": "卖房物业",
    "business_services": "劳务保安",
    "science": "测量检测",
    "public_facilities": "扫街护林",
    "resident_services": "修车理发",
    "domestic": "带娃做饭",
    "education": "学校",
    "health": "医院",
    "culture": "唱戏演出",
    "government": "公家单位",
    "other": "别样",
}
_UPLAND_STATES = {
    "employee": "给别人做",
    "self_employed": "自己单干",
    "employer": "请人做",
    "family_worker": "给屋头帮忙",
}
_UPLAND_CONTRACTS = {
    "open_ended": "长期的",
    "fixed_term": "按年签的",
    "task": "包一个活",
    "casual": "天天结",
    "none": "没签",
}
_UPLAND_CHANNELS = {
    "organised": "政府送去的",
    "cooperation": "东西部协作",
    "agency": "劳务公司",
    "kin": "熟人带",
    "own": "自己找",
    "workshop": "村头车间",
    "welfare_post": "公益岗位",
    "other": "别的法子",
}


def upland() -> Strange:
    """Return the office's files, with members and a ledger of jobs in an upland clerk's words."""
    house = Field("农户识别码", _id("household_id"), "household_id")
    person = Field("人头号", _id("person_id"), "person_id")
    yes = _texts(_UPLAND_YES)

    def coded(header: str, name: str, words: Mapping[Any, str]) -> Field:
        return Field(header, _word(name, words), name, _texts(words))

    def ticked(code: str) -> Cell:
        return lambda row: "" if row["insurance"] is None else _UPLAND_YES[code in row["insurance"].split(",")]

    insurance = {
        "flags": {f"{text}没": code for code, text in _UPLAND_INSURANCES.items()},
        "none": "none",
        **yes,
    }
    members = _source(
        "屋里人口.csv",
        [
            house,
            person,
            Field("摸底那天", _day("occurred_on"), "occurred_on"),
            Field("交表那天", _day("known_on"), "known_on"),
            Field("叫啥", lambda _: "张秀兰"),
            coded("人还在屋头没", "in_household", _UPLAND_HERE),
            coded("喊当家的啥", "relation", _UPLAND_RELATIONS),
            coded("男女", "sex", _UPLAND_SEXES),
            Field("哪年哪月生的", _day("birth_month", "%Y年%m月"), "birth_month"),
            coded("书读到哪", "schooling", _UPLAND_SCHOOLING),
            coded("现在读啥", "at_school", _UPLAND_STAGES),
            Field("身子骨", _words("health", _UPLAND_HEALTH, "、"), "health", _texts(_UPLAND_HEALTH)),
            coded("做不做得活路", "labour_skill", _UPLAND_SKILLS),
            *(Field(f"{text}没", ticked(code)) for code, text in _UPLAND_INSURANCES.items()),
        ],
        _of("members"),
        "members",
        constant={"insurance": insurance},
    )
    ledger = _source(
        "出门做活路.csv",
        [
            house,
            person,
            Field("哪个月", _day("occurred_on", "%Y-%m"), "occurred_on"),
            Field("交表那天", _day("known_on"), "known_on"),
            coded("这个月做活路没", "employed", _UPLAND_YES),
            coded("在哪里做", "workplace", _UPLAND_PLACES),
            Field("一个月好多钱(元)", _get("wage_yuan"), "wage_yuan", {"unit": "元"}),
            Field("里头奖金补发(元)", _get("one_off_yuan"), "one_off_yuan", {"unit": "元"}),
            coded("哪个行当", "industry", _UPLAND_INDUSTRIES),
            coded("给哪个做", "work_status", _UPLAND_STATES),
            coded("签的啥合同", "contract", _UPLAND_CONTRACTS),
            coded("单位交社保没", "formal", _UPLAND_YES),
            coded("咋个找到的", "channel", _UPLAND_CHANNELS),
            Field("离屋好远(公里)", _get("distance_km"), "distance_km", {"unit": "公里"}),
            Field("上工那天", _day("started_on"), "started_on"),
            Field("下工那天", _day("ended_on"), "ended_on"),
            Field("这一年做了几个月", _get("months_worked"), "months_worked"),
            Field("一周做好多钟头", _get("hours_week"), "hours_week"),
            coded("想找活路没", "seeking", _UPLAND_YES),
            Field("哪天开始找的", _day("seeking_since"), "seeking_since"),
        ],
        _of("employment"),
        "employment",
    )
    left_out = ("户内人员.csv", "劳动力月报.csv")
    return Strange([*(one for one in office().sheets if one.file not in left_out), members, ledger], "gb18030")
