"""The settings of a data folder (``relapse.toml``): how its records are read, labelled, trained on and scored.

Scores depend on nothing else: no environment variable, no clock.
"""

from __future__ import annotations

import datetime as dt
import tomllib
from pathlib import Path
from typing import Annotated, Literal

import tomli_w
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from relapse_risk import monitoring_line
from relapse_risk.errors import NotFoundError, SettingsInvalid

SETTINGS_FILE = "relapse.toml"


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class DataSettings(_Section):
    """What the records cover.

    Parameters
    ----------
    end : date, optional
        First day the records do not cover. Left out: the day after the latest ``known_on``.
    currency : str
        Currency of every ``*_yuan`` column (ISO 4217).
    accounts_complete : bool
        Whether a household's incomes of a month name all its sources: then a source without a row in a month with
        others brought nothing. Otherwise it is not known what it brought.
    """

    end: dt.date | None = None
    currency: str = "CNY"
    accounts_complete: bool = False


class CycleSettings(_Section):
    """The visit rounds. The first day of each is an as_of date.

    Parameters
    ----------
    months : int
        Length of a round.
    anchor : date
        First day of any round; earlier and later rounds follow from it.
    """

    months: Annotated[int, Field(ge=1, le=24)] = 2
    anchor: dt.date = dt.date(2020, 1, 1)


class OutcomeSettings(_Section):
    """What is predicted.

    Parameters
    ----------
    horizon_months : int
        The label looks forward over ``[as_of, as_of + horizon)``.
    kind : {"registry", "panel"}
        ``registry``: every identification is recorded, so no record means not poor. ``panel``: a household is
        observed now and then, so no record means unobserved.
    reporting_lag_days : int
        Days after an event until its record has come in; a county may take 15 days to enter it.
    rounds : tuple of str
        Days of the year (``MM-DD``) that all statuses have as their date, as in the rounds of a panel. Empty:
        statuses may have any date.
    """

    horizon_months: Annotated[int, Field(ge=1, le=60)] = 6
    kind: Literal["registry", "panel"] = "registry"
    reporting_lag_days: Annotated[int, Field(ge=0, le=730)] = 15
    rounds: tuple[Annotated[str, Field(pattern=r"^(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$")], ...] = ()

    @field_validator("rounds")
    @classmethod
    def _real_days(cls, rounds: tuple[str, ...]) -> tuple[str, ...]:
        for day in rounds:
            dt.date.fromisoformat(f"2023-{day}")
        return rounds


class CohortSettings(_Section):
    """Which households are scored and trained on.

    Parameters
    ----------
    previously_poor_only : bool
        Score only households that were poor or lifted before.
    train_on : {"not_poor", "cohort", "observed"}
        Train on every household not poor at as_of, lifted or not; on the cohort to score alone; or on every
        household with a known status, poor or not.
    status_within_months : int, optional
        Use the latest status only if it occurred within so many months before as_of. Left out, a status holds
        until the next one.
    """

    previously_poor_only: bool = True
    train_on: Literal["not_poor", "cohort", "observed"] = "not_poor"
    status_within_months: Annotated[int, Field(ge=1, le=120)] | None = None


class LineStep(_Section):
    """The monitoring line from a day on.

    Parameters
    ----------
    since : date
        First day the amount holds.
    yuan : float
        Amount per counted member and ``LineSettings.months``.
    area : str, optional
        The township it holds in; left out, everywhere.
    """

    since: dt.date
    yuan: Annotated[float, Field(gt=0)]
    area: str | None = None


class LineSettings(_Section):
    """The monitoring line, by area and time.

    Parameters
    ----------
    months : int
        The period an amount stands for: 12 for a yearly line, 1 for a monthly one.
    steps : tuple of LineStep
        The amounts. The line of a day is the latest step of its area (else of everywhere) at or before it.
    """

    months: Annotated[int, Field(ge=1, le=12)] = 12
    steps: tuple[LineStep, ...] = ()


class ItemSettings(_Section):
    """A further coded answer recorded at visits (table ``observations``).

    Parameters
    ----------
    zh, en : str
        Its name in the data dictionary and in reasons.
    unit : str
        Unit of the value.
    risk_type : str
        Reason group it belongs to.
    monotone : {-1, 0, 1}
        Direction of risk as the value rises; 0 if that is not certain.
    """

    zh: str
    en: str
    unit: str = "code"
    risk_type: str = "living_conditions"
    monotone: Literal[-1, 0, 1] = 0


class TrainingSettings(_Section):
    """How models are trained and judged.

    Parameters
    ----------
    seed : int
        Seed of all random numbers.
    capacity : float
        Share of the cohort that can be visited; recall and precision are measured at this share.
    origins : int
        Test dates of the rolling-origin evaluation; 0 trains without evaluation.
    history_months : int
        Months of records required before a training date.
    max_cycles : int
        Most training dates; the latest are used.
    most_negatives : int
        Most rows without the outcome that are trained on. If there are more, about so many are kept, by a hash of
        household and date, and each counts for as many as were left out; all rows with the outcome are kept. The
        dates that models are tested on are never thinned.
    origin_boosters : int
        Most boosters of a model that is trained for an origin only; the model that is saved has all.
    without_directions : bool, optional
        Whether a model without directions is judged beside the model, which takes a third of the time of an origin.
        Left out: only if no negatives are left out.
    """

    seed: Annotated[int, Field(ge=0, le=2**31 - 101)] = 0
    capacity: Annotated[float, Field(gt=0, lt=1)] = 0.10
    origins: Annotated[int, Field(ge=0, le=50)] = 4
    history_months: Annotated[int, Field(ge=0, le=120)] = 12
    max_cycles: Annotated[int, Field(ge=1, le=120)] = 24
    most_negatives: Annotated[int, Field(ge=100)] = 500_000
    origin_boosters: Annotated[int, Field(ge=1, le=100)] = 2
    without_directions: bool | None = None


class Settings(_Section):
    """All settings of a data folder.

    Parameters
    ----------
    data, cycle, outcome, cohort, line, training : section
        See the class of each section.
    items : dict of str to ItemSettings
        The items of the table ``observations``.
    """

    data: DataSettings = DataSettings()
    cycle: CycleSettings = CycleSettings()
    outcome: OutcomeSettings = OutcomeSettings()
    cohort: CohortSettings = CohortSettings()
    line: LineSettings = LineSettings()
    training: TrainingSettings = TrainingSettings()
    items: dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")], ItemSettings] = {}

    @model_validator(mode="after")
    def _unique_steps(self) -> Settings:
        seen = {(step.area, step.since) for step in self.line.steps}
        if len(seen) < len(self.line.steps):
            raise ValueError("line.steps: two steps for one area and day; keep one")
        return self

    def over(self, base: Settings) -> Settings:
        """Return other settings with those replaced that were given explicitly here.

        Settings that were left out here keep the value of ``base``, even where they have a default. Lists
        (``line.steps``, ``outcome.rounds``) and items are replaced as a whole.

        Examples
        --------
        >>> named = Settings.model_validate({"cycle": {"months": 3}})
        >>> laid = named.over(Settings(outcome=OutcomeSettings(horizon_months=12)))
        >>> laid.cycle.months, laid.outcome.horizon_months
        (3, 12)
        """
        data = base.model_dump()
        for section, named in self.model_dump(exclude_unset=True).items():
            data[section] |= named
        return Settings.model_validate(data)

    def of_model(self, model: Settings) -> Settings:
        """Return these settings with a model's outcome, cohort and training in place of their own."""
        return self.model_copy(update={name: getattr(model, name) for name in ("outcome", "cohort", "training")})

    @classmethod
    def load(cls, path: Path | str) -> Settings:
        """Read a settings file.

        Parameters
        ----------
        path : path
            A TOML file, or a folder that holds ``relapse.toml``.

        Raises
        ------
        NotFoundError
            If there is no such file.
        SettingsInvalid
            If it is not TOML or a setting does not fit; the message names each setting and what is valid.
        """
        file = Path(path)
        if file.is_dir():
            file = file / SETTINGS_FILE
        if not file.is_file():
            raise NotFoundError(f"no settings file {file}; `relapse import` and `relapse simulate` write one")
        try:
            return cls.model_validate(tomllib.loads(file.read_text(encoding="utf-8")))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise SettingsInvalid(f"{file} is not valid TOML in UTF-8: {error}") from error
        except ValidationError as error:
            lines = "\n".join(f"  {'.'.join(map(str, e['loc'])) or 'settings'}: {e['msg']}" for e in error.errors())
            raise SettingsInvalid(f"{file} has settings that do not fit:\n{lines}") from error

    def to_toml(self) -> str:
        """Return the settings as TOML; those that are None are left out."""
        return tomli_w.dumps(self.model_dump(exclude_none=True))


def county_defaults() -> Settings:
    """Return the settings for a county that gives none: a complete registry, and the published line."""
    steps = tuple(LineStep(since=line.since, yuan=line.yuan) for line in monitoring_line.PUBLISHED)
    return Settings(line=LineSettings(months=monitoring_line.MONTHS, steps=steps))
