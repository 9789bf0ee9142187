"""Sources of records: a simulated county with a known truth, and the real panel."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from relapse_risk.datasets.county.calibration import compare
    from relapse_risk.datasets.county.parameters import CountyParameters, sources_of
    from relapse_risk.datasets.county.simulate import read_truth, simulate_county, write_county
    from relapse_risk.datasets.county.switches import Switches
    from relapse_risk.datasets.eph import import_eph

_WHERE = {
    "CountyParameters": "county.parameters",
    "Switches": "county.switches",
    "compare": "county.calibration",
    "import_eph": "eph",
    "read_truth": "county.simulate",
    "simulate_county": "county.simulate",
    "sources_of": "county.parameters",
    "write_county": "county.simulate",
}

__all__ = [
    "CountyParameters",
    "Switches",
    "compare",
    "import_eph",
    "read_truth",
    "simulate_county",
    "sources_of",
    "write_county",
]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for."""
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_WHERE[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
