"""One household's row is the same bits in training, in the batch and over the API."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from tests.support import histories
from tests.support.service import Client
from tests.support.small import Small, pairs, request_of, save

from relapse_risk.features.build import build_features
from relapse_risk.features.catalogue import catalogue
from relapse_risk.model.bundle import Bundle, load_model
from relapse_risk.model.estimator import RelapseModel, directions_of
from relapse_risk.records.records import Records
from relapse_serve.app import create_app
from relapse_serve.requests import parse
from relapse_serve.settings import ServiceSettings
from relapse_serve.shape import HISTORY

NUMBERS = ["probability", "raw_score", "base_score"]


def features_over_the_api(body: bytes, bundle: Bundle, as_of: dt.date) -> pd.DataFrame:
    """Return the features the service makes of a request."""
    _, ids, records = parse(body, bundle.settings, HISTORY)
    return build_features(records, pairs(ids, as_of), bundle.features)


def assert_parity(client: Client, bundle: Bundle, records: Records, ids: list[str], as_of: dt.date) -> None:
    """Assert that rows, scores and reasons are equal in training, in the batch and over the API."""
    index = pairs(ids, as_of)
    request = request_of(records, ids, as_of)
    trained = build_features(records, index, bundle.features)
    sent = features_over_the_api(json.dumps(request).encode(), bundle, as_of)
    pd.testing.assert_frame_equal(trained, sent, check_exact=True)

    batch = bundle.score(records, index=index)
    np.testing.assert_array_equal(bundle.model.predict_proba(trained)[:, 1], batch["probability"].to_numpy())
    np.testing.assert_array_equal(bundle.model.decision_function(trained), batch["raw_score"].to_numpy())

    answer = client.post(request)
    assert answer.status_code == 200, answer.text
    for row, scored in zip(batch.reset_index().to_dict("records"), answer.json()["scores"], strict=True):
        assert scored["household_id"] == row["household_id"]
        assert [scored[name] for name in NUMBERS] == [row[name] for name in NUMBERS]
        assert scored["contributions"] == {
            name.removeprefix("contribution_"): row[name] for name in batch.columns if "contribution_" in name
        }
        assert (scored["band"], scored["reasons"]) == (row["band"], row["reasons"])


@pytest.fixture(scope="module")
def households(small: Small) -> list[str]:
    return sorted(set(small.records.table("households")["household_id"].to_pylist()))


def test_the_rows_that_were_trained_on_score_the_same_in_the_batch_and_over_the_api(
    small: Small, client: Client
) -> None:
    day = dt.date(2021, 9, 1)
    rows = small.data.X[small.data.on([day])]
    ids = rows.index.get_level_values("household_id").tolist()[::7]
    kept = rows.loc[ids]
    sent = features_over_the_api(
        json.dumps(request_of(small.records, ids, day)).encode(), load_model(small.folder), day
    )
    pd.testing.assert_frame_equal(kept, sent, check_exact=True, check_index_type=False)
    answer = client.post(request_of(small.records, ids, day)).json()
    assert [s["raw_score"] for s in answer["scores"]] == small.model.decision_function(kept).tolist()


def test_a_whole_county_scores_the_same_in_the_batch_and_over_the_api(
    small: Small, client: Client, households: list[str]
) -> None:
    bundle = load_model(small.folder)
    for start in range(0, 300, 100):
        assert_parity(client, bundle, small.records, households[start : start + 100], small.as_of)


def test_a_household_asked_for_alone_scores_as_among_others(
    small: Small, client: Client, households: list[str]
) -> None:
    among = client.post(request_of(small.records, households[:40], small.as_of)).json()["scores"]
    alone = [
        client.post(request_of(small.records, [household], small.as_of)).json()["scores"][0]
        for household in households[:40]
    ]
    assert alone == among


def test_records_that_reach_past_the_training_data_are_used_over_the_api(
    small: Small, client: Client, households: list[str]
) -> None:
    """The model's settings say where its training data ended; a request months later is not cut there."""
    ids = households[:5]
    later = small.as_of + dt.timedelta(days=100)
    request = request_of(small.records, ids, later)
    visit = {
        "occurred_on": (later - dt.timedelta(days=3)).isoformat(),
        "known_on": (later - dt.timedelta(days=2)).isoformat(),
        "visit_id": "after training",
        "yard": 2,
    }
    for household in request["households"]:
        household["visits"].append(visit)
    sent = features_over_the_api(json.dumps(request).encode(), load_model(small.folder), later)
    assert sent["visit_days_since"].tolist() == [3.0] * len(ids)


def test_a_line_that_moved_after_training_is_the_same_in_the_batch_and_over_the_api(
    small: Small, households: list[str], tmp_path: Path
) -> None:
    line = small.records.settings.line
    raised = line.model_copy(
        update={"steps": tuple(s.model_copy(update={"yuan": s.yuan * 1.25}) for s in line.steps)}
    )
    moved = small.records.with_settings(small.records.settings.model_copy(update={"line": raised}))
    (tmp_path / "relapse.toml").write_text(moved.settings.to_toml(), encoding="utf-8")
    folder, ids = small.folder, households[:8]
    service = ServiceSettings(models=folder.parent, model=folder.name, config=tmp_path / "relapse.toml")
    with closing(Client(create_app(service))) as client:
        served = client.post(request_of(moved, ids, small.as_of)).json()["scores"]
    batch = load_model(folder).score(moved, index=pairs(ids, small.as_of))
    before = load_model(folder).score(small.records, index=pairs(ids, small.as_of))
    assert [one["raw_score"] for one in served] == batch["raw_score"].tolist()
    assert (batch["raw_score"] != before["raw_score"]).any(), "the line matters"


@pytest.mark.parametrize("config", [True, False], ids=["the county's settings file", "the model's settings"])
def test_what_accounts_name_is_the_same_in_the_batch_and_over_the_api(
    small: Small, households: list[str], tmp_path: Path, config: bool
) -> None:
    complete = small.records.settings
    unknown = complete.model_copy(update={"data": complete.data.model_copy(update={"accounts_complete": False})})
    assert complete.data.accounts_complete, "a simulated account names all that came in"
    records = small.records.with_settings(unknown) if config else small.records
    (tmp_path / "relapse.toml").write_text(unknown.to_toml(), encoding="utf-8")
    folder, ids = small.folder, households[:40]
    file = tmp_path / "relapse.toml" if config else None
    service = ServiceSettings(models=folder.parent, model=folder.name, config=file)
    with closing(Client(create_app(service))) as client:
        served = client.post(request_of(records, ids, small.as_of)).json()["scores"]
    index = pairs(ids, small.as_of)
    batch = load_model(folder).score(records, index=index)
    other = load_model(folder).score(small.records.with_settings(complete if config else unknown), index=index)
    assert [one["raw_score"] for one in served] == batch["raw_score"].tolist()
    assert (batch["raw_score"] != other["raw_score"]).any(), "what accounts name matters"


def random_model() -> RelapseModel:
    """Return a model of every feature, items included, grown on numbers of any size."""
    features = catalogue(histories.SETTINGS)
    rng = np.random.default_rng(0)
    values = rng.exponential(size=(2000, len(features))) * 10 ** rng.uniform(-1, 3, size=(1, len(features)))
    values[rng.random(values.shape) < 0.3] = np.nan
    X = pd.DataFrame(values.astype(np.float32), columns=[f.name for f in features])
    for feature in features:
        if feature.codes:
            codes = rng.integers(-1, len(feature.codes.values), len(X))
            X[feature.name] = pd.Categorical.from_codes(codes, pd.Index(feature.codes.values))
    y = X.isna().to_numpy() @ rng.normal(size=X.shape[1]) > 1
    few = {"n_trees": 60, "n_boosters": 2, "num_leaves": 15, "n_threads": 1}
    model = RelapseModel(**few, monotone=directions_of(features), outcome=histories.SETTINGS.outcome)
    return model.fit(X, y)


@pytest.fixture(scope="module")
def random_service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Bundle, Client]]:
    """The service with a model of every feature."""
    models = tmp_path_factory.mktemp("random")
    version = save(random_model(), histories.SETTINGS, dt.date(2023, 1, 1), models)
    client = Client(create_app(ServiceSettings(models=models, model=version)))
    yield load_model(models / version), client
    client.close()


@settings(max_examples=40)
@given(rows=histories.tables(), as_of=histories.as_of_dates)
def test_random_histories_score_the_same_in_training_batch_and_api(
    random_service: tuple[Bundle, Client], rows: dict[str, Any], as_of: dt.date
) -> None:
    bundle, client = random_service
    drawn = histories.as_records(rows)
    data = drawn.settings.data.model_copy(update={"end": max(drawn.end, as_of)})  # few rows may all be old
    records = histories.as_records(rows, drawn.settings.model_copy(update={"data": data}))
    assert_parity(client, bundle, records, list(histories.HOUSEHOLDS), as_of)
