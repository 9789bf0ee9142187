"""What the words of the feature dictionary mean, exactly enough to compute every feature from the tables."""

from __future__ import annotations

from relapse_risk.features.declare import HOW_WORDS, How, Missing, Scale
from relapse_risk.features.declare import Aggregation as A
from relapse_risk.features.derive import DERIVATIONS, MEDICAL, PENSION, SCHOOLING_YEARS, TEMPORARY
from relapse_risk.features.kernel import DAYS_PER_MONTH
from relapse_risk.records.codes import ONE_OFF_PARTS

_GENERAL = {
    "as_of": "the day a row of features is made for",
    "visible": "A row is visible on as_of if known_on < as_of. Of the rows of a table that share the key (the "
    "table dictionary's key columns) only the visible one with the latest known_on counts; missing parts of a key "
    "are equal to each other.",
    "window": "Rows with start <= occurred_on < end, where end is as_of moved back by skip_months calendar months, "
    "and start is as_of moved back by window_months + skip_months; a day that the month lacks becomes its last "
    "day. Window 'ever' has no start.",
    "period": "An income of m months (column months; missing: 1) is m rows of amount_yuan / m: one on occurred_on, "
    "the others on the last days of the m - 1 months before. Each is known and replaced as the row is. A row of 2 "
    "or more months replaces what rows of an earlier occurred_on with the same source and part (both missing is "
    "the same) say of the calendar months it covers, and as many as its visible version covers.",
    "observation": "With each = row, every visible row in the window that passes where and whose value over its "
    "scale is not missing. With each = month, the sum of those rows of each calendar month (of the part of it in "
    "the window). The newest comes last.",
    "where": "column in (codes): the row's code is one of them; for sets of codes, one of the row's codes is; for "
    "flags true or false. A missing code does not pass.",
    "complete accounts": "If data.accounts_complete is set, each = month, where names a source or part of incomes "
    "and the value is not 1, every day in the window that has some income (of any source, in any version known "
    "before as_of, replaced or not, by period) adds an observation of 0. If it is not set, nothing is added.",
    "of": "a second series: the whole of a share, or the divisor of a value per unit",
    "account": "a second series, of all incomes, or of all months of the ledger: with it, the aggregations that "
    "take the last value (last, step, last value per unit of another, days since the date held) are missing where "
    "the calendar month of their newest observation lies before that of the account's newest in its own 'ever' "
    "window with the same skip",
    "by": "With by = person, observations are of one person's rows alone: those of one household_id and person_id "
    "in members and employment. The value is then each person's own, and lines with an across take it across the "
    "members; those without one are persons' values that conditions refer to.",
    "members": "The persons of a household with a visible row in members or employment on as_of, but for those "
    "whose latest visible row of members has in_household = false.",
    "across": "How the members' own values become the household's; missing as said there. The column missing is of "
    "the household's value: a person's own missing value is not replaced. All of it is on as_of, whatever "
    "skip_months is.",
    "conditions": "low <= name < high: the value of that name, of the member, lies there; either bound may be left "
    "out. A member passes if all hold; a missing value does not. 'left too': persons who left count as members "
    "here.",
    "head": "of the members whose latest relation (members.relation, last, ever) is head, the first by person_id "
    "as text",
    "main earner": "of the members with the largest pay above 0 (employment.earned_yuan, last, 12 months, account "
    "employment.1 each row by person), the first by person_id as text",
    "terms": "factors and features: the feature is the sum of factor times feature, missing if one of them is",
    "line": "The line of a day in an area is the latest step of settings line.steps at or before the day: of the "
    "steps of the household's township if one has begun, else of those without an area; its yuan divided by "
    "line.months is the month's line of one counted member. The household's line is that times line_units, or "
    "n_members where line_units is missing, of its profile: the latest visible row of households at or before the "
    "day, else the earliest visible one, with that row's township_id. Missing where any of it is.",
    "horizon": "settings outcome.horizon_months; this dictionary is of the default. With h the horizon, the "
    "features of the coming months a year ago take the window [as_of - 12 months, as_of - 12 months + h), and "
    "balance_at_horizon_12m adds h / 12 of the monthly wages of 3 months and 1 - h / 12 of those of the last 12 - "
    "h months. With h of 12 or more there are none of these four: they would say what others say.",
    "items": "settings may declare items of table observations; each adds item_<name>_last (last, ever) and "
    "item_<name>_mean_24m (mean, 24 months) of observations.value where item in (<name>), each row.",
    "categories": "a feature with codes is the code itself",
    "numbers": "sums run in double precision; values are stored as float32",
}

_AGGREGATIONS = {
    A.COUNT: "number of observations; 0 if there are none",
    A.SUM: "sum of the observations",
    A.MEAN: "sum of the observations over their number",
    A.MIN: "smallest observation",
    A.MAX: "largest observation",
    A.STD: "standard deviation of the observations with n - 1; missing with fewer than 2",
    A.SLOPE: "least-squares slope of the observations over time in months: by the number of the calendar month "
    f"with each = month, by days / {DAYS_PER_MONTH:.9g} with each = row; missing with fewer than 2, or all on one "
    "day",
    A.LAST: "newest observation; of one day's rows, the last in the order of the key's codes (as their lists order "
    "them) and texts; missing parts of a key come first; see account",
    A.STEP: "newest observation less the one before it; missing with fewer than 2; see account",
    A.DAYS_SINCE: "days from the occurred_on of the newest row to the window's end",
    A.OPEN: "number of observations whose value is the window's end or later; 0 if there are none",
    A.RATIO: "sum of the observations over window_months; missing if there are none",
    A.MONTHLY: "Sum of the observations (0 if there are none) over the months that the account covers: from the "
    "later of the calendar month of the window's start and that of the account's oldest observation ever (window "
    "'ever', same skip) to that of its newest in the window, both counted, at most window_months. Missing if the "
    "account has no observation in the window.",
    A.BELOW: "number of observations below 1; missing if there are none",
    A.SHARE: "sum of the observations (0 if there are none) over the sum of those of the series in of, same "
    "window; missing if that is not above 0",
    A.PER: "newest observation over the newest one of the series in of (window 'ever', same skip); missing if that "
    "is not above 0; see account",
    A.MARGIN: "(mean - 1) / (standard deviation + cushion) of the observations; missing with fewer than 2",
    A.CHANGE: "mean of the observations less the mean of those in the same window 12 months before; missing if one "
    "is",
    A.LAST_CHANGE: "newest observation less the newest one in the same window 12 months before; missing if one is",
    A.ELAPSED: "days from the date that the newest observation holds to as_of; see account",
    A.AGE: "(calendar month of as_of less the month that the newest observation holds) / 12, months counted from "
    "1970-01",
    A.TERMS: "sum of factor times feature over the terms; missing if one of them is",
    A.CALENDAR: "of as_of alone: its calendar month, 1 to 12; or that month less 11, modulo 12",
}

_HOW = {
    How.COUNT: "number of members who pass the conditions; missing if the value is missing of all members",
    How.SHARE: "sum of the values of members who pass over the sum of those of all members, missing values left "
    "out; missing if that is not above 0",
    How.SUM: "sum of the values of members who pass; missing if there are none",
    How.MEAN: "sum of the values of members who pass over their number; missing if there are none",
    How.MIN: "smallest value of members who pass; missing if there are none",
    How.MAX: "largest value of members who pass; missing if there are none",
    How.CONCENTRATION: "sum of the squared values of members who pass over the square of their sum; missing if "
    "that is not above 0",
    How.OF_HEAD: "value of the head (see head); missing without one",
    How.OF_MAIN_EARNER: "value of the main earner (see main earner); missing without one",
}

_SCALES = {
    Scale.NONE: "1",
    Scale.LINE: "the household's line on the row's occurred_on (by period)",
    Scale.LINE_NOW: "the household's line on as_of, whatever the window",
    Scale.HEAD: "the line of one counted member on the row's occurred_on (by period), without the household's "
    "members",
}

_MISSING = {
    Missing.NOT_RECORDED: "stays missing",
    Missing.TOO_FEW: "stays missing",
    Missing.NEVER: "stays missing",
    Missing.ZERO: "replaced by 0",
    Missing.KNOWN: "never occurs",
}

_VALUES = {
    "1": "1 of each row; a column's name is that column: flags 1 or 0, dates as days",
    "incomes.amount_yuan": "the column, by period",
    "incomes.net_yuan": "amount_yuan, by period; negative for sources of kind cost (see source)",
    "visits.grade_total": "sum of the grades given of yard, house, cupboard, tap, health, children; missing if "
    "none is",
    "visits.n_looked_at": "number of those six that are given",
    "households.labour_share": "n_labour / n_members",
    "households.student_share": "n_students / n_members",
    "households.elderly_share": "n_elderly / n_members",
    "households.land_per_member": "land_mu / n_members",
    "households.orchard_per_member": "orchard_mu / n_members",
    "expenses.reimbursed_share": "reimbursed_yuan / total_yuan; missing unless total_yuan is above 0",
    "supports.runs_until": "ended_on; later than every day where it is missing",
    "employment.away": "1 if workplace is neither township nor county, 0 if it is one of them; missing if it is "
    "missing or the person is not employed",
    "employment.earned_yuan": "wage_yuan; 0 where it is missing and the person is not employed",
    "incomes.steady_yuan": f"net_yuan; 0 for parts {', '.join(ONE_OFF_PARTS)}",
    "members.still_member": "in_household; 1 where it is missing",
    "members.born_month": "calendar month of birth_month, counted from 1970-01",
    "members.schooling_years": "years of school: "
    + ", ".join(f"{code} {years}" for code, years in SCHOOLING_YEARS.items())
    + "; missing if schooling is",
    "members.student": "0 if at_school is no, 1 if it is another code; missing if it is",
    "members.chronic": "1 if health holds chronic, 0 if not; missing if it is",
    "members.major_illness": "1 if health holds major_illness, 0 if not; missing if it is",
    "members.disabled": "1 if health holds disabled, 0 if not; missing if it is",
    "members.not_fully_able": "1 if labour_skill is weak or lost, 0 if it is another; missing if it is",
    "members.medical_insured": f"1 if insurance holds one of {', '.join(MEDICAL)}, 0 if not; missing if it is",
    "members.pension_insured": f"1 if insurance holds one of {', '.join(PENSION)}, 0 if not; missing if it is",
    "employment.steady_pay_yuan": "earned_yuan less one_off_yuan (missing: 0)",
    "employment.temporary": f"1 if contract is one of {', '.join(TEMPORARY)}, 0 if it is another; missing if it is",
    "employment.domestic": "1 if industry is domestic, 0 if it is another; missing if it is",
    "employment.construction": "1 if industry is construction, 0 if it is another; missing if it is",
    "employment.family_worker": "1 if work_status is family_worker, 0 if it is another; missing if it is",
    "employment.unpaid": "Missing if the person is not employed. Else 1 if wage_yuan is 0, 0 if it is more; where "
    "it is missing, family_worker.",
    "account.balance_yuan": "The rows of incomes by period with net_yuan, and those of expenses with minus "
    "self_paid_yuan, together. A row of expenses counts only in calendar months that have some income (by period, "
    "in any version known before as_of, replaced or not, in the window or out of it).",
}


def _lines() -> list[tuple[str, str, str]]:
    from relapse_risk.records.codes import INCOME_KIND  # noqa: PLC0415

    lines = [("general", name, text) for name, text in _GENERAL.items()]
    lines += [("aggregation", one.value, _AGGREGATIONS[one]) for one in A]
    lines += [("across", HOW_WORDS[one], _HOW[one]) for one in How]
    lines += [("scale", one.name.lower(), _SCALES[one]) for one in Scale]
    lines += [("missing", one.name.lower(), _MISSING[one]) for one in Missing]
    derived = {f"{table}.{value}" for table, value in DERIVATIONS}
    assert derived <= set(_VALUES), derived - set(_VALUES)  # noqa: S101
    lines += [("value", name, text) for name, text in _VALUES.items()]
    return lines + [("source", source, kind) for source, kind in INCOME_KIND.items()]


#: Kind of word, word, meaning.
DEFINITIONS = tuple(_lines())
