"""The declared features behind a model's column names."""

from __future__ import annotations

from collections.abc import Sequence

from relapse_risk.errors import BundleRefused
from relapse_risk.features.catalogue import catalogue
from relapse_risk.features.declare import Feature
from relapse_risk.settings import Settings


def features_by_name(names: Sequence[str], settings: Settings) -> tuple[Feature, ...]:
    """Return the catalogue's features of these names, in this order.

    Raises
    ------
    BundleRefused
        If the catalogue has no feature of a name: the model was made for another one.
    """
    known = {feature.name: feature for feature in catalogue(settings)}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise BundleRefused(
            f"the model uses {len(unknown)} feature(s) that the catalogue does not declare: "
            f"{', '.join(unknown[:5])}. Train it anew with this version, or use the version it was made with."
        )
    return tuple(known[name] for name in names)
