"""Predicts which farm households are likely to return to poverty (返贫), and orders the next visits.

A score orders visits. It never includes, excludes or cuts aid: people do that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from relapse_risk.lazy import lazily

if TYPE_CHECKING:
    from relapse_risk.cohorts import attrition, cohort, cycles
    from relapse_risk.features.build import build_features
    from relapse_risk.features.catalogue import catalogue
    from relapse_risk.labelling import label_counts, labels
    from relapse_risk.model.bundle import load_model
    from relapse_risk.model.estimator import RelapseModel
    from relapse_risk.records.folder import load_records
    from relapse_risk.records.records import Records
    from relapse_risk.scoring.score import score
    from relapse_risk.settings import Settings
    from relapse_risk.training.evaluate import evaluate
    from relapse_risk.training.train import train

_WHERE = {
    "Records": "records.records",
    "RelapseModel": "model.estimator",
    "Settings": "settings",
    "attrition": "cohorts",
    "build_features": "features.build",
    "catalogue": "features.catalogue",
    "cohort": "cohorts",
    "cycles": "cohorts",
    "evaluate": "training.evaluate",
    "label_counts": "labelling",
    "labels": "labelling",
    "load_model": "model.bundle",
    "load_records": "records.folder",
    "score": "scoring.score",
    "train": "training.train",
}

__all__ = [
    "Records",
    "RelapseModel",
    "Settings",
    "attrition",
    "build_features",
    "catalogue",
    "cohort",
    "cycles",
    "evaluate",
    "label_counts",
    "labels",
    "load_model",
    "load_records",
    "score",
    "train",
]

__getattr__, __dir__ = lazily(__name__, _WHERE)
