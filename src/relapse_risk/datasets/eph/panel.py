"""Panel files to records and the settings that fit them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from relapse_risk.datasets.eph import employment, households, incomes, members
from relapse_risk.datasets.eph.files import read_panel
from relapse_risk.datasets.eph.frames import records_table
from relapse_risk.datasets.eph.settings import panel_settings
from relapse_risk.settings import Settings

#: Horizons the panel is judged at: the next visit, and any visit within the next four quarters.
HORIZONS = (4, 13)


@dataclass(frozen=True)
class PanelImport:
    """What became of the files.

    Parameters
    ----------
    tables : dict of str to pyarrow.Table
        The records.
    settings : Settings
        The settings that fit.
    counts : dict of str to int
        Rows read, used and set aside, by reason.
    """

    tables: dict[str, pa.Table]
    settings: Settings
    counts: dict[str, int]


def import_eph(files: Iterable[Path | str], horizon_months: int = HORIZONS[0]) -> PanelImport:
    """Turn panel files into records.

    With files of persons there are tables ``members`` and ``employment``, and incomes are parted finer.

    Parameters
    ----------
    files : iterable of path
        Parquet files of household-quarters and of person-quarters, any quarters, in any order; which a file is
        follows from its columns. A row that several files hold alike is taken once.
    horizon_months : int
        Horizon of the settings: 4 for the next visit, 13 for any visit within the next four quarters.

    Raises
    ------
    NotFoundError
        If a file is not there.
    ImportRefused
        If there is no file of households, or a file is not Parquet, lacks a column, has an unusable id, or
        contradicts another file.
    """
    panel = read_panel([Path(file) for file in files])
    visits, persons, counts = panel.visits, panel.persons, panel.counts
    frames = {
        "households": households.profiles(visits),
        "visits": households.looks(visits),
        "observations": households.observations(visits),
        "statuses": households.statuses(visits),
        "supports": households.supports(visits),
        "grids": households.grids(visits),
    }
    if persons is None:
        frames["incomes"] = incomes.by_household(visits)
    else:
        frames["incomes"], differing = incomes.by_person(visits, persons)
        counts["visits whose persons' incomes do not add up to the household's"] = differing
        frames["members"] = members.profiles(persons)
        frames["employment"] = employment.ledger(persons)
        counts["persons"] = int(persons["person_id"].nunique())
    tables = {name: records_table(name, frame) for name, frame in frames.items()}
    return PanelImport(tables, panel_settings(visits, horizon_months), counts)
