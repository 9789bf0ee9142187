"""The ranked list: who is visited first in each grid, and in which grid a household is."""

from __future__ import annotations

import copy
import dataclasses
import datetime as dt

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from tests.support.small import Small

from relapse_risk import load_model
from relapse_risk.model.bundle import Bundle
from relapse_risk.records.records import Records
from relapse_risk.scoring.ranking import ranked


@pytest.fixture(scope="module")
def bundle(small: Small) -> Bundle:
    return load_model(small.folder)


def test_places_run_from_one_by_probability_and_then_by_id(small: Small, bundle: Bundle) -> None:
    model = copy.copy(bundle.model)
    model.calibrator_ = lambda raw: np.round(bundle.model.calibrator_(raw), 2)  # type: ignore[assignment]
    rows = ranked(dataclasses.replace(bundle, model=model), small.records, small.as_of)
    assert rows["grid_id"].nunique() > 3
    assert rows.duplicated(["grid_id", "probability"]).any()
    order = rows.sort_values(["grid_id", "probability", "household_id"], ascending=[True, False, True])
    assert rows.index.equals(order.index)
    assert rows["place_in_grid"].tolist() == (rows.groupby("grid_id").cumcount() + 1).tolist()


def test_a_household_is_in_the_grid_of_its_latest_profile_known_before_the_day(
    small: Small, bundle: Bundle
) -> None:
    """It moved on 2021-03-01; the first profile was corrected, and one from before the move came in last."""
    household = ranked(bundle, small.records, dt.date(2021, 1, 1))["household_id"].iloc[0]
    profiles = small.records.frame("households")
    grids = sorted(profiles["grid_id"].unique())[:4]
    first = profiles[profiles["household_id"] == household].iloc[[0]]
    versions = pd.concat([first] * 4).assign(
        occurred_on=pd.to_datetime(["2019-12-01", "2019-12-01", "2021-03-01", "2020-06-01"]),
        known_on=pd.to_datetime(["2019-12-02", "2021-01-20", "2021-04-01", "2021-05-01"]),
        grid_id=grids,
        village_id=["v1", "v2", None, "v4"],
    )
    others = profiles[profiles["household_id"] != household]
    frame = pd.concat([versions, others]) if household < "T01" else pd.concat([others, versions])
    tables = {name: small.records.table(name) for name in small.records.present}
    schema = tables["households"].schema
    tables["households"] = pa.Table.from_pandas(frame, schema=schema, preserve_index=False)
    moved = Records.from_tables(tables, small.records.settings)
    for day, at in (("2021-01-20", 0), ("2021-01-21", 1), ("2021-04-01", 1), ("2021-04-02", 2), ("2021-06-01", 2)):
        rows = ranked(bundle, moved, dt.date.fromisoformat(day)).set_index("household_id")
        assert rows.loc[household, "grid_id"] == grids[at], day
        village = rows.loc[household, "village_id"]
        assert pd.isna(village) if at == 2 else village == f"v{at + 1}"
