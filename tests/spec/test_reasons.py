"""Which reasons are given for a household, on contributions written by hand."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from relapse_risk.features.catalogue import catalogue
from relapse_risk.features.declare import Feature
from relapse_risk.model.grouping import Explanation
from relapse_risk.model.inputs import FeatureReference
from relapse_risk.model.reasons import REASONS_TYPE, Explainer, Reason, as_records

NAMES = ("medical_paid_12m", "n_chronic", "net_last", "net_mean_12m", "yard_last", "visit_count_2m")
ILLNESS, INCOME, LIVING = "illness", "income", "living_conditions"


@pytest.fixture(scope="module")
def reasons_of() -> Callable[..., list[Reason]]:
    """Reasons of contributions, one for each of ``NAMES``."""
    known = {feature.name: feature for feature in catalogue()}
    features: tuple[Feature, ...] = tuple(known[name] for name in NAMES)
    explainer = Explainer(features, {name: FeatureReference(0.0, (0.0, 1.0, 2.0)) for name in NAMES})

    def reasons(contributions: list[float], at_most: int = 3) -> list[Reason]:
        return reasons_by(explainer, [1.0] * len(NAMES), contributions, at_most)

    return reasons


def reasons_by(
    explainer: Explainer, values: list[float], contributions: list[float], at_most: int = 3
) -> list[Reason]:
    """The reasons of one row."""
    explanation = Explanation.of_size(1, len(explainer.groups), at_most)
    explanation.fill(slice(None), np.array([contributions]).T, explainer.group_of)
    return explainer.reasons(np.array([values], np.float32), explanation).of(0)


@pytest.mark.parametrize(
    ("contributions", "groups", "features"),
    [
        # a group is worded by its feature of the largest contribution, at any position
        ([0.1, 0.5, 0.0, 0.0, 0.0, 0.0], [ILLNESS], ["n_chronic"]),
        ([0.5, 0.1, 0.0, 0.0, 0.0, 0.0], [ILLNESS], ["medical_paid_12m"]),
        # the group of the largest contribution comes first, by its sum and not by its largest feature
        ([0.3, 0.3, 0.5, 0.0, 0.0, 0.0], [ILLNESS, INCOME], ["medical_paid_12m", "net_last"]),
        ([0.1, 0.0, 0.2, 0.1, 0.25, 0.0], [INCOME, LIVING, ILLNESS], ["net_last", "yard_last", "medical_paid_12m"]),
        # of equal ones the first in the order of groups and features
        ([0.2, 0.2, 0.2, 0.2, 0.4, 0.0], [ILLNESS, INCOME, LIVING], ["medical_paid_12m", "net_last", "yard_last"]),
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


def test_reasons_of_many_rows_are_those_of_each_row() -> None:
    """Lists and Arrow hold what each row's own reasons say; rows may have none, and values may be missing."""
    known = {feature.name: feature for feature in catalogue()}
    explainer = Explainer(
        tuple(known[name] for name in NAMES), {name: FeatureReference(0.0, (0.0, 1.0, 2.0)) for name in NAMES}
    )
    rng = np.random.default_rng(0)
    contributions = rng.normal(-0.3, 1, (len(NAMES), 50))
    contributions[:, 7] = -1.0
    matrix = rng.choice(np.array([0, 0.25, 3, np.nan], np.float32), (50, len(NAMES)))
    explanation = Explanation.of_size(50, len(explainer.groups), 3)
    explanation.fill(slice(None), contributions, explainer.group_of)
    reasons = explainer.reasons(matrix, explanation)
    each = [reasons.of(k) for k in range(50)]
    assert {len(of_row) for of_row in each} == {0, 1, 2, 3}
    assert {reason.value for of_row in each for reason in of_row} == {0.0, 0.25, 3.0, None}
    assert reasons.to_list() == each
    table = reasons.to_arrow()
    table.validate(full=True)
    assert table.type == REASONS_TYPE
    assert table.to_pylist() == [as_records(of_row) for of_row in each]
    shared = {id(r.zh) for of_row in reasons.to_list() for r in of_row}
    assert len(shared) == len({r.zh for of_row in each for r in of_row})


def test_no_rows_have_no_reasons_and_the_same_type() -> None:
    (feature,) = (f for f in catalogue() if f.name == "dibao")
    explainer = Explainer((feature,), {"dibao": FeatureReference(0.0, ())})
    reasons = explainer.reasons(np.empty((0, 1), np.float32), Explanation.of_size(0, 1, 3))
    assert len(reasons) == 0
    assert reasons.to_list() == []
    assert reasons.to_arrow().type == REASONS_TYPE


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
    (reason,) = reasons_by(explainer, [value], [0.5])
    assert reason.zh.endswith(zh)
    assert reason.en.endswith(en)
