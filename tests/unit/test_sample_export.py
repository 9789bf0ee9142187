"""The sample in data/sample: what a newcomer tries, and what the renderer makes of a simulated county."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pyarrow.compute as pc
import pytest
from tests.support import county_sample as sample

from relapse_risk.datasets.county import simulate_county
from relapse_risk.datasets.exports import CountyMapping, import_county
from relapse_risk.records.folder import load_records
from relapse_risk.records.schema import plain

FOLDER = Path(__file__).resolve().parents[2] / "data" / "sample"

#: Row numbers aside, which move with the simulated county.
SPOILT = [
    ("households", "RR014", 1),
    ("households", "RR104", 1),
    ("visits", "RR106", 1),
    ("visits", "RR009", 1),
    ("visits", "RR017", 1),
    ("visits", "RR101", 1),
    ("incomes", "RR008", 1),
    ("incomes", "RR102", 1),
    ("statuses", "RR105", 1),
    ("members", "RR104", 1),
    ("members", "RR019", 1),
]


def test_the_committed_sample_imports_but_for_its_bad_rows(tmp_path: Path) -> None:
    mapping = CountyMapping.load(FOLDER / "mapping.toml")
    done = import_county(str(FOLDER), mapping, tmp_path / "out")
    assert [(r.table, r.code, len(r.rows)) for r in done.rejects] == SPOILT
    records = load_records(tmp_path / "out")
    kept = {s.table: s.read - s.set_aside for s in done.sources}
    assert {s.table: s.made for s in done.sources} == kept
    kept["visits"] -= done.counts["visits"].repeated
    assert {name: c.repeated for name, c in done.counts.items() if c.repeated} == {"visits": 1}
    assert {name: records.table(name).num_rows for name in records.present} == kept
    assert all(kept.values()), "every table has rows to try"
    assert sum(file.stat().st_size for file in FOLDER.iterdir()) < 1_700_000


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sample rendered anew."""
    folder = tmp_path_factory.mktemp("rendered")
    sample.write_sample(folder)
    return folder


def test_the_clean_rows_of_a_sample_equal_the_simulated_ones(rendered: Path, tmp_path: Path) -> None:
    done = import_county(str(rendered), CountyMapping.load(FOLDER / "mapping.toml"), tmp_path / "out")
    simulated, _ = simulate_county(sample.HOUSEHOLDS, sample.MONTHS, sample.SEED)
    assert [(r.table, r.code, len(r.rows)) for r in done.rejects] == SPOILT
    assert done.records.settings == simulated.settings
    for name in simulated.present:
        got, expected = plain(done.records.table(name)), plain(simulated.table(name))
        if name == "visits":  # one row of the county's own was made invalid, the other bad rows were added
            lost = expected.column("visit_id")[200]
            expected = expected.filter(pc.not_equal(expected["visit_id"], lost))
        order = [(column, "ascending") for column in expected.column_names]
        assert got.sort_by(order).equals(expected.sort_by(order)), name


def test_the_committed_sample_is_what_the_simulator_makes_now(rendered: Path) -> None:
    for file in rendered.iterdir():
        assert file.read_bytes() == (FOLDER / file.name).read_bytes(), f"{file.name} is out of date: make sample"


def test_the_same_county_gives_the_same_bytes(rendered: Path, tmp_path: Path) -> None:
    sample.write_sample(tmp_path)
    for file in rendered.iterdir():
        assert file.read_bytes() == (tmp_path / file.name).read_bytes(), file.name


def test_the_sample_shows_what_counties_send() -> None:
    """Encodings, units and date forms that the sample is there to show have not silently gone from it."""
    visits = (FOLDER / "入户走访.csv").read_bytes()
    with pytest.raises(UnicodeDecodeError):
        visits.decode("utf-8")
    assert visits.decode("gbk")
    tables = tomllib.loads((FOLDER / "mapping.toml").read_text(encoding="utf-8"))["tables"]
    units = {
        source["unit"]
        for table in tables.values()
        for source in table["columns"].values()
        if isinstance(source, dict) and "unit" in source
    }
    assert {"万元", "元/年", "亩"} <= units
