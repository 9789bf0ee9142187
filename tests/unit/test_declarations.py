"""A feature that cannot be computed or explained is refused where it is declared."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from relapse_risk.errors import UsageError
from relapse_risk.features.catalogue import catalogue
from relapse_risk.features.declare import EVER, Across, Aggregation, Condition, How, Series
from relapse_risk.features.plan import make_plan
from relapse_risk.settings import Settings

FEATURES = catalogue(Settings())
PLAIN = next(f for f in FEATURES if f.aggregation is Aggregation.MEAN and f.window)
CODED = next(f for f in FEATURES if f.codes)
MONTHLY = next(f for f in FEATURES if f.aggregation is Aggregation.MONTHLY)
ACROSS = next(f for f in FEATURES if f.across and f.across.where)
assert ACROSS.across
JOB = next(f for f in FEATURES if f.across and f.account)
PERSON = ACROSS.across.where[0].value
TERMS = next(f for f in FEATURES if f.terms)
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
        (PLAIN, {"series": Series("visits", "yard", by_person=True)}, "visits by person. Valid tables: members"),
        (PLAIN, {"across": Across(How.SUM)}, "of no series by person. Set by_person=True"),
        (JOB, {"account": PLAIN.series}, "must be by person all, or none"),
        (ACROSS, {"across": Across(How.OF_HEAD, ACROSS.across.where)}, "of the head takes no conditions"),
        (
            ACROSS,
            {"across": Across(How.SUM, (Condition(PLAIN),))},
            f"a condition on {PLAIN.name}. Valid: a value of",
        ),
        (
            ACROSS,
            {"across": Across(How.SUM, (Condition(PERSON, 2.0, 2.0),))},
            "from 2.0 to below 2.0. Set low below",
        ),
        (TERMS, {"terms": ((1.0, PERSON),)}, "a term is a person's value. Say how it is taken across"),
        (PLAIN, {"aggregation": Aggregation.CHANGE, "window": EVER}, "needs a window in months"),
    ],
)
def test_a_declaration_that_makes_no_sense_is_refused_by_name(
    feature: Any, change: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError, match=rf"(?s)feature {feature.name}: .*{message}"):
        replace(feature, **change)


def test_a_person_s_value_is_no_feature_of_a_household() -> None:
    with pytest.raises(UsageError, match=f"{PERSON.name}: values of persons, not of households"):
        make_plan((PERSON,))
