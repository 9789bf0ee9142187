"""The household's members: ages, schooling, health, insurance, the head, and who came and went."""

from __future__ import annotations

from dataclasses import replace

from relapse_risk.features.catalogue.person_values import (
    ADULT,
    AGE,
    CHRONIC,
    DISABLED,
    EMPLOYED,
    MAJOR_ILLNESS,
    MEDICAL_INSURED,
    MEMBER_YEAR_AGO,
    NOT_FULLY_ABLE,
    PENSION_INSURED,
    RECORDED,
    ROWS_YEAR_AGO,
    SCHOOLING,
    STILL_MEMBER,
    STUDENT,
    no,
    yes,
)
from relapse_risk.features.declare import Across, Condition, Feature, How, Missing, Series
from relapse_risk.features.declare import Aggregation as A
from relapse_risk.records.codes import SEX, Label


def across(
    name: str,
    word: Label,
    value: Feature,
    how: How,
    *where: Condition,
    unit: str = "",
    missing: Missing = Missing.NOT_RECORDED,
    risk_type: str = "other",
    monotone: int = 0,
    with_left: bool = False,
) -> Feature:
    """Return a feature of a person's value, taken across members."""
    taken = Across(how, where, with_left)
    return replace(value, name=name, label=word, unit=unit or value.unit, missing=missing, risk_type=risk_type,
                   monotone=monotone, across=taken)  # fmt: skip


def count(
    name: str,
    word: Label,
    value: Feature,
    *where: Condition,
    risk_type: str,
    monotone: int = 0,
    with_left: bool = False,
) -> Feature:
    """Return a number of members; missing where the value is not recorded of any."""
    return across(name, word, value, How.COUNT, *where, unit="persons", risk_type=risk_type, monotone=monotone,
                  with_left=with_left)  # fmt: skip


FEATURES: tuple[Feature, ...] = (
    count("members_under_6", Label("6岁以下人数", "members under 6"), AGE, Condition(AGE, high=6.0), risk_type="labour_shortage"),
    count("members_under_18", Label("18岁以下人数", "members under 18"), AGE, Condition(AGE, high=18.0),
          risk_type="labour_shortage"),
    count("members_60_and_over", Label("60岁及以上人数", "members of 60 and over"), AGE, Condition(AGE, low=60.0),
          risk_type="labour_shortage"),
    across("age_youngest", Label("最小成员的年龄", "age of the youngest member"), AGE, How.MIN, risk_type="labour_shortage"),
    across("age_mean", Label("成员平均年龄", "mean age of the members"), AGE, How.MEAN, risk_type="labour_shortage"),
    across("age_oldest", Label("最年长成员的年龄", "age of the oldest member"), AGE, How.MAX, risk_type="labour_shortage"),
    count("members_at_school", Label("成员表中在校人数", "members at school, by the member table"), STUDENT, yes(STUDENT),
          risk_type="schooling"),
    across("schooling_mean", Label("成年成员平均受教育年限", "mean years of school of the adults"), SCHOOLING, How.MEAN, ADULT,
           risk_type="income"),
    across("schooling_highest", Label("成年成员最高受教育年限", "most years of school of an adult"), SCHOOLING, How.MAX, ADULT,
           risk_type="income"),
    count("members_chronic", Label("成员表中长期慢性病人数", "members with a chronic illness, by the member table"), CHRONIC,
          yes(CHRONIC), risk_type="illness", monotone=1),
    count("members_major_illness", Label("成员表中大病人数", "members with a major illness, by the member table"), MAJOR_ILLNESS,
          yes(MAJOR_ILLNESS), risk_type="illness", monotone=1),
    count("members_disabled", Label("成员表中残疾人数", "members with a disability, by the member table"), DISABLED, yes(DISABLED),
          risk_type="disability", monotone=1),
    count("members_not_fully_able", Label("弱劳力和丧失劳力人数", "members able to work a little or no longer"), NOT_FULLY_ABLE,
          yes(NOT_FULLY_ABLE), risk_type="labour_shortage"),
    count("members_without_medical", Label("未参加医保人数", "members without medical insurance"), MEDICAL_INSURED,
          no(MEDICAL_INSURED), risk_type="illness"),
    count("workers_without_pension", Label("务工但未参加养老保险人数", "members in work without pension insurance"), PENSION_INSURED,
          yes(EMPLOYED), no(PENSION_INSURED), risk_type="unstable_work"),
    across("head_age", Label("户主年龄", "age of the head"), AGE, How.OF_HEAD, risk_type="labour_shortage"),
    Feature("head_sex", Label("户主性别", "sex of the head"), "code", Series("members", "sex", by_person=True), A.LAST,
            codes=SEX, across=Across(How.OF_HEAD)),
    across("head_schooling", Label("户主受教育年限", "years of school of the head"), SCHOOLING, How.OF_HEAD, risk_type="income"),
    across("head_in_work", Label("户主是否务工", "the head is in work (1 yes, 0 no)"), EMPLOYED, How.OF_HEAD,
           risk_type="unstable_work"),
    count("members_left_12m", Label("近12个月离户人数", "members who left in 12 months"), MEMBER_YEAR_AGO, yes(MEMBER_YEAR_AGO),
          no(STILL_MEMBER), with_left=True, risk_type="other"),
    count("members_joined_12m", Label("近12个月新增成员数", "members who joined in 12 months"), MEMBER_YEAR_AGO,
          yes(RECORDED), Condition(ROWS_YEAR_AGO, high=1.0), risk_type="other"),
)  # fmt: skip
