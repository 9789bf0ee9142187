"""A suggested mapping compared with the one a person would write, and the edits from the one to the other."""

from __future__ import annotations

import copy
import re
import tomllib
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from relapse_risk.datasets.exports.national_form import national_form
from relapse_risk.datasets.exports.texts import plain
from relapse_risk.records.tables import TABLES

Block = dict[str, Any]
#: A source, a table, and which of the source's blocks of that table.
Key = tuple[str, str, str, int]
_ASKED = re.compile(r"# TODO (\w+)(?: =|:) (.*)$")


@dataclass
class Worth:
    """Columns of the person's mapping by what became of them, and edits until the suggestion says the same."""

    right: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    edits: int = 0

    @property
    def share_right(self) -> float:
        return len(self.right) / max(1, len(self.right) + len(self.asked) + len(self.missed))


def judged(text: str, person: dict[str, Any]) -> tuple[Worth, dict[str, Any]]:
    """Return what a suggestion is worth, and the suggestion corrected, edit by edit, until it says the same.

    A column, a constant, a line of code texts, a unit, a block's place and a period are one edit each.
    """
    data = tomllib.loads(text)
    asked = _asked(text)
    suggested, meant = _by_key(data), _by_key(person)
    worth = Worth()
    for key, wanted in meant.items():
        block = suggested.get(key)
        if block is None:
            block = suggested[key] = {name: wanted[name] for name in ("file", "sheet") if name in wanted} | {
                "columns": {}
            }
            data["tables"].setdefault(key[2], [])
            data["tables"][key[2]] = [*_listed(data["tables"][key[2]]), block]
            worth.edits += 1
        for name in ("header_row", "row_months", "only_if"):
            if block.get(name) != wanted.get(name):
                worth.edits += 1
                block.pop(name, None)
                block |= {name: wanted[name]} if name in wanted else {}
        _columns(block, wanted, worth, key, asked)
        _spread(block, wanted, worth, key, asked[key]["spread"])
    for key, block in suggested.items():
        if key not in meant:
            worth.edits += 1
            worth.wrong.append("/".join(map(str, key)))
            left = [one for one in _listed(data["tables"][key[2]]) if one is not block]
            data["tables"][key[2]] = left
    data["tables"] = {name: blocks for name, blocks in data["tables"].items() if blocks}
    if data["export"].get("date") is None:
        worth.edits += 1
    data["export"] = person["export"]
    return worth, data


def _columns(block: Block, wanted: Block, worth: Worth, key: Key, asked: dict[Key, dict[str, list[str]]]) -> None:
    columns = {name: _whole(column) for name, column in block["columns"].items()}
    block["columns"] = columns
    for name, meant in wanted["columns"].items():
        place = f"{'/'.join(map(str, key))}/{name}"
        suggested = columns.get(name)
        if "flags" in meant:
            _flags(suggested or {}, meant, worth, place)
            columns[name] = copy.deepcopy(meant)
            continue
        if "column" not in meant:
            if suggested != meant:
                worth.edits += 1
                columns[name] = copy.deepcopy(meant)
            continue
        right = suggested is not None and suggested.get("column") == meant["column"]
        missed = worth.asked if meant["column"] in asked[key].get(name, []) else worth.missed
        (worth.right if right else missed).append(place)
        worth.wrong += [place] if suggested is not None and not right else []
        if suggested is None or not right:
            worth.edits += 1
            columns[name] = copy.deepcopy(meant)
            continue
        if suggested.get("unit", meant.get("unit")) != meant.get("unit", suggested.get("unit")):
            worth.edits += 1
            suggested["unit"] = meant["unit"]
        known = national_form().of(TABLES[key[2]].columns[name], suggested.get("texts", {}))
        wrong_texts = {text for text, code in meant.get("texts", {}).items() if known.get(plain(text)) != code}
        if wrong_texts:
            worth.edits += len(wrong_texts)
            suggested["texts"] = suggested.get("texts", {}) | {text: meant["texts"][text] for text in wrong_texts}
    for name in [*columns]:
        if name not in wanted["columns"]:
            worth.wrong.append(f"{'/'.join(map(str, key))}/{name}")
            worth.edits += 1
            del columns[name]


def _flags(suggested: Block, meant: Block, worth: Worth, place: str) -> None:
    given = suggested.get("flags", {})
    for header, code in meant["flags"].items():
        (worth.right if given.get(header) == code else worth.missed).append(f"{place}/{header}")
        worth.edits += given.get(header) != code
    worth.wrong += [f"{place}/{header}" for header in given if given[header] != meant["flags"].get(header)]
    worth.edits += {**suggested, "flags": {}} != {**meant, "flags": {}}


def _spread(block: Block, wanted: Block, worth: Worth, key: Key, asked: list[str]) -> None:
    suggested = block.get("spread", {}).get("columns", {})
    meant = wanted.get("spread", {}).get("columns", {})
    for header, values in meant.items():
        place = f"{'/'.join(map(str, key))}/{header}"
        missed = worth.asked if header in asked else worth.missed
        (worth.right if suggested.get(header) == values else missed).append(place)
        worth.edits += suggested.get(header) != values
        if header in suggested and suggested[header] != values:
            worth.wrong.append(place)
    for header in suggested:
        if header not in meant:
            worth.wrong.append(f"{'/'.join(map(str, key))}/{header}")
            worth.edits += 1
    if meant and block.get("spread", {}).get("unit", "元") != wanted["spread"].get("unit", "元"):
        worth.edits += 1
    if meant or suggested:
        block.pop("spread", None)
        block |= {"spread": copy.deepcopy(wanted["spread"])} if meant else {}


def _whole(column: Any) -> Block:
    return {"column": column} if isinstance(column, str) else dict(column)


def _listed(blocks: Any) -> list[Block]:
    return blocks if isinstance(blocks, list) else [blocks]


def _by_key(data: dict[str, Any]) -> dict[Key, Block]:
    found: dict[Key, Block] = {}
    for table, blocks in data["tables"].items():
        seen: dict[tuple[str, str], int] = defaultdict(int)
        for block in _listed(blocks):
            place = (block["file"], block.get("sheet", ""))
            found[(*place, table, seen[place])] = block
            seen[place] += 1
    for block in found.values():
        if block.get("sheet") == "Sheet1":
            del block["sheet"]
    return {
        (file, sheet.replace("Sheet1", ""), table, n): block for (file, sheet, table, n), block in found.items()
    }


def _asked(text: str) -> dict[Key, dict[str, list[str]]]:
    """Return the headers named in each question, by block."""
    found: dict[Key, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    seen: dict[tuple[str, str, str], int] = defaultdict(int)
    table = file = sheet = ""
    key: Key = ("", "", "", 0)
    for line in text.splitlines():
        if match := re.match(r"\[+tables\.(\w+)\]+", line):
            table, file, sheet = match[1], "", ""
        elif match := re.match(r'(file|sheet) = "(.*)"', line):
            file, sheet = (match[2], sheet) if match[1] == "file" else (file, match[2].replace("Sheet1", ""))
        elif re.match(r"\[tables\.\w+\.columns\]", line):
            key = (file, sheet, table, seen[file, sheet, table])
            seen[file, sheet, table] += 1
        elif match := re.match(r'# TODO "(.+)" = { source', line):
            found[key]["spread"].append(match[1])
        elif match := _ASKED.match(line):
            found[key][match[1]] += re.findall(r'"([^"]+)"', match[2])
    return found
