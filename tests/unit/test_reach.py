"""Days outside the records: before them the cohort is empty, after them a score would miss what happened."""

from __future__ import annotations

import datetime as dt
import warnings
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.support import ascii as drawn
from tests.support.small import Small

from relapse_risk import attrition, build_features, cohort, label_counts, labels, load_model
from relapse_risk.errors import RecordsEndBefore, UsageError
from relapse_risk.model.bundle import Bundle
from relapse_risk.records.records import Records
from relapse_risk.scoring.ranking import rank, ranked
from relapse_risk.scoring.reach import why_empty
from relapse_risk.scoring.result_files import new_table
from relapse_risk.training.dataset import make_dataset

LONG_AGO = dt.date(2010, 1, 1)


@pytest.fixture(scope="module")
def bundle(small: Small) -> Bundle:
    return load_model(small.folder)


def test_a_day_before_the_records_has_an_empty_cohort_with_everything_that_follows(small: Small) -> None:
    then, now = cohort(small.records, LONG_AGO), cohort(small.records, small.as_of)
    assert (len(then), then.names) == (0, now.names)
    assert [level.dtype for level in then.levels] == [level.dtype for level in now.levels]
    assert attrition(small.records, LONG_AGO)["left"].tolist() == [0, 0, 0, 0]
    assert labels(small.records, then).dtype == labels(small.records, now).dtype
    assert set(label_counts(small.records, then).values()) == {0}
    features = build_features(small.records, then)
    pd.testing.assert_series_equal(features.dtypes, build_features(small.records, now).dtypes)
    data = make_dataset(small.records, [LONG_AGO])
    assert (len(data.X), len(data.y), len(data.rule_features)) == (0, 0, 0)


def test_an_empty_index_made_by_hand_will_do(small: Small, bundle: Bundle) -> None:
    index = pd.MultiIndex.from_arrays([[], []], names=["household_id", "as_of"])
    assert len(build_features(small.records, index)) == 0
    assert len(bundle.score(small.records, index=index)) == 0


def test_an_index_made_by_hand_may_hold_dates_of_either_kind(small: Small, bundle: Bundle) -> None:
    index = cohort(small.records, small.as_of)[:20]
    ids = index.get_level_values("household_id")
    of_dates = pd.MultiIndex.from_arrays([ids, [small.as_of] * len(ids)], names=index.names)
    assert of_dates.levels[1].dtype == object
    by_hand = bundle.score(small.records, index=of_dates)["raw_score"]
    assert by_hand.tolist() == bundle.score(small.records, index=index)["raw_score"].tolist()
    for wrong in (dt.datetime(2022, 1, 1, 9), 20220101):
        of_wrong = pd.MultiIndex.from_arrays([ids, pd.Index([wrong] * len(ids), dtype=object)], names=index.names)
        with pytest.raises(UsageError, match="a whole day was expected"):
            build_features(small.records, of_wrong)


@pytest.mark.parametrize("pair", [("T01V01H0001", pd.NaT), (None, pd.Timestamp("2022-01-01"))])
def test_a_pair_without_a_day_or_household_is_refused(small: Small, pair: tuple[str | None, pd.Timestamp]) -> None:
    """Pandas marks both by position -1, which would be read as the last day or household."""
    sound = ("T01V01H0001", pd.Timestamp("2021-01-01"))
    index = pd.MultiIndex.from_tuples([sound, pair], names=["household_id", "as_of"])
    with pytest.raises(UsageError, match="pairs without a household_id or as_of"):
        build_features(small.records, index)


def test_scores_of_nobody_have_the_columns_and_types_of_scores(small: Small, bundle: Bundle) -> None:
    then, now = (bundle.score(small.records, as_of=day) for day in (LONG_AGO, small.as_of))
    assert len(then) == 0
    pd.testing.assert_series_equal(then.dtypes, now.dtypes)
    then, now = (ranked(bundle, small.records, day) for day in (LONG_AGO, small.as_of))
    assert len(then) == 0
    pd.testing.assert_series_equal(then.dtypes, now.dtypes)


def test_files_of_nobodys_scores_have_the_schema_of_scores(small: Small, bundle: Bundle, tmp_path: Path) -> None:
    full = rank(bundle, small.records, small.as_of).rows
    at = full.column_names.index("reasons")
    none = pa.array([[]] * len(full), full["reasons"].type)
    without_reasons = full.set_column(at, "reasons", none)
    for name, rows in (
        ("full", full), ("without", without_reasons), ("empty", rank(bundle, small.records, LONG_AGO).rows),
    ):  # fmt: skip
        for ending in ("parquet", "csv"):
            with new_table(tmp_path / f"{name}.{ending}") as write:
                write(rows)
    schema = pq.read_schema(tmp_path / "full.parquet").remove_metadata()
    assert schema.field("reasons").type.value_type.num_fields >= 6
    for name in ("without", "empty"):
        assert pq.read_schema(tmp_path / f"{name}.parquet").remove_metadata() == schema
    assert pq.read_metadata(tmp_path / "empty.parquet").num_rows == 0
    header = (tmp_path / "full.csv").read_text().splitlines()[0]
    assert (tmp_path / "empty.csv").read_text().splitlines() == [header]


def test_records_without_rows_score_nobody_on_any_day(bundle: Bundle, small: Small) -> None:
    held = {name: small.records.table(name).slice(0, 0) for name in small.records.present}
    nothing = Records.from_tables(held, small.records.settings)
    day = dt.date(2024, 1, 1)
    assert len(bundle.score(nothing, as_of=day)) == 0
    rows, removed, first_profile = rank(bundle, nothing, day)
    assert len(rows) == 0
    assert "hold no household's profile" in why_empty(removed, first_profile, day)


def test_the_reason_for_an_empty_cohort_is_stated(small: Small, bundle: Bundle) -> None:
    first = min(small.records.table("households")["known_on"].to_pylist())
    rows, removed, first_profile = rank(bundle, small.records, first)
    assert (len(rows), first_profile) == (0, first)
    assert f"the first profile came in on {first}" in why_empty(removed, first_profile, first)
    never_poor = drawn.records(
        """
        statuses
        | household_id | occurred_on | poor |
        | h            | 2020-01-01  | no   |
        """
    )
    day = dt.date(2020, 6, 1)
    why = why_empty(attrition(never_poor, day), first, day)
    assert why == "the rule 'never poor or lifted before' left none"


@pytest.mark.parametrize("as_index", [False, True])
def test_a_day_past_the_records_is_warned_of_and_further_than_a_cycle_refused(
    small: Small, bundle: Bundle, *, as_index: bool
) -> None:
    """The records end on 2022-07-01 and cycles are of two months."""
    assert small.records.end == dt.date(2022, 7, 1)

    def scored(day: str) -> pd.DataFrame:
        if not as_index:
            return bundle.score(small.records, as_of=[day, "2022-01-01"])
        household = cohort(small.records, small.as_of)[0][0]
        return bundle.score(small.records, index=drawn.index((str(household), day)))

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        usual = scored("2022-07-01")
    for day in ("2022-07-02", "2022-09-01"):
        with pytest.warns(RecordsEndBefore, match=f"as_of {day}: the records end on 2022-07-01") as warned:
            assert len(scored(day)) == len(usual)
        assert warned[0].filename == __file__, "it points at who asked"
    for day in ("2022-09-02", "2025-06-01", "9999-12-31"):
        with pytest.raises(UsageError, match="Valid: 2022-09-01 or earlier"):
            scored(day)


def test_a_ranked_list_past_the_records_follows_the_same_rule(small: Small, bundle: Bundle) -> None:
    with pytest.warns(RecordsEndBefore):
        assert len(ranked(bundle, small.records, dt.date(2022, 9, 1)))
    with pytest.raises(UsageError, match="Bring later records"):
        ranked(bundle, small.records, dt.date(2025, 6, 1))
