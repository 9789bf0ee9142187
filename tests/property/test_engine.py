"""The engine against the oracle, and against itself under changes that must not matter."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st
from tests.support import histories
from tests.support.ascii import REQUIRED, index, settings
from tests.support.histories import HOUSEHOLDS, as_of_dates, as_records
from tests.support.oracle import Oracle

from relapse_risk.features.build import build_features
from relapse_risk.features.catalogue import catalogue
from relapse_risk.features.declare import How
from relapse_risk.records.records import Records
from relapse_risk.records.schema import arrow_schema, empty
from relapse_risk.records.tables import TABLES
from relapse_risk.settings import Settings

FEATURES = catalogue(histories.SETTINGS)
DATES = st.lists(as_of_dates, min_size=1, max_size=3, unique=True)


def all_pairs(dates: list[dt.date]) -> pd.MultiIndex:
    return index(*((household, day.isoformat()) for household in HOUSEHOLDS for day in dates))


def numbers(frame: pd.DataFrame) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Return features as numbers, categories by their place in the code list."""
    columns = [
        frame[name].cat.codes.astype("float32").replace(-1, np.nan)
        if frame[name].dtype.name == "category"
        else frame[name]
        for name in frame
    ]
    return np.column_stack([column.to_numpy(np.float32) for column in columns])


def built(records: Records, pairs: pd.MultiIndex) -> np.ndarray[Any, np.dtype[np.float32]]:
    return numbers(build_features(records, pairs, FEATURES))


@given(histories.tables(), DATES, st.sampled_from([histories.SETTINGS, histories.COMPLETE]))
def test_every_feature_equals_the_oracle(rows: dict[str, Any], dates: list[dt.date], used: Settings) -> None:
    records = as_records(rows, used)
    pairs = all_pairs(dates)
    oracle = Oracle(records)
    for pair, got in zip(pairs, built(records, pairs), strict=True):
        want = [oracle.value(feature, pair[0], pair[1].date()) for feature in FEATURES]
        wrong = [
            f"{feature.name} of {pair}: engine {got[k]}, oracle {want[k]}"
            for k, feature in enumerate(FEATURES)
            if not np.isclose(got[k], want[k], rtol=1e-5, atol=1e-5, equal_nan=True)
        ]
        assert not wrong


def test_the_features_compared_take_members_together_in_every_way() -> None:
    assert {feature.across.how for feature in FEATURES if feature.across} == set(How)
    assert any(feature.across.with_left for feature in FEATURES if feature.across)
    assert any(term.across for feature in FEATURES for _, term in feature.terms)


@given(histories.tables(), DATES, st.data())
def test_a_row_does_not_depend_on_its_batch_to_the_last_bit(
    rows: dict[str, Any], dates: list[dt.date], data: st.DataObject
) -> None:
    records = as_records(rows)
    pairs = all_pairs(dates)
    together = built(records, pairs)
    order = data.draw(st.permutations(range(len(pairs))))
    assert built(records, pairs[order]).tobytes() == together[order].tobytes()
    alone = data.draw(st.integers(0, len(pairs) - 1))
    household = pairs[alone][0]
    only = as_records({name: [row for row in of if row["household_id"] == household] for name, of in rows.items()})
    assert built(only, pairs[[alone]]).tobytes() == together[[alone]].tobytes()


@given(histories.tables(), DATES, st.randoms(use_true_random=False))
def test_the_order_of_records_changes_nothing(rows: dict[str, Any], dates: list[dt.date], random: Any) -> None:
    """Out-of-order records have a defined result, whatever the order."""
    pairs = all_pairs(dates)
    expected = built(as_records(rows), pairs).tobytes()
    shuffled = {name: random.sample(of, len(of)) for name, of in rows.items()}
    assert built(as_records(shuffled), pairs).tobytes() == expected


@given(histories.tables(), histories.tables(), as_of_dates)
def test_records_known_later_change_nothing(rows: dict[str, Any], others: dict[str, Any], as_of: dt.date) -> None:
    """No feature uses what was not yet known."""
    pairs = all_pairs([as_of])
    past = {name: [row for row in of if row["known_on"] < as_of] for name, of in rows.items()}
    later = {name: [row for row in of if row["known_on"] >= as_of] for name, of in others.items()}
    with_future = {name: [*of, *later[name]] for name, of in past.items()}
    expected = built(as_records(past), pairs).tobytes()
    assert built(as_records(with_future), pairs).tobytes() == expected
    assert built(as_records(with_future).visible(as_of), pairs).tobytes() == expected


@given(histories.tables(most=4), DATES)
def test_input_is_left_untouched(rows: dict[str, Any], dates: list[dt.date]) -> None:
    records = as_records(rows)
    before = {name: records.table(name) for name in rows}
    built(records, all_pairs(dates))
    assert all(isinstance(t, pa.Table) and records.table(name).equals(t) for name, t in before.items())


def test_a_long_index_is_computed_in_parts_as_in_one(monkeypatch: Any) -> None:
    """Threads and parts change no bit."""
    rng = np.random.default_rng(0)
    ids = [f"h{k}" for k in range(40)]
    day = np.datetime64("2020-01-01") + rng.integers(0, 1200, 600)
    incomes = pd.DataFrame(
        {
            "household_id": rng.choice(ids, 600),
            "occurred_on": day.astype("datetime64[s]"),
            "known_on": (day + rng.integers(0, 60, 600)).astype("datetime64[s]"),
            "source": rng.choice(["wage", "business", "transfer"], 600),
            "amount_yuan": rng.gamma(2.0, 500.0, 600),
        }
    ).drop_duplicates(["household_id", "occurred_on", "source", "known_on"])
    profiles = pd.DataFrame({"household_id": ids}).assign(
        occurred_on=pd.Timestamp("2019-01-01"), known_on=pd.Timestamp("2019-01-01"), grid_id="g", n_members=3
    )
    tables = {name: empty(TABLES[name]) for name in REQUIRED}
    for name, frame in (("incomes", incomes), ("households", profiles)):
        lacking = {c: None for c in TABLES[name].columns if c not in frame}
        tables[name] = pa.Table.from_pandas(
            frame.assign(**lacking), schema=arrow_schema(TABLES[name]), preserve_index=False
        )
    records = Records.from_tables(tables, settings())
    pairs = pd.MultiIndex.from_product(
        [pd.Index(ids, dtype="str"), pd.date_range("2020-06-01", "2023-06-01", freq="2MS", unit="s")],
        names=["household_id", "as_of"],
    )
    whole = build_features(records, pairs)
    monkeypatch.setattr("relapse_risk.features.build.CHUNK", 7)
    parts = build_features(records, pairs)
    pd.testing.assert_frame_equal(whole, parts, check_exact=True)
