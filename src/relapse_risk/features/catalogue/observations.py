"""Further coded answers of visits, as the settings declare them."""

from __future__ import annotations

from collections.abc import Mapping

from relapse_risk.features.declare import Aggregation as A
from relapse_risk.features.declare import Feature, Series
from relapse_risk.records.codes import Label
from relapse_risk.settings import ItemSettings


def features(items: Mapping[str, ItemSettings]) -> tuple[Feature, ...]:
    """Return the features of the declared items: the last answer, and the mean of two years."""
    return tuple(feature for name, item in items.items() for feature in _item(name, item))


def _item(name: str, item: ItemSettings) -> list[Feature]:
    answers = Series("observations", "value", where=(("item", (name,)),))
    return [
        Feature(f"item_{name}_last", Label(f"最近一次{item.zh}", f"last {item.en}"), item.unit, answers, A.LAST,
                risk_type=item.risk_type, monotone=item.monotone),
        Feature(f"item_{name}_mean_24m", Label(f"近24个月平均{item.zh}", f"mean {item.en} in 24 months"), item.unit,
                answers, A.MEAN, 24, risk_type=item.risk_type, monotone=item.monotone),
    ]  # fmt: skip
