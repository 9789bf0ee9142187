"""What was known when: the only place that compares ``known_on`` with a date.

The function takes numpy arrays and, compiled, the engine's scalars, so that batch filters and the feature engine
share one rule.
"""

from __future__ import annotations

from typing import Any


def is_visible(known_on: Any, seen_on: Any) -> Any:
    """Return whether a row was known before the day ``seen_on``.

    Strictly before: what comes in on the as_of day itself is not used. A row is replaced once the next version of
    it is visible.
    """
    return known_on < seen_on
