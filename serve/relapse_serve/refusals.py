"""What is wrong with a request: where, by which rule, and what is valid."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from relapse_risk.records.violations import RULES

#: Violations that an answer lists.
MAX_LISTED = 100

REQUEST_RULES = {
    "RR201": "body cannot be read",
    "RR202": "more or fewer than one request takes",
    "RR203": "table that the model uses is not stated",
}
"""Rules of requests alone, beside ``records.violations.RULES``; a code never changes its meaning."""

Where = tuple[str | int, ...]


@dataclass(frozen=True)
class RequestViolation:
    """One rule that a request breaks: where, by field names and positions, and what is valid. Never a value."""

    where: Where
    code: str
    valid: str

    def as_json(self) -> dict[str, Any]:
        """Return what the answer holds of it."""
        rule = REQUEST_RULES.get(self.code) or RULES[self.code]
        return {"where": list(self.where), "code": self.code, "rule": rule, "valid": self.valid}


class RequestInvalid(ValueError):
    """A request that cannot be scored.

    Parameters
    ----------
    violations : list of RequestViolation
        The first of those found.
    n_violations : int
        How many were found.
    readable : bool
        Whether it was JSON at all.
    """

    def __init__(self, violations: list[RequestViolation], n_violations: int, *, readable: bool = True) -> None:
        self.violations = violations
        self.n_violations = n_violations
        self.readable = readable
        super().__init__(f"{n_violations} violation(s)")


def not_json() -> RequestInvalid:
    """Return the refusal of a body that is not JSON."""
    valid = "The body must be JSON in UTF-8, not deeply nested, with each field once."
    return RequestInvalid([RequestViolation((), "RR201", valid)], 1, readable=False)
