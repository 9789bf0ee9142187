"""Code lists of the national form, with the words cadres and data teams use for them.

Codes are lower-case English; the Chinese words are the form's own, so that the default import mapping can read
them. Lists that the form leaves open are marked so in their description.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Label:
    """A text in both languages."""

    zh: str
    en: str


@dataclass(frozen=True)
class Codes:
    """A closed list of codes.

    Parameters
    ----------
    name : str
        The list's name in the data dictionary.
    labels : dict of str to Label
        Codes in their fixed order, with their words. The order is the category order of the features.
    """

    name: str
    labels: dict[str, Label]

    @property
    def values(self) -> tuple[str, ...]:
        """The valid codes, in their fixed order."""
        return tuple(self.labels)


def _codes(name: str, **labels: tuple[str, str]) -> Codes:
    return Codes(name, {code: Label(zh, en) for code, (zh, en) in labels.items()})


HOUSEHOLD_TYPE = _codes(
    "household_type",
    ordinary=("一般农户", "ordinary rural household"),
    lifted=("一般脱贫户", "lifted household"),
    lifted_dibao=("低保脱贫户", "lifted household on subsistence allowance"),
    lifted_tekun=("特困供养脱贫户", "lifted household on destitute support"),
    monitored=("监测户", "monitored household"),
)
"""户类型. A monitored household's type says nothing of whether its risk is eliminated: statuses do."""

HOUSING_GRADE = _codes(
    "housing_grade",
    A=("A级", "grade A, safe"),
    B=("B级", "grade B, basically safe"),
    C=("C级", "grade C, partly dangerous"),
    D=("D级", "grade D, dangerous as a whole"),
)

INCOME_SOURCE = _codes(
    "income_source",
    wage=("工资性收入", "wage income"),
    business=("生产经营性收入", "business income"),
    property=("财产性收入", "property income"),
    transfer=("转移性收入", "transfer income"),
    claim=("理赔收入", "insurance payout"),
    production_cost=("生产经营性支出", "production cost"),
)

INCOME_KIND: dict[str, Literal["income", "claim", "cost"]] = {
    "wage": "income",
    "business": "income",
    "property": "income",
    "transfer": "income",
    "claim": "claim",
    "production_cost": "cost",
}
"""What each source is to the account: incomes and claims count towards it, costs against; shares are of incomes."""


def income_sources(*kinds: Literal["income", "claim", "cost"]) -> tuple[str, ...]:
    """Return the income sources of some kinds, in the order of the code list."""
    return tuple(source for source in INCOME_SOURCE.values if INCOME_KIND[source] in kinds)


INCOME_PART = _codes(
    "income_part",
    migrant_work=("务工收入", "wages from work"),
    welfare_post=("公益岗", "public-welfare post"),
    picking=("自主采摘", "own gathering"),
    crops=("种植业", "crops"),
    livestock=("养殖业", "livestock"),
    orchard=("林果业", "orchard and forest fruit"),
    dividend=("资产收益分红", "dividends on assets"),
    land_rent=("土地流转", "land rent"),
    finance_project=("金融贷款项目", "loan projects"),
    entrusted=("代种代养", "entrusted farming"),
    family_planning=("计划生育金", "family-planning grant"),
    dibao=("低保金", "subsistence allowance"),
    tekun=("特困供养金", "destitute support"),
    pension=("养老保险金", "pension"),
    ecology=("生态补偿金", "ecological compensation"),
    land_fertility=("地力补贴", "land fertility subsidy"),
    old_age=("高龄补贴", "old-age subsidy"),
    veterans=("优抚金", "veterans' grant"),
    disability=("残疾补贴", "disability subsidy"),
    education=("教育扶持", "education support"),
    disaster_relief=("救灾款", "disaster relief"),
    alimony=("赡养费", "support from relatives"),
    social_relief=("社会救济", "social relief"),
    poverty_insurance=("防贫保险", "anti-poverty insurance"),
    donation=("经常性捐赠和赔偿", "regular gifts and compensation"),
    other=("其他", "other"),
)

STATUS_ORIGIN = _codes(
    "status_origin",
    registry=("监测系统", "monitoring registry"),
    income_account=("收入核算", "income account"),
    survey=("调查", "survey"),
)

RISK_TYPE = _codes(
    "risk_type",
    illness=("因病", "illness"),
    schooling=("因学", "schooling"),
    disability=("因残", "disability"),
    natural_disaster=("因自然灾害", "natural disaster"),
    accident=("因意外事故", "accident"),
    industry_failure=("因产业项目失败", "failed farm or business project"),
    unstable_work=("因务工就业不稳", "unstable work"),
    labour_shortage=("缺劳动力", "shortage of labour"),
    unsafe_water=("因安全饮水", "unsafe water"),
    other=("其他", "other"),
)
"""致贫/返贫风险, up to five a household."""

EXPENSE_KIND = _codes(
    "expense_kind",
    medical=("医疗", "medical"),
    education=("教育", "education"),
    housing=("住房", "housing"),
    other=("其他", "other"),
)

SHOCK_KIND = _codes(
    "shock_kind",
    illness=("疾病", "illness"),
    accident=("意外事故", "accident"),
    disaster=("自然灾害", "natural disaster"),
    job_loss=("失业", "job loss"),
    crop_failure=("产业失败", "crop or business failure"),
    market=("滞销跌价", "market slump"),
)

MEASURE = _codes(
    "measure",
    industry=("产业帮扶", "industry support"),
    employment=("就业帮扶", "employment support"),
    finance=("金融帮扶", "financial support"),
    welfare_post=("公益岗位帮扶", "public-welfare post"),
    housing_safety=("住房安全保障", "housing safety"),
    water_safety=("饮水安全保障", "drinking-water safety"),
    health=("健康帮扶", "health support"),
    compulsory_education=("义务教育保障", "compulsory education"),
    other_education=("其他教育帮扶", "other education support"),
    comprehensive_security=("综合保障", "comprehensive social security"),
    social_assistance=("社会帮扶", "assistance from society"),
    relocation=("搬迁", "relocation"),
    living_conditions=("生产生活条件改善", "better living and working conditions"),
    infrastructure=("基础设施建设", "infrastructure"),
)

WORKPLACE = _codes(
    "workplace",
    township=("乡镇内", "within the township"),
    county=("乡外县内", "within the county"),
    province=("县外省内", "within the province"),
    other_province=("省外", "another province"),
    other=("其他", "elsewhere"),
)
