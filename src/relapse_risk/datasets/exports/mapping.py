"""The mapping file: which of a county's files, columns and texts stand for which of the record tables'."""

from __future__ import annotations

import datetime as dt
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from relapse_risk.datasets.exports.date_cells import Precision
from relapse_risk.datasets.exports.encoding import Encoding
from relapse_risk.datasets.exports.mapping_rules import A_MONTH, violations
from relapse_risk.datasets.exports.same_key import SameKey, rule_of
from relapse_risk.errors import NotFoundError, SettingsInvalid
from relapse_risk.records.columns import Table
from relapse_risk.settings import Settings

#: Stands for the day of the export, where a date is asked for.
EXPORT = "export"


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Export(_Section):
    """What holds for the whole export.

    Parameters
    ----------
    date : date, optional
        The day the export was made: nothing in it was known later. Else ``--exported-on`` says it.
    max_reject_share : float
        Share of a table's rows that may be set aside; above it the import stops.
    nulls : tuple of str
        Further texts that stand for no answer.
    """

    date: dt.date | None = None
    max_reject_share: Annotated[float, Field(ge=0, le=1)] = 0.02
    nulls: tuple[str, ...] = ()


class Source(_Section):
    """How one column is made.

    Parameters
    ----------
    column : str, optional
        The county's column.
    columns : tuple of str
        Several: ids are joined by ``-``, code sets by commas.
    flags : dict of str to str
        Several columns of yes and no, each with the code of a set that it stands for: ``"职工医保" =
        "employee_medical"``. The set of a row has the codes with a yes in their column.
    none : str, optional
        With ``flags``, the code of a row in which every one of the columns says no; left out, its set is missing.
    value : str, optional
        The same in every row, as a cell would have it; ``export`` for the day of the export.
    blank : str, optional
        Stands in blank cells, as a cell would have it; ``export`` likewise. With ``flags``, only where one of the
        row's columns is filled: a row without any was not filled in.
    pseudonym : bool
        Of ids: citizen ids (身份证号) that are to be replaced by keyed hashes, since they are never stored.
    unit : str, optional
        Unit of an amount: 元, 万元, 元/月, 万元/年, 亩 and so on; left out, the record table's own. 岁 where
        a month of birth is given as an age on the day of the row.
    unit_column : str, optional
        A column with each row's unit.
    coarsest : {"day", "month", "quarter", "half", "year"}
        The coarsest a date may be; a month or longer period stands for its last day, as a month of birth for the
        month in its middle.
    lag_days : int
        Added to a date. For a ``known_on`` that no column says: an assumption of how late rows come in.
    texts : dict of str to str
        The county's texts with what they stand for (a code, ``true``, ``false``, a number); empty for no answer.
    """

    column: str | None = None
    columns: tuple[str, ...] = ()
    flags: dict[str, str] = {}
    none: str | None = None
    value: str | None = None
    blank: str | None = None
    pseudonym: bool = False
    unit: str | None = None
    unit_column: str | None = None
    coarsest: Precision = "month"
    lag_days: Annotated[int, Field(ge=0, le=730)] = 0
    texts: dict[str, str] = {}

    @model_validator(mode="before")
    @classmethod
    def _as_text(cls, data: Any) -> Any:
        """Take a TOML date, number or flag where a cell's text is meant."""
        if isinstance(data, str):
            return {"column": data}
        if not isinstance(data, dict):
            return data
        data = {**data}
        for name in ("value", "blank"):
            if name in data:
                data[name] = _text(data[name])
        if isinstance(data.get("texts"), dict):
            data["texts"] = {text: _text(code) for text, code in data["texts"].items()}
        return data

    @model_validator(mode="after")
    def _one_origin(self) -> Source:
        if sum((self.column is not None, bool(self.columns), bool(self.flags), self.value is not None)) != 1:
            raise ValueError("give one of column, columns, flags and value")
        if self.none is not None and not self.flags:
            raise ValueError("none: it says what a row is of which all flags say no; give flags")
        return self

    @property
    def read(self) -> tuple[str, ...]:
        """The county's columns it is made from."""
        named = (self.column, *self.columns, *self.flags, self.unit_column)
        return tuple(name for name in named if name is not None)


def _text(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float, dt.date)):
        return str(value)
    return value


class Spread(_Section):
    """Makes a row of each of several columns (one column a kind of income, say).

    The columns of a source's row are one account: where one cannot be used, none of the row's is.

    Parameters
    ----------
    into : str
        The record table's column that takes the cell.
    columns : dict of str to dict
        The county's columns, each with the values it stands for: ``"务工收入" = { source = "wage" }``.
    unit : str, optional
        Unit of the cells.
    blank : str, optional
        Stands in blank cells (0, where a form leaves zero blank), unless all of the row's are: then nobody filled
        it in. Left out, a blank cell makes no row.
    """

    into: str
    columns: Annotated[dict[str, dict[str, str]], Field(min_length=1)]
    unit: str | None = None
    blank: Annotated[str | None, BeforeValidator(_text)] = None


class Block(_Section):
    """Rows of one record table, from one source.

    Parameters
    ----------
    file : str, optional
        File below SRC; ``*`` and ``?`` stand for several files. Left out where SRC is the file.
    sheet : str, optional
        Sheet of a workbook; left out where there is one.
    relation, query : str, optional
        Table or view (``schema.table``), or a query, where SRC is a PostgreSQL URL.
    encoding, delimiter : str
        Of text files; ``auto`` has them detected.
    header_row : int
        Row the column names stand in.
    only_if : tuple of str
        Leave out rows where one of these columns is blank.
    row_months : int, optional
        Months a row stands for. A unit per month or year is multiplied out to them, and incomes keep them in
        their column ``months``.
    same_key : {"sum", "sum_of_day", "latest", "refuse"}, optional
        What rows that share the table's key are to each other (see ``same_key.py``); left out, the table's own
        rule.
    columns : dict of str to Source
        The record table's columns.
    spread : Spread, optional
        See ``Spread``.
    """

    file: str | None = None
    sheet: str | None = None
    relation: str | None = None
    query: str | None = None
    encoding: Encoding = "auto"
    delimiter: Literal["auto", ",", "\t", ";", "|"] = "auto"
    header_row: Annotated[int, Field(ge=1, le=50)] = 1
    only_if: tuple[str, ...] = ()
    row_months: Annotated[int, Field(ge=1, le=60)] | None = None
    same_key: SameKey | None = None
    columns: dict[str, Source]
    spread: Spread | None = None

    @property
    def read(self) -> tuple[str, ...]:
        """The county's columns it reads, each once."""
        names = [name for source in self.columns.values() for name in source.read]
        return tuple(dict.fromkeys([*names, *(self.spread.columns if self.spread else ()), *self.only_if]))

    def months_of(self, table: type[Table]) -> int | None:
        """Return the months a row's amounts cover: as the mapping says; one where a row is a month by itself."""
        return self.row_months or (1 if table.name in A_MONTH else None)


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, dict) else value


class CountyMapping(_Section):
    """A mapping file.

    Parameters
    ----------
    export : Export
        What holds for all of it.
    settings : Settings, optional
        Settings of the records: what is named here goes over a county's defaults (a complete registry, and the
        monitoring line as published), setting by setting; ``line.steps`` replaces the published steps whole.
    tables : dict of str to list of Block
        By record table, where its rows come from.
    """

    export: Export = Export()
    settings: Settings | None = None
    tables: dict[str, Annotated[list[Block], BeforeValidator(_as_list)]]

    @model_validator(mode="after")
    def _fits_tables(self) -> CountyMapping:
        found = list(violations(self))
        if found:
            raise ValueError("\n  ".join(found))
        return self

    def same_key(self, table: str) -> SameKey:
        """Return what rows of a table that share its key are."""
        return rule_of(table, next((block.same_key for block in self.tables[table] if block.same_key), None))

    @classmethod
    def load(cls, path: Path | str) -> CountyMapping:
        """Read a mapping file.

        Raises
        ------
        NotFoundError
            If there is no such file.
        SettingsInvalid
            If it is not TOML, or does not fit the record tables; the message lists all that is wrong.
        """
        file = Path(path)
        if not file.is_file():
            raise NotFoundError(f"no mapping file {file}; `relapse import county SRC --suggest-mapping` writes one")
        try:
            return cls.model_validate(tomllib.loads(file.read_text(encoding="utf-8-sig")))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise SettingsInvalid(f"{file} is not valid TOML in UTF-8: {error}") from error
        except ValidationError as error:
            lines = "\n".join(
                f"  {'.'.join(map(str, e['loc']))}: ".replace("  : ", "  ") + e["msg"].removeprefix("Value error, ")
                for e in error.errors()
            )
            raise SettingsInvalid(f"{file} does not fit the record tables:\n{lines}") from error
