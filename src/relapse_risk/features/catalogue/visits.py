"""Visits: the six looks, how often and how thoroughly they were made, and the clues raised."""

from __future__ import annotations

from relapse_risk.features.declare import Aggregation as A
from relapse_risk.features.declare import Feature, Missing, Series
from relapse_risk.records.codes import Label

VISIT = Series("visits")
GRADES = Series("visits", "grade_total")
CLUE = Series("visits", where=(("clue_raised", ("true",)),))

#: Look, its word, and its reason group.
LOOKS = (
    ("yard", Label("院子", "yard"), "living_conditions"),
    ("house", Label("房子", "house"), "living_conditions"),
    ("cupboard", Label("柜子(吃穿)", "cupboard (food, clothing)"), "income"),
    ("tap", Label("水龙头(饮水)", "tap (water)"), "unsafe_water"),
    ("health", Label("健康", "health"), "illness"),
    ("children", Label("孩子(上学)", "children (schooling)"), "schooling"),
)


def _look(name: str, word: Label, risk_type: str) -> list[Feature]:
    grade = Series("visits", name)
    zh, en = word.zh, word.en
    return [
        Feature(f"{name}_last", Label(f"最近一次看{zh}的评级", f"last grade of the {en}"), "grade", grade,
                A.LAST, risk_type=risk_type, monotone=1),
        Feature(f"{name}_max_6m", Label(f"近6个月看{zh}的最差评级", f"worst grade of the {en} in 6 months"),
                "grade", grade, A.MAX, 6, risk_type=risk_type, monotone=1),
        Feature(f"{name}_mean_12m", Label(f"近12个月看{zh}的平均评级", f"mean grade of the {en} in 12 months"),
                "grade", grade, A.MEAN, 12, risk_type=risk_type, monotone=1),
        Feature(f"{name}_mean_24m", Label(f"近24个月看{zh}的平均评级", f"mean grade of the {en} in 24 months"),
                "grade", grade, A.MEAN, 24, risk_type=risk_type, monotone=1),
        Feature(f"{name}_days_since_trouble",
                Label(f"距最近一次看{zh}发现问题的天数", f"days since the {en} last gave concern"), "days",
                Series("visits", where=((name, ("1", "2")),)), A.DAYS_SINCE, missing=Missing.NEVER,
                risk_type=risk_type, monotone=-1),
    ]  # fmt: skip


FEATURES: tuple[Feature, ...] = (
    *(Feature(f"visit_count_{w}m", Label(f"近{w}个月走访次数", f"visits in {w} months"), "visits", VISIT, A.COUNT,
              w, missing=Missing.ZERO) for w in (2, 6, 12, 24)),
    Feature("visit_days_since", Label("距最近一次走访的天数", "days since the last visit"), "days", VISIT,
            A.DAYS_SINCE, missing=Missing.NEVER),
    *(feature for look in LOOKS for feature in _look(*look)),
    Feature("grades_last", Label("最近一次走访六看总分", "last visit's grades, summed"), "grade", GRADES, A.LAST,
            risk_type="living_conditions", monotone=1),
    Feature("grades_step", Label("六看总分较上次的变化", "last visit's grades less those of the one before"),
            "grade", GRADES, A.STEP, missing=Missing.TOO_FEW, risk_type="living_conditions"),
    *(Feature(f"grades_mean_{w}m", Label(f"近{w}个月六看平均总分", f"mean of the visits' grades in {w} months"),
              "grade", GRADES, A.MEAN, w, risk_type="living_conditions", monotone=1) for w in (2, 6, 12, 24)),
    *(Feature(f"grades_max_{w}m", Label(f"近{w}个月六看最差总分", f"worst visit's grades in {w} months"), "grade",
              GRADES, A.MAX, w, risk_type="living_conditions", monotone=1) for w in (6, 12)),
    Feature("grades_std_12m", Label("近12个月六看总分的波动", "standard deviation of the grades in 12 months"),
            "grade", GRADES, A.STD, 12, missing=Missing.TOO_FEW, risk_type="living_conditions"),
    *(Feature(f"grades_slope_{w}m", Label(f"近{w}个月六看总分的走势", f"trend of the grades over {w} months"),
              "grade a month", GRADES, A.SLOPE, w, missing=Missing.TOO_FEW, risk_type="living_conditions")
      for w in (12, 24)),
    *(Feature(f"grades_change_{w}m",
              Label(f"近{w}个月六看平均总分较上年同期的变化", f"mean grades in {w} months less a year before"),
              "grade", GRADES, A.CHANGE, w, missing=Missing.TOO_FEW, risk_type="living_conditions")
      for w in (6, 12)),
    Feature("looks_mean_12m", Label("近12个月平均每次走访看的项数", "looks taken at a visit, mean of 12 months"),
            "looks", Series("visits", "n_looked_at"), A.MEAN, 12),
    *(Feature(f"clue_count_{w}m", Label(f"近{w}个月发现风险线索次数", f"risk clues raised in {w} months"), "clues",
              CLUE, A.COUNT, w, missing=Missing.ZERO, risk_type="history", monotone=1) for w in (6, 12, 24)),
    Feature("clue_days_since", Label("距最近一次风险线索的天数", "days since the last risk clue"), "days", CLUE,
            A.DAYS_SINCE, missing=Missing.NEVER, risk_type="history", monotone=-1),
)  # fmt: skip
