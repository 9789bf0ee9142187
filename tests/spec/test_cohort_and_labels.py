"""Who is scored, who is learned from, what happened next: as tables."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pandas as pd
import pytest
from tests.support import ascii as drawn

from relapse_risk.cohorts import attrition, cohort, cohort_flags, cycles
from relapse_risk.errors import UsageError
from relapse_risk.labelling import label_counts, labels, matures_on
from relapse_risk.settings import CycleSettings, OutcomeSettings
from relapse_risk.training.dataset import make_dataset

STATUSES = """
households
| household_id | occurred_on | known_on   | lifted_on  |
| never        | 2015-01-01  | 2015-01-01 |            |
| was_poor     | 2015-01-01  | 2015-01-01 |            |
| lifted       | 2015-01-01  | 2015-01-01 | 2018-06-01 |
| poor_now     | 2015-01-01  | 2015-01-01 |            |
| late_record  | 2015-01-01  | 2015-01-01 |            |
| newcomer     | 2024-02-01  | 2024-04-01 |            |
statuses
| household_id | occurred_on | known_on   | poor |
| never        | 2024-01-15  | 2024-01-15 | no   |
| was_poor     | 2022-01-10  | 2022-01-10 | yes  |
| was_poor     | 2023-01-10  | 2023-01-10 | no   |
| lifted       | 2023-12-15  | 2023-12-15 | no   |
| poor_now     | 2024-02-10  | 2024-02-10 | yes  |
| late_record  | 2024-01-10  | 2024-01-10 | no   |
| late_record  | 2024-02-10  | 2024-03-05 | yes  |
"""
PANEL = {"outcome": {"kind": "panel"}, "cohort": {"status_within_months": 3}}


@pytest.mark.parametrize(
    ("sections", "purpose", "as_of", "expected"),
    [
        ({}, "score", "2024-03-01", ["lifted", "was_poor"]),
        ({}, "train", "2024-03-01", ["late_record", "lifted", "never", "was_poor"]),
        # what came in on 03-05 is known from 03-06 on
        ({}, "train", "2024-03-05", ["late_record", "lifted", "never", "was_poor"]),
        ({}, "train", "2024-03-06", ["lifted", "never", "was_poor"]),
        # the newcomer's profile came in late; where all identifications are recorded, no status says not poor
        ({}, "train", "2024-04-02", ["lifted", "never", "newcomer", "was_poor"]),
        ({"cohort": {"previously_poor_only": False}}, "score", "2024-03-01",
         ["late_record", "lifted", "never", "was_poor"]),
        ({"cohort": {"train_on": "cohort"}}, "train", "2024-03-01", ["lifted", "was_poor"]),
        ({"cohort": {"train_on": "observed"}}, "train", "2024-03-01",
         ["late_record", "lifted", "never", "poor_now", "was_poor"]),
        # a panel's status of fourteen months ago says nothing of now
        (PANEL, "score", "2024-03-01", ["lifted"]),
        (PANEL, "train", "2024-03-01", ["late_record", "lifted", "never"]),
        (PANEL, "train", "2024-04-16", []),
    ],
)  # fmt: skip
def test_the_cohort_of_a_day(sections: dict[str, object], purpose: str, as_of: str, expected: list[str]) -> None:
    records = drawn.records(STATUSES, drawn.settings(**sections))
    index = cohort(records, as_of, purpose=purpose)  # type: ignore[arg-type]
    assert index.get_level_values("household_id").tolist() == expected


def test_a_round_on_the_day_itself_lies_in_the_horizon() -> None:
    outcome = OutcomeSettings(horizon_months=1, kind="panel", reporting_lag_days=0, rounds=("03-31", "04-30"))
    assert matures_on("2024-03-31", outcome) == dt.date(2024, 4, 1)
    assert matures_on("2024-04-01", outcome) == dt.date(2024, 5, 1)


def test_lifted_before_means_before_the_date() -> None:
    records = drawn.records(
        """
        households
        | household_id | occurred_on | lifted_on  | n_members |
        | before       | 2020-01-01  | 2024-02-29 | 3         |
        | on the day   | 2020-01-01  | 2024-03-01 | 3         |
        | never        | 2020-01-01  |            | 3         |
        """
    )
    assert list(cohort(records, "2024-03-01").get_level_values("household_id")) == ["before"]
    assert list(cohort(records, "2024-03-02").get_level_values("household_id")) == ["before", "on the day"]


def test_every_cohort_comes_with_an_attrition_table() -> None:
    table = attrition(drawn.records(STATUSES, drawn.settings(**PANEL)), ["2024-03-01", "2024-04-16"])
    assert list(table.index) == list(range(len(table)))
    rows = [(str(r.as_of), r.rule, r.removed, r.left) for r in table.itertuples()]
    assert rows == [
        ("2024-03-01", "no profile yet", 1, 5),
        ("2024-03-01", "no status within 3 months", 1, 4),
        ("2024-03-01", "poor at the latest status", 1, 3),
        ("2024-03-01", "never poor or lifted before", 2, 1),
        ("2024-04-16", "no profile yet", 0, 6),
        ("2024-04-16", "no status within 3 months", 4, 2),
        ("2024-04-16", "poor at the latest status", 2, 0),
        ("2024-04-16", "never poor or lifted before", 0, 0),
    ]


def test_cohort_flags_say_who_is_not_poor_and_who_was_poor_before() -> None:
    pairs = drawn.index(*((h, "2024-03-01") for h in ("never", "was_poor", "lifted", "poor_now")))
    not_poor, poor_before = cohort_flags(drawn.records(STATUSES), pairs)
    assert not_poor.tolist() == [True, True, True, False]
    assert poor_before.tolist() == [False, True, True, True]


@pytest.mark.parametrize(
    ("as_of", "outcome", "expected"),
    [
        ("2024-01-01", {"horizon_months": 6, "reporting_lag_days": 30}, "2024-07-31"),
        ("2024-01-01", {"horizon_months": 6, "reporting_lag_days": 0}, "2024-07-01"),
        ("2023-08-31", {"horizon_months": 6, "reporting_lag_days": 0}, "2024-02-29"),
        # a panel's rounds: the last one inside the horizon decides
        ("2018-04-01", {"horizon_months": 4, "reporting_lag_days": 0, "rounds": ["03-31", "06-30"]}, "2018-07-01"),
        ("2018-04-01", {"horizon_months": 13, "reporting_lag_days": 0, "rounds": ["03-31", "06-30"]}, "2019-04-01"),
        ("2018-04-01", {"horizon_months": 13, "reporting_lag_days": 9, "rounds": ["03-31"]}, "2019-04-10"),
        # no round inside: nothing can be observed, the horizon's own end counts
        ("2018-04-01", {"horizon_months": 2, "reporting_lag_days": 0, "rounds": ["03-31"]}, "2018-06-01"),
    ],
)
def test_a_label_is_mature_when_all_that_can_fall_into_it_is_in(
    as_of: str, outcome: dict[str, object], expected: str
) -> None:
    assert matures_on(as_of, OutcomeSettings.model_validate(outcome)) == dt.date.fromisoformat(expected)


OUTCOMES = """
statuses
| household_id | occurred_on | known_on   | poor |
| on_the_day   | 2024-01-01  | 2024-01-01 | yes  |
| last_day     | 2024-06-30  | 2024-07-10 | yes  |
| day_after    | 2024-07-01  | 2024-07-01 | yes  |
| back_again   | 2024-02-01  | 2024-02-01 | yes  |
| back_again   | 2024-06-01  | 2024-06-01 | no   |
| corrected    | 2024-03-01  | 2024-03-02 | yes  |
| corrected    | 2024-03-01  | 2024-05-01 | no   |
| fine         | 2024-03-01  | 2024-03-01 | no   |
| unseen       | 2023-03-01  | 2023-03-01 | no   |
"""
NAMES = ("on_the_day", "last_day", "day_after", "back_again", "corrected", "fine", "unseen")


@pytest.mark.parametrize(
    ("kind", "end", "expected"),
    [
        ("registry", "2024-07-31", ["poor", "poor", "not", "poor", "not", "not", "not"]),
        ("panel", "2024-07-31", ["poor", "poor", "?", "poor", "not", "not", "?"]),
        # a day short of the lag, nothing is mature, not even what is already known to be poor
        ("registry", "2024-07-30", ["?"] * 7),
        ("panel", "2024-07-30", ["?"] * 7),
    ],
)
def test_labels_of_january_six_months_on(kind: str, end: str, expected: list[str]) -> None:
    used = drawn.settings(outcome={"kind": kind, "horizon_months": 6, "reporting_lag_days": 30}, data={"end": end})
    records = drawn.records(OUTCOMES, used)
    pairs = drawn.index(*((name, "2024-01-01") for name in NAMES))
    found = ["?" if pd.isna(y) else ("poor" if y else "not") for y in labels(records, pairs)]
    assert found == expected
    counts = label_counts(records, pairs)
    assert counts["positive"] == expected.count("poor")
    assert counts["negative"] == expected.count("not")
    assert counts["unobserved"] + counts["immature"] == expected.count("?")


BEFORE_THE_DATE = """
statuses
| household_id   | occurred_on | known_on   | poor |
| in_time        | 2023-12-10  | 2023-12-31 | yes  |
| on_the_day     | 2023-01-10  | 2023-01-10 | no   |
| on_the_day     | 2023-12-10  | 2024-01-01 | yes  |
| late           | 2023-12-31  | 2024-07-29 | yes  |
| late_and_again | 2023-12-10  | 2024-01-20 | yes  |
| late_and_again | 2024-02-10  | 2024-02-10 | no   |
| late_and_again | 2024-05-10  | 2024-05-10 | yes  |
| over_before    | 2023-11-10  | 2024-02-01 | yes  |
| over_before    | 2023-12-20  | 2024-02-01 | no   |
| over_and_again | 2023-11-10  | 2024-02-01 | yes  |
| over_and_again | 2023-12-20  | 2024-02-01 | no   |
| over_and_again | 2024-04-10  | 2024-04-10 | yes  |
| made_poor      | 2023-12-10  | 2023-12-10 | no   |
| made_poor      | 2023-12-10  | 2024-02-01 | yes  |
| made_fine      | 2023-12-10  | 2023-12-10 | yes  |
| made_fine      | 2023-12-10  | 2024-02-01 | no   |
| long_ago       | 2023-08-10  | 2024-02-01 | yes  |
| long_ago       | 2024-03-10  | 2024-03-10 | no   |
"""


@pytest.mark.parametrize(
    ("sections", "already", "poor"),
    [
        # `over_before` was not poor when the date came, whoever knew of it; who was known to be poor is not hidden
        ({}, ["late", "late_and_again", "long_ago", "made_poor", "on_the_day"], ["over_and_again"]),
        # a panel's status counts for so long only, known or not
        ({"cohort": {"status_within_months": 3}}, ["late", "late_and_again", "made_poor", "on_the_day"],
         ["over_and_again"]),
    ],
)  # fmt: skip
@pytest.mark.parametrize("kind", ["registry", "panel"])
def test_who_was_poor_before_the_date_but_known_later_has_no_label(
    sections: dict[str, Any], kind: str, already: list[str], poor: list[str]
) -> None:
    outcome = {"kind": kind, "horizon_months": 6, "reporting_lag_days": 30}
    records = drawn.records(
        BEFORE_THE_DATE, drawn.settings(outcome=outcome, data={"end": "2024-07-31"}, **sections)
    )
    names = sorted(set(records.table("statuses")["household_id"].to_pylist()))
    pairs = drawn.index(*((name, "2024-01-01") for name in names))
    found = labels(records, pairs).droplevel("as_of")
    assert found.index[found.fillna(False)].tolist() == poor
    unobserved = ["in_time", "over_before", "made_fine"] if kind == "panel" else []
    assert set(found.index[found.isna()]) == {*already, *unobserved}
    assert label_counts(records, pairs) == {
        "positive": len(poor),
        "negative": len(names) - len(poor) - len(already) - len(unobserved),
        "immature": 0,
        "already_poor": len(already),
        "unobserved": len(unobserved),
    }
    early = label_counts(records.visible("2024-07-30"), pairs)
    assert (early["immature"], early["already_poor"]) == (len(names), 0), "before it is mature, a label is neither"


def test_who_was_poor_already_is_scored_but_neither_learned_from_nor_judged() -> None:
    outcome = {"horizon_months": 6, "reporting_lag_days": 30}
    for train_on in ("not_poor", "observed"):
        used = drawn.settings(outcome=outcome, data={"end": "2024-07-31"}, cohort={"train_on": train_on})
        records = drawn.records(BEFORE_THE_DATE, used)
        assert ("on_the_day", pd.Timestamp("2024-01-01")) in cohort(records, "2024-01-01", purpose="train")
        data = make_dataset(records, [dt.date(2024, 1, 1)], ())
        rows = set(data.X.index.get_level_values("household_id"))
        known_poor = {"in_time", "made_fine"} if train_on == "observed" else set()
        assert rows == {"over_before", "over_and_again"} | known_poor
        assert data.counts["already_poor"] == 5


def test_cycles_follow_from_any_anchor_both_ways() -> None:
    rounds = CycleSettings(months=2, anchor=dt.date(2024, 12, 31))
    assert [str(day) for day in cycles(rounds, "2024-01-01", "2025-05-01")] == [
        "2024-02-29", "2024-04-30", "2024-06-30", "2024-08-31",
        "2024-10-31", "2024-12-31", "2025-02-28", "2025-04-30",
    ]  # fmt: skip
    assert cycles(rounds, "2024-03-01", "2024-04-30") == []


def test_a_purpose_or_a_date_that_cannot_be_used_is_said_so() -> None:
    records = drawn.records(STATUSES)
    with pytest.raises(UsageError, match=r"purpose='all'. Valid: 'score', 'train'."):
        cohort(records, "2024-01-01", purpose="all")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="give at least one"):
        cohort(records, [])
    with pytest.raises(UsageError, match="pairs"):
        labels(records, pd.MultiIndex.from_tuples([("a", 1)], names=["household", "day"]))
