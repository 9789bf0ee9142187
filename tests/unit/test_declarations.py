"""A feature that cannot be computed or explained is refused where it is declared."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from relapse_risk.errors import UsageError
from relapse_risk.features.catalogue import catalogue
from relapse_risk.features.declare import EVER, Aggregation, Series
from relapse_risk.settings import Settings

FEATURES = catalogue(Settings())
PLAIN = next(f for f in FEATURES if f.aggregation is Aggregation.MEAN and f.window)
CODED = next(f for f in FEATURES if f.codes)
MONTHLY = next(f for f in FEATURES if f.aggregation is Aggregation.MONTHLY)
SHARE = next(f for f in FEATURES if f.aggregation is Aggregation.SHARE)


@pytest.mark.parametrize(
    ("feature", "change", "message"),
    [
        (PLAIN, {"series": Series("rumours")}, "no table 'rumours'"),
        (PLAIN, {"risk_type": "bad luck"}, "'bad luck'. Valid: "),
        (PLAIN, {"monotone": 2}, "monotone=2. Valid: -1, 0, 1"),
        (CODED, {"monotone": 1}, "0 for a category"),
        (SHARE, {"of": None}, "says what it is of"),
        (PLAIN, {"of": PLAIN.series}, "says what it is of"),
        (MONTHLY, {"account": Series("incomes", by_month=True)}, "scale NONE. Valid: the series' own, LINE"),
        (PLAIN, {"account": PLAIN.series}, "An account goes with "),
        (PLAIN, {"aggregation": Aggregation.CHANGE, "window": EVER}, "needs a window in months"),
    ],
)
def test_a_declaration_that_makes_no_sense_is_refused_by_name(
    feature: Any, change: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError, match=rf"(?s)feature {feature.name}: .*{message}"):
        replace(feature, **change)
