"""What cannot be scored is refused in words before any household is read."""

from __future__ import annotations

import numpy as np
import pytest
from tests.support.small import Small, pairs

from relapse_risk import Records, RelapseModel, load_model, score
from relapse_risk.errors import UsageError


def test_dates_or_pairs_are_asked_for_and_not_both(small: Small) -> None:
    index = pairs(["any"], small.as_of)
    with pytest.raises(UsageError, match="give as_of .* or index"):
        score(small.model, small.records)
    with pytest.raises(UsageError, match="give as_of .* or index"):
        score(small.model, small.records, as_of=small.as_of, index=index)


def test_records_without_a_table_the_model_learned_from_are_refused_by_the_table_s_name(small: Small) -> None:
    tables = {name: small.records.table(name) for name in small.records.present if name != "expenses"}
    poorer = Records.from_tables(tables, small.records.settings)
    with pytest.raises(UsageError, match=r"trained with table\(s\) expenses, which these records lack"):
        load_model(small.folder).score(poorer, as_of=small.as_of)


def test_a_model_of_columns_without_names_scores_no_records(small: Small) -> None:
    nameless = RelapseModel(n_trees=5, n_boosters=1, monotone=None, n_threads=1)
    nameless.fit(small.data.X.select_dtypes("number").to_numpy(np.float32), small.data.y)
    with pytest.raises(UsageError, match="without feature names"):
        score(nameless, small.records, as_of=small.as_of)


def test_a_model_fitted_again_without_names_forgets_the_names_before(small: Small) -> None:
    X = small.data.X.select_dtypes("number").iloc[:, :5]
    model = RelapseModel(n_trees=5, n_boosters=1, monotone=None, n_threads=1)
    model.set_params(outcome=small.records.settings.outcome).fit(X, small.data.y)
    assert list(model.feature_names_in_) == list(X)
    model.fit(X.to_numpy(np.float32), small.data.y)
    assert not hasattr(model, "feature_names_in_")


def test_frames_become_the_same_records_as_tables(small: Small) -> None:
    frames = {name: small.records.frame(name) for name in small.records.present}
    again = Records.from_frames(frames, small.records.settings)
    assert again.end == small.records.end
    assert all(again.table(name).equals(small.records.table(name)) for name in small.records.present)
