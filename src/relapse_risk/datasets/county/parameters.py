"""Every number the simulated county is made with, and where it comes from.

``S`` marks a published figure, ``I`` one worked out from published figures, ``A`` an assumption. 保山通报 is the
official bulletin of Baoshan, Yunnan, for 2021.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from dataclasses import dataclass, field
from typing import Any

from relapse_risk import monitoring_line

LIVELIHOODS = ("migrant", "orange", "mixed", "workshop", "transfer")
MIGRANT, ORANGE, MIXED, WORKSHOP, TRANSFER = range(len(LIVELIHOODS))


class Age:
    """Ages in months: of schools (S: law), of work (A), of adults (S: law) and of the elderly of the form (S)."""

    YEAR = 12
    SCHOOL, JUNIOR, SENIOR, COLLEGE, GRADUATE = 6 * 12, 12 * 12, 16 * 12, 19 * 12, 22 * 12
    ADULT, LABOUR, ELDERLY, RETIRED, FRAIL = 18 * 12, 16 * 12, 60 * 12, 65 * 12, 75 * 12


BAOSHAN = "保山通报 2021"
ASSUMED = "A"
#: National surveys of migrant workers, by year.
WORKERS_2011, WORKERS_2012, WORKERS_2016, WORKERS, WORKERS_2023, WORKERS_2024 = (
    f"农民工监测调查报告 {year}" for year in (2011, 2012, 2016, 2022, 2023, 2024)
)


def number(value: Any, source: str) -> Any:
    """Return a dataclass field with its default and its source."""
    if isinstance(value, (dict, list)):
        return field(default_factory=lambda: value, metadata={"source": source})
    return field(default=value, metadata={"source": source})


# fmt: off
@dataclass(frozen=True)
class CountyParameters:
    """Numbers of the simulated county; every field carries its source (``sources_of``)."""

    # time and place
    start: dt.date = number(dt.date(2020, 1, 1), "A: the monitoring mechanism began in March 2020 (S)")
    n_townships: int = number(30, "I: 29 to 33 townships in Fengjie")
    villages_per_township: int = number(13, "I: 390 villages in 30 townships, rmlt.com.cn 2019")
    households_per_grid: int = number(147, "I: 309,800 households in 2,105 grids")
    households_per_grid_redrawn: int = number(85, "I: 309,800 households in 3,664 grids, zgcxtc.cn 214232")
    grids_redrawn_on: dt.date = number(dt.date(2021, 7, 1), "A")
    workers_per_grid: int = number(4, "I: 15,198 grid staff in 3,664 grids, zgcxtc.cn 214232")
    smallest_village: int = number(40, "A: households")
    smallest_township: int = number(150, "A: households")
    orange_townships: float = number(26 / 30, "S: 26 townships grow navel oranges, hmikrgo.com")

    # households
    lifted_share: float = number(
        0.165, f"I: monitored persons are 2.63 % of all and 13.99 % of the lifted, {BAOSHAN}, so 18.8 % of persons")
    lifted_years: dict[int, float] = number(
        {2016: 0.41, 2017: 0.19, 2018: 0.40}, "I: 14,008 and 6,566 of 34,185 households, 中国扶贫 2018(16)")
    size_lifted: float = number(3.9, "S: 4.07 (2016) and 3.84 (2017), Fengjie, 中国扶贫 2018(16)")
    size_ordinary: float = number(3.2, "I: 3.13 Luohe, 3.59 Yunnan, 2.41 Liaoning")
    head_age: tuple[float, ...] = number((52, 13, 22, 84), "A: years; mean, spread, youngest, oldest")
    spouse_age: tuple[float, float] = number((2, 3), "A: years younger than the head; spread")
    kin: dict[str, tuple[float, float]] = number(
        {"parent": (-26, 0.14), "sibling": (0, 0.08), "child": (26, 0.38), "grandchild": (51, 0.40)},
        "A: years younger than the head, and share, of further members")
    kin_age_spread: float = number(4.0, ASSUMED)
    oldest: int = number(92, "A: years; who would be older is of the head's children")
    age_if_unborn: int = number(17, "A: years at most of those who by their parents' age would not be born")
    generations: tuple[float, float] = number((16, 36), "A: years a child and a grandchild are younger, at least")
    by_marriage: tuple[float, int] = number((0.3, 24), "A: of kin, related by marriage; children from this age")
    ill_by_age: dict[int, float] = number(
        {0: 0.1, 30: 0.4, 50: 1.1, 70: 2.4}, "A: factor on illness and disability")
    dibao_share_lifted: float = number(0.15, ASSUMED)
    tekun_of_unable: float = number(0.20, "A: of lifted households without labour")
    relocated_share_lifted: float = number(0.12, ASSUMED)
    chronic_lifted: float = number(0.17, "I: 9.6 m of about 55.8 m registered poor, end of 2015")
    major_lifted: float = number(0.04, "I: 2.4 m of about 55.8 m registered poor, end of 2015")
    chronic_ordinary: float = number(0.11, ASSUMED)
    major_ordinary: float = number(0.015, ASSUMED)
    disabled_lifted: float = number(0.06, ASSUMED)
    disabled_ordinary: float = number(0.03, ASSUMED)
    housing_grades_lifted: tuple[float, ...] = number((0.55, 0.37, 0.06, 0.02), ASSUMED)
    housing_grades_ordinary: tuple[float, ...] = number((0.70, 0.27, 0.025, 0.005), ASSUMED)
    livelihoods: dict[str, float] = number(
        {"migrant": 0.60, "orange": 0.13, "mixed": 0.13, "workshop": 0.06, "transfer": 0.08},
        "A: wages are two thirds of lifted families' income (S)")
    migration_month: float = number(
        0.0015, "A: a member able to work and without a wage leaves for one far from home")
    migrant_returns_month: float = number(0.006, "A: a migrant worker over 50")
    leaves_per_year: float = number(0.04, "A: of members of 20 to 29, by marriage or to settle in a town")
    dibao_ordinary: float = number(0.015, ASSUMED)
    dibao_of_transfer: float = number(0.25, "A: more of the households that live from transfers")
    rents_out: float = number(0.5, "A: rents land out or draws dividends")
    tap_trouble: float = number(0.015, "A: of households, water that is not safe")
    earns: dict[str, tuple[float, float]] = number(
        {"migrant": (0.97, 0.55), "orange": (0.70, 0.20), "mixed": (0.70, 0.20), "workshop": (0.60, 0.25),
         "transfer": (0.25, 0.0)}, "A: chance that the first and the second member able to work earn a wage")
    deaths_by_age: dict[int, float] = number(
        {0: 0.0006, 40: 0.0025, 60: 0.011, 75: 0.045, 85: 0.13}, "A: a year, of the order of the 2020 life tables")
    deaths_of_major: tuple[float, float] = number((4, 0.002), "A: a month, of the gravely ill: factor, and added")
    beyond_school: float = number(0.55, "A: of the young, high school or college after compulsory school")
    dropout_month: float = number(0.0004, "A: a pupil of 12 to 15")
    back_to_school_month: float = number(0.25, ASSUMED)
    births_per_year: float = number(0.025, "A: of households with a member of 20 to 39")
    onset_chronic_per_year: float = number(0.012, "A: of members over 40")
    young_earn: float = number(0.7, "A: of the chance that a first member earns, on coming of age")
    idle_earn_month: float = number(0.02, "A: the same, in a household where nobody earns")
    ages_of: dict[str, tuple[int, int]] = number(
        {"parent": (20, 40), "leaves": (20, 30), "dropout": (12, 16), "migrates": (16, 50), "falls_ill": (40, 200)},
        "A: years, from and below which it happens")
    at_home_in: tuple[int, ...] = number((1, 2), "A: months around the New Year")
    whole_household_away: float = number(0.06, "A: of migrant households, in a month outside the New Year")

    # persons
    male: float = number(0.5124, "S: census of 2020, of all; 111 boys to 100 girls at birth")
    male_heads: float = number(0.85, ASSUMED)
    schooling_by_age: dict[int, tuple[float, ...]] = number(
        {0: (0.003, 0.05, 0.48, 0.22, 0.17, 0.077), 30: (0.01, 0.13, 0.58, 0.16, 0.08, 0.04),
         46: (0.04, 0.30, 0.54, 0.10, 0.015, 0.005), 60: (0.12, 0.48, 0.32, 0.07, 0.01, 0.0),
         75: (0.35, 0.46, 0.15, 0.035, 0.005, 0.0)},
        "A: from an age in 2020 on, from illiterate to university, so that those who work for a wage come near "
        f"the published 0.7, 13.4, 55.2, 17.0 and 13.7 %, {WORKERS}")
    university: float = number(0.4, "A: of those beyond compulsory school, the rest go to college")
    skilled_by_schooling: tuple[float, ...] = number((0.02, 0.06, 0.15, 0.35, 0.55, 0.6), ASSUMED)
    prudence: tuple[float, float, float] = number(
        (0.02, 0.15, 0.93), "A: below, no medical insurance; below, no pension insurance; above, further insurance")

    # jobs
    industries: dict[str, tuple[float, ...]] = number(
        {  # away, home, male, pay, no contract, by the day, formal, own account, loss
            "manufacturing": (27.5, 16.0, 0.58, 4978, 0.488, 0.15, 0.226, 0.02, 0.8),
            "construction": (15.4, 22.0, 0.90, 5743, 0.751, 0.65, 0.069, 0.03, 1.7),
            "trade": (13.2, 12.0, 0.48, 4362, 0.599, 0.15, 0.242, 0.18, 0.9),
            "transport": (7.1, 7.0, 0.90, 5635, 0.50, 0.20, 0.390, 0.14, 0.8),
            "catering": (6.7, 6.0, 0.42, 4141, 0.624, 0.25, 0.117, 0.07, 1.2),
            "resident_services": (10.7, 9.0, 0.50, 4023, 0.608, 0.30, 0.198, 0.10, 1.0),
            "domestic": (2.0, 2.0, 0.05, 4023, 0.70, 0.40, 0.05, 0.05, 1.2),
            "agriculture": (0.5, 12.0, 0.55, 3900, 0.85, 0.80, 0.02, 0.05, 1.5),
            "mining": (1.4, 1.0, 0.92, 5743, 0.40, 0.20, 0.35, 0.0, 0.9),
            "business_services": (6.0, 2.0, 0.65, 4500, 0.45, 0.15, 0.30, 0.03, 0.8),
            "public_facilities": (3.0, 5.0, 0.55, 3900, 0.50, 0.30, 0.20, 0.0, 0.8),
            "education": (2.0, 2.0, 0.30, 4500, 0.30, 0.05, 0.45, 0.0, 0.5),
            "health": (2.0, 2.0, 0.25, 4500, 0.30, 0.05, 0.45, 0.0, 0.5),
            "information": (2.5, 1.0, 0.65, 5635, 0.25, 0.05, 0.50, 0.02, 0.6),
        },
        f"S: share of the six largest, {WORKERS_2023}, resident services with domestic work; their monthly pay, "
        f"{WORKERS_2024}; no written contract, {WORKERS_2012}; I: formal, those whose employer paid pension "
        f"insurance in 2011, {WORKERS_2011}, times 1.6 for the rise since; A: the rest, that is at home, of the "
        "smaller industries, by sex, by the day, on own account, and the factor on losing the job",
    )
    contracts: dict[str, float] = number(
        {"open_ended": 0.34, "fixed_term": 0.58, "task": 0.08},
        f"A: of those with a written contract, who were 35.1 % of all, {WORKERS_2016} (S)")
    no_contract_by_schooling: tuple[float, ...] = number((1.3, 1.2, 1.0, 0.85, 0.6, 0.45), "A: factor")
    no_contract_older: tuple[float, int] = number((1.2, 50), "A: factor, and from which age")
    no_contract_most: float = number(0.97, ASSUMED)
    contract_days: dict[str, tuple[int, int, int]] = number(
        {"fixed_term": (365, 1, 4), "task": (1, 60, 300)}, "A: how long contracts last: unit, at least, below")
    loss_of_contract: dict[str, float] = number(
        {"open_ended": 0.35, "fixed_term": 0.45, "task": 0.9, "casual": 2.2, "none": 1.1},
        "A: factor on the chance of losing the job, before its contract ends")
    loss_own_account: float = number(0.7, ASSUMED)
    loss_formal: float = number(0.6, ASSUMED)
    loss_new_and_old: tuple[float, float] = number((1.5, 0.75), "A: factor in the first year, and after")
    renewed: float = number(0.9, "A: of contracts that end")
    pay_formal: float = number(0.10, "A: added to log pay")
    bonus_months: float = number(0.8, "A: of pay, in January, of formal jobs")
    severance_years: tuple[float, float] = number(
        (0.5, 3), "A: at least and at most; a month's pay a year, Labour Contract Law, article 47 (S)")
    unemployment_months: int = number(6, "A: 12 months at most after 1 to 5 years' contributions (S)")
    unemployment_month: float = number(1300.0, "A: near 70 % of the minimum wage of a poor county")
    other_province: float = number(0.475, "S: of migrant workers of the west who left their township, 2022")
    home_in_township: float = number(0.5, ASSUMED)
    distance_km: dict[str, tuple[float, float]] = number(
        {"township": (1, 15), "county": (12, 70), "province": (90, 450), "other_province": (600, 1900)},
        "A: road distances from Fengjie")
    channels: dict[str, tuple[float, float]] = number(
        {"organised": (0.08, 0.06), "cooperation": (0.05, 0.0), "agency": (0.06, 0.02), "kin": (0.46, 0.42),
         "own": (0.34, 0.48), "other": (0.01, 0.02)}, "A: away and at home")
    hours_week: tuple[float, ...] = number(
        (48.7, 8.0, 16, 84), f"I: 24.9 days a month of 8.5 hours, {WORKERS_2016}; A: spread, least, most")
    tenure_years: float = number(3.5, "A: mean, of the jobs at the start")
    rests_first: float = number(0.2, "A: of those out of work, do not look for it at once")
    rests_days: tuple[int, int] = number((30, 150), ASSUMED)
    welfare_post_pay: float = number(0.45, "A: beside the usual wage near home")

    # incomes, yuan of 2020
    wage_month: float = number(2290.0, "A: so that income level and composition meet the published ones")
    home_wage: dict[str, float] = number(
        {"migrant": 0.75, "orange": 0.65, "mixed": 0.65, "workshop": 0.7, "transfer": 0.6},
        "A: wages near home beside those far away")
    wage_bounds: tuple[float, float] = number(
        (200.0, 6500.0), "A: a month; the national checks refuse wages under 100 a year and over 100,000 a head")
    wage_spread: float = number(0.35, "A: standard deviation of log wages between workers")
    wage_persistence: float = number(0.95, ASSUMED)
    wage_shock: float = number(0.07, "A: monthly, persistent, in log wages")
    wage_noise: float = number(0.12, "A: monthly, passing")
    growth: dict[int, float] = number(
        {2020: 1.0, 2021: 1.10, 2022: 1.24, 2023: 1.35, 2024: 1.46, 2025: 1.57},
        "A: so that the lifted's income rises 16.9 % in 2021 and 14.3 % in 2022 (S), part of it from the "
        "epidemic; 8 % a year after")
    growth_later: float = number(1.06, "A: a year, after the last known")
    growth_in_year: float = number(0.5, "A: of the step to the next year, by its end")
    lifted_wage_factor: float = number(0.95, "I: lifted households' income beside lifted counties' rural income")
    orange_yuan_mu: float = number(9500.0, "I: 10 mu gave 100,000 yuan in a good example (S); A: two thirds of it")
    orange_mu: float = number(2.6, "I: 383,000 mu, hmikrgo.com; A: households that grow")
    tended_mu: float = number(3.0, "A: orchard, and farm land, that a member can tend")
    on_the_side: float = number(0.4, "A: of business income where every adult works for a wage")
    orchards: tuple[float, ...] = number(
        (1.6, 0.48, 2.5, 0.4), "A: beside orange_mu, of orange growers and of others; gamma shape and scale")
    skill: tuple[float, float, float] = number((-0.04, 0.3, 0.45), "A: log of business income: mean, spread, bound")
    farm_luck: float = number(0.2, "A: monthly, in log business income")
    farming_yuan_mu: float = number(3200.0, ASSUMED)
    land_mu: float = number(4.0, ASSUMED)
    land_shape: float = number(4.0, "A: of a gamma distribution")
    workshop_month: float = number(2800.0, ASSUMED)
    other_orchards: float = number(0.15, "A: of other households, an orchard too")
    orange_sales: dict[int, float] = number(
        {11: 0.10, 12: 0.20, 1: 0.30, 2: 0.25, 3: 0.15},
        "S: harvest from late November, peak around the Spring Festival, hmikrgo.com; A: the shares")
    farm_sales: dict[int, float] = number(
        {6: 0.20, 9: 0.35, 10: 0.25, 12: 0.20},
        "A: rapeseed and pigs, maize and rice, sweet potatoes, New Year's pig")
    cost_months: dict[int, float] = number({3: 0.4, 6: 0.3, 9: 0.3}, ASSUMED)
    farmed: dict[str, float] = number(
        {"migrant": 0.25, "orange": 0.7, "mixed": 1.6, "workshop": 0.5, "transfer": 0.3},
        "A: what each livelihood makes of its farm land, beside the usual")
    cost_share: float = number(0.33, "A: production cost of gross business income")
    cost_spared: float = number(0.5, "A: a lost harvest is not picked")
    cost_of_workshop: float = number(0.5, "A: of the usual cost share")
    benefit_growth: float = number(0.05, "A: a year after 2020, of transfers and property income")
    pension_month: float = number(125.0, "A: basic rural pension, a person over 60")
    alimony_month: float = number(150.0, "A: a member, from relatives, where nobody earns")
    dibao_month: float = number(380.0, "A: a member")
    tekun_month: float = number(560.0, "A: a member")
    subsidies_year: float = number(420.0, "A: land fertility and ecological compensation, a household")
    property_year: float = number(800.0, "A: dividends and land rent, of those who have any")
    paid_in: dict[str, tuple[int, ...]] = number(
        {"subsidies": (6,), "property": (12,), "bonus": (1,), "school": (3, 9), "development": (3,)},
        "A: months of the year")
    line_yuan: dict[dt.date, float] = number(
        {line.since: line.yuan for line in monitoring_line.PUBLISHED},
        "S: as published, each with its source in relapse_risk.monitoring_line")

    # shocks, a month
    illness_month: float = number(0.0035, "A: onset of a costly illness, a household; more where there is chronic")
    accident_month: float = number(0.0008, ASSUMED)
    job_loss_month: float = number(0.012, "A: a worker")
    job_found_month: float = number(0.30, "A: a worker out of work")
    crop_failure_month: float = number(0.0015, "A: a farming household")
    disaster_month: float = number(0.0006, "A: a household, outside the area-wide events")
    illness_more: tuple[float, float] = number(
        (1.2, 1.5), "A: added factor, a chronically and a gravely ill member")
    hit_by_area: dict[str, float] = number(
        {"illness": 0.0, "accident": 0.0, "disaster": 0.35, "job_loss": 0.2, "crop_failure": 0.35, "market": 0.35},
        "A: share of the households an area-wide event touches that are hit as by an event of their own")
    recorded: dict[str, float] = number(
        {"illness": 0.45, "accident": 0.7, "disaster": 0.8, "job_loss": 0.25, "crop_failure": 0.4, "market": 0.3},
        "A: share of shocks that anyone enters")
    harvest_lost: tuple[float, int] = number((0.45, 10), "A: what is left of business income, for how many months")
    project_failed: tuple[float, int] = number((0.35, 12), "A: the same, of those who fall by it")
    illness_lasts: float = number(0.35, "A: a costly illness becomes a chronic one")
    insured: float = number(0.2, "A: of those hit, receive a payout")
    claim_yuan: float = number(3000.0, "A: median payout")
    claim_spread: float = number(0.5, ASSUMED)
    claimed: dict[str, float] = number(
        {"illness": 1.0, "accident": 1.0, "disaster": 0.5, "crop_failure": 0.4}, "A: beside claim_yuan")
    routine_bill_month: float = number(0.12, "A: a chronically ill member")
    routine_yuan: float = number(450.0, "A: median")
    bill_spread: tuple[float, float, float] = number((0.6, 0.7, 0.25), "A: in log; routine, costly, school")
    bill_growth: float = number(0.5, "A: power of income growth")
    unpaid_for: tuple[int, float] = number(
        (11, 0.3), "I: the listed by illness have paid for it within a year (national check); A: of a costly bill")
    fallen_bills: dict[str, float] = number(
        {"illness": 1.6, "accident": 1.2, "disability": 0.4}, "A: bills beside medical_yuan that come with a fall")
    medical_yuan: float = number(9000.0, "A: bill of a costly illness, median, of 2020")
    reimbursed: tuple[float, ...] = number((0.72, 0.1, 0.3, 0.95), "A: mean, spread, least, most")
    compliant: float = number(0.9, "A: of what is not reimbursed")
    school_yuan: float = number(4200.0, "A: a term of high school or college; > 10,000 a year is a threshold (S)")

    # risk of falling, log of the monthly hazard
    base: float = number(-7.52, "A: so that identification rates meet the published ones")
    of_lifted: float = number(0.50, "I: 1.47 % of the lifted against 0.93 % of all a year, with income and health")
    of_income: float = number(0.55, "A: by halving (log) of income to line")
    of_chronic: float = number(0.25, "A: a member")
    of_major: float = number(0.50, "A: illness is the largest cause (S: 44 % of registered poor, 2015)")
    of_disabled: float = number(0.35, ASSUMED)
    of_no_labour: float = number(0.45, ASSUMED)
    of_school: float = number(0.25, "A: a member beyond compulsory school")
    of_housing: float = number(0.35, "A: grade C or D")
    of_shock: dict[str, float] = number(
        {"illness": 1.2, "accident": 1.3, "disaster": 0.9, "job_loss": 0.7, "crop_failure": 0.8, "market": 0.5},
        "A: at its height; it fades")
    shock_fades: float = number(0.82, "A: a month")
    unseen: float = number(0.95, "A: standard deviation of what no record holds: thrift, kin, luck")
    counted: int = number(2, "A: ill members and pupils that count, at most")
    income_bounds: tuple[float, float] = number((0.15, 8.0), "A: of income to line")
    most_shock: float = number(1.5, "A: of what is left of shocks of a kind")
    most_hazard: float = number(0.5, ASSUMED)
    season: tuple[float, int] = number(
        (0.15, 6), "A: height and month: before the harvest and after the New Year's spending")
    of_support: float = number(-0.7, "A: measures lower the hazard; treatment switches this")

    # what they fall by
    causes: dict[str, float] = number(
        {"illness": 0.24, "schooling": 0.55, "disability": 0.75, "natural_disaster": 0.012, "accident": 0.025,
         "industry_failure": 0.09, "unstable_work": 0.11, "labour_shortage": 0.025, "unsafe_water": 0.05,
         "other": 0.03},
        "A: weights where a cause can be, so that illness meets its share (S: 44 % of registered poor, 2015) and "
        "disability comes to 10 to 15 %, work and schooling to about 10 %, accidents to 5 %, disasters to 2.5 %")
    illness_of: tuple[float, float] = number((0.7, 0.3), "A: added to 1, a gravely and a chronically ill member")
    shortage_without_labour: float = number(10, "A: factor")
    cause_after_shock: dict[str, float] = number(
        {"illness": 4, "accident": 40, "disaster": 40, "job_loss": 4, "crop_failure": 5, "market": 3},
        "A: added factor on the cause's weight right after the shock")

    # the registry
    registered_on: dt.date = number(dt.date(2014, 6, 30), "S: the poor were registered (建档立卡) in 2014")
    first_wave_share: float = number(
        0.0085, f"I: 2.63 % monitored at the end of 2021 less 0.93 % new in 2021, {BAOSHAN}; A: half of it at once")
    first_wave_noise: float = number(0.8, "A: scale in the log hazard, of who is taken")
    first_wave_days: tuple[int, int, int] = number((90, 30, 8), "A: days it takes; need and clue come before")
    first_wave_on: dt.date = number(dt.date(2020, 3, 20), "S: the mechanism's guiding opinions")
    found_by_visit: float = number(0.75, "A: by a diligent worker, a visit")
    found_otherwise: float = number(0.10, "A: by report or data comparison, a month; 17 % by platform, Luohe (S)")
    clue_to_identification_days: tuple[int, int] = number(
        (6, 20), "S: generally 15 days, notice 5 days, qinan.gov.cn")
    entered_after_days: tuple[int, int] = number((1, 12), "A: from identification to the system")
    recovers_unseen_month: float = number(0.06, "A: of those in need whom nobody found")
    earliest_elimination_months: int = number(6, "S: at least 6 months, yjq.gov.cn 39287644")
    dibao_after_identification: float = number(0.35, "A: of those whose income is below the line")
    support_begins: tuple[int, int] = number((1, 28), "S: within a month of identification")
    development_after: int = number(60, "A: days, a measure of development comes after the first one")
    support_stays: float = number(0.4, "A: measures go on a year after elimination, else 45 days")
    support_days: tuple[int, int] = number((365, 45), ASSUMED)
    lifted_supported: tuple[float, float] = number(
        (0.10, 0.30), "A: a year, a measure for the lifted: of all, and of the three tenths nearest to falling")
    nearest: float = number(0.7, "A: above this share of hazards, near to falling")
    industry_raises: float = number(0.3, "A: added to the log of business income by support of industry or loans")
    elimination_month: dict[str, float] = number(
        {"unstable": 0.42, "edge": 0.72, "sudden": 0.17},
        f"I: 54 %, 66 % and 30 % eliminated by the end of 2021, {BAOSHAN}")

    # visits
    cycle_months: int = number(2, "S: every household once in two months")
    ticks_fine: float = number(0.12, "A: workers who tick fine whatever they see")
    accuracy: tuple[float, float] = number((0.55, 0.92), "A: share of what is there that a worker sees")
    ticker_sees: float = number(0.08, "A: the same, of those who tick fine")
    overdone: tuple[float, float] = number(
        (0.015, 0.3), "A: of looks, a grade too high, by workers who see more than")
    not_looked: float = number(0.04, "A: of looks")
    look_from: dict[str, tuple[float, float]] = number(
        {"yard": (0.7, 1.5), "house": (1.5, 9.0), "cupboard": (0.55, 1.15), "health": (0.28, 0.85)},
        "A: trouble from which a look is of concern, and serious")
    disorder: tuple[float, float] = number((0.5, 0.6), "A: of what no record holds; of housing of grade C or D")
    want: tuple[float, float, float] = number(
        (1.2, 0.2, 0.5), "A: less income to line; of what no record holds; weight of the last three months")
    illness_seen: tuple[float, float] = number((0.5, 0.3), "A: of gravely and chronically ill members")
    fees_hard_below: float = number(1.6, "A: income to line")
    missed_visit: float = number(0.05, "A: of visits due")
    late_upload: float = number(0.12, "A: of visits")
    upload_days: tuple[tuple[int, int], tuple[int, int]] = number(((0, 2), (2, 41)), "A: in time, and late")
    false_alarm: tuple[float, float] = number(
        (0.004, 3), "A: clues without need, a visit; more after a serious look")
    extra_visits: float = number(
        0.5, "A: chance a month of one more, where trouble is known; selection switches this")

    # days until records come in
    money_after_days: tuple[int, int] = number((3, 36), "A: after the month's end")
    slow_money: tuple[float, int, int] = number((0.05, 36, 120), "A: share of households, and days")
    bills_after_days: tuple[int, int] = number((5, 40), ASSUMED)
    ledger_after_days: tuple[int, int] = number((5, 26), "A: after the month's end")
    shocks_after_days: tuple[int, int] = number((2, 45), ASSUMED)
    supports_after_days: tuple[int, int] = number((1, 20), ASSUMED)
    profiles_after_days: tuple[int, int] = number((0, 60), ASSUMED)

    def line_on(self, day: dt.date) -> float:
        """Return the monitoring line of a day, yuan a member and year."""
        return [yuan for since, yuan in sorted(self.line_yuan.items()) if since <= day][-1]

    def growth_on(self, day: dt.date) -> float:
        """Return the level of nominal income in a month beside 2020, between the years' levels."""
        this, following = self.income_growth(day.year), self.income_growth(day.year + 1)
        return this + (following - this) * (day.month - 1) / 12 * self.growth_in_year

    def income_growth(self, year: int) -> float:
        """Return the level of nominal income in a year beside 2020."""
        known = sorted(self.growth)
        if year <= known[0]:
            return self.growth[known[0]]
        if year in self.growth:
            return self.growth[year]
        return float(self.growth[known[-1]] * self.growth_later ** (year - known[-1]))

# fmt: on


@dataclass(frozen=True)
class AreaShock:
    """An event that hits many at once."""

    kind: str  # code of the shock
    first: dt.date
    months: int
    townships: float  # share of townships hit
    income: dict[str, float]  # factor on the income of the livelihoods it hits
    hazard: float  # added to the log hazard of those
    job_loss: float  # added to the monthly chance that a worker of those loses the job
    migration: float  # factor on the chance that a member of those goes to work far from home
    source: str


AREA_SHOCKS: tuple[AreaShock, ...] = (
    AreaShock(
        "job_loss", dt.date(2020, 2, 1), 3, 1.0, {"migrant": 0.65, "workshop": 0.65, "orange": 0.9}, 0.35, 0.10,
        0.0,
        "S: the epidemic, job loss and unsold produce, fx361 2020; B: start delayed from February to April",
    ),
    AreaShock(
        "disaster", dt.date(2020, 7, 1), 2, 0.3, {"mixed": 0.6, "orange": 0.9}, 0.4, 0.0, 1.0,
        "A: summer floods of 2020 on the upper Yangtze",
    ),
    AreaShock(
        "crop_failure", dt.date(2022, 7, 1), 4, 0.8, {"mixed": 0.45, "orange": 0.7}, 0.45, 0.0, 3.0,
        "S: driest July since 1961, news.qq.com 2022-08-25; a drought sends farmers to work elsewhere, gov.cn 2006",
    ),
    AreaShock(
        "market", dt.date(2023, 11, 1), 5, 0.9, {"orange": 0.6}, 0.35, 0.0, 1.0, "A: slump of the orange price",
    ),
    AreaShock(
        "crop_failure", dt.date(2024, 8, 1), 3, 0.6, {"mixed": 0.55, "orange": 0.85}, 0.35, 0.0, 3.0,
        "S: September drought of 2024, rainfall -78 %, taihainet 2024-09-22",
    ),
)  # fmt: skip


def sources_of(parameters: CountyParameters) -> dict[str, str]:
    """Return each number's source."""
    return {f.name: f.metadata.get("source", "") for f in dataclasses.fields(parameters)}
