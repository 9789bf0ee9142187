"""Every number of a simulated county says where it comes from, and comes near the published ones."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.support.published import compare

from relapse_risk.datasets import CountyParameters, sources_of
from relapse_risk.datasets.county import parameters
from relapse_risk.datasets.county.parameters import AREA_SHOCKS
from relapse_risk.datasets.county.simulate import county_settings, townships, whole_tables
from relapse_risk.records.records import Records

#: S published, I worked out from published figures, A assumed (B: background knowledge), then which or why.
SOURCE = re.compile(r"^A$|^[SIAB]: \S.*")


def test_every_number_names_its_source_or_says_that_it_is_an_assumption() -> None:
    stated = sources_of(CountyParameters()) | {f"{e.kind} {e.first}": e.source for e in AREA_SHOCKS}
    assert len(stated) > 100
    assert [name for name, source in stated.items() if not SOURCE.match(source)] == []


def test_every_number_is_used() -> None:
    """A setting that nothing reads would be believed and do nothing."""
    folder = Path(parameters.__file__).parent
    code = "\n".join(file.read_text(encoding="utf-8") for file in folder.glob("*.py"))
    unused = [
        name
        for name in sources_of(CountyParameters())
        if not re.search(rf"\b(p|self\.p|self|parameters)\.{name}\b", code)
    ]
    assert unused == []


@pytest.mark.parametrize("seed", [1])
def test_simulated_figures_are_near_published_ones(seed: int, capsys: pytest.CaptureFixture[str]) -> None:
    """Prints the table; each number lies as near as its tolerance says."""
    tables = whole_tables(list(townships(20_000, 60, seed)))
    used = CountyParameters()
    records = Records.from_valid(tables, county_settings(used.start.replace(year=2025), used), frozenset(tables))
    targets = compare(records)
    with capsys.disabled():
        print(f"\n{'':52}{'published':>12}{'simulated':>12}{'apart':>8}{'within':>8}  source")  # noqa: T201
        for t in targets:
            print(f"{t.name:52}{t.published:12,.4g}{t.simulated:12,.4g}{t.apart:8.0%}{t.within:8.0%}  {t.source}")  # noqa: T201
    assert len(targets) == 20
    assert [t.name for t in targets if not t.near] == []
