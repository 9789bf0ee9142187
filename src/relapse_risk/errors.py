"""What can go wrong, one class and one exit code each.

A message says what was got, what is valid and what to do next, and never holds a personal value: tables,
columns, row numbers and counts only.
"""

from __future__ import annotations

import inspect
import warnings
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from relapse_risk.records.violations import Violation


class RelapseError(Exception):
    """Base of every error this package raises on purpose."""

    exit_code: ClassVar[int] = 1


class UsageError(RelapseError, ValueError):
    """An argument that cannot be used."""

    exit_code = 2


#: Rules between tables.
_CHECKED_LAST = {"RR012", "RR013", "RR015", "RR017"}
_MORE_MAY_FOLLOW = (
    "More may follow once these are corrected: what rows of one table refer to in another is checked last, and a "
    "table with a column of the wrong type is not checked further."
)


class RecordsInvalid(RelapseError, ValueError):
    """Records that break the rules of their tables.

    Parameters
    ----------
    violations : tuple of Violation
        Every violation found, of all tables.
    """

    exit_code = 3

    def __init__(self, violations: tuple[Violation, ...]) -> None:
        self.violations = violations
        lines = "\n".join(f"  {violation}" for violation in violations)
        more = "" if {v.code for v in violations} <= _CHECKED_LAST else f"\n{_MORE_MAY_FOLLOW}"
        super().__init__(f"the records break {len(violations)} rule(s):\n{lines}{more}")


class SettingsInvalid(RelapseError, ValueError):
    """A settings file that cannot be read or does not fit."""

    exit_code = 4


class NotFoundError(RelapseError, FileNotFoundError):
    """A folder, a file or a model version that is not there."""

    exit_code = 5


class BundleRefused(RelapseError, ValueError):
    """A model bundle that is damaged, incomplete, altered, or made for another catalogue."""

    exit_code = 6


class NotEnoughData(RelapseError, ValueError):
    """Too few mature labels, as_of dates or households for what was asked."""

    exit_code = 7


class OutputExists(RelapseError, FileExistsError):
    """An output that would overwrite something that is not ours to lose."""

    exit_code = 8


class StorageError(RelapseError, OSError):
    """A file or folder that the system will not let be read or written: no space, no permission."""

    exit_code = 10


class TrackingFailed(RelapseError, RuntimeError):
    """A training run that could not be recorded; its model is written all the same."""

    exit_code = 11


class ImportRefused(RelapseError, ValueError):
    """A raw source that cannot be turned into records."""

    exit_code = 9


class OutputBusy(RelapseError, RuntimeError):
    """An output that another run is writing."""

    exit_code = 12


class Interrupted(RelapseError):
    """Stopped by Ctrl-C; no output is left half written."""

    exit_code = 130


def exit_codes() -> list[tuple[int, str, str]]:
    """Return every code a command ends with: the code, its error class, and what it means.

    Examples
    --------
    >>> [code for code, _, _ in exit_codes()]
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 130]
    """
    own = [(c.exit_code, c.__name__, (c.__doc__ or "").split("\n")[0]) for c in RelapseError.__subclasses__()]
    return sorted([(0, "", "Done."), (RelapseError.exit_code, "", "A fault of the program itself."), *own])


class RecordsEndBefore(UserWarning):
    """Scores are asked for a day later than the records reach: what happened since is not in them."""


class NoChineseFont(UserWarning):
    """No font with Chinese characters is there: plots are labelled in English alone."""


class OutcomeNotGiven(UserWarning):
    """Labels have dates, but the estimator was not given what they are: it cannot calibrate on later ones."""


def warn_caller(message: str, category: type[Warning]) -> None:
    """Warn, naming the latest line outside this package: that of the user's own call."""
    frame, level = inspect.currentframe(), 1
    while frame is not None and frame.f_globals.get("__name__", "").startswith("relapse_risk"):
        frame, level = frame.f_back, level + 1
    warnings.warn(message, category, stacklevel=level)
