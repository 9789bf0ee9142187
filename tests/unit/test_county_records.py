"""A simulated county's records obey the tables' rules, whatever the seed."""

from __future__ import annotations

import pyarrow as pa
import pytest

from relapse_risk.datasets.county.parameters import CountyParameters
from relapse_risk.datasets.county.simulate import simulate_county, townships, whole_tables
from relapse_risk.datasets.county.state import Switches
from relapse_risk.datasets.county.township import SIMULATED
from relapse_risk.records.codes import SHOCK_KIND
from relapse_risk.records.tables import TABLES

#: Everyone loses work and finds it again, all is entered: what seldom meets in one month meets in every one.
CROWDED = CountyParameters(
    job_loss_month=0.4,
    illness_month=0.3,
    accident_month=0.3,
    disaster_month=0.3,
    crop_failure_month=0.3,
    recorded=dict.fromkeys(SHOCK_KIND.labels, 1.0),
    found_otherwise=0.9,
    base=-3.0,
)


def key_used_twice(name: str, data: pa.Table) -> int:
    """Return how many keys name two rows."""
    keys = data.group_by([*TABLES[name].key, "known_on"]).aggregate([([], "count_all")])
    return int((keys["count_all"].to_numpy() > 1).sum())


@pytest.mark.parametrize("seed", [0, 1, 3])
def test_records_of_any_seed_are_sound(seed: int) -> None:
    """``Records`` takes them: types, codes, ranges, order of dates, keys and references between tables."""
    records, _ = simulate_county(1500, seed=seed)
    assert records.present == set(SIMULATED)
    assert all(records.table(name).num_rows for name in SIMULATED)


def test_no_key_names_two_rows_where_everything_happens_at_once() -> None:
    """One entry a household, month and kind of shock, though several causes bring it."""
    tables = whole_tables(list(townships(4000, 14, 5, switches=Switches(delay=False), parameters=CROWDED)))
    twice = {name: key_used_twice(name, tables[name]) for name in SIMULATED}
    assert twice == dict.fromkeys(SIMULATED, 0)
