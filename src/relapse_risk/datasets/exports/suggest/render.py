"""A first mapping as a TOML file: what is known is filled in, what is not is asked as a TODO."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from relapse_risk.datasets.exports.suggest.block import TODO, BlockLines, is_register, quoted, said, where
from relapse_risk.datasets.exports.suggest.choose import Choice
from relapse_risk.datasets.exports.suggest.profile import Profile
from relapse_risk.datasets.exports.suggest.sample import Sample
from relapse_risk.datasets.exports.suggest.table_match import Match
from relapse_risk.records.tables import TABLES


def rendered(choices: Sequence[Choice], folder: Path | None) -> str:
    """Return the mapping file.

    Parameters
    ----------
    choices : sequence of Choice
        What each source gives.
    folder : path, optional
        The export's folder; files are named as they lie below it.
    """
    lines = [
        "# A first mapping, suggested from headers, contents and the ids that sources share.",
        f"# Every {TODO} asks something: answer it, or leave it where the line is right as it stands.",
        "",
        "[export]",
        f"# {TODO} date = 2024-06-30  # the day the export was made: nothing in it was known later",
        "max_reject_share = 0.02",
        "",
        f"# {TODO} does a source without a row, in a month with other incomes, mean that it brought nothing? Then:",
        "# [settings.data]",
        "# accounts_complete = true",
    ]
    for table in TABLES:
        of_table = [(choice, one) for choice in choices for one in choice.matches if one.table == table]
        n_blocks = len(of_table) + sum(is_register(one) for _, one in of_table)
        for choice, one in of_table:
            for eliminated in (False, True) if is_register(one) else (False,):
                lines += ["", *BlockLines(choice, one, folder, eliminated=eliminated).lines(several=n_blocks > 1)]
            lines += _unused(choice, one)
        if not of_table and TABLES[table].required:
            lines += ["", f"# {TODO} [tables.{table}]: no file was taken for it. {_meaning(table)}"]
    for choice in choices:
        if not choice.matches:
            lines += ["", *_skeleton(choice, folder)]
    return "\n".join(lines) + "\n"


def _meaning(table: str) -> str:
    return (TABLES[table].__doc__ or "").splitlines()[0].replace("``", "")


def _unused(choice: Choice, one: Match) -> list[str]:
    """Name the columns nothing is made from, once a source."""
    if one is not choice.matches[-1]:
        return []
    used = set().union(*(of.used for of in choice.matches))
    rest = [profile.header for position, profile in enumerate(choice.sample.columns) if position not in used]
    return [*([f"# not used: {said(', '.join(rest))}"] if rest else []), *_twice(choice.sample)]


def _twice(sample: Sample) -> list[str]:
    names = said(", ".join(sample.twice))
    return [f"# {TODO} rename one in the export, two columns have the same name: {names}"] if names else []


def _skeleton(choice: Choice, folder: Path | None) -> Iterator[str]:
    sample = choice.sample
    if sample.problem:
        yield f"# not used: {said(sample.problem)}"
        return
    name = said(sample.place.name)
    yield f"# not used: {name}: fits no record table. If it is one, say which, and which columns are its:"
    yield "# [[tables.TABLE]]"
    yield from (f"# {line}" for line in where(sample, folder))
    yield "# [tables.TABLE.columns]"
    near = choice.nearest
    names = {} if choice.known.household is None else {choice.known.household: "household_id"}
    names |= {p: name for name, of in near.taken.items() for p in of} if near else {}
    for position, profile in enumerate(sample.columns):
        yield f"# {names.get(position, 'COLUMN')} = {quoted(profile.header)}  # {_holds(profile)}"
    yield from _twice(sample)
    if near is not None:
        needed = [n for n, c in TABLES[near.table].columns.items() if not c.nullable and n != "known_on"]
        lacks = [name for name in needed if name not in near.taken]
        yield f"# nearest: {near.table}" + (f", which also needs {', '.join(lacks)}" if lacks else "")


def _holds(profile: Profile) -> str:
    if not profile.n_filled:
        return "nothing"
    if profile.refused >= 0.6:
        return "personal, or a running number"
    if len(profile.dates) or len(profile.years):
        return "dates"
    if profile.is_id:
        return "ids, each once" if profile.unique else "ids"
    if len(profile.numbers):
        return "whole numbers" if profile.whole else "numbers"
    return f"{len(profile.texts)} different texts" if profile.closed else "texts"
