"""Why rows of an export are set aside: the record rules' own codes, and a few for faults only raw files have."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from relapse_risk.records.codes import Label
from relapse_risk.records.tables import TABLES
from relapse_risk.records.violations import ROWS_NAMED, RULES

DATE_UNREADABLE = "RR101"
NUMBER_UNREADABLE = "RR102"
UNIT_UNKNOWN = "RR103"
CODE_UNKNOWN = "RR104"
FLAG_UNREADABLE = "RR105"
FIELDS_MISCOUNTED = "RR106"
TEXT_GARBLED = "RR107"
NOTHING_LATER = "RR108"
PARTS_DISAGREE = "RR109"
CITIZEN_ID = "RR110"
TOO_LARGE = "RR008"
ID_NUMERIC = "RR005"
KEY_TWICE = "RR011"

RAW_RULES: dict[str, Label] = {
    DATE_UNREADABLE: Label("日期无法识别", "date cannot be read"),
    NUMBER_UNREADABLE: Label("数字无法识别", "number cannot be read"),
    UNIT_UNKNOWN: Label("单位无法识别", "unit is not known"),
    CODE_UNKNOWN: Label("代码文字不在对照表中", "code text is not in the mapping"),
    FLAG_UNREADABLE: Label("是/否无法识别", "neither yes nor no"),
    FIELDS_MISCOUNTED: Label("字段数与表头不符", "row has more or fewer fields than the header"),
    TEXT_GARBLED: Label("文字是乱码", "text is garbled"),
    NOTHING_LATER: Label("更正日期不晚于原记录", "correction is not later than what it corrects"),
    CITIZEN_ID: Label("编号是身份证号,不予保存", "id is a citizen id, which is never stored"),
    PARTS_DISAGREE: Label("应相加的行核算期或结束日期不一致", "rows to be added up stand for different periods"),
}
"""What each reason says; the codes never change their meaning."""

_ZH = {
    "RR005": "编号被存成数字",
    "RR006": "必填项为空",
    "RR007": "代码不在代码表中",
    "RR008": "数字超出范围",
    "RR009": "日期早于应在其后的日期",
    "RR010": "日期晚于导出日",
    "RR011": "主键重复",
    "RR012": "网格不存在",
    "RR013": "观察项未声明",
    "RR014": "分项大于总数",
    "RR015": "当日没有监测线",
    "RR017": "没有该户的基本信息",
    "RR018": "编号写法无效(含不可见字符、首尾空格、公式符号或过长)",
    "RR019": "日期晚于不得超过的日期",
    "RR020": "编号是身份证号,不予保存",
    "RR021": "代码不能并存",
}


def reason(code: str) -> Label:
    """Return what a reason code says, in both languages."""
    return RAW_RULES[code] if code in RAW_RULES else Label(_ZH[code], RULES[code])


@dataclass(frozen=True)
class Rejects:
    """Rows of one source set aside for one reason.

    Parameters
    ----------
    table : str
        The table they were meant for.
    source : str
        File and sheet, or database table.
    column : str
        The source's column, empty where the row as a whole is meant.
    code : str
        Reason code.
    rows : ndarray of int64
        Rows of the source, sorted, each once; the first one (mostly the header) is 1.
    valid : str
        What a code's text can stand for; empty for other reasons.
    other : str
        The column of the same row that the values were compared with; empty for other reasons.
    hint : str
        What to change in the mapping, where the texts show it.
    texts : tuple of str
        Each row's text where it stands for no code, a note in place of one that may be of a person; empty for
        other reasons. For the rejects file alone.
    """

    table: str
    source: str
    column: str
    code: str
    rows: npt.NDArray[np.int64]
    valid: str = ""
    hint: str = ""
    other: str = ""
    texts: tuple[str, ...] = field(default=(), repr=False)

    @property
    def reason(self) -> Label:
        """What the reason says, in both languages, with the column compared with."""
        label = reason(self.code)
        if not self.other:
            return label
        return Label(f"{label.zh}(同一行的{self.other})", f"{label.en} ({self.other} of the same row)")

    @property
    def first_rows(self) -> str:
        """The first few row numbers, as shown to people."""
        more = ", ..." if len(self.rows) > ROWS_NAMED else ""
        return ", ".join(map(str, self.rows[:ROWS_NAMED].tolist())) + more


def joined(rejects: Iterable[Rejects]) -> list[Rejects]:
    """Return rejects with one entry a table, source, column and reason, in the tables' order."""
    kinds: dict[tuple[str, str, str, str, str], list[Rejects]] = {}
    for found in rejects:
        kinds.setdefault((found.table, found.source, found.column, found.code, found.other), []).append(found)
    order = list(TABLES)
    return [_as_one(kinds[kind]) for kind in sorted(kinds, key=lambda kind: (order.index(kind[0]), *kind[1:]))]


def _as_one(several: list[Rejects]) -> Rejects:
    rows, first = np.unique(np.concatenate([found.rows for found in several]), return_index=True)
    texts = [text for found in several for text in found.texts]
    return replace(several[0], rows=rows, texts=tuple(texts[place] for place in first) if texts else ())


def n_rows(rejects: Iterable[Rejects], table: str, source: str) -> int:
    """Return how many rows of a source were set aside from a table, for whatever reasons."""
    rows = [found.rows for found in rejects if (found.table, found.source) == (table, source)]
    return len(np.unique(np.concatenate(rows))) if rows else 0
