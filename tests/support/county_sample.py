"""The sample in ``data/sample``: a small simulated county as a county would export it, bad rows and all.

``make sample`` runs this module; it writes the same bytes each time. It is no part of the package, which reads
exports and writes none; the tests import what it writes and compare it with the simulated county.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from relapse_risk.datasets.county import simulate_county
from relapse_risk.records import codes
from relapse_risk.records.records import Records

HOUSEHOLDS, MONTHS, SEED = 300, 30, 1
#: The last day of the simulated county.
EXPORTED_ON = dt.date(2022, 6, 30)
Cells = list[list[Any]]
_GRADE = {0: "正常", 1: "需关注", 2: "严重"}


def write_sample(folder: Path) -> None:
    """Write the county's export files."""
    records, _ = simulate_county(HOUSEHOLDS, MONTHS, SEED)
    folder.mkdir(parents=True, exist_ok=True)
    for name, (header, rows) in gbk_files(records).items():
        text = io.StringIO()
        csv.writer(text, lineterminator="\r\n").writerows([header, *rows])
        (folder / name).write_bytes(text.getvalue().encode("gb18030"))
    _write_workbook(folder / "收支与帮扶.xlsx", workbook_sheets(records))


def gbk_files(records: Records) -> dict[str, tuple[list[str], Cells]]:
    """Return the CSV files' headers and rows."""
    return {
        "农户基本信息.csv": (_HOUSEHOLD_HEADER, _households(records)),
        "网格.csv": (["网格编号", "村编码", "乡镇编码", "网格员编号", "启用日期"], _grids(records)),
        "入户走访.csv": (_VISIT_HEADER, _visits(records)),
        "家庭成员.csv": (_MEMBER_HEADER, _members(records)),
        "监测对象.csv": (["户编号", "认定日期", "录入日期", "是否监测对象", "致贫返贫风险"], _statuses(records)),
    }


def workbook_sheets(records: Records) -> dict[str, tuple[list[str], Cells]]:
    """Return the workbook's sheets."""
    money = ["总金额(万元)", "已报销金额(万元)", "合规自付(万元)"]
    return {
        "收入": (["户编号", "收入月份", "录入日期", "收入类型", "收入项目", "金额(元)"], _incomes(records)),
        "支出": (["户编号", "支出日期", "录入日期", "支出类型", *money], _expenses(records)),
        "突发事件": (["户编号", "发生日期", "录入日期", "事件类型"], _shocks(records)),
        "帮扶措施": (["户编号", "措施类型", "开始日期", "结束日期", "录入日期"], _supports(records)),
        "务工": (_WORK_HEADER, _employment(records)),
    }


_HOUSEHOLD_HEADER = [
    *("户编号", "信息日期", "录入日期", "网格编号", "村编码", "乡镇编码", "户类型", "脱贫日期", "家庭人口数"),
    *("劳动力人数", "在校生人数", "老年人数", "长期慢性病人数", "大病人数", "残疾人数", "是否低保", "危房等级"),
    *("耕地面积(亩)", "林果面积(亩)", "易地搬迁"),
]
_VISIT_HEADER = [
    *("走访编号", "户编号", "走访时间", "录入时间", "网格员编号"),
    *("看院子", "看房子", "看柜子", "看水龙头", "看健康", "看孩子", "发现线索"),
]


#: The form's columns of yes and no, with the insurance each is.
_INSURANCES = {
    "居民医保": "resident_medical",
    "职工医保": "employee_medical",
    "大病保险": "serious_illness",
    "商业补充医疗保险": "commercial_medical",
    "居民养老": "resident_pension",
    "职工养老": "employee_pension",
}
_MEMBER_HEADER = [
    *("户编号", "人员编号", "信息日期", "录入日期", "是否在户", "与户主关系", "性别", "出生年月", "文化程度"),
    *("在校生状况", "健康状况", "劳动技能", *(f"是否参加{name}" for name in _INSURANCES)),
]
_WORK_HEADER = [
    *("户编号", "人员编号", "务工月份", "录入日期", "是否已务工", "务工所在地", "工资(元/年)"),
    *("其中一次性收入(元)", "所属行业", "从业身份", "合同类型", "是否缴纳社保", "就业渠道", "务工距离(公里)"),
    *("开始时间", "结束时间", "务工时间(月)", "周工时", "是否计划务工", "求职开始时间"),
]
#: The form's words for a relation, of a man and of a woman.
_RELATIONS = {
    "head": ("户主", "户主"),
    "spouse": ("配偶", "配偶"),
    "child": ("之子", "之女"),
    "child_in_law": ("之女婿", "之儿媳"),
    "grandchild": ("之孙子", "之孙女"),
    "parent": ("之父", "之母"),
    "parent_in_law": ("之岳父", "之岳母"),
    "grandparent": ("之祖父", "之祖母"),
    "sibling": ("之兄弟姐妹", "之兄弟姐妹"),
    "other_kin": ("其他", "其他"),
    "not_kin": ("非亲属", "非亲属"),
}
#: The form's words for a school attended, one a year of it where it has years.
_STAGES = {
    "no": ("非在校生",),
    "preschool": ("学前教育",),
    "primary": ("小学",),
    "junior": ("七年级", "八年级", "九年级"),
    "senior": ("普通高中一年级", "普通高中二年级", "普通高中三年级"),
    "vocational": ("中职一年级", "中职二年级", "中职三年级"),
    "college": ("高职高专一年级", "高职高专二年级", "高职高专三年级"),
    "university": ("本科一年级", "本科二年级", "本科三年级", "本科四年级"),
}


def _households(records: Records) -> Cells:
    rows = [
        [
            row.household_id,
            _slashed(row.occurred_on),
            _slashed(row.known_on),
            row.grid_id,
            row.village_id,
            row.township_id,
            codes.HOUSEHOLD_TYPE.labels[row.household_type].zh,
            "" if row.lifted_on is None else f"{row.lifted_on:%Y%m%d}",
            row.n_members,
            row.n_labour,
            row.n_students,
            row.n_elderly,
            row.n_chronic,
            row.n_major_illness,
            row.n_disabled,
            _yes(row.dibao),
            codes.HOUSING_GRADE.labels[row.housing_grade].zh,
            row.land_mu,
            row.orchard_mu,
            _yes(row.relocated),
        ]
        for row in _rows(records, "households")
    ]
    unknown_type = [*rows[30]]
    unknown_type[0], unknown_type[6] = f"{rows[30][0]}X", "脱贫示范户"
    too_many = [*rows[40]]
    too_many[0], too_many[9] = f"{rows[40][0]}X", 12
    return [*rows, unknown_type, too_many]


def _grids(records: Records) -> Cells:
    return [
        [row.grid_id, row.village_id, row.township_id, row.worker_id, f"{row.occurred_on:%Y年%m月%d日}"]
        for row in _rows(records, "grids")
    ]


def _members(records: Records) -> Cells:
    rows = [
        [
            row.household_id,
            row.person_id,
            _slashed(row.occurred_on),
            _slashed(row.known_on),
            _yes(row.in_household),
            "" if row.relation is None else _RELATIONS[row.relation][row.sex == "female"],
            _word(codes.SEX, row.sex),
            "" if row.birth_month is None else f"{row.birth_month:%Y%m}",
            _word(codes.SCHOOLING, row.schooling),
            "" if row.at_school is None else _stage(row.at_school, row.occurred_on.year - row.birth_month.year),
            _set(codes.HEALTH, row.health, ","),
            _word(codes.LABOUR_SKILL, row.labour_skill),
            *(
                "" if row.insurance is None else _yes(code in row.insurance.split(","))
                for code in _INSURANCES.values()
            ),
        ]
        for row in _rows(records, "members")
    ]
    unborn, unwell = [*rows[50]], [*rows[60]]
    unborn[1], unborn[7] = f"{rows[50][1]}X", "202309"
    unwell[1], unwell[10] = f"{rows[60][1]}X", "体弱"
    return [*rows, unborn, unwell]


def _visits(records: Records) -> Cells:
    looks = ("yard", "house", "cupboard", "tap", "health", "children")
    rows = [
        [
            row.visit_id,
            row.household_id,
            f"{row.occurred_on} 10:{number % 60:02d}:00",
            f"{row.known_on} 20:{number % 60:02d}:00",
            row.worker_id,
            *("未查看" if getattr(row, look) is None else _GRADE[getattr(row, look)] for look in looks),
            _yes(row.clue_raised),
        ]
        for number, row in enumerate(_rows(records, "visits"))
    ]
    rows[200] = [*rows[200], "备注"]
    unreadable, early, stranger, again = ([*rows[number]] for number in (300, 400, 500, 600))
    for number, row in enumerate((unreadable, early, stranger)):
        row[0] = f"{row[0]}-{number}"
    unreadable[2] = "5月3号"
    early[3] = "2019-12-31 20:00:00"
    stranger[1] = f"{stranger[1]}Y"
    return [*rows, unreadable, early, stranger, again, [""] * len(_VISIT_HEADER)]


def _statuses(records: Records) -> Cells:
    rows = [
        [
            row.household_id,
            str(row.occurred_on),
            str(row.known_on),
            _yes(row.poor),
            _set(codes.RISK_TYPE, row.risk_types, "、"),
        ]
        for row in _rows(records, "statuses")
    ]
    return [*rows, [rows[5][0], "2022-03-01", "2022-03-09", "待定", "因病"]]


def _incomes(records: Records) -> Cells:
    rows: Cells = [
        [
            row.household_id,
            row.occurred_on,
            row.known_on,
            codes.INCOME_SOURCE.labels[row.source].zh,
            _word(codes.INCOME_PART, row.part),
            row.amount_yuan,
        ]
        for row in _rows(records, "incomes")
    ]
    negative, words = [*rows[700]], [*rows[800]]
    negative[1] = words[1] = dt.date(2020, 1, 15)
    negative[5], words[5] = -320, "约三千"
    return [*rows, negative, words]


def _expenses(records: Records) -> Cells:
    return [
        [
            row.household_id,
            _serial(row.occurred_on),
            _serial(row.known_on),
            codes.EXPENSE_KIND.labels[row.kind].zh,
            *map(_wan, (row.total_yuan, row.reimbursed_yuan, row.self_paid_yuan)),
        ]
        for row in _rows(records, "expenses")
    ]


def _shocks(records: Records) -> Cells:
    return [
        [row.household_id, _slashed(row.occurred_on), _slashed(row.known_on), codes.SHOCK_KIND.labels[row.kind].zh]
        for row in _rows(records, "shocks")
    ]


def _supports(records: Records) -> Cells:
    return [
        [
            row.household_id,
            codes.MEASURE.labels[row.kind].zh,
            f"{row.occurred_on:%Y%m%d}",
            "" if row.ended_on is None else f"{row.ended_on:%Y%m%d}",
            f"{row.known_on:%Y%m%d}",
        ]
        for row in _rows(records, "supports")
    ]


def _employment(records: Records) -> Cells:
    return [
        [
            row.household_id,
            row.person_id,
            f"{row.occurred_on:%Y年}{row.occurred_on.month}月",
            row.known_on,
            _yes(row.employed),
            _word(codes.WORKPLACE, row.workplace),
            None if row.wage_yuan is None else row.wage_yuan * 12,
            row.one_off_yuan,
            _word(codes.INDUSTRY, row.industry),
            _word(codes.WORK_STATUS, row.work_status),
            _word(codes.CONTRACT, row.contract),
            _yes(row.formal),
            _word(codes.WORK_CHANNEL, row.channel),
            row.distance_km,
            row.started_on,
            row.ended_on,
            row.months_worked,
            row.hours_week,
            _yes(row.seeking),
            row.seeking_since,
        ]
        for row in _rows(records, "employment")
    ]


def _rows(records: Records, table: str) -> Iterable[Any]:
    """Return a table's rows with plain values, None for missing ones."""
    from types import SimpleNamespace

    return [SimpleNamespace(**row) for row in records.table(table).to_pylist()]


def _slashed(day: dt.date) -> str:
    return f"{day.year}/{day.month}/{day.day}"


def _serial(day: dt.date) -> int:
    return (day - dt.date(1899, 12, 30)).days


def _wan(yuan: float | None) -> float | None:
    return None if yuan is None else yuan / 10_000


def _yes(flag: bool | None) -> str:
    return "" if flag is None else "是" if flag else "否"


def _word(of: codes.Codes, code: str | None) -> str:
    return "" if code is None else of.labels[code].zh


def _set(of: codes.Codes, joined: str | None, sign: str) -> str:
    return sign.join(of.labels[code].zh for code in joined.split(",")) if joined else ""


def _stage(stage: str, age: int) -> str:
    words = _STAGES[stage]
    return words[age % len(words)]


def _write_workbook(path: Path, sheets: dict[str, tuple[list[str], Cells]]) -> None:
    import xlsxwriter

    # the day of creation is fixed, so that the same county gives the same bytes
    with xlsxwriter.Workbook(path, {"strings_to_formulas": False, "strings_to_numbers": False}) as book:
        book.set_properties({"created": dt.datetime(2022, 6, 30, tzinfo=dt.UTC).replace(tzinfo=None)})
        day = book.add_format({"num_format": "yyyy-mm-dd"})
        for name, (header, rows) in sheets.items():
            sheet = book.add_worksheet(name)
            writers: dict[type, Callable[..., Any]] = {str: sheet.write_string, dt.date: sheet.write_datetime}
            for number, row in enumerate([header, *rows]):
                for column, value in enumerate(row):
                    if value is not None and value != "":
                        form = (day,) if isinstance(value, dt.date) else ()
                        writers.get(type(value), sheet.write_number)(number, column, value, *form)


if __name__ == "__main__":
    write_sample(Path(sys.argv[1]))
