"""Records and expectations drawn as tables, so that a case can be read.

A drawing is the table's name on a line of its own, then its columns and rows between bars. Blank cells are missing;
``known_on`` left out is the day itself, and so is an id that no case asks for.
"""

from __future__ import annotations

from typing import Any

import pandas as pd
import pyarrow as pa

from relapse_risk.records.columns import Kind
from relapse_risk.records.records import Records
from relapse_risk.records.schema import arrow_schema, empty
from relapse_risk.records.tables import TABLES
from relapse_risk.settings import Settings

#: A line of 1,000 yuan a member and month, as long as anyone remembers.
LINE = {"months": 1, "steps": [{"since": "2000-01-01", "yuan": 1000.0}]}
REQUIRED = ("households", "visits", "incomes", "statuses")


def settings(**sections: Any) -> Settings:
    """Return settings with a line, and sections in place of the defaults."""
    return Settings.model_validate({"line": LINE, **sections})


def rows(drawing: str) -> list[dict[str, str]]:
    """Return the rows of a drawing as texts."""
    lines = [line.strip().strip("|") for line in drawing.strip().splitlines() if line.strip()]
    header, *body = [[cell.strip() for cell in line.split("|")] for line in lines]
    return [dict(zip(header, cells, strict=True)) for cells in body]


def tables(drawings: str) -> dict[str, pa.Table]:
    """Return the tables of several drawings."""
    found: dict[str, list[str]] = {}
    name = ""
    for line in drawings.splitlines():
        text = line.strip()
        if text in TABLES:
            name = text
            found[name] = []
        elif text:
            found[name].append(text)
    return {name: table(name, "\n".join(lines)) for name, lines in found.items()}


def table(name: str, drawing: str) -> pa.Table:
    """Return one drawing as an Arrow table."""
    described = TABLES[name]
    drawn = rows(drawing)
    for number, row in enumerate(drawn):
        row.setdefault("known_on", row["occurred_on"])
        for column, stands_for in (("visit_id", f"v{number}"), ("grid_id", "g1"), ("person_id", "p1")):
            if column in described.columns:
                row.setdefault(column, stands_for)
        if name == "statuses":
            row.setdefault("origin", "registry")
    columns = {
        column: [_value(row.get(column, ""), described.columns[column].kind) for row in drawn]
        for column in described.columns
    }
    return pa.table({c: pa.array(v, arrow_schema(described).field(c).type) for c, v in columns.items()})


def _value(cell: str, kind: Kind) -> Any:
    if cell == "":
        return None
    if kind is Kind.DATE:
        return pd.Timestamp(cell).date()
    if kind is Kind.FLAG:
        return {"yes": True, "no": False}[cell]
    if kind is Kind.INTEGER:
        return int(cell)
    return float(cell) if kind is Kind.NUMBER else cell


def records(drawings: str, used: Settings | None = None) -> Records:
    """Return valid records of drawings; households that have no profile get one, from 2015 on."""
    drawn = tables(drawings)
    if "households" not in drawn:
        ids = sorted(
            {i for t in drawn.values() if "household_id" in t.column_names for i in t["household_id"].to_pylist()}
        )
        bars = "\n".join(f"{i} | 2015-01-01 | 1" for i in ids)
        drawn["households"] = table("households", f"household_id | occurred_on | n_members\n{bars}")
    for name in REQUIRED:
        drawn.setdefault(name, empty(TABLES[name]))
    return Records.from_tables(drawn, used or settings())


def index(*pairs: tuple[str, str]) -> pd.MultiIndex:
    """Return an index of pairs (household, date)."""
    return pd.MultiIndex.from_arrays(
        [pd.Index([h for h, _ in pairs], dtype="str"), pd.to_datetime([day for _, day in pairs])],
        names=["household_id", "as_of"],
    )
