"""Which reasons are given for a household, on contributions written by hand."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from relapse_risk.features.catalogue import catalogue
from relapse_risk.features.declare import Feature
from relapse_risk.model.inputs import FeatureReference
from relapse_risk.model.reasons import Explainer, Reason

NAMES = ("medical_paid_12m", "n_chronic", "net_last", "net_mean_12m", "yard_last", "visit_count_2m")
ILLNESS, INCOME, LIVING = "illness", "income", "living_conditions"


@pytest.fixture(scope="module")
def reasons_of() -> Callable[..., list[Reason]]:
    """Reasons of contributions, one for each of ``NAMES``."""
    known = {feature.name: feature for feature in catalogue()}
    features: tuple[Feature, ...] = tuple(known[name] for name in NAMES)
    explainer = Explainer(features, {name: FeatureReference(0.0, (0.0, 1.0, 2.0)) for name in NAMES})

    def reasons(contributions: list[float], at_most: int = 3) -> list[Reason]:
        row = np.array([[*contributions, -3.0]])
        return explainer.reasons(np.ones(len(NAMES), np.float32), row[0], explainer.by_group(row)[0], at_most)

    return reasons


@pytest.mark.parametrize(
    ("contributions", "groups", "features"),
    [
        # a group is worded by its feature of the largest contribution, at any position
        ([0.1, 0.5, 0.0, 0.0, 0.0, 0.0], [ILLNESS], ["n_chronic"]),
        ([0.5, 0.1, 0.0, 0.0, 0.0, 0.0], [ILLNESS], ["medical_paid_12m"]),
        # the group of the largest contribution comes first, by its sum and not by its largest feature
        ([0.3, 0.3, 0.5, 0.0, 0.0, 0.0], [ILLNESS, INCOME], ["medical_paid_12m", "net_last"]),
        ([0.1, 0.0, 0.2, 0.1, 0.25, 0.0], [INCOME, LIVING, ILLNESS], ["net_last", "yard_last", "medical_paid_12m"]),
        # a group that lowers the risk on the whole is no reason, whatever one of its features does
        ([0.4, -0.5, 0.0, 0.0, 0.1, 0.0], [LIVING], ["yard_last"]),
        ([-0.1, -0.1, -0.1, -0.1, -0.1, -0.1], [], []),
    ],
)
def test_the_groups_and_features_with_the_largest_contributions_are_named(
    reasons_of: Callable[..., list[Reason]], contributions: list[float], groups: list[str], features: list[str]
) -> None:
    reasons = reasons_of(contributions)
    assert [reason.group for reason in reasons] == groups
    assert [reason.feature for reason in reasons] == features


def test_no_more_reasons_are_given_than_asked_for(reasons_of: Callable[..., list[Reason]]) -> None:
    contributions = [0.1, 0.0, 0.2, 0.0, 0.3, 0.4]
    assert [r.group for r in reasons_of(contributions, 2)] == ["other", LIVING]
    assert reasons_of(contributions, 0) == []


def test_a_reason_has_the_whole_contribution_of_its_group(reasons_of: Callable[..., list[Reason]]) -> None:
    (reason,) = reasons_of([0.5, -0.2, 0.0, 0.0, 0.0, 0.0])
    assert reason.contribution == pytest.approx(0.3)
    assert reason.value == 1.0


@pytest.mark.parametrize(
    ("name", "value", "missing", "zh", "en"),
    [
        ("dibao", 1.0, 0.0, "为是(通常是)", ": yes (usually yes)"),
        ("dibao", 0.0, 0.0, "为否(通常是)", ": no (usually yes)"),
        ("n_chronic", 1.0, 0.0, "为1人(通常1人)", ": 1 persons (usually 1 persons)"),
        ("n_chronic", 2.0, 0.5, "为2人(通常1人)", ": 2 persons (usually 1 persons)"),
        ("n_chronic", 2.0, 0.6, "为2人(通常无记录)", ": 2 persons (usually nothing was recorded in the window)"),
    ],
)
def test_a_value_is_given_with_the_usual_one(name: str, value: float, missing: float, zh: str, en: str) -> None:
    """Flags are worded as yes and no; where most households have no value, none is the usual one."""
    (feature,) = (f for f in catalogue() if f.name == name)
    explainer = Explainer((feature,), {name: FeatureReference(missing, tuple([1.0] * 11))})
    row = np.array([[0.5, -3.0]])
    (reason,) = explainer.reasons(np.array([value], np.float32), row[0], explainer.by_group(row)[0], 1)
    assert reason.zh.endswith(zh)
    assert reason.en.endswith(en)
