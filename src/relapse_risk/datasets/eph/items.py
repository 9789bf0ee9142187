"""The panel's coded answers: which look each speaks for, and those that no look covers.

Codes are INDEC's (Diseño de registro, EPH). Code 9, and 0 where a question was not put, are no answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from relapse_risk.settings import ItemSettings

_YES_IS_CONCERN = {1: 1, 2: 0}
_YES_IS_SERIOUS = {1: 2, 2: 0}

#: For each look, the grade each answer gives; the worst answer counts.
LOOKS: dict[str, dict[str, dict[int, int]]] = {
    "yard": {  # near a dump, in a flood zone, in a slum
        "IV12_1": _YES_IS_CONCERN,
        "IV12_2": _YES_IS_CONCERN,
        "IV12_3": _YES_IS_SERIOUS,
    },
    "house": {  # dwelling type, floor, roof, ceiling under the roof
        "IV1": {1: 0, 2: 0, 3: 1, 4: 1, 5: 2, 6: 1},
        "IV3": {1: 0, 2: 1, 3: 2},
        "IV4": {1: 0, 2: 0, 3: 0, 4: 0, 5: 1, 6: 2, 7: 2},
        "IV5": {1: 0, 2: 1},
    },
    "cupboard": {  # lived on goods given, on belongings sold
        "V6": _YES_IS_CONCERN,
        "V17": _YES_IS_SERIOUS,
    },
    "tap": {  # water within reach, its source, the toilet's drain
        "IV6": {1: 0, 2: 1, 3: 2},
        "IV7": {1: 0, 2: 0, 3: 1, 4: 2},
        "IV11": {1: 0, 2: 0, 3: 1, 4: 2},
    },
    "health": {"head_health_cover": {1: 0, 2: 0, 3: 0, 12: 0, 13: 0, 23: 0, 123: 0, 4: 1}},
    "children": {"V19_A": _YES_IS_SERIOUS, "V19_B": _YES_IS_SERIOUS},
}


@dataclass(frozen=True)
class PanelItem:
    """An answer that becomes rows of table ``observations``.

    Parameters
    ----------
    column : str
        The panel's column.
    setting : ItemSettings
        Name, unit, reason group and direction.
    yes_no : bool
        Whether 1 is yes and 2 no, which become 1 and 0.
    no_answer : tuple of int
        Codes that are no answer.
    """

    column: str
    setting: ItemSettings
    yes_no: bool = False
    no_answer: tuple[int, ...] = ()

    def value(self, panel: pd.DataFrame) -> pd.Series[Any]:
        """Return the answer of each household-quarter, NaN where there is none."""
        values = panel[self.column].astype(float)
        if self.yes_no:
            return values.map({1.0: 1.0, 2.0: 0.0})
        return values.mask(values.isin(self.no_answer))


def _item(
    column: str, zh: str, en: str, group: str, monotone: Any = 0, unit: str = "code", **how: Any
) -> PanelItem:
    return PanelItem(column, ItemSettings(zh=zh, en=en, unit=unit, risk_type=group, monotone=monotone), **how)


def _lived_on(column: str, zh: str, en: str, group: str = "income") -> PanelItem:
    return _item(column, f"近三个月靠{zh}生活", f"lived on {en} (1 yes, 0 no)", group, unit="flag", yes_no=True)


ITEMS: dict[str, PanelItem] = {
    "employed": _item("n_employed", "在业人数", "members in work", "unstable_work", 0, "persons"),
    "unemployed": _item("n_unemployed", "失业人数", "members out of work", "unstable_work", 1, "persons"),
    "under_10": _item("IX_MEN10", "10岁以下人数", "members under 10", "labour_shortage", 0, "persons"),
    "rooms": _item("II2", "卧室数", "bedrooms", "living_conditions", 0, "rooms", no_answer=(0,)),
    "rooms_all": _item("IV2", "房间数", "rooms", "living_conditions", 0, "rooms", no_answer=(0, 99)),
    "head_sex": _item("head_sex", "户主性别", "head's sex (1 man, 2 woman)", "other"),
    "head_age": _item("head_age", "户主年龄", "head's age", "other", 0, "years"),
    "head_schooling": _item("head_schooling", "户主文化程度", "head's schooling", "other", no_answer=(9,)),
    "head_activity": _item("head_activity", "户主就业状态", "head's activity", "unstable_work", no_answer=(0,)),
    "head_occupation": _item(
        "head_occupation", "户主从业类别", "head's occupation", "unstable_work", no_answer=(9,)
    ),
    "head_cover": _item("head_health_cover", "户主医疗保障", "head's health cover", "illness", no_answer=(9,)),
    "tenure": _item("II7", "住房产权", "tenure", "living_conditions", no_answer=(0, 9)),
    "fuel": _item("II8", "炊事燃料", "cooking fuel", "living_conditions", no_answer=(0, 9)),
    "bathroom": _item("II9", "卫生间使用", "use of the bathroom", "living_conditions", no_answer=(0, 9)),
    "dwelling": _item("IV1", "住房类型", "dwelling type", "living_conditions", no_answer=(0, 9)),
    "floor": _item("IV3", "地面材料", "floor", "living_conditions", no_answer=(0, 9)),
    "roof": _item("IV4", "屋顶材料", "roof", "living_conditions", no_answer=(0, 9)),
    "ceiling": _item("IV5", "有无吊顶", "ceiling (1 yes, 2 no)", "living_conditions", no_answer=(0, 9)),
    "drain": _item("IV11", "排水方式", "toilet's drain", "living_conditions", no_answer=(0, 9)),
    "toilet": _item("IV10", "厕所类型", "toilet", "living_conditions", no_answer=(0, 9)),
    "work": _lived_on("V1", "劳动收入", "work"),
    "pension": _lived_on("V2", "养老金", "a pension"),
    "severance": _lived_on("V3", "遣散费", "severance pay", "unstable_work"),
    "dole": _lived_on("V4", "失业金", "unemployment benefit", "unstable_work"),
    "aid_money": _lived_on("V5", "现金救助", "aid in money", "history"),
    "aid_goods": _lived_on("V6", "实物救助", "aid in goods", "history"),
    "gifts_goods": _lived_on("V7", "亲友实物", "goods from family or neighbours", "history"),
    "rent": _lived_on("V8", "租金", "rent"),
    "profits": _lived_on("V9", "经营分红", "profits of a business"),
    "interest": _lived_on("V10", "利息", "interest"),
    "scholarship": _lived_on("V11", "助学金", "a scholarship", "schooling"),
    "alimony": _lived_on("V12", "赡养费或亲友赠款", "alimony or gifts of money"),
    "savings": _lived_on("V13", "积蓄", "savings"),
    "family_loans": _lived_on("V14", "亲友借款", "loans from family"),
    "bank_loans": _lived_on("V15", "银行贷款", "loans from banks"),
    "instalments": _lived_on("V16", "分期付款", "instalments"),
    "sold": _lived_on("V17", "变卖财物", "belongings sold", "living_conditions"),
    "other_cash": _lived_on("V18", "其他现金", "other cash"),
}
"""By item name."""

#: Every panel column the looks and items are taken from.
COLUMNS = tuple(
    dict.fromkeys([*(c for rules in LOOKS.values() for c in rules), *(item.column for item in ITEMS.values())])
)
