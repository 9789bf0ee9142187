"""Sources of records: a simulated county with a known truth, and the real panel."""

from __future__ import annotations

from typing import TYPE_CHECKING

from relapse_risk.lazy import lazily

if TYPE_CHECKING:
    from relapse_risk.datasets.county.parameters import CountyParameters, sources_of
    from relapse_risk.datasets.county.simulate import simulate_county, write_county
    from relapse_risk.datasets.county.state import Switches
    from relapse_risk.datasets.county.truth import read_county, read_truth
    from relapse_risk.datasets.eph import import_eph

_WHERE = {
    "CountyParameters": "county.parameters",
    "Switches": "county.state",
    "import_eph": "eph",
    "read_county": "county.truth",
    "read_truth": "county.truth",
    "simulate_county": "county.simulate",
    "sources_of": "county.parameters",
    "write_county": "county.simulate",
}

__all__ = [
    "CountyParameters",
    "Switches",
    "import_eph",
    "read_county",
    "read_truth",
    "simulate_county",
    "sources_of",
    "write_county",
]

__getattr__, __dir__ = lazily(__name__, _WHERE)
