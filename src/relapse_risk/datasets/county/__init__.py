"""A simulated county with a known truth: hard in the ways real ones are."""

from relapse_risk.datasets.county.simulate import simulate_county, write_county
from relapse_risk.datasets.county.state import Switches

__all__ = ["Switches", "simulate_county", "write_county"]
