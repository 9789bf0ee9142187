"""The words features are declared in."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from relapse_risk.errors import UsageError
from relapse_risk.records.codes import Codes, Label
from relapse_risk.records.tables import TABLES

#: Months a year-on-year comparison looks back.
YEAR = 12
#: "Ever": no start.
EVER = None


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
    RATIO = "ratio to the line"
    BELOW = "count below the line"
    SHARE = "share"
    PER = "last value per unit of another"
    MARGIN = "distance from the line in standard deviations"
    CHANGE = "change on the year"
    LAST_CHANGE = "change of the last value on the year"
    ELAPSED = "days since the date held"
    CALENDAR = "calendar"


class Missing(Enum):
    """What a missing value of a feature means, or what stands in its place."""

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
    in_line_units : bool
        Divide money by the household's monthly line of its day.
    """

    table: str
    value: str | None = None
    where: tuple[tuple[str, tuple[str, ...]], ...] = ()
    by_month: bool = False
    in_line_units: bool = False


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

    def __post_init__(self) -> None:
        if self.series.table not in (*TABLES, "calendar"):
            raise UsageError(f"feature {self.name}: no table {self.series.table!r}")
        if self.risk_type not in REASON_GROUPS:
            raise UsageError(
                f"feature {self.name}: risk type {self.risk_type!r}. Valid: {', '.join(REASON_GROUPS)}."
            )
        if self.monotone not in (-1, 0, 1) or (self.codes and self.monotone):
            raise UsageError(f"feature {self.name}: monotone={self.monotone}. Valid: -1, 0, 1; 0 for a category.")
        if (self.aggregation in (Aggregation.SHARE, Aggregation.PER)) != (self.of is not None):
            raise UsageError(f"feature {self.name}: a share or a ratio, and nothing else, says what it is of")
        if self.aggregation in (Aggregation.RATIO, Aggregation.CHANGE) and self.window is EVER:
            raise UsageError(f"feature {self.name}: {self.aggregation.value} needs a window in months")
