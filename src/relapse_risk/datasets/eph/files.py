"""Panel files as they come: their kind found by their columns, read, checked and joined."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from relapse_risk.datasets.eph import employment, households, incomes, members
from relapse_risk.datasets.eph.frames import quarter_end
from relapse_risk.errors import ImportRefused, NotFoundError

#: A visit: one household in one quarter.
VISIT = ("CODUSU", "NRO_HOGAR", "ANO4", "TRIMESTRE")


@dataclass(frozen=True)
class FileKind:
    """A kind of panel file.

    Parameters
    ----------
    rows : str
        What its rows are called in messages.
    mark : str
        A column that no other kind has.
    key : tuple of str
        Columns that name a row.
    columns : tuple of str
        Every column that is read, once.
    """

    rows: str
    mark: str
    key: tuple[str, ...]
    columns: tuple[str, ...]


def _once(*columns: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(columns))


HOUSEHOLDS = FileKind(
    "household-quarter",
    mark="REALIZADA",
    key=VISIT,
    columns=_once(*VISIT, "REALIZADA", "PONDIH", *households.COLUMNS, *incomes.HOUSEHOLD_COLUMNS),
)
PERSONS = FileKind(
    "person-quarter",
    mark="COMPONENTE",
    key=(*VISIT, "COMPONENTE"),
    columns=_once(*VISIT, "COMPONENTE", *members.COLUMNS, *employment.COLUMNS, *incomes.PERSON_COLUMNS),
)
KINDS = (PERSONS, HOUSEHOLDS)
#: What rows of persons that belong to no visit are counted as.
NO_VISIT = "persons' rows of no interviewed household-quarter, left out"


@dataclass(frozen=True)
class Panel:
    """All files, joined.

    Parameters
    ----------
    visits : DataFrame
        Interviewed household-quarters by household and day, with ``household_id``, ``day`` (the quarter's last),
        ``answered`` (whether income is known) and ``line`` (the household's basket).
    persons : DataFrame or None
        Person-quarters of these visits, by household, person and day, with ``household_id``, ``person_id`` and
        ``day``; None without files of persons.
    counts : dict of str to int
        Rows read and set aside, by reason.
    """

    visits: pd.DataFrame
    persons: pd.DataFrame | None
    counts: dict[str, int]


def read_panel(files: list[Path]) -> Panel:
    """Return the panel that files hold together.

    Raises
    ------
    NotFoundError
        If a file is not there.
    ImportRefused
        If there is no file of households, or a file is not Parquet, lacks a column, has an unusable id, or
        contradicts another file.
    """
    if not files:
        raise ImportRefused("no panel file given; give at least one")
    by_kind: dict[str, list[pd.DataFrame]] = {kind.rows: [] for kind in KINDS}
    for file in files:
        kind = kind_of(file)
        by_kind[kind.rows].append(_read(file, kind))
    if not by_kind[HOUSEHOLDS.rows]:
        raise ImportRefused("only files of persons given; give the files of the same quarters' households too")
    visits, counts = _visits(*_joined(by_kind[HOUSEHOLDS.rows], HOUSEHOLDS))
    if not by_kind[PERSONS.rows]:
        return Panel(visits, None, counts)
    answers, repeated = _joined(by_kind[PERSONS.rows], PERSONS)
    persons, of_persons = _persons(answers, visits)
    return Panel(visits, persons, {**counts, "persons' rows repeated": repeated, **of_persons})


def kind_of(file: Path) -> FileKind:
    """Return the kind of a file, by its columns.

    Raises
    ------
    NotFoundError
        If it is not there.
    ImportRefused
        If it is not Parquet, or of no kind.
    """
    if not file.is_file():
        raise NotFoundError(f"no panel file {file}")
    try:
        names = pq.read_schema(file).names
    except (pa.ArrowInvalid, OSError) as error:
        raise ImportRefused(f"{file} is not a Parquet file; the panel comes as Parquet") from error
    for kind in KINDS:
        if kind.mark in names:
            return kind
    marks = " nor ".join(f"{kind.mark} (a file of {kind.rows}s has it)" for kind in KINDS)
    raise ImportRefused(f"{file} has neither {marks}; give the panel's files")


def _read(file: Path, kind: FileKind) -> pd.DataFrame:
    lacking = [column for column in kind.columns if column not in pq.read_schema(file).names]
    if lacking:
        raise ImportRefused(
            f"{file}, a file of {kind.rows}s, lacks {', '.join(lacking)}; the panel's description lists all columns"
        )
    frame = pd.read_parquet(file, columns=list(kind.columns))
    if pd.api.types.is_numeric_dtype(frame["CODUSU"]):
        raise ImportRefused(f"{file}: CODUSU holds numbers; an id is text, export it so")
    texts = [name for name in kind.columns if name != "CODUSU" and not pd.api.types.is_numeric_dtype(frame[name])]
    if texts:
        raise ImportRefused(f"{file}: {', '.join(texts)} must hold numbers; export answers as numbers, not texts")
    unnamed = int(frame[list(kind.key)].isna().any(axis=1).sum())
    if unnamed:
        raise ImportRefused(f"{file}: {unnamed} {kind.rows}(s) lack one of {', '.join(kind.key)}, which name a row")
    return frame.astype(dict.fromkeys(kind.key[1:], "int64"))


def _joined(parts: list[pd.DataFrame], kind: FileKind) -> tuple[pd.DataFrame, int]:
    """Return all rows once, and how many were repeated."""
    rows = pd.concat(parts, ignore_index=True)
    several = rows.duplicated(list(kind.key), keep=False)
    once = pd.concat([rows[~several], rows[several].drop_duplicates()])
    contradicting = int(once.duplicated(list(kind.key)).sum())
    if contradicting:
        raise ImportRefused(
            f"{contradicting} {kind.rows}(s) occur again with different answers; give each quarter once"
        )
    return once, len(rows) - len(once)


def _visits(answers: pd.DataFrame, repeated: int) -> tuple[pd.DataFrame, dict[str, int]]:
    interviewed = answers["REALIZADA"] == 1
    visits = answers[interviewed]
    visits = visits.assign(
        household_id=visits["CODUSU"] + "-" + visits["NRO_HOGAR"].astype(str),
        day=quarter_end(visits["ANO4"], visits["TRIMESTRE"]),
        answered=visits["PONDIH"] > 0,
        line=visits["basic_total_basket"] * visits["adult_equivalents"],
    ).sort_values(["household_id", "day"], ignore_index=True)
    return visits, {
        "rows read": len(answers) + repeated,
        "rows repeated": repeated,
        "not interviewed": int((~interviewed).sum()),
        "households": int(visits["household_id"].nunique()),
        "income not answered": int((~visits["answered"]).sum()),
        "basket not known": int(visits["line"].isna().sum()),
    }


def _persons(answers: pd.DataFrame, visits: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, int]]:
    """Return the persons of the visits; those of no visit have no household to be members of."""
    persons = answers.merge(visits[[*VISIT, "household_id", "day"]], how="inner", on=list(VISIT))
    persons["person_id"] = persons["household_id"] + "-" + persons["COMPONENTE"].astype(str)
    persons = persons.sort_values(["household_id", "COMPONENTE", "day"], ignore_index=True)
    with_persons = len(persons.drop_duplicates(["household_id", "day"]))
    return persons, {
        "persons' rows": len(persons),
        NO_VISIT: len(answers) - len(persons),
        "visits without persons": len(visits) - with_persons,
    }
