"""What was known when: the only place that compares ``known_on`` with a date.

The function takes numpy arrays and, compiled, the engine's scalars, so that batch filters and the feature engine
share one rule.
"""

from __future__ import annotations

from typing import Any


def is_visible(known_on: Any, as_of: Any) -> Any:
    """Return whether a row was known before the day ``as_of``.

    Strictly before: what comes in on the day itself is not used. A row is replaced once its next version is
    visible.
    """
    return known_on < as_of
