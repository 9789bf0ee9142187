"""The tables' page: every column of every record table, and every code list, from the table classes."""

from __future__ import annotations

from docs.generate import docstrings
from docs.generate.markdown import cell, code, prose, table
from relapse_risk.records.codes import Codes
from relapse_risk.records.columns import Column
from relapse_risk.records.tables import TABLES

_INTRO = """\
# Tables

A records folder holds one Parquet file a table. Every row says when it happened (`occurred_on`) and when the
county's system first held it (`known_on`). A changed fact is a new row with the same key and a later
`known_on`. Rules that rows must keep have [stable codes](errors.md#rules-of-records).
"""


def code_lists() -> dict[str, Codes]:
    """Return every code list that a column uses, by name."""
    return {c.codes.name: c.codes for one in TABLES.values() for c in one.columns.values() if c.codes is not None}


def page() -> str:
    """Return the page."""
    overview = [
        (f"[{name}](#{name})", "yes" if one.required else "", cell(prose(docstrings.read(one).summary)))
        for name, one in TABLES.items()
    ]
    parts = [
        _INTRO,
        table(("table", "required", "a row is"), overview),
    ]
    for name, one in TABLES.items():
        rows: list[tuple[str, ...]] = [
            (
                code(column),
                f"{c.zh}<br>{cell(c.en)}",
                f"[{c.kind.value}](#codes-{_anchor(c.codes.name)})" if c.codes else c.kind.value,
                cell(_rules(c)),
            )
            for column, c in one.columns.items()
        ]
        key = ", ".join(code(column) for column in one.key)
        parts += [
            f"## {name}\n",
            f"{prose(docstrings.read(one).text)}\n",
            f"Key: {key}.\n",
            table(("column", "meaning", "type", "rules"), rows),
        ]
    parts.append("## Code lists\n")
    for name, codes in code_lists().items():
        listed = [(code(value), label.zh, cell(label.en)) for value, label in codes.labels.items()]
        parts += [f"### Codes: {name}\n", table(("code", "中文", "meaning"), listed)]
    return "\n".join(parts)


def _anchor(name: str) -> str:
    return name.lower().replace(" ", "-")


def _rules(c: Column) -> str:
    rules = [c.unit] if c.unit and c.unit not in ("date", "code") else []
    if c.minimum is not None and c.maximum is not None:
        rules.append(f"{c.minimum:,g} to {c.maximum:,g}")
    rules += [f"not before {c.not_before}"] * bool(c.not_before)
    rules += [f"not after {c.not_after}"] * bool(c.not_after)
    rules += [f"at most {c.at_most}"] * bool(c.at_most)
    rules.append("column may be absent" if c.optional else "value may be missing" if c.nullable else "always there")
    return "; ".join(rules)
