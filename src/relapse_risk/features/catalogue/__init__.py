"""The one catalogue of features: what training, batch and API compute, explain and constrain alike."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection

from relapse_risk.features.catalogue import (
    balance,
    calendar,
    employment,
    expenses,
    households,
    incomes,
    jobs,
    members,
    observations,
    shocks,
    statuses,
    steady,
    supports,
    visits,
)
from relapse_risk.features.declare import Feature
from relapse_risk.records.tables import TABLES
from relapse_risk.settings import Settings


def catalogue(settings: Settings | None = None, tables: Collection[str] | None = None) -> tuple[Feature, ...]:
    """Return the features, in their fixed order.

    Parameters
    ----------
    settings : Settings, optional
        For the items of table ``observations``; none otherwise.
    tables : collection of str, optional
        Tables that exist; features of others are left out. All tables otherwise.

    Returns
    -------
    tuple of Feature

    Examples
    --------
    >>> len(catalogue()) >= 120
    True
    >>> set().union(*(feature.tables for feature in catalogue(tables=["visits"]))) == {"visits"}
    True
    """
    settings = settings or Settings()
    declared = (
        *households.FEATURES,
        *visits.FEATURES,
        *observations.features(settings.items),
        *incomes.features(settings.outcome.horizon_months),
        *balance.features(settings.outcome.horizon_months),
        *statuses.FEATURES,
        *expenses.FEATURES,
        *shocks.FEATURES,
        *supports.FEATURES,
        *employment.FEATURES,
        *members.FEATURES,
        *jobs.FEATURES,
        *steady.FEATURES,
        *calendar.FEATURES,
    )
    exist = set(TABLES if tables is None else tables)
    return tuple(feature for feature in declared if feature.tables <= exist)


def fingerprint(features: Collection[Feature]) -> str:
    """Return a SHA-256 of all that decides the features' numbers and directions; words do not count."""
    decisive = [_as_json(feature) for feature in features]
    return hashlib.sha256(json.dumps(decisive, sort_keys=True).encode()).hexdigest()


def _as_json(feature: Feature) -> dict[str, object]:
    """Return what decides a feature's numbers and direction, as JSON holds it."""
    across = feature.across
    decisive: dict[str, object] = {
        name: getattr(feature, name) for name in ("name", "window", "skip", "monotone", "cushion")
    }
    decisive |= {name: getattr(feature, name).name for name in ("aggregation", "missing")}
    decisive |= {
        name: one and vars(one) for name in ("series", "of", "account") for one in [getattr(feature, name)]
    }
    decisive["across"] = across and [
        across.how.name,
        across.with_left,
        [(_as_json(one.value), repr(one.low), repr(one.high)) for one in across.where],
    ]
    decisive["codes"] = feature.codes.values if feature.codes else None
    decisive["terms"] = [(factor, _as_json(term)) for factor, term in feature.terms]
    return decisive
