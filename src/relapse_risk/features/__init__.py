"""The catalogue of features, and the engine that computes them."""

from relapse_risk.features.build import build_features
from relapse_risk.features.catalogue import catalogue

__all__ = ["build_features", "catalogue"]
