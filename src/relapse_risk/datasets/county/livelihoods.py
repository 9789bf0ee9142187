"""What a household can live from."""

from __future__ import annotations

LIVELIHOODS = ("migrant", "orange", "mixed", "workshop", "transfer")
MIGRANT, ORANGE, MIXED, WORKSHOP, TRANSFER = range(5)
