"""An export on top of the records already held: corrections become new versions, nothing known before is lost.

Worked example. Exported on 2023-06-30 and held: h1's income of May, 500 yuan, known on 06-05. The export of
08-31 says 700 for it, still entered on 06-05: a version of 700 yuan known on 08-31 is added, so that a score of
July still sees 500. It has an income of June, entered on 07-03, that was not there before: it is added as known on
07-03. And it has an income of April, entered on 05-02, which the first export lacked: it is added as known on
07-01, the first day after that export, since until then it was not held here.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from relapse_risk.datasets.exports.cells import Flags
from relapse_risk.records.columns import Table
from relapse_risk.records.groups import number_groups
from relapse_risk.records.order import in_order

Places = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Counts:
    """What an export changed in one table, and what its rows became before.

    Of the record rows made of the export and not set aside: made = repeated + (added - sums) + new + corrected +
    unchanged - ends.

    Parameters
    ----------
    new : int
        Rows with a key not held before.
    late : int
        Of these, rows entered before the earlier export that it lacked.
    corrected : int
        Versions added to keys held.
    unchanged : int
        Rows that say what is held, or what a later row of the export corrects.
    kept : int
        Keys held that the export lacks; they stay.
    repeated : int
        Rows of the export that repeat another in every column.
    added, sums : int
        Rows that were added up, and the versions they became.
    ends : int
        Versions made of ends that came after the row itself was known.
    """

    new: int
    late: int = 0
    corrected: int = 0
    unchanged: int = 0
    kept: int = 0
    repeated: int = 0
    added: int = 0
    sums: int = 0
    ends: int = 0


@dataclass(frozen=True)
class Merged:
    """A table with an export merged into it.

    Parameters
    ----------
    data : pyarrow.Table
        All versions, in the order of a records folder.
    stuck : ndarray of int64
        Rows of the export that cannot correct, since what they correct is not older than the export.
    counts : Counts
        What changed.
    """

    data: pa.Table
    stuck: Places
    counts: Counts


def first_import(table: type[Table], fresh: pa.Table) -> Merged:
    """Return an export on top of nothing."""
    return Merged(in_order(fresh, table.name), np.zeros(0, np.int64), Counts(new=fresh.num_rows))


def merge(table: type[Table], held: pa.Table, fresh: pa.Table, exported_on: int, held_until: int) -> Merged:
    """Merge an export into the rows held.

    Parameters
    ----------
    table : type of Table
        Which table.
    held : pyarrow.Table
        All versions held.
    fresh : pyarrow.Table
        The export's rows.
    exported_on : int
        Day of the export: corrections are known from it on.
    held_until : int
        First day the rows held do not cover: what the export adds was not known here before.
    """
    n_held = held.num_rows
    both = pa.concat_tables([held, fresh]).combine_chunks()
    key, n_keys = number_groups(both, table.key)
    said, _ = number_groups(both, [name for name in table.columns if name != "known_on"])
    known = np.asarray(both["known_on"].cast(pa.int32())).astype(np.int64)
    latest_held = _latest(key[:n_held], known[:n_held], n_keys)
    latest_fresh = _latest(key[n_held:], known[n_held:], n_keys)
    latest_fresh = np.where(latest_fresh >= 0, latest_fresh + n_held, -1)

    was_held, is_fresh = latest_held >= 0, latest_fresh >= 0
    changed = was_held & is_fresh & (said[latest_held] != said[latest_fresh])
    can = known[latest_held] < exported_on
    corrections, stuck = latest_fresh[changed & can], latest_fresh[changed & ~can]

    added = np.flatnonzero(~was_held[key[n_held:]]) + n_held
    floor = min(held_until, exported_on)
    entered = known.copy()
    known[added] = np.maximum(known[added], floor)
    known[corrections] = exported_on
    added = added[_last_of_day(key[added], known[added], entered[added])]
    late = int((entered[added] < floor).sum())

    rows = np.concatenate([np.arange(n_held), added, corrections])
    place = both.column_names.index("known_on")
    dated = both.set_column(place, both.schema.field(place), pa.array(known.astype(np.int32)).cast(pa.date32()))
    counts = Counts(
        new=len(added),
        late=late,
        corrected=len(corrections),
        unchanged=fresh.num_rows - len(added) - len(corrections) - len(stuck),
        kept=int((was_held & ~is_fresh).sum()),
    )
    return Merged(in_order(dated.take(pa.array(rows)), table.name), stuck - n_held, counts)


def _latest(key: Places, known: Places, n_keys: int) -> Places:
    """Return the place of each key's latest version, -1 where there is none."""
    latest = np.full(n_keys, -1, np.int64)
    order = np.argsort(known, kind="stable")
    latest[key[order]] = order
    return latest


def _last_of_day(key: Places, known: Places, entered: Places) -> Flags:
    """Return, of versions that came to be known on one day, the one entered last."""
    order = np.lexsort((entered, known, key))
    last = np.ones(len(order), bool)
    last[:-1] = (key[order][1:] != key[order][:-1]) | (known[order][1:] != known[order][:-1])
    keep = np.zeros(len(order), bool)
    keep[order[last]] = True
    return keep


def rank(values: pa.ChunkedArray) -> npt.NDArray[np.int32]:
    """Return numbers that order rows as a column's values do, missing ones first."""
    if pa.types.is_date32(values.type):
        return np.asarray(values.cast(pa.int32()).fill_null(-(2**31))).astype(np.int32)
    encoded = _encoded(values)
    by = np.asarray(encoded.dictionary.to_numpy(zero_copy_only=False)).argsort(kind="stable")
    place = np.empty(len(by) + 1, np.int32)
    place[by] = np.arange(len(by), dtype=np.int32)
    place[-1] = -1
    ranks: npt.NDArray[np.int32] = place[encoded.indices.fill_null(len(by)).to_numpy(zero_copy_only=False)]
    return ranks


def _encoded(values: pa.ChunkedArray) -> pa.DictionaryArray:
    """Return a column as its distinct values and each row's place among them."""
    encoded = values.combine_chunks().dictionary_encode()
    return encoded.unify_dictionaries().combine_chunks() if isinstance(encoded, pa.ChunkedArray) else encoded
