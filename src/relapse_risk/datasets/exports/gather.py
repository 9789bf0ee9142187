"""Rows of an export that share a key become versions of one fact, or of a sum, each known when its rows were.

Worked example, of a table that is added up. A household has two bills of 2023-05-04, of 300 yuan entered on 05-10
and of 200 yuan entered on 06-20. They become two versions of the day's spending: 300 yuan known on 05-10, and 500
yuan known on 06-20, so that a score of June sees what was known then.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from relapse_risk.datasets.exports import reject_reasons
from relapse_risk.datasets.exports.cells import Flags
from relapse_risk.datasets.exports.merge import rank
from relapse_risk.datasets.exports.same_key import SUMS, SameKey, Sum
from relapse_risk.datasets.exports.tablerows import TableRows
from relapse_risk.records.columns import Table
from relapse_risk.records.groups import number_groups
from relapse_risk.records.schema import arrow_schema

Places = npt.NDArray[np.int64]
Numbers = npt.NDArray[np.float64]
#: Decimals of a sum: the same parts give the same sum, whichever came first.
_DECIMALS = 6
#: Tables whose rows run until an end that counts as known on its own day. The end of a job is agreed on before.
_RUNNING = ("supports",)


def repeated_rows(rows: TableRows) -> Flags:
    """Return the rows that say the same as an earlier one in every column; of accounts, in every row of theirs."""
    at, _ = rows.sharing
    again = np.zeros(rows.data.num_rows, bool)
    if not at.size:
        return again
    said, _ = number_groups(rows.data.take(pa.array(at)), rows.data.column_names)
    account = rows.account[at]
    single = account < 0
    again[at[single]] = _repeated(said[single])
    if not single.all():
        again[at[~single]] = _accounts_repeated(rows.account, account[~single], said[~single])
    return again


def _accounts_repeated(all_accounts: Places, account: Places, said: Places) -> Flags:
    """Return the rows of accounts that are, row for row, a repeated earlier account.

    Parameters
    ----------
    all_accounts : ndarray of int64
        The account of every row of the table.
    account, said : ndarray of int64, shape (n_rows,)
        Of the rows that share their key with another: their account, and what they say.
    """
    order = np.lexsort((said, account))
    accounts, first, size = np.unique(account[order], return_index=True, return_counts=True)
    whole = np.bincount(np.searchsorted(accounts, all_accounts[np.isin(all_accounts, accounts)]))
    rank = np.arange(len(order)) - np.repeat(first, size)
    same_rows = np.zeros(len(accounts), np.int64)
    for nth in range(int(size.max())):
        mine = np.full(len(accounts), -1, np.int64)
        here = rank == nth
        mine[np.repeat(np.arange(len(accounts)), size)[here]] = said[order][here]
        same_rows = number_groups(pa.table({"before": same_rows, "here": mine}), ["before", "here"])[0]
    complete = size == whole  # an account with a row of its own says something else
    repeated = np.zeros(len(accounts), bool)
    repeated[complete] = _repeated(same_rows[complete])
    flags: Flags = repeated[np.searchsorted(accounts, account)]
    return flags


def contradictions(rows: TableRows, rule: SameKey) -> tuple[TableRows, list[reject_reasons.Rejects]]:
    """Return the rows that can become versions or sums, and those that contradict others of their key."""
    at, key = rows.sharing
    if not at.size:
        return rows, []
    data = rows.data.take(pa.array(at))
    added = _is_added(rows.table, rule, data)
    said, _ = number_groups(data, data.column_names)
    day = _known(data)
    whole = _whole(rule, key, day)
    bad: list[tuple[str, str, Flags]] = []
    if rule == "refuse":
        bad.append((reject_reasons.KEY_TWICE, rows.table.key[-1], np.ones(len(at), bool)))
    else:
        differ = _differ(_of_day(key, day), said)
        bad.append((reject_reasons.KEY_TWICE, rows.table.key[-1], ~added & differ))
    if added.any():
        how = SUMS[rows.table.name]
        for column, missing in how.agree.items():
            values = data[column] if missing is None else data[column].fill_null(missing)
            stated, _ = number_groups(pa.table({column: values}), [column])
            bad.append((reject_reasons.PARTS_DISAGREE, column, added & _differ(whole, stated)))
        for column in how.added:
            most = rows.table.columns[column].maximum
            total = np.bincount(whole, weights=np.where(added, _numbers(data[column], 0.0), 0.0))[whole]
            bad.append((reject_reasons.TOO_LARGE, column, added & (total > (np.inf if most is None else most))))
    found = [found for code, column, flags in bad for found in rows.rejects(code, column, at[flags])]
    fallen = np.zeros(rows.data.num_rows, bool)
    for _, _, flags in bad:
        fallen[at[flags]] = True
    return rows.keep(~rows.with_accounts(fallen)), found


@dataclass(frozen=True)
class Gathered:
    """What an export says of a table, a row a version.

    Parameters
    ----------
    data : pyarrow.Table
        The versions, of which a key has one a day.
    repeated, added, sums, ends : int
        See ``Counts``.
    base : ndarray of int64, shape (n_versions,)
        The row each version is of; of a sum, the row with the largest part.
    total : ndarray of int64, shape (n_rows,)
        Equal for rows that are parts of one sum; -1 for all others.
    """

    data: pa.Table
    repeated: int
    added: int
    sums: int
    ends: int
    base: Places
    total: Places

    def rows_of(self, versions: Places) -> Places:
        """Return the rows that some versions are made of."""
        base = self.base[versions]
        sums = self.total[base]
        parts = np.flatnonzero(np.isin(self.total, sums[sums >= 0]))
        return np.union1d(base[sums < 0], parts)


def gather(rows: TableRows, rule: SameKey, exported_on: int) -> Gathered:
    """Return the versions that rows become; no row contradicts another.

    Parameters
    ----------
    rows : TableRows
        What ``contradictions`` left.
    rule : {"sum", "sum_of_day", "latest", "refuse"}
        What rows that share a key are.
    exported_on : int
        Day of the export: an end planned for a later day is not known.
    """
    at, key = rows.sharing
    shared = rows.data.take(pa.array(at))
    added = _is_added(rows.table, rule, shared)
    total = np.full(rows.data.num_rows, -1, np.int64)
    whole = _whole(rule, key, _known(shared))
    total[at[added]] = whole[added]
    again = np.zeros(rows.data.num_rows, bool)
    said, _ = number_groups(shared, shared.column_names)
    again[at[~added]] = _repeated(said[~added])
    alone = np.flatnonzero((total < 0) & ~again)
    data, base = rows.data.take(pa.array(alone)) if at.size else rows.data, alone.astype(np.int64)
    sums = 0
    if added.any():
        made, lead = _sums(rows.table, SUMS[rows.table.name], shared.filter(pa.array(added)), whole[added])
        data = pa.concat_tables([data, made]).combine_chunks()
        base, sums = np.concatenate([base, at[added][lead]]), made.num_rows
    n_versions = data.num_rows
    if rows.table.name in _RUNNING:
        data, base = _with_ends(rows.table, data, base, exported_on)
    ends = data.num_rows - n_versions
    return Gathered(data, int(again.sum()), int(added.sum()), sums, ends, base, total)


def _whole(rule: SameKey, key: Places, day: Places) -> Places:
    """Return a number for the whole that each row would be a part of."""
    return _of_day(key, day) if rule == "sum_of_day" else key


def _of_day(key: Places, day: Places) -> Places:
    return number_groups(pa.table({"key": key, "day": day}), ["key", "day"])[0]


def _is_added(table: type[Table], rule: SameKey, data: pa.Table) -> Flags:
    how = SUMS.get(table.name)
    if rule not in ("sum", "sum_of_day") or how is None:
        return np.zeros(data.num_rows, bool)
    if how.named_by is None:
        return np.ones(data.num_rows, bool)
    return np.asarray(pc.is_null(data[how.named_by])).astype(bool)


def _sums(table: type[Table], how: Sum, data: pa.Table, key: Places) -> tuple[pa.Table, Places]:
    """Return a version for each key and day on which a part of it came in, and each one's largest part."""
    day = _known(data)
    order = np.lexsort((day, key))
    starts = np.ones(len(order), bool)
    starts[1:] = (key[order][1:] != key[order][:-1]) | (day[order][1:] != day[order][:-1])
    version = np.empty(len(order), np.int64)
    version[order] = np.cumsum(starts) - 1
    n_versions = int(starts.sum())
    version_key, version_day = key[order][starts], day[order][starts]
    by_size = _by_size(table, how, data)
    lead = np.full(n_versions, len(by_size), np.int64)
    np.minimum.at(lead, version, by_size)
    totals = {column: _totals(data[column], version, n_versions) for column in how.added}
    flags = {column: _totals(data[column], version, n_versions) for column in how.any_of}
    nth = np.arange(n_versions) - np.searchsorted(version_key, version_key)
    for later in range(1, int(nth.max(initial=0)) + 1):  # what came in before is part of it
        here = np.flatnonzero(nth == later)
        lead[here] = np.minimum(lead[here], lead[here - 1])
        for amount, filled in (*totals.values(), *flags.values()):
            amount[here] += amount[here - 1]
            filled[here] |= filled[here - 1]
    largest = np.argsort(by_size)[lead]
    made = {name: data[name].take(pa.array(largest)) for name in data.column_names}
    made["known_on"] = pa.array(version_day.astype(np.int32)).cast(pa.date32())
    for name, (amount, filled) in totals.items():
        made[name] = pa.array(np.round(amount, _DECIMALS), mask=~filled)
    made |= {name: pa.array(amount > 0, mask=~filled) for name, (amount, filled) in flags.items()}
    schema = arrow_schema(table)
    return pa.table([made[name] for name in schema.names], schema=schema), largest


def _totals(values: pa.ChunkedArray, version: Places, n_versions: int) -> tuple[Numbers, Flags]:
    """Return each version's own total, and whether it has any; in whatever order the rows come."""
    numbers = _numbers(values, np.nan)
    filled = ~np.isnan(numbers)
    order = np.argsort(numbers, kind="stable")
    weights = np.where(filled, numbers, 0.0)[order]
    total: Numbers = np.bincount(version[order], weights=weights, minlength=n_versions).astype(np.float64)
    return total, np.bincount(version[filled], minlength=n_versions) > 0


def _by_size(table: type[Table], how: Sum, data: pa.Table) -> Places:
    """Return each row's place among all: the largest part first, and the same one whatever order they come in."""
    rest = [name for name in table.columns if name not in (*table.key, *how.added, "known_on")]
    by: list[npt.NDArray[Any]] = [rank(data[name]) for name in reversed(rest)]
    sorted_rows = np.lexsort([*by, -_numbers(data[how.added[0]], np.nan)])
    order = np.empty(data.num_rows, np.int64)
    order[sorted_rows] = np.arange(data.num_rows)
    return order


def _with_ends(table: type[Table], data: pa.Table, base: Places, exported_on: int) -> tuple[pa.Table, Places]:
    """Return the versions, with an end that came after a version was known in a version of its own, known then.

    An end planned for after the export is left out: nobody knows yet that it will be one.
    """
    key, _ = number_groups(data, table.key)
    known = _known(data)
    ended = np.where(np.asarray(pc.is_valid(data["ended_on"])), _days(data["ended_on"]), known)
    later = ended > known
    if not later.any():
        return data, base
    order = np.lexsort((known, key))
    following = np.full(len(order), np.iinfo(np.int64).max)
    same = key[order][1:] == key[order][:-1]
    following[order[:-1][same]] = known[order[1:][same]]
    runs = data.set_column(
        data.column_names.index("ended_on"),
        "ended_on",
        pc.if_else(pa.array(later), pa.scalar(None, pa.date32()), data["ended_on"].combine_chunks()),
    )
    ends = np.flatnonzero(later & (ended <= exported_on) & (ended < following))
    closed = data.take(pa.array(ends))
    closed = closed.set_column(closed.column_names.index("known_on"), "known_on", closed["ended_on"])
    return pa.concat_tables([runs, closed]).combine_chunks(), np.concatenate([base, base[ends]])


def _repeated(numbers: Places) -> Flags:
    """Return which numbers stood before."""
    again = np.ones(len(numbers), bool)
    again[np.unique(numbers, return_index=True)[1]] = False
    return again


def _differ(group_of: Places, said: Places) -> Flags:
    """Return the rows of groups in which not all say the same."""
    if not len(group_of):
        return np.zeros(0, bool)
    low, high = np.full(group_of.max() + 1, np.iinfo(np.int64).max), np.full(group_of.max() + 1, -1)
    np.minimum.at(low, group_of, said)
    np.maximum.at(high, group_of, said)
    differ: Flags = (low != high)[group_of]
    return differ


def _known(data: pa.Table) -> Places:
    return _days(data["known_on"])


def _days(values: pa.ChunkedArray) -> Places:
    return np.asarray(values.cast(pa.int32()).fill_null(0)).astype(np.int64)


def _numbers(values: pa.ChunkedArray, missing: float) -> Numbers:
    return np.asarray(values.cast(pa.float64()).fill_null(missing)).astype(np.float64)
