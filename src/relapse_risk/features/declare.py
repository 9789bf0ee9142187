"""The words features are declared in."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from enum import Enum, IntEnum

from relapse_risk.errors import UsageError
from relapse_risk.records.codes import Codes, Label
from relapse_risk.records.tables import TABLES

#: Months a year-on-year comparison looks back.
YEAR = 12
#: "Ever": no start.
EVER = None
#: Series of the as_of date itself, which need no records.
CALENDAR = "calendar"
#: The household's account, month by month: what came in, less costs and self-paid spending (features/account.py).
ACCOUNT = "account"
#: The record tables it is made of; without the first there is none.
ACCOUNT_OF = ("incomes", "expenses")


class Aggregation(Enum):
    """How the observations in a window become one number; the value is the name in the data dictionary."""

    COUNT = "count"
    SUM = "sum"
    MEAN = "mean"
    MIN = "min"
    MAX = "max"
    STD = "std"
    SLOPE = "slope"
    LAST = "last"
    STEP = "step"
    DAYS_SINCE = "days since"
    OPEN = "open"
    RATIO = "sum a month of the window"
    MONTHLY = "sum a month accounted for"
    BELOW = "count below the line"
    SHARE = "share"
    PER = "last value per unit of another"
    MARGIN = "distance from the line in standard deviations"
    CHANGE = "change on the year"
    LAST_CHANGE = "change of the last value on the year"
    ELAPSED = "days since the date held"
    AGE = "years since the month held"
    TERMS = "sum of terms"
    CALENDAR = "calendar"


class How(IntEnum):
    """How the values of a household's members become one number; see ``HOW_WORDS``."""

    COUNT = 0
    SHARE = 1
    SUM = 2
    MEAN = 3
    MIN = 4
    MAX = 5
    CONCENTRATION = 6
    OF_HEAD = 7
    OF_MAIN_EARNER = 8


HOW_WORDS: dict[How, str] = {
    How.COUNT: "number of members",
    How.SHARE: "share of all members' sum",
    How.SUM: "sum of members",
    How.MEAN: "mean of members",
    How.MIN: "smallest of members",
    How.MAX: "largest of members",
    How.CONCENTRATION: "sum of squared shares of members",
    How.OF_HEAD: "of the head",
    How.OF_MAIN_EARNER: "of the main earner",
}
#: One member is chosen, whatever the others are.
OF_ONE_MEMBER = (How.OF_HEAD, How.OF_MAIN_EARNER)
#: The tables that record persons.
PERSON_TABLES = ("members", "employment")


class Scale(IntEnum):
    """What a value is divided by.

    A line is always a month's: the amount in force, taken to a month, for the members it counts.
    """

    NONE = 0
    #: The household's line on the row's day.
    LINE = 1
    #: The household's line on the as_of day.
    LINE_NOW = 2
    #: One head's line on the row's day.
    HEAD = 3


class Missing(Enum):
    """What a missing value of a feature means, or what replaces it."""

    NOT_RECORDED = Label("无记录", "nothing was recorded in the window")
    TOO_FEW = Label("记录不足", "too few records in the window")
    NEVER = Label("从未发生", "it never happened, as far as is known")
    ZERO = Label("无记录即为零，从不缺失", "no record means none: zero, never missing")
    KNOWN = Label("从不缺失", "never missing")


#: Reason groups: the national form's risk types, and three for what they do not name.
REASON_GROUPS: dict[str, Label] = {
    "illness": Label("因病", "illness"),
    "schooling": Label("因学", "schooling"),
    "disability": Label("因残", "disability"),
    "natural_disaster": Label("因自然灾害", "natural disaster"),
    "accident": Label("因意外事故", "accident"),
    "industry_failure": Label("因产业项目失败", "failed farm or business project"),
    "unstable_work": Label("因务工就业不稳", "unstable work"),
    "labour_shortage": Label("缺劳动力", "shortage of labour"),
    "unsafe_water": Label("因安全饮水", "unsafe water"),
    "income": Label("收入水平", "income level"),
    "living_conditions": Label("生活状况", "living conditions"),
    "history": Label("贫困与帮扶经历", "history of poverty and support"),
    "other": Label("其他", "other"),
}


@dataclass(frozen=True)
class Series:
    """Observations of one kind: some rows of a table, and a number of each.

    Parameters
    ----------
    table : str
        Where the rows are.
    value : str, optional
        Column, or name of a derivation (``relapse_risk.features.derive``); left out, each row counts 1.
    where : tuple of (str, tuple of str)
        Code columns and the codes a row must have one of; for flags, ``("true",)`` or ``("false",)``.
    by_month : bool
        Take a calendar month's total as one observation, rather than a row.
    scale : Scale
        What the value is divided by.
    by_person : bool
        Whether each person's rows are a series of their own, rather than the household's together.
    """

    table: str
    value: str | None = None
    where: tuple[tuple[str, tuple[str, ...]], ...] = ()
    by_month: bool = False
    scale: Scale = Scale.NONE
    by_person: bool = False


@dataclass(frozen=True)
class Condition:
    """What a member must be to count.

    Parameters
    ----------
    value : Feature
        A person's value: of a series by person, not taken across members.
    low, high : float
        The member counts if ``low <= value < high``; one without the value does not.
    """

    value: Feature
    low: float = -math.inf
    high: float = math.inf


@dataclass(frozen=True)
class Across:
    """How a person's value becomes the household's: taken across its members on the as_of day.

    Members are the persons with a visible row in ``members`` or ``employment``, but for those whose latest visible
    row of ``members`` says that they left.

    Parameters
    ----------
    how : How
        What is taken.
    where : tuple of Condition
        What a member must be, all of it, to count.
    with_left : bool
        Whether persons who left count too.
    """

    how: How
    where: tuple[Condition, ...] = ()
    with_left: bool = False


@dataclass(frozen=True)
class Feature:
    """One feature, declared once for computation, dictionary, reasons and constraints.

    Parameters
    ----------
    name : str
        Column name.
    label : Label
        What it is, zh and en.
    unit : str
        Unit of the value.
    series : Series
        What is aggregated.
    aggregation : Aggregation
        How.
    window : int, optional
        Months back from as_of; left out, everything ever.
    skip : int
        Months the window ends before as_of.
    of : Series, optional
        The whole that a share is taken of, or what a value is divided by.
    missing : Missing
        What a missing value means; ``ZERO`` puts 0 in its place.
    risk_type : str
        A reason group.
    monotone : {-1, 0, 1}
        Direction risk must follow as the value rises; 0 where the field is not sure.
    codes : Codes, optional
        For a category: its codes, in the order of their numbers.
    account : Series, optional
        All observations that ``series`` is a part of, by month. With ``LAST`` (``STEP`` and ``PER`` too), a value
        older than the account's latest month is missing. With ``MONTHLY``, the sum is divided by the months that
        the account covers, and is 0 where only other parts of the account have observations. ``MONTHLY`` is
        missing where no part has any, or the line is unknown: the account must have the scale of ``series``.
    terms : tuple of (float, Feature)
        What a sum of terms adds up: factors and features.
    cushion : float
        Added to a standard deviation before dividing by it, in the value's unit: two equal months do not make a
        household infinitely safe.
    across : Across, optional
        For a series by person: how the household's value is taken from its members'. A series by person without
        it declares a person's value, which conditions and features across members refer to.
    """

    name: str
    label: Label
    unit: str
    series: Series
    aggregation: Aggregation
    window: int | None = EVER
    skip: int = 0
    of: Series | None = None
    missing: Missing = Missing.NOT_RECORDED
    risk_type: str = "other"
    monotone: int = 0
    codes: Codes | None = field(default=None, repr=False, hash=False)
    account: Series | None = None
    terms: tuple[tuple[float, Feature], ...] = ()
    cushion: float = 0.0
    across: Across | None = None

    @property
    def table(self) -> str | None:
        """The record table that the feature is of; None for the calendar."""
        name = self.series.table
        return None if name == CALENDAR else ACCOUNT_OF[0] if name == ACCOUNT else name

    @property
    def tables(self) -> frozenset[str]:
        """The record tables without which the feature says nothing."""
        names = {self.table} if self.table else set()
        if self.across:
            names |= {condition.value.series.table for condition in self.across.where}
            names |= {How.OF_HEAD: {"members"}, How.OF_MAIN_EARNER: {"employment"}}.get(self.across.how, set())
        return frozenset(names.union(*(term.tables for _, term in self.terms if term.across)))

    @property
    def is_of_persons(self) -> bool:
        """Whether this is a person's value, which is no feature of a household yet."""
        return self.series.by_person and self.across is None and not self.terms

    def __post_init__(self) -> None:
        a = self.aggregation
        if self.series.table not in (*TABLES, ACCOUNT, CALENDAR):
            raise UsageError(f"feature {self.name}: no table {self.series.table!r}")
        if self.risk_type not in REASON_GROUPS:
            raise UsageError(
                f"feature {self.name}: risk type {self.risk_type!r}. Valid: {', '.join(REASON_GROUPS)}."
            )
        if self.monotone not in (-1, 0, 1) or (self.codes and self.monotone):
            raise UsageError(f"feature {self.name}: monotone={self.monotone}. Valid: -1, 0, 1; 0 for a category.")
        if (a in OF_ANOTHER) != (self.of is not None):
            raise UsageError(f"feature {self.name}: a share or a ratio, and nothing else, says what it is of")
        if (a is Aggregation.MONTHLY and self.account is None) or (self.account and a not in OF_ACCOUNTS):
            valid = ", ".join(one.value for one in OF_ACCOUNTS)
            raise UsageError(f"feature {self.name}: {a.value!r} and account. An account goes with {valid}.")
        if a is Aggregation.MONTHLY and self.account and self.account.scale is not self.series.scale:
            raise UsageError(
                f"feature {self.name}: account in scale {self.account.scale.name}. "
                f"Valid: the series' own, {self.series.scale.name}."
            )
        if (a is Aggregation.TERMS) != bool(self.terms):
            raise UsageError(f"feature {self.name}: a sum of terms, and nothing else, has terms")
        if a in WITHIN and self.window is EVER:
            raise UsageError(f"feature {self.name}: {a.value} needs a window in months")
        self._check_persons()

    def _check_persons(self) -> None:
        of_person = self.series.by_person and not self.terms
        for series in (self.series, self.of, self.account):
            if series and series.by_person and series.table not in PERSON_TABLES:
                raise UsageError(
                    f"feature {self.name}: {series.table} by person. Valid tables: {', '.join(PERSON_TABLES)}."
                )
            if series and not self.terms and series.by_person != self.series.by_person:
                raise UsageError(f"feature {self.name}: series, of and account must be by person all, or none")
        if any(term.is_of_persons for _, term in self.terms):
            raise UsageError(
                f"feature {self.name}: a term is a person's value. Say how it is taken across members."
            )
        if self.across is None:
            return
        if not of_person:
            raise UsageError(f"feature {self.name}: across members, of no series by person. Set by_person=True.")
        if self.across.where and self.across.how in OF_ONE_MEMBER:
            raise UsageError(f"feature {self.name}: {HOW_WORDS[self.across.how]} takes no conditions")
        for condition in self.across.where:
            if not condition.value.is_of_persons:
                raise UsageError(
                    f"feature {self.name}: a condition on {condition.value.name}. "
                    "Valid: a value of a series by person, not taken across members."
                )
            if not condition.low < condition.high:
                raise UsageError(
                    f"feature {self.name}: no {condition.value.name} lies from {condition.low} to below "
                    f"{condition.high}. Set low below high."
                )


#: Aggregations that say what they are of.
OF_ANOTHER = (Aggregation.SHARE, Aggregation.PER)
#: Of these, those that are missing where the account's latest month has nothing of the series.
LATEST_OF_ACCOUNTS = (Aggregation.LAST, Aggregation.STEP, Aggregation.PER, Aggregation.ELAPSED)
#: Aggregations that may name the account they belong to; a sum a month accounted for must.
OF_ACCOUNTS = (Aggregation.MONTHLY, *LATEST_OF_ACCOUNTS)
#: Aggregations that need a window in months.
WITHIN = (Aggregation.RATIO, Aggregation.MONTHLY, Aggregation.CHANGE)
