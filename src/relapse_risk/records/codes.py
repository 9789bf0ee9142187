"""Code lists of the national form, with the words cadres and data teams use for them.

Codes are lower-case English; the Chinese words are the form's own, so that the default import mapping can read
them. Lists that the form leaves open are marked so in their description.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
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
    alone : str, optional
        The code that says that none of the others holds: a set of codes has it alone or not at all.
    """

    name: str
    labels: dict[str, Label]
    alone: str | None = None

    @cached_property
    def values(self) -> tuple[str, ...]:
        """The valid codes, in their fixed order."""
        return tuple(self.labels)


def _codes(name: str, /, *, alone: str | None = None, **labels: tuple[str, str]) -> Codes:
    return Codes(name, {code: Label(zh, en) for code, (zh, en) in labels.items()}, alone)


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
    bonus=("奖金补发", "bonuses, thirteenth wages, back pay"),
    severance=("遣散费", "severance pay"),
    unemployment=("失业金", "unemployment benefit"),
    scholarship=("助学金", "scholarship"),
    gift=("亲友馈赠", "gifts of money"),
    interest=("利息", "interest"),
    other=("其他", "other"),
)

ONE_OFF_PARTS = (
    *("bonus", "severance", "unemployment"),
    *("disaster_relief", "social_relief", "gift", "donation"),
)
"""Parts that do not come again by themselves: what is left without them is steady income."""

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

RELATION = _codes(
    "relation",
    head=("户主", "head"),
    spouse=("配偶", "spouse"),
    child=("子女", "son or daughter"),
    child_in_law=("儿媳女婿", "son- or daughter-in-law"),
    grandchild=("孙子女", "grandchild or great-grandchild"),
    parent=("父母", "father or mother"),
    parent_in_law=("配偶父母", "spouse's father or mother"),
    grandparent=("祖父母", "grandparent"),
    sibling=("兄弟姐妹", "brother or sister"),
    other_kin=("其他亲属", "other kin"),
    not_kin=("非亲属", "not kin"),
)
"""与户主关系, the form's kinds of child, grandchild and parent taken together."""

SEX = _codes("sex", male=("男", "male"), female=("女", "female"))

SCHOOLING = _codes(
    "schooling",
    illiterate=("文盲或半文盲", "cannot or can hardly read"),
    primary=("小学", "primary school"),
    junior=("初中", "junior secondary school"),
    senior=("高中", "senior secondary school"),
    college=("大专", "junior college"),
    university=("本科及以上", "university"),
)
"""文化程度, in rising order."""

SCHOOL_STAGE = _codes(
    "school_stage",
    no=("不在校", "not at school"),
    preschool=("学前教育", "kindergarten"),
    primary=("小学", "primary school"),
    junior=("初中", "junior secondary school"),
    senior=("普通高中", "senior secondary school"),
    vocational=("中职", "secondary vocational school"),
    college=("高职高专", "junior college"),
    university=("本科及以上", "university"),
)
"""在校生状况, the form's years of a school taken together."""

HEALTH = _codes(
    "health",
    alone="healthy",
    healthy=("健康", "healthy"),
    chronic=("长期慢性病", "a chronic illness"),
    major_illness=("患有大病", "a major illness"),
    disabled=("残疾", "a disability"),
)
"""健康状况; several may hold, but for ``healthy``."""

LABOUR_SKILL = _codes(
    "labour_skill",
    ordinary=("普通劳动力", "able to work"),
    skilled=("技能劳动力", "skilled"),
    weak=("弱劳动力或半劳动力", "able to work a little"),
    lost=("丧失劳动力", "no longer able to work"),
    none=("无劳动力", "not able to work"),
)

INSURANCE = _codes(
    "insurance",
    alone="none",
    none=("未参保", "none"),
    resident_medical=("居民医保", "residents' medical insurance"),
    employee_medical=("职工医保", "employees' medical insurance"),
    serious_illness=("大病保险", "serious-illness insurance"),
    commercial_medical=("商业补充医疗保险", "commercial medical insurance"),
    resident_pension=("居民养老", "residents' pension insurance"),
    employee_pension=("职工养老", "employees' pension insurance"),
)
"""Insurances a person has; several may hold. ``none`` says that there is no insurance, empty that it is unknown."""

INDUSTRY = _codes(
    "industry",
    agriculture=("农林牧渔业", "farming, forestry, fishing"),
    mining=("采矿业", "mining"),
    manufacturing=("制造业", "manufacturing"),
    utilities=("电力燃气水", "electricity, gas, water"),
    construction=("建筑业", "construction"),
    trade=("批发零售业", "wholesale and retail trade"),
    transport=("交通运输仓储邮政业", "transport, storage, post"),
    catering=("住宿餐饮业", "hotels and catering"),
    information=("信息软件业", "information and software"),
    finance=("金融业", "finance"),
    real_estate=("房地产业", "real estate"),
    business_services=("租赁商务服务业", "leasing and business services"),
    science=("科研技术服务业", "science and technical services"),
    public_facilities=("水利环境公共设施业", "water, environment, public facilities"),
    resident_services=("居民服务修理业", "services to residents, repair"),
    domestic=("家政服务", "domestic work"),
    education=("教育", "education"),
    health=("卫生社会工作", "health and social work"),
    culture=("文化体育娱乐业", "culture, sports, entertainment"),
    government=("公共管理社会保障", "public administration and social security"),
    other=("其他", "other"),
)
"""所属行业: the sections of GB/T 4754-2017, domestic work apart."""

WORK_STATUS = _codes(
    "work_status",
    employee=("受雇", "employee"),
    self_employed=("自营", "works for oneself"),
    employer=("雇主", "employs others"),
    family_worker=("家庭帮工", "helps in the family's business without pay"),
)

CONTRACT = _codes(
    "contract",
    open_ended=("无固定期限合同", "without an end"),
    fixed_term=("固定期限合同", "until a fixed day"),
    task=("以完成任务为期限", "until a task is done"),
    casual=("零工", "by the day, odd jobs"),
    none=("未签合同", "no contract"),
)
"""Kind of labour contract (Labour Contract Law, articles 12 to 15, and two for those who have none)."""

WORK_CHANNEL = _codes(
    "work_channel",
    organised=("政府组织", "organised by the government"),
    cooperation=("劳务协作", "labour cooperation between provinces"),
    agency=("中介介绍", "through an agency"),
    kin=("亲友介绍", "through kin or friends"),
    own=("自主就业", "found alone"),
    workshop=("帮扶车间", "aid workshop in the village"),
    welfare_post=("公益性岗位", "public-welfare post"),
    other=("其他", "other"),
)
"""就业渠道; the form leaves the list open."""
