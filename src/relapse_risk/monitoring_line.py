"""The monitoring line as published: what a county's records are read with until the county names its own.

Per-capita net income of twelve months, in yuan. Provinces set the line every year and few publish it; where one
year's line of the county's own province is not known, another province's stands in for it. A county that knows its
own line says it under ``[settings.line]``.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

#: Months of income that the amounts stand for.
MONTHS = 12


@dataclass(frozen=True)
class PublishedLine:
    """The line from a day on.

    Parameters
    ----------
    since : date
        First day it holds.
    yuan : float
        Per member and twelve months.
    source : str
        Who published it.
    """

    since: dt.date
    yuan: float
    source: str


PUBLISHED = (
    PublishedLine(
        dt.date(2015, 1, 1), 5_000.0, "Nanxian, Hunan: survey of households at the edge of poverty, 2019"
    ),
    PublishedLine(
        dt.date(2020, 1, 1),
        6_000.0,
        "State Council's leading group, 2020-03-20: about 1.5 times the national standard; Wuxi, Chongqing, 2021",
    ),
    PublishedLine(dt.date(2022, 1, 1), 6_900.0, "Shiyan, Hubei, 2022"),
    PublishedLine(dt.date(2023, 1, 1), 7_500.0, "survey plan of a province that is not named, 2023"),
    PublishedLine(dt.date(2024, 1, 1), 8_800.0, "rules of a province that is not named, 2024; Yunnan, 2025: 8,700"),
)
"""In order. Chongqing's own after 2021 were not found."""
