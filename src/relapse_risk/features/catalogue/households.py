"""The household's profile: who lives there, able to do what, on what land."""

from __future__ import annotations

from relapse_risk.features.declare import Aggregation as A
from relapse_risk.features.declare import Feature, Missing, Series
from relapse_risk.records.codes import HOUSEHOLD_TYPE, HOUSING_GRADE, Codes, Label


def _last(
    name: str, zh: str, en: str, unit: str, risk_type: str, monotone: int = 0, codes: Codes | None = None
) -> Feature:
    return Feature(name, Label(zh, en), unit, Series("households", name), A.LAST, risk_type=risk_type,
                   monotone=monotone, codes=codes)  # fmt: skip


def _change(column: str, zh: str, en: str, risk_type: str, monotone: int = 0) -> Feature:
    return Feature(f"{column}_change", Label(f"{zh}较一年前的变化", f"{en}, change on a year ago"), "persons",
                   Series("households", column), A.LAST_CHANGE, missing=Missing.TOO_FEW, risk_type=risk_type,
                   monotone=monotone)  # fmt: skip


FEATURES: tuple[Feature, ...] = (
    _last("household_type", "户类型", "household type", "code", "history", codes=HOUSEHOLD_TYPE),
    _last("n_members", "家庭人口", "members", "persons", "other"),
    _last("n_labour", "劳动力人数", "members able to work", "persons", "labour_shortage"),
    _last("labour_share", "劳动力占比", "share of members able to work", "share", "labour_shortage", -1),
    _last("n_students", "在校生人数", "members at school", "persons", "schooling"),
    _last("student_share", "在校生占比", "share of members at school", "share", "schooling"),
    _last("n_elderly", "老年人数", "elderly members", "persons", "labour_shortage"),
    _last("elderly_share", "老年人占比", "share of elderly members", "share", "labour_shortage"),
    _last("n_chronic", "长期慢性病人数", "members with a chronic illness", "persons", "illness", 1),
    _last("n_major_illness", "大病人数", "members with a major illness", "persons", "illness", 1),
    _last("n_disabled", "残疾人数", "members with a disability", "persons", "disability", 1),
    _last("dibao", "是否低保", "receives the subsistence allowance (1 yes, 0 no)", "flag", "history"),
    _last("housing_grade", "危房等级", "housing hazard grade", "code", "living_conditions", codes=HOUSING_GRADE),
    _last("land_mu", "耕地面积", "farm land", "mu", "industry_failure"),
    _last("land_per_member", "人均耕地面积", "farm land a member", "mu", "industry_failure"),
    _last("orchard_mu", "林果面积", "orchard", "mu", "industry_failure"),
    _last("orchard_per_member", "人均林果面积", "orchard a member", "mu", "industry_failure"),
    _last("relocated", "是否易地搬迁", "relocated (1 yes, 0 no)", "flag", "living_conditions"),
    Feature("lifted_days", Label("脱贫至今天数", "days since lifted out of poverty"), "days",
            Series("households", "lifted_on"), A.ELAPSED, missing=Missing.NEVER, risk_type="history"),
    Feature("profile_days_since", Label("距最近一次档案更新的天数", "days since the profile last changed"), "days",
            Series("households"), A.DAYS_SINCE, missing=Missing.NEVER),
    _change("n_members", "家庭人口", "members", "other"),
    _change("n_labour", "劳动力人数", "members able to work", "labour_shortage", -1),
    _change("n_students", "在校生人数", "members at school", "schooling"),
    _change("n_chronic", "长期慢性病人数", "members with a chronic illness", "illness", 1),
    _change("n_major_illness", "大病人数", "members with a major illness", "illness", 1),
    _change("n_disabled", "残疾人数", "members with a disability", "disability", 1),
)  # fmt: skip
