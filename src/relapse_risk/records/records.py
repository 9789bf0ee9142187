"""Validated record tables, and what of them was known on a day."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from relapse_risk.dates import DateLike, from_days, to_date, to_days
from relapse_risk.errors import RecordsInvalid, UsageError
from relapse_risk.records.schema import plain
from relapse_risk.records.tables import TABLES
from relapse_risk.records.validate import check_tables
from relapse_risk.records.visibility import is_visible
from relapse_risk.settings import Settings

if TYPE_CHECKING:
    import pandas as pd


class Records:
    """The record tables of a county (or of one household), validated.

    Build one with ``load_records``, ``Records.from_tables`` or ``Records.from_frames``; they never change.

    Parameters
    ----------
    tables : dict of str to pyarrow.Table
        Conformed, valid tables; those absent are read as without rows.
    settings : Settings
        What the records are read with.
    present : frozenset of str
        Tables the source has, be they empty.
    end : int
        First day the records do not cover, days since 1970-01-01.
    bounds : tuple of str or None
        Households whose ids lie in ``[bounds[0], bounds[1])`` are in these records, or in no block of the same
        folder; None is open.

    Attributes
    ----------
    cache : dict
        Where the engine keeps what it derived from these rows.
    """

    def __init__(
        self,
        tables: Mapping[str, pa.Table],
        settings: Settings,
        present: frozenset[str],
        end: int,
        bounds: tuple[str | None, str | None] = (None, None),
    ) -> None:
        self._tables = tables
        self._visible: dict[str, pa.Table] = {}
        self.cache: dict[str, object] = {}
        self.settings = settings
        self.present = present
        self._end = end
        self.bounds = bounds

    @classmethod
    def from_tables(cls, tables: Mapping[str, pa.Table], settings: Settings | None = None) -> Records:
        """Check Arrow tables and return them as records.

        Parameters
        ----------
        tables : dict of str to pyarrow.Table
            By table name; see ``relapse_risk.records.tables`` for the columns.
        settings : Settings, optional
            Defaults otherwise.

        Raises
        ------
        RecordsInvalid
            If any rule is broken; ``violations`` lists every violation of every table.
        """
        settings = settings or Settings()
        unknown = set(tables) - set(TABLES)
        if unknown:
            raise UsageError(f"tables not known: {sorted(unknown)}. Valid tables: {', '.join(TABLES)}.")
        conformed, violations = check_tables(tables, settings)
        if violations:
            raise RecordsInvalid(tuple(violations))
        return cls.from_valid(conformed, settings, frozenset(tables))

    @classmethod
    def from_valid(cls, tables: Mapping[str, pa.Table], settings: Settings, present: frozenset[str]) -> Records:
        """Return records of tables that are already conformed and checked (as the service does)."""
        if settings.data.end is not None:
            end = to_days(settings.data.end)
        else:
            latest = [pc.max(t["known_on"].cast(pa.int32())).as_py() for t in tables.values() if t.num_rows]
            end = max(latest, default=-1) + 1
        return cls(dict(tables), settings, present, end)

    @classmethod
    def from_frames(cls, frames: Mapping[str, pd.DataFrame], settings: Settings | None = None) -> Records:
        """Check pandas frames and return them as records.

        Raises
        ------
        RecordsInvalid
            If any rule is broken.
        """
        tables = {name: pa.Table.from_pandas(frame, preserve_index=False) for name, frame in frames.items()}
        return cls.from_tables(tables, settings)

    @property
    def blocks(self) -> Sequence[Records]:
        """These records as one block; ``RecordBlocks`` has the same property."""
        return (self,)

    @property
    def end(self) -> dt.date:
        """First day the records do not cover."""
        return from_days(self._end)

    def first_known(self, name: str) -> dt.date | None:
        """Return the first day on which a row of a table was known; None if it shows no row."""
        day: dt.date | None = pc.min(self.table(name)["known_on"]).as_py()
        return day

    def visible(self, as_of: DateLike) -> Records:
        """Return what the county's system held before the day ``as_of``, all versions of it.

        Parameters
        ----------
        as_of : date
            Rows with ``known_on < as_of`` remain, and the records end there.
        """
        end = min(self._end, to_days(to_date(as_of)))
        return Records(self._tables, self.settings, self.present, end, self.bounds)

    def with_settings(self, settings: Settings) -> Records:
        """Return the same rows under other settings; what the engine derived is kept if it still holds."""
        other = Records(self._tables, settings, self.present, self._end, self.bounds)
        if _of_the_engine(settings) == _of_the_engine(self.settings):
            other.cache, other._visible = self.cache, self._visible
        return other

    def with_model_settings(self, settings: Settings) -> Records:
        """Return the same rows with a model's outcome, cohort and training in place of the folder's own."""
        return self.with_settings(self.settings.of_model(settings))

    def table(self, name: str) -> pa.Table:
        """Return a table's visible rows, their texts as Arrow dictionaries.

        Raises
        ------
        UsageError
            If there is no table of that name.
        """
        if name not in TABLES:
            raise UsageError(f"no table {name!r}. Valid tables: {', '.join(TABLES)}.")
        if name not in self._visible:
            data = self._tables[name]
            mask = is_visible(np.asarray(data["known_on"].cast(pa.int32())), self._end)
            self._visible[name] = data if bool(mask.all()) else data.filter(pa.array(mask))
        return self._visible[name]

    def frame(self, name: str) -> pd.DataFrame:
        """Return a table's visible rows as a pandas frame, their texts plain."""
        import pandas as pd  # noqa: PLC0415

        dtypes = {pa.int64(): pd.Int64Dtype(), pa.bool_(): pd.BooleanDtype()}
        frame: pd.DataFrame = plain(self.table(name)).to_pandas(date_as_object=False, types_mapper=dtypes.get)
        return frame

    def __repr__(self) -> str:
        rows = ", ".join(f"{name} {self.table(name).num_rows:,}" for name in TABLES if name in self.present)
        return f"<Records until {self.end}: {rows}>"


def _of_the_engine(settings: Settings) -> tuple[object, ...]:
    """Return the settings that what the engine derives from records depends on."""
    return settings.line, settings.items, settings.data.accounts_complete
